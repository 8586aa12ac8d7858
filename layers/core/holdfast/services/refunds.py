"""Use cases of refunds: back to the card by Stripe, or back to the lots of the wallet that paid.

What goes back to a card leaves the wallet first, in the transaction that begins the refund.
"""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import takewhile
from typing import Any

from holdfast.domain import payment_entries as entries_of_payments
from holdfast.domain import payments as rules
from holdfast.domain.accounts import Tenant
from holdfast.domain.budgets import Budgets
from holdfast.domain.clock import Instant
from holdfast.domain.entries import Json
from holdfast.domain.ledger import Change, Decision, Wallet
from holdfast.domain.once import Once
from holdfast.domain.payment_states import refunded
from holdfast.domain.payments import FAILED, REFUND, SUCCEEDED, Payment
from holdfast.errors import (
    PaymentNotFound,
    PaymentState,
    RefundExceeded,
    RefundRefused,
    Refusal,
    StripeUnavailable,
)
from holdfast.gateways.stripe import Refund
from holdfast.gateways.stripe.amounts import to_stripe
from holdfast.gateways.stripe.observations import of_refund
from holdfast.services import payments, refund_outcomes, taking_in
from holdfast.services import wallet as wallets
from holdfast.services.accounts import system_once
from holdfast.services.cards import Stripes
from holdfast.services.changes import Reserve, change
from holdfast.services.refs import Owner, payment_of
from holdfast.store import pages
from holdfast.store.ledger_store import LedgerStore


@dataclass(frozen=True, slots=True)
class Refunded:
    """A payment, and a refund of it; `replayed` says that the refund was asked for before."""

    payment: Payment
    refund: Payment
    replayed: bool


def refund(
    store: LedgerStore,
    stripes: Stripes,
    tenant: Tenant,
    payment_id: str,
    *,
    amount_micros: int | None = None,
    details: Mapping[str, Json] | None = None,
    once: Once,
) -> Refunded:
    """Give a payment back, or so much of it: to its card, or to the wallet that paid.

    A refund that Stripe does not answer for is `pending`: its money is set aside and a sweeper goes
    on with it. One that Stripe refuses is undone.

    Raises:
        PaymentNotFound: There is none.
        PaymentState: It is not paid.
        RefundExceeded: Less than that is left of it, or of the cash in the wallet.
        InvalidField: An amount finer than what cards are charged in this currency.
        RefundRefused: Stripe does not refund it. Nothing is taken.
    """
    if earlier := _earlier(store, stripes, once):
        return earlier
    paid = payments.payment(store, tenant, payment_id)
    try:
        begun = _begun(paid, amount_micros, details, once)
    except Refusal:
        # The same request may have been done by another delivery since.
        if earlier := _earlier(store, stripes, once):
            return earlier
        raise
    if paid.is_by_balance:
        return _to_wallet(store, paid, begun, once=once)
    owner = Owner(tenant, paid.account_id)

    def decide(wallet: Wallet, budgets: Budgets, paid: Payment) -> Decision:
        asked = _begun(paid, amount_micros, details, once)
        return entries_of_payments.take_back(wallet, paid, asked, once, budgets)

    ref = payment_of(tenant, payment_id)
    done = change(store, owner, begun.currency, decide, ref, once=once)
    kept = payments.payment(store, tenant, str(done.entry.details["refund_id"]))
    return _finished(store, stripes, kept, replayed=done.replayed, now=once.now)


def named(
    store: LedgerStore, stripes: Stripes, tenant: Tenant, payment_id: str, *, now: Instant
) -> Payment:
    """The payment of an id of ours, or of Stripe's payment intent.

    Raises:
        PaymentNotFound: There is none in this org.
        StripeUnavailable: Stripe has to be asked, and does not answer.
    """
    if not payment_id.startswith("pi_"):
        return payments.payment(store, tenant, payment_id)
    found = payments.fulfil(store, stripes, tenant.mode, payment_id, now=now)
    if found is None or found.tenant != tenant:
        raise PaymentNotFound()
    return found


def known(store: LedgerStore, tenant: Tenant, refund_id: str) -> Payment:
    """A refund of the org.

    Raises:
        PaymentNotFound: There is none.
    """
    return payments.payment(store, tenant, refund_id, REFUND)


def listed(
    store: LedgerStore,
    tenant: Tenant,
    account_id: str,
    *,
    of: Payment | None,
    before: str | None,
    limit: int,
) -> tuple[list[Payment], str | None]:
    """Refunds of an account or of one payment, newest first, and where the next page starts."""
    found: Iterator[Payment] = pages.payments(store, tenant, account_id, REFUND, before=before)
    if of is not None:
        # None is older than what it gives back, but clocks differ, and Stripe's has no fractions.
        first_at = of.created_at - wallets.SKEW_MAX
        since = takewhile(lambda each: each.created_at >= first_at, found)
        found = (each for each in since if each.refund_of == of.id)
    shown, last = pages.cut(found, limit)
    return shown, last.id if last else None


def take_in(
    store: LedgerStore, stripes: Stripes, mode: str, stripe_id: str, *, now: Instant
) -> list[Payment] | None:
    """The refunds of a refund's or a charge's id, as Stripe has them: also those made there.

    None for what is not ours.

    Raises:
        NotFound: Stripe has nothing of this id.
        StripeUnavailable: Nobody answers.
    """
    stripe = stripes(mode)
    if stripe_id.startswith("ch_"):
        found = stripe.refunds.of_charge(stripe_id)
    else:
        found = [stripe.refunds.retrieve(stripe_id)]
    taken = (_taken(store, stripes, mode, each, now=now) for each in found)
    return [payment for payment in taken if payment is not None] or None


def _taken(
    store: LedgerStore, stripes: Stripes, mode: str, seen: Refund, *, now: Instant
) -> Payment | None:
    known = payments.of_metadata(store, seen.metadata, mode)
    if known is None and seen.payment_intent_id and seen.balance_line_id:
        paid = payments.fulfil(store, stripes, mode, seen.payment_intent_id, now=now)
        if paid is not None and paid.entry_id:
            known = _made_there(store, paid, seen, now=now)
    if known is None:
        return None
    return taking_in.take_in(store, known.tenant, known.id, of_refund(seen, now), now=now).payment


def _made_there(store: LedgerStore, paid: Payment, seen: Refund, *, now: Instant) -> Payment:
    """The record of a refund that somebody made at Stripe: the money has left, whatever is left."""
    once = system_once(paid.tenant, f"stripe {seen.id}", now)
    made = rules.begin(
        # The same id at every delivery.
        replace(once, now=seen.created),
        kind=REFUND,
        account_id=paid.account_id,
        amount_micros=seen.amount_micros,
        currency=seen.currency,
        surface="stripe",
        refund_of=paid.id,
        refund_id=seen.id,
    )

    def decide(wallet: Wallet, budgets: Budgets, paid: Payment, *more: Any) -> Decision:
        return entries_of_payments.take_back(wallet, paid, made, once, is_done=True)

    owner = Owner(paid.tenant, paid.account_id)
    change(store, owner, seen.currency, decide, payment_of(paid.tenant, paid.id), once=once)
    return payments.payment(store, paid.tenant, made.id)


def _earlier(store: LedgerStore, stripes: Stripes, once: Once) -> Refunded | None:
    """What an earlier delivery of the request has begun."""
    done = store.replayed(once)
    if done is None:
        return None
    begun = payments.payment(store, once.tenant, str(done.entry.details["refund_id"]))
    return _finished(store, stripes, begun, replayed=True, now=once.now)


def _begun(
    paid: Payment, amount_micros: int | None, details: Mapping[str, Json] | None, once: Once
) -> Payment:
    if paid.status != SUCCEEDED or paid.kind == REFUND:
        raise PaymentState(status=paid.status)
    asked_micros = paid.refundable_micros if amount_micros is None else amount_micros
    if not 0 < asked_micros <= paid.refundable_micros:
        raise RefundExceeded(
            asked_micros=asked_micros or paid.amount_micros,
            refundable_micros=paid.refundable_micros,
            currency=paid.received_currency,
        )
    if not paid.is_by_balance:
        # Refused now or never: what is begun is sent until Stripe has it.
        to_stripe(asked_micros, paid.received_currency)
    return rules.begin(
        once,
        kind=REFUND,
        account_id=paid.account_id,
        amount_micros=asked_micros,
        currency=paid.received_currency,
        surface=paid.surface,
        refund_of=paid.id,
        payment_method_id=paid.payment_method_id,
        details=dict(details or {}),
    )


def _to_wallet(store: LedgerStore, paid: Payment, begun: Payment, *, once: Once) -> Refunded:
    """Given back by the wallet's own rule, in one transaction with both payments."""

    def decide(paid: Payment) -> tuple[Change, ...]:
        asked = _begun(paid, begun.amount_micros, begun.details, once)
        done = replace(
            asked,
            status=SUCCEEDED,
            received_micros=asked.amount_micros,
            received_currency=asked.currency,
            entry_id=once.entry_id,
            due_at=None,
        )
        return (
            Change(None, done),
            Change(paid, refunded(paid, asked.amount_micros, now=once.now)),
        )

    done = wallets.refund(
        store,
        Owner(paid.tenant, paid.account_id),
        original_id=paid.entry_id,
        amount_micros=begun.amount_micros,
        currency=begun.currency,
        details={"payment_id": paid.id, "refund_id": begun.id},
        once=once,
        beside=Reserve([payment_of(paid.tenant, paid.id)], decide),
    )
    kept = payments.payment(store, paid.tenant, str(done.entry.details["refund_id"]))
    return Refunded(payments.payment(store, paid.tenant, paid.id), kept, done.replayed)


def _finished(
    store: LedgerStore, stripes: Stripes, refund: Payment, *, replayed: bool, now: Instant
) -> Refunded:
    if not refund.final:
        # Without an answer it is begun all the same, and a sweeper goes on with it.
        with suppress(StripeUnavailable):
            refund = refund_outcomes.look(store, stripes, refund, now=now).payment
    if refund.status == FAILED and refund.failure_code == refund_outcomes.REFUSED:
        raise RefundRefused()
    paid = payments.payment(store, refund.tenant, refund.refund_of)
    return Refunded(paid, refund, replayed)
