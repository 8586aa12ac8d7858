"""HTTP/1.1 on a connection, as far down as it takes to lose an answer or to reset it."""

import asyncio
import contextlib
import socket
import struct
from dataclasses import dataclass, field
from http import HTTPStatus
from urllib.parse import unquote

HEAD_BYTES_MAX = 64 * 1024
_BODY_BYTES_MAX = 1024 * 1024


class Malformed(Exception):
    """What came in is no request that is answered; `status` says why."""

    def __init__(self, status: HTTPStatus) -> None:
        super().__init__(status.phrase)
        self.status = status


@dataclass(frozen=True, slots=True)
class Request:
    """A request; names of headers are in lower case."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes

    @property
    def host(self) -> str:
        return self.headers.get("host", "").rpartition(":")[0] or self.headers.get("host", "")


@dataclass(frozen=True, slots=True)
class Answer:
    """A response."""

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)


async def read_request(reader: asyncio.StreamReader) -> Request | None:
    """The next request on a connection, or None once the caller has closed it.

    Raises:
        Malformed: It is no request, or is too large.
    """
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
    except asyncio.LimitOverrunError as error:
        raise Malformed(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE) from error
    first, *lines = head.decode("latin-1").split("\r\n")[:-2]
    try:
        method, target, _ = first.split(" ")
        headers = {
            name.strip().lower(): value.strip()
            for name, _, value in (line.partition(":") for line in lines)
        }
        length = int(headers.get("content-length", "0"))
    except ValueError as error:
        raise Malformed(HTTPStatus.BAD_REQUEST) from error
    if "transfer-encoding" in headers:
        raise Malformed(HTTPStatus.LENGTH_REQUIRED)
    if not 0 <= length <= _BODY_BYTES_MAX:
        raise Malformed(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    path, _, query = target.partition("?")
    try:
        body = await reader.readexactly(length)
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
    return Request(method, unquote(path), query, headers, body)


async def write_answer(writer: asyncio.StreamWriter, answer: Answer, *, has_body: bool) -> None:
    """Send a response; whoever has gone in the meantime does not get it."""
    phrase = HTTPStatus(answer.status).phrase
    headers = {
        "content-type": "text/plain; charset=utf-8",
        "cache-control": "no-cache, no-store",
        **answer.headers,
        "content-length": str(len(answer.body)),
    }
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    head = f"HTTP/1.1 {answer.status} {phrase}\r\n{lines}\r\n".encode("latin-1")
    with contextlib.suppress(ConnectionError):
        writer.write(head + (answer.body if has_body else b""))
        await writer.drain()


def reset(writer: asyncio.StreamWriter) -> None:
    """Close a connection so that the other end sees it reset, and not ended."""
    connection = writer.get_extra_info("socket")
    with contextlib.suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
