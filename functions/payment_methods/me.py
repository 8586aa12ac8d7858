"""A person's own cards: listed here, saved on a page of Stripe's."""

from http import HTTPStatus
from typing import Annotated

from holdfast.domain.clock import rfc3339
from holdfast.http.cursors import decode_cursor, encode_cursor
from holdfast.http.fields import Body, Limit, Timestamp
from holdfast.http.principal import Caller, owner_named
from holdfast.http.provider import Url, return_url
from holdfast.http.routing import Router
from holdfast.http.views import Page, View, page
from holdfast.http.writes import Now, Write
from holdfast.providers import Stripe
from holdfast.runtime import Installation, Store
from holdfast.services import cards
from holdfast.services.payment_methods import OnFile

router = Router()


class OpenSetupPage(Body):
    success_url: Url | None = None
    cancel_url: Url | None = None


class CardView(View):
    id: str
    type: str
    brand: str
    last4: str
    exp_month: int
    exp_year: int
    is_default: bool
    created_at: Timestamp


class SetupPageView(View):
    url: str | None
    session_id: str
    expires_at: Timestamp


@router.get("/v1/me/payment-methods")
def list_cards(
    caller: Caller,
    now: Now,
    store: Store,
    stripes: Stripe,
    limit: Annotated[int, Limit(100)] = 10,
    cursor: str | None = None,
) -> Page[CardView]:
    """The caller's cards, newest first."""
    owner = owner_named(caller, None)
    scope = f"payment-methods {owner.account_id}"
    before = None if cursor is None else decode_cursor(scope, cursor)
    newest = sorted(cards.cards(store, stripes, owner, now=now), key=_place, reverse=True)
    left = [each for each in newest if before is None or _place(each) < before]
    shown = left[:limit]
    next_cursor = encode_cursor(scope, _place(shown[-1])) if len(left) > limit else None
    return page([_view(each) for each in shown], next_cursor)


@router.post("/v1/me/payment-methods", status_code=HTTPStatus.CREATED)
def open_setup_page(
    body: OpenSetupPage,
    caller: Caller,
    once: Write,
    store: Store,
    stripes: Stripe,
    installation: Installation,
) -> SetupPageView:
    """A page of Stripe's on which the caller saves a card, and from which they come back."""
    session = cards.setup_page(
        store,
        stripes,
        owner_named(caller, None),
        success_url=return_url(installation.return_urls, body.success_url, param="success_url"),
        cancel_url=return_url(installation.return_urls, body.cancel_url, param="cancel_url"),
        once=once,
    )
    return SetupPageView(url=session.url, session_id=session.id, expires_at=session.expires_at)


def _place(each: OnFile) -> str:
    return f"{rfc3339(each.method.created_at)} {each.method.id}"


def _view(each: OnFile) -> CardView:
    method = each.method
    return CardView(
        id=method.id,
        type="card",
        brand=method.brand,
        last4=method.last4,
        exp_month=method.exp_month,
        exp_year=method.exp_year,
        is_default=each.is_default,
        created_at=method.created_at,
    )
