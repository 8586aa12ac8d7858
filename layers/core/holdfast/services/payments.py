"""Use cases of payments by card: the record first, then Stripe, then the wallet.

A crash anywhere leaves a record that is due: a sweeper asks Stripe what became of it. The answer of
a request, a poll, a page that a person returns to, and an event of Stripe's all end in `take_in`,
whose entry is named after Stripe's payment intent: a wallet is credited once, whoever comes first.
"""

from dataclasses import dataclass, replace

from holdfast.domain import payment_states as states
from holdfast.domain.clock import Instant
from holdfast.domain.ledger import Change
from holdfast.domain.once import Once
from holdfast.domain.payments import FAILED, NOT_SENT, Observation, Payment
from holdfast.errors import (
    AmountTooLarge,
    AuthenticationRequired,
    InvalidField,
    KeyInUse,
    NotFound,
    PaymentDeclined,
    StripeUnavailable,
)
from holdfast.gateways.stripe import CheckoutSession, PaymentIntent, StripeGateway
from holdfast.gateways.stripe.observations import of_decline, of_session
from holdfast.gateways.stripe.observations import of_intent as seen_of
from holdfast.services import beginnings
from holdfast.services.beginnings import Asked, Begun, metadata_of
from holdfast.services.cards import Stripes
from holdfast.services.changes import Reserve
from holdfast.services.observing import (
    Outcome,
    as_declined,
    fulfil,
    listed,
    look,
    of_intent,
    of_metadata,
    outcome,
    payment,
    payment_of_owner,
    session_of,
    sweep,
    told_decline_code,
)
from holdfast.services.refs import Owner
from holdfast.services.taking_in import as_is, take_in
from holdfast.store.ledger_store import LedgerStore

__all__ = [
    "Asked",
    "Outcome",
    "Page",
    "as_declined",
    "charge",
    "fulfil",
    "listed",
    "look",
    "of_intent",
    "of_metadata",
    "open_intent",
    "open_page",
    "outcome",
    "payment",
    "payment_of_owner",
    "session_of",
    "sweep",
    "told_decline_code",
]


@dataclass(frozen=True, slots=True)
class Page:
    """A page of Stripe's on which a payment is made."""

    payment: Payment
    session: CheckoutSession
    replayed: bool


def charge(
    store: LedgerStore,
    stripes: Stripes,
    owner: Owner,
    asked: Asked,
    *,
    once: Once,
    reserve: Reserve | None = None,
) -> Outcome:
    """Charge a card, and credit the wallet once it is paid.

    A decline uses the key up: the same request is declined again, and Stripe is not asked. What has
    no answer yet is asked for again under the same key.

    Raises:
        AccountNotFound: There is no such account, or the asker has no seat in it.
        Forbidden: The asker's seat is for looking only.
        PaymentMethodNotFound: There is no such card, or it is not the account's.
        PaymentDeclined: The bank says no.
        AuthenticationRequired: The bank asks for the card's owner, and nobody is there.
        InvalidField, AmountTooLarge: Not an amount that cards are charged.
        StripeUnavailable: Nobody answers; the same request may be sent again.
        KeyInUse: The same request is running.
    """
    begun = beginnings.begin(store, stripes, owner, asked, once=once, reserve=reserve)
    payment = begun.payment
    if payment.failure_code == NOT_SENT or not (payment.reached_stripe or payment.final):
        payment = _resent(store, begun, now=once.now)
        return _sent(store, stripes, replace(begun, payment=payment), now=once.now)
    if payment.status == FAILED:
        raise as_declined(stripes, payment)
    if not payment.final:
        return replace(look(store, stripes, payment, now=once.now), replayed=begun.replayed)
    return outcome(as_is(store, payment), replayed=begun.replayed)


def open_intent(
    store: LedgerStore, stripes: Stripes, owner: Owner, asked: Asked, *, once: Once
) -> Outcome:
    """A payment for a browser to go on with, with its client secret and a card of its own.

    Raises:
        As `charge`; no card is charged, so none is declined.
    """
    begun = beginnings.begin(store, stripes, owner, asked, once=once)
    stripe = stripes(owner.tenant.mode)
    if begun.payment.payment_intent_id:
        return replace(look(store, stripes, begun.payment, now=once.now), replayed=begun.replayed)
    payment = _resent(store, begun, now=once.now)
    intent = _create(stripe, payment, confirm=False)
    taken = take_in(store, once.tenant, begun.payment.id, seen_of(intent, once.now), now=once.now)
    return outcome(taken, intent, replayed=begun.replayed)


def open_page(
    store: LedgerStore,
    stripes: Stripes,
    owner: Owner,
    asked: Asked,
    *,
    title: str,
    success_url: str,
    cancel_url: str,
    once: Once,
) -> Page:
    """A page of Stripe's on which a person pays; the account is credited once they have.

    Raises:
        AccountNotFound: There is no such account, or the asker has no seat in it.
        Forbidden: The asker's seat is for looking only.
        InvalidField, AmountTooLarge: Not an amount that cards are charged, or no address.
        StripeUnavailable: Nobody answers; the same request may be sent again.
        KeyInUse: The same request is running.
    """
    begun = beginnings.begin(store, stripes, owner, asked, once=once)
    stripe = stripes(owner.tenant.mode)
    payment = begun.payment
    if payment.session_id:
        session = stripe.checkout.retrieve(payment.session_id)
        return Page(payment, replace(session, url=payment.session_url), begun.replayed)
    payment = _resent(store, begun, now=once.now)
    session = stripe.checkout.create_payment(
        key=payment.id,
        amount_micros=payment.amount_micros,
        currency=payment.currency,
        title=title,
        customer_id=payment.customer_id,
        success_url=success_url,
        cancel_url=cancel_url,
        save_card=payment.save_card,
        metadata=metadata_of(payment),
    )
    kept = states.opened(payment, session.id, session.url or "", now=once.now)
    if not store.settle(once.tenant, (), Change(payment, kept)):
        # An event was faster, and brought the name of the page with it.
        kept = take_in(
            store, once.tenant, payment.id, of_session(session, once.now), now=once.now
        ).payment
    return Page(kept, session, begun.replayed)


def _sent(store: LedgerStore, stripes: Stripes, begun: Begun, *, now: Instant) -> Outcome:
    payment, intent = begun.payment, None
    declined: PaymentDeclined | AuthenticationRequired | None = None
    try:
        intent = _create(stripes(payment.tenant.mode), payment, confirm=True)
        seen = seen_of(intent, now)
    except (PaymentDeclined, AuthenticationRequired) as refusal:
        declined, seen = refusal, of_decline(refusal, now)
    except (NotFound, InvalidField, AmountTooLarge):
        # Nothing was made there: the same request may be made again.
        seen = Observation(status=FAILED, at=now, failure_code=NOT_SENT)
        take_in(store, payment.tenant, payment.id, seen, now=now)
        raise
    taken = take_in(store, payment.tenant, payment.id, seen, now=now)
    if declined is not None and taken.payment.status == FAILED:
        raise declined
    return outcome(taken, intent, replayed=begun.replayed)


def _create(stripe: StripeGateway, payment: Payment, *, confirm: bool) -> PaymentIntent:
    return stripe.payment_intents.create(
        key=payment.id,
        amount_micros=payment.amount_micros,
        currency=payment.currency,
        customer_id=payment.customer_id,
        payment_method_id=payment.payment_method_id or None,
        confirm=confirm,
        off_session=payment.off_session and confirm,
        manual_capture=payment.captures_by_hand,
        save_card=payment.save_card,
        metadata=metadata_of(payment),
    )


def _resent(store: LedgerStore, begun: Begun, *, now: Instant) -> Payment:
    """The payment, to be sent to Stripe; by another delivery only while that is sure to be once.

    Raises:
        StripeUnavailable: It is too old to be sent again. Another request has another payment.
        KeyInUse: Somebody else is at it.
    """
    payment = begun.payment
    if not begun.replayed:
        return payment
    if not payment.may_repeat(now):
        raise StripeUnavailable(outcome_unknown=False)
    again = states.resent(payment, now=now)
    if not store.settle(payment.tenant, (), Change(payment, again)):
        raise KeyInUse()
    return again
