"""Members: what a user is to an account, and so what the user may do with it.

    role     read   spend   manage
    -------  -----  ------  ------
    owner    yes    yes     yes     the user whose account it is: one, always the same, not stored
    admin    yes    yes     yes
    member   yes    yes
    viewer   yes

Who manages an account manages all of its members, admins too; nobody changes or removes the owner,
so that an account is never without one. To manage is to add, change and remove members.
"""

import re
from dataclasses import dataclass, replace

from holdfast.domain.accounts import Account, Tenant, short_digest
from holdfast.domain.clock import Instant
from holdfast.errors import (
    Forbidden,
    InvalidField,
    MemberExists,
    MemberNotFound,
    OwnerStays,
    TooManyMembers,
)

OWNER = "owner"
ADMIN = "admin"
MEMBER = "member"
VIEWER = "viewer"

ROLES = (OWNER, ADMIN, MEMBER, VIEWER)

MEMBERS_MAX = 100
"""How many members an account has at most; its owner is not counted."""

_ID = re.compile(r"mem_[a-z2-7]{26}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A user in a role on somebody's account. Never deleted: `removed_at` says since when not."""

    tenant: Tenant
    account_id: str
    user: str
    role: str
    email: str | None
    added_at: Instant
    removed_at: Instant | None = None
    version: int = 0

    @property
    def id(self) -> str:
        """The member's id: derived, so that a user is one member of an account, come and gone."""
        return member_id(self.account_id, self.user)

    @property
    def active(self) -> bool:
        """Whether the user is a member now."""
        return self.removed_at is None


def member_id(account_id: str, user: str) -> str:
    """The id that a user has as a member of an account, whether or not it is one."""
    return f"mem_{short_digest('member', account_id, user)}"


def is_member_id(text: str) -> bool:
    """Whether `text` has the form of a member's id."""
    return _ID.fullmatch(text) is not None


def owner_of_account(account: Account) -> Member:
    """The owner as a member like the others: read off the account, and stored nowhere else."""
    return Member(
        tenant=account.tenant,
        account_id=account.id,
        user=account.owner,
        role=OWNER,
        email=None,
        added_at=account.created_at,
    )


def role_of(user: str, *, account_owner: str, member: Member | None) -> str | None:
    """What the user is to the account; None is a stranger, whether or not once a member.

    `member` is what is stored of this user on this account.
    """
    if user == account_owner:
        return OWNER
    if member is None or not member.active:
        return None
    assert member.user == user
    return member.role


def may_read(role: str | None) -> bool:
    """Whether a role lets its user see the account: balance, entries, members."""
    return role in ROLES


def may_spend(role: str | None) -> bool:
    """Whether a role lets its user move the account's money."""
    return role in (OWNER, ADMIN, MEMBER)


def may_manage(role: str | None) -> bool:
    """Whether a role lets its user say who else has one."""
    return role in (OWNER, ADMIN)


def require_manager(role: str | None) -> None:
    """Refuse a user who does not manage the account.

    Raises:
        Forbidden: The role is neither owner nor admin.
    """
    if not may_manage(role):
        raise Forbidden()


def require_place(members: int) -> None:
    """Refuse the member that would be one too many; `members` are active now, the owner aside.

    Raises:
        TooManyMembers: There are `MEMBERS_MAX` already.
    """
    if members >= MEMBERS_MAX:
        raise TooManyMembers(members_max=MEMBERS_MAX)


def add(
    member: Member | None,
    *,
    tenant: Tenant,
    account_id: str,
    account_owner: str,
    user: str,
    role: str,
    email: str | None,
    now: Instant,
) -> Member:
    """The user as a member from `now`. `member` is what is stored of the user: one who was removed
    comes back in the new role, under the old id.

    Raises:
        InvalidField: There is no such role.
        MemberExists: The user is a member already, or the owner.
        OwnerStays: The role is the owner's, which cannot be given away.
    """
    _require_role(role)
    if user == account_owner or (member is not None and member.active):
        raise MemberExists()
    if role == OWNER:
        raise OwnerStays()
    if member is not None:
        assert (member.account_id, member.user) == (account_id, user)
    return Member(
        tenant=tenant,
        account_id=account_id,
        user=user,
        role=role,
        email=email,
        added_at=now,
        version=member.version + 1 if member else 1,
    )


def change_role(member: Member, role: str) -> Member:
    """The member in another role; the same object if it has that role already.

    Raises:
        InvalidField: There is no such role.
        MemberNotFound: The member was removed.
        OwnerStays: The member is the owner, or would become it.
    """
    _require_role(role)
    _require_active(member)
    if role == member.role:
        return member
    if OWNER in (role, member.role):
        raise OwnerStays()
    return replace(member, role=role, version=member.version + 1)


def remove(member: Member, now: Instant) -> Member:
    """The member as somebody who is none any more.

    Raises:
        MemberNotFound: The member was removed before.
        OwnerStays: The member is the owner.
    """
    _require_active(member)
    if member.role == OWNER:
        raise OwnerStays()
    return replace(member, removed_at=now, version=member.version + 1)


def _require_role(role: str) -> None:
    if role not in ROLES:
        raise InvalidField("role", f"not one of {', '.join(ROLES)}")


def _require_active(member: Member) -> None:
    if not member.active:
        raise MemberNotFound()
