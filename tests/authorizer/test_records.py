"""Keys on the table: made by one function, looked up by the authorizer."""

from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from authorizer.decision import authorizer, issuer_of, key_context_of
from holdfast import runtime
from holdfast.domain.api_keys import SpendCap
from holdfast.gateways.secrets import NotMade, Secrets
from holdfast.http.principal import principal_of
from holdfast.services import api_keys
from holdfast.services.api_keys import Issued
from holdfast.store.ledger_store import LedgerStore
from tests.domain.samples import HOUR, NOW, once
from tests.simulator.client import Simulator

NAMED = {"TABLE_NAME": "holdfast", "API_KEY_SECRET_PARAMETER": "/holdfast/secret"}
CAP = SpendCap(amount_micros=5_000_000, currency="usd", window="month")
handler = authorizer(issuer_of({}), key_context_of(NAMED))


class FakeSecrets(Secrets):
    """A secret that is made when it is asked for, and may be out of reach."""

    def __init__(self) -> None:
        self.secret: bytes | None = None

    def value(self, *, make: bool = False) -> bytes:
        self.secret = self.secret or (bytes(range(32)) if make else None)
        if self.secret is None:
            raise NotMade
        return self.secret


class House:
    """A table and a secret, in the place of those of the environment."""

    def __init__(self) -> None:
        self.simulator = Simulator()
        self.secrets = FakeSecrets()
        self.store = self.environment()

    def environment(self) -> LedgerStore:
        client: Any = self.simulator
        return LedgerStore(client, "holdfast", pause=lambda seconds: None)

    def issue(self, name: str = "ci") -> Issued:
        return api_keys.issue(
            self.store,
            self.secrets.value(make=True),
            user="acme/alice",
            name=name,
            scopes=("wallet:read", "admin"),
            cap=CAP,
            expires_at=None,
            once=once(name),
        )


@pytest.fixture
def house(monkeypatch):
    there = House()
    # The authorizer is another environment than the one that makes keys: it shares the table.
    seen = there.environment()
    monkeypatch.setattr(runtime, "ledger_store", lambda: seen)
    monkeypatch.setattr(runtime, "api_key_secret", lambda: there.secrets)
    return there


def context_for(token):
    return handler({"headers": {"authorization": f"Bearer {token}"}}, None)["context"]


def test_a_key_that_was_made_lets_its_user_in(house):
    issued = house.issue()

    caller = principal_of(context_for(issued.token))

    assert (caller.user, caller.roles) == ("acme/alice", ("admin",))
    assert caller.key is not None
    assert (caller.key.id, caller.key.cap) == (issued.key.id, CAP)
    assert caller.key.scopes == ("wallet:read", "admin")


def test_a_second_delivery_is_told_a_key_that_is_as_good(house):
    first, second = house.issue(), house.issue()

    assert (first.replayed, second.replayed) == (False, True)
    assert context_for(second.token) == context_for(first.token)
    assert "denied" not in context_for(second.token)


def test_a_key_that_was_revoked_elsewhere_stops_at_once(house):
    issued, other = house.issue(), house.issue("other")
    assert "denied" not in context_for(issued.token)

    later = replace(once("revoke"), now=NOW + HOUR)
    api_keys.revoke(house.store, user="acme/alice", key_id=issued.key.id, once=later)

    assert context_for(issued.token) == {"denied": "revoked_key"}
    assert "denied" not in context_for(other.token)


def test_before_the_first_key_there_is_none(house):
    made_up = f"hf_live_{'a' * 52}"

    assert context_for(made_up) == {"denied": "unknown_credential"}
    assert house.secrets.secret is None


def test_a_key_that_is_not_on_the_table_is_unknown(house):
    house.secrets.value(make=True)

    assert context_for(f"hf_live_{'a' * 52}") == {"denied": "unknown_credential"}


def test_a_token_stands_nowhere_on_the_table(house):
    issued = house.issue()

    stored = repr(house.simulator.items())
    assert issued.key.hash in stored
    assert issued.token not in stored
    assert issued.token[13:] not in stored


def test_a_table_out_of_reach_lets_nobody_in(house, monkeypatch, capsys):
    issued = house.issue()

    def unreachable(**call):
        raise EndpointConnectionError(endpoint_url="https://dynamodb.example.com")

    monkeypatch.setattr(house.simulator, "get_item", unreachable)

    assert context_for(issued.token) == {"denied": "keys_unavailable"}
    assert issued.token not in capsys.readouterr().err
