import pytest
from botocore.exceptions import ClientError

from tests.simulator.client import ManualClock, Simulator
from tests.simulator.tables import LEDGER_TABLE

TABLE = LEDGER_TABLE["TableName"]
KEY = {"pk": {"S": "a"}, "sk": {"S": "1"}}


@pytest.fixture
def simulator():
    return Simulator(clock=ManualClock(1_760_000_000.5))


def put(simulator, **attributes):
    simulator.put_item(TableName=TABLE, Item={**KEY, **attributes})


def images(record):
    change = record["dynamodb"]
    return record["eventName"], change.get("OldImage"), change.get("NewImage")


def test_every_change_leaves_a_record_with_both_images(simulator):
    put(simulator)
    put(simulator, n={"N": "1"})
    simulator.delete_item(TableName=TABLE, Key=KEY)

    assert [images(record) for record in simulator.stream] == [
        ("INSERT", None, KEY),
        ("MODIFY", KEY, {**KEY, "n": {"N": "1"}}),
        ("REMOVE", {**KEY, "n": {"N": "1"}}, None),
    ]


def test_a_record_has_the_shape_in_which_lambda_receives_it(simulator):
    put(simulator)

    (record,) = simulator.stream.event()["Records"]

    assert record["eventSource"] == "aws:dynamodb"
    assert record["eventSourceARN"].endswith(f"table/{TABLE}/stream/2025-01-01T00:00:00.000")
    assert record["dynamodb"]["Keys"] == KEY
    assert record["dynamodb"]["ApproximateCreationDateTime"] == 1_760_000_000
    assert record["dynamodb"]["StreamViewType"] == "NEW_AND_OLD_IMAGES"


def test_a_write_that_changes_nothing_leaves_no_record(simulator):
    put(simulator, n={"N": "1"})

    put(simulator, n={"N": "1.0"})
    simulator.delete_item(TableName=TABLE, Key={**KEY, "sk": {"S": "absent"}})
    simulator.update_item(TableName=TABLE, Key=KEY, UpdateExpression="REMOVE absent")

    assert len(simulator.stream) == 1


def test_a_refused_write_leaves_no_record(simulator):
    step = {"Put": {"TableName": TABLE, "Item": KEY}}
    refused = {"Put": {**step["Put"], "ConditionExpression": "attribute_exists(pk)"}}
    refused["Put"]["Item"] = {**KEY, "sk": {"S": "2"}}

    with pytest.raises(ClientError):
        simulator.transact_write_items(TransactItems=[step, refused])
    with pytest.raises(ClientError):
        simulator.put_item(**refused["Put"])

    assert len(simulator.stream) == 0


def test_a_replay_leaves_no_second_record(simulator):
    step = {"Put": {"TableName": TABLE, "Item": KEY}}
    for _ in range(2):
        simulator.transact_write_items(TransactItems=[step], ClientRequestToken="t")

    assert len(simulator.stream) == 1


def test_records_are_numbered_for_good(simulator):
    for number in range(11):
        put(simulator, n={"N": str(number)})
    before = [record["dynamodb"]["SequenceNumber"] for record in simulator.stream]
    assert before == sorted(set(before))

    simulator.forget()
    put(simulator)

    assert len(simulator.stream) == 1
    assert simulator.stream[0]["dynamodb"]["SequenceNumber"] > before[-1]
    assert simulator.calls[0].number == 11
