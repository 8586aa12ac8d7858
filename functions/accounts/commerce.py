"""Accounts on the commerce surface: those that a caller has a seat in, and their members."""

from http import HTTPStatus
from typing import Annotated, Literal

from pydantic import Field

from accounts.admission import Internal, account_named
from holdfast.domain import members as rules
from holdfast.domain.accounts import Account, Owner, owner_of, user_name
from holdfast.domain.billing_info import EMAIL_LENGTH_MAX
from holdfast.domain.members import Member
from holdfast.errors import AccountNotFound
from holdfast.http.cursors import decode_cursor, encode_cursor
from holdfast.http.fields import CamelBody, CurrencyCode, Limit, PathId, Timestamp, text
from holdfast.http.principal import Caller, Principal
from holdfast.http.routing import Router
from holdfast.http.views import Answer, CamelView
from holdfast.http.writes import Now, Write
from holdfast.runtime import Store
from holdfast.services import accounts, members

router = Router()

Role = Literal["owner", "admin", "member", "viewer"]
Email = Annotated[str, text(EMAIL_LENGTH_MAX), Field(pattern=r"^[^@\s]+@[^@\s]+$")]


class OpenAccount(CamelBody):
    name: Annotated[str, text(200)]
    currency: CurrencyCode = "usd"


class AddMember(CamelBody):
    user_id: Annotated[str, text(200)]
    role: Role = "member"
    email: Email | None = None


class ChangeMember(CamelBody):
    role: Role


class AccountView(CamelView):
    id: str
    name: str
    org_id: str
    org_name: str
    currency: str
    created_at: Timestamp
    role: str
    status: str


class AccountListView(CamelView):
    accounts: list[AccountView]
    count: int
    next_cursor: str | None


class MemberView(CamelView):
    id: str
    user_id: str
    email: str | None
    role: str
    added_at: Timestamp


class MemberListView(CamelView):
    members: list[MemberView]
    count: int
    next_cursor: str | None


@router.get("/api/v1/billing/accounts")
def list_accounts(
    caller: Caller,
    now: Now,
    store: Store,
    limit: Annotated[int, Limit(100)] = 100,
    cursor: str | None = None,
) -> AccountListView:
    """The accounts that the caller owns or is a member of, the default one first."""
    scope = f"accounts {owner_of(caller.tenant, caller.user).account_id}"
    found, place = accounts.seats(
        store,
        caller.tenant,
        caller.user,
        after=None if cursor is None else decode_cursor(scope, cursor),
        limit=limit,
        now=now,
    )
    return AccountListView(
        accounts=[_account(seat.account, seat.role) for seat in found],
        count=len(found),
        next_cursor=None if place is None else encode_cursor(scope, place),
    )


@router.post("/api/v1/billing/accounts", status_code=HTTPStatus.CREATED)
def open_account(
    body: OpenAccount, caller: Internal, once: Write, store: Store
) -> Answer[AccountView]:
    """One more account of the caller's, with nothing in it."""
    opened = accounts.open_account(
        store, owner=caller.user, name=body.name, currency=body.currency, once=once
    )
    return Answer(_account(opened.record, rules.OWNER), replayed=opened.replayed)


@router.delete("/api/v1/billing/accounts/{account_id}", status_code=HTTPStatus.NO_CONTENT)
def close_account(account_id: PathId, caller: Internal, once: Write, store: Store) -> Answer[None]:
    """Close an account for good: its owner, once nothing is in it. Again: the same."""
    owner = Owner(caller.tenant, account_named(caller, account_id).account_id)
    closed = accounts.close_account(store, owner, user=caller.user, once=once)
    return Answer(None, replayed=closed.replayed)


@router.get("/api/v1/billing/accounts/{account_id}/members")
def list_members(account_id: PathId, caller: Caller, now: Now, store: Store) -> MemberListView:
    """Who is what to an account, its owner first: 101 at most."""
    found = members.members(store, account_named(caller, account_id), now=now)
    shown = [_member(each) for each in found]
    return MemberListView(members=shown, count=len(shown), next_cursor=None)


@router.post("/api/v1/billing/accounts/{account_id}/members", status_code=HTTPStatus.CREATED)
def add_member(
    account_id: PathId, body: AddMember, caller: Internal, once: Write, store: Store
) -> Answer[MemberView]:
    """Make another user of the org a member."""
    added = members.add(
        store,
        account_named(caller, account_id),
        user=_colleague(caller, body.user_id),
        role=body.role,
        email=body.email,
        once=once,
    )
    return Answer(_member(added.record), replayed=added.replayed)


@router.patch("/api/v1/billing/accounts/{account_id}/members/{member_id}")
def change_member(
    account_id: PathId,
    member_id: PathId,
    body: ChangeMember,
    caller: Internal,
    once: Write,
    store: Store,
) -> Answer[MemberView]:
    """Give a member another role."""
    changed = members.change_role(
        store, account_named(caller, account_id), member_id=member_id, role=body.role, once=once
    )
    return Answer(_member(changed.record), replayed=changed.replayed)


@router.delete(
    "/api/v1/billing/accounts/{account_id}/members/{member_id}",
    status_code=HTTPStatus.NO_CONTENT,
)
def remove_member(
    account_id: PathId, member_id: PathId, caller: Internal, once: Write, store: Store
) -> Answer[None]:
    """Take a member's seat away; members may leave by themselves."""
    owner = account_named(caller, account_id)
    removed = members.remove(store, owner, member_id=member_id, once=once)
    return Answer(None, replayed=removed.replayed)


def _colleague(caller: Principal, name: str) -> str:
    user = user_name(name, org=caller.org, param="user_id")
    if not user.startswith(f"{caller.org}/"):
        raise AccountNotFound
    return user


def _account(account: Account, role: str) -> AccountView:
    org = account.tenant.org
    return AccountView(
        id=account.id,
        name=account.name,
        org_id=org,
        org_name=org,
        currency=account.currency,
        created_at=account.created_at,
        role=role,
        status="active" if account.closed_at is None else "closed",
    )


def _member(member: Member) -> MemberView:
    return MemberView(
        id=member.id,
        user_id=member.user,
        email=member.email,
        role=member.role,
        added_at=member.added_at,
    )
