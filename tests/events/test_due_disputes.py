"""A dispute that ended unheard of: found by the tick, and taken in by the worker."""

from typing import Any

import pytest

from billing_cycle.app import sweep, tick
from holdfast import providers
from holdfast.domain.disputes import Dispute
from holdfast.domain.due import DISPUTE
from holdfast.gateways.work_queue import due_in
from local.stripe import disputes as banks
from tests.events.stripe_mail import Mail

NOTHING: dict[str, list[str]] = {"batchItemFailures": []}


@pytest.fixture
def mail(rig, monkeypatch):
    """What Stripe tells of a top-up of 5.00 that is disputed, and nothing after that."""
    mail = Mail(rig.world)
    monkeypatch.setattr(providers, "stripe", rig.world.stripes)
    begun = mail.intent()
    mail.bring(*mail.events("payment_intent.succeeded"))
    dispute = mail.dispute(begun)
    mail.bring(*mail.events("charge.dispute.created"))
    assert rig.world.cents() == (1500, 500)
    banks.end(mail.counter, dispute, "won")
    return mail


@pytest.mark.parametrize(("milliseconds", "queued"), [(-1, 0), (0, 1), (1, 1)])
def test_it_is_due_a_day_after_it_was_heard_of(rig, mail, milliseconds, queued):
    rig.world.wait(days=1, milliseconds=milliseconds)

    tick({}, None)

    assert [due.noun for body in rig.queue.taken for due in due_in(body)] == [DISPUTE] * queued


def test_the_worker_finds_out_that_it_is_over_and_the_money_is_free_again(rig, mail):
    rig.world.wait(days=1)
    tick({}, None)
    batch = rig.messages()

    assert [sweep(batch, None) for _ in range(3)] == [NOTHING] * 3

    assert rig.world.cents() == (1500, 0)
    assert [dispute.stage for dispute in mail.records(Dispute)] == ["won"]
    assert [type_ for type_, _ in mail.entries()][-2:] == ["dispute_opened", "dispute_won"]
    assert tick({}, None) == {"queued": 0}


def test_when_stripe_does_not_answer_the_message_comes_again(rig, mail, monkeypatch):
    def unset(mode: str) -> Any:
        raise RuntimeError("not set")

    monkeypatch.setattr(providers, "stripe", unset)
    rig.world.wait(days=1)
    tick({}, None)

    failed = sweep(rig.messages(), None)["batchItemFailures"]

    assert len(failed) == 1
    assert rig.world.cents() == (1500, 500)
    assert tick({}, None) == {"queued": 1}
