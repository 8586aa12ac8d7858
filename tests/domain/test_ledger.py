from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.domain.ledger import Change, Move, draw, overdraw, postings_of, shifted
from holdfast.domain.lots import CASH, CREDIT, Draw, Terms, total, usable
from holdfast.errors import InsufficientFunds, InvariantBroken, TooManyLots
from tests.domain import strategies as some
from tests.domain.samples import (
    HOUR,
    MILLISECOND,
    NOW,
    cash_lot,
    credit,
    funds,
    hold,
    taken,
    wallet,
)

SOON = NOW + HOUR
GRANTED = Terms(kind=CREDIT, granted_at=NOW)
PAID = Terms(kind=CASH, granted_at=NOW, expires_at=SOON)


def test_a_wallet_tells_cash_from_credit_and_free_from_held():
    full = wallet(
        credit("gift", 100, held=10),
        cash_lot("starter", 20, held=2, until=SOON),
        cash=5,
        cash_held=1,
    )

    assert full.available_micros(NOW) == 125
    assert full.held_micros == 13
    assert full.balance_micros(NOW) == 138
    assert full.cash_available_micros(NOW) == 25
    assert full.cash_only_held_micros == 3
    assert full.cash_balance_micros(NOW) == 28
    assert full.posted_micros == 138


@pytest.mark.parametrize(
    ("since_expiry", "available", "balance", "cash"),
    [
        (-MILLISECOND, 25, 27, 27),
        (timedelta(0), 5, 7, 7),
        (MILLISECOND, 5, 7, 7),
    ],
    ids=["a moment before", "at the instant", "a moment after"],
)
def test_what_has_expired_cannot_be_spent_but_what_is_held_of_it_stays(
    since_expiry, available, balance, cash
):
    expiring = wallet(cash_lot("starter", 20, held=2, until=SOON), cash=5)

    assert expiring.available_micros(SOON + since_expiry) == available
    assert expiring.balance_micros(SOON + since_expiry) == balance
    assert expiring.cash_balance_micros(SOON + since_expiry) == cash
    assert expiring.posted_micros == 27


def test_a_debt_is_a_negative_balance_and_credit_counts_against_it():
    indebted = wallet(credit("gift", 30), cash=-50)

    assert indebted.available_micros(NOW) == -20
    assert indebted.cash_available_micros(NOW) == -50


@pytest.mark.parametrize(
    ("lots", "hold_due_at", "due_at"),
    [
        ([], None, None),
        ([credit("a", 1)], None, None),
        ([], SOON, SOON),
        ([credit("a", 1, until=NOW)], SOON, NOW),
        ([credit("a", 1, until=SOON + HOUR)], SOON, SOON),
        ([credit("a", 0, held=1, until=NOW)], None, None),
        ([credit("a", 1, until=SOON), credit("b", 1, until=NOW)], None, NOW),
    ],
    ids=[
        "nothing in it",
        "a lot that never expires",
        "a hold",
        "a lot before a hold",
        "a hold before a lot",
        "a lot that only a hold can still spend",
        "two lots",
    ],
)
def test_a_wallet_is_due_when_the_first_thing_in_it_may_expire(lots, hold_due_at, due_at):
    assert replace(wallet(*lots), hold_due_at=hold_due_at).due_at == due_at


@pytest.mark.parametrize(
    ("amount", "drawn"),
    [
        (0, []),
        (1, [("gift", 1)]),
        (10, [("gift", 10)]),
        (11, [("gift", 10), ("starter", 1)]),
        (30, [("gift", 10), ("starter", 20)]),
        (31, [("gift", 10), ("starter", 20), (CASH, 1)]),
        (35, [("gift", 10), ("starter", 20), (CASH, 5)]),
    ],
)
def test_money_that_was_given_is_drawn_before_money_that_was_paid(amount, drawn):
    full = wallet(cash_lot("starter", 20, until=SOON), credit("gift", 10), cash=5)

    assert taken(draw(full, amount, NOW)) == drawn
    assert taken(overdraw(full, amount, NOW)) == drawn


def test_what_is_missing_is_refused_or_comes_from_plain_cash():
    full = wallet(cash_lot("starter", 20, until=SOON), credit("gift", 10), cash=5)

    with pytest.raises(InsufficientFunds) as refused:
        draw(full, 36, NOW)

    assert refused.value.details == {
        "needed_micros": 36,
        "available_micros": 35,
        "currency": "usd",
    }
    assert taken(overdraw(full, 36, NOW)) == [("gift", 10), ("starter", 20), (CASH, 6)]


def test_a_debt_leaves_that_much_less_of_the_credit():
    indebted = wallet(credit("gift", 30), cash=-20)

    with pytest.raises(InsufficientFunds) as refused:
        draw(indebted, 11, NOW)

    assert refused.value.details["available_micros"] == 10
    assert taken(draw(indebted, 10, NOW)) == [("gift", 10)]


def test_refusing_to_lend_does_not_depend_on_where_the_debt_came_from():
    indebted = wallet(cash=-20)

    with pytest.raises(InsufficientFunds) as refused:
        draw(indebted, 1, NOW)

    # Not clamped: the caller sees how deep it is.
    assert refused.value.details["available_micros"] == -20
    assert taken(overdraw(indebted, 7, NOW)) == [(CASH, 7)]


@given(data=st.data(), full=some.wallets(cash_min=-500))
def test_drawing_takes_exactly_the_amount_and_no_lot_below_zero(data, full):
    amount = data.draw(st.integers(0, 2 * some.AMOUNT_MAX))

    drawn = overdraw(full, amount, NOW)
    after = shifted(full, Move(drawn, available=-1, held=+1))

    assert total(drawn) == amount
    assert after.available_micros(NOW) == full.available_micros(NOW) - amount
    assert after.held_micros == amount
    assert after.posted_micros == full.posted_micros
    assert all(lot.remaining_micros >= 0 for lot in after.lots)
    # Plain cash is touched only when there is no lot left to draw.
    assert after.cash_micros == full.cash_micros or not usable(after.lots, NOW)


@given(data=st.data(), full=some.wallets())
def test_what_is_moved_there_and_back_leaves_the_wallet_as_it_was(data, full):
    amount = data.draw(st.integers(0, full.available_micros(NOW)))
    drawn = draw(full, amount, NOW)

    there = shifted(full, Move(drawn, available=-1, held=+1))
    back = shifted(there, Move(drawn, available=+1, held=-1))

    assert funds(back) == funds(full)


@pytest.mark.parametrize(
    ("move", "after"),
    [
        (
            Move((Draw("gift", 4, GRANTED), Draw(CASH, 2)), available=-1, held=+1),
            {"gift": (6, 4), CASH: (3, 2)},
        ),
        (Move((Draw("gift", 10, GRANTED),), available=-1), {CASH: (5, 0)}),
        (
            Move((Draw("gift", 10, GRANTED),), available=-1, held=+1),
            {"gift": (0, 10), CASH: (5, 0)},
        ),
        (
            Move((Draw("spent", 3, GRANTED),), available=+1),
            {"gift": (10, 0), "spent": (3, 0), CASH: (5, 0)},
        ),
        (Move((Draw(CASH, 9),), available=-1), {"gift": (10, 0), CASH: (-4, 0)}),
        (Move(()), {"gift": (10, 0), CASH: (5, 0)}),
    ],
    ids=[
        "set aside",
        "a lot that is used up closes",
        "a lot that is held stays open",
        "a lot that is gone opens again",
        "plain cash may go below zero",
        "nothing",
    ],
)
def test_a_move_shifts_lots_and_cash(move, after):
    assert funds(shifted(wallet(credit("gift", 10), cash=5), move)) == after


@pytest.mark.parametrize(
    "move",
    [
        pytest.param(Move((Draw("gift", 11, GRANTED),), available=-1), id="more of a lot"),
        pytest.param(Move((Draw("gift", 1, GRANTED),), held=-1), id="more of what is held of it"),
        pytest.param(Move((Draw("gone", 1, GRANTED),), available=-1), id="a lot that is gone"),
        pytest.param(Move((Draw(CASH, 3),), held=-1), id="more of the held cash"),
    ],
)
def test_taking_more_than_there_is_of_a_lot_is_our_mistake(move):
    with pytest.raises(InvariantBroken):
        shifted(wallet(credit("gift", 10), cash=5, cash_held=2), move)


@pytest.mark.parametrize("open_lots", [198, 199])
def test_a_wallet_may_have_200_open_lots(open_lots):
    many = wallet(*(credit(f"lot_{number}", 1) for number in range(open_lots)))

    after = shifted(many, Move((Draw("one more", 1, GRANTED),), available=+1))

    assert len(after.lots) == open_lots + 1


def test_lot_number_201_is_refused():
    many = wallet(*(credit(f"lot_{number}", 1) for number in range(200)))

    with pytest.raises(TooManyLots) as refused:
        shifted(many, Move((Draw("one more", 1, GRANTED),), available=+1))

    assert refused.value.details == {"open_lots_max": 200}


def test_a_full_wallet_still_moves_what_is_in_it():
    many = wallet(*(credit(f"lot_{number}", 1) for number in range(200)))
    inside = tuple(Draw(lot.id, 1, lot.terms) for lot in many.lots)

    held = shifted(many, Move(inside, available=-1, held=+1))
    swapped = Move((*inside[:1], Draw("other", 1, GRANTED)), available=+1)

    assert len(held.lots) == 200
    assert shifted(held, Move(inside, available=+1, held=-1)).lots == many.lots
    with pytest.raises(TooManyLots):
        shifted(many, swapped)


CASH_AND_CREDIT = (Draw(CASH, 2), Draw("gift", 3, GRANTED), Draw("starter", 4, PAID))


@pytest.mark.parametrize(
    ("moves", "postings"),
    [
        (
            [Move(CASH_AND_CREDIT, available=-1, contra="revenue")],
            {"wallet": -6, "credit": -3, "revenue": 9},
        ),
        (
            [Move(CASH_AND_CREDIT, available=+1, contra="deposits")],
            {"wallet": 6, "credit": 3, "deposits": -9},
        ),
        (
            [Move(CASH_AND_CREDIT, available=-1, held=+1)],
            {"wallet": -6, "credit": -3, "held": 6, "held_credit": 3},
        ),
        (
            [
                Move(CASH_AND_CREDIT, held=-1, contra="revenue"),
                Move((Draw(CASH, 5),), held=-1, available=+1),
            ],
            {"held": -11, "held_credit": -3, "revenue": 9, "wallet": 5},
        ),
        (
            [
                Move((Draw("starter", 4, PAID),), available=-1, contra="breakage"),
                Move((Draw("gift", 3, GRANTED),), available=-1, contra="promotions"),
            ],
            {"wallet": -4, "credit": -3, "breakage": 4, "promotions": 3},
        ),
        ([Move(())], {}),
    ],
    ids=["a charge", "a deposit", "a hold", "a final capture", "an expiry", "nothing"],
)
def test_postings_say_where_money_went_and_add_up_to_zero(moves, postings):
    assert postings_of(moves) == postings
    assert sum(postings.values()) == 0


def test_money_that_comes_from_nowhere_is_our_mistake():
    with pytest.raises(InvariantBroken):
        postings_of([Move((Draw(CASH, 1),), available=+1)])


def test_a_change_is_guarded_by_the_version_that_was_read():
    assert Change(None, hold(5)).read_version == 0
    assert Change(replace(wallet(seq=7), version=9), wallet()).read_version == 9
    assert Change(replace(hold(5), version=3), hold(5)).read_version == 3
