"""Auto-funding on the agents surface: `PUT` and `DELETE /api/agents/v1/wallet/auto-funding`."""

from decimal import Decimal

import pytest

from tests.api.cards import AGENTS, attach
from tests.api.world import BOB
from tests.http.events import ALICE

FUNDING = "/api/agents/v1/wallet/auto-funding"
GOOD = {"auto_charge_amount": 20, "charge_threshold": 10}


def put(world, body, *, by=ALICE, key=None):
    answer = world.ask("PUT", FUNDING, by=by, body=body, key=key)
    assert answer.status == 200, answer.text
    return answer.data


def attempts(world):
    return world.get("/v1/billing/auto-recharge/attempts")["data"]


def test_it_is_switched_on_with_the_card_that_it_charges(world):
    card = attach(world)

    assert put(world, GOOD) == {
        "enabled": True,
        "auto_charge_amount": Decimal("20.00"),
        "charge_threshold": Decimal("10.00"),
        "payment_method_id": card["id"],
    }


@pytest.mark.parametrize(
    "body",
    [
        GOOD,
        {"amount": 20, "threshold": 10},
        {"auto_charge_amount": 20, "threshold": 10.00},
        {**GOOD, "amount": 20.0, "threshold": 10},
        {**GOOD, "amount": None, "threshold": None},
    ],
)
def test_both_names_of_a_field_are_known(world, body):
    attach(world)

    assert put(world, body)["auto_charge_amount"] == 20


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"charge_threshold": 10}, "auto_charge_amount"),
        ({"auto_charge_amount": 20}, "charge_threshold"),
        ({**GOOD, "amount": 21}, "amount"),
        ({**GOOD, "threshold": 9}, "threshold"),
        ({**GOOD, "auto_charge_amount": 4.99}, "auto_charge_amount"),
        ({**GOOD, "charge_threshold": 0.99}, "charge_threshold"),
        ({"amount": 4.99, "threshold": 1}, "amount"),
        ({"amount": 5, "threshold": 0.99}, "threshold"),
        ({**GOOD, "auto_charge_amount": 10000.01}, "auto_charge_amount"),
        ({**GOOD, "charge_threshold": 10000.01}, "charge_threshold"),
        ({**GOOD, "auto_charge_amount": 20.001}, "auto_charge_amount"),
    ],
)
def test_what_is_missing_out_of_bounds_or_said_in_two_ways_is_refused_by_name(world, body, param):
    attach(world)

    refusal = world.refused("PUT", FUNDING, body=body)

    assert (refusal.status, refusal.code, refusal.param) == (422, "invalid_field", param)


@pytest.mark.parametrize(("amount", "threshold"), [(5, 1), (5.01, 1.01), (10000, 10000)])
def test_the_bounds_themselves_are_allowed(world, amount, threshold):
    attach(world)

    assert put(world, {"amount": amount, "threshold": threshold})["enabled"]


def test_without_a_card_there_is_nothing_to_charge(world):
    refusal = world.refused("PUT", FUNDING, body=GOOD)

    assert refusal[:2] == (409, "no_payment_method")
    assert world.refused("PUT", FUNDING, body={**GOOD, "amount": 4}).status == 422


def test_the_last_word_counts(world):
    attach(world)
    put(world, GOOD)

    assert put(world, {"amount": 7, "threshold": 2})["auto_charge_amount"] == 7
    tried = world.post("/v1/billing/auto-recharge/test", body={})
    assert (tried["amount_cents"], tried["threshold_cents"]) == (700, 200)


def test_a_replay_is_marked_and_changes_nothing(world):
    attach(world)
    put(world, GOOD, key="k1")
    put(world, {"amount": 7, "threshold": 2})

    again = world.ask("PUT", FUNDING, body=GOOD, key="k1")

    assert again.body["meta"]["idempotency_replay"] is True
    assert again.body["data"]["auto_charge_amount"] == 20
    assert world.post("/v1/billing/auto-recharge/test", body={})["amount_cents"] == 700


@pytest.mark.parametrize("times", [0, 1, 2])
def test_it_is_switched_off_however_often_it_was_switched_on(world, times):
    attach(world)
    for number in range(times):
        put(world, {"amount": 5 + number, "threshold": 1})

    for _ in range(2):
        answer = world.ask("DELETE", FUNDING)
        assert (answer.status, answer.data) == (200, {"enabled": False})

    assert world.refused("POST", "/v1/billing/auto-recharge/test", body={})[:2] == (
        409,
        "auto_recharge_off",
    )


def test_somebody_elses_is_not_changed(world):
    attach(world)
    put(world, GOOD)

    world.ask("DELETE", FUNDING, by=BOB)

    assert world.post("/v1/billing/auto-recharge/test", body={})["amount_cents"] == 2000


def test_the_last_card_is_not_removed_before_it_is_switched_off(world):
    card = attach(world)
    put(world, GOOD)

    assert world.refused("DELETE", f"{AGENTS}/{card['id']}")[:2] == (409, "payment_method_in_use")

    world.ask("DELETE", FUNDING)
    assert world.ask("DELETE", f"{AGENTS}/{card['id']}").status == 200


def test_of_two_cards_either_may_go_and_the_other_is_charged(world):
    first, second = attach(world), attach(world, "pm_card_amex")
    put(world, GOOD)

    assert world.ask("DELETE", f"{AGENTS}/{second['id']}").status == 200

    tried = world.post("/v1/billing/auto-recharge/test", body={})
    assert tried["payment_method_id"] == first["id"]


def test_what_was_charged_by_itself_is_listed_among_the_transactions(world):
    attach(world)
    put(world, GOOD)

    world.post("/v1/billing/auto-recharge/test", body={"dry_run": False}, key="k1")

    (newest, *_) = world.get("/api/agents/v1/wallet/transactions")["items"]
    assert (newest["amount"], newest["type"]) == (20, "credit")
    assert attempts(world)[0]["status"] == "succeeded"
