"""The table's stream to the event bus: entries are published, everything else is passed over."""

import json
from copy import deepcopy
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError
from hypothesis import given, seed, settings
from hypothesis import strategies as st

from ledger_stream.app import handler
from tests.api.world import TEST_ALICE, account_of
from tests.events.rig import BUS, Rig
from tests.http.events import ADMIN, ALICE

NOTHING: dict[str, list[Any]] = {"batchItemFailures": []}


def publish(rig, records):
    return handler({"Records": records}, None)


def since(rig, happen):
    """What is published of what happens, once there is an account with money."""
    rig.world.deposit(50_000)
    mark = rig.world.mark()
    happen(rig.world)
    assert publish(rig, rig.records(mark)) == NOTHING
    return rig.bus.names


def refunded(world):
    used = world.use(10)["transactionId"]
    body = {"user": "alice", "amount": 10, "originalTransactionId": used}
    world.post("/api/v1/billing/refund", by=ADMIN, body=body)


def extended(world):
    world.post(f"/v1/billing/holds/{world.hold(10)['id']}/extend", body={"amount": 1})


def captured(world):
    world.post(f"/v1/billing/holds/{world.hold(10)['id']}/capture", body={"amount": 1})


def released(world):
    world.post(f"/v1/billing/holds/{world.hold(10)['id']}/release")


def expired_hold(world):
    world.hold(10, expires_in_seconds=60)
    world.wait(seconds=60)
    world.wallet()


def expired_lot(world):
    world.deposit(10, expiresIn=1)
    world.wait(days=1)
    world.wallet()


def granted(world, **terms):
    body = {"userId": "alice", "amountCents": 100, "name": "Spring", **terms}
    return world.post("/api/v1/billing/credit-grants", by=ADMIN, body=body)["id"]


def opened_by_time(world):
    day = (world.now + timedelta(days=1)).isoformat().replace("+00:00", "Z")
    granted(world, effectiveAt=day)
    world.wait(days=1)
    world.wallet()


def voided(world):
    world.post(f"/api/v1/billing/credit-grants/{granted(world)}/void", by=ADMIN)


def started(world):
    world.save_card()
    world.post("/api/v1/billing/credit", body={"user": "alice"})


def adjusted(world):
    body = {"customerId": "alice", "amount": -500}
    world.post("/api/v1/billing/customer-balance/adjustments", by=ADMIN, body=body)


@pytest.mark.parametrize(
    ("happen", "names"),
    [
        (lambda world: world.deposit(10), ["wallet.credited"]),
        (granted, ["credit.granted"]),
        (opened_by_time, ["credit.granted"]),
        (voided, ["credit.granted", "credit.voided"]),
        (started, ["wallet.credited"]),
        (adjusted, ["wallet.adjusted"]),
        (lambda world: world.wallet(by=ADMIN), ["wallet.credited"]),
        (
            lambda world: world.post(
                "/api/v1/billing/withdraw", body={"user": "alice", "amount": 10}
            ),
            ["wallet.withdrawn"],
        ),
        (refunded, ["wallet.refunded"]),
        (expired_hold, ["hold.expired"]),
        (expired_lot, ["wallet.credited", "lot.expired"]),
        (lambda world: world.use(10), []),
        (lambda world: world.hold(10), []),
        (extended, []),
        (captured, []),
        (released, []),
        (lambda world: world.quote(), []),
    ],
    ids=["a deposit", "a grant", "a grant whose day comes", "a grant that is voided",
         "the starter credit", "an adjustment", "an introductory credit", "a withdrawal",
         "a refund", "a hold's expiry",
         "a lot's expiry", "usage", "a hold", "an extension", "a capture", "a release", "a quote"],
)  # fmt: skip
def test_what_happened_is_published_under_its_name(rig, happen, names):
    assert since(rig, happen) == names


def test_an_event_carries_the_entry_as_its_owner_reads_it(rig):
    rig.world.wallet()
    mark = rig.world.mark()
    deposit = rig.world.deposit(2500, tags="topup", notes="ünïcode")["transactionId"]

    publish(rig, rig.records(mark))

    ((put,),) = rig.bus.calls
    assert {name: text for name, text in put.items() if name != "Detail"} == {
        "EventBusName": BUS,
        "Source": "holdfast",
        "DetailType": "wallet.credited",
    }
    assert json.loads(put["Detail"]) == {
        "id": deposit,
        "org": "acme",
        "mode": "live",
        "account_id": account_of(ALICE),
        "seq": 2,
        "entry": rig.world.get(f"/v1/billing/entries/{deposit}"),
    }


def test_an_event_of_test_mode_says_so(rig):
    rig.world.wallet(by=TEST_ALICE)

    publish(rig, rig.records())

    assert [detail["mode"] for _, detail in rig.bus.events] == ["test"]


def test_a_receipt_is_no_entry_and_neither_is_a_record(rig):
    rig.world.deposit(5000)
    mark = rig.world.mark()
    quote = rig.world.quote()["quote_id"]
    rig.world.post("/v1/billing/hardware/hold", body={"quote_id": quote, "job_id": "job-1"})
    records = rig.records(mark)

    assert publish(rig, records) == NOTHING

    kinds = {record["dynamodb"]["Keys"]["sk"]["S"].split("#")[0] for record in records}
    assert kinds == {"ENTRY", "WALLET", "HOLD", "QUOTE", "JOB"}
    assert rig.bus.calls == []


@pytest.mark.parametrize("kind", ["MODIFY", "REMOVE", "insert", ""])
def test_only_what_is_new_is_published(rig, kind):
    rig.world.wallet()
    records = [{**record, "eventName": kind} for record in rig.records()]

    assert publish(rig, records) == NOTHING
    assert rig.bus.calls == []


def test_a_record_without_its_new_image_is_passed_over(rig):
    rig.world.wallet()
    records = deepcopy(rig.records())
    for record in records:
        del record["dynamodb"]["NewImage"]

    assert publish(rig, records) == NOTHING


# --- Low balances ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("used", "names"),
    [
        (499, []),
        (500, []),
        (501, ["wallet.low_balance"]),
        (1000, ["wallet.low_balance"]),
        (1001, ["wallet.low_balance", "wallet.overdrawn"]),
    ],
    ids=["above", "at the threshold", "below", "nothing left", "below nothing"],
)
@pytest.mark.parametrize("draw", ["use", "hold"])
def test_a_balance_that_falls_below_the_threshold_is_told_once(rig, used, names, draw):
    rig.world.wallet()
    mark = rig.world.mark()
    if draw == "hold" and used > 1000:
        used, names = 1000, names[:1]

    getattr(rig.world, draw)(used)
    if used > 500:
        rig.world.use("0.5")

    publish(rig, rig.records(mark))
    overdrawn = ["wallet.overdrawn"] if used == 1000 else []
    assert rig.bus.names == names + overdrawn


def test_a_balance_that_rises_and_falls_again_is_told_again(rig):
    rig.world.use(600)
    rig.world.deposit(600)
    rig.world.use(600)

    publish(rig, rig.records())

    assert rig.bus.names.count("wallet.low_balance") == 2


def test_the_threshold_is_the_environments(rig):
    rig.low_balance_micros = 10_000_000
    rig.world.wallet()
    mark = rig.world.mark()
    rig.world.use(1)

    publish(rig, rig.records(mark))

    assert rig.bus.names == ["wallet.low_balance"]


# --- Twice, out of order, many --------------------------------------------------------------------


def test_a_batch_that_comes_twice_is_published_twice_with_the_same_ids(rig):
    rig.world.deposit(2500)
    records = rig.records()

    publish(rig, records)
    first = rig.bus.events
    rig.bus.calls.clear()
    publish(rig, records[::-1])

    assert sorted(rig.bus.events, key=str) == sorted(first, key=str)
    assert len({detail["id"] for _, detail in first}) == len(first) == 2


def test_a_full_batch_is_published_whole(rig):
    for _ in range(99):
        rig.world.deposit(1)
    records = [each for each in rig.records() if each["dynamodb"]["Keys"]["sk"]["S"] == "ENTRY"]

    assert publish(rig, records) == NOTHING

    assert len(records) == 100
    assert [detail["seq"] for _, detail in rig.bus.events] == list(range(1, 101))


# --- What goes wrong ------------------------------------------------------------------------------


def entries(rig):
    for _ in range(2):
        rig.world.deposit(1)
    return [each for each in rig.records() if each["dynamodb"]["Keys"]["sk"]["S"] == "ENTRY"]


def failed(*records):
    return {
        "batchItemFailures": [
            {"itemIdentifier": record["dynamodb"]["SequenceNumber"]} for record in records
        ]
    }


@pytest.mark.parametrize("place", [0, 1, 2])
def test_an_event_that_the_bus_refuses_comes_again_and_the_others_do_not(rig, place):
    records = entries(rig)
    seq = place + 1
    rig.bus.refuses = lambda entry: json.loads(entry["Detail"])["seq"] == seq

    assert publish(rig, records) == failed(records[place])

    rig.bus.refuses = lambda entry: False
    rig.bus.calls.clear()
    assert publish(rig, [records[place]]) == NOTHING
    assert [detail["seq"] for _, detail in rig.bus.events] == [seq]


def test_one_of_two_events_of_an_entry_that_is_refused_brings_both_again(rig):
    rig.world.deposit(500, expiresIn=1)
    rig.world.use(900)
    rig.world.wait(days=1)
    mark = rig.world.mark()
    rig.world.wallet()
    rig.bus.refuses = lambda entry: entry["DetailType"] == "wallet.low_balance"
    (record,) = [each for each in rig.records(mark) if "gsi1sk" in each["dynamodb"]["NewImage"]]

    assert publish(rig, [record]) == failed(record)

    rig.bus.refuses = lambda entry: False
    rig.bus.calls.clear()
    publish(rig, [record])
    assert rig.bus.names == ["lot.expired", "wallet.low_balance"]


@pytest.mark.parametrize(
    "error",
    [
        ClientError({"Error": {"Code": "ThrottlingException"}}, "PutEvents"),
        ClientError({"Error": {"Code": "AccessDeniedException"}}, "PutEvents"),
        ReadTimeoutError(endpoint_url="https://events"),
        RuntimeError("a bug"),
    ],
    ids=["throttled", "denied", "timed out", "a bug"],
)
def test_a_bus_that_is_down_brings_the_whole_batch_again(rig, error):
    records = entries(rig)
    rig.bus.down = error

    assert publish(rig, records) == failed(*records)

    rig.bus.down = None
    assert publish(rig, records) == NOTHING
    assert len(rig.bus.events) == 3


def without(name):
    def spoil(image):
        del image[name]

    return spoil


def with_(name, value):
    def spoil(image):
        image[name] = value

    return spoil


POISON = {
    "no hash": without("hash"),
    "no type": without("type"),
    "no postings": without("postings"),
    "an amount that is text": with_("amount", {"S": "x"}),
    "an amount that is no number": with_("amount", {"N": "x"}),
    "an attribute of no type": with_("amount", {}),
    "an attribute of a type that is none": with_("amount", {"Q": "1"}),
    "a time that is none": with_("created_at", {"S": "yesterday"}),
    "a tenant that is none": with_("pk", {"S": "ENTRY#nobody#ent_1"}),
    "a key that is none": with_("pk", {"S": "ENTRY"}),
    "no place in the statement": with_("gsi1sk", {"S": "first"}),
    "a currency that is none": with_("gsi1pk", {"S": "STMT#acme/live#acct_1#zzz"}),
}


@pytest.mark.parametrize("spoil", POISON.values(), ids=POISON)
def test_a_record_that_cannot_be_read_stops_nobody_else(rig, spoil):
    records = deepcopy(entries(rig))
    spoil(records[1]["dynamodb"]["NewImage"])

    assert publish(rig, records) == failed(records[1])
    assert [detail["seq"] for _, detail in rig.bus.events] == [1, 3]


def test_a_batch_of_nothing_but_poison_is_answered_all_the_same(rig):
    records = deepcopy(entries(rig))
    for record in records:
        del record["dynamodb"]["NewImage"]["hash"]

    assert publish(rig, records) == failed(*records)


def test_a_batch_that_failed_leaves_nothing_to_the_next_one(rig):
    records = entries(rig)
    rig.bus.down = RuntimeError("a bug")
    publish(rig, records)
    rig.bus.down = None

    assert publish(rig, records[:1]) == NOTHING


def test_a_record_that_fails_leaves_a_line_in_the_log(rig, capfd):
    records = deepcopy(entries(rig))
    del records[0]["dynamodb"]["NewImage"]["hash"]
    capfd.readouterr()

    publish(rig, records)

    assert '"level":"ERROR"' in "".join(capfd.readouterr())


images = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["S", "N", "M", "L", "NULL", "BOOL", "B"]) | st.text(max_size=3),
            inner,
            max_size=3,
        )
    ),
    max_leaves=6,
)


@seed(20261121)
@settings(max_examples=200)
@given(
    name=st.sampled_from(
        ["pk", "sk", "gsi1pk", "gsi1sk", "type", "amount", "balance", "held", "postings", "draws",
         "reference", "source", "details", "created_at", "prev", "hash", "fingerprint", "hold_id",
         "hold"]
    ),
    value=images,
    place=st.integers(0, 2),
)  # fmt: skip
def test_whatever_an_image_holds_the_others_are_published(name, value, place):
    rig = Rig()
    with pytest.MonkeyPatch.context() as patch:
        rig.stand_in(patch.setattr)
        records = deepcopy(entries(rig))
        records[place]["dynamodb"]["NewImage"][name] = value

        answer = publish(rig, records)

    assert answer in (NOTHING, failed(records[place]))
    others = {1, 2, 3} - {place + 1}
    assert others <= {detail["seq"] for _, detail in rig.bus.events}
