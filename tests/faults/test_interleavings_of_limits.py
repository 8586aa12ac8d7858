"""Limits and credit at once: every order of the calls is as good as a serial one.

No two requests share the last of a budget, no credit is spent that was voided, and what time does
is done once.
"""

from collections.abc import Callable
from functools import cache
from itertools import combinations_with_replacement

import pytest

from tests.faults import credit
from tests.faults import world as ask
from tests.faults.credit import cap, scope, under
from tests.faults.meetings import STARTS, Meeting, Past
from tests.faults.world import MAJOR, Refused, Step

HOUR = 3600.0
JUST_BEFORE = HOUR - 0.001
RANDOM_ORDERS = 60

_RUN = scope("run", "r1", 50 * MAJOR)
_SCOPES = (_RUN, scope("workspace", "ws_1", 80 * MAJOR, window="month"))
_CAP = cap(30 * MAJOR)

# 5.00 of the run are left and 20.00 of the cap, once what another environment did is known.
_GIVEN = (
    ask.deposit("fund", 200 * MAJOR),
    ask.place_hold("hold", 40 * MAJOR, scopes=_SCOPES, over_capture="overdraft"),
    under(ask.use("work", 5 * MAJOR), _CAP),
)
_SINCE = (
    ask.capture("5 spent", 5 * MAJOR, of="hold"),
    ask.extend("5 more", 5 * MAJOR, of="hold"),
    under(ask.use("more work", 5 * MAJOR), _CAP),
    ask.place_hold("and gone", 5 * MAJOR, scopes=_SCOPES),
    ask.release("given back", of="and gone"),
)
LIMITED: dict[str, Callable[[str], Step]] = {
    "hold": lambda key: ask.place_hold(key, 5 * MAJOR, at=JUST_BEFORE, scopes=_SCOPES),
    "extend": lambda key: ask.extend(key, 4 * MAJOR, of="hold", at=JUST_BEFORE),
    "over-capture": lambda key: ask.capture(key, 44 * MAJOR, of="hold", final=True, at=JUST_BEFORE),
    "capture": lambda key: ask.capture(key, 16 * MAJOR, of="hold", at=JUST_BEFORE),
    "release": lambda key: ask.release(key, of="hold", at=JUST_BEFORE),
    "capped usage": lambda key: under(ask.use(key, 15 * MAJOR, at=JUST_BEFORE), _CAP),
    "capped withdrawal": lambda key: under(ask.withdraw(key, 18 * MAJOR, at=JUST_BEFORE), _CAP),
    "capped capture": lambda key: under(
        ask.capture(key, 18 * MAJOR, of="hold", at=JUST_BEFORE), _CAP
    ),
    "sweep": lambda key: ask.sweep(key, at=HOUR),
}


@cache
def limited_past() -> Past:
    return Past.of(_GIVEN, _SINCE)


@pytest.mark.parametrize("pair", combinations_with_replacement(LIMITED, 2), ids="-".join)
def test_no_two_requests_share_the_last_of_a_budget(pair):
    steps = [LIMITED[name](f"{name} {number}") for number, name in enumerate(pair)]
    for start in STARTS:
        meeting = Meeting(limited_past(), start, *steps)

        assert meeting.some_orders(RANDOM_ORDERS) > 1


@pytest.mark.parametrize("name", ["hold", "extend", "capped usage", "capped withdrawal"])
def test_of_two_that_want_the_last_of_a_budget_one_is_refused(name):
    """Everything beside it is there twice: money, and room in the other scope."""
    steps = [LIMITED[name](f"{name} {number}") for number in range(2)]
    for start in STARTS:
        meeting = Meeting(limited_past(), start, *steps)
        for answers, _ in meeting.endings:
            refused = [each.code for each in answers if isinstance(each, Refused)]

            assert refused == ["budget_exceeded"]
        assert meeting.every_order() > 1


# A gift of 20.00 of which 4.00 are spent and 6.00 held, and 10.00 that come in an hour.
_GIFTS = (
    ask.use("spend the credit", 10 * MAJOR),
    credit.grant("gift", 20 * MAJOR),
    ask.use("work", 4 * MAJOR),
    ask.place_hold("hold", 6 * MAJOR, seconds=2 * HOUR),
)
_LATER = (
    credit.grant("to come", 10 * MAJOR, on_seconds=HOUR),
    ask.refund("1 back", 1 * MAJOR, of="work"),
)
ENDING: dict[str, Callable[[str], Step]] = {
    "void": lambda key: credit.void(key, of="gift", at=1),
    "usage": lambda key: ask.use(key, 8 * MAJOR, at=1),
    "hold": lambda key: ask.place_hold(key, 8 * MAJOR, at=1),
    "capture": lambda key: ask.capture(key, 5 * MAJOR, of="hold", final=True, at=1),
    "release": lambda key: ask.release(key, of="hold", at=1),
    "refund": lambda key: ask.refund(key, 2 * MAJOR, of="work", at=1),
    "grant": lambda key: credit.grant(key, 7 * MAJOR, priority=1, at=1),
    "adjustment": lambda key: credit.adjust(key, -3 * MAJOR, at=1),
    "void of what is to come": lambda key: credit.void(key, of="to come", at=1),
}
COMING: dict[str, Callable[[str], Step]] = {
    "sweep": lambda key: ask.sweep(key, at=HOUR),
    "look": lambda key: credit.glance(key, at=HOUR),
    "usage": lambda key: ask.use(key, 18 * MAJOR, at=HOUR),
    "void of what is to come": lambda key: credit.void(key, of="to come", at=HOUR),
    "void": lambda key: credit.void(key, of="gift", at=HOUR),
}


@cache
def gifted_past() -> Past:
    return Past.of(_GIFTS, _LATER)


@pytest.mark.parametrize("other", ENDING)
@pytest.mark.parametrize("end", ["void", "void of what is to come"])
def test_what_is_voided_is_not_spent_in_any_order(end, other):
    steps = [ENDING[name](f"{name} {number}") for number, name in enumerate((end, other))]
    for start in STARTS:
        assert Meeting(gifted_past(), start, *steps).some_orders(RANDOM_ORDERS) > 1


@pytest.mark.parametrize("pair", combinations_with_replacement(COMING, 2), ids="-".join)
def test_credit_is_opened_once_whoever_comes_with_its_day(pair):
    steps = [COMING[name](f"{name} {number}") for number, name in enumerate(pair)]
    for start in STARTS:
        assert Meeting(gifted_past(), start, *steps).some_orders(RANDOM_ORDERS) > 1


@pytest.mark.parametrize("start", STARTS, ids=str)
def test_the_starter_credit_is_given_once_in_any_order(start):
    past = Past.of((ask.look("first look"), credit.save_card()))
    meeting = Meeting(past, start, credit.starter("one"), credit.starter("other"))

    for answers, _ in meeting.endings:
        refused = [each.code for each in answers if isinstance(each, Refused)]
        assert refused == ["starter_credit_granted"]
    assert meeting.every_order() > 1


@pytest.mark.parametrize(
    "step",
    [
        credit.grant("grant", 5 * MAJOR, at=1),
        credit.void("void", of="gift", at=1),
        credit.adjust("adjustment", -3 * MAJOR, at=1),
        under(ask.use("capped", 3 * MAJOR, at=1), _CAP),
        ask.place_hold("scoped", 3 * MAJOR, at=1, scopes=_SCOPES),
    ],
    ids=lambda step: step.key,
)
def test_one_request_delivered_twice_at_once_has_one_effect_and_one_answer(step):
    for start in STARTS:
        meeting = Meeting(gifted_past(), start, step, step)
        ((first, second), _), other = meeting.endings

        assert first == second
        assert other == meeting.endings[0]
        assert meeting.every_order() > 1


@pytest.mark.parametrize("share", range(3))
def test_faults_make_no_order_worse(share):
    """Two calls of each meeting fail, and the clients ask again, elsewhere."""
    runs = 0
    for number, (first, second) in enumerate(combinations_with_replacement(LIMITED, 2)):
        if number % 3 == share:
            steps = [LIMITED[first]("one"), LIMITED[second]("other")]
            meeting = Meeting(limited_past(), STARTS[number % len(STARTS)], *steps)
            runs += meeting.disturbed_orders(range(number, number + 6))
    assert runs >= 80
