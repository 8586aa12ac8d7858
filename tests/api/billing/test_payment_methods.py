"""A setup on the billing surface: `POST /v1/billing/stripe/setup-intent`."""

import pytest

from local.stripe.knobs import Knobs
from tests.api.cards import on_file
from tests.api.world import BOB, Like
from tests.http.events import ALICE

SETUP = "/v1/billing/stripe/setup-intent"


def test_a_setup_comes_with_all_that_a_browser_needs(world, desk):
    answer = world.ask("POST", SETUP, body={"payment_method_types": ["card"]})

    assert answer.status == 201
    assert answer.body == {
        "setup_intent_id": Like(r"seti_\w{24}"),
        "client_secret": Like(r"seti_\w{24}_secret_\w+"),
        "status": "requires_payment_method",
        "publishable_key": "pk_live_world",
    }


@pytest.mark.parametrize(
    ("body", "usage"),
    [
        ({}, "off_session"),
        ({"usage": "off_session"}, "off_session"),
        ({"usage": "on_session"}, "on_session"),
    ],
)
def test_a_card_is_saved_for_when_nobody_is_there_unless_it_is_said_otherwise(
    world, desk, body, usage
):
    begun = world.post(SETUP, body=body)

    assert desk.found(f"setup_intents/{begun['setup_intent_id']}")["usage"] == usage


def test_the_card_is_on_file_once_the_browser_is_done(world, desk):
    begun = world.post(SETUP, body={})
    desk.gateway.setup_intents.confirm(
        begun["setup_intent_id"], key="browser", payment_method_id="pm_card_visa"
    )

    assert on_file(world) == [("4242", True)]
    assert on_file(world, by=BOB) == []
    assert world.get("/v1/billing/profile")["has_payment_method"] is True


@pytest.mark.parametrize("types", [[], ["card", "card"], ["us_bank_account"], ["card", "link"]])
def test_nothing_but_cards_is_saved(world, desk, types):
    refusal = world.refused("POST", SETUP, body={"payment_method_types": types})

    assert refusal[:2] == (422, "invalid_field")
    assert refusal.param.startswith("payment_method_types")
    assert desk.listed("customers") == []


def test_a_setup_that_was_not_answered_is_begun_once(world, desk):
    world.post(SETUP, body={})
    Knobs(desk.address).fault("close", path="/v1/setup_intents", times=3, is_done=True)

    lost = world.ask("POST", SETUP, body={}, key="k1")
    again = world.ask("POST", SETUP, body={}, key="k1")

    assert lost.refusal[:2] == (502, "stripe_unavailable")
    assert again.status == 201
    assert len(desk.listed("setup_intents")) == 2


def test_without_a_publishable_key_no_setup_is_begun(world, desk):
    world.publishable_keys = {"live": "sk_live_secret"}

    refusal = world.refused("POST", SETUP, by=ALICE, body={})

    assert refusal[:2] == (503, "unavailable")
    assert desk.listed("customers") == []
