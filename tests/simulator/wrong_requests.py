"""Requests that are wrong on purpose: one maker for each way, named after what is wrong.

Every maker takes a good request's parts from `Requests` and spoils one thing.
"""

from collections.abc import Callable
from typing import Any

from tests.simulator.requests_at_random import Request, Requests

type Maker = Callable[[Requests], Request]

_MAKERS: dict[str, Maker] = {}


def makers() -> dict[str, Maker]:
    """Every way to get a request wrong, by name."""
    return dict(_MAKERS)


def _wrong(maker: Maker) -> Maker:
    _MAKERS[maker.__name__] = maker
    return maker


def put(source: Requests, **changed: Any) -> Request:
    """A put, alone or in a transaction, with some of its parameters replaced."""
    params = {"TableName": source.table, "Item": source.item(), **changed}
    if source.random.random() < 0.5:
        return "put_item", params
    return "transact_write_items", {"TransactItems": [source.step_elsewhere(), {"Put": params}]}


def put_attribute(source: Requests, name: str, value: dict[str, Any]) -> Request:
    return put(source, Item={**source.item(), name: value})


def keyed(source: Requests, key: dict[str, Any]) -> Request:
    """Some call by key."""
    params = {"TableName": source.table, "Key": key}
    pick = source.random.randrange(6)
    if pick == 0:
        return "get_item", params
    if pick == 1:
        return "delete_item", params
    if pick == 2:
        update = {"UpdateExpression": "SET seq = :u", "ExpressionAttributeValues": {":u": _ONE}}
        return "update_item", {**params, **update}
    if pick == 3:
        return "batch_get_item", {"RequestItems": {source.table: {"Keys": [key]}}}
    if pick == 4:
        return "transact_get_items", {"TransactItems": [{"Get": params}]}
    return "transact_write_items", {"TransactItems": [source.step_elsewhere(), {"Delete": params}]}


def conditional(source: Requests, text: str, **values: dict[str, Any]) -> Request:
    """A put on a condition."""
    params: dict[str, Any] = {"ConditionExpression": text}
    if values:
        params["ExpressionAttributeValues"] = {f":{name}": value for name, value in values.items()}
    return put(source, **params)


def query(source: Requests, text: str, *, index: str | None = None, **values: Any) -> Request:
    params: dict[str, Any] = {"TableName": source.table, "KeyConditionExpression": text}
    if values:
        params["ExpressionAttributeValues"] = {f":{name}": value for name, value in values.items()}
    if index:
        params["IndexName"] = index
    return "query", params


_ONE = {"N": "1"}
_TEXT = {"S": "a"}


@_wrong
def empty_key(source: Requests) -> Request:
    name = source.random.choice(("pk", "sk"))
    if source.random.random() < 0.5:
        return put_attribute(source, name, {"S": ""})
    return keyed(source, {**source.key(), name: {"S": ""}})


@_wrong
def key_of_another_kind(source: Requests) -> Request:
    name = source.random.choice(("pk", "sk"))
    if source.random.random() < 0.5:
        return put_attribute(source, name, _ONE)
    return keyed(source, {**source.key(), name: _ONE})


@_wrong
def key_too_long(source: Requests) -> Request:
    name, length = source.random.choice((("pk", 2049), ("sk", 1025)))
    return put_attribute(source, name, {"S": "k" * length})


@_wrong
def key_incomplete(source: Requests) -> Request:
    item = source.item()
    del item[source.random.choice(("pk", "sk"))]
    if source.random.random() < 0.5:
        return "put_item", {"TableName": source.table, "Item": item}
    return keyed(source, {name: item[name] for name in ("pk", "sk") if name in item})


@_wrong
def key_with_more(source: Requests) -> Request:
    return keyed(source, {**source.key(), "more": _ONE})


@_wrong
def index_key_of_another_kind(source: Requests) -> Request:
    return put_attribute(source, source.random.choice(("gsi1pk", "gsi1sk", "gsi2sk")), _ONE)


@_wrong
def index_key_empty(source: Requests) -> Request:
    return put_attribute(source, source.random.choice(("gsi1pk", "gsi1sk", "gsi2pk")), {"S": ""})


@_wrong
def value_refused(source: Requests) -> Request:
    deep: dict[str, Any] = {"N": "1"}
    for _ in range(40):
        deep = {"L": [deep]}
    values: tuple[dict[str, Any], ...] = (
        {"N": "1" * 39},
        {"N": "0." + "1" * 39},
        {"N": "1E126"},
        {"N": "1E-131"},
        {"N": "abc"},
        {"N": ""},
        {"N": " 1"},
        {"N": "1_000"},
        {"N": "NaN"},
        {"N": "Infinity"},
        {"NULL": False},
        {"SS": []},
        {"NS": []},
        {"SS": ["a", "a"]},
        {"NS": ["1", "1.0"]},
        {"S": "a", "N": "1"},
        {},
        {"X": "a"},
        {"N": 5},
        {"S": None},
        {"BOOL": "true"},
        {"M": {"x": {"N": "x"}}},
        {"L": [{"N": "1" * 40}]},
        deep,
    )
    return put_attribute(source, "any", source.random.choice(values))


@_wrong
def item_too_large(source: Requests) -> Request:
    length = source.random.choice((409_600, 420_000))
    return put_attribute(source, "filler", {"S": "x" * length})


@_wrong
def expression_refused(source: Requests) -> Request:
    texts = (
        "seq =",
        "= seq",
        "seq",
        "attribute_exists(seq",
        "attribute_exists()",
        "no_such_function(seq)",
        "seq ! pk",
        "seq = seq AND",
        "NOT",
        "((attribute_exists(seq)))",
        "attribute_exists(seq) attribute_exists(pk)",
        "status = status",
        "attribute_exists(Name)",
        "BETWEEN = seq",
        "",
        "   ",
        " OR ".join(["attribute_exists(aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa)"] * 90),
    )
    return conditional(source, source.random.choice(texts))


@_wrong
def operand_of_another_kind(source: Requests) -> Request:
    text, value = source.random.choice(
        (
            ("seq < :a", {"BOOL": True}),
            ("seq >= :a", {"NULL": True}),
            ("seq > :a", {"L": []}),
            ("begins_with(note, :a)", _ONE),
            ("attribute_type(note, :a)", _ONE),
        )
    )
    return conditional(source, text, a=value)


@_wrong
def bounds_reversed(source: Requests) -> Request:
    if source.random.random() < 0.5:
        return conditional(source, "seq BETWEEN :a AND :b", a={"N": "2"}, b=_ONE)
    text = "pk = :p AND sk BETWEEN :a AND :b"
    return query(source, text, p=_TEXT, a={"S": "b"}, b=_TEXT)


@_wrong
def placeholder_undefined(source: Requests) -> Request:
    if source.random.random() < 0.5:
        return conditional(source, "seq = :missing")
    return conditional(source, "#missing = :a", a=_ONE)


@_wrong
def placeholder_unused(source: Requests) -> Request:
    if source.random.random() < 0.5:
        return conditional(source, "seq = :a", a=_ONE, b=_ONE)
    names = {"#a": "seq", "#b": "note"}
    return put(source, ConditionExpression="attribute_exists(#a)", ExpressionAttributeNames=names)


@_wrong
def placeholder_without_expression(source: Requests) -> Request:
    return put(source, ExpressionAttributeValues={":a": _ONE})


@_wrong
def update_refused(source: Requests) -> Request:
    text, value = source.random.choice(
        (
            ("SET pk = :a", _TEXT),
            ("SET sk = :a", _TEXT),
            ("REMOVE sk SET note = :a", _TEXT),
            ("ADD seq :a", _TEXT),
            ("SET seq = nowhere + :a", _ONE),
            ("SET seq = note - :a", _ONE),
            ("SET gsi1pk = :a", _ONE),
            ("SET gsi1pk = :a", {"S": ""}),
            ("SET seq = :a,", _ONE),
            ("seq = :a", _ONE),
            ("SET seq :a", _ONE),
            ("SET status = :a", _ONE),
            ("SET seq = :a SET note = :a", _ONE),
        )
    )
    params = {
        "TableName": source.table,
        "Key": source.key(),
        "UpdateExpression": text,
        "ExpressionAttributeValues": {":a": value},
    }
    if source.random.random() < 0.5:
        return "update_item", params
    return "transact_write_items", {"TransactItems": [{"Update": params}]}


@_wrong
def query_refused(source: Requests) -> Request:
    here = {"S": source.key()["pk"]["S"]}
    return source.random.choice(
        (
            query(source, "sk = :p", p=here),
            query(source, "pk > :p", p=here),
            query(source, "pk = :p AND note = :a", p=here, a=_TEXT),
            query(source, "pk = :p OR sk = :a", p=here, a=_TEXT),
            query(source, "pk = :p AND sk <> :a", p=here, a=_TEXT),
            query(source, "pk = :p AND sk > :a AND sk < :b", p=here, a=_TEXT, b=_TEXT),
            query(source, "pk = :p", p=_ONE),
            query(source, "pk = :p AND sk = :a", p=here, a=_ONE),
            query(source, "pk = :p", p={"S": ""}),
            query(source, "pk = :p AND begins_with(sk, :a)", p=here, a=_ONE),
            query(source, "pk = :p AND contains(sk, :a)", p=here, a=_TEXT),
            query(source, "pk = :p", p=here, unused=_ONE),
            query(source, "pk = :missing"),
            query(source, ""),
            query(source, "gsi1pk = :p", p=here, index="gsi2"),
            query(source, "gsi1pk = :p", p=here, index="gsi9"),
        )
    )


@_wrong
def query_option_refused(source: Requests) -> Request:
    method, params = query(source, "gsi2pk = :p", index="gsi2", p=_TEXT)
    options: tuple[dict[str, Any], ...] = (
        {"ConsistentRead": True},
        {"Limit": 0},
        {"Select": "ALL_ATTRIBUTES"},
        {"Select": "EVERYTHING"},
        {"Select": "SPECIFIC_ATTRIBUTES"},
        {"Select": "COUNT", "ProjectionExpression": "pk"},
        {"ProjectionExpression": "note"},
        {"ProjectionExpression": "pk,"},
        {"FilterExpression": "attribute_exists(gsi2sk)"},
        {"ExclusiveStartKey": source.key()},
        {"ExclusiveStartKey": {**source.key(), "gsi2pk": {"S": "b"}, "gsi2sk": _TEXT}},
        {"ReturnConsumedCapacity": "SOME"},
    )
    return method, {**params, **source.random.choice(options)}


@_wrong
def transaction_refused(source: Requests) -> Request:
    step: dict[str, Any] = source.step_elsewhere()
    check: dict[str, Any] = {"TableName": source.table, "Key": source.key()}
    twins = [{"Delete": check}, {"Put": {"TableName": source.table, "Item": dict(check["Key"])}}]
    steps: tuple[list[Any], ...] = (
        [],
        twins,
        [step, step],
        [{**step, "Delete": check}],
        [{}],
        [{"ConditionCheck": check}],
        [{"Update": check}],
        [{"Put": {"Item": source.item()}}],
        [
            {"Delete": {"TableName": source.table, "Key": {"pk": _TEXT, "sk": {"S": str(number)}}}}
            for number in range(101)
        ],
    )
    return "transact_write_items", {"TransactItems": source.random.choice(steps)}


@_wrong
def transaction_too_large(source: Requests) -> Request:
    filler = {"S": "x" * 390_000}
    items = [
        {"pk": {"S": "large"}, "sk": {"S": str(number)}, "filler": filler} for number in range(11)
    ]
    steps = [{"Put": {"TableName": source.table, "Item": item}} for item in items]
    return "transact_write_items", {"TransactItems": steps}


@_wrong
def token_refused(source: Requests) -> Request:
    token = source.random.choice(("", "t" * 37))
    return "transact_write_items", {"TransactItems": [source.step()], "ClientRequestToken": token}


@_wrong
def batch_refused(source: Requests) -> Request:
    key = source.key()
    many = [{"pk": {"S": "a"}, "sk": {"S": str(number)}} for number in range(101)]
    keys = source.random.choice(([], [key, key], many))
    return "batch_get_item", {"RequestItems": {source.table: {"Keys": keys}}}


@_wrong
def table_unknown(source: Requests) -> Request:
    params = {"TableName": "no-such-table", "Key": source.key()}
    step = {"Put": {"TableName": "no-such-table", "Item": source.item()}}
    return source.random.choice(
        (
            ("get_item", params),
            ("delete_item", params),
            ("put_item", step["Put"]),
            ("batch_get_item", {"RequestItems": {"no-such-table": {"Keys": [source.key()]}}}),
            ("transact_write_items", {"TransactItems": [step]}),
            ("transact_get_items", {"TransactItems": [{"Get": params}]}),
        )
    )


@_wrong
def parameter_unknown(source: Requests) -> Request:
    params = {"TableName": source.table, "Key": source.key()}
    return source.random.choice(
        (
            ("get_item", {**params, "ConditionExpresion": "attribute_exists(pk)"}),
            ("get_item", {"TableName": source.table}),
            ("put_item", {"TableName": source.table, "Item": [1]}),
            ("delete_item", {**params, "ReturnValues": "ALL_NEW"}),
            ("put_item", {"TableName": source.table, "Item": source.item(), "ReturnValues": "X"}),
            ("query", {"TableName": source.table}),
        )
    )
