"""Top-ups on the commerce surface: a card is charged, and what is paid is cash in the wallet."""

from http import HTTPStatus
from typing import Annotated

from holdfast.domain.payments import TOPUP
from holdfast.errors import AuthenticationRequired
from holdfast.http.fields import (
    CamelBody,
    CurrencyCode,
    Identifier,
    MinorAmount,
    amount_is,
    text,
)
from holdfast.http.principal import Admin, Caller, owner_named
from holdfast.http.provider import topup_micros
from holdfast.http.routing import Router
from holdfast.http.views import Answer, CamelView, Maybe, amounts
from holdfast.http.writes import Write
from holdfast.providers import Stripe
from holdfast.runtime import Store
from holdfast.services import payments, topups
from holdfast.services.payments import Asked, Outcome

router = Router()

SURFACE = "commerce"
PARAM = "amount_cents"
USER = "user_id"

User = Annotated[str, text(200)]


class TopUp(CamelBody):
    user_id: User
    payment_method_id: Identifier
    amount_cents: MinorAmount
    currency: CurrencyCode = "usd"


class TopUpByToken(CamelBody):
    source_id: Identifier
    amount_cents: MinorAmount
    user_id: User | None = None
    currency: CurrencyCode = "usd"


class TopUpView(CamelView):
    """What was paid in; without `transactionId`, it is on its way."""

    transaction_id: Maybe[str] = None
    balance_cents: Maybe[int] = None
    balance_cents_decimal: Maybe[str] = None
    status: str


@router.post("/api/v1/billing/topup")
def top_up(
    body: TopUp, caller: Admin, once: Write, store: Store, stripes: Stripe
) -> Answer[TopUpView]:
    """Charge a card that a user has on file; nobody is there to confirm."""
    owner = owner_named(caller, body.user_id, param=USER)
    asked = Asked(
        kind=TOPUP,
        amount_micros=topup_micros(body.amount_cents, body.currency, param=PARAM),
        currency=body.currency,
        surface=SURFACE,
        payment_method_id=body.payment_method_id,
        off_session=True,
    )
    with amount_is(PARAM):
        return _answer(payments.charge(store, stripes, owner, asked, once=once))


@router.post("/api/v1/billing/topup/token")
def top_up_by_token(
    body: TopUpByToken, caller: Caller, once: Write, store: Store, stripes: Stripe
) -> Answer[TopUpView]:
    """Charge a card that Stripe.js made a payment method of, once; it is not put on file.

    Where its owner has to confirm, 402 has what a browser goes on with, and nothing is lost.
    """
    owner = owner_named(caller, body.user_id, param=USER)
    asked = Asked(
        kind=TOPUP,
        amount_micros=topup_micros(body.amount_cents, body.currency, param=PARAM),
        currency=body.currency,
        surface=SURFACE,
        payment_method_id=body.source_id,
        is_saved=False,
    )
    with amount_is(PARAM):
        return _answer(topups.charge_any(store, stripes, owner, asked, once=once))


def _answer(outcome: Outcome) -> Answer[TopUpView]:
    entry = outcome.entry
    if entry is None:
        if outcome.client_secret is not None:
            raise AuthenticationRequired(
                payment_intent_id=outcome.payment.payment_intent_id,
                client_secret=outcome.client_secret,
            )
        return Answer(
            TopUpView(status="pending"), replayed=outcome.replayed, status=HTTPStatus.ACCEPTED
        )
    view = TopUpView(
        transaction_id=entry.id,
        **amounts(entry.currency, balance_cents=entry.cash_after_micros),
        status="ok",
    )
    return Answer(view, replayed=outcome.replayed)
