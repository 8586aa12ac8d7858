"""The functions over a table in memory and a clock that stands, and what callers ask of them."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cached_property
from typing import Any, NamedTuple
from urllib.parse import urlencode

import accounts.app
import catalog.app
import credits.app
import funding.app
import holds.app
import overview.app
import payment_methods.app
import payments.app
import stripe_webhook.app
import wallet.app
from holdfast import providers
from holdfast.domain.accounts import Tenant, default_account_id
from holdfast.domain.payment_methods import PaymentMethod
from holdfast.http import writes
from holdfast.http.api import Api
from holdfast.runtime import (
    api_key_secret,
    endpoint_secrets,
    ledger_store,
    settings,
    stripe_queue,
)
from holdfast.services.cards import Stripes
from holdfast.services.x402 import Facilitators
from holdfast.store import items
from holdfast.store.ledger_store import LedgerStore
from tests.api.arrivals import Arrivals
from tests.api.provider import Provider, State
from tests.domain.x402_samples import PAY_TO
from tests.http.events import ADMIN, ALICE, event
from tests.services.till import Till
from tests.simulator.client import Simulator
from tests.simulator.values import Item

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
NOON_TEXT = "2026-11-21T12:00:00.000Z"
DONE = (200, 201, 204)
SAID = (502, 503)
"""Not done, and no mistake of ours: the payment provider does not answer, or somebody else does."""
INTRODUCTORY = 1000
"""Cents that every account has from its first day."""
PUBLISHABLE_KEYS = {"live": "pk_live_world", "test": "pk_test_world"}
PUBLIC_URL = "https://api.example.com"
X402_PAY_TO: dict[str, str] = {"live": PAY_TO, "test": PAY_TO}
RETURN_URLS: tuple[str, ...] = ("https://app.example.com/billing", "http://127.0.0.1:3000/docs")

BOB = {**ALICE, "subject": "user-bob", "user": "acme/bob"}
ZOE = {**ALICE, "org": "globex", "subject": "user-zoe", "user": "globex/zoe"}
OTHER_ADMIN = {**ZOE, "subject": "user-boss", "user": "globex/boss", "roles": '["admin"]'}
TEST_ALICE = {**ALICE, "mode": "test"}
TEST_ADMIN = {**ADMIN, "mode": "test"}


FUNCTIONS: dict[str, Api] = {
    "wallet": wallet.app.api,
    "holds": holds.app.api,
    "accounts": accounts.app.api,
    "credits": credits.app.api,
    "overview": overview.app.api,
    "catalog": catalog.app.api,
    "payment_methods": payment_methods.app.api,
    "funding": funding.app.api,
    "payments": payments.app.api,
    "stripe_webhook": stripe_webhook.app.api,
}
OPERATIONS = tuple(operation for api in FUNCTIONS.values() for operation in api.operations)
_AGENTS = "/api/agents/v1/"
_SNAKE = "/v1/"
_SAID_TWICE = (
    "/api/agents/v1/billing/stripe-config",
    "/api/agents/v1/billing/payment-link",
)
"""Where the fields of the envelope's data stand beside it, too."""
_PARAMETER = re.compile(r"\{\w+\}")
_PATHS = tuple(
    (re.compile(_PARAMETER.sub("[^/]+", operation.path)), api)
    for api in FUNCTIONS.values()
    for operation in api.operations
)


class Like:
    """Equal to every text of a form: for what only the system can make up."""

    def __init__(self, form: str) -> None:
        self._form = re.compile(form)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, str) and self._form.fullmatch(other) is not None

    def __hash__(self) -> int:
        return hash(self._form)

    def __repr__(self) -> str:
        return f"Like({self._form.pattern!r})"


ENTRY_ID = Like(r"ent_[a-z2-7]{26}")
HOLD_ID = Like(r"hold_[0-9a-z]{26}_[a-z]{3}")
LOT_ID = Like(r"lot_[a-z2-7]{26}")
QUOTE_ID = Like(r"quote_[a-z2-7]{26}")
JOB_ID = Like(r"job_[a-z2-7]{26}")
HASH = Like(r"[0-9a-f]{64}")
CURSOR = Like(r"[A-Za-z0-9_-]+")


class Refusal(NamedTuple):
    """What a caller is told of a refusal."""

    status: int
    code: str
    param: str | None
    details: dict[str, Any]


@dataclass(frozen=True)
class Answer:
    """What came out of a function for one request."""

    path: str
    status: int
    text: str
    headers: Mapping[str, str]

    @cached_property
    def body(self) -> Any:
        """The answer read as JSON, numbers with a point as `Decimal`."""
        return json.loads(self.text, parse_float=Decimal)

    @property
    def data(self) -> Any:
        """What stands in the envelope of the agents surface, which has to be whole."""
        request_id = self.headers["X-Request-Id"]
        beside = self.body["data"] if self.path in _SAID_TWICE else {}
        assert self.body == {
            **beside,
            "data": self.body["data"],
            "error": None,
            "meta": {"request_id": request_id},
        }
        return self.body["data"]

    @property
    def replayed(self) -> bool:
        return self.headers.get("Idempotent-Replayed") == "true"

    @property
    def refusal(self) -> Refusal:
        """The error, whose envelope has to be exactly the one of the surface."""
        assert 400 <= self.status < 500 or self.status in SAID, (self.status, self.text)
        assert self.headers["Content-Type"] == "application/json"
        told = self.body["error"]
        if "x402Version" in self.body:
            # What there is to pay is told in the words of another protocol.
            return Refusal(self.status, "payment_required", None, {"reason": told})
        request_id = self.headers["X-Request-Id"]
        assert isinstance(told["message"], str)
        assert told["message"]
        if self.path.startswith(_AGENTS):
            assert set(told) == {"code", "message", "details"}
            assert self.body == {"data": None, "error": told, "meta": {"request_id": request_id}}
            details = dict(told["details"])
            return Refusal(self.status, told["code"], details.pop("param", None), details)
        assert self.body == {"error": told}
        assert set(told) == {"type", "code", "message", "param", "details", "request_id"}
        assert told["request_id"] == request_id
        return Refusal(self.status, told["code"], told["param"], told["details"])


class House:
    """The secret of the house, which never changes here."""

    def value(self, *, make: bool = False) -> bytes:
        assert make
        return b"s" * 32


class World:
    """A ledger with some items in it, and the one instant at which everything happens there."""

    def __init__(self, items: Iterable[Item] = (), provider: State | None = None) -> None:
        self.simulator = Simulator()
        for item in items:
            self.simulator.put_item(TableName="holdfast", Item=item)
        self.simulator.forget()
        self.now = NOON
        self.provider = Provider(provider, clock=self._seconds)
        self.stripes: Stripes = self.provider.gateway
        self.till = Till()
        self.facilitators: Facilitators = lambda mode: self.till
        self.x402_pay_to = X402_PAY_TO
        self.arrivals = Arrivals()
        self.publishable_keys = PUBLISHABLE_KEYS
        self.return_urls = RETURN_URLS
        self.public_url = PUBLIC_URL
        self.accounts_are_ours = True
        self.start_anew()

    def start_anew(self) -> None:
        """From here on another environment answers: it remembers nothing."""
        client: Any = self.simulator
        self.store = LedgerStore(client, "holdfast", pause=lambda seconds: None)

    def wait(self, **passed: float) -> None:
        """Let time pass, given as `timedelta` takes it."""
        self.now += timedelta(**passed)

    def items(self) -> list[Item]:
        return self.simulator.items()

    def mark(self) -> int:
        """A place in the table's history, for `written_since`."""
        return len(self.simulator.stream)

    def written_since(self, mark: int) -> list[str]:
        """The keys of the items that really changed since the mark."""
        keys = (record["dynamodb"]["Keys"] for record in self.simulator.stream[mark:])
        return [f"{key['pk']['S']} {key['sk']['S']}" for key in keys]

    def ask(
        self,
        method: str,
        path: str,
        *,
        by: dict[str, str] | None = ALICE,
        body: object = None,
        query: Mapping[str, object] | str = "",
        key: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """One request. A body that is no text is written as JSON; a query in a mapping, encoded."""
        sent = dict(headers or {})
        if key is not None:
            sent["idempotency-key"] = key
        asked = event(
            method,
            path,
            body=body,
            query=query if isinstance(query, str) else urlencode(query),
            headers=sent,
            claims=by,
        )
        return self.deliver(asked)

    def deliver(self, asked: Any, *, to: str | None = None) -> Answer:
        """An event as it is, to the function that serves its path, or to one by its name."""
        path = asked.get("rawPath", "") if isinstance(asked, dict) else ""
        path = path if isinstance(path, str) else ""
        with self._standing_in() as api_of:
            answered = (FUNCTIONS[to] if to else api_of(path)).handler(asked)
        assert set(answered) == {"statusCode", "headers", "body", "isBase64Encoded"}
        return Answer(path, answered["statusCode"], answered["body"], answered["headers"])

    def get(self, path: str, **asked: Any) -> Any:
        """What is read at a path, which has to be there."""
        answer = self.ask("GET", path, **asked)
        assert answer.status == 200, answer.text
        return answer.data if path.startswith(_AGENTS) else answer.body

    def post(self, path: str, **asked: Any) -> Any:
        """What is answered to a write, which has to be done."""
        answer = self.ask("POST", path, **asked)
        assert answer.status in (200, 201), answer.text
        return answer.body

    def refused(self, method: str, path: str, **asked: Any) -> Refusal:
        """What is answered to a request that must be refused, and must not write anything."""
        mark = self.mark()
        answer = self.ask(method, path, **asked)
        assert self.written_since(mark) == [], "a refusal wrote something"
        return answer.refusal

    # What most tests need first

    def deposit(self, amount: int, *, user: str = "acme/alice", **more: Any) -> Any:
        """Cash for a user, put in by the org's admin."""
        body = {"user": user, "amount": amount, **more}
        return self.post("/api/v1/billing/deposit", by=ADMIN, body=body)

    def use(self, amount: int | str, *, user: str = "acme/alice", **more: Any) -> Any:
        """A charge for work, recorded by the org's admin; text is an exact amount."""
        name = "amount" if isinstance(amount, int) else "amountDecimal"
        body = {"user": user, name: amount, **more}
        return self.post("/api/v1/billing/usage", by=ADMIN, body=body)

    def hold(self, amount: int, *, by: dict[str, str] = ALICE, **more: Any) -> Any:
        return self.post("/v1/billing/holds", by=by, body={"amount": amount, **more})

    def quote(self, *, by: dict[str, str] = ALICE, **more: Any) -> Any:
        """A quote for a job of 30 cents a task and 8 cents a shot."""
        body = {"provider": "braket", "device": "ionq-forte", "shots": 10, **more}
        return self.post("/v1/billing/hardware/quote", by=by, body=body)

    def wallet(self, *, by: dict[str, str] = ALICE, currency: str = "usd") -> Any:
        return self.get("/v1/billing/wallet", by=by, query={"currency": currency})

    def cents(self, *, by: dict[str, str] = ALICE, currency: str = "usd") -> tuple[int, int]:
        """What the caller has, and what of it is held."""
        shown = self.wallet(by=by, currency=currency)
        return shown["balance_cents"], shown["held_cents"]

    def save_card(self, *, by: Mapping[str, str] = ALICE) -> None:
        """A card on file for a caller, as the payment provider will put it there."""
        method = PaymentMethod(
            account_id=account_of(by),
            id="pm_1",
            brand="visa",
            last4="4242",
            exp_month=4,
            exp_year=2030,
            created_at=self.now,
            version=1,
        )
        _, item = items.to_item(Tenant(by["org"], by["mode"]), method)
        self.simulator.put_item(TableName="holdfast", Item=item)

    def _seconds(self) -> float:
        return self.now.timestamp()

    def _settings(self) -> Any:
        return replace(
            settings(),
            accounts_are_ours=self.accounts_are_ours,
            stripe_publishable_keys=self.publishable_keys,
            return_urls=self.return_urls,
            public_url=self.public_url,
            x402_facilitators=dict.fromkeys(self.x402_pay_to, "https://x402.example.com"),
            x402_pay_to=self.x402_pay_to,
        )

    @contextmanager
    def _standing_in(self) -> Iterator[Any]:
        for api in FUNCTIONS.values():
            api.dependency_overrides[ledger_store] = lambda: self.store
            api.dependency_overrides[writes.now] = lambda: self.now
            api.dependency_overrides[api_key_secret] = House
            api.dependency_overrides[endpoint_secrets] = lambda: self.arrivals.secrets
            api.dependency_overrides[stripe_queue] = lambda: self.arrivals.queue
            api.dependency_overrides[providers.stripes] = lambda: self.stripes
            api.dependency_overrides[providers.facilitators] = lambda: self.facilitators
            api.dependency_overrides[settings] = self._settings
        try:
            yield _api_of
        finally:
            for api in FUNCTIONS.values():
                api.dependency_overrides.clear()


def account_of(claims: Mapping[str, str]) -> str:
    """The id of a caller's default account."""
    return default_account_id(Tenant(claims["org"], claims["mode"]), claims["user"])


def _api_of(path: str) -> Api:
    """The function behind a path, as the gateway chooses it; any will do for an unknown one."""
    return next((api for pattern, api in _PATHS if pattern.fullmatch(path)), FUNCTIONS["wallet"])
