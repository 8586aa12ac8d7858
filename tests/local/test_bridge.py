"""The emulator's triggers reach the functions, and no failure of a batch is lost on the way."""

import asyncio
import json
from typing import Any, cast

import pytest

from local.bridge import Bridge, has_failed
from local.environment import Outcome
from local.fleet import Fleet
from tests.local.asking import Functions, Reply, asked

STREAM = {"Records": [{"eventSource": "aws:dynamodb"}]}
QUEUE = {"Records": [{"eventSource": "aws:sqs"}]}
NONE_FAILED: dict[str, Any] = {"batchItemFailures": []}
ONE_FAILED = {"batchItemFailures": [{"itemIdentifier": "7"}]}


@pytest.mark.parametrize(
    ("event", "answer", "failed"),
    [
        (STREAM, NONE_FAILED, False),
        (STREAM, ONE_FAILED, True),
        (STREAM, None, False),
        # The emulator itself reads what failed of a queue's batch.
        (QUEUE, ONE_FAILED, False),
        ({}, ONE_FAILED, False),
        ({"Records": []}, ONE_FAILED, False),
    ],
)
def test_a_stream_gets_a_batch_again_when_a_part_of_it_failed(
    event: Any, answer: Any, failed: bool
):
    outcome = Outcome(json.dumps(answer).encode())

    assert has_failed(json.dumps(event).encode(), outcome) is failed


def test_a_failed_handler_fails_every_kind_of_event():
    for event in (STREAM, QUEUE, {}):
        assert has_failed(json.dumps(event).encode(), Outcome(b"{}", is_failure=True))


@pytest.mark.parametrize(("answer", "status"), [(NONE_FAILED, 200), (ONE_FAILED, 502)])
def test_events_wait_until_there_are_functions_to_run(answer: Any, status: int):
    functions = Functions(**{"ledger-stream": answer})

    async def story() -> tuple[bool, Reply]:
        bridge = Bridge()
        waiting = asyncio.create_task(
            asked(
                bridge,
                "POST",
                "/",
                headers=[("x-amzn-lambda-function-name", "ledger-stream")],
                parts=[json.dumps(STREAM).encode()],
            )
        )
        await asyncio.sleep(0.01)
        waited = not waiting.done()
        bridge.open(cast(Fleet, _Only(functions)))
        return waited, await waiting

    waited, reply = asyncio.run(story())

    assert waited
    assert (reply.status, reply.document) == (status, answer)
    assert functions.asked("ledger-stream") == [STREAM]


class _Only:
    """A fleet that can do nothing but run functions."""

    def __init__(self, functions: Functions) -> None:
        self.invoke = functions
