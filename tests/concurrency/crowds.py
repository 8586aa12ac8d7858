"""Crowds: many more holds than a wallet is good for, and what must be true after them."""

import json
import random
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from holdfast import audit, verify
from holdfast.domain import holds as words
from holdfast.domain.accounts import INTRODUCTORY_CREDIT_MICROS, Owner, Tenant, owner_of
from holdfast.domain.budgets import Budget
from holdfast.domain.clock import instant
from holdfast.domain.entries import HOLD, Entry, document
from holdfast.domain.holds import Hold
from holdfast.domain.ledger import Wallet
from holdfast.domain.once import Once
from holdfast.services import wallet as wallets
from holdfast.store import items
from holdfast.store.attributes import Attributes
from holdfast.store.ledger_store import LedgerStore
from tests.concurrency.environments import CALLER, Answer, Crowd, Fleet
from tests.simulator.tables import ledger_table

REQUESTS = 1000
GOOD_FOR = 100
CENT_MICROS = 10_000


@dataclass(frozen=True, slots=True)
class Books:
    """All there is of one account: as records, and as the items they were read from."""

    wallet: Wallet
    entries: list[Entry]
    holds: list[Hold]
    budgets: list[Budget]
    items: list[Attributes]

    def open_holds(self) -> list[Hold]:
        return [hold for hold in self.holds if hold.status == words.OPEN]

    def placed(self) -> list[Entry]:
        """The entries of holds that were placed, in their order."""
        return [entry for entry in self.entries if entry.type == HOLD]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one crowd."""

    crowd: Crowd
    answers: list[Answer]
    books: Books
    seconds: float

    @property
    def held_ids(self) -> set[str]:
        """The holds that clients were told of."""
        return {answer.hold_id for answer in self.answers if answer.hold_id is not None}

    @property
    def refusals(self) -> Counter[str]:
        return Counter(answer.refused for answer in self.answers if answer.refused is not None)

    @property
    def met(self) -> int:
        """How many of the holds had both their deliveries under way at the same moment."""
        by_key: defaultdict[str, list[Answer]] = defaultdict(list)
        for answer in self.answers:
            if answer.hold_id is not None:
                by_key[answer.key].append(answer)
        return sum(
            max(answer.began for answer in pair) < min(answer.ended for answer in pair)
            for pair in by_key.values()
            if len(pair) > 1
        )

    @property
    def told_alike(self) -> bool:
        """Whether all deliveries of a key were told of the same hold, or all of none."""
        told: defaultdict[str, set[str | None]] = defaultdict(set)
        for answer in self.answers:
            told[answer.key].add(answer.hold_id)
        return all(len(ids) == 1 for ids in told.values())

    @property
    def asked_again(self) -> int:
        """How often clients were told to come again."""
        return sum(answer.asked - 1 for answer in self.answers)


def crowd_of(
    client: Any, *, seed: int, good_for: int = GOOD_FOR, in_pairs: bool = False
) -> tuple[LedgerStore, Crowd]:
    """A table of its own, and in it a wallet that is good for just so many of the crowd's holds.

    The seed decides how much they want, and which money is there: credit, cash, and cash in lots.
    """
    draw = random.Random(seed)
    table = f"crowd-{seed}-{good_for}-{'pairs' if in_pairs else 'single'}"
    client.create_table(**ledger_table(table))
    store = LedgerStore(client, table)
    owner = owner_of(Tenant("acme", "live"), "acme/alice")
    # All together more than the credit that everybody begins with.
    amount_micros = draw.randint(1200, 6000) // good_for * CENT_MICROS
    fill(store, owner, good_for * amount_micros, draw)
    crowd = Crowd(
        table=table, owner=owner, amount_micros=amount_micros, seed=seed, in_pairs=in_pairs
    )
    return store, crowd


def thousand_holds(client: Any, fleet: Fleet, *, seed: int, in_pairs: bool = False) -> Outcome:
    """A thousand keys, each sent once, or by two processes at once. The seed deals them out."""
    store, crowd = crowd_of(client, seed=seed, in_pairs=in_pairs)
    keys = [f"request-{number}" for number in range(REQUESTS)]
    random.Random(seed).shuffle(keys)
    queues = _in_pairs(fleet, keys) if in_pairs else dealt(keys, fleet.environments)
    began = time.monotonic()
    answers = fleet.serve(crowd, queues)
    return outcome_of(store, crowd, answers, seconds=time.monotonic() - began)


def outcome_of(
    store: LedgerStore, crowd: Crowd, answers: Sequence[Answer], *, seconds: float
) -> Outcome:
    """The answers, and what is in the books after the last of them."""
    return Outcome(crowd, list(answers), books_of(_scanned(store)), seconds)


def problems_of(outcome: Outcome, *, good_for: int = GOOD_FOR) -> list[str]:
    """Every way in which it went wrong, in words."""
    wallet = outcome.books.wallet
    checks = {
        f"refusals: {dict(outcome.refusals)}": set(outcome.refusals) <= {"insufficient_funds"},
        f"{wallet.cash_micros} of cash is left": wallet.cash_micros == 0,
        f"lots are left with {wallet.lots}": not any(lot.remaining_micros for lot in wallet.lots),
    }
    wrong = [what for what, holds in checks.items() if not holds]
    return [*wrong, *problems_of_books(outcome, good_for=good_for)]


def problems_of_books(outcome: Outcome, *, good_for: int) -> list[str]:
    """What went wrong whatever it was that stood in the way of all but `good_for` of the holds."""
    books, crowd = outcome.books, outcome.crowd
    told = Counter(answer.hold_id for answer in outcome.answers if answer.hold_id is not None)
    deliveries = set(told.values()) or {0}
    open_holds, wallet = books.open_holds(), books.wallet
    held_micros = sum(hold.remaining_micros for hold in open_holds)
    seqs = [entry.seq for entry in books.entries]
    checks = {
        f"{len(told)} holds succeeded": len(told) == good_for,
        f"a hold was told {deliveries} times": len(deliveries) == 1,
        "holds told and holds there differ": set(told) == {hold.id for hold in open_holds},
        "entries and holds differ": sorted(told) == sorted(e.hold_id or "" for e in books.placed()),
        f"{held_micros} are in open holds": held_micros == good_for * crowd.amount_micros,
        f"{wallet.held_micros} are held": wallet.held_micros == held_micros,
        "the wallet was below zero": all(
            entry.balance_after_micros >= entry.held_after_micros for entry in books.entries
        ),
        f"numbers {seqs[:3]}..{seqs[-3:]}": seqs == list(range(1, wallet.seq + 1)),
    }
    wrong = [what for what, holds in checks.items() if not holds]
    # A check that shares nothing with the code that wrote the chain, and the product's own audit.
    report = verify.verify(map(_line, books.entries), head=wallet.head)
    return [*wrong, *map(str, report.broken), *map(str, audit.audit_items(books.items))]


def fill(store: LedgerStore, owner: Owner, total_micros: int, draw: random.Random) -> None:
    """Bring what can be spent to the total: the first credit, cash, and cash in lots."""
    now = instant(datetime.now(UTC))
    rest_cents = (total_micros - INTRODUCTORY_CREDIT_MICROS) // CENT_MICROS
    cuts = sorted(draw.sample(range(1, rest_cents), 3))
    parts = [end - start for start, end in zip([0, *cuts], [*cuts, rest_cents], strict=True)]
    for number, cents in enumerate(parts):
        once = Once(
            tenant=owner.tenant, caller=CALLER, key=f"fill {number}", fingerprint="f", now=now
        )
        wallets.deposit(
            store,
            owner,
            amount_micros=cents * CENT_MICROS,
            currency="usd",
            expires_in=timedelta(days=number) if number else None,
            once=once,
        )


def dealt(keys: Sequence[str], queues: int) -> list[Sequence[str]]:
    return [keys[number::queues] for number in range(queues)]


def _in_pairs(fleet: Fleet, keys: Sequence[str]) -> list[Sequence[str]]:
    """The same queue for an environment and for its partner in the next process."""
    queues = dealt(keys, fleet.environments // 2)
    pairs = [
        queues[first : first + fleet.threads] * 2 for first in range(0, len(queues), fleet.threads)
    ]
    return [queue for pair in pairs for queue in pair]


def books_of(found: Sequence[Attributes]) -> Books:
    """The books that these items are, of one account with one wallet."""
    entries = [items.to_entry(item) for item in found if items.is_entry(item)]
    records = [items.to_record(item) for item in found if item["sk"]["S"] != "ENTRY"]
    (wallet,) = (record for record in records if isinstance(record, Wallet))
    placed = [record for record in records if isinstance(record, Hold)]
    budgets = [record for record in records if isinstance(record, Budget)]
    in_order = sorted(entries, key=lambda entry: entry.seq)
    return Books(wallet, in_order, placed, budgets, list(found))


def _scanned(store: LedgerStore) -> list[Attributes]:
    """All items of the table, in one consistent scan: nothing is running any more."""
    found: list[Attributes] = []
    scan: dict[str, Any] = {"TableName": store.table, "ConsistentRead": True}
    while True:
        answer = store.client.scan(**scan)
        found += answer["Items"]
        if "LastEvaluatedKey" not in answer:
            return found
        scan["ExclusiveStartKey"] = answer["LastEvaluatedKey"]


def _line(entry: Entry) -> bytes:
    """The entry as `jq -cS` prints it in an export."""
    shown = {**document(entry), "hash": entry.hash}
    text = json.dumps(shown, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.encode()
