"""Remote procedure calls: `POST zap`, at both of its paths."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.api.fields import WRONG
from tests.api.keyed import key_id, keyed
from tests.api.world import BOB, ENTRY_ID, OTHER_ADMIN, World, account_of
from tests.http.events import ADMIN, ALICE

PATHS = ["/api/v1/billing/zap", "/api/v1/zap"]
BOTH = pytest.mark.parametrize("path", PATHS)
ALICES = {"user": "acme/alice"}
USAGE = {**ALICES, "amount": 70, "model": "zen4", "promptTokens": 7}
UNREADABLE = {
    "id": None,
    "error": {"code": -32700, "message": "The body is not a JSON object."},
}
METHODS: dict[str, dict[str, Any]] = {
    "billing.getBalance": ALICES,
    "billing.getBalanceAll": ALICES,
    "billing.getUsage": ALICES,
    "billing.recordUsage": USAGE,
    "billing.deposit": {**ALICES, "amount": 500},
}
EVERY = pytest.mark.parametrize("method", METHODS)


def send(world, envelope, *, path=PATHS[0], by=ADMIN, key=None):
    return world.ask("POST", path, by=by, body=envelope, key=key)


def call(world, method, params, **sent):
    return send(world, {"id": "7", "method": method, "params": params}, **sent)


def result(world, method, params, **sent):
    answer = call(world, method, params, **sent)
    assert answer.status == 200
    assert answer.body.keys() == {"id", "result"}, answer.text
    assert answer.body["id"] == "7"
    return answer.body["result"]


def error(world, method, params, **sent):
    """What a call is told that cannot be done; it wrote nothing."""
    mark = world.mark()
    answer = call(world, method, params, **sent)
    assert answer.status == 200
    assert answer.body.keys() == {"id", "error"}, answer.text
    assert answer.body["id"] == "7"
    assert world.written_since(mark) == []
    return answer.body["error"]


def wrong(param, reason, code="invalid_field"):
    return {
        "code": -32602,
        "message": {
            "invalid_field": "A field is not valid.",
            "unknown_field": "The request has a field that this operation does not take.",
        }[code],
        "data": {"code": code, "param": param, "details": {"reason": reason} if reason else {}},
    }


# --- Results --------------------------------------------------------------------------------------


@BOTH
@pytest.mark.parametrize(
    ("method", "route", "query"),
    [
        ("billing.getBalance", "balance", ALICES),
        ("billing.getBalance", "balance", {**ALICES, "currency": "EUR"}),
        ("billing.getBalance", "balance", {"user": " Alice "}),
        ("billing.getBalanceAll", "balance/all", ALICES),
        ("billing.getUsage", "usage", ALICES),
        ("billing.getUsage", "usage", {**ALICES, "currency": "eur"}),
        ("billing.getUsage", "usage", {**ALICES, "limit": 1}),
    ],
)
def test_what_is_read_is_the_body_of_the_rest_route_to_the_byte(world, path, method, route, query):
    world.deposit(2500)
    world.deposit(300, currency="eur")
    world.use("0.5")
    world.use(20, currency="eur")

    rest = world.ask("GET", f"/api/v1/billing/{route}", by=ADMIN, query=query)
    answer = call(world, method, query, path=path)

    assert rest.status == 200
    assert answer.text == f'{{"id":"7","result":{rest.text}}}'


@BOTH
@pytest.mark.parametrize(
    ("method", "route", "params"),
    [
        ("billing.deposit", "deposit", {**ALICES, "amount": 500}),
        ("billing.deposit", "deposit", {**ALICES, "amount": 5, "expiresIn": 3, "tags": "x"}),
        ("billing.recordUsage", "usage", USAGE),
        ("billing.recordUsage", "usage", {**ALICES, "amountDecimal": "0.25"}),
        ("billing.recordUsage", "usage", {**ALICES, "amount": 1500}),
        ("billing.recordUsage", "usage", {**ALICES, "amount": 0}),
    ],
)
def test_what_is_written_is_answered_as_by_the_rest_route(path, method, route, params):
    """The same key in two worlds makes the same entry: the very same bytes."""
    there, here = World(), World()

    rest = there.ask("POST", f"/api/v1/billing/{route}", by=ADMIN, body=params, key="k1")
    answer = call(here, method, params, path=path, key="k1")

    assert rest.status in (200, 201)
    assert answer.text == f'{{"id":"7","result":{rest.text}}}'
    assert here.cents() == there.cents()


def test_usage_can_be_read_page_by_page(world):
    ids = [world.use(amount)["transactionId"] for amount in (1, 2, 3)]
    found: list[str] = []
    more: dict[str, str] = {}
    while len(found) < 5:
        page = result(world, "billing.getUsage", {**ALICES, "limit": 1, **more})
        found += [each["transactionId"] for each in page["usage"]]
        if page["nextCursor"] is None:
            break
        more = {"cursor": page["nextCursor"]}

    assert found == ids[::-1]


def test_a_deposit_is_there_on_every_surface(world):
    told = result(world, "billing.deposit", {**ALICES, "amount": 500})

    assert told["transactionId"] == ENTRY_ID
    assert world.cents() == (1500, 0)


@pytest.mark.parametrize("call_id", ["", "7", "ü\n", "x" * 1000])
def test_an_id_comes_back_as_it_was(world, call_id):
    answer = send(world, {"id": call_id, "method": "billing.getBalance", "params": ALICES})

    assert answer.body["id"] == call_id


# --- Envelopes ------------------------------------------------------------------------------------


@BOTH
@pytest.mark.parametrize(
    "body", ["", "[", "[]", '"x"', "null", "{", '{"id":"7","id":"7"}', '{"id":NaN}', "\0"]
)
def test_what_is_no_json_object_is_no_envelope(world, path, body):
    mark = world.mark()

    answer = send(world, body, path=path)

    assert (answer.status, answer.body) == (400, UNREADABLE)
    assert world.written_since(mark) == []


@BOTH
@pytest.mark.parametrize("call_id", [7, 0, 1.5, None, True, [], {}, ["7"]])
def test_an_id_is_a_text(world, path, call_id):
    answer = send(world, {"id": call_id, "method": "billing.deposit", "params": USAGE}, path=path)

    assert (answer.status, answer.body) == (400, UNREADABLE)
    assert world.items() == []


def test_an_envelope_without_an_id_cannot_be_answered(world):
    answer = send(world, {"method": "billing.getBalance", "params": ALICES})

    assert (answer.status, answer.body) == (400, UNREADABLE)


@BOTH
@pytest.mark.parametrize(
    "change",
    [
        {"method": None},
        {"method": ""},
        {"method": 7},
        {"method": ["billing.deposit"]},
        {"method": {}},
        {"jsonrpc": "2.0"},
        {"key": "k1"},
        {"Method": "billing.deposit"},
        {"": 1},
    ],
    ids=str,
)
def test_an_envelope_that_is_none_of_a_call_is_refused(world, path, change):
    envelope = {"id": "7", "method": "billing.deposit", "params": {**ALICES, "amount": 1}}

    answer = send(world, {**envelope, **change}, path=path)

    assert answer.status == 400
    assert answer.body == {
        "id": "7",
        "error": {"code": -32600, "message": "The envelope is not that of a call."},
    }
    assert world.items() == []


def test_an_envelope_without_a_method_is_no_call(world):
    answer = send(world, {"id": "7", "params": ALICES})

    assert (answer.status, answer.body["error"]["code"]) == (400, -32600)


@pytest.mark.parametrize(
    "name",
    ["billing.withdraw", "getBalance", "billing.getbalance", "billing.", "__class__", "x" * 999],
)
def test_a_method_that_there_is_not_is_said_to_be_none(world, name):
    assert error(world, name, ALICES) == {"code": -32601, "message": "There is no such method."}


def test_a_method_is_looked_for_before_its_params(world):
    answer = send(world, {"id": "7", "method": "billing.nothing"})

    assert (answer.status, answer.body["error"]["code"]) == (200, -32601)


# --- Params ---------------------------------------------------------------------------------------


@EVERY
@pytest.mark.parametrize("params", [None, [], [1], "x", 7, True])
def test_params_are_an_object(world, method, params):
    assert error(world, method, params) == wrong("params", "must be an object")


@EVERY
def test_params_have_to_be_there(world, method):
    answer = send(world, {"id": "7", "method": method})

    assert answer.status == 200
    assert answer.body["error"] == wrong("params", "must be an object")


@EVERY
def test_a_user_has_to_be_named(world, method):
    params = {name: value for name, value in METHODS[method].items() if name != "user"}

    assert error(world, method, params) == wrong("user", "required")


@EVERY
@pytest.mark.parametrize("name", ["balance", "org", "mode", "offset", "Amount", "amount_decimal"])
def test_a_param_that_nobody_knows_is_refused_by_name(world, method, name):
    params = {**METHODS[method], name: 1}

    assert error(world, method, params) == wrong(name, None, "unknown_field")


@EVERY
@pytest.mark.parametrize("value", ["", 7, None, "a b", "acme/alice/x", "x" * 201, "\0", [], {}])
def test_a_user_that_is_none_is_refused_by_name(world, method, value):
    told = error(world, method, {**METHODS[method], "user": value})

    assert (told["code"], told["data"]["param"]) == (-32602, "user")


@pytest.mark.parametrize(
    ("method", "params", "param"),
    [
        ("billing.getBalance", {"currency": "xau"}, "currency"),
        ("billing.getBalance", {"currency": None}, "currency"),
        ("billing.getUsage", {"currency": "USD\n"}, "currency"),
        ("billing.getUsage", {"limit": 0}, "limit"),
        ("billing.getUsage", {"limit": 101}, "limit"),
        ("billing.getUsage", {"limit": "5"}, "limit"),
        ("billing.getUsage", {"cursor": 5}, "cursor"),
        ("billing.getUsage", {"cursor": "x"}, "cursor"),
        ("billing.deposit", {"amount": 0}, "amount"),
        ("billing.deposit", {"amount": "5"}, "amount"),
        ("billing.deposit", {"amount": None}, "amount"),
        ("billing.deposit", {"amount": 10**11 + 1}, "amount"),
        ("billing.deposit", {"expiresIn": -1}, "expiresIn"),
        ("billing.deposit", {"expiresIn": 3651}, "expiresIn"),
        ("billing.deposit", {"notes": ""}, "notes"),
        ("billing.recordUsage", {"amountDecimal": "1"}, "amountDecimal"),
        ("billing.recordUsage", {"amount": None, "amountDecimal": "x"}, "amountDecimal"),
        ("billing.recordUsage", {"promptTokens": -1}, "promptTokens"),
        ("billing.recordUsage", {"premium": "yes"}, "premium"),
    ],
)
def test_a_wrong_param_is_refused_by_the_name_that_the_caller_gave_it(world, method, params, param):
    told = error(world, method, {**METHODS[method], **params})

    assert told["code"] == -32602
    assert told["data"]["param"] == param
    assert told["data"].keys() == {"code", "param", "details"}


@EVERY
def test_a_wrong_value_in_a_param_never_breaks_anything(world, method):
    for name, value in WRONG.items():
        params = json.dumps(METHODS[method])[1:-1].replace('"acme/alice"', value)
        body = f'{{"id":"7","method":"{method}","params":{{{params}}}}}'
        mark = world.mark()

        answer = send(world, body)

        assert answer.status in (200, 400), name
        if "error" in answer.body:
            assert answer.body["error"]["code"] in (-32602, -32700), name
            assert world.written_since(mark) == []


# --- Refusals -------------------------------------------------------------------------------------


@EVERY
def test_a_user_of_another_org_is_as_unknown_as_nobody(world, method):
    world.wallet()
    refused = {
        "code": -32000,
        "message": "There is no such account.",
        "data": {"code": "account_not_found", "details": {}},
    }

    for user in ("globex/zoe", account_of(OTHER_ADMIN), "acct_" + "a" * 26):
        assert error(world, method, {**METHODS[method], "user": user}) == refused
    assert error(world, method, METHODS[method], by=OTHER_ADMIN) == refused


def test_a_refusal_tells_its_facts_in_camel_and_in_minor_units(world):
    by = keyed(ADMIN, "wallet:write", "admin", cap=50)

    told = error(world, "billing.recordUsage", {**ALICES, "amountDecimal": "50.5"}, by=by)

    assert told == {
        "code": -32000,
        "message": "A budget would be passed.",
        "data": {
            "code": "budget_exceeded",
            "details": {
                "scope": f"key:{key_id()}",
                "window": "total",
                "limit": 50,
                "used": 0,
                "needed": 50,
                "neededDecimal": "50.5",
                "currency": "usd",
            },
        },
    }
    assert result(world, "billing.recordUsage", {**ALICES, "amount": 50}, by=by)["amount"] == 50


@BOTH
@pytest.mark.parametrize("by", [ALICE, BOB, {**ALICE, "roles": '["reseller"]'}])
def test_nobody_but_an_admin_calls(world, path, by):
    body = {"id": "7", "method": "billing.getBalance", "params": ALICES}

    assert world.refused("POST", path, by=by, body=body) == (403, "forbidden", None, {})


@BOTH
def test_card_data_is_refused_before_anything_is_called(world, path):
    body = {"id": "7", "method": "billing.deposit", "params": {**ALICES, "cvc": "123"}}

    refusal = world.refused("POST", path, by=ADMIN, body=body)

    assert refusal == (422, "card_data_not_allowed", None, {})


# --- Deliveries -----------------------------------------------------------------------------------


@BOTH
@pytest.mark.parametrize("method", ["billing.deposit", "billing.recordUsage"])
def test_a_second_delivery_has_no_effect_and_the_same_answer(world, path, method):
    asked = {"path": path, "key": "k1"}
    first = call(world, method, METHODS[method], **asked)
    world.use(5)
    world.start_anew()
    mark = world.mark()

    again = call(world, method, METHODS[method], **asked)

    assert (again.status, again.text) == (200, first.text)
    assert (first.replayed, again.replayed) == (False, True)
    assert world.written_since(mark) == []


def test_a_request_id_is_the_key_of_recorded_usage(world):
    params = {**USAGE, "requestId": "request-1"}
    first = call(world, "billing.recordUsage", params)

    again = call(world, "billing.recordUsage", params)

    assert (again.text, again.replayed) == (first.text, True)
    assert world.cents() == (930, 0)


@pytest.mark.parametrize(
    "other",
    [
        {"id": "8"},
        {"method": "billing.recordUsage"},
        {"params": {**ALICES, "amount": 501}},
    ],
    ids=["another id", "another method", "another amount"],
)
def test_a_key_is_good_for_one_call(world, other):
    envelope = {"id": "7", "method": "billing.deposit", "params": METHODS["billing.deposit"]}
    send(world, envelope, key="k1")
    mark = world.mark()

    answer = send(world, {**envelope, **other}, key="k1")

    assert (answer.status, answer.body["error"]["code"]) == (200, -32000)
    assert answer.body["error"]["data"] == {"code": "idempotency_key_reused", "details": {}}
    assert world.written_since(mark) == []


@pytest.mark.parametrize("key", ["", "a b", "x" * 256])
def test_a_key_that_is_none_is_refused(world, key):
    world.wallet()

    told = error(world, "billing.deposit", METHODS["billing.deposit"], key=key)
    by_request = error(world, "billing.recordUsage", {**USAGE, "requestId": key})

    assert told["data"]["code"] == by_request["data"]["code"] == "idempotency_key_invalid"


def test_a_refusal_does_not_use_a_key_up(world):
    by = keyed(ADMIN, "wallet:write", "admin", cap=50, window="day")
    envelope = {"id": "7", "method": "billing.recordUsage", "params": {**ALICES, "amount": 50}}
    world.post("/api/v1/billing/usage", by=by, body={**ALICES, "amount": 1})
    assert "error" in send(world, envelope, by=by, key="k1").body

    world.wait(days=1)

    answer = send(world, envelope, by=by, key="k1")
    assert "result" in answer.body
    assert not answer.replayed


# --- Whatever comes -------------------------------------------------------------------------------

scalars = st.none() | st.booleans() | st.integers() | st.text(max_size=8)
texts = st.sampled_from(["acme/alice", "usd", "k1", "globex/zoe", "1.5"]) | st.text(max_size=8)
params = st.dictionaries(
    st.sampled_from(["user", "amount", "amountDecimal", "currency", "requestId", "limit", "cursor"])
    | st.text(max_size=8),
    texts | scalars | st.lists(scalars, max_size=2),
    max_size=5,
)


@settings(max_examples=300)
@given(
    envelope=st.fixed_dictionaries(
        {"id": texts | scalars},
        optional={
            "method": st.sampled_from([*METHODS, "billing.withdraw"]) | scalars,
            "params": params | st.builds(lambda more: {**USAGE, **more}, params) | scalars,
            "more": scalars,
        },
    )
)
def test_any_envelope_is_answered_in_one_of_two_forms(envelope):
    world = World()
    mark = world.mark()

    answer = send(world, envelope)

    if answer.status == 422:
        assert answer.refusal.code == "card_data_not_allowed"
        return
    assert answer.status in (200, 400)
    assert answer.body.keys() in ({"id", "result"}, {"id", "error"})
    if "error" in answer.body:
        code = answer.body["error"]["code"]
        assert code in (-32700, -32600, -32601, -32602, -32000)
        assert (answer.status == 400) is (code in (-32700, -32600))
        assert world.written_since(mark) == []
