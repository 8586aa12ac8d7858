"""Coupons on the agents surface: what a code is good for, and redeeming it."""

from decimal import Decimal

import pytest

from tests.api.keyed import keyed
from tests.api.world import BOB, NOON_TEXT, TEST_ALICE, ZOE, Refusal
from tests.http.events import ADMIN, ALICE

COUPONS = "/v1/billing/coupons"
VALIDATE = "/api/agents/v1/wallet/coupons/validate"
REDEEM = "/api/agents/v1/wallet/coupons/redeem"
INVALID = Refusal(404, "coupon_invalid", None, {})
NOTHING = {"type": None, "currency": None, "min_purchase": None, "expires_at": None}


@pytest.fixture
def spring(world):
    """A coupon of five dollars."""
    return make(world)


def make(world, *, code="SPRING-26", **said):
    body = {"code": code, "kind": "credit", "amount": 500, **said}
    return world.post(COUPONS, by=ADMIN, body=body)


def change(world, code="SPRING-26", **said):
    answer = world.ask("PATCH", f"{COUPONS}/{code}", by=ADMIN, body=said)
    assert answer.status == 200


def valid(world, code="SPRING-26", *, by=ALICE, **query):
    return world.get(VALIDATE, by=by, query={"coupon_code": code, **query})


def redeem(world, code="SPRING-26", *, by=ALICE, **asked):
    return world.ask("POST", REDEEM, by=by, body={"coupon_code": code}, **asked)


def guess(world, number, *, by=ALICE):
    """What is answered to a code that there is not."""
    return redeem(world, f"WRONG-{number}", by=by).refusal


# --- Validating ----------------------------------------------------------------------------------


def test_a_good_code_says_what_it_gives(world, spring):
    mark = world.mark()

    assert valid(world) == {
        "valid": True,
        "coupon_code": "SPRING-26",
        "type": "credit",
        "amount": Decimal("5.00"),
        "currency": "USD",
        "min_purchase": None,
        "expires_at": None,
    }
    assert world.written_since(mark) == []
    assert world.get(COUPONS, by=ADMIN)["data"] == [spring]


def test_a_bonus_says_what_it_asks_for(world):
    make(
        world,
        kind="bonus",
        amount=None,
        percent=10,
        min_purchase=2_000,
        expires_at="2026-12-01T00:00:00Z",
    )

    assert valid(world, purchase_amount="20.00") == {
        "valid": True,
        "coupon_code": "SPRING-26",
        "type": "bonus",
        "percent": 10,
        "currency": "USD",
        "min_purchase": Decimal("20.00"),
        "expires_at": "2026-12-01T00:00:00.000Z",
    }


@pytest.mark.parametrize(
    ("amount", "is_valid"),
    [("19.99", False), ("20", True), ("20.00", True), ("20.01", True), ("0020.00", True)],
)
def test_a_purchase_is_large_enough_or_it_is_not(world, amount, is_valid):
    make(world, kind="bonus", min_purchase=2_000)

    shown = valid(world, purchase_amount=amount)

    assert (shown["valid"], shown["type"]) == (is_valid, "bonus")
    assert shown.get("reason") == (None if is_valid else "purchase_too_small")


@pytest.mark.parametrize(
    "amount", ["0", "-1", "1e2", "1,00", "twenty", "", "1.", "0.001", "9" * 16]
)
def test_a_purchase_is_a_plain_amount(world, spring, amount):
    make(world, code="BONUS-1", kind="bonus")
    query = {"coupon_code": "BONUS-1", "purchase_amount": amount}

    refusal = world.refused("GET", VALIDATE, query=query)

    assert refusal[:3] == (422, "invalid_field", "purchase_amount")


@pytest.mark.parametrize("written", ["spring-26", "SPRING-26", "Spring-26", " spring-26 "])
@pytest.mark.parametrize("name", ["coupon_code", "code"])
def test_a_code_is_read_however_it_is_written(world, spring, written, name):
    assert world.get(VALIDATE, query={name: written})["coupon_code"] == "SPRING-26"


def test_two_names_for_one_thing_say_the_same(world, spring):
    both = {"coupon_code": "SPRING-26", "code": "spring-26"}
    other = {**both, "code": "another"}

    assert world.get(VALIDATE, query=both)["valid"] is True
    assert world.refused("GET", VALIDATE, query=other)[:3] == (422, "invalid_field", "code")


@pytest.mark.parametrize(
    ("query", "param"),
    [
        ({}, "coupon_code"),
        ({"coupon_code": "short"}, "coupon_code"),
        ({"coupon_code": "x" * 41}, "coupon_code"),
        ({"code": "not good"}, "code"),
    ],
    ids=str,
)
def test_what_no_code_can_look_like_is_a_wrong_field_and_no_guess(world, query, param):
    assert world.refused("GET", VALIDATE, query=query)[:3] == (422, "invalid_field", param)


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ({"active": False}, "coupon_invalid"),
        ({"starts_at": "2026-11-21T12:00:00.001Z"}, "coupon_invalid"),
        ({"expires_at": NOON_TEXT}, "coupon_expired"),
    ],
    ids=str,
)
def test_a_code_that_is_not_good_says_why_and_nothing_else(world, spring, said, reason):
    change(world, **said)

    assert valid(world) == {"valid": False, "coupon_code": "SPRING-26", **NOTHING, "reason": reason}


def test_a_code_that_never_was_is_as_one_that_is_switched_off(world, spring):
    change(world, active=False)

    off, never = valid(world), valid(world, "NEVER-WAS")

    assert {**off, "coupon_code": "NEVER-WAS"} == never


def test_whoever_has_redeemed_it_is_told_so(world, spring):
    redeem(world)

    shown = valid(world)

    assert (shown["valid"], shown["reason"], shown["type"]) == (
        False,
        "coupon_already_redeemed",
        "credit",
    )
    assert valid(world, by=BOB)["valid"] is True


# --- Redeeming -----------------------------------------------------------------------------------


def test_a_credit_coupon_is_credit_at_once(world, spring):
    answer = redeem(world)

    assert (answer.status, answer.data) == (
        200,
        {
            "coupon_code": "SPRING-26",
            "credited": Decimal("5.00"),
            "currency": "USD",
            "balance": Decimal("15.00"),
        },
    )
    assert world.cents() == (1500, 0)
    (shown, *_) = world.get("/api/agents/v1/wallet/transactions")["items"]
    told = ("type", "source", "usecase", "amount")
    assert [shown[name] for name in told] == ["credit", "coupon", "coupon", Decimal("5.00")]


def test_its_credit_is_credit_on_every_surface_and_no_cash(world, spring):
    redeem(world)

    (entry, _) = world.get("/v1/billing/entries")["data"]
    assert (entry["type"], entry["reference"], entry["source"]) == (
        "coupon_credit",
        "SPRING-26",
        "coupon",
    )
    shown = world.get("/api/v1/billing/credit-balance/breakdown", query={"userId": "alice"})
    assert shown["breakdown"]["coupon"] == {"cents": 500}
    withdraw = {"user": "alice", "amount": 1}
    refusal = world.refused("POST", "/api/v1/billing/withdraw", by=ADMIN, body=withdraw)
    assert refusal[:2] == (402, "insufficient_funds")


def test_a_second_delivery_is_the_first_answer_and_a_second_request_is_told(world, spring):
    first = redeem(world, key="k1")
    world.start_anew()

    again = redeem(world, key="k1")
    other = redeem(world, key="k2")

    assert again.text.replace(',"idempotency_replay":true', "") == first.text
    assert again.replayed
    assert other.refusal == Refusal(409, "coupon_already_redeemed", None, {})
    assert world.cents() == (1500, 0)


@pytest.mark.parametrize(
    ("said", "refusal"),
    [
        ({"active": False}, INVALID),
        ({"starts_at": "2026-11-21T12:00:00.001Z"}, INVALID),
        ({"expires_at": NOON_TEXT}, Refusal(410, "coupon_expired", None, {})),
    ],
    ids=str,
)
def test_a_coupon_that_is_not_good_is_not_redeemed(world, spring, said, refusal):
    change(world, **said)

    assert redeem(world).refusal == refusal
    assert world.cents() == (1000, 0)


@pytest.mark.parametrize(("limit", "redeemed"), [(1, 1), (2, 2), (3, 2)])
def test_a_coupon_is_for_so_many(world, limit, redeemed):
    make(world, max_redemptions=limit)

    answers = [redeem(world, by=by) for by in (ALICE, BOB)]

    assert sum(answer.status == 200 for answer in answers) == redeemed
    for answer in answers[redeemed:]:
        assert answer.refusal == Refusal(409, "coupon_exhausted", None, {})
    assert world.get(COUPONS, by=ADMIN)["data"][0]["redeemed"] == redeemed


@pytest.mark.parametrize("by", [ZOE, TEST_ALICE], ids=["another org", "another mode"])
def test_anothers_coupon_is_as_unknown_as_nobodys(world, spring, by):
    assert redeem(world, by=by).refusal == redeem(world, "NEVER-WAS", by=by).refusal == INVALID


def test_a_coupon_in_yen_gives_yen(world):
    make(world, amount=500, currency="jpy")

    shown = redeem(world).data

    assert (shown["credited"], shown["currency"], shown["balance"]) == (500, "JPY", 500)


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({}, "coupon_code"),
        ({"coupon_code": "short"}, "coupon_code"),
        ({"coupon_code": "SPRING-26", "payment_method_id": "pm_card_visa"}, "payment_method_id"),
        ({"coupon_code": "SPRING-26", "purchase_amount": 20}, "purchase_amount"),
        (
            {
                "coupon_code": "SPRING-26",
                "purchase_amount": 20,
                "payment_method_id": "pm_card_visa",
            },
            "purchase_amount",
        ),
        ({"coupon_code": "BONUS-1"}, "payment_method_id"),
    ],
    ids=str,
)
def test_a_purchase_comes_with_a_bonus_and_with_nothing_else(world, spring, body, param):
    make(world, code="BONUS-1", kind="bonus")

    assert world.refused("POST", REDEEM, body=body)[:3] == (422, "invalid_field", param)


# --- Guessing ------------------------------------------------------------------------------------


def test_five_wrong_codes_are_all_and_then_a_good_one_is_not_taken_either(world, spring):
    assert [guess(world, number) for number in range(5)] == [INVALID] * 5

    locked = redeem(world)

    limited = Refusal(429, "rate_limited", None, {"retry_after_seconds": 900})
    assert locked.refusal == limited
    assert locked.headers["Retry-After"] == "900"
    refusal = world.refused("GET", VALIDATE, query={"coupon_code": "SPRING-26"})
    assert refusal == limited
    assert guess(world, 0) == INVALID
    assert redeem(world, by=BOB).status == 200


@pytest.mark.parametrize(
    ("minutes", "status"), [(14.999, 429), (15, 200), (16, 200)], ids=["before", "at", "after"]
)
def test_after_a_quarter_of_an_hour_a_good_code_is_taken_again(world, spring, minutes, status):
    for number in range(5):
        guess(world, number)
    world.wait(minutes=minutes)

    assert redeem(world).status == status


def test_validating_counts_as_guessing(world, spring):
    for number in range(5):
        assert valid(world, f"WRONG-{number}")["valid"] is False

    assert redeem(world).refusal[:2] == (429, "rate_limited")


def test_a_guess_is_noted_as_a_digest_and_nothing_else_is_written(world):
    mark = world.mark()

    guess(world, 1)

    (written,) = world.written_since(mark)
    assert written.endswith("GUESSES")
    assert "WRONG-1" not in str(world.items())


def test_a_refused_request_has_not_used_its_key_up(world, spring):
    change(world, active=False)
    assert redeem(world, key="k1").refusal == INVALID
    change(world, active=True)

    assert redeem(world, key="k1").status == 200


# --- Keys ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scopes", "statuses"),
    [
        (["credits:read", "credits:write"], (200, 200)),
        (["credits:read"], (200, 403)),
        (["credits:write"], (403, 200)),
        (["wallet:read", "wallet:write"], (403, 403)),
    ],
)
def test_a_key_does_what_its_scopes_say(world, spring, scopes, statuses):
    by = keyed(ALICE, *scopes)

    looked = world.ask("GET", VALIDATE, by=by, query={"coupon_code": "SPRING-26"})
    redeemed = redeem(world, by=by)

    assert (looked.status, redeemed.status) == statuses
