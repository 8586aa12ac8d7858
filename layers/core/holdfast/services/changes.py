"""How a use case changes a wallet: everything that a rule needs is found and made ready first."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from holdfast.domain.accounts import Account
from holdfast.domain.book import scopes_of
from holdfast.domain.budgets import Scope
from holdfast.domain.holds import Hold
from holdfast.domain.ledger import Answered, Change, Decision, Wallet
from holdfast.domain.once import Once
from holdfast.errors import AccountClosed, Refusal, Unavailable
from holdfast.services import accounts, expiry
from holdfast.services.refs import Owner, account_of, budget_ref, wallet_of
from holdfast.store.ledger_store import Committed, Decide, LedgerStore, Ref


@dataclass(frozen=True, slots=True)
class Reserve:
    """What else is written with something, or keeps it from being written.

    `decide` is given the records of `refs`.
    """

    refs: Sequence[Ref]
    decide: Callable[..., tuple[Change, ...]]


class NotReady(Refusal):
    """Something has to be done to the wallet before the rule may look at it. Stays in here."""


class NotOpened(NotReady):
    """The wallet is new, and perhaps its account is too."""


class HoldsDue(NotReady):
    """Holds have expired by time alone, and still count as held."""


class _Counted(Exception):
    """The change counts in other budgets than those at hand: those of the hold that it is about."""

    def __init__(self, scopes: tuple[Scope, ...]) -> None:
        super().__init__()
        self.scopes = scopes


def change(
    store: LedgerStore,
    owner: Owner,
    currency: str,
    decide: Decide,
    *more: Ref,
    once: Once,
    scopes: tuple[Scope, ...] = (),
    is_done: bool = False,
) -> Committed:
    """Change a wallet by a rule, making the account first if this is its first time.

    `decide` is given the wallet, the budgets that the change counts in (of `scopes`, of the hold
    that is among `more`, and of the caller's caps), and the records of `more`. Money that a hold
    keeps past its time counts as free, so what is due is swept first. What `is_done` outside has a
    closed wallet opened for it where an account was closed before it had one.

    Raises:
        AccountClosed: The account is closed.
        AccountNotFound, Forbidden: Whoever named the account by its id may not spend from it.
        Unavailable: More was due than one request sweeps.
    """
    try:
        owner = accounts.admitted(store, owner, spend=True)
    except Refusal:
        if earlier := store.replayed(once):
            return earlier
        raise
    counted = scopes or once.caps
    return _changed(
        store, owner, currency, decide, more, once=once, counted=counted, is_done=is_done
    )


def _changed(
    store: LedgerStore,
    owner: Owner,
    currency: str,
    decide: Decide,
    more: Sequence[Ref],
    *,
    once: Once,
    counted: tuple[Scope, ...],
    is_done: bool,
) -> Committed:
    opened: list[Ref] = []
    prepared: set[type[NotReady]] = set()

    def decide_when_ready(wallet: Wallet, *rest: Any) -> Decision:
        others, rest = rest[: len(more)], rest[len(more) :]
        budgets, accounts_read = rest[: len(counted)], rest[len(counted) :]
        _require_counted(others, counted, once)
        if wallet.version == 0 and NotOpened not in prepared:
            # A refusal leaves no trace, so no account either.
            if owner.user is not None:
                decide(accounts.as_opened(wallet, once), budgets, *others)
            raise NotOpened()
        if is_done and any(account.closed_at is not None for account in accounts_read):
            return decide(replace(wallet, closed=True), budgets, *others)
        due_at = wallet.hold_due_at
        if due_at is not None and due_at <= once.now and HoldsDue not in prepared:
            raise HoldsDue()
        return _open_to(accounts_read, decide(wallet, budgets, *others))

    while True:
        budgets = (budget_ref(scope, owner.tenant) for scope in counted)
        refs = [wallet_of(owner, currency), *more, *budgets, *opened]
        try:
            return store.change(decide_when_ready, refs, once=once)
        except _Counted as found:
            counted = found.scopes
        except NotOpened:
            if not accounts.ensure(store, owner, once.now).is_default:
                opened = [account_of(owner)]
            prepared.add(NotOpened)
        except HoldsDue:
            if expiry.sweep(store, owner, currency, now=once.now) >= expiry.SWEEP_HOLDS_MAX:
                raise Unavailable() from None
            prepared.add(HoldsDue)


def _open_to(accounts_read: Sequence[Account], decision: Decision) -> Decision:
    """The decision to open one more wallet, good only while its account is not closed.

    The account is written, unchanged: whoever closes it has looked at its wallets before.
    """
    if any(account.closed_at is not None for account in accounts_read):
        raise AccountClosed()
    if isinstance(decision, Answered):
        return decision
    seen = (Change(each, replace(each, version=each.version + 1)) for each in accounts_read)
    return decision.beside(*seen)


def _require_counted(records: Sequence[Any], scopes: tuple[Scope, ...], once: Once) -> None:
    for record in records:
        if isinstance(record, Hold) and scopes_of(record, once) != scopes:
            raise _Counted(scopes_of(record, once))
