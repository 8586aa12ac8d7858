"""Holds under limits that they name: `scopes` of `POST holds`."""

from datetime import UTC, datetime

import pytest

from tests.api.world import BOB, HOLD_ID, LOT_ID, NOON_TEXT, TEST_ALICE, ZOE, Refusal, account_of
from tests.http.events import ADMIN, ALICE

HOLDS = "/v1/billing/holds"
WORKSPACE = {"kind": "workspace", "id": "ws1", "limit": 900, "window": "month"}
KEY = {"kind": "key", "id": "k1", "limit": 500, "window": "day"}
RUN = {"kind": "run", "id": "r1", "limit": 300, "window": "total"}
NESTED = [WORKSPACE, KEY, RUN]
LAST_MINUTE = datetime(2026, 11, 30, 23, 59, tzinfo=UTC)


def place(world, amount, *scopes, by=ALICE, **body):
    return world.ask("POST", HOLDS, by=by, body={"amount": amount, "scopes": scopes, **body})


def refused(world, amount, *scopes, by=ALICE, **body):
    body = {"amount": amount, "scopes": scopes, **body}
    return world.refused("POST", HOLDS, by=by, body=body)


def beyond(scope, *, used, needed, currency="usd"):
    told = {
        "scope": f"{scope['kind']}:{scope['id']}",
        "window": scope["window"],
        "limit": scope["limit"],
        "used": used,
        "needed": needed,
        "currency": currency,
    }
    return Refusal(402, "budget_exceeded", None, told)


def change(world, hold, action, by=ALICE, **body):
    return world.post(f"{HOLDS}/{hold}/{action}", by=by, body=body)


def test_a_hold_shows_the_scopes_that_it_was_placed_under(world):
    answer = place(world, 250, *NESTED)

    assert answer.status == 201
    assert answer.body == {
        "id": HOLD_ID,
        "account_id": account_of(ALICE),
        "status": "open",
        "currency": "usd",
        "amount": 250,
        "captured": 0,
        "remaining": 250,
        "expires_at": "2026-11-22T12:00:00.000Z",
        "expiry_policy": "release",
        "over_capture": "reject",
        "reference": None,
        "metadata": {},
        "scopes": NESTED,
        "lots": [{"id": LOT_ID, "amount": 250}],
        "created_at": NOON_TEXT,
        "wallet": {"balance": 1000, "held": 250, "available": 750},
    }
    hold = answer.body["id"]
    assert world.get(f"{HOLDS}/{hold}")["scopes"] == NESTED
    assert world.get(HOLDS)["data"][0]["scopes"] == NESTED
    for action, body in (("extend", {"amount": 1}), ("capture", {"amount": 1, "final": False})):
        assert change(world, hold, action, **body)["scopes"] == NESTED
    assert change(world, hold, "release")["scopes"] == NESTED


def test_a_scope_without_a_window_counts_for_ever(world):
    told = place(world, 1, {"kind": "run", "id": "r1", "limit": 1}).body

    assert told["scopes"] == [{"kind": "run", "id": "r1", "limit": 1, "window": "total"}]


@pytest.mark.parametrize("scopes", [{}, {"scopes": None}, {"scopes": []}])
def test_a_hold_without_scopes_says_so(world, scopes):
    told = world.post(HOLDS, body={"amount": 1, **scopes})

    assert told["scopes"] == []


@pytest.mark.parametrize("scope", NESTED, ids=lambda scope: scope["kind"])
@pytest.mark.parametrize("window", ["day", "month", "total"])
def test_a_limit_can_be_used_up_and_not_passed(world, scope, window):
    scope = {**scope, "window": window}
    limit = scope["limit"]
    assert refused(world, limit + 1, scope) == beyond(scope, used=0, needed=limit + 1)

    assert place(world, limit - 1, scope).status == 201

    assert refused(world, 2, scope) == beyond(scope, used=limit - 1, needed=2)
    assert place(world, 1, scope).status == 201
    assert refused(world, 1, scope) == beyond(scope, used=limit, needed=1)
    assert world.cents() == (1000, limit)


def test_a_refusal_names_the_scope_and_sets_nothing_aside_under_any(world):
    assert refused(world, 301, *NESTED) == beyond(RUN, used=0, needed=301)
    place(world, 300, *NESTED)
    second, third = ({**RUN, "id": name} for name in ("r2", "r3"))

    assert refused(world, 1, *NESTED) == beyond(RUN, used=300, needed=1)
    assert refused(world, 201, WORKSPACE, KEY, second) == beyond(KEY, used=300, needed=201)
    place(world, 200, WORKSPACE, KEY, second)
    assert refused(world, 1, WORKSPACE, KEY, third) == beyond(KEY, used=500, needed=1)
    other = {**KEY, "id": "k2"}
    assert refused(world, 401, WORKSPACE, other, {**third, "limit": 999}) == beyond(
        WORKSPACE, used=500, needed=401
    )

    # Had one of them kept something under a scope, these would not fit.
    assert place(world, 100, WORKSPACE, other, second).status == 201
    assert place(world, 300, WORKSPACE, other, third).status == 201
    assert world.cents() == (1000, 900)


def test_a_budget_is_told_before_a_shortage(world):
    world.wallet()

    assert refused(world, 5000, RUN).code == "budget_exceeded"
    assert refused(world, 5000, {**RUN, "limit": 5000}).code == "insufficient_funds"


def test_a_shortage_sets_nothing_aside_under_a_scope(world):
    scope = {**RUN, "limit": 1500}
    assert refused(world, 1001, scope).code == "insufficient_funds"

    world.deposit(500)

    assert place(world, 1500, scope).status == 201


def test_a_limit_is_that_of_the_request(world):
    place(world, 300, RUN)

    assert refused(world, 1, {**RUN, "limit": 200}) == beyond(
        {**RUN, "limit": 200}, used=300, needed=1
    )
    assert place(world, 100, {**RUN, "limit": 400}).status == 201


@pytest.mark.parametrize(
    "other",
    [{"id": "r2"}, {"kind": "workspace"}, {"window": "day"}],
    ids=["another id", "another kind", "another window"],
)
def test_another_scope_has_room_of_its_own(world, other):
    place(world, 300, RUN)

    assert place(world, 300, {**RUN, **other}).status == 201


def test_a_scope_is_counted_in_each_currency_by_itself(world):
    world.deposit(5000, currency="jpy")
    place(world, 300, RUN)

    assert place(world, 300, RUN, currency="jpy").status == 201
    assert refused(world, 1, RUN, currency="jpy") == beyond(RUN, used=300, needed=1, currency="jpy")


def test_an_exact_amount_counts_to_its_last_place(world):
    scope = {**RUN, "limit": 1}
    world.post(HOLDS, body={"amount_decimal": "0.9999", "scopes": [scope]})

    refusal = world.refused("POST", HOLDS, body={"amount_decimal": "0.0002", "scopes": [scope]})

    assert refusal.details == {
        "scope": "run:r1",
        "window": "total",
        "limit": 1,
        "used": 0,
        "used_decimal": "0.9999",
        "needed": 0,
        "needed_decimal": "0.0002",
        "currency": "usd",
    }
    assert world.post(HOLDS, body={"amount_decimal": "0.0001", "scopes": [scope]})["scopes"] == [
        scope
    ]


@pytest.mark.parametrize("by", [BOB, ADMIN, ZOE, TEST_ALICE], ids=lambda by: by["user"])
def test_the_same_name_in_another_account_is_another_scope(world, by):
    place(world, 300, RUN)

    assert place(world, 300, RUN, by=by).status == 201


# --- What becomes of a hold -----------------------------------------------------------------------


def test_what_is_captured_stays_counted_and_what_is_given_back_does_not(world):
    hold = place(world, 300, *NESTED).body["id"]

    change(world, hold, "capture", amount=120)

    assert refused(world, 181, *NESTED) == beyond(RUN, used=120, needed=181)
    assert place(world, 180, *NESTED).status == 201


def test_a_part_that_is_captured_counts_once(world):
    hold = place(world, 300, RUN).body["id"]

    change(world, hold, "capture", amount=120, final=False)

    assert refused(world, 1, RUN) == beyond(RUN, used=300, needed=1)


def test_a_release_makes_room_under_every_scope(world):
    hold = place(world, 300, *NESTED).body["id"]

    change(world, hold, "release")
    change(world, hold, "release")

    assert place(world, 300, *NESTED).status == 201
    assert refused(world, 1, RUN) == beyond(RUN, used=300, needed=1)


@pytest.mark.parametrize(("policy", "used"), [("release", 0), ("capture", 300)])
def test_an_expiry_makes_room_or_counts_as_its_policy_says(world, policy, used):
    place(world, 300, RUN, expires_in_seconds=60, expiry_policy=policy)
    world.wait(seconds=59)
    assert refused(world, 1, RUN) == beyond(RUN, used=300, needed=1)

    world.wait(seconds=1)
    world.wallet()

    if used:
        assert refused(world, 1, RUN) == beyond(RUN, used=300, needed=1)
    else:
        assert place(world, 300, RUN).status == 201


@pytest.mark.parametrize(("more", "fits"), [(49, True), (50, True), (51, False)])
def test_an_extension_needs_room_under_every_scope(world, more, fits):
    hold = place(world, 250, *NESTED).body["id"]

    if fits:
        assert change(world, hold, "extend", amount=more)["remaining"] == 250 + more
        return
    refusal = world.refused("POST", f"{HOLDS}/{hold}/extend", body={"amount": more})
    assert refusal == beyond(RUN, used=250, needed=51)
    assert place(world, 50, *NESTED).status == 201


def test_more_time_needs_no_room(world):
    hold = place(world, 300, RUN).body["id"]

    assert change(world, hold, "extend", expires_in_seconds=604_800)["remaining"] == 300


@pytest.mark.parametrize(("amount", "fits"), [(299, True), (300, True), (301, False)])
def test_a_capture_above_the_hold_needs_room_for_what_is_above(world, amount, fits):
    hold = place(world, 100, RUN, over_capture="overdraft").body["id"]

    if fits:
        assert change(world, hold, "capture", amount=amount)["captured"] == amount
        return
    refusal = world.refused("POST", f"{HOLDS}/{hold}/capture", body={"amount": amount})
    assert refusal == beyond(RUN, used=100, needed=201)
    assert world.cents() == (1000, 100)


def test_a_refund_makes_no_room(world):
    hold = place(world, 300, RUN).body["id"]
    change(world, hold, "capture", amount=300)
    capture = world.get("/v1/billing/entries", query={"limit": 1})["data"][0]["id"]
    refund = {"user": "alice", "amount": 300, "originalTransactionId": capture}
    world.post("/api/v1/billing/refund", by=ADMIN, body=refund)

    assert refused(world, 1, RUN) == beyond(RUN, used=300, needed=1)


# --- Windows --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("window", "is_new"), [("day", True), ("month", True), ("total", False)])
def test_a_new_day_or_month_begins_at_midnight_of_utc(world, window, is_new):
    world.now = LAST_MINUTE
    scope = {**RUN, "window": window}
    change(world, place(world, 300, scope).body["id"], "capture", amount=300)
    world.wait(seconds=59, milliseconds=999)
    assert refused(world, 1, scope) == beyond(scope, used=300, needed=1)

    world.wait(milliseconds=1)

    if is_new:
        assert place(world, 300, scope).status == 201
        assert refused(world, 1, scope) == beyond(scope, used=300, needed=1)
    else:
        assert refused(world, 1, scope) == beyond(scope, used=300, needed=1)


def test_a_new_day_of_the_same_month_is_no_new_month(world):
    day, month = ({**RUN, "window": window} for window in ("day", "month"))
    change(world, place(world, 300, day, month).body["id"], "capture", amount=300)

    world.wait(hours=12)

    assert place(world, 300, day).status == 201
    assert refused(world, 1, month) == beyond(month, used=300, needed=1)


def test_an_open_hold_counts_in_the_window_of_today_and_is_spent_when_it_is_captured(world):
    scope = {**RUN, "window": "day"}
    hold = place(world, 200, scope, expires_in_seconds=604_800).body["id"]
    world.wait(hours=12)
    assert refused(world, 101, scope) == beyond(scope, used=200, needed=101)

    change(world, hold, "capture", amount=200)

    assert refused(world, 101, scope) == beyond(scope, used=200, needed=101)
    world.wait(hours=24)
    assert place(world, 300, scope).status == 201


# --- Replays --------------------------------------------------------------------------------------


def test_a_second_delivery_counts_once_and_is_answered_the_same(world):
    asked = {"body": {"amount": 300, "scopes": NESTED}, "key": "k1"}
    first = world.ask("POST", HOLDS, **asked)
    change(world, first.body["id"], "capture", amount=100)
    world.start_anew()
    mark = world.mark()

    again = world.ask("POST", HOLDS, **asked)

    assert (again.status, again.text, again.replayed) == (first.status, first.text, True)
    assert world.written_since(mark) == []
    assert refused(world, 201, *NESTED) == beyond(RUN, used=100, needed=201)


def test_a_refusal_does_not_use_the_key_up(world):
    place(world, 300, RUN)
    body = {"amount": 1, "scopes": [RUN]}
    assert world.refused("POST", HOLDS, body=body, key="k1").code == "budget_exceeded"
    hold = world.get(HOLDS)["data"][0]["id"]

    change(world, hold, "release")

    assert world.ask("POST", HOLDS, body=body, key="k1").status == 201


def test_another_scope_makes_another_request(world):
    world.ask("POST", HOLDS, body={"amount": 1, "scopes": [RUN]}, key="k1")

    refusal = world.refused("POST", HOLDS, body={"amount": 1, "scopes": [KEY]}, key="k1")

    assert refusal == (422, "idempotency_key_reused", None, {})


def test_what_another_environment_spent_is_counted_here(world):
    place(world, 200, *NESTED)
    world.start_anew()
    place(world, 100, *NESTED)

    world.start_anew()

    assert refused(world, 1, *NESTED) == beyond(RUN, used=300, needed=1)


# --- Shape ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("count", "fits"), [(9, True), (10, True), (11, False)])
def test_a_hold_names_ten_scopes_at_most(world, count, fits):
    world.wallet()
    scopes = [{**RUN, "id": f"r{number}"} for number in range(count)]

    if fits:
        assert place(world, 10, *scopes).body["scopes"] == scopes
        return
    refusal = refused(world, 10, *scopes)
    assert refusal == (422, "invalid_field", "scopes", {"reason": "at most 10 of them"})


def test_the_same_scope_twice_is_refused_and_the_same_name_over_two_windows_is_not(world):
    world.wallet()

    refusal = refused(world, 1, RUN, KEY, {**RUN, "limit": 5})

    assert refusal[:3] == (422, "invalid_field", "scopes")
    assert place(world, 1, RUN, KEY, {**RUN, "window": "day"}).status == 201


@pytest.mark.parametrize(
    ("scope", "param"),
    [
        ({**RUN, "kind": "team"}, "scopes.1.kind"),
        ({**RUN, "kind": "Run"}, "scopes.1.kind"),
        ({**RUN, "id": ""}, "scopes.1.id"),
        ({**RUN, "id": "a b"}, "scopes.1.id"),
        ({**RUN, "id": "a#b"}, "scopes.1.id"),
        ({**RUN, "id": "x" * 129}, "scopes.1.id"),
        ({**RUN, "id": 7}, "scopes.1.id"),
        ({**RUN, "limit": 0}, "scopes.1.limit"),
        ({**RUN, "limit": -1}, "scopes.1.limit"),
        ({**RUN, "limit": "300"}, "scopes.1.limit"),
        ({**RUN, "limit": None}, "scopes.1.limit"),
        ({**RUN, "window": "week"}, "scopes.1.window"),
        ({**RUN, "window": None}, "scopes.1.window"),
        ({"id": "r1", "limit": 1}, "scopes.1.kind"),
        ({"kind": "run", "limit": 1}, "scopes.1.id"),
        ({"kind": "run", "id": "r1"}, "scopes.1.limit"),
        ("run:r1", "scopes.1"),
    ],
)
def test_a_scope_that_is_not_well_described_is_refused_by_name(world, scope, param):
    world.wallet()

    refusal = refused(world, 1, KEY, scope)

    assert refusal[:3] == (422, "invalid_field", param)


def test_a_field_of_a_scope_that_nobody_knows_is_refused(world):
    refusal = refused(world, 1, {**RUN, "currency": "eur"})

    assert refusal == (422, "unknown_field", "scopes.0.currency", {})


@pytest.mark.parametrize(("currency", "most"), [("usd", 10**11), ("jpy", 10**9), ("kwd", 10**12)])
def test_a_limit_is_no_more_than_an_operation_moves(world, currency, most):
    world.deposit(1, currency=currency)

    assert place(world, 1, {**RUN, "limit": most}, currency=currency).status == 201
    refusal = refused(world, 1, {**RUN, "limit": most + 1}, currency=currency)
    assert refusal == (422, "amount_too_large", "scopes.0.limit", {})


def test_an_id_may_be_as_long_as_an_id_can_be(world):
    scope = {**RUN, "id": "x" * 128}

    assert place(world, 1, scope).body["scopes"] == [scope]
