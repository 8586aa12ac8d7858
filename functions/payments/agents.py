"""What became of a payment, on the agents surface: asked again and again until it is known."""

from decimal import Decimal

from holdfast.http.fields import PathId
from holdfast.http.principal import Caller, owner_named
from holdfast.http.routing import Router
from holdfast.http.views import View, major
from holdfast.http.writes import Now
from holdfast.providers import Stripe
from holdfast.runtime import Store
from holdfast.services import topups

router = Router()

STATUSES = {"succeeded": "succeeded", "failed": "failed", "canceled": "failed"}
"""Whatever is none of these can still go either way."""


class PaymentStatusView(View):
    status: str
    payment_intent_id: str
    amount: Decimal
    currency: str


@router.get("/api/agents/v1/payments/{intent_id}/status")
def read_payment_status(
    intent_id: PathId, caller: Caller, now: Now, store: Store, stripes: Stripe
) -> PaymentStatusView:
    """A payment as it is at Stripe now, by Stripe's id; once it is paid, its money is there."""
    found = topups.intent(store, stripes, owner_named(caller, None), intent_id, now=now).payment
    return PaymentStatusView(
        status=STATUSES.get(found.status, "pending"),
        payment_intent_id=found.payment_intent_id,
        amount=major(found.amount_micros, found.currency),
        currency=found.currency,
    )
