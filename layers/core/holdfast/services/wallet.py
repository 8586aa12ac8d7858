"""Use cases of a wallet: look at it, put money in, take it out, charge, give back."""

import heapq
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice

from holdfast.domain import wallet as rules
from holdfast.domain.clock import Instant
from holdfast.domain.entries import Entry, Json
from holdfast.domain.ledger import Decision, Wallet
from holdfast.domain.once import Once
from holdfast.domain.wallet import Refunded
from holdfast.errors import EntryNotFound, InsufficientFunds, TransactionNotFound
from holdfast.services import accounts, expiry
from holdfast.services.refs import Owner, refunded_of, wallet_of
from holdfast.store import pages
from holdfast.store.ledger_store import Committed, Decide, LedgerStore, Ref

LOOKED_AT_MAX = 2_000
"""How many entries one page of a filtered list looks at before it hands out what it found."""


@dataclass(frozen=True, slots=True)
class EntryPage:
    """Entries, newest first; `next_seq` is where the next page starts, None at the end."""

    entries: tuple[Entry, ...]
    next_seq: int | None


def wallet(store: LedgerStore, owner: Owner, currency: str, *, now: Instant, own: bool) -> Wallet:
    """The wallet as it is at `now`. A user's `own` first look makes the account.

    Another's look makes nothing: an unknown user has a wallet with nothing in it.
    """
    found: Wallet = store.read(wallet_of(owner, currency))
    if found.seq == 0 and own:
        accounts.ensure(store, owner, now)
        found = store.read(wallet_of(owner, currency))
    if found.due_at is not None and found.due_at <= now:
        expiry.sweep(store, owner, currency, now=now)
        found = store.read(wallet_of(owner, currency))
    return found


def wallets(store: LedgerStore, owner: Owner, *, now: Instant) -> list[Wallet]:
    """All wallets of the account as they are at `now`, by currency."""
    found = pages.wallets(store, owner.tenant, owner.account_id)
    return [wallet(store, owner, each.currency, now=now, own=False) for each in found]


def deposit(
    store: LedgerStore,
    owner: Owner,
    *,
    amount_micros: int,
    currency: str,
    expires_in: timedelta | None = None,
    details: Mapping[str, Json] | None = None,
    once: Once,
) -> Committed:
    """Put cash in; with `expires_in`, as a lot that is gone by then if nobody spends it."""
    expires_at = None if expires_in is None else once.now + expires_in

    def decide(wallet: Wallet) -> Decision:
        return rules.deposit(
            wallet, once, amount_micros=amount_micros, expires_at=expires_at, details=details
        )

    return change(store, owner, currency, decide, once=once)


def withdraw(
    store: LedgerStore,
    owner: Owner,
    *,
    amount_micros: int,
    currency: str,
    details: Mapping[str, Json] | None = None,
    once: Once,
) -> Committed:
    """Take plain paid-in cash out."""

    def decide(wallet: Wallet) -> Decision:
        return rules.withdraw(wallet, once, amount_micros=amount_micros, details=details)

    return change(store, owner, currency, decide, once=once)


def use(
    store: LedgerStore,
    owner: Owner,
    *,
    amount_micros: int,
    currency: str,
    reference: str | None = None,
    details: Mapping[str, Json] | None = None,
    once: Once,
) -> Committed:
    """Charge for work that was already done, below zero if need be."""

    def decide(wallet: Wallet) -> Decision:
        return rules.use(
            wallet, once, amount_micros=amount_micros, reference=reference, details=details
        )

    return change(store, owner, currency, decide, once=once)


def refund(
    store: LedgerStore,
    owner: Owner,
    *,
    original_id: str,
    amount_micros: int,
    currency: str,
    details: Mapping[str, Json] | None = None,
    once: Once,
) -> Committed:
    """Give part or all of a charge back, to the lots it came from.

    Raises:
        TransactionNotFound: There is no such charge in this account.
    """
    try:
        original = store.entry(owner.tenant, original_id)
    except EntryNotFound:
        if earlier := store.replayed(once):
            return earlier
        raise TransactionNotFound() from None

    def decide(wallet: Wallet, refunded: Refunded) -> Decision:
        return rules.refund(
            wallet,
            refunded,
            once,
            original=original,
            amount_micros=amount_micros,
            details=details,
        )

    refs = [wallet_of(owner, currency), refunded_of(owner, original.id)]
    return store.change(decide, refs, once=once)


def change(
    store: LedgerStore,
    owner: Owner,
    currency: str,
    decide: Decide,
    *more: Ref,
    once: Once,
) -> Committed:
    """Change a wallet by a rule, making the account first if this is its first time.

    Money that a hold still has past its time counts as available: before a refusal for lack of
    funds is given, what is due is swept.
    """
    refs = [wallet_of(owner, currency), *more]
    state = None
    if not more:
        state = store.load(refs)
        if state.records[0].seq == 0:
            accounts.ensure(store, owner, once.now)
            state = store.load(refs, fresh=True)
    try:
        return store.change(decide, refs, once=once, state=state)
    except InsufficientFunds:
        if not expiry.sweep(store, owner, currency, now=once.now):
            raise
    return store.change(decide, refs, once=once)


def entry(store: LedgerStore, owner: Owner, entry_id: str) -> Entry:
    """One entry of the account.

    Raises:
        EntryNotFound: There is none, or it is another account's.
    """
    found = store.entry(owner.tenant, entry_id)
    if found.account_id != owner.account_id:
        raise EntryNotFound()
    return found


def statement(
    store: LedgerStore, wallet: Wallet, *, start_seq: int | None, limit: int
) -> EntryPage:
    """One page of a wallet's entries, from number `start_seq` (None: the newest) down."""
    up_to = wallet.seq if start_seq is None else min(start_seq, wallet.seq)
    found = pages.statement(store, wallet, up_to=up_to, limit=limit)
    next_seq = up_to - len(found)
    return EntryPage(tuple(found), next_seq or None)


def entries_matching(
    store: LedgerStore,
    wallet: Wallet,
    keep: Callable[[Entry], bool],
    *,
    start_seq: int | None,
    limit: int,
) -> EntryPage:
    """One page of the entries that `keep` keeps. A page may be short and still not be the last."""
    up_to = wallet.seq if start_seq is None else min(start_seq, wallet.seq)
    kept: list[Entry] = []
    lowest = up_to + 1
    for found in islice(pages.walk_statement(store, wallet, up_to=up_to), LOOKED_AT_MAX):
        lowest = found.seq
        if keep(found):
            kept.append(found)
            if len(kept) == limit:
                break
    return EntryPage(tuple(kept), (lowest - 1) or None)


def entries_of_all(
    store: LedgerStore,
    wallets: Sequence[Wallet],
    *,
    offset: int,
    limit: int,
    keep: Callable[[Entry], bool] | None = None,
) -> list[Entry]:
    """Entries of several wallets, newest first, after the first `offset` of them.

    One wallet without a filter is read from the right place at once; otherwise what is skipped is
    read as well.
    """
    if len(wallets) == 1 and keep is None:
        (only,) = wallets
        return list(pages.statement(store, only, up_to=only.seq - offset, limit=limit))
    walks = [pages.walk_statement(store, each, up_to=each.seq) for each in wallets]
    merged: Iterator[Entry] = heapq.merge(*walks, key=_age)
    if keep is not None:
        merged = filter(keep, merged)
    return list(islice(merged, offset, offset + limit))


def _age(found: Entry) -> tuple[float, str, int]:
    return (-found.created_at.timestamp(), found.currency, -found.seq)
