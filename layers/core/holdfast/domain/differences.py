"""Holding Stripe's lines against the bookings of the ledger: what does not fit, and how.

Every line has one booking of its mark, and every booking one line, and both count the same. What is
too young to be expected is in flight. One thing that is wrong is told once: that it is not known or
there twice, not there at all, another account's, wrong within the ledger, another amount, or late.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from holdfast.domain import reconciliation as words
from holdfast.domain.bookings import Booking, bookings
from holdfast.domain.clock import Instant
from holdfast.domain.disputes import DROPPED, LOST
from holdfast.domain.entries import Entry
from holdfast.domain.ledger import Wallet
from holdfast.domain.payments import CANCELED, FAILED, REFUND, SUCCEEDED, Payment
from holdfast.domain.reconciliation import (
    BOOKED_WITHIN,
    LISTED_WITHIN,
    OF_PAYMENTS,
    OF_THE_HOUSE,
    Books,
    Difference,
    Findings,
    Kind,
    Line,
    Mark,
    Total,
)

_OF_DISPUTES = (words.DISPUTE, words.DISPUTE_REVERSAL)


def unlisted(lines: Iterable[Line], books: Books) -> list[Booking]:
    """The bookings that none of these lines belongs to: their lines may be of another day."""
    listed = {(line.mark, line.payment_id if line.type == words.CHARGE else "") for line in lines}
    return [booking for booking in bookings(books) if (booking.mark, booking.named) not in listed]


def compare(
    lines: Iterable[Line], books: Books, *, now: Instant, runs: Iterable[Instant] = ()
) -> Findings:
    """Whatever Stripe and the ledger say differently of a day, and what all of it adds up to.

    `runs` are the instants at which earlier runs have booked what was missing.
    """
    comparison = _Comparison(books, now, frozenset(runs))
    for line in lines:
        comparison.take(line)
    return comparison.finished()


def compare_wallet(wallet: Wallet, last: Entry | None, *, now: Instant) -> Difference | None:
    """What is wrong with a wallet that is not what its last entry left behind, if it is not."""
    if last is None or last.seq != wallet.seq:
        because = "entry_missing"
    elif last.balance_after_micros != wallet.posted_micros:
        because = "balance"
    elif last.held_after_micros != wallet.held_micros:
        because = "held"
    elif last.hash != wallet.head:
        because = "head"
    else:
        return None
    return Difference(
        kind="ledger",
        type=words.WALLET,
        currency=wallet.currency,
        there_micros=last.balance_after_micros if last else wallet.posted_micros,
        here_micros=wallet.posted_micros,
        at=wallet.updated_at or now,
        because=because,
        org=wallet.tenant.org,
        account_id=wallet.account_id,
        entry_id=last.id if last else "",
    )


@dataclass(slots=True)
class _Comparison:
    """The bookings by what they are of, and what was found so far."""

    books: Books
    now: Instant
    runs: frozenset[Instant]
    booked: dict[Mark, list[Booking]] = field(default_factory=lambda: defaultdict(list))
    seen: set[Mark] = field(default_factory=set)
    found: list[Difference] = field(default_factory=list)
    sums: dict[tuple[str, str], Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    in_flight: int = 0

    def __post_init__(self) -> None:
        for booking in bookings(self.books):
            self.booked[booking.mark].append(booking)

    def take(self, line: Line) -> None:
        """Compare a line with what the ledger has for it."""
        self._add(line.currency, line.type, lines=1, there=line.amount_micros)
        self._add(line.fee_currency, line.type, fee=line.fee_micros)
        if line.type in OF_THE_HOUSE:
            return
        if line.type not in OF_PAYMENTS or line.tenant is None or not line.payment_id:
            self._tell("unknown_line", line)
            return
        if line.mark in self.seen:
            self._tell("duplicate", line)
            return
        self.seen.add(line.mark)
        mine = self._of(line)
        if mine is None:
            self._not_booked(line)
        else:
            self._booked(line, mine)

    def finished(self) -> Findings:
        """What was found, with the bookings that no line belongs to."""
        for left in self.booked.values():
            for booking in left:
                self._not_listed(booking)
        return Findings(
            differences=tuple(self.found), totals=tuple(self._totals()), in_flight=self.in_flight
        )

    def _of(self, line: Line) -> Booking | None:
        """The booking of a line. A charge is booked by the payment that it was made for."""
        there = self.booked.get(line.mark, [])
        named = line.payment_id if line.type == words.CHARGE else ""
        for booking in there:
            if booking.named == named:
                there.remove(booking)
                return booking
        return None

    def _not_booked(self, line: Line) -> None:
        assert line.tenant is not None
        kept = self.books.payments.get((line.tenant, line.payment_id))
        payment = kept.payment if kept else None
        ended = _ended_as(line, payment, self.books)
        if payment is not None and _is_paid_otherwise(line, payment):
            self._tell("duplicate", line, payment=payment)
        elif line.created + BOOKED_WITHIN > self.now:
            self.in_flight += 1
            self._add(line.currency, line.type, in_flight=line.amount_micros)
        elif ended:
            self._tell("status", line, payment=payment, because=ended)
        else:
            self._tell("missing_here", line, payment=payment)

    def _booked(self, line: Line, mine: Booking) -> None:
        if line.type in _OF_DISPUTES and mine.currency != line.currency:
            # Banks dispute in the currency of the card, and nobody says what that is in ours.
            mine = replace(mine, currency=line.currency, here_micros=line.amount_micros)
        self._add(mine.currency, line.type, here=mine.here_micros)
        if other := _other_account(line, mine):
            self._tell("wrong_account", line, mine, because=other)
        elif mine.wrong:
            kind, because = mine.wrong
            self._tell(kind, line, mine, because=because)
        elif mine.currency != line.currency:
            self._tell("currency", line, mine, because=mine.currency)
        elif mine.here_micros != line.amount_micros:
            self._tell("amount", line, mine)
        elif mine.at > line.created + BOOKED_WITHIN and mine.at not in self.runs:
            self._tell("late", line, mine)

    def _not_listed(self, booking: Booking) -> None:
        mark = booking.mark
        if self.books.elsewhere.get(mark) == booking.named:
            return
        is_there = self._is_there(mark)
        if booking.pair is not None and not (is_there or self._is_there(booking.pair)):
            return
        self._add(booking.currency, mark[0], here=booking.here_micros)
        if is_there:
            self._tell_of("duplicate", booking)
        elif booking.at + LISTED_WITHIN > self.now or not booking.owner.final:
            self.in_flight += 1
            self._add(booking.currency, mark[0], in_flight=-booking.here_micros)
        elif booking.wrong:
            kind, because = booking.wrong
            self._tell_of(kind, booking, because=because)
        elif mark[0] in (words.REFUND_FAILURE, words.DISPUTE_REVERSAL):
            self._tell_of("status", booking, because=booking.owner.status)
        else:
            self._tell_of("missing_at_stripe", booking)

    def _is_there(self, mark: Mark) -> bool:
        """Whether Stripe has a line of the mark, of this day or another."""
        return mark in self.seen or mark in self.books.elsewhere

    def _add(self, currency: str, type_: str, **micros: int) -> None:
        self.sums[currency, type_].update(micros)

    def _totals(self) -> Iterator[Total]:
        for (currency, type_), sums in sorted(self.sums.items()):
            if any(sums.values()):
                yield Total(
                    currency=currency,
                    type=type_,
                    lines=sums["lines"],
                    there_micros=sums["there"],
                    here_micros=None if type_ in OF_THE_HOUSE else sums["here"],
                    fee_micros=sums["fee"],
                    in_flight_micros=sums["in_flight"],
                )

    def _tell(
        self,
        kind: Kind,
        line: Line,
        booking: Booking | None = None,
        *,
        payment: Payment | None = None,
        because: str = "",
    ) -> None:
        owner = booking.owner if booking else payment
        tenant = owner.tenant if owner else line.tenant
        self.found.append(
            Difference(
                kind=kind,
                type=line.type,
                currency=line.currency,
                there_micros=line.amount_micros,
                here_micros=booking.here_micros if booking and kind != "currency" else 0,
                at=line.created,
                because=because,
                org=tenant.org if tenant else "",
                account_id=owner.account_id if owner else line.account_id,
                payment_id=owner.id if owner else line.payment_id,
                entry_id=booking.entry_id if booking else "",
                line_id=line.id,
                stripe_id=line.about,
            )
        )

    def _tell_of(self, kind: Kind, booking: Booking, *, because: str = "") -> None:
        type_, stripe_id = booking.mark
        self.found.append(
            Difference(
                kind=kind,
                type=type_,
                currency=booking.currency,
                there_micros=0,
                here_micros=booking.here_micros,
                at=booking.at,
                because=because,
                org=booking.owner.tenant.org,
                account_id=booking.owner.account_id,
                payment_id=booking.owner.id,
                entry_id=booking.entry_id,
                stripe_id=stripe_id,
            )
        )


def _is_paid_otherwise(line: Line, payment: Payment) -> bool:
    """Whether the payment has its money already, by another payment intent."""
    known = payment.payment_intent_id
    return line.type == words.CHARGE and bool(payment.entry_id) and known != line.about


def _ended_as(line: Line, payment: Payment | None, books: Books) -> str:
    """Our word for how it ended, if that is another end than the line says."""
    if line.type in _OF_DISPUTES:
        kept = books.disputes.get(line.about)
        ended = kept is not None and kept.dispute.stage in (DROPPED, LOST)
        return kept.dispute.status if kept and ended else ""
    if payment is None or (line.type == words.REFUND_LINE and payment.kind != REFUND):
        return ""
    if line.type in (words.CHARGE, words.REFUND_LINE):
        return payment.status if payment.status in (FAILED, CANCELED) else ""
    return payment.status if payment.status == SUCCEEDED else ""


def _other_account(line: Line, mine: Booking) -> str:
    """The account or customer that somebody else says it belongs to."""
    owner = mine.owner
    if mine.entry_account_id != owner.account_id:
        return mine.entry_account_id
    if line.account_id and line.account_id != owner.account_id:
        return line.account_id
    is_charge = line.type == words.CHARGE and line.customer_id and owner.customer_id
    return line.customer_id if is_charge and line.customer_id != owner.customer_id else ""
