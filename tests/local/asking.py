"""Asking an ASGI application, without a server or a socket."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from local.environment import Outcome

type Application = Callable[[Any, Any, Any], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Reply:
    """What the application sent."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes

    @property
    def document(self) -> Any:
        return json.loads(self.body)

    def header(self, name: str) -> list[str]:
        return [value for named, value in self.headers if named == name]


async def asked(
    application: Application,
    method: str,
    target: str,
    *,
    headers: list[tuple[str, str]] | None = None,
    parts: list[bytes] | None = None,
) -> Reply:
    """Send one request, its body in these parts."""
    path, _, query = target.partition("?")
    left = list(parts or [b""])
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": left.pop(0), "more_body": bool(left)}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": method,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "headers": [(name.encode(), value.encode()) for name, value in headers or []],
        "client": ("192.0.2.10", 50000),
    }
    await application(scope, receive, send)
    start, *bodies = sent
    return Reply(
        start["status"],
        [(name.decode(), value.decode()) for name, value in start["headers"]],
        b"".join(one["body"] for one in bodies),
    )


def ask(application: Application, method: str, target: str, **named: Any) -> Reply:
    return asyncio.run(asked(application, method, target, **named))


class Functions:
    """Functions that answer what they are told to, and remember what they were asked."""

    def __init__(self, **answers: Any) -> None:
        self.answers = answers
        self.events: list[tuple[str, Any]] = []

    def __call__(self, name: str, event: bytes) -> Coroutine[Any, Any, Outcome]:
        self.events.append((name, json.loads(event)))
        return self._answer(self.answers[name])

    def asked(self, name: str) -> list[Any]:
        return [event for named, event in self.events if named == name]

    async def _answer(self, answer: Any) -> Outcome:
        if isinstance(answer, Outcome):
            return answer
        return Outcome(json.dumps(answer).encode())
