"""The long run: `python -m tests.soak`."""

import sys
from pathlib import Path

_LAYER = str(Path(__file__).resolve().parents[2] / "layers" / "core")

# The command runs from the root of the repository, without pytest's settings.
if _LAYER not in sys.path:
    sys.path.insert(0, _LAYER)
