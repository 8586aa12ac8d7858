"""Holds on the billing surface: place, look at, capture, extend, release."""

from datetime import timedelta
from http import HTTPStatus
from typing import Annotated, Literal

from pydantic import Field

from holdfast.domain import holds as rules
from holdfast.domain.accounts import Owner
from holdfast.domain.budgets import SCOPES_MAX, Scope
from holdfast.domain.holds import Hold
from holdfast.errors import HoldNotFound, InvalidCursor, InvalidField
from holdfast.http.cursors import decode_cursor, encode_cursor
from holdfast.http.fields import (
    Body,
    CurrencyCode,
    DecimalAmount,
    Identifier,
    Limit,
    Metadata,
    MinorAmount,
    PathId,
    Timestamp,
    amount_is,
    amount_micros,
    text,
)
from holdfast.http.principal import Caller, owner_named
from holdfast.http.routing import Router
from holdfast.http.views import Answer, Maybe, Page, View, amounts, minor, page
from holdfast.http.writes import Now, Write
from holdfast.runtime import Store
from holdfast.services import holds
from holdfast.services.holds import HoldTerms
from holdfast.store.ledger_store import Committed

router = Router()

HoldStatus = Literal["open", "captured", "released", "expired"]
ExpiresIn = Annotated[int, Field(ge=rules.EXPIRES_IN_SECONDS_MIN, le=rules.EXPIRES_IN_SECONDS_MAX)]


class HoldScope(Body):
    kind: Literal["workspace", "key", "run"]
    id: Identifier
    limit: MinorAmount
    window: Literal["day", "month", "total"] = "total"


class PlaceHold(Body):
    amount: MinorAmount | None = None
    amount_decimal: DecimalAmount | None = None
    currency: CurrencyCode = "usd"
    reference: Annotated[str, text(200)] | None = None
    expires_in_seconds: ExpiresIn = rules.EXPIRES_IN_SECONDS_DEFAULT
    expiry_policy: Literal["release", "capture"] = "release"
    over_capture: Literal["reject", "cap", "overdraft"] = "reject"
    overdraft_limit: Annotated[int, Field(ge=0)] | None = None
    scopes: Annotated[list[HoldScope], Field(max_length=SCOPES_MAX)] | None = None
    metadata: Metadata | None = None


class CaptureHold(Body):
    amount: MinorAmount | None = None
    amount_decimal: DecimalAmount | None = None
    final: bool = True


class ExtendHold(Body):
    expires_in_seconds: ExpiresIn | None = None
    amount: MinorAmount | None = None
    amount_decimal: DecimalAmount | None = None


class HoldLotView(View):
    id: str
    amount: int
    amount_decimal: Maybe[str] = None


class HoldScopeView(View):
    kind: str
    id: str
    limit: int
    window: str


class HoldWalletView(View):
    balance: int
    balance_decimal: Maybe[str] = None
    held: int
    held_decimal: Maybe[str] = None
    available: int
    available_decimal: Maybe[str] = None


class HoldView(View):
    id: str
    account_id: str
    status: str
    currency: str
    amount: int
    amount_decimal: Maybe[str] = None
    captured: int
    captured_decimal: Maybe[str] = None
    remaining: int
    remaining_decimal: Maybe[str] = None
    expires_at: Timestamp
    expiry_policy: str
    over_capture: str
    overdraft_limit: Maybe[int] = None
    reference: str | None
    metadata: dict[str, str]
    scopes: list[HoldScopeView]
    lots: list[HoldLotView]
    created_at: Timestamp
    wallet: Maybe[HoldWalletView] = None


@router.post("/v1/billing/holds", status_code=HTTPStatus.CREATED)
def place_hold(body: PlaceHold, caller: Caller, once: Write, store: Store) -> Answer[HoldView]:
    """Set an amount aside for work that is about to happen."""
    owner = owner_named(caller, None)
    micros = amount_micros(body.amount, body.amount_decimal, body.currency)
    placed = holds.place_hold(
        store,
        owner,
        amount_micros=micros,
        currency=body.currency,
        terms=_terms(body, owner),
        once=once,
    )
    return _answer(placed)


@router.get("/v1/billing/holds")
def list_holds(
    caller: Caller,
    now: Now,
    store: Store,
    status: HoldStatus | None = None,
    limit: Annotated[int, Limit(100)] = 20,
    cursor: str | None = None,
) -> Page[HoldView]:
    """The caller's holds, newest first."""
    owner = owner_named(caller, None)
    scope = f"holds {owner.account_id} {status}"
    before = None if cursor is None else _place(decode_cursor(scope, cursor))
    found = holds.holds(store, owner, status=status, before=before, limit=limit, now=now)
    next_cursor = None if found.next_id is None else encode_cursor(scope, found.next_id)
    return page([_view(hold) for hold in found.holds], next_cursor)


@router.get("/v1/billing/holds/{hold_id}")
def read_hold(hold_id: PathId, caller: Caller, now: Now, store: Store) -> HoldView:
    """One hold as it is now, and the wallet it belongs to."""
    hold, wallet = holds.hold(store, owner_named(caller, None), hold_id=hold_id, now=now)
    balance_micros = wallet.balance_micros(now)
    return _view(hold, _wallet(balance_micros, wallet.held_micros, hold.currency))


@router.post("/v1/billing/holds/{hold_id}/capture")
def capture_hold(
    hold_id: PathId, body: CaptureHold, caller: Caller, once: Write, store: Store
) -> Answer[HoldView]:
    """Take part or all of a hold; a final capture gives back what is left of it."""
    currency = rules.currency_of(hold_id)
    micros = amount_micros(body.amount, body.amount_decimal, currency)
    with amount_is("amount" if body.amount_decimal is None else "amount_decimal"):
        captured = holds.capture_hold(
            store,
            owner_named(caller, None),
            hold_id=hold_id,
            amount_micros=micros,
            final=body.final,
            once=once,
        )
    return _answer(captured)


@router.post("/v1/billing/holds/{hold_id}/extend")
def extend_hold(
    hold_id: PathId, body: ExtendHold, caller: Caller, once: Write, store: Store
) -> Answer[HoldView]:
    """Give a hold more time, more money, or both."""
    more_money = body.amount is not None or body.amount_decimal is not None
    if body.expires_in_seconds is None and not more_money:
        raise InvalidField("expires_in_seconds", "give expires_in_seconds, amount, or both")
    currency = rules.currency_of(hold_id)
    micros = amount_micros(body.amount, body.amount_decimal, currency) if more_money else 0
    extended = holds.extend_hold(
        store,
        owner_named(caller, None),
        hold_id=hold_id,
        expires_in=_seconds(body.expires_in_seconds),
        amount_micros=micros,
        once=once,
    )
    return _answer(extended)


@router.post("/v1/billing/holds/{hold_id}/release")
def release_hold(hold_id: PathId, caller: Caller, once: Write, store: Store) -> Answer[HoldView]:
    """Give back what is left of a hold. Again: the same answer."""
    released = holds.release_hold(store, owner_named(caller, None), hold_id=hold_id, once=once)
    return _answer(released)


def _place(position: str) -> str:
    try:
        rules.currency_of(position)
    except HoldNotFound as forged:
        raise InvalidCursor from forged
    return position


def _terms(body: PlaceHold, owner: Owner) -> HoldTerms:
    if body.overdraft_limit is not None and body.over_capture != rules.OVERDRAFT:
        raise InvalidField("overdraft_limit", "only with over_capture overdraft")
    return HoldTerms(
        expires_in=timedelta(seconds=body.expires_in_seconds),
        expiry_policy=body.expiry_policy,
        over_capture=body.over_capture,
        overdraft_micros=amount_micros(
            body.overdraft_limit or 0, None, body.currency, param="overdraft_limit", zero=True
        ),
        reference=body.reference,
        metadata=body.metadata,
        scopes=_scopes(body, owner),
    )


def _scopes(body: PlaceHold, owner: Owner) -> tuple[Scope, ...]:
    scopes = tuple(
        Scope(
            account_id=owner.account_id,
            kind=asked.kind,
            id=asked.id,
            limit_micros=amount_micros(
                asked.limit, None, body.currency, param=f"scopes.{number}.limit"
            ),
            currency=body.currency,
            window=asked.window,
        )
        for number, asked in enumerate(body.scopes or ())
    )
    if len({scope.place for scope in scopes}) < len(scopes):
        raise InvalidField("scopes", "the same kind, id and window twice")
    return scopes


def _seconds(seconds: int | None) -> timedelta | None:
    return None if seconds is None else timedelta(seconds=seconds)


def _answer(committed: Committed) -> Answer[HoldView]:
    entry = committed.entry
    assert entry.hold is not None
    wallet = _wallet(entry.balance_micros, entry.held_after_micros, entry.currency)
    return Answer(_view(entry.hold, wallet), replayed=committed.replayed)


def _wallet(balance_micros: int, held_micros: int, currency: str) -> HoldWalletView:
    return HoldWalletView(
        **amounts(
            currency,
            balance=balance_micros,
            held=held_micros,
            available=balance_micros - held_micros,
        )
    )


def _view(hold: Hold, wallet: HoldWalletView | None = None) -> HoldView:
    currency = hold.currency
    overdrafts = hold.over_capture == rules.OVERDRAFT
    return HoldView(
        id=hold.id,
        account_id=hold.account_id,
        status=hold.status,
        currency=currency,
        **amounts(
            currency,
            amount=hold.amount_micros,
            captured=hold.captured_micros,
            remaining=hold.remaining_micros,
        ),
        expires_at=hold.expires_at,
        expiry_policy=hold.expiry_policy,
        over_capture=hold.over_capture,
        overdraft_limit=minor(hold.overdraft_micros, currency) if overdrafts else None,
        reference=hold.reference,
        metadata=dict(hold.metadata or {}),
        scopes=[
            HoldScopeView(
                kind=scope.kind,
                id=scope.id,
                limit=minor(scope.limit_micros, scope.currency),
                window=scope.window,
            )
            for scope in hold.scopes
        ],
        lots=[
            HoldLotView(id=draw.lot_id, **amounts(currency, amount=draw.amount_micros))
            for draw in hold.draws
        ],
        created_at=hold.created_at,
        wallet=wallet,
    )
