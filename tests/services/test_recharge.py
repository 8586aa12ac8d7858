"""Auto-recharge with the provider: deliveries that meet, break in the middle, or come too late."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from holdfast.audit import audit_items
from holdfast.domain import recharge as rules
from holdfast.domain.accounts import owner_of
from holdfast.domain.ledger import Change
from holdfast.domain.payments import Payment
from holdfast.domain.recharge import LOOK_AFTER, AutoRecharge
from holdfast.domain.recharge_attempts import Attempt
from holdfast.errors import (
    AccountNotFound,
    AutoRechargeOff,
    InvalidField,
    NoPaymentMethod,
    PaymentMethodInUse,
    StripeUnavailable,
    Unavailable,
)
from holdfast.services import auto_recharge, cards, disputes, recharge
from holdfast.services.accounts import system_once
from holdfast.services.wallet import withdraw
from local.stripe import disputes as banks
from tests.domain.samples import HOUR, MILLISECOND, NOW
from tests.services.caller import CENT, LIVE, by_id
from tests.services.refills import ASKS, DEAD, Refill, cents, low
from tests.simulator.faults import THROTTLED
from tests.simulator.scheduler import interleave

DAY = timedelta(days=1)
SEEDS = range(25)


def down(*_: object, **asked: object) -> Any:
    raise StripeUnavailable(outcome_unknown=True)


# --- On and off -----------------------------------------------------------------------------------


def test_without_a_card_it_is_not_switched_on_and_nothing_is_written():
    refill = Refill()

    with pytest.raises(NoPaymentMethod):
        refill.switch_on()

    assert refill.caller.stored() == []


def test_an_amount_that_is_out_of_bounds_is_told_before_that_a_card_is_missing():
    with pytest.raises(InvalidField):
        Refill().switch_on(amount=499)


def test_a_second_delivery_of_switching_it_on_is_answered_the_same():
    refill = low()
    first = refill.switch_on(500, 700, "k1")
    refill.switch_on(800, 900)

    again = refill.elsewhere().switch_on(500, 700, "k1")

    assert (again.settings, again.replayed) == (first.settings, True)
    assert refill.settings.threshold_micros == 800 * CENT


def test_switching_it_off_twice_is_switching_it_off():
    refill = low()

    assert not refill.switch_off().settings.enabled
    stored = refill.caller.stored()
    assert not refill.switch_off().settings.enabled
    assert refill.caller.stored() == stored
    assert refill.recharge() is None
    assert refill.at_stripe() == []


def test_a_wallet_keeps_its_mark_through_all_that_moves_its_money():
    refill = low()
    caller = refill.caller
    hold_id = caller.hold(100)

    caller.capture(hold_id, 50)
    caller.deposit(100)
    withdraw(
        caller.store, caller.owner, amount_micros=50 * CENT, currency="usd", once=caller.once()
    )

    assert caller.wallet().recharge_below_micros == 1_000 * CENT


def test_the_last_card_is_not_removed_while_it_is_charged():
    refill = low()
    (method,) = cards.cards(
        refill.caller.store, refill.provider.gateway, refill.caller.owner, now=NOW
    )
    remove = partial(
        cards.remove_card,
        refill.caller.store,
        refill.provider.gateway,
        refill.caller.owner,
        card_id=method.method.id,
    )
    before = refill.caller.stored()

    with pytest.raises(PaymentMethodInUse):
        remove(once=refill.caller.once())

    assert refill.caller.stored() == before
    refill.switch_off()
    assert not remove(once=refill.caller.once()).record.active


# --- One attempt ----------------------------------------------------------------------------------


def test_a_low_wallet_is_recharged_once_and_is_not_low_any_more():
    refill = low()

    made = refill.recharge()

    assert made is not None
    assert (made.status, made.balance_before_micros, made.balance_after_micros) == (
        "succeeded",
        500 * CENT,
        2_500 * CENT,
    )
    assert (refill.available(), refill.recharge()) == (2_500, None)
    assert cents(refill.at_stripe()) == [2_000]
    assert audit_items(refill.caller.stored()) == []


@pytest.mark.parametrize(("used", "attempts"), [(0, 0), (1, 1)])
def test_the_threshold_itself_is_enough(used, attempts):
    refill = Refill()
    refill.save()
    refill.switch_on(threshold=1_000)
    if used:
        refill.caller.use(used)

    refill.recharge()

    assert len(refill.at_stripe()) == attempts


def test_one_charge_closes_a_debt_to_the_threshold():
    refill = low()
    refill.caller.use(4_001)

    refill.recharge()

    assert cents(refill.at_stripe()) == [4_501]
    assert refill.available() == 1_000


@pytest.mark.parametrize("seed", SEEDS)
def test_of_twenty_deliveries_at_once_one_charges(seed):
    refill = low()
    works = [refill.elsewhere() for _ in range(20)]

    interleave([each.recharge for each in works], seed=seed)

    assert refill.attempts() == [("succeeded", 2_000)]
    assert cents(refill.at_stripe()) == [2_000]
    assert refill.available() == 2_500
    assert audit_items(refill.caller.stored()) == []


@pytest.mark.parametrize("seed", SEEDS)
def test_a_wallet_that_is_used_meanwhile_is_recharged_as_often_as_it_has_to_be(seed):
    refill = low(threshold=1_000, amount=1_000)
    works: list[Callable[[], Any]] = []
    for _ in range(3):
        works += [refill.elsewhere().recharge, partial(refill.elsewhere().caller.use, 700)]

    interleave(works, seed=seed)
    refill.elsewhere().recharge()

    # 5.00 less 21.00, and back to 10.00 at least: what was charged is what was missing.
    assert 1_000 <= refill.available() < 2_000
    assert sum(cents(refill.at_stripe())) == refill.available() + 1_600
    assert audit_items(refill.caller.stored()) == []


@pytest.mark.parametrize("seed", SEEDS)
def test_a_test_and_an_image_at_once_charge_once_each_at_most(seed):
    refill = low()
    works = [refill.elsewhere() for _ in range(4)]

    interleave(
        [
            works[0].recharge,
            works[1].recharge,
            *(partial(each.try_out, "k1") for each in works[2:]),
        ],
        seed=seed,
    )

    charged = [each for each in refill.attempts() if each[0] == "succeeded"]
    assert 1 <= len(charged) <= 2
    assert len(charged) == len(refill.at_stripe())
    assert refill.settings.attempt_id == ""


@pytest.mark.parametrize("seed", SEEDS)
def test_two_accounts_with_one_dead_card_share_its_breaker(seed):
    refill = low(DEAD)
    other = refill.elsewhere(owner=owner_of(LIVE, "acme/bob"))
    other.save(DEAD)
    other.caller.use(500)
    other.switch_on()

    interleave([refill.recharge, other.recharge], seed=seed)

    assert len(refill.at_stripe()) == 1
    assert refill.breaker.attempts == 1


# --- Failing --------------------------------------------------------------------------------------


def test_a_dead_card_is_tried_after_one_hour_six_and_a_day_and_then_never_again():
    refill = low(DEAD)
    refill.recharge()
    tried = [refill.caller.now]

    for _ in range(30 * 24 * 2):
        refill.wait(timedelta(minutes=30))
        refill.recharge()
        refill.sweep()
        if len(refill.at_stripe()) > len(tried):
            tried.append(refill.caller.now)

    assert [each - NOW for each in tried] == [0 * HOUR, HOUR, 7 * HOUR, 31 * HOUR]
    assert refill.status().recovery.state == "blocked"
    assert [status for status, _ in refill.attempts()] == ["failed"] * 4
    assert refill.sweep() == 0


def test_just_before_its_time_a_card_is_left_alone_and_at_its_time_it_is_not():
    refill = low(DEAD)
    refill.recharge()

    refill.wait(HOUR - MILLISECOND)
    assert (refill.sweep(), refill.recharge()) == (0, None)
    refill.wait(MILLISECOND)
    assert refill.sweep() == 1
    assert len(refill.at_stripe()) == 2


@pytest.mark.parametrize("way_out", ["another card", "a success"])
def test_another_card_or_a_success_gets_the_account_out_of_it(way_out):
    refill = low(DEAD)
    for wait in (timedelta(0), HOUR, 6 * HOUR, DAY):
        refill.wait(wait)
        refill.recharge()
    assert refill.status().recovery.state == "blocked"

    if way_out == "another card":
        refill.save("pm_card_visa")
    else:
        refill.follow(_topup(refill))
    refill.recharge()

    if way_out == "another card":
        assert refill.available() == 2_500
        assert refill.status().recovery.state == "none"
    else:
        # It is tried once more, and declined once more.
        assert len(refill.at_stripe()) == 5
        assert refill.status().recovery.state == "retrying"


def _topup(refill: Refill) -> Payment:
    """A top-up that was paid with the same card, as it stands on the table."""
    (attempt, *_) = refill.kept(Attempt)
    payment = next(each for each in refill.kept(Payment) if each.id == attempt.payment_id)
    paid = replace(
        payment,
        id="pay_2",
        kind="topup",
        status="succeeded",
        settled_at=refill.caller.now,
        due_at=None,
        version=1,
    )
    refill.caller.store.settle(refill.caller.owner.tenant, (), Change(None, paid))
    return paid


def test_a_card_whose_owner_is_asked_waits_for_its_owner():
    refill = low(ASKS)

    refill.recharge()

    for _ in range(100):
        refill.wait(DAY)
        assert (refill.sweep(), refill.recharge()) == (0, None)
    found = refill.status()
    assert found.recovery.required_action == "complete_authentication"
    assert found.client_secret == refill.at_stripe()[0]["client_secret"]


def _disputed(refill: Refill) -> Callable[[str], None]:
    """The bank takes the one payment there is back; what is returned tells how that goes on."""
    counter = refill.provider.counter("live")
    (charge,) = counter.every("charge")
    dispute = banks.open_dispute(counter, charge)

    def goes_on(status: str) -> None:
        dispute["status"] = status
        gateway, now = refill.provider.gateway, refill.caller.now
        disputes.take_in(refill.caller.store, gateway, "live", dispute["id"], now=now)

    goes_on("needs_response")
    return goes_on


def test_the_card_that_takes_a_payment_back_is_not_charged_for_what_it_took():
    refill = low()
    refill.recharge()

    goes_on = _disputed(refill)
    refill.wait(HOUR)
    assert (refill.available(), refill.recharge()) == (500, None)
    goes_on("lost")
    refill.wait(DAY)

    assert refill.recharge() is None
    assert refill.try_out().reason == rules.DISPUTED
    assert cents(refill.at_stripe()) == [2_000]
    assert refill.status().recovery.required_action == "add_funds"
    assert audit_items(refill.caller.stored()) == []


@pytest.mark.parametrize("way_out", ["won", "paid"])
def test_a_dispute_that_is_won_or_a_payment_after_one_that_was_lost_is_the_way_out(way_out):
    refill = low()
    refill.recharge()
    goes_on = _disputed(refill)
    goes_on("won" if way_out == "won" else "lost")
    refill.caller.use(2_200)

    if way_out == "paid":
        assert refill.recharge() is None
        refill.wait(HOUR)
        refill.follow(_topup(refill))
    else:
        refill.recharge()

    assert [status for status, _ in refill.attempts()].count("succeeded") == 2


def test_a_wallet_that_was_seen_before_an_attempt_ended_starts_none():
    refill = low()
    caller, settings = refill.caller, refill.settings
    once = system_once(LIVE, f"recharge {caller.owner.account_id} {settings.version}", NOW)
    seen = recharge.look(caller.store, caller.owner, settings, now=NOW)
    other = refill.elsewhere()
    other.switch_on(900)
    other.recharge()

    begun = recharge.begin(caller.store, seen, once, trigger="threshold", asked=False)

    assert isinstance(begun.record, AutoRecharge)
    assert refill.attempts() == [("succeeded", 2_000)]
    assert refill.settings.attempt_id == ""


def test_new_settings_try_a_card_again_that_asked_for_its_owner():
    refill = low(ASKS)
    refill.recharge()

    refill.switch_on(threshold=900)
    refill.wait(HOUR)
    refill.recharge()

    assert len(refill.at_stripe()) == 2


def test_where_the_card_is_gone_one_skipped_attempt_says_so():
    refill = low()
    (method,) = refill.provider.counter("live").every("payment_method")
    counter = refill.provider.gateway("live").cards
    counter.detach(method["id"], key="elsewhere")
    cards.cards(refill.caller.store, refill.provider.gateway, refill.caller.owner, now=NOW)

    for _ in range(5):
        refill.recharge()

    assert refill.attempts() == [("skipped", 2_000)]
    assert refill.status().recovery.reason == "no_payment_method"


def test_a_card_that_is_gone_at_the_provider_alone_is_left_alone_as_a_dead_one_is():
    refill = low()
    (method,) = refill.provider.counter("live").every("payment_method")
    refill.provider.gateway("live").cards.detach(method["id"], key="elsewhere")

    for _ in range(40 * 24):
        refill.recharge()
        refill.sweep()
        refill.wait(HOUR)

    assert [status for status, _ in refill.attempts()] == ["failed"] * 4
    assert {each.failure_code for each in refill.kept(Attempt)} == {"payment_method_not_found"}
    assert (refill.settings.attempt_id, refill.at_stripe()) == ("", [])
    assert refill.status().recovery.required_action == "update_payment_method"


# --- Caps -----------------------------------------------------------------------------------------


def test_a_day_has_its_cap_and_so_has_a_month():
    refill = low()

    for _ in range(40 * 12):
        refill.caller.use(2_000)
        refill.recharge()
        refill.sweep()
        refill.wait(2 * HOUR)

    charged: Counter[str] = Counter()
    for attempt in refill.kept(Attempt):
        if attempt.status == "succeeded":
            charged[f"{attempt.created_at:%Y-%m-%d}"] += attempt.amount_micros // CENT
            charged[f"{attempt.created_at:%Y-%m}"] += attempt.amount_micros // CENT
    days = [told for window, told in charged.items() if len(window) == len("2026-11-21")]
    assert max(days) == charged["2026-12-01"] == 8_000
    assert charged["2026-12"] == 40_000
    assert charged["2026-11"] <= 40_000
    assert sum(days) == sum(cents(refill.at_stripe()))
    skipped = [each for each in refill.kept(Attempt) if each.status == "skipped"]
    assert {each.reason for each in skipped} == {rules.DAILY_CAP, rules.MONTHLY_CAP}
    assert len(skipped) < 20


def test_at_midnight_what_the_cap_held_back_is_charged_without_anybody_there():
    refill = low()
    refill.caller.use(20_000)
    refill.recharge()
    assert cents(refill.at_stripe()) == [8_000]

    refill.wait(DAY)
    refill.sweep()

    assert cents(refill.at_stripe()) == [8_000, 8_000]


# --- Breaking in the middle -----------------------------------------------------------------------


def test_an_attempt_whose_payment_nobody_answered_for_is_found_paid_later(monkeypatch):
    refill = low()
    payments_of = refill.provider.gateway("live").payment_intents
    create = payments_of.create

    def lost(**asked: Any) -> Any:
        create(**asked)
        down()

    monkeypatch.setattr(payments_of, "create", lost)
    refill.recharge()
    monkeypatch.undo()
    assert refill.attempts() == [("pending", 2_000)]
    assert refill.recharge() is None

    refill.wait(LOOK_AFTER)
    assert refill.sweep() == 1

    assert refill.attempts() == [("succeeded", 2_000)]
    assert cents(refill.at_stripe()) == [2_000]
    assert (refill.available(), refill.sweep()) == (2_500, 0)


def test_while_the_provider_is_down_an_attempt_waits_and_is_looked_after_again(monkeypatch):
    refill = low()
    payments_of = refill.provider.gateway("live").payment_intents
    monkeypatch.setattr(payments_of, "create", down)
    monkeypatch.setattr(payments_of, "find", down)
    refill.recharge()
    refill.wait(LOOK_AFTER)

    with pytest.raises(StripeUnavailable):
        refill.sweep()

    monkeypatch.undo()
    assert refill.attempts() == [("pending", 2_000)]
    assert refill.sweep() == 1


@pytest.mark.parametrize("switched_off", [False, True])
def test_an_attempt_that_broke_before_its_payment_is_made_later_or_given_up(switched_off):
    refill = low()
    broken = refill.caller.simulator
    begun = []

    def breaks(number: int, method: str) -> Any:
        begun.append(method)
        is_second = begun.count("transact_write_items") > 1
        return THROTTLED if is_second and method == "transact_write_items" else None

    broken.faults = breaks
    with pytest.raises(Unavailable):
        refill.recharge()
    broken.faults = lambda number, method: None
    assert refill.attempts() == [("pending", 2_000)]
    assert refill.at_stripe() == []
    if switched_off:
        refill.switch_off()

    refill.wait(LOOK_AFTER)
    refill.sweep()

    if switched_off:
        assert (refill.attempts(), refill.at_stripe()) == ([("skipped", 2_000)], [])
    else:
        assert refill.attempts() == [("succeeded", 2_000)]
        assert refill.available() == 2_500
    assert refill.settings.attempt_id == ""


# --- Tests ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("simulated", "status", "code"),
    [
        ("success", "succeeded", ""),
        ("card_declined", "failed", "card_declined"),
        ("requires_action", "requires_action", "authentication_required"),
        (None, "succeeded", ""),
    ],
)
def test_a_rehearsal_is_written_down_and_charges_nothing(simulated, status, code):
    refill = low()
    settings, available = refill.settings, refill.available()

    attempt = refill.rehearse(simulated)

    assert (attempt.trigger, attempt.status, attempt.failure_code) == ("test", status, code)
    assert attempt.reason == rules.BELOW
    assert (refill.at_stripe(), refill.settings) == ([], settings)
    assert refill.available() == available
    assert refill.kept(Attempt) == [attempt]


def test_a_rehearsal_with_enough_in_the_wallet_is_skipped():
    refill = low(threshold=400)

    attempt = refill.rehearse()

    assert (attempt.status, attempt.reason) == ("skipped", rules.ABOVE)


def test_a_real_test_charges_once_whatever_is_left_and_however_often_it_is_delivered():
    refill = low(threshold=400)

    first = refill.try_out("k1")
    again = refill.elsewhere().try_out("k1")

    assert (first.status, first.reason) == ("succeeded", rules.ASKED)
    assert again == first
    assert cents(refill.at_stripe()) == [2_000]


def test_a_real_test_with_a_dead_card_counts_and_the_next_one_is_told_to_wait():
    refill = low(DEAD)

    first, second = refill.try_out(), refill.try_out()

    assert (first.status, first.failure_code) == ("failed", "card_declined")
    assert (second.status, second.reason) == ("skipped", rules.BACKING_OFF)
    assert len(refill.at_stripe()) == 1


@pytest.mark.parametrize("ask", [Refill.rehearse, Refill.try_out])
def test_what_is_not_switched_on_is_not_tested(ask):
    refill = low()
    refill.switch_off()
    before = refill.caller.stored()

    with pytest.raises(AutoRechargeOff):
        ask(refill)

    assert refill.caller.stored() == before


@pytest.mark.parametrize(
    "ask",
    [
        Refill.switch_on,
        Refill.switch_off,
        Refill.rehearse,
        Refill.try_out,
        Refill.status,
        lambda refill: auto_recharge.attempts(
            refill.caller.store, refill.caller.owner, status=None, before=None, limit=1
        ),
    ],
)
def test_whoever_has_no_seat_in_an_account_is_told_that_there_is_none(ask):
    refill = low()
    before = refill.caller.stored()
    stranger = refill.elsewhere(owner=replace(by_id(refill.caller.owner), asker="acme/bob"))

    with pytest.raises(AccountNotFound):
        ask(stranger)

    assert (refill.caller.stored(), refill.at_stripe()) == (before, [])
