"""What the ledger has booked of what happened at Stripe, as it is held against Stripe's lines."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from holdfast.domain.clock import Instant
from holdfast.domain.disputes import DROPPED, LOST, WON
from holdfast.domain.entries import DISPUTES, STRIPE_CLEARING, Entry
from holdfast.domain.payments import REFUND, SUCCEEDED, Payment
from holdfast.domain.reconciliation import (
    CHARGE,
    DISPUTE,
    DISPUTE_REVERSAL,
    REFUND_FAILURE,
    REFUND_LINE,
    Books,
    KeptDispute,
    KeptPayment,
    Kind,
    Mark,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Booking:
    """What the ledger has of one movement at Stripe. Signed as a line is.

    `wrong` is what is wrong with it by itself, and the word for it. `pair` is the mark of what took
    it back: without either of their lines there was nothing at all.
    """

    mark: Mark
    owner: Payment
    here_micros: int
    currency: str
    at: Instant
    entry_account_id: str
    entry_id: str = ""
    wrong: tuple[Kind, str] | None = None
    pair: Mark | None = None

    @property
    def named(self) -> str:
        """The payment that its line has to name; nothing, where that does not matter."""
        return self.owner.id if self.mark[0] == CHARGE else ""


def bookings(books: Books) -> Iterator[Booking]:
    """Everything that the ledger has booked of these payments and disputes."""
    for kept in books.payments.values():
        yield from _of_payment(kept)
    for dispute in books.disputes.values():
        payment = books.payments[dispute.tenant, dispute.dispute.payment_id].payment
        yield from _of_dispute(dispute, payment)


def _of_payment(kept: KeptPayment) -> Iterator[Booking]:
    payment = kept.payment
    if payment.is_by_balance or not payment.entry_id:
        return
    if payment.kind != REFUND:
        came = _booking(
            (CHARGE, payment.payment_intent_id),
            payment,
            kept.entry,
            micros=payment.received_micros,
            currency=payment.received_currency,
        )
        is_paid = payment.status == SUCCEEDED
        yield came if is_paid else replace(came, wrong=("status", payment.status))
        return
    if not payment.refund_id:
        return
    micros, currency = payment.amount_micros, payment.currency
    back, failure = (REFUND_LINE, payment.refund_id), (REFUND_FAILURE, payment.refund_id)
    taken = _booking(back, payment, kept.entry, micros=-micros, currency=currency)
    if not payment.undone_by:
        yield taken
        return
    undone = _booking(failure, payment, kept.undoing, micros=micros, currency=currency)
    yield replace(taken, pair=failure)
    yield replace(undone, pair=back)


def _booking(
    mark: Mark, payment: Payment, entry: Entry | None, *, micros: int, currency: str
) -> Booking:
    """What an entry has booked for a payment, which says that it has to be so much."""
    if entry is None:
        return Booking(
            mark=mark,
            owner=payment,
            here_micros=0,
            currency=currency,
            at=payment.settled_at or payment.updated_at,
            entry_account_id=payment.account_id,
            wrong=("ledger", "entry_missing"),
        )
    here_micros = -entry.postings.get(STRIPE_CLEARING, 0)
    wrong: tuple[Kind, str] | None = None
    if entry.details.get("payment_id") != payment.id:
        wrong = ("ledger", "reference")
    elif entry.currency != currency:
        wrong = ("ledger", "currency")
    elif here_micros != micros:
        wrong = ("ledger", "amount")
    return Booking(
        mark=mark,
        owner=payment,
        here_micros=here_micros,
        currency=entry.currency,
        at=entry.created_at,
        entry_id=entry.id,
        entry_account_id=entry.account_id,
        wrong=wrong,
    )


def _of_dispute(kept: KeptDispute, payment: Payment) -> Iterator[Booking]:
    dispute = kept.dispute
    if dispute.stage == DROPPED:
        return
    entry_id, entry = dispute.frozen_by, kept.frozen
    if not entry_id or dispute.stage == LOST:
        entry_id, entry = dispute.closed_by, kept.closed
    first = kept.frozen or entry
    taken_micros = entry.postings.get(DISPUTES, 0) if entry else 0
    wrong: tuple[Kind, str] | None = None
    if entry is None:
        wrong = ("ledger", "entry_missing")
    elif dispute.stage == LOST and taken_micros != dispute.taken_micros:
        wrong = ("ledger", "amount")
    taken = Booking(
        mark=(DISPUTE, dispute.id),
        owner=payment,
        here_micros=-dispute.amount_micros,
        currency=dispute.currency,
        at=first.created_at if first else dispute.observed_at,
        entry_id=entry_id,
        entry_account_id=dispute.account_id,
        wrong=wrong,
    )
    if dispute.stage != WON:
        yield taken
        return
    back = (DISPUTE_REVERSAL, dispute.id)
    yield replace(taken, pair=back)
    yield replace(
        taken,
        mark=back,
        here_micros=dispute.amount_micros,
        at=dispute.closed_at or dispute.observed_at,
        entry_id=dispute.closed_by,
        wrong=None if kept.closed else ("ledger", "entry_missing"),
        pair=taken.mark,
    )
