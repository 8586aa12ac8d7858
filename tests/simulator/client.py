"""`Simulator`: a small deterministic DynamoDB behind the interface of a boto3 client.

It knows the calls that the project's store makes, and refuses the rest rather than guess. It is
fast enough for hundreds of thousands of operations in a test, counts capacity, keeps a stream, and
lets a test decide which call fails, how, and in which order the calls of several workers happen.
"""

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from botocore.errorfactory import BaseClientExceptions
from botocore.exceptions import ClientError

from tests.simulator import faults, items, queries, transactions
from tests.simulator.capacity import TRANSACTION_FACTOR, Meter, Usage
from tests.simulator.errors import (
    ServiceError,
    client_error,
    client_exceptions,
    service_model,
)
from tests.simulator.faults import Fault, Kind, Plan
from tests.simulator.items import Change
from tests.simulator.requests import check_parameters
from tests.simulator.scheduler import yield_point
from tests.simulator.stream import Stream, stream_arn, table_arn
from tests.simulator.table import Table
from tests.simulator.tables import LEDGER_TABLE
from tests.simulator.values import Item, copy_item

type Params = dict[str, Any]
type Response = dict[str, Any]
type Reader = Callable[[Mapping[str, Table], Params, Usage], Response]
type Writer = Callable[[Mapping[str, Table], Params, Usage], tuple[Change, Response]]
type Work = Callable[[Params, Usage], Response]


class ManualClock:
    """Seconds since the epoch, moved by the test alone."""

    def __init__(self, seconds: float = 1_750_000_000.0) -> None:
        self.seconds = seconds

    def __call__(self) -> float:
        return self.seconds

    def advance(self, seconds: float) -> None:
        self.seconds += seconds


@dataclass(slots=True)
class Call:
    """One call as its caller made it. `params` are the caller's own objects, not copies."""

    number: int
    method: str
    params: Params
    fault: Fault | None = None
    # The code of the error, or the name of the exception that took the place of an answer.
    error: str | None = None
    usage: Usage = field(default_factory=Usage)


class Simulator:
    """Tables, one clock, one log, one hook for faults.

    >>> simulator = Simulator()
    >>> item = {"pk": {"S": "a"}, "sk": {"S": "1"}}
    >>> answer = simulator.put_item(TableName="holdfast", Item=item)
    >>> simulator.get_item(TableName="holdfast", Key=item, ConsistentRead=True)["Item"] == item
    True
    >>> [call.method for call in simulator.calls]
    ['put_item', 'get_item']
    """

    def __init__(
        self,
        tables: Iterable[Mapping[str, Any]] = (LEDGER_TABLE,),
        *,
        clock: Callable[[], float] | None = None,
        faults: Plan | None = None,
        index_lag: int = 0,
    ) -> None:
        self.tables = {definition["TableName"]: Table(definition) for definition in tables}
        self.clock = ManualClock() if clock is None else clock
        self.faults: Plan = {} if faults is None else faults
        # How many writes the indexes are behind; reads of the table itself are never stale.
        self.index_lag = index_lag
        self.calls: list[Call] = []
        self.call_count = 0
        self.stream = Stream()
        self.exceptions: BaseClientExceptions = client_exceptions()
        self._tokens = transactions.Tokens(self.clock)
        self._meters: list[Meter] = []
        self._lock = threading.RLock()

    # What tests ask for

    def items(self, table: str = LEDGER_TABLE["TableName"]) -> list[Item]:
        """Copies of all items of a table, as an audit wants them; not a call."""
        with self._lock:
            return [copy_item(stored.item) for stored in self.tables[table].items()]

    def settle(self) -> None:
        """Let the indexes catch up with the tables; not a call."""
        with self._lock:
            for table in self.tables.values():
                table.let_indexes_follow(0)

    def forget(self) -> None:
        """Drop the log and the stream so far, for runs that would outgrow the memory."""
        self.calls.clear()
        self.stream.clear()

    @contextmanager
    def measure(self) -> Iterator[Meter]:
        """Count calls and units until the end of the block; blocks may contain each other."""
        meter = Meter()
        self._meters.append(meter)
        try:
            yield meter
        finally:
            self._meters.remove(meter)

    def from_now(self, plan: Mapping[int, Fault | Kind]) -> Plan:
        """A plan that counts from the next call on, for `faults`: 0 is the next."""
        return {self.call_count + number: fault for number, fault in plan.items()}

    # The calls

    def get_item(self, **params: Any) -> Response:
        return self._call("get_item", params, partial(self._read, items.get_item))

    def batch_get_item(self, **params: Any) -> Response:
        return self._call("batch_get_item", params, partial(self._read, items.batch_get_item))

    def query(self, **params: Any) -> Response:
        return self._call("query", params, partial(self._read, queries.query))

    def transact_get_items(self, **params: Any) -> Response:
        read = transactions.transact_get_items
        return self._call("transact_get_items", params, partial(self._read, read))

    def put_item(self, **params: Any) -> Response:
        return self._call("put_item", params, partial(self._write, items.put_item))

    def delete_item(self, **params: Any) -> Response:
        return self._call("delete_item", params, partial(self._write, items.delete_item))

    def update_item(self, **params: Any) -> Response:
        return self._call("update_item", params, partial(self._write, items.update_item))

    def transact_write_items(self, **params: Any) -> Response:
        return self._call("transact_write_items", params, self._transact_write)

    def describe_table(self, **params: Any) -> Response:
        return self._call("describe_table", params, self._describe)

    def create_table(self, **params: Any) -> Response:
        return self._call("create_table", params, self._create)

    # One call

    def _call(self, method: str, params: Params, work: Work) -> Response:
        """Number a call, log it, let it meet its fault."""
        yield_point(method)
        with self._lock:
            call = Call(self.call_count, method, params)
            self.call_count += 1
            self.calls.append(call)
            call.fault = faults.planned(self.faults, call.number, method)
        sent = params
        if method == "transact_write_items" and "ClientRequestToken" not in params:
            # botocore makes up a token of its own, and keeps it over its own retries.
            sent = {**params, "ClientRequestToken": f"sdk-{call.number:032d}"}
        send = partial(self._send, call, work)
        try:
            if call.fault is None:
                return send(sent)
            return faults.inject(
                call.fault, method=method, operation=_OPERATIONS[method], params=sent, send=send
            )
        except ClientError as error:
            call.error = error.response["Error"]["Code"]
            raise
        except BaseException as error:
            call.error = type(error).__name__
            raise

    def _send(self, call: Call, work: Work, params: Params) -> Response:
        """What happens in the service, whole and undisturbed."""
        usage = Usage()
        with self._lock:
            try:
                response = work(params, usage)
            except ServiceError as error:
                raise client_error(error, _OPERATIONS[call.method]) from error
            finally:
                call.usage.include(usage)
                for meter in self._meters:
                    meter.record(call.method, usage)
        _tell_capacity(response, params, usage, is_list=call.method in _TELLS_LISTS)
        response["ResponseMetadata"] = {"HTTPStatusCode": 200, "RetryAttempts": 0}
        return response

    def _read(self, reader: Reader, params: Params, usage: Usage) -> Response:
        return reader(self.tables, params, usage)

    def _write(self, writer: Writer, params: Params, usage: Usage) -> Response:
        change, response = writer(self.tables, params, usage)
        self._apply(change, usage, factor=1)
        return response

    def _transact_write(self, params: Params, usage: Usage) -> Response:
        steps = transactions.read_steps(self.tables, params)
        identity = [params.get("ReturnConsumedCapacity"), *(step.identity() for step in steps)]
        token = params["ClientRequestToken"]
        if not self._tokens.replay(token, identity, usage):
            changes = transactions.decide(steps, usage)
            for change in changes:
                self._apply(change, usage, factor=TRANSACTION_FACTOR)
            self._tokens.remember(token, identity, changes)
        return {}

    def _apply(self, change: Change, usage: Usage, *, factor: int) -> None:
        """The only place where an item changes."""
        table, key, before, after = change
        usage.add(table.name, None, "write", factor * change.units)
        if before is after:
            return
        moved = table.write(key, before, after, index_lag=self.index_lag)
        for index, units in moved.items():
            usage.add(table.name, index, "write", units)
        self.stream.append(table, before, after, at=self.clock())

    def _describe(self, params: Params, usage: Usage) -> Response:
        check_parameters(params, "DescribeTable")
        return {"Table": _description(items.table_of(self.tables, params))}

    def _create(self, params: Params, usage: Usage) -> Response:
        name = params["TableName"]
        if name in self.tables:
            raise ServiceError("ResourceInUseException", f"Table already exists: {name}")
        self.tables[name] = Table(deepcopy(params))
        return {"TableDescription": _description(self.tables[name])}


_OPERATIONS = {
    "get_item": "GetItem",
    "batch_get_item": "BatchGetItem",
    "query": "Query",
    "transact_get_items": "TransactGetItems",
    "put_item": "PutItem",
    "delete_item": "DeleteItem",
    "update_item": "UpdateItem",
    "transact_write_items": "TransactWriteItems",
    "describe_table": "DescribeTable",
    "create_table": "CreateTable",
}
# Calls that may touch several tables tell the capacity of each.
_TELLS_LISTS = frozenset({"batch_get_item", "transact_get_items", "transact_write_items"})
assert all(name in service_model().operation_names for name in _OPERATIONS.values())


def _tell_capacity(response: Response, params: Params, usage: Usage, *, is_list: bool) -> None:
    detail = params.get("ReturnConsumedCapacity", "NONE")
    if detail != "NONE":
        consumed = usage.response(detail)
        response["ConsumedCapacity"] = consumed if is_list else consumed[0]


def _description(table: Table) -> dict[str, Any]:
    stored = list(table.items())
    return {
        **deepcopy(dict(table.definition)),
        "TableStatus": "ACTIVE",
        "TableArn": table_arn(table.name),
        "LatestStreamArn": stream_arn(table.name),
        "ItemCount": len(stored),
        "TableSizeBytes": sum(each.size_bytes for each in stored),
    }
