"""The table's stream: what changed, in the shape in which Lambda receives it."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, overload

from tests.simulator.table import Stored, Table
from tests.simulator.values import copy_item

REGION = "us-east-1"
ACCOUNT = "000000000000"


def table_arn(name: str) -> str:
    return f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{name}"


def stream_arn(name: str) -> str:
    return f"{table_arn(name)}/stream/2025-01-01T00:00:00.000"


class Changed(NamedTuple):
    """One item that really became another."""

    table: Table
    before: Stored | None
    after: Stored | None
    at: float
    number: int


class Stream(Sequence[dict[str, Any]]):
    """Records in the order of the writes (NEW_AND_OLD_IMAGES), made when they are looked at.

    A write that changes nothing leaves no record, as in the service.
    """

    def __init__(self) -> None:
        self._changes: list[Changed] = []
        self._count = 0

    def append(
        self, table: Table, before: Stored | None, after: Stored | None, *, at: float
    ) -> None:
        """Note a write at `at` seconds since the epoch, unless it changed nothing."""
        if before is None and after is None:
            return
        if before is not None and after is not None and before.item == after.item:
            return
        self._count += 1
        self._changes.append(Changed(table, before, after, at, self._count))

    def clear(self) -> None:
        """Forget the records so far; sequence numbers go on."""
        self._changes.clear()

    def event(self, start: int = 0, stop: int | None = None) -> dict[str, Any]:
        """A Lambda event with some of the records."""
        return {"Records": self[start:stop]}

    def __len__(self) -> int:
        return len(self._changes)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return (_record(change) for change in self._changes)

    @overload
    def __getitem__(self, place: int) -> dict[str, Any]: ...
    @overload
    def __getitem__(self, place: slice) -> list[dict[str, Any]]: ...
    def __getitem__(self, place: int | slice) -> dict[str, Any] | list[dict[str, Any]]:
        if isinstance(place, slice):
            return [_record(change) for change in self._changes[place]]
        return _record(self._changes[place])


def _record(change: Changed) -> dict[str, Any]:
    known = change.after or change.before
    assert known is not None
    keys = [attribute.name for attribute in change.table.keys.attributes]
    images: dict[str, Any] = {}
    if change.before is not None:
        images["OldImage"] = copy_item(change.before.item)
    if change.after is not None:
        images["NewImage"] = copy_item(change.after.item)
    changed = "REMOVE" if change.after is None else "MODIFY"
    return {
        "eventID": f"{change.number:032x}",
        "eventName": "INSERT" if change.before is None else changed,
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": REGION,
        "dynamodb": {
            "ApproximateCreationDateTime": int(change.at),
            "Keys": copy_item({key: known.item[key] for key in keys}),
            **images,
            "SequenceNumber": f"{change.number:021d}",
            "SizeBytes": sum(stored.size_bytes for stored in change[1:3] if stored is not None),
            "StreamViewType": "NEW_AND_OLD_IMAGES",
        },
        "eventSourceARN": stream_arn(change.table.name),
    }
