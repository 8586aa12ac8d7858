"""What is asked of the functions. Nothing of the product is imported here: hello asks it too."""

from dataclasses import asdict, dataclass
from typing import Any
from uuid import uuid4

from benchmarks.stand.events import USER, event


@dataclass(frozen=True, slots=True)
class Operation:
    """One request, again and again, each time under another key."""

    function: str
    method: str
    path: str
    body: dict[str, Any] | None = None
    status: int = 201

    def events(self, count: int) -> list[dict[str, Any]]:
        """So many requests."""
        return [self._event() for _ in range(count)]

    def _event(self) -> dict[str, Any]:
        key = None if self.body is None else uuid4().hex
        return event(self.method, self.path, body=self.body, key=key)


@dataclass(frozen=True, slots=True)
class Scenario:
    """An operation, and what it finds.

    `remembered`: this environment wrote the wallet last, so it does not read it. Without `client`
    there is nothing in boto3's place but an object that takes every call and does nothing.
    """

    operation: str
    remembered: bool = True
    client: bool = True

    def command(self, requests: int) -> dict[str, Any]:
        """What a worker is told."""
        return {**asdict(self), "requests": requests}


USAGE = {
    "user": USER,
    "amount": 25,
    "currency": "usd",
    "model": "large-2",
    "provider": "acme-models",
    "promptTokens": 1200,
    "completionTokens": 300,
    "totalTokens": 1500,
}
DEPOSIT = {"user": USER, "amount": 5000, "currency": "usd", "notes": "invoice 1042"}
HOLD = {"amount": 100, "currency": "usd", "reference": "job-1042", "expires_in_seconds": 3600}

HELLO = "hello"
OPERATIONS = {
    HELLO: Operation(HELLO, "GET", "/hello", status=200),
    "debit": Operation("wallet", "POST", "/api/v1/billing/usage", USAGE),
    "deposit": Operation("wallet", "POST", "/api/v1/billing/deposit", DEPOSIT),
    "hold": Operation("holds", "POST", "/v1/billing/holds", HOLD),
}
