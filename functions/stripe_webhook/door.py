"""How a body comes through the edge as the very bytes that were signed.

The edge reads a body as JSON and answers what is none; here a signature goes first, and nothing is
read before it fits. So the edge is not shown the body, and the route that wants it asks for it.
"""

import base64
import binascii
from collections.abc import Callable
from contextvars import ContextVar
from typing import Annotated, Any, override

from aws_lambda_powertools.event_handler import Depends

from holdfast.errors import TooLarge, Unreadable
from holdfast.gateways.endpoint_secrets import EndpointSecrets
from holdfast.gateways.event_queue import EventQueue
from holdfast.gateways.stripe.events import EVENT_BYTES_MAX
from holdfast.http.api import Api
from holdfast.http.incoming import Call, call_of
from holdfast.http.writes import Now
from holdfast.runtime import Store, endpoint_secrets, stripe_queue
from holdfast.services.stripe_inbox import Delivered, receive
from stripe_webhook.notices import notice_delivered

PATH = "/v1/billing/stripe/webhook"
SIGNATURE_HEADER = "stripe-signature"

_FUNCTION_URL = ".lambda-url."
_BASE64_LENGTH_MAX = EVENT_BYTES_MAX * 4 // 3 + 4
_delivery: ContextVar[Call] = ContextVar("delivery")


class Door(Api):
    """Operations whose bodies are signed."""

    @override
    def handler(self, event: object, context: Any = None) -> dict[str, Any]:
        whole = event if isinstance(event, dict) else {}
        call = _delivery.set(call_of(whole))
        try:
            return super().handler({**whole, **_place(whole), "body": None}, context)
        finally:
            # What one caller sent is gone before the next one comes.
            _delivery.reset(call)


def receiving(
    store: Store,
    queue: Annotated[EventQueue, Depends(stripe_queue)],
    secrets: Annotated[EndpointSecrets, Depends(endpoint_secrets)],
    now: Now,
) -> Callable[[], Delivered]:
    """What takes in the event that came with this request.

    It raises TooLarge, InvalidSignature, Unreadable and Unavailable, as `receive` does.
    """

    def received() -> Delivered:
        call = _delivery.get()
        signature = call.headers.get(SIGNATURE_HEADER, "")
        raw = _raw(call)
        delivered = receive(store, queue, secrets.by_mode(), raw=raw, signature=signature, now=now)
        notice_delivered(delivered)
        return delivered

    return received


Receive = Annotated[Callable[[], Delivered], Depends(receiving)]


def _raw(call: Call) -> bytes:
    """The bytes as they were sent; the gateway writes in base64 what it takes for no text."""
    body = "" if call.body is None else call.body
    if not isinstance(body, str):
        raise Unreadable()
    if len(body) > (_BASE64_LENGTH_MAX if call.is_base64 else EVENT_BYTES_MAX):
        raise TooLarge()
    try:
        return base64.b64decode(body, validate=True) if call.is_base64 else body.encode()
    except (binascii.Error, ValueError):
        raise Unreadable() from None


def _place(event: dict[str, Any]) -> dict[str, Any]:
    """A function URL has one thing behind it, wherever on it one knocks."""
    context = event.get("requestContext")
    domain = context.get("domainName") if isinstance(context, dict) else None
    if not isinstance(domain, str) or _FUNCTION_URL not in domain:
        return {}
    return {"rawPath": PATH, "rawQueryString": ""}
