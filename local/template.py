"""`template.yaml` as it is written, and what is known of it when it is deployed."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import yaml

from local.environment import Function
from local.places import TEMPLATE
from local.routes import Authorizer, Document, Route

STACK = "holdfast"


class DeploymentFailed(Exception):
    """The stack could not be made or updated; the message has the reasons CloudFormation gave."""


@dataclass(frozen=True, slots=True)
class Deployment:
    """What is needed to run the stack."""

    functions: list[Function]
    routes: list[Route]
    authorizer: Authorizer
    outputs: dict[str, str]

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "Deployment":
        parts = json.loads(text)
        return cls(
            functions=[Function(**one) for one in parts["functions"]],
            routes=[Route(**one) for one in parts["routes"]],
            authorizer=Authorizer(**parts["authorizer"]),
            outputs=parts["outputs"],
        )


def read_template(path: Path = TEMPLATE) -> Document:
    """The template as written, with `!Ref x` as `{"Ref": "x"}`."""
    document: Document = yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)
    return document


def function_names(template: Document) -> list[str]:
    """The names that the template gives its functions: the emulator has to know them beforehand."""
    return [
        resource["Properties"]["FunctionName"]["Fn::Sub"].replace("${AWS::StackName}", STACK)
        for resource in template["Resources"].values()
        if resource["Type"] == "AWS::Serverless::Function"
    ]


class _Loader(yaml.SafeLoader):
    """Reads CloudFormation's short forms of its functions."""


def _short_form(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> Any:
    value: Any
    match node:
        case yaml.ScalarNode():
            value = loader.construct_scalar(node)
        case yaml.SequenceNode():
            value = loader.construct_sequence(node, deep=True)
        case _:
            assert isinstance(node, yaml.MappingNode)
            value = loader.construct_mapping(node, deep=True)
    if suffix in ("Ref", "Condition"):
        return {suffix: value}
    if suffix == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {f"Fn::{suffix}": value}


_Loader.add_multi_constructor("!", _short_form)
