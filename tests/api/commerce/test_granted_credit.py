"""Credit that was granted, where wallets show it: spent by usage, and listed as transactions."""

import pytest

from tests.api.world import Like, account_of
from tests.http.events import ADMIN, ALICE

GRANTS = "/api/v1/billing/credit-grants"
MINE = f"/billing-accounts/{account_of(ALICE)}/transactions"
GRANT_ID = Like(r"grant_[0-9a-z]{36}_[a-z]{3}")


def grant(world, amount, **body):
    body = {"userId": "acme/alice", "amountCents": amount, **body}
    return world.post(GRANTS, by=ADMIN, body=body)


def transactions(world):
    return world.get("/api/v1/billing/transactions", query={"user": "alice"})["transactions"]


def kinds(world):
    """What the newest transactions are on commerce, on agents and on workspaces."""
    agents = world.get("/api/agents/v1/wallet/transactions")["items"]
    shown = world.get(MINE)["data"]
    return (
        [each["type"] for each in transactions(world)],
        [each["usecase"] for each in agents],
        [each["source"] for each in shown],
    )


@pytest.mark.parametrize(
    ("meters", "spendable"),
    [([], 1300), (["api-usage"], 1300), (["other", "api-usage"], 1300), (["other"], 1000)],
)
def test_usage_is_paid_with_the_credit_that_is_meant_for_it(world, meters, spendable):
    grant(world, 300, eligibility=meters)

    told = world.use(spendable)

    assert "overdrawn" not in told
    # Whatever is left is for something else.
    assert world.cents() == (0, 0)
    assert world.use(1)["overdrawn"] is True


def test_credit_for_usage_is_for_no_hold_and_no_part_of_the_balance(world):
    grant(world, 300, eligibility=["api-usage"])

    assert world.cents() == (1000, 0)
    refusal = world.refused("POST", "/v1/billing/holds", body={"amount": 1001})
    assert refusal.details == {"needed": 1001, "available": 1000, "currency": "usd"}


def test_what_credit_for_usage_pays_changes_no_balance_and_is_charged_in_full(world):
    grant(world, 300, eligibility=["api-usage"])

    world.use(200)
    told = world.use(150)

    assert told["amount"] == 150
    assert world.cents() == (950, 0)
    shown = world.get(MINE)["data"]
    assert [(each["source"], each["amountCents"]) for each in shown] == [
        ("usage", 50),
        ("intro", 1000),
    ]


def test_a_grant_is_a_deposit_that_says_when_it_ends(world):
    told = grant(world, 300, expiresIn="48h")

    (newest, *_) = transactions(world)

    assert (newest["type"], newest["amount"]) == ("deposit", 300)
    assert newest["expiresAt"] == told["expiresAt"] == "2026-11-23T12:00:00.000Z"
    assert kinds(world) == (
        ["deposit", "deposit"],
        ["credit_grant", "introductory_credit"],
        ["credits", "intro"],
    )
    assert world.get(MINE)["data"][0]["reference"] == told["id"] == GRANT_ID


def test_a_grant_that_waits_for_its_day_is_listed_as_waiting_and_moves_nothing(world):
    grant(world, 300, effectiveAt="2026-11-22T12:00:00Z")

    assert world.cents() == (1000, 0)
    assert kinds(world) == (
        ["credit-scheduled", "deposit"],
        ["introductory_credit"],
        ["intro"],
    )

    world.wait(days=1)

    assert world.cents() == (1300, 0)
    assert kinds(world) == (
        ["deposit", "credit-scheduled", "deposit"],
        ["credit_grant", "introductory_credit"],
        ["credits", "intro"],
    )


def test_a_grant_that_is_voided_goes_out_again(world):
    told = grant(world, 300)

    world.post(f"{GRANTS}/{told['id']}/void", by=ADMIN)

    assert world.cents() == (1000, 0)
    assert kinds(world) == (
        ["withdraw", "deposit", "deposit"],
        ["credit_void", "credit_grant", "introductory_credit"],
        ["credits", "credits", "intro"],
    )
    assert [each["type"] for each in world.get(MINE)["data"]] == ["debit", "credit", "credit"]


def test_the_starter_credit_is_cash_that_ends(world):
    world.save_card(by=ALICE)
    world.post("/api/v1/billing/credit", body={"user": "acme/alice"})

    (newest, *_) = transactions(world)
    query = {"customerId": "alice"}
    (cash,) = world.get("/api/v1/billing/balance-transactions", by=ADMIN, query=query)[
        "balanceTransactions"
    ]

    assert (newest["type"], newest["amount"], newest["tags"]) == ("deposit", 500, "starter-credit")
    assert newest["expiresAt"] == "2026-12-21T12:00:00.000Z"
    assert (cash["type"], cash["amount"], cash["endingBalance"]) == ("deposit", 500, 500)
    assert kinds(world)[1:] == (
        ["starter_credit", "introductory_credit"],
        ["credits", "intro"],
    )


def test_credit_is_no_transaction_of_cash(world):
    told = grant(world, 300)
    world.post(f"{GRANTS}/{told['id']}/void", by=ADMIN)

    shown = world.get(
        "/api/v1/billing/balance-transactions", by=ADMIN, query={"customerId": "alice"}
    )

    assert shown["balanceTransactions"] == []
