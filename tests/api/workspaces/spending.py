"""Workspaces, further accounts, and money that is spent for one of them."""

from collections.abc import Mapping
from itertools import count
from typing import Any

from holdfast.domain.accounts import Owner, Tenant
from holdfast.domain.once import Once
from holdfast.services import accounts, members, workspaces
from holdfast.services.workspaces import Visitor
from tests.api.scene import opened
from tests.api.world import World

__all__ = ["further_account", "invited", "linked", "opened", "spent_for"]

_NUMBERS = count()


def further_account(world: World, *, by: Mapping[str, str], currency: str = "usd") -> str:
    """The id of one more account of the caller's, with nothing in it."""
    once = _once(world, by)
    made = accounts.open_account(
        world.store, owner=by["user"], name="more", currency=currency, once=once
    )
    account_id: str = made.record.id
    return account_id


def linked(
    world: World, workspace: str, account: str, *, by: Mapping[str, str], default: bool = False
) -> None:
    """Link an account of the caller's to a workspace."""
    workspaces.link(
        world.store,
        Visitor(_tenant(by), by["user"], is_admin=False),
        workspace_id=workspace,
        account_id=account,
        make_default=default,
        once=_once(world, by),
    )


def invited(world: World, account: str, *, by: Mapping[str, str], user: str, role: str) -> None:
    """Give somebody a seat in an account of the caller's."""
    members.add(
        world.store,
        Owner(_tenant(by), account),
        user=user,
        role=role,
        email=None,
        once=_once(world, by),
    )


def spent_for(world: World, workspace: str, amount: int, **body: Any) -> str:
    """A hold of the caller's that names a workspace, captured in full; its id."""
    scopes = [{"kind": "workspace", "id": workspace, "limit": 10**6}]
    by = {"by": body.pop("by")} if "by" in body else {}
    hold: str = world.hold(amount, scopes=scopes, **by, **body)["id"]
    world.post(f"/v1/billing/holds/{hold}/capture", body={"amount": amount}, **by)
    return hold


def _tenant(claims: Mapping[str, str]) -> Tenant:
    return Tenant(claims["org"], claims["mode"])


def _once(world: World, by: Mapping[str, str]) -> Once:
    return Once(
        tenant=_tenant(by),
        caller=by["subject"],
        key=f"given {next(_NUMBERS)}",
        fingerprint="given",
        now=world.now,
    )
