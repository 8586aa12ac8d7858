"""The simulator is trusted because other engines give the same answers to the same calls."""

from typing import Any

import pytest

from tests.simulator import engines
from tests.simulator.client import Simulator
from tests.simulator.differences import RULES, Answer, Difference, listed
from tests.simulator.differential import Differential, Report, answer_of
from tests.simulator.requests_at_random import CONDITIONS, Requests
from tests.simulator.tables import LEDGER_TABLE, ledger_table
from tests.simulator.wrong_requests import makers


def expect_no_difference(report: Report) -> None:
    if report.differences:
        pytest.fail(str(report), pytrace=False)


@pytest.mark.parametrize("seed", [11, 12])
def test_ministack_answers_random_calls_alike(ministack_client, seed):
    report = Differential(ministack_client, seed=seed, name="ministack").run(1000)

    expect_no_difference(report)
    assert report.calls == 1000
    assert {"ok", "TransactionCanceledException", "ValidationException"} <= report.answers.keys()


@pytest.mark.parametrize("wrong", sorted(makers()))
def test_ministack_answers_wrong_calls_alike(ministack_client, wrong):
    differential = Differential(ministack_client, seed=3, name="ministack")
    for _ in range(2 if wrong == "transaction_too_large" else 12):
        differential.compare(makers()[wrong](differential.requests), wrong)

    expect_no_difference(differential.report)
    assert "ok" not in differential.report.answers


def test_ministack_writes_the_same_stream(ministack_url, ministack_client):
    differential = Differential(ministack_client, seed=5, name="ministack")
    requests = differential.requests
    requests.kinds = [(requests.put, 3), (requests.transact, 3), (requests.delete, 1)]
    # A listed difference would write to one of the two to make them even again.
    requests.conditions = tuple(each for each in CONDITIONS if "note" not in each[0])
    for _ in range(250):
        differential.compare(requests.draw())
    expect_no_difference(differential.report)
    assert not differential.report.listed

    theirs = _stream(engines.client("dynamodbstreams", ministack_url), differential.table)
    ours = [_essence(record) for record in differential.simulator.stream]

    assert ours == theirs
    assert {name for name, *_ in ours} == {"INSERT", "MODIFY", "REMOVE"}


def _stream(client: Any, table: str) -> list[tuple[Any, ...]]:
    """All records of a table's stream."""
    (stream,) = client.list_streams(TableName=table)["Streams"]
    arn = stream["StreamArn"]
    records = []
    for shard in client.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]:
        iterator = client.get_shard_iterator(
            StreamArn=arn, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
        )["ShardIterator"]
        while iterator:
            page = client.get_records(ShardIterator=iterator)
            records += [_essence(record) for record in page["Records"]]
            iterator = page.get("NextShardIterator") if page["Records"] else None
    return records


def _essence(record: dict[str, Any]) -> tuple[Any, ...]:
    change = record["dynamodb"]
    images = (change.get("OldImage"), change.get("NewImage"))
    return record["eventName"], change["Keys"], *(repr(_sorted(image)) for image in images)


def _sorted(content: Any) -> Any:
    """In one order throughout: streams keep none for attributes and members of sets."""
    if isinstance(content, dict):
        return sorted((name, _sorted(value)) for name, value in content.items())
    if isinstance(content, list):
        return sorted((_sorted(each) for each in content), key=repr)
    return content


def test_moto_answers_good_calls_alike():
    with engines.moto() as client:
        differential = Differential(client, seed=7, name="moto")
        differential.compares_units = False
        differential.wrong_percent = 0
        requests = differential.requests
        # Over an attribute that is not there, its size() fails within moto itself.
        requests.conditions = tuple(each for each in requests.conditions if "size" not in each[0])
        requests.kinds = [
            (requests.put, 8),
            (requests.transact, 8),
            (requests.query, 8),
            (requests.next_page, 3),
            (requests.get, 4),
            (requests.batch_get, 2),
            (requests.transact_get, 2),
            (requests.delete, 2),
        ]
        report = differential.run(200)

    expect_no_difference(report)


def test_a_difference_that_is_not_listed_is_reported():
    """A comparison that finds nothing proves something only if it could have found it."""
    broken = Simulator([LEDGER_TABLE])
    differential = Differential(broken, seed=1, name="ministack")
    broken.tables[differential.table].indexes.pop("gsi1")

    report = differential.run(300)

    assert any(difference.method == "query" for difference in report.differences)


def test_an_engine_that_loses_a_write_is_reported():
    class Forgetful(Simulator):
        def put_item(self, **params: Any) -> dict[str, Any]:
            return {"ResponseMetadata": {}}

    report = Differential(Forgetful([]), seed=1, name="ministack").run(100)

    assert any(difference.method == "contents" for difference in report.differences)


def test_a_listed_difference_is_not_a_licence_for_others():
    answer, other = Answer(content={"Item": {}}), Answer(error="ValidationException")
    harmless = Difference("put_item", {"TableName": "t"}, answer, other, None)

    assert all(listed(harmless, engine=rule.engine) is None for rule in RULES)


def test_the_same_seed_makes_the_same_calls():
    one, other = (Requests(9, LEDGER_TABLE["TableName"]) for _ in range(2))

    assert [one.draw() for _ in range(200)] == [other.draw() for _ in range(200)]


def test_a_table_under_another_name_has_the_same_schema():
    simulator = Simulator([ledger_table("another")])

    answer = answer_of(simulator, "describe_table", {"TableName": "another"})

    assert answer.content["Table"]["KeySchema"] == LEDGER_TABLE["KeySchema"]
