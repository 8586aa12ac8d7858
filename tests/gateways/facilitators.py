"""The facilitator of the laptop, served to whoever asks over a socket."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from local.facilitator.app import Facilitator
from local.server import listen, port_of, serving


@contextmanager
def served(application: Facilitator, log: Any) -> Iterator[str]:
    """The application on a port, in a thread with a loop of its own."""
    listening = listen(0)
    url = f"http://127.0.0.1:{port_of(listening)}"
    ready = threading.Event()
    stopping: list[Any] = []

    async def serve() -> None:
        over = asyncio.Event()
        stopping.extend((asyncio.get_running_loop(), over))
        async with serving(application, listening, log=log):
            ready.set()
            await over.wait()

    thread = threading.Thread(target=asyncio.run, args=(serve(),), daemon=True)
    thread.start()
    assert ready.wait(timeout=5)
    try:
        yield url
    finally:
        loop, over = stopping
        loop.call_soon_threadsafe(over.set)
        thread.join(timeout=5)
