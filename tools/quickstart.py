"""Run the README's quick start against `make run`, command by command, as a reader would.

    python -m tools.quickstart [README.md]

The shell blocks between `<!-- quickstart:begin -->` and `<!-- quickstart:end -->` run in one
shell, so that what one command sets the next one sees. Every command has to succeed. A block that
opens with ```sh shows what works: a curl answered with 4xx or 5xx fails there. A block that opens
with ```sh refused shows what is refused: there each curl has to fail in that way.

`make run` is started beforehand on a free port, which takes the place of 3000 in the commands.
"""

import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
READY_SECONDS_MAX = 180
STOP_SECONDS_MAX = 60
COMMANDS_SECONDS_MAX = 300

_MARKED = re.compile(r"<!-- quickstart:begin -->(.*?)<!-- quickstart:end -->", re.DOTALL)
_BLOCK = re.compile(r"^```sh( refused)?\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_START = "make run"

_SUCCEEDS = 'curl() { command curl --silent --show-error --fail-with-body "$@"; }'
_REFUSED = """curl() {
  local status=0
  command curl --silent --show-error --fail-with-body "$@" || status=$?
  [ "$status" = 22 ] || { echo "This was to be refused, and was not." >&2; return 1; }
}"""


class QuickstartFailed(Exception):
    """A command of the README, or the stack it needs, did not do what it should."""


@dataclass(frozen=True, slots=True)
class Command:
    """One command as the README shows it, maybe of several lines."""

    text: str
    is_refused: bool


def commands_of(readme: str) -> list[Command]:
    """The commands between the markers, in order."""
    return [
        Command(text=text, is_refused=bool(refused))
        for marked in _MARKED.findall(readme)
        for refused, block in _BLOCK.findall(marked)
        for text in _split(block)
    ]


def _split(block: str) -> Iterator[str]:
    """Whole commands: lines are joined until the shell can read them as a program."""
    lines: list[str] = []
    for line in block.splitlines():
        if not lines and (not line.strip() or line.lstrip().startswith("#")):
            continue
        lines.append(line)
        text = "\n".join(lines)
        if not line.endswith("\\") and _is_whole(text):
            yield text
            lines = []
    if lines:
        raise QuickstartFailed("The shell cannot read this to its end:\n" + "\n".join(lines))


def _is_whole(text: str) -> bool:
    """Whether the shell reads a program in it; an open here-document is only a warning to it."""
    read = subprocess.run(
        ["bash", "-n"], input=text, capture_output=True, text=True, check=False, env=_english()
    )
    return read.returncode == 0 and "here-document" not in read.stderr


def _english() -> dict[str, str]:
    return {**os.environ, "LC_ALL": "C"}


def script_of(commands: list[Command], port: int) -> str:
    """One shell program that shows each command, runs it, and stops at the first that fails."""
    parts = ["set -euo pipefail"]
    for command in commands:
        if command.text.strip() == _START:
            continue
        text = re.sub(r"\b(127\.0\.0\.1|localhost):3000\b", rf"\1:{port}", command.text)
        parts += [
            _REFUSED if command.is_refused else _SUCCEEDS,
            "cat <<'COMMAND_SHOWN'",
            *(("$ " if n == 0 else "> ") + line for n, line in enumerate(text.splitlines())),
            "COMMAND_SHOWN",
            text,
            "echo",
        ]
    return "\n".join(parts) + "\n"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/v1/health", timeout=5) as answer:
            return bool(answer.status == 200)
    except (OSError, urllib.error.HTTPError):
        return False


@contextmanager
def _running_stack(port: int) -> Iterator[None]:
    """`make run` in a process group of its own; Ctrl-C has to end all of it."""
    with tempfile.TemporaryFile("w+") as log:
        stack = subprocess.Popen(
            ["make", "run"],
            cwd=ROOT,
            env={**os.environ, "PORT": str(port)},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            _wait_until_ready(stack, port)
            yield
            _interrupt(stack)
            if _answers(port):
                raise QuickstartFailed("Ctrl-C ended `make run`, but something still answers.")
        except BaseException:
            log.seek(0)
            sys.stderr.write(f"--- make run\n{log.read()[-4000:]}\n---\n")
            raise
        finally:
            if stack.poll() is None:
                os.killpg(stack.pid, signal.SIGKILL)
                stack.wait()


def _wait_until_ready(stack: subprocess.Popen[bytes], port: int) -> None:
    started = time.monotonic()
    while not _answers(port):
        if stack.poll() is not None:
            raise QuickstartFailed(f"`make run` ended by itself with {stack.returncode}.")
        if time.monotonic() - started > READY_SECONDS_MAX:
            raise QuickstartFailed(f"`make run` was not ready within {READY_SECONDS_MAX} s.")
        time.sleep(0.2)
    print(f"make run: ready after {time.monotonic() - started:.1f} s on port {port}", flush=True)


def _interrupt(stack: subprocess.Popen[bytes]) -> None:
    os.killpg(stack.pid, signal.SIGINT)
    try:
        stack.wait(STOP_SECONDS_MAX)
    except subprocess.TimeoutExpired:
        raise QuickstartFailed(f"Ctrl-C did not end `make run` in {STOP_SECONDS_MAX} s.") from None


def run(readme: Path) -> int:
    """Run the quick start; the number of its commands."""
    commands = commands_of(readme.read_text(encoding="utf-8"))
    if not any("curl" in command.text for command in commands):
        raise QuickstartFailed(f"{readme} has no curl between the quick start's markers.")
    port = _free_port()
    with tempfile.NamedTemporaryFile("w", suffix=".sh") as script, _running_stack(port):
        script.write(script_of(commands, port))
        script.flush()
        shell = subprocess.run(
            ["bash", script.name],
            cwd=ROOT,
            env={**os.environ, "PORT": str(port)},
            stdin=subprocess.DEVNULL,
            check=False,
            timeout=COMMANDS_SECONDS_MAX,
        )
        if shell.returncode != 0:
            raise QuickstartFailed(f"The last command above ended with {shell.returncode}.")
    return len(commands)


if __name__ == "__main__":
    try:
        count = run(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "README.md")
    except QuickstartFailed as failed:
        sys.exit(str(failed))
    print(f"quick start: {count} commands, each as the README says")
