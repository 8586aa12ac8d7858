"""An HTTP server on one of this process's sockets, that stops when told to."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from hypercorn.asyncio import serve
from hypercorn.config import Config

# By then every request has been answered; what is left are connections that callers keep open.
_LINGER_SECONDS = 0.2


class PortTaken(Exception):
    """Something else listens on the port."""


def listen(port: int) -> socket.socket:
    """A socket that listens on 127.0.0.1; port 0 is any that is free.

    Raises:
        PortTaken: Something else has the port.
    """
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind(("127.0.0.1", port))
    except OSError as error:
        listening.close()
        raise PortTaken(f"Port {port} of 127.0.0.1 is taken by another program") from error
    listening.listen(256)
    return listening


def port_of(listening: socket.socket) -> int:
    port = listening.getsockname()[1]
    assert isinstance(port, int)
    return port


def free_port() -> int:
    """A port that nothing listens on at the moment."""
    with listen(0) as listening:
        return port_of(listening)


@contextlib.asynccontextmanager
async def serving(application: Any, listening: socket.socket, *, log: Path) -> AsyncIterator[None]:
    """Serve an ASGI application on a socket while the block runs."""
    config = Config()
    config.bind = [f"fd://{listening.fileno()}"]
    config.errorlog = str(log)
    config.loglevel = "WARNING"
    config.graceful_timeout = _LINGER_SECONDS
    config.keep_alive_max_requests = 1_000_000
    config.include_server_header = False
    stopping = asyncio.Event()
    task = asyncio.create_task(
        serve(application, config, shutdown_trigger=stopping.wait, mode="asgi")
    )
    try:
        yield
    finally:
        stopping.set()
        await task
        # The server has closed it; this forgets the number.
        with contextlib.suppress(OSError):
            listening.detach()
