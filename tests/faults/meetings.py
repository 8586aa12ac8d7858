"""Requests that meet on one wallet: where they start from, and what may come of them.

Every request is in an environment of its own. What may come of a meeting is what comes of the same
requests one after the other, in any order.
"""

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import permutations
from typing import Any

from holdfast.store.ledger_store import LedgerStore
from tests.faults.violations import violations
from tests.faults.world import Refused, Step, World, without_marks
from tests.simulator.faults import EVERY_FAULT
from tests.simulator.scheduler import Run, all_orders, interleave
from tests.simulator.values import Item

TRANSACTION = "transact_write_items"
ORDERS_MAX = 5_000
CALLS = range(16)
"""Among so many calls of a meeting two are drawn to fail."""
SOUND_MAX = 8


class ReadsApart:
    """A client whose BatchGetItem reads item by item, as it may: it is no snapshot."""

    def __init__(self, client: Any, *, backwards: bool) -> None:
        self._client = client
        self._backwards = backwards

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def batch_get_item(self, **params: Any) -> Any:
        ((table, part),) = params["RequestItems"].items()
        found = []
        for key in reversed(part["Keys"]) if self._backwards else part["Keys"]:
            answer = self._client.get_item(TableName=table, Key=key, ConsistentRead=True)
            found += [answer["Item"]] if "Item" in answer else []
        return {"Responses": {table: found}, "UnprocessedKeys": {}}


@dataclass(frozen=True, slots=True)
class Past:
    """A world, and what two environments remember of it: only the recent one is right."""

    world: World
    nothing: LedgerStore
    old: LedgerStore
    recent: LedgerStore

    @classmethod
    def of(cls, given: Sequence[Step], since: Sequence[Step] = ()) -> "Past":
        """`given` happened in one environment, `since` in another."""
        world = World()
        old = world.run(given)
        recent = world.environment(old)
        world.run(since, recent)
        return cls(world, world.store(), old, recent)


@dataclass(frozen=True, slots=True)
class Start:
    """What the environment of each request remembers; in which order it reads several items."""

    name: str
    memories: Callable[[Past], Sequence[LedgerStore]]
    backwards: bool

    def __str__(self) -> str:
        return self.name


COLD = Start("cold", lambda past: [past.nothing], backwards=False)
STARTS = (
    COLD,
    Start("cold, backwards", lambda past: [past.nothing], backwards=True),
    Start("stale and warm", lambda past: [past.old, past.recent], backwards=True),
    Start("warm and stale", lambda past: [past.recent, past.old], backwards=False),
)

type Ending = tuple[list[Any], list[Item]]
"""The answers, and the table."""


@dataclass(slots=True)
class Table:
    """A world in which requests meet, and the environment of each."""

    world: World
    stores: Sequence[LedgerStore]

    def serve(self, number: int, step: Step) -> Any:
        return self.world.deliver(step, self.stores[number])

    def insist(self, number: int, step: Step) -> Any:
        self.world.insist(step, self.stores[number], renew=True)
        return self.world.answers[step.key]


class Meeting:
    """Some requests at once, after a past, from a start."""

    def __init__(self, past: Past, start: Start, *steps: Step) -> None:
        self.past = past
        self.start = start
        self.steps = steps
        self.name = f"{' x '.join(step.key for step in steps)}, {start}"
        # The most transactions that each request sends when it is alone.
        self._needed = [0] * len(steps)
        orders = list(permutations(range(len(steps))))
        self.endings = [self._one_by_one(order, COLD) for order in orders]
        # What an environment remembers is no reason for another answer.
        for order, ending in zip(orders, self.endings, strict=True):
            assert self._one_by_one(order, start) == ending, f"{self.name} one by one {order}"
        # Tables in which no violation was found lately: most orders come to one of a few.
        self._sound: list[list[Item]] = []

    def every_order(self) -> int:
        """Go through all orders of the calls, and check each; how many there were."""
        orders = 0
        for table, run in self._orders():
            self._assert_good(table, run)
            self._assert_few_attempts(table, run)
            orders += 1
        return orders

    def some_orders(self, count: int) -> int:
        """Go through so many orders drawn at random, and check each."""
        for seed in range(count):
            table = self._laid(self.start)
            works = [partial(table.serve, number, step) for number, step in enumerate(self.steps)]
            run = interleave(works, seed=seed)
            self._assert_good(table, run)
            self._assert_few_attempts(table, run)
        return count

    def disturbed_orders(self, seeds: Sequence[int]) -> int:
        """As `some_orders`, with two faults each, and clients that insist on an answer."""
        for seed in seeds:
            chance = random.Random(seed)
            plan = {number: chance.choice(EVERY_FAULT) for number in chance.sample(CALLS, 2)}
            table = self._laid(self.start)
            table.world.disturb(plan)
            works = [partial(table.insist, number, step) for number, step in enumerate(self.steps)]
            run = interleave(works, seed=seed)
            self._assert_good(table, run, told=f"{self.name}, seed {seed}, {plan}")
        return len(seeds)

    def _laid(self, start: Start) -> Table:
        world = self.past.world.copy()
        client = ReadsApart(world.simulator, backwards=start.backwards)
        memories = start.memories(self.past)
        stores = [
            world.environment(memories[number % len(memories)], client=client)
            for number in range(len(self.steps))
        ]
        return Table(world, stores)

    def _orders(self) -> Iterator[tuple[Table, Run]]:
        works = [
            partial(Table.serve, number=number, step=step) for number, step in enumerate(self.steps)
        ]
        yield from all_orders(partial(self._laid, self.start), *works, orders_max=ORDERS_MAX)

    def _one_by_one(self, order: Sequence[int], start: Start) -> Ending:
        table = self._laid(start)
        calls = table.world.simulator.calls
        answers = {}
        for number in order:
            before = len(calls)
            answers[number] = table.serve(number, self.steps[number])
            sent = sum(call.method == TRANSACTION for call in calls[before:])
            self._needed[number] = max(self._needed[number], sent)
        return [answers[number] for number in sorted(answers)], without_marks(table.world.items())

    def _assert_good(self, table: Table, run: Run, told: str = "") -> None:
        """It ended as in one of the serial orders, and soundly."""
        told = told or f"{self.name}, order {run.order}"
        for outcome in run.outcomes:
            assert outcome.error is None, f"{told}: {outcome.error!r}"
        items = table.world.items()
        came_to = [outcome.value for outcome in run.outcomes], without_marks(items)
        assert came_to in self.endings, f"{told}: {self._difference(came_to)}"
        assert all(count <= 1 for count in table.world.firsts.values()), (
            f"{told}: two first answers"
        )
        if items not in self._sound:
            assert violations(items) == [], told
            self._sound = [items, *self._sound][:SOUND_MAX]

    def _assert_few_attempts(self, table: Table, run: Run) -> None:
        """Each commit of another costs at most one attempt more."""
        attempts, commits = [0] * len(self.steps), [0] * len(self.steps)
        for (number, _), call in zip(run.trace, table.world.simulator.calls, strict=True):
            if call.method == TRANSACTION:
                attempts[number] += 1
                commits[number] += call.error is None
        for number, needed in enumerate(self._needed):
            others = sum(commits) - commits[number]
            assert attempts[number] <= needed + others, f"{self.name}: {run.trace}"

    def _difference(self, came_to: Ending) -> str:
        told = [_brief(answers) for answers, _ in (came_to, *self.endings)]
        return f"came to {told[0]}, the serial orders to {told[1:]}"


def _brief(answers: Sequence[Any]) -> list[str]:
    return [
        each.code if isinstance(each, Refused) else getattr(each, "type", str(each))
        for each in answers
    ]
