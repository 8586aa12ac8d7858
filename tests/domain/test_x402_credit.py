from dataclasses import replace

import pytest

from holdfast.domain.accounts import Account, default_account_id
from holdfast.domain.ledger import Wallet
from holdfast.domain.money import WALLET_MICROS_MAX
from holdfast.domain.once import Once
from holdfast.domain.x402_credit import credit
from holdfast.domain.x402_outcomes import Refused, Settled
from holdfast.domain.x402_settlements import UNKNOWN, concluded
from holdfast.errors import InvariantBroken
from tests.domain.samples import answered, funds, wallet, wallet_after, written
from tests.domain.x402_samples import NOW, PAYER, TENANT, TRANSACTION, settlement

ACCOUNT_ID = default_account_id(TENANT, "acme/alice")
DONE = Settled(TRANSACTION, "eip155:84532", PAYER, "5000000")
ASKED = settlement(account_id=ACCOUNT_ID)
ACCOUNT = Account(
    tenant=TENANT, id=ACCOUNT_ID, owner="acme/alice", name="acme/alice", created_at=NOW, version=3
)
CLOSED = replace(ACCOUNT, closed_at=NOW)
ONCE = Once(tenant=TENANT, caller="system", key="x402", fingerprint="f", now=NOW)


def test_what_is_on_the_chain_is_plain_cash_from_there():
    journal = written(credit(ASKED, wallet(cash=7), ACCOUNT, DONE, ONCE))

    assert funds(wallet_after(journal)) == {"cash": (5_000_007, 0)}
    entry = journal.entry
    assert (entry.type, entry.source, entry.amount_micros) == ("deposit", "x402", 5_000_000)
    assert entry.postings == {"wallet": 5_000_000, "x402_clearing": -5_000_000}
    assert (entry.id, entry.reference) == (ONCE.entry_id, ASKED.id)
    assert entry.details == {
        "workspace": "ws_1",
        "user": "acme/alice",
        "network": "eip155:84532",
        "payer": PAYER.lower(),
        "transaction": TRANSACTION,
    }


@pytest.mark.parametrize("there", [ASKED, replace(ASKED, status=UNKNOWN, attempts=3)])
def test_the_payment_is_settled_in_the_same_journal(there):
    journal = written(credit(there, wallet(), ACCOUNT, DONE, ONCE))

    _, change = journal.changes
    assert change.before == there
    assert change.after == concluded(there, DONE, NOW)


def test_what_was_settled_before_is_answered_by_its_entry():
    there = concluded(ASKED, DONE, NOW)

    assert answered(credit(there, wallet(), ACCOUNT, DONE, ONCE)) == ONCE.entry_id


def test_what_is_not_settled_is_never_credited():
    failed = concluded(ASKED, Refused("insufficient_funds"), NOW)
    of_another = replace(DONE, payer="0x" + "2" * 40)

    for there, outcome in ((failed, DONE), (ASKED, of_another)):
        with pytest.raises(InvariantBroken):
            credit(there, wallet(), ACCOUNT, outcome, ONCE)


@pytest.mark.parametrize(
    "before",
    [
        replace(wallet(), closed=True),
        wallet(cash=WALLET_MICROS_MAX),
        wallet(cash=-9),
    ],
    ids=["closed", "full", "in debt"],
)
def test_money_that_is_here_is_refused_by_no_wallet(before):
    after = wallet_after(credit(ASKED, before, ACCOUNT, DONE, ONCE))

    assert after.cash_micros == before.cash_micros + 5_000_000
    assert after.closed == before.closed


def test_a_new_wallet_is_told_to_whoever_closes_the_account():
    new = Wallet(tenant=TENANT, account_id=ACCOUNT_ID, currency="usd")

    *_, noticed = written(credit(ASKED, new, ACCOUNT, DONE, ONCE)).changes

    assert (noticed.before, noticed.after) == (ACCOUNT, replace(ACCOUNT, version=4))


def test_a_new_wallet_of_a_closed_account_is_closed():
    new = Wallet(tenant=TENANT, account_id=ACCOUNT_ID, currency="usd")

    journal = written(credit(ASKED, new, CLOSED, DONE, ONCE))

    assert wallet_after(journal).closed
    assert len(journal.changes) == 2
