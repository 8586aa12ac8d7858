"""Print what the functions serve: one JSON object, package -> [[method, path], ...].

    python -m tests.contract.served_routes wallet holds

Runs in a process of its own: importing an app builds its settings and clients, which no other
test should inherit.
"""

import importlib
import json
import sys
from collections.abc import Iterator
from typing import Any

from aws_lambda_powertools.event_handler import ApiGatewayResolver

_DEPTH = 4


def _resolvers(value: Any, seen: set[int], depth: int = _DEPTH) -> Iterator[ApiGatewayResolver]:
    """Resolvers reachable from a handler: itself, what it is bound to, closes over or holds."""
    if id(value) in seen or depth == 0:
        return
    seen.add(id(value))
    if isinstance(value, ApiGatewayResolver):
        yield value
        return
    inner = [getattr(value, "__self__", None), getattr(value, "__wrapped__", None)]
    inner += [cell.cell_contents for cell in getattr(value, "__closure__", None) or ()]
    inner += list(getattr(value, "__dict__", {}).values())
    inner += [getattr(value, name, None) for name in getattr(type(value), "__slots__", ())]
    for part in inner:
        yield from _resolvers(part, seen, depth - 1)


def served_by(package: str) -> list[tuple[str, str]]:
    """Method and path of every route that the package's app mounts."""
    app = importlib.import_module(f"{package}.app")
    found = {
        (route.method, route.openapi_path)
        for resolver in _resolvers(app.handler, set())
        for route in (*resolver._static_routes, *resolver._dynamic_routes)
    }
    return sorted(found)


if __name__ == "__main__":
    json.dump({package: served_by(package) for package in sys.argv[1:]}, sys.stdout)
