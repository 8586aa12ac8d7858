"""A customer's balance on the commerce surface: the same cash, put right by hand."""

from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Query
from pydantic import AfterValidator

from holdfast.domain import entries
from holdfast.domain.accounts import Owner
from holdfast.domain.entries import HELD, WALLET, Entry
from holdfast.http.cursors import decode_cursor, encode_cursor
from holdfast.http.fields import (
    CamelBody,
    CurrencyCode,
    Limit,
    Timestamp,
    Told,
    amount_micros,
    text,
    wrong,
)
from holdfast.http.principal import Admin, owner_named
from holdfast.http.routing import Router
from holdfast.http.views import Answer, CamelView, Maybe, amounts
from holdfast.http.writes import Now, Write
from holdfast.runtime import Store
from holdfast.services import wallet
from wallet.commerce import User, wallets_of
from wallet.commerce_views import shown
from wallet.places import from_position, to_position

router = Router()

# How the entries that change cash are called on this surface.
CASH_TYPES = {
    entries.DEPOSIT: "deposit",
    entries.STARTER_CREDIT: "deposit",
    entries.ADJUSTMENT: "adjustment",
    entries.REFUND: "refund",
    entries.WITHDRAWAL: "withdrawal",
    entries.USAGE: "usage",
    entries.CAPTURE: "usage",
    entries.HOLD_EXPIRY: "usage",
    entries.LOT_EXPIRY: "expiry",
    entries.PURCHASE: "purchase",
    entries.CARD_REFUND: "refund",
    entries.CARD_REFUND_FAILED: "refund",
    entries.DISPUTE_LOST: "dispute",
}

CUSTOMER = "customer_id"


def _signed(amount: int) -> int:
    if amount == 0:
        raise wrong("must not be 0")
    return amount


SignedAmount = Annotated[int, AfterValidator(_signed), Told({"not": {"const": 0}})]
"""Whole minor units that are given, or below zero taken."""


class Adjust(CamelBody):
    customer_id: User
    amount: SignedAmount
    currency: CurrencyCode = "usd"
    description: Annotated[str, text(500, lines=True)] | None = None


class CustomerBalanceView(CamelView):
    customer_id: str
    currency: str
    balance: int
    balance_decimal: Maybe[str] = None


class BalanceTransactionView(CamelView):
    id: str
    customer_id: str
    amount: int
    amount_decimal: Maybe[str] = None
    currency: str
    type: str
    ending_balance: int
    ending_balance_decimal: Maybe[str] = None
    created: Timestamp
    description: Maybe[str] = None


class BalanceTransactionsView(CamelView):
    balance_transactions: list[BalanceTransactionView]
    count: int
    next_cursor: str | None


@router.get("/api/v1/billing/customer-balance")
def read_customer_balance(
    caller: Admin,
    now: Now,
    store: Store,
    customer: Annotated[User, Query(alias="customerId")],
    currency: CurrencyCode = "usd",
) -> CustomerBalanceView:
    """A customer's cash in one currency; granted credit stands under credit-balance."""
    owner = owner_named(caller, customer, param=CUSTOMER)
    found = wallet.wallet(store, owner, currency, now=now, own=owner.user == caller.user)
    return CustomerBalanceView(
        customer_id=shown(owner),
        currency=currency,
        **amounts(currency, balance=found.cash_balance_micros(now)),
    )


@router.post("/api/v1/billing/customer-balance/adjustments")
def adjust(
    body: Adjust, caller: Admin, once: Write, store: Store
) -> Answer[BalanceTransactionView]:
    """Put a customer's cash right by hand, up or down, below zero if need be."""
    owner = owner_named(caller, body.customer_id, param=CUSTOMER)
    size_micros = amount_micros(abs(body.amount), None, body.currency)
    adjusted = wallet.adjust(
        store,
        owner,
        delta_micros=size_micros if body.amount > 0 else -size_micros,
        currency=body.currency,
        details={} if body.description is None else {"notes": body.description},
        once=once,
    )
    return Answer(_transaction(adjusted.entry, owner), replayed=adjusted.replayed)


@router.get("/api/v1/billing/balance-transactions")
def list_balance_transactions(
    caller: Admin,
    now: Now,
    store: Store,
    customer: Annotated[User | None, Query(alias="customerId")] = None,
    currency: CurrencyCode | None = None,
    limit: Annotated[int, Limit(100)] = 100,
    cursor: str | None = None,
) -> BalanceTransactionsView:
    """What changed a customer's cash, newest first; the caller's own, if it names nobody."""
    owner = owner_named(caller, customer, param=CUSTOMER)
    scope = f"balance-transactions {owner.account_id} {currency}"
    page = wallet.entries_across(
        store,
        wallets_of(caller, owner, currency, now, store),
        limit=limit,
        starts=None if cursor is None else from_position(decode_cursor(scope, cursor)),
        keep=_moves_cash,
    )
    position = to_position(page.next_starts)
    return BalanceTransactionsView(
        balance_transactions=[_transaction(entry, owner) for entry in page.entries],
        count=len(page.entries),
        next_cursor=None if position is None else encode_cursor(scope, position),
    )


def _cash_delta_micros(entry: Entry) -> int:
    """How the customer's cash changed, held cash included."""
    return entry.postings.get(WALLET, 0) + entry.postings.get(HELD, 0)


def _moves_cash(entry: Entry) -> bool:
    return _cash_delta_micros(entry) != 0


def _transaction(entry: Entry, owner: Owner) -> BalanceTransactionView:
    notes = entry.details.get("notes")
    return BalanceTransactionView(
        id=entry.id,
        customer_id=shown(owner),
        **amounts(
            entry.currency,
            amount=_cash_delta_micros(entry),
            ending_balance=entry.cash_after_micros,
        ),
        currency=entry.currency,
        type=CASH_TYPES[entry.type],
        created=entry.created_at,
        description=notes if isinstance(notes, str) else None,
    )
