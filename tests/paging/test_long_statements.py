"""A statement of any length is read to its end, page by page, while entries arrive at its top."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pytest

from holdfast.domain.entries import Entry
from holdfast.domain.ledger import Wallet
from holdfast.services import wallet as wallets
from holdfast.services.wallet import EntryPage
from tests.services.caller import CENT, Caller
from tests.simulator.capacity import Meter

LIMIT = 100
CURRENCY = "eur"
"""No credit to begin with, so entries are all of one size."""

LENGTHS = [
    pytest.param(5_000, id="5,000 entries"),
    pytest.param(100_000, id="100,000 entries", marks=pytest.mark.soak),
]


type Starts = Mapping[tuple[str, str], int] | None


@dataclass(slots=True)
class Page:
    """One page, and what it cost."""

    entries: tuple[Entry, ...]
    used: Meter

    @property
    def cost(self) -> tuple[int, float]:
        return (self.used.calls, self.used.read_units)


def charge(alice: Caller) -> Entry:
    """A cent taken: work that was done already."""
    once = alice.once()
    done = wallets.use(alice.store, alice.owner, amount_micros=CENT, currency=CURRENCY, once=once)
    return done.entry


def written(alice: Caller, entries: int) -> Wallet:
    """A cent in and a cent out, until there are so many entries."""
    while (found := alice.wallet(CURRENCY)).seq < entries:
        for _ in range(min(500, entries - found.seq) // 2):
            alice.deposit(1, currency=CURRENCY)
            charge(alice)
        # The log of so many calls would outgrow the memory.
        alice.simulator.forget()
    return found


def at(alice: Caller, seq: int, currency: str = CURRENCY) -> Starts:
    """Where a page starts whose first entry has this number."""
    return {(alice.owner.account_id, currency): seq}


def read(alice: Caller, found: Wallet, starts: Starts) -> tuple[Page, EntryPage]:
    with alice.simulator.measure() as used:
        page = wallets.entries_across(alice.store, [found], limit=LIMIT, starts=starts)
    return Page(page.entries, used), page


def pages_of(alice: Caller, found: Wallet, *, arriving: Caller | None = None) -> Iterator[Page]:
    """Every page, from the newest to the oldest; with somebody who spends in between."""
    starts: Starts = None
    while True:
        shown, page = read(alice, found, starts)
        yield shown
        starts = page.next_starts
        if starts is None:
            return
        if arriving is not None:
            arriving.deposit(1, currency=CURRENCY)
            charge(arriving)


@pytest.mark.parametrize("entries", LENGTHS)
def test_a_long_statement_has_no_gap_and_no_entry_twice_while_others_write(
    entries, record_property
):
    alice = Caller()
    found = written(alice, entries)
    elsewhere = alice.elsewhere()
    # The index lags behind all the time, and catches up when somebody waits for it.
    alice.simulator.index_lag = 3
    alice.store.pause = lambda seconds: alice.simulator.settle()

    seen: list[int] = []
    costs = []
    for page in pages_of(alice, found, arriving=elsewhere):
        seen += [entry.seq for entry in page.entries]
        costs.append(page.cost)

    assert seen == list(range(entries, 0, -1))
    # The first page may have to wait for the index; after it, every page is one query of one price.
    assert len(costs) == entries // LIMIT
    assert len(set(costs[1:])) == 1
    assert costs[1][0] == 1
    newest = alice.wallet(CURRENCY)
    assert newest.seq == entries + 2 * (len(costs) - 1)
    alice.simulator.settle()
    assert read(alice, newest, None)[0].cost == costs[1]
    record_property("figure", f"{entries:,} entries, each page of {LIMIT}: {costs[1][1]:g} RRU")


def test_the_first_the_middle_and_the_last_page_cost_the_same():
    entries = 2_000
    alice = Caller()
    found = written(alice, entries)

    costs = {
        name: read(alice, found, starts)[0].cost
        for name, starts in {
            "first": None,
            "middle": at(alice, entries // 2),
            "last": at(alice, LIMIT),
        }.items()
    }

    assert len(set(costs.values())) == 1, costs
    assert costs["first"][0] == 1


def test_what_arrived_since_is_on_a_new_first_page():
    alice = Caller()
    found = written(alice, 1_000)
    first, page = read(alice, found, None)
    for _ in range(150):
        alice.deposit(1, currency=CURRENCY)

    rest = [entry.seq for entry in read(alice, found, page.next_starts)[0].entries]
    anew = alice.wallet(CURRENCY)
    top = [entry.seq for one in pages_of(alice, anew) for entry in one.entries]

    assert [entry.seq for entry in first.entries] == list(range(1_000, 900, -1))
    assert rest == list(range(900, 800, -1))
    assert top == list(range(1_150, 0, -1))


def test_a_statement_that_is_asked_for_beyond_its_end_is_empty_and_one_call_less():
    alice = Caller()
    found = written(alice, 100)

    for starts in (at(alice, 0), at(alice, 50, "usd")):
        page, answer = read(alice, found, starts)
        assert (page.entries, answer.next_starts, page.cost) == ((), None, (0, 0))
    # Numbers that no entry has yet are not looked for.
    beyond, _ = read(alice, found, at(alice, 10_000))
    assert [entry.seq for entry in beyond.entries] == list(range(100, 0, -1))
