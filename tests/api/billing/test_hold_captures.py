"""Held money taken: `POST holds/{id}/capture`."""

import pytest

from tests.api.world import BOB, HOLD_ID, LOT_ID, NOON_TEXT, Refusal, account_of
from tests.http.events import ADMIN, ALICE

HOLDS = "/v1/billing/holds"


def capture(world, hold, amount, **body):
    return world.post(f"{HOLDS}/{hold}/capture", body={"amount": amount, **body})


def refused(world, hold, **body):
    return world.refused("POST", f"{HOLDS}/{hold}/capture", body=body)


def test_a_final_capture_gives_the_rest_back(world):
    hold = world.hold(700)["id"]

    answer = world.ask("POST", f"{HOLDS}/{hold}/capture", body={"amount": 250})

    assert answer.status == 200
    assert answer.body == {
        "id": hold,
        "account_id": account_of(ALICE),
        "status": "captured",
        "currency": "usd",
        "amount": 700,
        "captured": 250,
        "remaining": 0,
        "expires_at": "2026-11-22T12:00:00.000Z",
        "expiry_policy": "release",
        "over_capture": "reject",
        "reference": None,
        "metadata": {},
        "scopes": [],
        "lots": [],
        "created_at": NOON_TEXT,
        "wallet": {"balance": 750, "held": 0, "available": 750},
    }


def test_a_hold_is_captured_in_parts(world):
    hold = world.hold(700)["id"]

    first = capture(world, hold, 250, final=False)
    second = capture(world, hold, 300, final=False)

    assert (first["status"], first["captured"], first["remaining"]) == ("open", 250, 450)
    assert first["wallet"] == {"balance": 750, "held": 450, "available": 300}
    assert first["lots"] == [{"id": LOT_ID, "amount": 450}]
    assert (second["status"], second["captured"], second["remaining"]) == ("open", 550, 150)
    assert capture(world, hold, 150)["captured"] == 700
    assert world.cents() == (300, 0)


def test_a_part_that_takes_all_there_is_leaves_the_hold_open_until_the_final_one(world):
    hold = world.hold(700)["id"]

    taken = capture(world, hold, 700, final=False)

    assert (taken["status"], taken["remaining"]) == ("open", 0)
    assert refused(world, hold, amount=1).code == "hold_exceeded"


def test_a_capture_takes_credit_before_cash(world):
    world.deposit(500)
    hold = world.hold(1400)["id"]

    capture(world, hold, 1100)

    balance = world.get("/api/v1/billing/balance", by=ADMIN, query={"user": "alice"})
    assert balance["balance"] == 400


@pytest.mark.parametrize(
    ("amount", "is_taken"), [(699, True), (700, True), (701, False)],
    ids=["one cent less", "all of it", "one cent more"],
)  # fmt: skip
def test_a_capture_takes_what_is_held_and_no_more(world, amount, is_taken):
    hold = world.hold(700)["id"]

    if is_taken:
        assert capture(world, hold, amount)["captured"] == amount
        return
    assert refused(world, hold, amount=amount) == Refusal(
        422, "hold_exceeded", "amount", {"asked": 701, "remaining": 700, "currency": "usd"}
    )


@pytest.mark.parametrize(("exact", "whole"), [("0.0001", 0), ("250.5", 250), ("699.9999", 699)])
def test_an_exact_amount_is_captured_to_its_last_place(world, exact, whole):
    hold = world.hold(700)["id"]

    taken = world.post(f"{HOLDS}/{hold}/capture", body={"amount_decimal": exact})

    assert (taken["captured"], taken["captured_decimal"]) == (whole, exact)
    assert taken["wallet"]["balance"] == 1000 - whole - 1


def test_an_exact_amount_beyond_the_hold_is_told_exactly(world):
    hold = world.hold(700)["id"]

    assert refused(world, hold, amount_decimal="700.0001") == Refusal(
        422,
        "hold_exceeded",
        "amount_decimal",
        {"asked": 700, "asked_decimal": "700.0001", "remaining": 700, "currency": "usd"},
    )


def test_a_cap_takes_what_there_is(world):
    hold = world.hold(700, over_capture="cap")["id"]

    taken = capture(world, hold, 900)

    assert (taken["captured"], taken["status"]) == (700, "captured")
    assert world.cents() == (300, 0)


@pytest.mark.parametrize(
    ("limit", "amount", "left"),
    [(0, 1000, 0), (0, 1001, None), (50, 1050, -50), (50, 1051, None), (None, 1001, None)],
)
def test_an_overdraft_takes_the_rest_from_the_wallet_down_to_its_limit(world, limit, amount, left):
    terms = {} if limit is None else {"overdraft_limit": limit}
    hold = world.hold(700, over_capture="overdraft", **terms)["id"]

    if left is None:
        assert refused(world, hold, amount=amount) == Refusal(
            402,
            "insufficient_funds",
            None,
            {"needed": amount - 700, "available": 300 + (limit or 0), "currency": "usd"},
        )
        return
    taken = capture(world, hold, amount)
    assert taken["captured"] == amount
    assert taken["wallet"] == {"balance": left, "held": 0, "available": left}


@pytest.mark.parametrize(("closing", "status"), [("capture", "captured"), ("release", "released")])
def test_a_closed_hold_says_how_it_was_closed(world, closing, status):
    hold = world.hold(700)["id"]
    world.post(f"{HOLDS}/{hold}/{closing}", body={"amount": 1} if closing == "capture" else {})

    refusal = refused(world, hold, amount=1)

    assert refusal == (409, "hold_closed", None, {"status": status})


def test_a_hold_whose_time_has_come_cannot_be_captured(world):
    hold = world.hold(700, expires_in_seconds=60)["id"]
    world.wait(seconds=60)

    by_time_alone = world.ask("POST", f"{HOLDS}/{hold}/capture", body={"amount": 1}).refusal
    written_down = refused(world, hold, amount=1)

    told = {"expires_at": "2026-11-21T12:01:00.000Z"}
    assert by_time_alone == written_down == (409, "hold_expired", None, told)
    assert world.cents() == (1000, 0)


def test_a_hold_is_captured_until_the_last_moment(world):
    hold = world.hold(700, expires_in_seconds=60)["id"]
    world.wait(seconds=60, milliseconds=-1)

    assert capture(world, hold, 700)["status"] == "captured"


def test_credit_that_expires_while_held_can_still_be_captured(world):
    world.deposit(500, expiresIn=1)
    hold = world.hold(1500, expires_in_seconds=2 * 86_400)["id"]
    world.wait(days=1)

    told = capture(world, hold, 1200)

    assert told["captured"] == 1200
    assert told["wallet"] == {"balance": 0, "held": 0, "available": 0}
    assert world.cents() == (0, 0)


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({}, "amount"),
        ({"amount": 1, "amount_decimal": "1"}, "amount_decimal"),
        ({"amount": 0}, "amount"),
        ({"amount_decimal": "0.00001"}, "amount_decimal"),
        ({"amount_decimal": "0"}, "amount_decimal"),
        ({"amount_decimal": "-1"}, "amount_decimal"),
    ],
)
def test_a_capture_needs_an_amount(world, body, param):
    hold = world.hold(700)["id"]

    refusal = refused(world, hold, **body)

    assert (refusal.status, refusal.code, refusal.param) == (422, "invalid_field", param)


def test_a_capture_has_the_currency_of_its_hold(world):
    world.deposit(5, currency="kwd")
    hold = world.hold(5, currency="kwd")["id"]

    refusal = refused(world, hold, amount=1, currency="usd")

    assert (refusal.status, refusal.code, refusal.param) == (422, "unknown_field", "currency")
    taken = world.post(f"{HOLDS}/{hold}/capture", body={"amount_decimal": "1.001"})
    assert (taken["captured"], taken["captured_decimal"]) == (1, "1.001")


def test_a_hold_of_somebody_else_is_as_unknown_as_none(world):
    hold = world.hold(700)["id"]
    body = {"amount": 1}

    for by in (BOB, ADMIN):
        world.wallet(by=by)
        foreign = world.refused("POST", f"{HOLDS}/{hold}/capture", by=by, body=body)
        unknown = world.refused("POST", f"{HOLDS}/hold_{'0' * 26}_usd/capture", by=by, body=body)
        assert foreign == unknown == (404, "hold_not_found", None, {})
    assert hold == HOLD_ID
