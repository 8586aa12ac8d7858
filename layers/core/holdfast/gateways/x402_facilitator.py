"""The x402 facilitator: who proves a signature and brings a payment to the chain.

What it says is taken as a stranger's: bounded, typed, and believed only where it is plain. To ask
it to verify changes nothing, so that no answer is "try again". To ask it to settle may have moved
the money whatever came back: only its own plain word is an outcome, everything else is none.
"""

import json
import re
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from typing import Any
from urllib.parse import urlsplit

from holdfast.domain.entries import Json
from holdfast.domain.x402_outcomes import (
    UNREADABLE,
    NoWord,
    Outcome,
    Refused,
    Settled,
    Verdict,
)
from holdfast.errors import FacilitatorUnavailable, InvariantBroken

VERIFY_SECONDS = 6.0
SETTLE_SECONDS = 16.0
"""Both together, with what the ledger needs, stay below the 29 seconds that a caller waits."""
ANSWER_BYTES_MAX = 65_536

UNREACHABLE = "no_answer"

_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
_WORD = re.compile(r"[a-zA-Z0-9_.-]{1,128}")
_HEX = re.compile(r"0x[0-9a-fA-F]{1,128}")
_NETWORK = re.compile(r"[a-zA-Z0-9:_-]{1,64}")
_DECIMAL = re.compile(r"[0-9]{1,78}")


@dataclass(frozen=True, slots=True)
class X402Facilitator:
    """One facilitator. `headers` are sent along, if it wants to know who asks."""

    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    verify_seconds: float = VERIFY_SECONDS
    settle_seconds: float = SETTLE_SECONDS

    def __post_init__(self) -> None:
        # Over plain HTTP anybody on the way could say that a payment was settled.
        parts = urlsplit(self.url)
        is_here = parts.scheme == "http" and parts.hostname in _LOOPBACK
        if not parts.hostname or not (parts.scheme == "https" or is_here):
            raise InvariantBroken("the facilitator's address is not one of https")

    def verify(self, request: Mapping[str, Json]) -> Verdict:
        """Whether it would settle what is asked for.

        Raises:
            FacilitatorUnavailable: It does not say. Nothing was sent to the chain.
        """
        try:
            status, shown = self._ask("verify", request, self.verify_seconds)
        except (OSError, HTTPException, ValueError) as silent:
            raise FacilitatorUnavailable from silent
        match shown.get("isValid"):
            case True if status == HTTPStatus.OK:
                return Verdict(is_valid=True, payer=_text(shown, "payer", _HEX))
            case False if status < HTTPStatus.INTERNAL_SERVER_ERROR:
                reason = _text(shown, "invalidReason", _WORD)
                return Verdict(
                    is_valid=False, payer=_text(shown, "payer", _HEX), reason=reason or UNREADABLE
                )
            case _:
                raise FacilitatorUnavailable

    def settle(self, request: Mapping[str, Json]) -> Outcome:
        """What became of a payment. The same may be asked again at any time."""
        try:
            status, shown = self._ask("settle", request, self.settle_seconds)
        except (OSError, HTTPException):
            return NoWord(UNREACHABLE)
        except ValueError:
            return NoWord(UNREADABLE)
        match shown.get("success"):
            case True if status == HTTPStatus.OK:
                return _settled(shown)
            case False if status < HTTPStatus.INTERNAL_SERVER_ERROR:
                return _refused(shown)
            case _:
                return NoWord(f"status_{status}")

    def _ask(
        self, what: str, request: Mapping[str, Json], seconds: float
    ) -> tuple[int, dict[str, Any]]:
        """The status and the object of the answer, all within so many seconds.

        Raises:
            OSError, HTTPException: No answer, or not all of it in time.
            ValueError: An answer that is not a JSON object, or too long.
        """
        over_at = time.monotonic() + seconds
        parts = urlsplit(self.url)
        assert parts.hostname is not None
        over = HTTPSConnection if parts.scheme == "https" else HTTPConnection
        # A connection for each question: one that was kept may be gone, and then nobody knows
        # whether the question was heard.
        connection = over(parts.hostname, parts.port, timeout=seconds)
        try:
            connection.request(
                "POST",
                f"{parts.path.rstrip('/')}/{what}",
                body=json.dumps(request).encode(),
                headers={**self.headers, "Content-Type": "application/json"},
            )
            # The connection forgets its socket when the other side ends it with the answer.
            listening = connection.sock
            _wait_until(listening, over_at)
            with connection.getresponse() as response:
                return response.status, _object(_read(listening, response, over_at))
        finally:
            connection.close()


def _read(listening: socket.socket, response: HTTPResponse, over_at: float) -> bytes:
    """The body, however slowly it drips."""
    raw = b""
    while part := response.read1(ANSWER_BYTES_MAX):
        raw += part
        if len(raw) > ANSWER_BYTES_MAX:
            raise ValueError("the answer is too long")
        _wait_until(listening, over_at)
    if response.length:
        raise HTTPException("the answer was cut off")
    return raw


def _wait_until(listening: socket.socket, over_at: float) -> None:
    left = over_at - time.monotonic()
    if left <= 0:
        raise TimeoutError
    listening.settimeout(left)


def _object(raw: bytes) -> dict[str, Any]:
    try:
        shown = json.loads(raw)
    except RecursionError as broken:
        raise ValueError("too many levels") from broken
    if not isinstance(shown, dict):
        raise ValueError("the answer is no object")
    return shown


def _settled(shown: Mapping[str, Any]) -> Outcome:
    transaction, network = _text(shown, "transaction", _HEX), _text(shown, "network", _NETWORK)
    payer, amount = _text(shown, "payer", _HEX), _text(shown, "amount", _DECIMAL)
    # What is there and cannot be read is not the same as what is not there.
    unread = [name for name, read in (("payer", payer), ("amount", amount)) if read is None]
    if transaction is None or network is None or any(shown.get(name) for name in unread):
        return NoWord(UNREADABLE)
    return Settled(transaction=transaction, network=network, payer=payer, amount=amount)


def _refused(shown: Mapping[str, Any]) -> Outcome:
    transaction = _text(shown, "transaction", _HEX)
    if transaction is None and shown.get("transaction"):
        return NoWord(UNREADABLE)
    return Refused(_text(shown, "errorReason", _WORD) or UNREADABLE, transaction)


def _text(shown: Mapping[str, Any], name: str, form: re.Pattern[str]) -> str | None:
    value = shown.get(name)
    return value if isinstance(value, str) and form.fullmatch(value) else None
