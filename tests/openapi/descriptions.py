"""The descriptions as they are made from the routes, and answers held against them."""

from functools import cache
from typing import Any

from openapi_schema_validator import OAS31Validator

from tests.api.world import Answer
from tools.api_description import examples
from tools.api_description.document import documents
from tools.api_description.served import Served, served

type Document = dict[str, Any]

OPERATIONS = {each.operation.name: each for each in served()}
"""Everything that is served, by method and path."""
DESCRIPTIONS = documents(examples.read())
"""By surface."""


def described(operation: str) -> Document:
    """What is said of an operation."""
    each = OPERATIONS[operation]
    path = DESCRIPTIONS[each.surface]["paths"][each.operation.path]
    found: Document = path[each.operation.method.lower()]
    return found


def problems(operation: str, answer: Answer) -> list[str]:
    """What an answer does that its description does not say."""
    told = described(operation)["responses"].get(str(answer.status))
    if told is None:
        return [f"{operation}: {answer.status} is not described: {answer.text}"]
    told = resolved(OPERATIONS[operation], told)
    found = [
        f"{operation}: the header {name} is not described"
        for name in ("Idempotent-Replayed", "Retry-After", "WWW-Authenticate")
        if name in answer.headers and name not in told["headers"]
    ]
    if "content" not in told:
        return [*found, f"{operation}: a body where none is described"] if answer.text else found
    if answer.headers.get("Content-Type") != "application/json":
        return [*found, f"{operation}: not application/json"]
    schema = told["content"]["application/json"]["schema"]
    return [*found, *(f"{operation}: {one}" for one in faults(operation, schema, answer.body))]


def faults(operation: str, schema: Document, value: Any) -> list[str]:
    """Why a value is not what a schema of the operation's description says."""
    validator = _validator(OPERATIONS[operation].surface, repr(schema), _Frozen(schema))
    return [f"{error.json_path} {error.message}" for error in validator.iter_errors(value)]


def resolved(each: Served, told: Document) -> Document:
    """What a reference stands for."""
    while "$ref" in told:
        found: Any = DESCRIPTIONS[each.surface]
        for step in told["$ref"].removeprefix("#/").split("/"):
            found = found[step]
        told = found
    return told


class _Frozen:
    """A schema that can be an argument of something cached: its text stands for it."""

    def __init__(self, schema: Document) -> None:
        self.schema = schema

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Frozen)

    def __hash__(self) -> int:
        return 0


@cache
def _validator(surface: str, text: str, frozen: _Frozen) -> Any:
    components = DESCRIPTIONS[surface]["components"]
    return OAS31Validator({**frozen.schema, "components": components})
