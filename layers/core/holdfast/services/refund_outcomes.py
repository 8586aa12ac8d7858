"""What becomes of a refund at Stripe: sent until Stripe has it, and taken in whatever it says.

The money is out of the wallet before Stripe is asked, so that it is never both given back and
spent. A refund that Stripe refuses, or that a bank sends back, is undone in the wallet.
"""

from holdfast.domain.clock import Instant
from holdfast.domain.payments import FAILED, Observation, Payment
from holdfast.errors import PaymentNotFound, RefundRefused
from holdfast.gateways.stripe import Refund, StripeGateway
from holdfast.gateways.stripe.observations import of_refund
from holdfast.services.beginnings import metadata_of
from holdfast.services.cards import Stripes
from holdfast.services.refs import payment_of
from holdfast.services.taking_in import Taken, as_is, take_in
from holdfast.store.ledger_store import LedgerStore

REFUSED = "refused"
"""The failure of a refund that Stripe did not make."""


def send(store: LedgerStore, stripes: Stripes, refund: Payment, *, now: Instant) -> Taken:
    """Ask Stripe for the refund, as often as it takes; Stripe makes it once.

    Raises:
        StripeUnavailable: Nobody answers. It stays due.
    """
    paid: Payment = store.read(payment_of(refund.tenant, refund.refund_of))
    stripe = stripes(refund.tenant.mode)
    try:
        seen = of_refund(_at_stripe(stripe, paid, refund, now=now), now)
    except (RefundRefused, PaymentNotFound):
        seen = Observation(status=FAILED, at=now, failure_code=REFUSED)
    return take_in(store, refund.tenant, refund.id, seen, now=now)


def look(store: LedgerStore, stripes: Stripes, refund: Payment, *, now: Instant) -> Taken:
    """The refund as Stripe has it now.

    Raises:
        StripeUnavailable: Nobody answers.
    """
    if refund.refund_id:
        found = stripes(refund.tenant.mode).refunds.retrieve(refund.refund_id)
        return take_in(store, refund.tenant, refund.id, of_refund(found, now), now=now)
    if refund.due_at is None:
        return as_is(store, refund)
    return send(store, stripes, refund, now=now)


def _at_stripe(stripe: StripeGateway, paid: Payment, refund: Payment, *, now: Instant) -> Refund:
    metadata = metadata_of(refund)
    if not refund.may_repeat(now):
        found = stripe.refunds.find(payment_intent_id=paid.payment_intent_id, metadata=metadata)
        if found is not None:
            return found
    return stripe.refunds.create(
        key=refund.id,
        payment_intent_id=paid.payment_intent_id,
        currency=refund.currency,
        amount_micros=refund.amount_micros,
        metadata=metadata,
    )
