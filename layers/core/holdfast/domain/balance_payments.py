"""Payments that the wallet makes itself: the same records as payments by card, without Stripe.

Captured by hand, a payment is a hold: setting aside, taking part of it and giving the rest back are
the rules of holds, and the payment follows.
"""

from dataclasses import replace

from holdfast.domain import entries
from holdfast.domain import holds as hold_rules
from holdfast.domain.book import Book
from holdfast.domain.budgets import Budgets, merged
from holdfast.domain.clock import Instant
from holdfast.domain.holds import CAPTURED, OPEN, Hold
from holdfast.domain.ledger import Change, Decision, Journal, Move, Wallet, draw
from holdfast.domain.once import Once
from holdfast.domain.payment_entries import details_of
from holdfast.domain.payment_states import attempted
from holdfast.domain.payments import (
    BALANCE,
    CANCELED,
    REQUIRES_CAPTURE,
    SUCCEEDED,
    Payment,
)
from holdfast.domain.wallet import require_amount
from holdfast.errors import PaymentState


def pay(wallet: Wallet, payment: Payment, once: Once, budgets: Budgets = ()) -> Journal:
    """The wallet pays at once: credit first, then cash, as for any charge.

    Raises:
        PaymentState: It is paid, was given up, or is being paid by card.
        BudgetExceeded: It would pass the cap of the caller's key.
        InsufficientFunds: The wallet has less.
        AmountTooLarge: The amount is out of bounds.
    """
    tried = attempted(payment, BALANCE, now=once.now)
    require_amount(payment.amount_micros, wallet.currency)
    book = Book(once, wallet, budgets)
    book.allow(spent_delta=payment.amount_micros)
    draws = draw(book.wallet, payment.amount_micros, once.now)
    entry = book.post(
        entries.PURCHASE,
        Move(draws, available=-1, contra=entries.REVENUE),
        amount_micros=payment.amount_micros,
        draws=draws,
        reference=payment.id,
        details=details_of(tried),
    )
    return book.close(Change(payment, _paid(tried, payment.amount_micros, entry.id)))


def hold_for(payment: Payment, once: Once, expires_at: Instant) -> Hold:
    """The hold of a payment that is captured by hand."""
    return Hold(
        id=hold_rules.new_id(once, payment.currency),
        account_id=payment.account_id,
        currency=payment.currency,
        amount_micros=payment.amount_micros,
        draws=(),
        expires_at=expires_at,
        created_at=once.now,
        reference=payment.id,
        scopes=merged(once.caps),
    )


def set_aside(
    wallet: Wallet, payment: Payment, hold: Hold, once: Once, budgets: Budgets = ()
) -> Journal:
    """The wallet sets the amount aside, to be captured until the hold is over.

    Raises:
        As `pay`.
    """
    tried = attempted(payment, BALANCE, now=once.now)
    journal = hold_rules.place_hold(wallet, hold, once, budgets)
    after = replace(
        tried,
        status=REQUIRES_CAPTURE,
        observed_at=once.now,
        hold_id=hold.id,
        due_at=hold.expires_at,
    )
    return journal.beside(Change(payment, after))


def capture(
    wallet: Wallet,
    payment: Payment,
    hold: Hold,
    once: Once,
    budgets: Budgets = (),
    *,
    amount_micros: int,
) -> Journal:
    """So much of what was set aside is taken, and the rest goes back.

    Raises:
        PaymentState: Nothing is set aside.
        HoldClosed, HoldExpired, HoldExceeded: As `capture_hold`.
    """
    if payment.status != REQUIRES_CAPTURE:
        raise PaymentState(status=payment.status)
    journal = hold_rules.capture_hold(
        wallet, hold, once, budgets, amount_micros=amount_micros, final=True
    )
    after = _paid(_next(payment, once.now), amount_micros, once.entry_id)
    return journal.beside(Change(payment, after))


def release(
    wallet: Wallet, payment: Payment, hold: Hold, once: Once, budgets: Budgets = ()
) -> Decision:
    """What was set aside goes back, and the payment is canceled.

    Raises:
        PaymentState: Nothing is set aside.
        HoldClosed: It was captured.
    """
    if payment.status != REQUIRES_CAPTURE:
        raise PaymentState(status=payment.status)
    decision = hold_rules.release_hold(wallet, hold, once, budgets)
    if not isinstance(decision, Journal):
        return decision
    return decision.beside(Change(payment, canceled(payment, now=once.now)))


def canceled(payment: Payment, *, now: Instant) -> Payment:
    """The payment, given up before anything was paid.

    Raises:
        PaymentState: It is paid.
    """
    if payment.status == SUCCEEDED:
        raise PaymentState(status=payment.status)
    return replace(_next(payment, now), status=CANCELED, observed_at=None, due_at=None)


def followed(payment: Payment, hold: Hold, *, now: Instant) -> Payment:
    """The payment as its hold has ended without it; the same one, if it has not.

    A hold that somebody extended is looked at again when it is over.
    """
    if payment.status != REQUIRES_CAPTURE:
        return payment
    if hold.status == OPEN:
        is_same = payment.due_at == hold.expires_at
        return payment if is_same else replace(_next(payment, now), due_at=hold.expires_at)
    if hold.status != CAPTURED and not hold.captured_micros:
        return canceled(payment, now=now)
    assert hold.closed_by is not None
    return _paid(_next(payment, now), hold.captured_micros, hold.closed_by)


def _paid(payment: Payment, received_micros: int, entry_id: str) -> Payment:
    return replace(
        payment,
        status=SUCCEEDED,
        observed_at=None,
        received_micros=received_micros,
        received_currency=payment.currency,
        entry_id=entry_id,
        due_at=None,
    )


def _next(payment: Payment, now: Instant) -> Payment:
    return replace(payment, updated_at=now, version=payment.version + 1)
