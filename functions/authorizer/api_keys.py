"""Who an API key makes of its bearer.

A key is looked up consistently, so that one that was revoked a moment ago is seen to be. The
gateway remembers an answer for 60 seconds, and for that long a revoked key may still be let in.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass

from authorizer.denied import (
    EXPIRED_KEY,
    KEYS_UNAVAILABLE,
    NOT_CONFIGURED,
    REVOKED_KEY,
    UNKNOWN,
    Denied,
)
from holdfast.domain.api_keys import ADMIN, ApiKey, expired, is_token, key_id, matches
from holdfast.domain.clock import Instant, rfc3339
from holdfast.errors import Unavailable


@dataclass(frozen=True, slots=True)
class Records:
    """Where keys are kept: a record by its id, and the secret that leads from a token to an id.

    `find` reads consistently. The secret is None as long as no key was ever made.
    """

    find: Callable[[str], ApiKey | None]
    house_secret: Callable[[], bytes | None]


type OpenRecords = Callable[[], Records]


def records_of(environment: Mapping[str, str]) -> OpenRecords | None:
    """The records that the environment names, not opened yet; None where it names none."""
    named = environment.get("TABLE_NAME") and environment.get("API_KEY_SECRET_PARAMETER")
    return _open if named else None


def context_of_key(token: str, open_records: OpenRecords | None, now: Instant) -> dict[str, str]:
    """The context that the API reads the key's caller from: text only, the key as JSON in text.

    Raises:
        Denied: There is no such key, it is good no more, or it cannot be looked up.
    """
    if not is_token(token):
        raise Denied(UNKNOWN)
    if open_records is None:
        raise Denied(NOT_CONFIGURED)
    key = _found(token, open_records())
    if key.revoked_at is not None:
        raise Denied(REVOKED_KEY)
    if expired(key.expires_at, now):
        raise Denied(EXPIRED_KEY)
    return {
        "org": key.tenant.org,
        "mode": key.tenant.mode,
        "subject": f"key:{key.id}",
        "user": key.user,
        "roles": json.dumps([ADMIN] if ADMIN in key.scopes else []),
        "tier": "",
        "key": _use_of(key),
    }


def _found(token: str, records: Records) -> ApiKey:
    try:
        secret = records.house_secret()
        key = None if secret is None else records.find(key_id(token, secret))
    except Unavailable as silence:
        raise Denied(KEYS_UNAVAILABLE) from silence
    if secret is None or key is None or not matches(key, token, secret):
        raise Denied(UNKNOWN)
    return key


def _use_of(key: ApiKey) -> str:
    return json.dumps(
        {
            "id": key.id,
            "scopes": key.scopes,
            "cap": None if key.cap is None else asdict(key.cap),
            "expires_at": None if key.expires_at is None else rfc3339(key.expires_at),
        }
    )


def _open() -> Records:
    # Loads the AWS SDK: not for every text that begins like a key, and never for a token.
    from authorizer.records import RECORDS  # noqa: PLC0415

    return RECORDS
