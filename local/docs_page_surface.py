"""One surface as a page: its operations, folded, and the models that they speak in."""

import shlex
from collections.abc import Iterator
from html import escape
from typing import Any
from urllib.parse import quote, urlencode

from local.docs_page_schemas import Schema, field, fields, kind, name_of, text
from tools.api_description.writing import pretty


def surface_page(surface: str, document: Schema) -> str:
    about = "".join(f"<p>{text(one)}</p>" for one in document["info"]["description"].split("\n\n"))
    parts = [
        f'<p><a href="/docs">All surfaces</a> · <a href="/docs/{surface}.json">OpenAPI'
        f" {escape(document['openapi'])}</a></p>",
        f"<h1>{escape(document['info']['title'])}</h1>",
        f"<p>{text(document['info']['summary'])}</p>{about}",
    ]
    for tag in document["tags"]:
        parts.append(f"<h2>{escape(tag['name'])}</h2>{quiet(text(tag['description']))}")
        parts += [
            _operation(document, method, path, operation)
            for method, path, operation in operations(document)
            if tag["name"] in operation["tags"]
        ]
    parts.append("<h2>Models</h2>")
    for name, schema in document["components"]["schemas"].items():
        said = f"<p>{text(schema['description'])}</p>" if "description" in schema else ""
        shape = fields(schema) or f"<div>{kind(schema)}</div>"
        parts.append(f'<div class="model" id="model-{escape(name)}"><h3>{escape(name)}</h3>')
        parts.append(f"{said}{shape}</div>")
    return "".join(parts)


def _operation(document: Schema, method: str, path: str, operation: Schema) -> str:
    parts = [
        f'<details class="operation" id="{escape(operation["operationId"])}"><summary>'
        f'<span class="method {method}">{method.upper()}</span>'
        f' <code class="path">{escape(path)}</code>'
        f'<span class="about">{text(operation["summary"])}</span></summary><div>'
    ]
    if "description" in operation:
        parts.append(f"<p>{text(operation['description'])}</p>")
    if operation.get("security") == []:
        parts.append(quiet("Open to anybody."))
    if "x-api-key-scope" in operation:
        scope = operation["x-api-key-scope"]
        parts.append(quiet(text(f"An API key needs the scope `{scope}`.")))
    if "parameters" in operation:
        told = "".join(
            field(
                one["name"],
                one["schema"],
                is_needed=one.get("required", False),
                about=one.get("description", ""),
                where=one["in"],
            )
            for one in operation["parameters"]
        )
        parts.append(f'<h3>Parameters</h3><dl class="fields">{told}</dl>')
    if "requestBody" in operation:
        schema = operation["requestBody"]["content"]["application/json"]["schema"]
        parts.append(f"<h3>Body</h3><div>{kind(schema)}</div>{fields(_resolved(document, schema))}")
    parts.append(f"<h3>Example</h3><pre>{escape(_curl(method, path, operation))}</pre>")
    answers = (
        _response(document, status, response) for status, response in operation["responses"].items()
    )
    parts.append(f"<h3>Answers</h3>{''.join(answers)}</div></details>")
    return "".join(parts)


def _response(document: Schema, status: str, response: Schema) -> str:
    response = _resolved(document, response)
    said = text(response["description"])
    told = f'<span class="status">{escape(status)}</span> {said}'
    content = response.get("content", {}).get("application/json", {})
    if status < "300" and content:
        told += f": {kind(content['schema'])}"
    if "example" in content:
        told += f"<pre>{escape(pretty(content['example']))}</pre>"
    return f'<div class="answer">{told}</div>'


def _curl(method: str, path: str, operation: Schema) -> str:
    """The command that asks for the example."""
    query = {}
    for parameter in operation.get("parameters", ()):
        if "example" in parameter and parameter["in"] == "path":
            path = path.replace(f"{{{parameter['name']}}}", quote(parameter["example"]))
        elif "example" in parameter:
            query[parameter["name"]] = parameter["example"]
    address = path + (f"?{urlencode(query)}" if query else "")
    told = [f'curl -s "$API{address}"']
    if operation.get("security") != []:
        told.append('-H "Authorization: Bearer $TOKEN"')
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    if body.get("example") is not None:
        told.append('-H "Content-Type: application/json"')
        told.append(f"-d {shlex.quote(_line(body['example']))}")
    if method not in ("get", "post") or (method == "post" and not body.get("example")):
        told.insert(1, f"-X {method.upper()}")
    return " \\\n  ".join(told)


def operations(document: Schema) -> Iterator[tuple[str, str, Schema]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield method, path, operation


def quiet(html: str) -> str:
    """A paragraph that is read last."""
    return f'<p class="quiet">{html}</p>'


def _resolved(document: Schema, part: Schema) -> Schema:
    while "$ref" in part:
        kind_of, name = part["$ref"].split("/")[-2], name_of(part["$ref"])
        part = document["components"][kind_of][name]
    return part


def _line(value: Any) -> str:
    return " ".join(line.strip() for line in pretty(value).splitlines())
