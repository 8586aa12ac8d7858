from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.domain import wallet as rules
from holdfast.domain.accounts import INTRODUCTORY_CREDIT_MICROS
from holdfast.domain.lots import CASH
from holdfast.domain.money import AMOUNT_MICROS_MAX
from holdfast.errors import AmountTooLarge, InsufficientFunds, TooManyLots
from tests.domain import strategies as some
from tests.domain.samples import (
    HOUR,
    MILLISECOND,
    NOW,
    cash_lot,
    credit,
    funds,
    once,
    taken,
    wallet,
    wallet_after,
)

SOON = NOW + HOUR
NEW_LOT = f"lot_{once().digest}"


def test_the_first_entry_of_an_account_is_its_introductory_credit():
    journal = rules.introduce(wallet(seq=0), once())

    after = wallet_after(journal)
    assert (journal.entry.seq, journal.entry.type) == (1, "introductory_credit")
    assert journal.entry.postings == {
        "credit": INTRODUCTORY_CREDIT_MICROS,
        "promotions": -INTRODUCTORY_CREDIT_MICROS,
    }
    assert INTRODUCTORY_CREDIT_MICROS == 10_000_000
    assert after.available_micros(NOW) == INTRODUCTORY_CREDIT_MICROS
    # It was given, not paid: it cannot be withdrawn, and it does not expire.
    assert after.cash_balance_micros(NOW) == 0
    assert after.due_at is None


def test_a_wallet_is_introduced_once():
    with pytest.raises(AssertionError):
        rules.introduce(wallet(seq=1), once())


def test_a_deposit_is_plain_cash():
    journal = rules.deposit(wallet(cash=10), once(), amount_micros=500, details={"notes": "hi"})

    assert journal.entry.type == "deposit"
    assert journal.entry.postings == {"wallet": 500, "deposits": -500}
    assert journal.entry.details == {"notes": "hi"}
    assert taken(journal.entry.draws) == [(CASH, 500)]
    assert funds(wallet_after(journal)) == {CASH: (510, 0)}


def test_a_deposit_with_an_expiry_is_a_lot_of_cash():
    journal = rules.deposit(wallet(cash=10), once(), amount_micros=500, expires_at=SOON)

    after = wallet_after(journal)
    assert journal.entry.postings == {"wallet": 500, "deposits": -500}
    assert funds(after) == {CASH: (10, 0), NEW_LOT: (500, 0)}
    assert after.due_at == SOON
    assert after.cash_balance_micros(SOON - MILLISECOND) == 510
    assert after.cash_balance_micros(SOON) == 10


@pytest.mark.parametrize(
    ("cash", "amount", "after"),
    [
        (-500, 499, {CASH: (-1, 0)}),
        (-500, 500, {CASH: (0, 0)}),
        (-500, 501, {CASH: (0, 0), NEW_LOT: (1, 0)}),
        (-1, 500, {CASH: (0, 0), NEW_LOT: (499, 0)}),
        (0, 500, {CASH: (0, 0), NEW_LOT: (500, 0)}),
        (1, 500, {CASH: (1, 0), NEW_LOT: (500, 0)}),
    ],
    ids=[
        "less than the debt",
        "the debt",
        "more than the debt",
        "far more than the debt",
        "no debt",
        "cash",
    ],
)
def test_cash_that_expires_pays_a_debt_first(cash, amount, after):
    journal = rules.deposit(wallet(cash=cash), once(), amount_micros=amount, expires_at=SOON)

    assert funds(wallet_after(journal)) == after
    assert journal.entry.amount_micros == amount
    assert journal.entry.postings == {"wallet": amount, "deposits": -amount}
    assert sum(part for _, part in taken(journal.entry.draws)) == amount


def test_credit_beside_a_debt_does_not_make_the_debt_smaller():
    indebted = wallet(credit("gift", 900), cash=-500)

    journal = rules.deposit(indebted, once(), amount_micros=600, expires_at=SOON)

    assert funds(wallet_after(journal)) == {"gift": (900, 0), CASH: (0, 0), NEW_LOT: (100, 0)}


@pytest.mark.parametrize(("open_lots", "claim"), [(198, True), (199, True), (200, False)])
def test_a_deposit_opens_a_lot_only_while_there_is_room(open_lots, claim):
    many = wallet(*(credit(f"lot_{number}", 1) for number in range(open_lots)))

    # Plain cash needs no room.
    rules.deposit(many, once(), amount_micros=5)
    if claim:
        journal = rules.deposit(many, once(), amount_micros=5, expires_at=SOON)
        assert len(wallet_after(journal).lots) == open_lots + 1
    else:
        with pytest.raises(TooManyLots):
            rules.deposit(many, once(), amount_micros=5, expires_at=SOON)


FULL = wallet(credit("gift", 1000), cash_lot("starter", 200, until=SOON), cash=50)


@pytest.mark.parametrize("amount", [1, 49, 50])
def test_plain_cash_can_be_withdrawn(amount):
    journal = rules.withdraw(FULL, once(), amount_micros=amount)

    assert journal.entry.postings == {"wallet": -amount, "withdrawals": amount}
    assert funds(wallet_after(journal)) == {**funds(FULL), CASH: (50 - amount, 0)}


@pytest.mark.parametrize(
    ("before", "amount", "available"),
    [
        pytest.param(FULL, 51, 50, id="one more than there is of it"),
        pytest.param(FULL, 1250, 50, id="all that can be spent"),
        pytest.param(replace(FULL, cash_micros=0), 1, 0, id="credit and cash with an expiry"),
        pytest.param(replace(FULL, cash_micros=-5), 1, 0, id="beside a debt"),
        pytest.param(wallet(cash=0, cash_held=50), 1, 0, id="what is held"),
    ],
)
def test_only_plain_cash_can_be_withdrawn(before, amount, available):
    with pytest.raises(InsufficientFunds) as refused:
        rules.withdraw(before, once(), amount_micros=amount)

    assert refused.value.details == {
        "needed_micros": amount,
        "available_micros": available,
        "currency": "usd",
    }


@pytest.mark.parametrize(
    ("amount", "after"),
    [
        (1000, {"starter": (200, 0), CASH: (50, 0)}),
        (1001, {"starter": (199, 0), CASH: (50, 0)}),
        (1249, {CASH: (1, 0)}),
        (1250, {CASH: (0, 0)}),
        (1251, {CASH: (-1, 0)}),
        (5000, {CASH: (-3750, 0)}),
    ],
)
def test_work_that_was_done_is_charged_in_full_even_below_zero(amount, after):
    journal = rules.use(FULL, once(), amount_micros=amount, reference="job 7")

    assert funds(wallet_after(journal)) == after
    assert journal.entry.amount_micros == amount
    assert journal.entry.postings["revenue"] == amount
    assert journal.entry.balance_after_micros == 1250 - amount
    assert journal.entry.reference == "job 7"


@given(
    before=some.wallets(some.later_expiries, cash_min=-500), amounts=st.permutations([7, 300, 1100])
)
def test_a_debt_is_the_same_however_it_was_run_up(before, amounts):
    current = before
    for number, amount in enumerate(amounts):
        current = wallet_after(rules.use(current, once(f"{number}"), amount_micros=amount))

    # Nothing is clamped on the way, so the order cannot matter.
    assert current.available_micros(NOW) == before.available_micros(NOW) - 1407
    assert current.posted_micros == before.posted_micros - 1407


@given(before=some.wallets(some.later_expiries, cash_min=-500), amount=some.amounts)
def test_a_deposit_raises_what_can_be_spent_by_its_amount(before, amount):
    for expires_at in (None, SOON):
        journal = rules.deposit(before, once(), amount_micros=amount, expires_at=expires_at)

        after = wallet_after(journal)
        assert after.available_micros(NOW) == before.available_micros(NOW) + amount
        # No cash is left to expire beside a debt.
        assert after.cash_micros >= 0 or NEW_LOT not in funds(after)


RULES = {
    "deposit": rules.deposit,
    "withdraw": rules.withdraw,
    "use": rules.use,
}


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_an_operation_moves_at_most_a_thousand_million(rule):
    rich = wallet(cash=2 * AMOUNT_MICROS_MAX)

    below = rule(rich, once(), amount_micros=AMOUNT_MICROS_MAX - 1)
    at = rule(rich, once(), amount_micros=AMOUNT_MICROS_MAX)
    with pytest.raises(AmountTooLarge) as refused:
        rule(rich, once(), amount_micros=AMOUNT_MICROS_MAX + 1)

    assert below.entry.amount_micros == AMOUNT_MICROS_MAX - 1
    assert at.entry.amount_micros == AMOUNT_MICROS_MAX
    assert refused.value.param == "amount"


@pytest.mark.parametrize("amount", [0, -1])
@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_an_amount_that_is_not_above_zero_never_gets_here(rule, amount):
    with pytest.raises(AssertionError):
        rule(wallet(cash=10), once(), amount_micros=amount)


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_what_has_expired_is_gone_before_anything_else_happens(rule):
    before = wallet(credit("gift", 30, until=NOW), cash=10)

    journal = rule(before, once(), amount_micros=5)

    assert [entry.type for entry in journal.others] == ["lot_expiry"]
    assert "gift" not in funds(wallet_after(journal))
    assert "gift" not in [lot for lot, _ in taken(journal.entry.draws)]
