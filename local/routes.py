"""The routes of an HTTP API, and which of them a request takes."""

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

type Document = dict[str, Any]

_ANY_METHOD = "x-amazon-apigateway-any-method"
_INTEGRATION = "x-amazon-apigateway-integration"
_AUTHORIZER = "x-amazon-apigateway-authorizer"
_FUNCTION_IN_URI = re.compile(r"\$\{(\w+)\.Arn\}")
_VARIABLE = re.compile(r"\{([^{}+]+)(\+?)\}")


@dataclass(frozen=True, slots=True)
class Route:
    """One route; `method` is ANY where it takes any, `function` a deployed function's name."""

    method: str
    path: str
    function: str
    is_authorized: bool

    @property
    def key(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def rank(self) -> tuple[bool, int, bool]:
        """Largest wins: a full path before a greedy one, literals before variables."""
        literals = sum(not _VARIABLE.fullmatch(segment) for segment in self.path.split("/"))
        return ("+}" not in self.path, literals, self.method != "ANY")

    def parameters(self, method: str, path: str) -> dict[str, str] | None:
        """The path's variables if the route takes the request, else None."""
        if self.method not in ("ANY", method):
            return None
        found = re.fullmatch(_pattern(self.path), path, re.DOTALL)
        return None if found is None else found.groupdict()


@dataclass(frozen=True, slots=True)
class Authorizer:
    """The Lambda authorizer in front of the routes that are not open."""

    function: str
    header: str
    cache_seconds: int


def match(routes: list[Route], method: str, path: str) -> tuple[Route, dict[str, str]] | None:
    """The route that API Gateway hands a request to, with the path's variables."""
    taken = [
        (route, parameters)
        for route in routes
        if (parameters := route.parameters(method, path)) is not None
    ]
    return max(taken, key=lambda found: found[0].rank, default=None)


def decoded_path(raw: str) -> str:
    """A path as an HTTP API shows it: every escape decoded but that of the per cent sign.

    >>> decoded_path("/a%20b/%2525/%E2%82%AC")
    '/a b/%2525/€'
    """
    return "%25".join(unquote(part, errors="replace") for part in raw.split("%25"))


def routes_of(template: Document, names: dict[str, str]) -> list[Route]:
    """The routes in a processed template; `names` are the functions' names by logical id."""
    return [
        Route(
            method="ANY" if method == _ANY_METHOD else method.upper(),
            path=path,
            function=names[_function_in(operation[_INTEGRATION]["uri"])],
            is_authorized="NONE" not in {name for one in operation["security"] for name in one},
        )
        for path, operations in _body(template)["paths"].items()
        for method, operation in operations.items()
    ]


def authorizer_of(template: Document, names: dict[str, str]) -> Authorizer:
    """The one authorizer in a processed template."""
    schemes = _body(template)["components"]["securitySchemes"].values()
    (found,) = [scheme[_AUTHORIZER] for scheme in schemes]
    assert found["enableSimpleResponses"] is True
    assert found["authorizerPayloadFormatVersion"] == "2.0"
    (source,) = found["identitySource"]
    return Authorizer(
        function=names[_function_in(found["authorizerUri"])],
        header=source.removeprefix("$request.header.").lower(),
        cache_seconds=found["authorizerResultTtlInSeconds"],
    )


def _body(template: Document) -> Document:
    (body,) = [
        resource["Properties"]["Body"]
        for resource in template["Resources"].values()
        if resource["Type"] == "AWS::ApiGatewayV2::Api"
    ]
    assert isinstance(body, dict)
    return body


def _function_in(uri: Document) -> str:
    """The logical id of the function in an address that SAM wrote, in either form of Sub."""
    match uri["Fn::Sub"]:
        case str(text):
            found = _FUNCTION_IN_URI.search(text)
            assert found is not None, text
            return found[1]
        case [_, {"__FunctionArn__": {"Fn::GetAtt": [str(name), "Arn"]}}]:
            return name
    raise AssertionError(uri)


def _pattern(path: str) -> str:
    """A path as a regular expression, its variables as named groups."""
    parts = []
    position = 0
    for variable in _VARIABLE.finditer(path):
        parts.append(re.escape(path[position : variable.start()]))
        name, is_greedy = variable.groups()
        parts.append(f"(?P<{name}>{'.+' if is_greedy else '[^/]+'})")
        position = variable.end()
    return "".join(parts) + re.escape(path[position:])
