"""Events are noted once and done with once, whoever else is at it and whatever goes wrong."""

from dataclasses import replace
from typing import Any

import pytest

from holdfast.domain.stripe_events import APPLIED, DONE, StripeEvent, done
from holdfast.errors import Contention, InvariantBroken, Unavailable
from holdfast.store import event_log, items
from holdfast.store.ledger_store import LedgerStore
from tests.domain.samples import NOW
from tests.simulator.client import Simulator
from tests.simulator.faults import AFTER, BEFORE, CONFLICT, RETRIED, THROTTLED, Fault

EVENT = StripeEvent(
    id="evt_1",
    mode="live",
    type="payment_intent.succeeded",
    object_type="payment_intent",
    object_id="pi_1",
    created_at=NOW,
    received_at=NOW,
)
PATIENT = event_log.ATTEMPTS_MAX


class Log:
    """A table, and a store on it that remembers how often it paused."""

    def __init__(self) -> None:
        self.simulator = Simulator()
        self.pauses: list[float] = []
        client: Any = self.simulator
        self.store = LedgerStore(client, "holdfast", pause=self.pauses.append, jitter=lambda: 1.0)

    def fail(self, *faults: Fault) -> None:
        self.simulator.faults = self.simulator.from_now(dict(enumerate(faults)))

    def stored(self) -> list[Any]:
        return [items.to_record(item) for item in self.simulator.items()]


@pytest.fixture
def log() -> Log:
    return Log()


def test_an_event_is_noted_once_and_then_known_as_it_was_noted(log):
    first = event_log.note(log.store, EVENT)
    later = event_log.note(log.store, replace(EVENT, received_at=NOW.replace(year=2027)))

    assert first == later == replace(EVENT, version=1)
    assert log.stored() == [first]
    assert log.simulator.call_count == 2


def test_an_event_that_is_done_with_is_known_to_be(log):
    after = done(event_log.note(log.store, EVENT), APPLIED, NOW)
    event_log.finish(log.store, after)

    assert event_log.note(log.store, EVENT) == after
    assert (after.status, after.version) == (DONE, 2)
    assert done(after, "parked", NOW) is after


def test_who_is_second_to_be_done_with_an_event_leaves_it_as_it_is(log):
    noted = event_log.note(log.store, EVENT)
    event_log.finish(log.store, done(noted, APPLIED, NOW))
    event_log.finish(log.store, done(noted, "parked", NOW))

    assert [event.outcome for event in log.stored()] == [APPLIED]


def test_an_event_that_changed_meanwhile_is_a_mistake_of_ours(log):
    noted = event_log.note(log.store, EVENT)

    with pytest.raises(InvariantBroken):
        event_log.finish(log.store, replace(noted, status=DONE, version=9))

    assert log.stored() == [noted]


@pytest.mark.parametrize(
    ("fault", "refusal"),
    [(BEFORE, Unavailable), (AFTER, Unavailable), (THROTTLED, Unavailable), (CONFLICT, Contention)],
)
def test_whoever_does_not_wait_makes_one_call_whatever_comes_of_it(log, fault, refusal):
    log.fail(fault)

    with pytest.raises(Unavailable) as refused:
        event_log.note(log.store, EVENT)

    assert type(refused.value) is refusal
    assert log.simulator.call_count == 1
    assert log.pauses == []


@pytest.mark.parametrize("fault", [BEFORE, AFTER, THROTTLED, CONFLICT, RETRIED])
@pytest.mark.parametrize("times", [1, PATIENT - 1])
def test_whoever_can_wait_tries_again(log, fault, times):
    log.fail(*[fault] * times)

    noted = event_log.note(log.store, EVENT, attempts_max=PATIENT)

    assert log.stored() == [noted]
    # A call that the SDK itself made again is no failure.
    assert len(log.pauses) == (0 if fault is RETRIED else times)


@pytest.mark.parametrize("fault", [BEFORE, THROTTLED, CONFLICT])
def test_patience_has_an_end(log, fault):
    log.fail(*[fault] * PATIENT)

    with pytest.raises(Unavailable):
        event_log.note(log.store, EVENT, attempts_max=PATIENT)

    assert log.stored() == []
    assert log.simulator.call_count == PATIENT
    assert sum(log.pauses) < 1


@pytest.mark.parametrize("fault", [BEFORE, AFTER, THROTTLED, CONFLICT])
def test_to_be_done_with_an_event_is_worth_waiting_for(log, fault):
    noted = event_log.note(log.store, EVENT)
    log.fail(*[fault] * (PATIENT - 1))

    event_log.finish(log.store, done(noted, APPLIED, NOW))

    assert [event.status for event in log.stored()] == [DONE]
    log.fail(*[BEFORE] * PATIENT)
    with pytest.raises(Unavailable):
        event_log.finish(log.store, done(noted, APPLIED, NOW))
