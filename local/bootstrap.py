"""What runs inside an execution environment: one handler, one event at a time, as on Lambda.

Started by `processes.py` as a process of its own, without the project on its path: a function
sees its task folder, its layers and the installed packages. Frames go over one socket, each a
head and a body; the process ends when the other side of the socket does, so none is left behind.

With HOLDFAST_NURSERY it is no environment but the parent of many: it imports what all functions
share, once, and makes an environment of a copy of itself whenever it is asked to. The copies share
that memory until they write to it.
"""

import gc
import importlib
import json
import os
import runpy
import signal
import socket
import struct
import sys
import time
import traceback
from collections.abc import Callable
from io import BufferedRWPair
from typing import Any

_LENGTHS = struct.Struct(">II")
_REQUEST_BYTES_MAX = 1 << 16

type Handler = Callable[[Any, Context], Any]


class Context:
    """The second argument of a handler."""

    identity = None
    client_context = None
    tenant_id = None

    def __init__(self, head: dict[str, Any]) -> None:
        self.aws_request_id: str = head["request_id"]
        self.invoked_function_arn: str = head["function_arn"]
        self.function_name = os.environ["AWS_LAMBDA_FUNCTION_NAME"]
        self.function_version = os.environ["AWS_LAMBDA_FUNCTION_VERSION"]
        # Lambda passes the number on as it stands in the environment: a string.
        self.memory_limit_in_mb = os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]
        self.log_group_name = os.environ["AWS_LAMBDA_LOG_GROUP_NAME"]
        self.log_stream_name = os.environ["AWS_LAMBDA_LOG_STREAM_NAME"]
        self._deadline_seconds = head["deadline_seconds"]

    def get_remaining_time_in_millis(self) -> int:
        return max(0, int((self._deadline_seconds - time.time()) * 1000))


def main() -> None:
    """Be an environment, at once or as a copy of what was a nursery until then."""
    nursery = os.environ.pop("HOLDFAST_NURSERY", "")
    if not nursery:
        _work(socket.socket(fileno=int(os.environ.pop("HOLDFAST_CHANNEL"))))
        return
    for shared in sys.argv[1:]:
        runpy.run_path(shared)
    # What is there now stays: looking through it for garbage would make a copy of it.
    gc.collect()
    gc.freeze()
    channel = _copied(socket.socket(fileno=int(nursery)))
    if channel is not None:
        _work(channel)


def _copied(control: socket.socket) -> socket.socket | None:
    """Make and end copies as asked. In a copy: its channel. Else None, when nobody asks any more.

    Only their parent may end processes by number: until it has looked after a dead one, no other
    process can have that number.
    """
    while True:
        message, passed, _, _ = socket.recv_fds(control, _REQUEST_BYTES_MAX, 2)
        if not message:
            return None
        asked = json.loads(message)
        if "end" in asked:
            os.kill(asked["end"], signal.SIGKILL)
            os.waitpid(asked["end"], 0)
            control.send(b"0")
            continue
        pid = os.fork()
        if not pid:
            control.close()
            return _dressed(asked["variables"], *passed)
        for number in passed:
            os.close(number)
        control.send(str(pid).encode())


def _dressed(variables: dict[str, str], channel: int, output: int) -> socket.socket:
    """Take on the variables, the output and the session of a process of its own."""
    os.setsid()
    for number in (1, 2):
        os.dup2(output, number)
    os.close(output)
    os.environ.clear()
    os.environ.update(variables)
    time.tzset()
    return socket.socket(fileno=channel)


def _work(channel: socket.socket) -> None:
    """Import the handler, say so, and answer events until there is nobody to answer."""
    stream = channel.makefile("rwb")
    try:
        handler = _load(os.environ["_HANDLER"])
    # Whatever an import can raise.
    except Exception as error:  # noqa: BLE001
        _send(stream, {"kind": "failed"}, _report(error))
        raise SystemExit(1) from None
    _send(stream, {"kind": "ready"}, b"")
    while (frame := _receive(stream)) is not None:
        head, event = frame
        try:
            answer = _call(handler, event, Context(head))
        # A handler's failure is an answer, too.
        except Exception as error:  # noqa: BLE001
            _send(stream, {"kind": "failed"}, _report(error))
        else:
            _send(stream, {"kind": "answered"}, answer)


def _load(name: str) -> Handler:
    module, _, attribute = name.rpartition(".")
    handler: Handler = getattr(importlib.import_module(module.replace("/", ".")), attribute)
    return handler


def _call(handler: Handler, event: bytes, context: Context) -> bytes:
    """The answer as Lambda's runtime writes it: characters as they are, in UTF-8."""
    return json.dumps(handler(json.loads(event), context), ensure_ascii=False).encode()


def _report(error: Exception) -> bytes:
    """What Lambda says of an error, to whoever invoked; the log gets the whole trace."""
    traceback.print_exception(error, file=sys.stderr)
    sys.stderr.flush()
    report = {
        "errorMessage": str(error),
        "errorType": type(error).__name__,
        "stackTrace": traceback.format_tb(error.__traceback__),
    }
    return json.dumps(report).encode()


def _receive(stream: BufferedRWPair) -> tuple[dict[str, Any], bytes] | None:
    lengths = stream.read(_LENGTHS.size)
    if len(lengths) < _LENGTHS.size:
        return None
    head_bytes, body_bytes = _LENGTHS.unpack(lengths)
    return json.loads(stream.read(head_bytes)), stream.read(body_bytes)


def _send(stream: BufferedRWPair, head: dict[str, Any], body: bytes) -> None:
    sys.stdout.flush()
    head_bytes = json.dumps(head).encode()
    stream.write(_LENGTHS.pack(len(head_bytes), len(body)) + head_bytes + body)
    stream.flush()


if __name__ == "__main__":
    main()
