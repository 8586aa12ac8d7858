"""Orders: a person buys a plan that is paid once, sees what they bought, and gives it back."""

from http import HTTPStatus
from typing import Annotated, Literal

from pydantic import Field

from holdfast.domain.clock import Instant
from holdfast.domain.orders import status_of
from holdfast.domain.payments import SUCCEEDED, Payment
from holdfast.errors import InvalidField
from holdfast.http.fields import Body, Identifier, Limit, PathId, RequestKey, Timestamp
from holdfast.http.principal import Caller, owner_named
from holdfast.http.routing import Router
from holdfast.http.views import Answer, Maybe, Page, View, minor, page
from holdfast.http.writes import KeyedWrite, Now, Write
from holdfast.providers import Stripe
from holdfast.runtime import Store
from holdfast.services import orders
from holdfast.services.orders import Order
from holdfast.services.payments import Outcome

router = Router()

SURFACE = "me"
AMOUNT_MAX = 10**15

OrderField = Literal["created_at", "amount"]


class PlaceOrder(Body):
    payment_method_id: Identifier
    plan_id: Identifier
    amount: Annotated[int, Field(gt=0, le=AMOUNT_MAX)] | None = None
    idempotency_key: RequestKey


class OrderView(View):
    id: str
    plan_id: str
    status: str
    currency: str
    amount: int
    is_refundable: bool
    payment_method_id: str
    created_at: Timestamp
    refunded_at: Timestamp | None


class PlacedOrderView(OrderView):
    client_secret: Maybe[str] = None
    payment_intent_id: Maybe[str] = None


class OrderRefundView(View):
    id: str
    amount: int
    status: str


class RefundedOrderView(OrderView):
    refund: OrderRefundView


@router.get("/v1/me/wallet/orders")
def list_orders(
    caller: Caller,
    now: Now,
    store: Store,
    limit: Annotated[int, Limit(100)] = 20,
    after_public_id: Identifier | None = None,
    order_by_asc: OrderField | None = None,
    order_by_desc: OrderField | None = None,
) -> Page[OrderView]:
    """The caller's orders, the newest first unless it is said otherwise.

    `after_public_id` is the id of the last one already seen, which is what `next_cursor` says.
    """
    if order_by_asc is not None and order_by_desc is not None:
        raise InvalidField("order_by_asc", "give this or order_by_desc, not both")
    found = orders.orders(
        store,
        owner_named(caller, None),
        field=order_by_asc or order_by_desc or "created_at",
        descending=order_by_asc is None,
        after=after_public_id,
        limit=limit,
        now=now,
    )
    last = found.orders[-1].payment.id if found.has_more else None
    return page([_listed(order) for order in found.orders], last)


@router.post("/v1/me/wallet/orders", status_code=HTTPStatus.CREATED)
def place_order(
    body: PlaceOrder, caller: Caller, keyed: KeyedWrite, store: Store, stripes: Stripe
) -> Answer[PlacedOrderView]:
    """Buy a plan by a card on file; where its owner has to confirm, 202.

    A decline is kept as a failed order, and is the answer to its key for ever.
    """
    outcome = orders.buy(
        store,
        stripes,
        owner_named(caller, None),
        plan_id=body.plan_id,
        payment_method_id=body.payment_method_id,
        amount=body.amount,
        surface=SURFACE,
        once=keyed(body.idempotency_key),
    )
    status = None if outcome.entry is not None else HTTPStatus.ACCEPTED
    return Answer(_placed(outcome), replayed=outcome.replayed, status=status)


@router.post("/v1/me/wallet/orders/{order_id}/refund")
def refund_order(
    order_id: PathId, caller: Caller, once: Write, store: Store, stripes: Stripe
) -> Answer[RefundedOrderView]:
    """Give an order back to the card it was paid by, as long as all of its money is there."""
    done = orders.refund(store, stripes, owner_named(caller, None), order_id, once=once)
    view = RefundedOrderView.model_validate(
        {
            **_fields(done.payment, done.refund, is_refundable=False),
            "refund": OrderRefundView(
                id=done.refund.id,
                amount=minor(done.refund.amount_micros, done.refund.currency),
                status=done.refund.status,
            ),
        }
    )
    return Answer(view, replayed=done.replayed)


def _listed(order: Order) -> OrderView:
    fields = _fields(order.payment, order.refund, is_refundable=order.is_refundable)
    return OrderView.model_validate(fields)


def _placed(outcome: Outcome) -> PlacedOrderView:
    """The order as it was when it was paid, whatever has become of it since."""
    entry = outcome.entry
    is_there = entry is not None and entry.cash_after_micros >= outcome.payment.received_micros
    return PlacedOrderView.model_validate(
        {
            **_fields(outcome.payment, None, is_refundable=is_there),
            "client_secret": outcome.client_secret,
            "payment_intent_id": outcome.payment.payment_intent_id or None,
        }
    )


def _fields(order: Payment, refund: Payment | None, *, is_refundable: bool) -> dict[str, object]:
    return {
        "id": order.id,
        "plan_id": order.plan_id,
        "status": status_of(order, refund),
        "currency": order.currency,
        "amount": minor(order.amount_micros, order.currency),
        "is_refundable": is_refundable,
        "payment_method_id": order.payment_method_id,
        "created_at": order.created_at,
        "refunded_at": _refunded_at(refund),
    }


def _refunded_at(refund: Payment | None) -> Instant | None:
    return refund.updated_at if refund is not None and refund.status == SUCCEEDED else None
