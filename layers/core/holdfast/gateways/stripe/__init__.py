"""Stripe, and nothing of its SDK: operations, records, and events that are known to be Stripe's."""

from holdfast.gateways.stripe.events import verified
from holdfast.gateways.stripe.gateway import StripeGateway
from holdfast.gateways.stripe.records import (
    BalanceTransaction,
    CheckoutSession,
    CustomerRef,
    Dispute,
    Event,
    Failure,
    PaymentIntent,
    PortalSession,
    Refund,
    SavedCard,
    SetupIntent,
)

__all__ = [
    "BalanceTransaction",
    "CheckoutSession",
    "CustomerRef",
    "Dispute",
    "Event",
    "Failure",
    "PaymentIntent",
    "PortalSession",
    "Refund",
    "SavedCard",
    "SetupIntent",
    "StripeGateway",
    "verified",
]
