"""Open disputes of which no more is heard: looked at when they are due, and put off for a day."""

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from holdfast.domain.disputes import Dispute
from holdfast.domain.due import DISPUTE, Due
from holdfast.errors import Contention, StripeUnavailable, Unavailable
from holdfast.services import disputes
from holdfast.store import keys, pages
from local.stripe import disputes as banks
from tests.services.test_disputes import PAID, Desk
from tests.simulator.errors import ProcessKilled
from tests.simulator.faults import EVERY_FAULT
from tests.simulator.scheduler import interleave

DAY = timedelta(days=1)
SEEDS = range(25)
ENDS = {"won": (PAID, 0), "lost": (0, 0)}


@pytest.fixture
def desk() -> Desk:
    return opened()


def opened() -> Desk:
    """A desk at which a dispute was heard of a day ago, and nothing since."""
    desk = Desk()
    desk.hear(desk.open(desk.pay().payment_intent_id))
    desk.caller.now += DAY
    return desk


def due(desk: Desk) -> list[Due]:
    """The disputes that a tick would find."""
    shards = range(keys.DUE_SHARDS)
    store, now = desk.caller.store, desk.caller.now
    found = [each for shard in shards for each in pages.due(store, shard, now=now)]
    return [each for each in found if each.noun == DISPUTE]


def sweep(desk: Desk, stripes: Any = None) -> None:
    """What a worker does about the dispute, due or not."""
    kept, owner = desk.kept(), desk.caller.owner
    there = Due(DISPUTE, owner.tenant, owner.account_id, kept.id)
    stripes = stripes or desk.provider.gateway
    disputes.sweep(desk.caller.store, stripes, there, now=desk.caller.now)


def end(desk: Desk, outcome: str) -> None:
    """It is over at the bank, and nobody here hears of it."""
    banks.end(desk.counter, desk.counter.find("dispute", desk.kept().id), outcome)


def gone(desk: Desk) -> None:
    """Stripe does not know of it any more."""
    desk.counter.forget("dispute", desk.kept().id)


def somebody_elses(desk: Desk) -> None:
    """What it is of at Stripe does not lead to a payment of ours any more."""
    desk.counter.find("payment_intent", desk.kept().payment_intent_id)["metadata"] = {}


@pytest.mark.parametrize("outcome", ENDS)
def test_the_end_of_which_no_event_came_is_found(desk, outcome):
    end(desk, outcome)
    assert [each.name for each in due(desk)] == [desk.kept().id]

    sweep(desk)

    assert desk.kept().stage == outcome
    assert desk.cash() == ENDS[outcome]
    assert due(desk) == []
    assert desk.is_sound()


@pytest.mark.parametrize("milliseconds", [-1, 0, 1])
def test_it_is_looked_at_when_it_is_due_and_not_before(desk, milliseconds):
    end(desk, "won")
    desk.caller.now += timedelta(milliseconds=milliseconds)
    before = desk.caller.stored()

    sweep(desk)

    assert due(desk) == []
    assert (desk.caller.stored() == before) == (milliseconds < 0)
    assert desk.kept().stage == ("open" if milliseconds < 0 else "won")


def test_a_look_without_news_puts_it_off_for_a_day_and_writes_nothing_else(desk):
    mark, entries, cash = len(desk.caller.simulator.stream), desk.caller.entries(), desk.cash()

    sweep(desk)

    assert desk.kept().due_at == desk.caller.now + DAY
    assert len(desk.caller.simulator.stream) == mark + 1
    assert (desk.caller.entries(), desk.cash()) == (entries, cash)
    assert due(desk) == []
    assert desk.is_sound()


@pytest.mark.parametrize("lose", [gone, somebody_elses])
def test_what_stripe_does_not_know_as_ours_stays_frozen_and_is_put_off_too(desk, lose):
    lose(desk)
    known = desk.kept()
    mark = len(desk.caller.simulator.stream)

    sweep(desk)

    assert (desk.kept().due_at, desk.kept().stage) == (desk.caller.now + DAY, "open")
    assert desk.kept().observed_at == known.observed_at
    assert len(desk.caller.simulator.stream) == mark + 1
    assert desk.cash() == (0, PAID)
    assert desk.is_sound()


def nothing_new(desk: Desk) -> None:
    """At Stripe it stands as it did."""


@pytest.mark.parametrize(
    "happen", [partial(end, outcome="won"), partial(end, outcome="lost"), gone, nothing_new]
)
def test_a_second_look_changes_nothing(desk, happen):
    happen(desk)
    sweep(desk)
    once = desk.caller.stored()

    sweep(desk)

    assert desk.caller.stored() == once


def test_what_is_not_here_is_not_made_by_a_look(desk):
    owner = desk.caller.owner
    before = desk.caller.stored()

    there = Due(DISPUTE, owner.tenant, owner.account_id, "du_unknown")
    disputes.sweep(desk.caller.store, desk.provider.gateway, there, now=desk.caller.now)

    assert desk.caller.stored() == before


def test_when_stripe_does_not_answer_it_is_still_due(desk):
    before = desk.caller.stored()

    def silent(mode: str) -> Any:
        raise StripeUnavailable(outcome_unknown=False)

    with pytest.raises(StripeUnavailable):
        sweep(desk, silent)

    assert desk.caller.stored() == before
    assert [each.name for each in due(desk)] == [desk.kept().id]


@pytest.mark.parametrize("fault", EVERY_FAULT, ids=lambda fault: fault.kind)
@pytest.mark.parametrize(
    "happen", [partial(end, outcome="won"), partial(end, outcome="lost"), gone, nothing_new]
)
def test_whatever_call_fails_the_next_look_ends_the_same(happen, fault):
    whole = opened()
    happen(whole)
    first = whole.caller.simulator.call_count
    sweep(whole)
    for number in range(whole.caller.simulator.call_count - first):
        desk = opened()
        happen(desk)
        simulator = desk.caller.simulator

        simulator.faults = simulator.from_now({number: fault})
        tried(partial(sweep, desk))
        simulator.faults = {}
        sweep(desk)

        assert outcome_of(desk) == outcome_of(whole), number
        assert desk.is_sound()


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("outcome", ENDS)
def test_looks_and_the_event_at_once_end_the_same(outcome, seed):
    desk = opened()
    end(desk, outcome)
    dispute_id = desk.kept().id
    elsewhere = [desk.elsewhere() for _ in range(3)]

    interleave(
        [
            partial(tried, partial(sweep, elsewhere[0])),
            partial(tried, partial(sweep, elsewhere[1])),
            partial(tried, partial(elsewhere[2].hear, dispute_id)),
        ],
        seed=seed,
    )
    sweep(desk)

    assert (desk.kept().stage, desk.cash()) == (outcome, ENDS[outcome])
    assert due(desk) == []
    assert desk.is_sound()


def tried(work: Callable[[], object]) -> None:
    with suppress(Unavailable, Contention, ProcessKilled):
        work()


def outcome_of(desk: Desk) -> tuple[Any, ...]:
    kept: Dispute = desk.kept()
    return desk.cash(), desk.caller.entries(), kept.stage, kept.due_at
