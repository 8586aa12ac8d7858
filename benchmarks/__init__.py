"""Benchmarks. Each prints its figure, its ratio and its command; `README.md` says how and why."""

import sys
from pathlib import Path

# The layer and the functions stand at the top of the path, as on Lambda.
_ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(_ROOT / "layers" / "core"), str(_ROOT / "functions")]
