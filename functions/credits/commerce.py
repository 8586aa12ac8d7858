"""Credit on the commerce surface: grants, what is left of all credit, and the starter credit."""

from datetime import timedelta
from http import HTTPStatus
from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Query
from pydantic import Field

from credits.durations import DAYS_MAX, duration
from credits.views import (
    BreakdownView,
    CreditBalancesView,
    CreditBalanceView,
    GrantListView,
    GrantView,
    StarterView,
    VoidedView,
    by_tag,
    given,
    listed,
    starter_answer,
    total_micros,
)
from holdfast.domain.accounts import Owner
from holdfast.domain.clock import Instant
from holdfast.domain.credits import METERS_MAX, PRIORITY_MAX
from holdfast.errors import InvalidField
from holdfast.http.cursors import decode_cursor, encode_cursor
from holdfast.http.fields import (
    CamelBody,
    CurrencyCode,
    Identifier,
    Limit,
    MinorAmount,
    PathId,
    Timestamp,
    amount_is,
    amount_micros,
    text,
)
from holdfast.http.principal import Admin, Caller, Principal, owner_named
from holdfast.http.routing import Router
from holdfast.http.views import Answer, amounts
from holdfast.http.writes import Now, Write
from holdfast.runtime import Store
from holdfast.services import credits as credit
from holdfast.services.credits import GrantTerms

router = Router()

User = Annotated[str, text(200)]
UserId = Annotated[str, text(200), Query(alias="userId")]
Duration = Annotated[str, Field(max_length=64)]


class GiveCredit(CamelBody):
    user_id: User
    amount_cents: MinorAmount
    name: Annotated[str, text(200)] | None = None
    currency: CurrencyCode = "usd"
    expires_in: Duration | None = None
    effective_at: Timestamp | None = None
    priority: Annotated[int, Field(ge=0, le=PRIORITY_MAX)] = 0
    eligibility: Annotated[list[Identifier], Field(max_length=METERS_MAX)] | None = None
    tags: Annotated[str, text(200)] | None = None


class StartWithCredit(CamelBody):
    user: User


@router.post("/api/v1/billing/credit-grants", status_code=HTTPStatus.CREATED)
def give_credit(body: GiveCredit, caller: Admin, once: Write, store: Store) -> Answer[GrantView]:
    """Give a user credit, now or on a day to come, with terms of its own."""
    with amount_is("amount_cents"):
        grant, committed = credit.grant(
            store,
            owner_named(caller, body.user_id, param="user_id"),
            amount_micros=amount_micros(
                body.amount_cents, None, body.currency, param="amount_cents"
            ),
            currency=body.currency,
            terms=_terms(body, once.now),
            details=_said(tags=body.tags, notes=body.name),
            once=once,
        )
    return Answer(given(grant), replayed=committed.replayed)


@router.get("/api/v1/billing/credit-grants")
def list_grants(
    caller: Caller,
    now: Now,
    store: Store,
    user_id: UserId,
    limit: Annotated[int, Limit(100)] = 100,
    cursor: str | None = None,
) -> GrantListView:
    """A user's grants, newest first: used up, expired, voided and coming ones as well."""
    owner = owner_named(caller, user_id, param="user_id")
    scope = f"credit-grants {owner.account_id}"
    found = credit.grants(
        store,
        owner,
        before=None if cursor is None else decode_cursor(scope, cursor),
        limit=limit,
        now=now,
        own=_own(caller, owner),
    )
    return GrantListView(
        grants=[listed(each) for each in found.grants],
        count=len(found.grants),
        next_cursor=None if found.next_id is None else encode_cursor(scope, found.next_id),
    )


@router.post("/api/v1/billing/credit-grants/{grant_id}/void")
def void_grant(grant_id: PathId, caller: Admin, once: Write, store: Store) -> Answer[VoidedView]:
    """Take back what nobody has spent of a grant."""
    voided = credit.void(store, caller.tenant, grant_id=grant_id, once=once)
    return Answer(VoidedView(id=grant_id, voided=True), replayed=voided.replayed)


@router.get("/api/v1/billing/credit-balance")
def read_credit_balance(
    caller: Caller, now: Now, store: Store, user_id: UserId
) -> CreditBalancesView:
    """What a user has of credit, by currency; what is for some meters only counts too."""
    owner = owner_named(caller, user_id, param="user_id")
    found = credit.usable_credit(store, owner, now=now, own=_own(caller, owner))
    return CreditBalancesView(
        user_id=_shown(owner),
        balances=[
            CreditBalanceView(currency=currency, **amounts(currency, available=total_micros(lots)))
            for currency, lots in sorted(found.items())
            if lots
        ],
    )


@router.get("/api/v1/billing/credit-balance/breakdown")
def read_credit_breakdown(
    caller: Caller, now: Now, store: Store, user_id: UserId, currency: CurrencyCode = "usd"
) -> BreakdownView:
    """What a user has of credit by tag, in one currency, and in each; they are never added up."""
    owner = owner_named(caller, user_id, param="user_id")
    found = credit.usable_credit(store, owner, now=now, own=_own(caller, owner))
    chosen = by_tag(found.get(currency, ()), currency)
    return BreakdownView(
        user_id=_shown(owner),
        currency=currency,
        breakdown=chosen.breakdown,
        total=chosen.total,
        currencies={code: by_tag(lots, code) for code, lots in sorted(found.items()) if lots},
    )


@router.post("/api/v1/billing/credit", status_code=HTTPStatus.CREATED)
def start_with_credit(
    body: StartWithCredit, caller: Caller, once: Write, store: Store
) -> Answer[StarterView]:
    """The starter credit: once in a lifetime, for whoever has a payment method on file."""
    owner = owner_named(caller, body.user)
    return starter_answer(credit.grant_starter(store, owner, once=once), _shown(owner))


def _terms(body: GiveCredit, now: Instant) -> GrantTerms:
    if body.effective_at is not None and body.effective_at > now + timedelta(days=DAYS_MAX):
        raise InvalidField("effective_at", f"at most {DAYS_MAX} days ahead")
    return GrantTerms(
        name=body.name or "",
        effective_at=body.effective_at,
        expires_in=(
            None if body.expires_in is None else duration(body.expires_in, param="expires_in")
        ),
        priority=body.priority,
        meters=tuple(dict.fromkeys(body.eligibility or ())),
        tags=body.tags or "",
    )


def _said(**said: str | None) -> dict[str, str]:
    return {name: value for name, value in said.items() if value is not None}


def _own(caller: Principal, owner: Owner) -> bool:
    return owner.user == caller.user


def _shown(owner: Owner) -> str:
    return owner.user or owner.account_id
