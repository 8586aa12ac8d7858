"""Use cases of a workspace: open it, link accounts to it, choose its default, see whose money."""

from dataclasses import dataclass, replace
from itertools import batched

from holdfast.domain import members
from holdfast.domain import workspaces as rules
from holdfast.domain.accounts import Account, Tenant
from holdfast.domain.clock import Instant
from holdfast.domain.ledger import Change, Deed, Resolution, Unchanged
from holdfast.domain.once import Once
from holdfast.domain.workspaces import LinkedWorkspace, Workspace
from holdfast.errors import AccountClosed, AccountNotFound, WorkspaceNotFound
from holdfast.services import accounts
from holdfast.services.refs import Owner, account_of, linked_of, owner_of, seat_of, workspace_of
from holdfast.store import pages
from holdfast.store.ledger_store import Enacted, LedgerStore

PROVED_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who asks about a workspace. An admin of the org has the run of it."""

    tenant: Tenant
    user: str
    is_admin: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkedAccount:
    """An account as it is linked to a workspace. `made` says that this request linked it."""

    account: Account
    is_default: bool
    linked_at: Instant
    made: bool = False
    replayed: bool = False


def open_workspace(
    store: LedgerStore, visitor: Visitor, *, name: str, account_id: str | None, once: Once
) -> Enacted:
    """A workspace bound to an account of the visitor's: the default one, unless another is named.

    Raises:
        AccountNotFound: The named account is unknown, or somebody else's.
        AccountClosed: It is closed.
    """
    if earlier := store.reenacted(once):
        return earlier
    owner = _own(visitor, account_id)
    if owner.user is not None:
        accounts.ensure(store, owner, once.now)
    workspace = rules.open_workspace(
        once, name=name, owner=visitor.user, account_id=owner.account_id
    )
    link = rules.linked(None, account_id=owner.account_id, workspace_id=workspace.id, now=once.now)

    def decide(account: Account | None) -> Deed:
        mine = _require_own(account, visitor)
        return Deed(workspace, (Change(None, workspace), Change(None, link), *_noticed(mine)))

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
) -> LinkedAccount:
    """A new account of the visitor's, linked to the workspace at once.

    Raises:
        WorkspaceNotFound, Forbidden: The visitor has no part in the workspace, or not that part.
        TooManyLinks: The workspace has 20 linked accounts.
    """
    role = _role(store, visitor, workspace_id)
    account = accounts.new_account(once, owner=visitor.user, name=name, currency=currency)
    link = rules.linked(None, account_id=account.id, workspace_id=workspace_id, now=once.now)

    def decide(workspace: Workspace) -> Deed:
        _require_manager(role)
        after = rules.link(workspace, account.id, make_default=make_default, now=once.now)
        changes = (Change(workspace, after), Change(None, account), Change(None, link))
        return Deed(after, changes)

    done = store.enact(decide, [workspace_of(visitor.tenant, workspace_id)], once=once)
    return _linked_account(store, visitor, account.id, done, made=True)


def link(
    store: LedgerStore,
    visitor: Visitor,
    *,
    workspace_id: str,
    account_id: str,
    make_default: bool,
    once: Once,
) -> LinkedAccount:
    """Link an account that the visitor owns. Linked before, and nothing to change: the same.

    Raises:
        WorkspaceNotFound, Forbidden: The visitor has no part in the workspace, or not that part.
        AccountNotFound: The account is unknown, or somebody else's.
        AccountClosed: It is closed.
        TooManyLinks: The workspace has 20 linked accounts.
    """
    role = _role(store, visitor, workspace_id)
    owner = Owner(visitor.tenant, account_id)

    def decide(
        workspace: Workspace, account: Account | None, known: LinkedWorkspace | None
    ) -> Resolution:
        _require_manager(role)
        mine = _require_own(account, visitor)
        after = rules.link(workspace, account_id, make_default=make_default, now=once.now)
        if after is workspace:
            return Unchanged(workspace)
        if workspace.links_to(account_id):
            return Deed(after, (Change(workspace, after),))
        assert known is None or not known.active, "the workspace and its accounts go together"
        linked = rules.linked(known, account_id=account_id, workspace_id=workspace_id, now=once.now)
        changes = (Change(workspace, after), Change(known, linked), *_noticed(mine))
        # The answer to whoever made the link is the link: so its second delivery can tell, too.
        return Deed(linked, changes)

    refs = [
        workspace_of(visitor.tenant, workspace_id),
        account_of(owner),
        linked_of(owner, workspace_id),
    ]
    done = store.enact(decide, refs, once=once)
    if not isinstance(done.record, LinkedWorkspace):
        return _linked_account(store, visitor, account_id, done, made=False)
    return LinkedAccount(
        account=store.read(account_of(owner)),
        is_default=make_default,
        linked_at=done.record.linked_at,
        made=True,
        replayed=done.replayed,
    )


def make_default(
    store: LedgerStore, visitor: Visitor, *, workspace_id: str, account_id: str, once: Once
) -> LinkedAccount:
    """Make a linked account the workspace's default. Again: the same.

    Raises:
        WorkspaceNotFound, Forbidden: The visitor has no part in the workspace, or not that part.
        AccountNotLinked: The account is not linked.
    """
    role = _role(store, visitor, workspace_id)

    def decide(workspace: Workspace) -> Resolution:
        _require_manager(role)
        after = rules.make_default(workspace, account_id, once.now)
        if after is workspace:
            return Unchanged(workspace)
        return Deed(after, (Change(workspace, after),))

    done = store.enact(decide, [workspace_of(visitor.tenant, workspace_id)], once=once)
    return _linked_account(store, visitor, account_id, done, made=False)


def unlink(
    store: LedgerStore, visitor: Visitor, *, workspace_id: str, account_id: str, once: Once
) -> Enacted:
    """Unlink an account that is not the default. Its money and its entries stay as they are.

    Raises:
        WorkspaceNotFound, Forbidden: The visitor has no part in the workspace, or not that part.
        AccountNotLinked: The account is not linked.
        AccountIsDefault: It is the workspace's default.
    """
    role = _role(store, visitor, workspace_id)
    owner = Owner(visitor.tenant, account_id)

    def decide(workspace: Workspace, known: LinkedWorkspace | None) -> Deed:
        _require_manager(role)
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


def payee(store: LedgerStore, visitor: Visitor, workspace_id: str) -> Owner:
    """The account that is the workspace's default now, for a visitor who may pay into it.

    Raises:
        WorkspaceNotFound: There is none, or the visitor has no part in it.
        Forbidden: The visitor's part is neither that of the owner nor of an admin.
    """
    found, role = _visited(store, visitor, workspace_id)
    _require_manager(role)
    return Owner(visitor.tenant, found.default_account_id)


def linked_accounts(store: LedgerStore, visitor: Visitor, workspace_id: str) -> list[LinkedAccount]:
    """The accounts that are linked to a workspace, in the order of linking.

    Raises:
        WorkspaceNotFound: There is none, or the visitor has no part in it.
    """
    found = workspace(store, visitor, workspace_id)
    refs = [account_of(Owner(visitor.tenant, link.account_id)) for link in found.links]
    return [_as_linked(found, account) for account in store.prove(refs).records]


def _as_linked(workspace: Workspace, account: Account) -> LinkedAccount:
    (linked_at,) = (link.linked_at for link in workspace.links if link.account_id == account.id)
    return LinkedAccount(
        account=account,
        is_default=account.id == workspace.default_account_id,
        linked_at=linked_at,
    )


def linked_workspaces(store: LedgerStore, owner: Owner) -> list[tuple[str, bool]]:
    """The workspaces that an account is linked to, by id, and whether it is their default."""
    linked = [
        each.workspace_id
        for each in pages.linked(store, owner.tenant, owner.account_id)
        if each.active
    ]
    found: list[Workspace] = []
    for some in batched(sorted(linked), PROVED_AT_ONCE, strict=False):
        refs = [workspace_of(owner.tenant, each) for each in some]
        found += store.prove(refs).records
    return [(each.id, each.default_account_id == owner.account_id) for each in found]


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


def _role(store: LedgerStore, visitor: Visitor, workspace_id: str) -> str | None:
    """The visitor's part in a workspace, if there is one.

    A rule refuses by it, and not whoever reads it: what was asked before is answered first.
    """
    try:
        return _visited(store, visitor, workspace_id)[1]
    except WorkspaceNotFound:
        return None


def _require_manager(role: str | None) -> None:
    if not members.may_read(role):
        raise WorkspaceNotFound()
    members.require_manager(role)


def _linked_account(
    store: LedgerStore, visitor: Visitor, account_id: str, done: Enacted, *, made: bool
) -> LinkedAccount:
    """The account as it was linked when the request was answered."""
    account = store.read(account_of(Owner(visitor.tenant, account_id)))
    return replace(_as_linked(done.record, account), made=made, replayed=done.replayed)


def _own(visitor: Visitor, account_id: str | None) -> Owner:
    own = owner_of(visitor.tenant, visitor.user)
    if account_id is None or account_id == own.account_id:
        return own
    return Owner(visitor.tenant, account_id)


def _noticed(account: Account) -> tuple[Change, ...]:
    """The account written as it is: whoever is about to close it sees that something was bound.

    That it is unchanged is not enough: who closes looks for its workspaces before, and commits
    after. A default account is never closed.
    """
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
