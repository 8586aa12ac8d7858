"""What stands in the way of redeeming a coupon."""

from holdfast.errors.kinds import Conflict, Gone, NotFound


class CouponInvalid(NotFound):
    """There is none, it has not begun, or it is switched off: which, nobody is told."""

    code = "coupon_invalid"
    message = "There is no such coupon."


class CouponNotFound(NotFound):
    """For those who look after an org's coupons."""

    code = "coupon_not_found"
    message = "The org has no such coupon."


class CouponExists(Conflict):
    code = "coupon_exists"
    message = "The org has a coupon of this code already."


class CouponRedeemed(Conflict):
    code = "coupon_already_redeemed"
    message = "The account has redeemed this coupon as often as it may."


class CouponReserved(Conflict):
    code = "coupon_reserved"
    message = "The coupon is reserved for a payment of this account's."

    def __init__(self, *, payment_id: str) -> None:
        super().__init__(payment_id=payment_id)


class CouponExhausted(Conflict):
    code = "coupon_exhausted"
    message = "The coupon was redeemed as often as it can be."


class CouponExpired(Gone):
    code = "coupon_expired"
    message = "The coupon has expired."
