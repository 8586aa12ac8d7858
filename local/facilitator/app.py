"""The facilitator over HTTP: its routes, and two more to watch it and to make it misbehave."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass, field
from http import HTTPStatus
from typing import Any

from local.facilitator.chain import Answer, Chain, Knobs, refusal

SUPPORTED = {
    "kinds": [
        {"x402Version": 2, "scheme": "exact", "network": "eip155:8453"},
        {"x402Version": 2, "scheme": "exact", "network": "eip155:84532"},
        {"x402Version": 1, "scheme": "exact", "network": "base"},
        {"x402Version": 1, "scheme": "exact", "network": "base-sepolia"},
    ],
    "extensions": [],
    "signers": {},
}
NOT_FOUND = {"error": "There is nothing here."}


@dataclass(slots=True)
class Facilitator:
    """An ASGI application: /verify, /settle, /supported; /knobs (PUT) and /transfers."""

    chain: Chain = field(default_factory=Chain)
    knobs: Knobs = field(default_factory=Knobs)
    clock: Callable[[], float] = time.time

    async def __call__(
        self,
        scope: Any,
        receive: Callable[[], Awaitable[Any]],
        send: Callable[[Any], Awaitable[None]],
    ) -> None:
        if scope["type"] != "http":
            return
        body = bytearray()
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        try:
            asked = json.loads(body or b"{}")
        except ValueError:
            asked = None
        path = scope["raw_path"].decode().partition("?")[0]
        status, answer = await self._answer(scope["method"], path, asked)
        headers = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": json.dumps(answer).encode()})

    async def _answer(self, method: str, path: str, asked: Any) -> tuple[HTTPStatus, Any]:
        match (method, path):
            case ("POST", "/verify"):
                return HTTPStatus.OK, self._verify(asked)
            case ("POST", "/settle"):
                return HTTPStatus.OK, await self._settle(asked)
            case ("GET", "/supported"):
                return HTTPStatus.OK, SUPPORTED
            case ("GET", "/transfers"):
                return HTTPStatus.OK, list(self.chain.transfers.values())
            case ("PUT", "/knobs"):
                self.knobs = Knobs(**asked)
                return HTTPStatus.OK, asdict(self.knobs)
            case _:
                return HTTPStatus.NOT_FOUND, NOT_FOUND

    def _verify(self, asked: Any) -> Answer:
        if self.knobs.verify_fails is not None:
            return {"isValid": False, "invalidReason": self.knobs.verify_fails}
        return self.chain.verify(asked, now_seconds=int(self.clock()))

    async def _settle(self, asked: Any) -> Answer:
        if self.knobs.settle_fails is not None:
            return refusal(self.knobs.settle_fails)
        before = self.chain.settled(asked)
        if before is not None:
            again = self.knobs.settled_again
            return before if again is None else refusal(again)
        answer = self.chain.settle(asked, now_seconds=int(self.clock()))
        await asyncio.sleep(self.knobs.settle_hangs_seconds)
        return answer
