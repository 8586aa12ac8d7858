"""CPU that a request costs in its function, beside a Powertools hello world in the same run.

Real events go through the real handlers; boto3 talks HTTP over 127.0.0.1 to a process that has one
answer ready (`stand/dynamodb.py`), so the engine's work is left out and the client's is not. Each
function has its own process and answers for its own CPU (`getrusage`). The rounds interleave, and
ratios are taken within a round.

    python -m benchmarks.handler_cpu --rounds 15 --requests 300
"""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

from benchmarks.stand.figures import Samples, print_table, print_where
from benchmarks.stand.scenarios import HELLO, OPERATIONS, Scenario
from benchmarks.stand.wallets import wallet_item

GOAL_RATIO = 20.0

PRODUCT = [name for name in OPERATIONS if name != HELLO]
SCENARIOS = [
    Scenario(HELLO),
    *(
        Scenario(name, remembered=remembered, client=client)
        for name in PRODUCT
        for remembered in (True, False)
        for client in (True, False)
    ),
]


@dataclass(frozen=True, slots=True)
class Worker:
    """A function's process."""

    process: subprocess.Popen[str]

    def ask(self, scenario: Scenario, requests: int) -> dict[str, Any]:
        """What so many requests took: `cpu_seconds`, and `peak_bytes` of memory so far."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        print(json.dumps(scenario.command(requests)), file=self.process.stdin, flush=True)
        answer: dict[str, Any] = json.loads(self.process.stdout.readline() or '{"failed": "ended"}')
        if "failed" in answer:
            raise RuntimeError(answer["failed"])
        return answer


@contextmanager
def child(module: str, *arguments: str, **environment: str) -> Iterator[subprocess.Popen[str]]:
    """A Python process that ends when its input does."""
    command = [sys.executable, "-m", module, *arguments]
    process = subprocess.Popen(
        command,
        env={**os.environ, **environment},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        assert process.stdin is not None
        process.stdin.close()
        process.wait()


@contextmanager
def workers() -> Iterator[dict[str, Worker]]:
    """One process for each function, and one for what answers in DynamoDB's place."""
    with ExitStack() as stack:
        engine = stack.enter_context(child("benchmarks.stand.dynamodb"))
        assert engine.stdin is not None
        assert engine.stdout is not None
        print(json.dumps({"Item": wallet_item()}), file=engine.stdin, flush=True)
        environment = {
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_SESSION_TOKEN": "testing",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ENDPOINT_URL_DYNAMODB": f"http://127.0.0.1:{int(engine.stdout.readline())}",
            "AWS_LAMBDA_FUNCTION_NAME": "measured",
            "POWERTOOLS_METRICS_NAMESPACE": "Holdfast",
            "TABLE_NAME": "holdfast",
        }
        functions = {operation.function for operation in OPERATIONS.values()}
        yield {
            name: Worker(stack.enter_context(child("benchmarks.stand.worker", name, **environment)))
            for name in sorted(functions)
        }


def measure(rounds: int, requests: int) -> tuple[dict[Scenario, Samples], dict[str, int]]:
    """CPU milliseconds a request by scenario, and the peak of memory by function, in bytes."""
    taken: dict[Scenario, list[float]] = {scenario: [] for scenario in SCENARIOS}
    peaks: dict[str, int] = {}
    with workers() as started:
        for number in range(rounds + 1):
            # Everybody is first once, and last once; round 0 only warms up.
            turn = number % len(SCENARIOS)
            for scenario in SCENARIOS[turn:] + SCENARIOS[:turn]:
                function = OPERATIONS[scenario.operation].function
                answer = started[function].ask(scenario, requests if number else 30)
                peaks[function] = answer["peak_bytes"]
                if number:
                    taken[scenario].append(answer["cpu_seconds"] / requests * 1000)
    return {scenario: Samples(tuple(values)) for scenario, values in taken.items()}, peaks


def print_figures(taken: dict[Scenario, Samples]) -> None:
    """One row an operation: in all, beside hello, and boto3's share of it."""
    hello = taken[Scenario(HELLO)]
    rows = [[HELLO, _ms(hello.median), _ms(hello.least), "1.0", "", "", "", ""]]
    for name in PRODUCT:
        for remembered in (True, False):
            whole = taken[Scenario(name, remembered=remembered)]
            ours = taken[Scenario(name, remembered=remembered, client=False)]
            client = whole.less(ours)
            found = "wallet remembered" if remembered else "wallet read"
            rows.append(
                [
                    f"{name}, {found}",
                    _ms(whole.median),
                    _ms(whole.least),
                    f"{whole.over(hello):.1f}",
                    _ms(client.median),
                    f"{client.over(whole):.0%}",
                    _ms(ours.median),
                    f"{ours.over(hello):.1f}",
                ]
            )
    heads = ["CPU a request, ms", "median", "least", "x hello"]
    print_table([*heads, "boto3's", "share", "without it", "x hello"], rows)


def _ms(milliseconds: float) -> str:
    return f"{milliseconds:.3f}"


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--requests", type=int, default=150, help="of each scenario, a round")
    chosen = parser.parse_args(arguments)
    taken, peaks = measure(chosen.rounds, chosen.requests)
    print(f"{chosen.rounds} rounds of {chosen.requests} requests, the engine's work left out\n")
    print_figures(taken)
    memory = ", ".join(f"{name} {peak / 2**20:.0f} MB" for name, peak in peaks.items())
    print(f"\npeak memory after all of it: {memory}")
    hello = taken[Scenario(HELLO)]
    worst = max(taken[Scenario(name)].over(hello) for name in PRODUCT)
    kept = "kept" if worst <= GOAL_RATIO else "NOT KEPT"
    print(f"goal: at most {GOAL_RATIO:.0f} x hello with boto3 as it is: {worst:.1f}, {kept}")
    print_where(f"benchmarks.handler_cpu --rounds {chosen.rounds} --requests {chosen.requests}")


if __name__ == "__main__":
    main()
