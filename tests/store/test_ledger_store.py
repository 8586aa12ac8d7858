from collections.abc import Callable
from dataclasses import replace

import pytest

from holdfast.domain.accounts import Tenant
from holdfast.domain.coupons import Redemption
from holdfast.domain.ledger import Answered, Change, Deed, Resolution, Unchanged, Wallet
from holdfast.domain.quotes import HeldJob
from holdfast.errors import (
    Contention,
    EntryNotFound,
    HoldNotFound,
    IdempotencyKeyReused,
    InsufficientFunds,
    Unavailable,
)
from holdfast.store import keys
from holdfast.store.ledger_store import Committed, Enacted, Ref
from holdfast.store.reading import ATTEMPTS_MAX
from tests.domain.samples import ACCOUNT_ID, TENANT, hold, once
from tests.simulator.client import Simulator
from tests.simulator.faults import AFTER, BEFORE
from tests.store.ledger import (
    START_MICROS,
    WALLET,
    Environment,
    another,
    assert_sound,
    at_each,
    depositing,
    entries_of,
    hold_ref,
    opened,
    wallet_of,
    withdrawing,
)

REUSED = replace(once("a"), fingerprint="0" * 64)


def test_a_decision_is_written_whole_and_answers_with_its_entry():
    here = Environment(Simulator())

    committed = here.deposit(40, "a")

    assert not committed.replayed
    assert entries_of(here.simulator) == [committed.entry]
    assert wallet_of(here.simulator).available_micros(once().now) == 40
    assert_sound(here.simulator)


def test_a_refusal_writes_nothing():
    here = opened()
    before = here.simulator.items()

    with pytest.raises(InsufficientFunds) as refused:
        here.withdraw(START_MICROS + 1, "a")

    assert refused.value.details["available_micros"] == START_MICROS
    assert here.simulator.items() == before


def test_a_refusal_does_not_use_the_key_up():
    here = opened()
    with pytest.raises(InsufficientFunds):
        here.withdraw(150, "a")

    here.deposit(50, "b")
    committed = here.withdraw(150, "a")

    assert not committed.replayed
    assert wallet_of(here.simulator).cash_micros == 0


@pytest.mark.parametrize("who", ["the same environment", "another environment"])
def test_a_second_delivery_gets_the_first_answer_and_writes_nothing(who):
    here = opened()
    first = here.deposit(40, "a")
    here.deposit(1, "b")
    before = here.simulator.items()

    again = (here if who == "the same environment" else another(here)).deposit(40, "a")

    assert again.replayed
    assert again.entry == first.entry
    assert here.simulator.items() == before


def test_a_key_that_was_used_for_another_request_is_refused():
    here = opened()
    here.deposit(40, "a")
    before = here.simulator.items()

    for environment in (here, another(here)):
        with pytest.raises(IdempotencyKeyReused):
            environment.change(depositing(40, REUSED), REUSED)
        # Also where the rule would refuse: the key comes first.
        with pytest.raises(IdempotencyKeyReused):
            environment.change(withdrawing(9_999, REUSED), REUSED)

    assert here.simulator.items() == before


def test_a_second_delivery_wins_over_a_refusal():
    here = opened()
    first = here.withdraw(START_MICROS, "a")

    again = another(here).withdraw(START_MICROS, "a")

    assert again.replayed
    assert again.entry == first.entry


def test_a_second_delivery_wins_over_a_record_that_is_not_there():
    here = opened()
    first = here.deposit(40, "a")

    again = here.change(lambda *_: pytest.fail("must not decide"), once("a"), hold_ref(hold(5).id))

    assert again.entry == first.entry
    with pytest.raises(HoldNotFound):
        here.change(lambda *_: pytest.fail("must not decide"), once("b"), hold_ref(hold(5).id))


def test_a_decision_to_write_nothing_answers_with_the_entry_it_names():
    here = opened()
    first = here.deposit(40, "a")
    before = here.simulator.items()

    answer = here.change(lambda wallet: Answered(first.entry.id), once("b"))

    assert answer.entry == first.entry
    # The answer is not this request's own, so nothing was delivered twice.
    assert not answer.replayed
    assert here.simulator.items() == before


def test_a_lost_race_is_decided_again_on_what_is_there_without_reading_it():
    here = opened()
    there = another(here)
    raced: list[Committed] = []

    def decide(wallet: Wallet):
        if not raced:
            raced.append(there.withdraw(30, "b"))
        return withdrawing(70, once("a"))(wallet)

    with here.simulator.measure() as used:
        committed = here.change(decide, once("a"))

    assert committed.entry.balance_after_micros == 0
    assert wallet_of(here.simulator).cash_micros == 0
    # The one read is the other environment's; the truth came back in the failed condition.
    assert used.read_units == 1
    assert_sound(here.simulator)


def test_a_lost_race_may_end_in_a_refusal_that_tells_the_true_balance():
    here = opened()
    there = another(here)
    raced: list[Committed] = []

    def decide(wallet: Wallet):
        if not raced:
            raced.append(there.withdraw(31, "b"))
        return withdrawing(70, once("a"))(wallet)

    with pytest.raises(InsufficientFunds) as refused:
        here.change(decide, once("a"))

    assert refused.value.details["available_micros"] == 69
    assert len(entries_of(here.simulator)) == 2


def test_six_lost_races_are_enough():
    here = opened()
    there = another(here)
    races: list[Committed] = []

    def decide(wallet: Wallet):
        races.append(there.deposit(1, f"race {len(races)}"))
        return depositing(5, once("a"))(wallet)

    with pytest.raises(Contention) as refused:
        here.change(decide, once("a"))

    assert refused.value.details == {"retry_after_seconds": 1}
    assert len(races) == ATTEMPTS_MAX == 6
    assert wallet_of(here.simulator).cash_micros == START_MICROS + 6
    # Full jitter, growing, and within what a caller waits for.
    assert here.pauses == [0.02, 0.04, 0.08, 0.16, 0.32]
    assert sum(here.pauses) <= 1.5


def test_the_sixth_attempt_may_still_win():
    here = opened()
    there = another(here)
    races: list[Committed] = []

    def decide(wallet: Wallet):
        if len(races) < ATTEMPTS_MAX - 1:
            races.append(there.deposit(1, f"race {len(races)}"))
        return depositing(5, once("a"))(wallet)

    committed = here.change(decide, once("a"))

    assert committed.entry.balance_after_micros == START_MICROS + 5 + 5
    assert_sound(here.simulator)


def test_an_entry_is_found_by_its_id_in_its_tenant_only():
    here = opened()
    entry = here.deposit(40, "a").entry

    assert here.store.entry(TENANT, entry.id) == entry
    for tenant, entry_id in (
        (TENANT, once("never").entry_id),
        (Tenant("acme", "test"), entry.id),
        (Tenant("other", "live"), entry.id),
    ):
        with pytest.raises(EntryNotFound):
            here.store.entry(tenant, entry_id)


def test_a_request_is_found_again_by_its_key():
    here = opened()
    entry = here.deposit(40, "a").entry

    assert here.store.replayed(once("a")) == Committed(entry, replayed=True)
    assert here.store.replayed(once("b")) is None
    assert here.store.reenacted(once("b")) is None
    with pytest.raises(IdempotencyKeyReused):
        here.store.replayed(REUSED)


JOB = HeldJob(job_id="job-1", account_id=ACCOUNT_ID, hold_id=hold(5).id, version=1)
JOB_REF = Ref(keys.held_job(TENANT, ACCOUNT_ID, "job-1"), lambda: None)


def putting(record: HeldJob) -> Callable[..., Deed]:
    """A rule that makes a new record, whatever is there."""
    return lambda *_: Deed(record, (Change(None, record),))


def pointing(hold_id: str) -> Callable[[HeldJob], Resolution]:
    """A rule that lets the job point at a hold; if it does already, there is nothing to do."""

    def decide(job: HeldJob) -> Resolution:
        if job.hold_id == hold_id:
            return Unchanged(job)
        after = replace(job, hold_id=hold_id, version=job.version + 1)
        return Deed(after, (Change(job, after),))

    return decide


def put(here: Environment, key: str = "a") -> Enacted:
    return here.store.enact(putting(JOB), [], once=once(key))


def point(here: Environment, hold_id: str, key: str) -> Enacted:
    return here.store.enact(pointing(hold_id), [JOB_REF], once=once(key))


def test_a_deed_that_moves_no_money_is_done_once():
    here = opened()

    first = put(here)
    before = here.simulator.items()
    again = another(here).store.enact(putting(replace(JOB, version=9)), [], once=once("a"))

    assert first == Enacted(JOB, replayed=False)
    # The second delivery gets what the first one was told, whatever it would do itself.
    assert again == Enacted(JOB, replayed=True)
    assert here.simulator.items() == before
    assert len(entries_of(here.simulator)) == 1


def test_a_second_delivery_is_told_the_first_answer_whatever_became_of_the_record_since():
    here = opened()
    put(here)
    first = point(here, "hold_2", "b")
    point(another(here), "hold_3", "c")
    before = here.simulator.items()

    for environment in (here, another(here)):
        again = point(environment, "hold_2", "b")

        assert again == Enacted(first.record, replayed=True)
        assert again.record.hold_id == "hold_2"
    assert another(here).store.reenacted(once("b")) == Enacted(first.record, replayed=True)
    assert here.simulator.items() == before


def test_what_is_as_it_should_be_is_the_answer_and_nothing_is_written():
    here = opened()
    put(here)
    before = here.simulator.items()

    for environment in (here, another(here)):
        told = point(environment, JOB.hold_id, "b")

        assert told == Enacted(JOB, replayed=False)
    assert here.simulator.items() == before
    # So the key was not used up.
    assert point(here, "hold_2", "b").replayed is False


def test_a_first_answer_wins_over_a_record_that_is_as_it_should_be_by_now():
    here = opened()
    put(here)
    first = point(here, "hold_2", "b")
    before = here.simulator.items()

    again = point(another(here), "hold_2", "b")

    assert again == Enacted(first.record, replayed=True)
    assert here.simulator.items() == before


def test_a_deed_is_decided_again_on_what_is_there_when_a_race_was_lost():
    here = opened()
    put(here)
    there = another(here)
    seen: list[str] = []

    def decide(job: HeldJob) -> Resolution:
        if not seen:
            point(there, "hold_2", "b")
        seen.append(job.hold_id)
        return pointing("hold_3")(job)

    told = here.store.enact(decide, [JOB_REF], once=once("c"))

    assert seen == [JOB.hold_id, "hold_2"]
    assert told.record == replace(JOB, hold_id="hold_3", version=3)
    assert another(here).store.read(JOB_REF) == told.record


def test_a_record_that_is_there_already_is_not_overwritten_by_a_new_one():
    here = opened()
    put(here)
    before = here.simulator.items()

    with pytest.raises(Contention):
        put(here, "b")

    assert here.simulator.items() == before


def test_a_key_is_used_up_by_what_moves_no_money_too():
    here = opened()
    put(here)
    before = here.simulator.items()

    with pytest.raises(IdempotencyKeyReused):
        here.store.enact(putting(JOB), [], once=REUSED)
    with pytest.raises(IdempotencyKeyReused):
        here.store.reenacted(REUSED)
    # Neither the same nor another request can have an entry under it.
    for asked in (once("a"), REUSED):
        with pytest.raises(IdempotencyKeyReused):
            here.change(depositing(5, asked), asked)
        with pytest.raises(IdempotencyKeyReused):
            here.change(withdrawing(9_999, asked), asked)
        with pytest.raises(IdempotencyKeyReused):
            here.store.replayed(asked)

    assert here.simulator.items() == before


def test_a_key_that_moved_money_does_nothing_else():
    here = opened()
    here.deposit(5, "a")
    before = here.simulator.items()

    for asked in (once("a"), REUSED):
        with pytest.raises(IdempotencyKeyReused):
            here.store.enact(putting(JOB), [], once=asked)
        with pytest.raises(IdempotencyKeyReused):
            here.store.reenacted(asked)

    assert here.simulator.items() == before


def test_a_refused_deed_writes_nothing_and_leaves_its_key():
    here = opened()
    before = here.simulator.items()

    with pytest.raises(HoldNotFound):
        here.store.enact(pointing("hold_2"), [hold_ref(hold(5).id)], once=once("a"))

    assert here.simulator.items() == before
    assert not put(here).replayed


def test_a_receipt_is_no_entry():
    here = opened()
    put(here)

    with pytest.raises(EntryNotFound):
        here.store.entry(TENANT, once("a").entry_id)


LOST = pytest.mark.parametrize(
    "faults", [(AFTER,), (BEFORE,), (BEFORE, AFTER)], ids=["applied", "lost", "lost, then applied"]
)


@LOST
def test_a_deed_whose_answer_was_lost_is_not_taken_for_a_second_delivery(faults):
    here = opened()
    here.simulator.faults = at_each("transact_write_items", *faults)

    assert put(here) == Enacted(JOB, replayed=False)


@LOST
def test_a_second_delivery_whose_answer_was_lost_is_still_the_second(faults):
    here = opened()
    put(here)
    there = another(here)
    before = here.simulator.items()
    here.simulator.faults = at_each("transact_write_items", *faults)

    assert put(there) == Enacted(JOB, replayed=True)
    assert here.simulator.items() == before


def test_a_deed_is_not_done_while_the_table_does_not_answer():
    here = opened()
    before = here.simulator.items()
    here.simulator.faults = at_each("transact_write_items", *[BEFORE] * ATTEMPTS_MAX)

    with pytest.raises(Unavailable):
        put(here)

    assert here.simulator.items() == before


def test_a_deed_is_remembered_where_it_was_done():
    here = opened()
    put(here)

    with here.simulator.measure() as used:
        point(here, "hold_2", "b")

    assert used.methods == ["transact_write_items"]


def test_what_time_did_is_written_only_over_what_was_read():
    here = opened()
    read = here.store.read(WALLET)
    first, second = (
        Change(read, replace(read, version=read.version + 1, open_from=oldest))
        for oldest in ("hold_1", "hold_2")
    )

    written = [here.store.settle(TENANT, (), change) for change in (first, second)]

    assert written == [True, False]
    assert wallet_of(here.simulator).open_from == "hold_1"
    assert wallet_of(here.simulator).version == read.version + 1


def test_what_time_did_to_several_records_is_written_to_all_or_to_none():
    here = opened()
    read = here.store.read(WALLET)
    moved = Change(read, replace(read, version=read.version + 1, open_from="hold_1"))
    used = Redemption(account_id=read.account_id, code="SPRING-26", uses=1, version=1)

    before = here.simulator.items()
    gone = Change(replace(used, version=4), replace(used, version=5))
    assert not here.store.settle(TENANT, (), moved, gone)
    assert here.simulator.items() == before

    assert here.store.settle(TENANT, (), moved, Change(None, used))
    assert wallet_of(here.simulator).open_from == "hold_1"
    assert len(here.simulator.items()) == len(before) + 1
