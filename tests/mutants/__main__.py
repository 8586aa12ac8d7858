"""All mutants, two at a time: `python -m tests.mutants [words of a name]`."""

import sys
import time
from concurrent.futures import ThreadPoolExecutor

from tests.mutants.running import Mutant, NotPlanted, Verdict, catalogue, judge

AT_ONCE = 2


def _judged(mutant: Mutant) -> Verdict | NotPlanted:
    try:
        return judge(mutant)
    except NotPlanted as reason:
        return reason


def main() -> int:
    """Print a line for each mutant, and killed / total; 0 if all were killed."""
    words = [word.lower() for word in sys.argv[1:]]
    mutants = [m for m in catalogue() if all(word in m.name.lower() for word in words)]
    started = time.monotonic()
    killed = 0
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for mutant, verdict in zip(mutants, pool.map(_judged, mutants), strict=True):
            if isinstance(verdict, NotPlanted):
                sys.stdout.write(f"NOT PLANTED  {verdict}\n")
                continue
            killed += verdict.is_killed
            word = "killed" if verdict.is_killed else f"ALIVE ({verdict.exit_code})"
            sys.stdout.write(f"{word:<11} {verdict.seconds:5.1f} s  {mutant.name}\n")
            if not verdict.is_killed:
                sys.stdout.write(verdict.output[-2_000:])
            sys.stdout.flush()
    seconds = time.monotonic() - started
    sys.stdout.write(f"mutants: killed {killed} / total {len(mutants)} in {seconds:.0f} s\n")
    return 0 if killed == len(mutants) else 1


if __name__ == "__main__":
    sys.exit(main())
