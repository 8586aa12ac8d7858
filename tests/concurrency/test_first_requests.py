"""What is given once is given once: to a new user, to start with, or taken back, whoever asks."""

from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest

from holdfast import audit
from holdfast.domain.accounts import INTRODUCTORY_CREDIT_MICROS, Account, Tenant, owner_of
from holdfast.domain.credits import STARTER_CREDIT_MICROS
from holdfast.domain.entries import Entry
from holdfast.domain.once import Once
from holdfast.domain.payment_methods import PaymentMethod
from holdfast.errors import GrantVoided, KeyInUse, StarterCreditGranted, Unavailable
from holdfast.services import credits as credit
from holdfast.services import holds, wallet
from holdfast.services.credits import GrantTerms
from holdfast.services.holds import HoldTerms
from holdfast.store import items
from holdfast.store.ledger_store import LedgerStore
from tests.concurrency.crowds import Books, books_of
from tests.concurrency.turns import Request, Told, Turns
from tests.domain.samples import HOUR, NOW
from tests.simulator.faults import RandomFaults
from tests.simulator.tables import ledger_table

ACME = Tenant("acme", "live")
ALICE = owner_of(ACME, "acme/alice")
MANY = 20
CENT = 10_000
SEEDS = range(5)

type Ask = Callable[[LedgerStore, Once], Any]


def deposit(store: LedgerStore, once: Once) -> Any:
    return wallet.deposit(store, ALICE, amount_micros=CENT, currency="usd", once=once)


def place(store: LedgerStore, once: Once) -> Any:
    terms = HoldTerms(expires_in=HOUR)
    return holds.place_hold(
        store, ALICE, amount_micros=CENT, currency="usd", terms=terms, once=once
    )


def grant(store: LedgerStore, once: Once) -> Any:
    terms = GrantTerms(name="welcome")
    return credit.grant(store, ALICE, amount_micros=CENT, currency="usd", terms=terms, once=once)


def use(store: LedgerStore, once: Once) -> Any:
    return wallet.use(store, ALICE, amount_micros=CENT, currency="usd", once=once)


def use_euros(store: LedgerStore, once: Once) -> Any:
    return wallet.use(store, ALICE, amount_micros=CENT, currency="eur", once=once)


def start(store: LedgerStore, once: Once) -> Any:
    return credit.grant_starter(store, ALICE, once=once)


def look(store: LedgerStore, once: Once) -> Any:
    return wallet.wallet(store, ALICE, "usd", now=once.now, own=True)


FIRSTS: tuple[Ask, ...] = (deposit, place, grant, use, use_euros, start, look)


def with_card(turns: Turns) -> Turns:
    """The starter credit needs a payment method on file."""
    turns.simulator.put_item(TableName="holdfast", Item=card())
    return turns


def card() -> Any:
    method = PaymentMethod(
        account_id=ALICE.account_id,
        id="pm_1",
        brand="visa",
        last4="4242",
        exp_month=12,
        exp_year=2030,
        created_at=NOW,
        version=1,
    )
    return items.to_item(ACME, method)[1]


def requests(asks: Sequence[Ask], *, keys: int = MANY) -> list[Request]:
    """Twenty requests that ask this in turn, under so many keys."""
    return [Request(f"key-{n % keys}", asks[n % len(asks)]) for n in range(MANY)]


def of_type(found: list[Entry], type_: str) -> list[Entry]:
    return [entry for entry in found if entry.type == type_]


def entries_of(turns: Turns) -> list[Entry]:
    return [items.to_entry(item) for item in turns.simulator.items() if items.is_entry(item)]


@pytest.mark.parametrize("faulty", [False, True], ids=["calm", "faulty"])
@pytest.mark.parametrize("seed", SEEDS)
def test_the_first_requests_of_a_new_user_make_one_account_with_one_first_credit(seed, faulty):
    turns = with_card(Turns())
    faults = RandomFaults(seed, rate=0.02) if faulty else None

    told = turns.serve(requests(FIRSTS), seed=seed, environments=MANY, faults=faults)

    found = turns.simulator.items()
    (introduced,) = of_type(entries_of(turns), "introductory_credit")
    records = [items.to_record(item) for item in found if item["sk"]["S"] != "ENTRY"]
    assert introduced.amount_micros == INTRODUCTORY_CREDIT_MICROS
    assert sum(isinstance(record, Account) for record in records) == 1
    # Three askings for the starter credit, one of which was heard; all others got what they asked.
    assert Counter(type(one.refused) for one in told if one.refused) == {StarterCreditGranted: 2}
    assert len(of_type(entries_of(turns), "deposit")) == sum(
        request.ask is deposit for request in requests(FIRSTS)
    )
    assert audit.audit_items(found) == []


@pytest.mark.parametrize("ask", FIRSTS, ids=lambda ask: ask.__name__)
def test_twenty_times_the_same_first_request_make_one_account(ask):
    turns = with_card(Turns())

    turns.serve(requests([ask]), seed=7, environments=MANY, faults=None)

    assert len(of_type(entries_of(turns), "introductory_credit")) == 1


@pytest.mark.parametrize("faulty", [False, True], ids=["calm", "faulty"])
@pytest.mark.parametrize(("keys", "refused"), [(MANY, MANY - 1), (1, 0)], ids=["own", "the same"])
@pytest.mark.parametrize("seed", SEEDS)
def test_of_twenty_starter_credits_at_once_one_is_given(seed, keys, refused, faulty):
    turns = with_card(Turns())
    faults = RandomFaults(seed, rate=0.02) if faulty else None

    told = turns.serve(requests([start], keys=keys), seed=seed, environments=MANY, faults=faults)

    (given,) = of_type(entries_of(turns), "starter_credit")
    assert given.amount_micros == STARTER_CREDIT_MICROS
    assert sum(isinstance(one.refused, StarterCreditGranted) for one in told) == refused
    # Whoever was not refused was told of the same entry.
    answers = [one.answer.entry.id for one in told if one.refused is None]
    assert answers == [given.id] * (MANY - refused)
    books: Books = books_of(turns.simulator.items())
    assert books.wallet.posted_micros == INTRODUCTORY_CREDIT_MICROS + STARTER_CREDIT_MICROS
    assert audit.audit_items(books.items) == []


@pytest.mark.parametrize("faulty", [False, True], ids=["calm", "faulty"])
@pytest.mark.parametrize("seed", SEEDS)
def test_of_twenty_voids_at_once_one_takes_it_back(seed, faulty):
    turns = Turns()
    turns.serve([Request("gift", grant)], seed=0, environments=1, faults=None)
    (given,) = of_type(entries_of(turns), "credit_grant")
    assert given.reference is not None

    def void(store: LedgerStore, once: Once) -> Any:
        return credit.void(store, ACME, grant_id=str(given.reference), once=once)

    faults = RandomFaults(seed, rate=0.02) if faulty else None
    told: list[Told] = turns.serve(requests([void]), seed=seed, environments=MANY, faults=faults)

    (taken,) = of_type(entries_of(turns), "credit_void")
    assert taken.amount_micros == CENT
    assert sum(isinstance(one.refused, GrantVoided) for one in told) == MANY - 1
    books = books_of(turns.simulator.items())
    assert books.wallet.posted_micros == INTRODUCTORY_CREDIT_MICROS


def at_once(client: Any, table: str, ask: Ask, *, keys: int) -> list[Any]:
    """Twenty environments on a real server, all at the same moment."""
    together = Barrier(MANY)

    def insist(number: int) -> Any:
        store = LedgerStore(client, table)
        once = Once(tenant=ACME, caller="shop", key=f"{number % keys}", fingerprint="f", now=NOW)
        together.wait(30)
        for _ in range(50):
            try:
                return ask(store, once)
            except (KeyInUse, Unavailable):
                continue
            except StarterCreditGranted as refused:
                return refused
        raise AssertionError("no definite answer")

    with ThreadPoolExecutor(MANY) as pool:
        return list(pool.map(insist, range(MANY)))


@pytest.mark.parametrize("keys", [MANY, 1], ids=["own", "the same"])
def test_on_a_real_server_one_of_twenty_starter_credits_is_given(client, keys):
    table = f"starters-{keys}"
    client.create_table(**ledger_table(table))
    client.put_item(TableName=table, Item=card())

    told = at_once(client, table, start, keys=keys)

    found = client.scan(TableName=table, ConsistentRead=True)["Items"]
    types = Counter(items.to_entry(item).type for item in found if items.is_entry(item))
    assert types == {"introductory_credit": 1, "starter_credit": 1}
    refused = [each for each in told if isinstance(each, StarterCreditGranted)]
    assert len(refused) == (MANY - 1 if keys == MANY else 0)
    assert audit.audit_items(found) == []
