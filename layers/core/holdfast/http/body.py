"""A body, read once: an object of bounded size and depth, or a refusal.

The standard parser takes more than JSON is: NaN, the last of two equal keys, half a surrogate
pair, numbers of thousands of digits. Each of these is refused here, before anything looks inside.
"""

import base64
import binascii
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, NoReturn

from holdfast.errors import TooLarge, Unreadable, UnsupportedMediaType

BODY_BYTES_MAX = 256 * 1024
DEPTH_MAX = 20
"""Objects and lists within each other, the body itself included."""
INTEGER_DIGITS_MAX = 40
DECIMAL_DIGITS_MAX = 64
DECIMAL_EXPONENT_MAX = 40


@dataclass(frozen=True, slots=True)
class Document:
    """A body's fields, and the bytes that are the same for every way of writing them down.

    Numbers with a point or an exponent are `Decimal`: no amount passes through a float.
    """

    fields: dict[str, Any]
    canonical: bytes


EMPTY = Document({}, b"{}")
"""No body: an operation that needs fields then says which one is missing."""


def read_document(body: object, *, is_base64: bool, headers: Mapping[str, str]) -> Document:
    """The fields of a request's body.

    Raises:
        TooLarge: More than 256 KiB.
        UnsupportedMediaType: Declared to be something else than JSON in UTF-8.
        Unreadable: Not a JSON object, or one that two readers could take for different things.
    """
    if body is None or body == "":
        return EMPTY
    if not isinstance(body, str):
        raise Unreadable
    raw = _bytes(body, is_base64=is_base64)
    _require_json(headers)
    fields = _parse(raw)
    if not _is_within(fields, DEPTH_MAX):
        raise Unreadable
    return Document(fields, _canonical(fields))


def _bytes(body: str, *, is_base64: bool) -> bytes:
    if len(body) > (BODY_BYTES_MAX * 4 // 3 + 4 if is_base64 else BODY_BYTES_MAX):
        raise TooLarge
    try:
        raw = base64.b64decode(body, validate=True) if is_base64 else body.encode()
    except (binascii.Error, ValueError) as broken:
        raise Unreadable from broken
    if len(raw) > BODY_BYTES_MAX:
        raise TooLarge
    return raw


def _require_json(headers: Mapping[str, str]) -> None:
    # A missing type is taken for JSON; every other claim is taken at its word.
    kind, *parameters = headers.get("content-type", "application/json").lower().split(";")
    if kind.strip() != "application/json":
        raise UnsupportedMediaType
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "charset" and value.strip().strip('"') not in ("utf-8", "utf8"):
            raise UnsupportedMediaType
    if headers.get("content-encoding", "identity").strip().lower() not in ("", "identity"):
        raise UnsupportedMediaType


def _parse(raw: bytes) -> dict[str, Any]:
    try:
        parsed = _DECODER.decode(raw.decode())
    except (ValueError, RecursionError) as broken:
        # A ValueError is a UnicodeDecodeError or a JSONDecodeError; both carry the body in them.
        raise Unreadable from broken
    if not isinstance(parsed, dict):
        raise Unreadable
    return parsed


def _is_within(value: object, depth: int) -> bool:
    children: Iterable[object]
    if isinstance(value, dict):
        children = value.values()
    elif isinstance(value, list):
        children = value
    else:
        return True
    return depth > 0 and all(_is_within(child, depth - 1) for child in children)


def _canonical(fields: dict[str, Any]) -> bytes:
    try:
        return _ENCODER.encode(fields).encode()
    except UnicodeEncodeError as broken:
        raise Unreadable from broken


def _integer(text: str) -> int:
    if len(text) > INTEGER_DIGITS_MAX:
        raise Unreadable
    return int(text)


def _decimal(text: str) -> Decimal:
    if len(text) > DECIMAL_DIGITS_MAX:
        raise Unreadable
    try:
        number = Decimal(text)
    except InvalidOperation as broken:
        # An exponent that is beyond even Decimal's.
        raise Unreadable from broken
    if abs(number.adjusted()) > DECIMAL_EXPONENT_MAX:
        raise Unreadable
    return number


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise Unreadable
    return fields


def _constant(name: str) -> NoReturn:
    raise Unreadable


def _tagged(value: object) -> dict[str, str]:
    assert isinstance(value, Decimal)
    return {"decimal": str(value.normalize())}


_DECODER = json.JSONDecoder(
    parse_int=_integer,
    parse_float=_decimal,
    parse_constant=_constant,
    object_pairs_hook=_object,
)
_ENCODER = json.JSONEncoder(
    ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=_tagged
)
