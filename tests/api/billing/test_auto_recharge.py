"""Auto-recharge on the billing surface: its attempts, its test, and the way out of failures."""

from datetime import timedelta
from typing import Any

import pytest

from tests.api.cards import attach
from tests.api.world import BOB, NOON_TEXT, TEST_ALICE, Like
from tests.http.events import ALICE

ATTEMPTS = "/v1/billing/auto-recharge/attempts"
TEST = "/v1/billing/auto-recharge/test"
STATUS = "/v1/billing/recovery-status"
DEAD = "pm_card_chargeCustomerFail"
ASKS = "pm_card_authenticationRequired"
ATTEMPT_ID = Like(r"att_[0-9a-z]{26}_usd")
INTENT_ID = Like(r"pi_\w{24}")
WELL: dict[str, Any] = {
    "state": "none",
    "reason": None,
    "failed_attempts": 0,
    "last_failure": None,
    "next_retry_at": None,
    "blocked_actions": [],
    "required_action": None,
}


def switched_on(world, card_id="pm_card_visa", *, threshold=10, by=ALICE):
    """The id of the card that is charged 20.00 whenever there is less than the threshold."""
    card = attach(world, card_id, by=by)
    body = {"amount": 20, "threshold": threshold}
    assert world.ask("PUT", "/api/agents/v1/wallet/auto-funding", by=by, body=body).status == 200
    return card["id"]


def charge(world, key="k1", *, by=ALICE):
    """A real test."""
    return world.post(TEST, by=by, body={"dry_run": False}, key=key)


# --- The test -------------------------------------------------------------------------------------


def test_a_test_says_what_would_be_done_and_charges_nothing(world):
    card_id = switched_on(world)
    world.use(1)

    tried = world.post(TEST, body={})

    assert tried == {
        "would_trigger": True,
        "reason": "below_threshold",
        "threshold_cents": 1000,
        "available_cents": 999,
        "amount_cents": 2000,
        "payment_method_id": card_id,
        "attempt": {
            "attempt_id": ATTEMPT_ID,
            "trigger": "test",
            "status": "succeeded",
            "currency": "usd",
            "amount_cents": 2000,
            "balance_before_cents": 999,
            "balance_after_cents": 999,
            "reason": "below_threshold",
            "payment_method_id": card_id,
            "payment_intent_id": None,
            "failure_code": None,
            "decline_code": None,
            "created_at": NOON_TEXT,
        },
    }
    assert world.cents() == (999, 0)
    assert world.get(ATTEMPTS)["data"] == [tried["attempt"]]


@pytest.mark.parametrize(
    ("simulate", "status", "code"),
    [
        ("success", "succeeded", None),
        ("card_declined", "failed", "card_declined"),
        ("requires_action", "requires_action", "authentication_required"),
    ],
)
def test_what_a_card_might_say_can_be_seen_beforehand(world, simulate, status, code):
    switched_on(world)

    tried = world.post(TEST, body={"simulate": simulate})

    assert tried["would_trigger"] is False
    assert (tried["attempt"]["status"], tried["attempt"]["failure_code"]) == (status, code)
    assert world.get(STATUS) == WELL


def test_only_what_is_no_dry_run_charges_and_only_under_a_key(world):
    switched_on(world)

    assert world.refused("POST", TEST, body={"dry_run": False})[:2] == (
        422,
        "idempotency_key_invalid",
    )
    tried = charge(world)

    assert (tried["would_trigger"], tried["reason"]) == (False, "asked_for")
    assert tried["attempt"]["status"] == "succeeded"
    assert tried["attempt"]["payment_intent_id"] == INTENT_ID
    assert tried["attempt"]["balance_after_cents"] == 3000
    assert world.cents() == (3000, 0)


def test_a_replay_of_a_real_test_charges_nothing_more(world):
    switched_on(world)
    first = world.ask("POST", TEST, body={"dry_run": False}, key="k1")

    again = world.ask("POST", TEST, body={"dry_run": False}, key="k1")

    assert (again.replayed, again.text) == (True, first.text)
    assert world.cents() == (3000, 0)


def test_a_real_charge_is_not_simulated(world):
    switched_on(world)
    body = {"dry_run": False, "simulate": "success"}

    assert world.refused("POST", TEST, body=body, key="k1").param == "simulate"


@pytest.mark.parametrize("body", [{}, {"dry_run": False}])
def test_where_it_is_not_switched_on_there_is_nothing_to_test(world, body):
    attach(world)

    assert world.refused("POST", TEST, body=body, key="k1")[:2] == (409, "auto_recharge_off")


# --- Attempts -------------------------------------------------------------------------------------


def test_attempts_are_listed_newest_first_and_by_status(world):
    switched_on(world, DEAD)
    for number, simulate in enumerate(["success", "card_declined", "requires_action"]):
        world.wait(seconds=1)
        world.post(TEST, body={"simulate": simulate}, key=f"k{number}")
    world.wait(seconds=1)
    charge(world, "real")

    listed = [each["status"] for each in world.get(ATTEMPTS)["data"]]

    assert listed == ["failed", "requires_action", "failed", "succeeded"]
    failed = world.get(ATTEMPTS, query={"status": "failed"})["data"]
    assert [each["decline_code"] for each in failed] == ["generic_decline", None]
    assert world.get(ATTEMPTS, query={"status": "pending"})["data"] == []


@pytest.mark.parametrize("by", [BOB, TEST_ALICE])
def test_nobody_sees_the_attempts_of_another(world, by):
    switched_on(world)
    world.post(TEST, body={})

    assert world.get(ATTEMPTS, by=by) == {"data": [], "has_more": False, "next_cursor": None}


def test_a_look_at_attempts_makes_no_account(world):
    assert world.get(ATTEMPTS)["data"] == []
    assert world.items() == []


# --- Recovery -------------------------------------------------------------------------------------


def test_an_account_in_which_nothing_failed_needs_nothing(world):
    assert world.get(STATUS) == WELL
    switched_on(world)
    assert world.get(STATUS) == WELL


def test_after_a_decline_it_is_tried_again_and_the_status_says_when(world):
    switched_on(world, DEAD)
    charge(world)

    assert world.get(STATUS) == {
        "state": "retrying",
        "reason": "card_declined",
        "failed_attempts": 1,
        "last_failure": {
            "code": "card_declined",
            "decline_code": "generic_decline",
            "at": NOON_TEXT,
        },
        "next_retry_at": "2026-11-21T13:00:00.000Z",
        "blocked_actions": ["auto_recharge"],
        "required_action": {"type": "update_payment_method", "client_secret": None},
    }


def test_after_four_the_card_is_blocked_until_there_is_another(world):
    switched_on(world, DEAD)
    for number, wait in enumerate([0, 1, 6, 24]):
        world.wait(hours=wait)
        assert charge(world, f"k{number}")["attempt"]["status"] == "failed"
    world.wait(days=400)
    assert charge(world, "late")["reason"] == "card_blocked"
    assert world.get(STATUS)["state"] == "blocked"

    attach(world)

    assert charge(world, "other")["attempt"]["status"] == "succeeded"
    assert world.get(STATUS) == WELL


def test_a_card_that_asks_for_its_owner_comes_with_what_the_owner_confirms_it_with(world):
    switched_on(world, ASKS)
    intent_id = charge(world)["attempt"]["payment_intent_id"]

    status = world.get(STATUS)

    assert (status["state"], status["reason"]) == ("action_required", "authentication_required")
    action = status["required_action"]
    assert action["type"] == "complete_authentication"
    assert action["client_secret"].startswith(f"{intent_id}_secret_")
    assert status["next_retry_at"] is None


def test_a_debt_is_named_with_what_ends_it(world):
    world.use(1001)

    status = world.get(STATUS)

    assert (status["state"], status["reason"]) == ("action_required", "negative_balance")
    assert status["required_action"] == {"type": "add_funds", "client_secret": None}
    assert status["blocked_actions"] == ["hold", "withdrawal"]
    world.deposit(1)
    assert world.get(STATUS) == WELL


def test_an_hour_is_an_hour(world):
    switched_on(world, DEAD)
    charge(world)
    world.now += timedelta(hours=1) - timedelta(milliseconds=1)
    assert charge(world, "early")["reason"] == "backing_off"

    world.wait(milliseconds=1)

    assert charge(world, "due")["attempt"]["status"] == "failed"
