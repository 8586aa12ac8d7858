"""Closing an account: only when nothing is left in it, and for good."""

from collections.abc import Sequence
from dataclasses import replace

from holdfast.domain.accounts import Account
from holdfast.domain.clock import Instant
from holdfast.domain.ledger import Change, Deed, Resolution, Unchanged, Wallet
from holdfast.errors import AccountInUse


def close(account: Account, wallets: Sequence[Wallet], *, linked: bool, now: Instant) -> Resolution:
    """The account and all of its wallets, closed. Closed before: nothing changes.

    `linked` says whether a workspace may spend from it.

    Raises:
        AccountInUse: It is its owner's default account, a workspace is linked, or money is in it,
            owed by it, held in it or waiting for its day.
    """
    if account.closed_at is not None:
        return Unchanged(account)
    if account.is_default:
        raise AccountInUse(reason="default_account")
    if linked:
        raise AccountInUse(reason="linked_workspace")
    if any(wallet.cash_micros or wallet.lots or _waits(wallet) for wallet in wallets):
        raise AccountInUse(reason="balance")
    closed = replace(account, closed_at=now, version=account.version + 1)
    wallet_changes = (Change(wallet, _closed(wallet)) for wallet in wallets)
    return Deed(closed, (Change(account, closed), *wallet_changes))


def _closed(wallet: Wallet) -> Wallet:
    """The wallet as one in which nothing ever falls due."""
    return replace(
        wallet, closed=True, hold_due_at=None, open_from=None, version=wallet.version + 1
    )


def _waits(wallet: Wallet) -> bool:
    return bool(wallet.cash_held_micros or wallet.pending)
