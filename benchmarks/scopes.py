"""What budgets cost: the same hold under no scope, one, three and ten.

    python -m benchmarks.scopes

Each scope is one more item in the transaction that moves the money. Counted on the simulator:
arithmetic, the same on every machine. *Warm* is an environment that wrote the wallet and its
budgets last, *cold* one that remembers nothing.
"""

from collections.abc import Callable, Iterator
from typing import Any

from benchmarks.stand.figures import print_table, print_where
from benchmarks.write_units import READ_DOLLARS_A_MILLION, WRITE_DOLLARS_A_MILLION
from holdfast.domain.budgets import KEY, RUN, SCOPES_MAX, WORKSPACE, Scope
from tests.limits.crowded import Cost, cost_of
from tests.services.caller import CENT, Caller

SCOPES = (0, 1, 3, SCOPES_MAX)
HEADS = ("scopes: operation", "calls", "RRU", "WRU", "index WRU", "hold", "entry", "$ a million")

type Ask = Callable[[Caller], Any]


def scopes(alice: Caller, number: int) -> tuple[Scope, ...]:
    """So many budgets with names as long as ours are."""
    return tuple(
        Scope(
            account_id=alice.owner.account_id,
            kind=(WORKSPACE, KEY, RUN)[n % 3],
            id=f"ws_{n:026d}",
            limit_micros=10_000 * CENT,
            currency="usd",
            window="month",
        )
        for n in range(number)
    )


def costs(number: int) -> Iterator[tuple[str, Cost]]:
    """A hold, warm and cold, one that is refused, and what becomes of the hold."""
    alice = Caller()
    alice.deposit(50_000)
    named = scopes(alice, number)

    def place(caller: Caller) -> Any:
        return caller.place(100, scopes=named, reference="order-000017")

    # The first hold makes the budgets; it is the second that is usual.
    place(alice)
    warm, placed = cost_of(alice, place)
    hold_id: str = placed.entry.hold_id
    yield "hold, warm", warm
    yield "hold, cold", cost_of(alice.elsewhere(), place)[0]
    place(alice)
    yield "capture, warm", cost_of(alice, lambda each: each.capture(hold_id, 50, final=False))[0]
    yield "release, cold", cost_of(alice.elsewhere(), lambda each: each.release(hold_id))[0]


def dollars(cost: Cost) -> float:
    """What a million of these cost."""
    used = cost.used
    written = used.write_units + used.index_write_units
    return written * WRITE_DOLLARS_A_MILLION + used.read_units * READ_DOLLARS_A_MILLION


def cells(number: int, name: str, cost: Cost) -> tuple[str, ...]:
    used = cost.used
    units = (used.calls, used.read_units, used.write_units, used.index_write_units)
    sizes = (f"{cost.sizes[kind]:,}" for kind in ("hold", "entry"))
    return (f"{number}: {name}", *(f"{unit:g}" for unit in units), *sizes, f"{dollars(cost):.2f}")


def main() -> None:
    """Print the table."""
    print_table(HEADS, [cells(number, *row) for number in SCOPES for row in costs(number)])
    print_where("benchmarks.scopes")


if __name__ == "__main__":
    main()
