"""Use cases of accounts that are looked at: their money, and the workspaces that spend it."""

from dataclasses import dataclass

from holdfast.domain import members
from holdfast.domain.accounts import ACCOUNT_PREFIX, Account, Tenant
from holdfast.domain.clock import Instant
from holdfast.domain.ledger import Wallet
from holdfast.services import accounts, payment_methods, workspaces
from holdfast.services import wallet as wallets
from holdfast.services.refs import Owner, wallet_of
from holdfast.store.ledger_store import LedgerStore


@dataclass(frozen=True, slots=True)
class Funded:
    """An account, and its wallet in its own currency."""

    account: Account
    wallet: Wallet


@dataclass(frozen=True, slots=True)
class Details:
    """An account with its wallet, its workspaces by id (is it their default account?), and what
    the payment provider calls it.
    """

    account: Account
    wallet: Wallet
    workspaces: tuple[tuple[str, bool], ...]
    customer_id: str | None


def owned(
    store: LedgerStore, tenant: Tenant, user: str, *, after: str | None, limit: int, now: Instant
) -> tuple[list[Funded], str | None]:
    """The accounts that a user owns, up to 100 on a page: the default one first, then by id.

    `after` is where the page before ended; the second value where this one does, None at the end
    of the list.
    """
    found: list[Account] = []
    place = after
    while True:
        page, place = accounts.seats(store, tenant, user, after=place, limit=limit, now=now)
        found += [seat.account for seat in page if seat.role == members.OWNER]
        if place is None or len(found) > limit:
            break
    shown = found[:limit]
    return _funded(store, shown, now), _end_of(shown) if len(found) > limit else None


def details(store: LedgerStore, owner: Owner, *, now: Instant) -> Details:
    """One account with all that it shows. A user's look at the own default one makes it.

    Raises:
        AccountNotFound: There is no such account, or the asker has no seat in it.
    """
    owner = accounts.admitted(store, owner, spend=False)
    account = accounts.ensure(store, owner, now)
    own = owner.user is not None
    wallet = wallets.wallet(store, owner, account.currency, now=now, own=own)
    linked = tuple(workspaces.linked_workspaces(store, owner))
    return Details(account, wallet, linked, payment_methods.customer_id(store, owner))


def _funded(store: LedgerStore, shown: list[Account], now: Instant) -> list[Funded]:
    owners = [Owner(account.tenant, account.id) for account in shown]
    refs = [wallet_of(owner, each.currency) for owner, each in zip(owners, shown, strict=True)]
    found: list[Funded] = []
    for account, owner, wallet in zip(shown, owners, store.prove(refs).records, strict=True):
        is_due = wallet.due_at is not None and wallet.due_at <= now
        currency = account.currency
        seen = wallets.wallet(store, owner, currency, now=now, own=False) if is_due else wallet
        found.append(Funded(account, seen))
    return found


def _end_of(shown: list[Account]) -> str:
    # The default account stands before all others, whatever its id.
    return ACCOUNT_PREFIX if shown[-1].is_default else shown[-1].id
