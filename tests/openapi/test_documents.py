"""The descriptions are valid, whole, and say each thing once."""

import json
import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Annotated, Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator
from pydantic import Field

from holdfast.http.fields import (
    Body,
    CurrencyCode,
    DecimalAmount,
    Limit,
    MajorAmount,
    Metadata,
    PathId,
    RequestKey,
    Timestamp,
    text,
)
from holdfast.http.views import Maybe, Page, View
from tests.openapi.descriptions import DESCRIPTIONS, OPERATIONS, Document
from tools.api_description.__main__ import FOLDER, differences
from tools.api_description.document import documents
from tools.api_description.models import NameTwice, merged, schema_of, schemas_of


class Wallet(View):
    balance: int
    reference: Maybe[str] = None
    note: str | None


def twin() -> type[View]:
    class Wallet(View):
        held: int

    Wallet.__qualname__ = "Wallet"
    Wallet.__module__ = "somewhere.else"
    return Wallet


def inside(value: Any) -> Iterator[Any]:
    """A value and all that it is made of."""
    yield value
    for each in (
        value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    ):
        yield from inside(each)


@pytest.mark.parametrize("surface", sorted(DESCRIPTIONS))
def test_a_description_is_valid(surface: str):
    errors = list(OpenAPIV31SpecValidator(DESCRIPTIONS[surface]).iter_errors())

    assert errors == []


@pytest.mark.parametrize("surface", sorted(DESCRIPTIONS))
def test_every_reference_leads_somewhere(surface: str):
    document = DESCRIPTIONS[surface]
    references = {
        one["$ref"] for one in inside(document) if isinstance(one, dict) and "$ref" in one
    }

    assert references
    for reference in references:
        found: Any = document
        for step in reference.removeprefix("#/").split("/"):
            found = found[step]


@pytest.mark.parametrize("surface", sorted(DESCRIPTIONS))
def test_nothing_is_described_that_nothing_refers_to(surface: str):
    document = DESCRIPTIONS[surface]
    written = json.dumps(document, default=str)

    unused = [
        f"#/components/{kind}/{name}"
        for kind in ("schemas", "responses", "headers")
        for name in document["components"][kind]
        if f'"#/components/{kind}/{name}"' not in written
    ]
    assert unused == []


def test_every_operation_that_is_served_is_described_once():
    told = [
        (f"{method.upper()} {path}", operation["operationId"])
        for document in DESCRIPTIONS.values()
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]

    assert sorted(name for name, _ in told) == sorted(OPERATIONS)
    for document in DESCRIPTIONS.values():
        ids = [
            operation["operationId"]
            for methods in document["paths"].values()
            for operation in methods.values()
        ]
        assert len(ids) == len(set(ids))


@pytest.mark.parametrize("operation", sorted(OPERATIONS))
def test_an_operation_says_what_it_does_and_who_may_ask(operation: str):
    each = OPERATIONS[operation]
    told = DESCRIPTIONS[each.surface]["paths"][each.operation.path][each.operation.method.lower()]

    assert re.fullmatch(r"[A-Z].{3,}[^.]", told["summary"])
    assert (told.get("security") == []) == each.operation.public
    assert ("401" in told["responses"]) != each.operation.public
    assert {"400", "422", "429", "500", "503"} <= set(told["responses"])


def test_two_models_of_one_name_are_refused():
    with pytest.raises(NameTwice, match="Wallet"):
        schemas_of([(Wallet, "serialization"), (twin(), "serialization")])


def test_a_model_with_the_name_of_an_error_is_refused():
    with pytest.raises(NameTwice, match="Error"):
        merged({"Error": {}}, {"Error": {}})


def test_a_field_that_is_left_out_when_empty_is_never_null():
    _, schemas = schemas_of([(Wallet, "serialization")])

    assert schemas["Wallet"]["required"] == ["balance", "note"]
    assert schemas["Wallet"]["properties"]["reference"] == {"type": "string"}
    assert {"type": "null"} in schemas["Wallet"]["properties"]["note"]["anyOf"]


def test_a_list_is_named_after_what_is_in_it():
    names, schemas = schemas_of([(Page[Wallet], "serialization")])

    assert names == {Page[Wallet]: "WalletPage"}
    assert set(schemas) == {"Wallet", "WalletPage"}


@pytest.mark.parametrize(
    ("hint", "wanted"),
    [
        (Annotated[str, text(200)], {"type": "string", "minLength": 1, "maxLength": 200}),
        (Annotated[int, Limit(100)], {"type": "integer", "minimum": 1, "maximum": 100}),
        (Annotated[int, Field(ge=0)], {"type": "integer", "minimum": 0}),
        (CurrencyCode, {"type": "string", "pattern": "^[A-Za-z]{3}$"}),
        (Timestamp, {"type": "string", "format": "date-time"}),
        (Timestamp | None, {"type": "string", "format": "date-time"}),
        (RequestKey, {"type": "string", "pattern": "^[!-~]{1,255}$"}),
        (PathId, {"type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9._:~@+=-]{0,127}$"}),
        (DecimalAmount, {"type": "string", "maxLength": 32}),
        (MajorAmount, {"type": "number", "exclusiveMinimum": 0}),
        (Annotated[MajorAmount, Field(ge=Decimal("2.50"))], {"minimum": Decimal("2.50")}),
        (Metadata, {"type": "object", "maxProperties": 20}),
    ],
)
def test_what_a_validator_checks_is_told(hint: Any, wanted: Document):
    told = schema_of(hint, None)

    assert {name: told.get(name) for name in wanted} == wanted


def test_the_shape_of_text_is_told_inside_a_body_too():
    class Note(Body):
        words: Annotated[str, text(3, lines=True)] | None = None

    _, schemas = schemas_of([(Note, "validation")])

    line, null = schemas["Note"]["properties"]["words"]["anyOf"]
    assert null == {"type": "null"}
    assert re.search(line["pattern"], "a\n\t")
    assert not re.search(line["pattern"], "a\r")
    assert schemas["Note"]["additionalProperties"] is False


def test_a_file_that_is_not_what_the_routes_say_is_named():
    (surface, *_) = sorted(path.name for path in FOLDER.glob("*.json"))
    others = {path.name: path.read_text() for path in FOLDER.glob("*.json")}
    del others["examples.json"]

    assert differences({**others, surface: "{}"}) == [
        f"docs/openapi/{surface} is not what the routes say"
    ]
    assert differences({**others, "new.json": "{}"}) == ["docs/openapi/new.json is missing"]
    del others[surface]
    assert differences(others) == [f"docs/openapi/{surface} describes nothing that is served"]


def test_a_description_is_made_without_examples_too():
    assert documents({}).keys() == DESCRIPTIONS.keys()
