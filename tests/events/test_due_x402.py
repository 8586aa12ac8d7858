"""A payment over x402 of which nobody knows: found by the tick, sent again by the worker."""

import pytest

from billing_cycle.app import sweep, tick
from holdfast import providers
from holdfast.domain.due import X402
from holdfast.gateways.work_queue import due_in
from tests.api.workspaces.test_x402 import Checkout

NOTHING: dict[str, list[str]] = {"batchItemFailures": []}


@pytest.fixture
def checkout(rig, monkeypatch):
    """A checkout whose first attempt was paid, and nobody heard of it."""
    checkout = Checkout(rig.world)
    rig.world.till.faults = {1: "after"}
    monkeypatch.setattr(providers, "facilitator", rig.world.facilitators)
    assert checkout.ask(checkout.signed()).status == 202
    return checkout


@pytest.mark.parametrize(("milliseconds", "queued"), [(-1, 0), (0, 1), (1, 1)])
def test_it_is_due_at_its_very_instant(rig, checkout, milliseconds, queued):
    rig.world.wait(seconds=15, milliseconds=milliseconds)

    assert tick({}, None) == {"queued": queued}
    nouns = [due.noun for body in rig.queue.taken for due in due_in(body)]
    assert nouns == [X402] * queued


def test_the_worker_finds_out_and_the_money_is_told_of_once(rig, checkout):
    rig.world.wait(seconds=15)
    tick({}, None)
    batch = rig.messages()

    assert [sweep(batch, None) for _ in range(3)] == [NOTHING] * 3

    assert checkout.cents() == (1500, 0)
    assert rig.world.till.calls == ["verify", "settle", "settle"]
    assert tick({}, None) == {"queued": 0}


def test_a_facilitator_that_is_not_set_leaves_the_message_for_another_time(
    rig, checkout, monkeypatch
):
    def unset(mode: str) -> None:
        raise RuntimeError("not set")

    monkeypatch.setattr(providers, "facilitator", unset)
    rig.world.wait(seconds=15)
    tick({}, None)

    failed = sweep(rig.messages(), None)["batchItemFailures"]

    assert len(failed) == 1
    assert checkout.cents() == (1000, 0)
