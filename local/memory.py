"""How much memory processes hold."""

import subprocess
from pathlib import Path

BUDGET_MB = 600


def resident_mb(pids: list[int]) -> float:
    """Megabytes resident in all of these processes.

    On Linux what several share counts once, in equal parts; elsewhere once for each of them.
    """
    return sum(_resident_kb(pid) for pid in pids) / 1024


def _resident_kb(pid: int) -> int:
    shared_out = Path(f"/proc/{pid}/smaps_rollup")
    if shared_out.exists():
        for line in shared_out.read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1])
        return 0
    listed = subprocess.run(
        ["ps", "-o", "rss=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return int(listed.stdout.strip() or 0)
