"""Orders: plans that are paid once, and whose money goes into the wallet.

An order is a payment of its own kind. Here is what it may cost, and when it can be given back.
"""

from collections.abc import Iterable
from datetime import timedelta
from typing import Literal

from holdfast.domain import payments
from holdfast.domain.clock import Instant
from holdfast.domain.payments import Payment
from holdfast.domain.plans import RECURRING, Plan
from holdfast.errors import InvalidField, OrderNotRefundable, PlanNotFound, SubscriptionsNotEnabled

type Status = Literal[
    "pending", "requires_action", "succeeded", "failed", "refund_pending", "refunded"
]
type Field = Literal["created_at", "amount"]

REFUND_WINDOW = timedelta(days=14)
"""How long an order can be given back: at its end exactly it can no longer."""


def price_micros(plan: Plan, amount_micros: int | None) -> int:
    """What an order of the plan costs; the buyer names the amount where the plan lets them.

    Raises:
        SubscriptionsNotEnabled: The plan is paid again and again.
        PlanNotFound: It has no price: somebody has to be asked first.
        InvalidField: An amount where the plan has a price, none where it has not, or one that is
            not within the bounds of the plan.
    """
    if plan.type == RECURRING:
        raise SubscriptionsNotEnabled()
    if not plan.allows_custom_amount:
        if plan.price_micros is None:
            raise PlanNotFound()
        if amount_micros is not None:
            raise InvalidField("amount", "the plan has a price of its own")
        return plan.price_micros
    assert plan.amount_micros_min is not None
    assert plan.amount_micros_max is not None
    if amount_micros is None:
        raise InvalidField("amount", "required: the plan has no price of its own")
    payments.require_between(
        amount_micros,
        plan.currency,
        minimum_micros=plan.amount_micros_min,
        maximum_micros=plan.amount_micros_max,
    )
    return amount_micros


def bonus_micros(plan: Plan, paid_micros: int) -> int:
    """What the plan puts into the wallet besides what was paid for it."""
    return max(0, (plan.credits_micros or 0) - paid_micros)


def status_of(order: Payment, refund: Payment | None) -> Status:
    """The state of an order, of which `refund` is the last refund, if there is any."""
    match order.status:
        case "succeeded":
            if refund is None or refund.is_gone_wrong:
                return "succeeded"
            if refund.status != payments.SUCCEEDED:
                return "refund_pending"
            return "succeeded" if order.refundable_micros else "refunded"
        case "failed" | "canceled":
            return "failed"
        case "requires_action":
            return "requires_action"
    return "pending"


def is_refundable(order: Payment, cash_micros: int, now: Instant) -> bool:
    """Whether an order can be given back out of so much plain cash in its wallet.

    It is paid, nothing of it was given back, it is not too old, and its money is still there.
    """
    return (
        order.status == payments.SUCCEEDED
        and bool(order.entry_id)
        and order.refunded_micros == 0
        and now < order.created_at + REFUND_WINDOW
        and cash_micros >= order.received_micros
    )


def require_refundable(order: Payment, cash_micros: int, now: Instant) -> None:
    """Nothing, if the order can be given back.

    Raises:
        OrderNotRefundable: It cannot.
    """
    if not is_refundable(order, cash_micros, now):
        raise OrderNotRefundable()


def in_order(orders: Iterable[Payment], field: Field, *, descending: bool) -> list[Payment]:
    """Orders by when they were made, or by amount; among equals by id."""
    return sorted(orders, key=lambda order: place_of(order, field), reverse=descending)


def place_of(order: Payment, field: Field) -> tuple[int, str]:
    """Where an order stands. Ids begin with the instant at which they were made."""
    return (order.amount_micros if field == "amount" else 0), order.id
