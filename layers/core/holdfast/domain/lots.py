"""Lots: money in a wallet that has an expiry, a priority or a purpose; and the order of drawing.

Plain paid-in cash is not a lot, but is drawn like one, under the id `cash`. The order is: credit
lots by priority (0 first), then earliest expiry, then oldest; then cash lots by expiry; then plain
cash. Money that was given is used up before money that was paid.

A lot that names meters pays for what they measure and for nothing else: it is no part of the
wallet's balance, which is what can be spent on anything.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from holdfast.domain.clock import Instant, rfc3339

CASH = "cash"
"""The lot id under which plain cash is drawn."""
CREDIT = "credit"
LOTS_MAX = 200
STARTER_TAG = "starter-credit"
"""The tag of the cash lot that a person is given once, to start with."""

_NEVER = "~"


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What stays true of a lot however much is left of it: enough to open it again."""

    kind: str
    granted_at: Instant
    expires_at: Instant | None = None
    priority: int = 0
    tag: str = ""
    meters: tuple[str, ...] = ()

    @property
    def was_given(self) -> bool:
        """Whether the house gave it, and nobody paid for it."""
        return self.kind == CREDIT or self.tag == STARTER_TAG

    @property
    def ended(self) -> "Terms":
        """The terms of a lot that was voided: over before it began, by everybody's clock."""
        return replace(self, expires_at=self.granted_at)

    def pays_for(self, meter: str | None) -> bool:
        """Whether the lot may be spent on what this meter measures; None for anything else."""
        return not self.meters or meter in self.meters

    def expired(self, now: Instant) -> bool:
        """Whether the lot can no longer be drawn. At `expires_at` itself it cannot."""
        return self.expires_at is not None and self.expires_at <= now


@dataclass(frozen=True, slots=True, kw_only=True)
class Lot:
    """Money under one set of terms: what can be drawn, and what open holds have pinned."""

    id: str
    terms: Terms
    remaining_micros: int
    held_micros: int = 0


@dataclass(frozen=True, slots=True)
class Draw:
    """An amount taken from one lot, or from plain cash (`lot_id` is `cash`, no terms)."""

    lot_id: str
    amount_micros: int
    terms: Terms | None = None

    @property
    def kind(self) -> str:
        """`cash` or `credit`."""
        return CASH if self.terms is None else self.terms.kind

    def of(self, amount_micros: int) -> "Draw":
        """The same source, with another amount."""
        return replace(self, amount_micros=amount_micros)


def draw_order(lot_id: str, terms: Terms | None) -> tuple[int, int, str, str, str]:
    """The sort key of drawing: what sorts first is used up first."""
    if terms is None:
        return (2, 0, "", "", "")
    expiry = _NEVER if terms.expires_at is None else rfc3339(terms.expires_at)
    rank = 0 if terms.kind == CREDIT else 1
    priority = terms.priority if terms.kind == CREDIT else 0
    return (rank, priority, expiry, rfc3339(terms.granted_at), lot_id)


def usable(lots: Iterable[Lot], now: Instant, meter: str | None = None) -> list[Lot]:
    """The lots that can be drawn at `now` for a meter, or for anything, in the order of drawing."""
    open_lots = (
        lot
        for lot in lots
        if lot.remaining_micros > 0 and not lot.terms.expired(now) and lot.terms.pays_for(meter)
    )
    return sorted(open_lots, key=lambda lot: draw_order(lot.id, lot.terms))


def total(draws: Iterable[Draw]) -> int:
    """What the draws add up to, in micros."""
    return sum(draw.amount_micros for draw in draws)


def first(draws: Iterable[Draw], amount_micros: int) -> tuple[Draw, ...]:
    """The draws that make up the first `amount_micros`, in their order; the last one is cut.

    >>> first([Draw("a", 3), Draw("b", 4)], 5)
    (Draw(lot_id='a', amount_micros=3, terms=None), Draw(lot_id='b', amount_micros=2, terms=None))
    """
    assert amount_micros >= 0
    taken: list[Draw] = []
    for draw in draws:
        part = min(draw.amount_micros, amount_micros)
        if part > 0:
            taken.append(draw.of(part))
            amount_micros -= part
    assert amount_micros == 0, "asked for more than the draws add up to"
    return tuple(taken)


def after(draws: Iterable[Draw], amount_micros: int) -> tuple[Draw, ...]:
    """What is left of the draws once their first `amount_micros` are gone."""
    assert amount_micros >= 0
    left: list[Draw] = []
    for draw in draws:
        gone = min(draw.amount_micros, amount_micros)
        amount_micros -= gone
        if draw.amount_micros > gone:
            left.append(draw.of(draw.amount_micros - gone))
    assert amount_micros == 0, "asked for more than the draws add up to"
    return tuple(left)


def merged(draws: Iterable[Draw]) -> tuple[Draw, ...]:
    """One draw a lot, in the order of drawing."""
    by_lot: dict[str, Draw] = {}
    for draw in draws:
        earlier = by_lot.get(draw.lot_id)
        amount_micros = draw.amount_micros + (earlier.amount_micros if earlier else 0)
        by_lot[draw.lot_id] = draw.of(amount_micros)
    return tuple(sorted(by_lot.values(), key=lambda draw: draw_order(draw.lot_id, draw.terms)))
