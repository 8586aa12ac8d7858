from collections import Counter
from dataclasses import replace
from datetime import timedelta
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.domain import recharge as rules
from holdfast.domain.budgets import DAY as DAILY
from holdfast.domain.budgets import MONTH as MONTHLY
from holdfast.domain.budgets import period_of
from holdfast.domain.payments import NOT_SENT
from holdfast.domain.recharge import AutoRecharge
from holdfast.domain.recharge_attempts import (
    ATTEMPTS_MAX,
    SOON,
    Attempt,
    Breaker,
    card_name,
    cleared,
    counted,
    taken_back,
)
from holdfast.domain.recharge_conclusions import (
    Conclusion,
    concluded,
    given_up,
    recovered,
)
from tests.domain.recharge_samples import (
    DAY,
    MAJOR,
    UNTOUCHED,
    card,
    having,
    in_flight,
    payment,
    switched_on,
)
from tests.domain.samples import HOUR, NOW

ENDED = NOW + timedelta(seconds=2)
DECLINED = {"failure_code": "card_declined", "decline_code": "generic_decline"}
UNCONFIRMED = {"failure_code": "authentication_required"}


def end(records: tuple[AutoRecharge, Attempt, Breaker], status: str, **facts: object) -> Conclusion:
    settings, attempt, breaker = records
    return concluded(
        settings,
        attempt,
        breaker,
        payment(attempt, status, **facts),
        balance_after_micros=20 * MAJOR if status == "succeeded" else None,
        now=ENDED,
    )


def again(done: Conclusion, status: str, **facts: object) -> Conclusion:
    return end((done.settings, done.attempt, done.breaker), status, **facts)


# --- The breaker ----------------------------------------------------------------------------------


def test_a_card_is_left_alone_longer_each_time_and_then_for_good():
    breaker, waits = UNTOUCHED, []

    for _ in range(ATTEMPTS_MAX):
        breaker = counted(breaker, NOW)
        waits.append(breaker.next_at and breaker.next_at - NOW)

    assert waits == [HOUR, 6 * HOUR, 24 * HOUR, None]
    assert breaker.is_off
    assert breaker.attempted_at == NOW


def test_a_success_counts_all_attempts_off_and_old_news_of_one_do_not():
    breaker = counted(counted(UNTOUCHED, NOW), NOW + HOUR)

    assert cleared(breaker, NOW + HOUR - timedelta(milliseconds=1)) is breaker
    well = cleared(breaker, NOW + HOUR)
    assert (well.attempts, well.next_at, well.version) == (0, None, 3)
    assert cleared(well, NOW + 2 * HOUR) is well
    assert cleared(UNTOUCHED, NOW) is UNTOUCHED


def test_an_attempt_that_never_got_out_is_no_mark_against_the_card():
    breaker = taken_back(counted(counted(UNTOUCHED, NOW), NOW), NOW + HOUR)

    assert (breaker.attempts, breaker.next_at) == (1, NOW + HOUR + SOON)
    assert taken_back(UNTOUCHED, NOW).attempts == 0


def test_a_card_without_a_fingerprint_is_known_by_its_id():
    assert card_name(card()) == "visa"
    assert card_name(card(fingerprint="")) == "pm_1"


# --- The end of an attempt ------------------------------------------------------------------------


def test_a_success_ends_it_and_forgets_all_failures():
    failed = end(in_flight(switched_on()), "failed", **DECLINED)
    records = in_flight(failed.settings, failed.breaker, now=NOW + HOUR, key="second")

    done = end(records, "succeeded")

    assert (done.attempt.status, done.attempt.balance_after_micros) == ("succeeded", 20 * MAJOR)
    assert (done.attempt.payment_id, done.attempt.payment_intent_id) == ("pay_1", "pi_1")
    assert (done.settings.attempt_id, done.settings.held_by, done.settings.next_at) == (
        "",
        "",
        None,
    )
    assert (done.settings.failures, done.settings.failure_code) == (0, "")
    assert done.settings.day_micros == 20 * MAJOR
    assert (done.breaker.attempts, done.breaker.next_at) == (0, None)


def test_money_that_is_not_in_the_wallet_yet_ends_nothing():
    records = in_flight(switched_on())

    done = end(records, "succeeded", entry_id="")

    assert not done.is_new
    assert (done.settings, done.attempt, done.breaker) == records


@pytest.mark.parametrize("status", ["pending", "requires_capture"])
def test_what_is_not_over_stays_in_flight(status):
    records = in_flight(switched_on())

    assert not end(records, status).is_new


@pytest.mark.parametrize(
    ("status", "facts", "told", "code"),
    [
        ("failed", DECLINED, "failed", "card_declined"),
        ("canceled", {}, "failed", "canceled"),
        ("failed", UNCONFIRMED, "requires_action", "authentication_required"),
        ("requires_action", {}, "requires_action", ""),
    ],
)
def test_a_failure_is_told_by_its_code_and_its_amount_is_free_again(status, facts, told, code):
    done = end(in_flight(switched_on()), status, **facts)

    assert (done.attempt.status, done.attempt.failure_code) == (told, code)
    assert (done.settings.day_micros, done.settings.month_micros) == (0, 0)
    assert (done.settings.failures, done.settings.failed_id) == (1, done.attempt.id)
    assert done.settings.failed_at == ENDED
    assert done.breaker.attempts == 1


@pytest.mark.parametrize(
    ("attempts", "held_by", "waits"),
    [
        (0, rules.BACKING_OFF, HOUR),
        (1, rules.BACKING_OFF, 6 * HOUR),
        (2, rules.BACKING_OFF, 24 * HOUR),
        (3, rules.BLOCKED, None),
    ],
)
def test_after_a_decline_the_next_one_waits_as_the_breaker_says(attempts, held_by, waits):
    breaker = Breaker(card="visa", attempts=attempts, version=1)

    done = end(in_flight(switched_on(), breaker), "failed", **DECLINED)

    assert done.settings.held_by == held_by
    assert done.settings.next_at == (NOW + waits if waits else None)


def test_a_bank_that_asks_for_the_owner_is_not_asked_again_without_one():
    done = end(in_flight(switched_on()), "failed", **UNCONFIRMED)

    assert (done.settings.held_by, done.settings.next_at) == (rules.AUTHENTICATION, None)


def test_what_never_reached_the_provider_says_nothing_of_the_card():
    done = end(in_flight(switched_on()), "failed", failure_code=NOT_SENT)

    assert (done.breaker.attempts, done.breaker.next_at) == (0, ENDED + SOON)
    assert (done.settings.held_by, done.settings.next_at) == (rules.BACKING_OFF, ENDED + SOON)
    assert done.settings.day_micros == 0


def test_an_attempt_without_a_payment_is_given_up():
    settings, attempt, breaker = in_flight(switched_on())

    done = given_up(settings, attempt, breaker, now=ENDED)

    assert (done.attempt.status, done.attempt.failure_code) == ("skipped", NOT_SENT)
    assert (done.settings.attempt_id, done.settings.day_micros) == ("", 0)
    assert done.breaker.attempts == 0
    assert not given_up(done.settings, done.attempt, done.breaker, now=ENDED).is_new


def test_whoever_switched_it_off_meanwhile_is_not_looked_at_again():
    settings, attempt, breaker = in_flight(switched_on())

    done = end((replace(settings, enabled=False), attempt, breaker), "failed", **DECLINED)

    assert (done.settings.attempt_id, done.settings.held_by, done.settings.next_at) == (
        "",
        "",
        None,
    )


NEWS = {
    "declined": ("failed", DECLINED),
    "asks": ("failed", UNCONFIRMED),
    "canceled": ("canceled", {}),
    "paid": ("succeeded", {}),
    "coming": ("succeeded", {"entry_id": ""}),
}


@pytest.mark.parametrize("order", list(permutations(NEWS)), ids="-".join)
def test_news_in_any_order_come_to_the_same_once_it_is_paid(order):
    done = Conclusion(*_attempt_first(in_flight(switched_on())))

    for name in (*order, *order):
        status, facts = NEWS[name]
        done = again(done, status, **facts)

    assert done.attempt.status == "succeeded"
    assert (done.settings.attempt_id, done.settings.failures) == ("", 0)
    assert (done.settings.day_micros, done.settings.month_micros) == (20 * MAJOR, 20 * MAJOR)
    assert done.breaker.attempts == 0


def _attempt_first(
    records: tuple[AutoRecharge, Attempt, Breaker],
) -> tuple[Attempt, AutoRecharge, Breaker]:
    settings, attempt, breaker = records
    return attempt, settings, breaker


def test_a_late_success_leaves_the_attempt_in_flight_by_then_alone():
    first = end(in_flight(switched_on()), "failed", **DECLINED)
    settings, second, breaker = in_flight(
        first.settings, first.breaker, now=NOW + HOUR, key="second"
    )

    done = end((settings, first.attempt, breaker), "succeeded")

    assert done.attempt.status == "succeeded"
    assert (done.settings.attempt_id, done.settings.next_at) == (second.id, settings.next_at)
    assert done.settings.day_micros == 40 * MAJOR
    assert done.breaker == breaker


def test_a_late_failure_of_an_old_attempt_changes_it_alone():
    first = end(in_flight(switched_on()), "failed", **DECLINED)
    settings, _, breaker = in_flight(first.settings, first.breaker, now=NOW + HOUR, key="second")

    done = end((settings, first.attempt, breaker), "canceled")

    assert (done.attempt.status, done.attempt.failure_code) == ("failed", "card_declined")
    assert (done.settings, done.breaker) == (settings, breaker)


def test_an_amount_that_was_counted_in_another_window_is_not_taken_from_this_one():
    settings, attempt, breaker = in_flight(switched_on())
    later = replace(settings, day="2026-11-22", day_micros=5, month="2026-12", month_micros=6)

    done = end((later, attempt, breaker), "failed", **DECLINED)

    assert (done.settings.day_micros, done.settings.month_micros) == (5, 6)


# --- Paid in another way --------------------------------------------------------------------------


def test_a_payment_by_card_gets_the_account_out_of_it():
    failed = end(in_flight(switched_on()), "failed", **UNCONFIRMED)
    paid = payment(failed.attempt, "succeeded", settled_at=ENDED)

    well = recovered(failed.settings, paid)

    assert (well.failures, well.held_by, well.failed_at) == (0, "", None)
    assert well.version == failed.settings.version + 1
    assert recovered(well, paid) is well


def test_old_news_of_a_payment_do_not():
    failed = end(in_flight(switched_on()), "failed", **UNCONFIRMED)
    before = payment(failed.attempt, "succeeded", settled_at=ENDED - timedelta(seconds=1))

    told = recovered(failed.settings, before)

    assert (told.failures, told.held_by) == (1, rules.AUTHENTICATION)
    assert recovered(told, before) is told


def test_an_attempt_in_flight_is_not_over_because_another_payment_is():
    settings, attempt, _ = in_flight(switched_on())

    after = recovered(settings, payment(attempt, "succeeded"))

    assert (after.attempt_id, after.next_at) == (attempt.id, settings.next_at)


# --- Whatever happens -----------------------------------------------------------------------------

events = st.sampled_from(["image", "paid", "declined", "asks", "not sent", "hour", "day", "top-up"])


@given(st.lists(events, max_size=60))
def test_whatever_happens_the_caps_hold_and_a_dead_card_is_tried_four_times_at_most(happened):
    settings, breaker, now = switched_on(), UNTOUCHED, NOW
    flying: Attempt | None = None
    charged: Counter[str] = Counter()
    row = 0
    for number, event in enumerate(happened):
        if event in ("hour", "day"):
            now += HOUR if event == "hour" else DAY
        elif event == "top-up":
            done = payment(in_flight(switched_on())[1], "succeeded", settled_at=now)
            settings, breaker, row = recovered(settings, done), cleared(breaker, now), 0
        elif event == "image" and flying is None:
            found = rules.verdict(settings, having(0), card(), breaker, now=now)
            if found.charges:
                settings, flying, breaker = in_flight(settings, breaker, now=now, key=str(number))
                row += 1
        elif event in _ENDS and flying is not None:
            status, facts = _ENDS[event]
            came = payment(flying, status, **facts)
            ended = concluded(settings, flying, breaker, came, balance_after_micros=None, now=now)
            settings, breaker = ended.settings, ended.breaker
            if status == "succeeded":
                charged[period_of(DAILY, flying.created_at)] += flying.amount_micros
                charged[period_of(MONTHLY, flying.created_at)] += flying.amount_micros
                row = 0
            row -= event == "not sent"
            flying = None

        assert row <= ATTEMPTS_MAX
        assert settings.attempt_id == (flying.id if flying else "")
        assert settings.day_micros >= 0
        for window, micros in charged.items():
            is_day = len(window) == len("2026-11-21")
            assert micros <= (settings.daily_cap_micros if is_day else settings.monthly_cap_micros)


_ENDS = {
    "paid": ("succeeded", {}),
    "declined": ("failed", DECLINED),
    "asks": ("failed", UNCONFIRMED),
    "not sent": ("failed", {"failure_code": NOT_SENT}),
}
