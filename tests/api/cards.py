"""Saving cards over HTTP, as the tests of every surface begin."""

from typing import Any

from tests.api.world import World
from tests.gateways.stripe_sites import Desk
from tests.http.events import ALICE

AGENTS = "/api/agents/v1/billing/payment-methods"
COMMERCE = "/api/v1/billing/payment-methods"
ME = "/v1/me/payment-methods"
SETUPS = "/api/v1/billing/setup-intents"
NUMBERS = ("4242424242424242", "5555555555554444", "378282246310005", "4000002760003184")
"""Of the cards here: nothing of ours may ever hold one."""


def attach(world: World, card_id: str = "pm_card_visa", *, by: Any = ALICE, **more: Any) -> Any:
    """A card put on file by its holder, the default one unless it is said otherwise."""
    body = {"payment_method_id": card_id, **more}
    return world.post(AGENTS, by=by, body=body)["data"]


def on_file(world: World, *, by: Any = ALICE) -> list[tuple[str, bool]]:
    """The last digits of the cards on file, and which is the default."""
    items = world.get(AGENTS, by=by)["items"]
    return [(each["last4"], each["is_default"]) for each in items]


def at_stripe(desk: Desk) -> list[str]:
    """The last digits of all cards that Stripe keeps for anybody, newest first."""
    return [
        card["card"]["last4"]
        for customer in desk.listed("customers")
        for card in desk.listed(f"customers/{customer['id']}/payment_methods")
    ]


def advance(desk: Desk, seconds: int = 1) -> None:
    """Let time pass at Stripe."""
    desk.control("POST", "clock", advance_seconds=seconds)
