"""Coupons: what one can be, who may redeem it, what a payment does to it, and guessing."""

from dataclasses import replace
from datetime import timedelta
from itertools import permutations, product

import pytest

from holdfast.domain import coupons as rules
from holdfast.domain import entries, payments
from holdfast.domain.coupons import Coupon, Guesses, Redemption
from holdfast.domain.payments import Payment
from holdfast.errors import (
    AmountTooLarge,
    CouponExhausted,
    CouponExists,
    CouponExpired,
    CouponInvalid,
    CouponRedeemed,
    CouponReserved,
    InvalidField,
    TooManyLots,
    TooManyRequests,
)
from tests.domain.samples import (
    ACCOUNT_ID,
    HOUR,
    MILLISECOND,
    NOW,
    credit,
    funds,
    once,
    wallet,
    wallet_after,
)

MINUTE = timedelta(minutes=1)
SECOND = timedelta(seconds=1)
UNUSED = Redemption(account_id=ACCOUNT_ID, code="SPRING-26")
GIFT = Coupon(
    code="SPRING-26", kind="credit", currency="usd", amount_micros=500, created_at=NOW, version=3
)
BONUS = replace(GIFT, kind="bonus")


def used(uses: int = 1, *, reserved_for: str = "") -> Redemption:
    """What the account has used of the coupon by now."""
    return replace(UNUSED, uses=uses, reserved_for=reserved_for, version=7)


def payment(key: str = "pay") -> Payment:
    """A purchase with the bonus coupon, as it begins."""
    return payments.begin(
        once(key),
        kind="topup",
        account_id=ACCOUNT_ID,
        amount_micros=2_000,
        currency="usd",
        surface="agents",
        coupon_code=BONUS.code,
        bonus_micros=BONUS.bonus_micros(2_000),
    )


# --- Codes ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("SPRING", "SPRING"),
        ("spring", "SPRING"),
        (" Spring-26\n", "SPRING-26"),
        ("2026_x", "2026_X"),
        ("a" * 40, "A" * 40),
        ("abcdef", "ABCDEF"),
    ],
)
def test_a_code_is_told_apart_by_letters_and_digits_and_not_by_case(text, code):
    assert rules.code_of(text) == code
    assert rules.code_of(code) == code


@pytest.mark.parametrize(
    "text",
    ["", "abcde", "a" * 41, "-abcdef", "_abcdef", "ab cdef", "abc#def", "abcdeſ", "straße",
     "ＡＢＣＤＥＦ", "abcdef\0", "abc/def", "a.bcdef"],
)  # fmt: skip
def test_what_no_code_can_look_like_is_refused(text):
    with pytest.raises(InvalidField) as refused:
        rules.code_of(text, param="coupon_code")

    assert refused.value.param == "coupon_code"


def test_a_code_that_nobody_chose_has_80_bits_and_can_be_written_down():
    codes = {rules.new_code(number.to_bytes(10)) for number in (0, 1, 31, 32, 2**80 - 1)}

    assert len(codes) == 5
    assert {rules.code_of(code.lower()) for code in codes} == codes
    assert "ZZZZ-ZZZZ-ZZZZ-ZZZZ" in codes
    assert rules.RANDOM_BYTES * 8 >= 64


# --- Making one ----------------------------------------------------------------------------------


def test_a_new_coupon_was_never_redeemed():
    made = rules.create(replace(GIFT, version=0, redeemed=9), None, now=NOW)

    assert made == replace(GIFT, version=1)
    assert (made.redeemed, made.active, made.per_user) == (0, True, 1)


def test_a_code_is_given_out_once():
    with pytest.raises(CouponExists):
        rules.create(replace(BONUS, version=0), GIFT, now=NOW)


@pytest.mark.parametrize(
    ("kind", "amount", "percent", "wrong"),
    [
        ("credit", 500, 0, None),
        ("credit", 0, 0, "amount"),
        ("credit", 0, 10, "amount"),
        ("credit", 500, 10, "amount"),
        ("bonus", 500, 0, None),
        ("bonus", 0, 10, None),
        ("bonus", 0, 100, None),
        ("bonus", 500, 10, "percent"),
        ("bonus", 0, 0, "percent"),
    ],
)
def test_what_a_coupon_gives_fits_its_kind(kind, amount, percent, wrong):
    asked = replace(GIFT, kind=kind, amount_micros=amount, percent=percent)

    if wrong is None:
        assert rules.create(asked, None, now=NOW) == replace(asked, version=1)
        return
    with pytest.raises(InvalidField) as refused:
        rules.create(asked, None, now=NOW)
    assert refused.value.param == wrong


@pytest.mark.parametrize(
    ("amount", "fits"), [(10**15 - 1, True), (10**15, True), (10**15 + 1, False)]
)
def test_a_coupon_gives_no_more_than_an_operation_can_move(amount, fits):
    asked = replace(GIFT, amount_micros=amount)

    if fits:
        assert rules.create(asked, None, now=NOW).amount_micros == amount
        return
    with pytest.raises(AmountTooLarge):
        rules.create(asked, None, now=NOW)


@pytest.mark.parametrize(
    ("starts", "expires", "is_sound"),
    [
        (None, None, True),
        (None, NOW + MILLISECOND, True),
        (None, NOW, False),
        (None, NOW - MILLISECOND, False),
        (NOW + HOUR, NOW + HOUR + MILLISECOND, True),
        (NOW + HOUR, NOW + HOUR, False),
        (NOW + HOUR, NOW + HOUR - MILLISECOND, False),
        (NOW - HOUR, NOW + HOUR, True),
        (NOW - HOUR, None, True),
    ],
)
def test_a_coupon_is_not_over_before_it_begins(starts, expires, is_sound):
    asked = replace(GIFT, starts_at=starts, expires_at=expires)

    if is_sound:
        assert rules.create(asked, None, now=NOW).expires_at == expires
        return
    with pytest.raises(InvalidField) as refused:
        rules.create(asked, None, now=NOW)
    assert refused.value.param == "expires_at"


@pytest.mark.parametrize(("kind", "is_sound"), [("bonus", True), ("credit", False)])
def test_only_a_bonus_comes_with_a_purchase(kind, is_sound):
    asked = replace(GIFT, kind=kind, min_purchase_micros=1)

    if is_sound:
        assert rules.create(asked, None, now=NOW).min_purchase_micros == 1
        return
    with pytest.raises(InvalidField) as refused:
        rules.create(asked, None, now=NOW)
    assert refused.value.param == "min_purchase"


# --- Changing one --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "told",
    [
        {"max_redemptions": 5},
        {"per_user": 2},
        {"min_purchase_micros": 7},
        {"starts_at": NOW},
        {"expires_at": NOW - HOUR},
        {"active": False},
        {"active": False, "expires_at": NOW + HOUR},
    ],
    ids=str,
)
def test_what_is_told_is_changed_and_nothing_else(told):
    after = rules.change(BONUS, told)

    assert after == replace(BONUS, version=BONUS.version + 1, **told)


@pytest.mark.parametrize(
    "told", [{}, {"active": True}, {"max_redemptions": None}, {"per_user": 1}], ids=str
)
def test_what_is_said_already_changes_nothing(told):
    assert rules.change(BONUS, told) is BONUS


def test_what_a_coupon_gives_is_none_of_what_can_be_changed():
    fixed = {"code", "kind", "currency", "amount_micros", "percent", "redeemed", "created_at"}

    assert rules.CHANGEABLE.isdisjoint(fixed)
    assert rules.CHANGEABLE | fixed | {"version"} == set(Coupon.__dataclass_fields__)


@pytest.mark.parametrize(("limit", "is_sound"), [(2, False), (3, True), (4, True), (None, True)])
def test_a_coupon_was_never_redeemed_more_often_than_it_can_be(limit, is_sound):
    before = replace(GIFT, redeemed=3, max_redemptions=10)

    if is_sound:
        assert rules.change(before, {"max_redemptions": limit}).max_redemptions == limit
        return
    with pytest.raises(InvalidField) as refused:
        rules.change(before, {"max_redemptions": limit})
    assert refused.value.param == "max_redemptions"


@pytest.mark.parametrize(("per_user", "is_sound"), [(1, False), (2, True), (3, True)])
def test_an_account_never_had_more_than_it_may_have(per_user, is_sound):
    before = replace(GIFT, per_user=2)

    if is_sound:
        assert rules.change(before, {"per_user": per_user}).per_user == per_user
        return
    with pytest.raises(InvalidField) as refused:
        rules.change(before, {"per_user": per_user})
    assert refused.value.param == "per_user"


@pytest.mark.parametrize(
    ("before", "told", "wrong"),
    [
        (GIFT, {"min_purchase_micros": 1}, "min_purchase"),
        (replace(GIFT, starts_at=NOW), {"expires_at": NOW}, "expires_at"),
        (replace(GIFT, expires_at=NOW), {"starts_at": NOW}, "expires_at"),
    ],
    ids=["a purchase", "an end", "a beginning"],
)
def test_a_change_keeps_a_coupon_sound(before, told, wrong):
    with pytest.raises(InvalidField) as refused:
        rules.change(before, told)

    assert refused.value.param == wrong


# --- Whether it is good --------------------------------------------------------------------------

EXHAUSTED = replace(GIFT, max_redemptions=3, redeemed=3)
GOOD = {
    "one that has no limits": (GIFT, UNUSED),
    "one that has begun just now": (replace(GIFT, starts_at=NOW), UNUSED),
    "one that is about to end": (replace(GIFT, expires_at=NOW + MILLISECOND), UNUSED),
    "the last one": (replace(EXHAUSTED, redeemed=2), UNUSED),
    "the second of two": (replace(GIFT, per_user=2), used(1)),
}
BAD = {
    "none": (None, UNUSED, CouponInvalid),
    "switched off": (replace(GIFT, active=False), UNUSED, CouponInvalid),
    "not begun": (replace(GIFT, starts_at=NOW + MILLISECOND), UNUSED, CouponInvalid),
    "over": (replace(GIFT, expires_at=NOW), UNUSED, CouponExpired),
    "long over": (replace(GIFT, expires_at=NOW - HOUR), UNUSED, CouponExpired),
    "exhausted": (EXHAUSTED, UNUSED, CouponExhausted),
    "used": (GIFT, used(1), CouponRedeemed),
    "used twice": (replace(GIFT, per_user=2), used(2), CouponRedeemed),
    "reserved": (GIFT, used(1, reserved_for="pay_1"), CouponReserved),
    "reserved, and one more left": (
        replace(GIFT, per_user=2),
        used(1, reserved_for="pay_1"),
        CouponReserved,
    ),
    # Whoever has it is told so, whatever became of it since.
    "used and switched off": (replace(GIFT, active=False), used(1), CouponRedeemed),
    "used and over": (replace(GIFT, expires_at=NOW), used(1), CouponRedeemed),
    "used and exhausted": (EXHAUSTED, used(1), CouponRedeemed),
    # What is switched off is as unknown as what never was.
    "switched off and over": (
        replace(GIFT, active=False, expires_at=NOW),
        UNUSED,
        CouponInvalid,
    ),
    "over and exhausted": (replace(EXHAUSTED, expires_at=NOW), UNUSED, CouponExpired),
}


@pytest.mark.parametrize(("coupon", "redemption"), GOOD.values(), ids=GOOD)
def test_a_coupon_is_good_for_whoever_may_redeem_it(coupon, redemption):
    assert rules.require_good(coupon, redemption, NOW) is coupon


@pytest.mark.parametrize(("coupon", "redemption", "refusal"), BAD.values(), ids=BAD)
def test_a_coupon_is_not_good_for_anybody_else(coupon, redemption, refusal):
    with pytest.raises(refusal):
        rules.require_good(coupon, redemption, NOW)
    with pytest.raises(refusal):
        rules.redeem_credit(wallet(), coupon, redemption, once())


@pytest.mark.parametrize(("coupon", "redemption", "refusal"), BAD.values(), ids=BAD)
def test_what_cannot_be_redeemed_is_not_reserved(coupon, redemption, refusal):
    bonus = coupon and replace(coupon, kind="bonus")

    with pytest.raises(refusal):
        rules.reserve(bonus, redemption, "pay_2", purchase_micros=2_000, now=NOW)


# --- Credit --------------------------------------------------------------------------------------


def test_a_credit_coupon_is_credit_at_once_and_never_cash():
    journal = rules.redeem_credit(wallet(cash=5), GIFT, UNUSED, once())

    after = wallet_after(journal)
    entry = journal.entry
    assert (entry.type, entry.source, entry.reference) == (
        entries.COUPON_CREDIT,
        "coupon",
        "SPRING-26",
    )
    assert entry.postings == {"credit": 500, "promotions": -500}
    assert entry.details == {"coupon_code": "SPRING-26", "tags": "coupon"}
    (lot,) = after.lots
    assert (lot.terms.kind, lot.terms.tag, lot.remaining_micros) == ("credit", "coupon", 500)
    assert funds(after) == {lot.id: (500, 0), "cash": (5, 0)}
    assert (after.balance_micros(NOW), after.cash_balance_micros(NOW)) == (505, 5)


@pytest.mark.parametrize("uses", [0, 1, 2])
def test_what_is_redeemed_is_counted_for_all_and_for_one(uses):
    coupon = replace(GIFT, redeemed=4, per_user=3)
    before = used(uses) if uses else UNUSED

    _, first, second = rules.redeem_credit(wallet(), coupon, before, once()).changes

    assert (first.before, first.after) == (coupon, replace(coupon, redeemed=5, version=4))
    assert second.before is (before if uses else None)
    assert second.after == replace(before, uses=uses + 1, version=before.version + 1)


def test_a_full_wallet_takes_no_coupon():
    full = wallet(*(credit(f"lot_{number}", 1) for number in range(200)))

    with pytest.raises(TooManyLots):
        rules.redeem_credit(full, GIFT, UNUSED, once())


# --- A bonus, and what becomes of the payment -----------------------------------------------------


@pytest.mark.parametrize(
    ("amount", "percent", "purchase", "bonus"),
    [
        (500, 0, 2_000, 500),
        (500, 0, 1, 500),
        (0, 10, 2_000, 200),
        (0, 100, 2_000, 2_000),
        (0, 1, 10_000, 100),
        (0, 33, 10_000, 3_300),
    ],
)
def test_a_bonus_is_an_amount_or_a_share_of_the_purchase(amount, percent, purchase, bonus):
    coupon = replace(BONUS, amount_micros=amount, percent=percent)

    assert coupon.bonus_micros(purchase) == bonus


def test_a_share_of_a_purchase_is_exact_in_every_currency():
    # The finest minor unit is a ten-thousandth of the major one: 100 micros.
    for percent, units in product(range(1, 101), (1, 7, 99)):
        coupon = replace(BONUS, amount_micros=0, percent=percent)

        assert coupon.bonus_micros(units * 100) * 100 == units * 100 * percent


def test_a_bonus_is_reserved_for_the_payment_that_begins():
    first, second = rules.reserve(BONUS, UNUSED, "pay_1", purchase_micros=2_000, now=NOW)

    assert first.after == replace(BONUS, redeemed=1, version=4)
    assert (second.before, second.after) == (
        None,
        replace(UNUSED, uses=1, reserved_for="pay_1", version=1),
    )


@pytest.mark.parametrize(("amount", "takes"), [(1_999, False), (2_000, True), (2_001, True)])
def test_a_purchase_that_is_too_small_gets_no_bonus(amount, takes):
    coupon = replace(BONUS, min_purchase_micros=2_000)

    assert coupon.takes(amount) is takes
    if takes:
        assert len(rules.reserve(coupon, UNUSED, "pay_1", purchase_micros=amount, now=NOW)) == 2
        return
    with pytest.raises(InvalidField) as refused:
        rules.reserve(coupon, UNUSED, "pay_1", purchase_micros=amount, now=NOW)
    assert refused.value.param == "purchase_amount"


OURS = payment()
OTHERS = payment("another")
CREDITED = replace(OURS, entry_id="ent_1")
TAKEN = replace(BONUS, redeemed=4)
RESERVED = used(1, reserved_for=OURS.id)
BACK = (
    replace(TAKEN, redeemed=3, version=4),
    replace(RESERVED, uses=0, reserved_for="", version=8),
)
KEPT = (replace(RESERVED, reserved_for="", version=8),)
AGAIN = (replace(TAKEN, redeemed=5, version=4), replace(used(0), uses=1, version=8))

ENDS = {
    "money came": (OURS, "succeeded", RESERVED, KEPT, 500),
    "it failed": (OURS, "failed", RESERVED, BACK, 0),
    "it was canceled": (OURS, "canceled", RESERVED, BACK, 0),
    "nobody knows": (OURS, "pending", RESERVED, (), 0),
    "somebody has to confirm": (OURS, "requires_action", RESERVED, (), 0),
    "it waits to be captured": (OURS, "requires_capture", RESERVED, (), 0),
    "money came, and is in the ledger": (CREDITED, "succeeded", RESERVED, (), 0),
    "another one's money came": (OTHERS, "succeeded", RESERVED, (), 0),
    "another one failed": (OTHERS, "failed", RESERVED, (), 0),
    "another one was canceled": (OTHERS, "canceled", RESERVED, (), 0),
    "it failed again": (OURS, "failed", used(0), (), 0),
    "it was canceled after it failed": (OURS, "canceled", used(0), (), 0),
    "money came after it failed": (OURS, "succeeded", used(0), AGAIN, 500),
    "money came after somebody used the coupon": (OURS, "succeeded", used(1), (), 0),
}


@pytest.mark.parametrize(
    ("paid", "status", "redemption", "after", "bonus"), ENDS.values(), ids=ENDS
)
def test_what_becomes_of_a_payment_becomes_of_its_coupon(paid, status, redemption, after, bonus):
    seen = replace(paid, status=status)

    changes, bonus_micros = rules.concluded(TAKEN, redemption, seen, now=NOW)

    assert tuple(change.after for change in changes) == after
    assert [change.before for change in changes] == [TAKEN, redemption][2 - len(changes) :]
    assert bonus_micros == bonus


@pytest.mark.parametrize(
    "coupon",
    [
        replace(TAKEN, max_redemptions=4),
        replace(TAKEN, expires_at=NOW),
        replace(TAKEN, active=False),
    ],
    ids=["exhausted", "over", "switched off"],
)
def test_money_that_comes_after_the_coupon_was_given_back_has_it_only_if_it_is_good(coupon):
    seen = replace(OURS, status="succeeded")

    assert rules.concluded(coupon, used(0), seen, now=NOW) == ((), 0)


@pytest.mark.parametrize(
    ("redemption", "after"), [(RESERVED, BACK), (used(0), ()), (used(1), ())], ids=str
)
def test_a_bonus_that_finds_no_place_is_not_given_and_the_coupon_is_back(redemption, after):
    seen = replace(OURS, status="succeeded")

    changes, bonus = rules.concluded(TAKEN, redemption, seen, now=NOW, has_place=False)

    assert (tuple(change.after for change in changes), bonus) == (after, 0)


def after_news(news: tuple[payments.Status, ...]) -> tuple[int, int, str, int]:
    """What is left of a coupon that one payment reserved, and the bonus, after this was heard."""
    coupon, redemption, paid, given = replace(BONUS, redeemed=1), RESERVED, OURS, 0
    for status in news:
        seen = replace(paid, status=status) if not paid.entry_id else paid
        changes, bonus = rules.concluded(coupon, redemption, seen, now=NOW)
        for change in changes:
            if isinstance(change.after, Coupon):
                coupon = change.after
            if isinstance(change.after, Redemption):
                redemption = change.after
        if seen.to_credit:
            paid, given = replace(seen, entry_id="ent_1"), given + bonus
    return coupon.redeemed, redemption.uses, redemption.reserved_for, given


@pytest.mark.parametrize(
    ("heard", "left"),
    [
        (("failed", "failed", "canceled"), (0, 0, "", 0)),
        (("pending", "canceled", "canceled"), (0, 0, "", 0)),
        (("failed", "succeeded", "succeeded"), (1, 1, "", 500)),
        (("failed", "pending", "succeeded"), (1, 1, "", 500)),
    ],
    ids=str,
)
def test_in_every_order_the_coupon_is_used_once_or_given_back_once(heard, left):
    assert {after_news(order) for order in permutations(heard)} == {left}


# --- Guessing ------------------------------------------------------------------------------------


def guesses(*codes: str, every: timedelta = MINUTE) -> Guesses:
    """These codes tried in vain, the last one just now, the others before."""
    found = Guesses(account_id=ACCOUNT_ID)
    for place, code in enumerate(codes):
        found = rules.missed(found, code, NOW - (len(codes) - 1 - place) * every)
    return found


FIVE = guesses("CODE-1", "CODE-2", "CODE-3", "CODE-4", "CODE-5")


@pytest.mark.parametrize(("tried", "is_free"), [(0, True), (4, True), (5, False)])
def test_five_codes_in_a_quarter_of_an_hour_are_all(tried, is_free):
    found = guesses(*(f"CODE-{number}" for number in range(tried)))

    if is_free:
        assert len(rules.missed(found, "ANOTHER", NOW).misses) == tried + 1
        return
    with pytest.raises(TooManyRequests):
        rules.require_unlocked(found, "ANOTHER", NOW)
    with pytest.raises(TooManyRequests):
        rules.missed(found, "ANOTHER", NOW)


def test_a_code_that_was_tried_is_no_new_guess():
    for code in ("CODE-1", "CODE-5"):
        rules.require_unlocked(FIVE, code, NOW)
        assert rules.missed(FIVE, code, NOW + MINUTE) is FIVE


@pytest.mark.parametrize(
    ("now", "seconds"),
    [
        (NOW, 660),
        (NOW + MILLISECOND, 660),
        (NOW + SECOND, 659),
        (NOW + 11 * MINUTE - MILLISECOND, 1),
        (NOW + 11 * MINUTE, None),
        (NOW + 11 * MINUTE + MILLISECOND, None),
    ],
)
def test_the_wait_is_told_in_whole_seconds_and_ends_when_the_first_miss_is_old_enough(now, seconds):
    if seconds is None:
        rules.require_unlocked(FIVE, "ANOTHER", now)
        after = rules.missed(FIVE, "ANOTHER", now)
        assert len(after.misses) == 5
        with pytest.raises(TooManyRequests):
            rules.require_unlocked(after, "ONE-MORE", now)
        return
    with pytest.raises(TooManyRequests) as refused:
        rules.require_unlocked(FIVE, "ANOTHER", now)
    assert refused.value.details == {"retry_after_seconds": seconds}


def test_what_was_guessed_is_not_kept():
    kept = repr(guesses("4242-4242-4242-4242"))

    assert "4242" not in kept
    assert guesses("CODE-1").misses[0].mark != guesses("CODE-2").misses[0].mark
