"""TransactWriteItems and TransactGetItems: all steps or none, and a reason for each."""

from collections.abc import Callable
from typing import Any, NamedTuple

from tests.simulator import capacity, schema
from tests.simulator.capacity import TRANSACTION_FACTOR, Usage
from tests.simulator.errors import ServiceError, cancelled, invalid
from tests.simulator.items import (
    ITEM_TOO_LARGE,
    Change,
    Tables,
    picked,
    refuse_wrong_kinds,
    table_of,
    updated,
)
from tests.simulator.requests import Expressions, Params, check_parameters, read_expressions
from tests.simulator.schema import Key
from tests.simulator.table import Stored, Table
from tests.simulator.updates import is_static
from tests.simulator.values import Item, copy_item, normal_item

ACTIONS_MAX = 100
TRANSACTION_BYTES_MAX = 4 * 1024 * 1024
TOKEN_LENGTH_MAX = 36
TOKEN_SECONDS = 600.0

type Reason = dict[str, Any]


class Step(NamedTuple):
    """One action of a transaction, read and free of what is wrong in itself."""

    action: str
    table: Table
    # The item of a Put, the key of the others.
    attributes: Item
    expressions: Expressions
    texts: tuple[str | None, str | None]
    wants_old: bool

    def identity(self) -> tuple[Any, ...]:
        """What makes two steps the same request."""
        names, values = dict(self.expressions.names), self.expressions.values
        where = (self.action, self.table.name, self.attributes)
        return (*where, *self.texts, names, values, self.wants_old)


class Placed(NamedTuple):
    """Where a step writes and what it puts there, or the reason why the table has no place."""

    key: Key | None
    put: Stored | None
    reason: Reason | None


class Remembered(NamedTuple):
    """A committed transaction that its token still answers for."""

    identity: list[Any]
    expires_at: float
    # (table, bytes) of every item, to bill a repetition as reads
    sizes: list[tuple[str, int]]


class Tokens:
    """The requests committed under a ClientRequestToken in the last ten minutes."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.clock = clock
        self.remembered: dict[str, Remembered] = {}

    def replay(self, token: str, identity: list[Any], usage: Usage) -> bool:
        """Whether this very request was committed before; a repetition is billed as reads.

        Raises:
            ServiceError: The token stands for another request.
        """
        self._forget_expired()
        known = self.remembered.get(token)
        if known is None:
            return False
        if known.identity != identity:
            raise ServiceError(
                "IdempotentParameterMismatchException",
                "Request token already in use for another request with a different payload",
            )
        for table, size_bytes in known.sizes:
            usage.add(table, None, "read", capacity.transact_read_units(size_bytes))
        return True

    def remember(self, token: str, identity: list[Any], changes: list[Change]) -> None:
        sizes = [
            (change.table.name, max(stored.size_bytes if stored else 0 for stored in change[2:]))
            for change in changes
        ]
        expires_at = self.clock() + TOKEN_SECONDS
        self.remembered[token] = Remembered(identity, expires_at, sizes)

    def _forget_expired(self) -> None:
        now = self.clock()
        while self.remembered:
            oldest = next(iter(self.remembered))
            if self.remembered[oldest].expires_at > now:
                return
            del self.remembered[oldest]


def read_steps(tables: Tables, params: Params) -> list[Step]:
    """The steps of a TransactWriteItems request.

    Raises:
        ServiceError: The request is wrong in itself.
    """
    check_parameters(params, "TransactWriteItems")
    _check_length(params)
    if len(params.get("ClientRequestToken", "")) > TOKEN_LENGTH_MAX:
        raise invalid(
            "1 validation error detected: Value at 'clientRequestToken' failed to satisfy "
            "constraint: Member must have length less than or equal to 36"
        )
    steps = []
    for member in params["TransactItems"]:
        check_parameters(member, "TransactWriteItem")
        if len(member) != 1:
            raise invalid(
                "TransactItems can only contain one of Check, Put, Update or Delete"
                if member
                else "Invalid Request: TransactWriteRequest should contain Delete or Put or "
                "Update request"
            )
        ((action, part),) = member.items()
        check_parameters(part, action)
        expressions = read_expressions(part)
        where = "Item" if action == "Put" else "Key"
        attributes = normal_item(part[where], parameter=where)
        texts = (part.get("ConditionExpression"), part.get("UpdateExpression"))
        wants_old = part.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD"
        table = table_of(tables, part)
        steps.append(Step(action, table, attributes, expressions, texts, wants_old))
    return steps


def _check_length(params: Params) -> None:
    if len(params["TransactItems"]) > ACTIONS_MAX:
        raise invalid(
            "1 validation error detected: Value at 'transactItems' failed to satisfy constraint: "
            f"Member must have length less than or equal to {ACTIONS_MAX}"
        )


def decide(steps: list[Step], usage: Usage) -> list[Change]:
    """What the transaction changes; a ConditionCheck is a change from an item to itself.

    Every condition is asked, so that every reason is told.

    Raises:
        ServiceError: The request is wrong in itself, or the transaction is cancelled.
    """
    placed = _placed(steps)
    reasons: list[Reason | None] = []
    changes = []
    for step, place in zip(steps, placed, strict=True):
        assert place.key is not None
        change, reason = _step(step, place, step.table.get(place.key))
        changes.append(change)
        reasons.append(reason)
    if any(reasons):
        for change in changes:
            units = TRANSACTION_FACTOR * change.units
            usage.add(change.table.name, None, "write", units)
        raise _cancelled(reasons)
    if sum((change.after or change.before or _NOTHING).size_bytes for change in changes) > (
        TRANSACTION_BYTES_MAX
    ):
        raise invalid("Transaction request exceeds the 4MB transaction size limit")
    return changes


_NOTHING = Stored({}, 0)


def _cancelled(reasons: list[Reason | None]) -> ServiceError:
    return cancelled([reason or {"Code": "None"} for reason in reasons])


def _placed(steps: list[Step]) -> list[Placed]:
    """Where each step goes.

    Raises:
        ServiceError: Two steps go to one item, or the transaction is cancelled because a step
            does not fit its table.
    """
    placed = [_place(step) for step in steps]
    targets = {(step.table.name, place.key) for step, place in zip(steps, placed, strict=True)}
    if any(place.reason for place in placed):
        raise _cancelled([place.reason for place in placed])
    if len(targets) < len(steps):
        raise invalid("Transaction request cannot include multiple operations on one item")
    return placed


def _place(step: Step) -> Placed:
    """Where a step goes; that it does not fit the table is a reason, not an error.

    Raises:
        ServiceError: A key is empty or too long, or an item too large: wrong in itself.
    """
    table, put = step.table, None
    if step.action == "Put":
        put = table.admit(step.attributes, too_large=ITEM_TOO_LARGE)
    else:
        schema.refuse_bad_key_text(table.keys, step.attributes)
    try:
        if put is not None:
            refuse_wrong_kinds(table, put.item)
            return Placed(table.keys.place(put.item), put, None)
        return Placed(table.keys.of_key(step.attributes), None, None)
    except ServiceError as error:
        return Placed(None, None, {"Code": "ValidationError", "Message": error.message})


def _step(step: Step, place: Placed, before: Stored | None) -> tuple[Change, Reason | None]:
    """What a step changes, or why it cannot; a failed condition goes before a failed update."""
    key = place.key
    assert key is not None
    condition = step.expressions.condition
    after = place.put if step.action in {"Put", "Delete"} else before
    if condition is not None and not condition.holds({} if before is None else before.item):
        reason: Reason = {
            "Code": "ConditionalCheckFailed",
            "Message": "The conditional request failed",
        }
        if step.wants_old and before is not None:
            reason["Item"] = copy_item(before.item)
        return Change(step.table, key, before, after), reason
    if step.action == "Update":
        update, expressions = step.expressions.update, step.expressions
        try:
            after = updated(step.table, step.attributes, before, update, expressions)
        except ServiceError as error:
            if is_static(error):
                raise
            unchanged = Change(step.table, key, before, before)
            return unchanged, {"Code": "ValidationError", "Message": error.message}
    return Change(step.table, key, before, after), None


def transact_get_items(tables: Tables, params: Params, usage: Usage) -> dict[str, Any]:
    """Items as they are at one moment.

    Raises:
        ServiceError: The request is wrong in itself, or a key does not fit its table.
    """
    check_parameters(params, "TransactGetItems")
    _check_length(params)
    steps = []
    for member in params["TransactItems"]:
        check_parameters(member, "TransactGetItem")
        part = member["Get"]
        check_parameters(part, "Get")
        attributes = normal_item(part["Key"], parameter="Key")
        table, expressions = table_of(tables, part), read_expressions(part)
        steps.append(Step("Get", table, attributes, expressions, (None, None), False))
    responses: list[dict[str, Any]] = []
    total_bytes = 0
    for step, place in zip(steps, _placed(steps), strict=True):
        assert place.key is not None
        stored = step.table.get(place.key)
        size_bytes = 0 if stored is None else stored.size_bytes
        total_bytes += size_bytes
        usage.add(step.table.name, None, "read", capacity.transact_read_units(size_bytes))
        item = None if stored is None else picked(stored, step.expressions)
        responses.append({"Item": item} if item else {})
    if total_bytes > TRANSACTION_BYTES_MAX:
        raise invalid("Transaction request exceeds the 4MB transaction size limit")
    return {"Responses": responses}
