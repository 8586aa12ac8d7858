"""What an operation answers: its view, and every refusal that it can end in."""

import ast
import inspect
import re
import textwrap
from collections import defaultdict
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any

from holdfast.errors import (
    CardDataNotAllowed,
    Forbidden,
    IdempotencyKeyInvalid,
    InvalidField,
    KeyInUse,
    NotFound,
    Refusal,
    RouteNotFound,
    TooLarge,
    Unauthenticated,
    UnknownField,
    Unreadable,
    UnsupportedMediaType,
)
from holdfast.http.api import Api
from holdfast.http.dialects import REPEATING, ZAP, AgentsDialect, Dialect, dialect_of
from holdfast.http.errors import INTERNAL
from holdfast.http.routing import REPLAYED_HEADER, Operation
from holdfast.http.writes import keyed_write, write
from tools.api_description.models import COMPONENTS, Schema
from tools.api_description.refusals import refusals_of, status_of
from tools.api_description.served import Served

type Responses = dict[str, Schema]

BODILESS = ("GET", "HEAD")
_PARAMETERS = re.compile(r"\{\w+\}")
_HEADERS = "#/components/headers/"
_SHARED = "#/components/responses/"
_TEXT = {"type": "string"}
_REQUEST_ID = {"X-Request-Id": {"$ref": f"{_HEADERS}RequestId"}}

HEADERS: dict[str, Schema] = {
    "RequestId": {
        "description": "The id under which the request is logged.",
        "schema": _TEXT,
    },
    "IdempotentReplayed": {
        "description": "`true`: the request was made before, and this is its first answer again.",
        "schema": {"type": "string", "const": "true"},
    },
    "RetryAfter": {
        "description": "After how many seconds to send the same request again.",
        "schema": {"type": "integer", "minimum": 0},
    },
    "Authenticate": {"description": "`Bearer`.", "schema": _TEXT},
}
# The gateway in front of the functions says these in words of its own.
_OF_GATEWAY = {
    "401": "From the gateway `{message}`, without an `Authorization` header.",
    "413": "From the gateway `{message}`, beyond 10 MB.",
    "503": "From the gateway `{message}`, when a function did not answer in time.",
}
_EVERYWHERE = {
    "400": "BadRequest",
    "401": "Unauthorized",
    "413": "ContentTooLarge",
    "415": "UnsupportedMediaType",
    "429": "TooManyRequests",
    "500": "InternalServerError",
}
"""Responses that are the same wherever they are, by status."""
_AT_THE_EDGE: frozenset[type[Refusal]] = frozenset({Forbidden})
"""What the edge refuses to any caller, if it does that at all."""


def writes(served: Served) -> bool:
    """Whether the operation takes an idempotency key in a header."""
    return bool({write, keyed_write} & set(served.dependencies))


def refusals(served: Served) -> set[type[Refusal]]:
    """Everything that the operation can refuse, the edge before it included."""
    operation = served.operation
    found: set[type[Refusal]] = {Unreadable, InvalidField}
    if not operation.public:
        found |= {Unauthenticated} | (_AT_THE_EDGE & refusals_of(Api._answered))
    if operation.method not in BODILESS:
        found |= {TooLarge, UnsupportedMediaType, CardDataNotAllowed, UnknownField}
    if _PARAMETERS.search(operation.path):
        found |= {NotFound, RouteNotFound}
    if writes(served):
        found.add(IdempotencyKeyInvalid)
    return found | refusals_of(operation.function, *served.dependencies)


def responses_of(served: Served, view: Schema | None) -> Responses:
    """The responses of an operation, by status; `view` is what its view looks like."""
    operation = served.operation
    dialect = dialect_of(operation.path)
    answered: Responses = {
        str(status): _answer(served, status, view, dialect) for status in successes(operation)
    }
    by_status: defaultdict[str, list[type[Refusal]]] = defaultdict(list)
    for refusal in sorted(refusals(served), key=lambda each: each.code):
        by_status[str(status_of(refusal))].append(refusal)
    for status in sorted({*by_status, "429", "500", "503"}):
        is_as_everywhere = status != "400" or by_status[status] == [Unreadable]
        if status in _EVERYWHERE and is_as_everywhere:
            answered[status] = {"$ref": f"{_SHARED}{_EVERYWHERE[status]}"}
        else:
            answered[status] = _refused(status, by_status[status])
    if dialect is ZAP:
        # A call that cannot be read is answered as a call.
        answered["400"] = _answer(served, HTTPStatus.BAD_REQUEST, view, dialect)
    return answered


def successes(operation: Operation) -> list[int]:
    """The status that the route declares, and those that are named besides where it is answered.

    That is in its function, or in those beside it that it calls.
    """
    route = inspect.unwrap(operation.function)
    beside = vars(inspect.getmodule(route))
    called = {
        node.func.id
        for node in ast.walk(_body_of(route))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    functions = (beside.get(name) for name in sorted(called))
    near = [each for each in functions if getattr(each, "__module__", "") == route.__module__]
    bodies = [_body_of(each) for each in (route, *filter(inspect.isfunction, near))]
    return sorted({operation.status, *(status for body in bodies for status in _named_in(body))})


def _body_of(function: Callable[..., Any]) -> ast.Module:
    """What a function does: its decorators declare what is known already."""
    (definition,) = ast.parse(textwrap.dedent(inspect.getsource(function))).body
    assert isinstance(definition, ast.FunctionDef)
    return ast.Module(definition.body, [])


def _named_in(body: ast.Module) -> set[int]:
    return {
        HTTPStatus[node.attr].value
        for node in ast.walk(body)
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == HTTPStatus.__name__
    }


def shared_responses() -> Responses:
    """The responses that every operation may have, by name."""
    told: dict[str, list[type[Refusal]]] = {
        "400": [Unreadable],
        "401": [Unauthenticated],
        "413": [TooLarge],
        "415": [UnsupportedMediaType],
    }
    shared = {_EVERYWHERE[status]: _refused(status, kinds) for status, kinds in told.items()}
    shared["TooManyRequests"] = {
        "description": "Too many requests at once.",
        "headers": {"Retry-After": {"$ref": f"{_HEADERS}RetryAfter"}},
        "content": _json({"anyOf": [_ref("Error"), _ref("GatewayMessage")]}),
    }
    shared["InternalServerError"] = {
        "description": "A mistake of ours. It is logged under the request's id.",
        "headers": _REQUEST_ID,
        "content": _json(_error([INTERNAL.code])),
    }
    return dict(sorted(shared.items()))


def error_schemas(dialect: Dialect) -> dict[str, Schema]:
    """The models of errors in a dialect."""
    gateway = _object({"message": _TEXT})
    if isinstance(dialect, AgentsDialect):
        told = _object({"code": _TEXT, "message": _TEXT, "details": {"type": "object"}})
        whole = {"data": {"type": "null"}, "error": told, "meta": _ref("Meta")}
        meta = _object({"request_id": _TEXT, "idempotency_replay": {"type": "boolean"}})
        meta["required"] = ["request_id"]
        return {"Error": _object(whole), "GatewayMessage": gateway, "Meta": meta}
    told = _object(
        {
            "type": {"type": "string", "description": "The family of the code."},
            "code": {"type": "string", "description": "Stable; `docs/errors.md` lists all."},
            "message": _TEXT,
            "param": {
                "anyOf": [_TEXT, {"type": "null"}],
                "description": "The field that is wrong, if it is one field.",
            },
            "details": {"type": "object", "description": "The facts that changed."},
            "request_id": _TEXT,
        }
    )
    return {"Error": _object({"error": told}), "GatewayMessage": gateway}


def _answer(served: Served, status: int, view: Schema | None, dialect: Dialect) -> Schema:
    headers: Schema = dict(_REQUEST_ID)
    if writes(served):
        headers[REPLAYED_HEADER] = {"$ref": f"{_HEADERS}IdempotentReplayed"}
    answer: Schema = {"description": HTTPStatus(status).phrase, "headers": headers}
    if view is None:
        return answer
    if isinstance(dialect, AgentsDialect):
        enveloped = _object({"data": view, "error": {"type": "null"}, "meta": _ref("Meta")})
        repeats = dialect_of(served.operation.path) is REPEATING
        # The same few fields stand beside the envelope.
        view = {**enveloped, "additionalProperties": True} if repeats else enveloped
    return {**answer, "content": _json(view)}


def _refused(status: str, kinds: list[type[Refusal]]) -> Schema:
    """One status of the refusals that have it: which codes there are, and what each means."""
    sentences = [f"`{kind.code}`: {kind.message}" for kind in kinds]
    schemas = [_error([kind.code for kind in kinds])] if kinds else []
    if status in _OF_GATEWAY:
        sentences.append(_OF_GATEWAY[status])
        schemas.append(_ref("GatewayMessage"))
    schema = {"anyOf": schemas} if len(schemas) > 1 else schemas[0]
    headers: Schema = dict(_REQUEST_ID)
    if status == "401":
        headers["WWW-Authenticate"] = {"$ref": f"{_HEADERS}Authenticate"}
    if (status == "503" and kinds) or KeyInUse in kinds:
        headers["Retry-After"] = {"$ref": f"{_HEADERS}RetryAfter"}
    return {"description": "\n".join(sentences), "headers": headers, "content": _json(schema)}


def _error(codes: Iterable[str]) -> Schema:
    code = {"properties": {"code": {"enum": sorted(codes)}}}
    return {"allOf": [_ref("Error"), {"properties": {"error": code}}]}


def _object(properties: dict[str, Schema]) -> Schema:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _ref(model: str) -> Schema:
    return {"$ref": f"{COMPONENTS}{model}"}


def _json(schema: Schema) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}


def first_sentence(function: Callable[..., Any]) -> tuple[str, str]:
    """A docstring's first sentence without its full stop, and the rest of it.

    >>> def place() -> None:
    ...     '''Set money aside. Again: the same hold.'''
    >>> first_sentence(place)
    ('Set money aside', 'Again: the same hold.')
    """
    text = " ".join((inspect.getdoc(function) or "").partition("\n\nRaises:")[0].split())
    first, _, rest = text.partition(". ")
    return first.removesuffix("."), rest
