"""Use cases of an account's members: see them, add, change and remove them."""

from holdfast.domain import members as rules
from holdfast.domain.accounts import Account
from holdfast.domain.clock import Instant
from holdfast.domain.ledger import Change, Deed, Resolution, Unchanged
from holdfast.domain.members import Member
from holdfast.domain.once import Once
from holdfast.errors import AccountNotFound, Refusal
from holdfast.services import accounts
from holdfast.services.refs import Owner, account_of, member_of, seat_of
from holdfast.store import pages
from holdfast.store.ledger_store import Enacted, LedgerStore


def members(store: LedgerStore, owner: Owner, *, now: Instant) -> list[Member]:
    """The account's members, its owner first. A user's look at the own default one makes it.

    Raises:
        AccountNotFound: There is no such account, or the asker has no seat in it.
    """
    own = owner.user is not None
    account = accounts.ensure(store, owner, now) if own else _account(store, owner)
    listed = pages.members(store, owner.tenant, owner.account_id)
    active = sorted((each for each in listed if each.active), key=lambda each: each.added_at)
    return [rules.owner_of_account(account), *active]


def add(
    store: LedgerStore, owner: Owner, *, user: str, role: str, email: str | None, once: Once
) -> Enacted:
    """Make a user a member of an account.

    Raises:
        AccountNotFound, Forbidden: The asker has no seat in the account, or does not manage it.
        MemberExists, OwnerStays, TooManyMembers: The user cannot be added.
    """
    if earlier := store.reenacted(once):
        return earlier
    account = _managed(store, owner)
    listed = pages.members(store, owner.tenant, owner.account_id)
    active = sum(each.active for each in listed)

    def decide(member: Member | None) -> Deed:
        added = rules.add(
            member,
            tenant=owner.tenant,
            account_id=owner.account_id,
            account_owner=account.owner,
            user=user,
            role=role,
            email=email,
            now=once.now,
        )
        rules.require_place(active)
        return Deed(added, (Change(member, added),))

    return store.enact(decide, [seat_of(owner, user)], once=once)


def change_role(
    store: LedgerStore, owner: Owner, *, member_id: str, role: str, once: Once
) -> Enacted:
    """Give a member another role.

    Raises:
        AccountNotFound, Forbidden: The asker has no seat in the account, or does not manage it.
        MemberNotFound, OwnerStays: There is no such member, or it is the owner.
    """
    if earlier := store.reenacted(once):
        return earlier
    account = _managed(store, owner)
    if member_id == rules.owner_of_account(account).id:
        return Enacted(rules.change_role(rules.owner_of_account(account), role), replayed=False)

    def decide(member: Member) -> Resolution:
        changed = rules.change_role(member, role)
        if changed is member:
            return Unchanged(member)
        return Deed(changed, (Change(member, changed),))

    return store.enact(decide, [member_of(owner, member_id)], once=once)


def remove(store: LedgerStore, owner: Owner, *, member_id: str, once: Once) -> Enacted:
    """Take a member's seat away. Members may leave by themselves.

    Raises:
        AccountNotFound, Forbidden: The asker has no seat in the account, or does not manage it.
        MemberNotFound, OwnerStays: There is no such member, or it is the owner.
    """
    leaves = owner.asker is not None and member_id == rules.member_id(owner.account_id, owner.asker)
    try:
        account = _account(store, owner) if leaves else _managed(store, owner)
    except Refusal:
        # Whoever has left has no seat any more, and is told once more that they have.
        if earlier := store.reenacted(once):
            return earlier
        raise
    if member_id == rules.owner_of_account(account).id:
        rules.remove(rules.owner_of_account(account), once.now)

    def decide(member: Member) -> Deed:
        removed = rules.remove(member, once.now)
        return Deed(removed, (Change(member, removed),))

    return store.enact(decide, [member_of(owner, member_id)], once=once)


def _managed(store: LedgerStore, owner: Owner) -> Account:
    if owner.asker is None:
        return _account(store, owner)
    seat = accounts.seat(store, owner, owner.asker)
    rules.require_manager(seat.role)
    return seat.account


def _account(store: LedgerStore, owner: Owner) -> Account:
    if owner.asker is not None:
        return accounts.seat(store, owner, owner.asker).account
    found: Account | None = store.read(account_of(owner))
    if found is None:
        raise AccountNotFound()
    return found
