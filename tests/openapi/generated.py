"""Requests that schemathesis makes of a description, sent to the functions as a gateway would.

Nothing listens anywhere: a request becomes an event, and the event goes to the function that serves
its path, over a table in memory.
"""

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis import Case, GenerationMode, Response
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from local import gateway
from local.environment import Outcome
from local.routes import Authorizer, Route
from tests.api.scene import CALLS, ELSEWHERE, Request, request, scene, things_of
from tests.api.world import World
from tests.http.events import ALICE
from tests.openapi.descriptions import Document
from tests.openapi.recording import CALLERS
from tools.api_description.examples import read
from tools.api_description.writing import pretty

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    response_headers_conformance,
    negative_data_rejection,
]
_ANYBODY = tuple(CALLERS.values())
_ALLOWED = {name: CALLERS.get(example.by, ALICE) for name, example in read().items()}
"""Who may ask for what, as far as the examples know."""
_NEW_WORLD_AFTER = 40
"""Requests; by then money is spent and holds are closed, and refusals are all there is to see."""
_ADDRESS = "http://127.0.0.1"
_EVERYTHING = [Route("ANY", "/{proxy+}", "all", is_authorized=False)]
_NOBODY = Authorizer("nobody", "authorization", cache_seconds=0)


NOT_SERVED_HERE = "/api/v1/billing/card/tokenize"
"""The one operation whose only answer is 503: card numbers go elsewhere."""


@dataclass
class Traffic:
    """The functions, asked by several callers in turn; and how often each status was answered."""

    statuses: Counter[int] = field(default_factory=Counter)
    world: World = field(default_factory=scene)
    sent: int = 0
    broken: list[str] = field(default_factory=list)

    def send(self, case: Case[Any], *, by: dict[str, str] | None = None) -> Response:
        """What is answered to a request; mostly to somebody who may ask, unless it is said who."""
        if self.sent % _NEW_WORLD_AFTER == 0:
            self.world = scene()
        told = case.as_transport_kwargs(base_url=_ADDRESS)
        told.pop("cookies", None)
        prepared = requests.Request(**told).prepare()
        claims = by or self._caller(case.operation.label)

        async def invoke(name: str, event: bytes) -> Outcome:
            return self._invoked(event, claims)

        api = gateway.Gateway(_EVERYTHING, _NOBODY, invoke)
        answer = asyncio.run(api.answer(_incoming(prepared)))
        self.sent += 1
        self.statuses[answer.status] += 1
        if answer.status >= 500 and prepared.path_url != NOT_SERVED_HERE:
            self.broken.append(f"{answer.status} {prepared.method} {prepared.path_url}")
        headers: dict[str, list[str]] = {}
        for name, value in answer.headers:
            headers.setdefault(name.decode("latin-1"), []).append(value.decode("latin-1"))
        return Response(
            status_code=answer.status,
            headers=headers,
            content=answer.body,
            request=prepared,
            elapsed=0,
            verify=False,
        )

    def told(self) -> str:
        """How many requests, and how they were answered."""
        by_status = ", ".join(f"{status}: {n}" for status, n in sorted(self.statuses.items()))
        return f"{self.sent} ({by_status})"

    def _caller(self, operation: str) -> dict[str, str]:
        if self.sent % 4 == 0:
            return _ANYBODY[self.sent // 4 % len(_ANYBODY)]
        return _ALLOWED.get(operation, ALICE)

    def _invoked(self, event: bytes, claims: dict[str, str]) -> Outcome:
        asked = json.loads(event)
        asked["requestContext"]["authorizer"] = {"lambda": claims}
        answer = self.world.deliver(asked)
        told = {"statusCode": answer.status, "headers": answer.headers, "body": answer.text}
        return Outcome(json.dumps(told).encode())


def operations(document: Document) -> list[tuple[str, Any]]:
    """Every operation of a description, by its name, as schemathesis sees it."""
    # A number with a point is a Decimal here, and schemathesis reads what JSON has.
    told = json.loads(pretty(document))
    # Who may ask is asked elsewhere; here every caller has a credential.
    del told["security"], told["components"]["securitySchemes"]
    schema = schemathesis.openapi.from_dict(told)
    found: list[Any] = list(schema.get_all_operations())
    return [(f"{each.method.upper()} {each.path}", each) for each in (one.ok() for one in found)]


def ask(name: str, operation: Any, traffic: Traffic, *, at_random: int, number: int = 0) -> None:
    """Ask an operation all that is at its boundaries, and as much at random; check each answer."""
    if number == 0:
        for case in _boundaries(operation):
            check(case, traffic)
    good = request(name, things_of("alice"))

    def right(case: Case[Any]) -> None:
        if traffic.sent % 3:
            grounded(case, good, whole=traffic.sent % 3 == 1)
        check(case, traffic)

    for_each(operation, right, is_right=True, count=at_random, number=number)
    if _takes_anything(operation):
        wrong = partial(check, traffic=traffic)
        for_each(operation, wrong, is_right=False, count=at_random, number=number)


def for_each(
    operation: Any, each: Callable[[Case[Any]], None], *, is_right: bool, count: int, number: int
) -> None:
    """Make requests at random, of which the description says that they are right, or wrong."""
    mode = GenerationMode.POSITIVE if is_right else GenerationMode.NEGATIVE

    @seed(number)
    @settings(
        max_examples=count,
        database=None,
        deadline=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def asked(case: Case[Any]) -> None:
        each(case)

    asked()


def check(case: Case[Any], traffic: Traffic) -> None:
    """Send a request, and hold its answer against the description."""
    answer = traffic.send(case)
    checks = list(CHECKS)
    if case.operation.label in CALLS:
        # What is wrong with a call is told in the answer to it.
        checks.remove(negative_data_rejection)
    if case.operation.label in ELSEWHERE:
        checks = [one for one in checks if one not in (not_a_server_error, negative_data_rejection)]
    if case.method.upper() != case.operation.method.upper():
        checks = [not_a_server_error]
    case.validate_response(answer, checks=checks)


def grounded(case: Case[Any], good: Request, *, whole: bool) -> None:
    """Put things that there are into the places of a request that name one.

    What is made at random names nobody and nothing; this way its other parts are looked at too.
    """
    for place, value in zip(case.path.split("/"), good.path.split("/"), strict=True):
        if place.startswith("{"):
            case.path_parameters[place.strip("{}")] = value
    case.query.update(good.query)
    case.query.pop("cursor", None)
    for part in (case.query, case.body):
        if isinstance(part, dict) and "currency" in part:
            part["currency"] = "usd"
    if isinstance(case.body, dict) and isinstance(good.body, dict):
        known = {
            name: value for name, value in good.body.items() if whole or isinstance(value, str)
        }
        case.body.update(known)


def _boundaries(operation: Any) -> Iterator[Case[Any]]:
    """Requests at, below and above every limit that is described, and with every part missing."""
    config = operation.schema.config.generation_for(operation=operation, phase="coverage")
    modes = [GenerationMode.POSITIVE, GenerationMode.NEGATIVE]
    cases: Iterator[Case[Any]] = operation.schema.iter_coverage_cases(
        operation, generation_modes=modes, generation_config=config
    )
    return cases


def _takes_anything(operation: Any) -> bool:
    """Whether there is anything in a request that could be wrong."""
    raw = operation.definition.raw
    return bool(raw.get("parameters") or raw.get("requestBody"))


def _incoming(prepared: requests.PreparedRequest) -> gateway.Request:
    parts = urlsplit(prepared.url or "")
    body: Any = prepared.body or b""
    return gateway.Request(
        method=prepared.method or "",
        raw_path=parts.path,
        query=parts.query,
        headers={name.lower(): _text(value) for name, value in prepared.headers.items()},
        cookies=[],
        body=body if isinstance(body, bytes) else body.encode(),
        source_ip="127.0.0.1",
        id="generated",
    )


def _text(value: Any) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value
