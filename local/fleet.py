"""The execution environments of all functions: leased to one event at a time, bounded in number."""

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, Protocol

from local.environment import Environment, Function, InitFailed, Outcome
from local.places import FUNCTIONS
from local.processes import Processes

# Lambda would start an environment for each event in flight. Here more of them than the machine has
# cores for only take from each other: what comes above these waits its turn.
BUSY_MAX = 6
BUSY_PER_FUNCTION_MAX = 3


class Invoke(Protocol):
    """Something that runs a function by name."""

    def __call__(self, name: str, event: bytes) -> Coroutine[Any, Any, Outcome]: ...


class Fleet:
    """Runs functions, each event in an environment that nothing else uses meanwhile."""

    def __init__(
        self,
        functions: list[Function],
        processes: Processes,
        *,
        endpoint: str,
        logs: Path,
        task_root: Path = FUNCTIONS,
    ) -> None:
        self._functions = {function.name: function for function in functions}
        self._processes = processes
        self._endpoint = endpoint
        self._logs = logs
        self._task_root = task_root
        self._is_open = True
        self._idle: list[Environment] = []
        # Names of the functions whose environments are starting or handling an event.
        self._busy: list[str] = []
        self._running: set[Environment] = set()
        self._changed = asyncio.Condition()
        self._tasks: set[asyncio.Task[Outcome]] = set()

    @property
    def pids(self) -> list[int]:
        """The processes of all environments there are, and what these came from."""
        environments = (*self._idle, *self._running)
        return [*self._processes.pids(), *(environment.pid for environment in environments)]

    async def invoke(self, name: str, event: bytes) -> Outcome:
        """Run a function on an event.

        The event is seen through even when the caller gives up waiting, as on Lambda.
        """
        if not self._is_open:
            return Outcome.failure("ServiceException", "The stack is stopping")
        task = asyncio.create_task(self._invoke(name, event))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return await asyncio.shield(task)

    async def warm(self, *names: str) -> None:
        """Start an environment of each of these functions, so that the first caller need not wait.

        Raises:
            InitFailed: A function could not be imported.
        """
        started = await asyncio.gather(*(self._start(self._functions[name]) for name in names))
        self._idle.extend(started)

    async def stop(self, *, patience_seconds: float) -> None:
        """Take nothing new, wait for what is in flight, end every process."""
        self._is_open = False
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=patience_seconds)
        for task in self._tasks:
            task.cancel()
        environments = (*self._idle, *self._running)
        await asyncio.gather(*(environment.stop() for environment in environments))

    async def _invoke(self, name: str, event: bytes) -> Outcome:
        function = self._functions[name]
        environment = await self._lease(function)
        try:
            if environment is None:
                environment = await self._start(function)
            self._running.add(environment)
            return await environment.invoke(event)
        except InitFailed as failed:
            return failed.outcome
        finally:
            await self._give_back(function, environment)

    async def _start(self, function: Function) -> Environment:
        log = self._logs / f"{function.name}.log"
        return await Environment.start(
            function,
            self._processes,
            endpoint=self._endpoint,
            log=log,
            task_root=self._task_root,
        )

    async def _lease(self, function: Function) -> Environment | None:
        """Wait for an idle environment of the function, or for room to start one (None)."""
        async with self._changed:
            await self._changed.wait_for(lambda: self._has_room(function))
            self._busy.append(function.name)
            mine = [one for one in self._idle if one.function.name == function.name]
            if mine:
                self._idle.remove(mine[-1])
                return mine[-1]
            evicted = self._idle.pop(0) if self._count() > self._processes.keeps_max else None
        if evicted is not None:
            await evicted.stop()
        return None

    def _has_room(self, function: Function) -> bool:
        if self._busy.count(function.name) >= BUSY_PER_FUNCTION_MAX:
            return False
        return len(self._busy) < BUSY_MAX

    def _count(self) -> int:
        return len(self._idle) + len(self._busy)

    async def _give_back(self, function: Function, environment: Environment | None) -> None:
        async with self._changed:
            self._busy.remove(function.name)
            if environment is not None:
                self._running.discard(environment)
                if environment.is_alive:
                    # The longest unused stands first: it is the one to go when room is needed.
                    self._idle.append(environment)
            self._changed.notify_all()
