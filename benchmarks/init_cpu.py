"""CPU and memory that a function's start costs, beside a Powertools hello world in the same run.

The layer and the functions are laid out as Lambda unpacks them, once with the bytecode that the
makefiles ship (`unchecked-hash`) and once as source only, as `sam build` would ship them by
itself. Each start is a fresh process without site-packages. `import` is the handler's module;
`clients` is what the first request makes: the SDK's clients, and where it is paid for, Stripe's
library. The interpreter's own start is left out of the CPU, and counts in the memory. The rounds
interleave.

    python -m benchmarks.init_cpu --rounds 9
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.stand.figures import Samples, print_table, print_where
from benchmarks.stand.tree import compile_all, functions, lay_out, path_of

HELLO = "hello"
GOAL_RATIO = 2.7
GOAL_BYTES = 128 * 2**20

WORKERS = ("funding.recharge", "payments.nightly", "stripe_webhook.worker")
"""Handlers that have a module of their own beside the app of their package."""

_LEDGER = "holdfast.runtime:ledger_store"
_PAID = [_LEDGER, "holdfast.gateways.stripe.sdk:"]
CLIENTS = {
    "accounts": [_LEDGER],
    "billing_cycle": [*_PAID, "holdfast.runtime:work_queue"],
    "credits": [_LEDGER],
    "funding": _PAID,
    "funding.recharge": _PAID,
    "holds": [_LEDGER],
    "ledger_stream": ["holdfast.runtime:event_bus"],
    "payment_methods": _PAID,
    "payments": _PAID,
    "payments.nightly": _PAID,
    "stripe_webhook": [_LEDGER, "holdfast.runtime:stripe_queue"],
    "stripe_webhook.worker": _PAID,
    "wallet": [_LEDGER],
}
"""What the first request asks for: a module, and what is called in it; the others ask for nothing.
"""

# What runs in the fresh process. It imports next to nothing itself.
START = """
import json, resource, sys
def spent():
    used = resource.getrusage(resource.RUSAGE_SELF)
    return (used.ru_utime + used.ru_stime) * 1000
path, module, clients = json.loads(sys.argv[1])
sys.path[:0] = path
marks = [spent()]
__import__(module)
marks.append(spent())
for client in clients:
    name, _, maker = client.partition(":")
    __import__(name)
    if maker:
        getattr(sys.modules[name], maker)()
marks.append(spent())
with open("/proc/self/status") as status:
    peak = next(int(line.split()[1]) for line in status if line.startswith("VmHWM:"))
print(json.dumps({"import": marks[1] - marks[0], "all": marks[2] - marks[0], "peak": peak * 1024}))
"""

ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_LAMBDA_FUNCTION_NAME": "measured",
    "EVENT_BUS_NAME": "holdfast-events",
    "OIDC_AUDIENCE": "holdfast",
    "OIDC_ISSUER": "https://login.example.com",
    "OIDC_JWKS_URL": "https://login.example.com/keys",
    "PATH": os.environ.get("PATH", ""),
    "POWERTOOLS_METRICS_NAMESPACE": "Holdfast",
    "STRIPE_QUEUE_URL": "https://sqs.us-east-1.amazonaws.com/123456789012/holdfast-stripe-events",
    "SWEEP_QUEUE_URL": "https://sqs.us-east-1.amazonaws.com/123456789012/holdfast-sweep",
    "TABLE_NAME": "holdfast",
}


@dataclass(frozen=True, slots=True)
class Start:
    """A function's start, and from which tree."""

    function: str
    compiled: bool


@dataclass(frozen=True, slots=True)
class Taken:
    """CPU milliseconds of the import, and with the clients; the peak of memory in bytes."""

    imported: Samples
    ready: Samples
    peak: Samples


def start_once(folder: Path, function: str) -> dict[str, Any]:
    """One start in a fresh process."""
    package, _, module = function.partition(".")
    asked = [path_of(folder, package), f"{package}.{module or 'app'}", CLIENTS.get(function, [])]
    # -I -S: neither the environment nor site-packages count; -B: a layer is read-only.
    command = [sys.executable, "-I", "-S", "-B", "-c", START, json.dumps(asked)]
    done = subprocess.run(
        command, env=ENVIRONMENT, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, check=True
    )
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def measure(folder: Path, rounds: int) -> dict[Start, Taken]:
    """Every function from both trees, so many times, in turns."""
    trees = {True: folder / "compiled", False: folder / "source"}
    lay_out(trees[False])
    # Hard links: the same files, and bytecode beside one of them only.
    shutil.copytree(trees[False], trees[True], copy_function=os.link)
    compile_all(trees[True])
    names = [*functions(trees[False]), *WORKERS]
    starts = [Start(name, compiled) for name in names for compiled in (True, False)]
    taken: dict[Start, list[dict[str, Any]]] = {start: [] for start in starts}
    for number in range(rounds + 1):
        for start in starts:
            answer = start_once(trees[start.compiled], start.function)
            # Round 0 brings the files into the page cache.
            if number:
                taken[start].append(answer)
    return {start: _taken(answers) for start, answers in taken.items()}


def _taken(answers: list[dict[str, Any]]) -> Taken:
    columns = (tuple(answer[name] for answer in answers) for name in ("import", "all", "peak"))
    return Taken(*map(Samples, columns))


def print_figures(taken: dict[Start, Taken]) -> None:
    """One row a function."""
    hello = taken[Start(HELLO, compiled=True)]
    rows = []
    names = {start.function for start in taken} - {HELLO}
    for function in (HELLO, *sorted(names)):
        shipped, source = taken[Start(function, True)], taken[Start(function, False)]
        rows.append(
            [
                function,
                f"{shipped.imported.median:.0f}",
                f"{shipped.imported.least:.0f}",
                f"{shipped.imported.over(hello.imported):.2f}",
                f"{shipped.ready.median:.0f}",
                f"{shipped.ready.over(hello.imported):.2f}",
                f"{shipped.peak.median / 2**20:.0f}",
                f"{source.ready.median:.0f}",
                f"{source.ready.over(shipped.ready):.1f}",
            ]
        )
    heads = ["CPU of a start, ms", "import", "least", "x hello", "+ clients", "x hello"]
    print_table([*heads, "peak MB", "no bytecode", "x with"], rows)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args(arguments).rounds
    with TemporaryDirectory(prefix="holdfast-init-") as folder:
        taken = measure(Path(folder), rounds)
    print(f"{rounds} rounds of fresh processes\n")
    print_figures(taken)
    hello, wallet = (taken[Start(name, compiled=True)] for name in (HELLO, "wallet"))
    ratio, peak = wallet.imported.over(hello.imported), wallet.peak.median
    kept = "kept" if ratio <= GOAL_RATIO and peak <= GOAL_BYTES else "NOT KEPT"
    print(f"\ngoal: import of wallet at most {GOAL_RATIO} x hello, {GOAL_BYTES >> 20} MB: ", end="")
    print(f"{ratio:.2f}, {peak / 2**20:.0f} MB, {kept}")
    print_where(f"benchmarks.init_cpu --rounds {rounds}")


if __name__ == "__main__":
    main()
