"""Bonus coupons on the agents surface: credit on top of what a card pays."""

from decimal import Decimal

import pytest

from tests.api.world import BOB, Like, Refusal
from tests.http.events import ADMIN, ALICE

COUPONS = "/v1/billing/coupons"
VALIDATE = "/api/agents/v1/wallet/coupons/validate"
REDEEM = "/api/agents/v1/wallet/coupons/redeem"
INTENT_ID = Like(r"pi_\w{24}")
PAYMENT_ID = Like(r"pay_[0-9a-z]{10}[a-z2-7]{26}_usd")


@pytest.fixture(autouse=True)
def coupon(world):
    """Ten percent on top of twenty dollars or more."""
    body = {"code": "TEN-MORE", "kind": "bonus", "percent": 10, "min_purchase": 2_000}
    return world.post(COUPONS, by=ADMIN, body=body)


def buy(world, amount=20, card="pm_card_visa", *, by=ALICE, **asked):
    body = {"coupon_code": "ten-more", "purchase_amount": amount, "payment_method_id": card}
    return world.ask("POST", REDEEM, by=by, body=body, **asked)


def redeemed(world):
    return world.get(COUPONS, by=ADMIN)["data"][0]["redeemed"]


def test_the_bonus_comes_with_the_money(world):
    answer = buy(world)

    assert (answer.status, answer.data) == (
        200,
        {
            "coupon_code": "TEN-MORE",
            "credited": Decimal("2.00"),
            "currency": "USD",
            "balance": Decimal("32.00"),
            "payment": {
                "id": PAYMENT_ID,
                "status": "succeeded",
                "payment_intent_id": INTENT_ID,
                "amount": Decimal("20.00"),
                "currency": "USD",
            },
        },
    )
    assert world.cents() == (3_200, 0)
    assert redeemed(world) == 1


def test_what_was_paid_is_cash_and_what_was_given_is_not(world):
    buy(world)

    shown = world.get("/api/v1/billing/credit-balance/breakdown", query={"userId": "alice"})
    body = {"user": "alice", "amount": 2_001}
    refusal = world.refused("POST", "/api/v1/billing/withdraw", by=ADMIN, body=body)

    assert shown["total"] == {"cents": 1_200}
    assert refusal[:2] == (402, "insufficient_funds")


def test_a_second_delivery_is_the_first_answer_and_a_second_request_is_told(world):
    first = buy(world, key="k1")
    world.start_anew()

    again = buy(world, key="k1")

    assert again.text.replace(',"idempotency_replay":true', "") == first.text
    assert again.replayed
    assert buy(world, key="k2").refusal[:2] == (409, "coupon_already_redeemed")
    assert world.cents() == (3_200, 0)


@pytest.mark.parametrize(
    ("amount", "status"),
    [
        ("19.99", 422),
        ("20", 200),
        ("20.01", 200),
        ("10000", 200),
        ("10000.01", 422),
        ("20.001", 422),
    ],
)
def test_a_purchase_is_within_its_limits(world, amount, status):
    more = f'"purchase_amount":{amount},"payment_method_id":"pm_card_visa"'
    body = f'{{"coupon_code":"TEN-MORE",{more}}}'

    answer = world.ask("POST", REDEEM, body=body)

    assert answer.status == status
    assert redeemed(world) == (status == 200)
    if status == 422:
        assert answer.refusal[:3] == (422, "invalid_field", "purchase_amount")


def test_a_decline_is_told_and_gives_the_coupon_back(world):
    answer = buy(world, card="pm_card_chargeDeclinedInsufficientFunds", key="k1")

    assert answer.refusal == Refusal(
        402,
        "payment_declined",
        None,
        {"decline_code": "insufficient_funds", "payment_intent_id": INTENT_ID},
    )
    assert redeemed(world) == 0
    assert buy(world, card="pm_card_chargeDeclinedInsufficientFunds", key="k1").status == 402
    assert buy(world).status == 200
    assert redeemed(world) == 1


def test_while_somebody_has_to_confirm_nothing_is_given_and_the_coupon_is_reserved(world):
    answer = buy(world, card="pm_card_authenticationRequired")

    shown = answer.data
    assert (answer.status, shown["credited"], shown["payment"]["status"]) == (
        202,
        Decimal("0.00"),
        "requires_action",
    )
    assert shown["payment"]["client_secret"].startswith("pi_")
    assert "balance" not in shown
    assert world.cents() == (1_000, 0)
    assert redeemed(world) == 1
    again = buy(world, key="k2").refusal
    assert again == Refusal(409, "coupon_reserved", None, {"payment_id": shown["payment"]["id"]})
    told = world.get(VALIDATE, query={"code": "TEN-MORE"})
    assert (told["valid"], told["reason"]) == (False, "coupon_reserved")


def test_a_card_that_there_is_not_is_not_charged(world):
    refusal = buy(world, card="pm_nobodys").refusal

    assert refusal[:2] == (404, "payment_method_not_found")
    assert redeemed(world) == 0


def test_a_coupon_that_is_used_up_charges_nobody(world):
    world.ask("PATCH", f"{COUPONS}/TEN-MORE", by=ADMIN, body={"max_redemptions": 1})
    buy(world)

    assert buy(world, by=BOB).refusal[:2] == (409, "coupon_exhausted")
    assert world.cents(by=BOB) == (1_000, 0)
