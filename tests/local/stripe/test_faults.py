"""What a test makes go wrong, and what the real library makes of it."""

import threading
from typing import Any

import pytest
import stripe

from local.stripe.knobs import Knobs
from tests.local.stripe.asking import ask, client, error_of


def create(v1, key: str = "k1") -> Any:
    return v1.customers.create({"email": "ada@example.com"}, {"idempotency_key": key})


def customers(v1) -> int:
    return len(v1.customers.list().data)


@pytest.mark.parametrize(
    ("status", "kind", "code"),
    [
        (429, stripe.RateLimitError, "rate_limit"),
        (500, stripe.APIError, None),
        (503, stripe.APIError, None),
    ],
)
def test_the_next_call_can_be_refused(
    v1, knobs: Knobs, status: int, kind: type[Exception], code: str | None
):
    knobs.fault("error", status=status, method="POST")

    with pytest.raises(kind) as refused:
        create(v1)

    assert isinstance(refused.value, stripe.StripeError)
    assert refused.value.http_status == status
    assert getattr(error_of(refused), "code", None) == code
    assert customers(v1) == 0
    assert create(v1).email == "ada@example.com"


@pytest.mark.parametrize("kind", ["close", "reset"])
@pytest.mark.parametrize("is_done", [False, True])
def test_a_connection_can_end_before_or_after_the_deed(v1, knobs: Knobs, kind: str, is_done: bool):
    knobs.fault(kind, method="POST", path="/v1/customers", is_done=is_done)

    with pytest.raises(stripe.APIConnectionError):
        create(v1)

    assert customers(v1) == is_done
    create(v1)
    assert customers(v1) == 1


def test_the_library_tries_again_with_the_same_key(server, v1, knobs: Knobs):
    knobs.fault("close", method="POST", is_done=True, times=2)

    made = client(server.address, retries=2).v1.customers.create({"email": "ada@example.com"})

    posts = [one for one in knobs.requests() if one["method"] == "POST"]
    assert [one["fault"] for one in posts] == ["close", "close", None]
    assert len({one["idempotency_key"] for one in posts}) == 1
    assert [one.id for one in v1.customers.list().data] == [made.id]


def test_an_answer_can_be_an_error_though_the_deed_is_done(v1, knobs: Knobs):
    knobs.fault("error", status=500, method="POST", is_done=True)

    with pytest.raises(stripe.APIError):
        create(v1)

    assert customers(v1) == 1
    assert create(v1).id == v1.customers.list().data[0].id


def test_the_server_can_advise_against_trying_again(server, knobs: Knobs):
    knobs.fault("error", status=500, should_retry=False, times=3)

    with pytest.raises(stripe.APIError):
        client(server.address, retries=2).v1.customers.list()

    assert len(knobs.requests()) == 1


def test_an_answer_may_never_come(server, v1, knobs: Knobs):
    knobs.fault("hang", method="POST", is_done=True)
    impatient = stripe.StripeClient(
        "sk_test_impatient",
        base_addresses={"api": server.address},
        http_client=stripe.RequestsClient(timeout=0.2),
        max_network_retries=0,
    )

    with pytest.raises(stripe.APIConnectionError):
        impatient.v1.customers.create({"email": "ada@example.com"})

    assert customers(v1) == 1


def test_an_answer_can_be_nonsense(v1, knobs: Knobs):
    knobs.fault("answer", status=200, body="<html>")

    with pytest.raises(stripe.APIError):
        v1.customers.list()

    assert customers(v1) == 0


def test_a_fault_waits_for_its_call(v1, knobs: Knobs):
    knobs.fault("error", status=500, method="POST", path="/v1/customers*", skip=1, times=2)

    create(v1, "a")
    v1.setup_intents.create()
    for key in ("b", "c"):
        with pytest.raises(stripe.APIError):
            create(v1, key)
    create(v1, "d")

    assert customers(v1) == 2


def test_a_key_cannot_be_used_twice_at_once(server, knobs: Knobs):
    knobs.fault("delay", method="POST", seconds=0.4)
    headers = {"Idempotency-Key": "k1"}
    replies: list[Any] = []

    def first() -> None:
        replies.append(ask(server.address, "POST", "/v1/customers", headers=headers))

    slow = threading.Thread(target=first)
    slow.start()
    while knobs_has_fault(server.address):
        pass
    second = ask(server.address, "POST", "/v1/customers", headers=headers)
    slow.join()
    third = ask(server.address, "POST", "/v1/customers", headers=headers)

    assert (second.status, second.error["type"]) == (409, "idempotency_error")
    assert second.error["code"] == "idempotency_key_in_use"
    assert [replies[0].status, third.status] == [200, 200]
    assert third.headers["idempotent-replayed"] == "true"


def knobs_has_fault(address: str) -> bool:
    return '"faults": []' not in ask(address, "GET", "/_control/faults").text


def test_faults_can_be_taken_back(server, v1, knobs: Knobs):
    knobs.fault("error", status=500, times=9)

    ask(server.address, "DELETE", "/_control/faults")

    assert customers(v1) == 0


@pytest.mark.parametrize(
    "told",
    [
        {"kind": "rain"},
        {"kind": "close", "colour": "red"},
        {},
        {"kind": "error", "status": 999},
        {"kind": "hang", "times": "x"},
    ],
)
def test_a_fault_that_is_none_is_refused(server, told: dict[str, str]):
    import json

    reply = ask(
        server.address,
        "POST",
        "/_control/faults",
        form=json.dumps(told),
        headers={"Content-Type": "application/json"},
    )

    assert reply.status == 400
    assert not knobs_has_fault(server.address)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "stripe.example", "Content-Type": "application/json"}, 403),
        ({"Content-Type": "application/x-www-form-urlencoded"}, 415),
        ({"Content-Type": "text/plain"}, 415),
    ],
)
def test_a_page_of_another_site_cannot_turn_the_knobs(server, v1, headers, status: int):
    v1.customers.create()

    reply = ask(server.address, "POST", "/_control/reset", form="{}", headers=headers)

    assert reply.status == status
    assert customers(v1) == 1


@pytest.mark.parametrize("path", ["nonsense", "charges/ch_no/dispute"])
def test_a_knob_that_is_not_there_says_so(server, path: str):
    reply = ask(
        server.address,
        "POST",
        f"/_control/{path}",
        form="{}",
        headers={"Content-Type": "application/json"},
    )

    assert reply.status in (400, 404)


def test_everything_can_be_forgotten(v1, knobs: Knobs, customer: str):
    knobs.fault("error", status=500)

    knobs.reset()

    assert customers(v1) == 0
    assert v1.customers.create().id != customer
    assert [one["method"] for one in knobs.requests()] == ["GET", "POST"]
