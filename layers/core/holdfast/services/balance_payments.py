"""Payments that the wallet itself makes: at once, or as a hold that is captured by hand."""

from datetime import timedelta

from holdfast.domain import balance_payments as rules
from holdfast.domain.budgets import Budgets
from holdfast.domain.clock import Instant
from holdfast.domain.holds import OPEN, Hold
from holdfast.domain.ledger import Change, Decision, Wallet
from holdfast.domain.once import Once
from holdfast.domain.payments import FAILED, Payment
from holdfast.errors import PaymentState
from holdfast.services import expiry
from holdfast.services.changes import change
from holdfast.services.refs import Owner, hold_of, payment_of
from holdfast.store.ledger_store import Committed, LedgerStore, Ref

CAPTURE_WITHIN = timedelta(days=7)
"""How long money is set aside for a payment that is captured by hand: as long as banks do it."""


def pay(store: LedgerStore, payment: Payment, *, once: Once) -> Committed:
    """Pay from the wallet, or set the amount aside to be captured.

    `payment` is as it was when the caller saw to it that no card pays it any more.

    Raises:
        InsufficientFunds: The wallet has less.
        BudgetExceeded: It would pass the cap of the caller's key.
        PaymentState: It is paid, was given up, or is being paid by card.
    """
    hold = rules.hold_for(payment, once, once.now + CAPTURE_WITHIN)

    def decide(wallet: Wallet, budgets: Budgets, now: Payment) -> Decision:
        was_tried = payment.attempts > 0 and payment.status != FAILED
        if was_tried or now.attempts != payment.attempts:
            # A card is on its way, whatever became of the last one.
            raise PaymentState(status=now.status)
        if now.captures_by_hand:
            return rules.set_aside(wallet, now, hold, once, budgets)
        return rules.pay(wallet, now, once, budgets)

    ref = payment_of(payment.tenant, payment.id)
    return change(store, _owner(payment), payment.currency, decide, ref, once=once)


def capture(
    store: LedgerStore, payment: Payment, *, amount_micros: int | None, once: Once
) -> Committed:
    """Take what was set aside, or part of it; the rest goes back to where it came from.

    Raises:
        HoldExceeded: More than was set aside.
        HoldClosed, HoldExpired: Nothing is set aside any more.
        PaymentState: Nothing ever was.
    """

    def decide(wallet: Wallet, budgets: Budgets, payment: Payment, hold: Hold) -> Decision:
        taken = payment.amount_micros if amount_micros is None else amount_micros
        return rules.capture(wallet, payment, hold, once, budgets, amount_micros=taken)

    return change(store, _owner(payment), payment.currency, decide, *_refs(payment), once=once)


def release(store: LedgerStore, payment: Payment, *, once: Once) -> None:
    """Give back what was set aside: the payment is canceled.

    Raises:
        HoldClosed: It was captured.
        PaymentState: It was paid.
    """

    def decide(wallet: Wallet, budgets: Budgets, payment: Payment, hold: Hold) -> Decision:
        return rules.release(wallet, payment, hold, once, budgets)

    change(store, _owner(payment), payment.currency, decide, *_refs(payment), once=once)
    follow(store, payment, now=once.now)


def follow(store: LedgerStore, payment: Payment, *, now: Instant) -> None:
    """Let the payment be as its hold has become, by time or by somebody who closed it."""
    payment_ref, hold_ref = _refs(payment)
    known, hold = store.read_all([payment_ref, hold_ref])
    if hold.status == OPEN and hold.due(now):
        expiry.sweep(store, _owner(payment), payment.currency, now=now)
        hold = store.read(hold_ref)
    after = rules.followed(known, hold, now=now)
    if after is not known:
        store.settle(payment.tenant, (), Change(known, after))


def _owner(payment: Payment) -> Owner:
    return Owner(payment.tenant, payment.account_id)


def _refs(payment: Payment) -> list[Ref]:
    owner = _owner(payment)
    return [payment_of(payment.tenant, payment.id), hold_of(owner, payment.hold_id)]
