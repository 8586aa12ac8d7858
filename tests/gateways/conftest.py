"""A simulated Stripe for the tests of the gateway to it: one server, empty before each test."""

from collections.abc import Iterator

import pytest

from holdfast.gateways.stripe import StripeGateway
from local.stripe.server import running
from tests.gateways.stripe_sites import SECRET, Desk


@pytest.fixture(scope="session")
def stripe_address() -> Iterator[str]:
    """Where the simulated Stripe is."""
    with running(secret_key=SECRET) as server:
        yield server.address


@pytest.fixture
def desk(stripe_address) -> Desk:
    """An empty Stripe, and a gateway to it that waits for nobody."""
    gateway = StripeGateway(
        lambda: SECRET, api_base=stripe_address, attempt_seconds=5, pause_seconds=0
    )
    desk = Desk(stripe_address, gateway)
    desk.control("POST", "reset")
    return desk
