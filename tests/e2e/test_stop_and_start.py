"""What was answered is there after a stop, whenever and however it came."""

import http.client
import re
import signal
import threading
from dataclasses import dataclass, field
from pathlib import Path

from local.demo import Answer
from local.memory import BUDGET_MB, resident_mb
from tests.e2e.laptop import Laptop, happens, is_there, run_once, running, start

WRITERS = 4


@dataclass(slots=True)
class Writer:
    """Deposits into a wallet of its own until the stack is gone."""

    laptop: Laptop
    number: int
    answered: dict[str, Answer] = field(default_factory=dict)
    asked: int = 0

    @property
    def user(self) -> str:
        return f"acme/writer-{self.number}"

    def run(self) -> None:
        while True:
            key = f"deposit-{self.number}-{self.asked}"
            self.asked += 1
            try:
                answer = self.deposit(self.laptop, key)
            except (OSError, http.client.HTTPException):
                return
            if answer.status == 201:
                self.answered[key] = answer
            elif answer.status == 503:
                # The stack is stopping and takes nothing new.
                return

    def deposit(self, laptop: Laptop, key: str) -> Answer:
        body = {"user": self.user, "amount": 7}
        return laptop.call("admin", "POST", "/api/v1/billing/deposit", body, key=key)

    def balance(self, laptop: Laptop) -> int:
        path = f"/api/v1/billing/balance?user={self.user}"
        return int(laptop.call("admin", "GET", path).body["balance"])


def test_everything_answered_before_a_stop_is_there_after_the_next_start(tmp_path: Path):
    with running(tmp_path / "stack") as laptop:
        children = laptop.descendants()
        writers = [Writer(laptop, number) for number in range(WRITERS)]
        threads = [threading.Thread(target=writer.run) for writer in writers]
        for thread in threads:
            thread.start()
        assert happens(lambda: all(len(writer.answered) >= 10 for writer in writers), seconds=60)

        status = laptop.stop(signal.SIGTERM)

        for thread in threads:
            thread.join(60)
    assert status == 0
    assert len(children) >= 3
    assert not any(is_there(pid) for pid in children)

    with running(tmp_path / "stack") as again:
        for writer in writers:
            # The one that was asked last may have been done without an answer.
            assert writer.balance(again) in (7 * len(writer.answered), 7 * writer.asked)
            for key, first in writer.answered.items():
                replayed = writer.deposit(again, key)
                assert (replayed.status, replayed.body) == (201, first.body)
                assert replayed.headers["idempotent-replayed"] == "true"


def test_a_story_cut_short_by_ctrl_c_can_be_told_to_its_end_afterwards(
    tmp_path: Path, record_property
):
    with running(tmp_path / "stack") as laptop:
        whole, _ = laptop.demo().communicate(timeout=60)
        processes = [laptop.process.pid, *laptop.descendants()]
        megabytes = resident_mb(processes)
        told = laptop.demo(pace_seconds=0.5)
        assert told.stdout is not None
        printed = ""
        while "10  A hold of 12.00" not in printed:
            printed += told.stdout.readline()
        hold = re.search(r"hold_\w+", printed)

        assert laptop.stop(signal.SIGINT) == 0

        _, complaint = told.communicate(timeout=60)
    assert "All 27 steps were answered as they should be." in whole
    assert megabytes < BUDGET_MB
    figure = f"laptop after the story: {megabytes:.0f} MB in {len(processes)} processes"
    record_property("figure", figure)
    assert told.returncode == 1
    assert "is gone" in complaint
    assert hold is not None

    with running(tmp_path / "stack") as again:
        kept = again.call("alice", "GET", f"/v1/billing/holds/{hold[0]}")
        rest, complaint = again.demo().communicate(timeout=60)
    assert (kept.status, kept.body["amount"]) == (200, 1200)
    assert "All 26 steps were answered as they should be." in rest, complaint


def test_a_killed_stack_leaves_no_process_and_loses_nothing(tmp_path: Path):
    laptop = start(tmp_path / "stack")
    children = laptop.descendants()
    placed = laptop.call("alice", "POST", "/v1/billing/holds", {"amount": 250}, key="kept")

    laptop.process.kill()
    laptop.process.wait()

    # Nobody waits for the embedded AWS to save: the next one does, before it reads.
    with running(tmp_path / "stack") as again:
        replayed = again.call("alice", "POST", "/v1/billing/holds", {"amount": 250}, key="kept")
    assert placed.status == 201
    assert (replayed.status, replayed.body) == (201, placed.body)
    assert happens(lambda: not any(is_there(pid) for pid in children), seconds=30)


def test_a_second_stack_is_told_where_the_first_one_is(tmp_path: Path, record_property):
    with running(tmp_path / "stack") as laptop:
        same_folder = run_once(tmp_path / "stack")
        port = int(laptop.address.rpartition(":")[2])
        same_port = run_once(tmp_path / "another", port=port)
        said = laptop.output.read_text()
    assert same_folder.returncode == same_port.returncode == 1
    assert f"A stack is running already: {laptop.address}" in same_folder.stderr
    assert f"Port {port} of 127.0.0.1 is taken" in same_port.stderr

    ready = re.search(r"Ready in ([0-9.]+) s; ([0-9]+) MB of memory", said)
    assert ready is not None
    assert float(ready[1]) < 20
    assert int(ready[2]) < BUDGET_MB
    record_property("figure", f"laptop: {ready[0]}")
