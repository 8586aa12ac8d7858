"""What is served, held against the list of everything that there is to serve.

`operations.csv` names every operation of the five surfaces with the function that serves it, and
`additions.csv` the few that are served besides. Each route of a function must be on one of them,
and a request for it must get through the template's gateway to that function.
"""

import csv
import json
import os
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.contract.gateway import Route, chosen, routes_of, shape
from tools.translate_template import translate

ROOT = Path(__file__).resolve().parents[2]
METHODS = {"DELETE", "GET", "PATCH", "POST", "PUT"}
OPEN = {
    ("GET", "/v1/health"),
    ("GET", "/v1/plans"),
    ("GET", "/api/v1/billing/plans"),
    ("GET", "/api/v1/billing/plans/{id}"),
    ("GET", "/api/v1/dns/plans"),
    # What comes with a signature of the provider's, and no other credential.
    ("POST", "/v1/billing/stripe/webhook"),
    ("POST", "/api/v1/billing/webhooks/{provider}"),
}


@dataclass(frozen=True, slots=True, order=True)
class Operation:
    function: str
    method: str
    path: str


def _listed(name: str) -> list[dict[str, str]]:
    with (Path(__file__).parent / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


DOCUMENTED = _listed("operations.csv")
ADDITIONS = _listed("additions.csv")
LISTED = {
    Operation(line["function"], line["method"], line["path"]) for line in DOCUMENTED + ADDITIONS
}

# For people, and no operations: nothing on a list, and nothing that a caller could know of.
PAGES = {Operation("funding", "GET", "/checkout/success")}

# The least that must be there: what the lists have for what is built. Without it an empty function
# would agree with any list.
BUILT = ("1", "2")
REQUIRED = {
    Operation(line["function"], line["method"], line["path"])
    for line in DOCUMENTED + ADDITIONS
    if line["milestone"] in BUILT
}


@pytest.fixture(scope="module")
def routes() -> list[Route]:
    found = routes_of(translate(ROOT / "template.yaml"))
    assert found
    return found


@pytest.fixture(scope="module")
def served(routes: list[Route]) -> set[Operation]:
    """What the functions serve, spelled as on the list; a function without a route as well."""
    written = {path.parent.name for path in (ROOT / "functions").glob("*/app.py")}
    packages = {route.function for route in routes} | (written & {o.function for o in LISTED})
    run = subprocess.run(
        [sys.executable, "-m", "tests.contract.served_routes", *sorted(packages)],
        cwd=ROOT,
        env={
            **os.environ,
            "PYTHONPATH": f"{ROOT}:{ROOT}/layers/core:{ROOT}/functions",
            "TABLE_NAME": "holdfast",
            "EVENT_BUS_NAME": "holdfast",
            "HOLDFAST_VERSION": "0.0.0",
            "POWERTOOLS_SERVICE_NAME": "contract",
            "POWERTOOLS_METRICS_NAMESPACE": "Holdfast",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    spelled = {shape(operation.path): operation.path for operation in LISTED}
    return {
        Operation(function, method, spelled.get(shape(path), path))
        for function, answered in json.loads(run.stdout.rpartition("\n")[2]).items()
        for method, path in answered
    }


def test_the_list_names_each_operation_once():
    lines = Counter((line["method"], shape(line["path"])) for line in DOCUMENTED + ADDITIONS)

    assert [operation for operation, count in lines.items() if count > 1] == []
    assert {method for method, _ in lines} <= METHODS
    assert (len(DOCUMENTED), len(ADDITIONS)) == (239, 1)


def test_every_route_of_a_function_is_on_the_list(served: set[Operation]):
    assert sorted(served - LISTED) == []


def test_what_was_promised_is_served(served: set[Operation], record_property):
    record_property("figure", f"operations: served {len(served & LISTED)} / total {len(LISTED)}")

    assert len(REQUIRED) >= 125
    assert sorted(REQUIRED - served) == []


def test_every_operation_is_reached_through_the_gateway(
    served: set[Operation], routes: list[Route]
):
    astray = {
        operation: route.function if route else "nowhere"
        for operation in served
        if (route := chosen(routes, operation.method, operation.path)) is None
        or route.function != operation.function
    }

    assert astray == {}


def test_no_route_of_the_gateway_leads_nowhere(served: set[Operation], routes: list[Route]):
    walked = {chosen(routes, operation.method, operation.path) for operation in served | PAGES}

    assert [route for route in routes if route not in walked] == []


def test_a_route_takes_a_method_that_there_is(routes: list[Route]):
    assert {route.method for route in routes} <= METHODS | {None}


def test_only_what_is_declared_public_is_open(served: set[Operation], routes: list[Route]):
    without_a_caller = {
        (operation.method, operation.path)
        for operation in served | PAGES
        if (route := chosen(routes, operation.method, operation.path)) and route.is_open
    }

    assert without_a_caller == OPEN | {(page.method, page.path) for page in PAGES}


@pytest.mark.parametrize(
    ("method", "path", "function"),
    [
        ("GET", "/v1/noun", "exact"),
        ("POST", "/v1/noun", "any"),
        ("GET", "/v1/noun/7", "one"),
        ("GET", "/v1/noun/special", "special"),
        ("GET", "/v1/noun/7/more", "greedy"),
        ("GET", "/v1/other", None),
        ("GET", "/v1/noun/", None),
    ],
)
def test_the_gateway_picks_the_closest_route(method: str, path: str, function: str | None):
    routes = [
        Route(method=None, path="/v1/noun/{proxy+}", function="greedy", is_open=False),
        Route(method="GET", path="/v1/noun/{id}", function="one", is_open=False),
        Route(method="GET", path="/v1/noun/special", function="special", is_open=False),
        Route(method=None, path="/v1/noun", function="any", is_open=False),
        Route(method="GET", path="/v1/noun", function="exact", is_open=False),
    ]

    route = chosen(routes, method, path)

    assert (route.function if route else None) == function
