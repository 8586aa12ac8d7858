"""A hundred thousand random operations against the model, and some more with faults.

Each world is some environments on one table, with two tenants of one org and one of another. A
failure names the request; `PYTHONPATH=layers/core python -m tests.soak --world SEED` plays the
world again.
"""

import pytest

from tests.property.traffic import Traffic, coverage_table, never_met
from tests.property.world import World
from tests.simulator.faults import EVERY_FAULT, PARTIAL, RandomFaults

OPERATIONS = 25_000
AUDIT_EVERY = 10_000
FAULTY_OPERATIONS = 5_000


@pytest.mark.parametrize("seed", ["first", "second", "third", "fourth"])
def test_the_ledger_does_what_the_model_does(seed, record_property):
    world = World()

    Traffic(world, seed).run(OPERATIONS, audit_every=AUDIT_EVERY)

    record_property("figure", f"{world.coverage.total():,} random operations, seed {seed}:")
    record_property("figure", coverage_table(world.coverage))
    assert world.coverage.total() >= OPERATIONS
    assert never_met(world.coverage) == []


def test_the_ledger_does_what_the_model_does_when_calls_fail(record_property):
    faults = RandomFaults(1, rate=0.03, faults=(*EVERY_FAULT, PARTIAL))
    world = World(faults=faults)

    Traffic(world, "faulty").run(FAULTY_OPERATIONS)

    record_property(
        "figure",
        f"{world.coverage.total():,} random operations with 3 % faults of each kind: "
        f"{world.deliveries:,} deliveries, {world.killed:,} environments killed",
    )
    assert world.coverage.total() >= FAULTY_OPERATIONS
    assert world.killed > 100
