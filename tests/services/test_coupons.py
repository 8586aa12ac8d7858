"""Use cases of coupons that meet, that break in the middle, that are guessed, or come again."""

from collections import Counter
from dataclasses import replace
from functools import partial

import pytest

from holdfast.audit import audit_items
from holdfast.domain.coupons import Coupon, Guesses, Redemption
from holdfast.errors import (
    CouponExhausted,
    CouponInvalid,
    CouponNotFound,
    CouponRedeemed,
    IdempotencyKeyReused,
    InvalidField,
    TooManyRequests,
)
from holdfast.services import coupons
from tests.domain.samples import MILLISECOND
from tests.domain.test_coupons import MINUTE
from tests.services.caller import CENT, INTRODUCTORY, TEST
from tests.services.coupon_desk import CODE, Desk, told
from tests.simulator.faults import AFTER, EVERY_FAULT
from tests.simulator.scheduler import interleave

SEEDS = range(25)
PEOPLE = ("alice", "bob", "carol", "dave", "erin", "frank")


@pytest.fixture
def desk() -> Desk:
    return Desk()


def sound(desk: Desk) -> bool:
    """Whether the ledger is whole, and every use is counted twice: for all, and for one."""
    redeemed = sum(each.redeemed for each in desk.kept(Coupon))
    return audit_items(desk.caller.stored()) == [] and redeemed == desk.uses()


# --- One account ---------------------------------------------------------------------------------


def test_a_coupon_is_credit_at_once_for_whoever_was_never_seen(desk):
    desk.make(500)

    redeemed = desk.redeem()

    assert (redeemed.credited_micros, redeemed.currency) == (500 * CENT, "usd")
    assert redeemed.entry is not None
    assert redeemed.entry.balance_micros == (INTRODUCTORY + 500) * CENT
    assert desk.caller.balance() == (INTRODUCTORY + 500, 0)
    assert desk.caller.entries() == ["introductory_credit", "coupon_credit"]
    assert desk.kept(Redemption) == [
        Redemption(account_id=desk.caller.owner.account_id, code=CODE, uses=1, version=1)
    ]
    assert sound(desk)


def test_a_second_delivery_gets_the_first_answer_and_a_second_request_is_told(desk):
    desk.make()

    first = desk.redeem(key="k1")
    again = desk.elsewhere().redeem(key="k1")

    assert again == replace(first, replayed=True)
    with pytest.raises(CouponRedeemed):
        desk.redeem(key="k2")
    with pytest.raises(IdempotencyKeyReused):
        desk.redeem("ANOTHER", key="k1")
    assert (desk.coupon().redeemed, desk.uses(), desk.misses()) == (1, 1, 0)
    assert sound(desk)


def test_a_second_delivery_gets_the_first_answer_whatever_became_of_the_coupon_and_the_guesses(
    desk,
):
    desk.make()
    first = desk.redeem(key="k1")
    desk.change(active=False, max_redemptions=1)
    desk.spend_guesses()

    assert desk.redeem(key="k1") == replace(first, replayed=True)
    assert told(desk.redeem) == "rate_limited"


@pytest.mark.parametrize(("per_user", "uses"), [(1, 1), (2, 2), (3, 3)])
def test_an_account_redeems_a_coupon_as_often_as_it_may(desk, per_user, uses):
    desk.make(per_user=per_user)

    answers = [told(desk.redeem) for _ in range(4)]

    assert answers == ["done"] * uses + ["coupon_already_redeemed"] * (4 - uses)
    assert desk.caller.balance() == (INTRODUCTORY + 500 * uses, 0)
    assert sound(desk)


def test_a_coupon_is_in_a_currency_and_so_is_its_credit(desk):
    desk.make(500, currency="eur")

    redeemed = desk.redeem()

    assert (redeemed.credited_micros, redeemed.currency) == (500 * CENT, "eur")
    assert desk.caller.wallet("eur").balance_micros(desk.caller.now) == 500 * CENT
    assert desk.caller.balance() == (INTRODUCTORY, 0)
    assert sound(desk)


def test_credit_of_a_coupon_is_spent_before_cash_and_never_withdrawn(desk):
    desk.make(500)
    desk.caller.deposit(100)
    desk.redeem()
    desk.caller.use(INTRODUCTORY)

    assert told(lambda: desk.caller.withdraw(101)) == "insufficient_funds"
    assert told(lambda: desk.caller.withdraw(100)) == "done"
    desk.caller.use(500)
    assert desk.caller.balance() == (0, 0)


def test_a_coupon_of_one_org_or_mode_is_none_of_another(desk):
    desk.make()
    twin = desk.elsewhere()
    twin.caller.owner = replace(desk.caller.owner, tenant=TEST)

    assert twin.validate().reason == "coupon_invalid"
    with pytest.raises(CouponInvalid):
        twin.redeem()
    assert desk.validate().reason == ""


@pytest.mark.parametrize(
    "told_of_it", [{"active": False}, {"max_redemptions": 0}, {"starts_at": "later"}]
)
def test_a_refusal_leaves_no_account_and_nothing_but_the_guess(desk, told_of_it):
    if told_of_it == {"starts_at": "later"}:
        told_of_it = {"starts_at": desk.caller.now + MINUTE}
    desk.make()
    desk.change(**told_of_it)
    before = desk.caller.stored()

    assert told(desk.redeem) in ("coupon_invalid", "coupon_exhausted")

    after = [item for item in desk.caller.stored() if item["sk"] != {"S": "GUESSES"}]
    assert after == before
    assert desk.misses() == 1


# --- Making and changing -------------------------------------------------------------------------


def test_a_code_that_nobody_chose_is_new_every_time():
    codes = {coupons.fresh_code() for _ in range(50)}

    assert len(codes) == 50


def test_two_deliveries_of_one_request_make_one_coupon_though_each_has_its_own_code(desk):
    once = desk.caller.once("k1", asked="make one")
    asked = Coupon(
        code="FIRST-ONE", kind="credit", currency="usd", amount_micros=1, created_at=desk.caller.now
    )

    first = coupons.create(desk.caller.store, asked, once=once)
    again = coupons.create(desk.caller.store, replace(asked, code="SECOND-ONE"), once=once)

    assert (again.record, again.replayed) == (first.record, True)
    assert [each.code for each in desk.kept(Coupon)] == ["FIRST-ONE"]


def test_what_is_not_there_cannot_be_changed(desk):
    before = desk.caller.stored()

    with pytest.raises(CouponNotFound):
        desk.change("NOWHERE", active=False)

    assert desk.caller.stored() == before


def test_coupons_are_listed_newest_first_a_page_at_a_time(desk):
    for number in range(5):
        later = desk.elsewhere(now=desk.caller.now + number * MINUTE)
        later.make(code=f"CODE-{number}")

    first = coupons.coupons(desk.caller.store, desk.caller.owner.tenant, before=None, limit=3)
    rest = coupons.coupons(
        desk.caller.store, desk.caller.owner.tenant, before=first.next_place, limit=3
    )

    assert [each.code for each in first.coupons] == ["CODE-4", "CODE-3", "CODE-2"]
    assert [each.code for each in rest.coupons] == ["CODE-1", "CODE-0"]
    assert rest.next_place is None
    assert coupons.coupons(desk.caller.store, TEST, before=None, limit=3).coupons == ()


# --- Validating ----------------------------------------------------------------------------------


def test_to_validate_uses_nothing_up_and_writes_nothing(desk):
    coupon = desk.make(max_redemptions=1)
    before = desk.caller.stored()

    found = [desk.validate() for _ in range(3)]

    assert [(each.coupon, each.reason) for each in found] == [(coupon, "")] * 3
    assert desk.caller.stored() == before


@pytest.mark.parametrize(
    ("facts", "reason", "is_shown", "misses"),
    [
        ({}, "", True, 0),
        ({"active": False}, "coupon_invalid", False, 1),
        ({"max_redemptions": 0}, "coupon_exhausted", False, 1),
        ({"expires_at": "now"}, "coupon_expired", False, 1),
    ],
    ids=["good", "switched off", "exhausted", "over"],
)
def test_what_is_not_good_is_a_guess_and_tells_nothing_more(desk, facts, reason, is_shown, misses):
    if "expires_at" in facts:
        facts = {"expires_at": desk.caller.now}
    desk.make()
    desk.change(**facts)

    found = desk.validate()

    assert (found.reason, found.coupon is not None) == (reason, is_shown)
    assert desk.misses() == misses


def test_whoever_has_redeemed_it_is_told_so_and_it_is_no_guess(desk):
    desk.make()
    desk.redeem()

    found = desk.validate()

    assert (found.reason, found.coupon) == ("coupon_already_redeemed", desk.coupon())
    assert desk.misses() == 0


@pytest.mark.parametrize(
    ("buy", "reason"),
    [(None, ""), (1_999, "purchase_too_small"), (2_000, ""), (2_001, "")],
)
def test_a_purchase_is_large_enough_or_it_is_not(desk, buy, reason):
    coupon = desk.make(kind="bonus", min_purchase_micros=2_000 * CENT)

    found = desk.validate(buy=buy)

    assert (found.coupon, found.reason) == (coupon, reason)
    assert desk.misses() == 0


# --- Guessing ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("tried", "answer"), [(4, "coupon_invalid"), (5, "rate_limited")])
def test_five_wrong_codes_are_all_that_an_account_has(desk, tried, answer):
    desk.make()
    desk.spend_guesses(tried)

    assert told(lambda: desk.elsewhere().redeem("ANOTHER")) == answer
    assert desk.misses() == 5


def test_whoever_has_guessed_too_often_is_refused_a_good_code_too_and_nobody_else_is(desk):
    desk.make()
    desk.spend_guesses()
    before = desk.caller.stored()

    with pytest.raises(TooManyRequests) as refused:
        desk.redeem()
    with pytest.raises(TooManyRequests):
        desk.validate()

    assert refused.value.details == {"retry_after_seconds": 900}
    assert desk.caller.stored() == before
    assert told(desk.of("bob").redeem) == "done"


def test_validating_and_redeeming_count_together(desk):
    for number in range(3):
        assert desk.validate(f"WRONG-{number}").reason == "coupon_invalid"
    desk.spend_guesses(3)

    assert desk.misses() == 3
    assert told(lambda: desk.redeem("WRONG-8")) == "coupon_invalid"
    assert desk.validate("WRONG-9").reason == "coupon_invalid"
    with pytest.raises(TooManyRequests):
        desk.validate("WRONG-10")


@pytest.mark.parametrize(
    ("waited", "answer"),
    [
        (15 * MINUTE - MILLISECOND, "rate_limited"),
        (15 * MINUTE, "done"),
        (15 * MINUTE + MILLISECOND, "done"),
    ],
)
def test_after_a_quarter_of_an_hour_the_guesses_are_forgotten(desk, waited, answer):
    desk.make()
    desk.spend_guesses()

    assert told(desk.elsewhere(now=desk.caller.now + waited).redeem) == answer


def test_the_same_wrong_code_is_one_guess(desk):
    for _ in range(8):
        assert told(lambda: desk.redeem("WRONG-1")) == "coupon_invalid"
        assert desk.validate("WRONG-1").reason == "coupon_invalid"

    assert desk.misses() == 1


@pytest.mark.parametrize("seed", SEEDS)
def test_of_twenty_guesses_at_once_five_are_answered(desk, seed):
    works = [
        partial(told, partial(desk.elsewhere().redeem, f"WRONG-{number}")) for number in range(20)
    ]

    run = interleave(works, seed=seed)

    answers = Counter(each.value for each in run.outcomes)
    assert answers == {"coupon_invalid": 5, "rate_limited": 15}
    assert desk.misses() == 5


@pytest.mark.parametrize("fault", EVERY_FAULT, ids=str)
def test_whatever_call_fails_a_wrong_code_is_one_guess_and_is_not_answered_before_it_counts(
    desk, fault
):
    calls = desk.caller.simulator
    first = calls.call_count
    assert told(partial(desk.of("bob").redeem, "WRONG-1")) == "coupon_invalid"
    asked = calls.call_count - first
    assert asked >= 3
    for number in range(asked):
        stranger = desk.of(f"user-{number}")
        calls.faults = {calls.call_count + number: fault}
        try:
            answer = told(partial(stranger.redeem, "WRONG-1", key="k1"))
        except BaseException as killed:  # noqa: BLE001 - a process that is killed answers nothing
            answer = type(killed).__name__
        calls.faults = {}
        mine = stranger.caller.owner.account_id
        noted = [each for each in desk.kept(Guesses) if each.account_id == mine]
        if answer == "coupon_invalid":
            assert len(noted) == 1, number

        assert told(partial(stranger.redeem, "WRONG-1", key="k1")) == "coupon_invalid"
        (found,) = [each for each in desk.kept(Guesses) if each.account_id == mine]
        assert len(found.misses) == 1


# --- Races ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", SEEDS)
def test_exactly_as_many_redeem_a_coupon_as_it_is_for(desk, seed):
    desk.make(max_redemptions=3)
    works = [partial(told, desk.of(name).redeem) for name in PEOPLE]

    run = interleave(works, seed=seed)

    answers = Counter(each.value for each in run.outcomes)
    assert answers == {"done": 3, "coupon_exhausted": 3}
    assert (desk.coupon().redeemed, desk.uses()) == (3, 3)
    assert sound(desk)


@pytest.mark.parametrize("per_user", [1, 2])
@pytest.mark.parametrize("seed", SEEDS)
def test_an_account_that_asks_many_times_at_once_redeems_no_more_than_it_may(desk, seed, per_user):
    desk.make(per_user=per_user)
    works = [partial(told, desk.elsewhere().redeem) for _ in range(5)]

    run = interleave(works, seed=seed)

    answers = Counter(each.value for each in run.outcomes)
    assert answers == {"done": per_user, "coupon_already_redeemed": 5 - per_user}
    assert desk.caller.balance() == (INTRODUCTORY + 500 * per_user, 0)
    assert sound(desk)


@pytest.mark.parametrize("seed", SEEDS)
def test_deliveries_of_one_request_redeem_once(desk, seed):
    desk.make()
    works = [partial(told, partial(desk.elsewhere().redeem, key="k1")) for _ in range(4)]

    run = interleave(works, seed=seed)

    assert {each.value for each in run.outcomes} <= {"done", "done again"}
    assert [each.value for each in run.outcomes].count("done") == 1
    assert (desk.coupon().redeemed, desk.uses()) == (1, 1)
    assert sound(desk)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_coupon_that_changes_while_it_is_redeemed_is_as_it_was_before_or_after(desk, seed):
    desk.make()
    works = [partial(told, desk.of(name).redeem) for name in PEOPLE[:3]]
    admin = desk.elsewhere()
    works.append(partial(told, partial(admin.change, active=False)))

    run = interleave(works, seed=seed)

    *answers, changed = (each.value for each in run.outcomes)
    assert changed == "done"
    assert set(answers) <= {"done", "coupon_invalid"}
    assert desk.coupon().redeemed == answers.count("done")
    assert not desk.coupon().active
    assert sound(desk)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_limit_is_not_lowered_below_what_is_being_redeemed(desk, seed):
    desk.make(max_redemptions=4)
    works = [partial(told, desk.of(name).redeem) for name in PEOPLE[:4]]
    works.append(partial(told, partial(desk.elsewhere().change, max_redemptions=2)))

    interleave(works, seed=seed)

    coupon = desk.coupon()
    assert coupon.max_redemptions in (2, 4)
    assert coupon.redeemed <= coupon.max_redemptions
    assert sound(desk)


# --- Kinds ---------------------------------------------------------------------------------------


def test_a_bonus_coupon_comes_with_a_purchase_and_a_credit_coupon_with_none(desk):
    desk.make(code="BONUS-1", kind="bonus")
    desk.make(code="CREDIT-1")
    card = desk.save_card()
    before = desk.caller.stored()

    with pytest.raises(InvalidField) as bare:
        desk.redeem("BONUS-1")
    with pytest.raises(InvalidField) as bought:
        desk.redeem("CREDIT-1", buy=2_000, card=card)

    assert (bare.value.param, bought.value.param) == ("payment_method_id", "purchase_amount")
    assert desk.caller.stored() == before


def test_what_the_answer_of_a_write_was_is_found_again(desk):
    desk.make()
    calls = desk.caller.simulator
    calls.faults = lambda number, method: AFTER if method == "transact_write_items" else None

    answer = told(desk.redeem)

    calls.faults = {}
    assert answer == "done"
    assert sound(desk)
    with pytest.raises(CouponRedeemed):
        desk.redeem()
    desk.change(max_redemptions=1)
    with pytest.raises(CouponExhausted):
        desk.of("bob").redeem()
