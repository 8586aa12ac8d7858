"""One function in a process of its own, as on Lambda: it is told what to serve, and says the cost.

`python -m benchmarks.stand.worker wallet` answers each line of JSON, a command, with a line. Its
log lines and metrics are written, and go to the null device.
"""

import json
import os
import resource
import sys
import traceback
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any, TextIO, cast

from benchmarks.stand.events import Context
from benchmarks.stand.scenarios import HELLO, OPERATIONS, Operation, Scenario

type Handler = Callable[[dict[str, Any], Context], dict[str, Any]]
type GiveStore = Callable[[Operation, Scenario], None]


def serve(handler: Handler, operation: Operation, requests: int) -> float:
    """The CPU seconds of this process that so many requests took, all together."""
    events = operation.events(requests)
    context = Context()
    before = _cpu_seconds()
    answered = {handler(event, context)["statusCode"] for event in events}
    spent = _cpu_seconds() - before
    assert answered == {operation.status}, f"{operation.path} answered {answered}"
    return spent


def hello() -> tuple[Handler, GiveStore]:
    """The hello world. Nothing of the product is in its process."""
    return import_module("benchmarks.stand.hello").handler, lambda operation, scenario: None


def product(function: str) -> tuple[Handler, GiveStore]:
    """A function's handler, and how it is given the store that a scenario finds."""
    from benchmarks.stand.wallets import NoClient
    from holdfast.runtime import ledger_store
    from holdfast.store.ledger_store import LedgerStore

    app = import_module(f"{function}.app")
    handler: Handler = app.handler
    made = ledger_store()
    clients: dict[bool, Any] = {True: made.client, False: NoClient()}

    def give_store(operation: Operation, scenario: Scenario) -> None:
        client = clients[scenario.client]
        if not scenario.remembered:
            fresh = {ledger_store: lambda: LedgerStore(client, made.table)}
            app.api.dependency_overrides.update(fresh)
            return
        store = LedgerStore(client, made.table)
        app.api.dependency_overrides[ledger_store] = lambda: store
        # The first request reads the wallet; from then on it is remembered.
        serve(handler, operation, 1)

    return handler, give_store


def main() -> None:
    answers = _own_output()
    function = sys.argv[1]
    handler, give_store = hello() if function == HELLO else product(function)
    for line in sys.stdin:
        command = json.loads(line)
        requests = command.pop("requests")
        scenario = Scenario(**command)
        operation = OPERATIONS[scenario.operation]
        try:
            give_store(operation, scenario)
            spent = serve(handler, operation, requests)
            answer: dict[str, Any] = {"cpu_seconds": spent, "peak_bytes": peak_bytes()}
        except Exception:  # noqa: BLE001 - whoever gave the command is to read it
            answer = {"failed": traceback.format_exc()}
        print(json.dumps(answer), file=answers, flush=True)


def peak_bytes() -> int:
    """The most memory this process ever had resident. (ru_maxrss counts what forked it, too.)"""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise AssertionError("no VmHWM: this needs Linux")


def _cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _own_output() -> TextIO:
    """What was standard output; whatever is printed from now on is written, and thrown away."""
    sys.stdout.flush()
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.dup2(null, 2)
    # Each line is one write, as it is on Lambda.
    for stream in (sys.stdout, sys.stderr):
        cast(Any, stream).reconfigure(line_buffering=True)
    return answers


if __name__ == "__main__":
    main()
