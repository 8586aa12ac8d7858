from dataclasses import replace
from datetime import timedelta
from functools import partial
from itertools import pairwise

import pytest

from holdfast.domain import wallet as rules
from holdfast.domain.accounts import Tenant
from holdfast.domain.clock import Instant
from holdfast.domain.due import WALLET, Due
from holdfast.domain.holds import Hold, Job, new_id
from holdfast.domain.ledger import Wallet
from holdfast.errors import Unavailable
from holdfast.store import items, keys, pages
from holdfast.store.ledger_store import LedgerStore
from tests.domain.samples import (
    ACCOUNT_ID,
    HOUR,
    MILLISECOND,
    NOW,
    TENANT,
    credit,
    hold,
    once,
    wallet,
)
from tests.simulator.client import Simulator
from tests.simulator.faults import THROTTLED
from tests.store.ledger import Environment, another, opened, wallet_of

OTHER = Tenant("acme", "test")


def put(simulator: Simulator, record, *, tenant: Tenant = TENANT) -> None:
    simulator.put_item(TableName="holdfast", Item=items.to_item(tenant, record)[1])


def with_entries(number: int) -> Environment:
    """A wallet with so many entries, the first of them number 1."""
    here = opened()
    for seq in range(2, number + 1):
        here.deposit(1, f"deposit {seq}")
    return here


def numbers(store: LedgerStore, of: Wallet, *, up_to: int, limit: int) -> list[int]:
    return [entry.seq for entry in pages.statement(store, of, up_to=up_to, limit=limit)]


@pytest.mark.parametrize(
    ("up_to", "limit", "found"),
    [
        (5, 10, [5, 4, 3, 2, 1]),
        (5, 5, [5, 4, 3, 2, 1]),
        (5, 4, [5, 4, 3, 2]),
        (5, 1, [5]),
        (4, 2, [4, 3]),
        (2, 5, [2, 1]),
        (1, 5, [1]),
        (0, 5, []),
        (-1, 5, []),
        (5, 0, []),
    ],
)
def test_a_page_of_a_statement_goes_down_from_a_number(up_to, limit, found):
    here = with_entries(5)

    assert numbers(here.store, wallet_of(here.simulator), up_to=up_to, limit=limit) == found


def test_pages_part_a_statement_without_a_gap_or_an_entry_twice():
    here = with_entries(7)
    of = wallet_of(here.simulator)

    for size in (1, 2, 3, 6, 7, 8):
        found: list[int] = []
        while len(found) < 7:
            found += numbers(here.store, of, up_to=7 - len(found), limit=size)
        assert found == [7, 6, 5, 4, 3, 2, 1]


# An entry and its wallet are two writes: from the second on, the entry is behind.
@pytest.mark.parametrize("lag", [2, 3, 4])
def test_a_statement_is_asked_again_until_the_index_has_caught_up(lag):
    here = Environment(Simulator(index_lag=lag))
    here.deposit(1, "a")
    here.deposit(1, "b")
    pauses: list[float] = []

    def catch_up(seconds: float) -> None:
        pauses.append(seconds)
        here.simulator.settle()

    here.store.pause = catch_up

    assert numbers(here.store, wallet_of(here.simulator), up_to=2, limit=5) == [2, 1]
    assert pauses == [pages.INDEX_PAUSE_SECONDS]


def test_a_statement_with_a_gap_is_never_handed_out():
    here = Environment(Simulator(index_lag=2))
    here.deposit(1, "a")
    here.deposit(1, "b")

    with pytest.raises(Unavailable):
        pages.statement(here.store, wallet_of(here.simulator), up_to=2, limit=5)

    assert len(here.pauses) == pages.INDEX_ATTEMPTS_MAX - 1
    assert sum(here.pauses) < 1


def test_a_lag_of_what_is_not_on_the_page_is_nobodys_business():
    here = Environment(Simulator())
    here.deposit(1, "a")
    here.simulator.index_lag = 2
    here.deposit(1, "b")

    assert numbers(here.store, wallet_of(here.simulator), up_to=1, limit=5) == [1]
    assert here.pauses == []


LARGE = {"notes": "x" * 30_000}


def test_a_page_that_is_larger_than_one_answer_is_read_to_its_end():
    # Entries of a wallet with many lots carry tens of kilobytes: 100 are more than one megabyte.
    here = opened()
    for number in range(60):
        asked = once(f"large {number}")
        deposit = partial(rules.deposit, once=asked, amount_micros=1, details=LARGE)
        here.change(deposit, asked)

    found = numbers(here.store, wallet_of(here.simulator), up_to=61, limit=100)

    assert found == list(range(61, 0, -1))
    assert here.pauses == []


def test_a_statement_is_walked_page_by_page():
    here = with_entries(250)
    of = wallet_of(here.simulator)

    with here.simulator.measure() as used:
        first = next(iter(pages.walk_statement(here.store, of, up_to=250, first=3)))
    assert (first.seq, used.calls) == (250, 1)
    for size in (1, 100, 101, 1000):
        walk = pages.walk_statement(here.store, of, up_to=250, first=size)
        assert [entry.seq for entry in walk] == list(range(250, 0, -1))


def test_a_statement_has_entries_of_its_own_wallet_only():
    here = with_entries(3)
    of = wallet_of(here.simulator)

    for other in (
        Wallet(tenant=OTHER, account_id=ACCOUNT_ID, currency="usd"),
        Wallet(tenant=TENANT, account_id=ACCOUNT_ID, currency="eur"),
        Wallet(tenant=TENANT, account_id=f"acct_{'b' * 26}", currency="usd"),
    ):
        with pytest.raises(Unavailable):
            pages.statement(here.store, other, up_to=3, limit=3)
    assert numbers(here.store, of, up_to=3, limit=3) == [3, 2, 1]


def test_wallets_are_listed_by_currency_and_nothing_else_is():
    here = Environment(Simulator())
    usd, eur = wallet(cash=5), wallet(cash=7, currency="eur")
    for record in (usd, eur, hold(5)):
        put(here.simulator, record)
    put(here.simulator, replace(wallet(cash=9, currency="jpy"), tenant=OTHER))

    assert pages.wallets(here.store, TENANT, ACCOUNT_ID) == [eur, usd]
    assert pages.wallets(here.store, TENANT, f"acct_{'b' * 26}") == []


def placed(number: int, *, job: Job | None = None, tenant: Tenant = TENANT) -> Hold:
    """A hold that was placed `number` seconds from now."""
    at = NOW + timedelta(seconds=number)
    return Hold(
        id=new_id(once(f"hold {number}", now=at), "usd"),
        account_id=ACCOUNT_ID,
        currency="usd",
        amount_micros=5,
        draws=(),
        expires_at=at + HOUR,
        created_at=at,
        job=job,
        version=1,
    )


def listed(store: LedgerStore, **bounds: str) -> list[str]:
    return [each.id for each in pages.holds(store, TENANT, ACCOUNT_ID, **bounds)]


@pytest.mark.parametrize(
    ("before", "since", "found"),
    [
        (None, None, [4, 3, 2, 1, 0]),
        (4, None, [3, 2, 1, 0]),
        (1, None, [0]),
        (0, None, []),
        (None, 0, [4, 3, 2, 1, 0]),
        (None, 3, [4, 3]),
        (None, 4, [4]),
        (4, 1, [3, 2, 1]),
        (4, 3, [3]),
        (2, 2, []),
    ],
)
def test_holds_are_listed_newest_first_between_two_places(before, since, found):
    here = Environment(Simulator())
    holds = [placed(number) for number in range(5)]
    for each in (*holds, wallet()):
        put(here.simulator, each)
    bounds = {
        name: holds[number].id
        for name, number in (("before", before), ("since", since))
        if number is not None
    }

    assert listed(here.store, **bounds) == [holds[number].id for number in found]


def test_a_place_of_a_hold_that_is_gone_or_never_was_is_a_place_all_the_same():
    here = Environment(Simulator())
    for number in (0, 1, 3):
        put(here.simulator, placed(number))

    assert listed(here.store, before=placed(2).id) == [placed(1).id, placed(0).id]
    assert listed(here.store, since=placed(2).id) == [placed(3).id]


def test_thousands_of_holds_are_read_as_they_are_asked_for():
    here = Environment(Simulator())
    holds = [placed(number) for number in range(2_500)]
    for each in holds:
        put(here.simulator, each)

    found = listed(here.store)
    with here.simulator.measure() as used:
        some = pages.holds(here.store, TENANT, ACCOUNT_ID)
        first = [next(some) for _ in range(100)]

    assert found == [each.id for each in reversed(holds)]
    assert (len(first), used.calls) == (100, 1)


def test_holds_of_another_tenant_are_not_listed():
    here = Environment(Simulator())
    put(here.simulator, placed(1), tenant=OTHER)

    assert listed(here.store) == []


JOB = Job(job_id="job-1", quote_id="quote_1", provider="braket", device="qpu", shots=1)


def test_only_holds_of_jobs_are_listed_as_jobs():
    here = Environment(Simulator())
    with_job = [placed(number, job=JOB) for number in (1, 3, 5)]
    for each in (*with_job, placed(2), placed(4)):
        put(here.simulator, each)

    found = list(pages.jobs(here.store, TENANT, ACCOUNT_ID))
    rest = list(pages.jobs(here.store, TENANT, ACCOUNT_ID, before=pages.job_place(with_job[1])))

    assert found == with_job[::-1]
    assert rest == with_job[:1]
    assert list(pages.jobs(here.store, OTHER, ACCOUNT_ID)) == []


def due_wallet(due_at: Instant | None, *, account_id: str = ACCOUNT_ID) -> Wallet:
    made = wallet(credit("gift", 5, until=due_at))
    return Wallet(
        tenant=TENANT, account_id=account_id, currency="usd", version=1, seq=1, lots=made.lots
    )


def due(store: LedgerStore, now: Instant) -> list[Due]:
    return [each for shard in range(keys.DUE_SHARDS) for each in pages.due(store, shard, now=now)]


@pytest.mark.parametrize(
    ("since_due", "claim"),
    [(-MILLISECOND, False), (timedelta(0), True), (MILLISECOND, True), (HOUR, True)],
    ids=["a moment before", "at the instant", "a moment after", "an hour after"],
)
def test_a_wallet_is_due_at_its_instant(since_due, claim):
    here = Environment(Simulator())
    put(here.simulator, due_wallet(NOW))

    found = due(here.store, NOW + since_due)

    assert found == ([Due(WALLET, TENANT, ACCOUNT_ID, "usd")] if claim else [])


def test_a_wallet_in_which_nothing_expires_is_never_due():
    here = Environment(Simulator())
    put(here.simulator, due_wallet(None))

    assert due(here.store, NOW + timedelta(days=9999)) == []


def test_a_wallet_that_was_settled_is_no_longer_due():
    here = Environment(Simulator())
    put(here.simulator, due_wallet(NOW))
    put(here.simulator, due_wallet(NOW + HOUR))

    assert due(here.store, NOW) == []
    assert len(due(here.store, NOW + HOUR)) == 1


def test_what_is_due_longest_comes_first_and_at_most_a_thousand_at_once():
    here = Environment(Simulator())
    accounts = [name for name in (f"acct_{n}" for n in range(20_000)) if in_shard_0(name)]
    assert len(accounts) > 1_001
    for age, account_id in enumerate(accounts[:1_001]):
        put(here.simulator, due_wallet(NOW - age * MILLISECOND, account_id=account_id))

    found = [each.account_id for each in pages.due(here.store, 0, now=NOW)]

    # The youngest, number 0, is left for the next time.
    assert found == accounts[1_000:0:-1]


def in_shard_0(account_id: str) -> bool:
    return keys.due(TENANT, account_id, "usd", NOW)["gsi2pk"] == keys.due_shard(0)


def test_a_list_says_when_the_table_does_not_answer():
    here = opened()
    here.simulator.faults = lambda number, method: THROTTLED
    reads = [
        lambda: pages.statement(here.store, wallet_of(here.simulator), up_to=1, limit=1),
        lambda: pages.wallets(here.store, TENANT, ACCOUNT_ID),
        lambda: list(pages.holds(here.store, TENANT, ACCOUNT_ID)),
        lambda: list(pages.jobs(here.store, TENANT, ACCOUNT_ID)),
        lambda: pages.due(here.store, 0, now=NOW),
    ]

    for read in reads:
        with pytest.raises(Unavailable):
            read()


def test_new_records_do_not_move_the_pages_that_come_after_them():
    here = Environment(Simulator())
    for number in range(4):
        put(here.simulator, placed(number))
    first = listed(here.store)[:2]

    put(here.simulator, placed(9))
    rest = listed(here.store, before=first[-1])

    assert first + rest == [placed(number).id for number in (3, 2, 1, 0)]
    assert all(one > other for one, other in pairwise(first + rest))
    assert another(here).store.table == here.store.table
