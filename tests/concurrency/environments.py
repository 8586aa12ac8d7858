"""Environments, as Lambda runs them: each has its own store and client, and serves one at a time.

A `Fleet` is some processes with some environments each, one thread an environment. They are made
once and used for many crowds: making a client takes longer than the requests it sends.
"""

import multiprocessing
import random
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from multiprocessing.synchronize import Barrier
from typing import Any, cast

from holdfast.domain.accounts import Owner
from holdfast.domain.budgets import Scope
from holdfast.domain.clock import instant
from holdfast.domain.once import Once
from holdfast.errors import KeyInUse, Refusal, Unavailable
from holdfast.services import holds
from holdfast.services.holds import HoldTerms
from holdfast.store.ledger_store import Committed, LedgerStore
from tests.simulator import engines

CALLER = "shop"
DEADLINE_SECONDS = 120.0
PAUSE_MAX_SECONDS = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Crowd:
    """Holds of one amount on one wallet, each under a key of its own, all wanted at once.

    With `in_pairs` every key is sent by two processes, at the same moment. `scopes` are budgets
    that each hold names, `caps` those of the API key that they are sent with.
    """

    table: str
    owner: Owner
    amount_micros: int
    seed: int
    in_pairs: bool = False
    scopes: tuple[Scope, ...] = ()
    caps: tuple[Scope, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What one client got in the end, how often it had to ask, and from when to when it did.

    Times are seconds of the machine's monotonic clock, which is the same in all processes. A
    status is there where HTTP was spoken, a scope where a budget was in the way.
    """

    key: str
    hold_id: str | None = None
    refused: str | None = None
    scope: str | None = None
    replayed: bool = False
    status: int | None = None
    asked: int
    began: float
    ended: float


@dataclass(frozen=True, slots=True)
class Environment:
    """One environment in the middle of a crowd."""

    store: LedgerStore
    crowd: Crowd
    draw: random.Random
    partner: Barrier

    def serve(self, keys: Sequence[str]) -> list[Answer]:
        """A hold under each key. Each client insists until it has a definite answer."""
        return [self._insist(key) for key in keys]

    def _insist(self, key: str) -> Answer:
        if self.crowd.in_pairs:
            self.partner.wait(DEADLINE_SECONDS)
        began = time.monotonic()
        asked = 0
        while True:
            asked += 1
            try:
                placed = self._place(key)
                got: dict[str, Any] = {"hold_id": placed.entry.hold_id, "replayed": placed.replayed}
            except (KeyInUse, Unavailable):
                # Contention is Unavailable: the same request may be sent again, and is.
                assert time.monotonic() < began + DEADLINE_SECONDS, f"{key}: no definite answer"
                time.sleep(self.draw.uniform(0, PAUSE_MAX_SECONDS))
                continue
            except Refusal as refused:
                got = {"refused": refused.code, "scope": refused.details.get("scope")}
            return Answer(key=key, asked=asked, began=began, ended=time.monotonic(), **got)

    def _place(self, key: str) -> Committed:
        once = Once(
            tenant=self.crowd.owner.tenant,
            caller=CALLER,
            key=key,
            fingerprint=f"hold {self.crowd.amount_micros}",
            now=instant(datetime.now(UTC)),
            caps=self.crowd.caps,
        )
        return holds.place_hold(
            self.store,
            self.crowd.owner,
            amount_micros=self.crowd.amount_micros,
            currency="usd",
            terms=HoldTerms(expires_in=timedelta(hours=1), scopes=self.crowd.scopes),
            once=once,
        )


@dataclass(frozen=True, slots=True)
class Fleet:
    """Processes that wait for a crowd; `threads` environments in each."""

    links: Sequence[Connection]
    threads: int

    @property
    def environments(self) -> int:
        return len(self.links) * self.threads

    def serve(self, crowd: Crowd, queues: Sequence[Sequence[str]]) -> list[Answer]:
        """Each environment works off its own queue of keys; all of them start together."""
        assert len(queues) == self.environments
        assert not crowd.in_pairs or len(self.links) % 2 == 0
        for number, link in enumerate(self.links):
            first = number * self.threads
            link.send((crowd, queues[first : first + self.threads]))
        answers: list[Answer] = []
        for link in self.links:
            answers += cast(list[Answer], link.recv())
        return answers


@contextmanager
def fleet(endpoint_url: str, *, processes: int, threads: int) -> Iterator[Fleet]:
    """So many processes, ready to serve; they end with the block.

    Each two of them are partners: environments of the same number in both can meet.
    """
    context = multiprocessing.get_context("spawn")
    together = context.Barrier(processes)
    meetings = [[context.Barrier(2) for _ in range(threads)] for _ in range(0, processes, 2)]
    links: list[Connection] = []
    started: list[SpawnProcess] = []
    for number in range(processes):
        ours, theirs = context.Pipe()
        process = context.Process(
            target=_run,
            args=(theirs, together, meetings[number // 2], endpoint_url, number),
            daemon=True,
        )
        process.start()
        theirs.close()
        links.append(ours)
        started.append(process)
    try:
        yield Fleet(links, threads)
    finally:
        for link in links:
            link.close()
        for process in started:
            process.join()


def _run(
    link: Connection, together: Barrier, partners: list[Barrier], endpoint_url: str, process: int
) -> None:
    """A process of the fleet: it serves crowds until nobody sends any more."""
    # One after the other: making a client is not safe in threads, using it is.
    clients = [engines.client("dynamodb", endpoint_url) for _ in partners]
    while True:
        try:
            crowd, queues = link.recv()
        except EOFError:
            return
        environments = []
        for number, (client, partner) in enumerate(zip(clients, partners, strict=True)):
            draw = random.Random(f"{crowd.seed} {process} {number}")
            store = LedgerStore(client, crowd.table, jitter=draw.random)
            environments.append(Environment(store, crowd, draw, partner))
        together.wait()
        link.send(_serve_together(environments, queues))


def _serve_together(
    environments: Sequence[Environment], queues: Sequence[Sequence[str]]
) -> list[Answer]:
    answers: list[Answer] = []
    failures: list[BaseException] = []

    def serve(environment: Environment, keys: Sequence[str]) -> None:
        try:
            answers.extend(environment.serve(keys))
        except BaseException as failure:  # noqa: BLE001 - told to whoever waits for the answers
            failures.append(failure)

    threads = [
        threading.Thread(target=serve, args=pair) for pair in zip(environments, queues, strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    return answers
