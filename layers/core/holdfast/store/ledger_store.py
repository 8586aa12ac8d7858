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
from itertools import batched
from secrets import token_hex
from typing import TYPE_CHECKING, Any, Protocol

from holdfast.domain.accounts import Tenant
from holdfast.domain.entries import Entry
from holdfast.domain.ledger import (
    Answered,
    Change,
    Decision,
    Deed,
    Journal,
    Record,
    Resolution,
    Unchanged,
)
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
from holdfast.store.items import Receipt
from holdfast.store.keys import Key
from holdfast.store.reading import ATTEMPTS_MAX, Found, key_of, read, snapshot
from holdfast.store.transaction import Outcome, Result, Transaction

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

PAUSE_BASE_SECONDS = 0.01
PAUSE_CAP_SECONDS = 0.32
KNOWN_MAX = 256
READ_AT_ONCE = 100
"""How many items DynamoDB reads in one batch."""


def _fresh() -> str:
    return token_hex(16)


@dataclass(frozen=True, slots=True)
class Ref:
    """A record by its key; `missing` stands in for one that is not there, or refuses."""

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


@dataclass(frozen=True, slots=True)
class Enacted:
    """The record that answers a request which moved no money, as it was when it was answered."""

    record: Any
    replayed: bool


class Decide(Protocol):
    """A rule, closed over its command. Pure: it may run any number of times."""

    def __call__(self, *records: Any) -> Decision: ...


class Enact(Protocol):
    """As `Decide`, where no money moves."""

    def __call__(self, *records: Any) -> Resolution: ...


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
        answer, replayed = self._carry_out(decide, refs, once)
        if isinstance(answer, Answered):
            return Committed(self.entry(once.tenant, answer.entry_id), replayed)
        if not isinstance(answer, Entry):
            raise IdempotencyKeyReused()
        return Committed(answer, replayed)

    def enact(self, decide: Enact, refs: Sequence[Ref], *, once: Once) -> Enacted:
        """As `change`, for a rule that moves no money: a receipt stands in the entry's place.

        Raises:
            As `change`.
        """
        answer, replayed = self._carry_out(decide, refs, once)
        if isinstance(answer, Unchanged):
            return Enacted(answer.answer, replayed)
        if not isinstance(answer, Receipt):
            raise IdempotencyKeyReused()
        return Enacted(answer.answer, replayed)

    def _carry_out(
        self, decide: Decide | Enact, refs: Sequence[Ref], once: Once
    ) -> tuple[Entry | Receipt | Answered | Unchanged, bool]:
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
                if earlier := self._earlier(once):
                    return earlier, True
                raise
            if isinstance(decision, Answered | Unchanged):
                if earlier := self._earlier(once):
                    return earlier, True
                return decision, False
            first = self._first_of(decision, once, delivery)
            result = self._commit(first, decision, once, delivery)
            if result.outcome is Outcome.UNKNOWN:
                ours.add(_mark(first))
            if result.outcome is Outcome.APPLIED:
                self._remember(once.tenant, decision.changes)
                return first, False
            self._forget(refs)
            if stored := self._stored(result, once):
                # Our own write, whose answer was lost on the way, is no replay.
                if stored.fingerprint != once.fingerprint:
                    raise IdempotencyKeyReused()
                return stored, _mark(stored) not in ours
            state = _next_state(refs, state, result, _compared(decision, once))
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
        return self.read_all([ref])[0]

    def read_all(self, refs: Sequence[Ref]) -> list[Any]:
        """Any number of records, each consistently and at its own instant, never from memory."""
        found: Found = {}
        for some in batched(refs, READ_AT_ONCE, strict=False):
            found |= self._read([ref.key for ref in some])
        return [_record(ref, found) for ref in refs]

    def entry(self, tenant: Tenant, entry_id: str) -> Entry:
        """The entry of this id.

        Raises:
            EntryNotFound: There is none.
        """
        item = self._entry_at(keys.entry(tenant, entry_id))
        if item is None or not items.is_entry(item):
            raise EntryNotFound()
        return items.to_entry(item)

    def settle(self, tenant: Tenant, entries: Sequence[Entry], *changes: Change) -> bool:
        """Write what time alone did, if the records are unchanged. False: somebody was faster."""
        transaction = Transaction(self.table, delivery=self.delivery())
        for entry in entries:
            transaction.put(items.entry_to_item(entry)[1], read_version=0)
        for change in changes:
            key, item = items.to_item(tenant, change.after)
            self._known.pop(key, None)
            transaction.put(item, read_version=change.read_version)
        return transaction.commit(self.client).outcome is Outcome.APPLIED

    def replayed(self, once: Once) -> Committed | None:
        """The entry that an earlier delivery of this request wrote, if there was one.

        Raises:
            IdempotencyKeyReused: The key was used for another request.
        """
        earlier = self._earlier(once)
        if earlier is None:
            return None
        if not isinstance(earlier, Entry):
            raise IdempotencyKeyReused()
        return Committed(earlier, replayed=True)

    def reenacted(self, once: Once) -> Enacted | None:
        """What an earlier delivery of this request was answered, if it moved no money.

        Raises:
            IdempotencyKeyReused: The key was used for another request.
        """
        earlier = self._earlier(once)
        if earlier is None:
            return None
        if not isinstance(earlier, Receipt):
            raise IdempotencyKeyReused()
        return Enacted(earlier.answer, replayed=True)

    def replayed_or_reenacted(self, once: Once) -> bool:
        """Whether an earlier delivery of this request was answered, money or not.

        Raises:
            IdempotencyKeyReused: The key was used for another request.
        """
        return self._earlier(once) is not None

    def _earlier(self, once: Once) -> Entry | Receipt | None:
        earlier = self._recall(once)
        if earlier is not None and earlier.fingerprint != once.fingerprint:
            raise IdempotencyKeyReused()
        return earlier

    def _recall(self, once: Once) -> Entry | Receipt | None:
        item = self._entry_at(keys.entry(once.tenant, once.entry_id))
        return None if item is None else _written(item)

    def _decided(
        self, decide: Decide | Enact, refs: Sequence[Ref], state: State
    ) -> tuple[State, Decision | Resolution]:
        try:
            decision = decide(*state.records)
        except (Refusal, InvariantBroken, AssertionError):
            # Records of different instants need not fit: what they break may not be broken.
            if state.proven:
                raise
        else:
            # Nothing to write is nothing to compare either.
            if state.proven or isinstance(decision, Journal | Deed):
                return state, decision
        state = self.prove(refs)
        return state, decide(*state.records)

    def _first_of(self, decision: Journal | Deed, once: Once, delivery: str) -> Entry | Receipt:
        """What stands at the request's own key: it makes the second delivery a no-op."""
        if isinstance(decision, Journal):
            return decision.entry
        return Receipt(once.fingerprint, delivery, decision.answer)

    def _commit(
        self, first: Entry | Receipt, decision: Journal | Deed, once: Once, delivery: str
    ) -> Result:
        transaction = Transaction(self.table, delivery=delivery)
        if isinstance(first, Receipt):
            transaction.put(items.receipt_to_item(once, first), read_version=0)
        else:
            transaction.put(items.entry_to_item(first)[1], read_version=0)
        if isinstance(decision, Journal):
            for entry in decision.others:
                transaction.put(items.entry_to_item(entry)[1], read_version=0)
        for change in decision.changes:
            _, item = items.to_item(once.tenant, change.after)
            transaction.put(item, read_version=change.read_version)
        for record in decision.relied_on:
            key = items.key_of_record(once.tenant, record)
            transaction.check(key, read_version=record.version)
        return transaction.commit(self.client)

    def _stored(self, result: Result, once: Once) -> Entry | Receipt | None:
        """What stands at this request's key already, if the result shows or hides something."""
        if result.outcome is Outcome.UNKNOWN:
            return self._recall(once)
        item = result.failed.get(0)
        return None if item is None else _written(item)

    def _remember(self, tenant: Tenant, changes: Sequence[Change]) -> None:
        for change in changes:
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


def _compared(decision: Journal | Deed, once: Once) -> set[Key]:
    """The records that a commit compares with what is there."""
    records = (*(change.after for change in decision.changes), *decision.relied_on)
    return {items.key_of_record(once.tenant, record) for record in records}


def _next_state(
    refs: Sequence[Ref], state: State, result: Result, compared: set[Key]
) -> State | None:
    """What to decide on next; None to read it again."""
    if result.outcome is Outcome.CONFLICT:
        return None
    if result.outcome is not Outcome.CONDITION_FAILED:
        # The same records give the same decision, so the same bytes under the same token.
        return state
    there = {key_of(item): item for item in result.failed.values() if item}
    known = {ref.key for ref in refs}
    whole = not result.unchecked and len(there) == len(result.failed) and known <= compared
    if not whole or not there.keys() <= known:
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


def _written(item: Attributes) -> Entry | Receipt:
    return items.to_entry(item) if items.is_entry(item) else items.to_receipt(item)


def _mark(first: Entry | Receipt) -> str:
    """What tells the writes of two deliveries apart."""
    return first.hash if isinstance(first, Entry) else first.delivery
