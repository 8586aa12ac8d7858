"""One document per surface, and what each operation of it looks like."""

import re
import sys
import tomllib
from collections.abc import Callable, Iterator
from inspect import Parameter, signature
from typing import Annotated, Any, get_args, get_origin, get_type_hints

from aws_lambda_powertools.event_handler.depends import Depends
from pydantic import BaseModel

from holdfast.domain.api_keys import NOUNS, needed_scope
from holdfast.http.dialects import REPEATING, ZAP, dialect_of
from holdfast.http.fields import RequestKey
from holdfast.http.principal import admin, person, platform
from tools.api_description.answers import (
    HEADERS,
    error_schemas,
    first_sentence,
    responses_of,
    shared_responses,
    writes,
)
from tools.api_description.examples import Example, Examples
from tools.api_description.models import COMPONENTS, Mode, Schema, merged, schema_of, schemas_of
from tools.api_description.served import ROOT, Served, served

SURFACES = {
    "billing": "Wallets, holds and hardware jobs of the caller's own account.",
    "me": "What callers ask and say about themselves.",
    "workspaces": "The accounts of workspaces, and who may use them.",
    "commerce": "Balances, deposits, charges and credits, for the people who sell.",
    "agents": "Wallets of agents.",
}
_NOTES = {
    "snake": (
        "Names are in snake_case, amounts are integers in minor units beside their currency. A list"
        ' is `{"data", "has_more", "next_cursor"}`.'
    ),
    "camel": ("Names are in camelCase, amounts are integers in minor units beside their currency."),
    "agents": (
        'Every answer is `{"data", "error", "meta"}`. Amounts are decimal numbers of major units.'
    ),
}
_LISTS = {
    "commerce": (
        ' A list is `{"<plural>": [...], "count", "nextCursor"}`, also where older documentation'
        " shows a bare array, which could not be paged."
    ),
    "workspaces": ' A list is `{"data", "nextCursor"}`.',
}
_EVERY_REQUEST = (
    "A body is a JSON object of at most 256 KiB, and fields that are not described here are"
    " refused; so are card numbers. Integers are written without a point. A parameter is given"
    " once. A write with an `Idempotency-Key` has one effect, however often it is sent, and gives"
    " its first answer again."
)
_PARAMETERS = {
    "cursor": "Where the list goes on, as the page before said.",
    "from": "Nothing older than this.",
    "limit": "How many on one page.",
    "offset": "How many to pass over.",
    "to": "Nothing from this instant on.",
    "user": "`owner/name` of a user, or the id of an account.",
}
_LEVELS: dict[Callable[..., Any], str] = {
    admin: "For admins of the org.",
    person: "Not with an API key.",
    platform: "For the platform's own.",
}
_KEY: Schema = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "The same key and the same request: one effect, and the first answer again.",
    "schema": schema_of(RequestKey, None),
}
_IN_PATH = re.compile(r"\{(\w+)\}")


def documents(examples: Examples) -> dict[str, Schema]:
    """The description of every surface that serves something, by the surface's name.

    Raises:
        NameTwice: Two models of a surface have one name.
        NotOnTheList: An operation is served that the list of operations does not name.
    """
    by_surface: dict[str, list[Served]] = {name: [] for name in SURFACES}
    for each in served():
        by_surface[each.surface].append(each)
    return {name: _document(name, own, examples) for name, own in by_surface.items() if own}


def _document(surface: str, own: list[Served], examples: Examples) -> Schema:
    (dialect,) = {dialect_of(each.operation.path) for each in own} - {ZAP, REPEATING}
    ids = [each.id for each in own]
    assert len(set(ids)) == len(ids), f"{surface}: two operations of one id in {sorted(ids)}"
    names, schemas = schemas_of(model for each in own for model in _models(each))
    paths: dict[str, Schema] = {}
    for each in own:
        operation = each.operation
        described = _operation(each, names, examples.get(operation.name))
        paths.setdefault(operation.path, {})[operation.method.lower()] = described
    packages = sorted({each.package for each in own})
    responses = _used(shared_responses(), paths)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": f"Holdfast: {surface}",
            "version": _version(),
            "summary": SURFACES[surface],
            "description": _NOTES[dialect.name] + _LISTS.get(surface, "") + "\n\n" + _EVERY_REQUEST,
            "license": {"name": "Apache License 2.0", "identifier": "Apache-2.0"},
        },
        "servers": [
            {"url": "/", "description": "Where this description was read."},
            {"url": "http://127.0.0.1:3000", "description": "A stack on a laptop."},
        ],
        "security": [{"bearer": []}],
        "tags": [{"name": name, "description": _about(name)} for name in packages],
        "paths": paths,
        "components": {
            "schemas": dict(sorted(merged(schemas, error_schemas(dialect)).items())),
            "responses": responses,
            "headers": _used(HEADERS, [paths, responses]),
            "securitySchemes": {
                "bearer": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "A JSON Web Token of the issuer, or an API key.",
                }
            },
        },
    }


def _used(shared: dict[str, Schema], whole: object) -> dict[str, Schema]:
    """Those of the shared parts that the whole refers to."""
    written = repr(whole)
    return {name: part for name, part in shared.items() if f"/{name}'}}" in written}


def _models(each: Served) -> Iterator[tuple[type[BaseModel], Mode]]:
    body = _body(each)
    if body is not None:
        yield body, "validation"
    if each.operation.view is not None:
        yield each.operation.view, "serialization"


def _operation(each: Served, names: dict[type[BaseModel], str], example: Example | None) -> Schema:
    summary, description = first_sentence(each.operation.function)
    told: Schema = {"operationId": each.id, "tags": [each.package], "summary": summary}
    sentences = [description, *(_LEVELS[one] for one in each.dependencies if one in _LEVELS)]
    if any(sentences):
        told["description"] = " ".join(filter(None, sentences))
    if each.operation.public:
        told["security"] = []
    elif each.package in NOUNS and person not in each.dependencies:
        told["x-api-key-scope"] = needed_scope(each.package, each.operation.method)
    parameters = list(_parameters(each, example))
    if parameters:
        told["parameters"] = parameters
    body = _body(each)
    if body is not None:
        schema = {"$ref": f"{COMPONENTS}{names[body]}"}
        is_needed = any(field.is_required() for field in body.model_fields.values())
        told["requestBody"] = _request_body(schema, example, is_needed=is_needed)
    elif each.operation.takes_body:
        told["requestBody"] = _request_body({"type": "object"}, example, is_needed=False)
    view = each.operation.view
    named = None if view is None else {"$ref": f"{COMPONENTS}{names[view]}"}
    told["responses"] = responses_of(each, named)
    if example is not None and example.answer is not None:
        content = told["responses"][str(example.status)]["content"]["application/json"]
        content["example"] = example.answer
    return told


def _parameters(each: Served, example: Example | None) -> Iterator[Schema]:
    in_path = set(_IN_PATH.findall(each.operation.path))
    for parameter, hint in _asked(each):
        if _body_in(hint) is not None:
            continue
        name = _alias(hint) or parameter.name
        place = "path" if parameter.name in in_path else "query"
        default = None if parameter.default is Parameter.empty else parameter.default
        told: Schema = {"name": name, "in": place}
        if place == "path" or parameter.default is Parameter.empty:
            told["required"] = True
        if name in _PARAMETERS:
            told["description"] = _PARAMETERS[name]
        told["schema"] = schema_of(_bare(hint), default)
        given = {} if example is None else example.path if place == "path" else example.query
        if name in given:
            told["example"] = given[name]
        yield told
    if writes(each):
        yield _KEY


def _request_body(schema: Schema, example: Example | None, *, is_needed: bool) -> Schema:
    content: Schema = {"schema": schema}
    if example is not None and example.body is not None:
        content["example"] = example.body
    return {"required": is_needed, "content": {"application/json": content}}


def _asked(each: Served) -> Iterator[tuple[Parameter, Any]]:
    """The parameters of the function that come from the request itself."""
    function = each.operation.function
    hints = get_type_hints(function, include_extras=True)
    for parameter in signature(function).parameters.values():
        hint = hints[parameter.name]
        if not any(isinstance(one, Depends) for one in _metadata(hint)):
            yield parameter, hint


def _body(each: Served) -> type[BaseModel] | None:
    return next((body for _, hint in _asked(each) if (body := _body_in(hint))), None)


def _body_in(hint: Any) -> type[BaseModel] | None:
    for kind in (hint, *get_args(hint)):
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            return kind
    return None


def _metadata(hint: Any) -> tuple[Any, ...]:
    return get_args(hint)[1:] if get_origin(hint) is Annotated else ()


def _alias(hint: Any) -> str | None:
    found = [getattr(one, "alias", None) for one in _metadata(hint)]
    return next((alias for alias in found if isinstance(alias, str)), None)


def _bare(hint: Any) -> Any:
    """A hint without the place that the framework is to look in: that says nothing of the value."""
    kept = [one for one in _metadata(hint) if not hasattr(one, "alias")]
    if not _metadata(hint):
        return hint
    plain = get_args(hint)[0]
    return Annotated[plain, *kept] if kept else plain


def _about(package: str) -> str:
    return (sys.modules[package].__doc__ or sys.modules[f"{package}.app"].__doc__ or "").strip()


def _version() -> str:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return str(project["project"]["version"])
