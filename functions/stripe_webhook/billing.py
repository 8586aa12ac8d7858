"""Stripe's events on the billing surface; the function URL leads here too."""

from holdfast.http.routing import Router
from holdfast.http.views import Maybe, View
from holdfast.services.stripe_inbox import IGNORED
from stripe_webhook.door import PATH, Receive

router = Router()


class StripeDeliveryView(View):
    """`ignored` is there, and true, for an event that is not for this installation."""

    received: bool
    ignored: Maybe[bool] = None


@router.post(PATH, public=True)
def receive_stripe_event(receive: Receive) -> StripeDeliveryView:
    """Take in an event of Stripe's. Its signature is the credential: `Stripe-Signature`.

    The answer says that it is known and will be looked into, however often it came before.
    """
    delivered = receive()
    return StripeDeliveryView(received=True, ignored=delivered.outcome == IGNORED or None)
