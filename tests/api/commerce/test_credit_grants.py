"""Credit that is granted: `/api/v1/billing/credit-grants`."""

import pytest

from tests.api.keyed import keyed
from tests.api.workspaces.places import open_account
from tests.api.world import (
    BOB,
    NOON_TEXT,
    OTHER_ADMIN,
    TEST_ADMIN,
    TEST_ALICE,
    Like,
    account_of,
)
from tests.http.events import ADMIN, ALICE

GRANTS = "/api/v1/billing/credit-grants"
GRANT_ID = Like(r"grant_[0-9a-z]{10}[a-z2-7]{26}_[a-z]{3}")
MINE = account_of(ALICE)
YEARS_10 = 3650 * 24


def give(world, amount=500, *, user="acme/alice", by=ADMIN, key=None, **body):
    body = {"userId": user, "amountCents": amount, **body}
    return world.ask("POST", GRANTS, by=by, body=body, key=key)


def given(world, amount=500, **body):
    answer = give(world, amount, **body)
    assert answer.status == 201, answer.text
    return answer.body


def void(world, grant_id, *, by=ADMIN, key=None):
    return world.ask("POST", f"{GRANTS}/{grant_id}/void", by=by, key=key)


def grants(world, *, user="acme/alice", by=ALICE):
    found = world.get(GRANTS, by=by, query={"userId": user})
    assert found["count"] == len(found["grants"])
    assert found["nextCursor"] is None
    return found["grants"]


def credit(world, currency="usd", *, user="acme/alice"):
    """What the user can spend of credit, the introductory one aside."""
    found = world.get("/api/v1/billing/credit-balance", by=ADMIN, query={"userId": user})
    by_currency = {each["currency"]: each["available"] for each in found["balances"]}
    return by_currency.get(currency, 0) - (1000 if currency == "usd" else 0)


# --- Giving ---------------------------------------------------------------------------------------


def test_a_grant_is_answered_with_its_terms(world):
    answer = give(
        world,
        name="Referral",
        currency="USD",
        expiresIn="720h",
        priority=10,
        eligibility=["api-usage", "gpu", "api-usage"],
        tags="referral-bonus",
    )

    assert answer.status == 201
    assert answer.body == {
        "id": GRANT_ID,
        "userId": "acme/alice",
        "name": "Referral",
        "amountCents": 500,
        "remainingCents": 500,
        "currency": "usd",
        "priority": 10,
        "effectiveAt": NOON_TEXT,
        "expiresAt": "2026-12-21T12:00:00.000Z",
        "eligibility": ["api-usage", "gpu"],
        "tags": "referral-bonus",
        "createdAt": NOON_TEXT,
    }


def test_a_grant_without_terms_is_for_anything_and_for_good(world):
    assert given(world, 500) == {
        "id": GRANT_ID,
        "userId": "acme/alice",
        "name": "",
        "amountCents": 500,
        "remainingCents": 500,
        "currency": "usd",
        "priority": 0,
        "effectiveAt": NOON_TEXT,
        "eligibility": [],
        "tags": "",
        "createdAt": NOON_TEXT,
    }
    assert world.cents() == (1500, 0)
    assert grants(world)[0]["name"] == ""


def test_a_grant_is_credit_and_no_cash(world):
    given(world, 500)

    balance = world.get("/api/v1/billing/balance", by=ADMIN, query={"user": "acme/alice"})
    refusal = world.refused(
        "POST", "/api/v1/billing/withdraw", body={"user": "acme/alice", "amount": 1}
    )

    assert (balance["balance"], refusal.code) == (0, "insufficient_funds")


def test_a_grant_is_a_transaction_with_its_tags_and_its_name(world):
    grant = given(world, 500, name="Sorry", tags="goodwill")

    found = world.get("/v1/billing/entries")["data"][0]

    assert (found["type"], found["reference"]) == ("credit_grant", grant["id"])
    assert found["details"] == {"tags": "goodwill", "notes": "Sorry"}


def test_a_grant_may_be_in_any_currency_and_for_any_account(world):
    other = open_account(world, currency="jpy")

    grant = given(world, 500, user=other, currency="jpy")

    assert (grant["userId"], grant["amountCents"], grant["id"][-4:]) == (other, 500, "_jpy")
    assert credit(world, "jpy", user=other) == 500
    assert grants(world, user=other)[0]["id"] == grant["id"]


@pytest.mark.parametrize(
    ("text", "expires_at"),
    [
        ("720h", "2026-12-21T12:00:00.000Z"),
        ("30m", "2026-11-21T12:30:00.000Z"),
        ("1.5h", "2026-11-21T13:30:00.000Z"),
        ("1h30m", "2026-11-21T13:30:00.000Z"),
        (".5s", "2026-11-21T12:00:00.500Z"),
        ("1.s", "2026-11-21T12:00:01.000Z"),
        ("1ms", "2026-11-21T12:00:00.001Z"),
        ("1999us", "2026-11-21T12:00:00.001Z"),
        ("500us500µs", "2026-11-21T12:00:00.001Z"),
        ("1000000ns", "2026-11-21T12:00:00.001Z"),
        (f"{YEARS_10}h", "2036-11-18T12:00:00.000Z"),
    ],
)
def test_a_grant_expires_after_a_length_of_time(world, text, expires_at):
    assert given(world, 500, expiresIn=text)["expiresAt"] == expires_at


@pytest.mark.parametrize(
    "text",
    [
        "", "0", "0s", "0h0m", "-1h", "+1h", "1", "h", "1d", "1w", "1 h", " 1h", "1h ", "1H",
        "1h-1m", "1e3h", "١h", "1h\n", "..1h", "1..h", "999us", "999999ns", f"{YEARS_10}h1ms",
        "9" * 62 + "h", "9" * 63 + "h", "1h" * 32, "1h" * 33, "Infinityh", "NaNh",
    ],
)  # fmt: skip
def test_what_is_no_length_of_time_to_come_is_refused(world, text):
    world.wallet()
    if text == "1h" * 32:
        assert give(world, expiresIn=text).status == 201
        return

    body = {"userId": "acme/alice", "amountCents": 1, "expiresIn": text}
    refusal = world.refused("POST", GRANTS, by=ADMIN, body=body)

    assert refusal[:3] == (422, "invalid_field", "expiresIn")


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"amountCents": 0}, "amountCents"),
        ({"amountCents": -1}, "amountCents"),
        ({"amountCents": "5"}, "amountCents"),
        ({"priority": -1}, "priority"),
        ({"priority": 1001}, "priority"),
        ({"eligibility": [f"m{number}" for number in range(21)]}, "eligibility"),
        ({"eligibility": [""]}, "eligibility.0"),
        ({"eligibility": ["a b"]}, "eligibility.0"),
        ({"eligibility": "api-usage"}, "eligibility"),
        ({"tags": "x" * 201}, "tags"),
        ({"name": "x" * 201}, "name"),
        ({"effectiveAt": "tomorrow"}, "effectiveAt"),
        ({"effectiveAt": "2036-11-18T12:00:00.001Z"}, "effectiveAt"),
        ({"effectiveAt": "9999-12-31T23:59:59Z", "expiresIn": "1h"}, "effectiveAt"),
        ({"userId": ""}, "userId"),
        ({"userId": "a/b/c"}, "userId"),
    ],
    ids=lambda part: str(part)[:40],
)
def test_terms_that_a_grant_cannot_have_are_refused_by_name(world, body, param):
    body = {"userId": "acme/alice", "amountCents": 1, **body}

    refusal = world.refused("POST", GRANTS, by=ADMIN, body=body)

    assert refusal[:3] == (422, "invalid_field", param)
    assert world.items() == []


def test_a_grant_is_no_larger_than_any_operation(world):
    refusal = world.refused(
        "POST", GRANTS, by=ADMIN, body={"userId": "acme/alice", "amountCents": 10**11 + 1}
    )

    assert refusal[:3] == (422, "amount_too_large", "amountCents")


@pytest.mark.parametrize(
    "body",
    [
        {"amountCents": 10**11},
        {"priority": 1000},
        {"eligibility": [f"m{number}" for number in range(20)]},
        {"tags": "x" * 200, "name": "x" * 200},
        {"effectiveAt": "2036-11-18T12:00:00.000Z", "expiresIn": f"{YEARS_10}h"},
    ],
    ids=lambda body: str(body)[:40],
)
def test_the_largest_terms_are_good(world, body):
    assert (
        give(world, **({"amount": 1} | body if "amountCents" not in body else body)).status == 201
    )


# --- When it counts -------------------------------------------------------------------------------


def test_a_grant_of_a_day_to_come_is_there_on_its_day(world):
    grant = given(world, 500, effectiveAt="2026-11-22T13:00:00+01:00", expiresIn="1h")

    assert grant["effectiveAt"] == "2026-11-22T12:00:00.000Z"
    assert grant["expiresAt"] == "2026-11-22T13:00:00.000Z"
    assert (world.cents(), credit(world)) == ((1000, 0), 0)
    (shown,) = grants(world)
    assert (shown["remainingCents"], shown["active"]) == (500, False)

    world.wait(days=1)
    assert (world.cents(), credit(world)) == ((1500, 0), 500)
    assert grants(world)[0]["active"] is True

    world.wait(hours=1)
    assert (world.cents(), credit(world)) == ((1000, 0), 0)
    (shown,) = grants(world)
    assert (shown["remainingCents"], shown["active"], shown["voided"]) == (0, False, False)


def test_a_day_that_has_passed_is_today(world):
    grant = given(world, 500, effectiveAt="2020-01-01T00:00:00Z", expiresIn="1h")

    assert (grant["effectiveAt"], grant["expiresAt"]) == (NOON_TEXT, "2026-11-21T13:00:00.000Z")


def test_grants_are_drawn_by_priority_and_then_by_expiry(world):
    last = given(world, 100, priority=5)["id"]
    second = given(world, 100, priority=1)["id"]
    first = given(world, 100, priority=1, expiresIn="1h")["id"]
    # The introductory credit has priority 0.
    world.use(1000 + 150)

    left = {each["id"]: each["remainingCents"] for each in grants(world)}

    assert left == {last: 100, second: 50, first: 0}


def test_credit_for_one_meter_pays_for_nothing_else(world):
    api = given(world, 300, eligibility=["api-usage"])["id"]
    gpu = given(world, 300, eligibility=["gpu"])["id"]

    assert world.cents() == (1000, 0)
    world.use(1200)

    left = {each["id"]: each["remainingCents"] for each in grants(world)}
    assert left == {api: 0, gpu: 300}
    assert world.cents() == (100, 0)


# --- Listing --------------------------------------------------------------------------------------


def test_grants_are_listed_newest_first_with_what_is_left_of_them(world):
    older = given(world, 500, name="a", tags="b")
    world.wait(seconds=1)
    given(world, 300, currency="eur")
    world.wait(seconds=1)
    world.use("1000.5")
    void(world, older["id"])

    newest, oldest = grants(world)

    assert newest["currency"] == "eur"
    assert oldest == {**older, "remainingCents": 0, "voided": True, "active": False}


def test_what_is_left_is_told_exactly(world):
    given(world, 500, priority=1)
    world.use("1000.5")

    (shown,) = grants(world)

    assert (shown["remainingCents"], shown["remainingCentsDecimal"]) == (499, "499.5")


def test_what_a_hold_has_pinned_is_still_left(world):
    given(world, 500)
    world.hold(1200)

    assert grants(world)[0]["remainingCents"] == 500


def test_everybody_sees_their_own_grants_and_the_admin_everybodys(world):
    given(world, 500)

    assert grants(world, user="bob", by=BOB) == []
    assert len(grants(world, by=ADMIN)) == len(grants(world, user=MINE, by=ADMIN)) == 1
    for by, user, told in (
        (BOB, "alice", (403, "forbidden")),
        (BOB, MINE, (404, "account_not_found")),
        (OTHER_ADMIN, MINE, (404, "account_not_found")),
        (OTHER_ADMIN, "acme/alice", (404, "account_not_found")),
    ):
        assert world.refused("GET", GRANTS, by=by, query={"userId": user})[:2] == told
    assert grants(world, by=TEST_ALICE) == []


def test_a_user_has_to_be_named(world):
    assert world.refused("GET", GRANTS)[:3] == (422, "invalid_field", "userId")


# --- Voiding --------------------------------------------------------------------------------------


def test_a_grant_is_voided_once_and_what_is_left_is_gone(world):
    grant = given(world, 500, priority=1)["id"]
    world.use(1200)

    answer = void(world, grant)
    mark = world.mark()
    again = void(world, grant)

    assert (answer.status, answer.body) == (200, {"id": grant, "voided": True})
    assert world.cents() == (0, 0)
    assert again.refusal == (409, "credit_grant_voided", None, {})
    assert world.written_since(mark) == []


def test_a_grant_of_a_day_to_come_never_comes_once_it_is_voided(world):
    grant = given(world, 500, effectiveAt="2026-11-22T12:00:00Z")["id"]

    assert void(world, grant).status == 200
    world.wait(days=2)

    assert world.cents() == (1000, 0)


def test_what_a_hold_has_pinned_can_be_captured_and_does_not_come_back(world):
    grant = given(world, 500, priority=1)["id"]
    hold = world.hold(1300)["id"]

    void(world, grant)

    assert world.cents() == (1300, 1300)
    world.post(f"/v1/billing/holds/{hold}/capture", body={"amount": 1100})
    assert world.cents() == (0, 0)
    assert grants(world)[0]["remainingCents"] == 0


def test_a_void_that_is_delivered_again_is_answered_again(world):
    grant = given(world, 500)["id"]
    first = void(world, grant, key="k1")

    again = void(world, grant, key="k1")

    assert (again.status, again.text, again.replayed) == (200, first.text, True)


@pytest.mark.parametrize("by", [OTHER_ADMIN, TEST_ADMIN], ids=["another org", "test mode"])
def test_another_tenants_grant_is_as_unknown_as_none(world, by):
    grant = given(world, 500)["id"]
    mark = world.mark()

    refused = [void(world, each, by=by).refusal for each in (grant, "grant_" + "a" * 36 + "_usd")]

    assert refused == [(404, "credit_grant_not_found", None, {})] * 2
    assert world.written_since(mark) == []


def test_what_is_no_grant_cannot_be_voided(world):
    entry = world.deposit(500)["transactionId"]
    forged = "grant_" + "0" * 10 + entry.removeprefix("ent_") + "_usd"
    mark = world.mark()

    for grant_id in (entry, forged, "grant_", "grant_x", "x", "%23"):
        assert void(world, grant_id).refusal.status == 404
    assert world.written_since(mark) == []
    assert world.cents() == (1500, 0)


@pytest.mark.parametrize("by", [ALICE, BOB])
def test_only_admins_give_and_void(world, by):
    grant = given(world, 500)["id"]
    mark = world.mark()

    for answer in (give(world, by=by), void(world, grant, by=by)):
        assert answer.refusal == (403, "forbidden", None, {})
    assert world.written_since(mark) == []


# --- Deliveries and keys --------------------------------------------------------------------------


def test_a_grant_that_is_delivered_again_is_the_first_whatever_became_of_it(world):
    first = give(world, 500, expiresIn="1h", tags="a", key="k1")
    void(world, first.body["id"])
    world.wait(days=1)
    world.start_anew()

    again = give(world, 500, expiresIn="1h", tags="a", key="k1")

    assert (again.status, again.text, again.replayed) == (201, first.text, True)
    assert len(grants(world)) == 1


def test_a_key_for_credits_gives_credit_and_a_key_for_the_wallet_does_not(world):
    world.wallet()
    mark = world.mark()

    refusal = give(world, by=keyed(ADMIN, "wallet:write", "admin")).refusal
    assert refusal == (403, "forbidden", None, {"scope": "credits:write"})
    refusal = give(world, by=keyed(ADMIN, "credits:write")).refusal
    assert refusal == (403, "forbidden", None, {})
    assert world.written_since(mark) == []

    assert give(world, by=keyed(ADMIN, "credits:write", "admin")).status == 201
