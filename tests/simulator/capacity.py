"""The capacity model: what a request costs, by the rules AWS documents.

Emulators count capacity by halves, so the project counts for itself. Sources, all in the Amazon
DynamoDB Developer Guide: "DynamoDB item sizes and formats" (sizes), "DynamoDB read and write
operations" (units), "Amazon DynamoDB Transactions: how it works" (twice the units, replayed
tokens), "Using Global Secondary Indexes" (index writes). Three things AWS leaves open, and the
reading taken here:

* The size of a number is documented as approximate; the documented formula is taken as exact.
* An index entry written by a transaction costs what it costs outside one: an index is brought up
  to date after the transaction, not within it.
* A cancelled transaction costs what it would have cost to commit its table items: no index moved.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from tests.simulator.values import Item, Value

WRITE_UNIT_BYTES = 1024
READ_UNIT_BYTES = 4096
TRANSACTION_FACTOR = 2

type Direction = Literal["read", "write"]


def text_size(text: str) -> int:
    """Bytes of a text in UTF-8."""
    return len(text) if text.isascii() else len(text.encode())


def number_size(text: str) -> int:
    """Bytes of a number in its normal spelling: one for two significant digits, and one more.

    >>> number_size("1"), number_size("1200"), number_size("-123.45")
    (2, 2, 4)
    """
    digits = text.lstrip("-").replace(".", "").strip("0")
    return (len(digits) + 1) // 2 + 1


def value_size(value: Value) -> int:
    """Bytes of a value in normal form, without its name."""
    for kind, content in value.items():
        return _SIZES[kind](content)
    raise AssertionError("a stored value has exactly one kind")


def item_size(item: Item) -> int:
    """Bytes of an item: the names and the values of its attributes."""
    size = 0
    for name, value in item.items():
        for kind, content in value.items():
            size += _SIZES[kind](content)
        size += len(name) if name.isascii() else text_size(name)
    return size


def _list_size(elements: list[Value]) -> int:
    return 3 + sum([1 + value_size(element) for element in elements])


def _map_size(attributes: Item) -> int:
    return 3 + len(attributes) + item_size(attributes)


_SIZES: dict[str, Callable[[Any], int]] = {
    "S": text_size,
    "N": number_size,
    "B": len,
    "BOOL": lambda content: 1,
    "NULL": lambda content: 1,
    "SS": lambda members: sum(map(text_size, members)),
    "NS": lambda members: sum(map(number_size, members)),
    "BS": lambda members: sum(map(len, members)),
    "L": _list_size,
    "M": _map_size,
}


def write_units(before_bytes: int, after_bytes: int) -> int:
    """Units to write an item: one for each started KB of the larger of its two sizes."""
    return max(1, -(-max(before_bytes, after_bytes) // WRITE_UNIT_BYTES))


def read_units(size_bytes: int, *, consistent: bool) -> float:
    """Units to read so many bytes at once: one for each started 4 KB, half if eventual."""
    strong = max(1, -(-size_bytes // READ_UNIT_BYTES))
    return float(strong) if consistent else strong / 2


def transact_read_units(size_bytes: int) -> float:
    """Units to read an item within a transaction, or to replay a transaction that wrote it."""
    return TRANSACTION_FACTOR * read_units(size_bytes, consistent=True)


class Entry(NamedTuple):
    """What an index holds of one item."""

    partition: Any
    position: tuple[Any, ...]
    item: Item
    size_bytes: int


def index_write_units(before: Entry | None, after: Entry | None) -> int:
    """Units to bring one index up to date with one write to its table.

    One to put or to delete an entry, two if its key moves, none if it stays as it was; each for
    each started KB.
    """
    if before is None:
        return 0 if after is None else write_units(0, after.size_bytes)
    if after is None:
        return write_units(before.size_bytes, 0)
    if before.partition != after.partition or before.position != after.position:
        return write_units(before.size_bytes, 0) + write_units(0, after.size_bytes)
    if before.item is after.item or before.item == after.item:
        return 0
    return write_units(before.size_bytes, after.size_bytes)


@dataclass(slots=True)
class Usage:
    """The units of one call, by table, index (None: the table itself) and direction."""

    units: dict[tuple[str, str | None, Direction], float] = field(default_factory=dict)

    def add(self, table: str, index: str | None, direction: Direction, units: float) -> None:
        where = (table, index, direction)
        self.units[where] = self.units.get(where, 0.0) + units

    def include(self, other: "Usage") -> None:
        """Add what another request of the same call has used."""
        for where, units in other.units.items():
            self.add(*where, units)

    def response(self, detail: str) -> list[dict[str, Any]]:
        """`ConsumedCapacity` of each table; `detail` is TOTAL or INDEXES."""
        answer: dict[str, dict[str, Any]] = {}
        for (table, index, direction), units in self.units.items():
            total = answer.setdefault(table, {"TableName": table, "CapacityUnits": 0.0})
            _add_units(total, direction, units)
            if detail == "INDEXES":
                if index is None:
                    part = total.setdefault("Table", {"CapacityUnits": 0.0})
                else:
                    parts = total.setdefault("GlobalSecondaryIndexes", {})
                    part = parts.setdefault(index, {"CapacityUnits": 0.0})
                _add_units(part, direction, units)
        return list(answer.values())


def _add_units(place: dict[str, Any], direction: Direction, units: float) -> None:
    name = "ReadCapacityUnits" if direction == "read" else "WriteCapacityUnits"
    place["CapacityUnits"] += units
    place[name] = place.get(name, 0.0) + units


@dataclass(slots=True)
class Meter:
    """What a stretch of calls has used: the recorder of tests that bound the cost of something.

    Counted is what reaches the service: units of failed conditions and replays too, as they are on
    the bill, a call that the SDK sends twice twice, and a call that never got there not at all.
    """

    calls: int = 0
    methods: list[str] = field(default_factory=list)
    read_units: float = 0.0
    write_units: float = 0.0
    index_write_units: float = 0.0

    def record(self, method: str, usage: Usage) -> None:
        self.calls += 1
        self.methods.append(method)
        for (_, index, direction), units in usage.units.items():
            if direction == "read":
                self.read_units += units
            elif index is None:
                self.write_units += units
            else:
                self.index_write_units += units

    def __iter__(self) -> Iterator[float]:
        """Reads, table writes, index writes: `assert tuple(used) == (1, 4, 1)`."""
        yield from (self.read_units, self.write_units, self.index_write_units)
