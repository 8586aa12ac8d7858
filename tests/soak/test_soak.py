"""The long run as a test of its own (`make soak`), and a short one that shows that it counts."""

import time

import pytest

from tests.property.traffic import never_met
from tests.soak.run import Plan, play, report, run, worlds

OPERATIONS = 1_000_000


@pytest.mark.soak
def test_a_million_operations_with_faults_and_duplicates(record_property):
    plans = list(worlds("1", OPERATIONS, faults=0.03, duplicates=0.2))

    began = time.monotonic()
    total = run(plans, processes=2)

    record_property("figure", "\n".join(report(total, time.monotonic() - began)))
    assert total.failures == []
    assert total.operations >= OPERATIONS
    assert never_met(total.coverage) == []


def test_a_run_is_cut_into_worlds_that_add_up():
    plans = list(worlds("7", 50_001, faults=0.03, duplicates=0.2))

    assert [plan.operations for plan in plans] == [20_000, 20_000, 10_001]
    assert [plan.seed for plan in plans] == ["7-0", "7-1", "7-2"]


def test_a_world_is_the_same_every_time():
    plan = Plan("again", 300, 0.03, 0.2)

    first, second = play(plan), play(plan)

    assert first == second
    assert first.failures == []
    assert first.operations == 300
    assert first.faults.keys() >= {"before", "after", "conflict", "throttled", "retried"}
    assert first.deliveries > 300


def test_a_difference_ends_the_run_and_is_told():
    unplayable = Plan("broken", 200, 0.0, duplicates="many")  # type: ignore[arg-type]
    plans = [unplayable, Plan("next", 10, 0.0, 0.2)]

    total = run(plans, processes=1)

    assert total.operations == 0
    assert len(total.failures) == 1
    assert total.failures[0].startswith("world broken, operation 1\n")
    assert report(total, 1)[-2:] == ["differences  1", total.failures[0]]
