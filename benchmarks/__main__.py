"""All benchmarks, or those that are named: `python -m benchmarks handler_cpu`.

Each runs in a process of its own, one after the other: what one leaves behind is nobody else's.
"""

import argparse
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

HERE = Path(__file__).parent


def names() -> list[str]:
    """Every module of this folder but the package's own two."""
    return sorted(path.stem for path in HERE.glob("*.py") if not path.stem.startswith("_"))


def run(name: str) -> int:
    """One benchmark, its output passed through; its exit status."""
    print(f"\n=== {name}\n", flush=True)
    began = time.monotonic()
    status = subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], check=False).returncode
    print(f"\n=== {name}: {time.monotonic() - began:.0f} s", flush=True)
    return status


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks")
    parser.add_argument("names", nargs="*", choices=[[], *names()], help="all of them, if none")
    chosen = parser.parse_args(arguments)
    return max(run(name) for name in chosen.names or names())


if __name__ == "__main__":
    sys.exit(main())
