"""Use cases of a workspace: open it, link accounts to it, choose its default, see whose money."""

from dataclasses import dataclass, replace

from holdfast.domain import members
from holdfast.domain import workspaces as rules
from holdfast.domain.accounts import Account, Tenant
from holdfast.domain.ledger import Change, Deed, Resolution, Unchanged
from holdfast.domain.once import Once
from holdfast.domain.workspaces import LinkedWorkspace, Workspace
from holdfast.errors import AccountClosed, AccountNotFound, WorkspaceNotFound
from holdfast.services import accounts
from holdfast.services.refs import Owner, account_of, linked_of, owner_of, seat_of, workspace_of
from holdfast.store.ledger_store import Enacted, LedgerStore


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who asks about a workspace. An admin of the org has the run of it."""

    tenant: Tenant
    user: str
    is_admin: bool


def open_workspace(
    store: LedgerStore, visitor: Visitor, *, name: str, account_id: str | None, once: Once
) -> Enacted:
    """A workspace bound to an account of the visitor's: the default one, unless another is named.

    Raises:
        AccountNotFound: The named account is unknown, or somebody else's.
        AccountClosed: It is closed.
    """
    owner = _own(visitor, account_id)
    if owner.user is not None:
        accounts.ensure(store, owner, once.now)
    workspace = rules.open_workspace(
        once, name=name, owner=visitor.user, account_id=owner.account_id
    )
    link = rules.linked(None, account_id=owner.account_id, workspace_id=workspace.id, now=once.now)

    def decide(account: Account | None) -> Deed:
        mine = _require_own(account, visitor)
        return Deed(workspace, (Change(None, workspace), Change(None, link), *_guarded(mine)))

    return store.enact(decide, [account_of(owner)], once=once)


def open_account(
    store: LedgerStore,
    visitor: Visitor,
    *,
    workspace_id: str,
    name: str,
    currency: str,
    make_default: bool,
    once: Once,
) -> tuple[Account, Workspace, bool]:
    """A new account of the visitor's, linked to the workspace at once.

    Returns the account, the workspace, and whether the request was made before.
    """
    account = accounts.new_account(once, owner=visitor.user, name=name, currency=currency)
    link = rules.linked(None, account_id=account.id, workspace_id=workspace_id, now=once.now)

    def decide(workspace: Workspace) -> Deed:
        after = rules.link(workspace, account.id, make_default=make_default, now=once.now)
        changes = (Change(workspace, after), Change(None, account), Change(None, link))
        return Deed(after, changes)

    _require_manager(store, visitor, workspace_id)
    done = store.enact(decide, [workspace_of(visitor.tenant, workspace_id)], once=once)
    opened = store.read(account_of(Owner(visitor.tenant, account.id)))
    return opened, done.record, done.replayed


def link(
    store: LedgerStore,
    visitor: Visitor,
    *,
    workspace_id: str,
    account_id: str,
    make_default: bool,
    once: Once,
) -> Enacted:
    """Link an account that the visitor owns. Linked before, and nothing to change: the same.

    Raises:
        WorkspaceNotFound, Forbidden: The visitor has no part in the workspace, or not that part.
        AccountNotFound: The account is unknown, or somebody else's.
        AccountClosed: It is closed.
        TooManyLinks: The workspace has 20 linked accounts.
    """
    _require_manager(store, visitor, workspace_id)
    owner = Owner(visitor.tenant, account_id)

    def decide(
        workspace: Workspace, account: Account | None, known: LinkedWorkspace | None
    ) -> Resolution:
        mine = _require_own(account, visitor)
        after = rules.link(workspace, account_id, make_default=make_default, now=once.now)
        if after is workspace:
            return Unchanged(workspace)
        linked = rules.linked(known, account_id=account_id, workspace_id=workspace_id, now=once.now)
        changes = [Change(workspace, after)]
        if linked is not known:
            changes += [Change(known, linked), *_guarded(mine)]
        return Deed(after, tuple(changes))

    refs = [
        workspace_of(visitor.tenant, workspace_id),
        account_of(owner),
        linked_of(owner, workspace_id),
    ]
    return store.enact(decide, refs, once=once)


def make_default(
    store: LedgerStore, visitor: Visitor, *, workspace_id: str, account_id: str, once: Once
) -> Enacted:
    """Make a linked account the workspace's default. Again: the same.

    Raises:
        WorkspaceNotFound, Forbidden: The visitor has no part in the workspace, or not that part.
        AccountNotLinked: The account is not linked.
    """
    _require_manager(store, visitor, workspace_id)

    def decide(workspace: Workspace) -> Resolution:
        after = rules.make_default(workspace, account_id, once.now)
        if after is workspace:
            return Unchanged(workspace)
        return Deed(after, (Change(workspace, after),))

    return store.enact(decide, [workspace_of(visitor.tenant, workspace_id)], once=once)


def unlink(
    store: LedgerStore, visitor: Visitor, *, workspace_id: str, account_id: str, once: Once
) -> Enacted:
    """Unlink an account that is not the default. Its money and its entries stay as they are.

    Raises:
        WorkspaceNotFound, Forbidden: The visitor has no part in the workspace, or not that part.
        AccountNotLinked: The account is not linked.
        AccountIsDefault: It is the workspace's default.
    """
    _require_manager(store, visitor, workspace_id)
    owner = Owner(visitor.tenant, account_id)

    def decide(workspace: Workspace, known: LinkedWorkspace | None) -> Deed:
        after = rules.unlink(workspace, account_id, once.now)
        assert known is not None, "the workspace and its accounts are written together"
        return Deed(
            after, (Change(workspace, after), Change(known, rules.unlinked(known, once.now)))
        )

    refs = [workspace_of(visitor.tenant, workspace_id), linked_of(owner, workspace_id)]
    return store.enact(decide, refs, once=once)


def workspace(store: LedgerStore, visitor: Visitor, workspace_id: str) -> Workspace:
    """A workspace that the visitor has a part in.

    Raises:
        WorkspaceNotFound: There is none, or the visitor has no part in it.
    """
    found, role = _visited(store, visitor, workspace_id)
    if not members.may_read(role):
        raise WorkspaceNotFound()
    return found


def linked_accounts(
    store: LedgerStore, visitor: Visitor, workspace_id: str
) -> tuple[Workspace, list[Account]]:
    """A workspace, and the accounts that are linked to it in the order of linking."""
    found = workspace(store, visitor, workspace_id)
    refs = [account_of(Owner(visitor.tenant, link.account_id)) for link in found.links]
    return found, list(store.load(refs).records)


def _visited(
    store: LedgerStore, visitor: Visitor, workspace_id: str
) -> tuple[Workspace, str | None]:
    """The workspace, and the visitor's part in it: that of its maker, or in its default account."""
    found: Workspace = store.read(workspace_of(visitor.tenant, workspace_id))
    if visitor.is_admin or found.owner == visitor.user:
        return found, members.OWNER
    host = Owner(visitor.tenant, found.default_account_id)
    account, member = store.prove([account_of(host), seat_of(host, visitor.user)]).records
    return found, accounts.role_in(account, member, visitor.user)


def _require_manager(store: LedgerStore, visitor: Visitor, workspace_id: str) -> None:
    _, role = _visited(store, visitor, workspace_id)
    if not members.may_read(role):
        raise WorkspaceNotFound()
    members.require_manager(role)


def _own(visitor: Visitor, account_id: str | None) -> Owner:
    own = owner_of(visitor.tenant, visitor.user)
    if account_id is None or account_id == own.account_id:
        return own
    return Owner(visitor.tenant, account_id)


def _guarded(account: Account) -> tuple[Change, ...]:
    """The account written as it is, so that nobody closes it while a workspace is bound to it."""
    if account.is_default:
        return ()
    return (Change(account, replace(account, version=account.version + 1)),)


def _require_own(account: Account | None, visitor: Visitor) -> Account:
    # Nobody binds somebody else's money, not even an admin by mistake.
    if account is None or account.owner != visitor.user:
        raise AccountNotFound()
    if account.closed_at is not None:
        raise AccountClosed()
    return account
