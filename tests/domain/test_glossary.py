"""The glossary has every word that a program reads, once, and one line for each."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from holdfast.domain import book, budgets, entries, holds, lots, members, reconciliation
from holdfast.domain.quotes import job_status
from tests.domain.samples import hold

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "glossary.md"
ROW = re.compile(r"^\| (?P<word>[^|]+) \| (?P<meaning>[^|]+) \|$", re.MULTILINE)
TEXT = PAGE.read_text()
ROWS = [row for row in ROW.finditer(TEXT) if row["word"] != "word"]
SPELLED = set(re.findall(r"`([a-z_]+)`", TEXT))


def constants(module: object) -> set[str]:
    """The public words that a module gives names to."""
    return {
        value
        for name, value in vars(module).items()
        if name.isupper() and isinstance(value, str) and re.fullmatch(r"[a-z_]*[a-z]", value)
    }


@pytest.mark.parametrize(
    "module",
    [entries, holds, lots, book, budgets, members, reconciliation],
    ids=lambda each: each.__name__,
)
def test_every_word_of_the_ledger_is_explained(module):
    words = constants(module)

    assert words
    assert words <= SPELLED


@pytest.mark.parametrize("status", ["open", "released", "captured", "expired"])
@pytest.mark.parametrize("captured", [0, 5])
def test_every_word_of_the_hardware_surface_is_explained(status, captured):
    job = replace(hold(5), status=status, captured_micros=captured)

    assert job_status(job) in SPELLED


def test_a_word_is_explained_once_and_in_one_line():
    words = [row["word"] for row in ROWS]

    assert len(words) > 110
    assert len(words) == len(set(words))
    assert [row[0] for row in ROWS if len(row[0]) > 140] == []
    assert [row["word"] for row in ROWS if not row["meaning"].endswith(".")] == []
