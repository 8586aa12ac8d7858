"""Callers with an API key, as the authorizer tells of them."""

import json
from collections.abc import Mapping

from holdfast.domain.money import from_minor


def key_id(name: str = "a") -> str:
    """The id of the key that a letter stands for."""
    return "key_" + name * 26


def keyed(
    claims: Mapping[str, str],
    *scopes: str,
    cap: int | None = None,
    currency: str = "usd",
    window: str = "total",
    name: str = "a",
) -> dict[str, str]:
    """Somebody's key with some scopes and, if need be, a cap in minor units."""
    limit = {
        "amount_micros": 0 if cap is None else from_minor(cap, currency),
        "currency": currency,
        "window": window,
    }
    told = {
        "id": key_id(name),
        "scopes": list(scopes),
        "cap": None if cap is None else limit,
        "expires_at": None,
    }
    return {
        **claims,
        "subject": f"key:{key_id(name)}",
        "roles": '["admin"]' if "admin" in scopes else "[]",
        "key": json.dumps(told),
    }
