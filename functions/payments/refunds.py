"""Refunds on the commerce surface: a payment goes back to its card, or to the wallet that paid."""

from dataclasses import replace
from http import HTTPStatus
from typing import Annotated, Literal

from aws_lambda_powertools.event_handler.openapi.params import Query

from holdfast.domain.payments import REFUND, SUCCEEDED, Payment
from holdfast.errors import InvalidField
from holdfast.http.cursors import decode_cursor, encode_cursor
from holdfast.http.fields import CamelBody, Identifier, Limit, PathId, Timestamp, amount_micros
from holdfast.http.principal import Admin
from holdfast.http.routing import Router
from holdfast.http.views import Answer, CamelView, Maybe, minor
from holdfast.http.writes import Now, Write
from holdfast.providers import Stripe
from holdfast.runtime import Store
from holdfast.services import refunds
from payments.intents import User, customer

router = Router()

Reason = Literal["duplicate", "fraudulent", "requested_by_customer"]


class RefundPayment(CamelBody):
    payment_intent_id: Identifier | None = None
    invoice_id: Identifier | None = None
    amount: int | None = None
    reason: Reason | None = None


class RefundView(CamelView):
    id: str
    amount: int
    currency: str
    status: str
    payment_intent_id: str
    reason: Maybe[str] = None
    provider_ref: Maybe[str] = None
    failure_reason: Maybe[str] = None
    created: Timestamp


class RefundListView(CamelView):
    refunds: list[RefundView]
    count: int
    next_cursor: str | None


@router.post("/api/v1/billing/refunds", status_code=HTTPStatus.CREATED)
def refund_payment(
    body: RefundPayment, caller: Admin, once: Write, now: Now, store: Store, stripes: Stripe
) -> Answer[RefundView]:
    """Give a payment back, or part of it: to its card, or to the wallet that paid.

    `paymentIntentId` is the id of a payment here, or Stripe's of it. Without an amount: all that is
    left of it.
    """
    named = _named(body)
    # A key that was used for something else is told before whatever else is wrong.
    store.replayed_or_reenacted(once)
    paid = refunds.named(store, stripes, caller.tenant, named, now=now)
    asked = amount_micros(body.amount, None, paid.currency) if body.amount else None
    done = refunds.refund(
        store,
        stripes,
        caller.tenant,
        paid.id,
        amount_micros=asked,
        details={"reason": body.reason} if body.reason else None,
        once=once,
    )
    told = _as_answered(done.refund) if done.replayed else done.refund
    return Answer(_view(told), replayed=done.replayed)


@router.get("/api/v1/billing/refunds")
def list_refunds(
    caller: Admin,
    now: Now,
    store: Store,
    stripes: Stripe,
    payment_intent_id: Annotated[Identifier | None, Query(alias="paymentIntentId")] = None,
    invoice_id: Annotated[Identifier | None, Query(alias="invoiceId")] = None,
    customer_id: Annotated[User | None, Query(alias="customerId")] = None,
    limit: Annotated[int, Limit(100)] = 100,
    cursor: str | None = None,
) -> RefundListView:
    """A payment's refunds, or a customer's, newest first; the caller's own if nothing is named."""
    if invoice_id is not None and payment_intent_id is None:
        # No invoice was ever paid, so none was refunded.
        return RefundListView(refunds=[], count=0, next_cursor=None)
    of: Payment | None = None
    account_id = customer(caller, store, customer_id, now=now).account_id
    if payment_intent_id is not None:
        of = refunds.named(store, stripes, caller.tenant, payment_intent_id, now=now)
        account_id = of.account_id
    scope = f"refunds {account_id} {of.id if of else ''}"
    found, next_id = refunds.listed(
        store,
        caller.tenant,
        account_id,
        of=of,
        before=None if cursor is None else decode_cursor(scope, cursor),
        limit=limit,
    )
    return RefundListView(
        refunds=[_view(each) for each in found],
        count=len(found),
        next_cursor=None if next_id is None else encode_cursor(scope, next_id),
    )


@router.get("/api/v1/billing/refunds/{refund_id}")
def read_refund(refund_id: PathId, caller: Admin, store: Store) -> RefundView:
    """A refund as it is."""
    return _view(refunds.known(store, caller.tenant, refund_id))


def _as_answered(refund: Payment) -> Payment:
    """A refund that was done at once as it was answered, whatever its bank has made of it since."""
    if refund.settled_at != refund.created_at:
        return refund
    return replace(refund, status=SUCCEEDED, failure_code="")


def _named(body: RefundPayment) -> str:
    if body.payment_intent_id is not None:
        return body.payment_intent_id
    if body.invoice_id is not None:
        raise InvalidField("invoice_id", "there is no such invoice")
    raise InvalidField("payment_intent_id", "required")


def _view(refund: Payment) -> RefundView:
    assert refund.kind == REFUND
    reason = refund.details.get("reason")
    return RefundView(
        id=refund.id,
        amount=minor(refund.amount_micros, refund.currency),
        currency=refund.currency,
        status=refund.status,
        payment_intent_id=refund.refund_of,
        reason=reason if isinstance(reason, str) else None,
        provider_ref=refund.refund_id or None,
        failure_reason=refund.failure_code or None,
        created=refund.created_at,
    )
