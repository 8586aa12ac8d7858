"""A setup on the billing surface: what a browser needs to save a card by itself."""

from http import HTTPStatus
from typing import Annotated, Literal

from pydantic import Field

from holdfast.http.fields import Body
from holdfast.http.principal import Caller, owner_named
from holdfast.http.provider import publishable_key
from holdfast.http.routing import Router
from holdfast.http.views import Answer, View
from holdfast.http.writes import Write
from holdfast.providers import Stripe
from holdfast.runtime import Installation, Store
from holdfast.services import setups

router = Router()

Types = Annotated[list[Literal["card"]], Field(min_length=1, max_length=1)]


class BeginSetup(Body):
    payment_method_types: Types | None = None
    usage: Literal["off_session", "on_session"] = "off_session"


class BegunSetupView(View):
    setup_intent_id: str
    client_secret: str | None
    status: str
    publishable_key: str


@router.post("/v1/billing/stripe/setup-intent", status_code=HTTPStatus.CREATED)
def begin_setup(
    body: BeginSetup,
    caller: Caller,
    once: Write,
    store: Store,
    stripes: Stripe,
    installation: Installation,
) -> Answer[BegunSetupView]:
    """Begin to save a card; whoever has `client_secret` goes on at Stripe."""
    key = publishable_key(installation.stripe_publishable_keys, caller.mode)
    begun, replayed = setups.begin_setup(
        store, stripes, owner_named(caller, None), usage=body.usage, once=once
    )
    view = BegunSetupView(
        setup_intent_id=begun.id,
        client_secret=begun.client_secret,
        status=begun.status,
        publishable_key=key,
    )
    return Answer(view, replayed=replayed)
