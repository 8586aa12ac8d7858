"""Days of lines and payments that fit, as many as it takes, and ways to break one of them.

Every payment has its entry and its line. A defect is planted in one of them, and says what a
reconciliation has to tell of it.
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from holdfast.domain import reconciliation as words
from holdfast.domain.accounts import Tenant
from holdfast.domain.clock import Instant
from holdfast.domain.entries import GENESIS, STRIPE_CLEARING, WALLET, Entry
from holdfast.domain.payments import CANCELED, FAILED, PENDING, REFUND, SUCCEEDED, TOPUP, Payment
from holdfast.domain.reconciliation import Books, KeptDispute, KeptPayment, Line
from tests.domain.samples import NOW

BEGAN = words.starts_at("2026-11-20")
CENT = 10_000
UNITS = {"usd": CENT, "eur": CENT, "jpy": 1_000_000}
"""The smallest unit of each currency, in micros."""
TENANTS = (Tenant("acme", "live"), Tenant("globex", "live"))
HOUR = timedelta(hours=1)

type Told = tuple[str, str]
"""What a difference is told as: its kind, and the id of the payment or line that it is about."""


@dataclass(slots=True)
class Day:
    """What Stripe says of a day, and what the ledger has."""

    lines: dict[str, Line] = field(default_factory=dict)
    kept: dict[str, KeptPayment] = field(default_factory=dict)
    disputes: dict[str, KeptDispute] = field(default_factory=dict)

    @property
    def books(self) -> Books:
        payments = {(each.payment.tenant, each.payment.id): each for each in self.kept.values()}
        return Books(payments=payments, disputes=self.disputes)


def entry_of(payment: Payment, clearing_micros: int, *, at: Instant, name: str = "") -> Entry:
    """The entry of a payment, as far as a reconciliation looks."""
    return Entry(
        id=name or payment.entry_id,
        tenant=payment.tenant,
        account_id=payment.account_id,
        currency=payment.received_currency or payment.currency,
        seq=1,
        type="deposit",
        amount_micros=abs(clearing_micros),
        balance_after_micros=0,
        held_after_micros=0,
        postings={STRIPE_CLEARING: clearing_micros, WALLET: -clearing_micros},
        draws=(),
        reference=payment.id,
        source="stripe",
        details={"payment_id": payment.id},
        hold_id=None,
        created_at=at,
        prev=GENESIS,
    )


def paid(number: int, micros: int, currency: str, *, at: Instant, **told: Any) -> KeptPayment:
    """A top-up that was booked at that instant."""
    payment = Payment(
        **{
            "id": f"pay_{number}",
            "kind": TOPUP,
            "tenant": TENANTS[number % 2],
            "account_id": f"acct_{number % 97}",
            "amount_micros": micros,
            "currency": currency,
            "surface": "billing",
            "created_at": at,
            "updated_at": at,
            "status": SUCCEEDED,
            "received_micros": micros,
            "received_currency": currency,
            "customer_id": f"cus_{number % 97}",
            "payment_intent_id": f"pi_{number}",
            "charge_id": f"ch_{number}",
            "entry_id": f"ent_{number}",
            "settled_at": at,
            **told,
        }
    )
    return KeptPayment(payment=payment, entry=entry_of(payment, -micros, at=at))


def refunded(number: int, micros: int, currency: str, *, at: Instant, **told: Any) -> KeptPayment:
    """A refund that was booked at that instant, before it was asked for at Stripe."""
    kept = paid(
        number,
        micros,
        currency,
        at=at,
        **{
            "id": f"ref_{number}",
            "kind": REFUND,
            "refund_of": f"pay_of_{number}",
            "refund_id": f"re_{number}",
            "payment_intent_id": "",
            **told,
        },
    )
    return replace(kept, entry=entry_of(kept.payment, micros, at=at))


def line_of(kept: KeptPayment, type_: str, *, at: Instant, **told: Any) -> Line:
    """The line that Stripe has of a payment."""
    payment = kept.payment
    sign = -1 if type_ in (words.REFUND_LINE, words.DISPUTE) else 1
    is_charge = type_ == words.CHARGE
    return Line(
        **{
            "id": f"txn_{type_}_{payment.id}",
            "type": type_,
            "amount_micros": sign * payment.received_micros,
            "currency": payment.received_currency,
            "fee_micros": UNITS[payment.received_currency] * 3 if is_charge else 0,
            "fee_currency": payment.received_currency,
            "created": at.replace(microsecond=0),
            "about": payment.payment_intent_id if is_charge else payment.refund_id,
            "payment_intent_id": payment.payment_intent_id,
            "customer_id": payment.customer_id if is_charge else "",
            "payment_id": payment.id,
            "tenant": payment.tenant,
            "account_id": payment.account_id,
            **told,
        }
    )


def clean_day(rows: int, *, seed: int = 1) -> Day:
    """So many payments that fit: charges, refunds, refunds that came back, and some in flight.

    Of any ten one is a refund; some have no line yet, or no entry yet; payouts lie in between.
    """
    dice, day = random.Random(seed), Day()
    for number in range(rows):
        currency = dice.choice(("usd", "usd", "eur", "jpy"))
        micros = dice.randrange(1, 100_000) * UNITS[currency]
        at = BEGAN + timedelta(milliseconds=dice.randrange(86_400_000 - 1_000))
        if number % 10 == 0:
            _add_refund(day, number, micros, currency, at=at, came_back=number % 50 == 0)
            continue
        booked_at = at + timedelta(seconds=dice.choice((0, 0, 1, 30, 899)))
        kept = paid(number, micros, currency, at=booked_at)
        if number % 501 == 1:
            young = NOW - timedelta(minutes=dice.randrange(1, 14))
            kept = _in_flight(day, kept, number, at=young)
        else:
            _keep(day, kept, line_of(kept, words.CHARGE, at=at))
        if number % 1_000 == 3:
            _add_payout(day, number)
    return day


def _keep(day: Day, kept: KeptPayment, *lines: Line) -> None:
    day.kept[kept.payment.id] = kept
    day.lines |= {line.id: line for line in lines}


def _add_refund(
    day: Day, number: int, micros: int, currency: str, *, at: Instant, came_back: bool
) -> None:
    kept = refunded(number, micros, currency, at=at)
    back = line_of(kept, words.REFUND_LINE, at=at + timedelta(seconds=2))
    if not came_back:
        _keep(day, kept, back)
        return
    undone = replace(kept.payment, status=FAILED, undone_by=f"ent_undo_{number}")
    later = at + timedelta(minutes=5)
    undoing = entry_of(undone, -micros, at=later, name=undone.undone_by)
    failure = line_of(kept, words.REFUND_FAILURE, at=later)
    _keep(day, KeptPayment(payment=undone, entry=kept.entry, undoing=undoing), back, failure)


def _in_flight(day: Day, kept: KeptPayment, number: int, *, at: Instant) -> KeptPayment:
    """One that Stripe has for minutes only and we have not, or the other way round."""
    if number % 2:
        waits = replace(kept.payment, status=PENDING, entry_id="", settled_at=None)
        kept = KeptPayment(payment=waits)
        _keep(day, kept, line_of(kept, words.CHARGE, at=at))
    else:
        young = replace(kept.payment, settled_at=at)
        kept = KeptPayment(payment=young, entry=entry_of(young, -young.received_micros, at=at))
        _keep(day, kept)
    return kept


def _add_payout(day: Day, number: int) -> None:
    payout = Line(
        id=f"txn_payout_{number}",
        type="payout",
        amount_micros=-77 * CENT,
        currency="usd",
        fee_micros=0,
        fee_currency="usd",
        created=BEGAN,
    )
    day.lines[payout.id] = payout


def settled_charges(day: Day) -> Iterator[KeptPayment]:
    """The charges that have come to rest: what a defect can be planted in."""
    for kept in day.kept.values():
        payment = kept.payment
        if payment.kind == TOPUP and payment.entry_id and _line_id(payment) in day.lines:
            yield kept


def _line_id(payment: Payment) -> str:
    return f"txn_{words.CHARGE}_{payment.id}"


def _missing_here(day: Day, kept: KeptPayment) -> str:
    waits = replace(kept.payment, status=PENDING, entry_id="", settled_at=None)
    day.kept[waits.id] = KeptPayment(payment=waits)
    return waits.id


def _unknown_here(day: Day, kept: KeptPayment) -> str:
    del day.kept[kept.payment.id]
    return kept.payment.id


def _missing_at_stripe(day: Day, kept: KeptPayment) -> str:
    del day.lines[_line_id(kept.payment)]
    return kept.payment.id


def _amount(day: Day, kept: KeptPayment) -> str:
    line = day.lines[_line_id(kept.payment)]
    more = UNITS[line.currency]
    day.lines[line.id] = replace(line, amount_micros=line.amount_micros + more)
    return kept.payment.id


def _currency(day: Day, kept: KeptPayment) -> str:
    line = day.lines[_line_id(kept.payment)]
    other = "eur" if line.currency == "usd" else "usd"
    day.lines[line.id] = replace(line, currency=other)
    return kept.payment.id


def _status(day: Day, kept: KeptPayment) -> str:
    ended = replace(kept.payment, status=CANCELED, entry_id="", settled_at=None)
    day.kept[ended.id] = KeptPayment(payment=ended)
    return ended.id


def _duplicate(day: Day, kept: KeptPayment) -> str:
    line = day.lines[_line_id(kept.payment)]
    twice = replace(line, id=f"{line.id}_2", about=f"{line.about}_2")
    day.lines[twice.id] = twice
    return kept.payment.id


def _listed_twice(day: Day, kept: KeptPayment) -> str:
    line = day.lines[_line_id(kept.payment)]
    day.lines[f"{line.id}_2"] = replace(line, id=f"{line.id}_2")
    return kept.payment.id


def _booked_twice(day: Day, kept: KeptPayment) -> str:
    twice = replace(kept.payment, id=f"{kept.payment.id}_2", entry_id=f"{kept.payment.entry_id}_2")
    entry = entry_of(twice, -twice.received_micros, at=kept.entry.created_at if kept.entry else NOW)
    day.kept[twice.id] = KeptPayment(payment=twice, entry=entry)
    return twice.id


def _late(day: Day, kept: KeptPayment) -> str:
    line = day.lines[_line_id(kept.payment)]
    at = line.created + words.BOOKED_WITHIN + timedelta(milliseconds=1)
    assert kept.entry is not None
    later = replace(kept.payment, settled_at=at)
    day.kept[later.id] = KeptPayment(payment=later, entry=replace(kept.entry, created_at=at))
    return later.id


def _wrong_account(day: Day, kept: KeptPayment) -> str:
    assert kept.entry is not None
    entry = replace(kept.entry, account_id="acct_other")
    day.kept[kept.payment.id] = replace(kept, entry=entry)
    return kept.payment.id


def _wrong_customer(day: Day, kept: KeptPayment) -> str:
    line = day.lines[_line_id(kept.payment)]
    day.lines[line.id] = replace(line, customer_id="cus_other")
    return kept.payment.id


def _ledger(day: Day, kept: KeptPayment) -> str:
    assert kept.entry is not None
    less = kept.payment.received_micros - UNITS[kept.payment.received_currency]
    postings = {STRIPE_CLEARING: -less, WALLET: less}
    day.kept[kept.payment.id] = replace(kept, entry=replace(kept.entry, postings=postings))
    return kept.payment.id


def _unknown_line(day: Day, kept: KeptPayment) -> str:
    line = day.lines[_line_id(kept.payment)]
    nobodys = replace(line, id=f"{line.id}_n", about="pi_n", payment_id="", tenant=None)
    day.lines[nobodys.id] = nobodys
    return ""


type Plant = Callable[[Day, KeptPayment], str]

EIGHT: dict[str, tuple[Plant, ...]] = {
    "missing_here": (_missing_here, _unknown_here),
    "missing_at_stripe": (_missing_at_stripe,),
    "amount": (_amount,),
    "currency": (_currency,),
    "status": (_status,),
    "duplicate": (_duplicate, _listed_twice, _booked_twice),
    "late": (_late,),
    "wrong_account": (_wrong_account, _wrong_customer),
}
"""The kinds of defects that a reconciliation is proven by."""
DEFECTS: dict[str, tuple[Plant, ...]] = {
    **EIGHT,
    "ledger": (_ledger,),
    "unknown_line": (_unknown_line,),
}


def plant(day: Day, defects: int, *, kinds: dict[str, tuple[Plant, ...]], seed: int) -> list[Told]:
    """Break so many payments of a day, as many of each kind; what has to be told of them."""
    dice = random.Random(seed)
    broken = dice.sample(list(settled_charges(day)), defects)
    told = []
    for number, kept in enumerate(broken):
        kind = list(kinds)[number % len(kinds)]
        told.append((kind, dice.choice(kinds[kind])(day, kept)))
    return sorted(told)
