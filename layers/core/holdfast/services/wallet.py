"""Use cases of a wallet: look at it, put money in, take it out, charge, give back."""

import heapq
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice
from typing import Any

from holdfast.domain import wallet as rules
from holdfast.domain.budgets import Budgets
from holdfast.domain.clock import Instant
from holdfast.domain.credits import is_grant
from holdfast.domain.entries import Entry, Json
from holdfast.domain.ledger import Decision, Wallet
from holdfast.domain.once import Once
from holdfast.domain.wallet import Refunded
from holdfast.errors import (
    Contention,
    EntryNotFound,
    TransactionNotFound,
)
from holdfast.services import accounts, expiry
from holdfast.services.changes import NotReady, Reserve, change
from holdfast.services.refs import Owner, grant_of, refunded_of, wallet_of
from holdfast.store import pages
from holdfast.store.ledger_store import Committed, LedgerStore

LOOKED_AT_MAX = 2_000
"""How many entries one page of a filtered list looks at before it hands out what it found."""


REFUND_ATTEMPTS_MAX = 6

SKEW_MAX = timedelta(minutes=5)
"""How far the clocks of two environments may be apart, and entries so out of the order of time."""


type Place = tuple[str, str]
"""A wallet among others: its account and its currency."""


@dataclass(frozen=True, slots=True)
class EntryPage:
    """Entries, newest first; and by wallet the number at which the next page starts, if any."""

    entries: tuple[Entry, ...]
    next_starts: Mapping[Place, int] | None


def wallet(store: LedgerStore, owner: Owner, currency: str, *, now: Instant, own: bool) -> Wallet:
    """The wallet as it is at `now`. A user's `own` first look makes the account.

    Another's look makes nothing: an unknown user has a wallet with nothing in it.

    Raises:
        AccountNotFound: The account was named by its id, and there is none.
    """
    owner = accounts.admitted(store, owner, spend=False)
    found: Wallet = store.read(wallet_of(owner, currency))
    if found.version == 0 and (own or owner.user is None):
        accounts.ensure(store, owner, now)
        found = store.read(wallet_of(owner, currency))
    return _swept(store, owner, found, now)


def wallets(store: LedgerStore, owner: Owner, *, now: Instant, own: bool = False) -> list[Wallet]:
    """All wallets of the account as they are at `now`, by currency. Makes an account as `wallet`.

    Raises:
        AccountNotFound: The account was named by its id, and there is none.
    """
    owner = accounts.admitted(store, owner, spend=False)
    found = pages.wallets(store, owner.tenant, owner.account_id)
    if not found and (own or owner.user is None):
        accounts.ensure(store, owner, now)
        found = pages.wallets(store, owner.tenant, owner.account_id)
    return [_swept(store, owner, each, now) for each in found]


def account_wallet(
    store: LedgerStore, owner: Owner, currency: str | None, *, now: Instant
) -> Wallet:
    """The wallet as it is at `now`, in the account's own currency unless another is named.

    Raises:
        AccountNotFound: There is no such account, or the asker has no seat in it.
    """
    owner = accounts.admitted(store, owner, spend=False)
    if currency is None:
        currency = accounts.ensure(store, owner, now).currency
    return wallet(store, owner, currency, now=now, own=owner.user is not None)


def _swept(store: LedgerStore, owner: Owner, found: Wallet, now: Instant) -> Wallet:
    if found.due_at is None or found.due_at > now:
        return found
    expiry.sweep(store, owner, found.currency, now=now)
    swept: Wallet = store.read(wallet_of(owner, found.currency))
    return swept


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

    def decide(wallet: Wallet, budgets: Budgets) -> Decision:
        return rules.deposit(
            wallet,
            once,
            budgets,
            amount_micros=amount_micros,
            expires_at=expires_at,
            details=details,
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

    def decide(wallet: Wallet, budgets: Budgets) -> Decision:
        return rules.withdraw(wallet, once, budgets, amount_micros=amount_micros, details=details)

    return change(store, owner, currency, decide, once=once)


def use(
    store: LedgerStore,
    owner: Owner,
    *,
    amount_micros: int,
    currency: str,
    meter: str | None = None,
    reference: str | None = None,
    details: Mapping[str, Json] | None = None,
    once: Once,
) -> Committed:
    """Charge for work that was already done, below zero if need be."""

    def decide(wallet: Wallet, budgets: Budgets) -> Decision:
        return rules.use(
            wallet,
            once,
            budgets,
            amount_micros=amount_micros,
            meter=meter,
            reference=reference,
            details=details,
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
    beside: Reserve | None = None,
) -> Committed:
    """Give part or all of a charge back, to the lots it came from.

    `beside` is what else is written with it, or keeps it from being given back.

    Raises:
        TransactionNotFound: There is no such charge in this account.
    """
    try:
        original = store.entry(owner.tenant, original_id)
    except EntryNotFound:
        if earlier := store.replayed(once):
            return earlier
        raise TransactionNotFound() from None

    def given_back(seen: _Seen) -> Committed:
        def decide(wallet: Wallet, budgets: Budgets, refunded: Refunded, *more: Any) -> Decision:
            if seen.voided is not None and seen.wallet_version != wallet.version:
                raise _Moved
            changes = beside.decide(*more) if beside else ()
            journal = rules.refund(
                wallet,
                refunded,
                once,
                budgets,
                original=original,
                amount_micros=amount_micros,
                voided=seen.voided or (),
                details=details,
            )
            return journal.beside(*changes)

        return change(store, owner, currency, decide, *refs, once=once)

    refs = [refunded_of(owner, original_id), *(beside.refs if beside else ())]
    for _ in range(REFUND_ATTEMPTS_MAX):
        with suppress(_Moved):
            return given_back(_voided(store, owner, currency, original))
    raise Contention()


@dataclass(frozen=True, slots=True)
class _Seen:
    """Which of the grants that a charge drew were void, as long as the wallet has this version."""

    wallet_version: int
    voided: frozenset[str] | None


class _Moved(NotReady):
    """The wallet has changed since the grants were looked at: one of them may be void now."""


def _voided(store: LedgerStore, owner: Owner, currency: str, original: Entry) -> _Seen:
    # A void writes the wallet: grants that were read after the wallet are as they were read for as
    # long as the wallet is. So the wallet's own guard does for all of them, however many there are.
    drawn = [draw.lot_id for draw in original.draws if is_grant(draw.lot_id)]
    if not drawn or (original.account_id, original.currency) != (owner.account_id, currency):
        # Somebody else's charge, or one in another currency, is refused by the rule.
        return _Seen(0, None)
    wallet: Wallet = store.read(wallet_of(owner, currency))
    grants = store.read_all([grant_of(owner, grant) for grant in drawn])
    return _Seen(wallet.version, frozenset(each.id for each in grants if each.voided_at))


def adjust(
    store: LedgerStore,
    owner: Owner,
    *,
    delta_micros: int,
    currency: str,
    details: Mapping[str, Json] | None = None,
    once: Once,
) -> Committed:
    """Put a customer's cash right by hand, up or down."""

    def decide(wallet: Wallet, budgets: Budgets) -> Decision:
        return rules.adjust(wallet, once, budgets, delta_micros=delta_micros, details=details)

    return change(store, owner, currency, decide, once=once)


def entry(store: LedgerStore, owner: Owner, entry_id: str) -> Entry:
    """One entry of the account.

    Raises:
        EntryNotFound: There is none, or it is another account's.
    """
    found = store.entry(owner.tenant, entry_id)
    if found.account_id != owner.account_id:
        raise EntryNotFound()
    return found


def entries_across(
    store: LedgerStore,
    wallets: Sequence[Wallet],
    *,
    limit: int,
    starts: Mapping[Place, int] | None = None,
    offset: int = 0,
    keep: Callable[[Entry], bool] | None = None,
    since: Instant | None = None,
    looked_at_max: int = LOOKED_AT_MAX,
) -> EntryPage:
    """One page of the entries of some wallets, of one account or of several, newest first.

    `starts` is where the page before ended, `offset` how many entries to pass over. With `keep` a
    page may be short and still not be the last: it looks at `looked_at_max` entries. Nothing older
    than `since` is looked at. Without a filter, and of one wallet, every page costs the same.
    """
    if limit <= 0:
        return EntryPage((), None)
    places = {_place(each): _start(each, starts) for each in wallets}
    if keep is None and since is None and len(wallets) == 1:
        (only,) = places
        places[only], offset = max(0, places[only] - offset), 0
    walks = [
        pages.walk_statement(store, each, up_to=places[_place(each)], first=offset + limit)
        for each in wallets
    ]
    kept: list[Entry] = []
    for found in islice(heapq.merge(*walks, key=_age), looked_at_max + offset):
        if since is not None and found.created_at + SKEW_MAX < since:
            return EntryPage(tuple(kept), None)
        if keep is None or keep(found):
            if offset:
                offset -= 1
            elif len(kept) == limit:
                break
            else:
                kept.append(found)
        places[_place(found)] = found.seq - 1
        if keep is None and len(kept) == limit:
            break
    return EntryPage(tuple(kept), places if any(places.values()) else None)


def _place(of: Wallet | Entry) -> Place:
    return of.account_id, of.currency


def _start(wallet: Wallet, starts: Mapping[Place, int] | None) -> int:
    # A wallet that was opened after the first page is newer than all that is still to come.
    return wallet.seq if starts is None else min(wallet.seq, starts.get(_place(wallet), 0))


def _age(found: Entry) -> tuple[float, str, str, int]:
    return (-found.created_at.timestamp(), found.currency, found.account_id, -found.seq)
