"""One execution environment of a function: a process that handles one event at a time."""

import asyncio
import contextlib
import json
import os
import socket
import struct
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from local.places import FUNCTIONS, LAYERS
from local.processes import NotStarted, Processes

_LENGTHS = struct.Struct(">II")
# Lambda gives an import ten seconds; a laptop may be busy with other things.
_INIT_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Function:
    """A deployed function, with every reference in its configuration resolved."""

    name: str
    arn: str
    handler: str
    timeout_seconds: int
    memory_mb: int
    variables: dict[str, str]
    credentials: dict[str, str]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an invocation came to: the handler's answer, or a report of its failure; JSON."""

    body: bytes
    is_failure: bool = False

    @classmethod
    def failure(cls, kind: str, message: str) -> "Outcome":
        report = {"errorType": kind, "errorMessage": message}
        return cls(json.dumps(report).encode(), is_failure=True)


class InitFailed(Exception):
    """The handler could not be imported; `outcome` says why."""

    def __init__(self, name: str, outcome: Outcome) -> None:
        report = json.loads(outcome.body)
        super().__init__(
            f"{name} could not be started: {report['errorType']}: {report['errorMessage']}"
        )
        self.outcome = outcome


@dataclass(eq=False, slots=True)
class Environment:
    """A process with the function's handler imported, and the socket to it."""

    function: Function
    processes: Processes
    pid: int
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    is_alive: bool = True
    used_at: float = field(default_factory=time.monotonic)

    @classmethod
    async def start(
        cls,
        function: Function,
        processes: Processes,
        *,
        endpoint: str,
        log: Path,
        task_root: Path = FUNCTIONS,
    ) -> "Environment":
        """Start the process and wait until its handler is imported.

        Raises:
            InitFailed: The import failed, ended the process or took too long.
        """
        variables = _variables(function, endpoint=endpoint, task_root=task_root)
        ours, theirs = socket.socketpair()
        with theirs, log.open("ab") as output:
            try:
                pid = await processes.start(variables, channel=theirs, log=output)
            except NotStarted:
                ours.close()
                failed = Outcome.failure("Runtime.StartError", "There is no process to run in")
                raise InitFailed(function.name, failed) from None
        reader, writer = await asyncio.open_connection(sock=ours)
        environment = cls(function, processes, pid, reader, writer)
        outcome = await environment._receive(
            timeout_seconds=_INIT_SECONDS, too_long="Init took too long"
        )
        if outcome.is_failure:
            await environment.stop()
            raise InitFailed(function.name, outcome)
        return environment

    async def invoke(self, event: bytes) -> Outcome:
        """One event in, its outcome out; an environment that breaks is not alive afterwards."""
        self.used_at = time.monotonic()
        timeout_seconds = self.function.timeout_seconds
        head = {
            "request_id": str(uuid.uuid4()),
            "function_arn": self.function.arn,
            "deadline_seconds": time.time() + timeout_seconds,
        }
        head_bytes = json.dumps(head).encode()
        with contextlib.suppress(ConnectionError):
            self.writer.write(_LENGTHS.pack(len(head_bytes), len(event)) + head_bytes + event)
            await self.writer.drain()
        outcome = await self._receive(
            timeout_seconds=timeout_seconds,
            too_long=f"Task timed out after {timeout_seconds}.00 seconds",
        )
        if not self.is_alive:
            await self.stop()
        self.used_at = time.monotonic()
        return outcome

    async def stop(self) -> None:
        """End the process, by force if it does not go."""
        self.is_alive = False
        self.writer.close()
        await self.processes.end(self.pid)

    async def _receive(self, *, timeout_seconds: float, too_long: str) -> Outcome:
        try:
            async with asyncio.timeout(timeout_seconds):
                lengths = await self.reader.readexactly(_LENGTHS.size)
                head_bytes, body_bytes = _LENGTHS.unpack(lengths)
                head: dict[str, Any] = json.loads(await self.reader.readexactly(head_bytes))
                body = await self.reader.readexactly(body_bytes)
        except TimeoutError:
            self.is_alive = False
            return Outcome.failure("Sandbox.Timedout", too_long)
        except (asyncio.IncompleteReadError, ConnectionError):
            self.is_alive = False
            return Outcome.failure("Runtime.ExitError", "Runtime exited without an answer")
        return Outcome(body, is_failure=head["kind"] == "failed")


def _variables(function: Function, *, endpoint: str, task_root: Path) -> dict[str, str]:
    """What Lambda sets, what the template sets, and where AWS is; nothing of the caller's shell."""
    name = function.name
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "LANG": "en_US.UTF-8",
        "TZ": ":UTC",
        "PYTHONPATH": os.pathsep.join(map(str, (task_root, *LAYERS))),
        "PYTHONUNBUFFERED": "1",
        "AWS_EXECUTION_ENV": "AWS_Lambda_python3.13",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory_mb),
        "AWS_LAMBDA_FUNCTION_NAME": name,
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{name}",
        "AWS_LAMBDA_LOG_STREAM_NAME": f"{time.strftime('%Y/%m/%d')}/[$LATEST]{uuid.uuid4().hex}",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_ENDPOINT_URL": endpoint,
        "LAMBDA_TASK_ROOT": str(task_root),
        "_HANDLER": function.handler,
        **function.credentials,
        **function.variables,
    }
