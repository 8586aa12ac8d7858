"""Bonus coupons: one use for one payment, whatever becomes of it and whoever hears of that."""

from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from functools import partial
from itertools import permutations

import pytest

from holdfast.audit import audit_items
from holdfast.domain.coupons import Coupon
from holdfast.errors import (
    CouponReserved,
    InvalidField,
    PaymentDeclined,
    PaymentMethodNotFound,
    Refusal,
    StripeUnavailable,
)
from holdfast.services import payments
from tests.services.caller import CENT, INTRODUCTORY, LIVE
from tests.services.coupon_desk import CODE, Desk, told
from tests.services.test_coupons import PEOPLE, SEEDS
from tests.simulator.errors import ProcessKilled
from tests.simulator.faults import EVERY_FAULT, KILLED_AFTER, KILLED_BEFORE
from tests.simulator.scheduler import interleave

DECLINED = "pm_card_chargeDeclined"
ASKS = "pm_card_authenticationRequired"
MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)


@pytest.fixture
def desk() -> Desk:
    desk = Desk()
    desk.make(500, kind="bonus")
    return desk


def sound(desk: Desk) -> bool:
    """Whether the ledger is whole, and every use is counted twice: for all, and for one."""
    redeemed = sum(each.redeemed for each in desk.kept(Coupon))
    return audit_items(desk.caller.stored()) == [] and redeemed == desk.uses()


def state(desk: Desk) -> tuple[int, int, int]:
    """Uses, reservations, and the cents that the account can spend beyond what everybody has."""
    return desk.uses(), len(desk.reserved()), desk.caller.balance()[0] - INTRODUCTORY


# --- One purchase --------------------------------------------------------------------------------


def test_the_bonus_comes_with_the_money_in_one_entry(desk):
    redeemed = desk.redeem(buy=2_000)

    assert redeemed.credited_micros == 500 * CENT
    assert redeemed.entry is not None
    assert redeemed.entry.postings == {
        "wallet": 2_000 * CENT,
        "credit": 500 * CENT,
        "promotions": -500 * CENT,
        "stripe_clearing": -2_000 * CENT,
    }
    assert redeemed.entry.details["coupon_code"] == CODE
    assert desk.caller.entries() == ["introductory_credit", "deposit"]
    assert (state(desk), desk.charged()) == ((1, 0, 2_500), 2_000)
    assert sound(desk)


@pytest.mark.parametrize(
    ("percent", "buy", "bonus"), [(10, 2_000, 200), (100, 2_000, 2_000), (1, 1_099, 10)]
)
def test_a_share_is_of_what_was_bought(desk, percent, buy, bonus):
    desk.make(0, code="SHARE-1", kind="bonus", percent=percent)

    redeemed = desk.redeem("SHARE-1", buy=buy)

    assert redeemed.credited_micros // CENT == bonus
    assert redeemed.credited_micros == buy * CENT * percent // 100
    assert sound(desk)


def test_the_bonus_is_credit_and_never_withdrawn(desk):
    desk.redeem(buy=2_000)

    assert told(lambda: desk.caller.withdraw(2_001)) == "insufficient_funds"
    assert told(lambda: desk.caller.withdraw(2_000)) == "done"


def test_a_second_delivery_gets_the_first_answer_and_a_second_request_is_told(desk):
    first = desk.redeem(buy=2_000, key="k1")
    again = desk.elsewhere().redeem(buy=2_000, key="k1")

    assert (again.entry, again.credited_micros, again.replayed) == (
        first.entry,
        first.credited_micros,
        True,
    )
    assert told(lambda: desk.redeem(buy=2_000, key="k2")) == "coupon_already_redeemed"
    assert (state(desk), desk.charged()) == ((1, 0, 2_500), 2_000)


@pytest.mark.parametrize(
    ("buy", "is_enough"),
    [(999, False), (1_000, True), (1_000_000, True), (1_000_001, False)],
)
def test_a_purchase_is_from_ten_to_ten_thousand(desk, buy, is_enough):
    if is_enough:
        assert told(lambda: desk.redeem(buy=buy)) == "done"
        return
    before = desk.caller.stored()
    with pytest.raises(InvalidField) as refused:
        desk.redeem(buy=buy)
    assert refused.value.param == "purchase_amount"
    assert (desk.caller.stored(), desk.charged()) == (before, 0)


@pytest.mark.parametrize(("buy", "is_enough"), [(4_999, False), (5_000, True), (5_001, True)])
def test_a_purchase_is_large_enough_for_the_coupon(desk, buy, is_enough):
    desk.change(min_purchase_micros=5_000 * CENT)

    if is_enough:
        assert told(lambda: desk.redeem(buy=buy)) == "done"
        return
    with pytest.raises(InvalidField) as refused:
        desk.redeem(buy=buy)
    assert refused.value.param == "purchase_amount"
    assert desk.charged() == 0


@pytest.mark.parametrize(
    "facts", [{"active": False}, {"max_redemptions": 0}], ids=["switched off", "exhausted"]
)
def test_a_coupon_that_is_not_good_charges_nobody_and_is_a_guess(desk, facts):
    desk.change(**facts)

    assert told(lambda: desk.redeem(buy=2_000)) in ("coupon_invalid", "coupon_exhausted")
    assert (desk.charged(), desk.payments(), desk.misses()) == (0, [], 1)


# --- A payment that comes to nothing, or is long ------------------------------------------------


def test_a_decline_gives_the_coupon_back_and_another_card_can_have_it(desk):
    with pytest.raises(PaymentDeclined) as first:
        desk.redeem(buy=2_000, card=DECLINED, key="k1")
    assert (state(desk), desk.charged()) == ((0, 0, 0), 0)
    with pytest.raises(PaymentDeclined) as again:
        desk.redeem(buy=2_000, card=DECLINED, key="k1")
    assert again.value.details == first.value.details

    assert told(lambda: desk.redeem(buy=2_000, key="k2")) == "done"
    with pytest.raises(PaymentDeclined):
        desk.redeem(buy=2_000, card=DECLINED, key="k1")
    assert (state(desk), desk.charged()) == ((1, 0, 2_500), 2_000)
    assert sound(desk)


def test_a_card_that_there_is_not_reserves_nothing(desk):
    before = desk.caller.stored()

    with pytest.raises(PaymentMethodNotFound):
        desk.redeem(buy=2_000, card="pm_nobodys")

    assert [item for item in desk.caller.stored() if item["sk"]["S"].startswith("REDEM")] == []
    assert desk.coupon().redeemed == 0
    assert before == desk.caller.stored()


def test_while_the_cards_owner_has_to_confirm_the_coupon_is_reserved(desk):
    redeemed = desk.redeem(buy=2_000, card=ASKS, key="k1")

    assert (redeemed.entry, redeemed.credited_micros) == (None, 0)
    assert redeemed.outcome is not None
    assert redeemed.outcome.client_secret
    assert (state(desk), desk.charged()) == ((1, 1, 0), 0)
    assert desk.validate().reason == "coupon_reserved"
    with pytest.raises(CouponReserved) as refused:
        desk.redeem(buy=2_000, key="k2")
    assert refused.value.details == {"payment_id": redeemed.outcome.payment.id}
    assert desk.misses() == 0
    assert sound(desk)


ENDS: dict[str, tuple[Callable[[Desk], object], tuple[int, int, int]]] = {
    "confirmed": (Desk.confirm, (1, 0, 2_500)),
    "not confirmed": (partial(Desk.confirm, is_done=False), (0, 0, 0)),
}


@pytest.mark.parametrize(("end", "left"), ENDS.values(), ids=ENDS)
@pytest.mark.parametrize("order", list(permutations(["same request", "look", "event"])), ids=str)
def test_whoever_hears_of_the_end_first_it_is_one(desk, end, left, order):
    desk.redeem(buy=2_000, card=ASKS, key="k1")
    end(desk)
    (paid,) = desk.payments()
    desk = desk.elsewhere(now=desk.caller.now + MINUTE)
    ways = {
        "same request": lambda: told(
            partial(desk.elsewhere().redeem, buy=2_000, card=ASKS, key="k1")
        ),
        "look": lambda: desk.elsewhere().look(),
        "event": lambda: payments.fulfil(
            desk.elsewhere().caller.store,
            desk.stripes,
            "live",
            paid.payment_intent_id,
            now=desk.caller.now,
        ),
    }

    for name in (*order, *order):
        ways[name]()

        assert state(desk) == left, name
        assert sound(desk)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(("end", "left"), ENDS.values(), ids=ENDS)
def test_however_the_news_of_the_end_meet_it_is_one(desk, end, left, seed):
    desk.redeem(buy=2_000, card=ASKS, key="k1")
    end(desk)
    desk = desk.elsewhere(now=desk.caller.now + MINUTE)
    works = [partial(told, desk.elsewhere().look) for _ in range(3)]
    works.append(partial(told, partial(desk.elsewhere().redeem, buy=2_000, card=ASKS, key="k1")))

    interleave(works, seed=seed)

    assert state(desk) == left
    assert sound(desk)


def test_a_payment_that_nobody_confirms_is_given_up_and_gives_the_coupon_back(desk):
    desk.redeem(buy=2_000, card=ASKS)
    for days in (1, 7, 8, 9):
        later = desk.elsewhere(now=desk.caller.now + days * DAY)
        later.sweep()

        assert state(later) == ((1, 1, 0) if days < 8 else (0, 0, 0))
        assert sound(desk)


@pytest.mark.parametrize(
    ("facts", "bonus"),
    [({}, 500), ({"active": False}, 0), ({"max_redemptions": 0}, 0)],
    ids=["still good", "switched off", "exhausted"],
)
def test_money_that_comes_after_a_failure_has_the_coupon_again_if_it_is_good(desk, facts, bonus):
    desk.redeem(buy=2_000, card=ASKS, key="k1")
    (intent,) = desk.provider.counter("live").every("payment_intent")
    desk.confirm(is_done=False)
    desk = desk.elsewhere(now=desk.caller.now + MINUTE)
    desk.look()
    assert state(desk) == (0, 0, 0)
    desk.change(**facts)

    # With the client secret, the payer's browser tries another card.
    desk.stripes("live").payment_intents.confirm(
        intent["id"], key="another", payment_method_id="pm_card_visa"
    )
    assert payments.fulfil(
        desk.caller.store, desk.stripes, "live", intent["id"], now=desk.caller.now
    )

    assert state(desk) == (bool(bonus), 0, 2_000 + bonus)
    assert sound(desk)


def test_a_wallet_that_is_full_takes_the_money_and_no_bonus_and_the_coupon_is_not_used(desk):
    # The introductory credit is a lot, too.
    for number in range(199):
        desk.make(1, code=f"LITTLE-{number}")
        desk.redeem(f"LITTLE-{number}")

    redeemed = desk.redeem(buy=2_000)

    assert redeemed.credited_micros == 0
    assert desk.coupon().redeemed == 0
    assert desk.charged() == 2_000
    assert state(desk) == (199, 0, 199 + 2_000)
    assert sound(desk)


# --- Races ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", SEEDS)
def test_exactly_as_many_buy_with_a_coupon_as_it_is_for_and_nobody_else_pays(desk, seed):
    desk.change(max_redemptions=2)
    works = [partial(told, partial(desk.of(name).redeem, buy=2_000)) for name in PEOPLE[:4]]

    run = interleave(works, seed=seed)

    answers = Counter(each.value for each in run.outcomes)
    assert answers == {"done": 2, "coupon_exhausted": 2}
    assert (desk.coupon().redeemed, desk.uses(), desk.reserved()) == (2, 2, [])
    assert desk.charged() == 2 * 2_000
    assert sound(desk)


@pytest.mark.parametrize("seed", SEEDS)
def test_an_account_that_buys_many_times_at_once_has_one_bonus_and_pays_once(desk, seed):
    works = [partial(told, partial(desk.elsewhere().redeem, buy=2_000)) for _ in range(4)]

    run = interleave(works, seed=seed)

    answers = Counter(each.value for each in run.outcomes)
    assert answers["done"] == 1
    assert answers.keys() <= {"done", "coupon_already_redeemed", "coupon_reserved"}
    assert (state(desk), desk.charged()) == ((1, 0, 2_500), 2_000)
    assert sound(desk)


@pytest.mark.parametrize("seed", SEEDS)
def test_deliveries_of_one_request_buy_once(desk, seed):
    works = [partial(told, partial(desk.elsewhere().redeem, buy=2_000, key="k1")) for _ in range(3)]

    run = interleave(works, seed=seed)

    assert {each.value for each in run.outcomes} <= {"done", "done again"}
    assert (state(desk), desk.charged()) == ((1, 0, 2_500), 2_000)
    assert sound(desk)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_last_one_goes_to_whoever_can_pay_sooner_or_later(desk, seed):
    desk.change(max_redemptions=1)
    bob = desk.of("bob")
    works = [
        partial(told, partial(desk.elsewhere().redeem, buy=2_000, card=DECLINED)),
        partial(told, partial(bob.redeem, buy=2_000)),
    ]

    run = interleave(works, seed=seed)

    declined, paid = (each.value for each in run.outcomes)
    assert declined in ("payment_declined", "coupon_exhausted")
    if paid != "done":
        assert paid == "coupon_exhausted"
        assert told(partial(bob.redeem, buy=2_000)) == "done"
    assert (desk.uses(), desk.reserved(), desk.charged()) == (1, [], 2_000)
    assert sound(desk)


# --- Faults --------------------------------------------------------------------------------------


def calls_of(card: str) -> tuple[int, int]:
    """How many calls of the table and of Stripe an undisturbed purchase makes."""
    desk = Desk()
    desk.make(500, kind="bonus")
    first = desk.caller.simulator.call_count
    told(partial(desk.redeem, buy=2_000, card=card))
    return desk.caller.simulator.call_count - first, desk.doors["live"].calls


def asked_until_answered(desk: Desk, card: str) -> str:
    """What a client is told in the end that asks again under its key as long as it must."""
    for _ in range(6):
        try:
            return told(partial(desk.elsewhere().redeem, buy=2_000, card=card, key="k1"))
        except ProcessKilled:
            continue
    raise AssertionError("no definite answer")


def settled(desk: Desk) -> None:
    """Sweep what is due, for as long as something is."""
    for hours in (1, 2, 24, 24 * 9):
        later = desk.elsewhere(now=desk.caller.now + timedelta(hours=hours))
        later.sweep()


CARDS = {
    "pm_card_visa": ("done", (1, 0, 2_500), 2_000),
    DECLINED: ("payment_declined", (0, 0, 0), 0),
}


@pytest.mark.parametrize("card", CARDS)
@pytest.mark.parametrize("fault", EVERY_FAULT, ids=str)
def test_whatever_call_of_the_table_fails_there_is_one_purchase_and_one_use(card, fault):
    answer, left, charged = CARDS[card]
    for number in range(calls_of(card)[0]):
        desk = Desk()
        desk.make(500, kind="bonus")
        calls = desk.caller.simulator
        calls.faults = {calls.call_count + number: fault}

        heard = asked_until_answered(desk, card)
        if heard in ("unavailable", "stripe_unavailable"):
            calls.faults = {}
            heard = asked_until_answered(desk, card)

        calls.faults = {}
        assert heard.removesuffix(" again") == answer, number
        assert (state(desk), desk.charged()) == (left, charged), number
        assert sound(desk), number


@pytest.mark.parametrize("card", CARDS)
@pytest.mark.parametrize("when", ["before", "after"])
def test_whatever_call_of_stripe_fails_there_is_one_purchase_and_one_use(card, when):
    answer, left, charged = CARDS[card]
    for number in range(calls_of(card)[1]):
        desk = Desk()
        desk.make(500, kind="bonus")
        desk.stripes("live")
        desk.doors["live"].plan = {number: when}

        heard = told(partial(desk.redeem, buy=2_000, card=card, key="k1"))

        assert sound(desk), number
        assert heard in (answer, "stripe_unavailable"), number
        heard = told(partial(desk.elsewhere().redeem, buy=2_000, card=card, key="k1"))
        assert heard.removesuffix(" again") == answer, number
        assert (state(desk), desk.charged()) == (left, charged), number
        assert sound(desk), number


@pytest.mark.parametrize("card", [*CARDS, ASKS])
@pytest.mark.parametrize("fault", [KILLED_BEFORE, KILLED_AFTER], ids=str)
def test_if_nobody_asks_again_the_sweeper_ends_what_was_begun(card, fault):
    for number in range(calls_of(card)[0]):
        desk = Desk()
        desk.make(500, kind="bonus")
        calls = desk.caller.simulator
        calls.faults = {calls.call_count + number: fault}
        with suppress(ProcessKilled):
            told(partial(desk.redeem, buy=2_000, card=card, key="k1"))
        calls.faults = {}
        assert sound(desk), number

        settled(desk)

        uses, reserved, _ = state(desk)
        assert reserved == 0, number
        assert uses == (desk.charged() > 0), number
        assert desk.caller.balance()[0] >= desk.charged() + 500 * uses
        assert sound(desk), number


def test_what_was_swept_before_it_was_sent_again_has_its_coupon_again(desk):
    desk.stripes("live")
    desk.doors["live"].plan = dict.fromkeys(range(20), "before")
    with pytest.raises(StripeUnavailable):
        desk.redeem(buy=2_000, key="k1")
    # The customer is made first, so nothing was begun.
    assert desk.payments() == []
    desk.doors["live"].plan = {}
    desk.save_card()
    desk.doors["live"].plan = {desk.doors["live"].calls + 1: "before"}
    assert told(partial(desk.redeem, buy=2_000, key="k1")) == "stripe_unavailable"
    assert state(desk) == (1, 1, 0)
    later = desk.elsewhere(now=desk.caller.now + 10 * MINUTE)
    later.sweep()
    assert [each.status for each in desk.payments()] == ["failed"]
    assert state(desk) == (0, 0, 0)

    assert told(partial(later.redeem, buy=2_000, key="k1")) == "done again"

    assert (state(desk), desk.charged()) == ((1, 0, 2_500), 2_000)
    assert sound(desk)


def test_what_was_swept_is_not_sent_again_without_its_coupon(desk):
    desk.save_card()
    desk.doors["live"].plan = {desk.doors["live"].calls + 1: "before"}
    assert told(partial(desk.redeem, buy=2_000, key="k1")) == "stripe_unavailable"
    later = desk.elsewhere(now=desk.caller.now + 10 * MINUTE)
    later.sweep()
    desk.change(active=False)

    with pytest.raises(Refusal) as refused:
        later.redeem(buy=2_000, key="k1")

    assert refused.value.code == "coupon_invalid"
    assert (state(desk), desk.charged()) == ((0, 0, 0), 0)


def test_a_payment_of_another_tenant_is_not_ours(desk):
    desk.redeem(buy=2_000)

    assert {each.tenant for each in desk.payments()} == {LIVE}
