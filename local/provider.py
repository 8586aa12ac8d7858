"""Which Stripe a laptop's stack talks to: the simulated one, or the real one with a test key."""

import contextlib
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from local.places import Places
from local.server import listen
from local.stripe.server import StripeServer

KEY_VARIABLE = "STRIPE_API_KEY"
PUBLISHABLE_VARIABLE = "STRIPE_PUBLISHABLE_KEY"
SIMULATED_KEY = "sk_test_laptop"


class NotATestKey(Exception):
    """The key in the shell is not one of test mode."""


@dataclass(frozen=True, slots=True)
class Provider:
    """Where Stripe answers (empty: where it always does), and under which keys."""

    address: str
    key: str = field(repr=False)
    publishable: str = "pk_test_laptop"


@contextlib.asynccontextmanager
async def provider(places: Places) -> AsyncIterator[Provider]:
    """The Stripe of this run; a simulated one serves as long as the block runs.

    Raises:
        NotATestKey: The shell has a key, and it is one for real money.
    """
    key = os.environ.get(KEY_VARIABLE, "")
    if not key:
        async with StripeServer(listen(0), state=places.state) as server:
            yield Provider(server.address, SIMULATED_KEY)
        return
    if not key.startswith(("sk_test_", "rk_test_")):
        raise NotATestKey(f"{KEY_VARIABLE} is no key of test mode (sk_test_…)")
    yield Provider("", key, os.environ.get(PUBLISHABLE_VARIABLE, ""))
