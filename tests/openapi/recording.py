"""One good request for every operation, asked for real, and its answer kept as an example.

    python -m tests.openapi.recording

An example that differs from the one at hand only in what the system makes up (ids, hashes, cursors)
is no other example: the one at hand stays. Nor does the order of a list count, because everything
in the ledger of the examples happened at one instant.
"""

import json
import logging
import re
from collections.abc import Mapping
from contextlib import redirect_stdout
from dataclasses import asdict, replace
from decimal import Decimal
from io import StringIO
from typing import Any

from tests.api.scene import ELSEWHERE, Request, request, scene, things_of
from tests.api.world import OPERATIONS, Answer
from tests.http.events import ADMIN, ALICE, PLATFORM
from tools.api_description import examples
from tools.api_description.examples import Example
from tools.api_description.writing import pretty

CALLERS: dict[str, dict[str, str]] = {"user": ALICE, "admin": ADMIN, "platform": PLATFORM}
KEY = "example"
_SECRET = re.compile(r"(hf_(?:live|test)_\w{4}|(?:seti|pi)_\w{24}_secret_)\w{8,}")
_COUPON = r"[0-9A-Z]{4}(?:-[0-9A-Z]{4}){3}"
_MADE_UP = re.compile(rf"hf_(?:live|test)_\w+|{_COUPON}|[A-Za-z0-9_=-]{{20,}}")


def recorded() -> dict[str, Example]:
    """An example of every operation that answers its good request: one says no to all."""
    found = {}
    for operation in OPERATIONS:
        if operation.name in ELSEWHERE:
            continue
        asked = request(operation.name, things_of("alice"))
        by, answer = _answered(asked)
        assert answer.status < 300, f"{operation.name}: {answer.status} {answer.text}"
        found[operation.name] = Example(
            by="anybody" if operation.public else by,
            path=_in_path(operation.path, asked.path),
            query=asked.query,
            body=asked.body,
            status=answer.status,
            answer=_without_secrets(answer),
        )
    return found


def kept(old: Mapping[str, Example], new: Mapping[str, Example]) -> dict[str, Example]:
    """The new examples, but an old one where the two say the same."""
    return {
        name: old[name] if name in old and same(old[name], example) else example
        for name, example in new.items()
    }


def same(one: Example, other: Example) -> bool:
    """Whether two examples differ in nothing but what the system makes up."""
    return _masked(one) == _masked(other)


def again(example: Example, operation: str) -> tuple[Example, Answer]:
    """An example as it is today, and the answer it got: its ids are those of another ledger."""
    asked = request(operation, things_of("alice"))
    answer = asked.sent(scene(), by=CALLERS.get(example.by), key=KEY)
    today = replace(
        example,
        path=_in_path(operation.split(" ")[1], asked.path),
        query=asked.query,
        body=asked.body,
        status=answer.status,
        answer=_without_secrets(answer),
    )
    return today, answer


def _answered(asked: Request) -> tuple[str, Answer]:
    """The answer to the lowest of callers that may ask."""
    answers = ((by, asked.sent(scene(), by=claims, key=KEY)) for by, claims in CALLERS.items())
    return next((by, answer) for by, answer in answers if answer.status != 403)


def _without_secrets(answer: Answer) -> Any:
    """The body of an answer; a key in it is not written down, though nothing opens with it."""
    if not answer.text:
        return None
    hidden = _SECRET.sub(lambda found: found[1] + "x" * 24, answer.text)
    return json.loads(hidden, parse_float=Decimal)


def _in_path(template: str, path: str) -> dict[str, str]:
    names = re.findall(r"\{(\w+)\}", template)
    found = re.fullmatch(re.sub(r"\{\w+\}", "([^/]+)", template), path)
    assert found is not None
    return dict(zip(names, found.groups(), strict=True))


def _masked(value: Any) -> str:
    match value:
        case Example():
            return _masked(asdict(value))
        case dict():
            members = (f"{name}: {_masked(each)}" for name, each in value.items())
            return f"{{{', '.join(members)}}}"
        case list():
            return f"[{', '.join(sorted(map(_masked, value)))}]"
    return _MADE_UP.sub("…", pretty(value))


if __name__ == "__main__":
    # Every request is told as a log line and as metrics, here to nobody.
    with redirect_stdout(StringIO()):
        logging.disable()
        made = recorded()
    examples.write(kept(examples.read(), made))
