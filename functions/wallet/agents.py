"""The wallet on the agents surface: its balance, and what came in and went out."""

from decimal import Decimal
from http import HTTPStatus
from typing import Annotated, Literal

from aws_lambda_powertools.event_handler.depends import Depends
from aws_lambda_powertools.event_handler.openapi.params import Query
from pydantic import AfterValidator

from holdfast.domain import entries
from holdfast.domain.clock import Instant
from holdfast.domain.entries import Entry
from holdfast.domain.ledger import Wallet
from holdfast.errors import Forbidden
from holdfast.http.fields import (
    Body,
    CurrencyCode,
    Limit,
    MajorAmount,
    Offset,
    Timestamp,
    Told,
    major_micros,
    wrong,
)
from holdfast.http.principal import Caller, Principal, owner_named
from holdfast.http.routing import Router
from holdfast.http.views import Answer, Items, View, major
from holdfast.http.writes import Now, Write
from holdfast.runtime import Store
from holdfast.services import wallet

router = Router()

USECASES = {
    entries.INTRODUCTORY_CREDIT: "introductory_credit",
    entries.STARTER_CREDIT: "starter_credit",
    entries.CREDIT_GRANT: "credit_grant",
    entries.CREDIT_VOID: "credit_void",
    entries.COUPON_CREDIT: "coupon",
    entries.DEPOSIT: "wallet_funding",
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

RESELLER = "reseller"
WITHDRAWAL_CURRENCY = "usd"
WITHDRAWAL_MIN = Decimal("10.00")


def _enough(amount: Decimal) -> Decimal:
    if amount < WITHDRAWAL_MIN:
        raise wrong(f"must be at least {WITHDRAWAL_MIN}")
    return amount


class WithdrawFunds(Body):
    amount: Annotated[MajorAmount, AfterValidator(_enough), Told({"minimum": int(WITHDRAWAL_MIN)})]


class BalanceView(View):
    balance: Decimal
    currency: str


class TransactionView(View):
    id: int
    source: str
    transaction_id: str
    type: str
    amount: Decimal
    status: str
    usecase: str
    created_at: Timestamp


class TotalsView(View):
    balance: Decimal
    currency: str
    total_credited: Decimal
    amount_used: Decimal


class TransactionsView(Items[TransactionView]):
    wallet: TotalsView


class WithdrawalView(View):
    id: str
    amount: Decimal
    currency: str
    status: str
    created_at: Timestamp


class WithdrawnView(View):
    withdrawal: WithdrawalView
    balance: Decimal


def reseller(principal: Caller) -> Principal:
    """Whoever calls, a reseller.

    Raises:
        Forbidden: It is not.
    """
    if RESELLER not in principal.roles:
        raise Forbidden
    return principal


Reseller = Annotated[Principal, Depends(reseller)]


@router.get("/api/agents/v1/wallet/balance")
def read_balance(
    caller: Caller, now: Now, store: Store, currency: CurrencyCode = "usd"
) -> BalanceView:
    """What the caller has, credit included."""
    found = wallet.wallet(store, owner_named(caller, None), currency, now=now, own=True)
    return BalanceView(
        balance=major(found.balance_micros(now), currency), currency=currency.upper()
    )


@router.get("/api/agents/v1/wallet/transactions")
def list_transactions(
    caller: Caller,
    now: Now,
    store: Store,
    currency: CurrencyCode = "usd",
    direction: Annotated[Literal["credit", "debit"] | None, Query(alias="type")] = None,
    limit: Annotated[int, Limit(200)] = 50,
    offset: Offset = 0,
) -> TransactionsView:
    """What changed the caller's balance, newest first. `total` counts all that match."""
    found = wallet.wallet(store, owner_named(caller, None), currency, now=now, own=True)

    def keep(entry: Entry) -> bool:
        return _direction(entry) is not None and direction in (None, _direction(entry))

    counts = {"credit": found.credits_count, "debit": found.debits_count}
    total = counts[direction] if direction else sum(counts.values())
    # How many there are is known, so the last of them is not looked for behind it.
    shown = wallet.entries_across(
        store,
        [found],
        limit=min(limit, total - offset),
        offset=offset,
        keep=keep,
        looked_at_max=found.seq,
    ).entries
    return TransactionsView(
        items=[_transaction(entry) for entry in shown],
        count=len(shown),
        total=total,
        wallet=_totals(found, now),
    )


@router.post("/api/agents/v1/wallet/withdraw", status_code=HTTPStatus.CREATED)
def withdraw(
    body: WithdrawFunds, caller: Reseller, once: Write, store: Store
) -> Answer[WithdrawnView]:
    """Take plain paid-in cash out of a reseller's wallet: debited now, paid out later."""
    withdrawn = wallet.withdraw(
        store,
        owner_named(caller, None),
        amount_micros=major_micros(body.amount, WITHDRAWAL_CURRENCY),
        currency=WITHDRAWAL_CURRENCY,
        once=once,
    )
    entry = withdrawn.entry
    view = WithdrawnView(
        withdrawal=WithdrawalView(
            id=entry.id,
            amount=major(entry.amount_micros, entry.currency),
            currency=entry.currency.upper(),
            status="pending",
            created_at=entry.created_at,
        ),
        balance=major(entry.balance_micros, entry.currency),
    )
    return Answer(view, replayed=withdrawn.replayed)


def _direction(entry: Entry) -> str | None:
    delta_micros = entry.balance_delta_micros
    if delta_micros == 0:
        return None
    return "credit" if delta_micros > 0 else "debit"


def _totals(found: Wallet, now: Instant) -> TotalsView:
    balance = major(found.balance_micros(now), found.currency)
    credited = major(found.credited_micros, found.currency)
    # What was used is what came in and is there no more; of rounded figures, so that they add up.
    return TotalsView(
        balance=balance,
        currency=found.currency.upper(),
        total_credited=credited,
        amount_used=credited - balance,
    )


def _transaction(entry: Entry) -> TransactionView:
    direction = _direction(entry)
    assert direction is not None
    return TransactionView(
        id=entry.seq,
        source=entry.source,
        transaction_id=entry.id,
        type=direction,
        amount=major(abs(entry.balance_delta_micros), entry.currency),
        status="success",
        usecase=USECASES[entry.type],
        created_at=entry.created_at,
    )
