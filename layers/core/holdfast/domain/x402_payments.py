"""What a client pays with over x402: a header, read once, or a refusal.

The scheme is `exact` with a token that knows EIP-3009: the payer signs an authorisation to move so
much from one address to another, once, within a window of time. Whoever holds it can do that and
nothing else.
"""

import binascii
import json
import re
from base64 import b64decode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from holdfast.domain.entries import Json
from holdfast.errors import InvalidPayment, InvalidX402Version

V1, V2 = 1, 2

PAYMENT_HEADERS = ("PAYMENT-SIGNATURE", "X-PAYMENT")
"""What a payment comes in: each version has its own, and the document says its version too."""

HEADER_LENGTH_MAX = 10_240
DEPTH_MAX = 10
SIGNATURE_BYTES_MIN = 65
SIGNATURE_BYTES_MAX = 2_048
"""Longer ones than an ordinary key's are those of wallets that are contracts."""
UINT256_MAX = 2**256 - 1

_HEX = re.compile(r"(?:0[xX])?([0-9a-fA-F]+)")
_DECIMAL = re.compile(r"0|[1-9][0-9]{0,77}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Authorization:
    """What the payer signed. Addresses and the nonce are `0x` and lower-case hexadecimal.

    The times are seconds since 1970, as far as 256 bits go.
    """

    payer: str
    to: str
    value: int
    valid_after: int
    valid_before: int
    nonce: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    """A payment as it was read. `accepted` is the offer that it answers, which version 1 omits."""

    x402_version: int
    scheme: Json
    network: Json
    accepted: Mapping[str, Any] | None
    resource_url: Json
    authorization: Authorization
    signature: str


def payment_in(headers: Mapping[str, str]) -> Payment | None:
    """The payment in a request's headers, whatever the case of their names; None without one.

    Raises:
        InvalidPayment: There are two, or what is there cannot be read as one.
        InvalidX402Version: It is of a version that is not spoken here.
    """
    wanted = {name.lower() for name in PAYMENT_HEADERS}
    found = [value for name, value in headers.items() if name.lower() in wanted]
    if len(found) > 1:
        raise InvalidPayment("more than one payment")
    return read_payment(found[0]) if found else None


def read_payment(text: str) -> Payment:
    """The payment in a header's value.

    Raises:
        InvalidPayment: It cannot be read as one.
        InvalidX402Version: It is of a version that is not spoken here.
    """
    shown = _document(text)
    version = shown.get("x402Version")
    # True equals 1, and 2.0 equals 2.
    if type(version) is not int or version not in (V1, V2):
        raise InvalidX402Version
    accepted = _object(shown, "accepted") if version == V2 else None
    has_resource = version == V2 and shown.get("resource") is not None
    paid_for = _object(shown, "resource") if has_resource else {}
    chosen = shown if accepted is None else accepted
    payload = _object(shown, "payload")
    return Payment(
        x402_version=version,
        scheme=chosen.get("scheme"),
        network=chosen.get("network"),
        accepted=accepted,
        resource_url=paid_for.get("url"),
        authorization=_authorization(_object(payload, "authorization")),
        signature=_hex(payload, "signature", SIGNATURE_BYTES_MIN, SIGNATURE_BYTES_MAX),
    )


def _authorization(shown: Mapping[str, Any]) -> Authorization:
    return Authorization(
        payer=_hex(shown, "from", 20),
        to=_hex(shown, "to", 20),
        value=_integer(shown, "value"),
        valid_after=_integer(shown, "validAfter"),
        valid_before=_integer(shown, "validBefore"),
        nonce=_hex(shown, "nonce", 32),
    )


def _object(shown: Mapping[str, Any], name: str) -> dict[str, Any]:
    value = shown.get(name)
    if not isinstance(value, dict):
        raise InvalidPayment(f"{name} is not an object")
    return value


def _hex(shown: Mapping[str, Any], name: str, bytes_min: int, bytes_max: int | None = None) -> str:
    """`0x` and lower-case digits, however they were written: one thing has one spelling."""
    value = shown.get(name)
    digits = _HEX.fullmatch(value) if isinstance(value, str) else None
    if digits is None or len(digits[1]) % 2:
        raise InvalidPayment(f"{name} is not bytes in hexadecimal")
    if not bytes_min <= len(digits[1]) // 2 <= (bytes_max or bytes_min):
        raise InvalidPayment(f"{name} has not the length that it must have")
    return f"0x{digits[1].lower()}"


def _integer(shown: Mapping[str, Any], name: str) -> int:
    value = shown.get(name)
    if not isinstance(value, str) or not _DECIMAL.fullmatch(value):
        raise InvalidPayment(f"{name} is not a whole number in a string")
    if int(value) > UINT256_MAX:
        raise InvalidPayment(f"{name} has more than 256 bits")
    return int(value)


def _document(text: str) -> dict[str, Any]:
    if len(text) > HEADER_LENGTH_MAX:
        raise InvalidPayment("longer than a header can be")
    try:
        raw = b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError) as broken:
        raise InvalidPayment("not base64") from broken
    try:
        shown = _DECODER.decode(raw.decode())
    except (ValueError, RecursionError) as broken:
        # A ValueError is bytes that are no UTF-8, no JSON, or a number of thousands of digits.
        raise InvalidPayment("not JSON") from broken
    if not isinstance(shown, dict) or not _is_within(shown, DEPTH_MAX):
        raise InvalidPayment("not an object of few levels")
    return shown


def _is_within(value: object, depth: int) -> bool:
    children: Iterable[object]
    if isinstance(value, dict):
        children = value.values()
    elif isinstance(value, list):
        children = value
    else:
        return True
    return depth > 0 and all(_is_within(child, depth - 1) for child in children)


def _fields(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    # Of two equal keys another reader may take the other one.
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise InvalidPayment("a field is there twice")
    return fields


def _constant(name: str) -> NoReturn:
    raise InvalidPayment("not JSON")


_DECODER = json.JSONDecoder(parse_constant=_constant, object_pairs_hook=_fields)
