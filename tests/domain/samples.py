"""What the tests of the rules start from: one user, one instant, wallets written by hand.

Amounts are small numbers of micros, so that a table of cases can be checked by eye.
"""

from datetime import UTC, datetime, timedelta

from holdfast.domain import entries
from holdfast.domain.accounts import Tenant, default_account_id
from holdfast.domain.clock import Instant
from holdfast.domain.entries import Entry
from holdfast.domain.holds import Hold, new_id
from holdfast.domain.ledger import Answered, Change, Decision, Journal, Wallet
from holdfast.domain.lots import CASH, CREDIT, Draw, Lot, Terms
from holdfast.domain.once import Once

TENANT = Tenant("acme", "live")
ACCOUNT_ID = default_account_id(TENANT, "acme/alice")
NOW = datetime(2026, 11, 21, 3, 30, tzinfo=UTC)
FINGERPRINT = "f" * 64
MILLISECOND = timedelta(milliseconds=1)
HOUR = timedelta(hours=1)


def once(key: str = "key", *, now: Instant = NOW) -> Once:
    """A request at `now`."""
    return Once(tenant=TENANT, caller="alice", key=key, fingerprint=FINGERPRINT, now=now)


def credit(
    lot_id: str,
    micros: int,
    *,
    held: int = 0,
    priority: int = 0,
    until: Instant | None = None,
    granted_at: Instant = NOW,
) -> Lot:
    """A lot that was granted."""
    terms = Terms(kind=CREDIT, granted_at=granted_at, expires_at=until, priority=priority)
    return Lot(id=lot_id, terms=terms, remaining_micros=micros, held_micros=held)


def cash_lot(
    lot_id: str,
    micros: int,
    *,
    held: int = 0,
    priority: int = 0,
    until: Instant | None = None,
    granted_at: Instant = NOW,
) -> Lot:
    """A lot that was paid for."""
    terms = Terms(kind=CASH, granted_at=granted_at, expires_at=until, priority=priority)
    return Lot(id=lot_id, terms=terms, remaining_micros=micros, held_micros=held)


def wallet(
    *lots: Lot, cash: int = 0, cash_held: int = 0, currency: str = "usd", seq: int = 7
) -> Wallet:
    """A wallet that has seen a few entries, and sweeps that found nothing to post."""
    return Wallet(
        tenant=TENANT,
        account_id=ACCOUNT_ID,
        currency=currency,
        version=seq + 2 if seq else 0,
        seq=seq,
        head="e" * 64,
        cash_micros=cash,
        cash_held_micros=cash_held,
        lots=lots,
    )


def hold(
    amount: int,
    *,
    expires_in: timedelta = HOUR,
    expiry_policy: str = "release",
    over_capture: str = "reject",
    overdraft: int = 0,
    currency: str = "usd",
    key: str = "hold",
) -> Hold:
    """A hold as its caller asks for it; `place_hold` fills in what it draws."""
    return Hold(
        id=new_id(once(key), currency),
        account_id=ACCOUNT_ID,
        currency=currency,
        amount_micros=amount,
        draws=(),
        expires_at=NOW + expires_in,
        created_at=NOW,
        expiry_policy=expiry_policy,
        over_capture=over_capture,
        overdraft_micros=overdraft,
        reference="order 17",
    )


def written(decision: Decision) -> Journal:
    """The decision, which is to write something."""
    assert isinstance(decision, Journal), f"nothing to write: {decision}"
    return decision


def answered(decision: Decision) -> str:
    """The id of the entry that answers a decision to write nothing."""
    assert isinstance(decision, Answered), f"something to write: {decision}"
    return decision.entry_id


def wallet_after(decision: Decision) -> Wallet:
    """The wallet as the decision leaves it."""
    (after,) = (c.after for c in written(decision).changes if isinstance(c.after, Wallet))
    return after


def hold_after(decision: Decision) -> Hold:
    """The hold as the decision leaves it."""
    (after,) = (c.after for c in written(decision).changes if isinstance(c.after, Hold))
    return after


def settled_wallet(change: Change | None) -> Wallet:
    """The wallet as the change leaves it."""
    assert change is not None
    assert isinstance(change.after, Wallet)
    return change.after


def funds(of: Wallet) -> dict[str, tuple[int, int]]:
    """What can be drawn and what is held, by lot; plain cash under `cash`."""
    lots = {lot.id: (lot.remaining_micros, lot.held_micros) for lot in of.lots}
    return {**lots, CASH: (of.cash_micros, of.cash_held_micros)}


def taken(draws: tuple[Draw, ...]) -> list[tuple[str, int]]:
    """Draws as (lot, amount), in their order."""
    return [(draw.lot_id, draw.amount_micros) for draw in draws]


# A charge below zero, with parts of a cent and letters beyond ASCII.
USAGE = Entry(
    id="ent_aaaaaaaaaaaaaaaaaaaaaaaaaa",
    tenant=TENANT,
    account_id=ACCOUNT_ID,
    currency="usd",
    seq=12,
    type=entries.USAGE,
    amount_micros=12_345,
    balance_after_micros=-2_345,
    held_after_micros=20_000,
    postings={"wallet": -2_345, "credit": -10_000, "revenue": 12_345},
    draws=(
        Draw("lot_a", 10_000, Terms(kind=CREDIT, granted_at=NOW)),
        Draw(CASH, 2_345),
    ),
    reference="job 7",
    source="api",
    details={"model": "größer", "tokens": 17},
    hold_id=None,
    created_at=NOW,
    prev="0" * 64,
)
