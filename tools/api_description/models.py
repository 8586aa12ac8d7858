"""The models of a surface as schemas: one model, one name."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, Literal

from pydantic import BaseModel, TypeAdapter
from pydantic.json_schema import GenerateJsonSchema
from pydantic_core import core_schema

type Schema = dict[str, Any]
type Mode = Literal["validation", "serialization"]

COMPONENTS = "#/components/schemas/"
_TEMPLATE = COMPONENTS + "{model}"
_QUALIFIED = "__"
_NULL = {"type": "null"}
_LIMITS = {
    "ge": "minimum",
    "gt": "exclusiveMinimum",
    "le": "maximum",
    "lt": "exclusiveMaximum",
}


class NameTwice(Exception):
    """Two different models have one name."""


class _Schemas(GenerateJsonSchema):
    """The framework's schemas, without what is not true or not worth saying here."""

    def generate_inner(self, schema: Any) -> Schema:
        told = super().generate_inner(schema)
        # A limit behind a validator of our own is told by the name that Python has for it.
        for ours, theirs in _LIMITS.items():
            if ours in told:
                told[theirs] = _number(told.pop(ours))
        return told

    def decimal_schema(self, schema: core_schema.DecimalSchema) -> Schema:
        # A number is written and read as a number. The framework's own would be a string.
        limits = {name: value for name, value in schema.items() if name in _LIMITS}
        return {"type": "number", **limits}

    def model_field_schema(self, schema: core_schema.ModelField) -> Schema:
        told = super().model_field_schema(schema)
        if schema.get("serialization_exclude_if") is None or self.mode == "validation":
            return told
        # Such a field is there with a value or not at all, so null is never seen.
        return without_null(told)

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> Schema:
        told = super().default_schema(schema)
        if "default" in told and told["default"] is None:
            del told["default"]
        return told

    def field_title_should_be_set(self, schema: Any) -> bool:
        # "Amountdecimal" helps nobody.
        return False

    def get_title_from_name(self, name: str) -> str:
        return name

    def normalize_name(self, name: str) -> str:
        """`Page[HoldView]` is called `HoldViewPage`."""
        kind, _, inner = name.partition("[")
        return super().normalize_name(f"{inner.removesuffix(']')}{kind}" if inner else name)


def without_null(schema: Schema) -> Schema:
    """A schema that allows null besides something else, without it."""
    if "anyOf" not in schema:
        return schema
    rest = [option for option in schema["anyOf"] if option != _NULL]
    others = {name: value for name, value in schema.items() if name != "anyOf"}
    return {**rest[0], **others} if len(rest) == 1 else {**others, "anyOf": rest}


def schemas_of(
    models: Iterable[tuple[type[BaseModel], Mode]],
) -> tuple[dict[type[BaseModel], str], dict[str, Schema]]:
    """The name of each model, and the schemas of these and of all that they are made of.

    Raises:
        NameTwice: Two different models have one name. A caller's code is generated from these
            names, so the answer is another name, not a longer path to it.
    """
    inputs = [(model, mode, model.__pydantic_core_schema__) for model, mode in _built(models)]
    generator = _Schemas(by_alias=True, ref_template=_TEMPLATE)
    references, definitions = generator.generate_definitions(inputs)
    twice = sorted(name for name in definitions if _QUALIFIED in name)
    if twice:
        raise NameTwice(f"several models of one name, rename all but one: {', '.join(twice)}")
    names = {
        model: references[(model, mode)]["$ref"].removeprefix(COMPONENTS)
        for model, mode, _ in inputs
    }
    return names, {name: _without_title(schema) for name, schema in sorted(definitions.items())}


def schema_of(hint: Any, default: object) -> Schema:
    """The schema of a parameter, which arrives as text and is never null."""
    told = TypeAdapter(hint).json_schema(schema_generator=_Schemas, by_alias=True)
    told = without_null(told)
    return told if default is None else {**told, "default": default}


def merged(schemas: Mapping[str, Schema], more: Mapping[str, Schema]) -> dict[str, Schema]:
    """All of them, none in the place of another.

    Raises:
        NameTwice: A model of the surface has the name of one that every surface has.
    """
    twice = sorted(schemas.keys() & more.keys())
    if twice:
        raise NameTwice(f"every surface has models of these names: {', '.join(twice)}")
    return {**schemas, **more}


def _built(
    models: Iterable[tuple[type[BaseModel], Mode]],
) -> list[tuple[type[BaseModel], Mode]]:
    """Each once, with the schemas that their modules put off."""
    once = sorted(set(models), key=lambda each: (each[0].__module__, each[0].__qualname__))
    for model, _ in once:
        model.model_rebuild()
    return once


def _number(limit: Any) -> Decimal | int:
    exact = Decimal(limit)
    return int(exact) if exact == exact.to_integral_value() else exact


def _without_title(schema: Schema) -> Schema:
    return {name: value for name, value in schema.items() if name != "title"}
