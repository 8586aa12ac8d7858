"""Use cases of credit: grant it, void it, list it, add it up, and start somebody off with some."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta

from holdfast.domain import credits as rules
from holdfast.domain.accounts import Tenant
from holdfast.domain.budgets import Budgets
from holdfast.domain.clock import Instant
from holdfast.domain.credits import CreditGrant, Starter
from holdfast.domain.entries import Json
from holdfast.domain.ledger import Decision, Wallet
from holdfast.domain.lots import CREDIT, Lot, usable
from holdfast.domain.once import Once
from holdfast.errors import (
    AccountNotFound,
    EntryNotFound,
    GrantNotFound,
    PaymentMethodNeeded,
    Refusal,
)
from holdfast.services import accounts, payment_methods
from holdfast.services import wallet as wallets_service
from holdfast.services.changes import change
from holdfast.services.refs import Owner, account_of, grant_of, owner_of, starter_of
from holdfast.store import pages
from holdfast.store.ledger_store import Committed, LedgerStore


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantTerms:
    """What an admin says of a grant besides whom it is for and how much it is.

    `effective_at` in the past is now; `expires_in` counts from the grant's day.
    """

    name: str = ""
    effective_at: Instant | None = None
    expires_in: timedelta | None = None
    priority: int = 0
    meters: tuple[str, ...] = ()
    tags: str = ""


@dataclass(frozen=True, slots=True)
class Granted:
    """A grant, and what is left of it."""

    grant: CreditGrant
    left_micros: int
    active: bool


@dataclass(frozen=True, slots=True)
class GrantPage:
    """Grants, newest first; `next_id` is the last one of the page, None at the end."""

    grants: tuple[Granted, ...]
    next_id: str | None


def grant(
    store: LedgerStore,
    owner: Owner,
    *,
    amount_micros: int,
    currency: str,
    terms: GrantTerms,
    details: Mapping[str, Json] | None = None,
    once: Once,
) -> tuple[CreditGrant, Committed]:
    """Give credit to an account, now or on its day.

    Raises:
        AccountNotFound: The account was named by its id, and there is none.
    """
    effective_at = max(terms.effective_at or once.now, once.now)
    given = CreditGrant(
        id=rules.new_id(once, currency),
        account_id=owner.account_id,
        user=owner.user or owner.account_id,
        name=terms.name,
        amount_micros=amount_micros,
        currency=currency,
        effective_at=effective_at,
        created_at=once.now,
        expires_at=None if terms.expires_in is None else effective_at + terms.expires_in,
        priority=terms.priority,
        meters=terms.meters,
        tags=terms.tags,
    )

    def decide(wallet: Wallet, budgets: Budgets) -> Decision:
        return rules.grant(wallet, given, once, budgets, details=details)

    committed = change(store, owner, currency, decide, once=once)
    return _as_given(store, committed, given), committed


def void(store: LedgerStore, tenant: Tenant, *, grant_id: str, once: Once) -> Committed:
    """Take back what nobody has spent of a grant.

    Raises:
        GrantNotFound: There is none in this org.
        GrantVoided: It was voided before.
    """
    try:
        entry_id, currency = rules.origin_of(grant_id)
        origin = store.entry(tenant, entry_id)
    except (EntryNotFound, GrantNotFound):
        if earlier := store.replayed(once):
            return earlier
        raise GrantNotFound() from None
    owner = Owner(tenant, origin.account_id)

    def decide(wallet: Wallet, budgets: Budgets, given: CreditGrant) -> Decision:
        return rules.void(wallet, given, once, budgets)

    return change(store, owner, currency, decide, grant_of(owner, grant_id), once=once)


def grants(
    store: LedgerStore, owner: Owner, *, before: str | None, limit: int, now: Instant, own: bool
) -> GrantPage:
    """One page of an account's grants: active, pending, used up, expired and voided ones."""
    found = pages.grants(store, owner.tenant, owner.account_id, before=before)
    listed, last = pages.cut(found, limit)
    # After the grants: so there is a wallet for each of them.
    wallets = wallets_service.wallets(store, owner, now=now, own=own)
    by_currency = {wallet.currency: wallet for wallet in wallets}
    shown = tuple(_granted(each, by_currency[each.currency], now) for each in listed)
    return GrantPage(shown, last.id if last else None)


def usable_credit(
    store: LedgerStore, owner: Owner, *, now: Instant, own: bool
) -> dict[str, list[Lot]]:
    """The credit lots that can be spent at `now`, restricted ones too, by currency."""
    found = wallets_service.wallets(store, owner, now=now, own=own)
    return {wallet.currency: list(_credit(wallet, now)) for wallet in found}


def grant_starter(store: LedgerStore, owner: Owner, *, once: Once) -> Committed:
    """Give a person the starter credit, once in a lifetime, if a payment method is on file.

    Raises:
        AccountNotFound: The account was named by its id, and there is none.
        PaymentMethodNeeded: None is on file.
        StarterCreditGranted: It was given before.
    """
    try:
        owner = _person(store, owner)
    except Refusal:
        if earlier := store.replayed(once):
            return earlier
        raise
    on_file = payment_methods.default(store, owner) is not None

    def decide(wallet: Wallet, budgets: Budgets, starter: Starter) -> Decision:
        if not on_file and not starter.entry_id:
            raise PaymentMethodNeeded()
        return rules.grant_starter(wallet, starter, once, budgets)

    currency = rules.STARTER_CURRENCY
    return change(store, owner, currency, decide, starter_of(owner), once=once)


def _person(store: LedgerStore, owner: Owner) -> Owner:
    """The person behind an account: of several accounts of theirs, one gets the starter credit."""
    owner = accounts.admitted(store, owner, spend=True)
    if owner.user is not None:
        return owner
    account = store.read(account_of(owner))
    if account is None:
        raise AccountNotFound()
    return owner_of(owner.tenant, account.owner)


def _as_given(store: LedgerStore, committed: Committed, given: CreditGrant) -> CreditGrant:
    """The grant that the request made, at whichever delivery and for whichever account."""
    if not committed.replayed:
        return given
    entry = committed.entry
    assert entry.reference is not None
    found: CreditGrant = store.read(
        grant_of(Owner(entry.tenant, entry.account_id), entry.reference)
    )
    return found


def _granted(grant: CreditGrant, wallet: Wallet, now: Instant) -> Granted:
    return Granted(grant, grant.left_micros(wallet), grant.active(wallet, now))


def _credit(wallet: Wallet, now: Instant) -> Iterator[Lot]:
    meters = {meter for lot in wallet.lots for meter in lot.terms.meters}
    seen: set[str] = set()
    for meter in (None, *sorted(meters)):
        for lot in usable(wallet.lots, now, meter):
            if lot.terms.kind == CREDIT and lot.id not in seen:
                seen.add(lot.id)
                yield lot
