"""What `Api` does for every operation: the way in, the way out, and everything that goes wrong."""

import json

import pytest

from tests.http.events import ADMIN, ALICE, PLATFORM, event
from tests.http.toy import NOON, api

AGENTS = "/api/agents/v1/wallet/transactions"
CAMEL = "/api/v1/billing/balance"
SNAKE = "/v1/billing/entries"


def call(*arguments, **named):
    answer = api.handler(event(*arguments, **named))
    body = json.loads(answer["body"]) if answer["body"] else None
    return answer["statusCode"], body, answer["headers"]


def code_of(body):
    return body["error"]["code"]


# --- The caller comes first ----------------------------------------------------------------------


@pytest.mark.parametrize("path", [SNAKE, CAMEL, AGENTS, "/v1/nowhere", "/nowhere", "/", ""])
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE", "OPTIONS", "BREW"])
def test_a_stranger_learns_nothing_not_even_whether_a_path_exists(method, path):
    status, body, headers = call(method, path, claims=None)

    assert status == 401
    assert code_of(body) == "unauthenticated"
    assert headers["WWW-Authenticate"] == "Bearer"


def test_a_stranger_is_refused_before_the_body_is_looked_at():
    status, body, _ = call("POST", "/v1/billing/holds", body="[", claims=None)

    assert (status, code_of(body)) == (401, "unauthenticated")


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        ("expired_token", "expired_token"),
        ("", "invalid_credential"),
        ("a sentence, with <b>marks</b>", "invalid_credential"),
        (None, "invalid_credential"),
    ],
)
def test_the_authorizer_says_why_a_caller_is_denied(reason, told):
    status, body, _ = call("GET", SNAKE, claims={"denied": reason})

    assert status == 401
    assert body["error"]["details"] == {"reason": told}


@pytest.mark.parametrize("reason", ["expired_token", "", None, False])
def test_who_is_denied_stays_denied_whatever_else_the_context_says(reason):
    assert call("GET", SNAKE, claims={**ALICE, "denied": reason})[0] == 401


def test_a_public_route_asks_nobody():
    for claims in (None, {"denied": "expired_token"}, {"org": 7}, ALICE):
        assert call("GET", "/v1/health", claims=claims)[0] == 200


def test_only_the_declared_method_of_a_public_path_is_public():
    assert call("POST", "/v1/health", claims=None)[0] == 401


def test_the_authorizer_context_of_a_function_url_is_nobodys_word():
    forged = event("GET", SNAKE, claims=ADMIN)
    forged["requestContext"]["domainName"] = "abc123.lambda-url.us-east-1.on.aws"

    assert api.handler(forged)["statusCode"] == 401


@pytest.mark.parametrize(
    ("method", "path", "claims", "status"),
    [
        ("DELETE", "/v1/billing/entries/e1", ALICE, 403),
        ("DELETE", "/v1/billing/entries/e1", {**ALICE, "roles": '["administrator"]'}, 403),
        ("DELETE", "/v1/billing/entries/e1", {**ALICE, "roles": '["[admin]"]'}, 403),
        ("DELETE", "/v1/billing/entries/e1", {**ALICE, "roles": '["owner"]'}, 204),
        ("DELETE", "/v1/billing/entries/e1", {**ALICE, "roles": '["service"]'}, 204),
        ("DELETE", "/v1/billing/entries/e1", ADMIN, 204),
        ("DELETE", "/v1/billing/entries/e1", PLATFORM, 204),
        ("POST", "/v1/billing/cycle/run-all", ALICE, 403),
        ("POST", "/v1/billing/cycle/run-all", ADMIN, 403),
        ("POST", "/v1/billing/cycle/run-all", PLATFORM, 200),
    ],
)
def test_a_level_is_a_role_in_the_list_and_nothing_like_it(method, path, claims, status):
    assert call(method, path, claims=claims)[0] == status


# --- The operation -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    [
        "/v1/billing",
        "/v1/billing/entries/",
        "/v1/billing/entries/e1/",
        "/v1/billing//entries",
        "/v1/billing/entries/e1/more",
        "/V1/billing/entries",
        "/v1/billing/entries\n",
        "/api/agents/v1",
        "",
    ],
)
def test_a_path_is_served_exactly_as_written_or_not_at_all(path):
    status, body, _ = call("GET", path)

    assert (status, code_of(body)) == (404, "route_not_found")


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("POST", SNAKE, "GET, HEAD"),
        ("GET", "/v1/billing/holds", "POST, PUT"),
        ("OPTIONS", "/v1/billing/entries/e1", "DELETE, GET, HEAD"),
        ("", SNAKE, "GET, HEAD"),
    ],
)
def test_a_wrong_method_is_told_the_right_ones(method, path, allow):
    status, body, headers = call(method, path)

    assert (status, code_of(body)) == (405, "method_not_allowed")
    assert headers["Allow"] == allow


def test_head_is_get_without_a_body():
    got = api.handler(event("GET", SNAKE, query="limit=5"))
    asked = api.handler(event("HEAD", SNAKE, query="limit=5"))

    assert asked == {**got, "body": ""}


def test_head_where_there_is_no_get_is_a_wrong_method():
    answer = api.handler(event("HEAD", "/v1/billing/holds"))

    assert (answer["statusCode"], answer["headers"]["Allow"]) == (405, "POST, PUT")
    assert answer["body"] == ""


def test_methods_are_read_in_any_case():
    assert call("get", SNAKE)[0] == 200


@pytest.mark.parametrize("entry_id", ["e1", "acct_2a", "job:1", "a~b@c+d=e.f-g", "x" * 128])
def test_an_id_in_a_path_arrives_as_it_was_sent(entry_id):
    status, body, _ = call("GET", f"{SNAKE}/{entry_id}")

    assert (status, body["id"]) == (200, entry_id)


def test_an_id_in_a_path_may_be_percent_encoded():
    assert call("GET", f"{SNAKE}/job%3A1")[1]["id"] == "job:1"


@pytest.mark.parametrize(
    "entry_id",
    ["%2e%2e", "..", "a b", "a%20b", "a%2Fb", "a%00", "é", "\ud800", "x" * 129, "<b>",
     '"', "#", "%"],
)  # fmt: skip
def test_what_cannot_be_an_id_is_as_unknown_as_any_other(entry_id):
    status, body, _ = call("GET", f"{SNAKE}/{entry_id}")

    assert status == 404
    assert code_of(body) in ("not_found", "route_not_found")
    assert entry_id not in body["error"]["message"]


# --- The query -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("query", "limit"), [("", 20), ("limit=1", 1), ("limit=100", 100)])
def test_an_integer_of_a_query_is_read(query, limit):
    assert call("GET", SNAKE, query=query)[1]["data"] == [{"id": "0", "limit": limit}]


@pytest.mark.parametrize(
    "text",
    ["0", "101", "-1", "5.0", "1e2", "٥", "%D9%A5", "%205", "5%20", "0x5", "1_0", "05", "+5", "",
     "true", "null", "9" * 5000],
)  # fmt: skip
def test_what_is_not_quite_an_integer_of_a_query_is_refused(text):
    status, body, _ = call("GET", SNAKE, query=f"limit={text}")

    assert status == 422
    assert body["error"]["param"] == "limit"


def test_a_query_parameter_given_twice_is_refused():
    status, body, _ = call("GET", SNAKE, query="limit=5&limit=5")

    assert status == 422
    assert body["error"]["param"] == "limit"
    assert body["error"]["details"] == {"reason": "given more than once"}


def test_a_comma_is_part_of_a_value():
    assert call("GET", CAMEL, query="user=a,b")[0] == 422
    assert call("GET", CAMEL, query="user=a%2Cb")[0] == 422


@pytest.mark.parametrize("query", ["limit=%FF", "a=%ED%A0%80", "a=\ud800", "&".join("a=1" * 65)])
def test_a_query_that_is_not_text_is_unreadable(query):
    assert call("GET", SNAKE, query=query)[0] in (400, 422)


def test_an_unknown_query_parameter_is_passed_over():
    assert call("GET", SNAKE, query="utm_source=x&limit=5")[0] == 200


def test_a_time_of_a_query_is_read_under_the_callers_name_for_it():
    assert call("GET", SNAKE, query="from=2026-11-21T03:30:00%2B01:00")[0] == 200

    status, body, _ = call("GET", SNAKE, query="from=yesterday")

    assert (status, body["error"]["param"]) == (422, "from")


# --- The answer ----------------------------------------------------------------------------------


@pytest.mark.parametrize("path", [SNAKE, "/v1/nowhere", "/v1/billing/failures/bug"])
def test_every_answer_carries_the_request_id_of_the_gateway(path):
    _, body, headers = call("GET", path)

    assert headers["X-Request-Id"] == "JKJaXmPLvHcESHA="
    if "error" in body:
        assert body["error"]["request_id"] == "JKJaXmPLvHcESHA="


@pytest.mark.parametrize("sent", [None, 7, "", "a b", "a\r\nSet-Cookie: x=1", "é", "x" * 129])
def test_a_request_id_that_is_none_is_replaced(sent):
    odd = event("GET", SNAKE)
    odd["requestContext"]["requestId"] = sent

    given = api.handler(odd)["headers"]["X-Request-Id"]

    assert given != sent
    assert given.isalnum()


@pytest.mark.parametrize("path", ["/v1/billing/lie", "/v1/billing/half-lie"])
def test_an_answer_that_does_not_fit_its_model_is_our_mistake_and_says_nothing(path):
    status, body, _ = call("GET", path)

    assert status == 500
    assert body["error"] == {
        "type": "internal",
        "code": "internal_error",
        "message": "Something went wrong on our side.",
        "param": None,
        "details": {},
        "request_id": "JKJaXmPLvHcESHA=",
    }


@pytest.mark.parametrize("name", ["bug", "broken", "framework"])
@pytest.mark.parametrize("prefix", ["/v1/billing", "/api/v1/billing", "/api/agents/v1"])
def test_a_mistake_of_ours_is_a_500_that_says_nothing(prefix, name):
    answer = api.handler(event("GET", f"{prefix}/failures/{name}"))

    assert answer["statusCode"] == 500
    assert json.loads(answer["body"])["error"]["code"] == "internal_error"
    assert "secret" not in answer["body"]
    assert "wallet" not in answer["body"]


@pytest.mark.parametrize(
    ("name", "status", "code", "retry_after"),
    [
        ("funds", 402, "insufficient_funds", None),
        ("exceeded", 422, "hold_exceeded", None),
        ("unknown", 404, "account_not_found", None),
        ("gone", 410, "quote_expired", None),
        ("gateway", 502, "bad_gateway", None),
        ("key", 409, "idempotency_key_in_use", "1"),
        ("rate", 429, "rate_limited", "1"),
        ("contention", 503, "contention", "3"),
    ],
)
def test_a_refusal_has_the_status_of_its_family(name, status, code, retry_after):
    answered, body, headers = call("GET", f"/v1/billing/failures/{name}")

    assert (answered, code_of(body)) == (status, code)
    assert headers.get("Retry-After") == retry_after


def test_a_deletion_answers_without_a_body():
    answer = api.handler(event("DELETE", "/v1/billing/entries/e1", claims=ADMIN))

    assert (answer["statusCode"], answer["body"]) == (204, "")


def test_a_declared_status_is_the_status():
    assert call("POST", "/v1/billing/holds", body={"amount": 5})[0] == 201


def test_the_clock_of_a_request_can_be_replaced():
    assert call("GET", CAMEL)[1]["now"] == "2026-11-21T12:00:00.000Z"
    assert NOON.hour == 12


# --- Whatever comes in ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "odd",
    [
        None,
        [],
        "GET /",
        7,
        {},
        {"requestContext": None},
        {"requestContext": {"http": None}},
        {"requestContext": {"http": {"method": 7}}, "rawPath": 7},
        {"requestContext": {"authorizer": []}},
        {"requestContext": {"authorizer": {"lambda": "acme"}}},
        {"headers": ["authorization"]},
    ],
)
def test_an_event_that_is_none_is_a_stranger(odd):
    assert api.handler(odd)["statusCode"] == 401


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("headers", None),
        ("headers", []),
        ("headers", {"content-type": 7, 7: "x"}),
        ("rawQueryString", None),
        ("rawQueryString", 7),
        ("queryStringParameters", "x"),
        ("isBase64Encoded", "false"),
        ("cookies", 7),
        ("pathParameters", "x"),
    ],
)
def test_an_odd_part_of_an_event_is_as_good_as_none(key, value):
    assert api.handler({**event("GET", SNAKE), key: value})["statusCode"] == 200
