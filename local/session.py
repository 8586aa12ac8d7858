"""Who is using the folder of a stack, and what others need to know of a stack that runs."""

import contextlib
import fcntl
import json
import os
from collections.abc import Iterator
from typing import Any

from local.places import Places


class AlreadyRunning(Exception):
    """Another process runs a stack with the same folder."""


@contextlib.contextmanager
def only_one(places: Places) -> Iterator[None]:
    """Hold the folder for this process; the system lets go of it when the process ends.

    Raises:
        AlreadyRunning: Another process holds it.
    """
    places.folder.mkdir(parents=True, exist_ok=True)
    with places.lock.open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.seek(0)
            raise AlreadyRunning(_where(places, pid=lock.read().strip())) from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield


@contextlib.contextmanager
def announced(places: Places, session: dict[str, Any], *, emulator_url: str) -> Iterator[None]:
    """Write the session, readable by its owner only, for as long as the block runs."""
    places.emulator_address.write_text(emulator_url + "\n")
    draft = places.session.with_suffix(".part")
    draft.touch(mode=0o600)
    draft.write_text(json.dumps(session, indent=2) + "\n")
    draft.replace(places.session)
    try:
        yield
    finally:
        places.session.unlink(missing_ok=True)
        places.emulator_address.unlink(missing_ok=True)


def read(places: Places) -> dict[str, Any]:
    """The session of the stack that runs.

    Raises:
        FileNotFoundError: None does.
    """
    session: dict[str, Any] = json.loads(places.session.read_text())
    return session


def _where(places: Places, *, pid: str) -> str:
    try:
        address = read(places)["api"]
    except (FileNotFoundError, ValueError):
        return f"A stack is being started or stopped (process {pid})"
    return f"A stack is running already: {address} (process {pid})"
