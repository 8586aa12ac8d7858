"""Coupons on the billing surface: an admin makes them, changes them and looks at them."""

from http import HTTPStatus
from typing import Annotated, Any, Literal

from pydantic import Field

from credits.codes import CouponCode, PathCode
from holdfast.domain import coupons as rules
from holdfast.domain.coupons import Coupon
from holdfast.http.cursors import decode_cursor, encode_cursor
from holdfast.http.fields import (
    Body,
    CurrencyCode,
    Limit,
    MinorAmount,
    Timestamp,
    amount_micros,
)
from holdfast.http.principal import Admin
from holdfast.http.routing import Router
from holdfast.http.views import Answer, Maybe, Page, View, minor, page
from holdfast.http.writes import Write
from holdfast.runtime import Store
from holdfast.services import coupons

router = Router()

Redemptions = Annotated[int, Field(ge=1, le=rules.REDEMPTIONS_MAX)]
PerUser = Annotated[int, Field(ge=1, le=rules.PER_USER_MAX)]


class CreateCoupon(Body):
    kind: Literal["credit", "bonus"]
    code: CouponCode | None = None
    amount: MinorAmount | None = None
    percent: Annotated[int, Field(ge=1, le=rules.PERCENT_MAX)] | None = None
    currency: CurrencyCode = "usd"
    max_redemptions: Redemptions | None = None
    per_user: PerUser = 1
    min_purchase: MinorAmount | None = None
    starts_at: Timestamp | None = None
    expires_at: Timestamp | None = None
    active: bool = True


class ChangeCoupon(Body):
    max_redemptions: Redemptions | None = None
    per_user: PerUser | None = None
    min_purchase: MinorAmount | None = None
    starts_at: Timestamp | None = None
    expires_at: Timestamp | None = None
    active: bool | None = None


class CouponView(View):
    code: str
    kind: str
    amount: Maybe[int] = None
    percent: Maybe[int] = None
    currency: str
    max_redemptions: int | None
    per_user: int
    min_purchase: int | None
    starts_at: Timestamp | None
    expires_at: Timestamp | None
    active: bool
    redeemed: int
    created_at: Timestamp


@router.post("/v1/billing/coupons", status_code=HTTPStatus.CREATED)
def create_coupon(
    body: CreateCoupon, caller: Admin, once: Write, store: Store
) -> Answer[CouponView]:
    """Make a coupon; without a code of the caller's, with one that nobody can guess."""
    asked = Coupon(
        code=body.code or coupons.fresh_code(),
        kind=body.kind,
        currency=body.currency,
        created_at=once.now,
        amount_micros=_micros(body.amount, body.currency, param="amount"),
        percent=body.percent or 0,
        max_redemptions=body.max_redemptions,
        per_user=body.per_user,
        min_purchase_micros=_micros(body.min_purchase, body.currency, param="min_purchase"),
        starts_at=body.starts_at,
        expires_at=body.expires_at,
        active=body.active,
    )
    made = coupons.create(store, asked, once=once)
    return Answer(_view(made.record), replayed=made.replayed)


@router.get("/v1/billing/coupons")
def list_coupons(
    caller: Admin, store: Store, limit: Annotated[int, Limit(100)] = 20, cursor: str | None = None
) -> Page[CouponView]:
    """The org's coupons, newest first: those that are over as well."""
    scope = f"coupons {caller.tenant.segment}"
    found = coupons.coupons(
        store,
        caller.tenant,
        before=None if cursor is None else decode_cursor(scope, cursor),
        limit=limit,
    )
    place = found.next_place
    return page(map(_view, found.coupons), None if place is None else encode_cursor(scope, place))


@router.patch("/v1/billing/coupons/{code}")
def change_coupon(
    code: PathCode, body: ChangeCoupon, caller: Admin, once: Write, store: Store
) -> Answer[CouponView]:
    """Say something else of a coupon: when, how often, for how much, and whether at all.

    A limit or an instant that is null is none; what it gives stays as it was promised.
    """
    changed = coupons.change(store, code, lambda coupon: _told(body, coupon.currency), once=once)
    return Answer(_view(changed.record), replayed=changed.replayed)


def _told(body: ChangeCoupon, currency: str) -> dict[str, Any]:
    told = {name: getattr(body, name) for name in body.model_fields_set}
    for name in ("per_user", "active"):
        if told.get(name, "") is None:
            del told[name]
    if "min_purchase" in told:
        least = told.pop("min_purchase")
        told["min_purchase_micros"] = _micros(least, currency, param="min_purchase")
    return told


def _micros(amount: int | None, currency: str, *, param: str) -> int:
    return 0 if amount is None else amount_micros(amount, None, currency, param=param)


def _view(coupon: Coupon) -> CouponView:
    return CouponView(
        code=coupon.code,
        kind=coupon.kind,
        amount=_minor(coupon.amount_micros, coupon),
        percent=coupon.percent or None,
        currency=coupon.currency,
        max_redemptions=coupon.max_redemptions,
        per_user=coupon.per_user,
        min_purchase=_minor(coupon.min_purchase_micros, coupon),
        starts_at=coupon.starts_at,
        expires_at=coupon.expires_at,
        active=coupon.active,
        redeemed=coupon.redeemed,
        created_at=coupon.created_at,
    )


def _minor(micros: int, coupon: Coupon) -> int | None:
    return minor(micros, coupon.currency) if micros else None
