"""What runs inside an execution environment: one handler, one event at a time, as on Lambda.

Started by `environment.py` as a process of its own, without the project on its path: a function
sees its task folder, its layers and the installed packages. Frames go over one socket, each a
head and a body; the process ends when the other side of the socket does, so none is left behind.
"""

import importlib
import json
import os
import socket
import struct
import sys
import time
import traceback
from collections.abc import Callable
from io import BufferedRWPair
from typing import Any

_LENGTHS = struct.Struct(">II")

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
    """Import the handler, say so, and answer events until there is nobody to answer."""
    channel = socket.socket(fileno=int(os.environ.pop("HOLDFAST_CHANNEL")))
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
