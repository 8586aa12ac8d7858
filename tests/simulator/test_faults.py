from contextlib import suppress

import pytest
from botocore.exceptions import BotoCoreError, ClientError, ConnectionClosedError, ReadTimeoutError

from tests.simulator.client import Simulator
from tests.simulator.errors import ProcessKilled
from tests.simulator.faults import (
    AFTER,
    BEFORE,
    CONFLICT,
    EVERY_FAULT,
    KILLED_AFTER,
    KILLED_BEFORE,
    PARTIAL,
    RETRIED,
    THROTTLED,
    Fault,
    RandomFaults,
)
from tests.simulator.tables import LEDGER_TABLE

TABLE = LEDGER_TABLE["TableName"]
KEY = {"pk": {"S": "a"}, "sk": {"S": "1"}}
ONCE = {"ConditionExpression": "attribute_not_exists(pk)"}
PUT = {"TableName": TABLE, "Item": KEY, **ONCE}
# For each method a call that writes KEY, or reads it.
CALLS = {
    "put_item": PUT,
    "transact_write_items": {"TransactItems": [{"Put": PUT}]},
    "update_item": {"TableName": TABLE, "Key": KEY, **ONCE},
    "get_item": {"TableName": TABLE, "Key": KEY},
}


@pytest.fixture
def simulator():
    return Simulator()


def call(simulator, method):
    return getattr(simulator, method)(**CALLS[method])


def code(refused):
    return refused.value.response["Error"]["Code"]


@pytest.mark.parametrize("method", CALLS)
def test_before_nothing_is_applied(simulator, method):
    simulator.faults = {0: BEFORE}

    with pytest.raises(ConnectionClosedError), simulator.measure() as used:
        call(simulator, method)

    assert simulator.items() == []
    assert used.calls == 0


@pytest.mark.parametrize("method", CALLS)
def test_after_all_is_applied_and_the_answer_is_lost(simulator, method):
    simulator.faults = {0: AFTER}

    with pytest.raises(ReadTimeoutError) as lost:
        call(simulator, method)

    assert isinstance(lost.value, BotoCoreError)
    assert simulator.items() == ([] if method == "get_item" else [KEY])


def test_a_refusal_is_lost_like_any_answer(simulator):
    simulator.put_item(TableName=TABLE, Item=KEY)
    simulator.faults = simulator.from_now({0: AFTER})

    with pytest.raises(ReadTimeoutError):
        call(simulator, "put_item")


def test_throttled_a_transaction_gives_a_reason_for_the_step(simulator):
    steps = [
        {"Put": {"TableName": TABLE, "Item": KEY}},
        {"Put": {"TableName": TABLE, "Item": {**KEY, "sk": {"S": "2"}}}},
    ]
    simulator.faults = {0: Fault("throttled", item=1)}

    with pytest.raises(simulator.exceptions.TransactionCanceledException) as refused:
        simulator.transact_write_items(TransactItems=steps)

    reasons = refused.value.response["CancellationReasons"]
    assert [reason["Code"] for reason in reasons] == ["None", "ThrottlingError"]
    assert simulator.items() == []


@pytest.mark.parametrize("method", ["put_item", "update_item", "get_item"])
def test_throttled_a_single_call_gives_its_own_exception(simulator, method):
    simulator.faults = {0: THROTTLED}

    with pytest.raises(simulator.exceptions.ProvisionedThroughputExceededException):
        call(simulator, method)

    assert simulator.items() == []


@pytest.mark.parametrize("method", CALLS)
@pytest.mark.parametrize("name", ["ThrottlingException", "InternalServerError"])
def test_a_throttled_call_may_fail_by_another_code(simulator, method, name):
    simulator.faults = {0: Fault("throttled", code=name)}

    with pytest.raises(ClientError) as refused:
        call(simulator, method)

    assert code(refused) == name
    assert simulator.items() == []


def test_a_conflict_names_the_item_it_met(simulator):
    steps = [
        {"Put": {"TableName": TABLE, "Item": {**KEY, "sk": {"S": str(number)}}}}
        for number in range(3)
    ]
    simulator.faults = {0: Fault("conflict", item=2), 1: Fault("conflict", item=9)}

    for _ in range(2):
        with pytest.raises(simulator.exceptions.TransactionCanceledException) as refused:
            simulator.transact_write_items(TransactItems=steps)
        reasons = refused.value.response["CancellationReasons"]
        assert [reason["Code"] for reason in reasons] == ["None", "None", "TransactionConflict"]
    assert simulator.items() == []


@pytest.mark.parametrize("method", ["put_item", "update_item"])
def test_a_conflict_of_a_single_write_has_its_own_exception(simulator, method):
    simulator.faults = {0: CONFLICT}

    with pytest.raises(simulator.exceptions.TransactionConflictException):
        call(simulator, method)

    assert simulator.items() == []


def test_a_read_meets_no_conflict(simulator):
    simulator.faults = {0: CONFLICT}

    assert "Item" not in call(simulator, "get_item")


class TestRetriedByTheSdk:
    def test_a_transaction_succeeds_by_its_token(self, simulator):
        simulator.faults = {0: RETRIED}

        with simulator.measure() as used:
            call(simulator, "transact_write_items")

        assert simulator.items() == [KEY]
        assert used.calls == 2
        assert tuple(used) == (2, 2, 0)
        assert len(simulator.calls) == 1
        assert len(simulator.stream) == 1

    def test_a_conditional_put_is_refused_for_what_it_wrote_itself(self, simulator):
        simulator.faults = {0: RETRIED}

        with pytest.raises(simulator.exceptions.ConditionalCheckFailedException):
            call(simulator, "put_item")

        assert simulator.items() == [KEY]

    def test_an_unconditional_sum_is_applied_twice(self, simulator):
        simulator.faults = {0: RETRIED}

        simulator.update_item(
            TableName=TABLE,
            Key=KEY,
            UpdateExpression="ADD n :one",
            ExpressionAttributeValues={":one": {"N": "1"}},
        )

        assert simulator.items() == [{**KEY, "n": {"N": "2"}}]

    def test_the_sdk_makes_a_new_token_for_each_call(self, simulator):
        """Only its own retries share a token: the second call of the application has another."""
        simulator.faults = {0: AFTER}
        with pytest.raises(ReadTimeoutError):
            call(simulator, "transact_write_items")

        with pytest.raises(simulator.exceptions.TransactionCanceledException):
            call(simulator, "transact_write_items")


@pytest.mark.parametrize(("fault", "items"), [(KILLED_BEFORE, []), (KILLED_AFTER, [KEY])])
def test_a_killed_process_is_not_caught_by_except_exception(simulator, fault, items):
    simulator.faults = {0: fault}

    def put_and_carry_on():
        with suppress(Exception):
            call(simulator, "put_item")

    with pytest.raises(ProcessKilled):
        put_and_carry_on()
    assert simulator.items() == items


def test_a_batch_may_be_answered_in_part(simulator):
    keys = [{**KEY, "sk": {"S": str(number)}} for number in range(5)]
    for key in keys:
        simulator.put_item(TableName=TABLE, Item=key)
    simulator.faults = simulator.from_now({0: PARTIAL})

    first = simulator.batch_get_item(RequestItems={TABLE: {"Keys": keys, "ConsistentRead": True}})
    rest = simulator.batch_get_item(RequestItems=first["UnprocessedKeys"])

    assert len(first["Responses"][TABLE]) == 3
    assert first["UnprocessedKeys"][TABLE]["ConsistentRead"]
    found = first["Responses"][TABLE] + rest["Responses"][TABLE]
    assert sorted(item["sk"]["S"] for item in found) == list("01234")
    assert rest["UnprocessedKeys"] == {}


def test_crash_points_are_found_by_counting(simulator):
    def scenario(world):
        if "Item" not in call(world, "get_item"):
            call(world, "put_item")
        return world.items()

    scenario(simulator)
    assert [call.method for call in simulator.calls] == ["get_item", "put_item"]

    for number in range(len(simulator.calls)):
        for fault in EVERY_FAULT:
            world = Simulator(faults={number: fault})
            try:
                scenario(world)
            except (BotoCoreError, ClientError, ProcessKilled):
                assert world.calls[number].error is not None
            assert world.calls[number].fault == fault
            world.faults = {}
            assert scenario(world) == [KEY]


def test_a_plan_may_be_a_function_and_faults_may_be_named(simulator):
    simulator.faults = lambda number, method: "before" if method == "put_item" else None

    call(simulator, "get_item")
    with pytest.raises(ConnectionClosedError):
        call(simulator, "put_item")


def test_random_faults_strike_at_their_rate_and_the_same_way_again():
    plans = [RandomFaults(3, rate=0.03) for _ in range(2)]

    struck, again = ([plan(number, "get_item") for number in range(20_000)] for plan in plans)

    assert struck == again
    for fault in EVERY_FAULT:
        assert 450 < struck.count(fault) < 750
