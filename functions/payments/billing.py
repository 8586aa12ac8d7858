"""Billing plumbing: a customer, an intent or a page to pay, a look after cards, a way back."""

from http import HTTPStatus
from typing import Annotated, Literal

from pydantic import Field

from holdfast.domain.billing_info import EMAIL_LENGTH_MAX
from holdfast.domain.payments import CHECKOUT, TOPUP, Payment
from holdfast.errors import InvalidField, SubscriptionsNotEnabled
from holdfast.http.fields import (
    Body,
    CurrencyCode,
    Identifier,
    Metadata,
    MinorAmount,
    Timestamp,
    amount_is,
    text,
)
from holdfast.http.principal import Caller, owner_named
from holdfast.http.provider import Url, return_url, topup_micros
from holdfast.http.routing import Router
from holdfast.http.views import Answer, Maybe, View, amounts, minor
from holdfast.http.writes import Now, Write
from holdfast.providers import Stripe
from holdfast.runtime import Installation, Store
from holdfast.services import cards, customers, payments, topups, wallet
from holdfast.services.payments import Asked, Outcome

router = Router()

SURFACE = "billing"
TITLE = "Wallet top-up"
PARAM = "amount_cents"
CURRENCY = "usd"

Email = Annotated[str, text(EMAIL_LENGTH_MAX), Field(pattern=r"^[^@\s]+@[^@\s]+$")]


class OpenCustomer(Body):
    email: Email | None = None
    name: Annotated[str, text(200)] | None = None
    metadata: Metadata | None = None


class BeginPayment(Body):
    amount_cents: MinorAmount
    currency: CurrencyCode = "usd"
    payment_method_id: Identifier | None = None
    confirm: bool = False
    save_payment_method: bool = False


class OpenCheckoutSession(Body):
    mode: Literal["payment", "setup", "subscription"]
    amount_cents: MinorAmount | None = None
    currency: CurrencyCode = "usd"
    price_id: Identifier | None = None
    success_url: Url | None = None
    cancel_url: Url | None = None


class OpenPortal(Body):
    return_url: Url | None = None


class ReconcileCheckout(Body):
    session_id: Identifier


class CustomerView(View):
    customer_id: str
    created: bool


class PaymentIntentView(View):
    payment_intent_id: str
    client_secret: str | None
    status: str
    amount_cents: int
    currency: str


class CheckoutSessionView(View):
    session_id: str
    url: str | None
    expires_at: Timestamp
    mode: str
    amount_cents: int | None


class PortalView(View):
    url: str


class CreditedWalletView(View):
    balance_cents: int
    balance_cents_decimal: Maybe[str] = None
    held_cents: int
    held_cents_decimal: Maybe[str] = None
    available_cents: int
    available_cents_decimal: Maybe[str] = None
    currency: str


class ReconciledCheckoutView(View):
    session_id: str
    payment_status: str
    credited: bool
    already_credited: bool
    amount_cents: int | None
    wallet: CreditedWalletView


@router.post("/v1/billing/stripe/customer", status_code=HTTPStatus.CREATED)
def open_customer(
    body: OpenCustomer, caller: Caller, once: Write, store: Store, stripes: Stripe
) -> Answer[CustomerView]:
    """Make the caller's account a customer at Stripe; one that is a customer stays it: 200."""
    customer_id, is_new = customers.open_customer(
        store,
        stripes,
        owner_named(caller, None),
        email=body.email,
        name=body.name,
        metadata=body.metadata,
        once=once,
    )
    view = CustomerView(customer_id=customer_id, created=is_new)
    return Answer(view, status=None if is_new else HTTPStatus.OK)


@router.post("/v1/billing/stripe/payment-intent", status_code=HTTPStatus.CREATED)
def begin_payment(
    body: BeginPayment, caller: Caller, once: Write, store: Store, stripes: Stripe
) -> Answer[PaymentIntentView]:
    """A top-up that a browser goes on with by `client_secret`, or that is tried at once.

    With `confirm`, 202 says that the owner of the card has to confirm first.
    """
    owner = owner_named(caller, None)
    if body.confirm and body.payment_method_id is None:
        raise InvalidField("payment_method_id", "required to confirm")
    asked = Asked(
        kind=TOPUP,
        amount_micros=topup_micros(body.amount_cents, body.currency, param=PARAM),
        currency=body.currency,
        surface=SURFACE,
        payment_method_id=body.payment_method_id or "",
        # A browser names a card that Stripe.js made a moment ago.
        is_saved=False,
        save_card=body.save_payment_method,
    )
    with amount_is(PARAM):
        if body.confirm:
            return _tried(topups.charge_any(store, stripes, owner, asked, once=once))
        begun = topups.open_intent(store, stripes, owner, asked, once=once)
    # As it began, whatever has come of it since: a second delivery has the first answer.
    status = "requires_confirmation" if body.payment_method_id else "requires_payment_method"
    return Answer(_intent(begun, status), replayed=begun.replayed)


@router.post("/v1/billing/stripe/checkout-session", status_code=HTTPStatus.CREATED)
def open_checkout_session(
    body: OpenCheckoutSession,
    caller: Caller,
    once: Write,
    store: Store,
    stripes: Stripe,
    installation: Installation,
) -> Answer[CheckoutSessionView]:
    """A page of Stripe's on which the wallet is topped up, or a card is saved."""
    if body.mode == "subscription":
        raise SubscriptionsNotEnabled
    if body.price_id is not None:
        raise InvalidField("price_id", "only to subscribe")
    owner, allowed = owner_named(caller, None), installation.return_urls
    success_url = return_url(allowed, body.success_url, param="success_url")
    cancel_url = return_url(allowed, body.cancel_url, param="cancel_url")
    if body.mode == "setup":
        if body.amount_cents is not None:
            raise InvalidField(PARAM, "only to pay")
        session = cards.setup_page(
            store, stripes, owner, success_url=success_url, cancel_url=cancel_url, once=once
        )
        replayed, amount_cents = False, None
    else:
        if body.amount_cents is None:
            raise InvalidField(PARAM, "required to pay")
        asked = Asked(
            kind=CHECKOUT,
            amount_micros=topup_micros(body.amount_cents, body.currency, param=PARAM),
            currency=body.currency,
            surface=SURFACE,
        )
        with amount_is(PARAM):
            opened = payments.open_page(
                store,
                stripes,
                owner,
                asked,
                title=TITLE,
                success_url=success_url,
                cancel_url=cancel_url,
                once=once,
            )
        session, replayed, amount_cents = opened.session, opened.replayed, _cents(opened.payment)
    view = CheckoutSessionView(
        session_id=session.id,
        url=session.url,
        expires_at=session.expires_at,
        mode=body.mode,
        amount_cents=amount_cents,
    )
    return Answer(view, replayed=replayed)


@router.post("/v1/billing/stripe/portal-session", status_code=HTTPStatus.CREATED)
def open_portal(
    body: OpenPortal,
    caller: Caller,
    once: Write,
    store: Store,
    stripes: Stripe,
    installation: Installation,
) -> PortalView:
    """A page of Stripe's on which the caller looks after their cards, and becomes a customer."""
    address = return_url(installation.return_urls, body.return_url, param="return_url")
    owner = owner_named(caller, None)
    return PortalView(url=cards.portal(store, stripes, owner, return_url=address, once=once).url)


@router.post("/v1/billing/stripe/reconcile-checkout")
def reconcile_checkout(
    body: ReconcileCheckout, caller: Caller, now: Now, store: Store, stripes: Stripe
) -> ReconciledCheckoutView:
    """What became of a page, for whoever came back from it: credited at once if it was paid.

    It is the session that is credited, once; so there is no key.
    """
    owner = owner_named(caller, None)
    session, outcome = payments.session_of(store, stripes, owner, body.session_id, now=now)
    entry = None if outcome is None else outcome.entry
    currency = CURRENCY if outcome is None else outcome.payment.currency
    found = wallet.wallet(store, owner, currency, now=now, own=True)
    return ReconciledCheckoutView(
        session_id=session.id,
        payment_status=session.payment_status,
        credited=entry is not None,
        already_credited=outcome is not None and entry is not None and not outcome.is_new,
        amount_cents=None if outcome is None else _cents(outcome.payment),
        wallet=CreditedWalletView(
            **amounts(
                currency,
                balance_cents=found.balance_micros(now),
                held_cents=found.held_micros,
                available_cents=found.available_micros(now),
            ),
            currency=currency,
        ),
    )


def _cents(payment: Payment) -> int:
    return minor(payment.amount_micros, payment.currency)


def _tried(outcome: Outcome) -> Answer[PaymentIntentView]:
    if outcome.entry is not None:
        return Answer(_intent(outcome, "succeeded"), replayed=outcome.replayed)
    status = "requires_action" if outcome.client_secret else "processing"
    return Answer(_intent(outcome, status), replayed=outcome.replayed, status=HTTPStatus.ACCEPTED)


def _intent(outcome: Outcome, status: str) -> PaymentIntentView:
    return PaymentIntentView(
        payment_intent_id=outcome.payment.payment_intent_id,
        client_secret=outcome.client_secret,
        status=status,
        amount_cents=_cents(outcome.payment),
        currency=outcome.payment.currency,
    )
