"""A reseller's money out: `POST wallet/withdraw`."""

from decimal import Decimal

import pytest

from tests.api.keyed import keyed
from tests.api.world import ENTRY_ID, NOON_TEXT, Refusal
from tests.http.events import ADMIN, ALICE

WITHDRAW = "/api/agents/v1/wallet/withdraw"
RESELLER = {**ALICE, "roles": '["reseller"]'}


def withdraw(world, amount, *, key=None):
    """A withdrawal of an amount as it is written in JSON."""
    return world.ask("POST", WITHDRAW, by=RESELLER, body=f'{{"amount":{amount}}}', key=key)


def refused(world, amount, *, by=RESELLER):
    return world.refused("POST", WITHDRAW, by=by, body=f'{{"amount":{amount}}}')


def test_a_withdrawal_is_debited_at_once_and_pending(world):
    world.deposit(5000)

    answer = withdraw(world, "12.50")

    assert answer.status == 201
    assert answer.data == {
        "withdrawal": {
            "id": ENTRY_ID,
            "amount": Decimal("12.50"),
            "currency": "USD",
            "status": "pending",
            "created_at": NOON_TEXT,
        },
        "balance": Decimal("47.50"),
    }
    assert '"amount":12.50,' in answer.text
    assert world.cents() == (4750, 0)


def test_a_withdrawal_is_a_transaction_like_others(world):
    world.deposit(5000)
    told = withdraw(world, 10).data["withdrawal"]

    newest = world.get("/api/agents/v1/wallet/transactions")["items"][0]

    assert (newest["transaction_id"], newest["usecase"]) == (told["id"], "withdrawal")
    assert (newest["type"], newest["amount"]) == ("debit", Decimal("10.00"))


@pytest.mark.parametrize(
    ("amount", "fits"),
    [("9.99", False), ("10", True), ("10.00", True), ("1e1", True), ("10.01", True)],
)
def test_a_withdrawal_is_ten_dollars_or_more(world, amount, fits):
    world.deposit(5000)

    if fits:
        assert withdraw(world, amount).status == 201
        return
    refusal = refused(world, amount)
    assert refusal == (422, "invalid_field", "amount", {"reason": "must be at least 10.00"})


@pytest.mark.parametrize(("amount", "fits"), [("49.99", True), ("50", True), ("50.01", False)])
def test_a_withdrawal_takes_all_of_the_cash_and_no_more(world, amount, fits):
    world.deposit(5000)

    if fits:
        assert withdraw(world, amount).status == 201
        return
    assert refused(world, amount) == Refusal(
        402,
        "insufficient_funds",
        None,
        {"needed": Decimal("50.01"), "available": Decimal("50.00"), "currency": "usd"},
    )


def test_neither_credit_nor_cash_with_an_expiry_nor_held_cash_can_be_withdrawn(world):
    world.deposit(2500)
    world.deposit(4000, expiresIn=1)
    world.hold(1000 + 4000 + 1000)

    assert refused(world, "15.01").details["available"] == Decimal("15.00")
    assert withdraw(world, 15).data["balance"] == Decimal("60.00")


def test_dollars_are_what_is_withdrawn(world):
    world.deposit(5000, currency="eur")

    assert refused(world, 10).code == "insufficient_funds"
    body = '{"amount":10,"currency":"eur"}'
    refusal = world.refused("POST", WITHDRAW, by=RESELLER, body=body)
    assert refusal == (422, "unknown_field", "currency", {})


@pytest.mark.parametrize(
    "roles",
    ["[]", '["admin"]', '["platform"]', '["Reseller"]', '["resellers"]', '["reseller "]'],
)
def test_nobody_but_a_reseller_withdraws(world, roles):
    world.deposit(5000)

    refusal = refused(world, 10, by={**ALICE, "roles": roles})

    assert refusal == (403, "forbidden", None, {})


def test_an_api_key_is_no_reseller(world):
    world.deposit(5000)

    for by in (keyed(ALICE, "wallet:write"), keyed(ADMIN, "wallet:write", "admin")):
        assert refused(world, 10, by=by) == (403, "forbidden", None, {})


@pytest.mark.parametrize(
    "amount",
    ["0", "-10", '"10"', "true", "null", "10.001", "[]", "{}"],
)
def test_what_is_no_amount_is_refused_by_name(world, amount):
    world.deposit(5000)

    assert refused(world, amount)[:3] == (422, "invalid_field", "amount")


@pytest.mark.parametrize("amount", ["1000000000.01", "1e30"])
def test_an_amount_beyond_what_an_operation_moves_is_refused_by_name(world, amount):
    world.deposit(5000)

    assert refused(world, amount)[:3] == (422, "amount_too_large", "amount")


def test_a_second_delivery_takes_nothing_and_says_that_it_is_one(world):
    world.deposit(5000)
    first = withdraw(world, 10, key="k1")
    world.use(100)
    world.start_anew()
    mark = world.mark()

    again = withdraw(world, 10, key="k1")

    assert (again.status, again.body["data"]) == (201, first.data)
    assert again.replayed
    assert again.body["meta"]["idempotency_replay"] is True
    assert world.written_since(mark) == []
    assert withdraw(world, 11, key="k1").refusal[:2] == (422, "idempotency_key_reused")
