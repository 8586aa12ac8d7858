"""The command: what it prints, and what its exit status is."""

import subprocess
import sys
from pathlib import Path

import pytest

from holdfast.verify import main
from tests.verify.exports import long, many_wallets, parsed, small

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def file(tmp_path):
    """Write an export; where it is."""

    def write(lines) -> str:
        path = tmp_path / "entries.jsonl"
        path.write_bytes(b"".join(lines))
        return str(path)

    return write


def test_a_sound_export_shows_its_wallet(file, capsys):
    last = parsed(small())[-1]

    assert main([file(small()), "--head", last["hash"]]) == 0

    assert capsys.readouterr().out == (
        "ok: 3 entries, 1 wallets\n"
        f"{last['account_id']} usd entries 1-3 head {last['hash']} balance 6000 held 1234.5678\n"
    )


def test_a_balance_below_zero_and_one_with_decimals_are_told_exactly(file, capsys):
    lines = [line for line in many_wallets() if b'"kwd"' in line]

    assert main([file(lines)]) == 0

    told = capsys.readouterr().out
    for line in told.splitlines()[1:]:
        account, seq = line.split()[0], int(line.split()[3].partition("-")[2])
        entry = next(e for e in parsed(lines) if (e["account_id"], e["seq"]) == (account, seq))
        exact = entry.get("balance_after_decimal", str(entry["balance_after"]))
        assert f" balance {exact} " in line


def test_a_broken_export_names_the_entry(file, capsys):
    lines = [line.replace(b'"api"', b'"apt"') if b'"seq":2,' in line else line for line in small()]

    assert main([file(lines)]) == 1

    entry = parsed(small())[1]
    assert capsys.readouterr().out == (
        f"BROKEN line 2, entry 2 ({entry['id']}): does not have the hash that it says it has\n"
    )


def test_more_than_one_finding_is_counted(file, capsys):
    lines = [line.replace(b'"api"', b'"apt"') for line in small()]

    assert main([file(lines)]) == 1

    assert capsys.readouterr().out.endswith("       and 1 more\n")


def test_a_wrong_head_is_broken(file, capsys):
    assert main([file(small()), "--head", "a" * 64]) == 1

    assert "newer ones are missing" in capsys.readouterr().out


def test_an_export_from_the_middle(file, capsys):
    entries = parsed(long())
    rest = [line for line in long() if parsed([line])[0]["seq"] > 4]

    assert main([file(rest), "--from-seq", "5", "--prev", entries[3]["hash"]]) == 0

    assert f"entries 5-{len(entries)} " in capsys.readouterr().out


def test_a_file_that_is_not_there_is_not_checked(tmp_path, capsys):
    assert main([str(tmp_path / "none")]) == 2

    told = capsys.readouterr()
    assert "cannot be checked" in told.err
    assert told.out == ""


def test_a_folder_is_not_checked(tmp_path, capsys):
    assert main([str(tmp_path)]) == 2

    assert "cannot be checked" in capsys.readouterr().err


def test_an_empty_file_is_not_checked(file, capsys):
    assert main([file([])]) == 2

    assert "there are no entries in it" in capsys.readouterr().err


@pytest.mark.parametrize(
    "options",
    [
        ["--head", "abc"],
        ["--prev", "A" * 64],
        ["--from-seq", "5"],
        ["--prev", "0" * 64],
        ["--from-seq", "0", "--prev", "0" * 64],
        ["--from-seq", "x"],
    ],
    ids=" ".join,
)
def test_options_that_make_no_sense_are_refused(file, options, capsys):
    with pytest.raises(SystemExit) as refused:
        main([file(small()), *options])

    assert refused.value.code == 2
    assert "usage:" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "status"),
    [(b"".join(small()), 0), (b"".join(small()).removesuffix(b"\n"), 0), (b"[" * 100_000, 1)],
    ids=["sound", "no newline at the end", "nested too deeply"],
)
def test_standard_input_and_the_exit_status_of_the_command_itself(text, status):
    run = subprocess.run(
        [sys.executable, "-m", "holdfast.verify", "-"],
        input=text,
        env={"PYTHONPATH": str(ROOT / "layers" / "core")},
        capture_output=True,
        check=False,
    )

    assert run.returncode == status
    assert run.stderr == b""
