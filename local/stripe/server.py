"""The server: one socket for the API, the pages and the control endpoint, and what it keeps."""

import asyncio
import contextlib
import json
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Self, TypedDict, Unpack

from local.server import listen, port_of
from local.stripe import balance, checkout, paying, refunds
from local.stripe.api import Api, failure
from local.stripe.control import Control
from local.stripe.errors import Object
from local.stripe.faults import Fault, Faults
from local.stripe.pages import Pages
from local.stripe.webhooks import Settings, Webhooks
from local.stripe.wire import (
    HEAD_BYTES_MAX,
    Answer,
    Malformed,
    Request,
    read_request,
    reset,
    write_answer,
)
from local.stripe.world import World

_STATE_FILE = "stripe.json"
_TICK_SECONDS = 1.0
_START_SECONDS = 10.0


class Options(TypedDict, total=False):
    """What a server is started with."""

    state: Path | None
    webhook_url: str | None
    webhook_secret: str | None
    secret_key: str | None
    seed: str | None
    clock: Callable[[], float]
    mode: str


class StripeServer:
    """A simulated Stripe on a socket of this process, while the block runs.

    `state` is a folder that it is saved to at the end and comes back from at the start; without
    one, everything is forgotten. `secret_key` is the only key that is let in, if it is given;
    otherwise any `sk_test_…` is. With a `seed` the same calls make the same ids. `mode` is `test`,
    or `live` for one that takes `sk_live_…` and says so of everything that it makes.
    """

    def __init__(
        self,
        listening: socket.socket | None = None,
        *,
        state: Path | None = None,
        webhook_url: str | None = None,
        webhook_secret: str | None = None,
        secret_key: str | None = None,
        seed: str | None = None,
        clock: Callable[[], float] = time.time,
        mode: str = "test",
    ) -> None:
        self._listening = listening or listen(0)
        self._file = None if state is None else state / _STATE_FILE
        self.address = f"http://127.0.0.1:{port_of(self._listening)}"
        self._world = World(seed=seed, clock=clock, mode=mode)
        self._world.address = self.address
        secrets = [] if webhook_secret is None else [webhook_secret]
        self._webhooks = Webhooks(self._world, Settings(url=webhook_url, secrets=secrets))
        self._faults = Faults()
        self._api = Api(self._world, secret_key=secret_key)
        self._pages = Pages(self._world)
        self._control = Control(self._world, self._faults, self._webhooks, self._settle)
        self._conversations: set[asyncio.Task[None]] = set()
        self._settled_at = 0
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        self._load()
        self._server = await asyncio.start_server(
            self._converse, sock=self._listening, limit=HEAD_BYTES_MAX
        )
        self._tasks = [asyncio.create_task(self._webhooks.run()), asyncio.create_task(self._tick())]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._server.close()
        tasks = [*self._tasks, *self._conversations]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._server.wait_closed()
        self._save()

    def set_webhook(self, url: str, secret: str) -> None:
        """Where events go from now on, and what they are signed with."""
        self._webhooks.change({"url": url, "secrets": [secret]})

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(_TICK_SECONDS)
            self._settle()
            # Beside it, the emulator outlives a killed stack and saves: the two must not part ways.
            self._save()

    def _settle(self) -> None:
        """Do what time has brought, once a second."""
        if self._settled_at == self._world.now():
            return
        self._settled_at = self._world.now()
        for part in (checkout, paying, refunds, balance):
            part.settle(self._world)
        self._world.forget_old()

    def _load(self) -> None:
        if self._file is None or not self._file.is_file():
            return
        kept = self._file.read_text("utf-8")
        # Addresses in what was kept lead to where the pages were then.
        former = json.loads(kept)["address"]
        dumped = json.loads(kept.replace(former, self.address))
        self._world.load(dumped["world"])
        self._webhooks.load(dumped["pending"])

    def dumped(self) -> Object:
        """All that is kept over a restart, as JSON."""
        return {
            "address": self.address,
            "pending": self._webhooks.dump(),
            "world": self._world.dump(),
        }

    def _save(self) -> None:
        if self._file is None:
            return
        self._file.parent.mkdir(parents=True, exist_ok=True)
        part = self._file.with_suffix(".part")
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump(self.dumped(), file)
        part.replace(self._file)

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the requests of one connection, one after the other."""
        conversation = asyncio.current_task()
        assert conversation is not None
        self._conversations.add(conversation)
        try:
            while not writer.is_closing():
                request = await read_request(reader)
                if request is None:
                    break
                answer = await self._answer(request, writer)
                if answer is None:
                    break
                await write_answer(writer, answer, has_body=request.method != "HEAD")
                if request.headers.get("connection", "").lower() == "close":
                    break
        except Malformed as malformed:
            answer = Answer(malformed.status, malformed.status.phrase.encode())
            await write_answer(writer, answer, has_body=True)
        finally:
            self._conversations.discard(conversation)
            writer.close()

    async def _answer(self, request: Request, writer: asyncio.StreamWriter) -> Answer | None:
        """The answer, or None if the connection ends without one."""
        self._settle()
        if request.path.startswith("/_control/"):
            return await self._control.answer(request)
        if not request.path.startswith("/v1"):
            return self._pages.answer(request)
        fault = None
        if not self._api.is_in_progress(request):
            fault = self._faults.take(request.method, request.path)
        if fault is None:
            answer: Answer | None = self._api.answer(request)
        else:
            answer = await self._go_wrong(fault, request, writer)
        self._control.requests.append(
            {
                "method": request.method,
                "path": request.path,
                "idempotency_key": request.headers.get("idempotency-key"),
                "fault": None if fault is None else fault.kind,
                "status": None if answer is None else answer.status,
            }
        )
        return answer

    async def _go_wrong(
        self, fault: Fault, request: Request, writer: asyncio.StreamWriter
    ) -> Answer | None:
        if fault.kind == "delay":
            with self._api.in_progress(request):
                await asyncio.sleep(fault.seconds)
            return self._api.answer(request)
        if fault.is_done:
            self._api.answer(request)
        match fault.kind:
            case "error":
                return failure(fault.refusal(), self._world.new_id("req"), request)
            case "answer":
                kind = {"content-type": "application/json"}
                return Answer(fault.status, fault.body.encode(), kind)
            case "hang":
                await asyncio.sleep(fault.seconds)
            case "reset":
                reset(writer)
        return None


@contextlib.contextmanager
def running(**options: Unpack[Options]) -> Iterator[StripeServer]:
    """A simulated Stripe in a thread of its own, for what is not asynchronous itself."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="simulated Stripe", daemon=True)
    thread.start()

    async def start() -> StripeServer:
        return await StripeServer(**options).__aenter__()

    server = asyncio.run_coroutine_threadsafe(start(), loop).result(_START_SECONDS)
    try:
        yield server
    finally:
        stopping = asyncio.run_coroutine_threadsafe(server.__aexit__(None, None, None), loop)
        stopping.result(_START_SECONDS)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(_START_SECONDS)
        loop.close()
