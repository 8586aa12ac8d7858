"""Many environments at once against a real server: processes, threads, sockets, lost races."""

import sys
from pathlib import Path

# pytest sets the path itself; `python -m tests.concurrency` has to.
_ROOT = Path(__file__).resolve().parents[2]
for _folder in (_ROOT / "layers" / "core", _ROOT / "functions"):
    if str(_folder) not in sys.path:
        sys.path.insert(0, str(_folder))
