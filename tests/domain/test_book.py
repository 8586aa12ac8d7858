from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.domain.book import Book, settled
from holdfast.domain.entries import GENESIS, Entry, chain_hash
from holdfast.domain.ledger import Journal, Move, Wallet, overdraw
from holdfast.domain.lots import CASH, CREDIT, Draw, Terms
from holdfast.domain.money import WALLET_MICROS_MAX
from holdfast.errors import AmountTooLarge, TooManyLots
from tests.domain import strategies as some
from tests.domain.samples import (
    HOUR,
    MILLISECOND,
    NOW,
    TENANT,
    cash_lot,
    credit,
    funds,
    hold,
    once,
    settled_wallet,
    taken,
    wallet,
    wallet_after,
)

DEPOSIT = Move((Draw(CASH, 5),), available=+1, contra="deposits")


def post(before: Wallet, *moves: Move, key: str = "key", amount: int = 5) -> Journal:
    book = Book(once(key), before)
    book.post("deposit", *moves, amount_micros=amount)
    return book.close()


def in_order(journal: Journal) -> list[Entry]:
    return sorted((journal.entry, *journal.others), key=lambda entry: entry.seq)


def assert_chained(before: Wallet, journal: Journal) -> None:
    """The entries follow the wallet and each other without a gap, and the wallet follows them."""
    chain = in_order(journal)
    after = wallet_after(journal)
    assert [entry.seq for entry in chain] == list(range(before.seq + 1, after.seq + 1))
    assert chain[0].prev == before.head
    assert all(earlier.hash == later.prev for earlier, later in pairwise(chain))
    assert after.head == chain[-1].hash
    assert all(entry.hash == chain_hash(entry) for entry in chain)
    balance = before.posted_micros
    for entry in chain:
        assert sum(entry.postings.values()) == 0
        balance += entry.balance_delta_micros
        assert entry.balance_after_micros == balance
    assert after.posted_micros == balance
    assert after.held_micros == chain[-1].held_after_micros


def test_an_entry_is_chained_to_the_wallets_head():
    before = wallet(cash=10)

    journal = post(before, DEPOSIT)

    assert_chained(before, journal)
    assert journal.entry.balance_after_micros == journal.entry.balance_micros == 15
    assert journal.changes[0].read_version == before.version
    assert wallet_after(journal).version == before.version + 1
    assert journal.others == ()


def test_the_first_entry_of_all_is_chained_to_genesis():
    before = Wallet(tenant=TENANT, account_id="acct_x", currency="usd")

    journal = post(before, DEPOSIT)

    assert_chained(before, journal)
    assert journal.entry.seq == 1
    assert journal.entry.prev == GENESIS
    assert journal.changes[0].before is None
    assert wallet_after(journal).version == 1


def test_the_entry_bears_the_id_and_the_fingerprint_of_the_request():
    asked = once("order 17")

    journal = post(wallet(), DEPOSIT, key="order 17")

    assert journal.entry.id == asked.entry_id
    assert journal.entry.fingerprint == asked.fingerprint
    assert journal.entry.created_at == asked.now


def test_a_wallet_counts_what_came_in_and_what_went_out():
    start = replace(wallet(cash=10), credited_micros=100, credits_count=2, debits_count=3)

    came = wallet_after(post(start, DEPOSIT))
    went = wallet_after(post(came, Move((Draw(CASH, 7),), available=-1, contra="revenue")))
    aside = wallet_after(post(went, Move((Draw(CASH, 1),), available=-1, held=+1)))

    assert (came.credited_micros, came.credits_count, came.debits_count) == (105, 3, 3)
    assert (went.credited_micros, went.credits_count, went.debits_count) == (105, 3, 4)
    assert (aside.credited_micros, aside.credits_count, aside.debits_count) == (105, 3, 4)
    assert aside.updated_at == NOW


def test_a_book_has_exactly_one_entry_for_a_request():
    book = Book(once(), wallet())

    with pytest.raises(AssertionError):
        book.close()
    book.post("deposit", DEPOSIT, amount_micros=5)
    with pytest.raises(AssertionError):
        book.post("deposit", DEPOSIT, amount_micros=5)


@pytest.mark.parametrize(
    ("since_expiry", "others"),
    [(-MILLISECOND, 0), (timedelta(0), 1), (MILLISECOND, 1)],
    ids=["a moment before", "at the instant", "a moment after"],
)
def test_a_lot_whose_time_has_come_expires_before_the_entry(since_expiry, others):
    before = wallet(credit("gift", 30, until=NOW - since_expiry), cash=10)

    journal = post(before, DEPOSIT)

    assert_chained(before, journal)
    assert [entry.type for entry in journal.others] == ["lot_expiry"] * others
    assert journal.entry.seq == before.seq + 1 + others
    assert journal.entry.balance_after_micros == 45 - 30 * others


def test_lots_that_expire_together_are_one_entry():
    before = wallet(
        credit("gift", 30, until=NOW),
        cash_lot("starter", 20, held=7, until=NOW - HOUR),
        credit("kept", 1),
        cash=10,
    )

    journal = post(before, DEPOSIT)

    (expiry,) = journal.others
    assert_chained(before, journal)
    assert expiry.amount_micros == 50
    assert taken(expiry.draws) == [("gift", 30), ("starter", 20)]
    assert expiry.postings == {"credit": -30, "promotions": 30, "wallet": -20, "breakage": 20}
    assert expiry.source == "system"
    # What a hold has pinned stays for it.
    assert funds(wallet_after(journal)) == {"starter": (0, 7), "kept": (1, 0), CASH: (15, 0)}


def test_all_200_lots_of_a_wallet_may_expire_together():
    before = wallet(*(credit(f"lot_{number:03}", 1, until=NOW) for number in range(200)))

    journal = post(before, DEPOSIT)

    assert_chained(before, journal)
    assert [entry.amount_micros for entry in journal.others] == [200]
    assert wallet_after(journal).lots == ()


def test_money_given_back_to_a_lot_that_has_expired_expires_after_the_entry():
    gone = Terms(kind=CREDIT, granted_at=NOW - HOUR, expires_at=NOW)
    before = wallet(cash=10)

    journal = post(before, Move((Draw("gift", 5, gone),), available=+1, contra="refunds"))

    (expiry,) = journal.others
    assert_chained(before, journal)
    assert (journal.entry.seq, expiry.seq) == (before.seq + 1, before.seq + 2)
    assert journal.entry.balance_after_micros == 15
    assert expiry.balance_after_micros == 10
    # The chain tells both steps; the answer promises only what is left.
    assert journal.entry.balance_micros == 10
    assert funds(wallet_after(journal)) == {CASH: (10, 0)}


def test_an_expiry_has_the_same_id_on_every_try_and_another_in_every_place():
    before = wallet(credit("gift", 30, until=NOW))

    ids = [
        post(each, DEPOSIT, key=key).others[0].id
        for key, each in (
            ("one", before),
            ("two", before),
            ("one", replace(before, seq=before.seq + 1)),
            ("one", replace(before, currency="eur")),
            ("one", replace(before, account_id="acct_other")),
        )
    ]

    assert ids[0] == ids[1]
    assert len(set(ids)) == 4


@pytest.mark.parametrize("short_of_limit", [1, 0])
def test_a_wallet_may_hold_as_much_as_a_wallet_can(short_of_limit):
    most = WALLET_MICROS_MAX - short_of_limit

    rich = post(wallet(cash=most - 5), DEPOSIT)
    poor = post(wallet(cash=5 - most), Move((Draw(CASH, 5),), available=-1, contra="revenue"))

    assert wallet_after(rich).cash_micros == most
    assert wallet_after(poor).cash_micros == -most


@pytest.mark.parametrize(
    ("cash", "move"),
    [
        (WALLET_MICROS_MAX - 4, DEPOSIT),
        (4 - WALLET_MICROS_MAX, Move((Draw(CASH, 5),), available=-1, contra="revenue")),
    ],
    ids=["above zero", "below zero"],
)
def test_more_than_a_wallet_can_hold_is_refused(cash, move):
    with pytest.raises(AmountTooLarge) as refused:
        post(wallet(cash=cash), move)

    assert refused.value.details == {"wallet_micros_max": WALLET_MICROS_MAX, "currency": "usd"}


def test_what_is_held_counts_towards_the_most_a_wallet_can_hold():
    with pytest.raises(AmountTooLarge):
        post(wallet(cash=0, cash_held=WALLET_MICROS_MAX - 4), DEPOSIT)


@pytest.mark.parametrize(("open_lots", "expired"), [(199, 0), (200, 1), (200, 200)])
def test_a_lot_that_expires_makes_room_for_another(open_lots, expired):
    lots = [
        credit(f"lot_{number}", 1, until=NOW if number < expired else None)
        for number in range(open_lots)
    ]
    new = Move((Draw("new", 5, Terms(kind=CREDIT, granted_at=NOW)),), available=+1, contra="x")

    journal = post(wallet(*lots), new)

    assert len(wallet_after(journal).lots) == open_lots - expired + 1


def test_a_wallet_with_200_open_lots_takes_no_other():
    lots = [credit(f"lot_{number}", 1) for number in range(200)]
    new = Move((Draw("new", 5, Terms(kind=CREDIT, granted_at=NOW)),), available=+1, contra="x")

    with pytest.raises(TooManyLots):
        post(wallet(*lots), new)


@given(
    data=st.data(),
    before=some.wallets(cash_min=-500),
    amounts=st.lists(st.integers(0, 300), min_size=1, max_size=4),
)
def test_whatever_is_charged_the_chain_holds_and_the_balance_is_the_fold(data, before, amounts):
    current = before
    for number, amount in enumerate(amounts):
        now = current.updated_at or NOW - 2 * HOUR
        now += timedelta(hours=data.draw(st.integers(0, 2)))
        book = Book(once(f"key {number}", now=now), current)
        drawn = overdraw(book.wallet, amount, now)
        move = Move(drawn, available=-1, contra="revenue")
        book.post("usage", move, amount_micros=amount, draws=drawn)
        journal = book.close()

        assert_chained(current, journal)
        current = wallet_after(journal)
        assert all(lot.remaining_micros > 0 for lot in current.lots)
        assert not any(lot.terms.expired(now) for lot in current.lots)


EARLY, LATE = hold(5, key="a"), replace(hold(5, key="b"), expires_at=NOW + 2 * HOUR)


@pytest.mark.parametrize(
    ("noted", "due_at", "oldest"),
    [
        ([EARLY], EARLY.expires_at, EARLY.id),
        ([LATE], LATE.expires_at, LATE.id),
        ([EARLY, LATE], EARLY.expires_at, min(EARLY.id, LATE.id)),
        ([LATE, EARLY], EARLY.expires_at, min(EARLY.id, LATE.id)),
    ],
    ids=["one", "another", "the early one first", "the late one first"],
)
def test_a_wallet_remembers_which_hold_is_due_first_and_which_is_the_oldest(noted, due_at, oldest):
    book = Book(once(), wallet())

    for each in noted:
        book.note_hold(each)

    assert book.wallet.hold_due_at == due_at
    assert book.wallet.open_from == oldest


@pytest.mark.parametrize(
    ("open_holds", "due_at", "oldest"),
    [
        ([], None, None),
        ([LATE], LATE.expires_at, LATE.id),
        ([LATE, EARLY], EARLY.expires_at, min(EARLY.id, LATE.id)),
        ([LATE, replace(EARLY, currency="eur")], LATE.expires_at, LATE.id),
    ],
    ids=["none is open", "one", "two", "another wallet's"],
)
def test_settling_finds_out_again_what_is_due_next(open_holds, due_at, oldest):
    before = replace(wallet(cash=5), hold_due_at=NOW - HOUR, open_from="hold_0")

    expired, change = settled(before, open_holds, once())

    assert expired == ()
    # The version moves though nothing was posted: what others read before is old now.
    assert settled_wallet(change) == replace(
        before, version=before.version + 1, hold_due_at=due_at, open_from=oldest
    )


def test_settling_writes_down_what_time_has_taken():
    before = wallet(credit("gift", 30, until=NOW), credit("next", 1, until=NOW + HOUR), cash=10)

    (expiry,), change = settled(before, [], once())

    after = settled_wallet(change)
    assert (expiry.type, expiry.amount_micros, expiry.reference) == ("lot_expiry", 30, "gift")
    assert after.version == before.version + 1
    assert after.seq == before.seq + 1
    assert after.due_at == NOW + HOUR
    assert funds(after) == {"next": (1, 0), CASH: (10, 0)}


def test_a_wallet_in_which_time_changed_nothing_is_not_written():
    before = replace(
        wallet(credit("gift", 30, until=NOW + HOUR)),
        hold_due_at=EARLY.expires_at,
        open_from=EARLY.id,
    )

    assert settled(before, [EARLY], once()) == ((), None)
