"""Worlds of random operations with faults, one after the other, on all cores.

A million operations on one table would need more memory than a laptop has, so a run is many worlds,
each with a seed of its own that follows from the seed of the run. Every world is compared with the
model after every operation, and audited twice at its end.
"""

import argparse
import sys
import time
import traceback
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field
from hashlib import sha256
from multiprocessing import get_context

from tests.property.traffic import Traffic, coverage_table, never_met
from tests.property.world import World
from tests.simulator.faults import EVERY_FAULT, PARTIAL, Fault, RandomFaults

WORLD_OPERATIONS = 20_000
AUDIT_EVERY = 12_500
KINDS = (*EVERY_FAULT, PARTIAL)


class CountedFaults(RandomFaults):
    """Random faults, and how many of each kind there were."""

    def __init__(self, seed: int, *, rate: float) -> None:
        super().__init__(seed, rate=rate, faults=KINDS)
        self.met: Counter[str] = Counter()
        self.calls = 0

    def __call__(self, number: int, method: str) -> Fault | None:
        self.calls += 1
        fault = super().__call__(number, method)
        if fault is not None:
            self.met[fault.kind] += 1
        return fault


@dataclass(frozen=True, slots=True)
class Plan:
    """One world to run."""

    seed: str
    operations: int
    faults: float
    duplicates: float


@dataclass(slots=True)
class Told:
    """What became of a world, or of all of them."""

    operations: int = 0
    entries: int = 0
    deliveries: int = 0
    calls: int = 0
    killed: int = 0
    coverage: Counter[tuple[str, str]] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)

    def add(self, other: "Told") -> None:
        """Count another world's in."""
        self.operations += other.operations
        self.entries += other.entries
        self.deliveries += other.deliveries
        self.calls += other.calls
        self.killed += other.killed
        self.coverage += other.coverage
        self.faults += other.faults
        self.failures += other.failures


def play(plan: Plan) -> Told:
    """Run one world to its end, or to the first difference."""
    number = int.from_bytes(sha256(plan.seed.encode()).digest()[:8])
    faults = CountedFaults(number, rate=plan.faults) if plan.faults else None
    world = World(faults=faults)
    traffic = Traffic(world, plan.seed, duplicates=plan.duplicates)
    told = Told()
    try:
        traffic.run(plan.operations, audit_every=AUDIT_EVERY)
    except Exception:  # noqa: BLE001 - whatever went wrong is what the run is for
        told.failures = [f"world {plan.seed}, operation {traffic.made}\n{traceback.format_exc()}"]
    told.operations = world.coverage.total()
    told.entries = len(world.model.entries)
    told.deliveries = world.deliveries
    told.killed = world.killed
    told.coverage = world.coverage
    if faults is not None:
        told.calls, told.faults = faults.calls, faults.met
    return told


def worlds(seed: str, operations: int, *, faults: float, duplicates: float) -> Iterator[Plan]:
    """The worlds that make up a run."""
    for start in range(0, operations, WORLD_OPERATIONS):
        size = min(WORLD_OPERATIONS, operations - start)
        yield Plan(f"{seed}-{start // WORLD_OPERATIONS}", size, faults, duplicates)


def run(plans: Sequence[Plan], *, processes: int, seconds_max: float | None = None) -> Told:
    """Run the worlds; those that have not begun after `seconds_max` are left out."""
    total = Told()
    began = time.monotonic()
    planned = sum(plan.operations for plan in plans)
    left = iter(plans)
    with ProcessPoolExecutor(max_workers=processes, mp_context=get_context("spawn")) as pool:
        running: set[Future[Told]] = set()
        while True:
            late = seconds_max is not None and time.monotonic() - began > seconds_max
            while not late and not total.failures and len(running) < processes:
                plan = next(left, None)
                if plan is None:
                    break
                running.add(pool.submit(play, plan))
            if not running:
                return total
            done = next(as_completed(running))
            running.remove(done)
            total.add(done.result())
            pace = total.operations / (time.monotonic() - began)
            _say(
                f"{total.operations:,} of {planned:,} operations, {pace:,.0f} a second, "
                f"{len(total.failures)} differences"
            )


def report(total: Told, seconds: float) -> list[str]:
    """What a run did, in lines."""
    met = ", ".join(f"{kind} {count:,}" for kind, count in sorted(total.faults.items()))
    again = sum(count for (_, outcome), count in total.coverage.items() if outcome == "replayed")
    return [
        coverage_table(total.coverage),
        "",
        f"operations   {total.operations:,} in {seconds:,.0f} s",
        f"entries      {total.entries:,}",
        f"deliveries   {total.deliveries:,}, {total.killed:,} ended by the death of an environment",
        f"calls        {total.calls:,} to the simulator",
        f"faults       {total.faults.total():,}: {met}",
        f"replays      {again:,}, each the first answer byte for byte",
        f"never met    {', '.join(never_met(total.coverage)) or 'nothing: every outcome happened'}",
        f"differences  {len(total.failures)}",
        *total.failures,
    ]


def _say(*lines: str) -> None:
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what the command line asks for; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--operations", type=int, default=1_000_000)
    parser.add_argument("--faults", type=float, default=0.03, help="of each kind, in every call")
    parser.add_argument("--duplicates", type=float, default=0.2)
    parser.add_argument("--seed", default="1")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--minutes", type=float, help="begin no new world after that")
    parser.add_argument("--world", help="play one world again, by the seed that a failure names")
    asked = parser.parse_args(arguments)
    plans = list(
        worlds(asked.seed, asked.operations, faults=asked.faults, duplicates=asked.duplicates)
    )
    if asked.world:
        size = min(asked.operations, WORLD_OPERATIONS)
        plans = [Plan(asked.world, size, asked.faults, asked.duplicates)]
    began = time.monotonic()
    seconds_max = None if asked.minutes is None else asked.minutes * 60
    total = run(plans, processes=asked.processes, seconds_max=seconds_max)
    _say(*report(total, time.monotonic() - began))
    return 1 if total.failures else 0
