"""Money that moves on one surface has moved on all of them."""

from decimal import Decimal

import pytest

from tests.api.world import account_of
from tests.http.events import ADMIN, ALICE


def seen(world):
    """A user's money as each surface tells it, in cents: cash on commerce, all of it elsewhere."""
    commerce = world.get("/api/v1/billing/balance", by=ADMIN, query={"user": "acme/alice"})
    wallet = world.wallet()
    agents = world.get("/api/agents/v1/wallet/balance")
    listed = world.get("/api/agents/v1/wallet/transactions")
    head = world.get("/v1/billing/ledger/head")
    newest = world.get("/v1/billing/entries", query={"limit": 1})["data"][0]
    assert agents["balance"] * 100 == wallet["balance_cents"]
    assert listed["wallet"]["balance"] == agents["balance"]
    assert wallet["available_cents"] == wallet["balance_cents"] - wallet["held_cents"]
    assert commerce["available"] == commerce["balance"] - commerce["holds"]
    assert (newest["seq"], newest["hash"]) == (head["seq"], head["head"])
    assert (newest["balance_after"], newest["held_after"]) == (
        wallet["balance_cents"],
        wallet["held_cents"],
    )
    return (
        (commerce["balance"], commerce["holds"]),
        (wallet["balance_cents"], wallet["held_cents"]),
    )


def test_each_step_of_a_story_is_seen_everywhere(world):
    world.wallet()
    assert seen(world) == ((0, 0), (1000, 0))

    world.deposit(2500)
    assert seen(world) == ((2500, 0), (3500, 0))

    hold = world.hold(1400)["id"]
    assert seen(world) == ((2500, 400), (3500, 1400))

    world.post(f"/v1/billing/holds/{hold}/capture", body={"amount": 1100, "final": False})
    assert seen(world) == ((2400, 300), (2400, 300))

    world.post(f"/v1/billing/holds/{hold}/release")
    assert seen(world) == ((2400, 0), (2400, 0))

    used = world.use(150)["transactionId"]
    assert seen(world) == ((2250, 0), (2250, 0))

    refund = {"user": "alice", "amount": 50, "originalTransactionId": used}
    world.post("/api/v1/billing/refund", by=ADMIN, body=refund)
    assert seen(world) == ((2300, 0), (2300, 0))

    world.post("/api/v1/billing/withdraw", body={"user": "alice", "amount": 300})
    assert seen(world) == ((2000, 0), (2000, 0))

    quote = world.quote()["quote_id"]
    world.post("/v1/billing/hardware/hold", body={"quote_id": quote, "job_id": "job-1"})
    assert seen(world) == ((2000, 110), (2000, 110))

    world.post("/v1/billing/hardware/hold/job-1/release", body={"capture_cents": 60})
    assert seen(world) == ((1940, 0), (1940, 0))


def test_one_transaction_has_one_id_everywhere(world):
    deposit = world.deposit(2500)["transactionId"]

    entry = world.get(f"/v1/billing/entries/{deposit}")
    listed = world.get("/api/v1/billing/transactions", query={"user": "alice"})
    items = world.get("/api/agents/v1/wallet/transactions")["items"]

    assert listed["transactions"][0]["id"] == deposit
    assert (items[0]["transaction_id"], items[0]["id"]) == (deposit, entry["seq"])
    assert items[0]["amount"] == Decimal(entry["amount"]) / 100


@pytest.mark.parametrize("amount", [1, 999, 1000, 1001, 2500])
def test_credit_goes_before_cash_whatever_draws(world, amount):
    world.deposit(1500)

    world.hold(amount)

    cash, everything = seen(world)
    assert cash == (1500, max(0, amount - 1000))
    assert everything == (2500, amount)


def test_a_wallet_of_each_currency_is_a_wallet_of_its_own(world):
    world.deposit(500, currency="jpy")
    world.deposit(1234, currency="kwd")
    world.hold(200, currency="jpy")

    assert world.cents(currency="jpy") == (500, 200)
    assert world.cents(currency="kwd") == (1234, 0)
    assert world.cents() == (1000, 0)
    assert world.get("/v1/billing/ledger/head", query={"currency": "jpy"})["seq"] == 2


def test_the_schedule_is_not_needed_for_any_surface_to_see_what_has_expired(world):
    world.deposit(500, expiresIn=1)
    world.hold(1500, expires_in_seconds=60)
    world.wait(days=1)

    assert seen(world) == ((0, 0), (1000, 0))


@pytest.mark.parametrize("name", ["acme/alice", "alice", " Acme/Alice ", account_of(ALICE)])
def test_a_user_has_one_wallet_under_every_name(world, name):
    world.wallet()

    world.deposit(500, user=name)
    world.use(100, user=name)
    world.post("/api/v1/billing/withdraw", by=ADMIN, body={"user": name, "amount": 1})

    assert world.cents() == (1399, 0)
