"""Keys: which attributes they are, of which kind, and what the service refuses in them."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from tests.simulator.capacity import text_size
from tests.simulator.errors import ServiceError, invalid
from tests.simulator.values import Item, Value, kind_of, ordered

HASH_BYTES_MAX = 2048
RANGE_BYTES_MAX = 1024
_INVALID = "One or more parameter values were invalid: "


class KeyAttribute(NamedTuple):
    name: str
    kind: str
    bytes_max: int


class Key(NamedTuple):
    """Where an item is: comparable, hashable. `sort` is empty if the schema has no sort key."""

    hash: Any
    sort: tuple[Any, ...]


class KeySchema(NamedTuple):
    """The key of a table or of an index."""

    hash: KeyAttribute
    range: KeyAttribute | None
    attributes: tuple[KeyAttribute, ...]

    @classmethod
    def of(cls, definition: Mapping[str, Any], kinds: Mapping[str, str]) -> "KeySchema":
        """The schema in the definition of a table or an index."""
        attributes = {part["KeyType"]: part["AttributeName"] for part in definition["KeySchema"]}
        sort = attributes.get("RANGE")
        first = KeyAttribute(attributes["HASH"], kinds[attributes["HASH"]], HASH_BYTES_MAX)
        if sort is None:
            return cls(first, None, (first,))
        second = KeyAttribute(sort, kinds[sort], RANGE_BYTES_MAX)
        return cls(first, second, (first, second))

    def place(self, item: Item) -> Key:
        """Where an item that has these attributes belongs."""
        return Key(
            ordered(item[self.hash.name]),
            () if self.range is None else (ordered(item[self.range.name]),),
        )

    def of_key(self, key: Item) -> Key:
        """The place that a `Key` parameter names.

        Raises:
            ServiceError: It has not exactly these attributes, of these kinds, neither empty
                nor too long.
        """
        if len(key) != len(self.attributes):
            raise mismatch()
        for attribute in self.attributes:
            value = key.get(attribute.name)
            if value is None or attribute.kind not in value:
                raise mismatch()
            refuse_empty(attribute, value)
            refuse_long(attribute, value)
        return self.place(key)


def mismatch() -> ServiceError:
    return invalid("The provided key element does not match the schema")


def missing_key(schema: KeySchema, item: Item) -> ServiceError | None:
    """The first key attribute that an item to be put lacks or has of another kind."""
    for attribute in schema.attributes:
        value = item.get(attribute.name)
        if value is None:
            return invalid(f"{_INVALID}Missing the key {attribute.name} in the item")
        if attribute.kind not in value:
            return invalid(
                f"{_INVALID}Type mismatch for key {attribute.name} expected: {attribute.kind} "
                f"actual: {kind_of(value)}"
            )
    return None


def refuse_bad_key_text(schema: KeySchema, item: Item) -> None:
    """Refuse a key that is empty or too long, in an item that may yet lack it.

    Raises:
        ServiceError: A key attribute is empty or too long.
    """
    for attribute in schema.attributes:
        value = item.get(attribute.name)
        if value is not None:
            refuse_empty(attribute, value)
            refuse_long(attribute, value)


def refuse_empty(attribute: KeyAttribute, value: Value) -> None:
    for kind in ("S", "B"):
        if kind in value and not value[kind]:
            raise invalid(
                "One or more parameter values are not valid. The AttributeValue for a key "
                f"attribute cannot contain an empty {_WORDS[kind]} value. Key: {attribute.name}"
            )


def refuse_long(attribute: KeyAttribute, value: Value) -> None:
    if _length(value) > attribute.bytes_max:
        which = "hash" if attribute.bytes_max == HASH_BYTES_MAX else "range"
        raise invalid(
            f"{_INVALID}Size of {which}key has exceeded the maximum size limit of "
            f"{attribute.bytes_max} bytes"
        )


def wrong_index_kind(index: str, schema: KeySchema, item: Item) -> ServiceError | None:
    """The first attribute of an index key that an item has of another kind."""
    for attribute in schema.attributes:
        value = item.get(attribute.name)
        if value is not None and attribute.kind not in value:
            return invalid(
                f"{_INVALID}Type mismatch for Index Key {attribute.name} Expected: "
                f"{attribute.kind} Actual: {kind_of(value)} IndexName: {index}"
            )
    return None


def refuse_bad_index_text(index: str, schema: KeySchema, item: Item) -> None:
    """Refuse an index key that is empty or too long.

    Raises:
        ServiceError: The index could not take the item.
    """
    for attribute in schema.attributes:
        value = item.get(attribute.name)
        if value is None or attribute.kind not in value:
            continue
        if attribute.kind != "N" and not value[attribute.kind]:
            raise invalid(
                "One or more parameter values are not valid. A value specified for a secondary "
                "index key is not supported. The AttributeValue for a key attribute cannot "
                f"contain an empty {_WORDS[attribute.kind]} value. IndexName: {index}, "
                f"IndexKey: {attribute.name}"
            )
        refuse_long(attribute, value)


_WORDS = {"S": "string", "B": "binary"}


def _length(value: Value) -> int:
    text = value.get("S")
    if text is not None:
        return text_size(text)
    return len(value["B"]) if "B" in value else 0
