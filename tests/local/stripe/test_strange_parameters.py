"""No operation breaks on parameters that make no sense: each is taken, or refused by its name."""

import json
from typing import Any
from urllib.parse import quote

import pytest

from local.stripe.api import OPERATIONS, Api
from local.stripe.calls import Operation
from local.stripe.wire import Request
from local.stripe.world import World
from tests.local.stripe.asking import KEY, Clock

# As they are spelled behind a parameter's name.
STRANGE = [
    "=",
    "=x",
    "=true",
    "=1",
    "=-1",
    "=99999999999999999999",
    "=%F0%9F%92%B3",
    "=" + "9" * 6000,
    "[]=x",
    "[0]=x",
    "[0][0]=x",
    "[x]=x",
    "[x][y]=x",
    "[x]=x&{name}=x",
    "=x&{name}[x]=x",
    "[x][x][x][x][x][x][x][x][x][x][x][x]=x",
]


# What an operation needs besides.
NEEDED = {
    "amount": "500",
    "card": "",
    "currency": "usd",
    "customer": "{customers}",
    "query": "status:'succeeded'",
    "type": "card",
}


class Known:
    """An API with one object of each noun, and their ids."""

    def __init__(self) -> None:
        self.api = Api(World(seed="strange", clock=Clock()))
        self.ids: dict[str, str] = {}
        self._make("customers", "")
        self._make("payment_methods", "type=card&card[token]=tok_visa")
        self._make("setup_intents", "")
        paid = self._make(
            "payment_intents",
            "amount=500&currency=usd&confirm=true&payment_method=pm_card_createDispute"
            "&return_url=https://shop.example/",
        )
        self.ids["charges"] = paid["latest_charge"]
        self.ids["disputes"] = self.asked("GET", "/v1/disputes", "")[1]["data"][0]["id"]
        self._make("payment_intents", "amount=500&currency=usd")
        for noun in ("events", "balance_transactions"):
            self.ids[noun] = self.asked("GET", f"/v1/{noun}", "")[1]["data"][0]["id"]
        refunded = self._make(
            "payment_intents",
            "amount=500&currency=usd&confirm=true&payment_method=pm_card_visa"
            "&return_url=https://shop.example/",
        )
        self._make("refunds", f"amount=1&payment_intent={refunded['id']}")
        self._make("checkout/sessions", "mode=setup&currency=usd&success_url=https://shop.example/")
        self.ids["payment_intents"] = self._make("payment_intents", "amount=500&currency=usd")["id"]

    def _make(self, noun: str, parameters: str) -> Any:
        status, made = self.asked("POST", f"/v1/{noun}", parameters)
        assert status == 200, made
        self.ids[noun] = made["id"]
        return made

    def asked(self, method: str, path: str, parameters: str) -> tuple[int, Any]:
        """The status of one call, and its answer."""
        body = parameters if method == "POST" else ""
        query = "" if method == "POST" else parameters
        headers = {"authorization": f"Bearer {KEY}"}
        answer = self.api.answer(Request(method, path, query, headers, body.encode()))
        return answer.status, json.loads(answer.body)

    def path(self, operation: Operation) -> str:
        noun = operation.path.removeprefix("/v1/").partition("/{")[0]
        path = operation.path.replace("{method}", self.ids["payment_methods"])
        return path.replace("{id}", self.ids.get(noun, ""))

    def needed(self, operation: Operation, *, but: str) -> str:
        values = {name: NEEDED[name].format(**self.ids) for name in operation.required}
        return "".join(
            f"&{name}={quote(value)}" for name, value in values.items() if value and name != but
        )


@pytest.mark.parametrize(
    "operation", OPERATIONS, ids=[f"{one.method} {one.path}" for one in OPERATIONS]
)
def test_an_operation_answers_whatever_it_is_sent(operation: Operation):
    known = Known()
    path = known.path(operation)

    for name in [*operation.fields, "expand", "colour"]:
        for strange in STRANGE:
            sent = quote(name) + strange.replace("{name}", quote(name))
            sent += known.needed(operation, but=name)
            status, answer = known.asked(operation.method, path, sent)

            assert status in (200, 400, 402, 404), sent
            if status != 200:
                assert answer["error"]["message"], sent
                assert answer["error"]["type"] in ("invalid_request_error", "card_error"), sent
