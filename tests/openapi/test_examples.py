"""The examples in the descriptions are requests that work, with the answers they get."""

import pytest

from tests.api.scene import ELSEWHERE
from tests.openapi.descriptions import OPERATIONS, described, faults, problems
from tests.openapi.recording import CALLERS, again, kept, same
from tools.api_description import examples
from tools.api_description.examples import Example

EXAMPLES = examples.read()
_AGAIN = "run make openapi"


def test_every_operation_has_an_example():
    assert sorted({*OPERATIONS} - {*ELSEWHERE}) == sorted(EXAMPLES), _AGAIN


@pytest.mark.parametrize("operation", sorted(EXAMPLES))
def test_an_example_is_answered_as_it_says(operation: str):
    today, answer = again(EXAMPLES[operation], operation)

    assert same(today, EXAMPLES[operation]), f"{_AGAIN}: {answer.text}"
    assert problems(operation, answer) == []


@pytest.mark.parametrize("operation", sorted(EXAMPLES))
def test_an_example_is_what_its_description_says(operation: str):
    example, told = EXAMPLES[operation], described(operation)
    body = told.get("requestBody", {}).get("content", {}).get("application/json")
    given = {**example.path, **example.query}

    assert body is None or faults(operation, body["schema"], example.body) == []
    assert body is None or body["example"] == example.body
    assert given.keys() <= {one["name"] for one in told.get("parameters", [])}
    assert example.by == "anybody" or example.by in CALLERS


def test_an_example_stays_until_it_says_something_else():
    old = Example(by="user", status=200, answer={"id": "ent_" + "a" * 26, "amount": 5})
    made_up = Example(by="user", status=200, answer={"id": "ent_" + "b" * 26, "amount": 5})
    other = Example(by="user", status=200, answer={"id": "ent_" + "a" * 26, "amount": 6})

    assert kept({"GET /a": old}, {"GET /a": made_up}) == {"GET /a": old}
    assert kept({"GET /a": old}, {"GET /a": other}) == {"GET /a": other}
    assert kept({"GET /a": old}, {"GET /b": made_up}) == {"GET /b": made_up}
