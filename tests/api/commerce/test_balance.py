"""What a user has in cash: `GET balance` and `GET balance/all`."""

import pytest

from tests.api.world import BOB, account_of
from tests.http.events import ADMIN, ALICE

BALANCE = "/api/v1/billing/balance"
ALL = "/api/v1/billing/balance/all"


def balance(world, **query):
    return world.get(BALANCE, by=ADMIN, query={"user": "acme/alice", **query})


def test_a_balance_is_cash_and_what_of_it_is_free(world):
    world.deposit(2500)
    world.hold(1700)

    assert balance(world) == {
        "user": "acme/alice",
        "currency": "usd",
        "balance": 2500,
        "holds": 700,
        "available": 1800,
    }


def test_granted_credit_is_no_cash(world):
    world.get("/v1/billing/wallet")

    assert balance(world)["balance"] == 0
    assert world.cents() == (1000, 0)


@pytest.mark.parametrize("path", [BALANCE, ALL])
def test_looking_at_somebody_unknown_makes_nothing(world, path):
    world.get(path, by=ADMIN, query={"user": "acme/nobody"})

    assert world.items() == []


def test_an_unknown_user_has_zeros(world):
    assert balance(world, user="acme/nobody") == {
        "user": "acme/nobody",
        "currency": "usd",
        "balance": 0,
        "holds": 0,
        "available": 0,
    }
    assert world.get(ALL, by=ADMIN, query={"user": "acme/nobody"}) == {
        "user": "acme/nobody",
        "balances": [],
    }


@pytest.mark.parametrize("name", ["acme/alice", " Acme/ALICE ", "alice", "ALICE"])
def test_a_user_is_the_same_however_the_name_is_written(world, name):
    world.deposit(2500)

    assert balance(world, user=name) | {"currency": ""} == {
        "user": "acme/alice",
        "currency": "",
        "balance": 2500,
        "holds": 0,
        "available": 2500,
    }


def test_an_account_can_be_named_by_its_id(world):
    world.deposit(2500)

    found = balance(world, user=account_of(ALICE))

    assert (found["user"], found["balance"]) == (account_of(ALICE), 2500)


@pytest.mark.parametrize("path", [BALANCE, ALL])
def test_an_account_id_that_nobody_has_is_unknown(world, path):
    refusal = world.refused("GET", path, by=ADMIN, query={"user": account_of(BOB)})

    assert refusal == (404, "account_not_found", None, {})


@pytest.mark.parametrize(
    ("currency", "amount"),
    [("usd", 1), ("jpy", 500), ("kwd", 1234), ("clf", 10_001)],
)
def test_each_currency_has_its_own_balance_in_its_own_minor_units(world, currency, amount):
    world.deposit(99, currency="eur")
    world.deposit(amount, currency=currency.upper())

    assert balance(world, currency=currency.upper()) == {
        "user": "acme/alice",
        "currency": currency,
        "balance": amount,
        "holds": 0,
        "available": amount,
    }


def test_all_balances_are_listed_by_currency(world):
    world.deposit(500, currency="jpy")
    world.deposit(2500)
    world.deposit(30, currency="eur")
    world.hold(10, currency="eur")

    assert world.get(ALL, by=ADMIN, query={"user": "Alice"}) == {
        "user": "acme/alice",
        "balances": [
            {"currency": "eur", "balance": 30, "holds": 10, "available": 20},
            {"currency": "jpy", "balance": 500, "holds": 0, "available": 500},
            {"currency": "usd", "balance": 2500, "holds": 0, "available": 2500},
        ],
    }


def test_a_balance_below_zero_is_not_hidden(world):
    world.deposit(100)
    world.use(1350)

    assert balance(world) | {"user": ""} == {
        "user": "",
        "currency": "usd",
        "balance": -250,
        "holds": 0,
        "available": -250,
    }


@pytest.mark.parametrize(
    ("used", "shown", "exact"),
    [("0.0001", 99, "99.9999"), ("0.5", 99, "99.5"), ("100.5", -1, "-0.5"), ("1", 99, None)],
)
def test_a_balance_that_is_not_whole_is_floored_and_stands_beside_it_exactly(
    world, used, shown, exact
):
    world.deposit(100)
    world.use(1000)
    world.use(used)

    found = balance(world)

    assert (found["balance"], found.get("balanceDecimal")) == (shown, exact)
    assert (found["available"], found.get("availableDecimal")) == (shown, exact)


def test_what_is_held_is_shown_exactly_too(world):
    world.deposit(100)
    world.use(1000)
    world.post("/v1/billing/holds", body={"amount_decimal": "10.5"})

    found = balance(world)

    assert (found["holds"], found["holdsDecimal"]) == (10, "10.5")
    assert (found["available"], found["availableDecimal"]) == (89, "89.5")
    assert found["balance"] == 100


def test_cash_with_an_expiry_counts_until_it_expires(world):
    world.deposit(300)
    world.deposit(500, expiresIn=2)

    world.wait(days=2, milliseconds=-1)
    assert balance(world)["balance"] == 800

    world.wait(milliseconds=1)
    assert balance(world)["balance"] == 300


@pytest.mark.parametrize(
    ("query", "param"),
    [({}, "user"), ({"user": ""}, "user"), ({"user": "alice", "currency": "usdt"}, "currency")],
)
def test_a_balance_needs_a_user_and_a_currency_that_exists(world, query, param):
    refusal = world.refused("GET", BALANCE, by=ADMIN, query=query)

    assert (refusal.status, refusal.code, refusal.param) == (422, "invalid_field", param)
