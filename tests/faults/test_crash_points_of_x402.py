"""A payment over x402 fails at every call, of the table and of the facilitator, in every way.

The client sends the same payment again until it knows, and signs another one when it is told that
this one failed: so it must not be told so while its money is on the way, or may ever be.
"""

import random
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache, partial
from itertools import product
from typing import Any

import pytest

from holdfast.audit import audit_items
from holdfast.domain.x402_settlements import FAILED, SETTLED
from holdfast.errors import (
    Contention,
    FacilitatorUnavailable,
    KeyInUse,
    PaymentNotAccepted,
    Unavailable,
)
from tests.faults.violations import violations
from tests.services.till import FAULTS as AT_THE_TILL
from tests.services.till import LATER, Payer, payer
from tests.services.till import Fault as TillFault
from tests.simulator.errors import ProcessKilled
from tests.simulator.faults import EVERY_FAULT, PARTIAL, Fault
from tests.simulator.scheduler import interleave

AT_THE_TABLE = (*EVERY_FAULT, PARTIAL)
UNKNOWN = (Contention, FacilitatorUnavailable, KeyInUse, ProcessKilled, Unavailable)
"""What leaves a client with no answer."""
DELIVERIES_MAX = 6
RANDOM_RUNS = 400
SEEDS = range(40)

type Plan = dict[int, Fault]
type TillPlan = dict[int, TillFault]


@dataclass(slots=True)
class Story:
    """One payment, presented until its client knows what became of it."""

    payer: Payer
    document: dict[str, Any]
    answers: list[str] = field(default_factory=list)

    def insist(self, *, by: timedelta = timedelta(seconds=1)) -> None:
        """Present it until there is an answer that is not "the same again"."""
        for attempt in range(DELIVERIES_MAX):
            self.present(self.payer.elsewhere(by=attempt * by))
            if self.answers[-1] in (SETTLED, FAILED):
                return

    def present(self, payer: Payer) -> None:
        try:
            answer = payer.pay(self.document).settlement.status
        except PaymentNotAccepted:
            answer = FAILED
        except UNKNOWN:
            answer = "unknown"
        if answer == FAILED:
            # A conforming client signs another payment now.
            assert self.payer.till.chain == {}, self.answers
        self.answers.append(answer)

    def calm(self) -> None:
        """No more faults, and the schedule runs for some days."""
        self.payer.caller.simulator.faults = {}
        self.payer.till.faults = {}
        self.payer.elsewhere(by=timedelta(minutes=1)).sweep_for(LATER)

    def assert_sound(self, told: str) -> None:
        chain, deposits = self.payer.till.chain, self.payer.deposits()
        stored = self.payer.caller.stored()
        assert violations(stored) == [], told
        assert audit_items(stored) == [], told
        assert len(deposits) <= len(chain) <= 1, told
        if FAILED in self.answers:
            assert chain == {}, f"{told}: a payment that failed was paid"
        if SETTLED in self.answers:
            assert deposits == [500], told
        if self.payer.till.repeats:
            assert len(deposits) == len(chain), f"{told}: money on the chain, and nowhere else"
            assert {each.status for each in self.payer.kept()} <= {SETTLED, FAILED}, told


def story(plan: TillPlan | None = None, *, repeats: bool = True) -> Story:
    alice = payer(faults=plan or {}, repeats=repeats)
    return Story(alice, alice.signed())


def settling(fault: TillFault | None, *, repeats: bool = True) -> Story:
    """The story in which the first attempt to settle meets a fault."""
    made = story(repeats=repeats)
    calls = made.payer.till.calls
    made.payer.till.faults = lambda number, what: (
        fault if what == "settle" and calls.count("settle") == 1 else None
    )
    return made


def disturbed(made: Story, plan: Plan) -> Story:
    """The story with faults at calls of the table, to its end."""
    simulator = made.payer.caller.simulator
    first = simulator.call_count
    simulator.faults = {first + number: fault for number, fault in plan.items()}
    made.insist()
    made.calm()
    return made


@cache
def calls(fault: TillFault | None) -> int:
    """How many calls of the table the story makes, if nothing fails there."""
    made = settling(fault)
    before = made.payer.caller.simulator.call_count
    made.insist()
    return made.payer.caller.simulator.call_count - before


@pytest.mark.parametrize("repeats", [True, False])
@pytest.mark.parametrize("at_till", [None, *AT_THE_TILL])
def test_whatever_call_of_the_table_fails_the_money_is_in_the_wallet_once(at_till, repeats):
    for number, fault in product(range(calls(at_till)), AT_THE_TABLE):
        made = disturbed(settling(at_till, repeats=repeats), {number: fault})

        made.assert_sound(f"call {number} {fault}")
        if at_till != "refused" and repeats:
            assert made.payer.deposits() == [500], f"call {number} {fault}: lost"


@pytest.mark.parametrize("repeats", [True, False])
@pytest.mark.parametrize("fault", AT_THE_TILL)
@pytest.mark.parametrize("number", range(4))
def test_whatever_the_facilitator_does_the_money_is_in_the_wallet_once(number, fault, repeats):
    made = disturbed(story({number: fault}, repeats=repeats), {})

    made.assert_sound(f"call {number} {fault}")


@pytest.mark.parametrize("fault", AT_THE_TILL)
def test_when_the_facilitator_never_does_better_nothing_is_credited_and_nobody_is_misled(fault):
    made = story()
    made.payer.till.faults = lambda number, what: fault if what == "settle" else None

    made.insist()
    made.payer.elsewhere(by=timedelta(minutes=1)).sweep_for(timedelta(hours=1))
    made.payer.till.faults = {}
    assert made.payer.deposits() == []
    assert (made.answers[-1] == FAILED) == (fault == "refused")
    made.calm()

    made.assert_sound(fault)


@pytest.mark.parametrize("fault", AT_THE_TABLE, ids=str)
def test_when_every_call_of_the_table_fails_nobody_is_misled(fault):
    made = settling("refused")
    made.payer.caller.simulator.faults = lambda number, method: fault

    made.insist()
    made.calm()

    made.assert_sound(str(fault))


def test_several_faults_in_one_story_are_as_harmless_as_one(record_property):
    for seed in range(RANDOM_RUNS):
        chance = random.Random(seed)
        plan = {number: chance.choice(AT_THE_TABLE) for number in chance.sample(range(16), 3)}
        at_till = {number: chance.choice(AT_THE_TILL) for number in chance.sample(range(5), 2)}

        made = disturbed(story(at_till, repeats=chance.random() < 0.7), plan)

        made.assert_sound(f"seed {seed}: {plan}, {at_till}")
    points = sum(calls(fault) * len(AT_THE_TABLE) * 2 for fault in (None, *AT_THE_TILL))
    record_property(
        "figure", f"x402: {points:,} crash points, and {RANDOM_RUNS:,} runs with five faults"
    )


@pytest.mark.parametrize("seed", SEEDS)
def test_deliveries_and_sweepers_that_meet_among_faults_are_one_credit(seed):
    chance = random.Random(seed)
    at_till = {number: chance.choice(AT_THE_TILL) for number in chance.sample(range(1, 6), 2)}
    made = story(at_till)
    simulator = made.payer.caller.simulator
    first = simulator.call_count
    simulator.faults = {
        first + number: chance.choice(AT_THE_TABLE) for number in chance.sample(range(40), 3)
    }
    late = timedelta(minutes=1)
    works = [partial(made.present, made.payer.elsewhere()) for _ in range(3)]
    works += [partial(made.present, made.payer.elsewhere(by=late)) for _ in range(2)]
    works += [partial(_swept, made.payer.elsewhere(by=late)) for _ in range(2)]

    interleave(works, seed=seed)
    made.calm()

    stored = made.payer.caller.stored()
    assert (violations(stored), audit_items(stored)) == ([], [])
    assert len(made.payer.deposits()) == len(made.payer.till.chain)


def _swept(payer: Payer) -> None:
    try:
        payer.sweep()
    except UNKNOWN:
        return
