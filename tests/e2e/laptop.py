"""A stack of its own for a test, started as `make run` starts it, in a folder of its own."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3

from local.demo import Answer, Api
from local.places import ROOT, Places

READY_SECONDS = 60.0
STOP_SECONDS = 60.0


@dataclass(slots=True)
class Laptop:
    """A running stack, and the process that runs it."""

    places: Places
    process: subprocess.Popen[bytes]
    output: Path
    api: Api

    @property
    def address(self) -> str:
        return str(self.api.session["api"])

    def call(self, who: str, method: str, path: str, *arguments: Any, **named: Any) -> Answer:
        return self.api.call(who, method, path, *arguments, **named)

    def aws(self, service: str, **credentials: str) -> Any:
        """A client of the embedded AWS, as the owner of the account or with other credentials."""
        session: Any = boto3.session.Session(
            aws_access_key_id=credentials.get("AccessKeyId", "test"),
            aws_secret_access_key=credentials.get("SecretAccessKey", "test"),
            aws_session_token=credentials.get("SessionToken"),
            region_name="us-east-1",
        )
        url = self.places.emulator_address.read_text().strip()
        return session.client(service, endpoint_url=url)

    def demo(self, *, pace_seconds: float = 0.0) -> subprocess.Popen[str]:
        """`make demo`, started."""
        return subprocess.Popen(
            [sys.executable, "-m", "local.demo", "--pace", str(pace_seconds)],
            cwd=ROOT,
            env=_variables(self.places),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def descendants(self) -> set[int]:
        """The processes that this one started, and theirs."""
        listed = subprocess.run(
            ["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True
        )
        parents = {
            int(pid): int(parent) for pid, parent in map(str.split, listed.stdout.splitlines())
        }
        found = {self.process.pid}
        while grown := {pid for pid, parent in parents.items() if parent in found} - found:
            found |= grown
        return found - {self.process.pid}

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Send a signal, wait for the end; the exit status."""
        self.process.send_signal(number)
        return self.process.wait(STOP_SECONDS)


def start(folder: Path, *, auth: bool = False) -> Laptop:
    """Start a stack on a free port and wait until it is ready."""
    places = Places(folder)
    places.session.unlink(missing_ok=True)
    folder.mkdir(parents=True, exist_ok=True)
    output = folder / "output"
    with output.open("wb") as printed:
        process = subprocess.Popen(
            [sys.executable, "-m", "local.run"],
            cwd=ROOT,
            env=_variables(places) | {"AUTH": "true" if auth else "false"},
            stdout=printed,
            stderr=printed,
        )
    deadline = time.monotonic() + READY_SECONDS
    while not places.session.exists():
        if process.poll() is not None or time.monotonic() > deadline:
            process.kill()
            raise AssertionError(f"the stack did not start:\n{output.read_text()}")
        time.sleep(0.05)
    return Laptop(places, process, output, Api(json.loads(places.session.read_text())))


@contextmanager
def running(folder: Path, *, auth: bool = False) -> Iterator[Laptop]:
    """A stack that is stopped, whatever happens, at the end of the block."""
    laptop = start(folder, auth=auth)
    try:
        yield laptop
    finally:
        if laptop.process.poll() is None:
            laptop.stop()


def run_once(folder: Path, *, port: int = 0) -> subprocess.CompletedProcess[str]:
    """`make run`, where it is expected to end by itself."""
    return subprocess.run(
        [sys.executable, "-m", "local.run"],
        cwd=ROOT,
        env=_variables(Places(folder)) | {"PORT": str(port)},
        capture_output=True,
        text=True,
        timeout=READY_SECONDS,
        check=False,
    )


def is_there(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def happens(done: Callable[[], bool], *, seconds: float) -> bool:
    """Whether `done()` becomes true in time; returns as soon as it does."""
    deadline = time.monotonic() + seconds
    while not done():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


def _variables(places: Places) -> dict[str, str]:
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOLDFAST_LOCAL": str(places.folder),
        "PORT": "0",
        "PYTHONUNBUFFERED": "1",
    }
