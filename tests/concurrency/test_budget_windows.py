"""Budgets across midnight and the end of a month, while holds are open and clocks disagree."""

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from holdfast.domain.budgets import DAY, KEY, MONTH, RUN, TOTAL, WORKSPACE, Budget, Scope
from holdfast.domain.clock import Instant
from holdfast.errors import BudgetExceeded
from holdfast.services import wallet
from holdfast.store import items
from tests.services.caller import CENT, Caller
from tests.simulator.scheduler import all_orders

MILLISECOND = timedelta(milliseconds=1)
HOURS = timedelta(hours=6)
MIDNIGHT = datetime(2026, 11, 22, tzinfo=UTC)
NEW_MONTH = datetime(2026, 12, 1, tzinfo=UTC)
NEW_YEAR = datetime(2027, 1, 1, tzinfo=UTC)
LIMIT = 100
"""Cents."""


def alice_at(now: Instant) -> Caller:
    alice = Caller(now=now)
    alice.wallet()
    return alice


def scope(window: str, *, kind: str = RUN, limit: int = LIMIT) -> Scope:
    account_id = Caller().owner.account_id
    return Scope(
        account_id=account_id,
        kind=kind,
        id="r1",
        limit_micros=limit * CENT,
        currency="usd",
        window=window,
    )


def hold(alice: Caller, cents: int, *scopes: Scope) -> str:
    return alice.hold(cents, expires_in=HOURS, scopes=scopes)


def charge(alice: Caller, cents: int, cap: Scope) -> Any:
    """A debit with an API key that has a cap."""
    once = replace(alice.once(), caps=(cap,))
    return wallet.use(
        alice.store, alice.owner, amount_micros=cents * CENT, currency="usd", once=once
    )


def counted(alice: Caller, window: str) -> tuple[str, int, int]:
    """A budget's window, and the cents that are spent in it and held under it, as stored."""
    records = [items.to_record(each) for each in alice.stored() if each["sk"]["S"] != "ENTRY"]
    (found,) = (each for each in records if isinstance(each, Budget) and each.window == window)
    return found.period, found.spent_micros // CENT, found.held_micros // CENT


def assert_room(alice: Caller, cents: int, *scopes: Scope) -> None:
    """There is room for so much and not for a cent more; nothing is left of the attempt."""
    # What time alone does is done first, by whoever looks.
    alice.wallet()
    before = alice.stored()
    with pytest.raises(BudgetExceeded):
        hold(alice, cents + 1, *scopes)
    assert alice.stored() == before
    if cents:
        alice.release(hold(alice, cents, *scopes))


@pytest.mark.parametrize(
    ("window", "now", "room"),
    [
        (DAY, MIDNIGHT - MILLISECOND, 0),
        (DAY, MIDNIGHT, LIMIT),
        (DAY, MIDNIGHT + MILLISECOND, LIMIT),
        (MONTH, MIDNIGHT, 0),
        (MONTH, NEW_MONTH - MILLISECOND, 0),
        (MONTH, NEW_MONTH, LIMIT),
        (MONTH, NEW_YEAR, LIMIT),
        (TOTAL, NEW_YEAR, 0),
    ],
)
def test_what_was_spent_is_forgotten_when_its_window_ends_and_not_before(window, now, room):
    limit = scope(window)
    evening = alice_at(MIDNIGHT - timedelta(seconds=1))
    evening.capture(hold(evening, LIMIT, limit), LIMIT)

    assert_room(evening.elsewhere(now=now), room, limit)


@pytest.mark.parametrize("boundary", [MIDNIGHT, NEW_MONTH, NEW_YEAR])
@pytest.mark.parametrize("window", [DAY, MONTH])
def test_a_hold_that_is_open_across_the_end_of_a_window_counts_in_both(window, boundary):
    limit = scope(window)
    evening = alice_at(boundary - MILLISECOND)
    held = hold(evening, 60, limit)
    morning = evening.elsewhere(now=boundary)

    assert_room(evening, 40, limit)
    assert_room(morning, 40, limit)
    morning.release(held)

    assert_room(morning, LIMIT, limit)


def test_a_capture_is_spent_on_the_day_on_which_it_happens():
    limit = scope(DAY)
    evening = alice_at(MIDNIGHT - MILLISECOND)
    held = hold(evening, 90, limit)
    evening.capture(held, 30, final=False)
    morning = evening.elsewhere(now=MIDNIGHT)

    assert counted(evening, DAY) == ("2026-11-21", 30, 60)
    assert_room(evening, 10, limit)
    # The thirty of yesterday are forgotten; the sixty are still held.
    assert_room(morning, 40, limit)
    morning.capture(held, 50)

    assert counted(morning, DAY) == ("2026-11-22", 50, 0)
    assert_room(morning, 50, limit)


def test_a_hold_that_takes_its_money_as_it_expires_spends_it_on_that_day():
    limit = scope(DAY)
    evening = alice_at(MIDNIGHT - HOURS + MILLISECOND)
    evening.hold(70, expires_in=HOURS, expiry_policy="capture", scopes=(limit,))
    morning = evening.elsewhere(now=MIDNIGHT + HOURS)

    morning.wallet()

    assert counted(morning, DAY) == ("2026-11-22", 70, 0)
    assert_room(morning, 30, limit)


def test_windows_of_one_hold_end_each_in_its_own_time():
    day, month, total = scope(DAY), scope(MONTH, kind=WORKSPACE), scope(TOTAL, kind=KEY)
    evening = alice_at(MIDNIGHT - MILLISECOND)
    evening.capture(hold(evening, 60, day, month, total), 60)
    morning = evening.elsewhere(now=MIDNIGHT)
    next_month = evening.elsewhere(now=NEW_MONTH)

    assert_room(evening, 40, day)
    assert_room(morning, LIMIT, day)
    assert_room(morning, 40, day, month)
    assert_room(next_month, LIMIT, day, month)
    assert_room(next_month, 40, day, month, total)


def test_a_cap_is_for_what_a_key_spends_in_its_window():
    cap = scope(DAY, kind=KEY)
    evening = alice_at(MIDNIGHT - MILLISECOND)
    charge(evening, LIMIT, cap)
    before = evening.stored()
    morning = evening.elsewhere(now=MIDNIGHT)

    with pytest.raises(BudgetExceeded) as refused:
        charge(evening, 1, cap)
    assert evening.stored() == before
    charge(morning, LIMIT, cap)

    assert refused.value.details["scope"] == "key:r1"
    assert counted(morning, DAY) == ("2026-11-22", LIMIT, 0)


def test_a_clock_before_midnight_counts_in_the_day_that_another_has_begun():
    limit = scope(DAY)
    slow = alice_at(MIDNIGHT - MILLISECOND)
    fast = slow.elsewhere(now=MIDNIGHT)
    slow.capture(hold(slow, 90, limit), 90)

    fast.capture(hold(fast, 70, limit), 70)

    # For the slow clock it is still yesterday: what it spends is today's all the same.
    assert counted(slow, DAY) == ("2026-11-22", 70, 0)
    assert_room(slow, 30, limit)
    slow.capture(hold(slow, 30, limit), 30)
    assert counted(fast, DAY) == ("2026-11-22", LIMIT, 0)
    assert_room(fast, 0, limit)
    assert_room(slow, 0, limit)


def test_two_clocks_on_two_sides_of_midnight_never_pass_the_limit_of_either_day():
    """In every order of their calls; one of them has spent most of yesterday's limit before."""
    limit = scope(DAY)

    def prepare() -> Caller:
        slow = alice_at(MIDNIGHT - MILLISECOND)
        slow.capture(hold(slow, 30, limit), 30)
        return slow

    def at(now: Instant, cents: int) -> Any:
        def spend(alice: Caller) -> Any:
            there = alice.elsewhere(now=now)
            try:
                return there.capture(hold(there, cents, limit), cents)
            except BudgetExceeded:
                return None

        return spend

    ends = set()
    for alice, run in all_orders(prepare, at(MIDNIGHT, 60), at(MIDNIGHT - MILLISECOND, 60)):
        done = [outcome.result() is not None for outcome in run.outcomes]
        period, spent, held = counted(alice, DAY)
        assert done[0] or done[1]
        assert held == 0
        assert period == ("2026-11-22" if done[0] else "2026-11-21")
        # Yesterday 30 were spent; if the slow clock came first, its 60 were yesterday's, too.
        assert spent in ({60} if done[0] else {90})
        assert spent <= LIMIT
        ends.add((tuple(done), spent))
    # The slow clock came first and was done, or was not yet; or it came second.
    assert ends == {((True, True), 60), ((False, True), 90), ((True, False), 60)}


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("window", [DAY, MONTH])
def test_whatever_clocks_say_no_window_counts_more_than_its_limit(window, seed):
    draw = random.Random(seed)
    limit = scope(window)
    boundary = MIDNIGHT if window == DAY else NEW_MONTH
    first = alice_at(boundary - HOURS)
    first.deposit(10_000)
    fleet = [first.elsewhere(), first.elsewhere(), first.elsewhere()]
    open_holds: list[tuple[str, int]] = []
    periods = []
    for step in range(60):
        # Time goes on by ten minutes a step; the clocks are up to an hour apart.
        skew = timedelta(minutes=draw.randint(-30, 30))
        alice = draw.choice(fleet)
        alice.now = boundary - HOURS / 2 + timedelta(minutes=6 * step) + skew
        try:
            if open_holds and draw.random() < 0.5:
                hold_id, cents = open_holds.pop(draw.randrange(len(open_holds)))
                taken = draw.randint(0, cents)
                alice.capture(hold_id, taken) if taken else alice.release(hold_id)
            else:
                cents = draw.randint(1, 60)
                hold_id = alice.hold(cents, expires_in=4 * HOURS, scopes=(limit,))
                open_holds.append((hold_id, cents))
        except BudgetExceeded:
            continue
        period, spent, held = counted(alice, window)
        assert spent + held <= LIMIT
        assert held == sum(cents for _, cents in open_holds)
        periods.append(period)
    assert periods == sorted(periods)
    assert len(set(periods)) == 2
