"""An HTTP API in front of the functions: requests to events, outcomes to responses.

What API Gateway documents for HTTP APIs with payload format 2.0, and its own bodies for what never
reaches a function: no route, no credential, a body that is too large, a function that failed.
"""

import asyncio
import base64
import json
import time
import uuid
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl

from local.docs_page import page_at
from local.fleet import Invoke
from local.routes import Authorizer, Document, Route, decoded_path, match

BODY_BYTES_MAX = 10 * 1024 * 1024
INTEGRATION_SECONDS = 30.0
_CACHED_MAX = 10_000
_TEXT_TYPES = ("application/json", "application/javascript", "application/xml")

type Headers = list[tuple[bytes, bytes]]


@dataclass(frozen=True, slots=True)
class Request:
    """What came in, as bytes."""

    method: str
    raw_path: str
    query: str
    headers: dict[str, str]
    cookies: list[str]
    body: bytes
    source_ip: str
    id: str


@dataclass(frozen=True, slots=True)
class Response:
    """What goes out."""

    status: int
    headers: Headers
    body: bytes

    @classmethod
    def of_gateway(cls, status: HTTPStatus, message: str) -> "Response":
        body = json.dumps({"message": message}, separators=(",", ":")).encode()
        return cls(status, [(b"content-type", b"application/json")], body)


NOT_FOUND = Response.of_gateway(HTTPStatus.NOT_FOUND, "Not Found")
UNAUTHORIZED = Response.of_gateway(HTTPStatus.UNAUTHORIZED, "Unauthorized")
FORBIDDEN = Response.of_gateway(HTTPStatus.FORBIDDEN, "Forbidden")
TOO_LARGE = Response.of_gateway(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "Request Entity Too Large")
FAILED = Response.of_gateway(HTTPStatus.INTERNAL_SERVER_ERROR, "Internal Server Error")
UNAVAILABLE = Response.of_gateway(HTTPStatus.SERVICE_UNAVAILABLE, "Service Unavailable")


class Gateway:
    """An ASGI application that serves the routes of one HTTP API."""

    def __init__(
        self,
        routes: list[Route],
        authorizer: Authorizer,
        invoke: Invoke,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._routes = routes
        self._authorizer = authorizer
        self._invoke = invoke
        self._clock = clock
        # By credential: until when, and what the authorizer said.
        self._cached: dict[str, tuple[float, Document | None]] = {}
        self._in_flight = 0
        self._is_open = True
        self._finished = asyncio.Event()

    async def close(self) -> None:
        """Take no request from now on, and wait until each that was taken has its response."""
        self._is_open = False
        while self._in_flight:
            self._finished.clear()
            await self._finished.wait()

    async def __call__(
        self,
        scope: Any,
        receive: Callable[[], Awaitable[Any]],
        send: Callable[[Any], Awaitable[None]],
    ) -> None:
        if scope["type"] != "http":
            return
        self._in_flight += 1
        try:
            await self._serve(scope, receive, send)
        finally:
            self._in_flight -= 1
            self._finished.set()

    async def _serve(
        self,
        scope: Any,
        receive: Callable[[], Awaitable[Any]],
        send: Callable[[Any], Awaitable[None]],
    ) -> None:
        request = await _request(scope, receive)
        if request is None:
            response = TOO_LARGE
        elif not self._is_open:
            response = UNAVAILABLE
        else:
            response = await self.answer(request)
        headers = response.headers
        if request is not None:
            headers = [*headers, (b"apigw-requestid", request.id.encode())]
        headers = [*headers, (b"content-length", str(len(response.body)).encode())]
        await send({"type": "http.response.start", "status": response.status, "headers": headers})
        body = b"" if scope["method"] == "HEAD" else response.body
        await send({"type": "http.response.body", "body": body})

    async def answer(self, request: Request) -> Response:
        """One request, from its route to its response."""
        path = "/" + decoded_path(request.raw_path).lstrip("/")
        found = match(self._routes, request.method, path)
        if found is None:
            return _page(request.method, path)
        route, parameters = found
        event = _event(request, route=route, path=path, parameters=parameters)
        if route.is_authorized:
            refused_or_context = await self._authorize(request, event)
            if isinstance(refused_or_context, Response):
                return refused_or_context
            event["requestContext"]["authorizer"] = {"lambda": refused_or_context}
        try:
            async with asyncio.timeout(INTEGRATION_SECONDS):
                outcome = await self._invoke(route.function, json.dumps(event).encode())
        except TimeoutError:
            return UNAVAILABLE
        return FAILED if outcome.is_failure else _response(outcome.body)

    async def _authorize(self, request: Request, event: Document) -> Response | Document | None:
        """The context that the authorizer gives the caller, or the response that refuses it."""
        credential = request.headers.get(self._authorizer.header)
        if not credential:
            return UNAUTHORIZED
        said: Document | None
        until, said = self._cached.get(credential, (0.0, None))
        if said is None or until <= self._clock():
            asked = _authorizer_event(event, credential)
            try:
                async with asyncio.timeout(INTEGRATION_SECONDS):
                    outcome = await self._invoke(
                        self._authorizer.function, json.dumps(asked).encode()
                    )
            except TimeoutError:
                return FAILED
            said = None if outcome.is_failure else _simple_response(outcome.body)
            if said is None:
                return FAILED
            self._remember(credential, said)
        return said.get("context") if said["isAuthorized"] else FORBIDDEN

    def _remember(self, credential: str, said: Document) -> None:
        if len(self._cached) >= _CACHED_MAX:
            self._cached.clear()
        self._cached[credential] = (self._clock() + self._authorizer.cache_seconds, said)


def _page(method: str, path: str) -> Response:
    """A page of the documentation, which no route of the API leads to; or that there is nothing."""
    page = page_at(path) if method in ("GET", "HEAD") else None
    return NOT_FOUND if page is None else Response(HTTPStatus.OK, page.headers, page.body)


async def _request(scope: Any, receive: Callable[[], Awaitable[Any]]) -> Request | None:
    """The whole request, or None if its body is larger than the gateway takes."""
    body = bytearray()
    while True:
        message = await receive()
        body += message.get("body", b"")
        if len(body) > BODY_BYTES_MAX:
            return None
        if not message.get("more_body"):
            break
    headers = _joined(scope["headers"])
    cookies = [one.strip() for one in headers.pop("cookie", "").split(";") if one.strip()]
    source_ip = (scope.get("client") or ("127.0.0.1",))[0]
    headers.setdefault("x-forwarded-for", source_ip)
    headers.setdefault("x-forwarded-proto", "http")
    return Request(
        method=scope["method"],
        raw_path=scope["raw_path"].decode("latin-1"),
        query=scope["query_string"].decode("latin-1"),
        headers=headers,
        cookies=cookies,
        body=bytes(body),
        source_ip=source_ip,
        id=str(uuid.uuid4()),
    )


def _joined(headers: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Headers by lower-case name; several of one name are joined with commas."""
    joined: dict[str, str] = {}
    for raw_name, raw_value in headers:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        separator = "; " if name == "cookie" else ","
        joined[name] = f"{joined[name]}{separator}{value}" if name in joined else value
    return joined


def _event(request: Request, *, route: Route, path: str, parameters: dict[str, str]) -> Document:
    """The event of payload format 2.0; what is absent from a request is absent from its event."""
    now = time.time()
    event: Document = {
        "version": "2.0",
        "routeKey": route.key,
        "rawPath": path,
        "rawQueryString": request.query,
        "headers": request.headers,
        "requestContext": {
            "accountId": "000000000000",
            "apiId": "laptop",
            "domainName": request.headers.get("host", ""),
            "domainPrefix": "laptop",
            "http": {
                "method": request.method,
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": request.source_ip,
                "userAgent": request.headers.get("user-agent", ""),
            },
            "requestId": request.id,
            "routeKey": route.key,
            "stage": "$default",
            "time": time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(now)),
            "timeEpoch": int(now * 1000),
        },
        "isBase64Encoded": False,
    }
    if request.cookies:
        event["cookies"] = request.cookies
    if parameters:
        event["pathParameters"] = parameters
    if request.query:
        event["queryStringParameters"] = _query(request.query)
    if request.body:
        is_text = _is_text(request.headers.get("content-type", ""))
        event["isBase64Encoded"] = not is_text
        event["body"] = (
            request.body.decode(errors="replace")
            if is_text
            else base64.b64encode(request.body).decode()
        )
    return event


def _query(raw: str) -> dict[str, str]:
    """The query's parameters; several of one name are joined with commas."""
    joined: dict[str, str] = {}
    for name, value in parse_qsl(raw, keep_blank_values=True, errors="replace"):
        joined[name] = f"{joined[name]},{value}" if name in joined else value
    return joined


def _is_text(content_type: str) -> bool:
    """Whether the gateway hands a body on as it is; all else, and what names no type, as base64."""
    kind = content_type.partition(";")[0].strip().lower()
    return kind.startswith("text/") or kind in _TEXT_TYPES


def _authorizer_event(event: Document, credential: str) -> Document:
    asked = {
        name: value for name, value in event.items() if name not in ("body", "isBase64Encoded")
    }
    http = event["requestContext"]["http"]
    asked["type"] = "REQUEST"
    asked["routeArn"] = (
        f"arn:aws:execute-api:us-east-1:000000000000:laptop/$default/{http['method']}{http['path']}"
    )
    asked["identitySource"] = [credential]
    return asked


def _simple_response(body: bytes) -> Document | None:
    """What the authorizer said, or None if that is not a simple response."""
    said = json.loads(body)
    if not isinstance(said, dict) or not isinstance(said.get("isAuthorized"), bool):
        return None
    return said


def _response(body: bytes) -> Response:
    """A function's answer as a response; without a status code it is the body of a 200."""
    answer = json.loads(body)
    if not isinstance(answer, dict) or "statusCode" not in answer:
        return Response(HTTPStatus.OK, [(b"content-type", b"application/json")], body)
    try:
        return _structured(answer)
    except (AttributeError, TypeError, ValueError):
        return FAILED


def _structured(answer: Document) -> Response:
    """An answer in the form of payload format 2.0.

    Raises:
        AttributeError, TypeError, ValueError: Something in it is not what the format says.
    """
    status = int(answer["statusCode"])
    if not 200 <= status <= 599:
        raise ValueError(status)
    headers: Headers = [
        (str(name).lower().encode("latin-1"), _text(value).encode("latin-1"))
        for name, value in (answer.get("headers") or {}).items()
    ]
    headers = [(name, value) for name, value in headers if name != b"content-length"]
    if not any(name == b"content-type" for name, _ in headers):
        headers.append((b"content-type", b"text/plain;charset=UTF-8"))
    headers += [(b"set-cookie", cookie.encode()) for cookie in answer.get("cookies") or []]
    text = answer.get("body") or ""
    body = base64.b64decode(text, validate=True) if answer.get("isBase64Encoded") else text.encode()
    return Response(status, headers, body)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
