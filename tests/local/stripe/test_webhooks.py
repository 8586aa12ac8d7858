"""Events reach the webhook: signed, in time or late, once or often, in order or not."""

import asyncio
import time
from collections.abc import Callable, Iterator

import pytest
import stripe

from local.stripe.knobs import Knobs
from local.stripe.server import StripeServer, running
from tests.local.stripe.asking import client
from tests.local.stripe.receiving import SECRET, Receiver, receiving

PATIENCE_SECONDS = 5.0


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as one:
        yield one


@pytest.fixture
def server(receiver: Receiver) -> Iterator[StripeServer]:
    with running(webhook_url=receiver.url, webhook_secret=SECRET, seed="webhooks") as one:
        yield one


def wait_for(is_so: Callable[[], bool]) -> None:
    """Wait for something that another thread does."""
    give_up_at = time.monotonic() + PATIENCE_SECONDS
    while not is_so():
        assert time.monotonic() < give_up_at
        time.sleep(0.005)


def test_an_event_is_signed_and_complete(v1, receiver: Receiver, customer: str):
    wait_for(lambda: len(receiver.deliveries) == 1)

    (event,) = receiver.events()
    headers, body = receiver.deliveries[0]
    assert (event.type, event.data.object["id"]) == ("customer.created", customer)
    assert event.to_dict()["pending_webhooks"] == 1
    assert headers["user-agent"] == "Stripe/1.0 (+https://stripe.com/docs/webhooks)"
    assert headers["content-type"] == "application/json; charset=utf-8"
    wait_for(lambda: v1.events.retrieve(event.id).pending_webhooks == 0)
    with pytest.raises(stripe.SignatureVerificationError):
        stripe.Webhook.construct_event(body + b" ", headers["stripe-signature"], SECRET)


def test_the_event_names_the_request_that_made_it(v1, receiver: Receiver):
    v1.customers.create({}, {"idempotency_key": "key-1"})
    wait_for(lambda: len(receiver.deliveries) == 1)

    (event,) = receiver.events()
    assert event.request.idempotency_key == "key-1"
    assert event.request.id.startswith("req_")


def test_events_are_delivered_in_the_order_they_happened(pay, receiver: Receiver):
    pay()

    wait_for(lambda: len(receiver.deliveries) == 3)
    assert receiver.types() == [
        "payment_intent.created",
        "charge.succeeded",
        "payment_intent.succeeded",
    ]


def test_while_a_secret_is_exchanged_both_verify(v1, receiver: Receiver, knobs: Knobs):
    knobs.webhooks(secrets=["whsec_new", SECRET])
    v1.customers.create()
    wait_for(lambda: len(receiver.deliveries) == 1)

    headers, body = receiver.deliveries[0]
    for secret in ("whsec_new", SECRET):
        event = stripe.Webhook.construct_event(body, headers["stripe-signature"], secret)
        assert event.type == "customer.created"
    assert headers["stripe-signature"].count("v1=") == 2


def test_what_is_not_accepted_comes_again(v1, receiver: Receiver, knobs: Knobs):
    receiver.statuses = [500]

    v1.customers.create()
    wait_for(lambda: len(receiver.deliveries) == 2)

    first, second = receiver.events()
    assert first.id == second.id
    wait_for(lambda: len(knobs.deliveries()["log"]) == 2)
    log = knobs.deliveries()["log"]
    assert [(entry["attempt"], entry["outcome"], entry["status"]) for entry in log] == [
        (1, "failed", 500),
        (2, "delivered", 200),
    ]


def test_a_redirect_is_not_followed(v1, receiver: Receiver, knobs: Knobs):
    receiver.statuses = [302]

    v1.customers.create()

    wait_for(lambda: knobs.deliveries()["log"] != [])
    assert knobs.deliveries()["log"][0]["outcome"] == "failed"


def test_paused_events_wait_until_they_are_flushed(v1, receiver: Receiver, knobs: Knobs):
    knobs.webhooks(paused=True)
    made = [v1.customers.create().id for _ in range(3)]

    waiting = knobs.deliveries()["pending"]
    before = list(receiver.deliveries)
    flushed = knobs.flush()

    assert (len(waiting), before) == (3, [])
    assert flushed == {"delivered": 3, "failed": 0}
    assert [event.data.object["id"] for event in receiver.events()] == made


def test_a_pause_that_ends_lets_everything_through(v1, receiver: Receiver, knobs: Knobs):
    knobs.webhooks(paused=True)
    v1.customers.create()

    knobs.webhooks(paused=False)

    wait_for(lambda: len(receiver.deliveries) == 1)
    assert receiver.types() == ["customer.created"]


@pytest.mark.parametrize("order", ["reversed", "shuffled"])
def test_events_can_come_in_another_order(v1, receiver: Receiver, knobs: Knobs, order: str):
    knobs.webhooks(paused=True, order=order)
    made = [v1.customers.create().id for _ in range(6)]

    knobs.flush()

    came = [event.data.object["id"] for event in receiver.events()]
    assert came != made
    assert sorted(came) == sorted(made)
    if order == "reversed":
        assert came == made[::-1]


def test_an_event_can_come_more_than_once(v1, receiver: Receiver, knobs: Knobs):
    knobs.webhooks(copies=3, at_once=3)

    v1.customers.create()
    wait_for(lambda: len(receiver.deliveries) == 3)

    assert len({event.id for event in receiver.events()}) == 1


def test_an_event_can_be_lost_and_is_still_listed(v1, receiver: Receiver, knobs: Knobs):
    knobs.webhooks(drop=1)

    lost, came = v1.customers.create().id, v1.customers.create().id
    wait_for(lambda: len(receiver.deliveries) == 1)

    assert [event.data.object["id"] for event in receiver.events()] == [came]
    assert [event.data.object["id"] for event in v1.events.list().data] == [came, lost]


def test_an_event_can_be_late(v1, receiver: Receiver, knobs: Knobs):
    knobs.webhooks(delay_seconds=60)

    v1.customers.create()

    assert len(knobs.deliveries()["pending"]) == 1
    assert knobs.flush() == {"delivered": 1, "failed": 0}
    assert receiver.types() == ["customer.created"]


def test_an_event_can_be_sent_again(v1, receiver: Receiver, knobs: Knobs):
    v1.customers.create()
    wait_for(lambda: len(receiver.deliveries) == 1)

    knobs.resend(receiver.events()[0].id)

    wait_for(lambda: len(receiver.deliveries) == 2)
    assert len({event.id for event in receiver.events()}) == 1


def test_only_the_wanted_types_are_delivered(pay, receiver: Receiver, knobs: Knobs):
    knobs.webhooks(enabled_events=["charge.*"])

    pay()

    wait_for(lambda: len(receiver.deliveries) == 1)
    assert receiver.types() == ["charge.succeeded"]


def test_an_endpoint_that_is_not_there_gets_nothing_and_breaks_nothing(v1, knobs: Knobs):
    knobs.webhooks(url="http://127.0.0.1:1/hook")

    v1.customers.create()

    wait_for(lambda: knobs.deliveries()["log"] != [])
    assert knobs.deliveries()["log"][0]["status"] is None
    assert len(knobs.deliveries()["pending"]) == 1


def test_a_server_may_learn_later_where_events_go(receiver: Receiver):
    async def story() -> None:
        async with StripeServer() as server:
            server.set_webhook(receiver.url, SECRET)
            await asyncio.to_thread(client(server.address).v1.customers.create)
            await asyncio.to_thread(wait_for, lambda: len(receiver.deliveries) == 1)

    asyncio.run(story())

    assert receiver.types() == ["customer.created"]


def test_no_secret_is_shown(knobs: Knobs):
    assert SECRET not in str(knobs.deliveries())


@pytest.mark.parametrize(
    "told", [{"order": "best"}, {"colour": "red"}, {"copies": "x"}, {"drop": -1}]
)
def test_a_setting_that_is_not_there_is_refused(knobs: Knobs, told):
    before = knobs.deliveries()

    with pytest.raises(OSError, match="400"):
        knobs.webhooks(**told)

    assert knobs.deliveries() == before
