from dataclasses import replace

import pytest

from holdfast.domain.accounts import Account, default_account_id
from holdfast.domain.book import settled
from holdfast.domain.closing import close
from holdfast.domain.ledger import Deed, Unchanged, Wallet
from holdfast.domain.wallet import deposit
from holdfast.errors import AccountClosed, AccountInUse
from tests.domain.samples import HOUR, NOW, TENANT, credit, once, wallet

LAB = Account(
    tenant=TENANT,
    id="acct_" + "a" * 26,
    owner="acme/alice",
    name="Laboratory",
    created_at=NOW,
    version=3,
)
EMPTY = replace(wallet(), hold_due_at=NOW + HOUR, open_from="hold_1")


def closed(*wallets: Wallet) -> Deed:
    deed = close(LAB, wallets, linked=False, now=NOW)
    assert isinstance(deed, Deed)
    return deed


def wallets_of(deed: Deed) -> list[Wallet]:
    return [change.after for change in deed.changes if isinstance(change.after, Wallet)]


def test_an_empty_account_is_closed_with_all_of_its_wallets():
    euros = wallet(currency="eur")

    deed = closed(EMPTY, euros)

    assert deed.answer == replace(LAB, closed_at=NOW, version=4)
    assert deed.changes[0].before == LAB
    assert [(each.currency, each.closed) for each in wallets_of(deed)] == [
        ("usd", True),
        ("eur", True),
    ]
    assert [change.read_version for change in deed.changes] == [3, EMPTY.version, euros.version]


def test_an_account_without_a_wallet_is_closed_too():
    assert len(closed().changes) == 1


def test_nothing_falls_due_in_a_closed_wallet():
    (after,) = wallets_of(closed(EMPTY))

    assert after.due_at is None
    assert after.open_from is None


IN_IT = {
    "a micro": wallet(cash=1),
    "a debt of a micro": wallet(cash=-1),
    "held cash": wallet(cash_held=1),
    "a lot": wallet(credit("gift", 1)),
    "a lot that is held": wallet(credit("gift", 0, held=1)),
    "a lot whose day has not come": replace(wallet(), pending=(credit("gift", 1),)),
}


@pytest.mark.parametrize("full", IN_IT.values(), ids=IN_IT)
def test_an_account_with_anything_in_it_stays_open(full):
    with pytest.raises(AccountInUse) as refused:
        close(LAB, [EMPTY, full], linked=False, now=NOW)

    assert refused.value.details == {"reason": "balance"}


def test_an_account_that_a_workspace_may_spend_from_stays_open():
    with pytest.raises(AccountInUse) as refused:
        close(LAB, [EMPTY], linked=True, now=NOW)

    assert refused.value.details == {"reason": "linked_workspace"}


def test_a_default_account_stays_open():
    own = replace(LAB, id=default_account_id(TENANT, LAB.owner))

    with pytest.raises(AccountInUse) as refused:
        close(own, [], linked=False, now=NOW)

    assert refused.value.details == {"reason": "default_account"}


def test_a_closed_account_is_as_it_was():
    before = replace(LAB, closed_at=NOW - HOUR)

    assert close(before, [wallet(cash=5)], linked=True, now=NOW) == Unchanged(before)


def test_a_closed_wallet_takes_no_money_and_no_sweep():
    (after,) = wallets_of(closed(EMPTY))

    for write in (
        lambda: deposit(after, once(), amount_micros=1),
        lambda: settled(after, [], once()),
    ):
        with pytest.raises(AccountClosed):
            write()
