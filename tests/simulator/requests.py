"""What every request has in common: known parameters, placeholders, projections."""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from tests.simulator import updates
from tests.simulator.conditions import Names, Program, Values, names_in, program_of
from tests.simulator.errors import ServiceError, invalid, malformed, members_of
from tests.simulator.grammar import END, Cursor
from tests.simulator.updates import Update
from tests.simulator.values import Item, copy_value, normal_item

type Params = Mapping[str, Any]

_NAMES = "ExpressionAttributeNames"
_VALUES = "ExpressionAttributeValues"
_CAPACITY: dict[str, type] = {"ReturnConsumedCapacity": str}
_ACTION: dict[str, type] = {
    "TableName": str,
    "ConditionExpression": str,
    _NAMES: dict,
    _VALUES: dict,
    "ReturnValuesOnConditionCheckFailure": str,
}
_PUT = {**_ACTION, "Item": dict}
_KEYED = {**_ACTION, "Key": dict}
_UPDATE = {**_KEYED, "UpdateExpression": str}
_GET: dict[str, type] = {"TableName": str, "Key": dict, "ProjectionExpression": str, _NAMES: dict}
_WRITE = {**_CAPACITY, "ReturnValues": str}

# The parameters the simulator takes, for each operation and each part of one.
PARAMETERS: dict[str, dict[str, type]] = {
    "GetItem": {**_GET, **_CAPACITY, "ConsistentRead": bool},
    "BatchGetItem": {**_CAPACITY, "RequestItems": dict},
    "KeysAndAttributes": {
        "Keys": list,
        "ConsistentRead": bool,
        "ProjectionExpression": str,
        _NAMES: dict,
    },
    "PutItem": {**_PUT, **_WRITE},
    "DeleteItem": {**_KEYED, **_WRITE},
    "UpdateItem": {**_UPDATE, **_WRITE},
    "Query": {
        **_CAPACITY,
        "TableName": str,
        "IndexName": str,
        "Select": str,
        "Limit": int,
        "ConsistentRead": bool,
        "ScanIndexForward": bool,
        "ExclusiveStartKey": dict,
        "KeyConditionExpression": str,
        "FilterExpression": str,
        "ProjectionExpression": str,
        _NAMES: dict,
        _VALUES: dict,
    },
    "TransactWriteItems": {**_CAPACITY, "TransactItems": list, "ClientRequestToken": str},
    "TransactGetItems": {**_CAPACITY, "TransactItems": list},
    "TransactWriteItem": {"Put": dict, "Delete": dict, "Update": dict, "ConditionCheck": dict},
    "TransactGetItem": {"Get": dict},
    "Put": _PUT,
    "Delete": _KEYED,
    "Update": _UPDATE,
    "ConditionCheck": _KEYED,
    "Get": _GET,
    "DescribeTable": {"TableName": str},
}
_REQUIRED: dict[str, frozenset[str]] = {
    "GetItem": frozenset({"TableName", "Key"}),
    "BatchGetItem": frozenset({"RequestItems"}),
    "KeysAndAttributes": frozenset({"Keys"}),
    "PutItem": frozenset({"TableName", "Item"}),
    "DeleteItem": frozenset({"TableName", "Key"}),
    "UpdateItem": frozenset({"TableName", "Key"}),
    "Query": frozenset({"TableName"}),
    "TransactWriteItems": frozenset({"TransactItems"}),
    "TransactGetItems": frozenset({"TransactItems"}),
    "TransactWriteItem": frozenset(),
    "TransactGetItem": frozenset({"Get"}),
    "Put": frozenset({"TableName", "Item"}),
    "Delete": frozenset({"TableName", "Key"}),
    "Update": frozenset({"TableName", "Key", "UpdateExpression"}),
    "ConditionCheck": frozenset({"TableName", "Key", "ConditionExpression"}),
    "Get": frozenset({"TableName", "Key"}),
    "DescribeTable": frozenset({"TableName"}),
}
# What botocore refuses to send because it is shorter than the model allows.
_NOT_EMPTY = frozenset({"TableName", "TransactItems", "RequestItems", "Keys", "ClientRequestToken"})
_ENUMS = {
    "ReturnConsumedCapacity": frozenset({"INDEXES", "TOTAL", "NONE"}),
    "ReturnValuesOnConditionCheckFailure": frozenset({"ALL_OLD", "NONE"}),
    "Select": frozenset(
        {"ALL_ATTRIBUTES", "ALL_PROJECTED_ATTRIBUTES", "SPECIFIC_ATTRIBUTES", "COUNT"}
    ),
}


def check_parameters(params: object, shape: str) -> None:
    """Refuse parameters that botocore or the service would refuse by their name or type.

    Raises:
        ParamValidationError: A parameter is unknown, missing, or of another type.
        NotImplementedError: DynamoDB has the parameter, the simulator does not.
    """
    if type(params) is not dict:
        raise malformed(f"Invalid type for parameter {shape}, value: {params}")
    known = PARAMETERS[shape]
    for name, value in params.items():
        expected = known.get(name)
        if expected is None:
            raise _unknown(name, shape)
        if type(value) is not expected:
            raise malformed(
                f"Invalid type for parameter {name}, value: {value}, type: {type(value)}, "
                f"valid types: {expected}"
            )
        if not value and name in _NOT_EMPTY:
            raise malformed(f"Invalid length for parameter {name}, value: 0, valid min length: 1")
        if name in _ENUMS and value not in _ENUMS[name]:
            raise invalid(
                f"1 validation error detected: Value '{value}' at '{name}' failed to satisfy "
                f"constraint: Member must satisfy enum value set: {sorted(_ENUMS[name])}"
            )
    if not _REQUIRED[shape] <= params.keys():
        missing = sorted(_REQUIRED[shape] - params.keys())
        raise malformed(f"Missing required parameter in {shape}: {missing}")


def _unknown(name: str, shape: str) -> Exception:
    if name in members_of(shape) | members_of(shape + "Input"):
        return NotImplementedError(f"the simulator does not take {name} in {shape}")
    return malformed(f"Unknown parameter in input: {name!r} in {shape}")


class Condition(NamedTuple):
    """A condition or filter with the placeholders of its request."""

    program: Program
    names: Names
    values: Values

    def holds(self, item: Item) -> bool:
        return self.program.test(item, self.names, self.values)


class Projection(NamedTuple):
    """The attributes that the caller wants of an item."""

    attributes: tuple[str, ...]
    names: frozenset[str]

    def of(self, item: Item, names: Names) -> Item:
        wanted = (names.get(name, name) for name in self.attributes)
        return {name: copy_value(item[name]) for name in wanted if name in item}


@lru_cache(maxsize=1024)
def projection_of(text: str) -> Projection:
    """The attributes that a projection expression names.

    Raises:
        ServiceError: The text is not a projection expression.
        NotImplementedError: It names parts of an attribute.
    """
    cursor = Cursor(text, slot="ProjectionExpression")
    paths = [cursor.path()]
    while cursor.accept(","):
        paths.append(cursor.path())
    if cursor.peek() is not END:
        raise cursor.error()
    if any(len(path.parts) > 1 for path in paths):
        raise NotImplementedError("the simulator projects whole attributes only")
    return Projection(tuple(str(path) for path in paths), names_in(paths))


class Expressions(NamedTuple):
    """The expressions of one action with their placeholders, read and checked."""

    condition: Condition | None
    filter: Condition | None
    keys: Condition | None
    update: Update | None
    projection: Projection | None
    names: Names
    values: Values

    def projected(self, item: Item) -> Item:
        assert self.projection is not None
        return self.projection.of(item, self.names)


_NOTHING = Expressions(None, None, None, None, None, {}, {})
_PROGRAMS = ("ConditionExpression", "FilterExpression", "KeyConditionExpression")
_SLOTS = (*_PROGRAMS, "UpdateExpression", "ProjectionExpression")


class _Parsed(NamedTuple):
    """The expressions of a request without its placeholders."""

    programs: tuple[Program | None, ...]
    update: Update | None
    projection: Projection | None
    names: frozenset[str]
    constants: frozenset[str]


@lru_cache(maxsize=4096)
def _parsed(*texts: str | None) -> _Parsed:
    programs = tuple(
        None if text is None else program_of(text, slot)
        for slot, text in zip(_PROGRAMS, texts[:3], strict=True)
    )
    update = None if texts[3] is None else updates.update_of(texts[3])
    projection = None if texts[4] is None else projection_of(texts[4])
    parts = [part for part in (*programs, update) if part is not None]
    names = frozenset[str]().union(*(part.names for part in parts))
    if projection is not None:
        names |= projection.names
    constants = frozenset[str]().union(*(part.constants for part in parts))
    return _Parsed(programs, update, projection, names, constants)


def read_expressions(params: Params) -> Expressions:
    """The expressions of a request or of one of its actions.

    Raises:
        ServiceError: An expression is wrong in itself, or its placeholders are not exactly the
            ones that the request defines.
    """
    texts = [params.get(slot) for slot in _SLOTS]
    if texts == _NO_TEXTS and _NAMES not in params and _VALUES not in params:
        return _NOTHING
    parsed = _parsed(*texts)
    names = _names(params, parsed.names)
    values = _values(params, parsed.constants)
    conditions = [_condition(program, names, values) for program in parsed.programs]
    condition, filtering, keys = conditions
    update, projection = parsed.update, parsed.projection
    if update is not None:
        refuse_overlap(update.targets(names))
    return Expressions(condition, filtering, keys, update, projection, names, values)


def _condition(program: Program | None, names: Names, values: Values) -> Condition | None:
    if program is None:
        return None
    if program.typed or program.bounds:
        program.check_operands(values)
    return Condition(program, names, values)


_NO_TEXTS = [None] * len(_SLOTS)


def refuse_overlap(targets: list[str]) -> None:
    for name in targets:
        if targets.count(name) > 1:
            raise invalid(
                "Invalid UpdateExpression: Two document paths overlap with each other; must "
                f"remove or rewrite one of these paths; path one: [{name}], path two: [{name}]"
            )


def _names(params: Params, used: frozenset[str]) -> Names:
    names: dict[str, str] | None = params.get(_NAMES)
    if names is None:
        if used:
            raise _wrong_placeholders((), used, parameter=_NAMES, what="name")
        return {}
    if not names:
        raise invalid(f"{_NAMES} must not be empty")
    if names.keys() != used:
        raise _wrong_placeholders(names, used, parameter=_NAMES, what="name")
    for name in names.values():
        if type(name) is not str:
            raise malformed(f"Invalid type for parameter {_NAMES}, value: {name}")
    return names


def _values(params: Params, used: frozenset[str]) -> Values:
    given = params.get(_VALUES)
    if given is None:
        if used:
            raise _wrong_placeholders((), used, parameter=_VALUES, what="value")
        return {}
    if not given:
        raise invalid(f"{_VALUES} must not be empty")
    values = normal_item(given, parameter=_VALUES)
    if values.keys() != used:
        raise _wrong_placeholders(values, used, parameter=_VALUES, what="value")
    return values


def _wrong_placeholders(
    given: Iterable[str], used: frozenset[str], *, parameter: str, what: str
) -> ServiceError:
    undefined = sorted(used.difference(given))
    if undefined:
        return invalid(
            f"Invalid expression: An expression attribute {what} used in expression is not "
            f"defined; attribute {what}: {undefined[0]}"
        )
    unused = sorted(set(given) - used)
    return invalid(
        f"Value provided in {parameter} unused in expressions: keys: {{{', '.join(unused)}}}"
    )
