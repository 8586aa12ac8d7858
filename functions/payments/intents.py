"""Payment intents on the commerce surface: an admin has a customer pay for something, in steps.

By a card on file, or by `balance`: from the customer's wallet.
"""

from dataclasses import replace
from http import HTTPStatus
from typing import Annotated, Literal

from aws_lambda_powertools.event_handler.openapi.params import Query
from pydantic import Field

from holdfast.domain import payments as rules
from holdfast.domain.billing_info import EMAIL_LENGTH_MAX
from holdfast.domain.clock import Instant
from holdfast.domain.entries import Json
from holdfast.domain.payments import INTENT, Payment
from holdfast.errors import InvalidField
from holdfast.http.cursors import decode_cursor, encode_cursor
from holdfast.http.fields import (
    CamelBody,
    CurrencyCode,
    Identifier,
    Limit,
    Metadata,
    MinorAmount,
    PathId,
    Timestamp,
    amount_is,
    amount_micros,
    text,
)
from holdfast.http.principal import Admin, Principal, owner_named
from holdfast.http.routing import Router
from holdfast.http.views import Answer, CamelView, Maybe, minor
from holdfast.http.writes import Now, Write
from holdfast.providers import Stripe
from holdfast.runtime import Store
from holdfast.services import accounts, intents, payments
from holdfast.services.payments import Asked, Outcome
from holdfast.services.refs import Owner
from holdfast.store.ledger_store import LedgerStore

router = Router()

SURFACE = "commerce"
PARAM = "customer_id"

User = Annotated[str, text(200)]
Method = Literal["automatic", "manual"]


class MakePaymentIntent(CamelBody):
    customer_id: User
    amount: MinorAmount
    currency: CurrencyCode = "usd"
    payment_method_id: Identifier | None = None
    capture_method: Method = "automatic"
    confirmation_method: Method = "automatic"
    setup_future_usage: Literal["off_session", "on_session"] | None = None
    description: Annotated[str, text(500, lines=True)] | None = None
    receipt_email: (
        Annotated[str, text(EMAIL_LENGTH_MAX), Field(pattern=r"^[^@\s]+@[^@\s]+$")] | None
    ) = None
    invoice_id: Identifier | None = None
    metadata: Metadata | None = None


class ConfirmPaymentIntent(CamelBody):
    payment_method_id: Identifier | None = None


class CapturePaymentIntent(CamelBody):
    amount_to_capture: int | None = None


class CancelPaymentIntent(CamelBody):
    cancellation_reason: Annotated[str, text(200)] | None = None


class PaymentErrorView(CamelView):
    code: str
    decline_code: str | None


class PaymentIntentView(CamelView):
    id: str
    customer_id: str
    amount: int
    currency: str
    status: str
    capture_method: str
    confirmation_method: str
    amount_capturable: int
    amount_received: int
    amount_refunded: int
    payment_method_id: Maybe[str] = None
    description: Maybe[str] = None
    provider_ref: Maybe[str] = None
    client_secret: Maybe[str] = None
    last_error: Maybe[PaymentErrorView] = None
    metadata: Maybe[dict[str, str]] = None
    created: Timestamp


class PaymentIntentListView(CamelView):
    payment_intents: list[PaymentIntentView]
    count: int
    next_cursor: str | None


@router.post("/api/v1/billing/payment-intents", status_code=HTTPStatus.CREATED)
def make_intent(
    body: MakePaymentIntent, caller: Admin, once: Write, store: Store, stripes: Stripe
) -> Answer[PaymentIntentView]:
    """Something that a customer shall pay for. Nothing is paid before it is confirmed."""
    if body.invoice_id is not None:
        raise InvalidField("invoice_id", "there is no such invoice")
    owner = owner_named(caller, body.customer_id, param=PARAM)
    told: dict[str, Json] = {
        "customer": owner.user or owner.account_id,
        "confirmation_method": body.confirmation_method,
        "description": body.description,
        "receipt_email": body.receipt_email,
        "metadata": dict[str, Json](body.metadata) if body.metadata else None,
    }
    asked = Asked(
        kind=INTENT,
        amount_micros=amount_micros(body.amount, None, body.currency),
        currency=body.currency,
        surface=SURFACE,
        payment_method_id=body.payment_method_id or "",
        save_card=body.setup_future_usage is not None,
        captures_by_hand=body.capture_method == "manual",
        details={name: value for name, value in told.items() if value is not None},
    )
    made = intents.create(store, stripes, owner, asked, once=once)
    return Answer(_view(made.payment), replayed=made.replayed)


@router.get("/api/v1/billing/payment-intents")
def list_intents(
    caller: Admin,
    now: Now,
    store: Store,
    customer_id: Annotated[User | None, Query(alias="customerId")] = None,
    limit: Annotated[int, Limit(100)] = 100,
    cursor: str | None = None,
) -> PaymentIntentListView:
    """A customer's payment intents, newest first; the caller's own if nobody is named."""
    owner = customer(caller, store, customer_id, now=now)
    scope = f"payment-intents {owner.account_id}"
    before = None if cursor is None else decode_cursor(scope, cursor)
    found, next_id = payments.listed(store, owner, INTENT, before=before, limit=limit)
    return PaymentIntentListView(
        payment_intents=[_view(each) for each in found],
        count=len(found),
        next_cursor=None if next_id is None else encode_cursor(scope, next_id),
    )


@router.get("/api/v1/billing/payment-intents/{intent_id}")
def read_intent(intent_id: PathId, caller: Admin, store: Store) -> PaymentIntentView:
    """A payment intent as it is."""
    return _view(intents.intent(store, caller.tenant, intent_id))


@router.post("/api/v1/billing/payment-intents/{intent_id}/confirm")
def confirm_intent(
    intent_id: PathId,
    body: ConfirmPaymentIntent,
    caller: Admin,
    once: Write,
    store: Store,
    stripes: Stripe,
) -> Answer[PaymentIntentView]:
    """Pay it: by the card that is named now or was named before, or from the wallet."""
    done = intents.confirm(store, stripes, intent_id, method_id=body.payment_method_id, once=once)
    return _answer(replace(done, payment=_as_confirmed(done.payment)) if done.replayed else done)


@router.post("/api/v1/billing/payment-intents/{intent_id}/capture")
def capture_intent(
    intent_id: PathId,
    body: CapturePaymentIntent,
    caller: Admin,
    once: Write,
    store: Store,
    stripes: Stripe,
) -> Answer[PaymentIntentView]:
    """Take what was set aside, or part of it; the rest goes back. Without an amount: all."""
    # A key that was used for something else is told before whatever else is wrong.
    store.replayed_or_reenacted(once)
    found = intents.intent(store, caller.tenant, intent_id)
    asked = body.amount_to_capture
    taken = (
        amount_micros(asked, None, found.currency, param="amount_to_capture")
        if asked and asked > 0
        else None
    )
    with amount_is("amount_to_capture"):
        done = intents.capture(store, stripes, intent_id, amount_micros=taken, once=once)
    return _answer(replace(done, payment=_as_paid(done.payment)) if done.replayed else done)


@router.post("/api/v1/billing/payment-intents/{intent_id}/cancel")
def cancel_intent(
    intent_id: PathId,
    body: CancelPaymentIntent,
    caller: Admin,
    once: Write,
    store: Store,
    stripes: Stripe,
) -> Answer[PaymentIntentView]:
    """Give it up; what was set aside goes back. Again: the same."""
    done = intents.cancel(store, stripes, intent_id, reason=body.cancellation_reason, once=once)
    return _answer(done)


def customer(caller: Principal, store: LedgerStore, name: str | None, *, now: Instant) -> Owner:
    """Whom a list is about: the caller, if nobody is named.

    Raises:
        AccountNotFound: There is no account of that id, or the user is another org's.
    """
    owner = owner_named(caller, name, param=PARAM)
    if owner.user is None:
        accounts.ensure(store, owner, now)
    return owner


def _as_confirmed(payment: Payment) -> Payment:
    """A purchase as its confirmation was answered, whatever has become of it since."""
    was_aside = payment.captures_by_hand and (payment.hold_id or payment.charge_id)
    if was_aside and payment.final:
        return replace(_as_paid(payment), status=rules.REQUIRES_CAPTURE, received_micros=0)
    return _as_paid(payment)


def _as_paid(payment: Payment) -> Payment:
    """A purchase before anything of it was given back."""
    return replace(payment, refunded_micros=0)


def _answer(done: Outcome) -> Answer[PaymentIntentView]:
    view = _view(done.payment, client_secret=done.client_secret)
    return Answer(view, replayed=done.replayed)


def _view(payment: Payment, *, client_secret: str | None = None) -> PaymentIntentView:
    currency, told = payment.currency, payment.details
    capturable_micros = payment.amount_micros if payment.status == rules.REQUIRES_CAPTURE else 0
    return PaymentIntentView(
        id=payment.id,
        customer_id=str(told["customer"]),
        amount=minor(payment.amount_micros, currency),
        currency=currency,
        status=_status(payment),
        capture_method="manual" if payment.captures_by_hand else "automatic",
        confirmation_method=str(told["confirmation_method"]),
        amount_capturable=minor(capturable_micros, currency),
        amount_received=minor(payment.received_micros, currency),
        amount_refunded=minor(payment.refunded_micros, currency),
        payment_method_id=payment.payment_method_id or None,
        description=_text(told.get("description")),
        provider_ref=payment.payment_intent_id or None,
        client_secret=client_secret,
        last_error=_error(payment),
        metadata=_texts(told.get("metadata")),
        created=payment.created_at,
    )


def _status(payment: Payment) -> str:
    """The word that payment intents have for it."""
    if payment.status == rules.FAILED:
        return "requires_payment_method"
    if payment.status != rules.PENDING:
        return payment.status
    if payment.attempts:
        return "processing"
    return "requires_confirmation" if payment.payment_method_id else "requires_payment_method"


def _error(payment: Payment) -> PaymentErrorView | None:
    if payment.status != rules.FAILED:
        return None
    return PaymentErrorView(
        code=payment.failure_code, decline_code=payments.told_decline_code(payment)
    )


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _texts(value: object) -> dict[str, str] | None:
    return {str(key): str(text) for key, text in value.items()} if isinstance(value, dict) else None
