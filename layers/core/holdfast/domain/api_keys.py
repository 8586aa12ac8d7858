"""API keys: what a program calls with in the place of a person's token.

    hf_live_<secret>    hf_test_<secret>    52 base32 characters of 32 bytes

The token is shown once and kept nowhere. It is an HMAC of the request that made it, under a secret
of the house: whoever lacks that secret cannot guess it, and a second delivery of the request is
told the very same token. What is kept is another HMAC of it: the first half of that is the id, so
that a token leads to its record by one read, and the whole is compared.
"""

import hmac
import re
from base64 import b32encode
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from holdfast.domain.accounts import ID_LENGTH, Tenant
from holdfast.domain.budgets import DAY, MONTH, TOTAL
from holdfast.domain.clock import Instant, instant
from holdfast.domain.money import AMOUNT_MICROS_MAX, is_currency
from holdfast.domain.once import Once
from holdfast.errors import InvalidField, TooManyKeys

API_KEY_PREFIX = "hf_"
KEY_PREFIX = "key_"
KEYS_MAX = 100
"""How many keys that are good a user can have."""
SECRET_BYTES_MIN = 32
PREFIX_LENGTH = 12
"""What is kept of a token for people to tell their keys apart: 20 bits of 256."""

ADMIN = "admin"
READ = "read"
WRITE = "write"
NOUNS = ("accounts", "credits", "funding", "holds", "payment_methods", "payments", "wallet")
SCOPES = (*(f"{noun}:{verb}" for noun in NOUNS for verb in (READ, WRITE)), ADMIN)
"""What a key can be for. Each says one thing: to write is not to read, and `admin` says only that
the key may name other users of its org."""

WINDOWS = (DAY, MONTH, TOTAL)

# 32 bytes end in the middle of a character: the last one is one of two.
_TOKEN = re.compile(r"hf_(live|test)_[a-z2-7]{51}[aq]")
_ID = re.compile(r"key_[a-z2-7]{26}")


@dataclass(frozen=True, slots=True)
class SpendCap:
    """The most that may be spent with a key in a UTC day, a UTC month, or ever."""

    amount_micros: int
    currency: str
    window: str

    def __post_init__(self) -> None:
        if not 1 <= self.amount_micros <= AMOUNT_MICROS_MAX:
            raise InvalidField("spend_cap", "not an amount that an operation can move")
        if not is_currency(self.currency):
            raise InvalidField("spend_cap", "not an ISO 4217 currency code")
        if self.window not in WINDOWS:
            raise InvalidField("spend_cap", f"a window is one of {', '.join(WINDOWS)}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """What is kept of a key. It acts as `user`, within `scopes`, and spends up to `cap`.

    `prefix` is how its token begins, `hash` the digest that a token has to have.
    """

    tenant: Tenant
    id: str
    user: str
    name: str
    prefix: str
    hash: str
    scopes: tuple[str, ...]
    cap: SpendCap | None
    created_at: Instant
    expires_at: Instant | None = None
    revoked_at: Instant | None = None
    version: int = 0


def issue(
    once: Once,
    *,
    house_secret: bytes,
    user: str,
    name: str,
    scopes: Sequence[str],
    cap: SpendCap | None,
    expires_at: Instant | None,
) -> tuple[str, ApiKey]:
    """The token that a request makes, to be shown once, and the record to be kept of it.

    Raises:
        InvalidField: No scopes, an unknown one, or an expiry that is not after `once.now`.
    """
    token = token_of(once, house_secret)
    digest = _digest(token, house_secret)
    key = ApiKey(
        tenant=once.tenant,
        id=_id(digest),
        user=user,
        name=name,
        prefix=token[:PREFIX_LENGTH],
        hash=digest.hex(),
        scopes=_scopes(scopes),
        cap=cap,
        created_at=once.now,
        expires_at=_expiry(expires_at, once.now),
        version=1,
    )
    return token, key


def token_of(once: Once, house_secret: bytes) -> str:
    """The token that a request makes, the same at every delivery."""
    parts = (once.tenant.segment, once.caller, once.key)
    # NUL keeps the parts apart, and no part may hold one.
    assert not any("\0" in part for part in parts)
    secret = _hmac(house_secret, b"api-key", "\0".join(parts))
    return f"{API_KEY_PREFIX}{once.tenant.mode}_{_base32(secret)}"


def is_token(text: str) -> bool:
    """Whether `text` has the form of a token, to the letter.

    >>> is_token("hf_live_" + "a" * 52), is_token("hf_live_" + "a" * 51), is_token("hf_live_")
    (True, False, False)
    """
    return _TOKEN.fullmatch(text) is not None


def is_key_id(text: str) -> bool:
    """Whether `text` has the form of a key's id.

    >>> is_key_id("key_" + "a" * 26), is_key_id("key_" + "a" * 25)
    (True, False)
    """
    return _ID.fullmatch(text) is not None


def key_id(token: str, house_secret: bytes) -> str:
    """The id of the record that a token leads to, whether or not there is one."""
    assert is_token(token)
    return _id(_digest(token, house_secret))


def matches(key: ApiKey, token: str, house_secret: bytes) -> bool:
    """Whether `token` is the one that this record was made for; how nearly, its time does not tell.

    The token says the mode that it is for, and that is the mode of the record too.
    """
    if not is_token(token) or mode_of(token) != key.tenant.mode:
        return False
    return hmac.compare_digest(key.hash, _digest(token, house_secret).hex())


def mode_of(token: str) -> str:
    """`live` or `test`, as the token says.

    >>> mode_of("hf_test_" + "a" * 52)
    'test'
    """
    return token.split("_")[1]


def good_at(key: ApiKey, now: Instant) -> bool:
    """Whether the key can be used at `now`. At `expires_at` itself it no longer can."""
    return key.revoked_at is None and not expired(key.expires_at, now)


def expired(expires_at: Instant | None, now: Instant) -> bool:
    """Whether a key's time has passed; without an expiry it never has."""
    return expires_at is not None and expires_at <= now


def revoked(key: ApiKey, now: Instant) -> ApiKey:
    """The key, good for nothing from `now` on. One that was revoked before stays as it was."""
    if key.revoked_at is not None:
        return key
    return replace(key, revoked_at=now, version=key.version + 1)


def require_room(keys: Iterable[ApiKey], now: Instant) -> None:
    """Refuse one more key to a user who has as many good ones as a user can have.

    Raises:
        TooManyKeys: 100 of `keys` are good at `now`.
    """
    if sum(good_at(key, now) for key in keys) >= KEYS_MAX:
        raise TooManyKeys(keys_max=KEYS_MAX)


def needed_scope(noun: str, method: str) -> str:
    """The scope that a key needs for an operation of the function `noun`.

    >>> needed_scope("wallet", "GET"), needed_scope("holds", "DELETE")
    ('wallet:read', 'holds:write')
    """
    assert noun in NOUNS
    return f"{noun}:{READ if method in ('GET', 'HEAD') else WRITE}"


def allows(scopes: Sequence[str], needed: str) -> bool:
    """Whether a key with `scopes` may do what needs the scope `needed`.

    >>> allows(("wallet:read", "admin"), "wallet:read"), allows(("admin",), "wallet:read")
    (True, False)
    """
    return needed in scopes


def _scopes(scopes: Sequence[str]) -> tuple[str, ...]:
    asked = set(scopes)
    if not asked or not asked.issubset(SCOPES):
        raise InvalidField("scopes", f"one or more of {', '.join(SCOPES)}")
    return tuple(scope for scope in SCOPES if scope in asked)


def _expiry(expires_at: Instant | None, now: Instant) -> Instant | None:
    at = None if expires_at is None else instant(expires_at)
    if expired(at, now):
        raise InvalidField("expires_at", "not in the future")
    return at


def _digest(token: str, house_secret: bytes) -> bytes:
    return _hmac(house_secret, b"api-key-hash", token)


def _hmac(house_secret: bytes, purpose: bytes, text: str) -> bytes:
    # With a short secret, or none, anybody could make keys.
    assert len(house_secret) >= SECRET_BYTES_MIN
    return hmac.digest(house_secret, purpose + b"\0" + text.encode(), "sha256")


def _id(digest: bytes) -> str:
    return KEY_PREFIX + _base32(digest)[:ID_LENGTH]


def _base32(data: bytes) -> str:
    return b32encode(data).decode().lower().rstrip("=")
