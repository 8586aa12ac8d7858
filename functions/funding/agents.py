"""Top-ups on the agents surface: by card at once, or by a page that is forwarded to a human."""

from decimal import Decimal
from http import HTTPStatus
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from holdfast.domain.accounts import Owner
from holdfast.domain.entries import Entry
from holdfast.domain.once import Once
from holdfast.domain.payments import CHECKOUT, TOPUP, Payment
from holdfast.domain.plans import RECURRING
from holdfast.errors import (
    InvalidField,
    PaymentNotFound,
    PlanNotFound,
    SessionExpired,
    SubscriptionsNotEnabled,
)
from holdfast.http.fields import (
    Body,
    Identifier,
    MajorAmount,
    Timestamp,
    Told,
    major_micros,
    wrong,
)
from holdfast.http.principal import Caller, owner_named
from holdfast.http.provider import success_page
from holdfast.http.routing import Router
from holdfast.http.views import Answer, Maybe, View, major
from holdfast.http.writes import Now, Write
from holdfast.providers import Stripe
from holdfast.runtime import Installation, Settings, Store
from holdfast.services import catalog, payments, topups, wallet
from holdfast.services.payments import Asked, Outcome, Page
from holdfast.store.ledger_store import LedgerStore

router = Router()

SURFACE = "agents"
CURRENCY = "usd"
AMOUNT_MIN = Decimal("10.00")
AMOUNT_MAX = Decimal("10000.00")
TITLE = "Wallet top-up"
EXPIRED = "expired"

LINK_INSTRUCTIONS = (
    "Give payment_url to a human. After paying they see session_id on a page, with a button that"
    " copies it: send it to POST /api/agents/v1/wallet/confirm-checkout."
)
MESSAGES = {
    "succeeded": "The wallet was funded.",
    "requires_action": "The owner of the card has to confirm: go on at Stripe with client_secret.",
    "pending": "The payment is being processed. Ask for its status.",
}
PAGE_MESSAGE = "Give checkout_url to a human, who pays there."


def _between(amount: Decimal) -> Decimal:
    if amount < AMOUNT_MIN:
        raise wrong(f"must be at least {AMOUNT_MIN}")
    if amount > AMOUNT_MAX:
        raise wrong(f"must be at most {AMOUNT_MAX}")
    return amount


FundAmount = Annotated[
    MajorAmount,
    AfterValidator(_between),
    Told({"minimum": int(AMOUNT_MIN), "maximum": int(AMOUNT_MAX)}),
]
PlanNumber = Annotated[int, Field(ge=1, le=10**6)]


class FundWallet(Body):
    amount: FundAmount
    payment_method_id: Identifier | None = None


class MakePaymentLink(Body):
    purpose: Literal["fund", "subscribe"]
    amount: FundAmount | None = None
    plan_id: PlanNumber | Identifier | None = None


class ConfirmCheckout(Body):
    session_id: Identifier


class FundingPaymentView(View):
    status: str
    payment_intent_id: str
    client_secret: Maybe[str] = None
    amount: Decimal
    currency: str


class FundingTransactionView(View):
    id: int
    source: str
    transaction_id: str
    type: str
    amount: Decimal
    status: str
    usecase: str
    created_at: Timestamp


class FundedView(View):
    """A payment, and what it made of the balance; or the page on which it is to be made."""

    message: str
    balance: Maybe[Decimal] = None
    payment: Maybe[FundingPaymentView] = None
    transaction: Maybe[FundingTransactionView] = None
    checkout_url: Maybe[str] = None
    session_id: Maybe[str] = None
    expires_at: Maybe[Timestamp] = None


class PaymentLinkView(View):
    payment_url: str | None
    session_id: str
    purpose: str
    amount: Decimal
    expires_at: Timestamp
    instructions: str


class ConfirmedCheckoutView(View):
    status: str
    session_id: str
    amount: Maybe[Decimal] = None
    balance: Maybe[Decimal] = None
    already_confirmed: Maybe[bool] = None


@router.post("/api/agents/v1/wallet/fund")
def fund_wallet(
    body: FundWallet,
    caller: Caller,
    once: Write,
    store: Store,
    stripes: Stripe,
    installation: Installation,
) -> Answer[FundedView]:
    """Charge a card and credit the wallet at once; without a card, open a page to pay on.

    202 says that the owner of the card has to confirm first.
    """
    owner = owner_named(caller, None)
    amount_micros = major_micros(body.amount, CURRENCY)
    if body.payment_method_id is None:
        return _page_answer(_opened(store, stripes, installation, owner, amount_micros, once))
    asked = Asked(
        kind=TOPUP,
        amount_micros=amount_micros,
        currency=CURRENCY,
        surface=SURFACE,
        payment_method_id=body.payment_method_id,
        # An agent may pay by a card that it made at Stripe just now, and does not want to keep.
        is_saved=False,
    )
    outcome = topups.charge_any(store, stripes, owner, asked, once=once)
    status = None if outcome.entry else HTTPStatus.ACCEPTED
    return Answer(_funded(outcome), replayed=outcome.replayed, status=status)


@router.post("/api/agents/v1/billing/payment-link", status_code=HTTPStatus.CREATED)
def make_payment_link(
    body: MakePaymentLink,
    caller: Caller,
    once: Write,
    store: Store,
    stripes: Stripe,
    installation: Installation,
) -> Answer[PaymentLinkView]:
    """A page of Stripe's for a human to pay on. Where they come back to is not the agent's choice.

    They land on a page of ours that shows the session's id.
    """
    if body.purpose == "subscribe":
        _require_subscribable(body)
        raise SubscriptionsNotEnabled
    if body.plan_id is not None:
        raise InvalidField("plan_id", "only to subscribe")
    if body.amount is None:
        raise InvalidField("amount", "required to fund")
    owner = owner_named(caller, None)
    amount_micros = major_micros(body.amount, CURRENCY)
    page = _opened(store, stripes, installation, owner, amount_micros, once)
    view = PaymentLinkView(
        payment_url=page.session.url,
        session_id=page.session.id,
        purpose=body.purpose,
        amount=major(page.payment.amount_micros, CURRENCY),
        expires_at=page.session.expires_at,
        instructions=LINK_INSTRUCTIONS,
    )
    return Answer(view, replayed=page.replayed)


@router.post("/api/agents/v1/wallet/confirm-checkout")
def confirm_checkout(
    body: ConfirmCheckout, caller: Caller, now: Now, store: Store, stripes: Stripe
) -> Answer[ConfirmedCheckoutView]:
    """Whether a page was paid: credited at once if it was. Ask again until it is.

    202 says that it is not paid yet. It is the session that is confirmed, once; so there is no key.
    """
    owner = owner_named(caller, None)
    session, outcome = payments.session_of(store, stripes, owner, body.session_id, now=now)
    if outcome is None:
        raise PaymentNotFound
    if outcome.entry is None:
        if session.status == EXPIRED:
            raise SessionExpired
        pending = ConfirmedCheckoutView(status="pending", session_id=session.id)
        return Answer(pending, status=HTTPStatus.ACCEPTED)
    currency = outcome.entry.currency
    found = wallet.wallet(store, owner, currency, now=now, own=True)
    view = ConfirmedCheckoutView(
        status="confirmed",
        session_id=session.id,
        amount=major(outcome.payment.received_micros, currency),
        balance=major(found.balance_micros(now), currency),
        already_confirmed=not outcome.is_new,
    )
    return Answer(view)


def _opened(
    store: LedgerStore,
    stripes: Stripe,
    installation: Settings,
    owner: Owner,
    amount_micros: int,
    once: Once,
) -> Page:
    asked = Asked(kind=CHECKOUT, amount_micros=amount_micros, currency=CURRENCY, surface=SURFACE)
    return payments.open_page(
        store,
        stripes,
        owner,
        asked,
        title=TITLE,
        # Stripe puts the id in, and knows its own words only as they are.
        success_url=success_page(installation.public_url, session_id="{CHECKOUT_SESSION_ID}"),
        cancel_url=success_page(installation.public_url, outcome="canceled"),
        once=once,
    )


def _require_subscribable(body: MakePaymentLink) -> None:
    """Nothing, if there is a plan that is paid again and again.

    Such plans are numbered in the order of the catalogue, from 1.

    Raises:
        InvalidField: No plan is named, an amount is, or the plan is paid once.
        PlanNotFound: There is no such plan on sale.
    """
    if body.amount is not None:
        raise InvalidField("amount", "only to fund")
    if body.plan_id is None:
        raise InvalidField("plan_id", "required to subscribe")
    if isinstance(body.plan_id, int):
        if body.plan_id > len(catalog.plans(type_=RECURRING)):
            raise PlanNotFound
    elif catalog.plan(body.plan_id).type != RECURRING:
        raise InvalidField("plan_id", "a plan that is paid once")


def _page_answer(page: Page) -> Answer[FundedView]:
    view = FundedView(
        message=PAGE_MESSAGE,
        checkout_url=page.session.url,
        session_id=page.session.id,
        expires_at=page.session.expires_at,
    )
    return Answer(view, replayed=page.replayed)


def _funded(outcome: Outcome) -> FundedView:
    payment, entry = outcome.payment, outcome.entry
    if entry is None:
        status = "requires_action" if outcome.client_secret else "pending"
        return FundedView(
            message=MESSAGES[status], payment=_payment(payment, status, outcome.client_secret)
        )
    return FundedView(
        message=MESSAGES["succeeded"],
        balance=major(entry.balance_micros, entry.currency),
        payment=_payment(payment, "succeeded", None),
        transaction=_transaction(entry),
    )


def _payment(payment: Payment, status: str, client_secret: str | None) -> FundingPaymentView:
    return FundingPaymentView(
        status=status,
        payment_intent_id=payment.payment_intent_id,
        client_secret=client_secret,
        amount=major(payment.amount_micros, payment.currency),
        currency=payment.currency.upper(),
    )


def _transaction(entry: Entry) -> FundingTransactionView:
    return FundingTransactionView(
        id=entry.seq,
        source=entry.source,
        transaction_id=entry.id,
        type="credit",
        amount=major(entry.balance_delta_micros, entry.currency),
        status="success",
        usecase="wallet_funding",
        created_at=entry.created_at,
    )
