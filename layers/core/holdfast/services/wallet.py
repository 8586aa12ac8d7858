"""Use cases of a wallet: look at it, put money in, take it out, charge, give back."""

import heapq
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice
from typing import Any

from holdfast.domain import wallet as rules
from holdfast.domain.clock import Instant
from holdfast.domain.entries import Entry, Json
from holdfast.domain.ledger import Decision, Wallet
from holdfast.domain.once import Once
from holdfast.domain.wallet import Refunded
from holdfast.errors import EntryNotFound, Refusal, TransactionNotFound, Unavailable
from holdfast.services import accounts, expiry
from holdfast.services.refs import Owner, refunded_of, wallet_of
from holdfast.store import pages
from holdfast.store.ledger_store import Committed, Decide, LedgerStore, Ref

LOOKED_AT_MAX = 2_000
"""How many entries one page of a filtered list looks at before it hands out what it found."""


SKEW_MAX = timedelta(minutes=5)
"""How far the clocks of two environments may be apart, and entries so out of the order of time."""


@dataclass(frozen=True, slots=True)
class EntryPage:
    """Entries, newest first; and by currency the number at which the next page starts, if any."""

    entries: tuple[Entry, ...]
    next_starts: Mapping[str, int] | None


def wallet(store: LedgerStore, owner: Owner, currency: str, *, now: Instant, own: bool) -> Wallet:
    """The wallet as it is at `now`. A user's `own` first look makes the account.

    Another's look makes nothing: an unknown user has a wallet with nothing in it.

    Raises:
        AccountNotFound: The account was named by its id, and there is none.
    """
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
    found = pages.wallets(store, owner.tenant, owner.account_id)
    if not found and (own or owner.user is None):
        accounts.ensure(store, owner, now)
        found = pages.wallets(store, owner.tenant, owner.account_id)
    return [_swept(store, owner, each, now) for each in found]


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

    return change(store, owner, currency, decide, refunded_of(owner, original.id), once=once)


class NotReady(Refusal):
    """Something has to be done to the wallet before the rule may look at it. Stays in here."""


class NotOpened(NotReady):
    """The wallet is new, and perhaps its account is too."""


class HoldsDue(NotReady):
    """Holds have expired by time alone, and still count as held."""


def change(
    store: LedgerStore,
    owner: Owner,
    currency: str,
    decide: Decide,
    *more: Ref,
    once: Once,
) -> Committed:
    """Change a wallet by a rule, making the account first if this is its first time.

    Money that a hold keeps past its time counts as free, so what is due is swept first.

    Raises:
        Unavailable: More was due than one request sweeps.
    """
    prepared: set[type[NotReady]] = set()

    def decide_when_ready(wallet: Wallet, *others: Any) -> Decision:
        if wallet.version == 0 and NotOpened not in prepared:
            # A refusal leaves no trace, so no account either.
            if owner.user is not None:
                decide(accounts.as_opened(wallet, once), *others)
            raise NotOpened()
        due_at = wallet.hold_due_at
        if due_at is not None and due_at <= once.now and HoldsDue not in prepared:
            raise HoldsDue()
        return decide(wallet, *others)

    refs = [wallet_of(owner, currency), *more]
    while True:
        try:
            return store.change(decide_when_ready, refs, once=once)
        except NotOpened:
            accounts.ensure(store, owner, once.now)
            prepared.add(NotOpened)
        except HoldsDue:
            if expiry.sweep(store, owner, currency, now=once.now) >= expiry.SWEEP_HOLDS_MAX:
                raise Unavailable() from None
            prepared.add(HoldsDue)


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
    starts: Mapping[str, int] | None = None,
    offset: int = 0,
    keep: Callable[[Entry], bool] | None = None,
    since: Instant | None = None,
    looked_at_max: int = LOOKED_AT_MAX,
) -> EntryPage:
    """One page of the entries of some wallets, newest first.

    `starts` is where the page before ended, `offset` how many entries to pass over. With `keep` a
    page may be short and still not be the last: it looks at `looked_at_max` entries. Nothing older
    than `since` is looked at. Without a filter, and of one wallet, every page costs the same.
    """
    if limit <= 0:
        return EntryPage((), None)
    places = {each.currency: _start(each, starts) for each in wallets}
    if keep is None and since is None and len(wallets) == 1:
        (only,) = places
        places[only], offset = max(0, places[only] - offset), 0
    walks = [
        pages.walk_statement(store, each, up_to=places[each.currency], first=offset + limit)
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
        places[found.currency] = found.seq - 1
        if keep is None and len(kept) == limit:
            break
    return EntryPage(tuple(kept), places if any(places.values()) else None)


def _start(wallet: Wallet, starts: Mapping[str, int] | None) -> int:
    # A wallet that was opened after the first page is newer than all that is still to come.
    return wallet.seq if starts is None else min(wallet.seq, starts.get(wallet.currency, 0))


def _age(found: Entry) -> tuple[float, str, int]:
    return (-found.created_at.timestamp(), found.currency, -found.seq)
