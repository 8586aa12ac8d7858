"""The ledger on one DynamoDB table: records are read, decided on, and written whole or not at all.

`LedgerStore.change` is the only loop of the ledger. It starts from the state at hand, lets a pure
rule decide, and commits one transaction in which the entry is the idempotency record: a lost race
brings the true state back in the failed condition, a second delivery brings the first entry back.
"""

import random
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from secrets import token_hex
from typing import TYPE_CHECKING, Any, Protocol

from holdfast.domain.accounts import Tenant
from holdfast.domain.entries import Entry
from holdfast.domain.ledger import Answered, Change, Decision, Journal, Record
from holdfast.domain.once import Once
from holdfast.errors import (
    Contention,
    EntryNotFound,
    IdempotencyKeyReused,
    InvariantBroken,
    KeyInUse,
    Refusal,
    Unavailable,
)
from holdfast.store import items, keys
from holdfast.store.attributes import Attributes
from holdfast.store.keys import Key
from holdfast.store.reading import ATTEMPTS_MAX, Found, key_of, read, snapshot
from holdfast.store.transaction import Outcome, Result, Transaction

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

PAUSE_BASE_SECONDS = 0.01
PAUSE_CAP_SECONDS = 0.32
KNOWN_MAX = 256


def _fresh() -> str:
    return token_hex(16)


@dataclass(frozen=True, slots=True)
class Ref:
    """A record by its key; `missing` stands in for one that is not there, or refuses."""

    tenant: Tenant
    key: Key
    missing: Callable[[], Record | None]


@dataclass(frozen=True, slots=True)
class State:
    """Records as they were read, in the order of the refs.

    `proven`: they were all like that at one instant. Otherwise some are from memory, or each was
    read by itself: good enough to decide on, because a commit compares them all, but a refusal
    commits nothing and so may not rest on them.
    """

    records: tuple[Any, ...]
    proven: bool


@dataclass(frozen=True, slots=True)
class Committed:
    """The entry that answers a request. `replayed`: it was written by an earlier delivery."""

    entry: Entry
    replayed: bool


class Decide(Protocol):
    """A rule, closed over its command. Pure: it may run any number of times."""

    def __call__(self, *records: Any) -> Decision: ...


@dataclass(slots=True)
class LedgerStore:
    """One table, one client, and what this environment wrote last.

    `pause` sleeps for a number of seconds, `jitter` gives a number in [0, 1), `delivery` a text
    that was never given before: tests set them.
    """

    client: "DynamoDBClient"
    table: str
    pause: Callable[[float], None] = time.sleep
    jitter: Callable[[], float] = random.random
    delivery: Callable[[], str] = _fresh
    _known: OrderedDict[Key, Record] = field(default_factory=OrderedDict)

    def change(self, decide: Decide, refs: Sequence[Ref], *, once: Once) -> Committed:
        """Decide on the records and commit; again from the true state when a race was lost.

        Raises:
            IdempotencyKeyReused: The key was used for another request.
            KeyInUse: Another delivery of this request is being written right now.
            Contention: Six races in a row were lost.
            Unavailable: The table does not answer; the same request may be sent again.
            Refusal: Whatever `decide` refuses. Nothing was written.
        """
        ours: set[str] = set()
        delivery = self.delivery()
        state: State | None = None
        result = Result(Outcome.BUSY)
        for attempt in range(ATTEMPTS_MAX):
            if attempt:
                self._back_off(attempt)
            try:
                state = state or self.load(refs)
                state, decision = self._decided(decide, refs, state)
            except Refusal:
                if earlier := self.replayed(once):
                    return earlier
                raise
            if isinstance(decision, Answered):
                if earlier := self.replayed(once):
                    return earlier
                return Committed(self.entry(once.tenant, decision.entry_id), replayed=False)
            result = self._commit(decision, delivery)
            if result.outcome is Outcome.UNKNOWN:
                ours.add(decision.entry.hash)
            if result.outcome is Outcome.APPLIED:
                self._remember(once.tenant, decision)
                return Committed(decision.entry, replayed=False)
            self._forget(refs)
            if stored := self._stored(result, once):
                # Our own write, whose answer was lost on the way, is no replay.
                if stored.hash in ours and stored.fingerprint == once.fingerprint:
                    return Committed(stored, replayed=False)
                return _replay(stored, once)
            state = _next_state(refs, state, result)
        raise _given_up(result)

    def load(self, refs: Sequence[Ref]) -> State:
        """The records, from memory where this environment wrote them last, else consistently."""
        known = {ref.key: self._known[ref.key] for ref in refs if ref.key in self._known}
        found = self._read([ref.key for ref in refs if ref.key not in known])
        records = tuple(known.get(ref.key) or _record(ref, found) for ref in refs)
        return State(records, proven=not known and len(refs) == 1)

    def prove(self, refs: Sequence[Ref]) -> State:
        """The records as they all are at one instant."""
        wanted = [ref.key for ref in refs]
        found = snapshot(self.client, self.table, wanted, back_off=self._back_off)
        return State(tuple(_record(ref, found) for ref in refs), proven=True)

    def read(self, ref: Ref) -> Any:
        """One record, consistently."""
        return _record(ref, self._read([ref.key]))

    def recall(self, once: Once) -> Entry | None:
        """The entry that an earlier delivery of this request wrote, if one did.

        Raises:
            IdempotencyKeyReused: The key was used for a request that moved no money.
        """
        item = self._entry_at(keys.entry(once.tenant, once.entry_id))
        return None if item is None else _own_entry(item)

    def entry(self, tenant: Tenant, entry_id: str) -> Entry:
        """The entry of this id.

        Raises:
            EntryNotFound: There is none.
        """
        item = self._entry_at(keys.entry(tenant, entry_id))
        if item is None or not items.is_entry(item):
            raise EntryNotFound()
        return items.to_entry(item)

    def insert(self, record: Record, *, once: Once) -> tuple[Record, bool]:
        """Put a new record that moves no money, and return it and False.

        If an earlier delivery put one, return that and True. A receipt in the entry's place uses
        the request's key up, as an entry would.

        Raises:
            IdempotencyKeyReused: The key was used for another request.
            Unavailable: The table does not answer; the same request may be sent again.
        """
        transaction = Transaction(self.table, delivery=self.delivery())
        transaction.put(items.receipt_to_item(once)[1], read_version=0)
        key, item = items.to_item(once.tenant, record)
        transaction.put(item, read_version=0)
        for attempt in range(ATTEMPTS_MAX):
            if attempt:
                self._back_off(attempt)
            result = transaction.commit(self.client)
            if result.outcome is Outcome.APPLIED:
                return record, False
            if receipt := result.failed.get(0):
                _require_same(receipt, once)
            elif result.outcome is not Outcome.UNKNOWN or not self.seen(once):
                continue
            stored = items.to_record(self._read([key])[key])
            # After a lost answer the one that is there may be this very one.
            told_at_once = attempt == 0 and receipt is not None
            return stored, told_at_once or stored != record
        raise Unavailable()

    def settle(self, tenant: Tenant, entries: Sequence[Entry], change: Change) -> bool:
        """Write what time alone did, if the record is unchanged. False: somebody was faster."""
        key, item = items.to_item(tenant, change.after)
        self._known.pop(key, None)
        transaction = Transaction(self.table, delivery=self.delivery())
        for entry in entries:
            transaction.put(items.entry_to_item(entry)[1], read_version=0)
        transaction.put(item, read_version=change.read_version)
        return transaction.commit(self.client).outcome is Outcome.APPLIED

    def seen(self, once: Once) -> bool:
        """Whether this request was delivered before and has had its effect.

        Raises:
            IdempotencyKeyReused: The key was used for another request.
        """
        item = self._entry_at(keys.entry(once.tenant, once.entry_id))
        if item is not None:
            _require_same(item, once)
        return item is not None

    def replayed(self, once: Once) -> Committed | None:
        """The answer of an earlier delivery of this request, if there was one.

        Raises:
            IdempotencyKeyReused: The key was used for another request.
        """
        first = self.recall(once)
        return None if first is None else _replay(first, once)

    def _decided(self, decide: Decide, refs: Sequence[Ref], state: State) -> tuple[State, Decision]:
        try:
            return state, decide(*state.records)
        except (Refusal, InvariantBroken, AssertionError):
            # Records of different instants need not fit: what they break may not be broken.
            if state.proven:
                raise
        state = self.prove(refs)
        return state, decide(*state.records)

    def _commit(self, journal: Journal, delivery: str) -> Result:
        transaction = Transaction(self.table, delivery=delivery)
        for entry in (journal.entry, *journal.others):
            _, item = items.entry_to_item(entry)
            transaction.put(item, read_version=0)
        for change in journal.changes:
            _, item = items.to_item(journal.entry.tenant, change.after)
            transaction.put(item, read_version=change.read_version)
        return transaction.commit(self.client)

    def _stored(self, result: Result, once: Once) -> Entry | None:
        """The entry of this request that is there already, if the result shows or hides one."""
        if result.outcome is Outcome.UNKNOWN:
            return self.recall(once)
        item = result.failed.get(0)
        return None if item is None else _own_entry(item)

    def _remember(self, tenant: Tenant, journal: Journal) -> None:
        for change in journal.changes:
            key = items.key_of_record(tenant, change.after)
            self._known[key] = change.after
            self._known.move_to_end(key)
        while len(self._known) > KNOWN_MAX:
            self._known.popitem(last=False)

    def _forget(self, refs: Sequence[Ref]) -> None:
        for ref in refs:
            self._known.pop(ref.key, None)

    def _back_off(self, attempt: int) -> None:
        ceiling = min(PAUSE_CAP_SECONDS, PAUSE_BASE_SECONDS * 2**attempt)
        self.pause(self.jitter() * ceiling)

    def _entry_at(self, key: Key) -> Attributes | None:
        return self._read([key]).get(key)

    def _read(self, wanted: Sequence[Key]) -> Found:
        return read(self.client, self.table, wanted, back_off=self._back_off)


def _next_state(refs: Sequence[Ref], state: State, result: Result) -> State | None:
    """What to decide on next; None to read it again."""
    if result.outcome is Outcome.CONFLICT:
        return None
    if result.outcome is not Outcome.CONDITION_FAILED:
        # The same records give the same decision, so the same bytes under the same token.
        return state
    there = {key_of(item): item for item in result.failed.values() if item}
    known = {ref.key for ref in refs}
    if result.unchecked or len(there) < len(result.failed) or not there.keys() <= known:
        # Something was not compared, or is gone, or was to be new and is there: look again.
        return None
    records = tuple(
        items.to_record(there[ref.key]) if ref.key in there else record
        for ref, record in zip(refs, state.records, strict=True)
    )
    return State(records, proven=len(refs) == 1)


def _record(ref: Ref, found: Found) -> Record | None:
    item = found.get(ref.key)
    return ref.missing() if item is None else items.to_record(item)


def _given_up(result: Result) -> Refusal:
    """What to say when the last attempt came to nothing. The first step is always the entry."""
    if result.outcome in (Outcome.BUSY, Outcome.UNKNOWN):
        return Unavailable()
    return KeyInUse() if 0 in result.unchecked else Contention()


def _own_entry(item: Attributes) -> Entry:
    if not items.is_entry(item):
        raise IdempotencyKeyReused()
    return items.to_entry(item)


def _require_same(item: Attributes, once: Once) -> None:
    if item.get("fingerprint") != {"S": once.fingerprint}:
        raise IdempotencyKeyReused()


def _replay(first: Entry, once: Once) -> Committed:
    if first.fingerprint != once.fingerprint:
        raise IdempotencyKeyReused()
    return Committed(first, replayed=True)
