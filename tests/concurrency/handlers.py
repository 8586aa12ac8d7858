"""The real handler in processes of its own, each as Lambda runs one: one request at a time."""

import json
import multiprocessing
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from multiprocessing.pool import Pool
from multiprocessing.synchronize import Barrier
from typing import Any

from tests.concurrency.environments import DEADLINE_SECONDS, Answer
from tests.http.events import event

PATH = "/v1/billing/holds"
PAUSE_SECONDS = 0.05
UNAVAILABLE = 503


@contextmanager
def handlers(endpoint_url: str, table: str, *, processes: int) -> Iterator[Pool]:
    """So many environments of the function that places holds."""
    context = multiprocessing.get_context("spawn")
    ready = context.Barrier(processes)
    with context.Pool(processes, _begin, (endpoint_url, table, ready)) as pool:
        yield pool


def place_all(pool: Pool, keys: Sequence[str], *, amount_cents: int) -> list[Answer]:
    """A hold under each key, the next one as soon as an environment is free."""
    return pool.starmap(_place, [(key, amount_cents) for key in keys], chunksize=1)


def _begin(endpoint_url: str, table: str, ready: Barrier) -> None:
    """Start as an environment does: the settings come first, and the handler reads them."""
    os.environ["AWS_ENDPOINT_URL_DYNAMODB"] = endpoint_url
    os.environ["TABLE_NAME"] = table
    os.environ["POWERTOOLS_METRICS_NAMESPACE"] = "Holdfast"
    import_module("holds.app")
    # A line for each request would bury what the tests say.
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.dup2(null, 2)
    ready.wait(DEADLINE_SECONDS)


def _place(key: str, amount_cents: int) -> Answer:
    from holds.app import handler

    request = event("POST", PATH, body={"amount": amount_cents}, headers={"idempotency-key": key})
    began = time.monotonic()
    asked = 1
    while (answer := handler(request))["statusCode"] == UNAVAILABLE:
        assert time.monotonic() < began + DEADLINE_SECONDS, f"{key}: no definite answer"
        time.sleep(PAUSE_SECONDS)
        asked += 1
    body: dict[str, Any] = json.loads(answer["body"])
    return Answer(
        key=key,
        hold_id=body.get("id"),
        refused=body["error"]["code"] if "error" in body else None,
        status=answer["statusCode"],
        asked=asked,
        began=began,
        ended=time.monotonic(),
    )
