"""Environments that take turns on the simulator: who makes the next call, a seed decides.

The same crowd as in processes, without a clock or a thread of its own: what happened once happens
again. After every call the budgets are compared, and any call may meet a fault.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from holdfast.domain.accounts import Tenant
from holdfast.domain.budgets import Budget, Scope
from holdfast.domain.once import Once
from holdfast.errors import KeyInUse, Refusal, Unavailable
from holdfast.store import items, keys
from holdfast.store.ledger_store import LedgerStore
from tests.domain.samples import NOW
from tests.simulator.client import Simulator
from tests.simulator.errors import ProcessKilled
from tests.simulator.faults import Fault, Plan, planned
from tests.simulator.scheduler import interleave

TABLE = "holdfast"
TENANT = Tenant("acme", "live")
UNKNOWN = (KeyInUse, Unavailable, ProcessKilled)
"""What leaves a client without an answer: it asks again under the same key."""
ASKED_MAX = 200

type Ask = Callable[[LedgerStore, Once], Any]


@dataclass(frozen=True, slots=True)
class Request:
    """One request under a key of its own. `ask` may be called any number of times."""

    key: str
    ask: Ask
    caps: tuple[Scope, ...] = ()
    caller: str = "shop"


@dataclass(frozen=True, slots=True)
class Told:
    """What a client was told in the end, how often it had to ask, and what refused it."""

    key: str
    answer: Any = None
    refused: Refusal | None = None
    asked: int = 1


@dataclass(slots=True)
class Turns:
    """One table, and environments that take turns at it."""

    simulator: Simulator = field(default_factory=Simulator)
    watched: tuple[Scope, ...] = ()
    apart: list[str] = field(default_factory=list)
    """Every moment at which the watched budgets were not all the same."""

    def store(self, jitter: random.Random | None = None) -> LedgerStore:
        """A new environment: it remembers nothing."""
        client: Any = self.simulator
        draw = jitter or random.Random(0)
        return LedgerStore(
            client,
            TABLE,
            pause=lambda seconds: None,
            jitter=draw.random,
            delivery=lambda: f"{draw.getrandbits(128):032x}",
        )

    def serve(
        self, requests: Sequence[Request], *, seed: int, environments: int, faults: Plan | None
    ) -> list[Told]:
        """Work the requests off, dealt out to the environments, in an order drawn from the seed."""
        plan: Plan = faults or {}

        def watching(number: int, method: str) -> Fault | None:
            self._compare(number)
            return planned(plan, number, method)

        self.simulator.faults = watching
        queues = [requests[first::environments] for first in range(environments)]
        works = [
            _Environment(self, queue, random.Random(f"{seed} {number}"))
            for number, queue in enumerate(queues)
        ]
        run = interleave([work.serve for work in works], seed=seed)
        self.simulator.faults = {}
        told: list[Told] = []
        for outcome in run.outcomes:
            answers: Any = outcome.result()
            told += answers
        return told

    def budgets(self) -> list[Budget | None]:
        """The watched budgets as they are stored, without a call."""
        return [self._budget(scope) for scope in self.watched]

    def _budget(self, scope: Scope) -> Budget | None:
        table = self.simulator.tables[TABLE]
        key = keys.budget(TENANT, scope.place)
        stored = table.get(table.keys.place({"pk": {"S": key.pk}, "sk": {"S": key.sk}}))
        record = None if stored is None else items.to_record(stored.item)
        assert record is None or isinstance(record, Budget)
        return record

    def _compare(self, number: int) -> None:
        found = {
            (0, 0) if budget is None else (budget.held_micros, budget.spent_micros)
            for budget in self.budgets()
        }
        if len(found) > 1:
            self.apart.append(f"before call {number}: {found}")


@dataclass(slots=True)
class _Environment:
    """One environment and its queue. One that is killed is followed by a new one."""

    turns: Turns
    queue: Sequence[Request]
    draw: random.Random

    def serve(self) -> list[Told]:
        store = self.turns.store(self.draw)
        told = []
        for request in self.queue:
            for asked in range(1, ASKED_MAX):
                try:
                    answer = request.ask(store, _once(request))
                except ProcessKilled:
                    store = self.turns.store(self.draw)
                except UNKNOWN:
                    continue
                except Refusal as refused:
                    told.append(Told(request.key, refused=refused, asked=asked))
                    break
                else:
                    told.append(Told(request.key, answer, asked=asked))
                    break
            else:
                raise AssertionError(f"{request.key}: no definite answer")
        return told


def _once(request: Request) -> Once:
    return Once(
        tenant=TENANT,
        caller=request.caller,
        key=request.key,
        fingerprint=f"fingerprint of {request.key}",
        now=NOW,
        caps=request.caps,
    )
