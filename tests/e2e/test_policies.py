"""The whole stack with the functions' policies enforced: each may do its work, and no more."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.e2e.laptop import Laptop, happens, running

HOLD_SECONDS = 60
LEDGER_FUNCTIONS = (
    "holdfast-wallet",
    "holdfast-holds",
    "holdfast-sweep",
    "holdfast-funding",
    "holdfast-payments",
    "holdfast-stripe-events",
    "holdfast-recharge",
)


@dataclass(slots=True)
class Strict:
    """A stack with policies enforced, and what was started in it early because it takes time."""

    laptop: Laptop
    hold: dict[str, Any]
    placed_at: float
    queue: str
    seen: list[dict[str, Any]] = field(default_factory=list)

    def events(self) -> list[dict[str, Any]]:
        """What came out of the event bus so far."""
        queues = self.laptop.aws("sqs")
        taken = queues.receive_message(QueueUrl=self.queue, MaxNumberOfMessages=10)
        for message in taken.get("Messages", []):
            self.seen.append(json.loads(message["Body"]))
            queues.delete_message(QueueUrl=self.queue, ReceiptHandle=message["ReceiptHandle"])
        return self.seen


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Strict]:
    with running(tmp_path_factory.mktemp("stack"), auth=True) as laptop:
        queue = _listen_to_the_bus(laptop)
        body = {"amount": 300, "expires_in_seconds": HOLD_SECONDS}
        placed = laptop.call("bob", "POST", "/v1/billing/holds", body)
        assert placed.status == 201, placed
        yield Strict(laptop, placed.body, time.monotonic(), queue)

        logs = {path.name: path.read_text() for path in laptop.places.logs.glob("*.log")}
        assert {name for name, text in logs.items() if "AccessDenied" in text} == set()


def _listen_to_the_bus(laptop: Laptop) -> str:
    """A queue that gets every event of the ledger's bus."""
    queues, bus = laptop.aws("sqs"), laptop.aws("events")
    url = queues.create_queue(QueueName="test-events")["QueueUrl"]
    attributes = queues.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    arn = attributes["Attributes"]["QueueArn"]
    allowed = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "events.amazonaws.com"},
                "Action": "sqs:SendMessage",
                "Resource": arn,
            }
        ],
    }
    queues.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps(allowed)})
    rule = {"Name": "test-events", "EventBusName": "holdfast-events"}
    bus.put_rule(**rule, EventPattern='{"source":[{"prefix":""}]}')
    bus.put_targets(
        Rule=rule["Name"], EventBusName=rule["EventBusName"], Targets=[{"Id": "1", "Arn": arn}]
    )
    return str(url)


def test_the_story_is_told_to_its_end(strict: Strict):
    told, complaint = strict.laptop.demo().communicate(timeout=60)

    assert "All 27 steps were answered as they should be." in told, complaint


def test_every_operation_may_do_what_it_needs(strict: Strict):
    laptop = strict.laptop
    quote = laptop.call(
        "bob",
        "POST",
        "/v1/billing/hardware/quote",
        {"provider": "braket", "device": "iqm-garnet", "shots": 10, "job_id": "job-1"},
    )
    held = laptop.call(
        "bob",
        "POST",
        "/v1/billing/hardware/hold",
        {"quote_id": quote.body["quote_id"], "job_id": "job-1"},
    )
    released = laptop.call("bob", "POST", "/v1/billing/hardware/hold/job-1/release", {})
    hold = f"/v1/billing/holds/{strict.hold['id']}"
    extended = laptop.call("bob", "POST", f"{hold}/extend", {"amount": 10})
    answers = [quote, held, released, extended]
    newest = laptop.call("bob", "GET", "/v1/billing/entries?limit=1").body["data"][0]
    answers += [
        laptop.call("bob", "GET", path)
        for path in (
            "/v1/billing/wallet",
            "/v1/billing/entries",
            f"/v1/billing/entries/{newest['id']}",
            "/v1/billing/ledger/head",
            "/v1/billing/holds",
            hold,
            "/v1/billing/jobs",
            "/api/agents/v1/wallet/balance",
            "/api/agents/v1/wallet/transactions",
            "/api/v1/billing/transactions?user=acme/bob",
        )
    ]
    answers += [
        laptop.call("admin", "GET", f"/api/v1/billing/{path}?user=acme/bob")
        for path in ("balance", "balance/all", "usage")
    ]

    assert [answer for answer in answers if answer.status >= 300] == []


@pytest.mark.parametrize("function", LEDGER_FUNCTIONS)
def test_a_ledger_function_cannot_change_or_delete_what_was_written(strict: Strict, function: str):
    table = _as(strict, function, "dynamodb")
    name, key = _an_entry(strict)

    attempts = {
        "UpdateItem": lambda: table.update_item(
            TableName=name,
            Key=key,
            UpdateExpression="SET amount = :more",
            ExpressionAttributeValues={":more": {"N": "1"}},
        ),
        "DeleteItem": lambda: table.delete_item(TableName=name, Key=key),
        "BatchWriteItem": lambda: table.batch_write_item(
            RequestItems={name: [{"DeleteRequest": {"Key": key}}]}
        ),
        "TransactWriteItems": lambda: table.transact_write_items(
            TransactItems=[{"Delete": {"TableName": name, "Key": key}}]
        ),
        "Scan": lambda: table.scan(TableName=name),
        "DeleteTable": lambda: table.delete_table(TableName=name),
    }

    assert {action for action, attempt in attempts.items() if not _is_denied(attempt)} == set()
    assert table.get_item(TableName=name, Key=key)["Item"]["sk"] == {"S": "ENTRY"}


@pytest.mark.parametrize("function", ["holdfast-overview", "holdfast-ledger-stream"])
def test_a_function_without_the_table_cannot_read_it(strict: Strict, function: str):
    table = _as(strict, function, "dynamodb")
    name, key = _an_entry(strict)

    assert _is_denied(lambda: table.get_item(TableName=name, Key=key))


def test_the_authorizer_writes_nothing_and_reads_one_key_at_a_time(strict: Strict):
    table = _as(strict, "holdfast-authorizer", "dynamodb")
    name, key = _an_entry(strict)

    # Which keys it may read is a condition of its policy, and the embedded AWS looks at none:
    # tests/architecture does.
    assert _is_denied(lambda: table.put_item(TableName=name, Item=key))
    assert _is_denied(lambda: table.scan(TableName=name))


def test_the_tick_can_find_and_queue_and_nothing_else(strict: Strict):
    table = _as(strict, "holdfast-tick", "dynamodb")
    name, key = _an_entry(strict)

    assert _is_denied(lambda: table.get_item(TableName=name, Key=key))
    assert _is_denied(lambda: table.put_item(TableName=name, Item=key))


def test_entries_come_out_of_the_bus(strict: Strict):
    strict.laptop.call(
        "admin", "POST", "/api/v1/billing/deposit", {"user": "acme/bob", "amount": 5}
    )

    assert happens(
        lambda: any("credited" in event["detail-type"] for event in strict.events()), seconds=30
    )


def test_a_hold_that_nobody_looks_at_expires(strict: Strict):
    left = strict.placed_at + HOLD_SECONDS + 0.5 - time.monotonic()
    time.sleep(max(0.0, left))
    # The schedule would do it within a minute; a tick that comes twice changes nothing.
    strict.laptop.aws("lambda").invoke(FunctionName="holdfast-tick", Payload=b"{}")

    assert happens(
        lambda: any("expired" in event["detail-type"] for event in strict.events()), seconds=30
    )
    hold = strict.laptop.call("bob", "GET", f"/v1/billing/holds/{strict.hold['id']}")
    assert (hold.status, hold.body["status"]) == (200, "expired")


def _an_entry(strict: Strict) -> tuple[str, dict[str, Any]]:
    """The table's name, and the key of an entry that is in it."""
    newest = strict.laptop.call("bob", "GET", "/v1/billing/entries?limit=1").body["data"][0]
    (name,) = strict.laptop.aws("dynamodb").list_tables()["TableNames"]
    key = {"pk": {"S": f"ENTRY#acme/live#{newest['id']}"}, "sk": {"S": "ENTRY"}}
    return name, key


def _as(strict: Strict, function: str, service: str) -> Any:
    """A client with the credentials of a function's role."""
    configured = strict.laptop.aws("lambda").get_function_configuration(FunctionName=function)
    session = strict.laptop.aws("sts").assume_role(
        RoleArn=configured["Role"], RoleSessionName="test"
    )["Credentials"]
    session.pop("Expiration")
    return strict.laptop.aws(service, **session)


def _is_denied(attempt: Any) -> bool:
    try:
        attempt()
    except ClientError as error:
        return error.response["Error"]["Code"] == "AccessDeniedException"
    return False
