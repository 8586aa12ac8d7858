"""Charges given back: `POST refund`."""

import pytest

from tests.api.world import BOB, ENTRY_ID, Refusal, account_of
from tests.http.events import ADMIN, ALICE

REFUND = "/api/v1/billing/refund"
UNKNOWN = "ent_" + "a" * 26


def refund(world, original, amount, **body):
    asked = {"user": "acme/alice", "amount": amount, "originalTransactionId": original, **body}
    return world.ask("POST", REFUND, by=ADMIN, body=asked)


def refused(world, original, amount, **body):
    asked = {"user": "acme/alice", "amount": amount, "originalTransactionId": original, **body}
    return world.refused("POST", REFUND, by=ADMIN, body=asked)


def cash(world):
    found = world.get("/api/v1/billing/balance", by=ADMIN, query={"user": "acme/alice"})
    return found["balance"]


def test_a_refund_is_answered_with_the_transaction(world):
    original = world.use(400)["transactionId"]

    answer = refund(world, original, 150, notes="sorry")

    assert answer.status == 201
    assert answer.body == {
        "transactionId": ENTRY_ID,
        "user": "acme/alice",
        "amount": 150,
        "currency": "usd",
        "type": "deposit",
        "tags": "refund",
        "originalTransactionId": original,
    }
    assert world.cents() == (750, 0)


def test_a_charge_is_given_back_in_parts_and_never_beyond(world):
    original = world.use(400)["transactionId"]

    assert refund(world, original, 150).status == 201
    assert refused(world, original, 251) == Refusal(
        422,
        "refund_exceeded",
        "amount",
        {"asked": 251, "refundable": 250, "currency": "usd"},
    )
    assert refund(world, original, 250).status == 201
    assert refused(world, original, 1).details["refundable"] == 0
    assert world.cents() == (1000, 0)


def test_money_goes_back_to_the_lots_it_came_from_credit_first(world):
    world.deposit(500)
    original = world.use(1300)["transactionId"]

    refund(world, original, 1100)

    assert cash(world) == 300
    lots = world.get("/v1/billing/entries")["data"][0]["lots"]
    assert [lot["amount"] for lot in lots] == [1000, 100]


def test_what_belongs_to_a_lot_that_has_expired_expires_again(world):
    world.deposit(500, expiresIn=1)
    world.deposit(500)
    original = world.use(1600)["transactionId"]
    world.wait(days=1)

    refund(world, original, 1600)

    assert cash(world) == 500
    assert world.cents() == (1500, 0)


def test_what_a_hold_captured_can_be_given_back(world):
    hold = world.hold(800)
    world.post(f"/v1/billing/holds/{hold['id']}/capture", body={"amount": 300})
    captured = world.get("/v1/billing/entries")["data"][0]

    assert captured["type"] == "capture"
    assert refused(world, captured["id"], 301).code == "refund_exceeded"
    assert refund(world, captured["id"], 300).status == 201
    assert world.cents() == (1000, 0)


def test_a_charge_that_was_not_whole_can_be_given_back_down_to_the_whole_cent(world):
    original = world.use("10.5")["transactionId"]

    assert refused(world, original, 11) == Refusal(
        422,
        "refund_exceeded",
        "amount",
        {"asked": 11, "refundable": 10, "refundableDecimal": "10.5", "currency": "usd"},
    )
    assert refund(world, original, 10).status == 201


def test_a_refund_in_another_currency_than_the_charge_is_wrong(world):
    original = world.use(400, currency="jpy")["transactionId"]

    refusal = refused(world, original, 400)

    assert (refusal.status, refusal.code, refusal.param) == (422, "invalid_field", "currency")
    assert refund(world, original, 400, currency="jpy").body["currency"] == "jpy"


def not_charges(world):
    world.hold(10)
    world.deposit(20)
    refund(world, world.use(30)["transactionId"], 30)
    return world.get("/v1/billing/entries")["data"]


def test_only_a_charge_can_be_refunded(world):
    found = {entry["type"]: entry["id"] for entry in not_charges(world)}
    del found["usage"]

    assert set(found) == {"refund", "deposit", "hold", "introductory_credit"}
    for kind, entry_id in found.items():
        assert refused(world, entry_id, 1) == (422, "not_refundable", None, {"type": kind})


def test_a_charge_of_somebody_else_is_as_unknown_as_none(world):
    world.use(1, user="acme/alice")
    theirs = world.use(400, user="acme/bob")["transactionId"]

    foreign, unknown = refused(world, theirs, 1), refused(world, UNKNOWN, 1)

    assert foreign == unknown == (404, "transaction_not_found", None, {})
    assert refund(world, theirs, 1, user="bob").status == 201


@pytest.mark.parametrize("user", ["acme/nobody", account_of(BOB)])
def test_a_refund_to_somebody_who_is_not_there_makes_nobody(world, user):
    original = world.use(400)["transactionId"]

    assert refused(world, original, 1, user=user).status == 404


def test_a_refund_may_name_the_account_by_its_id(world):
    original = world.use(400)["transactionId"]

    assert refund(world, original, 400, user=account_of(ALICE)).status == 201


def test_a_refund_pays_a_debt(world):
    original = world.use(1400)["transactionId"]

    refund(world, original, 1400)

    assert world.cents() == (1000, 0)
    assert cash(world) == 0
