"""Chromium, looked through: a page is opened, clicked, typed into, read and photographed.

It is spoken to in its DevTools protocol over a pipe, so nothing is needed but the browser itself.
It finds no host but 127.0.0.1: a page that wants something from elsewhere does not get it.
"""

import base64
import fcntl
import json
import os
import select
import shutil
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
SECONDS = 20.0
_FLAGS = (
    "--headless=new",
    "--remote-debugging-pipe",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-dev-shm-usage",
    "--disable-extensions",
    "--disable-gpu",
    "--disable-sync",
    "--hide-scrollbars",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    "--mute-audio",
    "--no-default-browser-check",
    "--no-first-run",
)
_READS_FROM, _WRITES_TO = 3, 4
"""The browser's ends of the pipes, by number."""


def found() -> str | None:
    """Where a browser is installed, if one is."""
    return next(filter(None, map(shutil.which, NAMES)), None)


@contextmanager
def opened() -> Iterator["Browser"]:
    """A browser with nothing in its profile, closed and forgotten in the end."""
    program = found()
    assert program, "chromium is not installed"
    with TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        flags = [*_FLAGS, f"--user-data-dir={profile}"]
        if os.geteuid() == 0:
            flags.append("--no-sandbox")
        pid, told, said = _spawned([program, *flags, "about:blank"])
        try:
            yield Browser(told, said)
        finally:
            os.close(told)
            os.close(said)
            _end(pid)


class Browser:
    """The browser: what it is told goes through one pipe, what it says comes through another."""

    def __init__(self, told: int, said: int) -> None:
        self._told = told
        self._said = said
        self._read = b""
        self._number = 0
        self.events: list[dict[str, Any]] = []

    def page(
        self, *, width: int = 1200, height: int = 900, dark: bool = False, mobile: bool = False
    ) -> "Page":
        """A new page of that size."""
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        page = Page(self, session)
        for domain in ("Page", "Runtime", "Log", "Network"):
            page.ask(f"{domain}.enable")
        page.ask(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=mobile,
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        page.ask("Emulation.setEmulatedMedia", features=[scheme])
        return page

    def ask(self, method: str, session: str = "", **params: Any) -> Any:
        """Have something done, and what is answered."""
        self._number += 1
        number = self._number
        message: dict[str, Any] = {"id": number, "method": method, "params": params}
        if session:
            message["sessionId"] = session
        _write_all(self._told, json.dumps(message).encode() + b"\0")
        until = time.monotonic() + SECONDS
        while True:
            answer = self._next(until)
            if answer.get("id") == number:
                assert "error" not in answer, (method, answer["error"])
                return answer["result"]

    def wait_for(self, method: str, session: str) -> dict[str, Any]:
        """The next event of that kind on a page, also one that came already."""
        until = time.monotonic() + SECONDS
        while True:
            for event in self.events:
                if (event["method"], event.get("sessionId")) == (method, session):
                    self.events.remove(event)
                    return event
            self._next(until)

    def _next(self, until: float) -> dict[str, Any]:
        while b"\0" not in self._read:
            ready, _, _ = select.select([self._said], [], [], max(0.0, until - time.monotonic()))
            assert ready, "the browser says nothing"
            read = os.read(self._said, 1 << 20)
            assert read, "the browser is gone"
            self._read += read
        text, _, self._read = self._read.partition(b"\0")
        message: dict[str, Any] = json.loads(text)
        if "id" not in message:
            self.events.append(message)
        return message


class Page:
    """One page of the browser. Places on it are named by selectors of CSS."""

    def __init__(self, browser: Browser, session: str) -> None:
        self._browser = browser
        self._session = session

    def ask(self, method: str, **params: Any) -> Any:
        """Have something done on this page, and what is answered."""
        return self._browser.ask(method, self._session, **params)

    def go(self, url: str) -> None:
        """Open an address, and wait until it is loaded."""
        self._forget_loads()
        went = self.ask("Page.navigate", url=url)
        assert "errorText" not in went, (url, went)
        self._browser.wait_for("Page.loadEventFired", self._session)

    def evaluate(self, script: str) -> Any:
        """What an expression of JavaScript comes to; promises are waited for."""
        answer = self.ask(
            "Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def text(self, place: str = "body") -> str:
        """The text of a place as a person sees it."""
        return str(self.evaluate(f"document.querySelector({json.dumps(place)}).innerText"))

    def value(self, place: str) -> str:
        """What stands in a field."""
        return str(self.evaluate(f"document.querySelector({json.dumps(place)}).value"))

    def address(self) -> str:
        """Where the page is."""
        return str(self.evaluate("location.href"))

    def click(self, place: str, *, leaves: bool = False) -> None:
        """Click into the middle of a place; `leaves` waits for the page that comes of it."""
        self._forget_loads()
        x, y = self._middle(place)
        for kind in ("mousePressed", "mouseReleased"):
            self.ask("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)
        if leaves:
            self._browser.wait_for("Page.loadEventFired", self._session)

    def type(self, place: str, text: str) -> None:
        """Write into a field, in place of what stands there."""
        self.evaluate(f"document.querySelector({json.dumps(place)}).select()")
        self.ask("Input.insertText", text=text)

    def wait_until(self, script: str) -> None:
        """Wait for an expression to become true."""
        until = time.monotonic() + SECONDS
        while not self.evaluate(script):
            assert time.monotonic() < until, script
            time.sleep(0.02)

    def complaints(self) -> list[str]:
        """What the browser complained of so far: refused scripts and styles, failed requests."""
        self.evaluate("0")
        return [
            event["params"]["entry"]["text"]
            for event in self._browser.events
            if event["method"] == "Log.entryAdded" and event.get("sessionId") == self._session
        ]

    def requested(self) -> list[str]:
        """The addresses of everything that the page asked for so far."""
        return [
            event["params"]["request"]["url"]
            for event in self._browser.events
            if event["method"] == "Network.requestWillBeSent"
            and event.get("sessionId") == self._session
        ]

    def screenshot(self, path: Path) -> None:
        """A picture of the page as it is seen, as a file."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(base64.b64decode(self.ask("Page.captureScreenshot", format="png")["data"]))

    def _middle(self, place: str) -> tuple[float, float]:
        script = (
            f"(() => {{ const place = document.querySelector({json.dumps(place)});"
            " place.scrollIntoView({block: 'center'}); const at = place.getBoundingClientRect();"
            " return [at.x + at.width / 2, at.y + at.height / 2]; })()"
        )
        x, y = self.evaluate(script)
        return x, y

    def _forget_loads(self) -> None:
        self._browser.events[:] = [
            event
            for event in self._browser.events
            if (event["method"], event.get("sessionId")) != ("Page.loadEventFired", self._session)
        ]


def _spawned(command: list[str]) -> tuple[int, int, int]:
    """The process of a browser, and our ends of the pipes to it: told, and said."""
    ends = [*os.pipe(), *os.pipe()]
    # Away from the numbers that the browser's own ends are to have.
    high = [fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 10) for end in ends]
    for end in ends:
        os.close(end)
    reads, told, said, writes = high
    pid = os.posix_spawn(
        command[0],
        command,
        os.environ,
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
            (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0),
            (os.POSIX_SPAWN_DUP2, reads, _READS_FROM),
            (os.POSIX_SPAWN_DUP2, writes, _WRITES_TO),
        ],
        setpgroup=0,
    )
    os.close(reads)
    os.close(writes)
    return pid, told, said


def _end(pid: int) -> None:
    """Wait for the browser to go, which it does without its pipe; then make it."""
    until = time.monotonic() + SECONDS / 4
    while time.monotonic() < until:
        if os.waitpid(pid, os.WNOHANG)[0]:
            return
        time.sleep(0.02)
    os.killpg(pid, signal.SIGKILL)
    os.waitpid(pid, 0)


def _write_all(end: int, message: bytes) -> None:
    while message:
        message = message[os.write(end, message) :]
