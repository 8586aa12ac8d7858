"""What happens by itself: a tick queues the wallets that are due, a worker does what is due."""

import json
from collections import Counter
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given, seed, settings
from hypothesis import strategies as st

from billing_cycle.app import sweep, tick
from holdfast.domain.accounts import Tenant
from holdfast.domain.due import PAYMENT, RECHARGE, WALLET, X402, Due
from holdfast.gateways.work_queue import NotQueued, WorkQueue, due_in
from tests.api.world import BOB, TEST_ALICE, ZOE, account_of
from tests.events.rig import QUEUE, FakeQueue, Rig, messages
from tests.http.events import ADMIN, ALICE
from tests.simulator.faults import THROTTLED

NOTHING: dict[str, list[Any]] = {"batchItemFailures": []}
SCHEDULED = {"source": "aws.scheduler", "detail-type": "Scheduled Event", "detail": {}}


def ticked(rig):
    return tick(SCHEDULED, None)["queued"]


def swept(rig):
    return sweep(rig.messages(), None)


def stored(rig, claims=ALICE):
    """What the table says of a wallet: held cents, and whether it is in the due index."""
    (wallet,) = (
        item
        for item in rig.world.items()
        if account_of(claims) in item["pk"]["S"] and item["sk"]["S"] == "WALLET#usd"
    )
    lots = [lot["M"] for lot in wallet.get("lots", {"L": []})["L"]]
    held = sum(int(lot.get("held", {"N": "0"})["N"]) for lot in lots)
    return held // 10_000, "gsi2pk" in wallet


def wallets(rig):
    """The wallets in all the messages that were queued."""
    return [due for body in rig.queue.taken for due in due_in(body)]


# --- The tick -------------------------------------------------------------------------------------


def test_nothing_is_queued_where_nothing_is_due(rig):
    rig.world.deposit(100)
    rig.world.hold(10)

    assert ticked(rig) == 0
    assert rig.queue.calls == []


@pytest.mark.parametrize(("milliseconds", "queued"), [(-1, 0), (0, 1), (1, 1)])
def test_a_hold_is_due_at_its_very_instant(rig, milliseconds, queued):
    rig.world.hold(10, expires_in_seconds=60)
    rig.world.wait(seconds=60, milliseconds=milliseconds)

    assert ticked(rig) == queued
    assert wallets(rig) == [Due(WALLET, Tenant("acme", "live"), account_of(ALICE), "usd")] * queued


def test_a_lot_is_due_at_its_very_instant(rig):
    rig.world.deposit(10, expiresIn=1, currency="eur")
    rig.world.wait(days=1, milliseconds=-1)
    assert ticked(rig) == 0

    rig.world.wait(milliseconds=1)

    assert ticked(rig) == 1
    assert wallets(rig)[0].name == "eur"


def test_a_tick_that_was_missed_is_made_up_by_the_next(rig):
    rig.world.hold(10, expires_in_seconds=60)
    rig.world.wait(days=90)

    assert ticked(rig) == 1
    assert swept(rig) == NOTHING
    assert stored(rig) == (0, False)


def test_a_tick_that_comes_twice_changes_nothing(rig):
    rig.world.hold(10, expires_in_seconds=60)
    rig.world.wait(seconds=60)

    assert [ticked(rig), ticked(rig)] == [1, 1]
    assert swept(rig) == NOTHING

    assert stored(rig) == (0, False)
    expiries = [item for item in rig.world.items() if item.get("type") == {"S": "hold_expiry"}]
    assert len(expiries) == 1
    assert ticked(rig) == 0


def test_every_tenant_is_looked_after(rig):
    for claims in (ALICE, BOB, ZOE, TEST_ALICE):
        rig.world.hold(10, by=claims, expires_in_seconds=60)
    rig.world.wait(seconds=60)

    assert ticked(rig) == 4
    assert swept(rig) == NOTHING

    assert [stored(rig, claims) for claims in (ALICE, BOB, ZOE, TEST_ALICE)] == [(0, False)] * 4


def users(count):
    return [
        {**ALICE, "subject": f"user-{number}", "user": f"acme/user-{number}"}
        for number in range(count)
    ]


def test_every_wallet_that_is_due_is_queued_once(rig):
    for claims in users(60):
        rig.world.hold(1, by=claims, expires_in_seconds=60)
    rig.world.wait(seconds=60)

    assert ticked(rig) == 60

    queued = Counter(due.account_id for due in wallets(rig))
    assert queued == Counter(account_of(claims) for claims in users(60))


def test_the_longest_due_of_a_crowded_shard_go_first_in_calls_of_ten_messages(rig):
    for number in range(1_050):
        rig.world.simulator.put_item(
            TableName="holdfast",
            Item={
                "pk": {"S": f"ORG#acme/live#ACCT#acct_{number:026d}"},
                "sk": {"S": "WALLET#usd"},
                "broken": {"BOOL": True},
                "gsi2pk": {"S": "DUE#07"},
                "gsi2sk": {
                    "S": f"2026-11-20T00:{number // 60:02d}:{number % 60:02d}.000Z"
                    f"#acme/live#acct_{number:026d}#usd"
                },
            },
        )

    assert ticked(rig) == 1_000

    assert [len(call) for call in rig.queue.calls] == [10] * 5
    accounts = [due.account_id for due in wallets(rig)]
    assert accounts == [f"acct_{number:026d}" for number in range(1_000)]


def test_a_message_that_the_queue_refuses_is_found_by_the_next_tick(rig):
    rig.world.hold(10, expires_in_seconds=60)
    rig.world.wait(seconds=60)
    rig.queue.refused = {0}

    with pytest.raises(NotQueued):
        ticked(rig)

    assert rig.queue.taken == []
    assert ticked(rig) == 1
    assert swept(rig) == NOTHING
    assert stored(rig) == (0, False)


@pytest.mark.parametrize(
    ("count", "calls"),
    [(0, []), (1, [1]), (20, [1]), (21, [2]), (200, [10]), (201, [10, 1]), (450, [10, 10, 3])],
)
def test_wallets_are_queued_twenty_in_a_message_and_ten_messages_in_a_call(count, calls):
    fake = FakeQueue()
    client: Any = fake
    due = [Due(WALLET, Tenant("acme", "live"), f"acct_{n:026d}", "usd") for n in range(count)]

    assert WorkQueue(client, QUEUE).send(due) == sum(calls)

    assert [len(call) for call in fake.calls] == calls
    assert [one for body in fake.taken for one in due_in(body)] == due


def test_what_has_to_ask_somebody_outside_is_queued_two_in_a_message():
    fake = FakeQueue()
    client: Any = fake
    wallet, *others = (
        Due(noun, Tenant("acme", "live"), "acct_1", "usd")
        for noun in (WALLET, PAYMENT, X402, RECHARGE)
    )

    assert WorkQueue(client, QUEUE).send([others[0], wallet, *others[1:]]) == 3

    assert [due_in(body) for body in fake.taken] == [[wallet], others[:2], others[2:]]


@pytest.mark.parametrize("refused", [0, 9, 10, 22])
def test_one_message_that_is_not_taken_is_an_error(refused):
    client: Any = FakeQueue(refused={refused})
    due = [Due(WALLET, Tenant("acme", "live"), f"acct_{n:026d}", "usd") for n in range(450)]

    with pytest.raises(NotQueued):
        WorkQueue(client, QUEUE).send(due)


# --- The worker -----------------------------------------------------------------------------------


def test_a_sweep_frees_what_expired_and_takes_what_was_to_be_captured(rig):
    rig.world.deposit(1000, expiresIn=1)
    freed = rig.world.hold(100, expires_in_seconds=60)["id"]
    taken = rig.world.hold(200, expires_in_seconds=60, expiry_policy="capture")["id"]
    stays = rig.world.hold(300, expires_in_seconds=7 * 86_400)["id"]
    rig.world.wait(days=1)
    ticked(rig)

    assert swept(rig) == NOTHING

    holds = {
        item["sk"]["S"]: item["status"]["S"] for item in rig.world.items() if "expires_at" in item
    }
    assert holds == {
        f"HOLD#{freed}": "expired",
        f"HOLD#{taken}": "expired",
        f"HOLD#{stays}": "open",
    }
    assert stored(rig) == (300, True)
    assert rig.world.cents() == (800, 300)
    assert ticked(rig) == 0


def test_many_holds_of_one_wallet_expire_in_one_sweep(rig):
    for _ in range(120):
        rig.world.hold(1, expires_in_seconds=60)
    rig.world.wait(seconds=60)
    ticked(rig)

    assert swept(rig) == NOTHING

    assert stored(rig) == (0, False)


def test_a_wallet_that_was_swept_meanwhile_is_left_alone(rig):
    rig.world.hold(10, expires_in_seconds=60)
    rig.world.wait(seconds=60)
    ticked(rig)
    rig.world.wallet()
    mark = rig.world.mark()

    assert swept(rig) == NOTHING
    assert rig.world.written_since(mark) == []


def test_a_worker_whose_clock_is_behind_leaves_what_is_not_due_for_it(rig):
    rig.world.hold(10, expires_in_seconds=60)
    rig.world.wait(seconds=60)
    ticked(rig)
    rig.world.wait(seconds=-1)
    mark = rig.world.mark()

    assert swept(rig) == NOTHING
    assert rig.world.written_since(mark) == []
    rig.world.wait(seconds=1)
    assert ticked(rig) == 1


def test_a_hold_that_was_extended_meanwhile_stays(rig):
    hold = rig.world.hold(10, expires_in_seconds=60)["id"]
    rig.world.wait(seconds=60)
    ticked(rig)
    rig.world.wait(seconds=-1)
    rig.world.post(f"/v1/billing/holds/{hold}/extend", body={"expires_in_seconds": 3600})
    rig.world.wait(seconds=1)

    assert swept(rig) == NOTHING

    assert stored(rig) == (10, True)
    assert ticked(rig) == 0


def test_a_message_that_comes_twice_at_once_is_done_once(rig):
    rig.world.hold(10, expires_in_seconds=60)
    rig.world.wait(seconds=60)
    ticked(rig)
    body = rig.queue.taken[0]
    (one,) = json.loads(body)["due"]

    answer = sweep(messages([body, json.dumps({"due": [one, one]}), body]), None)

    assert answer == NOTHING
    expiries = [item for item in rig.world.items() if item.get("type") == {"S": "hold_expiry"}]
    assert len(expiries) == 1


def test_a_wallet_that_is_not_there_is_nothing_to_do(rig):
    body = json.dumps({"due": [["WALLET", "acme", "live", account_of(BOB), "usd"]]})

    assert sweep(messages([body]), None) == NOTHING
    assert rig.world.items() == []


def test_a_message_without_wallets_is_nothing_to_do(rig):
    assert sweep(messages(['{"due": []}']), None) == NOTHING


# --- What goes wrong ------------------------------------------------------------------------------


def two_due(rig):
    rig.world.hold(10, by=ALICE, expires_in_seconds=60)
    rig.world.hold(10, by=BOB, expires_in_seconds=60)
    rig.world.wait(seconds=60)
    ticked(rig)
    places = [place for body in rig.queue.taken for place in json.loads(body)["due"]]
    assert len(places) == 2
    return places


def broken_wallet(rig):
    """A wallet that cannot be read, whatever is tried."""
    (item,) = (
        item
        for item in rig.world.items()
        if account_of(BOB) in item["pk"]["S"] and item["sk"]["S"] == "WALLET#usd"
    )
    del item["head"]
    rig.world.simulator.put_item(TableName="holdfast", Item={**item, "broken": {"BOOL": True}})
    rig.world.start_anew()


@pytest.mark.parametrize("order", [1, -1], ids=["behind it", "before it"])
def test_a_wallet_that_fails_stops_no_other_of_its_message(rig, order):
    places = sorted(two_due(rig), key=lambda place: place[3] == account_of(BOB))
    broken_wallet(rig)

    answer = sweep(messages([json.dumps({"due": places[::order]})]), None)

    assert answer == {"batchItemFailures": [{"itemIdentifier": "m0"}]}
    assert stored(rig, ALICE) == (0, False)
    assert stored(rig, BOB)[0] == 10


def test_a_message_that_fails_stops_no_other_of_its_batch(rig):
    alice, bob = sorted(two_due(rig), key=lambda place: place[3] == account_of(BOB))
    broken_wallet(rig)

    answer = sweep(messages([json.dumps({"due": [each]}) for each in (bob, alice)]), None)

    assert answer == {"batchItemFailures": [{"itemIdentifier": "m0"}]}
    assert stored(rig, ALICE) == (0, False)


POISON: dict[str, Any] = {
    "no JSON": "wallets",
    "nothing": "",
    "no object": "[]",
    "null": "null",
    "nothing due": "{}",
    "due that is a number": '{"due": 7}',
    "a thing that is a text": '{"due": ["acme"]}',
    "a wallet of four parts": '{"due": [["WALLET", "acme", "live", "acct_1"]]}',
    "a wallet of numbers": '{"due": [["WALLET", 1, 2, 3, 4]]}',
    "a noun that is none": '{"due": [["PURSE", "acme", "live", "acct_1", "usd"]]}',
    "a mode that is none": '{"due": [["WALLET", "acme", "prod", "acct_1", "usd"]]}',
    "an org that is none": '{"due": [["WALLET", "a/b", "live", "acct_1", "usd"]]}',
    "an account that would be another key": '{"due": [["WALLET", "acme", "live", "a#b", "usd"]]}',
    "no text": None,
    "an object": {"due": []},
}


@pytest.mark.parametrize("body", POISON.values(), ids=POISON)
def test_a_message_that_cannot_be_read_stops_no_other(rig, body):
    rig.world.hold(10, expires_in_seconds=60)
    rig.world.wait(seconds=60)
    ticked(rig)

    answer = sweep(messages([body, *rig.queue.taken, body]), None)

    assert answer == {"batchItemFailures": [{"itemIdentifier": "m0"}, {"itemIdentifier": "m2"}]}
    assert stored(rig) == (0, False)


def test_a_table_that_does_not_answer_brings_every_message_again(rig):
    places = two_due(rig)
    bodies = [json.dumps({"due": [place]}) for place in places]
    rig.world.simulator.faults = lambda number, method: THROTTLED

    answer = sweep(messages(bodies), None)

    assert answer == {"batchItemFailures": [{"itemIdentifier": "m0"}, {"itemIdentifier": "m1"}]}
    rig.world.simulator.faults = {}
    assert sweep(messages(bodies), None) == NOTHING
    assert [stored(rig, claims) for claims in (ALICE, BOB)] == [(0, False)] * 2


@pytest.mark.parametrize("call", range(12))
@pytest.mark.parametrize("kind", ["before", "after", "throttled", "conflict", "retried"])
def test_a_sweep_that_meets_a_fault_is_done_by_the_next_delivery(rig, call, kind):
    rig.world.hold(10, expires_in_seconds=60)
    rig.world.hold(20, expires_in_seconds=60, expiry_policy="capture")
    rig.world.wait(seconds=60)
    ticked(rig)
    body = deepcopy(rig.queue.taken)
    first = rig.world.simulator.call_count
    rig.world.simulator.faults = {first + call: kind}

    sweep(messages(body), None)
    rig.world.simulator.faults = {}
    rig.world.start_anew()

    assert sweep(messages(body), None) == NOTHING
    assert stored(rig) == (0, False)
    assert rig.world.cents() == (980, 0)


def test_a_message_that_fails_leaves_a_line_in_the_log(rig, capfd):
    assert sweep(messages(["due"]), None)["batchItemFailures"]

    assert '"level":"ERROR"' in "".join(capfd.readouterr())


bodies = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=6)
    | st.sampled_from(["acme", "live", "test", "usd", account_of(ALICE), account_of(ADMIN)]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["due"]) | st.text(max_size=3), inner, max_size=2)
    ),
    max_leaves=10,
)  # fmt: skip


@seed(20261121)
@settings(max_examples=200)
@given(st.lists(bodies.map(json.dumps) | bodies | st.text(max_size=10), max_size=4))
def test_whatever_a_message_says_the_answer_names_messages_of_the_batch(sent):
    rig = Rig()
    with pytest.MonkeyPatch.context() as patch:
        rig.stand_in(patch.setattr)
        rig.world.hold(10, expires_in_seconds=60)
        rig.world.wait(seconds=60)
        ticked(rig)

        answer = sweep(messages([*sent, *rig.queue.taken]), None)

    failed = [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]
    assert set(answer) == {"batchItemFailures"}
    assert len(failed) == len(set(failed))
    assert set(failed) <= {f"m{number}" for number in range(len(sent))}
    assert stored(rig) == (0, False)
