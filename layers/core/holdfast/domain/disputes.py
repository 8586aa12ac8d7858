"""Disputes: a payment that the owner of the card takes back through their bank.

    open -> dropped    an inquiry that came to nothing, or a dispute that was headed off
         -> lost       the bank keeps the money; an appeal changes nothing until it is decided
         -> won        the money stays, or comes back after it was lost

Sightings of a dispute come late, twice and in any order. A stage is only ever left for one further
down, whichever was seen first, so each is entered once at most, and the wallet ends up the same in
every order. What is owed is what the payment brought into the wallet, and no more than that.

While a dispute is open, as much of what is owed as is there in plain cash is frozen: it counts as
held. If it is lost, what was frozen is taken, and what was spent becomes a debt in plain cash,
which the next money that comes in pays first. `docs/decisions/0014-disputes.md` has the reasons.

News of it can be lost, and then its money would stay frozen. So an open one is due a day after it
was last looked at, whoever looked.
"""

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Literal

from holdfast.domain import entries
from holdfast.domain.book import Book
from holdfast.domain.clock import Instant
from holdfast.domain.entries import Entry, Json
from holdfast.domain.ledger import Answered, Change, Decision, Move, Wallet
from holdfast.domain.lots import CASH, Draw
from holdfast.domain.money import minor_floor
from holdfast.domain.once import Once
from holdfast.domain.payment_entries import STRIPE
from holdfast.domain.payments import Payment

type Stage = Literal["open", "dropped", "lost", "won"]

OPEN: Stage = "open"
DROPPED: Stage = "dropped"
LOST: Stage = "lost"
WON: Stage = "won"

LOOK_AGAIN_AFTER = timedelta(days=1)

_ORDER: tuple[Stage, ...] = (OPEN, DROPPED, LOST, WON)
_ENTRY_TYPES: dict[Stage, str] = {
    OPEN: entries.DISPUTE_OPENED,
    DROPPED: entries.DISPUTE_WON,
    LOST: entries.DISPUTE_LOST,
    WON: entries.DISPUTE_WON,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """What Stripe said of a dispute at `at`, in the words that it has for the state of it."""

    id: str
    status: str
    at: Instant
    amount_micros: int
    currency: str
    reason: str
    charge_id: str
    opened_at: Instant
    evidence_due_at: Instant | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispute:
    """A dispute, and what it did to the wallet.

    `amount_micros` is what is disputed, in the currency of the wallet, `owed_micros` what of it
    came into the wallet: nothing of a purchase. `frozen_micros` is held as long as it is open,
    `taken_micros` is gone since it was lost. `frozen_by` and `closed_by` are the entries that did
    that; `closed_by` is the last one. `due_at` is when it is to be looked at again, as long as it
    is open.
    """

    id: str
    account_id: str
    payment_id: str
    payment_intent_id: str
    charge_id: str
    amount_micros: int
    currency: str
    owed_micros: int
    status: str
    reason: str
    opened_at: Instant
    observed_at: Instant
    evidence_due_at: Instant | None = None
    closed_at: Instant | None = None
    frozen_micros: int = 0
    taken_micros: int = 0
    frozen_by: str = ""
    closed_by: str = ""
    due_at: Instant | None = None
    version: int = 0

    @property
    def stage(self) -> Stage:
        """How far it has come."""
        return stage_of(self.status)


def stage_of(status: str) -> Stage:
    """How far a dispute has come that is in this state at Stripe.

    A state that we do not know is taken for an open one: nothing is given or taken by mistake.
    """
    match status:
        case "warning_closed" | "prevented":
            return DROPPED
        case "lost" | "appeal_needs_response" | "appeal_under_review":
            return LOST
        case "won":
            return WON
    return OPEN


def is_further(seen: Sighting, known: Dispute | None) -> bool:
    """Whether a dispute has come further than we know: then the wallet is told."""
    if known is None:
        return True
    return _ORDER.index(stage_of(seen.status)) > _ORDER.index(known.stage)


def noted(known: Dispute, seen: Sighting) -> Dispute:
    """The dispute with newer news of the stage that it is in; the same one, if these are none."""
    if stage_of(seen.status) != known.stage:
        return known
    if (seen.at, seen.status) <= (known.observed_at, known.status):
        return known
    return _as_seen(known, seen)


def is_due(dispute: Dispute, now: Instant) -> bool:
    """Whether it is open, and nobody has looked at it for a day."""
    return dispute.due_at is not None and dispute.due_at <= now


def put_off(dispute: Dispute, now: Instant) -> Dispute:
    """A due dispute of which Stripe has nothing to say; it is asked again in a day."""
    assert is_due(dispute, now)
    return replace(dispute, due_at=now + LOOK_AGAIN_AFTER, version=dispute.version + 1)


def take_in(
    wallet: Wallet,
    known: Dispute | None,
    once: Once,
    *,
    seen: Sighting,
    payment: Payment,
    paid: Entry,
) -> Decision:
    """The stage that a dispute has come to, as it is for the wallet; nothing, if that is known.

    `paid` is the entry by which the payment's money came. It is in the wallet before anything of it
    can be disputed there.
    """
    if known is not None and not is_further(seen, known):
        return Answered(known.closed_by or known.frozen_by)
    assert paid.id == payment.entry_id
    came_in_micros = max(0, paid.postings.get(entries.WALLET, 0))
    # Banks count in the currency of the card. What that is in ours nobody says: then it is all.
    in_ours = seen.currency == paid.currency
    amount_micros = seen.amount_micros if in_ours else came_in_micros
    before = known or _unknown(payment, paid.currency, seen)
    found = replace(
        _as_seen(before, seen),
        amount_micros=amount_micros,
        owed_micros=min(amount_micros, came_in_micros),
    )
    book = Book(once, wallet, is_done=True)
    stage = found.stage
    moves, draws, after = _told(stage, book.wallet, found)
    entry = book.post(
        _ENTRY_TYPES[stage],
        *moves,
        amount_micros=sum(draw.amount_micros for draw in draws),
        draws=draws,
        reference=payment.id,
        source=STRIPE,
        details=_details(found),
    )
    if stage == OPEN:
        after = replace(after, frozen_by=entry.id)
    else:
        after = replace(after, closed_by=entry.id, closed_at=once.now)
    return book.close(Change(known, after))


def _told(
    stage: Stage, wallet: Wallet, found: Dispute
) -> tuple[tuple[Move, ...], tuple[Draw, ...], Dispute]:
    """What a stage moves, what the entry says that it moved, and what the dispute has of it."""
    frozen_micros, taken_micros = found.frozen_micros, found.taken_micros
    if stage == OPEN:
        frozen = _cash(max(0, min(found.owed_micros, wallet.cash_micros)))
        after = replace(found, frozen_micros=sum(draw.amount_micros for draw in frozen))
        return (Move(frozen, available=-1, held=+1),), frozen, after
    free_again = Move(_cash(frozen_micros), held=-1, available=+1)
    if stage == LOST:
        owed = _cash(found.owed_micros)
        after = replace(found, frozen_micros=0, taken_micros=found.owed_micros)
        return (free_again, Move(owed, available=-1, contra=entries.DISPUTES)), owed, after
    given_back = Move(_cash(taken_micros), available=+1, contra=entries.DISPUTES)
    after = replace(found, frozen_micros=0, taken_micros=0)
    return (free_again, given_back), _cash(frozen_micros + taken_micros), after


def _cash(micros: int) -> tuple[Draw, ...]:
    return (Draw(CASH, micros),) if micros else ()


def _unknown(payment: Payment, currency: str, seen: Sighting) -> Dispute:
    return Dispute(
        id=seen.id,
        account_id=payment.account_id,
        payment_id=payment.id,
        payment_intent_id=payment.payment_intent_id,
        charge_id=seen.charge_id,
        amount_micros=0,
        currency=currency,
        owed_micros=0,
        status=seen.status,
        reason=seen.reason,
        opened_at=seen.opened_at,
        observed_at=seen.at,
    )


def _as_seen(known: Dispute, seen: Sighting) -> Dispute:
    return replace(
        known,
        status=seen.status,
        reason=seen.reason,
        evidence_due_at=seen.evidence_due_at,
        observed_at=seen.at,
        due_at=seen.at + LOOK_AGAIN_AFTER if stage_of(seen.status) == OPEN else None,
        version=known.version + 1,
    )


def _details(found: Dispute) -> dict[str, Json]:
    """What an entry tells of the dispute. `disputed` is in minor units of the wallet's currency."""
    return {
        "dispute_id": found.id,
        "payment_id": found.payment_id,
        "payment_intent_id": found.payment_intent_id,
        "status": found.status,
        "reason": found.reason,
        "disputed": minor_floor(found.amount_micros, found.currency),
    }
