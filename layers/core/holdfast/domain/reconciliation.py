"""Reconciliation: what Stripe's balance says of a day, and what the ledger says of the same money.

A *line* is what Stripe says, a *booking* what an entry says; both name what they are about by the
id that Stripe gave it, and count in the currency that the customer paid in. `differences` holds
them against each other; a *report* is what is kept of it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Literal

from holdfast.domain.accounts import Tenant
from holdfast.domain.clock import DAY, Instant
from holdfast.domain.disputes import Dispute
from holdfast.domain.entries import Entry
from holdfast.domain.payments import Payment

type Kind = Literal[
    "missing_here",
    "missing_at_stripe",
    "amount",
    "currency",
    "status",
    "duplicate",
    "wrong_account",
    "unknown_line",
    "ledger",
    "late",
]
type Mark = tuple[str, str]
"""What a line or a booking is: its type, and the id at Stripe of what it is about."""

KINDS: tuple[Kind, ...] = (
    "missing_here",
    "missing_at_stripe",
    "amount",
    "currency",
    "status",
    "duplicate",
    "wrong_account",
    "unknown_line",
    "ledger",
    "late",
)
"""Every kind of difference, the ones that somebody has to look at first in front."""

CHARGE = "charge"
CHARGE_FAILURE = "charge_failure"
REFUND_LINE = "refund"
REFUND_FAILURE = "refund_failure"
DISPUTE = "dispute"
DISPUTE_REVERSAL = "dispute_reversal"
WALLET = "wallet"

OF_PAYMENTS = frozenset(
    {CHARGE, CHARGE_FAILURE, REFUND_LINE, REFUND_FAILURE, DISPUTE, DISPUTE_REVERSAL}
)
"""The types of lines that the ledger has to have an answer to."""
OF_THE_HOUSE = frozenset(
    "payout payout_cancel payout_failure payout_minimum_balance_hold "
    "payout_minimum_balance_release stripe_fee stripe_fx_fee tax_fee network_cost "
    "reserve_transaction reserved_funds topup topup_reversal transfer transfer_cancel "
    "transfer_failure transfer_refund advance advance_funding contribution climate_order_purchase "
    "climate_order_refund application_fee application_fee_refund".split()
)
"""The types of lines between Stripe and the house: they are added up, and no customer has them."""

BOOKED_WITHIN = timedelta(minutes=15)
"""How long the ledger may take to have what Stripe has. After that it is missing, or late."""
LISTED_WITHIN = timedelta(hours=1)
"""How long Stripe may take to list what it has done: a card is charged before its line is there."""
DIFFERENCES_KEPT = 200
"""How many differences a report has in full; it counts all of them."""
DAYS_BACK = 14
"""How many days are made up for, when runs were missed."""
_RUNS_KEPT = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line of Stripe's balance. Amounts are signed: what came in is above zero.

    `payment_id`, `tenant` and `account_id` are what we once wrote beside it at Stripe, where there
    is anything. `about` is the payment intent of a charge, or the refund or dispute itself, and
    `began_at` is when that was made.
    """

    id: str
    type: str
    amount_micros: int
    currency: str
    fee_micros: int
    fee_currency: str
    created: Instant
    about: str = ""
    began_at: Instant | None = None
    payment_intent_id: str = ""
    customer_id: str = ""
    payment_id: str = ""
    tenant: Tenant | None = None
    account_id: str = ""

    @property
    def mark(self) -> Mark:
        """What it is."""
        return self.type, self.about


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptPayment:
    """A payment as it is here, with the entries that it names, where they are there."""

    payment: Payment
    entry: Entry | None = None
    undoing: Entry | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptDispute:
    """A dispute as it is here, with the entries that it names, where they are there."""

    tenant: Tenant
    dispute: Dispute
    frozen: Entry | None = None
    closed: Entry | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Books:
    """All that the ledger has of what is compared.

    `elsewhere` are lines of other days that bookings of this one belong to, with the payment that
    each of them names.
    """

    payments: Mapping[tuple[Tenant, str], KeptPayment]
    disputes: Mapping[str, KeptDispute] = field(default_factory=dict)
    elsewhere: Mapping[Mark, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Something that Stripe and the ledger, or two places in the ledger, say differently.

    `type` is that of the line, or `wallet`. `because` is what was found instead: our status, the
    other account, the other currency, or the word for what is wrong within the ledger.
    """

    kind: Kind
    type: str
    currency: str
    there_micros: int
    here_micros: int
    at: Instant
    because: str = ""
    org: str = ""
    account_id: str = ""
    payment_id: str = ""
    entry_id: str = ""
    line_id: str = ""
    stripe_id: str = ""
    is_healed: bool = False

    @property
    def amount_micros(self) -> int:
        """How much more there is at Stripe than here; less, below zero."""
        return self.there_micros - self.here_micros

    @property
    def place(self) -> tuple[str, ...]:
        """What tells it from every other difference of a run."""
        return self.type, self.line_id, self.entry_id, self.payment_id, self.account_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Total:
    """All lines of a type in a currency, and all that the ledger has for them.

    `here_micros` is None for what is between Stripe and the house. `in_flight_micros` is what of
    the difference is too young to be one.
    """

    currency: str
    type: str
    lines: int = 0
    there_micros: int = 0
    here_micros: int | None = 0
    fee_micros: int = 0
    in_flight_micros: int = 0

    @property
    def difference_micros(self) -> int:
        """How much more there is at Stripe than here; less, below zero."""
        return 0 if self.here_micros is None else self.there_micros - self.here_micros


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What a comparison found."""

    differences: tuple[Difference, ...]
    totals: tuple[Total, ...]
    in_flight: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What is kept of the reconciliation of one day of UTC in one mode.

    `day` is written `2026-11-21`. `counts` are all differences by kind, `differences` the first
    200 of them. `healed` were missing here and were booked by the run that found them. `runs` are
    the instants of the runs that booked something: what has that instant is not late.
    """

    mode: str
    day: str
    made_at: Instant
    lines: int = 0
    payments: int = 0
    in_flight: int = 0
    healed: int = 0
    counts: Mapping[str, int] = field(default_factory=dict)
    totals: tuple[Total, ...] = ()
    differences: tuple[Difference, ...] = ()
    runs: tuple[Instant, ...] = ()
    version: int = 0

    @property
    def count(self) -> int:
        """How many differences there are."""
        return sum(self.counts.values())

    @property
    def open_count(self) -> int:
        """How many of them wait for somebody."""
        return self.count - self.healed

    @property
    def is_final(self) -> bool:
        """Whether the day was over, and everything of it had come to rest."""
        return self.made_at >= ends_at(self.day) + LISTED_WITHIN


def report(
    before: Report | None,
    found: Findings,
    *,
    mode: str,
    day: str,
    lines: int,
    payments: int,
    now: Instant,
) -> Report:
    """The report of a run at `now`, in the place of the one that was made before of the day."""
    healed = sum(each.is_healed for each in found.differences)
    counts = {kind: sum(each.kind == kind for each in found.differences) for kind in KINDS}
    runs = before.runs if before else ()
    return Report(
        mode=mode,
        day=day,
        made_at=now,
        lines=lines,
        payments=payments,
        in_flight=found.in_flight,
        healed=healed,
        counts={kind: count for kind, count in counts.items() if count},
        totals=found.totals,
        differences=tuple(sorted(found.differences, key=_urgency)[:DIFFERENCES_KEPT]),
        runs=(*runs, now)[-_RUNS_KEPT:] if healed else runs,
        version=before.version + 1 if before else 1,
    )


def healed(first: Findings, second: Findings) -> Findings:
    """What a run found, once it has booked what was missing and has looked again."""
    left = {each.place for each in second.differences}
    gone = (each for each in first.differences if each.place not in left)
    mended = tuple(replace(each, is_healed=True) for each in gone)
    return replace(second, differences=(*second.differences, *mended))


def is_healable(difference: Difference) -> bool:
    """Whether asking Stripe about it once more may put it right."""
    at_stripe = difference.line_id and difference.stripe_id
    return bool(at_stripe) and difference.kind in ("missing_here", "status")


def starts_at(day: str) -> Instant:
    """The first instant of a day of UTC."""
    return datetime.combine(date.fromisoformat(day), datetime.min.time(), UTC)


def ends_at(day: str) -> Instant:
    """The first instant after a day of UTC."""
    return starts_at(day) + DAY


def days_back(now: Instant) -> list[str]:
    """The last days that can have come to rest by `now`, oldest first."""
    last = (now - LISTED_WITHIN).date() - timedelta(days=1)
    back = (timedelta(days=number) for number in reversed(range(DAYS_BACK)))
    return [(last - by).isoformat() for by in back]


def days_to_do(known: Mapping[str, Report], *, now: Instant) -> list[str]:
    """Which of `days_back` have no final report yet, though one was made of a day before.

    Where none was made at all it is the last day alone: before that nobody asked.
    """
    days = days_back(now)
    while len(days) > 1 and days[0] not in known:
        days.pop(0)
    return [day for day in days if day not in known or not known[day].is_final]


def _urgency(difference: Difference) -> tuple[bool, int, int, Iterable[str]]:
    """What stands in front: what is open, then by kind, then the larger amount."""
    return (
        difference.is_healed,
        KINDS.index(difference.kind),
        -abs(difference.amount_micros),
        difference.place,
    )
