"""Who the caller is as a payer: `GET /v1/billing/profile`."""

import pytest

from tests.api.world import BOB, account_of
from tests.http.events import ALICE

PROFILE = "/v1/billing/profile"
NOTE = (
    "Being ready to pay is no permission to run on hardware: that also takes a backend that is "
    "ready, credentials for it, and the quote and the hold of the job."
)


def readiness(world):
    shown = world.get(PROFILE)
    return shown["billing_ready"], shown["readiness"]


def told(**true):
    names = ("customer", "payment_method", "wallet_funded", "not_in_recovery")
    return {name: true.get(name, False) for name in names}


def test_a_new_user_has_a_funded_wallet_and_nothing_else(world):
    assert world.get(PROFILE) == {
        "account_id": account_of(ALICE),
        "email": None,
        "name": "acme/alice",
        "plan": "free",
        "currency": "usd",
        "stripe_customer_id": None,
        "has_payment_method": False,
        "default_payment_method": None,
        "billing_ready": True,
        "readiness": told(wallet_funded=True, not_in_recovery=True),
        "hardware_entitled": False,
        "note": NOTE,
    }
    assert world.cents() == (1000, 0)


def test_a_card_on_file_is_shown_by_what_it_is_known_by(world):
    world.save_card()

    shown = world.get(PROFILE)

    assert shown["has_payment_method"] is True
    assert shown["default_payment_method"] == {
        "id": "pm_1",
        "brand": "visa",
        "last4": "4242",
        "exp_month": 4,
        "exp_year": 2030,
    }


def test_a_profile_has_the_name_and_the_address_of_the_billing_info(world):
    body = {"name": "Alice Ltd", "email": "alice@example.com"}
    world.ask("PUT", "/api/agents/v1/billing/info", body=body)

    shown = world.get(PROFILE)

    assert (shown["name"], shown["email"]) == ("Alice Ltd", "alice@example.com")


@pytest.mark.parametrize(
    ("spent", "card", "ready", "expected"),
    [
        (999, False, True, told(wallet_funded=True, not_in_recovery=True)),
        (1000, False, False, told(not_in_recovery=True)),
        (1001, False, False, told()),
        (1000, True, True, told(payment_method=True, not_in_recovery=True)),
        (1001, True, False, told(payment_method=True)),
    ],
    ids=["a cent left", "nothing left", "a debt", "nothing left, a card", "a debt, a card"],
)
def test_who_has_something_to_pay_with_and_owes_nothing_is_ready(
    world, spent, card, ready, expected
):
    world.use(spent)
    if card:
        world.save_card()

    assert readiness(world) == (ready, expected)


def test_being_ready_never_entitles_to_hardware(world):
    world.deposit(1_000_000)
    world.save_card()

    shown = world.get(PROFILE)

    assert (shown["billing_ready"], shown["hardware_entitled"]) == (True, False)


def test_everybody_has_a_profile_of_their_own(world):
    world.save_card()
    world.deposit(2500)

    shown = world.get(PROFILE, by=BOB)

    assert (shown["account_id"], shown["has_payment_method"]) == (account_of(BOB), False)
