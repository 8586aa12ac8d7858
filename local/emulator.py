"""The embedded AWS: ministack, as a child process that ends, and saves, when its parent does.

It is reached through its address only, so that another can take its place.
"""

import contextlib
import fcntl
import os
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from local.places import ROOT, Places

READY_SECONDS = 30.0
# Saving takes a second or two per hundred thousand items.
STOP_SECONDS = 60.0
_POLL_SECONDS = 0.02
# The state files that queues are named in, and how: by an address with a port in it.
_NAMING_QUEUES = ("cloudformation.json", "lambda.json", "sqs.json")
_QUEUE_ADDRESS = re.compile(r"http://localhost:\d+/(?=\d{12}/)")


class EmulatorFailed(Exception):
    """The embedded AWS did not start, or did not stop in time; the message says what to look at."""


@dataclass(slots=True)
class Emulator:
    """A running embedded AWS."""

    process: subprocess.Popen[bytes]
    port: int
    # Until somebody was promised something, a start that fails leaves the state as it was.
    must_save: bool = False

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @classmethod
    def start(cls, places: Places, *, port: int, proxies: dict[str, str]) -> "Emulator":
        """Start it with the state of last time; `proxies` says where functions run, by name."""
        with places.emulator_log.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "local.emulator"],
                cwd=ROOT,
                env=_variables(places, port=port, proxies=proxies),
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=output,
                # A Ctrl-C in the terminal is not for the child: it has to outlive the functions.
                start_new_session=True,
            )
        return cls(process, port)

    def wait_until_ready(self) -> None:
        """Return when it answers.

        Raises:
            EmulatorFailed: It ended, or did not answer in time.
        """
        deadline = time.monotonic() + READY_SECONDS
        while not self._answers():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise EmulatorFailed("The embedded AWS did not start")
            time.sleep(_POLL_SECONDS)

    def stop(self) -> None:
        """Have it save its state, if it must, and end.

        Raises:
            EmulatorFailed: It took too long and was killed; the state of last time stays.
        """
        if self.must_save:
            self.process.terminate()
        else:
            self.process.kill()
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise EmulatorFailed("The embedded AWS did not save its state in time") from None
        finally:
            if self.process.stdin is not None:
                self.process.stdin.close()

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/_ministack/health", timeout=1) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False


def _variables(places: Places, *, port: int, proxies: dict[str, str]) -> dict[str, str]:
    """Its settings; nothing of the caller's shell, where credentials may stand."""
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(places.scratch),
        "LANG": "C.UTF-8",
        "AUTH": os.environ.get("AUTH", "false"),
        # The credential of everybody and, where policies are enforced, of the account's owner.
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "IOT_MTLS_ENABLED": "0",
        "LAMBDA_EXECUTOR": "local",
        "LOG_LEVEL": "WARNING",
        "PERSIST_STATE": "1",
        "STATE_DIR": str(places.state),
        "S3_DATA_DIR": str(places.state / "s3"),
        "TMPDIR": str(places.scratch),
        **{f"MINISTACK_LAMBDA_PROXY_{name}": url for name, url in proxies.items()},
    }


def move_queues(state: Path, *, port: int) -> None:
    """Give the queues of last time the address of this time: under another they are not polled."""
    for name in _NAMING_QUEUES:
        file = state / name
        if file.is_file():
            moved = _QUEUE_ADDRESS.sub(f"http://localhost:{port}/", file.read_text("utf-8"))
            file.write_text(moved, "utf-8")


def _end_with_parent() -> None:
    """Wait for the end of standard input, which comes when the parent is gone, however it went."""
    while os.read(0, 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


@contextlib.contextmanager
def _state_to_itself() -> Iterator[None]:
    """Wait for the emulator of a killed stack, which may still be saving."""
    with Path(os.environ["STATE_DIR"]).with_suffix(".lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


if __name__ == "__main__":
    from ministack.app import main

    threading.Thread(target=_end_with_parent, daemon=True).start()
    sys.argv = ["ministack"]
    with _state_to_itself():
        move_queues(Path(os.environ["STATE_DIR"]), port=int(os.environ["GATEWAY_PORT"]))
        main()
