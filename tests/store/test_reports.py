"""What a reconciliation reads by itself: many entries, the last of a wallet, the newest report."""

from dataclasses import replace
from typing import Any

import pytest

from holdfast.domain.reconciliation import DIFFERENCES_KEPT
from holdfast.errors import Unavailable
from holdfast.store import items, reports
from holdfast.store.ledger_store import LedgerStore
from tests.domain.samples import TENANT
from tests.services.caller import Caller
from tests.simulator.capacity import item_size
from tests.simulator.client import Simulator
from tests.simulator.faults import PARTIAL, THROTTLED
from tests.store.report_records import REPORT


@pytest.fixture
def caller() -> Caller:
    made = Caller()
    for _ in range(120):
        made.use(1)
    return made


def ids(caller: Caller) -> list[str]:
    return [items.to_entry(item).id for item in caller.stored() if items.is_entry(item)]


def test_more_entries_than_one_call_reads_are_read(caller):
    wanted = ids(caller)

    found = reports.entries(caller.store, [(TENANT, each) for each in [*wanted, "ent_none"]])

    assert len(wanted) > 120
    assert found.keys() == set(wanted)
    assert {entry.id for entry in found.values()} == set(wanted)


def test_what_was_not_read_at_once_is_asked_for_again(caller):
    wanted = ids(caller)
    caller.simulator.faults = lambda number, method: PARTIAL if number % 2 else None

    found = reports.entries(caller.store, [(TENANT, each) for each in wanted])

    assert found.keys() == set(wanted)


def test_no_entries_are_no_call(caller):
    before = caller.simulator.call_count

    assert reports.entries(caller.store, []) == {}

    assert caller.simulator.call_count == before


def test_the_last_entry_of_a_wallet_has_its_number_and_its_hash(caller):
    wallet = caller.wallet(own=False)

    last = reports.last_entry(caller.store, wallet)

    assert last is not None
    assert (last.seq, last.hash) == (wallet.seq, wallet.head)


def test_an_entry_that_the_index_does_not_have_yet_is_waited_for():
    caller = Caller(Simulator(index_lag=2))
    caller.use(1)
    client: Any = caller.simulator
    waits: list[float] = []

    def wait(seconds: float) -> None:
        waits.append(seconds)
        caller.simulator.settle()

    store = LedgerStore(client, "holdfast", pause=wait)

    last = reports.last_entry(store, caller.wallet(own=False))

    assert last is not None
    assert waits == [0.1]


def test_an_entry_that_is_not_there_is_asked_for_six_times(caller):
    wallet = replace(caller.wallet(own=False), seq=999)

    assert reports.last_entry(caller.store, wallet) is None

    assert caller.pauses[-5:] == [0.1, 0.2, 0.4, 0.8, 1.6]


def test_the_newest_report_is_that_of_the_latest_day(caller):
    assert reports.newest(caller.store, "live") is None
    client: Any = caller.simulator
    for day in ("2026-11-20", "2026-12-01", "2026-11-30"):
        _, item = items.to_item(TENANT, replace(REPORT, day=day))
        client.put_item(TableName="holdfast", Item=item)

    assert reports.newest(caller.store, "live") == replace(REPORT, day="2026-12-01")
    assert reports.newest(caller.store, "test") is None


@pytest.mark.parametrize(
    "ask",
    [
        lambda caller: reports.newest(caller.store, "live"),
        lambda caller: reports.last_entry(caller.store, caller.wallet(own=False)),
        lambda caller: reports.entries(caller.store, [(TENANT, "ent_1")]),
    ],
    ids=["newest", "last entry", "entries"],
)
def test_a_table_that_does_not_answer_is_said_to_be_so(caller, ask):
    caller.wallet(own=False)
    caller.simulator.faults = lambda number, method: THROTTLED

    with pytest.raises(Unavailable):
        ask(caller)


def test_a_report_with_all_that_it_keeps_is_far_from_too_large():
    (one,) = REPORT.differences
    long = replace(one, entry_id="ent_" + "a" * 26, because="acct_" + "b" * 26, org="o" * 64)
    full = replace(REPORT, differences=(long,) * DIFFERENCES_KEPT, totals=REPORT.totals * 50)

    _, item = items.to_item(TENANT, full)

    assert item_size(item) < 150_000
