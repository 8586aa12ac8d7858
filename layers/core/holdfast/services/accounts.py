"""Accounts: the default one that everybody has, others, and who may enter them."""

from dataclasses import dataclass, replace
from itertools import islice

from holdfast.domain import closing, members
from holdfast.domain import wallet as wallet_rules
from holdfast.domain.accounts import (
    ACCOUNT_PREFIX,
    INTRODUCTORY_CURRENCY,
    Account,
    Tenant,
    short_digest,
)
from holdfast.domain.clock import Instant
from holdfast.domain.ledger import Answered, Change, Decision, Deed, Resolution, Wallet
from holdfast.domain.members import Member
from holdfast.domain.once import Once
from holdfast.errors import AccountNotFound, Contention, Forbidden, Refusal
from holdfast.services.refs import Owner, account_of, owner_of, seat_of, wallet_of
from holdfast.store import pages
from holdfast.store.ledger_store import Enact, Enacted, LedgerStore

SYSTEM = "system"
CLOSE_ATTEMPTS_MAX = 6


@dataclass(frozen=True, slots=True)
class Seat:
    """An account, and what somebody is to it."""

    account: Account
    role: str


def ensure(store: LedgerStore, owner: Owner, now: Instant) -> Account:
    """The account; a user's default one is made, with its introductory credit, if it is not there.

    Raises:
        AccountNotFound: The account was named by its id, and there is none.
    """
    found: Account | None = store.read(account_of(owner))
    if found is not None:
        return found
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
        journal = wallet_rules.introduce(wallet, once)
        return journal.beside(Change(None, account))

    store.change(decide, [wallet_of(owner, INTRODUCTORY_CURRENCY)], once=once)
    return account


def as_opened(wallet: Wallet, once: Once) -> Wallet:
    """A wallet that is not there yet, as it would be once the user's account was made."""
    if wallet.currency != INTRODUCTORY_CURRENCY:
        return wallet
    opened = wallet_rules.introduce(wallet, replace(once, caps=())).changes[0].after
    assert isinstance(opened, Wallet)
    return opened


def system_once(tenant: Tenant, key: str, now: Instant) -> Once:
    """A request that the system makes of itself. No caller's key can meet it."""
    return Once(tenant=tenant, caller=SYSTEM, key=key, fingerprint=short_digest(key), now=now)


def admitted(store: LedgerStore, owner: Owner, *, spend: bool) -> Owner:
    """The owner, once it is known that whoever named the account by its id may see it, or spend.

    Raises:
        AccountNotFound: There is no such account, or the asker has no seat in it.
        Forbidden: The asker's seat is for looking only.
    """
    if owner.asker is None:
        return owner
    role = seat(store, owner, owner.asker).role
    if spend and not members.may_spend(role):
        raise Forbidden()
    return replace(owner, asker=None)


def seat(store: LedgerStore, owner: Owner, user: str) -> Seat:
    """The account, and what the user is to it.

    Raises:
        AccountNotFound: There is no such account, or the user has no seat in it.
    """
    account, member = store.prove([account_of(owner), seat_of(owner, user)]).records
    role = None if account is None else role_in(account, member, user)
    if role is None:
        raise AccountNotFound()
    return Seat(account, role)


def role_in(account: Account, member: Member | None, user: str) -> str | None:
    """What the user is to the account; None for a stranger."""
    return members.role_of(user, account_owner=account.owner, member=member)


def new_account(once: Once, *, owner: str, name: str, currency: str) -> Account:
    """The account that a request opens, the same at every delivery."""
    return Account(
        tenant=once.tenant,
        id=ACCOUNT_PREFIX + once.digest,
        owner=owner,
        name=name,
        currency=currency,
        created_at=once.now,
        version=1,
    )


def open_account(
    store: LedgerStore, *, owner: str, name: str, currency: str, once: Once
) -> Enacted:
    """One more account for a user, with nothing in it: the introductory credit is given once."""
    account = new_account(once, owner=owner, name=name, currency=currency)

    def decide() -> Deed:
        return Deed(account, (Change(None, account),))

    return store.enact(decide, [], once=once)


def close_account(store: LedgerStore, owner: Owner, *, user: str, once: Once) -> Enacted:
    """Close an account for good.

    Raises:
        AccountNotFound: There is no such account, or the user has no seat in it.
        Forbidden: The user is not its owner.
        AccountInUse: It is the default one, a workspace is linked, or something is in it.
        Contention: Workspaces were bound to it all the while.
    """
    if earlier := store.reenacted(once):
        return earlier
    for _ in range(CLOSE_ATTEMPTS_MAX):
        found = seat(store, owner, user)
        if found.role != members.OWNER:
            raise Forbidden()
        linked = any(each.active for each in pages.linked(store, owner.tenant, owner.account_id))
        wallets = pages.wallets(store, owner.tenant, owner.account_id)
        refs = [account_of(owner), *(wallet_of(owner, each.currency) for each in wallets)]
        try:
            return store.enact(_closing(found.account, linked, once), refs, once=once)
        except _Bound:
            continue
    raise Contention()


class _Bound(Refusal):
    """Something was bound to the account since one looked for what is. Stays in here."""


def _closing(seen: Account, linked: bool, once: Once) -> Enact:
    def decide(account: Account, *wallets: Wallet) -> Resolution:
        # Whoever binds something to an account writes the account.
        if account.version != seen.version:
            raise _Bound
        return closing.close(account, wallets, linked=linked, now=once.now)

    return decide


def seats(
    store: LedgerStore,
    tenant: Tenant,
    user: str,
    *,
    after: str | None,
    limit: int,
    now: Instant,
) -> tuple[list[Seat], str | None]:
    """The accounts in which the user has a seat: the default one first, then by id.

    `after` is the last id already seen; the second value the last one of this page, None at the
    end of the list.
    """
    found: list[Seat] = []
    if after is None:
        found.append(Seat(ensure(store, owner_of(tenant, user), now), members.OWNER))
    listed = list(islice(pages.seats(store, tenant, user, after=after), limit - len(found) + 1))
    shown = listed[: limit - len(found)]
    guests = [each for each in shown if isinstance(each, Member)]
    refs = [account_of(Owner(tenant, member.account_id)) for member in guests]
    hosts = {account.id: account for account in store.prove(refs).records}
    for each in shown:
        if isinstance(each, Member):
            found.append(Seat(hosts[each.account_id], each.role))
        else:
            found.append(Seat(each, members.OWNER))
    # The default account stands before all others, whatever its id.
    last = found[-1].account.id if shown else after or ACCOUNT_PREFIX
    return found, last if len(listed) > len(shown) else None
