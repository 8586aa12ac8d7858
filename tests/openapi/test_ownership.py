"""What belongs to a user of one org is nobody else's, whichever way a described request asks."""

import json
from dataclasses import asdict
from typing import Any

import pytest
from schemathesis import Case

from tests.api.scene import CALLS, ELSEWHERE, PEOPLE, UNKNOWN, request, scene, things_of
from tests.openapi.descriptions import DESCRIPTIONS, OPERATIONS
from tests.openapi.generated import Traffic, for_each, grounded, operations

AT_RANDOM = 6
STRANGERS = {
    "bob": "another user of the org",
    "zoe": "a user of another org",
    "boss": "the admin of another org",
    "tester": "another user in test mode",
}
HERS = set(asdict(things_of("alice")).values())


def names_something(operation: str) -> bool:
    """Whether the good request of an operation speaks of a thing or a person."""
    return request(operation, things_of("alice")) != request(operation, UNKNOWN)


NAMING = sorted(
    name for name, each in OPERATIONS.items() if names_something(name) and not each.operation.public
)


def is_done(operation: str, status: int, text: str) -> bool:
    """Whether a request was granted; a call says in its answer what became of it."""
    return status < 300 and not (operation in CALLS and "error" in json.loads(text))


def is_refused(operation: str, status: int, text: str) -> bool:
    return not is_done(operation, status, text) and (status in (403, 404) or operation in CALLS)


def told_of_her(text: str) -> list[str]:
    return sorted(one for one in HERS if f'"{one}"' in text)


@pytest.mark.parametrize("who", STRANGERS, ids=list(STRANGERS.values()))
@pytest.mark.parametrize("operation", NAMING)
def test_a_thing_of_hers_is_not_there_for_others(operation: str, who: str):
    world = scene()
    mark = world.mark()

    answer = request(operation, things_of("alice")).sent(world, by=PEOPLE[who])

    assert is_refused(operation, answer.status, answer.text)
    assert told_of_her(answer.text) == []
    assert world.written_since(mark) == []


@pytest.mark.parametrize("who", ["bob", "boss"], ids=lambda who: STRANGERS[who])
@pytest.mark.parametrize("surface", sorted(DESCRIPTIONS))
def test_no_described_request_shows_others_what_is_hers(surface: str, who: str):
    traffic = Traffic()
    shown: list[tuple[str, int]] = []

    for name, operation in operations(DESCRIPTIONS[surface]):
        good = request(name, things_of("alice"))

        def ask_for_hers(case: Case[Any], name: str = name, good: Any = good) -> None:
            grounded(case, good, whole=traffic.sent % 2 == 1)
            answer = traffic.send(case, by=PEOPLE[who])
            assert answer.status_code < 500 or name in ELSEWHERE
            hidden = name not in NAMING or not is_done(name, answer.status_code, answer.text)
            if not hidden or (answer.status_code < 300 and told_of_her(answer.text)):
                shown.append((name, answer.status_code))

        for_each(operation, ask_for_hers, is_right=True, count=AT_RANDOM, number=0)

    assert traffic.sent >= len(operations(DESCRIPTIONS[surface]))
    assert shown == []


def test_what_is_hers_is_there_for_her():
    world, hers = scene(), things_of("alice")

    answer = request("GET /v1/billing/holds/{hold_id}", hers).sent(world, by=PEOPLE["alice"])

    assert answer.status == 200
    assert told_of_her(answer.text) == sorted([hers.account_id, hers.hold_id])
