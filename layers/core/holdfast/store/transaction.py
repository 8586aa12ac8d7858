"""A transaction is a list of conditional puts and checks, in the order of their refusals.

`Transaction.params` is pure, so what is sent is tested without a client. A condition says only
"not there yet" or "unchanged since it was read": no money rule is ever repeated as a condition.
"""

import json
from dataclasses import dataclass, field
from enum import Enum, auto
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from holdfast.errors import InvariantBroken
from holdfast.store.attributes import Attributes
from holdfast.store.keys import Key

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

ACTIONS_MAX = 100

CONDITION_FAILED = "ConditionalCheckFailed"
CONFLICT = "TransactionConflict"
BUSY_REASONS = frozenset({"ThrottlingError", "ProvisionedThroughputExceeded"})
NOT_APPLIED = frozenset(
    {
        "InternalServerError",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "ServiceUnavailable",
        "ThrottlingException",
        "TransactionConflictException",
        "TransactionInProgressException",
    }
)


class Outcome(Enum):
    """What became of a transaction. Only UNKNOWN leaves open whether it was applied."""

    APPLIED = auto()
    CONDITION_FAILED = auto()
    CONFLICT = auto()
    BUSY = auto()
    UNKNOWN = auto()


@dataclass(frozen=True, slots=True)
class Result:
    """The outcome; for each step whose condition failed the item that stood there, if any; and
    the steps whose condition was not looked at, because the item was busy.
    """

    outcome: Outcome
    failed: dict[int, Attributes | None] = field(default_factory=dict)
    unchecked: frozenset[int] = frozenset()


@dataclass(slots=True)
class Transaction:
    """Conditional puts that happen together or not at all.

    `delivery` names one delivery of a request: what it sends again is one effect for DynamoDB too,
    while a second delivery with the very same bytes is to be told that it is the second.
    """

    table: str
    steps: list[dict[str, Any]] = field(default_factory=list)
    delivery: str = ""

    def put(self, item: Attributes, *, read_version: int) -> int:
        """Write the item if the one there has `read_version`; 0 means that none is there.

        Returns the number of the step.
        """
        action: dict[str, Any] = {
            "TableName": self.table,
            "Item": item,
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
            **_condition(read_version),
        }
        self.steps.append({"Put": action})
        return len(self.steps) - 1

    def check(self, key: Key, *, read_version: int) -> int:
        """Write nothing, and go on only if the item at the key has `read_version`.

        Returns the number of the step.
        """
        action: dict[str, Any] = {
            "TableName": self.table,
            "Key": {"pk": {"S": key.pk}, "sk": {"S": key.sk}},
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
            **_condition(read_version),
        }
        self.steps.append({"ConditionCheck": action})
        return len(self.steps) - 1

    def params(self) -> dict[str, Any]:
        """The call. The same writes of one delivery have the same token."""
        if len(self.steps) > ACTIONS_MAX:
            raise InvariantBroken("more steps than a transaction can have")
        content = json.dumps([self.delivery, self.steps], sort_keys=True).encode()
        return {
            "TransactItems": self.steps,
            "ClientRequestToken": sha256(content).hexdigest()[:36],
        }

    def commit(self, client: "DynamoDBClient") -> Result:
        """Send it once. What the SDK retries by itself carries the same token."""
        try:
            client.transact_write_items(**self.params())
        except ClientError as error:
            return self._refused(error)
        except BotoCoreError:
            # A time-out or a broken connection: it may have been applied, or may still be.
            return Result(Outcome.UNKNOWN)
        return Result(Outcome.APPLIED)

    def _refused(self, error: ClientError) -> Result:
        code = error.response["Error"]["Code"]
        if code == "TransactionCanceledException":
            response: dict[str, Any] = dict(error.response)
            return _cancelled(self.steps, response["CancellationReasons"])
        if code == "IdempotentParameterMismatchException":
            raise InvariantBroken("one token for two different transactions") from error
        if code in NOT_APPLIED:
            return Result(Outcome.BUSY)
        raise error


def _condition(read_version: int) -> dict[str, Any]:
    if read_version == 0:
        return {"ConditionExpression": "attribute_not_exists(pk)"}
    return {
        "ConditionExpression": "version = :read",
        "ExpressionAttributeValues": {":read": {"N": str(read_version)}},
    }


def _cancelled(steps: list[dict[str, Any]], reasons: list[dict[str, Any]]) -> Result:
    # Reasons come in the order of the steps; strict, because one that is off by one is a lie.
    pairs = list(zip(range(len(steps)), reasons, strict=True))
    failed = {
        step: reason.get("Item") for step, reason in pairs if reason["Code"] == CONDITION_FAILED
    }
    busy = {CONFLICT, *BUSY_REASONS}
    unchecked = frozenset(step for step, reason in pairs if reason["Code"] in busy)
    codes = {reason["Code"] for _, reason in pairs}
    if failed:
        return Result(Outcome.CONDITION_FAILED, failed, unchecked)
    if CONFLICT in codes:
        return Result(Outcome.CONFLICT, unchecked=unchecked)
    if unchecked:
        return Result(Outcome.BUSY)
    raise InvariantBroken(f"transaction cancelled: {sorted(codes)}")
