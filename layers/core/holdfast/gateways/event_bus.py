"""The event bus: events go out in batches, and one that was not taken is an error."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import batched
from typing import TYPE_CHECKING

from holdfast.domain.events import SOURCE, Event

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient

EVENTS_AT_ONCE = 10


class NotPublished(Exception):
    """The bus did not take an event. Whoever delivered its cause delivers it again."""


@dataclass(frozen=True, slots=True)
class EventBus:
    """One bus."""

    client: "EventBridgeClient"
    name: str

    def publish(self, events: Sequence[Event]) -> None:
        """Put the events on the bus.

        Raises:
            NotPublished: At least one was not taken. Those that were will be published twice.
        """
        for batch in batched(events, EVENTS_AT_ONCE, strict=False):
            answer = self.client.put_events(
                Entries=[
                    {
                        "EventBusName": self.name,
                        "Source": SOURCE,
                        "DetailType": event.name,
                        "Detail": json.dumps(event.detail),
                    }
                    for event in batch
                ]
            )
            if answer["FailedEntryCount"]:
                codes = {entry.get("ErrorCode") for entry in answer["Entries"]} - {None}
                raise NotPublished(
                    f"{answer['FailedEntryCount']} events: {sorted(map(str, codes))}"
                )
