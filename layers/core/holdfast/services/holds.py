"""Use cases of a hold: place, capture, extend, release, look at."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice

from holdfast.domain import holds as rules
from holdfast.domain.budgets import Budgets, Scope, merged
from holdfast.domain.clock import Instant
from holdfast.domain.holds import Hold
from holdfast.domain.ledger import Decision, Wallet
from holdfast.domain.once import Once
from holdfast.services import accounts
from holdfast.services.changes import change
from holdfast.services.refs import Owner, hold_of, wallet_of
from holdfast.services.wallet import wallet as look_at_wallet
from holdfast.store import pages
from holdfast.store.ledger_store import Committed, LedgerStore

LOOKED_AT_MAX = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldTerms:
    """What a caller says of a hold besides its amount."""

    expires_in: timedelta
    expiry_policy: str = rules.RELEASE_POLICY
    over_capture: str = rules.REJECT
    overdraft_micros: int = 0
    reference: str | None = None
    metadata: Mapping[str, str] | None = None
    scopes: tuple[Scope, ...] = ()


@dataclass(frozen=True, slots=True)
class HoldPage:
    """Holds, newest first; `next_id` is the last one looked at, None at the end."""

    holds: tuple[Hold, ...]
    next_id: str | None


def place_hold(
    store: LedgerStore,
    owner: Owner,
    *,
    amount_micros: int,
    currency: str,
    terms: HoldTerms,
    once: Once,
) -> Committed:
    """Set an amount aside, under the scopes that are named and the caps of the caller.

    Raises:
        BudgetExceeded: One of them has less room.
        InsufficientFunds: The wallet has less.
    """
    hold = Hold(
        id=rules.new_id(once, currency),
        account_id=owner.account_id,
        currency=currency,
        amount_micros=amount_micros,
        draws=(),
        expires_at=once.now + terms.expires_in,
        created_at=once.now,
        expiry_policy=terms.expiry_policy,
        over_capture=terms.over_capture,
        overdraft_micros=terms.overdraft_micros,
        reference=terms.reference,
        metadata=terms.metadata or None,
        scopes=merged((*terms.scopes, *once.caps)),
    )

    def decide(wallet: Wallet, budgets: Budgets) -> Decision:
        return rules.place_hold(wallet, hold, once, budgets)

    return change(store, owner, currency, decide, once=once, scopes=hold.scopes)


def capture_hold(
    store: LedgerStore,
    owner: Owner,
    *,
    hold_id: str,
    amount_micros: int,
    final: bool,
    once: Once,
) -> Committed:
    """Take part or all of a hold."""

    def decide(wallet: Wallet, budgets: Budgets, hold: Hold) -> Decision:
        return rules.capture_hold(
            wallet, hold, once, budgets, amount_micros=amount_micros, final=final
        )

    currency = rules.currency_of(hold_id)
    return change(store, owner, currency, decide, hold_of(owner, hold_id), once=once)


def extend_hold(
    store: LedgerStore,
    owner: Owner,
    *,
    hold_id: str,
    expires_in: timedelta | None,
    amount_micros: int,
    once: Once,
) -> Committed:
    """Give a hold more time, more money, or both."""
    expires_at = None if expires_in is None else once.now + expires_in

    def decide(wallet: Wallet, budgets: Budgets, hold: Hold) -> Decision:
        return rules.extend_hold(
            wallet, hold, once, budgets, expires_at=expires_at, amount_micros=amount_micros
        )

    currency = rules.currency_of(hold_id)
    return change(store, owner, currency, decide, hold_of(owner, hold_id), once=once)


def release_hold(store: LedgerStore, owner: Owner, *, hold_id: str, once: Once) -> Committed:
    """Give back what is left of a hold."""

    def decide(wallet: Wallet, budgets: Budgets, hold: Hold) -> Decision:
        return rules.release_hold(wallet, hold, once, budgets)

    currency = rules.currency_of(hold_id)
    return change(store, owner, currency, decide, hold_of(owner, hold_id), once=once)


def hold(store: LedgerStore, owner: Owner, *, hold_id: str, now: Instant) -> tuple[Hold, Wallet]:
    """A hold as it is at `now`, and the wallet it belongs to.

    Raises:
        HoldNotFound: There is none, or it is another account's.
    """
    refs = [hold_of(owner, hold_id), wallet_of(owner, rules.currency_of(hold_id))]
    found, wallet = store.prove(refs).records
    if found.due(now):
        wallet = look_at_wallet(store, owner, found.currency, now=now, own=False)
        found = store.read(refs[0])
    return rules.as_of(found, now), wallet


def holds(
    store: LedgerStore,
    owner: Owner,
    *,
    status: str | None,
    before: str | None,
    limit: int,
    now: Instant,
) -> HoldPage:
    """One page of the account's holds. A page may be short and still not be the last."""
    found = pages.holds(store, owner.tenant, owner.account_id, before=before)

    def wanted(hold: Hold) -> bool:
        return status in (None, hold.status)

    return page_of(store, owner, found, lambda hold: hold.id, wanted, limit=limit, now=now)


def open_holds(store: LedgerStore, wallet: Wallet, *, limit: int, now: Instant) -> list[Hold]:
    """The open holds of a wallet, newest first, at most `limit`."""
    if wallet.open_from is None:
        return []
    found = pages.holds(store, wallet.tenant, wallet.account_id, since=wallet.open_from)
    current = (rules.as_of(each, now) for each in found if each.currency == wallet.currency)
    return list(islice((each for each in current if each.status == rules.OPEN), limit))


def page_of(
    store: LedgerStore,
    owner: Owner,
    found: Iterator[Hold],
    place: Callable[[Hold], str],
    wanted: Callable[[Hold], bool],
    *,
    limit: int,
    now: Instant,
) -> HoldPage:
    """One page of holds as they are at `now`. A user's first look makes the account."""
    kept: list[Hold] = []
    last: str | None = None
    for each in islice(found, LOOKED_AT_MAX):
        current = rules.as_of(each, now)
        if wanted(current):
            if len(kept) == limit:
                return HoldPage(tuple(kept), last)
            kept.append(current)
        last = place(each)
    if last is None:
        accounts.ensure(store, owner, now)
    more = next(found, None) is not None
    return HoldPage(tuple(kept), last if more else None)
