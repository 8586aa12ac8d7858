"""The x402 facilitator of a laptop is loaded by the first who asks it."""

import subprocess
import sys
from pathlib import Path

from local.chain import LazyFacilitator
from tests.local.asking import ask

ROOT = Path(__file__).resolve().parents[2]


def test_it_answers_as_the_facilitator_does():
    facilitator = LazyFacilitator()

    supported = ask(facilitator, "GET", "/supported")
    unreadable = ask(facilitator, "POST", "/verify", parts=[b"{}"])

    assert supported.status == 200
    assert {kind["scheme"] for kind in supported.document["kinds"]} == {"exact"}
    assert unreadable.document == {"isValid": False, "invalidReason": "invalid_payload"}


def test_the_stack_is_started_without_what_checks_signatures():
    loaded = subprocess.run(
        [sys.executable, "-c", "import sys, local.run; print(*sys.modules)"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()

    assert "local.chain" in loaded
    assert [name for name in loaded if name.startswith(("eth_", "boto", "holdfast"))] == []
