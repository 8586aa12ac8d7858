"""Stripe, by what is done there. Nothing else in this system speaks to it."""

import time
from collections.abc import Callable

from holdfast.gateways.stripe.checkout import Checkout
from holdfast.gateways.stripe.connection import (
    ATTEMPT_SECONDS,
    CALL_SECONDS,
    PAUSE_SECONDS,
    Connection,
)
from holdfast.gateways.stripe.customers import Cards, Customers, Portal
from holdfast.gateways.stripe.intents import PaymentIntents, SetupIntents
from holdfast.gateways.stripe.settled import Balance, Disputes, Refunds


class StripeGateway:
    """Stripe under one account's key.

    Whatever changes something there takes a `key` made of our own ids: the same request under the
    same key has one effect, for as long as Stripe remembers keys (a day at least).
    """

    def __init__(
        self,
        secret: Callable[[], str],
        *,
        api_base: str | None = None,
        clock: Callable[[], float] = time.time,
        attempt_seconds: float = ATTEMPT_SECONDS,
        call_seconds: float = CALL_SECONDS,
        pause_seconds: float = PAUSE_SECONDS,
    ) -> None:
        """Reach Stripe, or what stands at `api_base`, under the key that `secret` tells.

        `secret` is asked at the first request, every five minutes, and when the key is refused; it
        raises Unavailable when it cannot tell. Nothing is loaded or asked before the first request.
        """
        connection = Connection(
            secret,
            api_base=api_base,
            clock=clock,
            attempt_seconds=attempt_seconds,
            call_seconds=call_seconds,
            pause_seconds=pause_seconds,
        )
        self.customers = Customers(connection)
        self.cards = Cards(connection)
        self.portal = Portal(connection)
        self.setup_intents = SetupIntents(connection)
        self.payment_intents = PaymentIntents(connection)
        self.checkout = Checkout(connection)
        self.refunds = Refunds(connection)
        self.disputes = Disputes(connection)
        self.balance = Balance(connection)
