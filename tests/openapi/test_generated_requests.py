"""Requests made from the descriptions: never a 5xx, and nothing but what is described."""

import pytest
from schemathesis.core.failures import FailureGroup

from tests.openapi.descriptions import DESCRIPTIONS, OPERATIONS
from tests.openapi.generated import Traffic, ask, operations

AT_RANDOM = 12
"""Of an operation, right ones and as many wrong ones, besides those at its boundaries."""
SOAK_REQUESTS_MIN = 10_000
SOAK_AT_RANDOM = 200


@pytest.mark.parametrize("surface", sorted(DESCRIPTIONS))
def test_what_is_answered_is_described(surface: str, record_property):
    traffic = Traffic()

    for name, operation in operations(DESCRIPTIONS[surface]):
        ask(name, operation, traffic, at_random=AT_RANDOM)

    record_property("figure", f"generated requests, {surface}: {traffic.told()}")
    assert traffic.broken == []
    assert traffic.statuses[200] > 0


@pytest.mark.soak
@pytest.mark.parametrize("surface", sorted(DESCRIPTIONS))
def test_what_is_answered_is_described_ten_thousand_times(surface: str, record_property):
    traffic, number = Traffic(), 0

    while traffic.sent < SOAK_REQUESTS_MIN:
        for name, operation in operations(DESCRIPTIONS[surface]):
            ask(name, operation, traffic, at_random=SOAK_AT_RANDOM, number=number)
        number += 1

    record_property("figure", f"generated requests, {surface}: {traffic.told()}")
    assert traffic.broken == []


@pytest.mark.parametrize("status", ["200", "422"])
def test_a_status_that_is_not_described_is_found(status: str):
    name = "GET /v1/billing/wallet"
    document = dict(DESCRIPTIONS[OPERATIONS[name].surface])
    path = document["paths"]["/v1/billing/wallet"]
    responses = {code: told for code, told in path["get"]["responses"].items() if code != status}
    document["paths"] = {"/v1/billing/wallet": {"get": {**path["get"], "responses": responses}}}
    ((_, operation),) = operations(document)

    with pytest.raises(FailureGroup, match=f"{status}"):
        ask(name, operation, Traffic(), at_random=AT_RANDOM)
