"""Taking in what Stripe says of a payment: the one place where its money reaches the wallet.

Answers, polls, pages, events and sweeps all come here, at once, late or twice. Two that meet read
the same record and write under its version; the entry is named after Stripe's own id of the money.
"""

from dataclasses import dataclass
from typing import Any

from holdfast.domain import coupons
from holdfast.domain import payment_entries as entries_of_payments
from holdfast.domain import payment_states as states
from holdfast.domain.accounts import Tenant
from holdfast.domain.budgets import Budgets
from holdfast.domain.clock import Instant
from holdfast.domain.entries import Entry
from holdfast.domain.ledger import Answered, Change, Decision, Wallet
from holdfast.domain.payments import Observation, Payment
from holdfast.errors import Contention
from holdfast.services.accounts import system_once
from holdfast.services.changes import change
from holdfast.services.refs import Owner, coupon_of, payment_of, redemption_of
from holdfast.store.ledger_store import LedgerStore, Ref

ATTEMPTS_MAX = 6


@dataclass(frozen=True, slots=True)
class Taken:
    """A payment as it is by now, and the entry of its money, once there is one.

    `is_new` says that this very call put it into the ledger.
    """

    payment: Payment
    entry: Entry | None
    is_new: bool = False


def take_in(
    store: LedgerStore, tenant: Tenant, payment_id: str, seen: Observation, *, now: Instant
) -> Taken:
    """The payment with what Stripe said of it, and its money in the ledger if it has come.

    Raises:
        PaymentNotFound: There is none.
        Contention: Others wrote it all the while. What Stripe said can be said again.
    """
    for _ in range(ATTEMPTS_MAX):
        payment: Payment = store.read(payment_of(tenant, payment_id))
        after = states.observed(payment, seen, now=now)
        if after.to_credit:
            return _credited(store, payment, after, seen, now=now)
        if after.to_undo:
            return _undone(store, payment, seen, now=now)
        if after is payment or keep(store, payment, after, now=now):
            return Taken(after, _entry(store, after))
    raise Contention()


def keep(store: LedgerStore, before: Payment, after: Payment, *, now: Instant) -> bool:
    """Write what became of a payment, and of its coupon with it. False: somebody was faster."""
    changes = [Change(before, after)]
    if after.coupon_code:
        coupon, redemption = store.read_all(_coupon_of(after))
        changes += coupons.concluded(coupon, redemption, after, now=now)[0]
    return store.settle(after.tenant, (), *changes)


def as_is(store: LedgerStore, payment: Payment) -> Taken:
    """The payment as it is known here."""
    return Taken(payment, _entry(store, payment))


def _credited(
    store: LedgerStore, payment: Payment, after: Payment, seen: Observation, *, now: Instant
) -> Taken:
    once = system_once(payment.tenant, f"stripe {after.payment_intent_id}", now)
    owner = Owner(payment.tenant, payment.account_id)
    is_ours = False

    def decide(wallet: Wallet, budgets: Budgets, payment: Payment, *coupon: Any) -> Decision:
        nonlocal is_ours
        after = states.observed(payment, seen, now=now)
        is_ours = after.to_credit
        if not is_ours:
            return Answered(after.entry_id)
        changes, bonus_micros = _bonus(wallet, after, *coupon, now=now)
        journal = entries_of_payments.receive(
            wallet, payment, after, once, bonus_micros=bonus_micros
        )
        return journal.beside(*changes)

    refs = [payment_of(payment.tenant, payment.id), *_coupon_of(after)]
    currency = after.received_currency
    done = change(store, owner, currency, decide, *refs, once=once, is_done=True)
    now_known = store.read(payment_of(payment.tenant, payment.id))
    return Taken(now_known, done.entry, is_new=is_ours and not done.replayed)


def _coupon_of(payment: Payment) -> list[Ref]:
    """The coupon that a payment began with, and what its account has used of it; if it did."""
    if not payment.coupon_code:
        return []
    owner = Owner(payment.tenant, payment.account_id)
    return [
        coupon_of(payment.tenant, payment.coupon_code),
        redemption_of(owner, payment.coupon_code),
    ]


def _bonus(
    wallet: Wallet, payment: Payment, *coupon: Any, now: Instant
) -> tuple[tuple[Change, ...], int]:
    """What becomes of the coupon, and the bonus that comes with the money: only where it fits."""
    has_place = wallet.places_left > 0 and payment.received_currency == payment.currency
    if not coupon:
        return (), payment.bonus_micros if has_place else 0
    known, redemption = coupon
    return coupons.concluded(known, redemption, payment, now=now, has_place=has_place)


def _undone(store: LedgerStore, refund: Payment, seen: Observation, *, now: Instant) -> Taken:
    once = system_once(refund.tenant, f"undo {refund.id}", now)
    owner = Owner(refund.tenant, refund.account_id)
    taken = store.entry(refund.tenant, refund.entry_id)

    def decide(
        wallet: Wallet, budgets: Budgets, refund: Payment, paid: Payment, *more: Any
    ) -> Decision:
        after = states.observed(refund, seen, now=now)
        if not after.to_undo:
            return Answered(after.undone_by)
        return entries_of_payments.give_back(wallet, paid, refund, after, once, taken=taken)

    refs = [payment_of(refund.tenant, refund.id), payment_of(refund.tenant, refund.refund_of)]
    change(store, owner, refund.currency, decide, *refs, once=once)
    return Taken(store.read(payment_of(refund.tenant, refund.id)), taken)


def _entry(store: LedgerStore, payment: Payment) -> Entry | None:
    return store.entry(payment.tenant, payment.entry_id) if payment.entry_id else None
