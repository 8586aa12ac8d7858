import json
from contextlib import suppress
from datetime import timedelta
from functools import partial
from typing import Any, cast

import pytest

from holdfast.domain.accounts import Owner
from holdfast.domain.clock import Instant
from holdfast.domain.due import WALLET, Due
from holdfast.domain.lots import CASH
from holdfast.errors import HoldExpired, Unavailable
from holdfast.gateways.work_queue import NotQueued, WorkQueue, due_in
from holdfast.services import due as whatever
from holdfast.services import expiry
from holdfast.services.expiry import SWEEP_HOLDS_MAX
from holdfast.store import keys, pages
from tests.domain.samples import NOW
from tests.services.caller import (
    CENT,
    HOUR,
    INTRODUCTORY,
    LIVE,
    MILLISECOND,
    Caller,
    bob,
    later,
)
from tests.simulator.faults import THROTTLED
from tests.simulator.scheduler import interleave

START = INTRODUCTORY + 500
DAY = timedelta(days=1)


def rich() -> Caller:
    alice = Caller()
    alice.deposit(500)
    return alice


def sweep(alice: Caller) -> int:
    return expiry.sweep(alice.store, alice.owner, "usd", now=alice.now)


def due(alice: Caller) -> list[Due]:
    return [
        each
        for shard in range(keys.DUE_SHARDS)
        for each in pages.due(alice.store, shard, now=alice.now)
    ]


@pytest.mark.parametrize(
    ("since_expiry", "closed"),
    [(-MILLISECOND, 0), (timedelta(0), 1), (MILLISECOND, 1)],
    ids=["a moment before", "at the instant", "a moment after"],
)
def test_a_sweep_closes_the_holds_whose_time_has_come(since_expiry, closed):
    alice = rich()
    alice.hold(300)
    alice.hold(200, expires_in=2 * HOUR)

    assert sweep(later(alice, HOUR + since_expiry)) == closed

    assert alice.entries().count("hold_expiry") == closed
    assert alice.balance() == (START - 500 + 300 * closed, 500 - 300 * closed)


@pytest.mark.parametrize(
    ("policy", "available", "revenue"), [("release", START, 0), ("capture", START - 300, 300)]
)
def test_a_swept_hold_is_given_back_or_captured_as_its_policy_says(policy, available, revenue):
    alice = rich()
    hold_id = alice.hold(300, expiry_policy=policy)

    sweep(later(alice, HOUR))

    found = alice.look_at(hold_id)
    assert alice.balance() == (available, 0)
    assert (found.status, found.captured_micros) == ("expired", revenue * CENT)


def test_a_sweep_done_twice_has_one_effect():
    alice = rich()
    alice.hold(300)
    then = later(alice, HOUR)
    sweep(then)
    before = alice.stored()

    assert sweep(then) == 0
    assert sweep(then.elsewhere()) == 0

    assert alice.stored() == before


def test_a_wallet_that_is_not_due_is_not_touched():
    alice = rich()
    alice.hold(300)
    before = alice.stored()

    with alice.simulator.measure() as used:
        assert sweep(alice) == 0

    assert alice.stored() == before
    assert used.calls == 1


def test_a_wallet_that_is_not_there_is_not_made_by_a_sweep():
    alice = Caller()

    assert sweep(alice) == 0
    assert alice.stored() == []


def test_a_sweep_takes_what_nobody_spent_of_an_expired_lot():
    alice = rich()
    alice.deposit(250, expires_in=DAY)
    alice.use(INTRODUCTORY + 100)

    sweep(later(alice, DAY))

    # 150 of the lot were left, and only those are gone.
    assert alice.balance() == (500, 0)
    assert alice.entries()[-1] == "lot_expiry"


def test_a_wallet_full_of_lots_can_lose_them_all_at_once():
    alice = rich()
    for _ in range(199):
        alice.deposit(1, expires_in=DAY)
    tomorrow = later(alice, DAY)

    sweep(tomorrow)

    assert tomorrow.balance() == (START, 0)
    assert [lot.terms.kind for lot in tomorrow.wallet().lots] == ["credit"]
    assert due(later(alice, 99 * DAY)) == []


def test_after_a_sweep_the_wallet_is_due_when_the_next_thing_is():
    alice = rich()
    for hours in (1, 3, 2):
        alice.hold(100, expires_in=hours * HOUR)

    swept = later(alice, HOUR)
    sweep(swept)

    assert due(later(alice, 2 * HOUR - MILLISECOND)) == []
    assert due(later(alice, 2 * HOUR)) == [Due(WALLET, LIVE, alice.owner.account_id, "usd")]
    sweep(later(alice, 3 * HOUR))
    assert due(later(alice, 9 * HOUR)) == []
    assert alice.balance() == (START, 0)


def test_who_remembers_the_wallet_of_before_the_sweep_does_not_bring_its_mark_back():
    alice = rich()
    alice.hold(100)
    then = later(alice, HOUR)
    then.balance()

    for _ in range(3):
        then.deposit(1)
        alice.elsewhere(now=then.now).deposit(1)

    assert due(later(alice, 9 * HOUR)) == []
    assert then.balance() == (START + 6, 0)


def test_who_has_swept_a_wallet_does_not_write_it_as_it_was_before():
    alice = rich()
    alice.hold(100)
    then = later(alice, HOUR)
    sweep(then)

    with alice.simulator.measure() as used:
        then.deposit(1)

    assert used.methods == ["get_item", "transact_write_items"]


def test_a_hold_that_is_extended_while_it_is_swept_stays_open():
    # Both orders: the sweep lists the hold first and looks at it again only when it closes it.
    outcomes = set()
    for seed in range(40):
        alice = rich()
        hold_id = alice.hold(300)
        extending = later(alice, HOUR - MILLISECOND)
        sweeping = later(alice, HOUR)

        run = interleave(
            [partial(sweep, sweeping), partial(extending.extend, hold_id, expires_in=HOUR)],
            seed=seed,
        )

        closed, extended = run.outcomes
        still_open = extending.look_at(hold_id).status == "open"
        assert closed.result() == (0 if still_open else 1)
        assert still_open == (extended.error is None)
        assert extended.error is None or isinstance(extended.error, HoldExpired)
        assert alice.balance() == ((START - 300, 300) if still_open else (START, 0))
        outcomes.add(still_open)
    assert outcomes == {True, False}


@pytest.mark.parametrize("holds", [SWEEP_HOLDS_MAX - 1, SWEEP_HOLDS_MAX, SWEEP_HOLDS_MAX + 1])
def test_a_sweep_closes_at_most_five_hundred_holds_and_the_next_goes_on(holds):
    alice = Caller()
    alice.deposit(1_000)
    for _ in range(holds):
        alice.hold(1)
    then = later(alice, HOUR)
    rest = max(0, holds - SWEEP_HOLDS_MAX)

    first = sweep(then)
    still_due = due(then)
    second = sweep(then.elsewhere())

    assert (first, second) == (holds - rest, rest)
    # Until all of it is done the wallet stays due, so that the next tick finds it.
    assert bool(still_due) is (rest > 0)
    assert due(then) == []
    assert then.balance() == (INTRODUCTORY + 1_000, 0)


def test_no_money_is_refused_that_only_waits_to_be_swept():
    alice = Caller()
    alice.deposit(1_000)
    for _ in range(SWEEP_HOLDS_MAX + 1):
        alice.hold(1)
    then = later(alice, HOUR)

    # It may have to be asked for again, but it is there.
    with suppress(Unavailable):
        then.place(INTRODUCTORY + 1_000, "all of it")
    then.place(INTRODUCTORY + 1_000, "all of it")

    assert then.balance() == (0, INTRODUCTORY + 1_000)


def test_a_sweep_that_is_left_half_way_is_finished_by_the_next():
    alice = rich()
    for _ in range(4):
        alice.hold(100)
    then = later(alice, HOUR)
    # The table fails in the middle of it.
    first = alice.simulator.call_count
    alice.simulator.faults = lambda number, method: THROTTLED if number > first + 5 else None
    with pytest.raises(Unavailable):
        sweep(then)
    alice.simulator.faults = {}

    done = alice.entries().count("hold_expiry")
    assert 0 < done < 4
    assert due(then) != []
    assert sweep(then.elsewhere()) == 4 - done
    assert then.balance() == (START, 0)
    assert due(then) == []


def test_one_wallet_that_cannot_be_swept_does_not_stop_the_others():
    alice = rich()
    others = [bob(alice), alice.elsewhere()]
    for each in others:
        each.deposit(5)
        each.hold(5)
    alice.deposit(5, currency="eur")
    alice.hold(5, currency="eur")
    then = later(alice, HOUR)
    wallets = due(then)
    broken = Due(WALLET, LIVE, "acct#broken", "usd")

    with pytest.raises(ExceptionGroup) as failed:
        sweep_all(then, [broken, *wallets, broken])

    assert len(failed.value.exceptions) == 2
    assert len(wallets) == 3
    assert due(then) == []
    assert sweep_all(then, wallets) == 0


def sweep_all(caller: Caller, wallets: list[Due]) -> int:
    """Sweep the wallets; how many holds were closed."""
    closed: list[int] = []

    def sweep(wallet: Due, now: Instant) -> None:
        owner = Owner(wallet.tenant, wallet.account_id)
        closed.append(expiry.sweep(caller.store, owner, wallet.name, now=now))

    whatever.sweep_all({WALLET: sweep}, wallets, now=caller.now)
    return sum(closed)


class Queue:
    """An SQS client that keeps what it is sent."""

    def __init__(self, *, full: bool = False) -> None:
        self.bodies: list[str] = []
        self.full = full

    def send_message_batch(self, **params: Any) -> dict[str, Any]:
        if self.full:
            return {"Failed": [{"Id": "0"}]}
        self.bodies += [entry["MessageBody"] for entry in params["Entries"]]
        return {}


def queue_to(client: Queue) -> WorkQueue:
    return WorkQueue(cast(Any, client), "https://queue")


def test_a_tick_queues_every_wallet_that_is_due_and_no_other():
    alice = rich()
    alice.hold(5)
    alice.deposit(5, currency="eur", expires_in=HOUR)
    other = bob(alice)
    other.hold(5, expires_in=2 * HOUR)
    client = Queue()

    queued = whatever.dispatch(alice.store, queue_to(client), now=NOW + HOUR)

    found = [each for body in client.bodies for each in due_in(body)]
    assert queued == 2
    assert sorted(each.name for each in found) == ["eur", "usd"]
    assert {each.account_id for each in found} == {alice.owner.account_id}
    assert all(json.loads(body).keys() == {"due"} for body in client.bodies)


def test_a_tick_that_was_missed_is_made_up_by_the_next():
    alice = rich()
    alice.hold(5)
    full, empty = Queue(full=True), Queue()

    with pytest.raises(NotQueued):
        whatever.dispatch(alice.store, queue_to(full), now=NOW + HOUR)

    assert whatever.dispatch(alice.store, queue_to(empty), now=NOW + DAY) == 1


def test_a_tick_that_comes_twice_has_one_effect():
    alice = rich()
    alice.hold(5)
    then = later(alice, HOUR)
    client = Queue()
    for _ in range(2):
        whatever.dispatch(then.store, queue_to(client), now=then.now)

    closed = [sweep_all(then.elsewhere(), due_in(body)) for body in client.bodies]

    assert closed == [1, 0]
    assert alice.entries().count("hold_expiry") == 1
    assert then.wallet().cash_held_micros == 0
    assert CASH not in [lot.id for lot in then.wallet().lots]
