"""What an agent can spend: `GET wallet/balance`."""

from decimal import Decimal

import pytest

from tests.api.world import BOB
from tests.http.events import ADMIN

BALANCE = "/api/agents/v1/wallet/balance"


def test_a_balance_is_a_decimal_number_with_the_places_of_its_currency(world):
    world.deposit(1500)

    answer = world.ask("GET", BALANCE)

    assert answer.status == 200
    assert answer.data == {"balance": Decimal("25.00"), "currency": "USD"}
    assert '"data":{"balance":25.00,"currency":"USD"}' in answer.text


@pytest.mark.parametrize(
    ("currency", "amount", "written"),
    [("jpy", 500, "500"), ("kwd", 1234, "1.234"), ("eur", 5, "0.05"), ("bhd", 100, "0.100")],
)
def test_each_currency_has_its_own_places(world, currency, amount, written):
    world.deposit(amount, currency=currency)

    answer = world.ask("GET", BALANCE, query={"currency": currency})

    assert f'"data":{{"balance":{written},"currency":"{currency.upper()}"}}' in answer.text


@pytest.mark.parametrize(
    ("used", "written"),
    [("0.0001", "9.99"), ("0.5", "9.99"), ("1000.5", "-0.01"), ("1000", "0.00")],
)
def test_a_balance_is_floored(world, used, written):
    world.use(used)

    assert f'"balance":{written},' in world.ask("GET", BALANCE).text


def test_held_money_is_still_there(world):
    world.hold(700)

    assert world.get(BALANCE)["balance"] == Decimal("10.00")


def test_a_currency_that_the_caller_never_had_has_nothing(world):
    assert world.get(BALANCE, query={"currency": "eur"})["balance"] == Decimal("0.00")


def test_everybody_sees_their_own(world):
    world.deposit(1500)

    assert world.get(BALANCE, by=BOB)["balance"] == Decimal("10.00")
    assert world.get(BALANCE, by=ADMIN)["balance"] == Decimal("10.00")


def test_a_currency_that_does_not_exist_is_refused_in_the_envelope(world):
    refusal = world.refused("GET", BALANCE, query={"currency": "usdt"})

    assert refusal[:3] == (422, "invalid_field", "currency")
