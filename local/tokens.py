"""Who may call a laptop's stack: tokens signed with a key of its own, made on the first run.

    python -m local.tokens --org acme --user carol [--role admin] [--mode test]

prints a token for somebody else.
"""

import argparse
import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from local.places import Places

ISSUER = "https://laptop.holdfast.invalid"
AUDIENCE = "holdfast"
KEY_ID = "laptop"
LIFETIME_SECONDS = 30 * 24 * 3600


@dataclass(frozen=True, slots=True)
class User:
    """Somebody in an organisation."""

    org: str
    name: str
    roles: tuple[str, ...] = ()
    tier: str = "pro"

    @property
    def id(self) -> str:
        return f"{self.org}/{self.name}"


USERS = {
    "platform": User("operator", "platform", roles=("platform",)),
    "admin": User("acme", "admin", roles=("admin",)),
    "alice": User("acme", "alice"),
    "bob": User("acme", "bob"),
    "agent": User("acme", "agent"),
    "reseller": User("acme", "reseller", roles=("reseller",)),
    "other_admin": User("globex", "admin", roles=("admin",)),
}


def issuer_key(path: Path) -> RSAPrivateKey:
    """The key in this file, made if it is not there; readable by its owner only."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        made = generate_private_key(public_exponent=65537, key_size=2048)
        path.touch(mode=0o600)
        path.write_bytes(made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    key = load_pem_private_key(path.read_bytes(), password=None)
    assert isinstance(key, RSAPrivateKey)
    return key


def key_set(key: RSAPrivateKey) -> str:
    """The public half, as the JSON Web Key Set that the authorizer is given."""
    public = jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key(), as_dict=True)
    return json.dumps({"keys": [{**public, "kid": KEY_ID, "alg": "RS256", "use": "sig"}]})


def token(key: RSAPrivateKey, user: User, *, mode: str = "live", now_seconds: int) -> str:
    """A signed token that lets the user in for 30 days."""
    claims: dict[str, Any] = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": f"user_{user.org}_{user.name}",
        "iat": now_seconds,
        "nbf": now_seconds,
        "exp": now_seconds + LIFETIME_SECONDS,
        "token_use": "access",
        "owner": user.org,
        "name": user.name,
        "email": f"{user.name}@{user.org}.example",
        "roles": list(user.roles),
        "isAdmin": "admin" in user.roles,
        "mode": mode,
        "properties": {"tier": user.tier},
    }
    return jwt.encode(claims, key, algorithm="RS256", headers={"kid": KEY_ID})


def main() -> None:
    """Print a token for the user that the arguments describe."""
    parser = argparse.ArgumentParser(prog="python -m local.tokens", description=main.__doc__)
    parser.add_argument("--org", default="acme")
    parser.add_argument("--user", required=True)
    parser.add_argument("--role", action="append", default=[])
    parser.add_argument("--tier", default="pro")
    parser.add_argument("--mode", choices=("live", "test"), default="live")
    given = parser.parse_args()
    user = User(given.org, given.user, roles=tuple(given.role), tier=given.tier)
    key = issuer_key(Places.of_environment().issuer_key)
    print(token(key, user, mode=given.mode, now_seconds=int(time.time())))


if __name__ == "__main__":
    main()
