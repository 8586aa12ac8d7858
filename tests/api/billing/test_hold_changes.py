"""A hold given more, or given back: `POST holds/{id}/extend` and `POST holds/{id}/release`."""

import pytest

from tests.api.world import BOB, LOT_ID, NOON_TEXT, Refusal, account_of
from tests.http.events import ADMIN, ALICE

HOLDS = "/v1/billing/holds"


def extend(world, hold, **body):
    return world.post(f"{HOLDS}/{hold}/extend", body=body)


def release(world, hold, **asked):
    return world.ask("POST", f"{HOLDS}/{hold}/release", **asked)


def refused(world, hold, action, **asked):
    return world.refused("POST", f"{HOLDS}/{hold}/{action}", **asked)


def test_an_extension_gives_more_time_and_more_money(world):
    hold = world.hold(700, expires_in_seconds=60)["id"]
    world.wait(seconds=30)

    answer = world.ask(
        "POST", f"{HOLDS}/{hold}/extend", body={"expires_in_seconds": 3600, "amount": 50}
    )

    assert answer.status == 200
    assert answer.body == {
        "id": hold,
        "account_id": account_of(ALICE),
        "status": "open",
        "currency": "usd",
        "amount": 750,
        "captured": 0,
        "remaining": 750,
        "expires_at": "2026-11-21T13:00:30.000Z",
        "expiry_policy": "release",
        "over_capture": "reject",
        "reference": None,
        "metadata": {},
        "scopes": [],
        "lots": [{"id": LOT_ID, "amount": 750}],
        "created_at": NOON_TEXT,
        "wallet": {"balance": 1000, "held": 750, "available": 250},
    }


def test_an_extension_by_time_alone_holds_as_long_as_it_says(world):
    hold = world.hold(700, expires_in_seconds=60)["id"]
    world.wait(seconds=59)

    extend(world, hold, expires_in_seconds=60)
    world.wait(seconds=59)

    assert world.cents() == (1000, 700)
    world.wait(seconds=1)
    assert world.cents() == (1000, 0)


def test_an_extension_never_shortens(world):
    hold = world.hold(700)

    assert extend(world, hold["id"], expires_in_seconds=60)["expires_at"] == hold["expires_at"]


@pytest.mark.parametrize(("amount", "is_given"), [(299, True), (300, True), (301, False)])
def test_an_extension_takes_all_there_is_and_no_more(world, amount, is_given):
    hold = world.hold(700)["id"]

    if is_given:
        assert extend(world, hold, amount=amount)["amount"] == 700 + amount
        return
    assert refused(world, hold, "extend", body={"amount": 301}) == Refusal(
        402,
        "insufficient_funds",
        None,
        {"needed": 301, "available": 300, "currency": "usd"},
    )


def test_an_exact_amount_extends_to_its_last_place(world):
    hold = world.hold(700)["id"]

    told = extend(world, hold, amount_decimal="0.5")

    assert (told["amount"], told["amount_decimal"]) == (700, "700.5")


def test_a_hold_grows_no_larger_than_an_operation_can_be(world):
    most = 10**11
    for _ in range(2):
        world.deposit(most)
    hold = world.hold(most)["id"]

    refusal = refused(world, hold, "extend", body={"amount": 1})

    assert refusal[:3] == (422, "amount_too_large", "amount")


@pytest.mark.parametrize("body", [{}, {"amount": None}, {"expires_in_seconds": None}])
def test_an_extension_by_nothing_is_wrong(world, body):
    hold = world.hold(700)["id"]

    refusal = refused(world, hold, "extend", body=body)

    assert refusal[:3] == (422, "invalid_field", "expires_in_seconds")


@pytest.mark.parametrize("seconds", [59, 604_801])
def test_an_extension_is_for_a_minute_to_a_week(world, seconds):
    hold = world.hold(700)["id"]

    refusal = refused(world, hold, "extend", body={"expires_in_seconds": seconds})

    assert refusal[:3] == (422, "invalid_field", "expires_in_seconds")


@pytest.mark.parametrize(("closing", "status"), [("capture", "captured"), ("release", "released")])
def test_a_closed_hold_cannot_be_extended(world, closing, status):
    hold = world.hold(700)["id"]
    world.post(f"{HOLDS}/{hold}/{closing}", body={"amount": 1} if closing == "capture" else {})

    refusal = refused(world, hold, "extend", body={"amount": 1})

    assert refusal == (409, "hold_closed", None, {"status": status})


def test_an_expired_hold_cannot_be_extended(world):
    hold = world.hold(700, expires_in_seconds=60)["id"]
    world.wait(seconds=60)

    asked = world.ask("POST", f"{HOLDS}/{hold}/extend", body={"expires_in_seconds": 60})

    assert asked.refusal[:2] == (409, "hold_expired")
    assert world.cents() == (1000, 0)


def test_a_release_gives_everything_back(world):
    hold = world.hold(700)

    answer = release(world, hold["id"])

    assert answer.status == 200
    assert answer.body == {
        **hold,
        "status": "released",
        "remaining": 0,
        "lots": [],
        "wallet": {"balance": 1000, "held": 0, "available": 1000},
    }


def test_a_release_gives_back_what_was_not_captured(world):
    hold = world.hold(700)["id"]
    world.post(f"{HOLDS}/{hold}/capture", body={"amount": 200, "final": False})

    told = release(world, hold).body

    assert (told["status"], told["captured"], told["remaining"]) == ("released", 200, 0)
    assert told["wallet"] == {"balance": 800, "held": 0, "available": 800}


def test_releasing_again_is_the_same_answer_and_changes_nothing(world):
    hold = world.hold(700)["id"]
    first = release(world, hold, key="k1")
    world.deposit(2500)
    world.wait(hours=1)
    mark = world.mark()

    again = release(world, hold, key="k2")

    assert (again.status, again.text) == (200, first.text)
    assert not again.replayed
    assert world.written_since(mark) == []


def test_releasing_after_the_expiry_answers_with_the_expired_hold(world):
    hold = world.hold(700, expires_in_seconds=60)["id"]
    world.wait(seconds=60)

    told = release(world, hold).body

    assert (told["status"], told["remaining"]) == ("expired", 0)
    assert told["wallet"] == {"balance": 1000, "held": 0, "available": 1000}
    assert release(world, hold).body == told


def test_releasing_what_captured_itself_at_its_expiry_tells_what_it_took(world):
    hold = world.hold(700, expires_in_seconds=60, expiry_policy="capture")["id"]
    world.wait(seconds=60)

    told = release(world, hold).body

    assert (told["status"], told["captured"]) == ("expired", 700)
    assert told["wallet"]["balance"] == 300


def test_a_captured_hold_cannot_be_released(world):
    hold = world.hold(700)["id"]
    world.post(f"{HOLDS}/{hold}/capture", body={"amount": 1})

    assert refused(world, hold, "release") == (409, "hold_closed", None, {"status": "captured"})


@pytest.mark.parametrize("body", [None, {}, "", "{}", " {\n} "])
def test_a_release_needs_no_body(world, body):
    hold = world.hold(700)["id"]

    assert release(world, hold, body=body).status == 200


def test_a_release_takes_no_field(world):
    hold = world.hold(700)["id"]

    refusal = refused(world, hold, "release", body={"amount": 1})

    assert refusal[:3] == (422, "unknown_field", "amount")


def test_a_release_gives_back_to_the_lots_it_came_from(world):
    world.deposit(500, expiresIn=1)
    hold = world.hold(1500, expires_in_seconds=2 * 86_400)["id"]
    world.wait(days=1)

    told = release(world, hold).body

    assert told["wallet"] == {"balance": 1000, "held": 0, "available": 1000}
    assert world.cents() == (1000, 0)


@pytest.mark.parametrize(("action", "body"), [("extend", {"amount": 1}), ("release", None)])
def test_a_hold_of_somebody_else_is_as_unknown_as_none(world, action, body):
    hold = world.hold(700)["id"]

    for by in (BOB, ADMIN):
        world.wallet(by=by)
        foreign = refused(world, hold, action, by=by, body=body)
        unknown = refused(world, f"hold_{'0' * 26}_usd", action, by=by, body=body)
        assert foreign == unknown == (404, "hold_not_found", None, {})
