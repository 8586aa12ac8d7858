"""A world for each test, audited when the test is over."""

from collections.abc import Iterator

import pytest

from holdfast.audit import audit_items
from tests.api.world import World


@pytest.fixture
def world() -> Iterator[World]:
    """Nobody has an account yet, and it is noon."""
    there = World()
    yield there
    assert audit_items(there.items()) == []
