"""Which Stripe a laptop's stack talks to: simulated ones, or the real one with a test key.

Stripe keeps two sets of everything, and a key belongs to one of them; so there are two simulated
ones, one for each mode. The real one has the mode of the test key only.
"""

import contextlib
import os
import secrets
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field, replace

from local.places import Places
from local.server import listen
from local.stripe.server import StripeServer

KEY_VARIABLE = "STRIPE_API_KEY"
PUBLISHABLE_VARIABLE = "STRIPE_PUBLISHABLE_KEY"
ENDPOINT_VARIABLE = "STRIPE_WEBHOOK_SECRET"
MODES = ("live", "test")


class NotATestKey(Exception):
    """The key in the shell is not one of test mode."""


@dataclass(frozen=True, slots=True)
class Provider:
    """Stripe in one mode: where it answers (empty: where it always does), and under which keys.

    `endpoint_secret` is what its events are signed with; empty if that is not known.
    """

    key: str = field(repr=False)
    publishable: str
    address: str = ""
    endpoint_secret: str = field(default="", repr=False)


type Providers = Mapping[str, Provider]
"""Stripe by mode."""


@contextlib.asynccontextmanager
async def providers(places: Places, *, webhook: str) -> AsyncIterator[Providers]:
    """The Stripe of this run; simulated ones serve, and post events, as long as the block runs.

    Raises:
        NotATestKey: The shell has a key, and it is one for real money.
    """
    key = os.environ.get(KEY_VARIABLE, "")
    if key:
        if not key.startswith(("sk_test_", "rk_test_")):
            raise NotATestKey(f"{KEY_VARIABLE} is no key of test mode (sk_test_…)")
        real = Provider(
            key,
            os.environ.get(PUBLISHABLE_VARIABLE, ""),
            endpoint_secret=os.environ.get(ENDPOINT_VARIABLE, ""),
        )
        yield dict.fromkeys(MODES, real)
        return
    async with contextlib.AsyncExitStack() as stack:
        simulated = {}
        for mode in MODES:
            one = Provider(
                simulated_key(mode),
                f"pk_{mode}_laptop",
                endpoint_secret=f"whsec_{secrets.token_hex(16)}",
            )
            server = StripeServer(
                listen(0),
                # Test mode was there first, and keeps its place.
                state=places.state / "live" if mode == "live" else places.state,
                webhook_url=webhook,
                webhook_secret=one.endpoint_secret,
                mode=mode,
            )
            await stack.enter_async_context(server)
            simulated[mode] = replace(one, address=server.address)
        yield simulated


def simulated_key(mode: str) -> str:
    """The key that simulated Stripes are asked with."""
    return f"sk_{mode}_laptop"
