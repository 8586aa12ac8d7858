"""Events of payment providers on the commerce surface."""

from holdfast.errors import RouteNotFound
from holdfast.http.fields import PathId
from holdfast.http.routing import Router
from holdfast.http.views import CamelView, Maybe
from holdfast.services.stripe_inbox import IGNORED
from stripe_webhook.door import Receive

router = Router()

STRIPE = "stripe"


class ProviderDeliveryView(CamelView):
    """`ignored` is there, and true, for an event that is not for this installation."""

    received: bool
    type: str
    id: str
    ignored: Maybe[bool] = None


@router.post("/api/v1/billing/webhooks/{provider}", public=True)
def receive_provider_event(provider: PathId, receive: Receive) -> ProviderDeliveryView:
    """Take in an event of a payment provider: `stripe`, by its signature `Stripe-Signature`.

    There is nobody else here whose events could be known from forged ones.
    """
    if provider != STRIPE:
        raise RouteNotFound()
    delivered = receive()
    return ProviderDeliveryView(
        received=True,
        type=delivered.event.type,
        id=delivered.event.id,
        ignored=delivered.outcome == IGNORED or None,
    )
