"""Payment providers, made once per environment: only functions that are paid load this."""

from collections.abc import Callable
from functools import cache
from typing import Annotated

from aws_lambda_powertools.event_handler import Depends

from holdfast.gateways.parameters import Parameter
from holdfast.gateways.stripe import StripeGateway
from holdfast.gateways.x402_facilitator import X402Facilitator
from holdfast.runtime import SECRETS, session, settings


@cache
def stripe(mode: str) -> StripeGateway:
    """Stripe in one mode, under the key of that mode."""
    name = settings().stripe_key_parameters.get(mode, "")
    if not name:
        raise RuntimeError(f"the parameter of the {mode} key of Stripe is not set")
    parameter = Parameter(lambda: session().create_client("ssm", config=SECRETS), name)
    return StripeGateway(parameter.value, api_base=settings().stripe_api_bases.get(mode) or None)


def stripes() -> Callable[[str], StripeGateway]:
    """Stripe by mode."""
    return stripe


Stripe = Annotated[Callable[[str], StripeGateway], Depends(stripes)]


@cache
def facilitator(mode: str) -> X402Facilitator:
    """Who settles payments over x402 in one mode."""
    url = settings().x402_facilitators.get(mode, "")
    if not url:
        raise RuntimeError(f"the address of the facilitator in {mode} mode is not set")
    return X402Facilitator(url)


def facilitators() -> Callable[[str], X402Facilitator]:
    """Facilitators by mode."""
    return facilitator


Facilitator = Annotated[Callable[[str], X402Facilitator], Depends(facilitators)]
