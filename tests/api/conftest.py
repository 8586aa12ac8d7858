"""A world for each test, audited when the test is over."""

from collections.abc import Iterator

import pytest

from holdfast.audit import audit_items
from holdfast.gateways.stripe import StripeGateway
from local.stripe.server import running
from tests.api.world import NOON, World
from tests.gateways.stripe_sites import SECRET, Desk


@pytest.fixture
def world() -> Iterator[World]:
    """Nobody has an account yet, and it is noon."""
    there = World()
    yield there
    assert audit_items(there.items()) == []


@pytest.fixture(scope="module")
def stripe_address() -> Iterator[str]:
    """Where a simulated Stripe is, at which it is noon as well."""
    with running(secret_key=SECRET, clock=NOON.timestamp) as server:
        yield server.address


@pytest.fixture
def desk(world, stripe_address) -> Desk:
    """An empty Stripe on a socket, which the world pays with in both modes."""
    gateway = StripeGateway(
        lambda: SECRET, api_base=stripe_address, attempt_seconds=5, pause_seconds=0
    )
    world.stripes = lambda mode: gateway
    desk = Desk(stripe_address, gateway)
    desk.control("POST", "reset")
    return desk
