"""A rig for each test; its ledger is audited when the test is over, unless it broke it itself."""

from collections.abc import Iterator

import pytest

from holdfast.audit import audit_items
from tests.events.rig import Rig


@pytest.fixture
def rig(monkeypatch: pytest.MonkeyPatch) -> Iterator[Rig]:
    there = Rig()
    there.stand_in(monkeypatch.setattr)
    yield there
    items = there.world.items()
    if not any("broken" in item for item in items):
        assert audit_items(items) == []
