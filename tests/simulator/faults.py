"""Faults: what goes wrong with a call, in one place.

A plan says which call of the simulator meets which fault; `inject` plays it. The errors are the
ones that botocore raises, after its own retries are used up.
"""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from botocore.exceptions import ClientError, ConnectionClosedError, ReadTimeoutError

from tests.simulator.errors import ProcessKilled, ServiceError, cancelled, client_error
from tests.simulator.scheduler import yield_point

ENDPOINT = "https://dynamodb.us-east-1.amazonaws.com/"

type Kind = Literal[
    "before",
    "after",
    "throttled",
    "conflict",
    "retried",
    "killed_before",
    "killed_after",
    "partial",
]


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault.

    `item` is the step of a transaction that conflicts or is throttled. `code` is another error for
    a throttled call: `ThrottlingException`, `RequestLimitExceeded`, `InternalServerError`; given
    one, a transaction fails with it as a whole and not by the reason of a step.
    """

    kind: Kind
    item: int = 0
    code: str | None = None


# Nothing applied, the connection closed: the caller cannot know which of this and AFTER it met.
BEFORE = Fault("before")
# Applied, the answer lost.
AFTER = Fault("after")
# Refused for want of capacity: nothing applied, and the caller is told.
THROTTLED = Fault("throttled")
# Refused because another transaction holds an item: nothing applied, and the caller is told.
CONFLICT = Fault("conflict")
# Applied, the answer lost, sent again by the SDK itself: the caller sees the second answer only.
RETRIED = Fault("retried")
KILLED_BEFORE = Fault("killed_before")
KILLED_AFTER = Fault("killed_after")
# BatchGetItem answers half and leaves the rest in UnprocessedKeys; other calls go through.
PARTIAL = Fault("partial")

# The faults that every path must survive at every call.
EVERY_FAULT = (BEFORE, AFTER, THROTTLED, CONFLICT, RETRIED, KILLED_BEFORE, KILLED_AFTER)

TRANSACTIONS = frozenset({"transact_write_items", "transact_get_items"})
WRITES = frozenset({"put_item", "update_item", "delete_item"})

# (number of the call, method) to fault; or numbers to faults.
type Plan = Mapping[int, Fault | Kind] | Callable[[int, str], Fault | Kind | None]


def planned(plan: Plan, number: int, method: str) -> Fault | None:
    """The fault that a plan has for a call; calls are numbered from 0."""
    fault = plan(number, method) if callable(plan) else plan.get(number)
    return Fault(fault) if isinstance(fault, str) else fault


class RandomFaults:
    """A plan for long runs: each kind strikes a call with the same small probability."""

    def __init__(
        self, seed: int, *, rate: float = 0.03, faults: tuple[Fault, ...] = EVERY_FAULT
    ) -> None:
        assert rate * len(faults) <= 1
        self.random = random.Random(seed)
        self.rate = rate
        self.faults = faults

    def __call__(self, number: int, method: str) -> Fault | None:
        place = int(self.random.random() / self.rate)
        return self.faults[place] if place < len(self.faults) else None


type Params = dict[str, Any]
type Send = Callable[[Params], dict[str, Any]]


def inject(
    fault: Fault, *, method: str, operation: str, params: Params, send: Send
) -> dict[str, Any]:
    """Make a call that meets a fault. `send` applies it and answers, and may be called twice.

    Raises:
        BotoCoreError, ClientError, ProcessKilled: What the fault looks like to the caller.
    """
    match fault.kind:
        case "before":
            raise ConnectionClosedError(endpoint_url=ENDPOINT)
        case "killed_before":
            raise ProcessKilled(f"before {method}")
        case "throttled":
            raise client_error(_throttled(fault, method, params), operation)
        case "conflict":
            error = _conflict(fault, method, params)
            if error is not None:
                raise client_error(error, operation)
            return send(params)
        case "partial":
            return _half_of(params, send) if method == "batch_get_item" else send(params)
    try:
        send(params)
    except ClientError as lost:
        # A refusal travels the same way as a success: it is lost too.
        cause: ClientError | None = lost
    else:
        cause = None
    if fault.kind == "killed_after":
        raise ProcessKilled(f"after {method}") from cause
    if fault.kind == "retried":
        yield_point(method)
        return send(params)
    raise ReadTimeoutError(endpoint_url=ENDPOINT) from cause


def _half_of(params: Params, send: Send) -> dict[str, Any]:
    """Answer the first half of each table's keys, and give the others back."""
    asked: Params = {}
    rest: Params = {}
    for table, part in params["RequestItems"].items():
        keys = part["Keys"]
        middle = (len(keys) + 1) // 2
        asked[table] = {**part, "Keys": keys[:middle]}
        if keys[middle:]:
            rest[table] = {**part, "Keys": keys[middle:]}
    response = send({**params, "RequestItems": asked})
    return {**response, "UnprocessedKeys": rest}


def _throttled(fault: Fault, method: str, params: Mapping[str, Any]) -> ServiceError:
    if method in TRANSACTIONS and fault.code is None:
        return _reason(
            fault,
            params,
            code="ThrottlingError",
            message="Throughput exceeds the current capacity of your table or index.",
        )
    code = fault.code or "ProvisionedThroughputExceededException"
    return ServiceError(code, "The request was refused and nothing was applied")


def _conflict(fault: Fault, method: str, params: Mapping[str, Any]) -> ServiceError | None:
    """None for a read: it does not take part in conflicts."""
    if method in TRANSACTIONS:
        return _reason(
            fault,
            params,
            code="TransactionConflict",
            message="Transaction is ongoing for the item",
        )
    if method in WRITES:
        return ServiceError("TransactionConflictException", "Transaction is ongoing for the item")
    return None


def _reason(fault: Fault, params: Mapping[str, Any], *, code: str, message: str) -> ServiceError:
    reasons = [{"Code": "None"} for _ in params["TransactItems"]]
    # A step that the transaction does not have stands for its last: plans name steps blindly.
    reasons[min(fault.item, len(reasons) - 1)] = {"Code": code, "Message": message}
    return cancelled(reasons)
