"""Coupons as items: the org's, what each account has used of them, and what it has guessed."""

from collections.abc import Mapping
from typing import Any

from holdfast.domain.accounts import Tenant
from holdfast.domain.clock import from_rfc3339, rfc3339
from holdfast.domain.coupons import Coupon, Guesses, Miss, Redemption
from holdfast.store import keys
from holdfast.store.attributes import Plain
from holdfast.store.kinds import Kind, Place, flat, from_flat

_AMOUNTS = {"amount_micros": "amount", "min_purchase_micros": "min_purchase"}


def _coupon(tenant: Tenant, coupon: Coupon) -> dict[str, Plain]:
    return {
        "gsi1pk": keys.coupons(tenant),
        "gsi1sk": keys.coupon_place(coupon.created_at, coupon.code),
        **flat(coupon, without=("code", "version", "percent", *_AMOUNTS)),
        "percent": coupon.percent or None,
        **{name: getattr(coupon, field) or None for field, name in _AMOUNTS.items()},
    }


def _to_coupon(plain: Mapping[str, Any], place: Place) -> Coupon:
    amounts = {field: plain.get(name, 0) for field, name in _AMOUNTS.items()}
    found: Coupon = from_flat(plain, Coupon, code=place.owner, **amounts)
    return found


def _redemption(_: Tenant, redemption: Redemption) -> dict[str, Plain]:
    return flat(redemption, without=("account_id", "code", "version"))


def _to_redemption(plain: Mapping[str, Any], place: Place) -> Redemption:
    found: Redemption = from_flat(plain, Redemption, account_id=place.owner, code=place.name)
    return found


def _guesses(_: Tenant, guesses: Guesses) -> dict[str, Plain]:
    return {"misses": [{"mark": miss.mark, "at": rfc3339(miss.at)} for miss in guesses.misses]}


def _to_guesses(plain: Mapping[str, Any], place: Place) -> Guesses:
    misses = tuple(Miss(miss["mark"], from_rfc3339(miss["at"])) for miss in plain["misses"])
    return Guesses(account_id=place.owner, misses=misses, version=plain["version"])


KINDS = (
    Kind(
        type=Coupon,
        noun="COUPON",
        key=lambda tenant, coupon: keys.coupon(tenant, coupon.code),
        plain=_coupon,
        record=_to_coupon,
    ),
    Kind(
        type=Redemption,
        noun="REDEMPTION",
        key=lambda tenant, used: keys.redemption(tenant, used.account_id, used.code),
        plain=_redemption,
        record=_to_redemption,
    ),
    Kind(
        type=Guesses,
        noun="GUESSES",
        key=lambda tenant, guesses: keys.guesses(tenant, guesses.account_id),
        plain=_guesses,
        record=_to_guesses,
    ),
)
