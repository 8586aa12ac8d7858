"""Who and where, as items: accounts, members, workspaces, billing info, API keys."""

from collections.abc import Mapping
from typing import Any

from holdfast.domain.accounts import Account, Tenant
from holdfast.domain.api_keys import ApiKey, SpendCap
from holdfast.domain.billing_info import BillingInfo
from holdfast.domain.clock import from_rfc3339, rfc3339
from holdfast.domain.members import Member
from holdfast.domain.workspaces import Link, LinkedWorkspace, Workspace
from holdfast.store import keys
from holdfast.store.attributes import Plain
from holdfast.store.kinds import Kind, Place, flat, from_flat

_GUARD = "version"


def _account(tenant: Tenant, account: Account) -> dict[str, Plain]:
    plain = flat(account, without=("tenant", "id", _GUARD))
    # The default account is known without looking: its id follows from the user.
    return plain if account.is_default else {**_seat(tenant, account.owner, account.id), **plain}


def _to_account(plain: Mapping[str, Any], place: Place) -> Account:
    found: Account = from_flat(plain, Account, tenant=place.tenant, id=place.owner)
    return found


def _member(tenant: Tenant, member: Member) -> dict[str, Plain]:
    plain = flat(member, without=("tenant", "account_id", _GUARD))
    return {**_seat(tenant, member.user, member.account_id), **plain} if member.active else plain


def _to_member(plain: Mapping[str, Any], place: Place) -> Member:
    known = {"tenant": place.tenant, "account_id": place.owner, "email": plain.get("email")}
    found: Member = from_flat(plain, Member, **known)
    return found


def _seat(tenant: Tenant, user: str, account_id: str) -> dict[str, Plain]:
    return {"gsi1pk": keys.seats(tenant, user), "gsi1sk": account_id}


def _workspace(_: Tenant, workspace: Workspace) -> dict[str, Plain]:
    links: list[Plain] = [
        {"account_id": link.account_id, "linked_at": rfc3339(link.linked_at)}
        for link in workspace.links
    ]
    return {**flat(workspace, without=("tenant", "id", "links", _GUARD)), "links": links}


def _to_workspace(plain: Mapping[str, Any], place: Place) -> Workspace:
    links = tuple(
        Link(link["account_id"], from_rfc3339(link["linked_at"])) for link in plain["links"]
    )
    known = {"tenant": place.tenant, "id": place.owner, "links": links}
    found: Workspace = from_flat(plain, Workspace, **known)
    return found


def _linked(_: Tenant, linked: LinkedWorkspace) -> dict[str, Plain]:
    return flat(linked, without=("account_id", "workspace_id", _GUARD))


def _to_linked(plain: Mapping[str, Any], place: Place) -> LinkedWorkspace:
    known = {"account_id": place.owner, "workspace_id": place.name}
    found: LinkedWorkspace = from_flat(plain, LinkedWorkspace, **known)
    return found


def _info(_: Tenant, info: BillingInfo) -> dict[str, Plain]:
    return flat(info, without=("tenant", "account_id", _GUARD))


def _to_info(plain: Mapping[str, Any], place: Place) -> BillingInfo:
    known = {"tenant": place.tenant, "account_id": place.owner}
    found: BillingInfo = from_flat(plain, BillingInfo, **known)
    return found


def _api_key(_: Tenant, key: ApiKey) -> dict[str, Plain]:
    cap: Plain = None
    if key.cap is not None:
        cap = {
            "amount": key.cap.amount_micros,
            "currency": key.cap.currency,
            "window": key.cap.window,
        }
    return {
        "gsi1pk": keys.keys_of(key.tenant, key.user),
        "gsi1sk": keys.key_place(key.created_at, key.id),
        "tenant": key.tenant.segment,
        **flat(key, without=("tenant", "id", "cap", _GUARD)),
        "cap": cap,
    }


def _to_api_key(plain: Mapping[str, Any], place: Place) -> ApiKey:
    cap = plain.get("cap")
    known = {
        "tenant": place.tenant,
        "id": place.owner,
        "cap": None if cap is None else SpendCap(cap["amount"], cap["currency"], cap["window"]),
    }
    found: ApiKey = from_flat(plain, ApiKey, **known)
    return found


KINDS = (
    Kind(
        type=Account,
        noun="ACCOUNT",
        key=lambda _, account: keys.account(account.tenant, account.id),
        plain=_account,
        record=_to_account,
    ),
    Kind(
        type=Member,
        noun="MEMBER",
        key=lambda tenant, member: keys.member(tenant, member.account_id, member.id),
        plain=_member,
        record=_to_member,
    ),
    Kind(
        type=Workspace,
        noun="WORKSPACE",
        key=lambda _, workspace: keys.workspace(workspace.tenant, workspace.id),
        plain=_workspace,
        record=_to_workspace,
    ),
    Kind(
        type=LinkedWorkspace,
        noun="LINKED",
        key=lambda tenant, linked: keys.linked(tenant, linked.account_id, linked.workspace_id),
        plain=_linked,
        record=_to_linked,
    ),
    Kind(
        type=BillingInfo,
        noun="INFO",
        key=lambda _, info: keys.info(info.tenant, info.account_id),
        plain=_info,
        record=_to_info,
    ),
    Kind(
        type=ApiKey,
        noun="KEY",
        key=lambda _, key: keys.api_key(key.id),
        plain=_api_key,
        record=_to_api_key,
    ),
)
