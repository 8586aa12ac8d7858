"""How much memory processes hold."""

import subprocess
from pathlib import Path

BUDGET_MB = 600


def resident_mb(pids: list[int]) -> float:
    """Megabytes resident in all of these processes; what they share counts once for each."""
    return sum(_resident_kb(pid) for pid in pids) / 1024


def _resident_kb(pid: int) -> int:
    status = Path(f"/proc/{pid}/status")
    if status.exists():
        for line in status.read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1])
        return 0
    listed = subprocess.run(
        ["ps", "-o", "rss=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return int(listed.stdout.strip() or 0)
