"""Whether a token is good: signed by the issuer, for us, for now, and to be used for access."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jwt
from jwt import exceptions

from authorizer import denied
from authorizer.denied import Denied
from authorizer.keys import KEY_TYPES, Keys

TOKEN_BYTES_MAX = 8 * 1024
LEEWAY_SECONDS = 30
ACCESS_USE = "access"
ACCESS_TYPES = ("at+jwt", "application/at+jwt")

_REASONS: tuple[tuple[type[exceptions.PyJWTError], str], ...] = (
    (exceptions.InvalidSignatureError, denied.WRONG_SIGNATURE),
    (exceptions.ExpiredSignatureError, denied.EXPIRED),
    (exceptions.ImmatureSignatureError, denied.NOT_YET),
    (exceptions.InvalidIssuerError, denied.WRONG_ISSUER),
    (exceptions.InvalidAudienceError, denied.WRONG_AUDIENCE),
    (exceptions.MissingRequiredClaimError, denied.INVALID_CLAIMS),
)


@dataclass(frozen=True, slots=True)
class Issuer:
    """Whose tokens are taken, and made out to whom."""

    issuer: str
    audience: str
    keys: Keys


def claims_of(token: str, issuer: Issuer) -> dict[str, Any]:
    """The claims of an access token.

    Raises:
        Denied: It is not one, or not one of this issuer for this audience at this time.
    """
    if not issuer.issuer or not issuer.audience:
        raise Denied(denied.NOT_CONFIGURED)
    if len(token) > TOKEN_BYTES_MAX or not token.isascii() or token.count(".") != 2:
        raise Denied(denied.MALFORMED)
    header = _header(token)
    algorithm, kid = header.get("alg"), header.get("kid")
    if not isinstance(algorithm, str) or algorithm not in KEY_TYPES:
        raise Denied(denied.WRONG_ALGORITHM)
    if not isinstance(kid, str) or not kid:
        raise Denied(denied.UNKNOWN_KEY)
    key = issuer.keys.key(kid)
    # The key says which algorithm it is for; the token's word for it is only compared.
    if key.algorithm_name != algorithm:
        raise Denied(denied.WRONG_ALGORITHM)
    claims = _verified(
        lambda: jwt.decode(
            token,
            key,
            algorithms=[key.algorithm_name],
            issuer=issuer.issuer,
            audience=issuer.audience,
            leeway=LEEWAY_SECONDS,
            options={"require": ["exp", "iss", "aud", "sub"]},
        )
    )
    if not _is_for_access(header, claims):
        raise Denied(denied.WRONG_USE)
    return claims


def _header(token: str) -> dict[str, Any]:
    try:
        header = jwt.get_unverified_header(token)
    except exceptions.PyJWTError as broken:
        raise Denied(denied.MALFORMED) from broken
    # A payload that is not encoded, or is elsewhere, is an extension nobody here asked for.
    if "b64" in header:
        raise Denied(denied.MALFORMED)
    return header


def _verified(decode: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    try:
        return decode()
    except exceptions.PyJWTError as refused:
        for kind, reason in _REASONS:
            if isinstance(refused, kind):
                raise Denied(reason) from refused
        raise Denied(denied.MALFORMED) from refused


def _is_for_access(header: dict[str, Any], claims: dict[str, Any]) -> bool:
    """An ID token says who somebody is; it is no permission to act.

    Issuers mark an access token in the claim `token_use`, or, after RFC 9068, in the header `typ`,
    or in the claim `tokenType`. One mark must be there, and the first that is there counts.
    """
    if "token_use" in claims:
        return bool(claims["token_use"] == ACCESS_USE)
    kind = header.get("typ")
    if isinstance(kind, str) and kind.lower() in ACCESS_TYPES:
        return True
    return bool(claims.get("tokenType") == "access-token")
