"""The descriptions of the API as pages to read: no script, and nothing from anywhere else.

| path                        | what it is                                    |
|-----------------------------|-----------------------------------------------|
| /docs                       | the surfaces                                  |
| /docs/{surface}             | its operations, and the models they speak in  |
| /docs/{surface}.json        | the description itself, for other tools       |
| /docs/style.css             |                                               |
"""

import json
from dataclasses import dataclass
from decimal import Decimal
from html import escape
from pathlib import Path

from local.docs_page_schemas import Schema, text
from local.docs_page_surface import operations, quiet, surface_page
from local.places import ROOT

FOLDER = ROOT / "docs" / "openapi"
_EXAMPLES = "examples"
_STYLE = Path(__file__).parent / "docs_page.css"
_POLICY = (
    "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none';"
    " frame-ancestors 'none'"
)


@dataclass(frozen=True, slots=True)
class Page:
    """Something to look at."""

    content_type: str
    body: bytes

    @property
    def headers(self) -> list[tuple[bytes, bytes]]:
        return [
            (b"content-type", self.content_type.encode()),
            (b"content-security-policy", _POLICY.encode()),
            (b"x-content-type-options", b"nosniff"),
            (b"referrer-policy", b"no-referrer"),
        ]


def page_at(path: str, folder: Path = FOLDER) -> Page | None:
    """The page at a path, or None if there is none."""
    surfaces = sorted(one.stem for one in folder.glob("*.json") if one.stem != _EXAMPLES)
    pages = {"/docs": _index, "/docs/": _index}
    if path in pages:
        return _html("Holdfast API", pages[path]([(one, _read(folder, one)) for one in surfaces]))
    if path == "/docs/style.css":
        return Page("text/css; charset=utf-8", _STYLE.read_bytes())
    for surface in surfaces:
        if path == f"/docs/{surface}":
            document = _read(folder, surface)
            return _html(document["info"]["title"], surface_page(surface, document))
        if path == f"/docs/{surface}.json":
            return Page("application/json", (folder / f"{surface}.json").read_bytes())
    return None


def _read(folder: Path, surface: str) -> Schema:
    text_of = (folder / f"{surface}.json").read_text(encoding="utf-8")
    document: Schema = json.loads(text_of, parse_float=Decimal)
    return document


def _html(title: str, body: str) -> Page:
    page = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title>"
        f'<link rel="stylesheet" href="/docs/style.css"></head><body>{body}</body></html>\n'
    )
    return Page("text/html; charset=utf-8", page.encode())


def _index(surfaces: list[tuple[str, Schema]]) -> str:
    items = [
        f'<li><a href="/docs/{surface}">{escape(surface)}</a>'
        f' <span class="quiet">{len(list(operations(document)))} operations</span>'
        f"<p>{text(document['info']['summary'])}</p>"
        f"{quiet(text(_prefixes(document)))}</li>"
        for surface, document in surfaces
    ]
    return (
        "<h1>Holdfast API</h1><p>One system and one ledger; each surface spells it in its own way."
        " Tokens for a few people are in <code>.local/session.json</code>.</p>"
        f'<ul class="surfaces">{"".join(items)}</ul>'
    )


def _prefixes(document: Schema) -> str:
    """What the paths of a surface begin with, as far as they have it in common."""
    by_first: dict[str, list[list[str]]] = {}
    for path in document["paths"]:
        _, *steps = path.split("/")
        by_first.setdefault(steps[0], []).append(steps)
    return ", ".join(f"`/{'/'.join(_shared(paths))}`" for paths in by_first.values())


def _shared(paths: list[list[str]]) -> list[str]:
    shared = []
    for steps in zip(*paths, strict=False):
        if len(set(steps)) > 1:
            break
        shared.append(steps[0])
    return shared
