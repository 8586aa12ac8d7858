"""A hundred thousand random operations against the model, and some more with faults.

Each world is three environments on one table, with two tenants of one org and one of another. The
same seed gives the same world: a failure names it, and the operation.
"""

from tests.property.traffic import coverage_table, never_met
from tests.soak.run import Plan, play, run

SEEDS = ("first", "second", "third", "fourth")
OPERATIONS = 25_000
DUPLICATES = 0.2
FAULTS = 0.03
FAULTY_OPERATIONS = 5_000


def test_the_ledger_does_what_the_model_does(record_property):
    plans = [Plan(seed, OPERATIONS, faults=0.0, duplicates=DUPLICATES) for seed in SEEDS]

    total = run(plans, processes=2)

    table = coverage_table(total.coverage)
    record_property("figure", f"{total.operations:,} random operations, as the model\n{table}")
    assert total.failures == []
    assert total.operations >= len(SEEDS) * OPERATIONS
    assert never_met(total.coverage) == []


def test_the_ledger_does_what_the_model_does_when_calls_fail(record_property):
    told = play(Plan("faulty", FAULTY_OPERATIONS, faults=FAULTS, duplicates=DUPLICATES))

    figure = (
        f"{told.operations:,} random operations with {told.faults.total():,} faults, as the model: "
        f"{told.deliveries:,} deliveries, {told.killed:,} environments killed"
    )
    record_property("figure", figure)
    assert told.failures == []
    assert told.operations >= FAULTY_OPERATIONS
    assert told.killed > 100
