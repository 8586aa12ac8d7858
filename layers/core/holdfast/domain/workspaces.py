"""Workspaces: whose money they spend is a pointer, and every account they may point at is linked.

A workspace has one default account, and that account is one of its links. The default is a pointer
on the workspace and no flag on a link, so that changing it is one write, and two defaults cannot
be. Unlinking takes nothing from the account: neither money nor its entries.
"""

import re
from dataclasses import dataclass, replace

from holdfast.domain.accounts import Tenant
from holdfast.domain.clock import Instant
from holdfast.domain.once import Once
from holdfast.errors import AccountIsDefault, AccountNotLinked, TooManyLinks

LINKS_MAX = 20

_ID = re.compile(r"ws_[a-z2-7]{26}")


@dataclass(frozen=True, slots=True)
class Link:
    """An account that a workspace may spend from, and since when."""

    account_id: str
    linked_at: Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class Workspace:
    """Where work is done and money is spent. `owner` is the user who made it.

    `links` stand in the order in which they were made; `default_account_id` is one of them.
    """

    tenant: Tenant
    id: str
    name: str
    owner: str
    default_account_id: str
    links: tuple[Link, ...]
    created_at: Instant
    updated_at: Instant | None = None
    version: int = 0

    def links_to(self, account_id: str) -> bool:
        """Whether the account is linked."""
        return any(link.account_id == account_id for link in self.links)


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkedWorkspace:
    """A link as its account sees it, so that an account can tell its workspaces.

    It is written together with the workspace, and never deleted: unlinking stamps it.
    """

    account_id: str
    workspace_id: str
    linked_at: Instant
    unlinked_at: Instant | None = None
    version: int = 0

    @property
    def active(self) -> bool:
        """Whether the account is linked now."""
        return self.unlinked_at is None


def is_workspace_id(text: str) -> bool:
    """Whether `text` has the form of a workspace id."""
    return _ID.fullmatch(text) is not None


def open_workspace(once: Once, *, name: str, owner: str, account_id: str) -> Workspace:
    """A workspace that spends from `account_id`: its default account, and its only link."""
    return Workspace(
        tenant=once.tenant,
        id=f"ws_{once.digest}",
        name=name,
        owner=owner,
        default_account_id=account_id,
        links=(Link(account_id, once.now),),
        created_at=once.now,
        updated_at=once.now,
        version=1,
    )


def link(workspace: Workspace, account_id: str, *, make_default: bool, now: Instant) -> Workspace:
    """The workspace with the account linked. What changes nothing gives the same object back.

    `make_default` moves the default to the account; without it the default stays where it is.

    Raises:
        TooManyLinks: The workspace has `LINKS_MAX` linked accounts, and this is not one of them.
    """
    links = workspace.links
    if not workspace.links_to(account_id):
        if len(links) >= LINKS_MAX:
            raise TooManyLinks(linked_accounts_max=LINKS_MAX)
        links = (*links, Link(account_id, now))
    default_account_id = account_id if make_default else workspace.default_account_id
    if links == workspace.links and default_account_id == workspace.default_account_id:
        return workspace
    return _changed(workspace, default_account_id, links, now)


def make_default(workspace: Workspace, account_id: str, now: Instant) -> Workspace:
    """The workspace with a linked account as its default; the same object if it was already.

    Raises:
        AccountNotLinked: The account is not linked.
    """
    _require_linked(workspace, account_id)
    if account_id == workspace.default_account_id:
        return workspace
    return _changed(workspace, account_id, workspace.links, now)


def unlink(workspace: Workspace, account_id: str, now: Instant) -> Workspace:
    """The workspace without a link that is not its default.

    Raises:
        AccountNotLinked: The account is not linked.
        AccountIsDefault: It is the default: another one has to be made the default first.
    """
    _require_linked(workspace, account_id)
    if account_id == workspace.default_account_id:
        raise AccountIsDefault()
    links = tuple(each for each in workspace.links if each.account_id != account_id)
    return _changed(workspace, workspace.default_account_id, links, now)


def linked(
    record: LinkedWorkspace | None, *, account_id: str, workspace_id: str, now: Instant
) -> LinkedWorkspace:
    """What an account knows of a workspace that it was linked to at `now`.

    `record` is what it knew: nothing, or that the link was taken away before. A link that is still
    there stays as it is, with the same object.
    """
    if record is None:
        return LinkedWorkspace(
            account_id=account_id, workspace_id=workspace_id, linked_at=now, version=1
        )
    assert (record.account_id, record.workspace_id) == (account_id, workspace_id)
    if record.active:
        return record
    return replace(record, linked_at=now, unlinked_at=None, version=record.version + 1)


def unlinked(record: LinkedWorkspace, now: Instant) -> LinkedWorkspace:
    """What an account knows of a workspace that it was unlinked from at `now`."""
    assert record.active, "the workspace and its accounts are written together"
    return replace(record, unlinked_at=now, version=record.version + 1)


def _require_linked(workspace: Workspace, account_id: str) -> None:
    if not workspace.links_to(account_id):
        raise AccountNotLinked()


def _changed(
    workspace: Workspace, default_account_id: str, links: tuple[Link, ...], now: Instant
) -> Workspace:
    return replace(
        workspace,
        default_account_id=default_account_id,
        links=links,
        updated_at=now,
        version=workspace.version + 1,
    )
