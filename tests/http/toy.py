"""A small function with a router in each dialect: every kind of route file that there is."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated

from aws_lambda_powertools.event_handler.exceptions import BadRequestError
from aws_lambda_powertools.event_handler.openapi.params import Query

from holdfast.domain.clock import Instant
from holdfast.errors import (
    AccountNotFound,
    BadGateway,
    Contention,
    HoldExceeded,
    InsufficientFunds,
    InvariantBroken,
    KeyInUse,
    QuoteExpired,
    TooManyRequests,
)
from holdfast.http.api import Api
from holdfast.http.cursors import decode_cursor, encode_cursor
from holdfast.http.fields import (
    CURRENCY_DEFAULT,
    Body,
    CamelBody,
    CurrencyCode,
    DecimalAmount,
    Identifier,
    Limit,
    MajorAmount,
    Metadata,
    MinorAmount,
    Offset,
    PathId,
    Timestamp,
    amount_micros,
    major_micros,
    text,
)
from holdfast.http.principal import Admin, Caller, Platform, owner_named, user_of
from holdfast.http.routing import Router
from holdfast.http.views import (
    Answer,
    CamelView,
    Items,
    Maybe,
    Page,
    View,
    major,
    minor,
    minor_decimal,
    page,
)
from holdfast.http.writes import KeyedWrite, Now, Write, now

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)

billing = Router()
commerce = Router()
agents = Router()
failing = Router()


class PlaceHold(Body):
    amount: MinorAmount | None = None
    amount_decimal: DecimalAmount | None = None
    currency: CurrencyCode = CURRENCY_DEFAULT
    reference: Annotated[str, text(40)] | None = None
    job_id: Identifier | None = None
    expires_at: Timestamp | None = None
    metadata: Metadata | None = None


class HoldView(View):
    id: str
    amount: int
    amount_decimal: Maybe[str]
    currency: str
    reference: str | None
    fingerprint: str
    created_at: Timestamp


@billing.post("/v1/billing/holds", status_code=201)
def place_hold(body: PlaceHold, once: Write) -> Answer[HoldView]:
    micros = amount_micros(body.amount, body.amount_decimal, body.currency)
    view = HoldView(
        id=once.digest,
        amount=minor(micros, body.currency),
        amount_decimal=minor_decimal(micros, body.currency),
        currency=body.currency,
        reference=body.reference,
        fingerprint=once.fingerprint,
        created_at=once.now,
    )
    return Answer(view, replayed=once.key == "seen")


@billing.put("/v1/billing/holds")
def replace_hold(body: PlaceHold, once: Write) -> Answer[HoldView]:
    return place_hold(body, once)


@billing.put("/v1/billing/holds/{hold_id}")
def replace_one_hold(hold_id: PathId, body: PlaceHold, once: Write) -> Answer[HoldView]:
    return place_hold(body, once)


class EntryView(View):
    id: str
    limit: int


@billing.get("/v1/billing/entries")
def list_entries(
    caller: Caller,
    limit: Annotated[int, Limit(100)] = 20,
    cursor: str | None = None,
    since: Annotated[Timestamp | None, Query(alias="from")] = None,
) -> Page[EntryView]:
    scope = f"entries {owner_named(caller, None).account_id}"
    position = decode_cursor(scope, cursor) if cursor else "0"
    entry = EntryView(id=position, limit=limit)
    return page([entry], encode_cursor(scope, str(int(position) + 1)))


@billing.get("/v1/billing/entries/{entry_id}")
def read_entry(entry_id: PathId, caller: Caller) -> EntryView:
    return EntryView(id=entry_id, limit=0)


@billing.delete("/v1/billing/entries/{entry_id}", status_code=204)
def delete_entry(entry_id: PathId, caller: Admin) -> None:
    return None


@billing.post("/v1/billing/cycle/run-all")
def run_all(caller: Platform) -> EntryView:
    return EntryView(id="all", limit=0)


@billing.get("/v1/health", public=True)
def health() -> EntryView:
    return EntryView(id="here", limit=0)


class Lie(View):
    amount: int


@failing.get("/v1/billing/lie")
def lie(caller: Caller) -> Lie:
    return EntryView(id="4242424242424242", limit=0)  # type: ignore[return-value]


@failing.get("/v1/billing/half-lie")
def half_lie(caller: Caller) -> Lie:
    return Lie(amount="4242424242424242")  # type: ignore[arg-type]


FAILURES: dict[str, Exception] = {
    "funds": InsufficientFunds(needed_micros=30_000, available_micros=15_000, currency="usd"),
    "exceeded": HoldExceeded(asked_micros=20_000, remaining_micros=10_000, currency="usd"),
    "broken": InvariantBroken("wallet acct_1 lost a micro"),
    "bug": ValueError("secret-of-alice"),
    "contention": Contention(retry_after_seconds=3),
    "rate": TooManyRequests(),
    "key": KeyInUse(),
    "gone": QuoteExpired(),
    "gateway": BadGateway(),
    "unknown": AccountNotFound(),
    "framework": BadRequestError("secret-of-alice"),
}


class FailureName(Body):
    name: str


@failing.get("/v1/billing/failures/{name}")
def fail(name: PathId, caller: Caller) -> EntryView:
    raise FAILURES[name]


class RecordUsage(CamelBody):
    user_id: str | None = None
    request_id: Annotated[str, text(255)] | None = None
    amount: MinorAmount
    line_items: list[FailureName] | None = None


class UsageView(CamelView):
    transaction_id: str
    user_id: str
    request_id: Maybe[str]
    balance_after: int | None


@commerce.post("/api/v1/billing/usage")
def record_usage(body: RecordUsage, caller: Caller, keyed: KeyedWrite) -> Answer[UsageView]:
    once = keyed(body.request_id)
    view = UsageView(
        transaction_id=once.digest,
        user_id=user_of(caller, body.user_id, param="user_id"),
        request_id=body.request_id,
        balance_after=None,
    )
    return Answer(view, replayed=once.key == "seen")


class BalanceView(CamelView):
    user: str
    account_id: str
    now: Timestamp


@commerce.get("/api/v1/billing/balance")
def read_balance(caller: Caller, at: Now, user: str | None = None) -> BalanceView:
    owner = owner_named(caller, user)
    return BalanceView(user=owner.user or "", account_id=owner.account_id, now=at)


@failing.get("/api/v1/billing/failures/{name}")
def fail_in_camel(name: PathId, caller: Caller) -> UsageView:
    raise FAILURES[name]


class Transactions(CamelView):
    transactions: list[UsageView]
    count: int
    next_cursor: str | None


@commerce.get("/api/v1/billing/transactions")
def list_transactions(caller: Caller, offset: Offset = 0) -> Transactions:
    return Transactions(transactions=[], count=offset, next_cursor=None)


class Fund(Body):
    amount: MajorAmount
    currency: CurrencyCode = CURRENCY_DEFAULT


class WalletView(View):
    balance: Decimal
    currency: str


@agents.post("/api/agents/v1/wallet/fund")
def fund(body: Fund, once: Write) -> Answer[WalletView]:
    micros = major_micros(body.amount, body.currency)
    view = WalletView(balance=major(micros, body.currency), currency=body.currency.upper())
    return Answer(view, replayed=once.key == "seen")


class MovementView(View):
    id: int
    amount: Decimal


class Movements(Items[MovementView]):
    wallet: WalletView


@agents.get("/api/agents/v1/wallet/transactions")
def list_movements(
    caller: Caller, limit: Annotated[int, Limit(200)] = 50, offset: Offset = 0
) -> Movements:
    movement = MovementView(id=limit + offset, amount=Decimal("-0.10"))
    wallet = WalletView(balance=Decimal("75.50"), currency="USD")
    return Movements(items=[movement], count=1, total=12, wallet=wallet)


@failing.get("/api/agents/v1/failures/{name}")
def fail_in_agents(name: PathId, caller: Caller) -> WalletView:
    raise FAILURES[name]


def noon() -> Instant:
    return NOON


api = Api(billing, commerce, agents, failing)
api.dependency_overrides[now] = noon
healthy = Api(billing, commerce, agents)
"""Without the routes that are broken on purpose: here nothing may ever answer 500."""
