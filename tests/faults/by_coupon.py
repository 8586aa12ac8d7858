"""All that can become of coupons, for tables that have to hold some of everything."""

from decimal import Decimal
from functools import partial

from holdfast.domain.accounts import Owner, owner_of
from holdfast.domain.clock import Instant
from holdfast.domain.coupons import Coupon
from holdfast.domain.once import Once
from holdfast.errors import CouponInvalid, PaymentDeclined
from holdfast.services import coupons
from holdfast.services.coupons import Purchase, Redeemed
from holdfast.store.ledger_store import LedgerStore
from tests.api.provider import Provider

MAJOR = 1_000_000
CREDIT, BONUS, WAITING, BACK = "GIFT-26", "BONUS-26", "WAITING-26", "BACK-26"


def redeem_coupons(store: LedgerStore, owner: Owner, *, now: Instant) -> None:
    """One of each kind, one that hangs on a payment, one that came back, and a guess.

    They are an account's of its own: this provider knows nobody of another's.
    """
    owner = owner_of(owner.tenant, "acme/coupons")
    gateway = Provider(clock=now.timestamp, seed="coupons").gateway

    def once(key: str) -> Once:
        caller = owner.user or ""
        return Once(
            tenant=owner.tenant, caller=caller, key=f"coupon {key}", fingerprint=key, now=now
        )

    def redeem(code: str, card: str = "") -> Redeemed:
        purchase = Purchase(Decimal(20), card) if card else None
        return coupons.redeem(
            store, gateway, owner, code=code, purchase=purchase, once=once(f"redeem {code}")
        )

    for code in (CREDIT, BONUS, WAITING, BACK):
        asked = Coupon(
            code=code,
            kind="credit" if code == CREDIT else "bonus",
            currency="usd",
            amount_micros=2 * MAJOR,
            max_redemptions=3,
            created_at=now,
        )
        coupons.create(store, asked, once=once(f"make {code}"))
    assert redeem(CREDIT).credited_micros == redeem(BONUS, "pm_card_visa").credited_micros
    assert redeem(WAITING, "pm_card_authenticationRequired").entry is None
    _refused(partial(redeem, BACK, "pm_card_chargeDeclined"), PaymentDeclined)
    _refused(partial(redeem, "GUESSED-26"), CouponInvalid)


def _refused(ask: partial[Redeemed], refusal: type[Exception]) -> None:
    try:
        ask()
    except refusal:
        return
    raise AssertionError("was not refused")
