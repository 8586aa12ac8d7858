"""Stripe, and nothing of its SDK: operations, records, and events that are known to be Stripe's."""

from holdfast.gateways.stripe.events import verified
from holdfast.gateways.stripe.gateway import StripeGateway
from holdfast.gateways.stripe.partner import is_partners, partner_event
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
    Source,
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
    "Source",
    "StripeGateway",
    "is_partners",
    "partner_event",
    "verified",
]
