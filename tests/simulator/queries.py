"""Query: one partition of a table or of an index, in order, a page at a time."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from typing import Any, NamedTuple

from tests.simulator import capacity, schema
from tests.simulator.capacity import Usage
from tests.simulator.conditions import Names, Values
from tests.simulator.errors import invalid, malformed
from tests.simulator.grammar import Between, Both, Call, Compare, Constant, Path, Tree
from tests.simulator.items import Tables, table_of
from tests.simulator.requests import (
    Condition,
    Expressions,
    Params,
    check_parameters,
    read_expressions,
)
from tests.simulator.schema import KeyAttribute, KeySchema
from tests.simulator.table import Index, Partition, Table
from tests.simulator.values import Item, copy_item, copy_value, normal_item, ordered

PAGE_BYTES_MAX = 1024 * 1024
_SLOT = "Invalid KeyConditionExpression: "
_START = "The provided starting key "


class _Top:
    """Greater than everything: closes a range of positions that begin alike."""

    def __lt__(self, other: object) -> bool:
        return False

    def __gt__(self, other: object) -> bool:
        return True


_TOP = _Top()


class Range(NamedTuple):
    """The part of a partition that the condition on the sort key selects."""

    low: tuple[Any, ...] = ()
    high: tuple[Any, ...] = (_TOP,)
    prefix: Any = None

    def slice(self, positions: list[tuple[Any, ...]]) -> tuple[int, int]:
        start = bisect_left(positions, self.low)
        if self.prefix is None:
            return start, max(start, bisect_left(positions, self.high))

        def is_past(position: tuple[Any, ...]) -> bool:
            return not position[0].startswith(self.prefix)

        return start, bisect_left(positions, True, lo=start, key=is_past)

    def covers(self, position: tuple[Any, ...]) -> bool:
        return self.slice([position]) == (0, 1)


class Selection(NamedTuple):
    """What the key condition asks for."""

    partition: Any
    range: Range


def select(keys: Condition, schema_: KeySchema) -> Selection:
    """The partition and the range that a key condition names.

    Raises:
        ServiceError: It is not a condition on exactly this key.
    """
    partition: Any = None
    selected: Range | None = None
    seen: set[str] = set()
    for test in _conjunction(keys.program.tree):
        name = _attribute(test, keys.names)
        if name in seen:
            raise invalid(f"{_SLOT}KeyConditionExpressions must only contain one condition per key")
        seen.add(name)
        if name == schema_.hash.name:
            (constant,) = _operands(test, schema_.hash, keys.values)
            if not isinstance(test, Compare) or test.operator != "=":
                raise invalid("Query key condition not supported")
            partition = constant
        elif schema_.range is not None and name == schema_.range.name:
            selected = _range(test, schema_.range, keys.values)
        else:
            raise invalid(f"Query condition missed key schema element: {name}")
    if partition is None:
        raise invalid(f"Query condition missed key schema element: {schema_.hash.name}")
    return Selection(partition, Range() if selected is None else selected)


def _conjunction(tree: Tree) -> Iterator[Tree]:
    if isinstance(tree, Both):
        yield from _conjunction(tree.left)
        yield from _conjunction(tree.right)
    else:
        yield tree


def _attribute(test: Tree, names: Names) -> str:
    """The attribute that a test is about; tests that a key cannot have are refused."""
    match test:
        case Compare("=" | "<" | "<=" | ">" | ">=", Path() as path, Constant()):
            pass
        case Between(Path() as path, Constant(), Constant()):
            pass
        case Call("begins_with", path, Constant()):
            pass
        case Compare(operator, Path(), Constant()):
            raise invalid(f"{_SLOT}Invalid operator used in KeyConditionExpression: {operator}")
        case _:
            raise invalid(f"{_SLOT}Invalid condition in KeyConditionExpression")
    if len(path.parts) > 1:
        raise invalid("KeyConditionExpressions cannot have conditions on nested attributes")
    name = str(path)
    return names[name] if name.startswith("#") else name


def _operands(test: Tree, attribute: KeyAttribute, values: Values) -> list[Any]:
    """What the key attribute is compared with, fit for comparing."""
    match test:
        case Between(_, Constant(low), Constant(high)):
            constants = [low, high]
        case Compare(_, _, Constant(name)) | Call(_, _, Constant(name)):
            constants = [name]
        case _:
            raise AssertionError(test)
    for name in constants:
        if attribute.kind not in values[name]:
            raise invalid(
                "One or more parameter values were invalid: Condition parameter type does not "
                "match schema type"
            )
        schema.refuse_empty(attribute, values[name])
    return [ordered(values[name]) for name in constants]


def _range(test: Tree, attribute: KeyAttribute, values: Values) -> Range:
    operands = _operands(test, attribute, values)
    first = operands[0]
    match test:
        case Compare("=", _, _):
            return Range((first,), (first, _TOP))
        case Compare("<", _, _):
            return Range(high=(first,))
        case Compare("<=", _, _):
            return Range(high=(first, _TOP))
        case Compare(">", _, _):
            return Range(low=(first, _TOP))
        case Compare(">=", _, _):
            return Range(low=(first,))
        case Between():
            return Range((first,), (operands[1], _TOP))
    return Range(low=(first,), prefix=first)


class _Page:
    """Collects what a page holds until a limit stops it."""

    def __init__(self, limit: int | None, condition: Condition | None) -> None:
        self.limit = limit
        self.condition = condition
        self.items: list[Item] = []
        self.evaluated = 0
        self.size_bytes = 0
        self.last: Item | None = None
        self.is_cut = False

    def fill(self, partition: Partition, positions: Iterator[tuple[Any, ...]]) -> None:
        for position in positions:
            stored = partition.items[position]
            if self.evaluated and self.size_bytes + stored.size_bytes > PAGE_BYTES_MAX:
                self.is_cut = True
                return
            self.evaluated += 1
            self.size_bytes += stored.size_bytes
            self.last = stored.item
            if self.condition is None or self.condition.holds(stored.item):
                self.items.append(stored.item)
            if self.evaluated == self.limit or self.size_bytes >= PAGE_BYTES_MAX:
                self.is_cut = True
                return


def query(tables: Tables, params: Params, usage: Usage) -> dict[str, Any]:
    """One page of a query.

    Raises:
        ServiceError: The request is not a query of this table.
    """
    check_parameters(params, "Query")
    if params.get("Limit", 1) < 1:
        raise malformed("Invalid value for parameter Limit: valid min value: 1")
    table = table_of(tables, params)
    source = _source(table, params)
    expressions = read_expressions(params)
    if expressions.keys is None:
        raise invalid(
            "Either the KeyConditions or KeyConditionExpression parameter must be specified in "
            "the request."
        )
    selection = select(expressions.keys, source.keys)
    _check_attributes(table, source, params, expressions)
    limit = params.get("Limit")
    page = _Page(limit, expressions.filter)
    start = _start(table, source, params, selection)
    partition = source.partitions.get(selection.partition)
    if partition is not None:
        page.fill(partition, _positions(partition, params, selection, start))
    is_index = source is not table
    units = capacity.read_units(page.size_bytes, consistent=params.get("ConsistentRead", False))
    usage.add(table.name, source.name if is_index else None, "read", units)
    response: dict[str, Any] = {"Count": len(page.items), "ScannedCount": page.evaluated}
    if params.get("Select") != "COUNT":
        pick = copy_item if expressions.projection is None else expressions.projected
        response["Items"] = [pick(item) for item in page.items]
    if page.is_cut and page.last is not None:
        response["LastEvaluatedKey"] = {
            name: copy_value(page.last[name]) for name in _cursor_names(table, source)
        }
    return response


def _source(table: Table, params: Params) -> Table | Index:
    name = params.get("IndexName")
    if name is None:
        return table
    index = table.indexes.get(name)
    if index is None:
        raise invalid(f"The table does not have the specified index: {name}")
    if params.get("ConsistentRead"):
        raise invalid("Consistent reads are not supported on global secondary indexes")
    return index


def _check_attributes(
    table: Table, source: Table | Index, params: Params, expressions: Expressions
) -> None:
    """Refuse what the query may not filter by, or cannot give back."""
    key_names = {attribute.name for attribute in source.keys.attributes}
    if expressions.filter is not None:
        for name in expressions.filter.program.attributes(expressions.names):
            if name in key_names:
                raise invalid(
                    "Filter Expression can only contain non-primary key attributes: Primary key "
                    f"attribute: {name}"
                )
    mode = params.get("Select")
    projection = expressions.projection
    if (mode == "SPECIFIC_ATTRIBUTES") != (projection is not None) and mode is not None:
        raise invalid(f"Select {mode} and ProjectionExpression do not go together")
    if mode == "ALL_PROJECTED_ATTRIBUTES" and source is table:
        raise invalid("ALL_PROJECTED_ATTRIBUTES can be used only when Querying using an IndexName")
    if not isinstance(source, Index) or source.projects_all:
        return
    if mode == "ALL_ATTRIBUTES":
        raise invalid(
            "One or more parameter values were invalid: Select type ALL_ATTRIBUTES is not "
            f"supported for global secondary index {source.name} because its projection type is "
            "not ALL"
        )
    wanted = () if projection is None else projection.attributes
    for name in (expressions.names.get(name, name) for name in wanted):
        if name not in source.projected:
            raise invalid(
                "One or more parameter values were invalid: Global secondary index "
                f"{source.name} does not project [{name}]"
            )


def _cursor_names(table: Table, source: Table | Index) -> list[str]:
    names = [attribute.name for attribute in table.keys.attributes]
    names += [each.name for each in source.keys.attributes if each.name not in names]
    return names


def _start(
    table: Table, source: Table | Index, params: Params, selection: Selection
) -> tuple[Any, ...] | None:
    """The position after which the page begins.

    Raises:
        ServiceError: The starting key cannot have come from an earlier page of this query.
    """
    if "ExclusiveStartKey" not in params:
        return None
    key = normal_item(params["ExclusiveStartKey"], parameter="ExclusiveStartKey")
    if key.keys() != set(_cursor_names(table, source)):
        raise invalid(f"{_START}is invalid")
    for attribute in (*table.keys.attributes, *source.keys.attributes):
        if attribute.kind not in key[attribute.name]:
            raise invalid(f"{_START}is invalid")
        schema.refuse_empty(attribute, key[attribute.name])
    if source.keys.place(key).hash != selection.partition:
        raise invalid(f"{_START}is outside query boundaries based on provided conditions")
    position = source.position(key) if isinstance(source, Index) else source.keys.place(key).sort
    if not selection.range.covers(position):
        raise invalid(f"{_START}does not match the range key predicate")
    return position


def _positions(
    partition: Partition,
    params: Params,
    selection: Selection,
    after: tuple[Any, ...] | None,
) -> Iterator[tuple[Any, ...]]:
    """The selected positions in the asked direction, beginning behind `after`."""
    positions = partition.positions
    low, high = selection.range.slice(positions)
    forward = params.get("ScanIndexForward", True)
    if after is not None and forward:
        low = max(low, bisect_right(positions, after))
    elif after is not None:
        high = min(high, bisect_left(positions, after))
    chosen = range(low, high) if forward else range(high - 1, low - 1, -1)
    return (positions[place] for place in chosen)
