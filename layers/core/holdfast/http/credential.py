"""Who is calling, as the authorizer told it.

Every value arrives as text; lists are JSON in text. Text is parsed and compared whole: a role is
in the list or it is not, and whatever cannot be parsed is nobody.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from holdfast.domain.accounts import Tenant, user_name
from holdfast.errors import InvalidField, Unauthenticated

ADMIN_ROLES = frozenset({"admin", "owner", "service"})
PLATFORM_ROLE = "platform"

_REASON = re.compile(r"[a-z][a-z_]{0,39}")
_SUBJECT = re.compile(r"[!-~]{1,128}")
_TIER = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}|")


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """A caller whose credential is good. What it may do follows from its roles alone."""

    tenant: Tenant
    subject: str
    user: str
    """`owner/name`, lower-case; the owner is the org."""
    roles: tuple[str, ...]
    tier: str
    """Empty when the credential names none."""

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


def principal_of(credential: Mapping[str, Any] | None) -> Principal:
    """The caller that an authorizer's context describes.

    Raises:
        Unauthenticated: There is no context, it denies the caller, or it is not one of ours.
    """
    if credential is None:
        raise Unauthenticated(reason="missing_credential")
    if "denied" in credential:
        reason = credential["denied"]
        known = isinstance(reason, str) and _REASON.fullmatch(reason)
        raise Unauthenticated(reason=reason if known else "invalid_credential")
    try:
        return _principal(credential)
    except (InvalidField, KeyError, RecursionError, TypeError, ValueError) as broken:
        raise Unauthenticated(reason="invalid_credential") from broken


def _principal(credential: Mapping[str, Any]) -> Principal:
    tenant = Tenant(org=_text(credential["org"]), mode=_text(credential["mode"]))
    user = _text(credential["user"])
    if user != user_name(user, org=tenant.org) or not user.startswith(f"{tenant.org}/"):
        raise ValueError
    return Principal(
        tenant=tenant,
        subject=_matching(_SUBJECT, credential["subject"]),
        user=user,
        roles=_roles(credential["roles"]),
        tier=_matching(_TIER, credential.get("tier", "")),
    )


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
