"""Use cases of coupons: make one, change it, list them; see what a code is good for, redeem it.

A code that is not good is noted before its caller is told so: of many guesses at once no more are
answered than of the same ones in a row.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from secrets import token_bytes
from typing import Any

from holdfast.domain import coupons as rules
from holdfast.domain import money
from holdfast.domain.accounts import Tenant
from holdfast.domain.budgets import Budgets
from holdfast.domain.clock import Instant
from holdfast.domain.coupons import BONUS, CREDIT, Coupon, Guesses, Redemption
from holdfast.domain.entries import Entry
from holdfast.domain.ledger import Change, Decision, Deed, Resolution, Unchanged, Wallet
from holdfast.domain.once import Once
from holdfast.domain.payments import NOT_SENT, TOPUP, Payment, new_id, require_between
from holdfast.errors import (
    CouponExhausted,
    CouponExpired,
    CouponInvalid,
    CouponNotFound,
    CouponRedeemed,
    CouponReserved,
    InvalidField,
    Refusal,
    Unavailable,
)
from holdfast.services import beginnings, topups
from holdfast.services.cards import Stripes
from holdfast.services.changes import Reserve
from holdfast.services.changes import change as change_wallet
from holdfast.services.payments import Asked, Outcome
from holdfast.services.refs import Owner, coupon_of, guesses_of, redemption_of
from holdfast.store import pages
from holdfast.store.ledger_store import Enacted, LedgerStore

PURCHASE_MICROS_MIN = 10_000_000
PURCHASE_MICROS_MAX = 10_000_000_000
"""From ten to ten thousand major units: as for any other money that an agent puts in by card."""

NOTE_ATTEMPTS_MAX = 6
MISSES = (CouponInvalid, CouponExpired, CouponExhausted)
"""The answers that tell a guesser something, and so count."""
TOO_SMALL = "purchase_too_small"

type Told = Callable[[Coupon], Mapping[str, Any]]
"""What is told of a coupon, by field; amounts are in its own currency."""


@dataclass(frozen=True, slots=True)
class CouponPage:
    """An org's coupons, newest first; `next_place` is that of the last one, None at the end."""

    coupons: tuple[Coupon, ...]
    next_place: str | None


@dataclass(frozen=True, slots=True)
class Validity:
    """What a code is good for. `reason` is why it is not; then `coupon` may be None."""

    code: str
    coupon: Coupon | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Purchase:
    """What is bought with a bonus coupon: major units of its currency, and the card that pays."""

    amount: Decimal
    payment_method_id: str


@dataclass(frozen=True, slots=True)
class Redeemed:
    """A coupon that was redeemed, and the entry of what it gave.

    With a purchase, `outcome` is what became of it: there is no entry before its money has come.
    """

    coupon_code: str
    currency: str
    entry: Entry | None
    outcome: Outcome | None
    replayed: bool

    @property
    def credited_micros(self) -> int:
        """What the coupon itself gave."""
        draws = self.entry.draws if self.entry else ()
        return sum(draw.amount_micros for draw in draws if draw.kind == CREDIT)


def fresh_code() -> str:
    """A code that nobody can guess."""
    return rules.new_code(token_bytes(rules.RANDOM_BYTES))


def create(store: LedgerStore, asked: Coupon, *, once: Once) -> Enacted:
    """Make a coupon for the org.

    Raises:
        CouponExists: There is one of this code.
        InvalidField: What it gives fits its kind badly, or it would be over before it begins.
        AmountTooLarge: It gives more than an operation can move.
    """

    def decide(known: Coupon | None) -> Resolution:
        made = rules.create(asked, known, now=once.now)
        return Deed(made, (Change(None, made),))

    return store.enact(decide, [coupon_of(once.tenant, asked.code)], once=once)


def change(store: LedgerStore, code: str, told: Told, *, once: Once) -> Enacted:
    """Say something else of a coupon: when, how often, for how much, and whether at all.

    Raises:
        CouponNotFound: The org has none of this code.
        InvalidField: More was redeemed than that, an account may have had more than that, or the
            coupon would be over before it begins.
    """

    def decide(known: Coupon | None) -> Resolution:
        if known is None:
            raise CouponNotFound
        after = rules.change(known, told(known))
        return Unchanged(known) if after is known else Deed(after, (Change(known, after),))

    return store.enact(decide, [coupon_of(once.tenant, code)], once=once)


def coupons(store: LedgerStore, tenant: Tenant, *, before: str | None, limit: int) -> CouponPage:
    """One page of an org's coupons: good ones, and those that are over."""
    shown, last = pages.cut(pages.coupons(store, tenant, before=before), limit)
    return CouponPage(tuple(shown), pages.coupon_place(last) if last else None)


def validate(
    store: LedgerStore, owner: Owner, *, code: str, purchase: Decimal | None, now: Instant
) -> Validity:
    """What a code would give this account at `now`, with a purchase of so many major units.

    Nothing is used up. A code that is not good counts as a guess.

    Raises:
        InvalidField: The purchase is no amount of the coupon's currency.
        TooManyRequests: Five others were not good in the last quarter of an hour.
    """
    coupon, redemption = _looked_up(store, owner, code, now)
    try:
        with _noted(store, owner, code, now):
            good = rules.require_good(coupon, redemption, now)
    except (CouponInvalid, CouponExpired, CouponExhausted) as refusal:
        return Validity(code, None, refusal.code)
    except (CouponReserved, CouponRedeemed) as refusal:
        return Validity(code, coupon, refusal.code)
    if purchase is not None and not good.takes(_micros(good, purchase)):
        return Validity(code, good, TOO_SMALL)
    return Validity(code, good)


def redeem(
    store: LedgerStore,
    stripes: Stripes,
    owner: Owner,
    *,
    code: str,
    purchase: Purchase | None,
    once: Once,
) -> Redeemed:
    """Redeem a coupon: a credit coupon at once, a bonus coupon with the purchase that it is for.

    Raises:
        CouponInvalid: No coupon that can be redeemed.
        CouponReserved, CouponRedeemed, CouponExhausted, CouponExpired: Not any more, or not now.
        TooManyRequests: Five others were not good in the last quarter of an hour.
        InvalidField: A bonus coupon comes with a purchase, large enough, and a credit coupon with
            none.
        TooManyLots, AmountTooLarge: There is no place for its credit.
        PaymentMethodNotFound, PaymentDeclined, AuthenticationRequired, StripeUnavailable: As a
            charge.
    """
    with _noted(store, owner, code, once.now):
        if purchase is not None:
            return _with_purchase(store, stripes, owner, code=code, purchase=purchase, once=once)
        try:
            return _as_credit(store, owner, code=code, once=once)
        except Refusal:
            if earlier := store.replayed(once):
                return Redeemed(code, earlier.entry.currency, earlier.entry, None, replayed=True)
            raise


def _as_credit(store: LedgerStore, owner: Owner, *, code: str, once: Once) -> Redeemed:
    def decide(
        wallet: Wallet, budgets: Budgets, coupon: Coupon, redemption: Redemption
    ) -> Decision:
        return rules.redeem_credit(wallet, coupon, redemption, once, budgets)

    coupon, redemption = _looked_up(store, owner, code, once.now)
    good = rules.require_good(coupon, redemption, once.now)
    if good.kind == BONUS:
        raise InvalidField("payment_method_id", "required with a bonus coupon")
    refs = coupon_of(owner.tenant, code), redemption_of(owner, code)
    done = change_wallet(store, owner, good.currency, decide, *refs, once=once)
    return Redeemed(code, good.currency, done.entry, None, done.replayed)


def _with_purchase(
    store: LedgerStore,
    stripes: Stripes,
    owner: Owner,
    *,
    code: str,
    purchase: Purchase,
    once: Once,
) -> Redeemed:
    def reserve(coupon: Coupon, redemption: Redemption) -> tuple[Change, ...]:
        return rules.reserve(
            coupon, redemption, payment_id, purchase_micros=asked.amount_micros, now=once.now
        )

    coupon = _bonus(store, owner, code, once)
    asked = _asked(coupon, purchase)
    payment_id = new_id(once, asked.kind, asked.currency)
    refs = coupon_of(owner.tenant, code), redemption_of(owner, code)
    outcome = topups.charge_any(
        store,
        stripes,
        owner,
        asked,
        once=once,
        reserve=Reserve(refs, reserve),
    )
    return Redeemed(code, coupon.currency, outcome.entry, outcome, outcome.replayed)


def _bonus(store: LedgerStore, owner: Owner, code: str, once: Once) -> Coupon:
    """The coupon, if it is good, or if an earlier delivery of the request has it.

    A payment that is to be sent again, and has given its coupon back, has it no more.
    """
    try:
        coupon, redemption = _looked_up(store, owner, code, once.now)
        return rules.require_good(coupon, redemption, once.now)
    except Refusal:
        known = beginnings.earlier(store, once)
        refs = coupon_of(owner.tenant, code), redemption_of(owner, code)
        known_coupon, redemption = store.read_all(refs)
        if known is None or _lost(known.payment, redemption):
            raise
        assert isinstance(known_coupon, Coupon)
        return known_coupon


def _lost(payment: Payment, redemption: Redemption) -> bool:
    return payment.failure_code == NOT_SENT and redemption.reserved_for != payment.id


def _asked(coupon: Coupon, purchase: Purchase) -> Asked:
    if coupon.kind == CREDIT:
        raise InvalidField("purchase_amount", "a credit coupon comes without a purchase")
    micros = _micros(coupon, purchase.amount)
    require_between(
        micros,
        coupon.currency,
        minimum_micros=max(PURCHASE_MICROS_MIN, coupon.min_purchase_micros),
        maximum_micros=PURCHASE_MICROS_MAX,
        param="purchase_amount",
    )
    return Asked(
        kind=TOPUP,
        amount_micros=micros,
        currency=coupon.currency,
        surface="agents",
        payment_method_id=purchase.payment_method_id,
        # As for any other money that an agent puts in: the card need not be on file.
        is_saved=False,
        coupon_code=coupon.code,
        bonus_micros=coupon.bonus_micros(micros),
    )


def _micros(coupon: Coupon, purchase: Decimal) -> int:
    return money.from_major(purchase, coupon.currency, param="purchase_amount")


def _looked_up(
    store: LedgerStore, owner: Owner, code: str, now: Instant
) -> tuple[Coupon | None, Redemption]:
    """What there is of a code, unless the account has guessed too often."""
    refs = [coupon_of(owner.tenant, code), redemption_of(owner, code), guesses_of(owner)]
    coupon, redemption, guesses = store.read_all(refs)
    rules.require_unlocked(guesses, code, now)
    return coupon, redemption


@contextmanager
def _noted(store: LedgerStore, owner: Owner, code: str, now: Instant) -> Iterator[None]:
    """Note a code that turns out not to be good, and only then say so.

    Raises:
        TooManyRequests: Five others were noted meanwhile.
        Unavailable: It could not be noted.
    """
    try:
        yield
    except MISSES:
        for _ in range(NOTE_ATTEMPTS_MAX):
            guesses: Guesses = store.read(guesses_of(owner))
            after = rules.missed(guesses, code, now)
            before = guesses if guesses.version else None
            if after is guesses or store.settle(owner.tenant, (), Change(before, after)):
                raise
        raise Unavailable() from None
