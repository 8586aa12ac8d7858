"""Which function an HTTP API hands a request to, read from the translated template."""

import re
from dataclasses import dataclass

from tests.cloudformation import Document, function_of, package_of, resources

_ANY = "x-amazon-apigateway-any-method"
_VARIABLE = re.compile(r"\{[^}]*\}")


@dataclass(frozen=True, slots=True)
class Route:
    """One route of the gateway; `method` is None where it takes any."""

    method: str | None
    path: str
    function: str
    is_open: bool

    def takes(self, method: str, path: str) -> bool:
        if self.method not in (None, method):
            return False
        pattern = "".join(
            part
            if not part.startswith("{")
            else ("[^/]+(/[^/]+)*" if part.endswith("+}") else "[^/]+")
            for part in re.split(r"(\{[^}]*\})", self.path)
        )
        return re.fullmatch(pattern, path) is not None

    @property
    def precedence(self) -> tuple[bool, int, bool]:
        """Smallest first: a full path before a greedy one, literals before variables."""
        return ("+}" in self.path, -len(_VARIABLE.sub("", self.path)), self.method is None)


def routes_of(template: Document) -> list[Route]:
    """Every route of every HTTP API in the template."""
    return [
        _route(template, method, path, operation)
        for api in resources(template, "AWS::ApiGatewayV2::Api").values()
        for path, operations in api["Body"]["paths"].items()
        for method, operation in operations.items()
    ]


def _route(template: Document, method: str, path: str, operation: Document) -> Route:
    function = function_of(template, operation["x-amazon-apigateway-integration"]["uri"])
    assert function is not None, f"{method} {path} names no function of this template"
    security = operation.get("security", [])
    return Route(
        method=None if method == _ANY else method.upper(),
        path=path,
        function=package_of(template, function),
        is_open=not security or {"NONE": []} in security,
    )


def chosen(routes: list[Route], method: str, path: str) -> Route | None:
    """The route that the gateway picks for a request to an operation's path."""
    asked = _VARIABLE.sub("x", path)
    fitting = [route for route in routes if route.takes(method, asked)]
    return min(fitting, key=lambda route: route.precedence, default=None)


def shape(path: str) -> str:
    """A path with its variables unnamed: what a caller can tell of it."""
    return _VARIABLE.sub("{}", path)
