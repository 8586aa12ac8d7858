"""An org's coupons: an admin makes them, changes them, and looks at them."""

import pytest

from tests.api.world import CURSOR, NOON_TEXT, OTHER_ADMIN, TEST_ADMIN, Like, Refusal
from tests.http.events import ADMIN, ALICE

COUPONS = "/v1/billing/coupons"
FRESH = Like(r"([0-9A-HJKMNP-TV-Z]{4}-){3}[0-9A-HJKMNP-TV-Z]{4}")
UNKNOWN = Refusal(404, "coupon_not_found", None, {})
SPRING = {
    "code": "SPRING-26",
    "kind": "credit",
    "amount": 500,
    "currency": "usd",
    "max_redemptions": None,
    "per_user": 1,
    "min_purchase": None,
    "starts_at": None,
    "expires_at": None,
    "active": True,
    "redeemed": 0,
    "created_at": NOON_TEXT,
}
WHOLE = {
    "code": "double_up",
    "kind": "bonus",
    "percent": 10,
    "currency": "EUR",
    "max_redemptions": 100,
    "per_user": 2,
    "min_purchase": 2_000,
    "starts_at": "2026-11-21T13:00:00+01:00",
    "expires_at": "2026-12-21T12:00:00Z",
    "active": False,
}


def make(world, *, by=ADMIN, **said):
    return world.post(COUPONS, by=by, body={"kind": "credit", "amount": 500, **said})


def refused(world, **said):
    return world.refused("POST", COUPONS, by=ADMIN, body={"kind": "credit", "amount": 1, **said})


def change(world, code, body, *, by=ADMIN):
    return world.ask("PATCH", f"{COUPONS}/{code}", by=by, body=body)


def codes(world, **asked):
    return [each["code"] for each in world.get(COUPONS, **{"by": ADMIN, **asked})["data"]]


# --- Making --------------------------------------------------------------------------------------


def test_a_coupon_is_what_it_was_said_to_be(world):
    answer = world.ask(
        "POST", COUPONS, by=ADMIN, body={"code": "spring-26", "kind": "credit", "amount": 500}
    )

    assert (answer.status, answer.body) == (201, SPRING)
    assert world.get(COUPONS, by=ADMIN) == {
        "data": [SPRING],
        "has_more": False,
        "next_cursor": None,
    }


def test_whatever_can_be_said_is_kept(world):
    shown = world.post(COUPONS, by=ADMIN, body=WHOLE)

    assert shown == {
        **WHOLE,
        "code": "DOUBLE_UP",
        "currency": "eur",
        "starts_at": NOON_TEXT,
        "expires_at": "2026-12-21T12:00:00.000Z",
        "redeemed": 0,
        "created_at": NOON_TEXT,
    }


def test_without_a_code_there_is_one_that_nobody_can_guess(world):
    made = [make(world)["code"] for _ in range(5)]

    assert made == [FRESH] * 5
    assert len(set(made)) == 5


def test_a_second_delivery_gets_the_same_code(world):
    body = {"kind": "credit", "amount": 500}
    first = world.ask("POST", COUPONS, by=ADMIN, body=body, key="k1")

    again = world.ask("POST", COUPONS, by=ADMIN, body=body, key="k1")

    assert (again.text, again.replayed) == (first.text, True)
    assert codes(world) == [first.body["code"]]


@pytest.mark.parametrize("code", ["SPRING-26", "spring-26", " Spring-26 "])
def test_a_code_is_given_out_once_however_it_is_written(world, code):
    make(world, code="SPRING-26")

    assert refused(world, code=code) == Refusal(409, "coupon_exists", None, {})


def test_another_org_and_another_mode_have_codes_of_their_own(world):
    for admin in (ADMIN, OTHER_ADMIN, TEST_ADMIN):
        make(world, by=admin, code="SPRING-26")

    for admin in (ADMIN, OTHER_ADMIN, TEST_ADMIN):
        assert codes(world, by=admin) == ["SPRING-26"]


@pytest.mark.parametrize(
    ("said", "param"),
    [
        ({"code": "short"}, "code"),
        ({"code": "a" * 41}, "code"),
        ({"code": "not good"}, "code"),
        ({"kind": "gift"}, "kind"),
        ({"amount": None}, "amount"),
        ({"amount": 0}, "amount"),
        ({"percent": 10}, "amount"),
        ({"kind": "bonus", "percent": 10}, "percent"),
        ({"kind": "bonus", "amount": None}, "percent"),
        ({"kind": "bonus", "amount": None, "percent": 0}, "percent"),
        ({"kind": "bonus", "amount": None, "percent": 101}, "percent"),
        ({"min_purchase": 1}, "min_purchase"),
        ({"max_redemptions": 0}, "max_redemptions"),
        ({"max_redemptions": 1_000_000_001}, "max_redemptions"),
        ({"per_user": 0}, "per_user"),
        ({"per_user": 1_001}, "per_user"),
        ({"expires_at": NOON_TEXT}, "expires_at"),
        ({"starts_at": "2027-01-01T00:00:00Z", "expires_at": "2027-01-01T00:00:00Z"}, "expires_at"),
        ({"currency": "XXX"}, "currency"),
    ],
    ids=str,
)
def test_a_coupon_that_could_not_be_is_refused_by_name(world, said, param):
    assert refused(world, **said)[:3] == (422, "invalid_field", param)
    assert codes(world) == []


@pytest.mark.parametrize(
    "said",
    [
        {"max_redemptions": 1},
        {"max_redemptions": 1_000_000_000},
        {"per_user": 1_000},
        {"kind": "bonus", "amount": None, "percent": 1},
        {"kind": "bonus", "amount": None, "percent": 100},
        {"kind": "bonus", "min_purchase": 1},
        {"code": "sixsix"},
        {"code": "a" * 40},
        {"expires_at": "2026-11-21T12:00:00.001Z"},
        {"starts_at": "2020-01-01T00:00:00Z"},
    ],
    ids=str,
)
def test_the_limits_themselves_are_fine(world, said):
    assert make(world, **said)["active"] is True


@pytest.mark.parametrize(("amount", "status"), [(10**11, 201), (10**11 + 1, 422)])
def test_a_coupon_gives_no_more_than_an_operation_can_move(world, amount, status):
    body = {"kind": "credit", "amount": amount}

    answer = world.ask("POST", COUPONS, by=ADMIN, body=body)

    assert answer.status == status
    if status == 422:
        assert answer.refusal[:3] == (422, "amount_too_large", "amount")


# --- Changing ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "said",
    [
        {"active": False},
        {"max_redemptions": 7},
        {"per_user": 2},
        {"expires_at": "2026-12-21T12:00:00.000Z"},
        {"starts_at": "2026-11-22T12:00:00.000Z"},
        {"active": False, "per_user": 3, "max_redemptions": 9},
        {"expires_at": "2020-01-01T00:00:00.000Z"},
        {},
    ],
    ids=str,
)
@pytest.mark.parametrize("spelled", ["SPRING-26", "spring-26", "Spring-26"])
def test_what_is_said_is_changed_and_nothing_else(world, said, spelled):
    make(world, code="SPRING-26")

    answer = change(world, spelled, said)

    assert (answer.status, answer.body) == (200, {**SPRING, **said})
    assert world.get(COUPONS, by=ADMIN)["data"] == [{**SPRING, **said}]


def test_a_limit_that_is_null_is_none_and_what_has_none_stays(world):
    body = {"code": "bonus-1", "kind": "bonus", "amount": 1, "max_redemptions": 5}
    body |= {"min_purchase": 100, "starts_at": NOON_TEXT, "expires_at": "2026-12-01T00:00:00Z"}
    world.post(COUPONS, by=ADMIN, body=body)
    nothing = dict.fromkeys(("max_redemptions", "min_purchase", "starts_at", "expires_at"))

    answer = change(world, "BONUS-1", {**nothing, "per_user": None, "active": None})

    assert {name: answer.body[name] for name in nothing} == nothing
    assert (answer.body["per_user"], answer.body["active"]) == (1, True)


def test_a_purchase_is_counted_in_the_coupons_currency(world):
    world.post(
        COUPONS,
        by=ADMIN,
        body={"code": "yen-26", "kind": "bonus", "amount": 100, "currency": "jpy"},
    )

    assert change(world, "yen-26", {"min_purchase": 2_000}).body["min_purchase"] == 2_000


@pytest.mark.parametrize(
    "name", ["code", "kind", "amount", "percent", "currency", "redeemed", "created_at"]
)
def test_what_a_coupon_gives_cannot_be_changed(world, name):
    make(world, code="SPRING-26")

    refusal = world.refused("PATCH", f"{COUPONS}/SPRING-26", by=ADMIN, body={name: 1})

    assert refusal == Refusal(422, "unknown_field", name, {})


@pytest.mark.parametrize(
    ("said", "param"),
    [
        ({"max_redemptions": 1}, "max_redemptions"),
        ({"per_user": 1}, "per_user"),
        ({"min_purchase": 1}, "min_purchase"),
        ({"starts_at": "2026-12-01T00:00:00Z", "expires_at": "2026-12-01T00:00:00Z"}, "expires_at"),
        ({"max_redemptions": 0}, "max_redemptions"),
    ],
    ids=str,
)
def test_a_change_that_would_make_it_unsound_is_refused_by_name(world, said, param):
    make(world, code="SPRING-26", per_user=2)
    redeem = "/api/agents/v1/wallet/coupons/redeem"
    for _ in range(2):
        world.post(redeem, body={"coupon_code": "SPRING-26"})

    refusal = world.refused("PATCH", f"{COUPONS}/SPRING-26", by=ADMIN, body=said)

    assert refusal[:3] == (422, "invalid_field", param)


@pytest.mark.parametrize("code", ["NOWHERE-1", "x", "a b c d e f", "%23%23%23%23%23%23"])
def test_a_coupon_that_is_not_there_is_not_found(world, code):
    make(world, code="SPRING-26")

    refusal = world.refused("PATCH", f"{COUPONS}/{code}", by=ADMIN, body={"active": False})

    assert refusal.status == 404
    assert refusal.code in ("coupon_not_found", "not_found")


@pytest.mark.parametrize("admin", [OTHER_ADMIN, TEST_ADMIN], ids=["another org", "another mode"])
def test_anothers_coupon_is_as_unknown_as_nobodys(world, admin):
    make(world, code="SPRING-26")

    refusal = world.refused("PATCH", f"{COUPONS}/SPRING-26", by=admin, body={"active": False})

    assert refusal == UNKNOWN


def test_a_change_is_delivered_again_with_its_first_answer(world):
    make(world, code="SPRING-26")
    ask = {"method": "PATCH", "path": f"{COUPONS}/SPRING-26", "by": ADMIN, "key": "k1"}
    first = world.ask(**ask, body={"active": False})
    change(world, "SPRING-26", {"active": True})

    again = world.ask(**ask, body={"active": False})

    assert (again.text, again.replayed) == (first.text, True)
    assert world.get(COUPONS, by=ADMIN)["data"][0]["active"] is True


# --- Looking -------------------------------------------------------------------------------------


def test_the_list_is_newest_first_and_a_page_at_a_time(world):
    for number in range(5):
        world.wait(minutes=1)
        make(world, code=f"CODE-{number}")

    first = world.get(COUPONS, by=ADMIN, query={"limit": 2})
    second = world.get(COUPONS, by=ADMIN, query={"limit": 2, "cursor": first["next_cursor"]})
    third = world.get(COUPONS, by=ADMIN, query={"limit": 2, "cursor": second["next_cursor"]})

    shown = [[each["code"] for each in page["data"]] for page in (first, second, third)]
    assert shown == [["CODE-4", "CODE-3"], ["CODE-2", "CODE-1"], ["CODE-0"]]
    assert [page["has_more"] for page in (first, second, third)] == [True, True, False]
    assert first["next_cursor"] == CURSOR
    assert third["next_cursor"] is None


@pytest.mark.parametrize("admin", [OTHER_ADMIN, TEST_ADMIN])
def test_a_cursor_is_good_for_the_orgs_own_list(world, admin):
    for number in range(2):
        make(world, code=f"CODE-{number}")
    cursor = world.get(COUPONS, by=ADMIN, query={"limit": 1})["next_cursor"]

    refusal = world.refused("GET", COUPONS, by=admin, query={"limit": 1, "cursor": cursor})

    assert refusal == Refusal(422, "invalid_cursor", "cursor", {})


def test_what_was_redeemed_is_counted(world):
    make(world, code="SPRING-26")
    world.post("/api/agents/v1/wallet/coupons/redeem", body={"coupon_code": "SPRING-26"})

    assert world.get(COUPONS, by=ADMIN)["data"] == [{**SPRING, "redeemed": 1}]


@pytest.mark.parametrize(("method", "path"), [("POST", COUPONS), ("GET", COUPONS)])
def test_coupons_are_for_admins(world, method, path):
    body = {"kind": "credit", "amount": 1} if method == "POST" else None

    assert world.refused(method, path, by=ALICE, body=body)[:2] == (403, "forbidden")
