"""The HTTP API in front of the functions does what API Gateway documents."""

import asyncio
import base64
import json
from typing import Any

import pytest

from local.environment import Outcome
from local.gateway import BODY_BYTES_MAX, Gateway
from local.routes import Authorizer, Route
from tests.local.asking import Functions, Reply, ask, asked

ROUTES = [
    Route("ANY", "/v1/wallet", "wallet", is_authorized=True),
    Route("ANY", "/v1/holds/{proxy+}", "wallet", is_authorized=True),
    Route("GET", "/v1/health", "wallet", is_authorized=False),
]
AUTHORIZER = Authorizer("authorizer", "authorization", cache_seconds=60)
BEARER = [("Authorization", "Bearer alice")]
ALLOWED = {"isAuthorized": True, "context": {"org": "acme"}}
JSON = ("Content-Type", "application/json")


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def gateway(functions: Functions, clock: Clock | None = None) -> Gateway:
    return Gateway(ROUTES, AUTHORIZER, functions, clock=clock or Clock())


def answering(answer: Any, *, authorizer: Any = ALLOWED) -> Functions:
    return Functions(wallet=answer, authorizer=authorizer)


def event_of(method: str, target: str, **named: Any) -> Any:
    """The event that a request becomes."""
    functions = answering({"statusCode": 200, "body": ""})
    ask(gateway(functions), method, target, **({"headers": BEARER} | named))
    (event,) = functions.asked("wallet")
    return event


def reply_to(answer: Any, *, method: str = "GET") -> Reply:
    """The response that an answer becomes."""
    return ask(gateway(answering(answer)), method, "/v1/wallet", headers=BEARER)


@pytest.mark.parametrize(
    ("method", "target"),
    [("GET", "/"), ("GET", "/v1/wallet/"), ("GET", "/v1/holds/"), ("POST", "/v1/health")],
)
def test_what_no_route_takes_is_not_found(method: str, target: str):
    functions = answering({"statusCode": 200})

    reply = ask(gateway(functions), method, target, headers=BEARER)

    assert (reply.status, reply.body) == (404, b'{"message":"Not Found"}')
    assert functions.events == []


def test_a_request_becomes_an_event_of_format_two():
    event = event_of(
        "POST",
        "/v1/holds/a%20b/%2Fc?limit=1&limit=2&empty=&q=%C3%A9",
        headers=[*BEARER, JSON, ("X-One", "1"), ("X-One", "2"), ("Cookie", "a=1; b=2")],
        parts=[b'{"am', b'ount":1}'],
    )

    assert event["version"] == "2.0"
    assert event["routeKey"] == "ANY /v1/holds/{proxy+}"
    assert event["rawPath"] == "/v1/holds/a b//c"
    assert event["pathParameters"] == {"proxy": "a b//c"}
    assert event["rawQueryString"] == "limit=1&limit=2&empty=&q=%C3%A9"
    assert event["queryStringParameters"] == {"limit": "1,2", "empty": "", "q": "é"}
    assert event["headers"]["x-one"] == "1,2"
    assert "cookie" not in event["headers"]
    assert event["cookies"] == ["a=1", "b=2"]
    assert (event["body"], event["isBase64Encoded"]) == ('{"amount":1}', False)
    assert event["requestContext"]["http"]["method"] == "POST"
    assert event["requestContext"]["http"]["sourceIp"] == "192.0.2.10"
    assert event["requestContext"]["authorizer"] == {"lambda": {"org": "acme"}}


def test_what_a_request_has_not_its_event_has_not():
    event = event_of("GET", "/v1/wallet")

    absent = {"body", "cookies", "pathParameters", "queryStringParameters"}
    assert absent & set(event) == set()


@pytest.mark.parametrize("kind", [[], [("Content-Type", "application/octet-stream")]])
def test_a_body_that_is_not_text_comes_as_base64(kind: list[tuple[str, str]]):
    event = event_of("POST", "/v1/wallet", headers=[*BEARER, *kind], parts=[b"\xff\x00"])

    assert event["isBase64Encoded"] is True
    assert base64.b64decode(event["body"]) == b"\xff\x00"


def test_bytes_that_are_no_text_do_not_break_a_body_that_says_it_is():
    event = event_of("POST", "/v1/wallet", headers=[*BEARER, JSON], parts=[b'{"a":"\xff"}'])

    assert event["body"] == '{"a":"�"}'


def test_extra_slashes_in_front_are_one():
    assert event_of("GET", "//v1/wallet")["rawPath"] == "/v1/wallet"


def test_an_open_route_asks_nobody():
    functions = answering({"statusCode": 200, "body": "up"})

    reply = ask(gateway(functions), "GET", "/v1/health")

    assert (reply.status, reply.body) == (200, b"up")
    assert functions.asked("authorizer") == []
    assert "authorizer" not in functions.asked("wallet")[0]["requestContext"]


@pytest.mark.parametrize("headers", [[], [("Authorization", "")]])
def test_without_a_credential_the_authorizer_is_not_asked(headers: list[tuple[str, str]]):
    functions = answering({"statusCode": 200})

    reply = ask(gateway(functions), "GET", "/v1/wallet", headers=headers)

    assert (reply.status, reply.body) == (401, b'{"message":"Unauthorized"}')
    assert functions.events == []


@pytest.mark.parametrize(
    ("said", "status", "body"),
    [
        ({"isAuthorized": False}, 403, b'{"message":"Forbidden"}'),
        ({}, 500, b'{"message":"Internal Server Error"}'),
        ([], 500, b'{"message":"Internal Server Error"}'),
        ({"isAuthorized": "true"}, 500, b'{"message":"Internal Server Error"}'),
        (Outcome(b'{"secret":1}', is_failure=True), 500, b'{"message":"Internal Server Error"}'),
    ],
)
def test_who_is_not_let_in_reaches_no_function(said: Any, status: int, body: bytes):
    functions = answering({"statusCode": 200}, authorizer=said)

    reply = ask(gateway(functions), "GET", "/v1/wallet", headers=BEARER)

    assert (reply.status, reply.body) == (status, body)
    assert functions.asked("wallet") == []


def test_the_authorizer_is_told_what_it_needs_and_not_the_body():
    functions = answering({"statusCode": 200})

    ask(gateway(functions), "POST", "/v1/wallet", headers=[*BEARER, JSON], parts=[b"{}"])

    (event,) = functions.asked("authorizer")
    assert event["type"] == "REQUEST"
    assert event["identitySource"] == ["Bearer alice"]
    assert event["routeArn"].endswith("/$default/POST/v1/wallet")
    assert "body" not in event


def test_what_the_authorizer_said_of_a_credential_holds_for_sixty_seconds():
    functions, clock = answering({"statusCode": 200}), Clock()
    api = gateway(functions, clock)

    def times_asked(*, later_by: float, headers: list[tuple[str, str]] = BEARER) -> int:
        clock.now += later_by
        ask(api, "GET", "/v1/wallet", headers=headers)
        return len(functions.asked("authorizer"))

    assert times_asked(later_by=0) == 1
    assert times_asked(later_by=59.9) == 1
    assert times_asked(later_by=0.1) == 2
    assert times_asked(later_by=0, headers=[("Authorization", "Bearer bob")]) == 3


def test_a_failure_to_authorize_is_not_remembered():
    functions = answering({"statusCode": 200}, authorizer=Outcome(b"{}", is_failure=True))
    api = gateway(functions)
    ask(api, "GET", "/v1/wallet", headers=BEARER)
    functions.answers["authorizer"] = ALLOWED

    assert ask(api, "GET", "/v1/wallet", headers=BEARER).status == 200


def test_an_answer_becomes_a_response():
    reply = reply_to(
        {
            "statusCode": 201,
            "headers": {"X-Name": "value", "X-Number": 5, "Content-Length": "999"},
            "cookies": ["a=1", "b=2"],
            "body": "é",
        }
    )

    assert (reply.status, reply.body) == (201, "é".encode())
    assert reply.header("x-name") == ["value"]
    assert reply.header("x-number") == ["5"]
    assert reply.header("set-cookie") == ["a=1", "b=2"]
    assert reply.header("content-type") == ["text/plain;charset=UTF-8"]
    assert reply.header("content-length") == ["2"]
    assert len(reply.header("apigw-requestid")) == 1


def test_a_base64_answer_is_sent_as_its_bytes():
    answer = {"statusCode": 200, "isBase64Encoded": True, "body": "/wA="}

    assert reply_to(answer).body == b"\xff\x00"


@pytest.mark.parametrize("answer", [{"status": "ok"}, ["a"], "text", 5, None])
def test_an_answer_without_a_status_is_the_body(answer: Any):
    reply = reply_to(answer)

    assert (reply.status, reply.document) == (200, answer)
    assert reply.header("content-type") == ["application/json"]


@pytest.mark.parametrize(
    "answer",
    [
        {"statusCode": "yes"},
        {"statusCode": 99},
        {"statusCode": 200, "body": 5},
        {"statusCode": 200, "body": "?", "isBase64Encoded": True},
        {"statusCode": 200, "headers": ["a"]},
        Outcome(b'{"errorMessage":"secret"}', is_failure=True),
    ],
)
def test_what_is_no_answer_is_a_500_that_says_nothing(answer: Any):
    reply = reply_to(answer)

    assert (reply.status, reply.body) == (500, b'{"message":"Internal Server Error"}')


def test_head_gets_no_body():
    reply = reply_to({"statusCode": 200, "body": "text"}, method="HEAD")

    assert (reply.status, reply.body) == (200, b"")
    assert reply.header("content-length") == ["4"]


@pytest.mark.parametrize(("over", "status"), [(-1, 200), (0, 200), (1, 413)])
def test_a_body_may_have_ten_megabytes(over: int, status: int):
    functions = answering({"statusCode": 200})
    parts = [b"x" * BODY_BYTES_MAX, b"x" * over] if over > 0 else [b"x" * (BODY_BYTES_MAX + over)]

    reply = ask(gateway(functions), "POST", "/v1/wallet", headers=[*BEARER, JSON], parts=parts)

    assert reply.status == status
    assert len(functions.asked("wallet")) == (status == 200)


def test_closing_waits_for_the_request_in_flight_and_takes_no_other():
    async def story() -> tuple[Reply, Reply, bool]:
        proceed = asyncio.Event()

        async def slow(name: str, event: bytes) -> Outcome:
            await proceed.wait()
            return Outcome(json.dumps({"statusCode": 200, "body": "done"}).encode())

        api = Gateway(ROUTES, AUTHORIZER, slow)
        first = asyncio.create_task(asked(api, "GET", "/v1/health"))
        await asyncio.sleep(0)
        closing = asyncio.create_task(api.close())
        await asyncio.sleep(0)
        second = await asked(api, "GET", "/v1/health")
        closed_early = closing.done()
        proceed.set()
        await closing
        return await first, second, closed_early

    first, second, closed_early = asyncio.run(story())

    assert (first.status, first.body) == (200, b"done")
    assert second.status == 503
    assert not closed_early
