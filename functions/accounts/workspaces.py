"""Accounts on the workspaces surface: what a user owns, and what a workspace spends from."""

from http import HTTPStatus
from typing import Annotated, Any

from accounts.admission import Internal, account_named
from holdfast.domain.accounts import INTRODUCTORY_CREDIT_MICROS, Account, owner_of
from holdfast.domain.clock import Instant
from holdfast.domain.ledger import Wallet
from holdfast.domain.wallet import INTRODUCTORY_TAG
from holdfast.domain.workspaces import Workspace
from holdfast.http.cursors import decode_cursor, encode_cursor
from holdfast.http.fields import (
    CamelBody,
    CurrencyCode,
    Identifier,
    Limit,
    PathId,
    Timestamp,
    text,
)
from holdfast.http.principal import Caller, Principal
from holdfast.http.routing import Router
from holdfast.http.views import Answer, CamelView, Maybe, amounts
from holdfast.http.writes import Now, Write
from holdfast.runtime import Store
from holdfast.services import billing_accounts, workspaces
from holdfast.services.workspaces import LinkedAccount, Visitor

router = Router()

Name = Annotated[str, text(200)]


class OpenWorkspace(CamelBody):
    name: Name = "Workspace"
    billing_account_id: Identifier | None = None


class OpenLinkedAccount(CamelBody):
    name: Name = "Billing account"
    currency: CurrencyCode = "usd"
    set_default: bool = False


class LinkAccount(CamelBody):
    billing_account_id: Identifier
    set_default: bool = False


class BillingAccountView(CamelView):
    id: str
    name: str
    owner_user_id: str
    is_default: bool
    currency: str
    balance_cents: int
    balance_cents_decimal: Maybe[str] = None
    status: str
    created_at: Timestamp


class BillingAccountsView(CamelView):
    data: list[BillingAccountView]
    next_cursor: str | None


class FreeTierView(CamelView):
    granted: bool
    granted_cents: int
    remaining_cents: int
    remaining_cents_decimal: Maybe[str] = None


class LinkedWorkspaceView(CamelView):
    workspace_id: str
    is_default: bool


class BillingAccountDetailsView(BillingAccountView):
    lifetime_charged_cents: int
    lifetime_charged_cents_decimal: Maybe[str] = None
    lifetime_credited_cents: int
    lifetime_credited_cents_decimal: Maybe[str] = None
    free_tier: FreeTierView
    linked_workspaces: list[LinkedWorkspaceView]
    stripe_customer_id: str | None


class WorkspaceView(CamelView):
    id: str
    name: str
    owner_user_id: str
    default_billing_account_id: str
    created_at: Timestamp


class LinkedAccountView(CamelView):
    """An account as a workspace sees it: what is in it is for its own members to see."""

    id: str
    name: str
    owner_user_id: str
    currency: str
    is_default: bool
    linked_at: Timestamp


class LinkedAccountsView(CamelView):
    data: list[LinkedAccountView]
    next_cursor: str | None


@router.get("/billing-accounts")
def list_billing_accounts(
    caller: Caller,
    now: Now,
    store: Store,
    limit: Annotated[int, Limit(100)] = 50,
    cursor: str | None = None,
) -> BillingAccountsView:
    """The accounts that the caller owns, the default one first."""
    scope = f"billing-accounts {owner_of(caller.tenant, caller.user).account_id}"
    found, place = billing_accounts.owned(
        store,
        caller.tenant,
        caller.user,
        after=None if cursor is None else decode_cursor(scope, cursor),
        limit=limit,
        now=now,
    )
    return BillingAccountsView(
        data=[
            BillingAccountView(**_account(each.account), **_balance(each.wallet, now))
            for each in found
        ],
        next_cursor=None if place is None else encode_cursor(scope, place),
    )


@router.get("/billing-accounts/{account_id}")
def read_billing_account(
    account_id: PathId, caller: Caller, now: Now, store: Store
) -> BillingAccountDetailsView:
    """One account: its money, its free credit, and the workspaces that are linked to it."""
    found = billing_accounts.details(store, account_named(caller, account_id), now=now)
    wallet = found.wallet
    return BillingAccountDetailsView(
        **_account(found.account),
        **_balance(wallet, now),
        **amounts(
            wallet.currency,
            lifetime_charged_cents=wallet.charged_micros,
            lifetime_credited_cents=wallet.credited_micros,
        ),
        free_tier=_free_tier(found.account, wallet),
        linked_workspaces=[
            LinkedWorkspaceView(workspace_id=workspace_id, is_default=is_default)
            for workspace_id, is_default in found.workspaces
        ],
        stripe_customer_id=found.customer_id,
    )


@router.post("/workspaces", status_code=HTTPStatus.CREATED)
def open_workspace(
    body: OpenWorkspace, caller: Caller, once: Write, store: Store
) -> Answer[WorkspaceView]:
    """A workspace that spends from an account of the caller's: the default one unless named."""
    opened = workspaces.open_workspace(
        store, _visitor(caller), name=body.name, account_id=body.billing_account_id, once=once
    )
    workspace: Workspace = opened.record
    view = WorkspaceView(
        id=workspace.id,
        name=workspace.name,
        owner_user_id=workspace.owner,
        default_billing_account_id=workspace.default_account_id,
        created_at=workspace.created_at,
    )
    return Answer(view, replayed=opened.replayed)


@router.get("/workspaces/{workspace_id}/billing/accounts")
def list_linked_accounts(workspace_id: PathId, caller: Caller, store: Store) -> LinkedAccountsView:
    """The accounts that a workspace may spend from, in the order of linking: 20 at most."""
    found = workspaces.linked_accounts(store, _visitor(caller), workspace_id)
    return LinkedAccountsView(data=[_linked(each) for each in found], next_cursor=None)


@router.post("/workspaces/{workspace_id}/billing/accounts", status_code=HTTPStatus.CREATED)
def open_linked_account(
    workspace_id: PathId, body: OpenLinkedAccount, caller: Internal, once: Write, store: Store
) -> Answer[LinkedAccountView]:
    """A new account of the caller's, linked to the workspace. Nothing is in it."""
    opened = workspaces.open_account(
        store,
        _visitor(caller),
        workspace_id=workspace_id,
        name=body.name,
        currency=body.currency,
        make_default=body.set_default,
        once=once,
    )
    return Answer(_linked(opened), replayed=opened.replayed)


@router.post("/workspaces/{workspace_id}/billing/accounts/link", status_code=HTTPStatus.CREATED)
def link_account(
    workspace_id: PathId, body: LinkAccount, caller: Caller, once: Write, store: Store
) -> Answer[LinkedAccountView]:
    """Link an account that the caller owns. One that is linked already: 200."""
    linked = workspaces.link(
        store,
        _visitor(caller),
        workspace_id=workspace_id,
        account_id=body.billing_account_id,
        make_default=body.set_default,
        once=once,
    )
    status = HTTPStatus.CREATED if linked.made else HTTPStatus.OK
    return Answer(_linked(linked), replayed=linked.replayed, status=status)


@router.post("/workspaces/{workspace_id}/billing/accounts/{account_id}/default")
def make_account_default(
    workspace_id: PathId, account_id: PathId, caller: Caller, once: Write, store: Store
) -> Answer[LinkedAccountView]:
    """Make a linked account the one that the workspace spends from. Again: the same."""
    made = workspaces.make_default(
        store, _visitor(caller), workspace_id=workspace_id, account_id=account_id, once=once
    )
    return Answer(_linked(made), replayed=made.replayed)


@router.delete(
    "/workspaces/{workspace_id}/billing/accounts/{account_id}", status_code=HTTPStatus.NO_CONTENT
)
def unlink_account(
    workspace_id: PathId, account_id: PathId, caller: Caller, once: Write, store: Store
) -> Answer[None]:
    """Unlink an account that is not the default. What is in it stays in it."""
    unlinked = workspaces.unlink(
        store, _visitor(caller), workspace_id=workspace_id, account_id=account_id, once=once
    )
    return Answer(None, replayed=unlinked.replayed)


def _visitor(caller: Principal) -> Visitor:
    return Visitor(caller.tenant, caller.user, caller.is_admin)


def _account(account: Account) -> dict[str, Any]:
    return {
        "id": account.id,
        "name": account.name,
        "owner_user_id": account.owner,
        "is_default": account.is_default,
        "currency": account.currency,
        "status": "active" if account.closed_at is None else "closed",
        "created_at": account.created_at,
    }


def _balance(wallet: Wallet, now: Instant) -> dict[str, Any]:
    return amounts(wallet.currency, balance_cents=wallet.balance_micros(now))


def _free_tier(account: Account, wallet: Wallet) -> FreeTierView:
    """The introductory credit: a user's default account has it, once, and no other."""
    granted_micros = INTRODUCTORY_CREDIT_MICROS if account.is_default else 0
    left_micros = sum(
        lot.remaining_micros + lot.held_micros
        for lot in wallet.lots
        if lot.terms.tag == INTRODUCTORY_TAG and account.is_default
    )
    cents = amounts(wallet.currency, granted_cents=granted_micros, remaining_cents=left_micros)
    del cents["granted_cents_decimal"]
    return FreeTierView(granted=account.is_default, **cents)


def _linked(linked: LinkedAccount) -> LinkedAccountView:
    return LinkedAccountView(
        id=linked.account.id,
        name=linked.account.name,
        owner_user_id=linked.account.owner,
        currency=linked.account.currency,
        is_default=linked.is_default,
        linked_at=linked.linked_at,
    )
