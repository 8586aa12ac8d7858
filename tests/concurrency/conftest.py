from collections.abc import Iterator
from typing import Any

import pytest

from tests.concurrency.environments import Fleet, fleet
from tests.simulator import engines


@pytest.fixture(scope="session")
def server_url() -> Iterator[str]:
    """A server of its own: nothing else is asked of it while a crowd is there."""
    with engines.ministack(environment={"SERVICES": "dynamodb"}) as url:
        yield url


@pytest.fixture(scope="session")
def client(server_url: str) -> Any:
    return engines.client("dynamodb", server_url)


@pytest.fixture(scope="session")
def environments(server_url: str) -> Iterator[Fleet]:
    with fleet(server_url, processes=4, threads=4) as started:
        yield started
