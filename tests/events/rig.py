"""The functions that nobody calls, with a bus and a queue that write down what they are given."""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from holdfast import runtime
from holdfast.gateways.event_bus import EventBus
from holdfast.gateways.work_queue import WorkQueue
from holdfast.runtime import Settings
from tests.api.world import World

BUS = "holdfast-bus"
UNTOLD = runtime.settings()
"""What a function is told where the template says nothing."""
QUEUE = "https://sqs.us-east-1.amazonaws.com/000000000000/sweep"

type Entry = dict[str, Any]


@dataclass(slots=True)
class FakeBus:
    """Takes every event but those it is told to refuse; `down` raises before anything is taken."""

    refuses: Callable[[Entry], bool] = lambda entry: False
    down: Exception | None = None
    calls: list[list[Entry]] = field(default_factory=list)

    def put_events(self, **call: Any) -> dict[str, Any]:
        entries: list[Entry] = call.pop("Entries")
        assert not call
        if self.down is not None:
            raise self.down
        assert 1 <= len(entries) <= 10, "PutEvents takes ten entries at most"
        self.calls.append(entries)
        answered = [
            {"ErrorCode": "InternalFailure", "ErrorMessage": "x"}
            if self.refuses(entry)
            else {"EventId": str(place)}
            for place, entry in enumerate(entries)
        ]
        failed = sum("ErrorCode" in one for one in answered)
        return {"FailedEntryCount": failed, "Entries": answered}

    @property
    def events(self) -> list[tuple[str, Any]]:
        """What was put on the bus: names and details."""
        entries = (entry for call in self.calls for entry in call)
        return [(entry["DetailType"], json.loads(entry["Detail"])) for entry in entries]

    @property
    def names(self) -> list[str]:
        return [name for name, _ in self.events]


@dataclass(slots=True)
class FakeQueue:
    """Takes every message but those whose number it is told to refuse."""

    refused: set[int] = field(default_factory=set)
    calls: list[list[Entry]] = field(default_factory=list)
    taken: list[str] = field(default_factory=list)
    _count: int = 0

    def send_message_batch(self, **call: Any) -> dict[str, Any]:
        entries: list[Entry] = call.pop("Entries")
        assert call == {"QueueUrl": QUEUE}
        assert 1 <= len(entries) <= 10, "SendMessageBatch takes ten messages at most"
        assert len({entry["Id"] for entry in entries}) == len(entries)
        assert sum(len(entry["MessageBody"]) for entry in entries) <= 256 * 1024
        self.calls.append(entries)
        answer: dict[str, Any] = {"Successful": [], "Failed": []}
        for entry in entries:
            is_refused = self._count in self.refused
            self._count += 1
            answer["Failed" if is_refused else "Successful"].append({"Id": entry["Id"]})
            if not is_refused:
                self.taken.append(entry["MessageBody"])
        return {name: listed for name, listed in answer.items() if listed}


@dataclass(slots=True)
class Rig:
    """A ledger, and what stands around it when no caller does."""

    world: World = field(default_factory=World)
    bus: FakeBus = field(default_factory=FakeBus)
    queue: FakeQueue = field(default_factory=FakeQueue)
    low_balance_micros: int = 5_000_000

    def stand_in(self, replace: Callable[[object, str, object], None]) -> None:
        """Take the place of the environment."""
        bus: Any = self.bus
        queue: Any = self.queue
        replace(runtime, "event_bus", lambda: EventBus(bus, BUS))
        replace(runtime, "work_queue", lambda: WorkQueue(queue, QUEUE))
        replace(runtime, "ledger_store", lambda: self.world.store)
        replace(runtime, "now", lambda: self.world.now)
        replace(runtime, "settings", self._settings)

    def _settings(self) -> Settings:
        return replace(
            UNTOLD,
            table_name="holdfast",
            event_bus_name=BUS,
            sweep_queue_url=QUEUE,
            version="test",
            low_balance_micros=self.low_balance_micros,
        )

    def records(self, mark: int = 0) -> list[Entry]:
        """What the table's stream would deliver of everything since the mark."""
        return list(self.world.simulator.stream[mark:])

    def messages(self) -> dict[str, Any]:
        """The queue's messages as a worker receives them; the queue is empty then."""
        taken, self.queue.taken = self.queue.taken, []
        return messages(taken)


def messages(bodies: Iterable[object]) -> dict[str, Any]:
    """Messages as Lambda hands them over."""
    return {
        "Records": [
            {
                "messageId": f"m{number}",
                "receiptHandle": "r",
                "body": body,
                "attributes": {"ApproximateReceiveCount": "1"},
                "messageAttributes": {},
                "eventSource": "aws:sqs",
                "eventSourceARN": "arn:aws:sqs:us-east-1:000000000000:sweep",
                "awsRegion": "us-east-1",
            }
            for number, body in enumerate(bodies)
        ]
    }
