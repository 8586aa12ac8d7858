"""Auto-recharge fails at every call of the table in every way, and comes right by itself.

Whoever delivers comes again: a stream, a schedule, a client under the same key. A wallet is charged
for once, what was charged is in it, and nothing stays in flight.
"""

import random
from contextlib import suppress
from datetime import timedelta
from functools import cache
from itertools import product

import pytest

from holdfast.audit import audit_items
from holdfast.domain.payments import NOT_SENT
from holdfast.domain.recharge_attempts import Attempt
from holdfast.errors import Contention, KeyInUse, StripeUnavailable, Unavailable
from tests.api.provider import Provider
from tests.faults.stories_of_recharge import STORIES_OF_RECHARGE, Recharge
from tests.faults.violations import violations
from tests.services.caller import Caller
from tests.services.refills import Clock, Refill, cents
from tests.simulator.client import Simulator
from tests.simulator.errors import ProcessKilled
from tests.simulator.faults import EVERY_FAULT, PARTIAL, Fault

FAULTS = (*EVERY_FAULT, PARTIAL)
UNKNOWN = (Contention, KeyInUse, ProcessKilled, StripeUnavailable, Unavailable)
"""What leaves whoever delivers without an answer: it is delivered again."""
DELIVERIES_MAX = 4
ROUND = timedelta(minutes=6)
"""Longer than any attempt or payment waits for its first look, and shorter than a card's wait."""
ROUNDS = 4
RANDOM_RUNS = 200

by_story = pytest.mark.parametrize("story", STORIES_OF_RECHARGE, ids=lambda story: story.name)


@cache
def _given(name: str) -> Refill:
    (story,) = [each for each in STORIES_OF_RECHARGE if each.name == name]
    return story.given()


def opened(story: Recharge) -> Refill:
    """The world before the story, in an environment that remembers nothing."""
    before = _given(story.name)
    simulator = Simulator()
    for item in before.caller.stored():
        simulator.put_item(TableName="holdfast", Item=item)
    refill = Refill(Caller(simulator, before.caller.owner, before.caller.now))
    refill.clock = Clock(before.clock.now)
    refill.provider = Provider(before.provider.dumped(), clock=refill.clock.seconds)
    return refill


@cache
def calls(name: str) -> int:
    """How many calls of the table the story makes, if nothing fails there."""
    (story,) = [each for each in STORIES_OF_RECHARGE if each.name == name]
    refill = opened(story)
    before = refill.caller.simulator.call_count
    story.ask(refill)
    return refill.caller.simulator.call_count - before


def told(story: Recharge, plan: dict[int, Fault]) -> Refill:
    """The world after the story met these faults, was delivered again, and time passed."""
    refill = opened(story)
    first = refill.caller.simulator.call_count
    refill.caller.simulator.faults = {first + number: fault for number, fault in plan.items()}
    for _ in range(DELIVERIES_MAX):
        with suppress(*UNKNOWN):
            story.ask(refill)
            break
        refill = refill.elsewhere()
    refill.caller.simulator.faults = {}
    for _ in range(ROUNDS):
        refill.wait(ROUND)
        refill.sweep_payments()
        refill.sweep()
        refill.recharge()
    return refill


def assert_came_right(refill: Refill, story: Recharge, what: str) -> None:
    stored = refill.caller.stored()
    assert violations(stored) == [], what
    assert audit_items(stored) == [], what
    assert refill.available() == story.available, what
    assert tuple(cents(refill.at_stripe())) == story.charged, what
    # What broke before anybody was asked to pay was given up, and done by another one.
    made = [each for each in refill.kept(Attempt) if each.failure_code != NOT_SENT]
    assert tuple(each.status for each in made) == story.attempts, what
    assert (refill.settings.enabled, refill.settings.attempt_id) == (story.enabled, ""), what


@by_story
def test_undisturbed_it_comes_to_what_it_should(story):
    assert_came_right(told(story, {}), story, "undisturbed")


@by_story
def test_whatever_call_fails_there_is_one_charge_and_it_is_in_the_wallet(story):
    for number, fault in product(range(calls(story.name)), FAULTS):
        what = f"call {number} {fault}"

        assert_came_right(told(story, {number: fault}), story, what)


def test_two_faults_in_one_story_are_as_harmless_as_one(record_property):
    for seed in range(RANDOM_RUNS):
        chance = random.Random(seed)
        story = chance.choice(STORIES_OF_RECHARGE)
        numbers = chance.sample(range(calls(story.name) + 3), 2)
        plan = {number: chance.choice(FAULTS) for number in numbers}

        assert_came_right(told(story, plan), story, f"seed {seed}: {story.name}, {plan}")
    points = sum(calls(story.name) for story in STORIES_OF_RECHARGE) * len(FAULTS)
    record_property("figure", f"crash points of auto-recharge: {points:,} and {RANDOM_RUNS}")
