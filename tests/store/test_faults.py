"""What can go wrong between the ledger and its table: one test for each row of the catalogue.

B1, B2 and so on are rows of the catalogue of faults; the rows that are about one call stand in
`test_transaction.py`, about pages in `test_pages.py`.
"""

from dataclasses import replace

import pytest

from holdfast.domain.ledger import Decision, Wallet
from holdfast.domain.once import Once
from holdfast.errors import (
    Contention,
    IdempotencyKeyReused,
    InsufficientFunds,
    InvariantBroken,
    KeyInUse,
    Unavailable,
)
from holdfast.store.reading import ATTEMPTS_MAX
from tests.domain.samples import TENANT, once, wallet_after
from tests.simulator.client import ManualClock
from tests.simulator.errors import ProcessKilled
from tests.simulator.faults import (
    AFTER,
    BEFORE,
    CONFLICT,
    KILLED_AFTER,
    KILLED_BEFORE,
    RETRIED,
    THROTTLED,
    Fault,
)
from tests.store.ledger import (
    START_MICROS,
    Environment,
    another,
    assert_sound,
    at_each,
    depositing,
    entries_of,
    opened,
    wallet_of,
    withdrawing,
)

WRITE = "transact_write_items"
TOKEN_SECONDS = 600
THROTTLES = [
    Fault("throttled", code=code)
    for code in (
        None,
        "ThrottlingException",
        "RequestLimitExceeded",
        "InternalServerError",
        "ProvisionedThroughputExceededException",
        "ServiceUnavailable",
    )
]


def failing(*faults: Fault | None) -> Environment:
    """An environment whose next writes meet these faults, in turn."""
    here = opened()
    here.simulator.faults = at_each(WRITE, *faults)
    return here


def assert_once(here: Environment, *, balance: int) -> None:
    """The request under the key `a` had exactly one effect, and the ledger is sound."""
    written = [entry for entry in entries_of(here.simulator) if entry.id == once("a").entry_id]
    assert len(written) == 1
    assert wallet_of(here.simulator).cash_micros == balance
    assert_sound(here.simulator)


def test_b1_an_entry_that_is_there_and_mine_is_the_answer():
    here = opened()

    def decide(wallet: Wallet) -> Decision:
        # Another delivery of the same request wins, and writes the same to the byte.
        another(here).deposit(40, "a")
        return depositing(40, once("a"))(wallet)

    committed = here.change(decide, once("a"))

    assert committed.entry == here.store.entry(TENANT, once("a").entry_id)
    assert committed.replayed
    assert_once(here, balance=START_MICROS + 40)


def test_b1_an_entry_that_is_there_for_another_request_is_refused():
    here = opened()
    other = replace(once("a"), fingerprint="0" * 64)

    def decide(wallet: Wallet):
        another(here).deposit(40, "a")
        return depositing(40, other)(wallet)

    with pytest.raises(IdempotencyKeyReused):
        here.change(decide, other)

    assert_once(here, balance=START_MICROS + 40)


@pytest.mark.parametrize(("left", "refusal"), [(70, None), (69, InsufficientFunds)])
def test_b2_a_balance_that_moved_is_decided_on_again(left, refusal):
    here = opened()

    def decide(wallet: Wallet):
        if wallet.seq == 1:
            another(here).withdraw(START_MICROS - left, "b")
        return withdrawing(70, once("a"))(wallet)

    if refusal:
        with pytest.raises(refusal) as refused:
            here.change(decide, once("a"))
        assert refused.value.details["available_micros"] == left
        assert wallet_of(here.simulator).cash_micros == left
    else:
        here.change(decide, once("a"))
        assert_once(here, balance=0)


@pytest.mark.parametrize("conflicts", [1, ATTEMPTS_MAX - 1])
@pytest.mark.parametrize("step", [0, 1], ids=["of the entry", "of the wallet"])
def test_b3_a_conflict_is_tried_again(conflicts, step):
    here = failing(*[replace(CONFLICT, item=step)] * conflicts)

    committed = here.deposit(40, "a")

    assert not committed.replayed
    assert_once(here, balance=START_MICROS + 40)
    assert len(here.pauses) == conflicts


@pytest.mark.parametrize(
    ("step", "refusal"),
    [(0, KeyInUse), (1, Contention)],
    ids=["of the entry: another delivery is at it", "of the wallet"],
)
def test_b3_a_conflict_that_does_not_end_is_given_up(step, refusal):
    here = failing(*[replace(CONFLICT, item=step)] * ATTEMPTS_MAX)
    before = here.simulator.items()

    with pytest.raises(refusal):
        here.deposit(40, "a")

    assert here.simulator.items() == before
    assert sum(here.pauses) <= 1.5
    here.deposit(40, "a")
    assert_once(here, balance=START_MICROS + 40)


def test_b4_the_own_entry_counts_before_the_balance():
    here = opened()

    def decide(wallet: Wallet):
        there = another(here)
        there.deposit(40, "a")
        there.withdraw(START_MICROS + 40, "b")
        return depositing(40, once("a"))(wallet)

    # Both the entry and the wallet are not what was read: it was done, whatever happened since.
    committed = here.change(decide, once("a"))

    assert committed.entry.balance_after_micros == START_MICROS + 40
    assert_once(here, balance=0)


def test_b4_a_record_that_was_not_compared_is_read_again():
    here = opened()
    placed = here.place(30, "hold", over_capture="overdraft")
    there = another(here)
    there.extend(placed, 65, "more")
    # The wallet's condition fails and the hold is busy: what is remembered of it is old.
    here.simulator.faults = at_each(WRITE, replace(CONFLICT, item=2))

    committed = here.capture(placed, 40, "a")

    assert committed.entry.amount_micros == 40
    assert committed.entry.hold is not None
    assert committed.entry.hold.remaining_micros == 55
    assert_once(here, balance=5)


@pytest.mark.parametrize("fault", THROTTLES, ids=lambda fault: fault.code or "of a step")
def test_b5_what_was_refused_for_want_of_capacity_is_tried_again(fault):
    here = failing(fault, fault)

    committed = here.deposit(40, "a")

    assert not committed.replayed
    assert_once(here, balance=START_MICROS + 40)
    assert len(here.pauses) == 2


@pytest.mark.parametrize("fault", THROTTLES, ids=lambda fault: fault.code or "of a step")
def test_b5_a_throttle_that_does_not_end_is_given_up(fault):
    here = failing(*[fault] * ATTEMPTS_MAX)
    before = here.simulator.items()

    with pytest.raises(Unavailable):
        here.deposit(40, "a")

    assert here.simulator.items() == before
    assert len(here.pauses) == ATTEMPTS_MAX - 1
    here.deposit(40, "a")
    assert_once(here, balance=START_MICROS + 40)


@pytest.mark.parametrize(
    "faults",
    [(AFTER,), (BEFORE,), (RETRIED,), (BEFORE, AFTER), (AFTER, BEFORE), (BEFORE, BEFORE, RETRIED)],
    ids=lambda faults: ", ".join(fault.kind for fault in faults),
)
def test_b6_a_lost_answer_is_neither_lost_money_nor_money_twice(faults):
    here = failing(*faults)

    committed = here.deposit(40, "a")

    # It was this delivery that wrote it: nothing was replayed.
    assert not committed.replayed
    assert committed.entry.balance_after_micros == START_MICROS + 40
    assert_once(here, balance=START_MICROS + 40)


def test_b6_what_is_sent_again_is_the_same_to_the_byte():
    here = failing(BEFORE, BEFORE)

    here.deposit(40, "a")

    sent = [call.params for call in here.simulator.calls if call.method == WRITE][1:]
    assert len(sent) == 3
    assert sent[0] == sent[1] == sent[2]


def test_b6_an_unknown_end_leaves_the_key_to_be_used_again():
    here = failing(*[BEFORE] * ATTEMPTS_MAX)
    before = here.simulator.items()

    with pytest.raises(Unavailable):
        here.deposit(40, "a")

    assert here.simulator.items() == before
    assert not here.deposit(40, "a").replayed
    assert_once(here, balance=START_MICROS + 40)


def test_b6_a_success_is_answered_only_if_it_was_found():
    here = opened()
    # Applied, the answer lost; and the table does not answer when it is read back.
    plan = {here.simulator.call_count: AFTER, here.simulator.call_count + 1: THROTTLED}
    here.simulator.faults = plan

    with pytest.raises(Unavailable):
        here.deposit(40, "a")

    again = another(here).deposit(40, "a")
    assert again.replayed
    assert_once(here, balance=START_MICROS + 40)


@pytest.mark.parametrize("killed", [KILLED_BEFORE, KILLED_AFTER], ids=lambda fault: fault.kind)
def test_b6_whoever_comes_after_a_killed_process_finishes_its_request(killed):
    here = failing(killed)
    with pytest.raises(ProcessKilled):
        here.deposit(40, "a")

    again = another(here).deposit(40, "a")

    assert again.replayed is (killed is KILLED_AFTER)
    assert_once(here, balance=START_MICROS + 40)


def test_b6_a_lost_answer_and_a_lost_race_are_still_one_effect():
    here = opened()

    def decide(wallet: Wallet):
        if wallet.seq == 1:
            another(here).deposit(1, "b")
        return depositing(40, once("a"))(wallet)

    # The first write fails its condition, the second is applied without an answer.
    here.simulator.faults = at_each(WRITE, None, None, AFTER)
    committed = here.change(decide, once("a"))

    assert not committed.replayed
    assert_once(here, balance=START_MICROS + 41)


IN_PROGRESS = Fault("throttled", code="TransactionInProgressException")


@pytest.mark.parametrize(
    "faults", [(IN_PROGRESS,), (IN_PROGRESS,) * 5, (BEFORE, IN_PROGRESS), (IN_PROGRESS, AFTER)]
)
def test_b7_a_transaction_that_is_still_running_is_sent_again_as_it_was(faults):
    here = failing(*faults)

    committed = here.deposit(40, "a")

    sent = [call.params for call in here.simulator.calls if call.method == WRITE][1:]
    assert all(params == sent[0] for params in sent)
    assert not committed.replayed
    assert_once(here, balance=START_MICROS + 40)


def test_b8_other_bytes_under_one_token_are_our_mistake():
    here = failing(Fault("throttled", code="IdempotentParameterMismatchException"))
    before = here.simulator.items()

    with pytest.raises(InvariantBroken):
        here.deposit(40, "a")

    assert here.simulator.items() == before


@pytest.mark.parametrize("seconds", [TOKEN_SECONDS - 1, TOKEN_SECONDS, TOKEN_SECONDS + 1])
def test_b9_a_delivery_after_the_token_has_died_is_stopped_by_the_entry(seconds):
    here = opened()
    first = here.deposit(40, "a")
    here.deposit(1, "b")
    assert isinstance(here.simulator.clock, ManualClock)
    here.simulator.clock.advance(seconds)

    later: Once = replace(once("a"), now=once().now)
    again = another(here).change(depositing(40, later), later)

    assert again.replayed
    assert again.entry == first.entry
    assert_once(here, balance=START_MICROS + 41)


def test_b9_a_late_delivery_with_another_clock_gets_the_first_answer():
    here = opened()
    first = here.deposit(40, "a")
    late = replace(once("a"), now=first.entry.created_at.replace(year=2031))

    again = another(here).change(depositing(40, late), late)

    assert again.replayed
    assert again.entry == first.entry
    assert_once(here, balance=START_MICROS + 40)


def test_b15_without_a_table_nothing_is_promised():
    here = opened()
    before = here.simulator.items()
    there = another(here)
    here.simulator.faults = lambda number, method: BEFORE

    for change in (here.deposit, there.deposit, here.withdraw):
        with pytest.raises(Unavailable):
            change(1, "a")

    assert here.simulator.items() == before


def test_a_decision_does_not_depend_on_how_often_it_was_made():
    here = failing(BEFORE, CONFLICT, THROTTLED)
    decided: list[Wallet] = []

    def decide(wallet: Wallet):
        journal = depositing(40, once("a"))(wallet)
        decided.append(wallet_after(journal))
        return journal

    here.change(decide, once("a"))

    assert len(decided) == 4
    assert all(each == decided[0] for each in decided)
    assert decided[0] == wallet_of(here.simulator)
