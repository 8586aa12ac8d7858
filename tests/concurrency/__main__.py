"""A thousand holds against a wallet that is good for a hundred, on as many seeds as you like.

    python -m tests.concurrency --seeds 20
    python -m tests.concurrency --seeds 20 --nested

With `--nested` the money is there for all of them, and three budgets are in the way.

Exit status: 0 if all is as it must be on every seed, 1 if not.
"""

import argparse
import os
import platform
import sys
from collections.abc import Sequence
from importlib.metadata import version

from tests.concurrency.crowds import GOOD_FOR, REQUESTS, Outcome, problems_of, thousand_holds
from tests.concurrency.environments import fleet
from tests.concurrency.nested import problems_of_nested, thousand_nested_holds
from tests.simulator import engines

ROW = "{:>4} {:>12} {:>8} {:>9} {:>12} {:>12} {:>8} {:>9}  {}"
HEADS = (
    "seed",
    "cents a hold",
    "placed",
    "refused",
    "asked again",
    "in both",
    "entries",
    "seconds",
)


def say(line: str) -> None:
    """One line of the report, at once: a seed takes seconds."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def row(outcome: Outcome, wrong: Sequence[str], *, in_pairs: bool) -> str:
    """One seed's line of the table."""
    return ROW.format(
        outcome.crowd.seed,
        outcome.crowd.amount_micros // 10_000,
        len(outcome.held_ids),
        outcome.refusals.total(),
        outcome.asked_again,
        outcome.met if in_pairs else "-",
        len(outcome.books.entries),
        f"{outcome.seconds:.1f}",
        "; ".join(wrong) or "sound",
    )


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.concurrency")
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--processes", type=int, default=4)
    parser.add_argument("--threads", type=int, default=4, help="in each process")
    parser.add_argument("--in-pairs", action="store_true", help="each key from two processes")
    parser.add_argument("--nested", action="store_true", help="three budgets, one in another")
    chosen = parser.parse_args(arguments)
    broken = 0
    settings = {"SERVICES": "dynamodb"}
    with (
        engines.ministack(environment=settings) as url,
        fleet(url, processes=chosen.processes, threads=chosen.threads) as environments,
    ):
        client = engines.client("dynamodb", url)
        place = "through three budgets, one" if chosen.nested else "on a wallet"
        say(
            f"{REQUESTS:,} holds at once {place} good for {GOOD_FOR}, "
            f"{chosen.processes} processes of {chosen.threads} environments"
        )
        say(ROW.format(*HEADS, "the books"))
        for seed in range(1, chosen.seeds + 1):
            if chosen.nested:
                outcome = thousand_nested_holds(client, environments, seed=seed)
                wrong = problems_of_nested(outcome)
            else:
                outcome = thousand_holds(client, environments, seed=seed, in_pairs=chosen.in_pairs)
                wrong = problems_of(outcome)
            broken += bool(wrong)
            say(row(outcome, wrong, in_pairs=chosen.in_pairs))
    say(
        f"{chosen.seeds - broken} of {chosen.seeds} seeds sound; "
        f"ministack {version('ministack')}, boto3 {version('boto3')}, "
        f"Python {platform.python_version()}, {os.cpu_count()} CPUs"
    )
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
