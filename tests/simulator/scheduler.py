"""A deterministic scheduler: who makes the next call is decided here, not by the machine.

Workers are ordinary callables, each on its own thread, of which one at a time holds the baton. A
call of the simulator is a yield point: the worker stops *before* it until it is chosen. Between
two calls a worker runs undisturbed, so an order of calls is an order of all that can matter.
"""

import random
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

SILENCE_SECONDS = 60.0

type Chooser = Callable[[Sequence[int]], int]


class _Abandoned(BaseException):
    """Ends a worker whose run will not go on."""


class _Current(threading.local):
    worker: "_Worker | None" = None


_current = _Current()


def yield_point(label: str) -> None:
    """Let the scheduler choose who goes on; nothing outside of `interleave`.

    Every stand-in for something outside the process may call this, with the name of the call.
    """
    worker = _current.worker
    if worker is not None:
        worker.pause(label)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a worker ended: with a value, or with what it raised."""

    value: object = None
    error: BaseException | None = None

    def result(self) -> object:
        """The value.

        Raises:
            BaseException: What the worker raised.
        """
        if self.error is not None:
            raise self.error
        return self.value


@dataclass(frozen=True, slots=True)
class Run:
    """What happened: enough to tell it, and to do it again with `order`."""

    outcomes: tuple[Outcome, ...]
    # (worker, name of the call) in the order of the calls
    trace: tuple[tuple[int, str], ...]

    @property
    def order(self) -> tuple[int, ...]:
        """The worker of each call; `interleave(…, order=run.order)` repeats the run."""
        return tuple(worker for worker, _ in self.trace)


class TooManyOrders(Exception):
    """The operations have more orders than the caller wants to go through."""


class _Worker:
    """A callable on a thread, stopped unless it has the baton."""

    def __init__(self, work: Callable[[], object], returned: threading.Lock) -> None:
        self.work = work
        # Locks that are handed on: whoever waits for one acquires what the other side releases.
        self.returned = returned
        self.chosen = _taken_lock()
        self.label: str | None = None
        self.outcome: Outcome | None = None
        self.is_abandoned = False
        (_idle.pop() if _idle else _Thread()).give(self)

    def pause(self, label: str) -> None:
        self.label = label
        self.returned.release()
        self.chosen.acquire()
        if self.is_abandoned:
            raise _Abandoned

    def go(self) -> None:
        """Give the baton and wait until it comes back."""
        self.chosen.release()
        if not self.returned.acquire(timeout=SILENCE_SECONDS):
            raise RuntimeError(
                f"a worker neither called nor ended within {SILENCE_SECONDS} s after {self.label}: "
                "does it wait for something that another worker holds?"
            )

    def abandon(self) -> None:
        if self.outcome is None:
            self.is_abandoned = True
            self.chosen.release()

    def run(self) -> None:
        """Work to the end, on the thread that this is called on."""
        self.chosen.acquire()
        if self.is_abandoned:
            return
        _current.worker = self
        try:
            self.outcome = Outcome(value=self.work())
        except _Abandoned:
            pass
        except BaseException as error:  # noqa: BLE001 - a killed process is an outcome too
            self.outcome = Outcome(error=error)
        _current.worker = None


class _Thread:
    """A thread that outlives its worker: to start one takes longer than most runs."""

    def __init__(self) -> None:
        self.given = _taken_lock()
        self.worker: _Worker | None = None
        threading.Thread(target=self._serve, daemon=True).start()

    def give(self, worker: _Worker) -> None:
        self.worker = worker
        self.given.release()

    def _serve(self) -> None:
        while True:
            self.given.acquire()
            worker, self.worker = self.worker, None
            assert worker is not None
            worker.run()
            # Idle before the baton goes back, so that the next run finds it.
            _idle.append(self)
            if not worker.is_abandoned:
                worker.returned.release()


_idle: list[_Thread] = []


def _taken_lock() -> threading.Lock:
    lock = threading.Lock()
    lock.acquire()
    return lock


def _execute(works: Sequence[Callable[[], object]], choose: Chooser) -> Run:
    returned = _taken_lock()
    workers = [_Worker(work, returned) for work in works]
    trace: list[tuple[int, str]] = []
    try:
        for worker in workers:
            worker.go()
        while enabled := [n for n, worker in enumerate(workers) if worker.outcome is None]:
            number = choose(enabled)
            trace.append((number, workers[number].label or ""))
            workers[number].go()
    finally:
        for worker in workers:
            worker.abandon()
    outcomes = tuple(worker.outcome or Outcome() for worker in workers)
    return Run(outcomes, tuple(trace))


def interleave(
    works: Sequence[Callable[[], object]],
    *,
    order: Sequence[int] | None = None,
    seed: int | None = None,
) -> Run:
    """Run callables with their calls in a given order, or in one drawn from a seed.

    Each runs up to its first call, in turn. Then `order` names the worker that makes the next
    call; a name of one that has ended is passed over, and when the order is used up the first
    worker that has not ended goes on.
    """
    assert (order is None) != (seed is None), "either an order or a seed"
    if order is None:
        return _execute(works, random.Random(seed).choice)
    rest = iter(order)

    def choose(enabled: Sequence[int]) -> int:
        return next((number for number in rest if number in enabled), enabled[0])

    return _execute(works, choose)


def all_orders[World](
    prepare: Callable[[], World],
    *operations: Callable[[World], object],
    orders_max: int = 100_000,
) -> Iterator[tuple[World, Run]]:
    """Every order of the calls of some operations, each in a world of its own.

    An operation may make more calls in one order than in another: the orders are found by going
    through them, not by counting beforehand. The operations must be deterministic.

    Raises:
        TooManyOrders: There are more than `orders_max`.
    """
    prefix: list[int] = []
    for _ in range(orders_max):
        taken: list[tuple[list[int], int]] = []
        choose = partial(_follow, prefix=prefix, taken=taken)
        world = prepare()
        run = _execute([partial(operation, world) for operation in operations], choose)
        yield world, run
        while taken and taken[-1][1] == taken[-1][0][-1]:
            taken.pop()
        if not taken:
            return
        enabled, last = taken.pop()
        prefix = [number for _, number in taken] + [enabled[enabled.index(last) + 1]]
    raise TooManyOrders(f"more than {orders_max} orders")


def _follow(
    enabled: Sequence[int], *, prefix: list[int], taken: list[tuple[list[int], int]]
) -> int:
    """Repeat the prefix, then take the first; note every choice."""
    number = prefix[len(taken)] if len(taken) < len(prefix) else enabled[0]
    assert number in enabled, "an operation did not do the same twice"
    taken.append((list(enabled), number))
    return number
