from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.simulator.client import Simulator
from tests.simulator.tables import LEDGER_TABLE

TABLE = LEDGER_TABLE["TableName"]


@pytest.fixture
def simulator():
    return Simulator()


def put(simulator, pk, sk, **attributes):
    item = {"pk": {"S": pk}, "sk": {"S": sk}}
    item.update({name: {"S": value} for name, value in attributes.items()})
    simulator.put_item(TableName=TABLE, Item=item)


@pytest.fixture
def letters(simulator):
    for sk in ("b", "aa", "c", "a", "ab"):
        put(simulator, "p", sk)
    put(simulator, "other", "a")
    return simulator


def query(simulator, condition="", index=None, **params):
    """The sort keys that a query of partition p finds, and its answer."""
    values = params.pop("values", {})
    hash_name = "pk" if index is None else f"{index}pk"
    if index:
        params["IndexName"] = index
    answer = simulator.query(
        TableName=TABLE,
        KeyConditionExpression=f"{hash_name} = :p{condition}",
        ExpressionAttributeValues={
            ":p": {"S": "p"},
            **{f":{name}": {"S": value} for name, value in values.items()},
        },
        **params,
    )
    return [item["sk"]["S"] for item in answer.get("Items", ())], answer


@pytest.mark.parametrize(
    ("condition", "values", "found"),
    [
        ("", {}, ["a", "aa", "ab", "b", "c"]),
        (" AND sk = :v", {"v": "ab"}, ["ab"]),
        (" AND sk = :v", {"v": "absent"}, []),
        (" AND sk < :v", {"v": "ab"}, ["a", "aa"]),
        (" AND sk <= :v", {"v": "ab"}, ["a", "aa", "ab"]),
        (" AND sk > :v", {"v": "ab"}, ["b", "c"]),
        (" AND sk >= :v", {"v": "ab"}, ["ab", "b", "c"]),
        (" AND sk BETWEEN :v AND :w", {"v": "aa", "w": "b"}, ["aa", "ab", "b"]),
        (" AND begins_with(sk, :v)", {"v": "a"}, ["a", "aa", "ab"]),
        (" AND begins_with(sk, :v)", {"v": "d"}, []),
    ],
)
def test_a_query_finds_a_range_in_order(letters, condition, values, found):
    assert query(letters, condition, values=values)[0] == found
    backwards = query(letters, condition, values=values, ScanIndexForward=False)[0]
    assert backwards == found[::-1]


def test_strings_come_in_the_order_of_their_bytes(simulator):
    for sk in ("é", "z", "Z", "😀", "￿"):
        put(simulator, "p", sk)

    assert query(simulator)[0] == ["Z", "z", "é", "￿", "😀"]


@pytest.mark.parametrize("forward", [True, False])
@pytest.mark.parametrize("limit", [1, 2, 5, 6])
def test_pages_make_up_the_whole(letters, limit, forward):
    whole, _ = query(letters, ScanIndexForward=forward)
    found: list[str] = []
    start: dict[str, Any] = {}
    for _ in range(10):
        page, answer = query(letters, ScanIndexForward=forward, Limit=limit, **start)
        assert len(page) <= limit
        found += page
        if "LastEvaluatedKey" not in answer:
            break
        start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}

    assert found == whole


def test_a_page_that_its_limit_ended_has_a_key_though_nothing_follows(letters):
    _, answer = query(letters, Limit=5)
    assert answer["LastEvaluatedKey"] == {"pk": {"S": "p"}, "sk": {"S": "c"}}

    page, answer = query(letters, Limit=5, ExclusiveStartKey=answer["LastEvaluatedKey"])
    assert page == []
    assert "LastEvaluatedKey" not in answer


def test_a_page_may_begin_after_an_item_that_has_gone(letters):
    _, answer = query(letters, Limit=2)
    letters.delete_item(TableName=TABLE, Key=answer["LastEvaluatedKey"])

    assert query(letters, ExclusiveStartKey=answer["LastEvaluatedKey"])[0] == ["ab", "b", "c"]


def test_a_page_holds_a_megabyte_at_most(simulator):
    for number in range(6):
        put(simulator, "p", str(number), x="x" * 300_000)

    page, answer = query(simulator)

    assert page == ["0", "1", "2"]
    assert query(simulator, ExclusiveStartKey=answer["LastEvaluatedKey"])[0] == ["3", "4", "5"]


def test_a_filter_drops_items_after_the_limit_has_counted_them(letters):
    put(letters, "p", "b", kept="yes")

    page, answer = query(letters, FilterExpression="attribute_exists(kept)", Limit=3)
    assert page == []
    assert (answer["Count"], answer["ScannedCount"]) == (0, 3)

    page, answer = query(letters, FilterExpression="attribute_exists(kept)")
    assert page == ["b"]
    assert (answer["Count"], answer["ScannedCount"]) == (1, 5)


def test_a_count_has_no_items(letters):
    _, answer = query(letters, Select="COUNT")

    assert answer["Count"] == 5
    assert "Items" not in answer


def test_a_projection_gives_what_was_asked_for(letters):
    put(letters, "p", "a", note="x", other="y")

    _, answer = query(
        letters,
        " AND sk = :v",
        values={"v": "a"},
        ProjectionExpression="sk, #n, absent",
        ExpressionAttributeNames={"#n": "note"},
    )

    assert answer["Items"] == [{"sk": {"S": "a"}, "note": {"S": "x"}}]


class TestIndexes:
    def test_an_index_holds_what_has_its_keys(self, simulator):
        put(simulator, "1", "both", gsi1pk="p", gsi1sk="2")
        put(simulator, "2", "first", gsi1pk="p", gsi1sk="1")
        put(simulator, "3", "partition key only", gsi1pk="p")
        put(simulator, "4", "sort key only", gsi1sk="1")
        put(simulator, "5", "another partition", gsi1pk="q", gsi1sk="1")

        assert query(simulator, index="gsi1")[0] == ["first", "both"]

    def test_an_index_follows_its_item(self, simulator):
        put(simulator, "1", "x", gsi1pk="p", gsi1sk="1", note="old")
        put(simulator, "1", "x", gsi1pk="p", gsi1sk="2", note="new")
        _, answer = query(simulator, index="gsi1")
        assert [item["note"]["S"] for item in answer["Items"]] == ["new"]

        put(simulator, "1", "x", gsi1sk="2")
        assert query(simulator, index="gsi1")[0] == []

        put(simulator, "1", "x", gsi1pk="p", gsi1sk="2")
        simulator.delete_item(TableName=TABLE, Key={"pk": {"S": "1"}, "sk": {"S": "x"}})
        assert query(simulator, index="gsi1")[0] == []

    def test_items_may_share_an_index_key(self, simulator):
        for pk in ("2", "1", "3"):
            put(simulator, pk, f"of {pk}", gsi1pk="p", gsi1sk="same")

        found, answer = query(simulator, index="gsi1", Limit=2)
        start = answer["LastEvaluatedKey"]
        assert start.keys() == {"pk", "sk", "gsi1pk", "gsi1sk"}
        found += query(simulator, index="gsi1", ExclusiveStartKey=start)[0]

        assert found == ["of 1", "of 2", "of 3"]

    def test_a_keys_only_index_gives_keys_only(self, simulator):
        put(simulator, "1", "x", gsi2pk="p", gsi2sk="1", note="unseen")

        _, answer = query(simulator, index="gsi2")

        assert answer["Items"][0].keys() == {"pk", "sk", "gsi2pk", "gsi2sk"}
        kept = query(simulator, index="gsi2", FilterExpression="attribute_exists(note)")[0]
        assert kept == []

    def test_a_lagging_index_is_behind_and_the_table_is_not(self, simulator):
        simulator.index_lag = 2
        put(simulator, "p", "1", gsi1pk="p", gsi1sk="1")
        put(simulator, "p", "2", gsi1pk="p", gsi1sk="2")
        assert query(simulator, index="gsi1")[0] == []
        assert query(simulator, ConsistentRead=True)[0] == ["1", "2"]

        put(simulator, "p", "3", gsi1pk="p", gsi1sk="3")
        assert query(simulator, index="gsi1")[0] == ["1"]

        simulator.settle()
        assert query(simulator, index="gsi1")[0] == ["1", "2", "3"]

    def test_a_write_beside_the_index_lets_it_follow_too(self, simulator):
        simulator.index_lag = 1
        put(simulator, "p", "1", gsi1pk="p", gsi1sk="1")

        put(simulator, "p", "2")

        assert query(simulator, index="gsi1")[0] == ["1"]


@pytest.mark.parametrize(
    "params",
    [
        {"KeyConditionExpression": "sk = :p"},
        {"KeyConditionExpression": "pk > :p"},
        {"KeyConditionExpression": "pk = :p OR pk = :p"},
        {"KeyConditionExpression": "NOT pk = :p"},
        {"KeyConditionExpression": "pk = :p AND sk <> :p"},
        {"KeyConditionExpression": "pk = :p AND note = :p"},
        {"KeyConditionExpression": "pk = :p AND sk > :p AND sk < :p"},
        {"KeyConditionExpression": "pk = :p AND contains(sk, :p)"},
        {"KeyConditionExpression": "pk = :n"},
        {"KeyConditionExpression": "pk = :p AND begins_with(sk, :n)"},
        {"KeyConditionExpression": "pk = :empty"},
        {"KeyConditionExpression": "gsi1pk = :p", "IndexName": "gsi1", "ConsistentRead": True},
        {"KeyConditionExpression": "pk = :p", "IndexName": "gsi1"},
        {"KeyConditionExpression": "pk = :p", "IndexName": "gsi9"},
        {"KeyConditionExpression": "pk = :p", "FilterExpression": "sk = :p"},
        {
            "KeyConditionExpression": "gsi2pk = :p",
            "IndexName": "gsi2",
            "ProjectionExpression": "note",
        },
        {"KeyConditionExpression": "gsi2pk = :p", "IndexName": "gsi2", "Select": "ALL_ATTRIBUTES"},
        {"KeyConditionExpression": "pk = :p", "ExclusiveStartKey": {"pk": {"S": "p"}}},
        {
            "KeyConditionExpression": "pk = :p",
            "ExclusiveStartKey": {"pk": {"S": "q"}, "sk": {"S": "a"}},
        },
        {
            "KeyConditionExpression": "pk = :p AND sk > :p",
            "ExclusiveStartKey": {"pk": {"S": "p"}, "sk": {"S": "a"}},
        },
    ],
    ids=str,
)
def test_what_is_no_query_of_this_table_is_refused(letters, params):
    text = str(params)
    known = {":p": {"S": "p"}, ":n": {"N": "1"}, ":empty": {"S": ""}}
    values = {name: value for name, value in known.items() if name in text}

    with pytest.raises(ClientError) as refused:
        letters.query(TableName=TABLE, ExpressionAttributeValues=values, **params)

    assert refused.value.response["Error"]["Code"] == "ValidationException"
