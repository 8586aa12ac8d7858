"""Money in: `POST deposit`."""

import pytest

from tests.api.world import BOB, ENTRY_ID, account_of
from tests.http.events import ADMIN, ALICE

DEPOSIT = "/api/v1/billing/deposit"


def deposit(world, **body):
    return world.ask("POST", DEPOSIT, by=ADMIN, body={"user": "acme/alice", **body})


def listed(world, **query):
    found = world.get(
        "/api/v1/billing/transactions", by=ADMIN, query={"user": "acme/alice", **query}
    )
    return found["transactions"]


def test_a_deposit_is_answered_with_the_transaction(world):
    answer = deposit(world, amount=2500, tags="topup", notes="first")

    assert answer.status == 201
    assert not answer.replayed
    assert answer.body == {
        "transactionId": ENTRY_ID,
        "user": "acme/alice",
        "amount": 2500,
        "currency": "usd",
        "type": "deposit",
        "tags": "topup",
    }


def test_a_deposit_for_some_days_says_until_when(world):
    answer = deposit(world, amount=2500, tags="promo", expiresIn=30)

    assert answer.body == {
        "transactionId": ENTRY_ID,
        "user": "acme/alice",
        "amount": 2500,
        "currency": "usd",
        "type": "deposit",
        "tags": "promo",
        "expiresAt": "2026-12-21T12:00:00.000Z",
    }


def test_no_days_are_for_ever(world):
    answer = deposit(world, amount=2500, expiresIn=0)
    world.wait(days=4000)

    assert "expiresAt" not in answer.body
    assert world.cents() == (3500, 0)


def test_tags_are_answered_when_there_are_none(world):
    assert "tags" in deposit(world, amount=2500).body


def test_a_deposit_without_notes_gets_some(world):
    deposit(world, amount=2500)

    assert listed(world, currency="usd", limit=1)[0].get("notes")


def test_notes_may_have_lines_and_come_back_as_they_were(world):
    deposit(world, amount=1, notes="first\n\tsecond – ünïcode")

    assert listed(world, currency="usd", limit=1)[0]["notes"] == "first\n\tsecond – ünïcode"


@pytest.mark.parametrize(
    ("currency", "most"),
    [("usd", 10**11), ("jpy", 10**9), ("kwd", 10**12)],
    ids=["a thousand million dollars", "as many yen", "as many dinars"],
)
def test_one_deposit_moves_no_more_than_an_operation_can(world, currency, most):
    assert deposit(world, amount=most, currency=currency).body["amount"] == most

    refusal = world.refused(
        "POST", DEPOSIT, by=ADMIN,
        body={"user": "acme/alice", "amount": most + 1, "currency": currency},
    )  # fmt: skip

    assert (refusal.status, refusal.code, refusal.param) == (422, "amount_too_large", "amount")


def test_a_wallet_holds_no_more_than_a_wallet_can(world):
    for _ in range(100):
        deposit(world, amount=10**9, currency="jpy")

    refusal = world.refused(
        "POST", DEPOSIT, by=ADMIN, body={"user": "acme/alice", "amount": 1, "currency": "jpy"}
    )

    assert (refusal.status, refusal.code) == (422, "amount_too_large")
    assert world.cents(currency="jpy") == (10**11, 0)


def test_a_wallet_has_two_hundred_open_lots_at_most(world):
    for _ in range(199):
        deposit(world, amount=1, expiresIn=1)

    refusal = world.refused(
        "POST", DEPOSIT, by=ADMIN, body={"user": "acme/alice", "amount": 1, "expiresIn": 1}
    )

    assert (refusal.status, refusal.code) == (422, "too_many_lots")
    assert deposit(world, amount=1).status == 201


def test_the_first_deposit_makes_the_account_with_its_introductory_credit(world):
    deposit(world, amount=2500)

    assert world.cents() == (3500, 0)


def test_a_first_deposit_in_another_currency_brings_the_introductory_credit_too(world):
    deposit(world, amount=2500, currency="eur")

    assert world.cents(currency="eur") == (2500, 0)
    assert world.cents() == (1000, 0)


def test_a_deposit_goes_to_the_account_that_an_id_names(world):
    world.get("/v1/billing/wallet")

    answer = deposit(world, user=account_of(ALICE), amount=2500)

    assert answer.body["user"] == account_of(ALICE)
    assert world.cents() == (3500, 0)


def test_an_account_that_nobody_has_is_not_made_by_naming_its_id(world):
    refusal = world.refused(
        "POST", DEPOSIT, by=ADMIN, body={"user": account_of(BOB), "amount": 2500}
    )

    assert refusal == (404, "account_not_found", None, {})


def test_only_what_nobody_spent_of_a_deposit_expires(world):
    deposit(world, amount=300)
    deposit(world, amount=500, expiresIn=1)
    world.use(1000 + 200)

    world.wait(days=1)

    assert world.cents() == (300, 0)


def test_a_deposit_pays_a_debt_before_it_can_expire(world):
    world.use(1400)
    deposit(world, amount=500, expiresIn=1)

    assert world.cents() == (100, 0)

    world.wait(days=1)
    assert world.cents() == (0, 0)
