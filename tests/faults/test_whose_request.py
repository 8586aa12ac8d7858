"""One key, another request; one key, another caller; one charge, another account."""

from dataclasses import replace

import pytest

from holdfast.domain.accounts import Tenant, owner_of
from tests.faults import world as ask
from tests.faults.violations import violations
from tests.faults.world import ACME, MAJOR, Refused, World

FUND = ask.deposit("fund", 100 * MAJOR)
REQUESTS = [
    ask.deposit("key", 5 * MAJOR),
    ask.use("key", 5 * MAJOR),
    ask.withdraw("key", 100 * MAJOR),
    ask.place_hold("key", 110 * MAJOR),
    ask.quote("key"),
]


def _kind(step):
    return step.ask.__qualname__.partition(".")[0]


@pytest.mark.parametrize("warm", [False, True], ids=["elsewhere", "where it was answered"])
@pytest.mark.parametrize("other", REQUESTS, ids=_kind)
@pytest.mark.parametrize("first", REQUESTS, ids=_kind)
def test_a_key_that_was_used_is_refused_to_another_request(first, other, warm):
    world = World()
    store = world.run((FUND, first))
    before = world.items()

    world.run([replace(other, fingerprint="of another request")], store if warm else world.store())

    answer = world.answers["key"]
    assert isinstance(answer, Refused)
    assert answer.code == "idempotency_key_reused"
    assert world.items() == before


def test_a_key_belongs_to_its_caller():
    world = World()
    step = ask.deposit("key", 5 * MAJOR)
    world.run([step])
    first = world.answers["key"]

    world.run([replace(step, caller="acme/somebody else", fingerprint="of another request")])

    assert world.answers["key"].id != first.id
    assert world.answers["key"].balance_after_micros == 20 * MAJOR
    assert violations(world.items()) == []


@pytest.mark.parametrize("other", [Tenant("acme", "test"), Tenant("emca", "live")], ids=str)
def test_a_key_an_account_and_an_entry_belong_to_their_tenant(other):
    world = World()
    step = ask.deposit("key", 5 * MAJOR)
    world.run([step])
    first = world.answers["key"]

    world.owner = owner_of(other, "acme/alice")
    world.run([step])

    second = world.answers["key"]
    assert second.id != first.id
    assert second.account_id != first.account_id
    assert second.balance_after_micros == first.balance_after_micros
    assert violations(world.items()) == []


def test_a_charge_is_refunded_to_the_account_it_came_from():
    world = World()
    world.run((FUND, ask.use("work", 12 * MAJOR)))
    world.owner = owner_of(ACME, "acme/bob")
    world.run([ask.deposit("bob's", MAJOR)])
    before = world.items()

    world.run([ask.refund("to bob", 12 * MAJOR, of="work")])

    assert world.answers["to bob"] == Refused("transaction_not_found", ())
    assert world.items() == before


@pytest.mark.parametrize("key", ["fund", "hold"])
def test_only_a_charge_is_refunded(key):
    world = World()
    world.run((FUND, ask.place_hold("hold", 5 * MAJOR)))
    before = world.items()

    world.run([ask.refund("back", MAJOR, of=key)])

    answer = world.answers["back"]
    assert isinstance(answer, Refused)
    assert answer.code == "not_refundable"
    assert world.items() == before
