"""The queue of the provider's events that wait to be looked into: one in a message."""

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from holdfast.domain.clock import Instant, from_rfc3339, rfc3339
from holdfast.domain.stripe_events import StripeEvent
from holdfast.errors import Unavailable

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

_TOLD = ("id", "mode", "type", "object_type", "object_id", "customer_id")


@dataclass(frozen=True, slots=True)
class EventQueue:
    """One queue."""

    client: "SQSClient"
    url: str

    def send(self, event: StripeEvent) -> None:
        """Queue an event: what it is about, and nothing that it says of it.

        Raises:
            Unavailable: The queue did not take it; it may have.
        """
        told: dict[str, str] = {name: getattr(event, name) for name in _TOLD}
        body = json.dumps({"event": {**told, "created_at": rfc3339(event.created_at)}})
        try:
            self.client.send_message(QueueUrl=self.url, MessageBody=body)
        except (BotoCoreError, ClientError) as error:
            raise Unavailable() from error


def event_in(body: Any, now: Instant) -> StripeEvent:
    """The event of a message that `EventQueue.send` queued, received at `now`.

    Raises:
        KeyError, TypeError, ValueError: It is none.
    """
    told = body["event"]
    values = {name: told[name] for name in _TOLD}
    if not all(isinstance(value, str) for value in values.values()):
        raise TypeError("an event is told in words")
    created_at = from_rfc3339(told["created_at"])
    return StripeEvent(**values, created_at=created_at, received_at=now)
