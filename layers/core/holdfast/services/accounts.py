"""The default account that everybody has from the first time on."""

from dataclasses import replace

from holdfast.domain import wallet as rules
from holdfast.domain.accounts import INTRODUCTORY_CURRENCY, Account, Tenant, short_digest
from holdfast.domain.clock import Instant
from holdfast.domain.ledger import Answered, Change, Decision, Wallet
from holdfast.domain.once import Once
from holdfast.errors import AccountNotFound
from holdfast.services.refs import Owner, account_of, wallet_of
from holdfast.store.ledger_store import LedgerStore

SYSTEM = "system"


def ensure(store: LedgerStore, owner: Owner, now: Instant) -> None:
    """Make the default account with its introductory credit, once, if it is not there.

    Raises:
        AccountNotFound: The account was named by its id, and there is none.
    """
    if store.read(account_of(owner)) is not None:
        return
    if owner.user is None:
        raise AccountNotFound()
    account = Account(
        tenant=owner.tenant,
        id=owner.account_id,
        owner=owner.user,
        name=owner.user,
        created_at=now,
        version=1,
    )
    once = system_once(owner.tenant, f"introduce {owner.account_id}", now)

    def decide(wallet: Wallet) -> Decision:
        if wallet.seq:
            return Answered(once.entry_id)
        journal = rules.introduce(wallet, once)
        return replace(journal, changes=(*journal.changes, Change(None, account)))

    store.change(decide, [wallet_of(owner, INTRODUCTORY_CURRENCY)], once=once)


def as_opened(wallet: Wallet, once: Once) -> Wallet:
    """A wallet that is not there yet, as it would be once the user's account was made."""
    if wallet.currency != INTRODUCTORY_CURRENCY:
        return wallet
    opened = rules.introduce(wallet, once).changes[0].after
    assert isinstance(opened, Wallet)
    return opened


def system_once(tenant: Tenant, key: str, now: Instant) -> Once:
    """A request that the system makes of itself. No caller's key can meet it."""
    return Once(tenant=tenant, caller=SYSTEM, key=key, fingerprint=short_digest(key), now=now)
