"""Coupons on the agents surface: find out what a code is good for, and redeem it."""

import re
from decimal import Decimal
from http import HTTPStatus
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from credits.codes import CouponCode
from holdfast.errors import InvalidField
from holdfast.http.fields import (
    Body,
    Identifier,
    MajorAmount,
    Timestamp,
    Told,
    amount_is,
    wrong,
)
from holdfast.http.principal import Caller, owner_named
from holdfast.http.routing import Router
from holdfast.http.views import Answer, Maybe, View, major
from holdfast.http.writes import Now, Write
from holdfast.providers import Stripe
from holdfast.runtime import Store
from holdfast.services import coupons
from holdfast.services.coupons import Purchase, Redeemed, Validity

router = Router()

_MAJOR = re.compile(r"[0-9]{1,15}(\.[0-9]{1,4})?")


def _major(value: object) -> object:
    if isinstance(value, str) and not _MAJOR.fullmatch(value):
        raise wrong("not a plain decimal number")
    return Decimal(value) if isinstance(value, str) else value


PurchaseAmount = Annotated[
    Decimal, BeforeValidator(_major), Field(gt=0), Told({"pattern": f"^{_MAJOR.pattern}$"})
]
"""Major units in a query."""


class RedeemCoupon(Body):
    coupon_code: CouponCode
    payment_method_id: Identifier | None = None
    purchase_amount: MajorAmount | None = None


class CouponValidityView(View):
    valid: bool
    coupon_code: str
    type: str | None
    amount: Maybe[Decimal] = None
    percent: Maybe[int] = None
    currency: str | None
    min_purchase: Decimal | None
    expires_at: Timestamp | None
    reason: Maybe[str] = None


class CouponPaymentView(View):
    id: str
    status: str
    payment_intent_id: str | None
    client_secret: Maybe[str] = None
    amount: Decimal
    currency: str


class RedeemedCouponView(View):
    """What was given; until the money of a purchase has come, that is nothing."""

    coupon_code: str
    credited: Decimal
    currency: str
    balance: Maybe[Decimal] = None
    payment: Maybe[CouponPaymentView] = None


@router.get("/api/agents/v1/wallet/coupons/validate")
def validate_coupon(
    caller: Caller,
    now: Now,
    store: Store,
    coupon_code: CouponCode | None = None,
    code: CouponCode | None = None,
    purchase_amount: PurchaseAmount | None = None,
) -> CouponValidityView:
    """What a code is good for. Nothing is used up; codes that are not good are counted."""
    found = coupons.validate(
        store,
        owner_named(caller, None),
        code=_named(coupon_code, code),
        purchase=purchase_amount,
        now=now,
    )
    return _validity(found)


@router.post("/api/agents/v1/wallet/coupons/redeem")
def redeem_coupon(
    body: RedeemCoupon, caller: Caller, once: Write, store: Store, stripes: Stripe
) -> Answer[RedeemedCouponView]:
    """Redeem a coupon; one that is a bonus, with the purchase that it is for.

    202 while somebody still has to confirm the payment.
    """
    with amount_is("purchase_amount"):
        redeemed = coupons.redeem(
            store,
            stripes,
            owner_named(caller, None),
            code=body.coupon_code,
            purchase=_purchase(body),
            once=once,
        )
    status = None if redeemed.entry else HTTPStatus.ACCEPTED
    return Answer(_redeemed(redeemed), replayed=redeemed.replayed, status=status)


def _named(coupon_code: str | None, code: str | None) -> str:
    said = {coupon_code, code} - {None}
    if len(said) > 1:
        raise InvalidField("code", "says something else than coupon_code")
    if not said:
        raise InvalidField("coupon_code", "required")
    return str(said.pop())


def _purchase(body: RedeemCoupon) -> Purchase | None:
    if body.purchase_amount is None and body.payment_method_id is None:
        return None
    if body.purchase_amount is None:
        raise InvalidField("payment_method_id", "comes with purchase_amount")
    if body.payment_method_id is None:
        raise InvalidField("purchase_amount", "comes with payment_method_id")
    return Purchase(body.purchase_amount, body.payment_method_id)


def _validity(found: Validity) -> CouponValidityView:
    coupon = found.coupon
    known: dict[str, Any] = dict.fromkeys(("type", "currency", "min_purchase", "expires_at"))
    if coupon is not None:
        known = {
            "type": coupon.kind,
            "amount": _amount(coupon.amount_micros, coupon.currency),
            "percent": coupon.percent or None,
            "currency": coupon.currency.upper(),
            "min_purchase": _amount(coupon.min_purchase_micros, coupon.currency),
            "expires_at": coupon.expires_at,
        }
    return CouponValidityView(
        valid=not found.reason, coupon_code=found.code, reason=found.reason or None, **known
    )


def _amount(micros: int, currency: str) -> Decimal | None:
    return major(micros, currency) if micros else None


def _redeemed(redeemed: Redeemed) -> RedeemedCouponView:
    entry, currency = redeemed.entry, redeemed.currency
    return RedeemedCouponView(
        coupon_code=redeemed.coupon_code,
        credited=major(redeemed.credited_micros, currency),
        currency=currency.upper(),
        balance=major(entry.balance_micros, currency) if entry else None,
        payment=_payment(redeemed),
    )


def _payment(redeemed: Redeemed) -> CouponPaymentView | None:
    if redeemed.outcome is None:
        return None
    payment = redeemed.outcome.payment
    return CouponPaymentView(
        id=payment.id,
        status=payment.status,
        payment_intent_id=payment.payment_intent_id or None,
        client_secret=redeemed.outcome.client_secret,
        amount=major(payment.amount_micros, payment.currency),
        currency=payment.currency.upper(),
    )
