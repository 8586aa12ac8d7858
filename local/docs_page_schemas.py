"""Schemas in words: what a value is, and what an object is made of."""

from collections.abc import Iterator
from html import escape
from typing import Any

type Schema = dict[str, Any]

_NULL: Schema = {"type": "null"}
_TYPES = {"array": "list", "boolean": "true or false", "null": "null"}
_LIMITS = (
    ("minimum", "at least {}"),
    ("exclusiveMinimum", "above {}"),
    ("maximum", "at most {}"),
    ("exclusiveMaximum", "below {}"),
    ("minLength", "at least {} characters"),
    ("maxLength", "at most {} characters"),
    ("maxProperties", "at most {} keys"),
)


def fields(schema: Schema) -> str:
    """The properties of an object as a list of definitions; empty where there are none."""
    needed = set(schema.get("required", ()))
    told = [
        field(name, one, is_needed=name in needed)
        for name, one in schema.get("properties", {}).items()
    ]
    return f'<dl class="fields">{"".join(told)}</dl>' if told else ""


def field(name: str, schema: Schema, *, is_needed: bool, about: str = "", where: str = "") -> str:
    """One property or parameter: its name, what it may be, and what it means."""
    needed = ' <span class="needed">required</span>' if is_needed else ""
    place = f' <span class="quiet">in {where}</span>' if where else ""
    meaning = "".join(f"<br>{text(said)}" for said in (about, _said(schema)) if said)
    return f"<dt><code>{escape(name)}</code>{place}{needed}</dt><dd>{kind(schema)}{meaning}</dd>"


def kind(schema: Schema) -> str:
    """What a value may be, as HTML: `integer, at least 1, at most 100; 20 if left out`."""
    told = ", ".join([_kind(schema), *_limits(schema)])
    if "default" in schema:
        told += f"; <code>{escape(str(schema['default']))}</code> if left out"
    return told


def text(words: str) -> str:
    """Plain words with `code` in them, as HTML; lines stay lines."""
    parts = escape(words).split("`")
    told = "".join(
        f"<code>{part}</code>" if index % 2 else part for index, part in enumerate(parts)
    )
    return told.replace("\n", "<br>")


def name_of(reference: str) -> str:
    """`Hold` of `#/components/schemas/Hold`."""
    return reference.rpartition("/")[2]


def _kind(schema: Schema) -> str:
    if "$ref" in schema:
        name = escape(name_of(schema["$ref"]))
        return f'<a href="#model-{name}">{name}</a>'
    if "anyOf" in schema:
        return " or ".join(kind(option) for option in schema["anyOf"])
    if "enum" in schema:
        return "one of " + ", ".join(f"<code>{escape(str(one))}</code>" for one in schema["enum"])
    if "const" in schema:
        return f"<code>{escape(str(schema['const']))}</code>"
    if schema.get("type") == "array":
        return f"list of {kind(schema.get('items', {}))}"
    if schema.get("type") == "object":
        return _object(schema)
    if schema.get("format") == "date-time":
        return "time (RFC 3339)"
    named = schema.get("type")
    return _TYPES.get(named, escape(named)) if isinstance(named, str) else "anything"


def _said(schema: Schema) -> str:
    """What a schema says in words, or the one that it allows besides null."""
    told = [schema, *(one for one in schema.get("anyOf", ()) if one != _NULL)]
    return next((one["description"] for one in told if "description" in one), "")


def _object(schema: Schema) -> str:
    values = schema.get("additionalProperties")
    told = f"object of {kind(values)}" if isinstance(values, dict) and values else "object"
    return told + fields(schema)


def _limits(schema: Schema) -> Iterator[str]:
    for name, words in _LIMITS:
        if name in schema and not (name == "minLength" and schema[name] == 1):
            yield words.format(schema[name])
    pattern = schema.get("pattern", "")
    # What only keeps control characters out says nothing to a reader, and words say more.
    if pattern and not pattern.startswith("^[^") and "description" not in schema:
        yield f"<code>{escape(pattern)}</code>"
