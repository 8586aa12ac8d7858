"""Orders: what they cost, and when they can be given back."""

from dataclasses import replace
from datetime import timedelta

import pytest

from holdfast.domain import orders as rules
from holdfast.domain.payments import Payment
from holdfast.domain.plans import Plan
from holdfast.errors import InvalidField, OrderNotRefundable, PlanNotFound, SubscriptionsNotEnabled
from tests.domain.samples import NOW
from tests.services.caller import LIVE

DOLLAR = 1_000_000
PACK = Plan(
    id="pack",
    name="Pack",
    description="",
    category="credits",
    type="one_time",
    currency="usd",
    price_micros=10 * DOLLAR,
    credits_micros=10 * DOLLAR,
)
CUSTOM = replace(
    PACK,
    price_micros=None,
    credits_micros=None,
    amount_micros_min=5 * DOLLAR,
    amount_micros_max=50 * DOLLAR,
)
ORDER = Payment(
    id="ord_1",
    kind="order",
    tenant=LIVE,
    account_id="acct_1",
    amount_micros=10 * DOLLAR,
    currency="usd",
    surface="me",
    created_at=NOW,
    updated_at=NOW,
    status="succeeded",
    received_micros=10 * DOLLAR,
    received_currency="usd",
    entry_id="ent_1",
)
REFUND = replace(ORDER, id="ref_1", kind="refund", refund_of="ord_1", entry_id="ent_2")


def test_a_plan_costs_its_price():
    assert rules.price_micros(PACK, None) == 10 * DOLLAR


@pytest.mark.parametrize("amount_micros", [1, 10 * DOLLAR])
def test_a_plan_with_a_price_takes_no_amount(amount_micros):
    with pytest.raises(InvalidField) as refused:
        rules.price_micros(PACK, amount_micros)

    assert refused.value.param == "amount"


@pytest.mark.parametrize(
    ("amount_micros", "is_good"),
    [
        (None, False),
        (5 * DOLLAR - 1, False),
        (5 * DOLLAR, True),
        (5 * DOLLAR + 1, True),
        (50 * DOLLAR - 1, True),
        (50 * DOLLAR, True),
        (50 * DOLLAR + 1, False),
    ],
)
def test_a_buyer_names_an_amount_within_the_bounds(amount_micros, is_good):
    if is_good:
        assert rules.price_micros(CUSTOM, amount_micros) == amount_micros
        return
    with pytest.raises(InvalidField) as refused:
        rules.price_micros(CUSTOM, amount_micros)

    assert refused.value.param == "amount"


def test_what_is_paid_again_and_again_is_not_sold_yet():
    with pytest.raises(SubscriptionsNotEnabled):
        rules.price_micros(replace(PACK, type="recurring"), None)


def test_what_has_no_price_is_not_sold():
    with pytest.raises(PlanNotFound):
        rules.price_micros(replace(PACK, price_micros=None, needs_contact=True), None)


@pytest.mark.parametrize(
    ("credits_micros", "bonus_micros"),
    [(None, 0), (0, 0), (10 * DOLLAR, 0), (10 * DOLLAR + 1, 1), (12 * DOLLAR, 2 * DOLLAR)],
)
def test_what_a_plan_credits_beyond_its_price_is_a_bonus(credits_micros, bonus_micros):
    plan = replace(PACK, credits_micros=credits_micros)

    assert rules.bonus_micros(plan, 10 * DOLLAR) == bonus_micros


@pytest.mark.parametrize(
    ("changed", "refund", "status"),
    [
        ({"status": "pending"}, None, "pending"),
        ({"status": "requires_capture"}, None, "pending"),
        ({"status": "requires_action"}, None, "requires_action"),
        ({"status": "failed"}, None, "failed"),
        ({"status": "canceled"}, None, "failed"),
        ({}, None, "succeeded"),
        ({"refunded_micros": 10 * DOLLAR}, "pending", "refund_pending"),
        ({"refunded_micros": 10 * DOLLAR}, "succeeded", "refunded"),
        ({"refunded_micros": 5 * DOLLAR}, "succeeded", "succeeded"),
        ({}, "failed", "succeeded"),
        ({}, "canceled", "succeeded"),
    ],
)
def test_an_order_is_in_the_state_of_its_payment_and_its_refund(changed, refund, status):
    last = replace(REFUND, status=refund) if refund else None

    assert rules.status_of(replace(ORDER, **changed), last) == status


@pytest.mark.parametrize(
    ("changed", "cash_micros", "age", "is_refundable"),
    [
        ({}, 10 * DOLLAR, timedelta(), True),
        ({}, 10 * DOLLAR - 1, timedelta(), False),
        ({}, 10 * DOLLAR + 1, timedelta(), True),
        ({}, -1, timedelta(), False),
        ({}, 10 * DOLLAR, rules.REFUND_WINDOW - timedelta(milliseconds=1), True),
        ({}, 10 * DOLLAR, rules.REFUND_WINDOW, False),
        ({}, 10 * DOLLAR, rules.REFUND_WINDOW + timedelta(milliseconds=1), False),
        ({"refunded_micros": 1}, 10 * DOLLAR, timedelta(), False),
        ({"status": "pending", "entry_id": ""}, 10 * DOLLAR, timedelta(), False),
        ({"status": "failed", "entry_id": ""}, 10 * DOLLAR, timedelta(), False),
        ({"entry_id": ""}, 10 * DOLLAR, timedelta(), False),
    ],
)
def test_an_order_can_be_given_back_while_it_is_young_and_its_money_there(
    changed, cash_micros, age, is_refundable
):
    order, now = replace(ORDER, **changed), NOW + age

    assert rules.is_refundable(order, cash_micros, now) is is_refundable
    if is_refundable:
        rules.require_refundable(order, cash_micros, now)
        return
    with pytest.raises(OrderNotRefundable):
        rules.require_refundable(order, cash_micros, now)


def test_orders_stand_in_the_order_of_time_or_of_their_amounts():
    orders = [
        replace(ORDER, id=f"ord_{number}", amount_micros=amount)
        for number, amount in ((2, 5), (1, 7), (3, 5))
    ]

    def ids(field, *, descending):
        return [each.id[-1] for each in rules.in_order(orders, field, descending=descending)]

    assert ids("created_at", descending=False) == ["1", "2", "3"]
    assert ids("created_at", descending=True) == ["3", "2", "1"]
    assert ids("amount", descending=False) == ["2", "3", "1"]
    assert ids("amount", descending=True) == ["1", "3", "2"]
