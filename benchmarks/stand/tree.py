"""The files of the layer and of the functions, laid out as Lambda unpacks them."""

import re
import shutil
import subprocess
import sys
from importlib.metadata import distribution
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LAYER = ROOT / "layers" / "core"
FUNCTIONS = ROOT / "functions"
HELLO = ROOT / "benchmarks" / "stand" / "hello.py"
_PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", re.MULTILINE)


def lay_out(folder: Path) -> None:
    """Everything as source: the layer in `opt/python`, each function in `task/<name>`."""
    layer = folder / "opt" / "python"
    _install(LAYER / "requirements.txt", layer)
    _copy(LAYER / "holdfast", layer / "holdfast")
    for package in sorted(path.parent for path in FUNCTIONS.glob("*/app.py")):
        task = folder / "task" / package.name
        _copy(package, task / package.name)
        if (requirements := package / "requirements.txt").is_file():
            _install(requirements, task)
    hello = folder / "task" / "hello" / "hello"
    hello.mkdir(parents=True)
    shutil.copy(HELLO, hello / "app.py")


def compile_all(folder: Path) -> None:
    """Add the bytecode as the layer's makefile does: never checked against the source."""
    command = ["-m", "compileall", "-q", "-j", "0", "--invalidation-mode", "unchecked-hash"]
    subprocess.run([sys.executable, *command, folder], check=True)


def functions(folder: Path) -> list[str]:
    """The names of what was laid out."""
    return sorted(path.name for path in (folder / "task").iterdir())


def path_of(folder: Path, function: str) -> list[str]:
    """What is at the front of `sys.path` in that function."""
    return [str(folder / "task" / function), str(folder / "opt" / "python")]


def _install(requirements: Path, target: Path) -> None:
    """Put what is pinned there, from this environment, which has the same versions."""
    for name, wanted in _PIN.findall(requirements.read_text(encoding="utf-8")):
        found = distribution(name)
        if found.version != wanted:
            raise RuntimeError(f"{name} is {found.version} here and {wanted} in {requirements}")
        for file in found.files or []:
            if ".." in file.parts or file.suffix == ".pyc":
                continue
            place = target / file
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(str(found.locate_file(file)), place)


def _copy(source: Path, target: Path) -> None:
    shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
