"""What a wallet with two hundred lots costs: bytes, units, and how far it is from the limit.

    python -m benchmarks.many_lots

An item may have 400 KB. A wallet with many lots is written whole by each operation, and an entry
names each lot that it drew. Counted on the simulator: arithmetic, the same on every machine.
"""

from collections.abc import Callable, Iterator
from typing import Any

from benchmarks.stand.figures import print_table, print_where
from holdfast.domain.lots import LOTS_MAX
from tests.limits.crowded import Cost, cost_of, crowded, give, worst, worst_extension
from tests.services.caller import INTRODUCTORY, Caller
from tests.simulator.table import ITEM_BYTES_MAX

LOTS = (1, 10, 50, 100, LOTS_MAX)
HEADS = ("lots: operation", "calls", "RRU", "WRU", "index WRU", "wallet", "hold", "entry")
WORST_HEADS = ("all 200 lots at their longest", "wallet", "hold", "entry", "free of 409,600")


def costs(lots: int) -> Iterator[tuple[str, Cost]]:
    """All of so many lots set aside and given back, or charged and refunded; and one more lot."""
    cents = INTRODUCTORY + lots - 1
    alice = crowded(lots)
    placing, placed = cost_of(alice, lambda each: each.place(cents))
    hold_id: str = placed.entry.hold_id
    yield "hold on all", placing
    yield (
        "capture half",
        _cost(alice, lambda each: each.capture(hold_id, lots // 2 or 1, final=False)),
    )
    yield "release the rest", _cost(alice, lambda each: each.release(hold_id))
    alice = crowded(lots)
    charging, charged = cost_of(alice, lambda each: each.use(cents))
    yield "charge all", charging
    yield "refund all", _cost(alice, lambda each: each.refund(charged.entry.id, cents))
    if lots > 1:
        yield "grant the last of them", _cost(crowded(lots - 1), give)


def _cost(alice: Caller, ask: Callable[[Caller], Any]) -> Cost:
    return cost_of(alice, ask)[0]


def cells(lots: int, name: str, cost: Cost) -> tuple[str, ...]:
    used = cost.used
    units = (used.calls, used.read_units, used.write_units, used.index_write_units)
    sizes = (cost.sizes.get(kind) for kind in ("wallet", "hold", "entry"))
    shown = (f"{size:,}" if size else "-" for size in sizes)
    return (f"{lots}: {name}", *(f"{unit:g}" for unit in units), *shown)


def worst_cells(name: str, sizes: dict[str, int]) -> tuple[str, ...]:
    shown = (f"{sizes[kind]:,}" if kind in sizes else "-" for kind in ("wallet", "hold", "entry"))
    return (name, *shown, f"{ITEM_BYTES_MAX - max(sizes.values()):,}")


def main() -> None:
    """Print both tables."""
    print_table(HEADS, [cells(lots, *row) for lots in LOTS for row in costs(lots)])
    print()
    longest = {**worst(), "extension that draws of each once more": worst_extension()}
    print_table(WORST_HEADS, [worst_cells(*row) for row in longest.items()])
    print_where("benchmarks.many_lots")


if __name__ == "__main__":
    main()
