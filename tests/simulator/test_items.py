import pytest
from botocore.exceptions import ClientError, ParamValidationError

from tests.simulator.client import Simulator
from tests.simulator.tables import LEDGER_TABLE, ledger_table

TABLE = LEDGER_TABLE["TableName"]
KEY = {"pk": {"S": "a"}, "sk": {"S": "1"}}


@pytest.fixture
def simulator():
    return Simulator()


def put(simulator, **attributes):
    return simulator.put_item(TableName=TABLE, Item={**KEY, **attributes})


def code(refused):
    return refused.value.response["Error"]["Code"]


def test_a_put_replaces_the_whole_item(simulator):
    put(simulator, n={"N": "1"}, old={"S": "x"})

    put(simulator, n={"N": "1.50"})

    assert simulator.get_item(TableName=TABLE, Key=KEY)["Item"] == {**KEY, "n": {"N": "1.5"}}


def test_what_is_not_there_is_no_item(simulator):
    answer = simulator.get_item(TableName=TABLE, Key=KEY)

    assert answer == {"ResponseMetadata": {"HTTPStatusCode": 200, "RetryAttempts": 0}}


def test_a_failed_condition_changes_nothing_and_shows_what_is_there(simulator):
    put(simulator, n={"N": "1"})

    with pytest.raises(simulator.exceptions.ConditionalCheckFailedException) as refused:
        simulator.put_item(
            TableName=TABLE,
            Item=KEY,
            ConditionExpression="#n = :two",
            ExpressionAttributeNames={"#n": "n"},
            ExpressionAttributeValues={":two": {"N": "2"}},
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )

    assert refused.value.response["Item"] == {**KEY, "n": {"N": "1"}}
    assert refused.value.response["message"] == "The conditional request failed"
    assert simulator.items() == [{**KEY, "n": {"N": "1"}}]
    assert isinstance(refused.value, ClientError)


def test_return_values_show_the_item_before_and_after(simulator):
    put(simulator, n={"N": "1"}, s={"S": "x"})

    def update(mode):
        return simulator.update_item(
            TableName=TABLE,
            Key=KEY,
            UpdateExpression="SET n = n + :one",
            ExpressionAttributeValues={":one": {"N": "1"}},
            ReturnValues=mode,
        ).get("Attributes")

    assert update("NONE") is None
    assert update("ALL_OLD") == {**KEY, "n": {"N": "2"}, "s": {"S": "x"}}
    assert update("ALL_NEW") == {**KEY, "n": {"N": "4"}, "s": {"S": "x"}}
    assert update("UPDATED_OLD") == {"n": {"N": "4"}}
    assert update("UPDATED_NEW") == {"n": {"N": "6"}}
    answer = simulator.delete_item(TableName=TABLE, Key=KEY, ReturnValues="ALL_OLD")
    assert answer["Attributes"] == {**KEY, "n": {"N": "6"}, "s": {"S": "x"}}


@pytest.mark.parametrize(
    ("text", "values", "expected"),
    [
        ("SET n = :v", {":v": {"N": "7"}}, {"n": {"N": "7"}, "s": {"S": "x"}}),
        ("SET n = n - :v", {":v": {"N": "7"}}, {"n": {"N": "-6"}, "s": {"S": "x"}}),
        ("SET m = n, n = :v", {":v": {"N": "7"}}, {"m": {"N": "1"}, "n": {"N": "7"}}),
        ("SET m = if_not_exists(m, :v)", {":v": {"N": "7"}}, {"m": {"N": "7"}}),
        ("SET n = if_not_exists(n, :v) + :v", {":v": {"N": "7"}}, {"n": {"N": "8"}}),
        ("REMOVE s, absent", {}, {"n": {"N": "1"}}),
        ("ADD n :v, m :v", {":v": {"N": "0.5"}}, {"n": {"N": "1.5"}, "m": {"N": "0.5"}}),
        ("ADD tags :v", {":v": {"SS": ["a"]}}, {"tags": {"SS": ["a"]}}),
        ("set n = :v remove s", {":v": {"N": "7"}}, {"n": {"N": "7"}}),
    ],
)
def test_an_update_does_what_it_says(simulator, text, values, expected):
    put(simulator, n={"N": "1"}, s={"S": "x"})
    params = {"ExpressionAttributeValues": values} if values else {}

    simulator.update_item(TableName=TABLE, Key=KEY, UpdateExpression=text, **params)

    (item,) = simulator.items()
    assert {name: item[name] for name in expected} == expected
    assert ("s" in item) == ("remove" not in text.lower())


def test_sums_are_exact_beyond_floating_point(simulator):
    put(simulator, n={"N": "12345678901234567890123456789012345678"})

    simulator.update_item(
        TableName=TABLE,
        Key=KEY,
        UpdateExpression="SET n = n - :one",
        ExpressionAttributeValues={":one": {"N": "1"}},
    )

    assert simulator.items()[0]["n"] == {"N": "12345678901234567890123456789012345677"}


def test_an_update_makes_the_item_that_is_not_there(simulator):
    simulator.update_item(
        TableName=TABLE,
        Key=KEY,
        UpdateExpression="ADD n :one",
        ExpressionAttributeValues={":one": {"N": "1"}},
    )

    assert simulator.items() == [{**KEY, "n": {"N": "1"}}]


@pytest.mark.parametrize(
    "text",
    [
        "SET sk = :v",
        "SET n = absent + :v",
        "SET n = s + :v",
        "ADD s :v",
        "SET n = :v, n = :v",
        "SET gsi1pk = :v",
        "SET n :v",
        "SET n = :v SET s = :v",
        "n = :v",
        "SET status = :v",
    ],
)
def test_an_update_that_does_not_fit_changes_nothing(simulator, text):
    put(simulator, n={"N": "1"}, s={"S": "x"})

    with pytest.raises(ClientError) as refused:
        simulator.update_item(
            TableName=TABLE,
            Key=KEY,
            UpdateExpression=text,
            ExpressionAttributeValues={":v": {"N": "1"}},
        )

    assert code(refused) == "ValidationException"
    assert simulator.items() == [{**KEY, "n": {"N": "1"}, "s": {"S": "x"}}]


@pytest.mark.parametrize("text", ["DELETE tags :v", "SET m.x = :v", "SET l = list_append(l, :v)"])
def test_what_the_simulator_does_not_know_it_does_not_guess(simulator, text):
    with pytest.raises(NotImplementedError):
        simulator.update_item(
            TableName=TABLE,
            Key=KEY,
            UpdateExpression=text,
            ExpressionAttributeValues={":v": {"SS": ["a"]}},
        )


def test_a_call_the_simulator_does_not_know_does_not_exist(simulator):
    assert not hasattr(simulator, "scan")
    with pytest.raises(NotImplementedError):
        simulator.put_item(TableName=TABLE, Item=KEY, Expected={})


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("get_item", {"TableName": TABLE, "Key": KEY, "ConsistentReed": True}),
        ("get_item", {"TableName": TABLE}),
        ("get_item", {"TableName": TABLE, "Key": KEY, "ConsistentRead": "yes"}),
        ("put_item", {"TableName": TABLE, "Item": KEY, "ConditionExpression": None}),
        ("query", {"TableName": TABLE, "Limit": 0, "KeyConditionExpression": "pk = :p"}),
        ("transact_write_items", {"TransactItems": []}),
        ("transact_write_items", {"TransactItems": [{"Put": {"TableName": TABLE}}]}),
        ("transact_write_items", {"TransactItems": [{"Putt": {}}]}),
        ("batch_get_item", {"RequestItems": {TABLE: {"Keys": []}}}),
    ],
)
def test_botocore_refuses_wrong_parameters_before_anything_is_sent(simulator, method, params):
    with pytest.raises(ParamValidationError), simulator.measure() as used:
        getattr(simulator, method)(**params)

    assert tuple(used) == (0, 0, 0)


@pytest.mark.parametrize(
    "params",
    [
        {"ConditionExpression": "n = :missing"},
        {"ConditionExpression": "#missing = :v", "ExpressionAttributeValues": {":v": {"N": "1"}}},
        {"ConditionExpression": "attribute_exists(n)", "ExpressionAttributeNames": {"#n": "n"}},
        {
            "ConditionExpression": "attribute_exists(n)",
            "ExpressionAttributeValues": {":v": {"N": "1"}},
        },
        {"ExpressionAttributeValues": {":v": {"N": "1"}}},
        {"ConditionExpression": "attribute_exists(n)", "ExpressionAttributeValues": {}},
        {"ReturnConsumedCapacity": "SOME"},
        {"ReturnValues": "ALL_NEW"},
    ],
)
def test_placeholders_and_options_must_fit(simulator, params):
    with pytest.raises(ClientError) as refused:
        simulator.put_item(TableName=TABLE, Item=KEY, **params)

    assert code(refused) == "ValidationException"
    assert simulator.items() == []


class TestBatches:
    def keys(self, count):
        return [{"pk": {"S": "a"}, "sk": {"S": str(number)}} for number in range(count)]

    def test_a_batch_answers_what_is_there_in_no_order_to_rely_on(self, simulator):
        for key in self.keys(3):
            simulator.put_item(TableName=TABLE, Item=key)

        answer = simulator.batch_get_item(RequestItems={TABLE: {"Keys": self.keys(5)}})

        found = answer["Responses"][TABLE]
        assert sorted(item["sk"]["S"] for item in found) == ["0", "1", "2"]
        assert found != self.keys(3)
        assert answer["UnprocessedKeys"] == {}

    def test_a_hundred_keys_are_the_most(self, simulator):
        simulator.batch_get_item(RequestItems={TABLE: {"Keys": self.keys(100)}})

        with pytest.raises(ClientError) as refused:
            simulator.batch_get_item(RequestItems={TABLE: {"Keys": self.keys(101)}})
        assert code(refused) == "ValidationException"

    def test_a_key_may_be_asked_for_once(self, simulator):
        with pytest.raises(ClientError) as refused:
            simulator.batch_get_item(RequestItems={TABLE: {"Keys": self.keys(1) * 2}})
        assert code(refused) == "ValidationException"

    def test_what_goes_beyond_16_megabytes_comes_back(self, simulator):
        for key in self.keys(50):
            filler = {"S": "x" * 390_000}
            simulator.put_item(TableName=TABLE, Item={**key, "x": filler})

        answer = simulator.batch_get_item(RequestItems={TABLE: {"Keys": self.keys(50)}})

        found = [item["sk"] for item in answer["Responses"][TABLE]]
        left = [key["sk"] for key in answer["UnprocessedKeys"][TABLE]["Keys"]]
        assert len(found) == 16 * 1024 * 1024 // 390_000
        assert len(found) + len(left) == 50


class TestTables:
    def test_a_table_tells_its_schema(self, simulator):
        table = simulator.describe_table(TableName=TABLE)["Table"]

        assert table["KeySchema"] == LEDGER_TABLE["KeySchema"]
        assert table["TableStatus"] == "ACTIVE"
        assert [index["IndexName"] for index in table["GlobalSecondaryIndexes"]] == ["gsi1", "gsi2"]

    def test_tables_are_apart(self, simulator):
        simulator.create_table(**ledger_table("other"))
        simulator.put_item(TableName="other", Item=KEY)

        assert simulator.items() == []
        assert simulator.items("other") == [KEY]
        with pytest.raises(simulator.exceptions.ResourceInUseException):
            simulator.create_table(**ledger_table("other"))

    def test_a_table_needs_no_sort_key_and_keys_may_be_numbers(self, simulator):
        simulator.create_table(
            TableName="numbers",
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "N"}],
            BillingMode="PAY_PER_REQUEST",
        )

        simulator.put_item(TableName="numbers", Item={"id": {"N": "1.0"}})

        assert simulator.get_item(TableName="numbers", Key={"id": {"N": "1"}})["Item"]
        answer = simulator.query(
            TableName="numbers",
            KeyConditionExpression="id = :one",
            ExpressionAttributeValues={":one": {"N": "1.00"}},
        )
        assert answer["Items"] == [{"id": {"N": "1"}}]

    def test_an_unknown_table_is_refused(self, simulator):
        with pytest.raises(simulator.exceptions.ResourceNotFoundException):
            simulator.get_item(TableName="no-such-table", Key=KEY)
