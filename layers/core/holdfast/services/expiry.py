"""What time alone does: holds expire by their policy, lots lose what nobody spent.

Expiry is decided by comparing instants when a wallet is used; the schedule only makes sure that a
wallet which nobody uses is looked at too. Every step can be done twice, or be left half-way: the
wallet stays due until all of it was done.
"""

from holdfast.domain import holds as hold_rules
from holdfast.domain.book import settled
from holdfast.domain.budgets import Budget
from holdfast.domain.clock import Instant
from holdfast.domain.holds import OPEN, Hold
from holdfast.domain.ledger import Decision, Wallet
from holdfast.errors import HoldNotDue
from holdfast.services.accounts import system_once
from holdfast.services.refs import Owner, budget_ref, hold_of, wallet_of
from holdfast.store import pages
from holdfast.store.ledger_store import LedgerStore

SWEEP_HOLDS_MAX = 500
SETTLE_ATTEMPTS_MAX = 3


def sweep(store: LedgerStore, owner: Owner, currency: str, *, now: Instant) -> int:
    """Expire what is due in one wallet; the number of holds that were closed."""
    wallet = store.read(wallet_of(owner, currency))
    if wallet.due_at is None or wallet.due_at > now:
        return 0
    due = [hold for hold in _open_holds(store, wallet) if hold.due(now)]
    closed = sum(_expire(store, owner, hold, now) for hold in due[:SWEEP_HOLDS_MAX])
    if len(due) <= SWEEP_HOLDS_MAX:
        _settle(store, owner, currency, now)
    return closed


def _expire(store: LedgerStore, owner: Owner, hold: Hold, now: Instant) -> bool:
    once = system_once(owner.tenant, f"expire {hold.id}", now)

    def decide(wallet: Wallet, hold: Hold, *budgets: Budget) -> Decision:
        return hold_rules.expire_hold(wallet, hold, once, budgets)

    counted = (budget_ref(scope, owner.tenant) for scope in hold.scopes)
    refs = [wallet_of(owner, hold.currency), hold_of(owner, hold.id), *counted]
    try:
        store.change(decide, refs, once=once)
    except HoldNotDue:
        # Somebody extended it since it was listed.
        return False
    return True


def _settle(store: LedgerStore, owner: Owner, currency: str, now: Instant) -> None:
    once = system_once(owner.tenant, f"settle {owner.account_id} {currency}", now)
    for _ in range(SETTLE_ATTEMPTS_MAX):
        # The wallet is read before its holds: if one is placed or closed meanwhile, the wallet's
        # version moves, and what was found here is not written.
        wallet = store.read(wallet_of(owner, currency))
        entries, change = settled(wallet, _open_holds(store, wallet), once)
        if change is None or store.settle(owner.tenant, entries, change):
            return


def _open_holds(store: LedgerStore, wallet: Wallet) -> list[Hold]:
    if wallet.open_from is None:
        return []
    found = pages.holds(store, wallet.tenant, wallet.account_id, since=wallet.open_from)
    return [hold for hold in found if hold.status == OPEN and hold.currency == wallet.currency]
