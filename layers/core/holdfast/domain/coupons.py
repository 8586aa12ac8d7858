"""Coupons: codes that an org gives out, and what each account has redeemed of them.

A *credit* coupon is credit at once. A *bonus* coupon is credit on top of a purchase: it is reserved
for the payment that is begun with it, in the transaction that begins it, and counts as used from
then on. A payment that comes to nothing gives it back, once; one that succeeds uses it up, and the
bonus comes with the money. Whatever was redeemed or is reserved is counted in two places that
change together: on the coupon, for all, and beside the account, for one.

Codes are told apart by their letters and digits, not by case. Guessing is limited: a code that is
not good is a miss, and five different ones in a quarter of an hour are all that an account has.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Literal

from holdfast.domain import entries
from holdfast.domain.accounts import short_digest
from holdfast.domain.book import Book
from holdfast.domain.budgets import Budgets
from holdfast.domain.clock import Instant
from holdfast.domain.ledger import Change, Journal, Move, Wallet
from holdfast.domain.lots import CREDIT as CREDIT_LOT
from holdfast.domain.lots import Draw, Terms
from holdfast.domain.once import Once
from holdfast.domain.payments import CANCELED, FAILED, Payment
from holdfast.domain.wallet import LOT_PREFIX, require_amount
from holdfast.errors import (
    CouponExhausted,
    CouponExists,
    CouponExpired,
    CouponInvalid,
    CouponRedeemed,
    CouponReserved,
    InvalidField,
    InvariantBroken,
    Refusal,
    TooManyRequests,
)

type Kind = Literal["credit", "bonus"]

CREDIT: Kind = "credit"
BONUS: Kind = "bonus"
SOURCE = "coupon"
"""Who made the entry of a coupon that was redeemed."""
TAG = "coupon"
"""What credit of a coupon is for: it is credit like any other, and never withdrawn."""

PERCENT_MAX = 100
REDEMPTIONS_MAX = 1_000_000_000
PER_USER_MAX = 1_000
CHANGEABLE = frozenset(
    {"max_redemptions", "per_user", "min_purchase_micros", "starts_at", "expires_at", "active"}
)
"""What may be said anew of a coupon. What it gives may not: somebody may have been promised it."""

MISSES_MAX = 5
MISSES_WITHIN = timedelta(minutes=15)

RANDOM_BYTES = 10
"""80 bits: what a code that nobody chose is made of."""
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_CODE = re.compile(r"[A-Z0-9][A-Z0-9_-]{5,39}")
_GROUP = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Coupon:
    """A code of an org's, what it gives, and how often it was redeemed or is reserved.

    A credit coupon gives `amount_micros`; a bonus coupon that or, where it is 0, `percent` of the
    purchase. `per_user` is how often one account may redeem it, whoever sits in the account.
    """

    code: str
    kind: Kind
    currency: str
    created_at: Instant
    amount_micros: int = 0
    percent: int = 0
    max_redemptions: int | None = None
    per_user: int = 1
    min_purchase_micros: int = 0
    starts_at: Instant | None = None
    expires_at: Instant | None = None
    active: bool = True
    redeemed: int = 0
    version: int = 0

    def takes(self, purchase_micros: int) -> bool:
        """Whether a purchase is large enough for it."""
        return purchase_micros >= self.min_purchase_micros

    def bonus_micros(self, purchase_micros: int) -> int:
        """What it gives on top of a purchase. Exact: no currency's minor unit is that fine."""
        return self.amount_micros or purchase_micros * self.percent // PERCENT_MAX


@dataclass(frozen=True, slots=True, kw_only=True)
class Redemption:
    """How often one account has used one coupon.

    `reserved_for` is the payment that the last of these uses hangs on, as long as it does.
    """

    account_id: str
    code: str
    uses: int = 0
    reserved_for: str = ""
    version: int = 0


@dataclass(frozen=True, slots=True)
class Miss:
    """That a code was not good, and when; `mark` tells codes apart and says none."""

    mark: str
    at: Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class Guesses:
    """The codes that an account has tried of late and that were not good."""

    account_id: str
    misses: tuple[Miss, ...] = ()
    version: int = 0

    def recent(self, now: Instant) -> tuple[Miss, ...]:
        """Those that count at `now`, the oldest first."""
        return tuple(miss for miss in self.misses if now < miss.at + MISSES_WITHIN)


# --- Codes ----------------------------------------------------------------------------------------


def code_of(text: str, *, param: str = "code") -> str:
    """The code that `text` spells: trimmed, in capitals.

    >>> code_of(" spring-26 ")
    'SPRING-26'

    Raises:
        InvalidField: No code looks like that.
    """
    # Some letters of other scripts become ASCII ones when capitalised, so ASCII is asked for first.
    code = text.strip().upper() if text.isascii() else ""
    if not _CODE.fullmatch(code):
        raise InvalidField(param, "6 to 40 letters, digits, - and _, a letter or digit first")
    return code


def new_code(random: bytes) -> str:
    """A code of 80 random bits, in groups that can be read aloud.

    >>> new_code(bytes(range(10)))
    '000G-40R4-0M30-E209'
    """
    assert len(random) == RANDOM_BYTES
    number = int.from_bytes(random)
    letters = ""
    for _ in range(RANDOM_BYTES * 8 // 5):
        number, digit = divmod(number, len(_ALPHABET))
        letters = _ALPHABET[digit] + letters
    groups = (letters[at : at + _GROUP] for at in range(0, len(letters), _GROUP))
    return "-".join(groups)


# --- Coupons --------------------------------------------------------------------------------------


def create(asked: Coupon, known: Coupon | None, *, now: Instant) -> Coupon:
    """The coupon as it is stored for the first time.

    Raises:
        CouponExists: There is one of this code.
        InvalidField: What it gives fits its kind badly, or it would be over before it begins.
        AmountTooLarge: It gives more than an operation can move.
    """
    if known is not None:
        raise CouponExists
    if asked.kind == CREDIT:
        if asked.percent or not asked.amount_micros:
            raise InvalidField("amount", "a credit coupon gives an amount, and no percentage")
    elif bool(asked.amount_micros) == bool(asked.percent):
        raise InvalidField("percent", "a bonus coupon gives an amount or a percentage, one of both")
    if asked.amount_micros:
        require_amount(asked.amount_micros, asked.currency)
    if asked.expires_at is not None and asked.expires_at <= now:
        raise InvalidField("expires_at", "has passed")
    _require_sound(asked)
    return replace(asked, redeemed=0, version=1)


def change(coupon: Coupon, told: Mapping[str, Any]) -> Coupon:
    """The coupon with what is told of it said anew; the same one, if nothing is new.

    Raises:
        InvalidField: More was redeemed than that, an account had more than that, or the coupon
            would be over before it begins.
    """
    assert told.keys() <= CHANGEABLE
    after = replace(coupon, **told)
    if after == coupon:
        return coupon
    if after.max_redemptions is not None and after.max_redemptions < coupon.redeemed:
        raise InvalidField("max_redemptions", f"{coupon.redeemed} were redeemed already")
    if after.per_user < coupon.per_user:
        raise InvalidField("per_user", "cannot be lowered")
    _require_sound(after)
    return replace(after, version=coupon.version + 1)


def _require_sound(coupon: Coupon) -> None:
    if coupon.min_purchase_micros and coupon.kind != BONUS:
        raise InvalidField("min_purchase", "only a bonus coupon comes with a purchase")
    if coupon.starts_at and coupon.expires_at and coupon.expires_at <= coupon.starts_at:
        raise InvalidField("expires_at", "not after starts_at")


# --- Redeeming ------------------------------------------------------------------------------------


def require_good(coupon: Coupon | None, redemption: Redemption, now: Instant) -> Coupon:
    """The coupon, if this account may redeem it at `now`.

    Whoever has redeemed it is told so, whatever became of it since. What is not to be redeemed yet,
    or not any more by the will of the org, is as unknown as what never was.

    Raises:
        CouponReserved: It is reserved for a payment of the account's.
        CouponRedeemed: The account has redeemed it as often as it may.
        CouponInvalid: There is none, it has not begun, or it is switched off.
        CouponExpired: Its time has passed; at `expires_at` itself it has.
        CouponExhausted: It was redeemed as often as it can be.
    """
    if coupon is None:
        raise CouponInvalid
    if redemption.reserved_for:
        raise CouponReserved(payment_id=redemption.reserved_for)
    if redemption.uses >= coupon.per_user:
        raise CouponRedeemed
    if not coupon.active or (coupon.starts_at is not None and now < coupon.starts_at):
        raise CouponInvalid
    if coupon.expires_at is not None and coupon.expires_at <= now:
        raise CouponExpired
    if coupon.max_redemptions is not None and coupon.redeemed >= coupon.max_redemptions:
        raise CouponExhausted
    return coupon


def redeem_credit(
    wallet: Wallet,
    coupon: Coupon | None,
    redemption: Redemption,
    once: Once,
    budgets: Budgets = (),
) -> Journal:
    """A credit coupon's credit, given at once.

    Raises:
        CouponInvalid, CouponReserved, CouponRedeemed, CouponExpired, CouponExhausted: As
            `require_good` says.
        AccountClosed: The account is closed.
        AmountTooLarge: The wallet would hold more than a wallet can.
        TooManyLots: The wallet has 200 open and pending lots.
    """
    coupon = require_good(coupon, redemption, once.now)
    assert (coupon.kind, coupon.currency) == (CREDIT, wallet.currency)
    book = Book(once, wallet, budgets)
    terms = Terms(kind=CREDIT_LOT, granted_at=once.now, tag=TAG)
    draws = (Draw(LOT_PREFIX + once.digest, coupon.amount_micros, terms),)
    book.post(
        entries.COUPON_CREDIT,
        Move(draws, available=+1, contra=entries.PROMOTIONS),
        amount_micros=coupon.amount_micros,
        draws=draws,
        reference=coupon.code,
        source=SOURCE,
        details={"coupon_code": coupon.code, "tags": TAG},
    )
    return book.close(*_used(coupon, redemption, +1))


def reserve(
    coupon: Coupon | None,
    redemption: Redemption,
    payment_id: str,
    *,
    purchase_micros: int,
    now: Instant,
) -> tuple[Change, ...]:
    """A bonus coupon set aside for the payment that begins: what changes with its record.

    Raises:
        CouponInvalid, CouponReserved, CouponRedeemed, CouponExpired, CouponExhausted: As
            `require_good` says.
        InvalidField: The purchase is too small for the coupon.
    """
    coupon = require_good(coupon, redemption, now)
    assert coupon.kind == BONUS
    if not coupon.takes(purchase_micros):
        raise InvalidField("purchase_amount", "less than the coupon asks for")
    return _used(coupon, redemption, +1, reserved_for=payment_id)


def concluded(
    coupon: Coupon,
    redemption: Redemption,
    payment: Payment,
    *,
    now: Instant,
    has_place: bool = True,
) -> tuple[tuple[Change, ...], int]:
    """What becomes of the coupon by what became of the payment, and the bonus of its money, micros.

    `payment` is as the word of Stripe has made it, its money not yet in the ledger. Money that has
    come uses the coupon up. A payment that failed or was canceled gives it back, exactly once, and
    so does one whose bonus would find no place in the wallet. If the money of one that failed comes
    all the same, it has the coupon again, if that is still good.
    """
    is_mine = redemption.reserved_for == payment.id
    if payment.status in (FAILED, CANCELED) or (payment.to_credit and not has_place):
        return (_used(coupon, redemption, -1) if is_mine else ()), 0
    if not payment.to_credit:
        return (), 0
    if is_mine:
        used = replace(redemption, reserved_for="", version=redemption.version + 1)
        return (Change(redemption, used),), payment.bonus_micros
    try:
        require_good(coupon, redemption, now)
    except Refusal:
        return (), 0
    return _used(coupon, redemption, +1), payment.bonus_micros


def _used(
    coupon: Coupon, redemption: Redemption, uses: int, *, reserved_for: str = ""
) -> tuple[Change, Change]:
    after = replace(coupon, redeemed=coupon.redeemed + uses, version=coupon.version + 1)
    mine = replace(
        redemption,
        uses=redemption.uses + uses,
        reserved_for=reserved_for,
        version=redemption.version + 1,
    )
    if min(after.redeemed, mine.uses) < 0:
        raise InvariantBroken(f"{coupon.code} would be redeemed less than never")
    return Change(coupon, after), Change(redemption if redemption.version else None, mine)


# --- Guessing -------------------------------------------------------------------------------------


def require_unlocked(guesses: Guesses, code: str, now: Instant) -> None:
    """Refuse one code more, where an account has tried too many of late.

    One of those that it has tried tells it nothing new, so a second delivery is answered as the
    first.

    Raises:
        TooManyRequests: Five others were not good in the last quarter of an hour.
    """
    recent = guesses.recent(now)
    if len(recent) < MISSES_MAX or _mark(guesses, code) in {miss.mark for miss in recent}:
        return
    wait = recent[-MISSES_MAX].at + MISSES_WITHIN - now
    raise TooManyRequests(retry_after_seconds=-(-wait // timedelta(seconds=1)))


def missed(guesses: Guesses, code: str, now: Instant) -> Guesses:
    """The guesses with a code that was not good; the same ones, if it is among them.

    Raises:
        TooManyRequests: Five others were not good in the last quarter of an hour.
    """
    require_unlocked(guesses, code, now)
    recent, mark = guesses.recent(now), _mark(guesses, code)
    if any(miss.mark == mark for miss in recent):
        return guesses
    misses = (*recent, Miss(mark, now))
    return replace(guesses, misses=misses, version=guesses.version + 1)


def _mark(guesses: Guesses, code: str) -> str:
    """What tells a code from others without saying it: it may be something else of somebody's."""
    return short_digest("guess", guesses.account_id, code)
