"""What each operation costs on DynamoDB: calls, units, bytes, and dollars a million.

    python -m benchmarks.write_units

The simulator counts at the client, by the capacity model that AWS documents. *Warm* is an
environment that wrote the wallet last, *cold* one that remembers nothing; a *replay* is the same
request once more. Storage, streams and the functions come on top.
"""

from collections.abc import Iterator

from benchmarks.stand.figures import print_table, print_where
from tests.faults.priced import EVERY, Bill, Operation, bill

WRITE_DOLLARS_A_MILLION = 0.625
READ_DOLLARS_A_MILLION = 0.125
PRICES_OF = "us-east-1, on demand, since November 2024"

HEADS = ("operation", "calls", "RRU", "WRU", "index WRU", "bytes written", "$ a million")


def dollars(paid: Bill) -> float:
    """What a million of these cost: an index write is a write."""
    used = paid.used
    written = used.write_units + used.index_write_units
    return written * WRITE_DOLLARS_A_MILLION + used.read_units * READ_DOLLARS_A_MILLION


def rows(operation: Operation) -> Iterator[tuple[str, Bill]]:
    """The operation in three situations, cheapest first."""
    yield f"{operation.name}, warm", bill(operation, warm=True)
    yield f"{operation.name}, cold", bill(operation, warm=False)
    yield f"{operation.name}, replay", bill(operation, warm=True, times=2)


def cells(name: str, paid: Bill) -> tuple[str, ...]:
    used = paid.used
    sizes = ", ".join(f"{kind} {size}" for kind, size in paid.sizes.items())
    units = (used.calls, used.read_units, used.write_units, used.index_write_units)
    return (name, *(f"{unit:g}" for unit in units), sizes or "-", f"{dollars(paid):.3f}")


def main() -> None:
    """Print the table."""
    print_table(HEADS, [cells(*row) for operation in EVERY for row in rows(operation)])
    print(
        f"\nA million write units ${WRITE_DOLLARS_A_MILLION}, read units "
        f"${READ_DOLLARS_A_MILLION} ({PRICES_OF})."
    )
    print_where("benchmarks.write_units")


if __name__ == "__main__":
    main()
