"""Every call of every story fails in every way, and the client asks again: nothing lost or doubled.

The calls are found by counting them in an undisturbed run, which is also what every disturbed one
must come to: one key and one instant leave one table, to the byte, however often they are asked.
"""

import random
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from itertools import product
from typing import Any

import pytest

from holdfast.domain.entries import Entry
from holdfast.store.ledger_store import LedgerStore
from tests.faults.scenarios import SCENARIOS
from tests.faults.stories import Scenario, effect_of
from tests.faults.violations import violations
from tests.faults.world import UNKNOWN, Refused, World, without_marks
from tests.simulator.faults import AFTER, EVERY_FAULT, PARTIAL, Fault
from tests.simulator.values import Item

FAULTS = (*EVERY_FAULT, PARTIAL)
# A reason counts wherever it stands, and a code whether or not it comes with reasons.
VARIANTS = (
    Fault("conflict", item=1),
    Fault("conflict", item=2),
    Fault("throttled", item=1),
    Fault("throttled", code="ThrottlingException"),
    Fault("throttled", code="InternalServerError"),
    Fault("throttled", code="TransactionInProgressException"),
)
PAUSES_MAX_SECONDS = 1.5
CALLS_MAX = 120
RANDOM_RUNS = 500
SHARES = 4
SCENARIOS_MIN = 60


@dataclass(frozen=True, slots=True)
class Undisturbed:
    """What a story comes to when nothing fails, and how many calls that takes."""

    calls: int
    answers: Mapping[str, Any]
    items: list[Item]


@cache
def given(scenario_name: str) -> tuple[World, LedgerStore]:
    """The world before the story, and the environment that wrote all of it."""
    world = World()
    return world, world.run(BY_NAME[scenario_name].given)


def opened(scenario: Scenario, *, warm: bool) -> tuple[World, LedgerStore]:
    """The world before the story; `warm`: in an environment that remembers all of it."""
    before, writer = given(scenario.name)
    world = before.copy()
    return world, world.environment(writer) if warm else world.store()


@cache
def undisturbed(scenario_name: str, *, warm: bool) -> Undisturbed:
    scenario = BY_NAME[scenario_name]
    world, store = opened(scenario, warm=warm)
    before = world.simulator.call_count
    world.run(scenario.steps, store)
    return Undisturbed(world.simulator.call_count - before, dict(world.answers), world.items())


BY_NAME = {scenario.name: scenario for scenario in SCENARIOS}
by_scenario = pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)


def play(
    scenario: Scenario,
    plan: dict[int, Fault],
    *,
    warm: bool,
    renew: bool,
    later: timedelta | None = None,
) -> World:
    """Tell the story with faults at some of its calls; the client insists on every answer."""
    world, store = opened(scenario, warm=warm)
    world.disturb(plan)
    for step in scenario.steps:
        world.pauses.clear()
        store = world.insist(step, store, renew=renew, later=later)
        assert sum(world.pauses) <= PAUSES_MAX_SECONDS, f"{step.key} paused {world.pauses}"
    world.calm()
    return world


def assert_same_as_undisturbed(world: World, scenario: Scenario, *, warm: bool, told: str) -> None:
    """One effect, the answers of the undisturbed run, and a sound ledger."""
    expected = undisturbed(scenario.name, warm=warm)
    for key, answer in expected.answers.items():
        assert world.answers[key] == answer, f"{told}: another answer to {key}"
        assert world.firsts[key] <= 1, f"{told}: two first answers to {key}"
    items = world.items()
    assert without_marks(items) == without_marks(expected.items), f"{told}: another table"
    if items != expected.items:
        assert violations(items) == [], told


def plans(calls: int, faults: Sequence[Fault]) -> Iterator[tuple[str, dict[int, Fault]]]:
    """One fault of each kind at each call."""
    for number in range(calls):
        for fault in faults:
            yield f"call {number} {fault}", {number: fault}


def crash_points(scenario: Scenario) -> Iterator[tuple[bool, bool, str, dict[int, Fault]]]:
    """Warm or cold, the client back in the same environment or in a new one, and the fault."""
    for warm, renew in product((False, True), repeat=2):
        faults = FAULTS if renew else (*FAULTS, *VARIANTS)
        for told, plan in plans(undisturbed(scenario.name, warm=warm).calls, faults):
            yield warm, renew, told, plan


@by_scenario
@pytest.mark.parametrize("warm", [False, True], ids=["cold", "warm"])
def test_undisturbed_it_comes_to_what_it_should(scenario, warm):
    told = undisturbed(scenario.name, warm=warm)

    assert violations(given(scenario.name)[0].items()) == []
    assert effect_of(told.items, scenario.effect.currency) == scenario.effect
    assert violations(told.items) == []
    refused = {key: answer.code for key, answer in told.answers.items() if _is_refused(answer)}
    assert refused == scenario.refused


@by_scenario
def test_every_read_of_the_table_itself_is_consistent(scenario):
    world, store = opened(scenario, warm=False)

    world.run(scenario.steps, store)

    reads = [_reads(call.params) for call in world.simulator.calls if call.method in READS]
    assert reads
    assert all(read.get("ConsistentRead") for read in reads if "IndexName" not in read)


@by_scenario
def test_whatever_call_fails_there_is_one_effect_and_one_answer(scenario):
    for warm, renew, told, plan in crash_points(scenario):
        world = play(scenario, plan, warm=warm, renew=renew)

        assert_same_as_undisturbed(world, scenario, warm=warm, told=told)


def test_there_are_stories_enough_and_no_call_of_them_is_left_out(record_property):
    points = [len(list(crash_points(scenario))) for scenario in SCENARIOS]

    assert len(SCENARIOS) >= SCENARIOS_MIN
    assert min(points) >= 4 * len(FAULTS)
    record_property(
        "figure",
        f"crash points: {sum(points):,} runs of {len(SCENARIOS)} stories, and "
        f"{RANDOM_RUNS} with two faults",
    )


@by_scenario
def test_a_retry_that_comes_a_second_later_finds_what_was_done(scenario):
    calls = undisturbed(scenario.name, warm=False).calls
    for told, plan in plans(calls, FAULTS):
        world = play(scenario, plan, warm=False, renew=True, later=timedelta(seconds=1))

        expected = undisturbed(scenario.name, warm=False)
        assert violations(world.items()) == [], told
        assert effect_of(world.items(), scenario.effect.currency) == scenario.effect, told
        for key, answer in expected.answers.items():
            assert _timeless(world.answers[key]) == _timeless(answer), f"{told}: {key}"


@by_scenario
@pytest.mark.parametrize("fault", [*FAULTS, *VARIANTS], ids=str)
def test_when_every_call_fails_it_gives_up_in_time_and_can_be_asked_again(scenario, fault):
    world, store = opened(scenario, warm=False)
    before = world.simulator.call_count
    world.disturb(lambda number, method: fault)
    (step, *_) = scenario.steps

    for _ in range(3):
        world.pauses.clear()
        with suppress(*UNKNOWN):
            world.deliver(step, store)
        assert sum(world.pauses) <= PAUSES_MAX_SECONDS
    assert world.simulator.call_count - before <= CALLS_MAX
    assert violations(world.items()) == []

    world.calm()
    world.run(scenario.steps)
    assert_same_as_undisturbed(world, scenario, warm=False, told=str(fault))


@by_scenario
@pytest.mark.parametrize("warm", [False, True], ids=["cold", "warm"])
def test_when_only_the_answers_of_writes_get_lost_the_first_delivery_is_answered(scenario, warm):
    """What may have happened is read back before it is sent again."""
    world, store = opened(scenario, warm=warm)
    world.disturb(lambda number, method: AFTER if method == "transact_write_items" else None)

    world.run(scenario.steps, store)

    world.calm()
    assert_same_as_undisturbed(world, scenario, warm=warm, told="every answer of a write lost")


@pytest.mark.parametrize("share", range(SHARES))
def test_two_faults_in_one_story_are_as_harmless_as_one(share):
    runs = 0
    for seed in range(share, RANDOM_RUNS, SHARES):
        chance = random.Random(seed)
        scenario = chance.choice(SCENARIOS)
        warm, renew = chance.random() < 0.5, chance.random() < 0.5
        calls = undisturbed(scenario.name, warm=warm).calls
        # A call after the last can be one that the first fault brought about.
        numbers = chance.sample(range(calls + 3), 2)
        plan = {number: chance.choice((*FAULTS, *VARIANTS)) for number in numbers}

        world = play(scenario, plan, warm=warm, renew=renew)

        told = f"seed {seed}: {scenario.name}, warm {warm}, renew {renew}, {plan}"
        assert_same_as_undisturbed(world, scenario, warm=warm, told=told)
        runs += 1
    assert runs == RANDOM_RUNS // SHARES


READS = ("get_item", "batch_get_item", "query")


def _reads(params: Mapping[str, Any]) -> Mapping[str, Any]:
    tables: Mapping[str, Any] = params.get("RequestItems", {})
    return next(iter(tables.values()), params)


def _is_refused(answer: object) -> bool:
    return isinstance(answer, Refused)


def _timeless(answer: Any) -> Any:
    """An answer without what depends on when it was given: times, ids made of times, hashes."""
    if not isinstance(answer, Entry):
        return type(answer)
    return (
        answer.type,
        answer.amount_micros,
        answer.balance_after_micros,
        answer.held_after_micros,
        answer.postings,
        answer.hold
        and (answer.hold.status, answer.hold.amount_micros, answer.hold.captured_micros),
    )
