"""The runner of the README's quick start reads and runs what a reader would."""

import subprocess
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

from tools.quickstart import Command, QuickstartFailed, commands_of, script_of

README = """
```sh
outside
```
<!-- quickstart:begin -->
```sh
make run
```
Then:
```sh
# a comment, and a command of two lines
curl --header 'a: b' \\
  http://127.0.0.1:3000/v1/health
NAME='two
lines'
cat <<END
here
END
```
```sh refused
curl http://127.0.0.1:3000/no
```
```json
{"not": "a command"}
```
<!-- quickstart:end -->
"""


def test_commands_are_the_shell_blocks_between_the_markers():
    commands = commands_of(README)

    assert [command.text.splitlines()[0] for command in commands] == [
        "make run",
        "curl --header 'a: b' \\",
        "NAME='two",
        "cat <<END",
        "curl http://127.0.0.1:3000/no",
    ]
    assert [command.is_refused for command in commands] == [False] * 4 + [True]


def test_a_command_without_an_end_is_refused():
    with pytest.raises(QuickstartFailed, match="cannot read this"):
        commands_of("<!-- quickstart:begin -->\n```sh\necho 'open\n```\n<!-- quickstart:end -->")


class _Answers(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(int(self.path.strip("/")))
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def port():
    server = HTTPServer(("127.0.0.1", 0), _Answers)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield server.server_port
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize(
    ("status", "is_refused", "passes"),
    [(200, False, True), (402, False, False), (402, True, True), (200, True, False)],
)
def test_an_answer_has_to_be_what_the_block_says(
    port: int, status: int, is_refused: bool, passes: bool
):
    command = Command(text=f"curl http://127.0.0.1:3000/{status}", is_refused=is_refused)

    ended = subprocess.run(
        ["bash", "-c", script_of([command], port)], capture_output=True, check=False
    )

    assert (ended.returncode == 0) is passes


def test_one_command_sets_what_the_next_one_sees_and_a_failure_ends_all():
    commands = [
        Command(text=text, is_refused=False) for text in ("A=1", 'echo "A=$A"', "false", "echo B")
    ]

    ended = subprocess.run(
        ["bash", "-c", script_of(commands, 1)], capture_output=True, check=False, text=True
    )

    assert ended.returncode != 0
    assert "\nA=1\n" in ended.stdout
    assert "echo B" not in ended.stdout
