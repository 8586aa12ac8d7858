"""What the functions serve, and on which surface each operation is."""

import csv
import importlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated, Any, get_args, get_origin, get_type_hints

from aws_lambda_powertools.event_handler.depends import Depends

from holdfast.http.api import Api
from holdfast.http.routing import Operation

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = tuple(sorted(path.parent.name for path in (ROOT / "functions").glob("*/app.py")))
"""The functions, by the names of their packages."""

_LISTS = (
    ROOT / "tests" / "contract" / "operations.csv",
    ROOT / "tests" / "contract" / "additions.csv",
)
_VARIABLE = re.compile(r"\{[^}]*\}")


class NotOnTheList(Exception):
    """An operation is served that no list of operations names."""


@dataclass(frozen=True, slots=True)
class Served:
    """An operation, where it is served, and by what."""

    surface: str
    package: str
    operation: Operation

    @property
    def id(self) -> str:
        """`holds_place_hold`: unique on its surface, the same as long as the function is."""
        return f"{self.package}_{self.operation.function.__name__}"

    @property
    def dependencies(self) -> tuple[Callable[..., Any], ...]:
        """All that is resolved before the function is called."""
        return tuple(dict.fromkeys(_dependencies(self.operation.function)))


@cache
def served() -> tuple[Served, ...]:
    """Every operation that a function serves over HTTP, in the order of the list.

    Raises:
        NotOnTheList: One of them is not on it.
    """
    surfaces = {(line["method"], _shape(line["path"])): line["surface"] for line in _listed()}
    order = {key: number for number, key in enumerate(surfaces)}
    found = []
    for package in PACKAGES:
        for operation in _operations(package):
            key = (operation.method, _shape(operation.path))
            if key not in order:
                raise NotOnTheList(f"{operation.name} is in none of tests/contract/*.csv")
            found.append((order[key], Served(surfaces[key], package, operation)))
    return tuple(one for _, one in sorted(found, key=lambda each: each[0]))


def _listed() -> Iterator[dict[str, str]]:
    for place in _LISTS:
        with place.open(encoding="utf-8", newline="") as file:
            yield from csv.DictReader(file)


def _operations(package: str) -> tuple[Operation, ...]:
    api = getattr(importlib.import_module(f"{package}.app"), "api", None)
    return api.operations if isinstance(api, Api) else ()


def _dependencies(function: Callable[..., Any]) -> Iterator[Callable[..., Any]]:
    for hint in get_type_hints(function, include_extras=True).values():
        if get_origin(hint) is Annotated:
            for metadata in get_args(hint)[1:]:
                if isinstance(metadata, Depends):
                    yield metadata.dependency
                    yield from _dependencies(metadata.dependency)


def _shape(path: str) -> str:
    return _VARIABLE.sub("{}", path)
