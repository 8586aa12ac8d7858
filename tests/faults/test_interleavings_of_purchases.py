"""Purchases from one wallet at once: every order of their calls is as good as a serial one."""

from functools import cache
from itertools import combinations_with_replacement

import pytest

from tests.faults import world as ask
from tests.faults.meetings import STARTS, Meeting, Past
from tests.faults.stories_of_purchases import begin, cancel, capture, confirm, give_back
from tests.faults.world import MAJOR, Step

_FUNDED = (ask.deposit("fund", 20 * MAJOR), begin("once", 15 * MAJOR))
_BEGUN = (*_FUNDED, begin("begun", 15 * MAJOR, by_hand=True), begin("other", 20 * MAJOR))
_ASIDE = (*_BEGUN, confirm("set aside", of="begun"))
_PAID = (*_FUNDED, confirm("paid", of="once"))

RANDOM_ORDERS = 100

PASTS: dict[str, tuple[Step, ...]] = {"begun": _BEGUN, "aside": _ASIDE, "paid": _PAID}
OPERATIONS: dict[str, tuple[Step, ...]] = {
    # Of thirty there is enough for one of the two, and for the second only once.
    "begun": (
        confirm("confirm", of="begun", at=1),
        cancel("cancel", of="begun", at=1),
        confirm("pay the other", of="other", at=1),
        ask.use("use", 8 * MAJOR, at=1),
    ),
    "aside": (
        capture("capture", 6 * MAJOR, of="begun", at=1),
        cancel("cancel", of="begun", at=1),
        confirm("pay", of="once", at=1),
    ),
    "paid": (
        give_back("refund", 9 * MAJOR, of="once", at=1),
        ask.use("use", 15 * MAJOR, at=1),
    ),
}
PAIRS = [
    pytest.param(past, *pair, id=f"{past}: {pair[0].key} x {pair[1].key}")
    for past, steps in OPERATIONS.items()
    for pair in combinations_with_replacement(steps, 2)
]


@cache
def past_of(name: str) -> Past:
    return Past.of(PASTS[name], (ask.use("meanwhile", 1 * MAJOR),))


def again(step: Step) -> Step:
    """The same, asked for under another key."""
    return Step(key=f"{step.key} again", ask=step.ask, at_seconds=step.at_seconds)


@pytest.mark.parametrize(("past", "first", "second"), PAIRS)
def test_orders_of_two_operations_are_as_good_as_a_serial_one(past, first, second):
    other = again(second) if first is second else second
    orders = 0
    for start in STARTS:
        meeting = Meeting(past_of(past), start, first, other)
        is_drawn = is_long(first) and is_long(other)

        orders += meeting.some_orders(RANDOM_ORDERS) if is_drawn else meeting.every_order()

    assert orders >= 2 * len(STARTS)


def is_long(step: Step) -> bool:
    """Whether it takes so many calls that two of them have too many orders."""
    return not step.key.startswith("use")


@pytest.mark.parametrize(
    ("past", "step"),
    [
        pytest.param(past, step, id=f"{past}: {step.key}")
        for past, steps in OPERATIONS.items()
        for step in steps
    ],
)
def test_one_request_delivered_twice_at_once_has_one_effect_and_one_answer(past, step):
    meetings = [Meeting(past_of(past), start, step, step) for start in STARTS]

    orders = [meeting.some_orders(RANDOM_ORDERS) for meeting in meetings]

    assert orders == [RANDOM_ORDERS] * len(STARTS)
