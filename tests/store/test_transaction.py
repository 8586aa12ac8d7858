from typing import Any

import pytest
from botocore.exceptions import ConnectionClosedError, ReadTimeoutError

from holdfast.errors import InvariantBroken
from holdfast.store.attributes import encode
from holdfast.store.transaction import Outcome, Result, Transaction
from tests.simulator.client import Simulator
from tests.simulator.errors import ServiceError, cancelled, client_error

URL = "https://dynamodb.us-east-1.amazonaws.com/"


def item(name: str = "a", **values: Any) -> dict[str, Any]:
    return encode({"pk": name, "sk": "1", "version": 1, **values})


def transaction(*items: dict[str, Any], read_version: int = 0) -> Transaction:
    made = Transaction("holdfast")
    for each in items:
        made.put(each, read_version=read_version)
    return made


class Refusing:
    """A client whose every transaction ends in the same error."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def transact_write_items(self, **params: Any) -> Any:
        raise self.error


def outcome(error: Exception, steps: int = 3) -> Result:
    client: Any = Refusing(error)
    return transaction(*(item(str(step)) for step in range(steps))).commit(client)


def service_error(code: str) -> Exception:
    return client_error(ServiceError(code, "no"), "TransactWriteItems")


def test_a_put_says_only_that_nothing_is_there_or_that_it_is_unchanged():
    made = Transaction("holdfast")

    first = made.put(item("a"), read_version=0)
    second = made.put(item("b"), read_version=7)

    assert (first, second) == (0, 1)
    assert made.params()["TransactItems"] == [
        {
            "Put": {
                "TableName": "holdfast",
                "Item": item("a"),
                "ConditionExpression": "attribute_not_exists(pk)",
                "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
            }
        },
        {
            "Put": {
                "TableName": "holdfast",
                "Item": item("b"),
                "ConditionExpression": "version = :read",
                "ExpressionAttributeValues": {":read": {"N": "7"}},
                "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
            }
        },
    ]


def test_composing_a_call_changes_nothing_and_gives_the_same_call_again():
    made = transaction(item("a"), item("b"))

    first, second = made.params(), made.params()

    assert first == second
    assert made.steps == transaction(item("a"), item("b")).steps


def test_the_same_writes_have_the_same_token_wherever_they_are_composed():
    here = transaction(item("a", amount=1), item("b"))
    there = transaction(encode({"amount": 1, "version": 1, "sk": "1", "pk": "a"}), item("b"))

    assert here.params()["ClientRequestToken"] == there.params()["ClientRequestToken"]
    assert 1 <= len(here.params()["ClientRequestToken"]) <= 36


@pytest.mark.parametrize(
    "other",
    [
        transaction(item("a", amount=2), item("b")),
        transaction(item("a", amount="1"), item("b")),
        transaction(item("b"), item("a", amount=1)),
        transaction(item("a", amount=1)),
        transaction(item("a", amount=1), item("b"), read_version=1),
        Transaction("other", transaction(item("a", amount=1), item("b")).steps[:1]),
    ],
    ids=["a value", "a type", "the order", "a step", "a condition", "the table"],
)
def test_other_writes_have_another_token(other):
    made = transaction(item("a", amount=1), item("b"))

    assert made.params()["ClientRequestToken"] != other.params()["ClientRequestToken"]


@pytest.mark.parametrize("steps", [1, 99, 100])
def test_a_transaction_has_up_to_a_hundred_steps(steps):
    made = transaction(*(item(str(step)) for step in range(steps)))
    simulator: Any = Simulator()

    assert made.commit(simulator) == Result(Outcome.APPLIED)
    assert len(simulator.items()) == steps


def test_more_than_a_hundred_steps_never_leave_the_house():
    simulator: Any = Simulator()
    made = transaction(*(item(str(step)) for step in range(101)))

    with pytest.raises(InvariantBroken):
        made.commit(simulator)

    assert simulator.items() == []


def test_all_of_it_is_written_or_nothing():
    simulator: Any = Simulator()
    transaction(item("b")).commit(simulator)

    result = transaction(item("a"), item("b", amount=5), item("c")).commit(simulator)

    assert result == Result(Outcome.CONDITION_FAILED, {1: item("b")})
    assert simulator.items() == [item("b")]


def test_a_put_over_what_has_changed_is_told_what_is_there_now():
    simulator: Any = Simulator()
    transaction(encode({"pk": "a", "sk": "1", "version": 5})).commit(simulator)

    lost = transaction(encode({"pk": "a", "sk": "1", "version": 5}), read_version=4)
    won = transaction(encode({"pk": "a", "sk": "1", "version": 6}), read_version=5)
    gone = transaction(encode({"pk": "x", "sk": "1", "version": 6}), read_version=5)

    assert lost.commit(simulator).failed == {0: encode({"pk": "a", "sk": "1", "version": 5})}
    assert gone.commit(simulator).failed == {0: None}
    assert won.commit(simulator).outcome is Outcome.APPLIED


NONE, CONFLICT = {"Code": "None"}, {"Code": "TransactionConflict"}
THROTTLED = {"Code": "ThrottlingError"}
EXCEEDED = {"Code": "ProvisionedThroughputExceeded"}
THERE = item("b", amount=9)
FAILED = {"Code": "ConditionalCheckFailed", "Item": THERE}
MISSING = {"Code": "ConditionalCheckFailed"}


@pytest.mark.parametrize(
    ("reasons", "expected", "failed"),
    [
        ([FAILED, NONE, NONE], Outcome.CONDITION_FAILED, {0: THERE}),
        ([NONE, FAILED, NONE], Outcome.CONDITION_FAILED, {1: THERE}),
        ([NONE, NONE, MISSING], Outcome.CONDITION_FAILED, {2: None}),
        ([FAILED, NONE, MISSING], Outcome.CONDITION_FAILED, {0: THERE, 2: None}),
        ([CONFLICT, FAILED, NONE], Outcome.CONDITION_FAILED, {1: THERE}),
        ([FAILED, CONFLICT, THROTTLED], Outcome.CONDITION_FAILED, {0: THERE}),
        ([THROTTLED, NONE, FAILED], Outcome.CONDITION_FAILED, {2: THERE}),
        ([NONE, CONFLICT, NONE], Outcome.CONFLICT, {}),
        ([CONFLICT, NONE, THROTTLED], Outcome.CONFLICT, {}),
        ([THROTTLED, CONFLICT, NONE], Outcome.CONFLICT, {}),
        ([NONE, NONE, THROTTLED], Outcome.BUSY, {}),
        ([EXCEEDED, NONE, NONE], Outcome.BUSY, {}),
        ([EXCEEDED, THROTTLED, NONE], Outcome.BUSY, {}),
    ],
)
def test_of_several_reasons_the_condition_counts_before_the_conflict_and_the_throttle(
    reasons, expected, failed
):
    result = outcome(client_error(cancelled(reasons), "TransactWriteItems"))

    assert result.outcome is expected
    assert result.failed == failed


@pytest.mark.parametrize(
    ("reasons", "unchecked"),
    [
        ([NONE, FAILED, NONE], set()),
        ([CONFLICT, FAILED, NONE], {0}),
        ([FAILED, CONFLICT, THROTTLED], {1, 2}),
        ([NONE, CONFLICT, EXCEEDED], {1, 2}),
    ],
)
def test_a_step_that_was_busy_was_not_compared(reasons, unchecked):
    result = outcome(client_error(cancelled(reasons), "TransactWriteItems"))

    assert result.unchecked == unchecked


@pytest.mark.parametrize(
    "reasons",
    [
        [NONE, {"Code": "ValidationError"}, NONE],
        [NONE, {"Code": "ItemCollectionSizeLimitExceeded"}, NONE],
        [NONE, NONE, NONE],
    ],
)
def test_a_reason_that_we_cannot_have_caused_is_our_mistake(reasons):
    with pytest.raises(InvariantBroken):
        outcome(client_error(cancelled(reasons), "TransactWriteItems"))


@pytest.mark.parametrize("reasons", [[FAILED], [NONE, FAILED, NONE, NONE]])
def test_reasons_that_do_not_match_the_steps_are_not_guessed_at(reasons):
    with pytest.raises(ValueError, match=r"zip\(\)"):
        outcome(client_error(cancelled(reasons), "TransactWriteItems"))


@pytest.mark.parametrize(
    "code",
    [
        "InternalServerError",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "ServiceUnavailable",
        "ThrottlingException",
        "TransactionInProgressException",
    ],
)
def test_what_was_refused_for_want_of_capacity_was_not_applied(code):
    assert outcome(service_error(code)) == Result(Outcome.BUSY)


@pytest.mark.parametrize(
    "error", [ReadTimeoutError(endpoint_url=URL), ConnectionClosedError(endpoint_url=URL)]
)
def test_what_became_of_a_lost_connection_is_unknown(error):
    assert outcome(error) == Result(Outcome.UNKNOWN)


def test_one_token_for_two_transactions_is_our_mistake():
    with pytest.raises(InvariantBroken):
        outcome(service_error("IdempotentParameterMismatchException"))


@pytest.mark.parametrize("code", ["ValidationException", "AccessDeniedException"])
def test_an_error_that_says_nothing_of_the_state_is_passed_on(code):
    error = service_error(code)

    with pytest.raises(type(error)) as raised:
        outcome(error)

    assert raised.value is error
