"""An issuer: keys, the JWKS that publishes them, and tokens good and bad."""

import json
import time
from functools import cache
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt import PyJWS
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

ISSUER = "https://id.example.com"
AUDIENCE = "holdfast"

type PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


@cache
def rsa_key(name: str = "first", bits: int = 2048) -> rsa.RSAPrivateKey:
    """An RSA key; the same name is the same key."""
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


@cache
def ec_key(name: str = "first") -> ec.EllipticCurvePrivateKey:
    """A key on P-256."""
    return ec.generate_private_key(ec.SECP256R1())


def public_pem(key: PrivateKey) -> bytes:
    """What anybody can have of a key."""
    return key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def jwk(key: PrivateKey, kid: str, **more: Any) -> dict[str, Any]:
    """The public half as an entry of a JWKS."""
    if isinstance(key, rsa.RSAPrivateKey):
        public = RSAAlgorithm.to_jwk(key.public_key(), as_dict=True)
    else:
        public = ECAlgorithm.to_jwk(key.public_key(), as_dict=True)
    return {**public, "kid": kid, "use": "sig", **more}


def jwks(*keys: dict[str, Any]) -> str:
    """A JWKS; by default with one key of each type, `rsa-1` and `ec-1`."""
    both = (jwk(rsa_key(), "rsa-1"), jwk(ec_key(), "ec-1"))
    return json.dumps({"keys": list(keys or both)})


def claims(**changed: Any) -> dict[str, Any]:
    """The claims of alice's access token; a claim changed to None is left out."""
    now = int(time.time())
    given = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": "user-alice",
        "iat": now,
        "nbf": now,
        "exp": now + 600,
        "token_use": "access",
        "owner": "acme",
        "name": "alice",
        **changed,
    }
    return {name: value for name, value in given.items() if value is not None}


def token(
    given: dict[str, Any] | None = None,
    *,
    key: Any = None,
    kid: str | None = "rsa-1",
    algorithm: str = "RS256",
    headers: dict[str, Any] | None = None,
) -> str:
    """A signed token; by default a good one of alice's."""
    return signed(
        json.dumps(claims() if given is None else given).encode(),
        key=key,
        kid=kid,
        algorithm=algorithm,
        headers=headers,
    )


def signed(
    payload: bytes,
    *,
    key: Any = None,
    kid: str | None = "rsa-1",
    algorithm: str = "RS256",
    headers: dict[str, Any] | None = None,
) -> str:
    """Anything at all, well signed: an issuer's library would refuse to sign odd claims."""
    named = {} if kid is None else {"kid": kid}
    return PyJWS().encode(
        payload,
        rsa_key() if key is None else key,
        algorithm=algorithm,
        headers={**named, **(headers or {})},
    )
