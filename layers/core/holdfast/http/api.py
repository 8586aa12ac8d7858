"""The edge of every function: one way in, one way out.

    event -> call -> operation -> caller -> body -> route -> answer -> log line, metrics

A function's `app.py` is `api = Api(billing.router, …)` and `handler = api.handler`. Whatever comes
in, an answer in the surface's dialect goes out: the caller is known before anything else is looked
at, and an exception never leaves the handler.

Decided here, once: a path with a slash at its end is another path (404); HEAD is GET without its
body; a query parameter given twice is refused; a body on an operation that takes none is refused.
"""

from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter
from typing import Any, NoReturn

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver
from aws_lambda_powertools.event_handler.exceptions import NotFoundError, ServiceError

from holdfast import observability
from holdfast.errors import InvalidField, InvariantBroken, RouteNotFound, UnknownField
from holdfast.http.body import EMPTY, Document, read_document
from holdfast.http.card_data import refuse_card_data
from holdfast.http.credential import principal_of
from holdfast.http.dialects import Dialect, dialect_of
from holdfast.http.errors import INTERNAL, Failure, failure_of, named, refusal_of
from holdfast.http.incoming import (
    Call,
    Incoming,
    call_of,
    incoming_in,
    query_of,
    remembered,
)
from holdfast.http.principal import require_scope
from holdfast.http.routing import REPLAYED_HEADER, Operation, Operations, Router, endpoint

_BODILESS = ("GET", "HEAD")


@dataclass(slots=True)
class _Outcome:
    """What is known of a request so far, for its log line."""

    tenant: str = ""
    code: str = ""


class Api:
    """The operations of one function, served."""

    def __init__(self, *routers: Router, noun: str = "") -> None:
        """Serve the operations of some files.

        `noun` is the function's name: the scopes of API keys begin with it. Without one no key
        opens anything here.
        """
        self._noun = noun
        self.operations = tuple(one for router in routers for one in router.operations)
        self._operations = Operations(self.operations)
        self._resolver = APIGatewayHttpResolver(
            enable_validation=True,
            response_validation_error_http_code=500,
            json_body_deserializer=self._fields,
            debug=False,
        )
        # The framework logs what it does not know, values and all, and answers in its own words.
        self._resolver.exception_handler(Exception)(_raise)
        for operation in self.operations:
            self._resolver.route(operation.rule, method=operation.method)(endpoint(operation))

    @property
    def dependency_overrides(self) -> dict[Callable[..., Any], Callable[..., Any]]:
        """What tests put in the place of a dependency: a clock that stands, a store in memory."""
        return self._resolver.dependency_overrides

    def handler(self, event: object, context: Any = None) -> dict[str, Any]:
        """Answer an HTTP API event, payload format 2.0."""
        started = perf_counter()
        call = call_of(event)
        operation = self._operations.find(call.method, call.path)
        outcome = _Outcome()
        try:
            answered = self._answered(call, operation, outcome, context)
        except Exception as error:  # noqa: BLE001 - the last line: nothing gets past it
            answered = _refused(call, error, outcome)
        if call.method == "HEAD":
            answered["body"] = ""
        observability.record_request(
            request_id=call.request_id,
            method=operation.method if operation else "",
            route=operation.path if operation else "",
            status=answered["statusCode"],
            duration_ms=(perf_counter() - started) * 1000,
            tenant=outcome.tenant,
            code=outcome.code,
        )
        return answered

    def _answered(
        self, call: Call, operation: Operation | None, outcome: _Outcome, context: Any
    ) -> dict[str, Any]:
        principal = None
        if operation is None or not operation.public:
            principal = principal_of(call.credential)
            outcome.tenant = principal.tenant.segment
        if operation is None:
            raise self._operations.refusal(call.path)
        if principal is not None:
            require_scope(principal, self._noun, operation.method)
        incoming = Incoming(call=call, principal=principal, document=_document(call, operation))
        self._resolver.context.update(remembered(incoming))
        answer = self._resolver.resolve(_event(call, operation), context)
        return _sealed(answer, call, dialect_of(call.path))

    def _fields(self, text: str) -> dict[str, Any]:
        # The body was read before the route was called; it is not read again.
        return incoming_in(self._resolver.context).document.fields


def _document(call: Call, operation: Operation) -> Document:
    if call.method in _BODILESS:
        return EMPTY
    document = read_document(call.body, is_base64=call.is_base64, headers=call.headers)
    refuse_card_data(document.fields)
    if document.fields and not operation.takes_body:
        raise UnknownField(param=named(next(iter(document.fields))))
    return document


def _event(call: Call, operation: Operation) -> dict[str, Any]:
    """The event as the framework expects it; its trust in an event's shape is well placed here."""
    query = query_of(call)
    for name, values in query.items():
        if len(values) > 1:
            raise InvalidField(named(name), "given more than once")
    return {
        "version": "2.0",
        "rawPath": call.path,
        "rawQueryString": call.query,
        "queryStringParameters": {name: values[0] for name, values in query.items()},
        "headers": {"content-type": "application/json"},
        "requestContext": {
            "http": {"method": operation.method, "path": call.path},
            "stage": "$default",
        },
        "body": "{}",
        "isBase64Encoded": False,
    }


def _sealed(answer: dict[str, Any], call: Call, dialect: Dialect) -> dict[str, Any]:
    headers = {**answer["headers"], "X-Request-Id": call.request_id}
    body = answer["body"]
    if body:
        replayed = REPLAYED_HEADER in headers
        body = dialect.sealed(body, request_id=call.request_id, replayed=replayed)
    return _response(answer["statusCode"], headers, body)


def _refused(call: Call, error: Exception, outcome: _Outcome) -> dict[str, Any]:
    refusal = refusal_of(error)
    failure: Failure = INTERNAL if refusal is None else failure_of(refusal)
    outcome.code = failure.code
    if refusal is None:
        observability.record_mistake(error, request_id=call.request_id)
    headers = {
        "Content-Type": "application/json",
        **failure.headers,
        "X-Request-Id": call.request_id,
    }
    body = dialect_of(call.path).error(failure, request_id=call.request_id)
    return _response(failure.status.value, headers, body)


def _response(status: int, headers: dict[str, str], body: str) -> dict[str, Any]:
    # Balances and names are nobody's to keep on the way, unless an answer says otherwise.
    headers = {"Cache-Control": "private, no-store", **headers}
    return {"statusCode": status, "headers": headers, "body": body, "isBase64Encoded": False}


def _raise(error: Exception) -> NoReturn:
    """Carry what a route raised out to where it is answered.

    The framework would answer its own errors itself, even those that a handler raises again.
    """
    if isinstance(error, NotFoundError):
        # It matches ids a little more narrowly than the table of operations does.
        raise RouteNotFound from error
    if isinstance(error, ServiceError):
        raise InvariantBroken("a route raised an error of the framework") from error
    raise error
