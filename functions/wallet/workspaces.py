"""The wallet on the workspaces surface: what accounts and workspaces have, and what changed it."""

from collections.abc import Callable, Sequence
from http import HTTPStatus
from typing import Annotated, Literal

from aws_lambda_powertools.event_handler.openapi.params import Query

from holdfast.domain import entries
from holdfast.domain.accounts import Owner, is_account_id
from holdfast.domain.budgets import WORKSPACE
from holdfast.domain.clock import Instant
from holdfast.domain.entries import Entry
from holdfast.domain.ledger import Wallet
from holdfast.errors import AccountNotFound
from holdfast.http.cursors import decode_cursor, encode_cursor
from holdfast.http.fields import (
    CamelBody,
    CurrencyCode,
    Identifier,
    Limit,
    MinorAmount,
    PathId,
    RequestKey,
    Timestamp,
    amount_micros,
    text,
)
from holdfast.http.principal import Admin, Caller, Principal, owner_named
from holdfast.http.routing import Router
from holdfast.http.views import Answer, CamelView, Maybe, amounts
from holdfast.http.writes import KeyedWrite, Now
from holdfast.runtime import Store
from holdfast.services import credits as credit
from holdfast.services import wallet, workspaces
from holdfast.services.credits import GrantTerms
from holdfast.services.workspaces import Visitor
from holdfast.store.ledger_store import Committed, LedgerStore
from wallet.places import from_position, to_position

router = Router()

LIMIT_MAX = 200

# How the entries that change a balance are called on this surface.
SOURCES = {
    entries.INTRODUCTORY_CREDIT: "intro",
    entries.STARTER_CREDIT: "credits",
    entries.CREDIT_GRANT: "credits",
    entries.CREDIT_VOID: "credits",
    entries.COUPON_CREDIT: "credits",
    entries.DEPOSIT: "deposit",
    entries.WITHDRAWAL: "withdrawal",
    entries.USAGE: "usage",
    entries.CAPTURE: "usage",
    entries.HOLD_EXPIRY: "usage",
    entries.REFUND: "refund",
    entries.LOT_EXPIRY: "expiry",
    entries.PURCHASE: "purchase",
    entries.CARD_REFUND: "refund",
    entries.CARD_REFUND_FAILED: "refund",
    entries.DISPUTE_LOST: "dispute",
    entries.ADJUSTMENT: "adjustment",
}

PROVIDERS = frozenset({"stripe", "x402"})
"""Where money comes from outside: said rather than what was done with it."""

Direction = Literal["credit", "debit"]


class AddCredits(CamelBody):
    amount_cents: MinorAmount
    reason: Annotated[str, text(500, lines=True)]
    currency: CurrencyCode | None = None
    idempotency_key: RequestKey | None = None


class AccountBalanceView(CamelView):
    billing_account_id: str
    balance_cents: int
    balance_cents_decimal: Maybe[str] = None
    held_cents: int
    held_cents_decimal: Maybe[str] = None
    available_cents: int
    available_cents_decimal: Maybe[str] = None
    currency: str
    updated_at: Timestamp | None


class WorkspaceBalanceView(AccountBalanceView):
    workspace_id: str


class AccountTransactionView(CamelView):
    id: str
    billing_account_id: str
    workspace_id: Maybe[str] = None
    type: str
    source: str
    amount_cents: int
    amount_cents_decimal: Maybe[str] = None
    balance_after_cents: int
    balance_after_cents_decimal: Maybe[str] = None
    currency: str
    description: str | None
    reference: str | None
    created_at: Timestamp


class AccountTransactionsView(CamelView):
    billing_account_id: str
    data: list[AccountTransactionView]
    next_cursor: str | None


class WorkspaceTransactionsView(AccountTransactionsView):
    workspace_id: str


class AddedCreditsView(CamelView):
    transaction: AccountTransactionView
    billing_account_id: str
    workspace_id: str
    balance_cents: int
    balance_cents_decimal: Maybe[str] = None
    held_cents: int
    held_cents_decimal: Maybe[str] = None
    available_cents: int
    available_cents_decimal: Maybe[str] = None
    currency: str


@router.get("/billing-accounts/{account_id}/balance")
def read_account_balance(
    account_id: PathId,
    caller: Caller,
    now: Now,
    store: Store,
    currency: CurrencyCode | None = None,
) -> AccountBalanceView:
    """What an account has, credit included, in its own currency or another."""
    owner = _account_named(caller, account_id)
    return _balance(wallet.account_wallet(store, owner, currency, now=now), now)


@router.get("/billing-accounts/{account_id}/transactions")
def list_account_transactions(
    account_id: PathId,
    caller: Caller,
    now: Now,
    store: Store,
    type_: Annotated[Direction | None, Query(alias="type")] = None,
    from_: Annotated[Timestamp | None, Query(alias="from")] = None,
    to: Timestamp | None = None,
    workspace: Annotated[Identifier | None, Query(alias="workspaceId")] = None,
    limit: Annotated[int, Limit(LIMIT_MAX)] = 50,
    cursor: str | None = None,
) -> AccountTransactionsView:
    """What changed an account's balances, newest first, in all of its currencies."""
    owner = _account_named(caller, account_id)
    found = wallet.wallets(store, owner, now=now, own=owner.user is not None)
    data, next_cursor = _transactions(
        store,
        found,
        scope=f"account {account_id} {type_} {from_} {to} {workspace}",
        keep=_wanted(type_, from_, to, workspace),
        since=from_,
        limit=limit,
        cursor=cursor,
        workspace=workspace,
    )
    return AccountTransactionsView(
        billing_account_id=account_id, data=data, next_cursor=next_cursor
    )


@router.get("/workspaces/{workspace_id}/billing/balance")
def read_workspace_balance(
    workspace_id: PathId,
    caller: Caller,
    now: Now,
    store: Store,
    currency: CurrencyCode | None = None,
) -> WorkspaceBalanceView:
    """What the workspace's default account has."""
    found = workspaces.workspace(store, _visitor(caller), workspace_id)
    owner = Owner(caller.tenant, found.default_account_id)
    balance = _balance(wallet.account_wallet(store, owner, currency, now=now), now)
    return WorkspaceBalanceView(workspace_id=workspace_id, **balance.model_dump())


@router.get("/workspaces/{workspace_id}/billing/transactions")
def list_workspace_transactions(
    workspace_id: PathId,
    caller: Caller,
    now: Now,
    store: Store,
    type_: Annotated[Direction | None, Query(alias="type")] = None,
    from_: Annotated[Timestamp | None, Query(alias="from")] = None,
    to: Timestamp | None = None,
    limit: Annotated[int, Limit(LIMIT_MAX)] = 50,
    cursor: str | None = None,
) -> WorkspaceTransactionsView:
    """What was done for this workspace, newest first, over all accounts that are linked to it."""
    found = workspaces.workspace(store, _visitor(caller), workspace_id)
    owners = [Owner(caller.tenant, link.account_id) for link in found.links]
    data, next_cursor = _transactions(
        store,
        [each for owner in owners for each in wallet.wallets(store, owner, now=now)],
        scope=f"workspace {workspace_id} {type_} {from_} {to}",
        keep=_wanted(type_, from_, to, workspace_id),
        since=from_,
        limit=limit,
        cursor=cursor,
        workspace=workspace_id,
    )
    return WorkspaceTransactionsView(
        workspace_id=workspace_id,
        billing_account_id=found.default_account_id,
        data=data,
        next_cursor=next_cursor,
    )


@router.post("/workspaces/{workspace_id}/billing/credits", status_code=HTTPStatus.CREATED)
def add_credits(
    workspace_id: PathId, body: AddCredits, caller: Admin, keyed: KeyedWrite, store: Store
) -> Answer[AddedCreditsView]:
    """Give credit to the account that is the workspace's default one now."""
    once = keyed(body.idempotency_key)
    # Another account may be the default by the time of a second delivery.
    added = store.replayed(once)
    if added is None:
        linked = workspaces.linked_accounts(store, _visitor(caller), workspace_id)
        (default,) = (each.account for each in linked if each.is_default)
        currency = body.currency or default.currency
        _, added = credit.grant(
            store,
            Owner(caller.tenant, default.id),
            amount_micros=amount_micros(body.amount_cents, None, currency, param="amount_cents"),
            currency=currency,
            terms=GrantTerms(),
            details={"notes": body.reason, "workspace": workspace_id},
            once=once,
        )
    return _added(added, workspace_id)


def _account_named(caller: Principal, account_id: str) -> Owner:
    # A path names an account by its id alone: no user's name stands for one here.
    if not is_account_id(account_id):
        raise AccountNotFound
    return owner_named(caller, account_id)


def _visitor(caller: Principal) -> Visitor:
    return Visitor(caller.tenant, caller.user, caller.is_admin)


def _transactions(
    store: LedgerStore,
    wallets: Sequence[Wallet],
    *,
    scope: str,
    keep: Callable[[Entry], bool],
    since: Instant | None,
    limit: int,
    cursor: str | None,
    workspace: str | None,
) -> tuple[list[AccountTransactionView], str | None]:
    page = wallet.entries_across(
        store,
        wallets,
        limit=limit,
        starts=None if cursor is None else from_position(decode_cursor(scope, cursor)),
        keep=keep,
        since=since,
    )
    position = to_position(page.next_starts)
    return (
        [_transaction(entry, workspace) for entry in page.entries],
        None if position is None else encode_cursor(scope, position),
    )


def _wanted(
    direction: str | None, from_: Instant | None, to: Instant | None, workspace: str | None
) -> Callable[[Entry], bool]:
    def keep(entry: Entry) -> bool:
        return (
            entry.balance_delta_micros != 0
            and direction in (None, _direction(entry))
            and (from_ is None or entry.created_at >= from_)
            and (to is None or entry.created_at < to)
            and (workspace is None or workspace in _workspaces(entry))
        )

    return keep


def _direction(entry: Entry) -> Direction:
    return "credit" if entry.balance_delta_micros > 0 else "debit"


def _workspaces(entry: Entry) -> list[str]:
    """The workspaces that an entry belongs to: the one it names, and those of its hold's scopes."""
    named = entry.details.get("workspace")
    scopes = entry.hold.scopes if entry.hold else ()
    found = [named] if isinstance(named, str) else []
    return [*found, *(scope.id for scope in scopes if scope.kind == WORKSPACE)]


def _transaction(entry: Entry, workspace: str | None) -> AccountTransactionView:
    """An entry as a transaction. Of several workspaces it shows the one that was asked for."""
    notes = entry.details.get("notes")
    return AccountTransactionView(
        id=entry.id,
        billing_account_id=entry.account_id,
        workspace_id=workspace or next(iter(_workspaces(entry)), None),
        type=_direction(entry),
        source=entry.source if entry.source in PROVIDERS else SOURCES[entry.type],
        **amounts(
            entry.currency,
            amount_cents=abs(entry.balance_delta_micros),
            balance_after_cents=entry.balance_after_micros,
        ),
        currency=entry.currency,
        description=notes if isinstance(notes, str) else None,
        reference=entry.reference,
        created_at=entry.created_at,
    )


def _balance(found: Wallet, now: Instant) -> AccountBalanceView:
    return AccountBalanceView(
        billing_account_id=found.account_id,
        **amounts(
            found.currency,
            balance_cents=found.balance_micros(now),
            held_cents=found.held_micros,
            available_cents=found.available_micros(now),
        ),
        currency=found.currency,
        updated_at=found.updated_at,
    )


def _added(committed: Committed, workspace_id: str) -> Answer[AddedCreditsView]:
    entry = committed.entry
    added = AddedCreditsView(
        transaction=_transaction(entry, workspace_id),
        billing_account_id=entry.account_id,
        workspace_id=workspace_id,
        **amounts(
            entry.currency,
            balance_cents=entry.balance_micros,
            held_cents=entry.held_after_micros,
            available_cents=entry.available_micros,
        ),
        currency=entry.currency,
    )
    return Answer(added, replayed=committed.replayed)
