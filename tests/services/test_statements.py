from collections.abc import Callable
from datetime import timedelta

import pytest

from holdfast.domain.accounts import Tenant, owner_of
from holdfast.domain.entries import Entry
from holdfast.errors import EntryNotFound
from holdfast.services import wallet
from holdfast.services.wallet import SKEW_MAX, EntryPage
from tests.domain.samples import NOW
from tests.services.caller import TEST, Caller, bob, later

SECOND = timedelta(seconds=1)


def page(alice: Caller, *currencies: str, limit: int = 100, **facts) -> EntryPage:
    wallets = [alice.wallet(currency) for currency in currencies or ("usd",)]
    return wallet.entries_across(alice.store, wallets, limit=limit, **facts)


def places(found: EntryPage) -> list[str]:
    return [f"{entry.currency} {entry.seq}" for entry in found.entries]


def all_pages(alice: Caller, *currencies: str, limit: int, **facts) -> list[str]:
    """Every page there is, one after the other."""
    found: list[str] = []
    starts = None
    for _ in range(1_000):
        one = page(alice, *currencies, limit=limit, starts=starts, **facts)
        assert len(one.entries) <= limit
        found += places(one)
        starts = one.next_starts
        if starts is None:
            return found
    raise AssertionError("the list has no end")


def with_entries(number: int, *, every: timedelta = SECOND) -> Caller:
    """Alice with so many entries: the introductory credit, then deposits and usage in turn."""
    alice = Caller()
    alice.wallet()
    for seq in range(2, number + 1):
        alice = later(alice, every)
        alice.use(1) if seq % 2 else alice.deposit(1)
    return alice


@pytest.mark.parametrize("limit", [1, 2, 3, 6, 7, 8, 100])
def test_a_statement_is_read_newest_first_without_a_gap(limit):
    alice = with_entries(7)

    assert all_pages(alice, limit=limit) == [f"usd {seq}" for seq in range(7, 0, -1)]


@pytest.mark.parametrize(("limit", "claim"), [(6, True), (7, False), (8, False)])
def test_a_page_says_whether_there_is_another(limit, claim):
    alice = with_entries(7)

    assert (page(alice, limit=limit).next_starts is not None) is claim


def test_the_statement_of_a_wallet_that_was_never_used_is_empty():
    alice = Caller()

    assert page(alice, "eur") == EntryPage((), None)


def test_a_page_costs_the_same_however_far_down_it_is():
    alice = with_entries(250)
    found = [alice.wallet()]
    costs = []
    for seq in (None, 240, 120, 11):
        starts = None if seq is None else {(alice.owner.account_id, "usd"): seq}
        with alice.simulator.measure() as used:
            wallet.entries_across(alice.store, found, limit=10, starts=starts)
        costs.append((used.calls, used.read_units))

    assert len(set(costs)) == 1
    assert costs[0][0] == 1


def test_a_caller_sees_its_own_write_though_the_index_is_behind():
    alice = with_entries(5)
    alice.simulator.index_lag = 10
    alice.use(1)

    def catch_up(seconds: float) -> None:
        alice.simulator.settle()

    alice.store.pause = catch_up

    assert places(page(alice, limit=2)) == ["usd 6", "usd 5"]


def test_pages_stay_as_they_are_while_entries_arrive():
    alice = with_entries(6)
    first = page(alice, limit=2)

    alice.deposit(1)
    alice.deposit(1)
    rest = page(alice, limit=100, starts=first.next_starts)

    assert places(first) + places(rest) == [f"usd {seq}" for seq in range(6, 0, -1)]


@pytest.mark.parametrize(
    ("offset", "limit", "numbers", "more"),
    [
        (0, 3, [7, 6, 5], True),
        (2, 3, [5, 4, 3], True),
        (4, 3, [3, 2, 1], False),
        (5, 3, [2, 1], False),
        (6, 3, [1], False),
        (7, 3, [], False),
        (99, 3, [], False),
    ],
)
def test_a_page_can_be_reached_by_counting(offset, limit, numbers, more):
    alice = with_entries(7)

    found = page(alice, offset=offset, limit=limit)

    assert places(found) == [f"usd {seq}" for seq in numbers]
    assert (found.next_starts is not None) is more


def charges(entry: Entry) -> bool:
    return entry.type == "usage"


def nothing(entry: Entry) -> bool:
    return False


@pytest.mark.parametrize("limit", [1, 2, 3, 4, 100])
@pytest.mark.parametrize(
    ("keep", "numbers"), [(charges, [7, 5, 3]), (nothing, [])], ids=["charges", "nothing"]
)
def test_a_filtered_statement_has_all_that_is_kept_and_only_that(keep, numbers, limit):
    alice = with_entries(8)

    assert all_pages(alice, limit=limit, keep=keep) == [f"usd {seq}" for seq in numbers]


@pytest.mark.parametrize(
    ("offset", "numbers"), [(0, [7, 5]), (1, [5, 3]), (2, [3]), (3, []), (9, [])]
)
def test_an_offset_counts_what_is_kept(offset, numbers):
    alice = with_entries(8)

    found = page(alice, limit=2, offset=offset, keep=charges)

    assert places(found) == [f"usd {seq}" for seq in numbers]


@pytest.mark.parametrize(("looked_at", "numbers"), [(1, []), (2, [7]), (3, [7]), (4, [7, 5])])
def test_a_filtered_page_ends_where_it_has_looked_enough_and_can_go_on(looked_at, numbers):
    alice = with_entries(8)

    short = page(alice, keep=charges, looked_at_max=looked_at)
    rest = page(alice, keep=charges, starts=short.next_starts)

    assert places(short) == [f"usd {seq}" for seq in numbers]
    assert short.next_starts == {(alice.owner.account_id, "usd"): 8 - looked_at}
    assert places(short) + places(rest) == ["usd 7", "usd 5", "usd 3"]


def with_currencies() -> Caller:
    """Entries of three wallets, one a second: usd 1 to 3, eur 1 to 2, jpy 1, mixed in time."""
    alice = Caller()
    alice.wallet()
    for currency in ("eur", "usd", "jpy", "eur", "usd"):
        alice = later(alice, SECOND)
        alice.deposit(1, currency=currency)
    return alice


MERGED = ["usd 3", "eur 2", "jpy 1", "usd 2", "eur 1", "usd 1"]


@pytest.mark.parametrize("limit", [1, 2, 3, 4, 5, 6, 7])
def test_statements_of_several_wallets_are_one_list_by_time(limit):
    alice = with_currencies()

    assert all_pages(alice, "eur", "jpy", "usd", limit=limit) == MERGED


@pytest.mark.parametrize("offset", range(8))
def test_an_offset_counts_through_all_wallets(offset):
    alice = with_currencies()

    found = page(alice, "eur", "jpy", "usd", limit=2, offset=offset)

    assert places(found) == MERGED[offset : offset + 2]


def test_a_filter_works_through_all_wallets():
    alice = with_currencies()

    found = all_pages(
        alice, "eur", "jpy", "usd", limit=1, keep=lambda entry: entry.currency != "jpy"
    )

    assert found == [place for place in MERGED if not place.startswith("jpy")]


def test_entries_of_one_instant_have_an_order_all_the_same():
    alice = Caller()
    alice.wallet()
    for currency in ("eur", "usd", "eur", "usd"):
        alice.deposit(1, currency=currency)

    once = all_pages(alice, "eur", "usd", limit=1)

    assert once == all_pages(alice, "eur", "usd", limit=100)
    assert once == ["eur 2", "eur 1", "usd 3", "usd 2", "usd 1"]


def test_a_clock_that_stepped_back_loses_no_entry():
    alice = Caller()
    alice.wallet()
    for seconds in (120, 60, 180, 0, 90):
        alice.elsewhere(now=NOW + timedelta(seconds=seconds)).deposit(1)
        alice.elsewhere(now=NOW + timedelta(seconds=seconds)).deposit(1, currency="eur")

    found = all_pages(alice, "eur", "usd", limit=2)

    assert sorted(found) == sorted(
        [f"usd {seq}" for seq in range(1, 7)] + [f"eur {seq}" for seq in range(1, 6)]
    )
    # Within a wallet the number is the order, whatever the clocks said.
    assert [place for place in found if place.startswith("usd")] == [
        f"usd {seq}" for seq in range(6, 0, -1)
    ]


def test_a_wallet_that_was_opened_since_the_first_page_does_not_come_into_the_next():
    alice = with_currencies()
    first = page(alice, "eur", "usd", limit=2)

    rest = page(alice, "eur", "jpy", "usd", starts=first.next_starts)

    assert places(first) + places(rest) == [place for place in MERGED if "jpy" not in place]


def test_nothing_older_than_asked_for_is_looked_at():
    alice = with_entries(250, every=timedelta(minutes=1))
    newest = alice.now

    with alice.simulator.measure() as all_of_it:
        everything = page(alice, keep=nothing)
    with alice.simulator.measure() as recent:
        found = page(alice, keep=nothing, since=newest)

    assert everything.next_starts is None
    assert found == EntryPage((), None)
    # One page in place of three; clocks may be apart, so what is a little older is looked at too.
    assert (recent.methods.count("query"), all_of_it.methods.count("query")) == (1, 3)


@pytest.mark.parametrize(
    ("behind", "claim"),
    [(SKEW_MAX - SECOND, True), (SKEW_MAX, True), (SKEW_MAX + SECOND, False)],
    ids=["less than five minutes", "five minutes", "more"],
)
def test_an_entry_is_found_behind_one_of_a_clock_that_is_behind(behind, claim):
    alice = Caller()
    alice.wallet()
    alice.deposit(1)
    alice.elsewhere(now=NOW - behind).deposit(1)

    found = page(alice, since=NOW, keep=lambda entry: entry.created_at >= NOW)

    assert ("usd 2" in places(found)) is claim


@pytest.mark.parametrize(
    ("seconds", "numbers"), [(0, [5]), (1, [5, 4]), (3, [5, 4, 3, 2]), (99, [5, 4, 3, 2, 1])]
)
def test_a_statement_may_begin_at_an_instant(seconds, numbers):
    alice = with_entries(5)
    since = alice.now - timedelta(seconds=seconds)

    found = page(alice, since=since, keep=lambda entry: entry.created_at >= since)

    assert places(found) == [f"usd {seq}" for seq in numbers]


OTHERS: dict[str, Callable[[Caller], Caller]] = {
    "another user": bob,
    "another mode": lambda alice: alice.elsewhere(owner=owner_of(TEST, "acme/alice")),
    "another org": lambda alice: alice.elsewhere(
        owner=owner_of(Tenant("other", "live"), "acme/alice")
    ),
}


@pytest.mark.parametrize("other", OTHERS.values(), ids=OTHERS)
def test_an_entry_of_somebody_else_is_as_unknown_as_one_that_never_was(other):
    alice = with_entries(2)
    stranger = other(alice)
    stranger.wallet()
    mine = alice.deposit(1).entry
    before = alice.stored()

    assert wallet.entry(alice.store, alice.owner, mine.id) == mine
    for entry_id in (mine.id, alice.once("never").entry_id):
        with pytest.raises(EntryNotFound) as refused:
            wallet.entry(stranger.store, stranger.owner, entry_id)
        assert refused.value.details == {}
    assert alice.stored() == before
