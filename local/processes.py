"""Where the processes come from that functions run in.

On Linux from one that has imported what all functions share: a copy of it is there at once, and
costs what it does not share. Elsewhere each is started from nothing, because the libraries of a
Mac are not made to be copied in the middle of what they do.
"""

import asyncio
import contextlib
import json
import os
import socket
import sys
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import IO, Protocol, Self

from local.places import LAYERS

_BOOTSTRAP = Path(__file__).with_name("bootstrap.py")
SHARED = Path(__file__).with_name("shared.py")
_STOP_SECONDS = 2.0
_ANSWER_BYTES_MAX = 64


class NotStarted(Exception):
    """There is nothing that could start a process: the one that makes them is gone."""


class Processes(Protocol):
    """Starts and ends processes for functions."""

    @property
    def keeps_max(self) -> int:
        """How many there may be. One that is idle costs memory, and another one time."""

    async def start(
        self, variables: dict[str, str], *, channel: socket.socket, log: IO[bytes]
    ) -> int:
        """Start one that has these variables and answers on the channel; its number.

        Raises:
            NotStarted: There is nothing that could.
        """

    async def end(self, pid: int) -> None:
        """End one that `start` started, unless it was ended before."""

    def pids(self) -> list[int]:
        """What is there besides the processes that were started."""


class Copied:
    """Copies of one process, which runs `shared` before it makes the first of them."""

    # At 25 MB each.
    keeps_max = 12

    def __init__(self, process: asyncio.subprocess.Process, control: socket.socket) -> None:
        self._process = process
        self._control = control
        self._started: set[int] = set()
        # Requests and answers alternate.
        self._turn = asyncio.Lock()
        self._asking: set[asyncio.Task[bytes]] = set()

    @classmethod
    @contextlib.asynccontextmanager
    async def of(cls, task_root: Path, shared: Sequence[Path] = ()) -> AsyncIterator[Self]:
        """A process to copy, for functions in this folder; it ends with the block."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with ours, theirs:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-P",
                str(_BOOTSTRAP),
                *map(str, shared),
                cwd=task_root,
                env=_variables(task_root) | {"HOLDFAST_NURSERY": str(theirs.fileno())},
                pass_fds=[theirs.fileno()],
                stdin=asyncio.subprocess.DEVNULL,
                start_new_session=True,
            )
            theirs.close()
            ours.setblocking(False)
            yield cls(process, ours)
        await process.wait()

    async def start(
        self, variables: dict[str, str], *, channel: socket.socket, log: IO[bytes]
    ) -> int:
        passed = (channel.fileno(), log.fileno())
        pid = int(await self._answer_to({"variables": variables}, *passed))
        self._started.add(pid)
        return pid

    async def end(self, pid: int) -> None:
        if pid not in self._started:
            return
        self._started.remove(pid)
        # Without the one that could end it, it has ended or will: its channel is closed.
        with contextlib.suppress(NotStarted):
            await self._answer_to({"end": pid})

    def pids(self) -> list[int]:
        return [self._process.pid]

    async def _answer_to(self, request: dict[str, object], *passed: int) -> bytes:
        # Whoever gives up waiting must not leave an answer for the next one to take for its own.
        task = asyncio.create_task(self._asked(request, *passed))
        self._asking.add(task)
        task.add_done_callback(self._asking.discard)
        return await asyncio.shield(task)

    async def _asked(self, request: dict[str, object], *passed: int) -> bytes:
        async with self._turn:
            try:
                socket.send_fds(self._control, [json.dumps(request).encode()], passed)
                loop = asyncio.get_running_loop()
                answer = await loop.sock_recv(self._control, _ANSWER_BYTES_MAX)
            except OSError as error:
                raise NotStarted from error
        if not answer:
            raise NotStarted
        return answer


class Spawned:
    """Processes that begin with nothing."""

    # At 60 MB each.
    keeps_max = 6

    def __init__(self, task_root: Path) -> None:
        self._task_root = task_root
        self._processes: dict[int, asyncio.subprocess.Process] = {}

    async def start(
        self, variables: dict[str, str], *, channel: socket.socket, log: IO[bytes]
    ) -> int:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-P",
            str(_BOOTSTRAP),
            cwd=self._task_root,
            env=_variables(self._task_root)
            | variables
            | {"HOLDFAST_CHANNEL": str(channel.fileno())},
            pass_fds=[channel.fileno()],
            stdin=asyncio.subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            # A Ctrl-C in the terminal is for the stack to handle, request by request.
            start_new_session=True,
        )
        self._processes[process.pid] = process
        return process.pid

    async def end(self, pid: int) -> None:
        process = self._processes.pop(pid, None)
        if process is None or process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        try:
            async with asyncio.timeout(_STOP_SECONDS):
                await process.wait()
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    def pids(self) -> list[int]:
        return []


@contextlib.asynccontextmanager
async def processes(task_root: Path) -> AsyncIterator[Processes]:
    """What this machine is best served with."""
    if sys.platform == "linux":
        async with Copied.of(task_root, [SHARED]) as copied:
            yield copied
    else:
        yield Spawned(task_root)


def _variables(task_root: Path) -> dict[str, str]:
    """What the interpreter wants to know before it begins; nothing of the caller's shell."""
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "PYTHONPATH": os.pathsep.join(map(str, (task_root, *LAYERS))),
        "PYTHONUNBUFFERED": "1",
    }
