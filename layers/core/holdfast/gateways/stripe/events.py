"""Stripe's events at our door: whether they are Stripe's, and what they are about.

By hand, and without the SDK: its verifier takes any time to come, and lets other exceptions out
than its own before it knows who is calling.
"""

import hmac
import json
import re
from collections.abc import Sequence
from hashlib import sha256

from holdfast.domain.clock import Instant
from holdfast.errors import InvalidSignature, InvariantBroken, TooLarge, Unreadable
from holdfast.gateways.stripe import reading
from holdfast.gateways.stripe.reading import Misshapen
from holdfast.gateways.stripe.records import Event

TOLERANCE_SECONDS = 300
EVENT_BYTES_MAX = 256 * 1024
HEADER_LENGTH_MAX = 2_048

_TIME = re.compile(r"[1-9][0-9]{0,11}")
_SECRETS_MAX = 2


def verified(
    raw: bytes,
    signature: str,
    secrets: Sequence[str],
    now: Instant,
    tolerance: int = TOLERANCE_SECONDS,
) -> Event:
    """The event in a body that Stripe signed within `tolerance` seconds of `now`, either way.

    `raw` are the bytes as they came, `signature` the header, `secrets` the endpoint's secret, and
    while it is being changed the one before it too.

    Raises:
        TooLarge: No event is that long.
        InvalidSignature: Somebody else's, changed on the way, or too old or new.
        Unreadable: Signed, and no event.
    """
    assert isinstance(raw, bytes)
    assert tolerance > 0
    if not 1 <= len(secrets) <= _SECRETS_MAX or not all(secrets):
        raise InvariantBroken("there is no secret to tell Stripe's events by")
    if len(raw) > EVENT_BYTES_MAX:
        raise TooLarge
    time, claims = _claims(signature)
    if abs(now.timestamp() - int(time)) > tolerance:
        raise InvalidSignature
    # Every secret is tried on every claim, so that the time taken tells nothing.
    fits = False
    for secret in secrets:
        mac = hmac.new(secret.encode(), time.encode() + b"." + raw, sha256).hexdigest().encode()
        for claim in claims:
            fits |= hmac.compare_digest(mac, claim)
    if not fits:
        raise InvalidSignature
    return _event(raw)


def _claims(signature: str) -> tuple[str, list[bytes]]:
    """The time in the header, as it is written there, and the signatures of the scheme v1."""
    if len(signature) > HEADER_LENGTH_MAX or not signature.isascii():
        raise InvalidSignature
    pairs = [part.partition("=") for part in signature.split(",")]
    times = [value for name, _, value in pairs if name == "t"]
    claims = [value.encode() for name, _, value in pairs if name == "v1"]
    if len(times) != 1 or not claims or not _TIME.fullmatch(times[0]):
        raise InvalidSignature
    return times[0], claims


def _event(raw: bytes) -> Event:
    try:
        return reading.event(json.loads(raw))
    except (Misshapen, RecursionError, ValueError):
        raise Unreadable from None
