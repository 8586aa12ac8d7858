"""Plain values to DynamoDB's attribute values and back: strings, integers, flags, lists, maps.

boto3's own serializer makes a Decimal of every number and is several times slower.
"""

from collections.abc import Mapping, Sequence
from typing import Any

type Attributes = dict[str, Any]
"""An item as the client takes and gives it: attribute name to typed value."""

type Plain = str | int | bool | Sequence["Plain"] | Mapping[str, "Plain"] | None


def encode(values: Mapping[str, Plain]) -> Attributes:
    """The item of a plain mapping. What is None at the top is left out."""
    return {name: _value(value) for name, value in values.items() if value is not None}


def decode(item: Attributes) -> dict[str, Any]:
    """The plain mapping of an item."""
    return {name: _plain(value) for name, value in item.items()}


def _value(value: Plain) -> dict[str, Any]:
    match value:
        case bool():
            return {"BOOL": value}
        case str():
            return {"S": value}
        case int():
            return {"N": str(value)}
        case None:
            return {"NULL": True}
        case Mapping():
            return {"M": {name: _value(inner) for name, inner in value.items()}}
        case _:
            return {"L": [_value(inner) for inner in value]}


def _plain(value: Mapping[str, Any]) -> Any:
    ((kind, inner),) = value.items()
    match kind:
        case "S" | "BOOL":
            return inner
        case "N":
            return int(inner)
        case "NULL":
            return None
        case "M":
            return {name: _plain(nested) for name, nested in inner.items()}
        case "L":
            return [_plain(nested) for nested in inner]
        case _:
            raise TypeError(f"attribute of type {kind}")
