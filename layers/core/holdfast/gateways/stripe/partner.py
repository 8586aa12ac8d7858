"""Stripe's events by the other way in: its own bus at EventBridge, and a rule there."""

from collections.abc import Mapping
from typing import Any

from holdfast.errors import Unreadable
from holdfast.gateways.stripe import reading
from holdfast.gateways.stripe.reading import Misshapen
from holdfast.gateways.stripe.records import Event

SOURCE_PREFIX = "aws.partner/stripe.com/"


def is_partners(body: Mapping[str, Any]) -> bool:
    """Whether a message is an event of a bus, and not one that was queued here."""
    return "detail-type" in body


def partner_event(body: Mapping[str, Any]) -> Event:
    """The event in what the bus delivered. Nobody but the rule may put such a message there.

    Raises:
        Unreadable: It is none of Stripe's.
    """
    source = body.get("source")
    if not isinstance(source, str) or not source.startswith(SOURCE_PREFIX):
        raise Unreadable
    try:
        return reading.event(body.get("detail"))
    except Misshapen:
        raise Unreadable from None
