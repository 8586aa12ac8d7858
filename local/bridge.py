"""How the emulator's triggers reach the functions: stream, queue and schedule invoke over HTTP.

The emulator posts an event to one address for all functions, the name in a header, and takes any
status above 299 for a failed invocation.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any

from local.environment import Outcome
from local.fleet import Fleet

NAME_HEADER = b"x-amzn-lambda-function-name"


class Bridge:
    """An ASGI application that runs the function named in a header on the body."""

    def __init__(self) -> None:
        # The emulator polls from its first moment, before there is anything to run.
        self._fleet: asyncio.Future[Fleet] = asyncio.get_running_loop().create_future()

    def open(self, fleet: Fleet) -> None:
        """Let events through to these functions; those that came before this have waited."""
        self._fleet.set_result(fleet)

    async def __call__(
        self,
        scope: Any,
        receive: Callable[[], Awaitable[Any]],
        send: Callable[[Any], Awaitable[None]],
    ) -> None:
        if scope["type"] != "http":
            return
        event = bytearray()
        while True:
            message = await receive()
            event += message.get("body", b"")
            if not message.get("more_body"):
                break
        name = dict(scope["headers"]).get(NAME_HEADER, b"").decode()
        fleet = await asyncio.shield(self._fleet)
        outcome = await fleet.invoke(name, bytes(event))
        status = HTTPStatus.BAD_GATEWAY if has_failed(bytes(event), outcome) else HTTPStatus.OK
        headers = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": outcome.body})


def has_failed(event: bytes, outcome: Outcome) -> bool:
    """Whether the emulator has to deliver a batch again.

    It reads the failures a handler reports for a queue, not those for a stream: there it would
    take the answer for success and go on, and the records would be lost. So such a batch fails as
    a whole; records that went well come again, which is what a stream's consumer must bear anyway.
    """
    if outcome.is_failure:
        return True
    records = json.loads(event).get("Records") or []
    if not records or records[0].get("eventSource") != "aws:dynamodb":
        return False
    answer = json.loads(outcome.body)
    return isinstance(answer, dict) and bool(answer.get("batchItemFailures"))
