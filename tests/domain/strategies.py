"""Random lots, draws and wallets, within the bounds in which a wallet can be."""

from datetime import timedelta

from hypothesis import strategies as st

from holdfast.domain.clock import Instant
from holdfast.domain.ledger import Wallet
from holdfast.domain.lots import CASH, CREDIT, Draw, Lot, Terms, draw_order
from tests.domain.samples import NOW, wallet

AMOUNT_MAX = 1_000

# Few different values, so that ties, and lots that expire together, come up often.
instants: st.SearchStrategy[Instant] = st.integers(-3, 3).map(
    lambda hours: NOW + timedelta(hours=hours)
)
expiries = st.none() | instants
later_expiries: st.SearchStrategy[Instant | None] = st.none() | st.integers(1, 4).map(
    lambda hours: NOW + timedelta(hours=hours)
)
amounts = st.integers(1, AMOUNT_MAX)


def terms(until: st.SearchStrategy[Instant | None] = expiries) -> st.SearchStrategy[Terms]:
    return st.builds(
        Terms,
        kind=st.sampled_from([CREDIT, CASH]),
        granted_at=instants,
        expires_at=until,
        priority=st.integers(0, 2),
        tag=st.sampled_from(["", "welcome"]),
    )


def lots(
    until: st.SearchStrategy[Instant | None] = expiries, *, lots_max: int = 6
) -> st.SearchStrategy[tuple[Lot, ...]]:
    """Lots with different ids; none of them is empty."""
    one = st.tuples(terms(until), amounts)
    several = st.lists(one, max_size=lots_max)
    return several.map(
        lambda made: tuple(
            Lot(id=f"lot_{number}", terms=each, remaining_micros=micros)
            for number, (each, micros) in enumerate(made)
        )
    )


def wallets(
    until: st.SearchStrategy[Instant | None] = expiries, *, cash_min: int = 0
) -> st.SearchStrategy[Wallet]:
    """Wallets with lots and cash, nothing held."""
    return st.builds(
        lambda made, cash: wallet(*made, cash=cash), lots(until), st.integers(cash_min, AMOUNT_MAX)
    )


def _draws(made: tuple[Lot, ...], cash: int) -> tuple[Draw, ...]:
    drawn = [Draw(lot.id, lot.remaining_micros, lot.terms) for lot in made]
    drawn.sort(key=lambda draw: draw_order(draw.lot_id, draw.terms))
    return (*drawn, Draw(CASH, cash)) if cash else tuple(drawn)


draws: st.SearchStrategy[tuple[Draw, ...]] = st.builds(_draws, lots(), st.integers(0, AMOUNT_MAX))
"""What an entry drew: one draw a lot, in the order of drawing."""
