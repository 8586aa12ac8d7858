"""What the gateway is told of a caller: payload format 2.0, simple responses.

All that a gateway can say of a bad credential is 403 in words of its own, so nobody is turned away
here: a stranger is let through as `denied`, and the API answers 401 in the surface's dialect.
"""

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from authorizer import denied
from authorizer.denied import Denied
from authorizer.keys import Keys, fetch
from authorizer.principal import context_of
from authorizer.tokens import Issuer, claims_of
from holdfast.domain.clock import instant
from holdfast.observability import logger

API_KEY_PREFIX = "hf_"

type KeyContext = Callable[[str], dict[str, str]]
"""The context of whoever bears an API key; raises `Denied`."""


def key_context_of(environment: Mapping[str, str]) -> KeyContext:
    """What looks API keys up where the environment says; where it says nothing, all are denied."""

    def context(credential: str) -> dict[str, str]:
        # A quarter of what the authorizer loads otherwise, and most callers come with a token.
        from authorizer.api_keys import context_of_key, records_of  # noqa: PLC0415

        return context_of_key(credential, records_of(environment), instant(datetime.now(UTC)))

    return context


_NOWHERE = key_context_of({})


def authorizer(
    issuer: Issuer, key_context: KeyContext = _NOWHERE, *, platform_org: str = ""
) -> Callable[[object, object], dict[str, Any]]:
    """The handler that takes the tokens of one issuer, and API keys where they can be looked up."""

    def handle(event: object, context: object) -> dict[str, Any]:
        try:
            credential = _credential(event)
            if credential.startswith(API_KEY_PREFIX):
                return _allowed(key_context(credential))
            claims = claims_of(credential, issuer)
            return _allowed(context_of(claims, platform_org=platform_org))
        except Denied as refused:
            if refused.reason in (denied.NOT_CONFIGURED, denied.KEYS_UNAVAILABLE):
                logger.error("nobody can be let in", extra={"code": refused.reason})
            return _allowed({"denied": refused.reason})
        except Exception as error:  # noqa: BLE001 - a mistake of ours must not open or break a door
            logger.error("mistake", extra={"error": type(error).__name__})
            return _allowed({"denied": denied.MALFORMED})

    return handle


def issuer_of(environment: Mapping[str, str]) -> Issuer:
    """The issuer that the environment names; whatever is missing denies everybody."""
    return Issuer(
        issuer=environment.get("OIDC_ISSUER", ""),
        audience=environment.get("OIDC_AUDIENCE", ""),
        keys=Keys(
            inline=environment.get("OIDC_JWKS", ""),
            url=environment.get("OIDC_JWKS_URL", ""),
            fetch=fetch,
            clock=time.time,
        ),
    )


def _credential(event: object) -> str:
    """The token or key of the Authorization header; a credential anywhere else is none."""
    headers = event.get("headers") if isinstance(event, dict) else None
    found = headers.items() if isinstance(headers, dict) else ()
    header = next((text for name, text in found if str(name).lower() == "authorization"), None)
    if not isinstance(header, str) or not header.strip():
        raise Denied(denied.MISSING)
    scheme, _, token = header.strip().partition(" ")
    token = token.strip()
    if scheme.lower() != "bearer" or not token:
        raise Denied(denied.UNKNOWN)
    return token


def _allowed(context: dict[str, str]) -> dict[str, Any]:
    return {"isAuthorized": True, "context": context}
