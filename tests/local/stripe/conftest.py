"""A simulated Stripe for each test, and the library that calls it."""

from collections.abc import Iterator
from typing import Any

import pytest
import stripe

from local.stripe.knobs import Knobs
from local.stripe.server import StripeServer, running
from tests.local.stripe.asking import CARD_ONLY, Clock, client


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def server(clock: Clock) -> Iterator[StripeServer]:
    with running(clock=clock, seed="tests") as one:
        yield one


@pytest.fixture
def knobs(server: StripeServer) -> Knobs:
    return Knobs(server.address)


@pytest.fixture
def v1(server: StripeServer) -> stripe.V1Services:
    return client(server.address).v1


@pytest.fixture
def customer(v1: stripe.V1Services) -> str:
    return v1.customers.create({"email": "ada@example.com"}).id


@pytest.fixture
def event_types(v1: stripe.V1Services):
    """The types of all events so far, oldest first."""

    def types() -> list[str]:
        return [event.type for event in reversed(v1.events.list({"limit": 100}).data)]

    return types


@pytest.fixture
def pay(v1: stripe.V1Services):
    """A payment that is confirmed at once, of 10.00 unless it says otherwise."""

    def paid(method: str = "pm_card_visa", **more: Any) -> stripe.PaymentIntent:
        asked: Any = {
            "amount": 1000,
            "currency": "usd",
            "payment_method": method,
            "confirm": True,
            "automatic_payment_methods": CARD_ONLY,
            **more,
        }
        return v1.payment_intents.create(asked)

    return paid
