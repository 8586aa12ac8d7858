"""How tests come to the door for Stripe's events: at noon, by a way that is theirs to choose."""

from typing import Any

from tests.api.world import NOON, Answer, World

AT = int(NOON.timestamp())


def knock(world: World, sent: dict[str, Any]) -> Answer:
    """What is answered at the door, whichever way one came."""
    return world.deliver(sent, to="stripe_webhook")
