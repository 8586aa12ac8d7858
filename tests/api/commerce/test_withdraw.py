"""Money out: `POST withdraw`."""

import pytest

from tests.api.world import ENTRY_ID, Refusal, account_of
from tests.http.events import ADMIN, ALICE

WITHDRAW = "/api/v1/billing/withdraw"


def withdraw(world, amount, *, by=ALICE, **body):
    return world.ask("POST", WITHDRAW, by=by, body={"user": "acme/alice", "amount": amount, **body})


def too_much(world, amount, **body):
    return world.refused("POST", WITHDRAW, body={"user": "acme/alice", "amount": amount, **body})


def short_of(needed, available, currency="usd"):
    told = {"needed": needed, "available": available, "currency": currency}
    return Refusal(402, "insufficient_funds", None, told)


def test_a_withdrawal_is_answered_with_the_transaction(world):
    world.deposit(2500)

    answer = withdraw(world, 700, tags="payout", notes="rent")

    assert answer.status == 201
    assert answer.body == {
        "transactionId": ENTRY_ID,
        "user": "acme/alice",
        "amount": 700,
        "currency": "usd",
        "type": "withdraw",
        "tags": "payout",
    }
    assert world.cents() == (2800, 0)


def test_tags_are_answered_when_there_are_none(world):
    world.deposit(2500)

    assert "tags" in withdraw(world, 700).body


def test_an_admin_withdraws_for_a_user_of_its_org(world):
    world.deposit(2500)

    assert withdraw(world, 700, by=ADMIN, user="Alice").body["user"] == "acme/alice"
    assert withdraw(world, 700, by=ADMIN, user=account_of(ALICE)).status == 201
    assert world.cents() == (2100, 0)


@pytest.mark.parametrize(("amount", "is_done"), [(2499, True), (2500, True), (2501, False)])
def test_a_withdrawal_takes_all_of_the_cash_and_no_more(world, amount, is_done):
    world.deposit(2500)

    if is_done:
        assert withdraw(world, amount).status == 201
    else:
        assert too_much(world, amount) == short_of(amount, 2500)


def test_neither_credit_nor_cash_with_an_expiry_nor_held_cash_can_be_withdrawn(world):
    world.deposit(2500)
    world.deposit(400, expiresIn=1)
    world.hold(1000 + 400 + 600)

    assert too_much(world, 1901) == short_of(1901, 1900)
    assert withdraw(world, 1900).status == 201


def test_a_debt_is_no_cash(world):
    world.use(1200)

    assert too_much(world, 1) == short_of(1, 0)


def test_a_shortage_that_is_not_whole_is_told_exactly(world):
    world.deposit(100)
    world.use("1000.5")

    assert too_much(world, 100) == Refusal(
        402,
        "insufficient_funds",
        None,
        {"needed": 100, "available": 99, "availableDecimal": "99.5", "currency": "usd"},
    )


@pytest.mark.parametrize(("currency", "amount"), [("jpy", 500), ("kwd", 1234)])
def test_a_withdrawal_is_in_the_minor_units_of_its_currency(world, currency, amount):
    world.deposit(amount, currency=currency)

    assert too_much(world, amount + 1, currency=currency) == short_of(amount + 1, amount, currency)
    assert withdraw(world, amount, currency=currency).body["amount"] == amount


def test_money_of_another_currency_does_not_help(world):
    world.deposit(2500, currency="eur")

    assert too_much(world, 1) == short_of(1, 0)


def test_money_that_a_hold_kept_past_its_time_can_be_withdrawn(world):
    world.deposit(2500)
    world.hold(3500, expires_in_seconds=60)
    assert too_much(world, 1) == short_of(1, 0)

    world.wait(seconds=60)

    assert withdraw(world, 2500).status == 201
