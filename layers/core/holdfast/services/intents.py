"""Use cases of payment intents: purchases that are confirmed, captured and canceled in steps.

A card pays them at Stripe, `balance` pays them from the wallet. What is paid is the house's, and on
the statement either way.
"""

from contextlib import suppress
from dataclasses import replace
from typing import cast, get_args

from holdfast.domain import balance_payments as by_balance
from holdfast.domain import payment_states as states
from holdfast.domain import payments as rules
from holdfast.domain.accounts import Tenant
from holdfast.domain.ledger import Change, Deed, Resolution, Unchanged, draw
from holdfast.domain.once import Once
from holdfast.domain.payments import BALANCE, CANCELED, FAILED, INTENT, Observation, Payment
from holdfast.errors import (
    AmountTooLarge,
    AuthenticationRequired,
    Contention,
    HoldClosed,
    IdempotencyKeyReused,
    InvalidField,
    NotFound,
    PaymentDeclined,
    PaymentState,
)
from holdfast.gateways.stripe import PaymentIntent, StripeGateway
from holdfast.gateways.stripe.amounts import to_stripe
from holdfast.gateways.stripe.intents import CancelReason
from holdfast.gateways.stripe.observations import of_decline
from holdfast.gateways.stripe.observations import of_intent as seen_of
from holdfast.services import balance_payments, beginnings, cards, payment_methods, payments
from holdfast.services import wallet as wallets
from holdfast.services.beginnings import Asked, metadata_of
from holdfast.services.cards import Stripes
from holdfast.services.observing import capture as capture_there
from holdfast.services.payments import Outcome
from holdfast.services.refs import Owner, payment_of
from holdfast.services.taking_in import as_is, take_in
from holdfast.store.ledger_store import LedgerStore

ATTEMPTS_MAX = 3
CANCEL_REASONS = frozenset(get_args(CancelReason.__value__))


def create(
    store: LedgerStore, stripes: Stripes, owner: Owner, asked: Asked, *, once: Once
) -> Outcome:
    """A purchase that waits to be confirmed. Nobody is asked for anything yet.

    Raises:
        AccountNotFound, Forbidden: The account is not the caller's to spend from.
        PaymentMethodNotFound: The card that is named is not on file.
        InvalidField, AmountTooLarge: Not an amount that is paid.
    """
    if known := store.reenacted(once):
        # As it was made, whatever has come of it since.
        return Outcome(known.record, None, replayed=True)
    begun = beginnings.begin(store, stripes, owner, asked, once=once, is_sent=False)
    return Outcome(begun.payment, None, replayed=begun.replayed)


def intent(store: LedgerStore, tenant: Tenant, payment_id: str) -> Payment:
    """A payment intent of the org.

    Raises:
        PaymentNotFound: There is none.
    """
    return payments.payment(store, tenant, payment_id, INTENT)


def confirm(
    store: LedgerStore, stripes: Stripes, payment_id: str, *, method_id: str | None, once: Once
) -> Outcome:
    """Pay a purchase by a card on file, or from the wallet (`balance`).

    Raises:
        PaymentNotFound: There is no such payment intent.
        InvalidField: No payment method is named, now or before.
        PaymentMethodNotFound: The card is not on file.
        PaymentState: It is paid, was canceled, or is being paid.
        PaymentDeclined, AuthenticationRequired: The bank says no; another card may be tried.
        InsufficientFunds, BudgetExceeded: The wallet has less, or may spend less.
        StripeUnavailable: Nobody answers; the same request may be sent again.
    """
    is_replay = store.replayed_or_reenacted(once)
    found = intent(store, once.tenant, payment_id)
    if is_replay:
        return _again(store, stripes, found, once)
    method = method_id or found.payment_method_id
    if not method:
        raise InvalidField("payment_method_id", "required: none was named before")
    if method == BALANCE:
        _give_up_there(store, stripes, found, once)
        done = balance_payments.pay(store, found, once=once)
        return Outcome(intent(store, once.tenant, payment_id), done.entry, replayed=done.replayed)
    owner = Owner(found.tenant, found.account_id)
    payment_methods.method(store, owner, method)
    customer, _ = cards.customer(store, stripes, owner, now=once.now)

    def decide(payment: Payment) -> Deed:
        tried = states.attempted(payment, method, now=once.now)
        after = replace(tried, customer_id=customer.id)
        return Deed(after, (Change(payment, after),))

    done_by = store.enact(decide, [payment_of(once.tenant, payment_id)], once=once)
    return _paid(store, stripes, done_by.record, once, replayed=done_by.replayed)


def capture(
    store: LedgerStore,
    stripes: Stripes,
    payment_id: str,
    *,
    amount_micros: int | None,
    once: Once,
) -> Outcome:
    """Take all that was set aside for a purchase, or part of it; the rest goes back.

    Raises:
        PaymentNotFound: There is no such payment intent.
        PaymentState: Nothing is set aside for it.
        HoldExceeded, InvalidField: More than was set aside.
        HoldExpired, HoldClosed: What was set aside in the wallet went back.
        StripeUnavailable: Nobody answers; the same request may be sent again.
    """
    store.replayed_or_reenacted(once)
    found = intent(store, once.tenant, payment_id)
    if found.is_by_balance:
        if not found.hold_id:
            raise PaymentState(status=found.status)
        done = balance_payments.capture(store, found, amount_micros=amount_micros, once=once)
        return Outcome(intent(store, once.tenant, payment_id), done.entry, replayed=done.replayed)

    def decide(payment: Payment) -> Deed:
        after = states.capturing(payment, amount_micros, now=once.now)
        # Refused now or never: what is written here is sent until Stripe has done it.
        to_stripe(after.capture_micros, after.currency)
        return Deed(after, (Change(payment, after),))

    begun = store.enact(decide, [payment_of(once.tenant, payment_id)], once=once)
    known = intent(store, once.tenant, payment_id) if begun.replayed else begun.record
    taken = payments.outcome(as_is(store, known))
    if known.status == rules.REQUIRES_CAPTURE:
        taken = capture_there(store, stripes, known, now=once.now)
    if taken.payment.status == CANCELED:
        # Somebody canceled it there, or the bank keeps it no longer.
        raise PaymentState(status=CANCELED)
    return replace(taken, replayed=begun.replayed)


def cancel(
    store: LedgerStore, stripes: Stripes, payment_id: str, *, reason: str | None, once: Once
) -> Outcome:
    """Give a purchase up; what was set aside goes back. Again: the same.

    Stripe is told the `reason` if it is one of those that it knows.

    Raises:
        PaymentNotFound: There is no such payment intent.
        PaymentState: It is paid.
        StripeUnavailable: Nobody answers; the same request may be sent again.
        Contention: Others wrote it all the while.
    """
    for _ in range(ATTEMPTS_MAX):
        is_replay = store.replayed_or_reenacted(once)
        found = intent(store, once.tenant, payment_id)
        if is_replay or found.status == CANCELED:
            is_replay = is_replay or store.replayed_or_reenacted(once)
            return Outcome(found, None, replayed=is_replay)
        try:
            return _canceled(store, stripes, found, once, reason=reason)
        except (PaymentState, HoldClosed):
            # Somebody was faster, and it may be that it can be given up as it is now.
            if intent(store, once.tenant, payment_id).version == found.version:
                raise
    raise Contention()


def _canceled(
    store: LedgerStore, stripes: Stripes, found: Payment, once: Once, *, reason: str | None
) -> Outcome:
    if found.hold_id and found.status == rules.REQUIRES_CAPTURE:
        balance_payments.release(store, found, once=once)
        return Outcome(intent(store, once.tenant, found.id), None)
    if found.payment_intent_id:
        told = cast(CancelReason, reason) if reason in CANCEL_REASONS else None
        gone = stripes(once.tenant.mode).payment_intents.cancel(
            # Stripe remembers what a key was for: another reason is another request.
            found.payment_intent_id,
            key=f"{found.id}.cancel.{told or ''}",
            reason=told,
        )
        return _answered(store, found, gone, once)

    def decide(payment: Payment) -> Resolution:
        if payment.status == CANCELED:
            return Unchanged(payment)
        if payment.payment_intent_id or (payment.attempts and payment.status != FAILED):
            raise PaymentState(status=payment.status)
        after = by_balance.canceled(payment, now=once.now)
        return Deed(after, (Change(payment, after),))

    done = store.enact(decide, [payment_of(once.tenant, found.id)], once=once)
    return Outcome(done.record, None, replayed=done.replayed)


def _give_up_there(store: LedgerStore, stripes: Stripes, found: Payment, once: Once) -> None:
    """See to it that no card pays what the wallet is going to pay.

    A browser may have the client secret of an attempt that failed.

    Raises:
        InsufficientFunds: The wallet is not going to pay it.
        StripeUnavailable: Nobody answers; the same request may be sent again.
    """
    if not found.payment_intent_id or found.status != FAILED:
        return
    # What the wallet cannot pay a card may still: then nothing is given up.
    owner = Owner(found.tenant, found.account_id)
    held = wallets.wallet(store, owner, found.currency, now=once.now, own=False)
    draw(held, found.amount_micros, once.now)
    there = stripes(once.tenant.mode).payment_intents
    try:
        there.cancel(found.payment_intent_id, key=f"{found.id}.cancel")
    except PaymentState:
        seen = there.retrieve(found.payment_intent_id)
        if seen.status != CANCELED:
            take_in(store, once.tenant, found.id, seen_of(seen, once.now), now=once.now)


def _again(store: LedgerStore, stripes: Stripes, found: Payment, once: Once) -> Outcome:
    """What a confirmation that was begun before has come to."""
    if found.is_by_balance:
        # Of an attempt by card there is no entry.
        with suppress(IdempotencyKeyReused):
            if done := store.replayed(once):
                return Outcome(found, done.entry, replayed=True)
    elif (begun := store.reenacted(once)) and begun.record.attempts == found.attempts:
        return _paid(store, stripes, found, once, replayed=True)
    # Somebody went to pay again, so that attempt had failed.
    raise PaymentDeclined(decline_code=None, payment_intent_id=found.payment_intent_id or None)


def _paid(
    store: LedgerStore, stripes: Stripes, found: Payment, once: Once, *, replayed: bool
) -> Outcome:
    if found.status == FAILED and found.failure_code != rules.NOT_SENT:
        raise payments.as_declined(stripes, found)
    if found.final or found.status in (rules.REQUIRES_ACTION, rules.REQUIRES_CAPTURE):
        return replace(payments.look(store, stripes, found, now=once.now), replayed=replayed)
    stripe = stripes(once.tenant.mode)
    try:
        if not found.payment_intent_id:
            seen = seen_of(_create(stripe, found), once.now)
            found = take_in(store, once.tenant, found.id, seen, now=once.now).payment
        tried = stripe.payment_intents.confirm(
            found.payment_intent_id,
            key=f"{found.id}.{found.attempts}",
            payment_method_id=found.payment_method_id,
        )
    except (PaymentDeclined, AuthenticationRequired) as refusal:
        taken = take_in(store, once.tenant, found.id, of_decline(refusal, once.now), now=once.now)
        if taken.payment.status == FAILED:
            raise
        return Outcome(taken.payment, taken.entry, replayed=replayed)
    except (NotFound, InvalidField, AmountTooLarge):
        # Nothing was tried there, as where the card went meanwhile: another may be.
        seen = Observation(status=FAILED, at=once.now, failure_code=rules.NOT_SENT)
        taken = take_in(store, once.tenant, found.id, seen, now=once.now)
        if taken.payment.status == FAILED:
            raise
        return payments.outcome(taken, replayed=replayed)
    except PaymentState:
        # Somebody was faster, there or here: Stripe says which.
        return replace(payments.look(store, stripes, found, now=once.now), replayed=replayed)
    taken = take_in(store, once.tenant, found.id, seen_of(tried, once.now), now=once.now)
    return payments.outcome(taken, tried, replayed=replayed)


def _create(stripe: StripeGateway, payment: Payment) -> PaymentIntent:
    details = payment.details
    return stripe.payment_intents.create(
        key=payment.id,
        amount_micros=payment.amount_micros,
        currency=payment.currency,
        customer_id=payment.customer_id,
        manual_capture=payment.captures_by_hand,
        save_card=payment.save_card,
        description=_text(details.get("description")),
        receipt_email=_text(details.get("receipt_email")),
        metadata=metadata_of(payment),
    )


def _answered(store: LedgerStore, found: Payment, seen: PaymentIntent, once: Once) -> Outcome:
    """What became of it taken in, and the request's key used up."""
    taken = take_in(store, once.tenant, found.id, seen_of(seen, once.now), now=once.now)

    def decide() -> Deed:
        return Deed(taken.payment, ())

    done = store.enact(decide, [], once=once)
    return Outcome(taken.payment, taken.entry, replayed=done.replayed)


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
