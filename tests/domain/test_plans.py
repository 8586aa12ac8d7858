from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.domain import plans as rules
from holdfast.domain.plans import Plan
from holdfast.errors import PlanNotFound

CENT = 10_000
PRO = Plan(
    id="pro",
    name="Pro",
    description="For work.",
    category="personal",
    type="recurring",
    currency="usd",
    price_micros=2000 * CENT,
    price_year_micros=19_200 * CENT,
)
DNS = replace(PRO, id="dns", category="dns")
OLD = replace(PRO, id="old", is_active=False)
TEN = replace(
    PRO,
    id="ten",
    category="credits",
    type="one_time",
    price_micros=1000 * CENT,
    price_year_micros=None,
    credits_micros=1000 * CENT,
)
CUSTOM = replace(
    TEN,
    id="custom",
    price_micros=None,
    credits_micros=None,
    amount_micros_min=500 * CENT,
    amount_micros_max=900 * CENT,
)
ASK = replace(PRO, id="ask", price_micros=None, price_year_micros=None, needs_contact=True)
PLANS = (PRO, TEN, OLD, DNS, CUSTOM, ASK)


@pytest.mark.parametrize(
    ("wanted", "ids"),
    [
        ({}, ["pro", "ten", "dns", "custom", "ask"]),
        ({"type_": "recurring"}, ["pro", "dns", "ask"]),
        ({"type_": "one_time"}, ["ten", "custom"]),
        ({"category": "personal"}, ["pro", "ask"]),
        ({"category": "dns", "type_": "recurring"}, ["dns"]),
        ({"category": "dns", "type_": "one_time"}, []),
        ({"category": "DNS"}, []),
        ({"category": ""}, []),
    ],
)
def test_what_is_on_sale_keeps_the_order_of_the_catalogue(wanted, ids):
    assert [plan.id for plan in rules.on_sale(PLANS, **wanted)] == ids


def test_a_plan_is_found_by_its_id():
    assert rules.plan_on_sale(PLANS, "dns") == DNS


@pytest.mark.parametrize("plan_id", ["old", "nothing", "", "PRO", "pro "])
def test_what_is_not_on_sale_is_not_found(plan_id):
    with pytest.raises(PlanNotFound):
        rules.plan_on_sale(PLANS, plan_id)


@pytest.mark.parametrize(
    ("plan", "interval", "interval_count"),
    [(PRO, "monthly", 1), (ASK, "monthly", 1), (TEN, None, None), (CUSTOM, None, None)],
)
def test_what_recurs_is_paid_every_month(plan, interval, interval_count):
    assert (plan.interval, plan.interval_count) == (interval, interval_count)


def test_the_buyer_names_the_amount_where_there_are_bounds_for_it():
    assert [plan.id for plan in PLANS if plan.allows_custom_amount] == ["custom"]


@pytest.mark.parametrize(
    ("year_micros", "month_micros"),
    [(None, None), (0, 0), (1, 1), (11, 1), (12, 1), (13, 2), (290_000_000, 24_166_667)],
)
def test_a_month_of_a_year_is_a_twelfth_rounded_up(year_micros, month_micros):
    assert replace(PRO, price_year_micros=year_micros).month_of_year_micros == month_micros


@given(st.integers(0, 10**15))
def test_twelve_months_of_a_year_pay_for_it_and_for_no_more_than_a_micro_each(year_micros):
    month_micros = replace(PRO, price_year_micros=year_micros).month_of_year_micros

    assert month_micros is not None
    assert year_micros <= 12 * month_micros < year_micros + 12


@pytest.mark.parametrize(
    ("plan", "changes"),
    [
        (PRO, {"price_micros": None}),
        (PRO, {"needs_contact": True}),
        (ASK, {"price_micros": 0}),
        (TEN, {"price_year_micros": 0}),
        (TEN, {"amount_micros_min": 1}),
        (TEN, {"amount_micros_min": 1, "amount_micros_max": 2}),
        (CUSTOM, {"price_micros": 1}),
        (CUSTOM, {"amount_micros_max": None}),
        (CUSTOM, {"amount_micros_min": None}),
    ],
)
def test_a_plan_that_contradicts_itself_is_none(plan, changes):
    with pytest.raises(AssertionError):
        replace(plan, **changes)
