"""The page that specifies the chain is right: its ten lines run, and its table is complete."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from holdfast.domain import entries
from holdfast.verify import BALANCE, CUSTOMER, OPTIONAL, REQUIRED
from tests.verify.exports import long, parsed, small

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "hash-chain.md"


@pytest.fixture
def check(tmp_path):
    """Run the page's ten lines over an export; what they print, and the exit status."""
    (script,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(), flags=re.DOTALL)
    assert len([line for line in script.splitlines() if line]) == 10

    def run(lines) -> tuple[str, int]:
        file = tmp_path / "entries.jsonl"
        file.write_bytes(b"".join(lines))
        done = subprocess.run(
            [sys.executable, "-c", script, str(file)], capture_output=True, text=True, check=False
        )
        return done.stdout + done.stderr, done.returncode

    return run


@pytest.mark.parametrize("export", [small(), long()], ids=["small", "long"])
def test_its_ten_lines_find_the_head(check, export):
    assert check(export) == (f"ok, head {parsed(export)[-1]['hash']}\n", 0)


def test_its_ten_lines_name_a_broken_entry(check):
    lines = [line.replace(b'"amount":5000', b'"amount":6000') for line in small()]

    entry = parsed(small())[1]
    assert check(lines) == (f"entry 2 ({entry['id']}) is broken\n", 1)


def test_its_ten_lines_find_a_gap(check):
    _, status = check([small()[0], small()[2]])

    assert status == 1


def test_its_table_has_every_field():
    rows = re.findall(r"^\| (`.*?) \|", PAGE.read_text(), flags=re.MULTILINE)
    named = {name for row in rows for name in re.findall(r"`(\w+)`", row)}

    assert named == (REQUIRED | OPTIONAL) - {name for name in OPTIONAL if "_decimal" in name}


def test_its_table_has_every_type():
    text = PAGE.read_text()
    types = {
        value
        for name, value in vars(entries).items()
        if name.isupper() and isinstance(value, str) and f"`{value}`" in text
    }

    assert {entry["type"] for entry in parsed(long())} <= types
    assert len(types) > 16


def test_its_rules_name_every_ledger_account_of_the_customer():
    (rule,) = re.findall(r"^5\. (.+?)^6\. ", PAGE.read_text(), flags=re.MULTILINE | re.DOTALL)

    named = set(re.findall(r"`(\w+)`", rule)) - {"balance_after", "held_after"}
    assert named == CUSTOMER == entries.CUSTOMER_ACCOUNTS | {entries.RESTRICTED_CREDIT}
    assert BALANCE == entries.CUSTOMER_ACCOUNTS
