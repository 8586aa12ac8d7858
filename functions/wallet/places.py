"""Where a list of entries goes on, as text for a cursor: `eur=12,usd=55`."""

from collections.abc import Mapping

from holdfast.errors import InvalidCursor


def to_position(starts: Mapping[str, int] | None) -> str | None:
    """The text of the numbers at which the next page starts; None at the end of the list."""
    if starts is None:
        return None
    return ",".join(f"{currency}={seq}" for currency, seq in sorted(starts.items()))


def from_position(position: str) -> dict[str, int]:
    """The numbers that `to_position` wrote.

    Raises:
        InvalidCursor: It did not write that.
    """
    starts: dict[str, int] = {}
    for part in position.split(","):
        currency, _, seq = part.partition("=")
        if not (seq.isascii() and seq.isdigit() and len(seq) <= 16):
            raise InvalidCursor
        starts[currency] = int(seq)
    return starts
