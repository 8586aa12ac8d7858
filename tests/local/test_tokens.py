"""The tokens of a laptop let in whom they name, and nobody else's do."""

import json
import stat
import time
from pathlib import Path

import pytest

from authorizer.decision import authorizer, issuer_of
from local import tokens
from local.tokens import USERS, User


def told(key_set: str, token: str, *, platform_org: str = "") -> dict[str, str]:
    """What the authorizer tells the gateway of a bearer."""
    decide = authorizer(
        issuer_of(
            {"OIDC_ISSUER": tokens.ISSUER, "OIDC_AUDIENCE": tokens.AUDIENCE, "OIDC_JWKS": key_set}
        ),
        platform_org=platform_org,
    )
    credential = f"Bearer {token}"
    event = {"headers": {"authorization": credential}, "identitySource": [credential]}
    context: dict[str, str] = decide(event, None)["context"]
    return context


@pytest.mark.parametrize("user", USERS.values(), ids=USERS)
def test_the_authorizer_lets_every_user_in(user: User, tmp_path: Path):
    key = tokens.issuer_key(tmp_path / "issuer.pem")
    token = tokens.token(key, user, now_seconds=int(time.time()))

    principal = told(tokens.key_set(key), token, platform_org=USERS["platform"].org)

    assert principal["user"] == user.id
    assert principal["org"] == user.org
    assert principal["mode"] == "live"
    assert set(json.loads(principal["roles"])) == set(user.roles)


def test_a_token_of_test_mode_says_so(tmp_path: Path):
    key = tokens.issuer_key(tmp_path / "issuer.pem")
    token = tokens.token(key, USERS["alice"], mode="test", now_seconds=int(time.time()))

    assert told(tokens.key_set(key), token)["mode"] == "test"


def test_a_token_ends_after_thirty_days(tmp_path: Path):
    key = tokens.issuer_key(tmp_path / "issuer.pem")
    month_ago = int(time.time()) - tokens.LIFETIME_SECONDS - 120
    token = tokens.token(key, USERS["alice"], now_seconds=month_ago)

    assert set(told(tokens.key_set(key), token)) == {"denied"}


def test_another_laptops_token_is_not_taken(tmp_path: Path):
    mine = tokens.issuer_key(tmp_path / "mine.pem")
    other = tokens.issuer_key(tmp_path / "other.pem")
    token = tokens.token(other, USERS["alice"], now_seconds=int(time.time()))

    assert set(told(tokens.key_set(mine), token)) == {"denied"}


def test_the_key_is_made_once_and_only_its_owner_may_read_it(tmp_path: Path):
    path = tmp_path / "folder" / "issuer.pem"

    first, second = tokens.issuer_key(path), tokens.issuer_key(path)

    assert tokens.key_set(first) == tokens.key_set(second)
    assert "PRIVATE" not in tokens.key_set(first)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
