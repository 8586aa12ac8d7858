"""Plant a bug in a copy of the package, and run the tests that must not let it pass."""

import os
import shutil
import subprocess
import sys
import time
import tomllib
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "layers" / "core" / "holdfast"
CATALOGUE = Path(__file__).with_name("catalogue.toml")
TIMEOUT_SECONDS = 120

TESTS_PASSED = 0
TESTS_FAILED = 1


class NotPlanted(Exception):
    """The text that a mutant changes does not stand in its file exactly once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """A small change to one file of the package, and the tests that must notice it."""

    name: str
    file: str
    why: str
    old: str
    new: str
    killed_by: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Verdict:
    """How pytest ended in the presence of a mutant."""

    exit_code: int
    output: str
    seconds: float

    @property
    def is_killed(self) -> bool:
        """Whether a test failed. A run that could not begin has killed nothing."""
        return self.exit_code == TESTS_FAILED


def catalogue() -> list[Mutant]:
    """All mutants, in the order of the file."""
    listed = tomllib.loads(CATALOGUE.read_text(encoding="utf-8"))["mutant"]
    return [Mutant(**{**entry, "killed_by": tuple(entry["killed_by"])}) for entry in listed]


def plant(mutant: Mutant | None, folder: Path) -> None:
    """Copy the package into the folder, with the change; without one if there is no mutant.

    Raises:
        NotPlanted: The code has changed since the mutant was written down.
    """
    copy = folder / PACKAGE.name
    shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    if mutant is None:
        return
    target = copy / mutant.file
    text = target.read_text(encoding="utf-8")
    if text.count(mutant.old) != 1:
        raise NotPlanted(f"{mutant.name}: {text.count(mutant.old)} places in {mutant.file}")
    target.write_text(text.replace(mutant.old, mutant.new), encoding="utf-8")


def judge(mutant: Mutant | None, *tests: str) -> Verdict:
    """Run tests, by default those of the mutant, against a copy of the package that has it."""
    named = tests or (mutant.killed_by if mutant else ())
    assert named
    with TemporaryDirectory(prefix="mutant-") as folder:
        plant(mutant, Path(folder))
        started = time.monotonic()
        run = subprocess.run(
            [*_pytest(folder), *(str(ROOT / "tests" / test) for test in named)],
            cwd=ROOT,
            env=_environment(),
            capture_output=True,
            text=True,
            timeout=TIMEOUT_SECONDS,
            check=False,
        )
    return Verdict(run.returncode, run.stdout + run.stderr, time.monotonic() - started)


def _pytest(folder: str) -> list[str]:
    plugins = ("cacheprovider", "xdist", "hypothesispytest")
    return [
        *(sys.executable, "-m", "pytest", "-q", "-x", "--tb=line", "--noconftest"),
        *(argument for plugin in plugins for argument in ("-p", f"no:{plugin}")),
        # In place of `layers/core`: nothing else of the product is within reach.
        *("-o", f"pythonpath={folder} {ROOT}", "-o", "norecursedirs=", "-o", "testpaths="),
    ]


def _environment() -> dict[str, str]:
    kept = ("HOME", "LANG", "PATH", "TMPDIR")
    given = {name: os.environ[name] for name in kept if name in os.environ}
    return {**given, "AWS_DEFAULT_REGION": "us-east-1", "PYTHONHASHSEED": "0"}
