"""Where a list of entries goes on, as text for a cursor: `acct_x:eur=12,usd=55;acct_y:usd=7`."""

from collections.abc import Mapping
from itertools import groupby

from holdfast.errors import InvalidCursor
from holdfast.services.wallet import Place


def to_position(starts: Mapping[Place, int] | None) -> str | None:
    """The text of the numbers at which the next page starts; None at the end of the list.

    A wallet that is read to its end is left out: what a cursor does not name has nothing more.
    """
    if starts is None:
        return None
    left = sorted((place, seq) for place, seq in starts.items() if seq)
    return ";".join(
        f"{account_id}:{','.join(f'{currency}={seq}' for (_, currency), seq in wallets)}"
        for account_id, wallets in groupby(left, key=lambda one: one[0][0])
    )


def from_position(position: str) -> dict[Place, int]:
    """The numbers that `to_position` wrote.

    Raises:
        InvalidCursor: It did not write that.
    """
    starts: dict[Place, int] = {}
    for account in position.split(";"):
        account_id, _, wallets = account.partition(":")
        for wallet in wallets.split(","):
            currency, _, seq = wallet.partition("=")
            if not (seq.isascii() and seq.isdigit() and len(seq) <= 16):
                raise InvalidCursor
            starts[account_id, currency] = int(seq)
    return starts
