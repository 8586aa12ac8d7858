"""What CloudFormation makes of `template.yaml`, without an account, a network or a build.

    python -m tools.translate_template template.yaml > build/template.json

Linters and tests read the result: the routes, the policies and the permissions that SAM
generates stand nowhere else, and several mistakes show only there.
"""

import json
import sys
from pathlib import Path
from typing import Any

from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator
from samtranslator.yaml_helper import yaml_parse

type Document = dict[str, Any]

# The translator refuses a local path: that is the build's work. Any object in a bucket will do.
PLACEHOLDER = "s3://built/artifact.zip"
_LOCAL_PATHS = {
    "AWS::Serverless::Function": "CodeUri",
    "AWS::Serverless::LayerVersion": "ContentUri",
}


class _Region:
    """All that the translator asks of a session; a real one would look for credentials."""

    region_name = "us-east-1"


def read_template(path: Path) -> Document:
    """The template as written, with `!Ref x` as `{"Ref": "x"}`."""
    document: Document = yaml_parse(path.read_text(encoding="utf-8"))
    return document


def translate(path: Path) -> Document:
    """The template with every serverless resource expanded, parameters at their defaults."""
    template = read_template(path)
    for resource in template["Resources"].values():
        name = _LOCAL_PATHS.get(resource["Type"])
        if name is not None:
            resource.setdefault("Properties", {})[name] = PLACEHOLDER
    template.get("Globals", {}).get("Function", {}).pop("CodeUri", None)
    parameters = {
        name: parameter["Default"]
        for name, parameter in template.get("Parameters", {}).items()
        if "Default" in parameter
    }
    translator = Translator({}, Parser(), boto_session=_Region())
    document: Document = translator.translate(template, parameters)
    return document


if __name__ == "__main__":
    json.dump(translate(Path(sys.argv[1])), sys.stdout, indent=2)
