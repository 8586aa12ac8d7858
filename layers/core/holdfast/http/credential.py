"""Who is calling, as the authorizer told it.

Every value arrives as text; lists and objects are JSON in text. Text is parsed and compared whole:
a role is in the list or it is not, and whatever cannot be parsed is nobody.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from holdfast.domain import budgets
from holdfast.domain.accounts import Tenant, default_account_id, user_name
from holdfast.domain.api_keys import ADMIN, KEY_PREFIX, SCOPES, SpendCap, expired, is_key_id
from holdfast.domain.budgets import Scope
from holdfast.domain.clock import Instant, from_rfc3339, rfc3339
from holdfast.errors import InvalidField, Unauthenticated, Unavailable

ADMIN_ROLES = frozenset({"admin", "owner", "service"})
PLATFORM_ROLE = "platform"

KEYS_UNAVAILABLE = "keys_unavailable"
REMEMBERED_SECONDS = 60
"""How long the gateway remembers what the authorizer said."""

_REASON = re.compile(r"[a-z][a-z_]{0,39}")
_SUBJECT = re.compile(r"[!-~]{1,128}")
_TIER = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}|")
_KEY_SUBJECT = "key:"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyUse:
    """The API key that a caller came with: what it is for, and how much and how long it may."""

    id: str
    scopes: tuple[str, ...]
    cap: SpendCap | None
    expires_at: Instant | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """A caller whose credential is good. What it may do follows from its roles and its key."""

    tenant: Tenant
    subject: str
    user: str
    """`owner/name`, lower-case; the owner is the org."""
    roles: tuple[str, ...]
    tier: str
    """Empty when the credential names none."""
    key: KeyUse | None = None
    """None for whoever came with a token: it may do what its roles allow."""

    @property
    def org(self) -> str:
        return self.tenant.org

    @property
    def mode(self) -> str:
        return self.tenant.mode

    @property
    def is_admin(self) -> bool:
        """Whether the caller may name any user of its own org."""
        return self.is_platform or not ADMIN_ROLES.isdisjoint(self.roles)

    @property
    def is_platform(self) -> bool:
        """Whether the caller may act across orgs, where an operation does that at all."""
        return PLATFORM_ROLE in self.roles

    @property
    def caller(self) -> str:
        """Whose idempotency keys the caller's are, within the tenant."""
        return self.subject

    @property
    def caps(self) -> tuple[Scope, ...]:
        """What the caller's spending counts against, whosever money it is."""
        if self.key is None or self.key.cap is None:
            return ()
        cap = self.key.cap
        own = Scope(
            account_id=default_account_id(self.tenant, self.user),
            kind=budgets.KEY,
            id=self.key.id,
            limit_micros=cap.amount_micros,
            currency=cap.currency,
            window=cap.window,
        )
        return (own,)


def _now() -> datetime:
    return datetime.now(UTC)


def principal_of(
    credential: Mapping[str, Any] | None, *, clock: Callable[[], datetime] = _now
) -> Principal:
    """The caller that an authorizer's context describes.

    `clock` is asked only for a key with an expiry: the gateway may remember what the authorizer
    said of it for longer than the key is good.

    Raises:
        Unauthenticated: There is no context, it denies the caller, it is not one of ours, or the
            caller's key has expired.
        Unavailable: Nobody could be asked whether the credential is good.
    """
    if credential is None:
        raise Unauthenticated(reason="missing_credential")
    if "denied" in credential:
        reason = credential["denied"]
        if reason == KEYS_UNAVAILABLE:
            raise Unavailable(retry_after_seconds=REMEMBERED_SECONDS)
        known = isinstance(reason, str) and _REASON.fullmatch(reason)
        raise Unauthenticated(reason=reason if known else "invalid_credential")
    try:
        principal = _principal(credential)
    except (InvalidField, KeyError, OverflowError, RecursionError, TypeError, ValueError) as broken:
        raise Unauthenticated(reason="invalid_credential") from broken
    until = principal.key.expires_at if principal.key else None
    if until is not None and expired(until, clock()):
        raise Unauthenticated(reason="expired_key")
    return principal


def _principal(credential: Mapping[str, Any]) -> Principal:
    tenant = Tenant(org=_text(credential["org"]), mode=_text(credential["mode"]))
    user = _text(credential["user"])
    if user != user_name(user, org=tenant.org) or not user.startswith(f"{tenant.org}/"):
        raise ValueError
    principal = Principal(
        tenant=tenant,
        subject=_matching(_SUBJECT, credential["subject"]),
        user=user,
        roles=_roles(credential["roles"]),
        tier=_matching(_TIER, credential.get("tier", "")),
        key=_key(credential["key"]) if "key" in credential else None,
    )
    _require_one_story(principal)
    return principal


def _require_one_story(principal: Principal) -> None:
    """A key's caller is the key, with the power of its scopes alone; and nobody else is a key."""
    key = principal.key
    if key is None:
        if principal.subject.startswith(f"{_KEY_SUBJECT}{KEY_PREFIX}"):
            raise ValueError
        return
    roles = (ADMIN,) if ADMIN in key.scopes else ()
    if principal.subject != f"{_KEY_SUBJECT}{key.id}" or principal.roles != roles:
        raise ValueError


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _matching(pattern: re.Pattern[str], value: object) -> str:
    text = _text(value)
    if not pattern.fullmatch(text):
        raise ValueError
    return text


def _roles(value: object) -> tuple[str, ...]:
    roles = json.loads(_text(value))
    if not isinstance(roles, list) or not all(isinstance(role, str) for role in roles):
        raise TypeError
    return tuple(roles)


def _key(value: object) -> KeyUse:
    match json.loads(_text(value)):
        case {"id": str(key_id), "scopes": list(scopes), "cap": cap, "expires_at": at, **more}:
            if more or not is_key_id(key_id) or not all(scope in SCOPES for scope in scopes):
                raise ValueError
            return KeyUse(id=key_id, scopes=tuple(scopes), cap=_cap(cap), expires_at=_instant(at))
    raise ValueError


def _cap(value: object) -> SpendCap | None:
    match value:
        case None:
            return None
        case {"amount_micros": amount, "currency": str(currency), "window": str(window), **more}:
            # To Python, true is a whole number.
            if more or type(amount) is not int:
                raise ValueError
            return SpendCap(amount, currency, window)
    raise ValueError


def _instant(value: object) -> Instant | None:
    if value is None:
        return None
    text = _text(value)
    at = from_rfc3339(text)
    if rfc3339(at) != text:
        raise ValueError
    return at
