"""The wallet on the billing surface: its state, its entries, and the head of their chain."""

from collections.abc import Callable
from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Query

from holdfast.domain.clock import Instant
from holdfast.domain.entries import Entry, Json, document
from holdfast.domain.holds import Hold
from holdfast.http.cursors import decode_cursor, encode_cursor
from holdfast.http.fields import CurrencyCode, Limit, PathId, Timestamp
from holdfast.http.principal import Caller, owner_named
from holdfast.http.routing import Router
from holdfast.http.views import Maybe, Page, View, amounts, page
from holdfast.http.writes import Now
from holdfast.runtime import Store
from holdfast.services import holds, wallet
from wallet.places import from_position, to_position

router = Router()

HOLDS_SHOWN_MAX = 1_000


class OpenHoldView(View):
    hold_id: str
    job_id: str | None
    amount_cents: int
    amount_cents_decimal: Maybe[str] = None
    status: str
    expires_at: Timestamp


class WalletView(View):
    wallet_id: str
    currency: str
    balance_cents: int
    balance_cents_decimal: Maybe[str] = None
    held_cents: int
    held_cents_decimal: Maybe[str] = None
    available_cents: int
    available_cents_decimal: Maybe[str] = None
    lifetime_credited_cents: int
    lifetime_credited_cents_decimal: Maybe[str] = None
    lifetime_spent_cents: int
    lifetime_spent_cents_decimal: Maybe[str] = None
    updated_at: Timestamp | None
    holds: list[OpenHoldView]


class AmountView(View):
    amount: int
    amount_decimal: Maybe[str] = None


class PostingView(AmountView):
    account: str


class LotView(AmountView):
    id: str


class EntryView(View):
    """An entry as it is hashed: `docs/reference/hash-chain.md`."""

    id: str
    account_id: str
    seq: int
    type: str
    amount: int
    amount_decimal: Maybe[str] = None
    currency: str
    balance_after: int
    balance_after_decimal: Maybe[str] = None
    held_after: int
    held_after_decimal: Maybe[str] = None
    postings: list[PostingView]
    lots: list[LotView]
    reference: str | None
    source: str
    details: dict[str, Json]
    hold_id: Maybe[str] = None
    created_at: str
    prev: str
    hash: str


class HeadView(View):
    account_id: str
    currency: str
    seq: int
    head: str


@router.get("/v1/billing/wallet")
def read_wallet(
    caller: Caller, now: Now, store: Store, currency: CurrencyCode = "usd"
) -> WalletView:
    """What the caller has, what is held, and by which holds."""
    owner = owner_named(caller, None)
    found = wallet.wallet(store, owner, currency, now=now, own=True)
    balance_micros = found.balance_micros(now)
    shown = holds.open_holds(store, found, limit=HOLDS_SHOWN_MAX, now=now)
    return WalletView(
        wallet_id=f"{found.account_id}:{currency}",
        currency=currency,
        **amounts(
            currency,
            balance_cents=balance_micros,
            held_cents=found.held_micros,
            available_cents=found.available_micros(now),
            lifetime_credited_cents=found.credited_micros,
            lifetime_spent_cents=found.credited_micros - balance_micros,
        ),
        updated_at=found.updated_at,
        holds=[_open_hold(hold) for hold in shown],
    )


@router.get("/v1/billing/entries")
def list_entries(
    caller: Caller,
    now: Now,
    store: Store,
    currency: CurrencyCode = "usd",
    limit: Annotated[int, Limit(100)] = 20,
    cursor: str | None = None,
    from_: Annotated[Timestamp | None, Query(alias="from")] = None,
    to: Timestamp | None = None,
) -> Page[EntryView]:
    """The entries of one wallet of the caller, newest first."""
    owner = owner_named(caller, None)
    found = wallet.wallet(store, owner, currency, now=now, own=True)
    scope = f"entries {owner.account_id} {currency} {from_} {to}"
    entries = wallet.entries_across(
        store,
        [found],
        limit=limit,
        starts=None if cursor is None else from_position(decode_cursor(scope, cursor)),
        keep=_between(from_, to),
        since=from_,
    )
    next_cursor = to_position(entries.next_starts)
    return page(
        [_entry(entry) for entry in entries.entries],
        None if next_cursor is None else encode_cursor(scope, next_cursor),
    )


@router.get("/v1/billing/entries/{entry_id}")
def read_entry(entry_id: PathId, caller: Caller, store: Store) -> EntryView:
    """One entry of the caller."""
    return _entry(wallet.entry(store, owner_named(caller, None), entry_id))


@router.get("/v1/billing/ledger/head")
def read_head(caller: Caller, now: Now, store: Store, currency: CurrencyCode = "usd") -> HeadView:
    """How many entries the caller's wallet has, and the hash of the last one."""
    found = wallet.wallet(store, owner_named(caller, None), currency, now=now, own=True)
    return HeadView(account_id=found.account_id, currency=currency, seq=found.seq, head=found.head)


def _between(from_: Instant | None, to: Instant | None) -> Callable[[Entry], bool] | None:
    if from_ is None and to is None:
        return None

    def keep(entry: Entry) -> bool:
        old = from_ is not None and entry.created_at < from_
        new = to is not None and entry.created_at >= to
        return not (old or new)

    return keep


def _entry(entry: Entry) -> EntryView:
    return EntryView.model_validate({**document(entry), "hash": entry.hash})


def _open_hold(hold: Hold) -> OpenHoldView:
    return OpenHoldView(
        hold_id=hold.id,
        job_id=hold.job.job_id if hold.job else None,
        **amounts(hold.currency, amount_cents=hold.remaining_micros),
        status="active",
        expires_at=hold.expires_at,
    )
