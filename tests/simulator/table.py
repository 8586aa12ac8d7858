"""A table and its indexes: items in partitions, each kept in the order of its sort key."""

from bisect import bisect_left, insort
from collections import deque
from collections.abc import Iterator, Mapping
from typing import Any

from tests.simulator import capacity, schema
from tests.simulator.capacity import Entry
from tests.simulator.errors import invalid
from tests.simulator.schema import Key, KeySchema
from tests.simulator.values import Item, ordered

ITEM_BYTES_MAX = 400 * 1024


class Stored:
    """An item at rest, weighed. It is replaced, never changed: pictures of it may share it."""

    __slots__ = ("entries", "item", "size_bytes")

    def __init__(self, item: Item, size_bytes: int) -> None:
        self.item = item
        self.size_bytes = size_bytes
        # What the indexes hold of it: worked out by its first write, asked again by the next.
        self.entries: tuple[Entry | None, ...] = ()


class Partition:
    """Items under one partition key, in order."""

    __slots__ = ("items", "positions")

    def __init__(self) -> None:
        self.positions: list[tuple[Any, ...]] = []
        self.items: dict[tuple[Any, ...], Stored] = {}

    def put(self, position: tuple[Any, ...], stored: Stored) -> None:
        if position not in self.items:
            insort(self.positions, position)
        self.items[position] = stored

    def remove(self, position: tuple[Any, ...]) -> None:
        if self.items.pop(position, None) is not None:
            del self.positions[bisect_left(self.positions, position)]


class Store:
    """Partitions by key: what a table and an index have in common."""

    def __init__(self, keys: KeySchema) -> None:
        self.keys = keys
        self.partitions: dict[Any, Partition] = {}

    def put(self, key: Key, stored: Stored) -> None:
        partition = self.partitions.get(key.hash)
        if partition is None:
            partition = self.partitions[key.hash] = Partition()
        partition.put(key.sort, stored)

    def remove(self, key: Key) -> None:
        partition = self.partitions.get(key.hash)
        if partition is not None:
            partition.remove(key.sort)


class Index(Store):
    """A global secondary index; it holds the items that have its key, cut to its projection."""

    def __init__(self, definition: Mapping[str, Any], kinds: Mapping[str, str], base: KeySchema):
        super().__init__(KeySchema.of(definition, kinds))
        self.name: str = definition["IndexName"]
        self.base = base
        projection = definition["Projection"]
        self.projects_all = projection["ProjectionType"] == "ALL"
        self.projected = frozenset(
            [attribute.name for attribute in (*base.attributes, *self.keys.attributes)]
            + list(projection.get("NonKeyAttributes", ()))
        )

    def entry(self, stored: Stored) -> Entry | None:
        """What the index should hold of an item; None for nothing.

        Items that share an index key are told apart, and kept in order, by the table's key.
        """
        item = stored.item
        if self.keys.hash.name not in item:
            return None
        if self.keys.range is not None and self.keys.range.name not in item:
            return None
        if not self.projects_all:
            item = {name: value for name, value in item.items() if name in self.projected}
            stored = Stored(item, capacity.item_size(item))
        return Entry(
            ordered(item[self.keys.hash.name]), self.position(item), item, stored.size_bytes
        )

    def position(self, item: Item) -> tuple[Any, ...]:
        place = self.base.place(item)
        return (*self.keys.place(item).sort, place.hash, *place.sort)

    def move(self, before: Entry | None, after: Entry | None) -> None:
        """Bring the index from one picture of an item to the next."""
        if before is not None and (after is None or before[:2] != after[:2]):
            self.remove(Key(before.partition, before.position))
        if after is not None:
            stored = Stored(after.item, after.size_bytes)
            self.put(Key(after.partition, after.position), stored)


class Table(Store):
    """A table, its indexes and the writes its indexes have not seen yet."""

    def __init__(self, definition: Mapping[str, Any]) -> None:
        kinds = {
            attribute["AttributeName"]: attribute["AttributeType"]
            for attribute in definition["AttributeDefinitions"]
        }
        super().__init__(KeySchema.of(definition, kinds))
        self.name: str = definition["TableName"]
        self.definition = definition
        self.indexes = {
            index["IndexName"]: Index(index, kinds, self.keys)
            for index in definition.get("GlobalSecondaryIndexes", ())
        }
        self.pending: deque[list[tuple[Index, Entry | None, Entry | None]]] = deque()

    def get(self, key: Key) -> Stored | None:
        partition = self.partitions.get(key.hash)
        return None if partition is None else partition.items.get(key.sort)

    def items(self) -> Iterator[Stored]:
        """Every item; partitions in the order in which they came to be."""
        for partition in self.partitions.values():
            for position in partition.positions:
                yield partition.items[position]

    def admit(self, item: Item, *, too_large: str) -> Stored:
        """An item in normal form, weighed.

        Raises:
            ServiceError: It is larger than an item may be, or its keys are empty or too long.
        """
        schema.refuse_bad_key_text(self.keys, item)
        for index in self.indexes.values():
            schema.refuse_bad_index_text(index.name, index.keys, item)
        stored = Stored(item, capacity.item_size(item))
        if stored.size_bytes > ITEM_BYTES_MAX:
            raise invalid(too_large)
        return stored

    def write(
        self, key: Key, before: Stored | None, after: Stored | None, *, index_lag: int
    ) -> dict[str, int]:
        """Replace one item; the write units of each index that this moves.

        The indexes follow `index_lag` writes later: 0 is at once.
        """
        if after is not None:
            self.put(key, after)
        elif before is not None:
            self.remove(key)
        moves = []
        units = {}
        pictures = zip(self.indexes, self.entries(before), self.entries(after), strict=True)
        for name, old, new in pictures:
            cost = capacity.index_write_units(old, new)
            if cost:
                units[name] = cost
                moves.append((self.indexes[name], old, new))
        self.pending.append(moves)
        self.let_indexes_follow(index_lag)
        return units

    def entries(self, stored: Stored | None) -> tuple[Entry | None, ...]:
        """What each index should hold of an item."""
        if stored is None:
            return (None,) * len(self.indexes)
        if not stored.entries:
            stored.entries = tuple(index.entry(stored) for index in self.indexes.values())
        return stored.entries

    def let_indexes_follow(self, index_lag: int) -> None:
        """Carry all but the latest `index_lag` writes to the indexes."""
        while len(self.pending) > index_lag:
            for index, before, after in self.pending.popleft():
                index.move(before, after)
