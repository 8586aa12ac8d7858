"""The catalogue: the plans that are on sale, the same for everybody."""

import json
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any

from holdfast.domain import money
from holdfast.domain import plans as rules
from holdfast.domain.plans import Plan, PlanType
from holdfast.errors import InvalidCursor


def plans(
    *,
    type_: PlanType | None = None,
    category: str | None = None,
    after: str | None = None,
) -> list[Plan]:
    """The plans on sale, in the order of the catalogue; those behind the plan `after`, if given.

    Raises:
        InvalidCursor: There never was a plan `after`.
    """
    catalogue = _catalogue()
    start = 0
    if after is not None:
        # Among all of them: the plan may have been taken off the market since.
        places = {plan.id: place for place, plan in enumerate(catalogue)}
        if after not in places:
            raise InvalidCursor
        start = places[after] + 1
    return list(rules.on_sale(catalogue[start:], type_=type_, category=category))


def plan(plan_id: str) -> Plan:
    """A plan on sale.

    Raises:
        PlanNotFound: There is none of that id, or it is not on sale any more.
    """
    return rules.plan_on_sale(_catalogue(), plan_id)


@cache
def _catalogue() -> tuple[Plan, ...]:
    text = resources.files("holdfast.data").joinpath("plans.json").read_text()
    listed = json.loads(text)
    return tuple(_plan(told, listed["currency"]) for told in listed["plans"])


def _plan(told: Mapping[str, Any], currency: str) -> Plan:
    """A plan as the file tells it, amounts in minor units."""

    def micros(name: str) -> int | None:
        amount: int | None = told.get(name)
        return None if amount is None else money.from_minor(amount, currency)

    is_custom = "min_amount" in told
    return Plan(
        id=told["id"],
        name=told["name"],
        description=told["description"],
        category=told["category"],
        type=told["type"],
        currency=currency,
        price_micros=micros("price"),
        price_year_micros=micros("price_year"),
        credits_micros=None if is_custom else micros("credits") or 0,
        amount_micros_min=micros("min_amount"),
        amount_micros_max=micros("max_amount"),
        limits=told.get("limits", {}),
        features=tuple(told.get("features", ())),
        is_per_user=told.get("is_per_user", False),
        is_popular=told.get("is_popular", False),
        needs_contact=told.get("needs_contact", False),
        is_active=told.get("is_active", True),
    )
