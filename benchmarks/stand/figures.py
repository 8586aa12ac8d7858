"""Figures of one run: medians and minima, ratios within a round, and where they were measured."""

import os
import platform
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from statistics import median

PACKAGES = ("aws-lambda-powertools", "boto3", "botocore", "pydantic")


@dataclass(frozen=True, slots=True)
class Samples:
    """What one thing took, round by round."""

    values: tuple[float, ...]

    @property
    def median(self) -> float:
        return median(self.values)

    @property
    def least(self) -> float:
        return min(self.values)

    def over(self, other: "Samples") -> float:
        """How many times the other: the median of the rounds' own ratios.

        Both were measured within seconds of each other in a round, so a busy minute counts for
        both of them.
        """
        pairs = zip(self.values, other.values, strict=True)
        return median(mine / theirs for mine, theirs in pairs)

    def less(self, other: "Samples") -> "Samples":
        """What is left without the other, round by round."""
        pairs = zip(self.values, other.values, strict=True)
        return Samples(tuple(mine - theirs for mine, theirs in pairs))


def print_table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A Markdown table: the first column left, the others right, so that it can be pasted."""
    columns = list(zip(heads, *rows, strict=True))
    widths = [max(map(len, column)) for column in columns]
    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    for cells in (heads, rule, *rows):
        first, *others = zip(cells, widths, strict=True)
        shown = [first[0].ljust(first[1]), *(cell.rjust(width) for cell, width in others)]
        print(f"| {' | '.join(shown)} |")


def print_where(command: str) -> None:
    """The machine, the versions and the command: without them a figure says nothing."""
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    load = os.getloadavg()[0]
    print(f"\nPython {platform.python_version()}, {packages}")
    print(f"{os.cpu_count()} x {_processor()}, {platform.system()} {platform.release()}, ", end="")
    print(f"load {load:.1f} at the end")
    print(f"command: python -m {command}")
    sys.stdout.flush()


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()
