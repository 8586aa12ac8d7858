"""What the gateway handed over, read without trusting a single key of it to be there."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import parse_qs
from uuid import uuid4

from aws_lambda_powertools.event_handler import Request
from aws_lambda_powertools.event_handler.depends import Depends

from holdfast.errors import Unreadable
from holdfast.http.body import Document
from holdfast.http.credential import Principal

QUERY_FIELDS_MAX = 64
_REQUEST_ID = re.compile(r"[!-~]{1,128}")
_CONTEXT_KEY = "incoming"


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A request before anything of it is believed. Absent parts are empty."""

    request_id: str
    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    """Names in lower case."""
    credential: Mapping[str, Any] | None
    """What the authorizer said of the caller."""
    body: object
    is_base64: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
    """A request whose caller is known and whose body is an object."""

    call: Call
    principal: Principal | None
    """None on a public route."""
    document: Document


def call_of(event: object) -> Call:
    """The parts of an HTTP API event, payload format 2.0, whatever shape it is really in."""
    whole = _mapping(event)
    context = _mapping(whole.get("requestContext"))
    http = _mapping(context.get("http"))
    return Call(
        request_id=_request_id(context.get("requestId")),
        method=_text(http.get("method")).upper(),
        path=_text(whole.get("rawPath")),
        query=_text(whole.get("rawQueryString")),
        headers=_headers(whole.get("headers")),
        credential=_credential(context),
        body=whole.get("body"),
        is_base64=whole.get("isBase64Encoded") is True,
    )


def query_of(call: Call) -> dict[str, list[str]]:
    """The query's values by name.

    Raises:
        Unreadable: Not UTF-8 behind the percent signs, or more fields than any operation has.
    """
    if not call.query:
        return {}
    try:
        call.query.encode()
        return parse_qs(
            call.query,
            keep_blank_values=True,
            errors="strict",
            max_num_fields=QUERY_FIELDS_MAX,
        )
    except ValueError as broken:
        raise Unreadable from broken


def remembered(incoming: Incoming) -> dict[str, Incoming]:
    """The request under the name by which the dependencies of its route find it."""
    return {_CONTEXT_KEY: incoming}


def incoming_in(context: Mapping[str, Any]) -> Incoming:
    """The request that the framework is at work on."""
    incoming = context[_CONTEXT_KEY]
    assert isinstance(incoming, Incoming)
    return incoming


def incoming_of(request: Request) -> Incoming:
    """The request that a dependency is being resolved for."""
    return incoming_in(request.context)


def whole_body(request: Request) -> dict[str, Any]:
    """The body as it is, for a route that does not take it apart by a model."""
    return incoming_of(request).document.fields


WholeBody = Annotated[dict[str, Any], Depends(whole_body)]
"""What a route asks for that reads the fields of its body by itself."""


def _mapping(value: object) -> Mapping[Any, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _headers(value: object) -> dict[str, str]:
    return {
        name.lower(): text
        for name, text in _mapping(value).items()
        if isinstance(name, str) and isinstance(text, str)
    }


def _request_id(value: object) -> str:
    # It goes into a header and a log line: what is not plainly an id is not repeated.
    return value if isinstance(value, str) and _REQUEST_ID.fullmatch(value) else uuid4().hex


def _credential(context: Mapping[str, Any]) -> Mapping[str, Any] | None:
    # A function URL has no authorizer of ours, so what its event says of one is not ours either.
    if ".lambda-url." in _text(context.get("domainName")):
        return None
    authorizer = _mapping(context.get("authorizer"))
    return _mapping(authorizer.get("lambda")) or None
