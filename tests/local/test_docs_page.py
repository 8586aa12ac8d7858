"""The documentation in the browser: every operation, no script, nothing from anywhere else."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from local.docs_page import FOLDER, Page, page_at
from local.gateway import Gateway
from local.routes import Authorizer, Route
from tests.local.asking import Functions, ask

SURFACES = sorted(path.stem for path in FOLDER.glob("*.json") if path.stem != "examples")
ROUTES = [Route("ANY", "/v1/wallet", "wallet", is_authorized=True)]
AUTHORIZER = Authorizer("authorizer", "authorization", cache_seconds=60)
_EMPTY = {"br", "link", "meta"}


class Read(HTMLParser):
    """A page's links, ids and words; a tag that is not closed in its place is a mistake."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.links: list[str] = []
        self.ids: list[str] = []
        self.words: list[str] = []
        self.attributes: set[str] = set()
        self.tags: set[str] = set()
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        if tag not in _EMPTY:
            self.open.append(tag)
        for name, value in attrs:
            self.attributes.add(name)
            if name == "href":
                self.links.append(value or "")
            if name == "id":
                self.ids.append(value or "")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def page(path: str, folder: Path = FOLDER) -> Page:
    found = page_at(path, folder)
    assert found is not None
    return found


def read(path: str, folder: Path = FOLDER) -> Read:
    return Read(page(path, folder).body.decode())


def document(surface: str) -> Any:
    return json.loads((FOLDER / f"{surface}.json").read_text())


@pytest.mark.parametrize("path", ["/docs", "/docs/"])
def test_the_first_page_leads_to_every_surface(path: str):
    links = read(path).links

    assert links == ["/docs/style.css", *(f"/docs/{surface}" for surface in SURFACES)]


@pytest.mark.parametrize("surface", SURFACES)
def test_a_surface_shows_every_operation_and_every_model(surface: str):
    shown = read(f"/docs/{surface}")

    told = document(surface)
    operations = {
        operation["operationId"]: path
        for path, methods in told["paths"].items()
        for operation in methods.values()
    }
    assert set(shown.ids) == {
        *operations,
        *(f"model-{name}" for name in told["components"]["schemas"]),
    }
    assert len(shown.ids) == len(set(shown.ids))
    assert set(operations.values()) <= set(shown.words)


@pytest.mark.parametrize("path", ["/docs", *(f"/docs/{surface}" for surface in SURFACES)])
def test_every_link_leads_somewhere(path: str):
    shown = read(path)

    for link in shown.links:
        assert link.removeprefix("#") in shown.ids or page_at(link) is not None, link


@pytest.mark.parametrize("path", ["/docs", *(f"/docs/{surface}" for surface in SURFACES)])
def test_a_page_runs_nothing_and_asks_nobody_else(path: str):
    shown, headers = read(path), dict(page(path).headers)

    policy = headers[b"content-security-policy"].decode()
    assert policy.startswith("default-src 'none'; style-src 'self';")
    assert "unsafe" not in policy
    assert not shown.tags & {"script", "style", "img", "iframe", "form"}
    assert not {name for name in shown.attributes if name.startswith("on") or name == "style"}
    assert all(link.startswith(("/docs", "#")) for link in shown.links)


def test_what_a_description_says_is_never_markup(tmp_path: Path):
    told = document(SURFACES[0])
    wrong = "<script>alert(1)</script>`<b>`"
    told["info"]["summary"] = wrong
    for methods in told["paths"].values():
        for operation in methods.values():
            operation.update(summary=wrong, description=wrong)
            operation["parameters"] = [
                {"name": wrong, "in": "query", "schema": {"default": wrong, "pattern": wrong}}
            ]
    told["components"]["schemas"]["Planted"] = {"enum": [wrong], "description": wrong}
    (tmp_path / "planted.json").write_text(json.dumps(told))

    assert not read("/docs/planted", tmp_path).tags & {"script", "b"}
    assert not read("/docs", tmp_path).tags & {"script", "b"}


def test_an_example_is_a_command_with_its_answer():
    words = "".join(read("/docs/billing").words)

    assert 'curl -s "$API/v1/billing/holds" \\\n  -H "Authorization: Bearer $TOKEN"' in words
    assert re.search(r"-d '\{ \"amount\": \d+ \}'", words)
    assert 'curl -s "$API/v1/health"' in words


@pytest.mark.parametrize("surface", SURFACES)
def test_the_description_itself_is_there_for_other_tools(surface: str):
    found = page(f"/docs/{surface}.json")

    assert found.content_type == "application/json"
    assert found.body == (FOLDER / f"{surface}.json").read_bytes()


@pytest.mark.parametrize(
    "path", ["/docs/examples", "/docs/examples.json", "/docs/nothing", "/docs/../x", "/doc", "/"]
)
def test_there_is_nothing_else(path: str):
    assert page_at(path) is None


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/docs", 200),
        ("HEAD", "/docs", 200),
        ("POST", "/docs", 404),
        ("GET", "/docs/nothing", 404),
        ("GET", "/v1/wallet", 401),
    ],
)
def test_the_gateway_shows_it_to_anybody(method: str, path: str, status: int):
    functions = Functions()

    reply = ask(Gateway(ROUTES, AUTHORIZER, functions), method, path)

    assert reply.status == status
    assert functions.events == []
    if method == "GET" and status == 200:
        assert reply.body == page(path).body
