"""The catalogue of subscriptions, as the commerce surface tells it."""

from collections.abc import Iterable

from catalog.caching import DNS_PLANS, PLANS, cached
from holdfast.domain import money
from holdfast.domain.plans import RECURRING, Plan
from holdfast.errors import PlanNotFound
from holdfast.http.fields import PathId
from holdfast.http.routing import Router
from holdfast.http.views import Answer, CamelView, Maybe, minor
from holdfast.services import catalog

router = Router()

DNS = "dns"


class PlanLimitsView(CamelView):
    """-1 is no limit. `freeCredit` is in whole dollars, all else is a count."""

    rpm: Maybe[int] = None
    tpm: Maybe[int] = None
    free_credit: Maybe[int] = None
    max_alerts: Maybe[int] = None
    max_members: Maybe[int] = None
    api_rate_limit: Maybe[int] = None
    mcp_rate_limit: Maybe[int] = None
    zones: Maybe[int] = None
    records_per_zone: Maybe[int] = None
    queries_per_day: Maybe[int] = None


class PlanView(CamelView):
    """`priceAnnual` is what a month costs if a year is paid at once, rounded up.

    `priceYear` is what is paid then. With `contactSales` the price is one to be agreed on.
    """

    slug: str
    name: str
    description: str
    category: str
    price: int
    price_annual: int
    price_year: int
    currency: str
    interval: str
    interval_count: int
    trial_period_days: int
    contact_sales: Maybe[bool] = None
    popular: Maybe[bool] = None
    per_user: Maybe[bool] = None
    features: list[str]
    limits: PlanLimitsView


class PlanListView(CamelView):
    plans: list[PlanView]
    count: int
    next_cursor: str | None


@router.get("/api/v1/billing/plans", public=True)
def list_plans(category: str | None = None) -> Answer[PlanListView]:
    """Every subscription on sale; of a category that there is not, none."""
    return Answer(_list(catalog.plans(type_=RECURRING, category=category)), headers=cached(PLANS))


@router.get("/api/v1/billing/plans/{plan_id}", public=True)
def read_plan(plan_id: PathId) -> Answer[PlanView]:
    """One subscription, by its slug."""
    plan = catalog.plan(plan_id)
    if plan.type != RECURRING:
        raise PlanNotFound
    return Answer(_view(plan), headers=cached(PLANS))


@router.get("/api/v1/dns/plans", public=True)
def list_dns_plans() -> Answer[PlanListView]:
    """The subscriptions for name service."""
    return Answer(_list(catalog.plans(type_=RECURRING, category=DNS)), headers=cached(DNS_PLANS))


def _list(plans: Iterable[Plan]) -> PlanListView:
    views = [_view(plan) for plan in plans]
    return PlanListView(plans=views, count=len(views), next_cursor=None)


def _view(plan: Plan) -> PlanView:
    assert plan.interval is not None
    assert plan.interval_count is not None
    return PlanView(
        slug=plan.id,
        name=plan.name,
        description=plan.description,
        category=plan.category,
        price=minor(plan.price_micros or 0, plan.currency),
        price_annual=money.minor_ceil(plan.month_of_year_micros or 0, plan.currency),
        price_year=minor(plan.price_year_micros or 0, plan.currency),
        currency=plan.currency,
        interval=plan.interval,
        interval_count=plan.interval_count,
        trial_period_days=0,
        contact_sales=plan.needs_contact or None,
        popular=plan.is_popular or None,
        per_user=plan.is_per_user or None,
        features=list(plan.features),
        limits=PlanLimitsView(**plan.limits),
    )
