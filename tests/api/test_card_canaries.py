"""Card numbers are sent in every place that a request has, and are found nowhere afterwards."""

import base64
import json
from collections.abc import Iterator
from itertools import cycle
from typing import Any

import pytest

from ledger_stream.app import handler as publish
from tests.api.arrivals import SECRETS, delivery, event_of, signed, written
from tests.api.fields import BODY_FIELDS
from tests.api.scene import BODIES, Things, request, scene, things_of
from tests.api.world import NOON, World
from tests.events.rig import Rig
from tests.http.events import ADMIN
from tests.simulator.values import Item

CARDS = {
    "visa": "4242424242424242",
    "mastercard": "5555555555554444",
    "amex": "378282246310005",
    "discover": "6011111111111117",
    "diners": "30569309025904",
    "jcb": "3566002020360505",
    "unionpay": "6205500000000000004",
}
GROUPED = "4000 0566 5566 5556"
OWN: Things = things_of("root")
FREE = ("metadata", "billingAddress", "billing_address")
"""Fields whose own fields anybody may name as they like."""


def places(number: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """What is changed of a good request so that it brings the number, by the place of it."""
    yield "the key", {"key": f"order {number}"}
    yield "a header", {"headers": {"x-request-id": number, "x-card": number}}
    yield "the query", {"query": {"card": number, "cursor": number}}
    unsigned = json.dumps({"payload": {"authorization": {"nonce": number}}, "card": number})
    coded = base64.b64encode(unsigned.encode()).decode()
    yield "a payment", {"headers": {"payment-signature": coded, "x-payment": number}}


def bodies(operation: str, body: dict[str, Any], number: str) -> Iterator[dict[str, Any]]:
    """The body with the number in each field that there is, and in some that there are not."""
    for field in (*BODY_FIELDS.get(operation, {}), *FREE, "anything", "cardNumber"):
        for value in (number, int(number), f"x{number}", {"x": number}, {number: "x"}, [number]):
            yield {**body, field: value}


def left_behind(world: World) -> str:
    """Everything that is kept, queued, or told to others, as text."""
    rig = Rig(world=world)
    with pytest.MonkeyPatch.context() as patch:
        rig.stand_in(patch.setattr)
        if records := rig.records():
            publish({"Records": records}, None)
    kept = [_spelled(item) for item in world.items()]
    changed = [_spelled(record) for record in world.simulator.stream]
    return "\n".join([*kept, *changed, *world.arrivals.messages.taken, *map(str, rig.bus.events)])


def _spelled(item: Item | dict[str, Any]) -> str:
    return json.dumps(item, default=lambda raw: raw.decode("latin-1"))


def found(text: str) -> set[str]:
    """The cards whose number stands in a text."""
    return {name for name, number in CARDS.items() if number in text} | (
        {"grouped"} if GROUPED in text else set()
    )


@pytest.mark.parametrize("operation", BODIES)
def test_no_card_number_is_kept_logged_or_told(operation, capfd, caplog):
    world = scene()
    asked = request(operation, OWN)
    numbers = cycle(CARDS.values())

    for body in bodies(operation, asked.body or {}, next(numbers)):
        number = next(numbers)
        sent = json.loads(json.dumps(body).replace(CARDS["visa"], number))
        asked.sent(world, by=ADMIN, body=sent)
    for number in CARDS.values():
        for _, changed in places(number):
            asked.sent(world, by=ADMIN, **changed)
        world.ask(asked.method, f"{asked.path}/{number}", by=ADMIN, body=asked.body)
    asked.sent(world, by=ADMIN, body={**(asked.body or {}), "metadata": {"x": GROUPED}})

    assert found(left_behind(world)) == set()
    assert found("".join(capfd.readouterr()) + caplog.text) == set()


@pytest.mark.parametrize("number", CARDS.values(), ids=CARDS)
def test_no_card_number_of_an_event_is_kept_logged_or_queued(number, capfd, caplog):
    world = scene()
    at = int(NOON.timestamp())
    about = {
        "id": "pi_" + "a" * 24,
        "object": "payment_intent",
        "description": f"paid with {number}",
        "metadata": {"note": number, number: "x"},
        "last_payment_error": {"message": number, "payment_method": {"card": {"number": number}}},
    }
    raw = written(event_of("payment_intent.payment_failed", about, at=at, request={"id": number}))
    world.arrivals.seconds = at

    for signature in (signed(raw, SECRETS["live"], at=at), f"t={at},v1={number}", None):
        world.deliver(delivery(raw, signature))

    assert len(world.arrivals.messages.taken) == 1
    assert found(left_behind(world)) == set()
    assert found("".join(capfd.readouterr()) + caplog.text) == set()


def test_what_is_looked_for_would_be_found():
    world = World()
    number = CARDS["visa"]

    world.simulator.put_item(
        TableName="holdfast", Item={"pk": {"S": "A"}, "sk": {"S": "B"}, "note": {"S": number}}
    )
    world.arrivals.messages.taken.append(f"told {CARDS['jcb']}")

    assert found(left_behind(world)) == {"visa", "jcb"}
