"""Functions run in processes of their own: one event at a time, never more processes than fit."""

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from local.environment import Function, InitFailed, Outcome
from local.fleet import BUSY_MAX, BUSY_PER_FUNCTION_MAX, Fleet
from local.places import LAYERS
from local.processes import SHARED, Copied, Processes, Spawned
from local.template import read_template

CODE = """
import os, sys, time

count = 0

def echo(event, context):
    return {"event": event, "function": context.function_name, "pid": os.getpid()}

def counted(event, context):
    global count
    count += 1
    return count

def slow(event, context):
    time.sleep(event)
    return os.getpid()

def marking(event, context):
    open(event, "w").close()

def remaining(event, context):
    return context.get_remaining_time_in_millis()

def environment(event, context):
    return dict(os.environ)

def told(event, context):
    print("to the log")
    return None

def failing(event, context):
    raise ValueError("no such wallet")

def unspeakable(event, context):
    return {"a set"}

def half(event, context):
    return "\\ud800"

def leaving(event, context):
    sys.exit(3)

def breaking(event, context):
    os._exit(1)
"""


@pytest.fixture
def task_root(tmp_path: Path) -> Path:
    folder = tmp_path / "functions"
    (folder / "sample").mkdir(parents=True)
    (folder / "sample" / "app.py").write_text(CODE)
    (folder / "broken.py").write_text("raise RuntimeError('no table')")
    return folder


@contextlib.asynccontextmanager
async def spawned(task_root: Path) -> AsyncIterator[Processes]:
    yield Spawned(task_root)


KINDS = {"copied": Copied.of, "spawned": spawned}


@pytest.fixture(params=KINDS)
def either_kind(request: pytest.FixtureRequest) -> str:
    """Both ways of starting a process, for what could depend on it."""
    return str(request.param)


def function(handler: str, *, name: str = "", timeout_seconds: int = 10) -> Function:
    return Function(
        name=name or handler,
        arn=f"arn:aws:lambda:us-east-1:000000000000:function:{name or handler}",
        handler=handler if "." in handler else f"sample.app.{handler}",
        timeout_seconds=timeout_seconds,
        memory_mb=256,
        variables={"TABLE_NAME": "ledger"},
        credentials={"AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "secret"},
    )


def with_fleet[T](
    task_root: Path,
    story: Callable[[Fleet], Awaitable[T]],
    *functions: Function,
    kind: str = "copied",
) -> T:
    """Tell a story with a fleet of these functions, and stop it."""

    async def told() -> T:
        async with KINDS[kind](task_root) as processes:
            fleet = Fleet(
                list(functions),
                processes,
                endpoint="http://aws",
                logs=task_root.parent,
                task_root=task_root,
            )
            try:
                return await story(fleet)
            finally:
                await fleet.stop(patience_seconds=5)

    return asyncio.run(told())


def outcomes(task_root: Path, one: Function, *events: Any, kind: str = "copied") -> list[Outcome]:
    """What the events come to, one after the other."""

    async def story(fleet: Fleet) -> list[Outcome]:
        return [await fleet.invoke(one.name, json.dumps(event).encode()) for event in events]

    return with_fleet(task_root, story, one, kind=kind)


def test_a_handler_gets_its_event_and_answers(task_root: Path, either_kind: str):
    (outcome,) = outcomes(task_root, function("echo"), {"name": "é 日本 \u2028"}, kind=either_kind)

    assert not outcome.is_failure
    answer = json.loads(outcome.body)
    assert (answer["event"], answer["function"]) == ({"name": "é 日本 \u2028"}, "echo")
    assert "日本".encode() in outcome.body


def test_a_large_event_and_answer_pass(task_root: Path):
    (outcome,) = outcomes(task_root, function("echo"), "x" * 5_000_000)

    assert len(json.loads(outcome.body)["event"]) == 5_000_000


def test_an_environment_keeps_its_memory_between_events(task_root: Path, either_kind: str):
    answers = outcomes(task_root, function("counted"), 1, 2, 3, kind=either_kind)

    assert [json.loads(outcome.body) for outcome in answers] == [1, 2, 3]


@pytest.mark.parametrize(
    ("handler", "kind"),
    [("failing", "ValueError"), ("unspeakable", "TypeError"), ("half", "UnicodeEncodeError")],
)
def test_an_error_is_an_outcome_and_the_environment_goes_on(
    task_root: Path, handler: str, kind: str
):
    async def story(fleet: Fleet) -> tuple[Outcome, list[int], list[int]]:
        outcome = await fleet.invoke(handler, b"{}")
        before = fleet.pids
        await fleet.invoke(handler, b"{}")
        return outcome, before, fleet.pids

    outcome, before, after = with_fleet(task_root, story, function(handler))

    assert outcome.is_failure
    assert json.loads(outcome.body)["errorType"] == kind
    assert before == after
    assert kind in (task_root.parent / f"{handler}.log").read_text()


@pytest.mark.parametrize("handler", ["leaving", "breaking"])
def test_an_environment_that_ends_is_replaced(task_root: Path, handler: str, either_kind: str):
    first, second = outcomes(task_root, function(handler), 1, 2, kind=either_kind)

    assert first.is_failure
    assert json.loads(first.body)["errorType"] == "Runtime.ExitError"
    assert json.loads(second.body)["errorType"] == "Runtime.ExitError"


def test_a_handler_that_takes_too_long_is_ended(task_root: Path, either_kind: str):
    one = function("slow", timeout_seconds=1)

    late, in_time = outcomes(task_root, one, 30, 0, kind=either_kind)

    assert late.is_failure
    assert json.loads(late.body) == {
        "errorType": "Sandbox.Timedout",
        "errorMessage": "Task timed out after 1.00 seconds",
    }
    assert not in_time.is_failure


def test_a_handler_knows_how_much_time_is_left(task_root: Path):
    (outcome,) = outcomes(task_root, function("remaining", timeout_seconds=10), {})

    assert 9_000 < json.loads(outcome.body) <= 10_000


@pytest.mark.parametrize("handler", ["broken.handler", "sample.app.absent", "absent.handler"])
def test_a_handler_that_cannot_be_imported_fails_each_event(task_root: Path, handler: str):
    one = function(handler)
    first, second = outcomes(task_root, one, 1, 2)

    assert first.is_failure
    assert second.is_failure
    with pytest.raises(InitFailed):
        with_fleet(task_root, lambda fleet: fleet.warm(handler), one)


def test_a_function_sees_what_the_template_sets_and_nothing_of_the_shell(
    task_root: Path, monkeypatch: pytest.MonkeyPatch, either_kind: str
):
    monkeypatch.setenv("AWS_PROFILE", "production")

    (outcome,) = outcomes(task_root, function("environment"), {}, kind=either_kind)

    seen = json.loads(outcome.body)
    assert seen["TABLE_NAME"] == "ledger"
    assert seen["AWS_ENDPOINT_URL"] == "http://aws"
    assert seen["AWS_ACCESS_KEY_ID"] == "id"
    assert seen["AWS_LAMBDA_FUNCTION_NAME"] == "environment"
    assert "AWS_PROFILE" not in seen
    assert [name for name in seen if name.startswith("HOLDFAST")] == []


def test_what_a_handler_prints_is_in_its_log(task_root: Path, either_kind: str):
    outcomes(task_root, function("told"), {}, kind=either_kind)

    assert (task_root.parent / "told.log").read_text() == "to the log\n"


def test_no_more_environments_start_than_fit_and_nobody_is_turned_away(task_root: Path):
    names = [f"f{number}" for number in range(Copied.keeps_max + 2)]

    async def story(fleet: Fleet) -> tuple[list[Outcome], int]:
        most = 0

        async def watch() -> None:
            nonlocal most
            while True:
                most = max(most, len(fleet.pids) - 1)
                await asyncio.sleep(0.005)

        watching = asyncio.create_task(watch())
        done = await asyncio.gather(*(fleet.invoke(name, b"0.05") for name in names * 6))
        watching.cancel()
        return done, most

    done, most = with_fleet(task_root, story, *(function("slow", name=name) for name in names))

    assert [outcome for outcome in done if outcome.is_failure] == []
    assert BUSY_MAX <= most <= Copied.keeps_max


def test_one_function_cannot_take_all_the_room(task_root: Path):
    async def story(fleet: Fleet) -> set[bytes]:
        done = await asyncio.gather(*(fleet.invoke("slow", b"0.1") for _ in range(9)))
        return {outcome.body for outcome in done}

    pids = with_fleet(task_root, story, function("slow"))

    assert len(pids) == BUSY_PER_FUNCTION_MAX < BUSY_MAX


def test_two_events_are_handled_at_once_in_two_environments(task_root: Path):
    async def story(fleet: Fleet) -> tuple[Outcome, Outcome]:
        return await asyncio.gather(fleet.invoke("slow", b"0.5"), fleet.invoke("slow", b"0.5"))

    first, second = with_fleet(task_root, story, function("slow"))

    assert first.body != second.body


def test_a_function_that_never_ran_gets_the_room_of_one_that_is_idle(task_root: Path):
    names = [f"f{number}" for number in range(Copied.keeps_max + 2)]

    async def story(fleet: Fleet) -> tuple[list[Outcome], int]:
        done = [await fleet.invoke(name, b"0") for name in names]
        return done, len(fleet.pids) - 1

    done, left = with_fleet(task_root, story, *(function("slow", name=name) for name in names))

    assert [outcome for outcome in done if outcome.is_failure] == []
    assert left == Copied.keeps_max


def test_an_event_is_seen_through_when_its_caller_gives_up(task_root: Path):
    mark = task_root / "mark"

    async def story(fleet: Fleet) -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await fleet.invoke("marking", json.dumps(str(mark)).encode())

    with_fleet(task_root, story, function("marking"))

    assert mark.exists()


def test_stopping_waits_for_events_in_flight_and_ends_every_process(
    task_root: Path, either_kind: str
):
    async def story(fleet: Fleet) -> tuple[Outcome, Outcome, list[int]]:
        before = fleet.pids
        flying = asyncio.create_task(fleet.invoke("slow", b"0.3"))
        while fleet.pids == before:
            await asyncio.sleep(0.01)
        pids = fleet.pids
        await fleet.stop(patience_seconds=5)
        return await flying, await fleet.invoke("slow", b"0"), pids

    seen_through, turned_away, pids = with_fleet(
        task_root, story, function("slow"), kind=either_kind
    )

    assert not seen_through.is_failure
    assert turned_away.is_failure
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)


def test_what_is_shared_is_loaded_before_the_first_function_and_once(tmp_path: Path):
    (tmp_path / "app.py").write_text("import shared\n\ndef pid(event, context): return shared.PID")
    (tmp_path / "shared.py").write_text("import os\nPID = os.getpid()")
    names = ["one", "two"]

    async def story() -> tuple[list[Outcome], list[int]]:
        async with Copied.of(tmp_path, [tmp_path / "start.py"]) as processes:
            functions = [function("app.pid", name=name) for name in names]
            fleet = Fleet(
                functions, processes, endpoint="http://aws", logs=tmp_path, task_root=tmp_path
            )
            done = [await fleet.invoke(name, b"0") for name in names]
            await fleet.stop(patience_seconds=5)
            return done, processes.pids()

    (tmp_path / "start.py").write_text("import shared")
    done, (parent,) = asyncio.run(story())

    assert [json.loads(outcome.body) for outcome in done] == [parent, parent]


def test_without_a_process_to_copy_each_event_fails_and_says_so(task_root: Path):
    async def story(fleet: Fleet) -> tuple[Outcome, Outcome]:
        (parent,) = fleet.pids
        os.kill(parent, signal.SIGKILL)
        return await fleet.invoke("echo", b"{}"), await fleet.invoke("echo", b"{}")

    first, second = with_fleet(task_root, story, function("echo"))

    assert json.loads(first.body)["errorType"] == "Runtime.StartError"
    assert json.loads(second.body)["errorType"] == "Runtime.StartError"


def test_what_functions_share_reads_nothing_that_is_told_to_one_of_them():
    script = (
        "import os, runpy, sys\n"
        "read = set()\n"
        "class Watched(type(os.environ)):\n"
        "    def __getitem__(self, name):\n"
        "        read.add(name)\n"
        "        return super().__getitem__(name)\n"
        "os.environ.__class__ = Watched\n"
        "runpy.run_path(sys.argv[1])\n"
        "print(*read)\n"
    )
    run = subprocess.run(
        [sys.executable, "-P", "-c", script, str(SHARED)],
        env={"PYTHONPATH": os.pathsep.join(map(str, LAYERS))},
        capture_output=True,
        text=True,
        check=True,
    )

    told = {name for one in read_template()["Resources"].values() for name in _variables(one)}
    assert {"TABLE_NAME", "POWERTOOLS_SERVICE_NAME"} <= told
    assert set(run.stdout.split()) & (told | {"AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID"}) == set()


def _variables(resource: Any) -> Any:
    environment = resource.get("Properties", {}).get("Environment", {})
    return environment.get("Variables", {})
