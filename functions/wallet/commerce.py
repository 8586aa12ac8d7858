"""The wallet on the commerce surface: cash balances, deposits, withdrawals, usage, refunds."""

from datetime import timedelta
from http import HTTPStatus
from typing import Annotated

from pydantic import Field

from holdfast.domain import entries, money
from holdfast.domain.accounts import Owner
from holdfast.domain.clock import Instant
from holdfast.domain.entries import Entry, Json
from holdfast.domain.ledger import Wallet
from holdfast.http.cursors import decode_cursor, encode_cursor
from holdfast.http.fields import (
    CamelBody,
    CurrencyCode,
    DecimalAmount,
    Identifier,
    Limit,
    MinorAmount,
    Offset,
    RequestKey,
    amount_micros,
    text,
)
from holdfast.http.principal import Admin, Caller, Principal, owner_named
from holdfast.http.routing import Router
from holdfast.http.views import Answer
from holdfast.http.writes import KeyedWrite, Now, Write
from holdfast.runtime import Store
from holdfast.services import wallet
from holdfast.store.ledger_store import LedgerStore
from wallet.commerce_views import (
    BalancesView,
    BalanceView,
    RecordedView,
    TransactionListView,
    TransactionView,
    UsageListView,
    balance_view,
    listed_view,
    recorded_view,
    shown,
    transaction_answer,
    usage_view,
)
from wallet.places import from_position, to_position

router = Router()

User = Annotated[str, text(200)]
Tags = Annotated[str, text(200)]
Notes = Annotated[str, text(500, lines=True)]
Count = Annotated[int, Field(ge=0, le=10**12)]

EXPIRES_IN_DAYS_MAX = 3_650
METER = "api-usage"
"""What usage is measured by: credit that is restricted to this meter pays for it too."""


class Deposit(CamelBody):
    user: User
    amount: MinorAmount
    currency: CurrencyCode = "usd"
    notes: Notes | None = None
    tags: Tags | None = None
    expires_in: Annotated[int, Field(ge=0, le=EXPIRES_IN_DAYS_MAX)] = 0


class Withdraw(CamelBody):
    user: User
    amount: MinorAmount
    currency: CurrencyCode = "usd"
    notes: Notes | None = None
    tags: Tags | None = None


class Usage(CamelBody):
    user: User
    amount: int | None = None
    amount_decimal: DecimalAmount | None = None
    currency: CurrencyCode = "usd"
    model: Annotated[str, text(200)] | None = None
    provider: Annotated[str, text(200)] | None = None
    prompt_tokens: Count | None = None
    completion_tokens: Count | None = None
    total_tokens: Count | None = None
    request_id: RequestKey | None = None
    premium: bool | None = None
    stream: bool | None = None
    status: Annotated[str, text(100)] | None = None
    client_ip: Annotated[str, text(64)] | None = None


class Refund(CamelBody):
    user: User
    amount: MinorAmount
    original_transaction_id: Identifier
    currency: CurrencyCode = "usd"
    notes: Notes | None = None


@router.get("/api/v1/billing/balance")
def read_balance(
    caller: Admin, now: Now, store: Store, user: User, currency: CurrencyCode = "usd"
) -> BalanceView:
    """A user's cash in one currency; granted credit stands under credit-balance."""
    owner = owner_named(caller, user)
    found = wallet.wallet(store, owner, currency, now=now, own=_own(caller, owner))
    return BalanceView(user=shown(owner), **balance_view(found, now).model_dump())


@router.get("/api/v1/billing/balance/all")
def read_balances(caller: Admin, now: Now, store: Store, user: User) -> BalancesView:
    """A user's cash in every currency that the user has a wallet in."""
    owner = owner_named(caller, user)
    found = wallet.wallets(store, owner, now=now, own=_own(caller, owner))
    return BalancesView(user=shown(owner), balances=[balance_view(each, now) for each in found])


@router.post("/api/v1/billing/deposit", status_code=HTTPStatus.CREATED)
def deposit(body: Deposit, caller: Admin, once: Write, store: Store) -> Answer[TransactionView]:
    """Put cash into a user's wallet, for good or for some days."""
    owner = owner_named(caller, body.user)
    deposited = wallet.deposit(
        store,
        owner,
        amount_micros=amount_micros(body.amount, None, body.currency),
        currency=body.currency,
        expires_in=timedelta(days=body.expires_in) if body.expires_in else None,
        details=_said(tags=body.tags, notes=body.notes or "Deposit"),
        once=once,
    )
    return transaction_answer(deposited, owner)


@router.post("/api/v1/billing/withdraw", status_code=HTTPStatus.CREATED)
def withdraw(body: Withdraw, caller: Caller, once: Write, store: Store) -> Answer[TransactionView]:
    """Take plain paid-in cash out of a wallet. Users that are no admins: their own."""
    owner = owner_named(caller, body.user)
    withdrawn = wallet.withdraw(
        store,
        owner,
        amount_micros=amount_micros(body.amount, None, body.currency),
        currency=body.currency,
        details=_said(tags=body.tags, notes=body.notes),
        once=once,
    )
    return transaction_answer(withdrawn, owner)


@router.post("/api/v1/billing/usage", status_code=HTTPStatus.CREATED)
def record_usage(
    body: Usage, caller: Admin, keyed: KeyedWrite, store: Store
) -> Answer[RecordedView]:
    """Charge for work that was already done; the wallet may go below zero, and this says so."""
    once = keyed(body.request_id)
    owner = owner_named(caller, body.user)
    if _costs_nothing(body):
        skipped = RecordedView(user=shown(owner), amount=0, status="skipped")
        return Answer(skipped, status=HTTPStatus.OK)
    used = wallet.use(
        store,
        owner,
        amount_micros=amount_micros(body.amount, body.amount_decimal, body.currency),
        currency=body.currency,
        meter=METER,
        reference=body.request_id,
        details=_said(tags=METER, metadata=_metadata(body)),
        once=once,
    )
    return Answer(recorded_view(used, owner), replayed=used.replayed)


@router.post("/api/v1/billing/refund", status_code=HTTPStatus.CREATED)
def refund(body: Refund, caller: Admin, once: Write, store: Store) -> Answer[TransactionView]:
    """Give part or all of a charge back to the lots it came from."""
    owner = owner_named(caller, body.user)
    refunded = wallet.refund(
        store,
        owner,
        original_id=body.original_transaction_id,
        amount_micros=amount_micros(body.amount, None, body.currency),
        currency=body.currency,
        details=_said(tags="refund", notes=body.notes),
        once=once,
    )
    return transaction_answer(refunded, owner)


@router.get("/api/v1/billing/usage")
def list_usage(
    caller: Admin,
    now: Now,
    store: Store,
    user: User,
    currency: CurrencyCode | None = None,
    limit: Annotated[int, Limit(100)] = 100,
    cursor: str | None = None,
) -> UsageListView:
    """A user's charges for usage, newest first, in one currency or in all."""
    owner = owner_named(caller, user)
    scope = f"usage {owner.account_id} {currency}"
    page = wallet.entries_across(
        store,
        wallets_of(caller, owner, currency, now, store),
        limit=limit,
        starts=None if cursor is None else from_position(decode_cursor(scope, cursor)),
        keep=_is_usage,
    )
    position = to_position(page.next_starts)
    return UsageListView(
        user=shown(owner),
        count=len(page.entries),
        usage=[usage_view(entry) for entry in page.entries],
        next_cursor=None if position is None else encode_cursor(scope, position),
    )


@router.get("/api/v1/billing/transactions")
def list_transactions(
    caller: Caller,
    now: Now,
    store: Store,
    user: User,
    currency: CurrencyCode | None = None,
    limit: Annotated[int, Limit(100)] = 100,
    offset: Offset = 0,
    cursor: str | None = None,
) -> TransactionListView:
    """A user's transactions, newest first. `count` is how many there are in all."""
    owner = owner_named(caller, user)
    wallets = wallets_of(caller, owner, currency, now, store)
    scope = f"transactions {owner.account_id} {currency}"
    page = wallet.entries_across(
        store,
        wallets,
        limit=limit,
        offset=offset,
        starts=None if cursor is None else from_position(decode_cursor(scope, cursor)),
    )
    position = to_position(page.next_starts)
    return TransactionListView(
        user=shown(owner),
        count=sum(each.seq for each in wallets),
        transactions=[listed_view(entry) for entry in page.entries],
        next_cursor=None if position is None else encode_cursor(scope, position),
    )


def wallets_of(
    caller: Principal, owner: Owner, currency: str | None, now: Instant, store: LedgerStore
) -> list[Wallet]:
    """A user's wallet in one currency, or all of them. The caller's own account is made."""
    own = owner.user == caller.user
    if currency is None:
        return wallet.wallets(store, owner, now=now, own=own)
    return [wallet.wallet(store, owner, currency, now=now, own=own)]


def _own(caller: Principal, owner: Owner) -> bool:
    return owner.user == caller.user


def _said(**said: Json) -> dict[str, Json]:
    return {name: value for name, value in said.items() if value is not None}


def _costs_nothing(body: Usage) -> bool:
    if body.amount_decimal is None:
        return body.amount is None or body.amount <= 0
    exact_micros = money.from_decimal(body.amount_decimal, body.currency)
    return body.amount is None and exact_micros <= 0


def _metadata(body: Usage) -> dict[str, Json]:
    told = body.model_dump(
        by_alias=True,
        exclude_none=True,
        exclude={"user", "amount", "amount_decimal", "currency"},
    )
    return dict(told)


def _is_usage(entry: Entry) -> bool:
    return entry.type == entries.USAGE
