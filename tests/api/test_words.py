"""Every surface has a word for every entry that it can show."""

import re

import pytest

from holdfast.domain import entries
from tests.http.events import ADMIN
from wallet.agents import USECASES
from wallet.commerce_views import TYPES
from wallet.customer_balance import CASH_TYPES
from wallet.workspaces import SOURCES

LEDGER_ACCOUNTS = entries.CUSTOMER_ACCOUNTS | {
    entries.RESTRICTED_CREDIT,
    entries.DEPOSITS,
    entries.WITHDRAWALS,
    entries.REVENUE,
    entries.REFUNDS,
    entries.PROMOTIONS,
    entries.BREAKAGE,
    entries.ADJUSTMENTS,
    entries.DISPUTES,
    entries.STRIPE_CLEARING,
    entries.X402_CLEARING,
}
ENTRY_TYPES = {
    value
    for name, value in vars(entries).items()
    if name.isupper() and isinstance(value, str) and re.fullmatch("[a-z_]*[a-z]", value)
} - LEDGER_ACCOUNTS
"""Whatever the ledger has a name for and is no account of it: a new word is taken for a type."""

WITHIN = {
    entries.HOLD,
    entries.EXTENSION,
    entries.RELEASE,
    entries.CREDIT_SCHEDULED,
    entries.CARD_PURCHASE,
    entries.DISPUTE_OPENED,
    entries.DISPUTE_WON,
}
"""They move money within a wallet, or none: no balance is another one afterwards."""
CREDIT_ALONE = {
    entries.INTRODUCTORY_CREDIT,
    entries.CREDIT_GRANT,
    entries.CREDIT_VOID,
    entries.COUPON_CREDIT,
}
"""They change a balance, and never its cash."""


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        (TYPES, ENTRY_TYPES),
        (USECASES, ENTRY_TYPES - WITHIN),
        (SOURCES, ENTRY_TYPES - WITHIN),
        (CASH_TYPES, ENTRY_TYPES - WITHIN - CREDIT_ALONE),
    ],
    ids=["commerce", "agents", "workspaces", "balance transactions"],
)
def test_every_entry_that_is_shown_has_a_word(words, shown):
    assert set(words) == shown
    assert all(re.fullmatch("[a-z_-]+", word) for word in words.values())


def test_an_adjustment_goes_the_way_it_went(world):
    for amount in (500, -200):
        body = {"customerId": "alice", "amount": amount}
        world.post("/api/v1/billing/customer-balance/adjustments", by=ADMIN, body=body)

    query = {"user": "alice"}
    commerce = world.get("/api/v1/billing/transactions", query=query)["transactions"]
    agents = world.get("/api/agents/v1/wallet/transactions")["items"]

    told = [(each["type"], each["amount"]) for each in commerce[:2]]
    assert told == [("withdraw", 200), ("deposit", 500)]
    assert [(each["type"], each["usecase"]) for each in agents[:2]] == [
        ("debit", "adjustment"),
        ("credit", "adjustment"),
    ]
