"""Attribute values in DynamoDB JSON (`{"S": "…"}`): normal form, order, copies.

Every value is brought to its normal form when it enters, once: numbers without superfluous
zeros, sets in order. After that two values are equal if and only if their dictionaries are. What is
stored is never changed in place, so pictures of an item can share it; what leaves is a copy.
"""

import re
from collections.abc import Callable, Mapping
from decimal import Context, Decimal
from typing import Any

from tests.simulator.errors import ServiceError, invalid, malformed

type Value = dict[str, Any]
type Item = dict[str, Value]

NESTING_MAX = 32
DIGITS_MAX = 38
EXPONENT_MAX = 125
EXPONENT_MIN = -130

_PLAIN_INTEGER = re.compile(r"0|-?[1-9][0-9]{0,36}[1-9]|-?[1-9]")
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,6})?")
_EXACT = Context(prec=1000)


def normal_number(text: object) -> str:
    """The one spelling of a number: no exponent, no superfluous zeros.

    >>> normal_number("1.50"), normal_number("-0"), normal_number("+12e2")
    ('1.5', '0', '1200')
    """
    if type(text) is not str:
        raise malformed(f"Invalid type for parameter N, value: {text}, valid types: <class 'str'>")
    if _PLAIN_INTEGER.fullmatch(text):
        return text
    if not _NUMBER.fullmatch(text):
        raise invalid(f"The parameter cannot be converted to a numeric value: {text}")
    number = Decimal(text, _EXACT).normalize(_EXACT)
    if not number:
        return "0"
    if number.adjusted() > EXPONENT_MAX:
        raise invalid(
            "Number overflow. Attempting to store a number with magnitude larger than "
            "supported range"
        )
    if number.adjusted() < EXPONENT_MIN:
        raise invalid(
            "Number underflow. Attempting to store a number with magnitude smaller than "
            "supported range"
        )
    if len(number.as_tuple().digits) > DIGITS_MAX:
        raise invalid("Attempting to store more than 38 significant digits in a Number")
    return format(number, "f")


def numeric(text: str) -> int | Decimal:
    """The number behind a normal spelling, fit for comparing and for exact sums."""
    return Decimal(text) if "." in text else int(text)


def exact_sum(one: str, other: str, *, minus: bool) -> str:
    """The sum or the difference in normal spelling; Python's own 28 digits would round it.

    Raises:
        ServiceError: It has left the range or the digits of a DynamoDB number.
    """
    combine = _EXACT.subtract if minus else _EXACT.add
    return normal_number(str(combine(Decimal(one), Decimal(other))))


def _text(content: object) -> str:
    if type(content) is not str:
        raise malformed(
            f"Invalid type for parameter S, value: {content}, type: {type(content)}, "
            "valid types: <class 'str'>"
        )
    if not content.isascii():
        try:
            content.encode()
        except UnicodeEncodeError as half_a_pair:
            message = "a string is not valid UTF-8"
            raise ServiceError("SerializationException", message) from half_a_pair
    return content


def _binary(content: object) -> bytes:
    if isinstance(content, bytes | bytearray):
        return bytes(content)
    raise malformed(f"Invalid type for parameter B, value: {content}, type: {type(content)}")


def _truth(content: object) -> bool:
    if type(content) is not bool:
        raise malformed(f"Invalid type for parameter BOOL, value: {content}")
    return content


def _null(content: object) -> bool:
    if not _truth(content):
        raise invalid(
            "One or more parameter values were invalid: Null attribute value types must have "
            "the value of true"
        )
    return True


def _members(content: object, member: Callable[[object], Any], *, kind: str) -> list[Any]:
    """A set in order; an empty one or one that says the same twice is refused."""
    if not isinstance(content, list | tuple):
        raise malformed(f"Invalid type for parameter {kind}, value: {content}")
    if not content:
        raise invalid(f"One or more parameter values were invalid: A set ({kind}) may not be empty")
    members = [member(each) for each in content]
    if len(set(members)) != len(members):
        raise invalid(
            "One or more parameter values were invalid: Input collection contains duplicates."
        )
    return sorted(members, key=numeric) if kind == "NS" else sorted(members)


def _list(content: object, level: int) -> list[Value]:
    if not isinstance(content, list | tuple):
        raise malformed(f"Invalid type for parameter L, value: {content}")
    return [normal_value(each, level + 1) for each in content]


def _map(content: object, level: int) -> Item:
    if not isinstance(content, Mapping):
        raise malformed(f"Invalid type for parameter M, value: {content}")
    return {_text(name): normal_value(each, level + 1) for name, each in content.items()}


_SCALARS: dict[str, Callable[[object], Any]] = {
    "S": _text,
    "N": normal_number,
    "B": _binary,
    "BOOL": _truth,
    "NULL": _null,
    "SS": lambda content: _members(content, _text, kind="SS"),
    "NS": lambda content: _members(content, normal_number, kind="NS"),
    "BS": lambda content: _members(content, _binary, kind="BS"),
}
_CONTAINERS: dict[str, Callable[[object, int], Any]] = {"L": _list, "M": _map}


def normal_value(value: object, level: int = 1) -> Value:
    """A private copy of a value in normal form; `level` is how deep it is nested.

    Raises:
        ServiceError: DynamoDB refuses the value.
        ParamValidationError: botocore would refuse to send it.
    """
    if level > NESTING_MAX:
        raise invalid(
            "Nesting Levels have exceeded supported limits: Attributes in the item have nested "
            "levels beyond supported limit"
        )
    if type(value) is dict and len(value) == 1:
        for kind, content in value.items():
            scalar = _SCALARS.get(kind)
            if scalar is not None:
                return {kind: scalar(content)}
            if kind in _CONTAINERS:
                return {kind: _CONTAINERS[kind](content, level)}
    raise _not_a_value(value)


def _not_a_value(value: object) -> Exception:
    if type(value) is not dict:
        return malformed(f"Invalid type for an attribute value: {value}, type: {type(value)}")
    if unknown := value.keys() - _SCALARS.keys() - _CONTAINERS.keys():
        return malformed(f"Unknown parameter in an attribute value: {sorted(unknown)}")
    if value:
        return invalid(
            "Supplied AttributeValue has more than one datatypes set, must contain exactly one of "
            "the supported datatypes"
        )
    return invalid(
        "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes"
    )


def normal_item(attributes: object, *, parameter: str) -> Item:
    """A private copy of a map of attributes in normal form; `parameter` names it in a report.

    Raises:
        ServiceError: DynamoDB refuses one of the values, or a name.
        ParamValidationError: botocore would refuse to send them.
    """
    if not isinstance(attributes, dict):
        raise malformed(f"Invalid type for parameter {parameter}, value: {attributes}")
    copy: Item = {}
    for name, value in attributes.items():
        # The kind that most attributes have, without the ceremony.
        if type(value) is dict and len(value) == 1 and "S" in value:
            text = value["S"]
            if type(text) is str and text.isascii():
                copy[name] = {"S": text}
                continue
        copy[name] = normal_value(value)
    if "" in copy:
        raise invalid("Empty attribute name")
    return copy


def copy_value(value: Value) -> Value:
    """A copy that shares nothing which could be changed."""
    for kind, content in value.items():
        if kind == "M":
            return {kind: copy_item(content)}
        if kind == "L":
            return {kind: [copy_value(each) for each in content]}
        return {kind: list(content) if type(content) is list else content}
    raise AssertionError("a stored value has exactly one kind")


def copy_item(item: Item) -> Item:
    """A copy that shares nothing which could be changed."""
    copy: Item = {}
    for name, value in item.items():
        text = value.get("S")
        copy[name] = {"S": text} if text is not None else copy_value(value)
    return copy


def kind_of(value: Value) -> str:
    """The type descriptor of a value: `S`, `N`, `M`, …"""
    return next(iter(value))


def ordered(value: Value) -> Any:
    """What Python may compare in place of a value of kind S, N or B.

    Code points of a string come in the order of its UTF-8 bytes.
    """
    for kind, content in value.items():
        return numeric(content) if kind == "N" else content
    raise AssertionError("a stored value has exactly one kind")
