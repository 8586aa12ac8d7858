"""A ledger on the simulator, and what its users ask of it: where every test of faults starts.

A `Step` is one request under one idempotency key. It may be delivered any number of times, from any
environment; everything about it but the environment is fixed, so the world after it is too.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from holdfast.domain.accounts import Tenant
from holdfast.domain.api_keys import matches
from holdfast.domain.budgets import Scope
from holdfast.domain.entries import ENTRY_PREFIX
from holdfast.domain.once import Once
from holdfast.errors import KeyInUse, Refusal, Unavailable
from holdfast.services import expiry, holds, quotes, wallet
from holdfast.services.api_keys import Issued
from holdfast.services.holds import HoldTerms
from holdfast.services.refs import Owner, owner_of
from holdfast.services.workspaces import LinkedAccount
from holdfast.store import keys
from holdfast.store.ledger_store import Committed, Enacted, LedgerStore
from tests.simulator.client import Simulator
from tests.simulator.errors import ProcessKilled
from tests.simulator.faults import Plan
from tests.simulator.table import Partition, Store
from tests.simulator.values import Item, ordered

START = datetime(2026, 11, 21, 3, 30, tzinfo=UTC)
ACME = Tenant("acme", "live")
ALICE = owner_of(ACME, "acme/alice")
MAJOR = 1_000_000
"""Micros in a major unit."""

HOUSE_SECRET = b"of the house, and long enough for it"
RETRIES_MAX = 3
"""How often a client asks again before it must have a definite answer."""
JITTER_WORST = 0.999
UNKNOWN = (Unavailable, KeyInUse, ProcessKilled)
"""What leaves a client with no answer: it asks again under the same key."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A definite no, as the answer to a request."""

    code: str
    details: tuple[tuple[str, Any], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One request: the name of its key, when it is asked, by whom, and how."""

    key: str
    ask: Callable[["World", LedgerStore, Once], Any]
    at_seconds: float = 0.0
    fingerprint: str = ""
    caller: str = "acme/admin"
    caps: tuple[Scope, ...] = ()


@dataclass(slots=True)
class World:
    """One table, one user, and the answers given so far."""

    simulator: Simulator = field(default_factory=Simulator)
    owner: Owner = ALICE
    answers: dict[str, Any] = field(default_factory=dict)
    pauses: list[float] = field(default_factory=list)
    firsts: Counter[str] = field(default_factory=Counter)
    """How many answers to each key did not say that they were given before."""
    late: timedelta = timedelta(0)
    """How much later than planned requests are delivered from now on."""

    def store(self) -> LedgerStore:
        """A new environment: it remembers nothing. Its pauses are noted and take no time."""
        client: Any = self.simulator
        return LedgerStore(
            client, "holdfast", pause=self.pauses.append, jitter=lambda: JITTER_WORST
        )

    def environment(self, like: LedgerStore, *, client: Any = None) -> LedgerStore:
        """A new environment that remembers what another one does."""
        store = self.store()
        store.client = client or store.client
        store._known.update(like._known)
        return store

    def copy(self) -> "World":
        """Another world with the same table and answers; its clock, log and stream start anew."""
        other = World(owner=self.owner, answers=dict(self.answers))
        for name, table in self.simulator.tables.items():
            twin = other.simulator.tables[name]
            _copy_items(table, twin)
            for index in table.indexes:
                _copy_items(table.indexes[index], twin.indexes[index])
        return other

    def once(self, step: Step) -> Once:
        return Once(
            tenant=self.owner.tenant,
            caller=step.caller,
            key=step.key,
            fingerprint=step.fingerprint or f"fingerprint of {step.key}",
            now=START + timedelta(seconds=step.at_seconds) + self.late,
            caps=step.caps,
        )

    def digest(self, key: str) -> str:
        """What the ids of all that the request with this key makes end with."""
        return self.once(Step(key=key, ask=_nothing)).digest

    def entry_id(self, key: str) -> str:
        """The id of the entry that answers the request with this key."""
        return ENTRY_PREFIX + self.digest(key)

    def hold_id(self, key: str) -> str:
        """The id of the hold that the request with this key placed."""
        hold_id = self.answers[key].hold_id
        assert isinstance(hold_id, str)
        return hold_id

    def deliver(self, step: Step, store: LedgerStore) -> Any:
        """Ask once. A refusal is an answer; not knowing is not.

        Raises:
            Unavailable, KeyInUse, ProcessKilled: The client cannot know what became of it.
        """
        try:
            once = self.once(step)
            answer = self._told(step, once, step.ask(self, store, once))
        except UNKNOWN:
            raise
        except Refusal as refusal:
            answer = Refused(refusal.code, tuple(sorted(refusal.details.items())))
        self.answers[step.key] = answer
        return answer

    def _told(self, step: Step, once: Once, answer: Any) -> Any:
        """The answer without the note that it was given before, which is counted."""
        told: Any
        match answer:
            case Committed(entry, replayed):
                # What another request did answers this one too, and is no delivery of it.
                own, told = entry.id == once.entry_id, entry
            case Enacted(record, replayed):
                own, told = self._is_receipted(once), record
            case Issued(record, token, replayed):
                own, told = True, record
                assert matches(record, token, HOUSE_SECRET), "a token of another key"
            case LinkedAccount(replayed=replayed):
                own, told = self._is_receipted(once), replace(answer, replayed=False)
            case _:
                return answer
        self.firsts[step.key] += own and not replayed
        return told

    def _is_receipted(self, once: Once) -> bool:
        """Whether the request has used its key up: one that changes nothing does not."""
        place = keys.entry(once.tenant, once.entry_id)
        return ordered({"S": place.pk}) in self.simulator.tables["holdfast"].partitions

    def insist(
        self, step: Step, store: LedgerStore, *, renew: bool = False, later: timedelta | None = None
    ) -> LedgerStore:
        """Ask until there is a definite answer, as a client does; the environment that gave it.

        With `renew` each retry comes to a new environment, with `later` so much later.
        """
        for attempt in range(1 + RETRIES_MAX):
            try:
                self.deliver(step, store)
            except UNKNOWN:
                assert attempt < RETRIES_MAX, f"{step.key}: no definite answer"
                store = self.store() if renew else store
                self.late += later or timedelta(0)
            else:
                return store
        raise AssertionError("unreachable")

    def run(self, steps: Sequence[Step], store: LedgerStore | None = None) -> LedgerStore:
        """Ask for each once, undisturbed; the environment that they came to."""
        store = store or self.store()
        for step in steps:
            self.deliver(step, store)
        return store

    def disturb(self, plan: Plan) -> None:
        """From now on calls meet faults; the first call from now has the number 0."""
        first = self.simulator.call_count
        if callable(plan):
            self.simulator.faults = lambda number, method: plan(number - first, method)
        else:
            self.simulator.faults = {first + number: fault for number, fault in plan.items()}

    def calm(self) -> None:
        """No more faults."""
        self.simulator.faults = {}

    def items(self) -> list[Item]:
        """Everything on the table, by key."""
        found = self.simulator.items()
        return sorted(found, key=lambda item: (item["pk"]["S"], item["sk"]["S"]))


def _copy_items(source: Store, target: Store) -> None:
    # What is stored is replaced and never changed, so two tables may share it.
    for key, partition in source.partitions.items():
        twin = target.partitions[key] = Partition()
        twin.positions.extend(partition.positions)
        twin.items.update(partition.items)


def without_marks(items: Iterable[Item]) -> list[Item]:
    """The items without what may lag: a wallet that was swept twice knows better what is due.

    That the marks never run ahead of the truth is one of the `violations`.
    """
    return [{name: item[name] for name in item if name not in _MARKS} for item in items]


# What a receipt says of who wrote it is no effect of the request either.
_MARKS = frozenset({"gsi2pk", "gsi2sk", "hold_due_at", "open_from", "delivery"})


def _nothing(world: World, store: LedgerStore, once: Once) -> None:
    return None


def deposit(
    key: str,
    micros: int,
    *,
    at: float = 0,
    currency: str = "usd",
    expires_in_seconds: float | None = None,
) -> Step:
    """Cash paid in."""
    life = None if expires_in_seconds is None else timedelta(seconds=expires_in_seconds)

    def ask(world: World, store: LedgerStore, once: Once) -> Any:
        return wallet.deposit(
            store, world.owner, amount_micros=micros, currency=currency, expires_in=life, once=once
        )

    return Step(key=key, ask=ask, at_seconds=at)


def withdraw(key: str, micros: int, *, at: float = 0) -> Step:
    """Cash taken out."""

    def ask(world: World, store: LedgerStore, once: Once) -> Any:
        return wallet.withdraw(store, world.owner, amount_micros=micros, currency="usd", once=once)

    return Step(key=key, ask=ask, at_seconds=at)


def use(key: str, micros: int, *, at: float = 0) -> Step:
    """A charge for work that was done."""

    def ask(world: World, store: LedgerStore, once: Once) -> Any:
        return wallet.use(store, world.owner, amount_micros=micros, currency="usd", once=once)

    return Step(key=key, ask=ask, at_seconds=at)


def refund(key: str, micros: int, *, of: str, at: float = 0) -> Step:
    """Part of the charge under the key `of` given back."""

    def ask(world: World, store: LedgerStore, once: Once) -> Any:
        return wallet.refund(
            store,
            world.owner,
            original_id=world.entry_id(of),
            amount_micros=micros,
            currency="usd",
            once=once,
        )

    return Step(key=key, ask=ask, at_seconds=at)


def place_hold(
    key: str, micros: int, *, at: float = 0, seconds: float = 3600, **terms: Any
) -> Step:
    """Money set aside."""

    def ask(world: World, store: LedgerStore, once: Once) -> Any:
        return holds.place_hold(
            store,
            world.owner,
            amount_micros=micros,
            currency="usd",
            terms=HoldTerms(expires_in=timedelta(seconds=seconds), **terms),
            once=once,
        )

    return Step(key=key, ask=ask, at_seconds=at)


def capture(key: str, micros: int, *, of: str, final: bool = False, at: float = 0) -> Step:
    """Part or all of the hold under the key `of` taken."""

    def ask(world: World, store: LedgerStore, once: Once) -> Any:
        return holds.capture_hold(
            store,
            world.owner,
            hold_id=world.hold_id(of),
            amount_micros=micros,
            final=final,
            once=once,
        )

    return Step(key=key, ask=ask, at_seconds=at)


def extend(
    key: str, micros: int = 0, *, of: str, seconds: float | None = None, at: float = 0
) -> Step:
    """More money, more time, or both, for the hold under the key `of`."""
    life = None if seconds is None else timedelta(seconds=seconds)

    def ask(world: World, store: LedgerStore, once: Once) -> Any:
        return holds.extend_hold(
            store,
            world.owner,
            hold_id=world.hold_id(of),
            expires_in=life,
            amount_micros=micros,
            once=once,
        )

    return Step(key=key, ask=ask, at_seconds=at)


def release(key: str, *, of: str, at: float = 0) -> Step:
    """What is left of the hold under the key `of` given back."""

    def ask(world: World, store: LedgerStore, once: Once) -> Any:
        hold_id = world.hold_id(of)
        return holds.release_hold(store, world.owner, hold_id=hold_id, once=once)

    return Step(key=key, ask=ask, at_seconds=at)


def sweep(key: str = "sweep", *, at: float, currency: str = "usd") -> Step:
    """What time alone does. How much one delivery of it did is nobody's answer."""

    def ask(world: World, store: LedgerStore, once: Once) -> None:
        expiry.sweep(store, world.owner, currency, now=once.now)

    return Step(key=key, ask=ask, at_seconds=at)


def look(key: str = "look", *, at: float = 0, currency: str = "usd") -> Step:
    """The user looks at the own wallet."""

    def ask(world: World, store: LedgerStore, once: Once) -> Any:
        return wallet.wallet(store, world.owner, currency, now=once.now, own=True)

    return Step(key=key, ask=ask, at_seconds=at)


def quote(key: str, *, shots: int = 1000, at: float = 0) -> Step:
    """What a job on a device that costs 0.30 and 0.00145 a shot would cost."""

    def ask(world: World, store: LedgerStore, once: Once) -> Any:
        return quotes.quote_job(
            store,
            world.owner,
            provider="braket",
            device="iqm-garnet",
            shots=shots,
            tasks=1,
            job_id=None,
            once=once,
        )

    return Step(key=key, ask=ask, at_seconds=at)


def hold_quoted(key: str, *, of: str, job: str = "job-1", at: float = 0) -> Step:
    """The amount of the quote under the key `of` set aside for a job."""

    def ask(world: World, store: LedgerStore, once: Once) -> Any:
        quote_id = world.answers[of].id
        return quotes.hold_quoted(store, world.owner, quote_id=quote_id, job_id=job, once=once)

    return Step(key=key, ask=ask, at_seconds=at)


def release_job(key: str, micros: int, *, job: str = "job-1", at: float = 0) -> Step:
    """What a job cost charged, and the rest of its hold given back."""

    def ask(world: World, store: LedgerStore, once: Once) -> Any:
        return quotes.release_job(
            store, world.owner, job_id=job, capture_micros=micros, reason="done", once=once
        )

    return Step(key=key, ask=ask, at_seconds=at)
