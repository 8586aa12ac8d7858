"""What a route asks for to write: the instant, and the key that makes a second delivery a no-op."""

from collections.abc import Callable
from datetime import UTC, datetime
from hashlib import sha256
from typing import Annotated
from uuid import uuid4

from aws_lambda_powertools.event_handler import Request
from aws_lambda_powertools.event_handler.depends import Depends

from holdfast.domain.clock import Instant, instant
from holdfast.domain.once import Once
from holdfast.http.credential import Principal
from holdfast.http.fields import request_key
from holdfast.http.incoming import Incoming, incoming_of
from holdfast.http.principal import Caller

HEADER = "idempotency-key"
FINGERPRINT_LENGTH = 32
"""128 bits: two requests of one caller under one key do not meet by chance."""


def now() -> Instant:
    """The instant at which the whole request happens."""
    return instant(datetime.now(UTC))


Now = Annotated[Instant, Depends(now)]


def write(request: Request, principal: Caller, now: Now) -> Once:
    """The request as a write with the key of its header, or with a fresh one.

    Raises:
        IdempotencyKeyInvalid: The key is not 1 to 255 visible ASCII characters.
    """
    return _once(incoming_of(request), principal, now, body_key=None)


def keyed_write(request: Request, principal: Caller, now: Now) -> Callable[[str | None], Once]:
    """What makes the write of a request whose body may carry the key; the header's goes first."""

    def once(body_key: str | None) -> Once:
        return _once(incoming, principal, now, body_key=body_key)

    incoming = incoming_of(request)
    return once


Write = Annotated[Once, Depends(write)]
KeyedWrite = Annotated[Callable[[str | None], Once], Depends(keyed_write)]
"""`once = keyed(body.request_id)`. Raises `IdempotencyKeyInvalid` as `write` does."""


def _once(incoming: Incoming, principal: Principal, now: Instant, *, body_key: str | None) -> Once:
    key = incoming.call.headers.get(HEADER, body_key)
    return Once(
        tenant=principal.tenant,
        caller=principal.caller,
        key=str(uuid4()) if key is None else request_key(key),
        fingerprint=_fingerprint(incoming),
        now=now,
        caps=principal.caps,
    )


def _fingerprint(incoming: Incoming) -> str:
    """What was asked for, whatever the order of keys and the white space of the body."""
    call = incoming.call
    digest = sha256()
    for part in (call.method, call.path, "&".join(sorted(call.query.split("&")))):
        # Length first: no two different requests run together into the same bytes.
        encoded = part.encode(errors="surrogatepass")
        digest.update(b"%d:" % len(encoded) + encoded)
    digest.update(incoming.document.canonical)
    return digest.hexdigest()[:FINGERPRINT_LENGTH]
