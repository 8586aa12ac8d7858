"""Use cases of reconciliation: Stripe's balance of a day against the entries and the wallets.

Nothing is put right here but what Stripe has and the ledger has not: it is asked for once more, as
an event of Stripe's that got lost would have done, and is told as healed. Everything else waits for
somebody. A run keeps nothing until its end: one that breaks is repeated whole.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Any

from holdfast.domain import differences
from holdfast.domain import payments as rules
from holdfast.domain import reconciliation as words
from holdfast.domain.accounts import Tenant
from holdfast.domain.bookings import Booking
from holdfast.domain.clock import Instant
from holdfast.domain.disputes import Dispute
from holdfast.domain.entries import Entry
from holdfast.domain.ledger import Change, Wallet
from holdfast.domain.payments import Payment
from holdfast.domain.reconciliation import (
    Books,
    Difference,
    KeptDispute,
    KeptPayment,
    Line,
    Mark,
    Report,
)
from holdfast.errors import InvariantBroken, NotFound, Refusal, StripeUnavailable, Unavailable
from holdfast.gateways.stripe import StripeGateway
from holdfast.gateways.stripe.lines import line_of, named
from holdfast.services import disputes, payments, refunds
from holdfast.services.accounts import system_once
from holdfast.services.cards import Stripes
from holdfast.store import keys, pages, reports
from holdfast.store.keys import Key
from holdfast.store.ledger_store import LedgerStore, Ref
from holdfast.store.report_items import house

HEAL_ATTEMPTS_MAX = 2

type _Id = tuple[Tenant, str]

_HEALERS: Mapping[str, Callable[..., object]] = {
    words.CHARGE: payments.fulfil,
    words.REFUND_LINE: refunds.take_in,
    words.REFUND_FAILURE: refunds.take_in,
    words.DISPUTE: disputes.take_in,
    words.DISPUTE_REVERSAL: disputes.take_in,
}


def report(store: LedgerStore, mode: str, day: str | None = None) -> Report:
    """The report of a day of UTC, or of the latest day that there is one of.

    Raises:
        NotFound: None was made.
    """
    found = reports.newest(store, mode) if day is None else store.read(_report_of(mode, day))
    if found is None:
        raise NotFound(param="day")
    return found


def reconcile_due(store: LedgerStore, stripes: Stripes, mode: str, *, now: Instant) -> list[Report]:
    """The reports of the days that are over and have none yet, those of missed runs among them.

    A mode in which nobody pays needs no key of Stripe's; a day without one is passed over then.

    Raises:
        StripeUnavailable, Unavailable: Somebody does not answer. What was done is done.
    """
    back = words.days_back(now)
    found = store.read_all([_report_of(mode, day) for day in back])
    known = {each.day: each for each in found if each is not None}
    made: list[Report] = []
    for day in words.days_to_do(known, now=now):
        try:
            made.append(reconcile(store, stripes, mode, day, now=now))
        except Unavailable:
            if any(pages.settled(store, mode, day)):
                raise
    return made


def reconcile(store: LedgerStore, stripes: Stripes, mode: str, day: str, *, now: Instant) -> Report:
    """Hold Stripe's lines of a day of UTC against the ledger, and keep the report.

    Raises:
        StripeUnavailable: Nobody answers at Stripe.
        Unavailable: The table does not answer, or Stripe's key cannot be had.
    """
    before: Report | None = store.read(_report_of(mode, day))
    runs = before.runs if before else ()
    run = _Run(store, stripes(mode), mode, day)
    lines, books = run.read()
    found = differences.compare(lines, books, now=now, runs=runs)
    if any(map(words.is_healable, found.differences)):
        for each in filter(words.is_healable, found.differences):
            _heal(store, stripes, mode, each, now=now)
        lines, books = run.read()
        again = differences.compare(lines, books, now=now, runs=(*runs, now))
        found = words.healed(found, again)
    found = replace(found, differences=(*found.differences, *_of_wallets(store, books, now=now)))
    made = words.report(
        before,
        found,
        mode=mode,
        day=day,
        lines=len(lines),
        payments=len(books.payments),
        now=now,
    )
    if not store.settle(house(mode), (), Change(before, made)):
        # Another run was faster, or the answer was lost: whoever asks again finds out.
        raise Unavailable()
    return made


@dataclass(slots=True)
class _Run:
    """One day, and what was found out about it at Stripe beside its lines."""

    store: LedgerStore
    stripe: StripeGateway
    mode: str
    day: str
    _intents: dict[str, Mapping[str, str]] = field(default_factory=dict)

    def read(self) -> tuple[list[Line], Books]:
        """What Stripe has of the day, and what the ledger has for it."""
        starts_at, ends_at = words.starts_at(self.day), words.ends_at(self.day)
        told = map(line_of, self.stripe.balance.since(starts_at, until=ends_at))
        led = map(self._led, told)
        # A sandbox may serve both modes: then each line is the business of its own.
        lines = [line for line in led if line.tenant is None or line.tenant.mode == self.mode]
        settled = pages.settled(self.store, self.mode, self.day)
        records = self._payments(chain(_ids(lines), _made_there(lines), settled))
        lines = [_of_its_own(line, records) for line in lines]
        found = self._disputes(lines, records)
        books = _books(self.store, records, found)
        elsewhere = self._elsewhere(differences.unlisted(lines, books))
        return lines, replace(books, elsewhere=elsewhere)

    def _led(self, line: Line) -> Line:
        """The line with its payment's name, which a dispute and a refund made there do not bear."""
        intent_id = line.payment_intent_id
        if line.payment_id or not intent_id:
            return line
        if intent_id not in self._intents:
            try:
                intent = self.stripe.payment_intents.retrieve(intent_id)
                self._intents[intent_id] = intent.metadata
            except NotFound:
                self._intents[intent_id] = {}
        return named(line, self._intents[intent_id])

    def _payments(self, wanted: Iterable[_Id]) -> dict[_Id, Payment]:
        ids = list(dict.fromkeys(wanted))
        found = self.store.read_all([_maybe(keys.payment(*each)) for each in ids if _is_id(each)])
        return {(each.tenant, each.id): each for each in found if each is not None}

    def _disputes(
        self, lines: Iterable[Line], records: Mapping[_Id, Payment]
    ) -> list[tuple[Tenant, Dispute]]:
        refs: dict[Key, Tenant] = {}
        for line in lines:
            paid = _paid(line, records)
            if paid is not None and line.type in (words.DISPUTE, words.DISPUTE_REVERSAL):
                refs[keys.dispute(paid.tenant, paid.account_id, line.about)] = paid.tenant
        found = self.store.read_all([_maybe(key) for key in refs])
        return [
            (tenant, each)
            for tenant, each in zip(refs.values(), found, strict=True)
            if each is not None and (tenant, each.payment_id) in records
        ]

    def _elsewhere(self, bookings: Iterable[Booking]) -> dict[Mark, str]:
        """The lines of bookings that are not among those of the day, by what they are about."""
        found: dict[Mark, str] = {}
        for source_id in dict.fromkeys(map(_source_of, bookings)):
            if not source_id:
                continue
            try:
                lines = [line_of(each) for each in self.stripe.balance.about(source_id)]
            except NotFound:
                continue
            for line in lines:
                found[line.mark] = line.payment_id if line.type == words.CHARGE else ""
        return found


def _source_of(booking: Booking) -> str:
    """What lines are listed by: the charge of a payment intent, or the thing itself."""
    type_, about = booking.mark
    return booking.owner.charge_id if type_ == words.CHARGE else about


def _books(
    store: LedgerStore, records: Mapping[_Id, Payment], found: Iterable[tuple[Tenant, Dispute]]
) -> Books:
    told = list(found)
    wanted = [
        (tenant, entry_id)
        for (tenant, _), payment in records.items()
        for entry_id in (payment.entry_id, payment.undone_by)
    ]
    wanted += [(tenant, name) for tenant, each in told for name in (each.frozen_by, each.closed_by)]
    entries = reports.entries(store, (each for each in wanted if each[1]))
    kept: dict[_Id, KeptPayment] = {}
    for place, payment in records.items():
        entry, undoing = entries.get(payment.entry_id), entries.get(payment.undone_by)
        kept[place] = KeptPayment(payment=payment, entry=entry, undoing=undoing)
    of_disputes = {
        each.id: KeptDispute(
            tenant=tenant,
            dispute=each,
            frozen=entries.get(each.frozen_by),
            closed=entries.get(each.closed_by),
        )
        for tenant, each in told
    }
    return Books(payments=kept, disputes=of_disputes)


def _of_wallets(store: LedgerStore, books: Books, *, now: Instant) -> list[Difference]:
    """The wallets of these payments that are not what their last entries left behind."""
    told: Iterable[Entry | None] = chain.from_iterable(
        (each.entry, each.undoing) for each in books.payments.values()
    )
    places = {
        (entry.tenant, entry.account_id, entry.currency): None
        for entry in told
        if entry is not None
    }
    wallets = store.read_all([_maybe(keys.wallet(*place)) for place in places])
    found = (
        differences.compare_wallet(wallet, reports.last_entry(store, wallet), now=now)
        for wallet in wallets
        if isinstance(wallet, Wallet)
    )
    return [each for each in found if each is not None]


def _heal(
    store: LedgerStore, stripes: Stripes, mode: str, missing: Difference, *, now: Instant
) -> None:
    """Take in what Stripe says of it. What cannot be taken in stays for somebody to look at."""
    take_in = _HEALERS.get(missing.type)
    for _ in range(HEAL_ATTEMPTS_MAX if take_in else 0):
        assert take_in is not None
        try:
            take_in(store, stripes, mode, missing.stripe_id, now=now)
        except StripeUnavailable:
            raise
        except Unavailable:
            continue
        except (Refusal, InvariantBroken):
            return
        return


def _ids(lines: Iterable[Line]) -> Iterable[_Id]:
    return ((line.tenant, line.payment_id) for line in lines if line.tenant and line.payment_id)


def _made_there(lines: Iterable[Line]) -> Iterable[_Id]:
    """The records that refunds have here which somebody made at Stripe, so that they name none."""
    for line in lines:
        name = _own_id(line)
        if line.tenant is not None and name:
            yield line.tenant, name


def _own_id(line: Line) -> str:
    if line.type not in (words.REFUND_LINE, words.REFUND_FAILURE):
        return ""
    if line.tenant is None or line.began_at is None:
        return ""
    once = system_once(line.tenant, f"stripe {line.about}", line.began_at)
    return rules.new_id(once, rules.REFUND, line.currency)


def _of_its_own(line: Line, records: Mapping[_Id, Payment]) -> Line:
    """A refund's line by the refund's own name, where it bears that of the payment."""
    name = _own_id(line)
    if line.tenant is None or (line.tenant, name) not in records:
        return line
    return replace(line, payment_id=name)


def _paid(line: Line, records: Mapping[_Id, Payment]) -> Payment | None:
    return None if line.tenant is None else records.get((line.tenant, line.payment_id))


def _is_id(wanted: _Id) -> bool:
    """Whether it can be a name of ours: what stands at Stripe anybody there may have changed."""
    name = wanted[1]
    return bool(name) and name.isascii() and name.replace("_", "").isalnum()


def _maybe(key: Key) -> Ref:
    return Ref(key, _none)


def _report_of(mode: str, day: str) -> Ref:
    return _maybe(keys.report(mode, day))


def _none() -> Any:
    return None
