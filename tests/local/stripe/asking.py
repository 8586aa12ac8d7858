"""Asking the simulated Stripe: with the real library, or with plain HTTP where it is too kind."""

import http.client
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import stripe

KEY = "sk_test_of_the_tests"
CARD_ONLY: Any = {"enabled": True, "allow_redirects": "never"}


class Clock:
    """The time, which stands still until it is moved."""

    now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


def client(address: str, *, key: str = KEY, retries: int = 0) -> stripe.StripeClient:
    return stripe.StripeClient(key, base_addresses={"api": address}, max_network_retries=retries)


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back."""

    status: int
    headers: dict[str, str]
    text: str

    @property
    def error(self) -> Any:
        return json.loads(self.text)["error"]


def ask(
    address: str,
    method: str,
    target: str,
    *,
    form: dict[str, str] | str = "",
    headers: dict[str, str] | None = None,
    key: str | None = KEY,
) -> Reply:
    """One request, its answer as it came; redirects are not followed."""
    connection = http.client.HTTPConnection(address.removeprefix("http://"), timeout=10)
    body = form if isinstance(form, str) else urlencode(form)
    sent = {} if key is None else {"Authorization": f"Bearer {key}"}
    sent["Content-Type"] = "application/x-www-form-urlencoded"
    try:
        connection.request(method, target, body, {**sent, **(headers or {})})
        answer = connection.getresponse()
        named = {name.lower(): value for name, value in answer.getheaders()}
        return Reply(answer.status, named, answer.read().decode())
    finally:
        connection.close()


def error_of(refused: Any) -> Any:
    """The error that the library was answered, of what `pytest.raises` caught."""
    return refused.value.error
