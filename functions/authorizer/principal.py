"""Who the claims of a good token make of its bearer."""

import json
import re
from typing import Any

from authorizer.denied import INVALID_CLAIMS, Denied
from holdfast.domain.accounts import Tenant, user_name
from holdfast.errors import InvalidField

MODE_DEFAULT = "live"
ROLES_MAX = 50
ADMIN_ROLE = "admin"
PLATFORM_ROLE = "platform"

_SUBJECT = re.compile(r"[!-~]{1,128}")
_ROLE = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_TIER = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")


def context_of(claims: dict[str, Any], *, platform_org: str = "") -> dict[str, str]:
    """The context that the API reads its caller from: text only, lists as JSON in text.

    Nobody but a user of `platform_org` is of the platform, whatever roles a token names: an issuer
    may let orgs make up roles of their own.

    Raises:
        Denied: A claim is missing, of the wrong type, or names something that nothing is called.
    """
    try:
        tenant = Tenant(org=_word(claims["owner"]), mode=claims.get("mode", MODE_DEFAULT))
        # A name with a slash of its own would move into the owner's part, which takes none.
        user = user_name(f"{tenant.org}/{_word(claims['name'])}", org=tenant.org)
        return {
            "org": tenant.org,
            "mode": tenant.mode,
            "subject": _matching(_SUBJECT, claims["sub"]),
            "user": user,
            "roles": json.dumps(_roles(claims, is_platform=tenant.org == platform_org)),
            "tier": _tier(claims),
        }
    except (InvalidField, KeyError) as broken:
        raise Denied(INVALID_CLAIMS) from broken


def _roles(claims: dict[str, Any], *, is_platform: bool) -> list[str]:
    listed = claims.get("roles", [])
    is_admin = claims.get("isAdmin", False)
    if not isinstance(listed, list) or not isinstance(is_admin, bool) or len(listed) > ROLES_MAX:
        raise Denied(INVALID_CLAIMS)
    roles = {_matching(_ROLE, _word(role)) for role in listed}
    if not is_platform:
        roles.discard(PLATFORM_ROLE)
    return sorted(roles | {ADMIN_ROLE} if is_admin else roles)


def _tier(claims: dict[str, Any]) -> str:
    properties = claims.get("properties") or {}
    if not isinstance(properties, dict):
        raise Denied(INVALID_CLAIMS)
    tier = properties.get("tier", "")
    return "" if tier == "" else _matching(_TIER, _word(tier))


def _word(value: object) -> str:
    if not isinstance(value, str):
        raise Denied(INVALID_CLAIMS)
    return value.strip().lower()


def _matching(pattern: re.Pattern[str], value: object) -> str:
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise Denied(INVALID_CLAIMS)
    return value
