"""Operations and how a path finds them.

The framework's own router answers a wrong method with 404, and lets middleware and error handlers
of one router leak into all others; this one only collects, and `Api` mounts.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import wraps
from http import HTTPStatus
from inspect import Signature, signature
from typing import Annotated, Any, get_args, get_origin, get_type_hints

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.depends import Depends
from pydantic import BaseModel

from holdfast.errors import MethodNotAllowed, RouteNotFound
from holdfast.http.dialects import Dialect, dialect_of
from holdfast.http.incoming import whole_body
from holdfast.http.principal import caller
from holdfast.http.views import Answer, View

REPLAYED_HEADER = "Idempotent-Replayed"
_PARAMETER = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One method of one path."""

    method: str
    path: str
    """As documented, parameters in braces."""
    function: Callable[..., Any]
    status: int
    public: bool
    takes_body: bool
    view: type[View] | None
    """What it answers with; None for an answer without a body."""

    @property
    def name(self) -> str:
        """`POST /v1/billing/holds/{hold_id}/capture`: what logs and metrics call it."""
        return f"{self.method} {self.path}"

    @property
    def rule(self) -> str:
        """The path as the framework spells it."""
        return _PARAMETER.sub(r"<\1>", self.path)


class Router:
    """The operations of one file. A route without a caller is public, and says so."""

    def __init__(self) -> None:
        self.operations: list[Operation] = []

    def get[F: Callable[..., Any]](
        self, path: str, *, status_code: int = HTTPStatus.OK, public: bool = False
    ) -> Callable[[F], F]:
        return self._route("GET", path, status_code, public)

    def post[F: Callable[..., Any]](
        self, path: str, *, status_code: int = HTTPStatus.OK, public: bool = False
    ) -> Callable[[F], F]:
        return self._route("POST", path, status_code, public)

    def put[F: Callable[..., Any]](
        self, path: str, *, status_code: int = HTTPStatus.OK, public: bool = False
    ) -> Callable[[F], F]:
        return self._route("PUT", path, status_code, public)

    def patch[F: Callable[..., Any]](
        self, path: str, *, status_code: int = HTTPStatus.OK, public: bool = False
    ) -> Callable[[F], F]:
        return self._route("PATCH", path, status_code, public)

    def delete[F: Callable[..., Any]](
        self, path: str, *, status_code: int = HTTPStatus.OK, public: bool = False
    ) -> Callable[[F], F]:
        return self._route("DELETE", path, status_code, public)

    def _route[F: Callable[..., Any]](
        self, method: str, path: str, status: int, public: bool
    ) -> Callable[[F], F]:
        def register(function: F) -> F:
            operation = Operation(
                method=method,
                path=path,
                function=function,
                status=int(status),
                public=public,
                takes_body=_takes_body(function),
                view=_view(function),
            )
            assert public != _asks_for(caller, function), (
                f"{operation.name}: a route has a caller or is declared public, one of both"
            )
            self.operations.append(operation)
            return function

        return register


class Operations:
    """Which operation a request means."""

    def __init__(self, operations: tuple[Operation, ...]) -> None:
        self._fixed: dict[str, dict[str, Operation]] = {}
        patterns: dict[str, dict[str, Operation]] = {}
        for operation in operations:
            paths = patterns if "{" in operation.path else self._fixed
            methods = paths.setdefault(operation.path, {})
            assert operation.method not in methods, f"{operation.name} is there twice"
            methods[operation.method] = operation
        self._patterns = [(_compiled(path), methods) for path, methods in patterns.items()]

    def find(self, method: str, path: str) -> Operation | None:
        """The operation for a request; HEAD is a GET whose body stays here."""
        return self._methods(path).get("GET" if method == "HEAD" else method)

    def refusal(self, path: str) -> RouteNotFound | MethodNotAllowed:
        """Why nothing was found at a path."""
        methods = set(self._methods(path))
        if not methods:
            return RouteNotFound()
        return MethodNotAllowed(allowed=sorted(methods | ({"HEAD"} if "GET" in methods else set())))

    def _methods(self, path: str) -> dict[str, Operation]:
        if path in self._fixed:
            return self._fixed[path]
        for pattern, methods in self._patterns:
            if pattern.fullmatch(path):
                return methods
        return {}


def endpoint(operation: Operation) -> Callable[..., Response[str]]:
    """The function as the framework is to call it: it answers with text that is ready to send.

    The framework validates and dumps answers by their annotation, numbers of the agents surface
    as strings; so it is not shown the annotation, and the same work is done here.
    """
    view, dialect, function = operation.view, dialect_of(operation.path), operation.function

    @wraps(function)
    def answer(**arguments: Any) -> Response[str]:
        return _response(function(**arguments), operation.status, view, dialect)

    hints = _hints(function)
    del hints["return"]
    answer.__annotations__ = hints
    shown = signature(function)
    parameters = [
        parameter.replace(annotation=hints[parameter.name])
        for parameter in shown.parameters.values()
    ]
    answer.__signature__ = Signature(parameters)  # type: ignore[attr-defined]
    return answer


def _response(
    answered: object, status: int, view: type[View] | None, dialect: Dialect
) -> Response[str]:
    headers: dict[str, str | list[str]] = {}
    if isinstance(answered, Answer):
        status = answered.status or status
        headers.update(answered.headers)
        if answered.replayed:
            headers[REPLAYED_HEADER] = "true"
        answered = answered.view
    if view is None:
        assert answered is None, "an answer without a body has nothing to say"
        return Response(status_code=status, body="", headers=headers)
    if not isinstance(answered, view):
        answered = view.model_validate(answered, from_attributes=True)
    return Response(
        status_code=status,
        content_type="application/json",
        body=dialect.body(answered),
        headers=headers,
    )


def _compiled(path: str) -> re.Pattern[str]:
    parts = (
        "[^/]+" if _PARAMETER.fullmatch(part) else re.escape(part)
        for part in re.split(r"(\{\w+\})", path)
    )
    return re.compile("".join(parts))


def _takes_body(function: Callable[..., Any]) -> bool:
    return _asks_for(whole_body, function) or any(
        isinstance(kind, type) and issubclass(kind, BaseModel)
        for name, hint in _hints(function).items()
        if name != "return"
        for kind in (hint, *get_args(hint))
    )


def _view(function: Callable[..., Any]) -> type[View] | None:
    hints = _hints(function)
    assert "return" in hints, f"{function.__name__} does not say what it answers"
    hint = hints["return"]
    answered = get_args(hint)[0] if get_origin(hint) is Answer else hint
    if answered is type(None):
        return None
    assert isinstance(answered, type) and issubclass(answered, View), (  # noqa: PT018
        f"{function.__name__} answers with something else than a view"
    )
    return answered


def _asks_for(dependency: Callable[..., Any], function: Callable[..., Any]) -> bool:
    return any(
        asked is dependency or _asks_for(dependency, asked) for asked in _dependencies(function)
    )


def _dependencies(function: Callable[..., Any]) -> Iterator[Callable[..., Any]]:
    for hint in _hints(function).values():
        if get_origin(hint) is Annotated:
            for metadata in get_args(hint)[1:]:
                if isinstance(metadata, Depends):
                    yield metadata.dependency


def _hints(function: Callable[..., Any]) -> dict[str, Any]:
    return get_type_hints(function, include_extras=True)
