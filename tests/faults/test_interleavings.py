"""Operations on one wallet at once: every order of their calls is as good as a serial one.

As good means: the same table, to the byte, and the same answers. So nothing is lost or doubled, and
nobody is refused for a reason that no serial order gives.
"""

import random
from collections.abc import Callable
from functools import cache
from itertools import combinations_with_replacement, groupby

import pytest

from tests.faults import world as ask
from tests.faults.meetings import COLD, STARTS, Meeting, Past
from tests.faults.world import MAJOR, Step

HOUR = 3600.0
JUST_BEFORE = HOUR - 0.001
"""Clocks differ: who sweeps says the hold has expired, who captures says it has not quite."""

RANDOM_ORDERS = 150
MEETINGS = 20

# 3.00 of cash is free, the hold has 30.00 left. Lots of 3.00 expire with it.
_GIVEN = (
    ask.use("spend the credit", 10 * MAJOR),
    ask.deposit("fund", 42 * MAJOR),
    ask.use("work", 12 * MAJOR),
    ask.deposit("expiring", 3 * MAJOR, expires_in_seconds=HOUR),
    ask.place_hold("other hold", 3 * MAJOR, seconds=2 * HOUR),
    ask.deposit("expiring too", 3 * MAJOR, expires_in_seconds=HOUR),
    ask.place_hold("hold", 30 * MAJOR, over_capture="overdraft"),
)
# What another environment has done since: 12.00 are free, and a memory of the above is wrong.
_SINCE = (
    ask.deposit("12 more", 12 * MAJOR),
    ask.extend("5 more", 5 * MAJOR, of="hold"),
    ask.capture("5 less", 5 * MAJOR, of="hold"),
    ask.refund("2 back", 2 * MAJOR, of="work"),
)

OPERATIONS: dict[str, Callable[[str], Step]] = {
    "deposit": lambda key: ask.deposit(key, 7 * MAJOR, at=JUST_BEFORE),
    "usage": lambda key: ask.use(key, 6 * MAJOR, at=JUST_BEFORE),
    "withdraw": lambda key: ask.withdraw(key, 9 * MAJOR, at=JUST_BEFORE),
    "hold": lambda key: ask.place_hold(key, 10 * MAJOR, at=JUST_BEFORE),
    "capture": lambda key: ask.capture(key, 16 * MAJOR, of="hold", at=JUST_BEFORE),
    "final capture": lambda key: ask.capture(key, 4 * MAJOR, of="hold", final=True, at=JUST_BEFORE),
    "over-capture": lambda key: ask.capture(key, 36 * MAJOR, of="hold", at=JUST_BEFORE),
    "extend": lambda key: ask.extend(key, 6 * MAJOR, of="hold", seconds=HOUR, at=JUST_BEFORE),
    "release": lambda key: ask.release(key, of="hold", at=JUST_BEFORE),
    "refund": lambda key: ask.refund(key, 6 * MAJOR, of="work", at=JUST_BEFORE),
    "sweep": lambda key: ask.sweep(key, at=HOUR),
}
PAIRS = list(combinations_with_replacement(OPERATIONS, 2))
# Two sweeps have tens of thousands of orders: these are drawn.
TOO_MANY = ("sweep", "sweep")
BY_FIRST = {first: list(pairs) for first, pairs in groupby(PAIRS, key=lambda pair: pair[0])}

FIRST_CALLS = (
    ask.deposit("deposit", 7 * MAJOR),
    ask.deposit("euros", 7 * MAJOR, currency="eur"),
    ask.use("usage", 11 * MAJOR),
    ask.place_hold("hold", 6 * MAJOR),
    ask.look(),
)

_QUOTED = (ask.deposit("fund", 3 * MAJOR), ask.quote("quote 1"), ask.quote("quote 2", shots=7000))
JOBS = {
    "two quotes for one job": (
        ask.hold_quoted("hold 1", of="quote 1"),
        ask.hold_quoted("hold 2", of="quote 2"),
    ),
    "one quote for two jobs": (
        ask.hold_quoted("hold 1", of="quote 1", job="job-1"),
        ask.hold_quoted("hold 2", of="quote 1", job="job-2"),
    ),
    "one quote for one job": (
        ask.hold_quoted("hold 1", of="quote 1"),
        ask.hold_quoted("hold 2", of="quote 1"),
    ),
}
RELEASES = {
    "one job at two costs": (ask.release_job("done 1", MAJOR), ask.release_job("done 2", 2)),
    "one job at one cost": (ask.release_job("done 1", MAJOR), ask.release_job("done 2", MAJOR)),
    "one job at no cost": (ask.release_job("done 1", 0), ask.release_job("done 2", MAJOR)),
}


@cache
def wallet_past() -> Past:
    return Past.of(_GIVEN, _SINCE)


@pytest.mark.parametrize("first", BY_FIRST)
def test_every_order_of_two_operations_is_as_good_as_a_serial_one(first, record_property):
    orders = 0
    for pair in BY_FIRST[first]:
        steps = [OPERATIONS[name](f"{name} {number}") for number, name in enumerate(pair)]
        for start in STARTS:
            meeting = Meeting(wallet_past(), start, *steps)
            drawn = pair == TOO_MANY
            orders += meeting.some_orders(RANDOM_ORDERS) if drawn else meeting.every_order()
    assert orders >= len(BY_FIRST[first]) * len(STARTS) * 2
    record_property("figure", f"interleavings of {first} with each after it: {orders} orders")


@pytest.mark.parametrize("name", OPERATIONS)
def test_one_request_delivered_twice_at_once_has_one_effect_and_one_answer(name):
    step = OPERATIONS[name](name)
    for start in STARTS:
        meeting = Meeting(wallet_past(), start, step, step)
        ((first, second), _), other = meeting.endings

        assert first == second
        assert other == meeting.endings[0]
        orders = meeting.some_orders(RANDOM_ORDERS) if name == "sweep" else meeting.every_order()
        assert orders > 1


@pytest.mark.parametrize("start", STARTS, ids=str)
def test_of_capture_release_and_expiry_one_wins_and_the_others_say_so(start):
    steps = [OPERATIONS[name](name) for name in ("final capture", "release", "sweep")]

    assert Meeting(wallet_past(), start, *steps).some_orders(2 * RANDOM_ORDERS) > 0


@pytest.mark.parametrize("share", range(4))
def test_faults_make_no_order_worse(share):
    """Two calls of each meeting fail, and the clients ask again, elsewhere."""
    chance = random.Random(share)
    runs = 0
    for _ in range(MEETINGS):
        names = [chance.choice(list(OPERATIONS)) for _ in range(chance.choice((2, 3)))]
        steps = [OPERATIONS[name](f"{name} {number}") for number, name in enumerate(names)]
        meeting = Meeting(wallet_past(), chance.choice(STARTS), *steps)
        seeds = [chance.getrandbits(32) for _ in range(8)]
        runs += meeting.disturbed_orders(seeds)
    assert runs == 8 * MEETINGS


@pytest.mark.parametrize(
    "late",
    [
        ask.withdraw("late", 40 * MAJOR, at=HOUR),
        ask.release("late", of="hold", at=HOUR),
        ask.capture("late", MAJOR, of="hold", at=HOUR),
        ask.place_hold("late", 38 * MAJOR, at=HOUR),
    ],
    ids=["withdraw", "release", "capture", "hold"],
)
def test_who_comes_with_the_expiry_sees_it_whoever_writes_it_down(late):
    for start in STARTS:
        meeting = Meeting(wallet_past(), start, late, ask.sweep(at=HOUR))

        assert len({str(answers[0]) for answers, _ in meeting.endings}) == 1
        assert meeting.some_orders(RANDOM_ORDERS) > 0


@pytest.mark.parametrize(
    "pair",
    list(combinations_with_replacement(FIRST_CALLS, 2)),
    ids=lambda pair: f"{pair[0].key}-{pair[1].key}",
)
def test_two_first_calls_of_a_user_make_one_account(pair):
    first, second = pair
    again = Step(key=f"{second.key} again", ask=second.ask)

    assert Meeting(Past.of(()), COLD, first, again).some_orders(RANDOM_ORDERS) > 0


@pytest.mark.parametrize("pair", JOBS.values(), ids=JOBS)
def test_a_quote_is_held_once_and_a_job_has_one_hold(pair):
    for start in STARTS:
        assert Meeting(Past.of(_QUOTED), start, *pair).some_orders(RANDOM_ORDERS) > 0


@pytest.mark.parametrize("pair", RELEASES.values(), ids=RELEASES)
def test_a_job_is_charged_once(pair):
    past = Past.of((*_QUOTED, ask.hold_quoted("hold", of="quote 1")))
    for start in STARTS:
        assert Meeting(past, start, *pair).every_order() > 1
