"""Money set aside: `POST holds`, `GET holds`, `GET holds/{id}`."""

import pytest

from tests.api.world import BOB, CURSOR, HOLD_ID, LOT_ID, NOON_TEXT, Refusal, account_of
from tests.http.events import ADMIN, ALICE

HOLDS = "/v1/billing/holds"
UNKNOWN = "hold_" + "0" * 26 + "_usd"


def place(world, **body):
    return world.ask("POST", HOLDS, body=body)


def listed(world, **query):
    return world.get(HOLDS, query=query)


def test_a_hold_is_answered_with_itself_and_the_wallet_it_left(world):
    answer = place(world, amount=700)

    assert answer.status == 201
    assert answer.body == {
        "id": HOLD_ID,
        "account_id": account_of(ALICE),
        "status": "open",
        "currency": "usd",
        "amount": 700,
        "captured": 0,
        "remaining": 700,
        "expires_at": "2026-11-22T12:00:00.000Z",
        "expiry_policy": "release",
        "over_capture": "reject",
        "reference": None,
        "metadata": {},
        "scopes": [],
        "lots": [{"id": LOT_ID, "amount": 700}],
        "created_at": NOON_TEXT,
        "wallet": {"balance": 1000, "held": 700, "available": 300},
    }


def test_a_hold_keeps_what_was_said_of_it(world):
    world.deposit(2500, currency="eur")

    told = place(
        world,
        amount=2500,
        currency="EUR",
        reference="order 7",
        expires_in_seconds=60,
        expiry_policy="capture",
        over_capture="overdraft",
        overdraft_limit=50,
        metadata={"a": "1", "ü": "x y"},
    ).body

    assert told == {
        "id": HOLD_ID,
        "account_id": account_of(ALICE),
        "status": "open",
        "currency": "eur",
        "amount": 2500,
        "captured": 0,
        "remaining": 2500,
        "expires_at": "2026-11-21T12:01:00.000Z",
        "expiry_policy": "capture",
        "over_capture": "overdraft",
        "overdraft_limit": 50,
        "reference": "order 7",
        "metadata": {"a": "1", "ü": "x y"},
        "scopes": [],
        "lots": [{"id": "cash", "amount": 2500}],
        "created_at": NOON_TEXT,
        "wallet": {"balance": 2500, "held": 2500, "available": 0},
    }


def test_a_hold_draws_credit_first_then_what_expires_then_plain_cash(world):
    world.deposit(300)
    world.deposit(200, expiresIn=1)

    lots = place(world, amount=1250).body["lots"]

    assert [lot["amount"] for lot in lots] == [1000, 200, 50]
    assert [lot["id"] for lot in lots] == [LOT_ID, LOT_ID, "cash"]


@pytest.mark.parametrize(("amount", "is_placed"), [(999, True), (1000, True), (1001, False)])
def test_a_hold_takes_all_there_is_and_no_more(world, amount, is_placed):
    world.wallet()

    if is_placed:
        assert place(world, amount=amount).status == 201
        assert world.cents() == (1000, amount)
        return
    assert world.refused("POST", HOLDS, body={"amount": amount}) == Refusal(
        402,
        "insufficient_funds",
        None,
        {"needed": 1001, "available": 1000, "currency": "usd"},
    )


def test_a_shortage_that_is_not_whole_is_told_exactly(world):
    world.use("0.25")

    assert world.refused("POST", HOLDS, body={"amount_decimal": "999.7501"}) == Refusal(
        402,
        "insufficient_funds",
        None,
        {
            "needed": 999,
            "needed_decimal": "999.7501",
            "available": 999,
            "available_decimal": "999.75",
            "currency": "usd",
        },
    )


def test_what_another_hold_has_is_not_there(world):
    place(world, amount=600)

    refusal = world.refused("POST", HOLDS, body={"amount": 401})

    assert refusal.details == {"needed": 401, "available": 400, "currency": "usd"}


@pytest.mark.parametrize(
    ("currency", "exact", "whole"),
    [("usd", "0.0001", 0), ("usd", "12.5", 12), ("jpy", "99.9999", 99), ("kwd", "0.001", 0)],
)
def test_an_exact_amount_is_held_to_its_last_place(world, currency, exact, whole):
    world.deposit(1000, currency=currency)

    told = place(world, amount_decimal=exact, currency=currency).body

    assert (told["amount"], told["amount_decimal"]) == (whole, exact)
    assert (told["remaining"], told["remaining_decimal"]) == (whole, exact)
    assert told["lots"][0]["amount_decimal"] == exact
    assert (told["wallet"]["held"], told["wallet"]["held_decimal"]) == (whole, exact)


@pytest.mark.parametrize(
    ("seconds", "is_placed"), [(59, False), (60, True), (604_800, True), (604_801, False)]
)
def test_a_hold_lives_for_a_minute_to_a_week(world, seconds, is_placed):
    world.wallet()
    body = {"amount": 1, "expires_in_seconds": seconds}

    if is_placed:
        assert world.ask("POST", HOLDS, body=body).status == 201
        return
    refusal = world.refused("POST", HOLDS, body=body)
    assert refusal[:3] == (422, "invalid_field", "expires_in_seconds")


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({}, "amount"),
        ({"amount": 1, "amount_decimal": "1"}, "amount_decimal"),
        ({"amount": 1, "over_capture": "allow"}, "over_capture"),
        ({"amount": 1, "expiry_policy": "keep"}, "expiry_policy"),
        ({"amount": 1, "overdraft_limit": 5}, "overdraft_limit"),
        ({"amount": 1, "over_capture": "cap", "overdraft_limit": 5}, "overdraft_limit"),
        ({"amount": 1, "metadata": {"": "x"}}, "metadata"),
        ({"amount": 1, "metadata": {"a": 1}}, "metadata.a"),
        ({"amount": 1, "metadata": {str(n): "" for n in range(21)}}, "metadata"),
        ({"amount": 1, "reference": "x" * 201}, "reference"),
        ({"amount": 1, "currency": "xau"}, "currency"),
    ],
)
def test_a_hold_that_is_not_well_described_is_refused_by_name(world, body, param):
    refusal = world.refused("POST", HOLDS, body=body)

    assert (refusal.status, refusal.code, refusal.param) == (422, "invalid_field", param)


@pytest.mark.parametrize(("currency", "most"), [("usd", 10**11), ("jpy", 10**9), ("kwd", 10**12)])
def test_one_hold_sets_no_more_aside_than_an_operation_can(world, currency, most):
    world.deposit(most, currency=currency)
    world.deposit(most, currency=currency)

    refusal = world.refused("POST", HOLDS, body={"amount": most + 1, "currency": currency})

    assert refusal[:3] == (422, "amount_too_large", "amount")
    assert place(world, amount=most, currency=currency).status == 201


def test_a_hold_is_read_with_the_wallet_as_it_is_now(world):
    placed = place(world, amount=700).body
    world.deposit(2500)

    shown = world.get(f"{HOLDS}/{placed['id']}")

    assert shown == {**placed, "wallet": {"balance": 3500, "held": 700, "available": 2800}}


def test_a_hold_whose_time_has_come_reads_as_expired_and_its_money_is_free(world):
    hold = place(world, amount=1000, expires_in_seconds=60).body["id"]
    world.wait(seconds=60)

    shown = world.get(f"{HOLDS}/{hold}")

    assert (shown["status"], shown["captured"], shown["remaining"]) == ("expired", 0, 0)
    assert shown["wallet"] == {"balance": 1000, "held": 0, "available": 1000}


def test_a_new_hold_gets_the_money_of_one_that_has_expired(world):
    place(world, amount=1000, expires_in_seconds=60)
    world.wait(seconds=60, milliseconds=-1)
    assert world.refused("POST", HOLDS, body={"amount": 1}).code == "insufficient_funds"

    world.wait(milliseconds=1)

    assert place(world, amount=1000).body["wallet"]["held"] == 1000


def test_an_expired_hold_that_captures_says_what_it_took(world):
    hold = place(world, amount=700, expires_in_seconds=60, expiry_policy="capture").body["id"]
    world.wait(days=30)

    shown = world.get(f"{HOLDS}/{hold}")

    assert (shown["status"], shown["captured"], shown["remaining"]) == ("expired", 700, 0)
    assert shown["wallet"] == {"balance": 300, "held": 0, "available": 300}


def test_a_list_of_holds_shows_each_as_it_was_answered(world):
    first = place(world, amount=1).body
    world.wait(seconds=1)
    second = place(world, amount=2).body

    del first["wallet"], second["wallet"]
    assert listed(world) == {"data": [second, first], "has_more": False, "next_cursor": None}


def test_a_page_of_holds_says_where_the_list_goes_on(world):
    for _ in range(3):
        place(world, amount=1)

    shown = listed(world, limit=2)

    assert len(shown["data"]) == 2
    assert shown["has_more"] is True
    assert shown["next_cursor"] == CURSOR


def one_of_each(world):
    ids = {}
    for status in ("open", "captured", "released", "expired"):
        seconds = 60 if status == "expired" else 3600
        ids[status] = place(world, amount=10, expires_in_seconds=seconds).body["id"]
    world.post(f"{HOLDS}/{ids['captured']}/capture", body={"amount": 1})
    world.post(f"{HOLDS}/{ids['released']}/release")
    world.wait(seconds=60)
    return ids


@pytest.mark.parametrize("status", ["open", "captured", "released", "expired"])
def test_holds_are_listed_by_what_became_of_them(world, status):
    ids = one_of_each(world)

    (shown,) = listed(world, status=status)["data"]

    assert (shown["id"], shown["status"]) == (ids[status], status)


@pytest.mark.parametrize("status", ["active", "OPEN", "open ", "", "open,captured"])
def test_another_status_is_no_status(world, status):
    refusal = world.refused("GET", HOLDS, query={"status": status})

    assert refusal[:3] == (422, "invalid_field", "status")


def test_a_hold_of_somebody_else_is_as_unknown_as_none(world):
    theirs = place(world, amount=1).body["id"]

    for by in (BOB, ADMIN):
        world.wallet(by=by)
        foreign = world.refused("GET", f"{HOLDS}/{theirs}", by=by)
        unknown = world.refused("GET", f"{HOLDS}/{UNKNOWN}", by=by)
        assert foreign == unknown == (404, "hold_not_found", None, {})
        assert world.get(HOLDS, by=by)["data"] == []


@pytest.mark.parametrize(
    "name",
    ["x", "hold_", UNKNOWN.upper(), UNKNOWN[:-1], UNKNOWN + "x", UNKNOWN[:-3] + "zzz",
     UNKNOWN[:-3] + "xau", "%00", "a%23b", "..", "hold_%2e%2e"],
)  # fmt: skip
@pytest.mark.parametrize("action", ["", "/capture", "/extend", "/release"])
def test_what_can_be_no_hold_is_unknown(world, name, action):
    world.wallet()
    body = None if action in ("", "/release") else {"amount": 1}

    refusal = world.refused("POST" if action else "GET", f"{HOLDS}/{name}{action}", body=body)

    assert refusal.status == 404
