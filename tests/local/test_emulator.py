"""What is done to the embedded AWS's state before it reads it."""

import json
from pathlib import Path

from local.emulator import move_queues

URL = "http://localhost:{}/000000000000/holdfast-SweepQueue-1"


def test_queues_move_to_the_port_of_this_time_and_nothing_else_does(tmp_path: Path):
    kept = {"queue": URL.format(41000), "site": "http://localhost:41000/page", "port": 41000}
    for name in ("sqs.json", "lambda.json", "cloudformation.json", "dynamodb.json"):
        (tmp_path / name).write_text(json.dumps(kept))

    move_queues(tmp_path, port=52000)

    for name in ("sqs.json", "lambda.json", "cloudformation.json"):
        moved = json.loads((tmp_path / name).read_text())
        assert moved == {**kept, "queue": URL.format(52000)}
    assert json.loads((tmp_path / "dynamodb.json").read_text()) == kept


def test_there_may_be_no_state_yet(tmp_path: Path):
    move_queues(tmp_path, port=52000)

    assert list(tmp_path.iterdir()) == []
