"""What is not well formed is refused by name, in the dialect of its surface, and writes nothing."""

import base64
import json
from collections.abc import Iterator
from inspect import signature
from typing import Annotated, Any, get_args, get_origin, get_type_hints

import pytest
from aws_lambda_powertools.event_handler.depends import Depends
from aws_lambda_powertools.event_handler.openapi.params import Query

from holdfast import errors
from holdfast.http.fields import Body
from tests.api.fields import (
    BODY_FIELDS,
    FINE,
    FINE_IN_QUERY,
    QUERIES_OF_WRITES,
    QUERY_FIELDS,
    WRONG,
    WRONG_IN_QUERY,
)
from tests.api.scene import OF_THE_PLATFORM, READS, WRITES, request, scene, things_of
from tests.api.world import DONE, FUNCTIONS, OPERATIONS, Like
from tests.http.events import ADMIN, ALICE, PLATFORM, event

OWN = things_of("root")
BY_NAME = {operation.name: operation for operation in OPERATIONS}
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


def listed_codes(refusal: type[errors.Refusal] = errors.Refusal) -> Iterator[str]:
    yield refusal.code
    for more in refusal.__subclasses__():
        yield from listed_codes(more)


CODES = frozenset(listed_codes())


def body_fields(operation):
    hints = get_type_hints(operation.function)
    models = [hint for hint in hints.values() if isinstance(hint, type) and issubclass(hint, Body)]
    return {field.alias or name for model in models for name, field in model.model_fields.items()}


def query_fields(operation):
    hints = get_type_hints(operation.function, include_extras=True)
    for name in signature(operation.function).parameters:
        hint = hints[name]
        said = get_args(hint)[1:] if get_origin(hint) is Annotated else ()
        is_body = isinstance(hint, type) and issubclass(hint, Body)
        if (
            any(isinstance(one, Depends) for one in said)
            or is_body
            or f"{{{name}}}" in operation.path
        ):
            continue
        yield next((one.alias for one in said if isinstance(one, Query) and one.alias), name)


def test_every_field_of_every_operation_is_in_the_tables(record_property):
    assert {name: set(fields) for name, fields in BODY_FIELDS.items()} == {
        name: body_fields(BY_NAME[name]) for name in WRITES
    }
    assert {name: set(fields) for name, fields in QUERY_FIELDS.items()} == {
        name: set(query_fields(BY_NAME[name])) for name in READS
    }
    assert {
        name: asked for name in WRITES if (asked := list(query_fields(BY_NAME[name])))
    } == QUERIES_OF_WRITES
    fields = sum(map(len, BODY_FIELDS.values())), sum(map(len, QUERY_FIELDS.values()))
    cases = fields[0] * len(WRONG) + fields[1] * len(WRONG_IN_QUERY)
    record_property("figure", f"malformed input: {cases:,} wrong values in {sum(fields)} fields")


# --- Fields ---------------------------------------------------------------------------------------


def written(body: dict[str, Any], field: str, value: str) -> str:
    """A body with the text of a value in one of its fields."""
    members = [
        f"{json.dumps(name)}:{json.dumps(good)}" for name, good in body.items() if name != field
    ]
    return "{" + ",".join([*members, f"{json.dumps(field)}:{value}"]) + "}"


def told_of(refusal, field):
    """Whether a refusal is one of those that a wrong value may meet, and names the field."""
    assert refusal.code in CODES
    if refusal.status == 422 and refusal.code != "idempotency_key_invalid":
        return refusal.param is not None and refusal.param.split(".")[0] == field
    return refusal.status in (400, 402, 403, 404, 422)


@pytest.mark.parametrize(
    ("operation", "field", "kind"),
    [
        pytest.param(operation, field, kind, id=f"{operation} {field}")
        for operation, fields in BODY_FIELDS.items()
        for field, kind in fields.items()
    ],
)
def test_a_wrong_value_in_a_body_is_refused_by_name(operation, field, kind):
    asked = request(operation, OWN)
    world = scene()
    mark = world.mark()
    for name, value in WRONG.items():
        answer = asked.sent(world, by=ADMIN, body=written(asked.body, field, value))

        if name in FINE[kind]:
            assert answer.status in DONE, (name, answer.text)
            world = scene()
            continue
        assert answer.status >= 400, (name, answer.text)
        named = "expires_in_seconds" if (kind, name) == ("amount", "null") else field
        named = "tax_id_type" if field == "tax_id" else named
        assert told_of(answer.refusal, field) or told_of(answer.refusal, named), (name, answer)
        assert world.written_since(mark) == [], name
        assert answer.headers["X-Request-Id"] == answer.text.split('"request_id":"')[1][:16]


@pytest.mark.parametrize(
    ("operation", "field", "kind"),
    [
        pytest.param(operation, field, kind, id=f"{operation} {field}")
        for operation, fields in QUERY_FIELDS.items()
        for field, kind in fields.items()
    ],
)
def test_a_wrong_value_in_a_query_is_refused_by_name(operation, field, kind):
    asked = request(operation, OWN)
    world = scene()
    mark = world.mark()
    for value in WRONG_IN_QUERY:
        answer = asked.sent(world, by=ADMIN, query={**asked.query, field: value})

        if kind == "owner" and value in FINE_IN_QUERY["name"]:
            # Somebody who has no such thing.
            assert answer.status == 404, (value, answer.text)
        elif value in FINE_IN_QUERY.get(kind, ()):
            assert answer.status == 200, (value, answer.text)
        else:
            assert answer.refusal.status == 422, (value, answer)
            assert told_of(answer.refusal, field), (value, answer)
        assert world.written_since(mark) == [], value


@pytest.mark.parametrize("operation", [each for each in READS if QUERY_FIELDS[each]])
def test_a_parameter_that_is_given_twice_is_refused_by_name(operation):
    asked = request(operation, OWN)
    for field in QUERY_FIELDS[operation]:
        named = [f"{name}=root" for name in asked.query if name != field]
        query = "&".join([*named, f"{field}=a", f"{field}=a"])

        refusal = scene().refused("GET", asked.path, by=ADMIN, query=query)

        assert refusal[:3] == (422, "invalid_field", field)


@pytest.mark.parametrize("operation", READS)
@pytest.mark.parametrize("query", ["%FF", "a=%FF", "a=%C0%80", "&".join(["a=1"] * 65), "a=\ud800"])
def test_a_query_that_cannot_be_read_is_refused(operation, query):
    asked = request(operation, OWN)

    refusal = scene().refused("GET", asked.path, by=ADMIN, query=query)

    assert refusal.status in (400, 422)
    assert refusal.code in CODES


@pytest.mark.parametrize("operation", READS)
def test_a_parameter_that_nobody_knows_is_passed_over(operation):
    asked = request(operation, OWN)
    world = scene()

    plain = asked.sent(world, by=ADMIN)
    more = asked.sent(world, by=ADMIN, query={**asked.query, "x": "", "pretty": "1", "Limit": "5"})

    assert more == plain


@pytest.mark.parametrize("operation", READS)
def test_a_body_of_a_read_is_not_looked_at(operation):
    asked = request(operation, OWN)
    world = scene()

    plain = asked.sent(world, by=ADMIN)

    for body in ("[", '{"pan":"4242424242424242"}', "x" * 300_000):
        assert asked.sent(world, by=ADMIN, body=body) == plain


CURRENCIES = ["XXX", "xau", "usdt", "btc", "US", "USDD", "USD\n", " usd", "usd ", "840", "ＵＳＤ",
              "\u212awd", "u\0d", "us$"]  # fmt: skip


@pytest.mark.parametrize("currency", CURRENCIES)
@pytest.mark.parametrize("operation", [each for each in WRITES if "currency" in BODY_FIELDS[each]])
def test_a_currency_that_does_not_exist_is_refused(operation, currency):
    asked = request(operation, OWN)
    body = {**asked.body, "currency": currency}

    refusal = scene().refused(asked.method, asked.path, by=ADMIN, body=body)

    assert refusal[:3] == (422, "invalid_field", "currency")


@pytest.mark.parametrize("currency", ["", *CURRENCIES])
@pytest.mark.parametrize("operation", [each for each in READS if "currency" in QUERY_FIELDS[each]])
def test_a_currency_that_does_not_exist_cannot_be_looked_at(operation, currency):
    asked = request(operation, OWN)
    query = {**asked.query, "currency": currency}

    refusal = scene().refused("GET", asked.path, by=ADMIN, query=query)

    assert refusal[:3] == (422, "invalid_field", "currency")


# --- Bodies ---------------------------------------------------------------------------------------

ALL_WRITES = pytest.mark.parametrize("operation", WRITES)
UNREADABLE = {
    "an array": "[]",
    "an array of the body": "[{good}]",
    "a text": '"x"',
    "a number": "1",
    "true": "true",
    "null": "null",
    "white space": " \n",
    "not closed": "{good}"[:-1] + "+",
    "two of them": "{good}{good}",
    "something behind it": "{good} x",
    "a comma too many": '{{"a":1,}}',
    "a field twice": '{{"currency":"usd","currency":"usd"}}',
    "a field twice, escaped": r'{{"currency":"usd","currenc\u0079":"eur"}}',
    "a field twice, deep down": '{{"metadata":{{"a":"1","a":"2"}}}}',
    "no number": '{{"amount":NaN}}',
    "a number of 5,000 digits": '{{"amount":' + "9" * 5000 + "}}",
    "half a pair": r'{{"notes":"\ud800"}}',
    "half a pair as a name": r'{{"\udfff":1}}',
    "nested": '{{"metadata":' + "[" * 50 + "]" * 50 + "}}",
    "nested beyond reason": '{{"a":' + "[" * 100_000 + "]" * 100_000 + "}}",
    "a mark in front": "\ufeff{good}",
    "single quotes": "{{'amount':1}}",
    "a comment": '{{"a":1}}//',
    "form": "amount=10&user=alice",
    "xml": "<amount>10</amount>",
}


@ALL_WRITES
def test_a_body_that_is_no_json_object_is_unreadable(operation):
    asked = request(operation, OWN)
    world = scene()
    good = json.dumps(asked.body)
    for name, text in UNREADABLE.items():
        body = text.replace("{good}", "{{good}}").replace("{{", "{").replace("}}", "}")
        body = body.replace("{good}", good)

        refusal = world.refused(asked.method, asked.path, by=ADMIN, body=body)

        assert refusal == (400, "unreadable_body", None, {}), name


def encoded(world, asked, raw, **changes):
    """A request whose body the gateway took for bytes."""
    sent = asked.event(by=ADMIN)
    sent["body"] = raw if isinstance(raw, str) else base64.b64encode(raw).decode()
    sent["isBase64Encoded"] = True
    sent.update(changes)
    return world.deliver(sent)


@ALL_WRITES
def test_bytes_are_read_like_text(operation):
    asked = request(operation, OWN)

    answer = encoded(scene(), asked, json.dumps(asked.body).encode())

    assert answer.status in DONE


@ALL_WRITES
@pytest.mark.parametrize(
    "raw",
    [b"\xff", b'{"notes":"\xc3\x28"}', b'{"notes":"\xed\xa0\x80"}', b"\xef\xbb\xbf{}",
     '{"a":1}'.encode("utf-16"), b"\x1f\x8b\x08\x00", b"\0", "not base64!", "e30", "e30=\n=", "é"],
    ids=repr,
)  # fmt: skip
def test_bytes_that_are_no_text_are_unreadable(operation, raw):
    asked = request(operation, OWN)
    world = scene()
    mark = world.mark()

    answer = encoded(world, asked, raw)

    assert answer.refusal == (400, "unreadable_body", None, {})
    assert world.written_since(mark) == []


KIB_256 = 256 * 1024


@ALL_WRITES
@pytest.mark.parametrize(("size", "is_read"), [(KIB_256, True), (KIB_256 + 1, False)])
@pytest.mark.parametrize("as_bytes", [False, True], ids=["text", "bytes"])
def test_a_body_has_256_kib_at_most(operation, size, is_read, as_bytes):
    asked = request(operation, OWN)
    world = scene()
    body = json.dumps(asked.body).ljust(size)

    if as_bytes:
        answer = encoded(world, asked, body.encode())
    else:
        answer = asked.sent(world, by=ADMIN, body=body)

    if is_read:
        assert answer.status in DONE
    else:
        assert answer.refusal == (413, "body_too_large", None, {})


@ALL_WRITES
def test_the_size_of_a_body_is_counted_in_bytes(operation):
    asked = request(operation, OWN)
    body = json.dumps({**asked.body, "notes": "ü" * (KIB_256 // 2)}, ensure_ascii=False)

    refusal = scene().refused(asked.method, asked.path, by=ADMIN, body=body)

    assert refusal == (413, "body_too_large", None, {})


@ALL_WRITES
@pytest.mark.parametrize(
    ("headers", "is_json"),
    [
        ({"content-type": "application/json"}, True),
        ({"Content-Type": "Application/JSON; charset=UTF-8"}, True),
        ({"content-type": 'application/json;charset="utf-8"'}, True),
        ({"content-encoding": "identity"}, True),
        ({"content-type": "text/plain"}, False),
        ({"content-type": "text/json"}, False),
        ({"content-type": ""}, False),
        ({"content-type": "application/jsonp"}, False),
        ({"content-type": "application/x-www-form-urlencoded"}, False),
        ({"content-type": "multipart/form-data; boundary=x"}, False),
        ({"content-type": "application/json; charset=utf-16"}, False),
        ({"content-type": "application/json, text/plain"}, False),
        ({"content-encoding": "gzip"}, False),
    ],
)
def test_a_body_is_json_in_utf_8(operation, headers, is_json):
    asked = request(operation, OWN)
    world = scene()
    mark = world.mark()
    body = json.dumps(asked.body)

    answer = asked.sent(world, by=ADMIN, body=body, headers=headers)

    if is_json:
        assert answer.status in DONE
        return
    assert answer.refusal == (415, "unsupported_media_type", None, {})
    assert world.written_since(mark) == []


@ALL_WRITES
def test_a_body_without_a_type_is_taken_for_json(operation):
    asked = request(operation, OWN)
    sent = asked.event(by=ADMIN)
    del sent["headers"]["content-type"]

    assert scene().deliver(sent).status in DONE


@ALL_WRITES
@pytest.mark.parametrize(
    "name",
    ["balance", "account_id", "owner_id", "org", "livemode", "status_", "amount_micros", "Amount",
     "__proto__", "constructor", "$where", " amount", "amount ", "", "0", "a.b", "x" * 1000, "é"],
)  # fmt: skip
def test_a_field_that_nobody_knows_is_refused(operation, name):
    asked = request(operation, OWN)

    refusal = scene().refused(asked.method, asked.path, by=ADMIN, body={**asked.body, name: 1})

    assert refusal[:2] == (422, "unknown_field")
    assert refusal.param == (name if name in PLAIN else Like("body|[A-Za-z_.]*"))


PLAIN = {
    "balance",
    "account_id",
    "owner_id",
    "org",
    "livemode",
    "status_",
    "amount_micros",
    "Amount",
}


@ALL_WRITES
def test_every_field_that_must_be_there_is_asked_for_by_name(operation):
    asked = request(operation, OWN)
    world = scene()
    for field in [name for name in asked.body if not is_optional(operation, name)]:
        body = {name: value for name, value in asked.body.items() if name != field}

        refusal = world.refused(asked.method, asked.path, by=ADMIN, body=body)

        named = {field, "expires_in_seconds"} if operation.endswith("extend") else {field}
        assert refusal[:2] == (422, "invalid_field")
        assert refusal.param in named


def is_optional(operation, field):
    kind = BODY_FIELDS[operation][field]
    return kind.endswith("?") or kind in ("charge", "flag", "title")


# --- Card data ------------------------------------------------------------------------------------

CARD = "4242424242424242"


@ALL_WRITES
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("card_number", "1"),
        ("cardNumber", CARD),
        ("card", {"number": CARD, "exp_month": 1}),
        ("card[number]", CARD),
        ("number", "4242 4242 4242 4242"),
        ("number", int(CARD)),
        ("cvc", "123"),
        ("CVV", ""),
        ("pan", None),
        ("source", {"payment": [{"securityCode": "123"}]}),
        ("description", f"paid with {CARD}"),
        (CARD, 1),
    ],
)
def test_card_data_is_refused_and_neither_repeated_nor_logged(operation, name, value, capfd):
    asked = request(operation, OWN)

    refusal = scene().refused(asked.method, asked.path, by=ADMIN, body={**asked.body, name: value})

    assert refusal == (422, "card_data_not_allowed", None, {})
    written_down = "".join(capfd.readouterr())
    assert CARD not in written_down
    assert "4242 4242" not in written_down


@ALL_WRITES
def test_a_card_number_is_refused_in_a_field_that_is_known_too(operation):
    asked = request(operation, OWN)
    world = scene()
    for field in set(BODY_FIELDS[operation]) & {"notes", "reason", "metadata"}:
        value = {"note": CARD} if field == "metadata" else CARD

        refusal = world.refused(
            asked.method, asked.path, by=ADMIN, body={**asked.body, field: value}
        )

        assert refusal == (422, "card_data_not_allowed", None, {})


# --- Paths and methods ----------------------------------------------------------------------------


LIKE_AN_ACCOUNT = {
    ("POST /workspaces/{workspace_id}/billing/accounts/link", change)
    for change in ("{}%2F", "{}.json", "{} ")
}


@pytest.mark.parametrize("operation", BY_NAME)
@pytest.mark.parametrize("change", ["{}/", "{}//", "/{}", "{}/x/y/z", "{}%2F", "{}.json", "{} "])
def test_another_path_is_another_operation_or_none(operation, change):
    asked = request(operation, OWN)

    refusal = scene().refused(
        asked.method, change.format(asked.path), by=ADMIN, query=asked.query, body=asked.body
    )

    # What stands where `link` does may be the id of an account, which can be unlinked.
    assert refusal.status == (405 if (operation, change) in LIKE_AN_ACCOUNT else 404)
    assert refusal.code in CODES


@pytest.mark.parametrize("operation", BY_NAME)
def test_a_method_that_a_path_does_not_answer_is_refused_and_the_right_ones_told(operation):
    asked = request(operation, OWN)
    world = scene()
    served = {each.split()[0] for each in BY_NAME if each.split()[1] == operation.split()[1]}
    allowed = sorted(served | ({"HEAD"} if "GET" in served else set()))
    for method in [*METHODS, "HEAD", "TRACE", "BREW"]:
        if method in allowed:
            continue
        mark = world.mark()

        answer = world.ask(method, asked.path, by=ADMIN, query=asked.query, body=asked.body)

        assert answer.status == 405, method
        assert answer.headers["Allow"] == ", ".join(allowed)
        assert world.written_since(mark) == []
        if method != "HEAD":
            assert answer.refusal == (405, "method_not_allowed", None, {"allowed": allowed})


@pytest.mark.parametrize("operation", READS)
def test_head_is_get_without_its_body(operation):
    asked = request(operation, OWN)
    world = scene()

    by = PLATFORM if operation in OF_THE_PLATFORM else ADMIN
    head = world.ask("HEAD", asked.path, by=by, query=asked.query)

    assert (head.status, head.text) == (200, "")


def test_every_function_answers_for_a_path_that_is_nobodys(world):
    for name in FUNCTIONS:
        for path in ("/v1/billing/nowhere", "/api/v1/nowhere", "/api/agents/v1/nowhere", "/"):
            answer = world.deliver(event("GET", path, claims=ALICE), to=name)
            assert answer.refusal == (404, "route_not_found", None, {}), name
    assert world.items() == []
