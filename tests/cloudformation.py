"""Reading a translated template: what refers to what."""

import re
from collections.abc import Iterator
from typing import Any

type Document = dict[str, Any]

_IN_TEXT = re.compile(r"\$\{([A-Za-z0-9]+)(?:\.[A-Za-z0-9.]+)?\}")


def resources(template: Document, kind: str) -> dict[str, Document]:
    """The properties of every resource of one type, by logical id."""
    return {
        name: resource.get("Properties", {})
        for name, resource in template["Resources"].items()
        if resource["Type"] == kind
    }


def references(value: Any) -> Iterator[str]:
    """Logical ids named anywhere in a value, by Ref, GetAtt or Sub; parameters among them."""
    match value:
        case {"Ref": str(name)}:
            yield name
        case {"Fn::GetAtt": [str(name), *_]} | {"Fn::GetAtt": str(name)}:
            yield name.split(".")[0]
        case {"Fn::Sub": [str(text), dict(given)]}:
            yield from (name for name in _IN_TEXT.findall(text) if name not in given)
            yield from references(list(given.values()))
        case {"Fn::Sub": str(text)}:
            yield from _IN_TEXT.findall(text)
        case dict():
            for part in value.values():
                yield from references(part)
        case list():
            for part in value:
                yield from references(part)


def refers_to(value: Any, name: str) -> bool:
    return name in set(references(value))


def function_of(template: Document, value: Any) -> str | None:
    """The function that a value names, itself or through an alias or a version of it."""
    for name in references(value):
        resource = template["Resources"].get(name, {})
        match resource.get("Type"):
            case "AWS::Lambda::Function":
                return name
            case "AWS::Lambda::Alias" | "AWS::Lambda::Version":
                return function_of(template, resource["Properties"]["FunctionName"])
    return None


def package_of(template: Document, function: str) -> str:
    """The package under `functions/` that a function's handler lives in."""
    handler: str = template["Resources"][function]["Properties"]["Handler"]
    return handler.split(".")[0]
