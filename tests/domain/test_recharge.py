from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.domain import recharge as rules
from holdfast.domain.disputes import Dispute
from holdfast.domain.ledger import Deed, Unchanged
from holdfast.domain.recharge import (
    AutoRecharge,
    card_to_charge,
    charged_micros,
    configured,
    disabled,
    is_disputed,
    require_spare,
    verdict,
)
from holdfast.domain.recharge_attempts import Attempt, Breaker
from holdfast.errors import AccountClosed, InvalidField, PaymentMethodInUse
from tests.domain.recharge_samples import (
    DAY,
    MAJOR,
    NOBODY,
    UNTOLD,
    UNTOUCHED,
    begun,
    card,
    having,
    in_flight,
    switched_on,
    written,
)
from tests.domain.samples import HOUR, MILLISECOND, NOW

MIDNIGHT = datetime(2026, 11, 22, tzinfo=UTC)
AGAIN: dict[str, Any] = {"threshold_micros": 5 * MAJOR, "amount_micros": 5 * MAJOR}
DECEMBER = datetime(2026, 12, 1, tzinfo=UTC)


# --- On and off -----------------------------------------------------------------------------------


def test_what_is_switched_on_marks_the_wallet_and_has_caps():
    settings, wallet = configured(
        UNTOLD, having(3), threshold_micros=10 * MAJOR, amount_micros=20 * MAJOR
    )

    assert (settings.enabled, settings.version) == (True, 1)
    assert (settings.daily_cap_micros, settings.monthly_cap_micros) == (80 * MAJOR, 400 * MAJOR)
    assert wallet == replace(
        having(3), recharge_below_micros=10 * MAJOR, version=having(3).version + 1
    )


def test_the_same_settings_again_change_nothing():
    told: dict[str, Any] = {"threshold_micros": 10 * MAJOR, "amount_micros": 20 * MAJOR}
    settings, wallet = configured(UNTOLD, having(3), **told)

    again = configured(settings, wallet, **told)

    assert again[0] is settings
    assert again[1] is wallet


@pytest.mark.parametrize(
    ("threshold", "amount", "param"),
    [
        (999_999, 5_000_000, "threshold"),
        (1_000_000, 4_999_999, "amount"),
        (10_000_000_001, 5_000_000, "threshold"),
        (1_000_000, 10_000_000_001, "amount"),
    ],
)
def test_a_threshold_or_an_amount_out_of_bounds_is_refused(threshold, amount, param):
    with pytest.raises(InvalidField) as refused:
        configured(UNTOLD, having(0), threshold_micros=threshold, amount_micros=amount)

    assert refused.value.param == param


@pytest.mark.parametrize(
    ("threshold", "amount"),
    [(1_000_000, 5_000_000), (1_000_001, 5_000_001), (10_000_000_000, 10_000_000_000)],
)
def test_the_bounds_themselves_are_allowed(threshold, amount):
    settings, _ = configured(UNTOLD, having(0), threshold_micros=threshold, amount_micros=amount)

    assert (settings.threshold_micros, settings.amount_micros) == (threshold, amount)


@pytest.mark.parametrize(
    ("daily", "monthly", "param"),
    [(19, 400, "daily_cap"), (20, 19, "monthly_cap"), (200_001, 200_001, "daily_cap")],
)
def test_a_cap_holds_one_charge_at_least_and_a_month_a_day(daily, monthly, param):
    with pytest.raises(InvalidField) as refused:
        switched_on(daily_cap=daily, monthly_cap=monthly)

    assert refused.value.param == param


def test_a_cap_of_exactly_one_charge_is_allowed():
    settings = switched_on(daily_cap=20, monthly_cap=20)

    assert (settings.daily_cap_micros, settings.monthly_cap_micros) == (20 * MAJOR, 20 * MAJOR)


def test_a_closed_account_is_not_recharged():
    closed = replace(having(3), closed=True)

    with pytest.raises(AccountClosed):
        configured(UNTOLD, closed, threshold_micros=10 * MAJOR, amount_micros=20 * MAJOR)
    assert verdict(switched_on(), closed, card(), UNTOUCHED, now=NOW).reason == rules.OFF


def test_what_is_switched_off_takes_the_mark_off_the_wallet():
    settings, wallet = configured(
        UNTOLD, having(3), threshold_micros=10 * MAJOR, amount_micros=20 * MAJOR
    )

    off, unmarked = disabled(settings, wallet)

    assert (off.enabled, off.next_at, off.version) == (False, None, 2)
    assert unmarked.recharge_below_micros is None
    assert disabled(off, unmarked) == (off, unmarked)


@pytest.mark.parametrize("change", [disabled, lambda *records: configured(*records, **AGAIN)])
def test_an_attempt_in_flight_is_followed_whatever_is_said_meanwhile(change):
    settings, attempt, _ = in_flight(switched_on())

    told, _ = change(settings, having(0))

    assert (told.attempt_id, told.next_at) == (attempt.id, settings.next_at)


def test_new_settings_keep_what_was_charged_and_forget_what_was_in_the_way():
    held = replace(
        switched_on(), held_by=rules.AUTHENTICATION, card="visa", day="2026-11-21", day_micros=7
    )

    told, _ = configured(held, having(0), **AGAIN)

    assert (told.held_by, told.day_micros) == ("", 7)


# --- The card -------------------------------------------------------------------------------------


def test_the_default_card_is_charged_unless_one_is_named():
    known = [card(), card("pm_2")]

    assert card_to_charge(switched_on(), NOBODY, known) == card()
    assert card_to_charge(replace(switched_on(), method_id="pm_2"), NOBODY, known) == card("pm_2")


def test_a_named_card_that_is_gone_is_not_replaced_by_another():
    known = [card(), card("pm_2", removed=True)]

    assert card_to_charge(replace(switched_on(), method_id="pm_2"), NOBODY, known) is None
    assert card_to_charge(switched_on(), NOBODY, [card(removed=True)]) is None


def test_the_last_card_stays_as_long_as_it_is_charged():
    with pytest.raises(PaymentMethodInUse):
        require_spare(switched_on(), NOBODY, [card()], "pm_1")
    named = replace(switched_on(), method_id="pm_1")
    with pytest.raises(PaymentMethodInUse):
        require_spare(named, NOBODY, [card(), card("pm_2")], "pm_1")


@pytest.mark.parametrize(
    ("settings", "known", "card_id"),
    [
        (switched_on(), [card(), card("pm_2")], "pm_1"),
        (UNTOLD, [card()], "pm_1"),
        (disabled(switched_on(), having(0))[0], [card()], "pm_1"),
        (replace(switched_on(), method_id="pm_1"), [card(), card("pm_2")], "pm_2"),
        (replace(switched_on(), method_id="pm_9"), [card()], "pm_1"),
    ],
    ids=["another is there", "never on", "off", "not the one", "that one is gone already"],
)
def test_any_other_card_may_go(settings, known, card_id):
    require_spare(settings, NOBODY, known, card_id)

    others = [each for each in known if each.id != card_id]
    before = card_to_charge(settings, NOBODY, known)
    after = card_to_charge(settings, NOBODY, others)
    assert after is not None or before is None or not settings.enabled


# --- Whether, and how much ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("micros", "reason"),
    [
        (10 * MAJOR - 1, rules.BELOW),
        (10 * MAJOR, rules.ABOVE),
        (10 * MAJOR + 1, rules.ABOVE),
        (-1, rules.BELOW),
    ],
)
def test_less_than_the_threshold_is_too_little_and_the_threshold_is_not(micros, reason):
    found = verdict(switched_on(), having(micros / MAJOR), card(), UNTOUCHED, now=NOW)

    assert found.reason == reason


@pytest.mark.parametrize(
    ("majors", "charged"),
    [(9, 20), (-10, 20), (-10.000001, 20.01), (-10.01, 20.01), (-25, 35), (-69, 79), (-70, 80),
     (-70.01, 80), (-500, 80)],
)  # fmt: skip
def test_one_charge_closes_the_whole_shortfall_within_the_caps(majors, charged):
    found = verdict(switched_on(), having(majors), card(), UNTOUCHED, now=NOW)

    assert found.charges
    assert found.amount_micros == round(charged * MAJOR)


@given(
    available=st.integers(-(10**9), 10**7 - 1),
    spent=st.integers(0, 80).map(lambda majors: majors * MAJOR),
    earlier=st.integers(0, 400).map(lambda majors: majors * MAJOR),
)
def test_what_is_charged_is_whole_enough_and_within_both_caps(available, spent, earlier):
    settings = replace(
        switched_on(),
        day="2026-11-21",
        day_micros=min(spent, earlier),
        month="2026-11",
        month_micros=earlier,
    )

    found = verdict(settings, having(available / MAJOR), card(), UNTOUCHED, now=NOW)

    day_left = settings.daily_cap_micros - settings.day_micros
    month_left = settings.monthly_cap_micros - settings.month_micros
    room = min(day_left, month_left)
    assert found.charges == (room >= settings.amount_micros)
    if found.charges:
        assert settings.amount_micros <= found.amount_micros <= room
        assert found.amount_micros % 10_000 == 0
        closes = having(available / MAJOR).cash_micros + found.amount_micros >= 10 * MAJOR
        assert closes or found.amount_micros == room


@pytest.mark.parametrize(
    ("day_micros", "month_micros", "reason", "until"),
    [
        (60 * MAJOR, 60 * MAJOR, rules.BELOW, None),
        (60 * MAJOR + 1, 60 * MAJOR + 1, rules.DAILY_CAP, MIDNIGHT),
        (0, 380 * MAJOR, rules.BELOW, None),
        (0, 380 * MAJOR + 1, rules.MONTHLY_CAP, DECEMBER),
        (80 * MAJOR, 400 * MAJOR, rules.MONTHLY_CAP, DECEMBER),
    ],
)
def test_a_cap_that_leaves_less_than_one_charge_waits_for_its_window(
    day_micros, month_micros, reason, until
):
    settings = replace(
        switched_on(),
        day="2026-11-21",
        day_micros=day_micros,
        month="2026-11",
        month_micros=month_micros,
    )

    found = verdict(settings, having(0), card(), UNTOUCHED, now=NOW)

    assert (found.reason, found.until) == (reason, until)


def test_a_month_ends_where_the_next_one_begins_in_any_month():
    for month in range(1, 13):
        now = datetime(2028, month, 28, 23, 59, tzinfo=UTC)
        full = replace(switched_on(), month=f"2028-{month:02d}", month_micros=400 * MAJOR)

        found = verdict(full, having(0), card(), UNTOUCHED, now=now)

        assert found.until == datetime(2028 + month // 12, month % 12 + 1, 1, tzinfo=UTC)


def test_windows_turn_at_midnight_utc_and_never_back():
    settings, _, _ = in_flight(switched_on())
    late = MIDNIGHT - MILLISECOND

    assert charged_micros(settings, "day", late) == 20 * MAJOR
    assert charged_micros(settings, "day", MIDNIGHT) == 0
    assert charged_micros(settings, "day", NOW - DAY) == 20 * MAJOR
    assert charged_micros(settings, "month", MIDNIGHT) == 20 * MAJOR
    assert charged_micros(settings, "month", DECEMBER) == 0


OPEN = Breaker(card="visa", attempts=1, attempted_at=NOW, next_at=NOW + HOUR, version=1)
BLOWN = Breaker(card="visa", attempts=4, attempted_at=NOW, version=4)
ASKED_FOR = replace(switched_on(), held_by=rules.AUTHENTICATION, card="visa")


@pytest.mark.parametrize(
    ("settings", "method", "breaker", "now", "reason"),
    [
        (UNTOLD, card(), UNTOUCHED, NOW, rules.OFF),
        (in_flight(switched_on())[0], card(), UNTOUCHED, NOW, rules.IN_FLIGHT),
        (switched_on(), None, None, NOW, rules.NO_CARD),
        (ASKED_FOR, card(), UNTOUCHED, NOW, rules.AUTHENTICATION),
        (ASKED_FOR, card("pm_2", "amex"), Breaker(card="amex"), NOW, rules.BELOW),
        (switched_on(), card(), BLOWN, NOW + 1000 * DAY, rules.BLOCKED),
        (switched_on(), card(), OPEN, NOW + HOUR - MILLISECOND, rules.BACKING_OFF),
        (switched_on(), card(), OPEN, NOW + HOUR, rules.BELOW),
    ],
    ids=["off", "in flight", "no card", "its owner is asked", "another card", "for good",
         "just before its time", "at its time"],
)  # fmt: skip
def test_what_stands_in_the_way_is_named(settings, method, breaker, now, reason):
    assert verdict(settings, having(0), method, breaker, now=now).reason == reason


@pytest.mark.parametrize(
    ("status", "paid_at", "disputed"),
    [
        ("needs_response", None, True),
        ("needs_response", NOW + DAY, True),
        ("lost", None, True),
        ("lost", NOW + HOUR, True),
        ("lost", NOW + HOUR + MILLISECOND, False),
        ("won", None, False),
        ("warning_closed", None, False),
    ],
)
def test_while_a_payment_is_disputed_nothing_is_charged_until_somebody_pays(
    status, paid_at, disputed
):
    settings = replace(switched_on(), paid_at=paid_at)

    found = is_disputed(settings, [dispute(status)])

    assert found is disputed
    told = verdict(settings, having(0), card(), UNTOUCHED, now=NOW, disputed=found)
    assert told.reason == (rules.DISPUTED if disputed else rules.BELOW)
    asked = verdict(settings, having(0), card(), UNTOUCHED, now=NOW, disputed=found, asked=True)
    assert asked.reason == told.reason


def dispute(status: str) -> Dispute:
    """A dispute in a state that it came to after an hour."""
    return Dispute(
        id="dp_1",
        account_id=switched_on().account_id,
        payment_id="pay_1",
        payment_intent_id="pi_1",
        charge_id="ch_1",
        amount_micros=MAJOR,
        currency="usd",
        owed_micros=MAJOR,
        status=status,
        reason="fraudulent",
        opened_at=NOW,
        observed_at=NOW + HOUR,
        closed_at=None if status == "needs_response" else NOW + HOUR,
        version=1,
    )


@pytest.mark.parametrize("majors", [0, 9.99, 10, 500])
def test_whoever_asks_for_it_is_recharged_whatever_is_left(majors):
    found = verdict(switched_on(), having(majors), card(), UNTOUCHED, now=NOW, asked=True)

    assert (found.charges, found.amount_micros) == (True, 20 * MAJOR)
    assert found.reason == (rules.BELOW if majors < 10 else rules.ASKED)


# --- Beginning ------------------------------------------------------------------------------------


def test_an_attempt_is_counted_before_anybody_is_asked_to_pay():
    settings, attempt, breaker = in_flight(switched_on())

    assert (attempt.status, attempt.amount_micros, attempt.card) == ("pending", 20 * MAJOR, "visa")
    assert (settings.attempt_id, settings.next_at) == (attempt.id, NOW + rules.LOOK_AFTER)
    assert (settings.day_micros, settings.month_micros) == (20 * MAJOR, 20 * MAJOR)
    assert (breaker.attempts, breaker.next_at) == (1, NOW + HOUR)


def test_with_one_in_flight_no_other_begins():
    settings, _, breaker = in_flight(switched_on())

    assert begun(settings, breaker=breaker) == Unchanged(settings)


def test_what_is_in_the_way_is_written_down_once_until_it_changes():
    blown = replace(BLOWN, card="visa")
    first = begun(switched_on(), breaker=blown)
    held = written(first, AutoRecharge)

    assert (held.held_by, held.next_at) == (rules.BLOCKED, None)
    assert written(first, Attempt).status == "skipped"
    assert begun(held, breaker=blown, key="again") == Unchanged(held)
    assert isinstance(begun(held, breaker=OPEN, key="other"), Deed)


def test_a_wallet_that_is_full_again_is_not_looked_at_any_more():
    held = written(begun(switched_on(), breaker=OPEN), AutoRecharge)
    assert held.next_at == NOW + HOUR

    early = begun(held, 10, OPEN, now=NOW + HOUR - MILLISECOND)
    due = begun(held, 10, OPEN, now=NOW + HOUR)

    assert early == Unchanged(held)
    after = written(due, AutoRecharge)
    assert (after.held_by, after.next_at) == ("", None)
    assert isinstance(due, Deed)
    assert len(due.changes) == 1


def test_whoever_asks_is_told_what_is_in_the_way_each_time():
    held = written(begun(switched_on(), breaker=BLOWN), AutoRecharge)

    asked = begun(held, breaker=BLOWN, key="asked", asked=True)

    assert isinstance(asked, Deed)
    assert written(asked, Attempt).reason == rules.BLOCKED
    assert len(asked.changes) == 1
