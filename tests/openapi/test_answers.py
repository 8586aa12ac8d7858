"""What is really answered is what the descriptions say, status, code, headers and body."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.api.scene import (
    CALLS,
    ELSEWHERE,
    PEOPLE,
    UNKNOWN,
    Request,
    request,
    scene,
    things_of,
)
from tests.http.events import ADMIN, ALICE
from tests.openapi.descriptions import OPERATIONS, faults, problems

CLOSED = sorted(name for name, each in OPERATIONS.items() if not each.operation.public)
WITH_BODY = sorted(
    name for name, each in OPERATIONS.items() if each.operation.takes_body and name not in CALLS
)
WITHOUT = sorted(
    name
    for name, each in OPERATIONS.items()
    if not each.operation.takes_body
    and each.operation.method not in ("GET", "HEAD")
    and name not in ELSEWHERE
)


def good(operation: str) -> Request:
    return request(operation, things_of("alice"))


@pytest.mark.parametrize("who", ["alice", "bob", "root", "zoe", "boss", "twin", "ops"])
@pytest.mark.parametrize("operation", sorted(OPERATIONS))
def test_a_good_request_is_answered_as_described_whoever_asks(operation: str, who: str):
    answer = good(operation).sent(scene(), by=PEOPLE[who])

    assert problems(operation, answer) == []


@pytest.mark.parametrize("operation", CLOSED)
def test_a_stranger_is_answered_as_described(operation: str):
    answer = good(operation).sent(scene(), by=None)

    assert answer.status == 401
    assert problems(operation, answer) == []


@pytest.mark.parametrize("operation", sorted(OPERATIONS))
def test_an_unknown_thing_is_answered_as_described(operation: str):
    answer = request(operation, UNKNOWN).sent(scene(), by=ADMIN)

    assert problems(operation, answer) == []


@pytest.mark.parametrize("operation", sorted(OPERATIONS))
def test_a_wrong_query_is_answered_as_described(operation: str):
    world = scene()
    answers = [
        good(operation).sent(world, by=ADMIN, query=query)
        for query in (
            "currency=usd&currency=eur",
            "limit=0",
            "limit=%FF",
            "cursor=none",
            "offset=x",
        )
    ]

    assert [one for answer in answers for one in problems(operation, answer)] == []
    assert {answers[0].status, answers[2].status} == {400, 422}


@pytest.mark.parametrize("operation", [*WITH_BODY, *WITHOUT])
def test_a_wrong_body_is_answered_as_described(operation: str):
    world, asked = scene(), good(operation)
    bodies: list[tuple[object, dict[str, str], int]] = [
        ("[", {}, 400),
        ('{"surprise": 1}', {}, 422),
        ('{"cvc": "123"}', {}, 422),
        ("a=1", {"content-type": "text/plain"}, 415),
        (json.dumps({"note": "x" * 300_000}), {}, 413),
    ]

    for body, headers, status in bodies:
        answer = asked.sent(world, by=ADMIN, body=body, headers=headers)

        assert answer.status == status
        assert problems(operation, answer) == []


@pytest.mark.parametrize("operation", WITH_BODY)
def test_each_field_that_is_wrong_is_answered_as_described(operation: str):
    world, asked = scene(), good(operation)

    for field in ({"amount": 0}, {"amount": 10**30}, {"user": ""}, {"user": 5}, {"currency": "x"}):
        answer = asked.sent(world, by=ADMIN, body={**asked.body, **field})

        assert problems(operation, answer) == []


@pytest.mark.parametrize("operation", CALLS)
@pytest.mark.parametrize(
    ("envelope", "status"),
    [
        ("[", 400),
        ({}, 400),
        ({"id": "1"}, 400),
        ({"id": "1", "method": "billing.nothing"}, 200),
        ({"id": "1", "method": "billing.deposit", "params": {"user": ""}}, 200),
    ],
)
def test_a_wrong_call_is_answered_as_described(operation: str, envelope: object, status: int):
    answer = good(operation).sent(scene(), by=ADMIN, body=envelope)

    assert answer.status == status
    assert "error" in answer.body
    assert problems(operation, answer) == []


@pytest.mark.parametrize("operation", sorted(OPERATIONS))
def test_a_replay_is_answered_as_described(operation: str):
    world, asked = scene(), good(operation)
    _, by_whom = _who_may(asked)
    first = asked.sent(world, by=by_whom, key="the same")
    second = asked.sent(world, by=by_whom, key="the same")
    invalid = asked.sent(world, by=by_whom, key="\n")

    assert second.status == first.status
    assert [*problems(operation, first), *problems(operation, second)] == []
    assert problems(operation, invalid) == []


def test_an_answer_that_is_not_described_is_noticed():
    operation = "GET /v1/health"
    answer = good(operation).sent(scene(), by=None)

    assert faults(operation, {"type": "object", "required": ["uptime"]}, answer.body) == [
        "$ 'uptime' is a required property"
    ]
    teapot = _changed(answer, status=418)
    assert problems(operation, teapot) == [f"{operation}: 418 is not described: {answer.text}"]


def _who_may(asked: Request) -> tuple[int, dict[str, str]]:
    told: list[tuple[int, dict[str, str]]] = [
        (asked.sent(scene(), by=claims).status, claims) for claims in (ALICE, ADMIN, PEOPLE["ops"])
    ]
    return next((each for each in told if each[0] < 300), told[0])


def _changed(answer: Any, **parts: Any) -> Any:
    made: Callable[..., Any] = type(answer)
    told = {name: getattr(answer, name) for name in ("path", "status", "text", "headers")}
    return made(**{**told, **parts})
