from copy import deepcopy
from typing import Any

import pytest
from botocore.exceptions import ClientError, ParamValidationError

from tests.simulator.client import Simulator
from tests.simulator.errors import ServiceError
from tests.simulator.tables import LEDGER_TABLE
from tests.simulator.values import normal_number

TABLE = LEDGER_TABLE["TableName"]
KEY = {"pk": {"S": "a"}, "sk": {"S": "1"}}
NESTED: dict[str, Any] = {
    **KEY,
    "m": {"M": {"x": {"L": [{"S": "a"}]}}},
    "s": {"SS": ["a"]},
}


@pytest.fixture
def simulator():
    return Simulator()


@pytest.mark.parametrize(
    ("spelled", "normal"),
    [
        ("0", "0"),
        ("-0.00", "0"),
        ("007", "7"),
        ("1.50", "1.5"),
        ("+5", "5"),
        (".5", "0.5"),
        ("5.", "5"),
        ("1e3", "1000"),
        ("-12E-3", "-0.012"),
        ("100", "100"),
        ("1" * 38, "1" * 38),
        ("1" * 38 + "000", "1" * 38 + "000"),
        ("9.9E125", "99" + "0" * 124),
        ("1E-130", "0." + "0" * 129 + "1"),
    ],
)
def test_a_number_has_one_spelling(spelled, normal):
    assert normal_number(spelled) == normal
    assert normal_number(normal) == normal


@pytest.mark.parametrize(
    "spelled",
    ["", " 1", "1 ", "1_000", "abc", "NaN", "Infinity", "1e", "--1", "٣", "1E126", "1E-131"],
)
def test_what_is_no_dynamodb_number_is_refused(spelled):
    with pytest.raises(ServiceError) as refused:
        normal_number(spelled)

    assert refused.value.code == "ValidationException"


@pytest.mark.parametrize(
    "value",
    [
        {},
        {"S": "a", "N": "1"},
        {"NULL": False},
        {"SS": []},
        {"SS": ["a", "a"]},
        {"NS": ["1", "1.0"]},
        {"M": {"x": {"N": "x"}}},
        {"L": [{"L": [{"BS": []}]}]},
    ],
    ids=str,
)
def test_the_service_refuses_a_bad_value_wherever_it_stands(simulator, value):
    with pytest.raises(ClientError) as refused:
        simulator.put_item(TableName=TABLE, Item={**KEY, "x": value})

    assert refused.value.response["Error"]["Code"] == "ValidationException"
    assert simulator.items() == []


@pytest.mark.parametrize(
    "value",
    [{"X": "a"}, {"N": 5}, {"S": None}, {"S": b"a"}, {"BOOL": "true"}, {"L": "a"}, {"M": []}, "a"],
    ids=str,
)
def test_botocore_refuses_what_has_another_type(simulator, value):
    with pytest.raises(ParamValidationError):
        simulator.put_item(TableName=TABLE, Item={**KEY, "x": value})

    assert simulator.items() == []


@pytest.mark.parametrize(("levels", "is_taken"), [(31, True), (32, False)])
def test_values_nest_to_32_levels(simulator, levels, is_taken):
    value: dict[str, Any] = {"N": "1"}
    for _ in range(levels):
        value = {"L": [value]}

    if is_taken:
        simulator.put_item(TableName=TABLE, Item={**KEY, "x": value})
    else:
        with pytest.raises(ClientError):
            simulator.put_item(TableName=TABLE, Item={**KEY, "x": value})


def test_half_of_a_surrogate_pair_is_refused(simulator):
    with pytest.raises(ClientError):
        simulator.put_item(TableName=TABLE, Item={**KEY, "x": {"S": "\ud83d"}})


def test_an_empty_string_is_a_value_but_not_a_key(simulator):
    simulator.put_item(TableName=TABLE, Item={**KEY, "x": {"S": ""}})

    for name in ("pk", "sk", "gsi1pk", "gsi2sk"):
        with pytest.raises(ClientError) as refused:
            simulator.put_item(TableName=TABLE, Item={**KEY, name: {"S": ""}})
        assert refused.value.response["Error"]["Code"] == "ValidationException"


@pytest.mark.parametrize(
    ("name", "length", "is_taken"),
    [
        ("pk", 2048, True),
        ("pk", 2049, False),
        ("sk", 1024, True),
        ("sk", 1025, False),
        ("gsi1sk", 1024, True),
        ("gsi1sk", 1025, False),
    ],
)
def test_keys_have_a_greatest_length_in_bytes(simulator, name, length, is_taken):
    text = "é" * (length // 2) + "x" * (length % 2)
    item = {**KEY, "gsi1pk": {"S": "g"}, name: {"S": text}}

    if is_taken:
        simulator.put_item(TableName=TABLE, Item=item)
    else:
        with pytest.raises(ClientError):
            simulator.put_item(TableName=TABLE, Item=item)


@pytest.mark.parametrize("spelled", ["1" * 39, "0." + "1" * 39, "1" * 38 + ".1"])
def test_38_digits_are_the_most(spelled):
    with pytest.raises(ServiceError, match="38 significant digits"):
        normal_number(spelled)


class TestCopies:
    def test_what_was_put_does_not_change_with_its_source(self, simulator):
        item = deepcopy(NESTED)
        simulator.put_item(TableName=TABLE, Item=item)

        item["m"]["M"]["x"]["L"].append({"S": "b"})
        item["pk"]["S"] = "other"

        assert simulator.items() == [NESTED]

    @pytest.mark.parametrize("source", ["get", "query", "batch", "refusal", "items", "stream"])
    def test_what_was_handed_out_may_be_changed(self, simulator, source):
        simulator.put_item(TableName=TABLE, Item=NESTED)
        item = getattr(self, f"by_{source}")(simulator)

        item["m"]["M"]["x"]["L"].clear()
        item["s"]["SS"].clear()
        item["pk"]["S"] = "other"

        assert simulator.items() == [NESTED]

    def by_get(self, simulator):
        return simulator.get_item(TableName=TABLE, Key=KEY)["Item"]

    def by_query(self, simulator):
        values = {":p": KEY["pk"]}
        answer = simulator.query(
            TableName=TABLE, KeyConditionExpression="pk = :p", ExpressionAttributeValues=values
        )
        return answer["Items"][0]

    def by_batch(self, simulator):
        answer = simulator.batch_get_item(RequestItems={TABLE: {"Keys": [KEY]}})
        return answer["Responses"][TABLE][0]

    def by_refusal(self, simulator):
        with pytest.raises(ClientError) as refused:
            simulator.put_item(
                TableName=TABLE,
                Item=KEY,
                ConditionExpression="attribute_not_exists(pk)",
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        response: Any = refused.value.response
        return response["Item"]

    def by_items(self, simulator):
        return simulator.items()[0]

    def by_stream(self, simulator):
        return simulator.stream[0]["dynamodb"]["NewImage"]
