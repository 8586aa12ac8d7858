from collections.abc import Iterator
from typing import Any

import pytest

from tests.simulator import engines


@pytest.fixture(scope="session")
def ministack_url() -> Iterator[str]:
    """One server for the whole session; every test makes a table of its own in it."""
    with engines.ministack(environment={"SERVICES": "dynamodb,dynamodbstreams"}) as url:
        yield url


@pytest.fixture(scope="session")
def ministack_client(ministack_url: str) -> Any:
    return engines.client("dynamodb", ministack_url)
