"""The catalogue as buyers read it: subscriptions, and what is put into a wallet once."""

from typing import Annotated, Literal

from aws_lambda_powertools.event_handler.openapi.params import Query

from catalog.caching import PLANS, cached
from holdfast.domain.plans import Plan
from holdfast.http.cursors import decode_cursor, encode_cursor
from holdfast.http.fields import Limit
from holdfast.http.routing import Router
from holdfast.http.views import Answer, Page, View, minor, page
from holdfast.services import catalog

router = Router()


class PlanView(View):
    id: str
    name: str
    description: str
    type: str
    currency: str
    amount: int | None
    interval: str | None
    interval_count: int | None
    allow_custom_amount: bool
    min_amount: int | None
    max_amount: int | None
    credits: int | None
    is_active: bool


@router.get("/v1/plans", public=True)
def list_plans(
    type_: Annotated[Literal["one_time", "recurring"] | None, Query(alias="type")] = None,
    limit: Annotated[int, Limit(100)] = 20,
    cursor: str | None = None,
) -> Answer[Page[PlanView]]:
    """Every plan on sale. A plan without an `amount` has none to charge.

    It is the buyer who names the amount, within the bounds, or somebody has to be asked first.
    """
    scope = f"plans {type_}"
    after = None if cursor is None else decode_cursor(scope, cursor)
    found = catalog.plans(type_=type_, after=after)
    shown, rest = found[:limit], found[limit:]
    next_cursor = encode_cursor(scope, shown[-1].id) if rest else None
    return Answer(page([_view(plan) for plan in shown], next_cursor), headers=cached(PLANS))


def _view(plan: Plan) -> PlanView:
    return PlanView(
        id=plan.id,
        name=plan.name,
        description=plan.description,
        type=plan.type,
        currency=plan.currency,
        amount=_minor(plan.price_micros, plan.currency),
        interval=plan.interval,
        interval_count=plan.interval_count,
        allow_custom_amount=plan.allows_custom_amount,
        min_amount=_minor(plan.amount_micros_min, plan.currency),
        max_amount=_minor(plan.amount_micros_max, plan.currency),
        credits=_minor(plan.credits_micros, plan.currency),
        is_active=plan.is_active,
    )


def _minor(micros: int | None, currency: str) -> int | None:
    return None if micros is None else minor(micros, currency)
