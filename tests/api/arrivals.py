"""What stands around the door for Stripe's events: secrets of two endpoints, a queue, a signer."""

import base64
import hmac
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from botocore.exceptions import ClientError, ConnectionClosedError

from holdfast.gateways.endpoint_secrets import EndpointSecrets
from holdfast.gateways.event_queue import EventQueue
from tests.simulator.scheduler import yield_point

QUEUE = "https://sqs.us-east-1.amazonaws.com/000000000000/stripe-events"
NAMES = {
    "live": "/holdfast/stripe-live-webhook-secret",
    "test": "/holdfast/stripe-test-webhook-secret",
}
SECRETS = {"live": "whsec_live_of_the_world", "test": "whsec_test_of_the_world"}
FORMER = "whsec_before_it_was_changed"
FOREIGN = "whsec_of_somebody_elses_account"

type Event = dict[str, Any]


@dataclass(slots=True)
class Parameters:
    """The Parameter Store: `down` raises, and what is not in `values` is not there."""

    values: dict[str, str] = field(
        default_factory=lambda: {NAMES[mode]: secret for mode, secret in SECRETS.items()}
    )
    down: bool = False
    calls: int = 0

    def get_parameters(self, **call: Any) -> Any:
        names: list[str] = call.pop("Names")
        assert call == {"WithDecryption": True}
        assert 1 <= len(names) <= 10, "GetParameters takes ten names at most"
        self.calls += 1
        if self.down:
            raise ConnectionClosedError(endpoint_url="https://ssm.us-east-1.amazonaws.com")
        found = [name for name in names if name in self.values]
        return {
            "Parameters": [{"Name": name, "Value": self.values[name]} for name in found],
            "InvalidParameters": [name for name in names if name not in found],
        }


@dataclass(slots=True)
class Messages:
    """The queue: `faults` are raised by the next calls, before or after they were taken."""

    taken: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def send_message(self, **call: Any) -> Any:
        yield_point("send_message")
        body: str = call.pop("MessageBody")
        assert call == {"QueueUrl": QUEUE}
        fault = self.faults.pop(0) if self.faults else ""
        if fault != "before":
            self.taken.append(body)
        match fault:
            case "before" | "after":
                raise ConnectionClosedError(endpoint_url=QUEUE)
            case "refused":
                self.taken.pop()
                refused: Any = {"Error": {"Code": "AccessDenied", "Message": "no"}}
                raise ClientError(refused, "SendMessage")
        return {"MessageId": "m"}

    def emptied(self) -> list[str]:
        """The messages, as somebody takes them."""
        taken, self.taken = self.taken, []
        return taken

    @property
    def ids(self) -> list[str]:
        """The events that wait, in the order in which they were queued."""
        return [json.loads(body)["event"]["id"] for body in self.taken]


class Arrivals:
    """All of it, for one world."""

    def __init__(self) -> None:
        self.parameters = Parameters()
        self.messages = Messages()
        self.seconds = 0.0
        self.names: Mapping[str, str] = NAMES
        self.start_anew()

    def start_anew(self) -> None:
        """From here on another environment answers: it has read no secret yet."""
        client: Any = self.messages
        self.queue = EventQueue(client, QUEUE)
        self.secrets = EndpointSecrets(
            lambda: self.parameters, self.names, clock=lambda: self.seconds
        )


def event_of(
    kind: str,
    about: Mapping[str, Any],
    *,
    at: int,
    event_id: str = "evt_1",
    livemode: bool = True,
    **more: Any,
) -> Event:
    """An event as Stripe sends it, about an object."""
    return {
        "id": event_id,
        "object": "event",
        "api_version": "2026-10-28.endive",
        "created": at,
        "data": {"object": dict(about)},
        "livemode": livemode,
        "pending_webhooks": 1,
        "request": {"id": None, "idempotency_key": None},
        "type": kind,
        **more,
    }


def written(event: object) -> bytes:
    """An event as Stripe writes it."""
    return json.dumps(event, ensure_ascii=False, indent=2).encode()


def signed(raw: bytes, *secrets: str, at: float) -> str:
    """The header `Stripe-Signature`, with a signature for each secret."""
    content = f"{int(at)}.".encode() + raw
    claims = ("v1=" + hmac.new(secret.encode(), content, sha256).hexdigest() for secret in secrets)
    return ",".join([f"t={int(at)}", *claims])


def delivery(
    raw: bytes,
    signature: str | None,
    *,
    path: str = "/v1/billing/stripe/webhook",
    domain: str = "a1b2c3.execute-api.us-east-1.amazonaws.com",
    is_base64: bool = False,
    method: str = "POST",
    **more: Any,
) -> dict[str, Any]:
    """What the gateway, or a function URL, hands over for a body that was posted."""
    headers = {
        "accept": "*/*; q=0.5, application/xml",
        "content-type": "application/json; charset=utf-8",
        "host": domain,
        "user-agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
    }
    if signature is not None:
        headers["stripe-signature"] = signature
    body = base64.b64encode(raw).decode() if is_base64 else raw.decode("utf-8", "surrogateescape")
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": "",
        "headers": headers,
        "requestContext": {
            "apiId": "a1b2c3",
            "domainName": domain,
            "http": {"method": method, "path": path, "protocol": "HTTP/1.1"},
            "requestId": "JKJaXmPLvHcESHA=",
            "stage": "$default",
        },
        "isBase64Encoded": is_base64,
        "body": body,
        **more,
    }


def each_way(raw: bytes, signature: str | None) -> Iterator[tuple[str, dict[str, Any]]]:
    """The same delivery by each of the three ways in."""
    url = "abc123.lambda-url.us-east-1.on.aws"
    yield "billing", delivery(raw, signature)
    yield "commerce", delivery(raw, signature, path="/api/v1/billing/webhooks/stripe")
    yield "function URL", delivery(raw, signature, path="/", domain=url)
