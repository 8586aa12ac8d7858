"""The ledger on one DynamoDB table: records are read, decided on, and written whole or not at all.

`LedgerStore.change` is the only loop of the ledger. It starts from the state at hand, lets a pure
rule decide, and commits one transaction in which the entry is the idempotency record: a lost race
brings the true state back in the failed condition, a second delivery brings the first entry back.
"""

import random
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from holdfast.domain.accounts import Tenant
from holdfast.domain.entries import Entry
from holdfast.domain.ledger import Answered, Change, Decision, Journal, Record
from holdfast.domain.once import Once
from holdfast.errors import (
    Contention,
    EntryNotFound,
    IdempotencyKeyReused,
    Refusal,
    Unavailable,
)
from holdfast.store import items, keys
from holdfast.store.attributes import Attributes
from holdfast.store.keys import Key
from holdfast.store.transaction import NOT_APPLIED, Outcome, Result, Transaction

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

ATTEMPTS_MAX = 6
PAUSE_BASE_SECONDS = 0.01
PAUSE_CAP_SECONDS = 0.32
KNOWN_MAX = 256


@dataclass(frozen=True, slots=True)
class Ref:
    """A record by its key; `missing` stands in for one that is not there, or refuses."""

    tenant: Tenant
    key: Key
    missing: Callable[[], Record | None]


@dataclass(frozen=True, slots=True)
class State:
    """Records as they were read, in the order of the refs. Not `fresh`: some are from memory."""

    records: tuple[Any, ...]
    fresh: bool


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

    `pause` sleeps for a number of seconds, `jitter` gives a number in [0, 1): tests set both.
    """

    client: "DynamoDBClient"
    table: str
    pause: Callable[[float], None] = time.sleep
    jitter: Callable[[], float] = random.random
    _known: OrderedDict[Key, Record] = field(default_factory=OrderedDict)

    def change(
        self, decide: Decide, refs: Sequence[Ref], *, once: Once, state: State | None = None
    ) -> Committed:
        """Decide on the records and commit; again from the true state when a race was lost.

        Raises:
            IdempotencyKeyReused: The key was used for another request.
            Contention: Six races in a row were lost.
            Unavailable: The table does not answer; the same request may be sent again.
            Refusal: Whatever `decide` refuses. Nothing was written.
        """
        ours: set[str] = set()
        outcome = Outcome.BUSY
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
            ours.add(decision.entry.hash)
            result = self._commit(decision)
            outcome = result.outcome
            if outcome is Outcome.APPLIED:
                self._remember(once.tenant, decision)
                return Committed(decision.entry, replayed=False)
            self._forget(refs)
            if stored := self._stored(result, once):
                # Our own write, whose answer was lost on the way, is no replay.
                if stored.hash in ours:
                    return Committed(stored, replayed=False)
                return _replay(stored, once)
            state = _next_state(refs, state, result)
        if outcome in (Outcome.BUSY, Outcome.UNKNOWN):
            raise Unavailable()
        raise Contention()

    def load(self, refs: Sequence[Ref], *, fresh: bool = False) -> State:
        """The records, from memory where this environment wrote them last, else consistently."""
        known = {} if fresh else {r.key: self._known[r.key] for r in refs if r.key in self._known}
        read = self._read([ref.key for ref in refs if ref.key not in known])
        records: list[Record | None] = []
        for ref in refs:
            if ref.key in known:
                records.append(known[ref.key])
            elif (item := read.get(ref.key)) is not None:
                records.append(items.to_record(item))
            else:
                records.append(ref.missing())
        return State(tuple(records), fresh=not known)

    def read(self, ref: Ref) -> Any:
        """One record, consistently."""
        return self.load([ref], fresh=True).records[0]

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

    def insert(self, record: Record, *, once: Once) -> Record:
        """Put a new record that moves no money; the one that an earlier delivery put, if one did.

        A receipt in the entry's place uses the request's key up, as an entry would.

        Raises:
            IdempotencyKeyReused: The key was used for another request.
            Unavailable: The table does not answer; the same request may be sent again.
        """
        transaction = Transaction(self.table)
        transaction.put(items.receipt_to_item(once)[1], read_version=0)
        key, item = items.to_item(once.tenant, record)
        transaction.put(item, read_version=0)
        for attempt in range(ATTEMPTS_MAX):
            if attempt:
                self._back_off(attempt)
            result = transaction.commit(self.client)
            if result.outcome is Outcome.APPLIED:
                return record
            if receipt := result.failed.get(0):
                if receipt.get("fingerprint") != {"S": once.fingerprint}:
                    raise IdempotencyKeyReused()
                return items.to_record(self._read([key])[key])
        raise Unavailable()

    def settle(self, tenant: Tenant, entries: Sequence[Entry], change: Change) -> bool:
        """Write what time alone did, if the record is unchanged. False: somebody was faster."""
        transaction = Transaction(self.table)
        for entry in entries:
            transaction.put(items.entry_to_item(entry)[1], read_version=0)
        transaction.put(items.to_item(tenant, change.after)[1], read_version=change.read_version)
        return transaction.commit(self.client).outcome is Outcome.APPLIED

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
        except Refusal:
            if state.fresh:
                raise
        # What this environment remembers may be old, and no refusal may rest on it.
        state = self.load(refs, fresh=True)
        return state, decide(*state.records)

    def _commit(self, journal: Journal) -> Result:
        transaction = Transaction(self.table)
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
            key, _ = items.to_item(tenant, change.after)
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

    def _read(self, wanted: Sequence[Key]) -> dict[Key, Attributes]:
        with unavailable():
            match wanted:
                case []:
                    return {}
                case [key]:
                    answer = self.client.get_item(
                        TableName=self.table, Key=_attributes(key), ConsistentRead=True
                    )
                    return {key: answer["Item"]} if "Item" in answer else {}
                case _:
                    return self._read_batch(wanted)

    def _read_batch(self, wanted: Sequence[Key]) -> dict[Key, Attributes]:
        found: dict[Key, Attributes] = {}
        request: Any = {
            self.table: {"Keys": [_attributes(key) for key in wanted], "ConsistentRead": True}
        }
        for attempt in range(ATTEMPTS_MAX):
            if attempt:
                self._back_off(attempt)
            answer = self.client.batch_get_item(RequestItems=request)
            for item in answer["Responses"].get(self.table, ()):
                found[_key(item)] = item
            request = answer.get("UnprocessedKeys")
            if not request:
                return found
        raise Unavailable()


def _next_state(refs: Sequence[Ref], state: State, result: Result) -> State | None:
    """What to decide on next; None to read it again."""
    if result.outcome is Outcome.CONFLICT:
        return None
    if result.outcome is not Outcome.CONDITION_FAILED:
        # The same records give the same decision, so the same bytes under the same token.
        return state
    there = {_key(item): item for item in result.failed.values() if item}
    if len(there) < len(result.failed) or not there.keys() <= {ref.key for ref in refs}:
        # Something that was read is gone, or what was to be new is there: look again.
        return None
    records = tuple(
        items.to_record(there[ref.key]) if ref.key in there else record
        for ref, record in zip(refs, state.records, strict=True)
    )
    return State(records, fresh=True)


def _own_entry(item: Attributes) -> Entry:
    if not items.is_entry(item):
        raise IdempotencyKeyReused()
    return items.to_entry(item)


def _replay(first: Entry, once: Once) -> Committed:
    if first.fingerprint != once.fingerprint:
        raise IdempotencyKeyReused()
    return Committed(first, replayed=True)


@contextmanager
def unavailable() -> Iterator[None]:
    """Say "try again" where the table did not answer, after the SDK's own retries."""
    try:
        yield
    except ClientError as error:
        if error.response["Error"]["Code"] in NOT_APPLIED:
            raise Unavailable() from error
        raise
    except BotoCoreError as error:
        raise Unavailable() from error


def _attributes(key: Key) -> dict[str, dict[str, str]]:
    return {"pk": {"S": key.pk}, "sk": {"S": key.sk}}


def _key(item: Attributes) -> Key:
    return Key(item["pk"]["S"], item["sk"]["S"])
