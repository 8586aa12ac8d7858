"""A workspace's account paid into over x402: what has to be paid, and what came of a payment.

Both versions of the protocol are spoken. What has to be paid is told to version 2 in a header and
to version 1 in the body. A payment whose outcome nobody knows is answered with 202 and never with
402: whoever reads 402 signs another one.
"""

from dataclasses import replace
from http import HTTPStatus
from typing import Annotated, Any, Literal

from aws_lambda_powertools.event_handler import Request
from aws_lambda_powertools.event_handler.depends import Depends
from pydantic import Field

from holdfast.domain import x402 as protocol
from holdfast.domain.clock import SECOND, Instant
from holdfast.domain.x402 import Offer
from holdfast.domain.x402_payments import V1, V2, Payment, payment_in
from holdfast.domain.x402_settlements import FAILED, X402Settlement, response_of
from holdfast.errors import PaymentNotAccepted, X402NotConfigured
from holdfast.http.fields import CamelBody, PathId, Timestamp, amount_micros
from holdfast.http.incoming import incoming_of
from holdfast.http.principal import Caller, Principal
from holdfast.http.provider import Url
from holdfast.http.routing import Router
from holdfast.http.views import Answer, CamelView, Maybe, amounts, minor
from holdfast.http.writes import Now
from holdfast.providers import Facilitator
from holdfast.runtime import Installation, Settings, Store
from holdfast.services import workspaces, x402
from holdfast.services.workspaces import Visitor
from holdfast.services.x402 import Checkout, Paid

router = Router()

CENTS_MIN = 500
CENTS_MAX = 1_000_000

UNPAID: Literal["payment_required"] = "payment_required"
SETTLING: Literal["settling"] = "settling"
COMPLETED: Literal["completed"] = "completed"

ASKED = {V1: "X-PAYMENT header is required", V2: "Payment required"}
"""What the versions say to whoever has not paid yet."""
RETRY_SECONDS = 5
ALWAYS = {
    "Cache-Control": "no-store",
    "Access-Control-Expose-Headers": "PAYMENT-REQUIRED, PAYMENT-RESPONSE, X-PAYMENT-RESPONSE",
}
"""On every answer: nobody keeps it on the way, and a browser shows its client what was paid."""


def payment_of(request: Request) -> Payment | None:
    """The payment that a request brings, if it does.

    Raises:
        InvalidPayment: What it brings cannot be read as one.
        InvalidX402Version: It is of a version that is not spoken here.
    """
    return payment_in(incoming_of(request).call.headers)


Presented = Annotated[Payment | None, Depends(payment_of)]


class PayByX402(CamelBody):
    amount_cents: Annotated[int, Field(ge=CENTS_MIN, le=CENTS_MAX)]
    # Nobody comes back from anywhere here. Those who also pay by page send them all the same.
    success_url: Url | None = None
    cancel_url: Url | None = None


class X402CoinView(CamelView):
    name: str
    version: str


class X402RequirementView(CamelView):
    scheme: str
    network: str
    max_amount_required: str
    asset: str
    pay_to: str
    resource: str
    description: str
    mime_type: str
    output_schema: None
    max_timeout_seconds: int
    extra: X402CoinView


class X402TransferView(CamelView):
    network: str
    transaction: str
    payer: str


class X402CheckoutView(CamelView):
    x402_version: Maybe[int] = None
    error: Maybe[str] = None
    accepts: Maybe[list[X402RequirementView]] = None
    checkout_id: str
    workspace_id: str
    billing_account_id: str
    status: Literal["payment_required", "settling", "completed"]
    payment_state: Literal["unused", "in_flight", "settled"]
    retry_action: Maybe[Literal["resign", "retry_same_payment", "human_required"]] = None
    amount_cents: int
    currency: str
    expires_at: Maybe[Timestamp] = None
    balance_cents: Maybe[int] = None
    balance_cents_decimal: Maybe[str] = None
    transaction_id: Maybe[str] = None
    payment: Maybe[X402TransferView] = None


@router.post("/workspaces/{workspace_id}/billing/checkout/x402")
def pay_by_x402(
    workspace_id: PathId,
    body: PayByX402,
    caller: Caller,
    payment: Presented,
    now: Now,
    store: Store,
    facilitators: Facilitator,
    installation: Installation,
) -> Answer[X402CheckoutView]:
    """Pay into the account that is the workspace's default one now, in USDC over x402.

    Without a payment in `PAYMENT-SIGNATURE` or `X-PAYMENT` the answer is 402, with what to pay. The
    same request with it is answered with 200 once the money is there. 202 says that nobody knows
    yet: the same payment is to be sent again, and no other one.
    """
    checkout = Checkout(
        tenant=caller.tenant,
        user=caller.user,
        workspace_id=workspace_id,
        offer=_offer(caller, installation, workspace_id, body.amount_cents),
        account_id=workspaces.payee(store, _visitor(caller), workspace_id).account_id,
    )
    if payment is None:
        view, headers = _challenge(checkout, now)
    else:
        try:
            paid = x402.pay(store, facilitators(caller.mode), checkout, payment, now=now)
            view, headers = _outcome(checkout, paid, payment.x402_version, now)
        except PaymentNotAccepted as refused:
            view, headers = _challenge(checkout, now, reason=str(refused.details["reason"]))
    statuses = {
        UNPAID: HTTPStatus.PAYMENT_REQUIRED,
        SETTLING: HTTPStatus.ACCEPTED,
        COMPLETED: HTTPStatus.OK,
    }
    return Answer(view, status=statuses[view.status], headers={**ALWAYS, **headers})


def _offer(
    caller: Principal, installation: Settings, workspace_id: str, amount_cents: int
) -> Offer:
    """The offer to pay so much; made of the request and the settings alone, so always the same.

    Raises:
        X402NotConfigured: This installation takes no payments by x402 in this mode.
    """
    if not (installation.public_url and installation.x402_facilitators.get(caller.mode)):
        raise X402NotConfigured
    return protocol.offer_of(
        caller.tenant,
        pay_to=installation.x402_pay_to.get(caller.mode, ""),
        amount_micros=amount_micros(amount_cents, None, protocol.CURRENCY, param="amount_cents"),
        url=f"{installation.public_url}/workspaces/{workspace_id}/billing/checkout/x402",
    )


def _visitor(caller: Principal) -> Visitor:
    return Visitor(caller.tenant, caller.user, caller.is_admin)


def _challenge(
    checkout: Checkout, now: Instant, *, reason: str | None = None
) -> tuple[X402CheckoutView, dict[str, str]]:
    """What has to be paid. `reason` says why what was sent for it is none, or has failed."""
    asked = {version: reason or text for version, text in ASKED.items()}
    told = protocol.payment_required(checkout.offer, V2, asked[V2])
    shown = {
        **protocol.payment_required(checkout.offer, V1, asked[V1]),
        **_common(checkout, checkout.account_id),
        "status": UNPAID,
        "payment_state": "unused",
        "retry_action": None if reason is None else "resign",
        "expires_at": now + protocol.TIMEOUT_SECONDS * SECOND,
    }
    return X402CheckoutView.model_validate(shown), {
        protocol.PAYMENT_REQUIRED: protocol.encoded(told)
    }


def _outcome(
    checkout: Checkout, paid: Paid, x402_version: int, now: Instant
) -> tuple[X402CheckoutView, dict[str, str]]:
    """What came of a payment, in the words of the version that it was sent in."""
    settlement = replace(paid.settlement, x402_version=x402_version)
    if settlement.status == FAILED:
        view, headers = _challenge(checkout, now, reason=settlement.reason)
        return view, headers | _response(settlement)
    if paid.entry is None:
        view = X402CheckoutView(
            **_common(checkout, settlement.account_id),
            status=SETTLING,
            payment_state="in_flight",
            # Nobody tries any more: whoever knows the chain has to look.
            retry_action="retry_same_payment" if settlement.due_at else "human_required",
        )
        return view, {"Retry-After": str(RETRY_SECONDS)}
    response = response_of(settlement)
    transfer = {name: response[name] for name in ("network", "transaction", "payer")}
    view = X402CheckoutView(
        **_common(checkout, settlement.account_id),
        **amounts(settlement.currency, balance_cents=paid.entry.balance_micros),
        status=COMPLETED,
        payment_state="settled",
        transaction_id=paid.entry.id,
        payment=X402TransferView.model_validate(transfer),
    )
    return view, _response(settlement)


def _response(settlement: X402Settlement) -> dict[str, str]:
    name = protocol.RESPONSE_HEADERS[settlement.x402_version]
    return {name: protocol.encoded(response_of(settlement))}


def _common(checkout: Checkout, account_id: str) -> dict[str, Any]:
    """What every answer tells; the account is the one that the money goes to."""
    return {
        "checkout_id": checkout.id,
        "workspace_id": checkout.workspace_id,
        "billing_account_id": account_id,
        "amount_cents": minor(checkout.offer.amount_micros, protocol.CURRENCY),
        "currency": protocol.CURRENCY,
    }
