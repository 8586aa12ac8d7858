"""What the commerce surface answers about wallets: its words for the ledger's entries."""

from holdfast.domain import entries
from holdfast.domain.accounts import Owner
from holdfast.domain.clock import Instant
from holdfast.domain.entries import Entry, Json
from holdfast.domain.ledger import Wallet
from holdfast.http.fields import Timestamp
from holdfast.http.views import Answer, CamelView, Maybe, amounts
from holdfast.store.ledger_store import Committed

# How the ledger's entries are called on this surface; an adjustment goes either way.
TYPES = {
    entries.INTRODUCTORY_CREDIT: "deposit",
    entries.STARTER_CREDIT: "deposit",
    entries.CREDIT_GRANT: "deposit",
    entries.CREDIT_SCHEDULED: "credit-scheduled",
    entries.CREDIT_VOID: "withdraw",
    entries.COUPON_CREDIT: "deposit",
    entries.DEPOSIT: "deposit",
    entries.ADJUSTMENT: "deposit",
    entries.REFUND: "deposit",
    entries.WITHDRAWAL: "withdraw",
    entries.USAGE: "withdraw",
    entries.CAPTURE: "withdraw",
    entries.LOT_EXPIRY: "withdraw",
    entries.HOLD: "hold",
    entries.EXTENSION: "hold",
    entries.RELEASE: "hold-removed",
    entries.HOLD_EXPIRY: "hold-removed",
    entries.PURCHASE: "withdraw",
    entries.CARD_PURCHASE: "card-purchase",
    entries.CARD_REFUND: "card-refund",
    entries.CARD_REFUND_FAILED: "card-refund-failed",
    entries.DISPUTE_OPENED: "hold",
    entries.DISPUTE_WON: "hold-removed",
    entries.DISPUTE_LOST: "withdraw",
}
_EXPIRING = frozenset(
    {entries.DEPOSIT, entries.STARTER_CREDIT, entries.CREDIT_GRANT, entries.CREDIT_SCHEDULED}
)


class CurrencyBalanceView(CamelView):
    currency: str
    balance: int
    balance_decimal: Maybe[str] = None
    holds: int
    holds_decimal: Maybe[str] = None
    available: int
    available_decimal: Maybe[str] = None


class BalanceView(CurrencyBalanceView):
    user: str


class BalancesView(CamelView):
    user: str
    balances: list[CurrencyBalanceView]


class TransactionView(CamelView):
    transaction_id: str
    user: str
    amount: int
    amount_decimal: Maybe[str] = None
    currency: str
    type: str
    tags: str | None
    expires_at: Maybe[Timestamp] = None
    original_transaction_id: Maybe[str] = None


class RecordedView(CamelView):
    """A charge; or, for work that cost nothing, that it was skipped."""

    transaction_id: Maybe[str] = None
    user: str
    amount: int
    amount_decimal: Maybe[str] = None
    currency: Maybe[str] = None
    type: Maybe[str] = None
    overdrawn: Maybe[bool] = None
    status: Maybe[str] = None


class UsageView(CamelView):
    transaction_id: str
    amount: int
    amount_decimal: Maybe[str] = None
    currency: str
    notes: str | None
    metadata: dict[str, Json]
    created_at: Timestamp


class UsageListView(CamelView):
    user: str
    count: int
    usage: list[UsageView]
    next_cursor: str | None


class ListedView(CamelView):
    id: str
    type: str
    amount: int
    amount_decimal: Maybe[str] = None
    currency: str
    tags: Maybe[str] = None
    notes: Maybe[str] = None
    metadata: Maybe[dict[str, Json]] = None
    created_at: Timestamp
    expires_at: Maybe[Timestamp] = None


class TransactionListView(CamelView):
    user: str
    count: int
    transactions: list[ListedView]
    next_cursor: str | None


def type_of(entry: Entry) -> str:
    """The word of this surface for an entry."""
    if entry.type == entries.ADJUSTMENT and entry.balance_delta_micros < 0:
        return "withdraw"
    return TYPES[entry.type]


def shown(owner: Owner) -> str:
    return owner.user or owner.account_id


def balance_view(found: Wallet, now: Instant) -> CurrencyBalanceView:
    currency = found.currency
    balance_micros = found.cash_balance_micros(now)
    held_micros = found.cash_only_held_micros
    return CurrencyBalanceView(
        currency=currency,
        **amounts(
            currency,
            balance=balance_micros,
            holds=held_micros,
            available=balance_micros - held_micros,
        ),
    )


def transaction_answer(committed: Committed, owner: Owner) -> Answer[TransactionView]:
    entry = committed.entry
    refund = entry.type == entries.REFUND
    view = TransactionView(
        transaction_id=entry.id,
        user=shown(owner),
        **amounts(entry.currency, amount=entry.amount_micros),
        currency=entry.currency,
        type=type_of(entry),
        tags=_text(entry, "tags"),
        expires_at=_expires_at(entry),
        original_transaction_id=entry.reference if refund else None,
    )
    return Answer(view, replayed=committed.replayed)


def recorded_view(committed: Committed, owner: Owner) -> RecordedView:
    entry = committed.entry
    return RecordedView(
        transaction_id=entry.id,
        user=shown(owner),
        **amounts(entry.currency, amount=entry.amount_micros),
        currency=entry.currency,
        type=type_of(entry),
        overdrawn=True if entry.available_micros < 0 else None,
    )


def usage_view(entry: Entry) -> UsageView:
    metadata = entry.details.get("metadata")
    return UsageView(
        transaction_id=entry.id,
        **amounts(entry.currency, amount=entry.amount_micros),
        currency=entry.currency,
        notes=_text(entry, "notes"),
        metadata=metadata if isinstance(metadata, dict) else {},
        created_at=entry.created_at,
    )


def listed_view(entry: Entry) -> ListedView:
    metadata = entry.details.get("metadata")
    return ListedView(
        id=entry.id,
        type=type_of(entry),
        **amounts(entry.currency, amount=entry.amount_micros),
        currency=entry.currency,
        tags=_text(entry, "tags"),
        notes=_text(entry, "notes"),
        metadata=metadata if isinstance(metadata, dict) else None,
        created_at=entry.created_at,
        expires_at=_expires_at(entry),
    )


def _text(entry: Entry, name: str) -> str | None:
    said = entry.details.get(name)
    return said if isinstance(said, str) else None


def _expires_at(entry: Entry) -> Instant | None:
    """When what came in is gone, if all of it goes at once."""
    if entry.type not in _EXPIRING:
        return None
    ends = {draw.terms.expires_at for draw in entry.draws if draw.terms is not None}
    return ends.pop() if len(ends) == 1 else None
