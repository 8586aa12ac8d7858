"""API keys of the caller: made by a person, shown once, revoked for good."""

from http import HTTPStatus
from typing import Annotated, Literal

from pydantic import Field

from holdfast.domain import api_keys as rules
from holdfast.domain.accounts import owner_of
from holdfast.domain.api_keys import ApiKey, SpendCap
from holdfast.errors import Forbidden
from holdfast.http.cursors import decode_cursor, encode_cursor
from holdfast.http.fields import (
    Body,
    CurrencyCode,
    Limit,
    MinorAmount,
    PathId,
    Timestamp,
    amount_micros,
    text,
)
from holdfast.http.principal import Caller, Person
from holdfast.http.routing import Router
from holdfast.http.views import Answer, Page, View, minor, page
from holdfast.http.writes import Write
from holdfast.runtime import HouseSecret, Store
from holdfast.services import api_keys
from holdfast.services.api_keys import Issued

router = Router()

Window = Literal["day", "month", "total"]
Scopes = Annotated[
    list[Annotated[str, text(64)]], Field(min_length=1, max_length=len(rules.SCOPES))
]


class AskSpendCap(Body):
    amount: MinorAmount
    window: Window
    currency: CurrencyCode = "usd"


class IssueKey(Body):
    name: Annotated[str, text(64)]
    scopes: Scopes
    expires_at: Timestamp | None = None
    spend_cap: AskSpendCap | None = None


class SpendCapView(View):
    amount: int
    window: str
    currency: str


class IssuedKeyView(View):
    id: str
    prefix: str
    key: str
    name: str
    scopes: list[str]
    expires_at: Timestamp | None
    created_at: Timestamp
    spend_cap: SpendCapView | None


class ApiKeyView(View):
    id: str
    prefix: str
    name: str
    scopes: list[str]
    expires_at: Timestamp | None
    created_at: Timestamp
    revoked_at: Timestamp | None
    spend_cap: SpendCapView | None


@router.post("/v1/me/api-keys", status_code=HTTPStatus.CREATED)
def issue_key(
    body: IssueKey, caller: Person, once: Write, store: Store, secret: HouseSecret
) -> Answer[IssuedKeyView]:
    """Make a key that acts as the caller, within its scopes. `key` is shown here alone."""
    if rules.ADMIN in body.scopes and not caller.is_admin:
        raise Forbidden(scope=rules.ADMIN)
    issued = api_keys.issue(
        store,
        secret.value(make=True),
        user=caller.user,
        name=body.name,
        scopes=body.scopes,
        cap=_cap(body.spend_cap),
        expires_at=body.expires_at,
        once=once,
    )
    return Answer(_issued(issued), replayed=issued.replayed)


@router.get("/v1/me/api-keys")
def list_keys(
    caller: Caller,
    store: Store,
    limit: Annotated[int, Limit(100)] = 20,
    cursor: str | None = None,
) -> Page[ApiKeyView]:
    """The caller's keys, newest first; those that are revoked or have expired as well."""
    scope = f"api-keys {owner_of(caller.tenant, caller.user).account_id}"
    before = None if cursor is None else decode_cursor(scope, cursor)
    found = api_keys.api_keys(store, caller.tenant, caller.user, before=before, limit=limit)
    next_cursor = None if found.next_place is None else encode_cursor(scope, found.next_place)
    return page([_key(key) for key in found.keys], next_cursor)


@router.delete("/v1/me/api-keys/{key_id}", status_code=HTTPStatus.NO_CONTENT)
def revoke_key(key_id: PathId, caller: Person, once: Write, store: Store) -> Answer[None]:
    """Make a key good for nothing. Again: the same."""
    revoked = api_keys.revoke(store, user=caller.user, key_id=key_id, once=once)
    return Answer(None, replayed=revoked.replayed)


def _cap(asked: AskSpendCap | None) -> SpendCap | None:
    if asked is None:
        return None
    micros = amount_micros(asked.amount, None, asked.currency, param="spend_cap.amount")
    return SpendCap(micros, asked.currency, asked.window)


def _issued(issued: Issued) -> IssuedKeyView:
    key = issued.key
    return IssuedKeyView(
        id=key.id,
        prefix=key.prefix,
        key=issued.token,
        name=key.name,
        scopes=list(key.scopes),
        expires_at=key.expires_at,
        created_at=key.created_at,
        spend_cap=_cap_view(key.cap),
    )


def _key(key: ApiKey) -> ApiKeyView:
    return ApiKeyView(
        id=key.id,
        prefix=key.prefix,
        name=key.name,
        scopes=list(key.scopes),
        expires_at=key.expires_at,
        created_at=key.created_at,
        revoked_at=key.revoked_at,
        spend_cap=_cap_view(key.cap),
    )


def _cap_view(cap: SpendCap | None) -> SpendCapView | None:
    if cap is None:
        return None
    amount = minor(cap.amount_micros, cap.currency)
    return SpendCapView(amount=amount, window=cap.window, currency=cap.currency)
