from dataclasses import replace
from datetime import timedelta

import pytest

from holdfast.domain import holds as rules
from holdfast.domain.holds import Hold
from holdfast.domain.ledger import Wallet
from holdfast.domain.lots import CASH
from holdfast.domain.money import AMOUNT_MICROS_MAX
from holdfast.errors import (
    AmountTooLarge,
    HoldExceeded,
    InsufficientFunds,
)
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
    taken,
    wallet,
    wallet_after,
)

EXPIRY = NOW + HOUR
FULL = wallet(credit("gift", 100), cash_lot("starter", 50, until=NOW + 9 * HOUR), cash=20)

type Standing = tuple[Wallet, Hold]


def place(asked: Hold, before: Wallet = FULL) -> Standing:
    journal = rules.place_hold(before, asked, once("place"))
    return wallet_after(journal), hold_after(journal)


@pytest.mark.parametrize(
    ("amount", "after"),
    [
        (1, {"gift": (99, 1), "starter": (50, 0), CASH: (20, 0)}),
        (100, {"gift": (0, 100), "starter": (50, 0), CASH: (20, 0)}),
        (101, {"gift": (0, 100), "starter": (49, 1), CASH: (20, 0)}),
        (169, {"gift": (0, 100), "starter": (0, 50), CASH: (1, 19)}),
        (170, {"gift": (0, 100), "starter": (0, 50), CASH: (0, 20)}),
    ],
)
def test_a_hold_sets_money_aside_in_the_order_of_drawing(amount, after):
    journal = rules.place_hold(FULL, hold(amount), once())

    assert funds(wallet_after(journal)) == after
    assert journal.entry.amount_micros == amount
    assert journal.entry.balance_after_micros == 170
    assert journal.entry.held_after_micros == amount
    assert sum(journal.entry.postings.values()) == 0
    assert hold_after(journal).remaining_micros == amount


def test_a_hold_needs_all_of_its_money():
    with pytest.raises(InsufficientFunds) as refused:
        rules.place_hold(FULL, hold(171), once())

    assert refused.value.details == {
        "needed_micros": 171,
        "available_micros": 170,
        "currency": "usd",
    }


def test_what_one_hold_has_another_cannot_have():
    standing, _ = place(hold(100))

    with pytest.raises(InsufficientFunds) as refused:
        rules.place_hold(standing, hold(71, key="other"), once())
    other = rules.place_hold(standing, hold(70, key="other"), once())

    assert refused.value.details["available_micros"] == 70
    assert wallet_after(other).available_micros(NOW) == 0


def test_money_that_has_expired_cannot_be_set_aside():
    expiring = wallet(credit("gift", 100, until=NOW), cash=20)

    with pytest.raises(InsufficientFunds) as refused:
        rules.place_hold(expiring, hold(21), once())

    assert refused.value.details["available_micros"] == 20


def test_a_hold_sets_at_most_aside_what_an_operation_moves():
    rich = wallet(cash=2 * AMOUNT_MICROS_MAX)

    standing = place(hold(AMOUNT_MICROS_MAX), rich)
    with pytest.raises(AmountTooLarge):
        rules.place_hold(rich, hold(AMOUNT_MICROS_MAX + 1), once())

    assert standing[1].remaining_micros == AMOUNT_MICROS_MAX


@pytest.mark.parametrize("life", [timedelta(0), -MILLISECOND])
def test_a_hold_that_is_over_before_it_begins_never_gets_here(life):
    with pytest.raises(AssertionError):
        rules.place_hold(FULL, hold(5, expires_in=life), once())


def test_a_hold_keeps_what_its_caller_said_of_it():
    asked = replace(hold(5, expiry_policy="capture", over_capture="overdraft", overdraft=7))

    journal = rules.place_hold(FULL, asked, once())

    placed = hold_after(journal)
    assert placed == replace(asked, draws=placed.draws, version=1, updated_at=NOW)
    assert journal.entry.hold == placed
    assert journal.entry.hold_id == placed.id
    assert journal.entry.reference == asked.reference
    assert wallet_after(journal).due_at == asked.expires_at
    assert wallet_after(journal).open_from == asked.id


@pytest.mark.parametrize(
    ("amount", "kept", "given_back"),
    [(119, 119, 1), (120, 120, 0), (1, 1, 119)],
    ids=["one less than all", "all", "one"],
)
def test_a_final_capture_gives_back_what_is_left(amount, kept, given_back):
    before, placed = place(hold(120))

    journal = rules.capture_hold(before, placed, once(), amount_micros=amount, final=True)

    after, captured = wallet_after(journal), hold_after(journal)
    assert after.available_micros(NOW) == 50 + given_back
    assert after.held_micros == 0
    assert journal.entry.amount_micros == kept
    assert journal.entry.postings["revenue"] == kept
    assert (captured.status, captured.captured_micros) == ("captured", kept)
    assert captured.released_micros == given_back
    assert captured.closed_by == journal.entry.id


def test_captures_draw_credit_first_and_in_the_order_in_which_it_was_set_aside():
    standing = place(hold(165))

    drawn = []
    for number, amount in enumerate([60, 45, 50, 10]):
        journal = rules.capture_hold(
            *standing, once(f"{number}"), amount_micros=amount, final=False
        )
        standing = wallet_after(journal), hold_after(journal)
        drawn.append(taken(journal.entry.draws))

    assert drawn == [
        [("gift", 60)],
        [("gift", 40), ("starter", 5)],
        [("starter", 45), (CASH, 5)],
        [(CASH, 10)],
    ]
    assert standing[1].status == "open"
    assert standing[1].captured_micros == 165
    assert standing[1].remaining_micros == 0


OVER = ("reject", "cap", "overdraft")


@pytest.mark.parametrize("final", [False, True], ids=["a part", "finally"])
@pytest.mark.parametrize("over_capture", OVER)
@pytest.mark.parametrize("amount", [119, 120])
def test_what_a_hold_has_can_be_captured_whatever_its_policy(over_capture, amount, final):
    before, placed = place(hold(120, over_capture=over_capture, overdraft=7))

    journal = rules.capture_hold(before, placed, once(), amount_micros=amount, final=final)

    assert journal.entry.amount_micros == amount
    assert wallet_after(journal).posted_micros == 170 - amount


@pytest.mark.parametrize("final", [False, True], ids=["a part", "finally"])
@pytest.mark.parametrize("amount", [121, 1000])
def test_above_what_is_left_a_hold_rejects(amount, final):
    before, placed = place(hold(120))

    with pytest.raises(HoldExceeded) as refused:
        rules.capture_hold(before, placed, once(), amount_micros=amount, final=final)

    assert refused.value.details == {
        "asked_micros": amount,
        "remaining_micros": 120,
        "currency": "usd",
    }


@pytest.mark.parametrize("final", [False, True], ids=["a part", "finally"])
@pytest.mark.parametrize("amount", [121, 1000])
def test_above_what_is_left_a_capped_hold_takes_what_there_is(amount, final):
    before, placed = place(hold(120, over_capture="cap"))

    journal = rules.capture_hold(before, placed, once(), amount_micros=amount, final=final)

    assert journal.entry.amount_micros == 120
    assert hold_after(journal).captured_micros == 120
    assert wallet_after(journal).available_micros(NOW) == 50


@pytest.mark.parametrize("final", [False, True], ids=["a part", "finally"])
@pytest.mark.parametrize(
    ("amount", "drawn", "available"),
    [
        (121, [("gift", 100), ("starter", 21)], 49),
        (170, [("gift", 100), ("starter", 50), (CASH, 20)], 0),
        (176, [("gift", 100), ("starter", 50), (CASH, 26)], -6),
        (177, [("gift", 100), ("starter", 50), (CASH, 27)], -7),
    ],
    ids=["from the wallet", "all of it", "one above the limit", "at the limit"],
)
def test_above_what_is_left_an_overdraft_takes_the_rest_from_the_wallet(
    amount, drawn, available, final
):
    before, placed = place(hold(120, over_capture="overdraft", overdraft=7))

    journal = rules.capture_hold(before, placed, once(), amount_micros=amount, final=final)

    assert taken(journal.entry.draws) == drawn
    assert journal.entry.amount_micros == amount
    assert hold_after(journal).captured_micros == amount
    assert wallet_after(journal).available_micros(NOW) == available


def test_an_overdraft_ends_at_its_limit():
    before, placed = place(hold(120, over_capture="overdraft", overdraft=7))

    with pytest.raises(InsufficientFunds) as refused:
        rules.capture_hold(before, placed, once(), amount_micros=178, final=True)

    # 58 above the hold; 50 can be spent, and 7 may be owed.
    assert refused.value.details == {
        "needed_micros": 58,
        "available_micros": 57,
        "currency": "usd",
    }


@pytest.mark.parametrize(("debt", "over", "claim"), [(3, 4, True), (3, 5, False), (7, 1, False)])
def test_a_debt_leaves_that_much_less_to_overdraw(debt, over, claim):
    before, placed = place(hold(170, over_capture="overdraft", overdraft=7))
    indebted = replace(before, cash_micros=-debt)

    def overdraw() -> Wallet:
        return wallet_after(
            rules.capture_hold(indebted, placed, once(), amount_micros=170 + over, final=True)
        )

    if claim:
        assert overdraw().available_micros(NOW) == -debt - over
    else:
        with pytest.raises(InsufficientFunds):
            overdraw()


def test_a_capture_moves_at_most_what_an_operation_can():
    rich = wallet(cash=3 * AMOUNT_MICROS_MAX)
    standing = place(hold(5, over_capture="overdraft"), rich)

    whole = rules.capture_hold(*standing, once(), amount_micros=AMOUNT_MICROS_MAX, final=True)
    with pytest.raises(AmountTooLarge):
        rules.capture_hold(*standing, once(), amount_micros=AMOUNT_MICROS_MAX + 1, final=True)

    assert whole.entry.amount_micros == AMOUNT_MICROS_MAX
