"""What becomes of a hold over time: extension, release, expiry, and what its lots become."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from holdfast.domain import holds as rules
from holdfast.domain.accounts import Tenant
from holdfast.domain.book import settled
from holdfast.domain.clock import Instant
from holdfast.domain.holds import Hold
from holdfast.domain.ledger import Wallet
from holdfast.domain.lots import CASH
from holdfast.domain.money import AMOUNT_MICROS_MAX
from holdfast.errors import AmountTooLarge, HoldNotDue, HoldNotFound, InsufficientFunds
from tests.domain import strategies as some
from tests.domain.samples import (
    HOUR,
    MILLISECOND,
    NOW,
    cash_lot,
    credit,
    funds,
    hold,
    hold_after,
    once,
    settled_wallet,
    taken,
    wallet,
    wallet_after,
    written,
)

EXPIRY = NOW + HOUR
FULL = wallet(credit("gift", 100), cash_lot("starter", 50, until=NOW + 9 * HOUR), cash=20)


def place(before: Wallet, asked: Hold) -> tuple[Wallet, Hold]:
    journal = rules.place_hold(before, asked, once("place"))
    return wallet_after(journal), hold_after(journal)


def at(now: Instant, of: Wallet) -> Wallet:
    """The wallet as time alone leaves it at `now`."""
    _, change = settled(of, [], once("settle", now=now))
    return of if change is None else settled_wallet(change)


@pytest.mark.parametrize(
    ("asked", "expires_at"),
    [
        (None, EXPIRY),
        (EXPIRY - HOUR, EXPIRY),
        (EXPIRY - MILLISECOND, EXPIRY),
        (EXPIRY, EXPIRY),
        (EXPIRY + MILLISECOND, EXPIRY + MILLISECOND),
        (EXPIRY + 9 * HOUR, EXPIRY + 9 * HOUR),
    ],
    ids=["not asked", "now", "a moment earlier", "the same", "a moment later", "far later"],
)
def test_an_extension_never_shortens_a_hold(asked, expires_at):
    before, placed = place(FULL, hold(120))

    journal = rules.extend_hold(before, placed, once(), expires_at=asked, amount_micros=0)

    assert hold_after(journal).expires_at == expires_at
    assert hold_after(journal).draws == placed.draws
    assert journal.entry.amount_micros == 0
    assert funds(wallet_after(journal)) == funds(before)


@pytest.mark.parametrize("more", [1, 49, 50])
def test_an_extension_sets_more_money_aside(more):
    before, placed = place(FULL, hold(120))

    journal = rules.extend_hold(before, placed, once(), expires_at=None, amount_micros=more)

    after, extended = wallet_after(journal), hold_after(journal)
    assert journal.entry.amount_micros == more
    assert journal.entry.held_after_micros == 120 + more
    assert (extended.amount_micros, extended.remaining_micros) == (120 + more, 120 + more)
    assert after.available_micros(NOW) == 50 - more


def test_an_extension_needs_all_of_its_money():
    before, placed = place(FULL, hold(120))

    with pytest.raises(InsufficientFunds) as refused:
        rules.extend_hold(before, placed, once(), expires_at=None, amount_micros=51)

    assert refused.value.details["available_micros"] == 50


def test_a_hold_grows_at_most_to_what_an_operation_moves():
    before, placed = place(wallet(cash=2 * AMOUNT_MICROS_MAX), hold(5))
    room = AMOUNT_MICROS_MAX - 5

    journal = rules.extend_hold(before, placed, once(), expires_at=None, amount_micros=room)
    with pytest.raises(AmountTooLarge):
        rules.extend_hold(before, placed, once(), expires_at=None, amount_micros=room + 1)

    assert hold_after(journal).amount_micros == AMOUNT_MICROS_MAX


def test_what_an_extension_drew_is_captured_in_its_place_in_the_order():
    # Cash was set aside first, then credit came in; credit is captured first all the same.
    before, placed = place(wallet(cash=20), hold(10))
    richer = replace(before, lots=(credit("gift", 100),))

    extended = rules.extend_hold(richer, placed, once(), expires_at=None, amount_micros=5)
    journal = rules.capture_hold(
        wallet_after(extended), hold_after(extended), once("c"), amount_micros=7, final=False
    )

    assert taken(journal.entry.draws) == [("gift", 5), (CASH, 2)]
    assert taken(hold_after(journal).draws) == [(CASH, 8)]


def test_an_extended_hold_is_still_due_in_the_wallet_no_later_than_it_was():
    before, placed = place(FULL, hold(120))

    journal = rules.extend_hold(before, placed, once(), expires_at=EXPIRY + HOUR, amount_micros=0)

    # Other holds may be due at the old instant: the sweep finds out, an extension cannot.
    assert wallet_after(journal).due_at == EXPIRY


def test_a_release_gives_everything_back_where_it_came_from():
    before, placed = place(FULL, hold(165))

    journal = written(rules.release_hold(before, placed, once(), details={"reason": "cancelled"}))

    released = hold_after(journal)
    assert funds(wallet_after(journal)) == funds(FULL)
    assert journal.entry.postings == {
        "credit": 100,
        "held_credit": -100,
        "wallet": 65,
        "held": -65,
    }
    assert journal.entry.amount_micros == 165
    assert journal.entry.details == {"reason": "cancelled"}
    assert (released.status, released.released_micros) == ("released", 165)
    assert released.closed_by == journal.entry.id


@pytest.mark.parametrize(
    ("policy", "captured", "released", "available", "revenue"),
    [("release", 0, 120, 170, 0), ("capture", 120, 0, 50, 120)],
)
def test_at_its_expiry_a_hold_is_given_back_or_captured_as_its_policy_says(
    policy, captured, released, available, revenue
):
    before, placed = place(FULL, hold(120, expiry_policy=policy))

    journal = written(rules.expire_hold(before, placed, once(now=EXPIRY)))

    expired = hold_after(journal)
    assert expired.status == "expired"
    assert (expired.captured_micros, expired.released_micros) == (captured, released)
    assert wallet_after(journal).available_micros(EXPIRY) == available
    assert wallet_after(journal).held_micros == 0
    assert journal.entry.postings.get("revenue", 0) == revenue
    assert journal.entry.source == "system"


@pytest.mark.parametrize("policy", ["release", "capture"])
def test_a_hold_reads_as_expired_before_anybody_wrote_it_down(policy):
    before, placed = place(FULL, hold(120, expiry_policy=policy))
    journal = rules.capture_hold(before, placed, once("c"), amount_micros=30, final=False)
    part = hold_after(journal)

    swept = hold_after(rules.expire_hold(wallet_after(journal), part, once(now=EXPIRY)))
    read = rules.as_of(part, EXPIRY)

    assert rules.as_of(part, EXPIRY - MILLISECOND) == part
    for fact in ("status", "draws", "captured_micros", "released_micros", "remaining_micros"):
        assert getattr(read, fact) == getattr(swept, fact)
    assert rules.as_of(swept, EXPIRY + HOUR) == swept


def test_a_hold_that_was_extended_meanwhile_is_not_expired():
    before, placed = place(FULL, hold(120))
    extended = rules.extend_hold(
        before, placed, once("x"), expires_at=EXPIRY + HOUR, amount_micros=0
    )

    with pytest.raises(HoldNotDue) as refused:
        rules.expire_hold(wallet_after(extended), hold_after(extended), once(now=EXPIRY))

    assert refused.value.details == {"expires_at": "2026-11-21T05:30:00.000Z"}


def test_a_lot_that_expires_while_it_is_held_stays_spendable_by_that_hold_only():
    before, placed = place(wallet(credit("gift", 100, until=NOW + timedelta(minutes=30))), hold(60))
    later = NOW + timedelta(minutes=45)

    with pytest.raises(InsufficientFunds):
        rules.place_hold(before, replace(hold(1, key="other"), expires_at=EXPIRY), once(now=later))
    journal = rules.capture_hold(before, placed, once(now=later), amount_micros=25, final=False)

    assert taken(journal.entry.draws) == [("gift", 25)]
    assert [entry.amount_micros for entry in journal.others] == [40]
    assert funds(wallet_after(journal)) == {"gift": (0, 35), CASH: (0, 0)}
    assert hold_after(journal).remaining_micros == 35


@given(
    data=st.data(),
    before=some.wallets(some.later_expiries),
    hours=st.integers(0, 5),
    swept_at=st.none() | st.integers(0, 5),
)
def test_to_hold_and_to_release_is_to_have_done_nothing(data, before, hours, swept_at):
    # Whatever expires meanwhile, and whether or not anybody looked in between.
    available = before.available_micros(NOW)
    assume(available > 0)
    amount = data.draw(st.integers(1, available))
    now = NOW + timedelta(hours=hours)
    standing, placed = place(before, replace(hold(amount), expires_at=NOW + timedelta(days=1)))
    if swept_at is not None and swept_at <= hours:
        standing = at(NOW + timedelta(hours=swept_at), standing)

    after = wallet_after(rules.release_hold(standing, placed, once(now=now)))

    assert funds(after) == funds(at(now, before))
    assert after.available_micros(now) == before.available_micros(now)


@given(data=st.data(), before=some.wallets(some.later_expiries), hours=st.integers(0, 5))
def test_what_is_captured_and_what_is_given_back_is_the_hold(data, before, hours):
    available = before.available_micros(NOW)
    assume(available > 1)
    amount = data.draw(st.integers(2, available))
    first = data.draw(st.integers(1, amount - 1))
    last = data.draw(st.integers(1, amount - first))
    now = NOW + timedelta(hours=hours)
    standing, placed = place(before, replace(hold(amount), expires_at=NOW + timedelta(days=1)))

    part = rules.capture_hold(
        standing, placed, once("1", now=now), amount_micros=first, final=False
    )
    whole = rules.capture_hold(
        wallet_after(part), hold_after(part), once("2", now=now), amount_micros=last, final=True
    )

    closed = hold_after(whole)
    assert closed.captured_micros == first + last
    assert closed.released_micros == amount - first - last
    assert wallet_after(whole).held_micros == 0
    # What is gone is what was captured and what expired, and no lot paid twice.
    expired = sum(entry.amount_micros for entry in (*part.others, *whole.others))
    assert wallet_after(whole).posted_micros == before.posted_micros - first - last - expired
    assert all(lot.remaining_micros > 0 for lot in wallet_after(whole).lots)


@given(data=st.data(), before=some.wallets(some.later_expiries))
def test_no_cash_is_captured_while_the_hold_has_credit_left(data, before):
    available = before.available_micros(NOW)
    assume(available > 1)
    standing, placed = place(before, hold(data.draw(st.integers(2, available))))
    amount = data.draw(st.integers(1, placed.remaining_micros - 1))

    journal = rules.capture_hold(standing, placed, once("c"), amount_micros=amount, final=False)

    captured = [draw.kind for draw in journal.entry.draws]
    left = [draw.kind for draw in hold_after(journal).draws]
    assert "cash" not in captured or "credit" not in left


def test_the_id_of_a_hold_names_its_currency_and_sorts_by_time():
    early = rules.new_id(once("z"), "usd")
    late = rules.new_id(once("a", now=NOW + MILLISECOND), "eur")

    assert early < late
    assert rules.currency_of(early) == "usd"
    assert rules.currency_of(late) == "eur"


@given(one=st.integers(0, 10**12), other=st.integers(0, 10**12))
def test_ids_sort_as_their_instants_do(one, other):
    ids = [rules.new_id(once(now=NOW + n * MILLISECOND), "usd") for n in (one, other)]

    assert (ids[0] < ids[1]) == (one < other)


def test_two_requests_at_one_instant_have_different_holds():
    other = replace(once("a"), tenant=Tenant("other", "live"))

    ids = {rules.new_id(each, "usd") for each in (once("a"), once("b"), other)}

    assert len(ids) == 3
    assert rules.new_id(once("a"), "usd") in ids


GOOD = rules.new_id(once(), "usd")


@pytest.mark.parametrize(
    "hold_id",
    [
        *("", "hold_", "hold", "hold_x", GOOD.upper(), f" {GOOD}", f"{GOOD}\n", f"{GOOD}x"),
        *(GOOD[:-1], GOOD[5:], GOOD.replace("usd", "US1"), GOOD.replace("_usd", "#usd")),
        *(GOOD.replace("usd", "zzz"), GOOD.replace("usd", "xau")),
        *(GOOD.replace("hold_", "quote_"), f"hold_{'é' * 26}_usd", f"{GOOD}#x"),
    ],
)
def test_what_no_hold_is_called_is_an_unknown_hold(hold_id):
    with pytest.raises(HoldNotFound):
        rules.currency_of(hold_id)
