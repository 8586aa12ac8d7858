"""Operations on single items: each reads its request, decides, and hands back a change or a copy.

Nothing here changes a table; the client does, in one place.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from tests.simulator import capacity, schema
from tests.simulator.capacity import Usage
from tests.simulator.errors import condition_failed, invalid, malformed, table_missing
from tests.simulator.requests import (
    Condition,
    Expressions,
    Params,
    check_parameters,
    read_expressions,
)
from tests.simulator.schema import Key
from tests.simulator.table import Stored, Table
from tests.simulator.updates import Update
from tests.simulator.values import Item, copy_item, normal_item

type Tables = Mapping[str, Table]

BATCH_KEYS_MAX = 100
BATCH_BYTES_MAX = 16 * 1024 * 1024
ITEM_TOO_LARGE = "Item size has exceeded the maximum allowed size"
UPDATE_TOO_LARGE = "Item size to update has exceeded the maximum allowed size"


class Change(NamedTuple):
    """One item before and after; None where there is none."""

    table: Table
    key: Key
    before: Stored | None
    after: Stored | None

    @property
    def units(self) -> int:
        """Write units of the table for this change outside a transaction."""
        return capacity.write_units(
            0 if self.before is None else self.before.size_bytes,
            0 if self.after is None else self.after.size_bytes,
        )


def table_of(tables: Tables, params: Params) -> Table:
    """The table that a request names.

    Raises:
        ServiceError: There is none of that name.
    """
    table = tables.get(params["TableName"])
    if table is None:
        raise table_missing()
    return table


def refuse_wrong_kinds(table: Table, item: Item) -> None:
    """Refuse an item whose table key is missing, or whose keys have another kind.

    Raises:
        ServiceError: The table or an index could not place the item.
    """
    error = schema.missing_key(table.keys, item)
    for index in table.indexes.values():
        error = error or schema.wrong_index_kind(index.name, index.keys, item)
    if error is not None:
        raise error


def updated(
    table: Table, key: Item, before: Stored | None, update: Update | None, expressions: Expressions
) -> Stored:
    """The item that an update makes of what is there.

    Raises:
        ServiceError: The update does not fit the item, or makes one that the table refuses.
    """
    item = dict(key) if before is None else before.item
    if update is not None:
        for name in update.targets(expressions.names):
            if name in key:
                raise invalid(
                    f"One or more parameter values were invalid: Cannot update attribute {name}. "
                    "This attribute is part of the key"
                )
        item = update.apply(item, expressions.names, expressions.values)
    refuse_wrong_kinds(table, item)
    return table.admit(item, too_large=UPDATE_TOO_LARGE)


def put_item(tables: Tables, params: Params, usage: Usage) -> tuple[Change, dict[str, Any]]:
    """Put one item, whole."""
    check_parameters(params, "PutItem")
    expressions = read_expressions(params)
    table = table_of(tables, params)
    item = normal_item(params["Item"], parameter="Item")
    refuse_wrong_kinds(table, item)
    after = table.admit(item, too_large=ITEM_TOO_LARGE)
    key = table.keys.place(item)
    change = Change(table, key, table.get(key), after)
    _require(expressions.condition, change, params, usage)
    return change, _old_attributes(change, params, allowed=("NONE", "ALL_OLD"))


def delete_item(tables: Tables, params: Params, usage: Usage) -> tuple[Change, dict[str, Any]]:
    """Delete one item, if it is there."""
    check_parameters(params, "DeleteItem")
    expressions = read_expressions(params)
    table = table_of(tables, params)
    key = table.keys.of_key(normal_item(params["Key"], parameter="Key"))
    change = Change(table, key, table.get(key), None)
    _require(expressions.condition, change, params, usage)
    return change, _old_attributes(change, params, allowed=("NONE", "ALL_OLD"))


def update_item(tables: Tables, params: Params, usage: Usage) -> tuple[Change, dict[str, Any]]:
    """Change attributes of one item, or make it of its key and them."""
    check_parameters(params, "UpdateItem")
    expressions = read_expressions(params)
    table = table_of(tables, params)
    key_item = normal_item(params["Key"], parameter="Key")
    key = table.keys.of_key(key_item)
    before = table.get(key)
    _require(expressions.condition, Change(table, key, before, before), params, usage)
    after = updated(table, key_item, before, expressions.update, expressions)
    change = Change(table, key, before, after)
    allowed = ("NONE", "ALL_OLD", "ALL_NEW", "UPDATED_OLD", "UPDATED_NEW")
    response = _old_attributes(change, params, allowed=allowed)
    mode = params.get("ReturnValues", "NONE")
    if mode == "ALL_NEW":
        response["Attributes"] = copy_item(after.item)
    elif mode.startswith("UPDATED"):
        picture = after if mode == "UPDATED_NEW" else before
        targets = expressions.update.targets(expressions.names) if expressions.update else []
        known = {} if picture is None else picture.item
        written = {name: known[name] for name in targets if name in known}
        if written:
            response["Attributes"] = copy_item(written)
    return change, response


def _require(condition: Condition | None, change: Change, params: Params, usage: Usage) -> None:
    """Refuse a write whose condition does not hold; it is paid all the same."""
    before = change.before
    if condition is None or condition.holds({} if before is None else before.item):
        return
    usage.add(change.table.name, None, "write", change.units)
    wants_old = params.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD"
    raise condition_failed(copy_item(before.item) if wants_old and before is not None else None)


def _old_attributes(change: Change, params: Params, *, allowed: tuple[str, ...]) -> dict[str, Any]:
    mode = params.get("ReturnValues", "NONE")
    if mode not in allowed:
        raise invalid(f"1 validation error detected: ReturnValues can only be {allowed}")
    if mode == "ALL_OLD" and change.before is not None:
        return {"Attributes": copy_item(change.before.item)}
    return {}


def get_item(tables: Tables, params: Params, usage: Usage) -> dict[str, Any]:
    """One item, or nothing; always as it is now."""
    check_parameters(params, "GetItem")
    expressions = read_expressions(params)
    table = table_of(tables, params)
    stored = table.get(table.keys.of_key(normal_item(params["Key"], parameter="Key")))
    size_bytes = 0 if stored is None else stored.size_bytes
    consistent = params.get("ConsistentRead", False)
    usage.add(table.name, None, "read", capacity.read_units(size_bytes, consistent=consistent))
    return {} if stored is None else {"Item": picked(stored, expressions)}


def picked(stored: Stored, expressions: Expressions) -> Item:
    """A copy of what the caller wants of an item."""
    if expressions.projection is None:
        return copy_item(stored.item)
    return expressions.projected(stored.item)


class _Wanted(NamedTuple):
    """One key of a batch."""

    table: Table
    key: Key
    params: Params
    raw: Item
    expressions: Expressions


def batch_get_item(tables: Tables, params: Params, usage: Usage) -> dict[str, Any]:
    """Items by their keys, in an order of their own, as the service gives none."""
    check_parameters(params, "BatchGetItem")
    wanted = [each for name in params["RequestItems"] for each in _keys(tables, params, name)]
    if len(wanted) > BATCH_KEYS_MAX:
        raise invalid("Too many items requested for the BatchGetItem call")
    if len({(each.table.name, each.key) for each in wanted}) < len(wanted):
        raise invalid("Provided list of item keys contains duplicates")
    answered: dict[str, list[Item]] = {name: [] for name in params["RequestItems"]}
    unprocessed: dict[str, Any] = {}
    total_bytes = 0
    for each in wanted:
        stored = each.table.get(each.key)
        size_bytes = 0 if stored is None else stored.size_bytes
        total_bytes += size_bytes
        name = each.table.name
        if total_bytes > BATCH_BYTES_MAX:
            rest = unprocessed.setdefault(name, {**each.params, "Keys": []})
            rest["Keys"].append(copy_item(each.raw))
            continue
        consistent = each.params.get("ConsistentRead", False)
        usage.add(name, None, "read", capacity.read_units(size_bytes, consistent=consistent))
        if stored is not None:
            answered[name].append(picked(stored, each.expressions))
    # Reversed, so that code which takes the order of the answer for that of its question fails.
    return {
        "Responses": {name: items[::-1] for name, items in answered.items()},
        "UnprocessedKeys": unprocessed,
    }


def _keys(tables: Tables, params: Params, name: str) -> list[_Wanted]:
    part = params["RequestItems"][name]
    check_parameters(part, "KeysAndAttributes")
    if type(name) is not str:
        raise malformed(f"Invalid type for parameter RequestItems, key: {name}")
    if len(part["Keys"]) > BATCH_KEYS_MAX:
        raise invalid("Too many items requested for the BatchGetItem call")
    expressions = read_expressions(part)
    table = table_of(tables, {"TableName": name})
    keys = [normal_item(key, parameter="Keys") for key in part["Keys"]]
    return [_Wanted(table, table.keys.of_key(key), part, key, expressions) for key in keys]
