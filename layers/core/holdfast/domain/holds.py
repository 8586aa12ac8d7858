"""Holds: money set aside for work that is about to happen.

    open -> captured     a final capture; what is left of the hold is given back with it
         -> released     all of it given back
         -> expired      its time came: given back, or captured in full if that was its policy

The last three are terminal. A hold pins the lots it drew from: a lot that expires meanwhile stays
spendable by that hold alone, and what is given back goes to the lots it came from.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from holdfast.domain import entries
from holdfast.domain.book import SYSTEM, Book
from holdfast.domain.budgets import Budgets, Scope
from holdfast.domain.clock import Instant, rfc3339
from holdfast.domain.ledger import (
    Answered,
    Change,
    Decision,
    Journal,
    Move,
    Wallet,
    overdraw,
)
from holdfast.domain.ledger import draw as draw_from
from holdfast.domain.lots import Draw, after, first, merged, total
from holdfast.domain.money import is_currency
from holdfast.domain.once import Once
from holdfast.domain.wallet import require_amount
from holdfast.errors import (
    Forbidden,
    HoldClosed,
    HoldExceeded,
    HoldExpired,
    HoldNotDue,
    HoldNotFound,
    InsufficientFunds,
)

OPEN = "open"
CAPTURED = "captured"
RELEASED = "released"
EXPIRED = "expired"

RELEASE_POLICY = "release"
CAPTURE_POLICY = "capture"

REJECT = "reject"
CAP = "cap"
OVERDRAFT = "overdraft"

EXPIRES_IN_SECONDS_MIN = 60
EXPIRES_IN_SECONDS_MAX = 604_800
EXPIRES_IN_SECONDS_DEFAULT = 86_400


_ID = re.compile(r"hold_[0-9a-z]{26}_([a-z]{3})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """The hardware job that a hold was placed for, as it was quoted."""

    job_id: str
    quote_id: str
    provider: str
    device: str
    shots: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """Money set aside: `amount_micros` in all, of which `draws` are still pinned.

    `scopes` are the budgets that it was reserved under, as long as it lives.
    `overdraft_micros` is how far below zero a capture above the hold may take the wallet.
    `closed_by` is the entry that made the hold terminal, `captured_last_micros` what that entry
    captured, and `released_micros` what it gave back.
    """

    id: str
    account_id: str
    currency: str
    amount_micros: int
    draws: tuple[Draw, ...]
    expires_at: Instant
    created_at: Instant
    status: str = OPEN
    captured_micros: int = 0
    captured_last_micros: int = 0
    released_micros: int = 0
    expiry_policy: str = RELEASE_POLICY
    over_capture: str = REJECT
    overdraft_micros: int = 0
    reference: str | None = None
    metadata: Mapping[str, str] | None = None
    scopes: tuple[Scope, ...] = ()
    job: Job | None = None
    closed_by: str | None = None
    updated_at: Instant | None = None
    version: int = 0

    @property
    def remaining_micros(self) -> int:
        """What is still set aside."""
        return total(self.draws)

    def due(self, now: Instant) -> bool:
        """Whether the hold is open and its time has come. At `expires_at` itself it has."""
        return self.status == OPEN and self.expires_at <= now


def new_id(once: Once, currency: str) -> str:
    """The id of the hold that a request places, the same at every delivery."""
    return once.sortable_id("hold_", currency)


def currency_of(hold_id: str) -> str:
    """The currency that a hold's id names.

    Raises:
        HoldNotFound: No hold has an id of that form.
    """
    match = _ID.fullmatch(hold_id)
    if match is None or not is_currency(match[1]):
        raise HoldNotFound()
    return match[1]


def place_hold(wallet: Wallet, hold: Hold, once: Once, budgets: Budgets = ()) -> Journal:
    """Set `hold.amount_micros` aside, under all of `hold.scopes`.

    Raises:
        BudgetExceeded: One of the scopes has less room than that.
        InsufficientFunds: Less than that can be spent.
        AmountTooLarge: The amount is out of bounds.
    """
    require_amount(hold.amount_micros, wallet.currency)
    assert hold.version == 0
    assert hold.expires_at > once.now
    book = Book(once, wallet, budgets, hold)
    book.allow(held_delta=hold.amount_micros)
    draws = draw_from(book.wallet, hold.amount_micros, once.now)
    placed = replace(hold, draws=draws, version=1, updated_at=once.now)
    book.post(
        entries.HOLD,
        Move(draws, available=-1, held=+1),
        amount_micros=hold.amount_micros,
        draws=draws,
        reference=hold.reference,
        hold=placed,
    )
    book.note_hold(placed)
    return book.close(Change(None, placed))


def extend_hold(
    wallet: Wallet,
    hold: Hold,
    once: Once,
    budgets: Budgets = (),
    *,
    expires_at: Instant | None,
    amount_micros: int,
) -> Journal:
    """More time, more money, or both. An extension never shortens a hold.

    Raises:
        HoldClosed, HoldExpired: The hold is not open at `once.now`.
        Forbidden: More money, by a key with a cap that the hold was not placed under.
        BudgetExceeded: One of the hold's scopes has less room than `amount_micros`.
        InsufficientFunds: Less than `amount_micros` can be spent.
    """
    require_open(hold, once.now)
    book = Book(once, wallet, budgets, hold)
    draws: tuple[Draw, ...] = ()
    if amount_micros:
        _require_own(hold, once)
        book.allow(held_delta=amount_micros)
        require_amount(hold.amount_micros + amount_micros, wallet.currency)
        draws = draw_from(book.wallet, amount_micros, once.now)
    extended = _changed(
        hold,
        once,
        amount_micros=hold.amount_micros + amount_micros,
        draws=merged((*hold.draws, *draws)),
        expires_at=max(hold.expires_at, expires_at or hold.expires_at),
    )
    book.post(
        entries.EXTENSION,
        Move(draws, available=-1, held=+1),
        amount_micros=amount_micros,
        draws=draws,
        reference=hold.reference,
        hold=extended,
    )
    book.note_hold(extended)
    return book.close(Change(hold, extended))


def capture_hold(
    wallet: Wallet,
    hold: Hold,
    once: Once,
    budgets: Budgets = (),
    *,
    amount_micros: int,
    final: bool,
) -> Journal:
    """Take `amount_micros` out of the hold; a final capture gives back what is left of it.

    Above what is left the hold's policy decides: `reject` refuses, `cap` takes what there is,
    `overdraft` takes the rest from the wallet, down to `overdraft_micros` below zero.

    Raises:
        HoldClosed, HoldExpired: The hold is not open at `once.now`.
        HoldExceeded: The hold has less left, and its policy is to reject.
        BudgetExceeded: What is taken above the hold would pass one of its scopes.
        InsufficientFunds: The rest would take the wallet below what the hold allows.
    """
    require_amount(amount_micros, wallet.currency)
    require_open(hold, once.now)
    book = Book(once, wallet, budgets, hold)
    held_micros = min(amount_micros, hold.remaining_micros)
    over_micros = amount_micros - held_micros
    extra: tuple[Draw, ...] = ()
    if over_micros and hold.over_capture == REJECT:
        raise HoldExceeded(
            asked_micros=amount_micros,
            remaining_micros=hold.remaining_micros,
            currency=hold.currency,
        )
    if over_micros and hold.over_capture == OVERDRAFT:
        book.allow(held_delta=-held_micros, spent_delta=amount_micros)
        extra = _draw_above(book.wallet, hold, over_micros, once.now)
    captured = first(hold.draws, held_micros)
    left = after(hold.draws, held_micros)
    given_back = left if final else ()
    taken_micros = held_micros + total(extra)
    if final:
        after_capture = _closed(
            hold,
            once,
            status=CAPTURED,
            captured_micros=taken_micros,
            released_micros=total(given_back),
        )
    else:
        captured_so_far = hold.captured_micros + taken_micros
        after_capture = _changed(hold, once, captured_micros=captured_so_far, draws=left)
    book.post(
        entries.CAPTURE,
        Move(captured, held=-1, contra=entries.REVENUE),
        Move(extra, available=-1, contra=entries.REVENUE),
        Move(given_back, held=-1, available=+1),
        amount_micros=taken_micros,
        draws=merged((*captured, *extra)),
        reference=hold.reference,
        hold=after_capture,
    )
    return book.close(Change(hold, after_capture))


def release_hold(
    wallet: Wallet,
    hold: Hold,
    once: Once,
    budgets: Budgets = (),
    *,
    details: Mapping[str, str] | None = None,
) -> Decision:
    """Give all that is left back. Releasing again, or after the expiry, changes nothing.

    Raises:
        HoldClosed: The hold was captured.
    """
    if hold.status == CAPTURED:
        raise HoldClosed(status=hold.status)
    if hold.status != OPEN:
        assert hold.closed_by is not None
        return Answered(hold.closed_by)
    if hold.due(once.now):
        return expire_hold(wallet, hold, once, budgets)
    book = Book(once, wallet, budgets, hold)
    released = _closed(hold, once, status=RELEASED, released_micros=hold.remaining_micros)
    book.post(
        entries.RELEASE,
        Move(hold.draws, held=-1, available=+1),
        amount_micros=hold.remaining_micros,
        draws=hold.draws,
        reference=hold.reference,
        details=details,
        hold=released,
    )
    return book.close(Change(hold, released))


def expire_hold(wallet: Wallet, hold: Hold, once: Once, budgets: Budgets = ()) -> Decision:
    """Close a hold whose time has come: give it back, or capture it, as its policy says.

    Raises:
        HoldNotDue: Its time has not come, or no longer: it was extended.
    """
    if hold.status != OPEN:
        assert hold.closed_by is not None
        return Answered(hold.closed_by)
    if not hold.due(once.now):
        raise HoldNotDue(expires_at=rfc3339(hold.expires_at))
    book = Book(once, wallet, budgets, hold)
    if hold.expiry_policy == CAPTURE_POLICY:
        captured_micros, released_micros = hold.remaining_micros, 0
        move = Move(hold.draws, held=-1, contra=entries.REVENUE)
    else:
        captured_micros, released_micros = 0, hold.remaining_micros
        move = Move(hold.draws, held=-1, available=+1)
    expired = _closed(
        hold,
        once,
        status=EXPIRED,
        captured_micros=captured_micros,
        released_micros=released_micros,
    )
    book.post(
        entries.HOLD_EXPIRY,
        move,
        amount_micros=hold.remaining_micros,
        draws=hold.draws,
        reference=hold.reference,
        source=SYSTEM,
        hold=expired,
    )
    return book.close(Change(hold, expired))


def require_open(hold: Hold, now: Instant) -> None:
    """Refuse a hold that money can no longer be taken from.

    Raises:
        HoldExpired: Its time has come, whether or not that was written down yet.
        HoldClosed: It was captured or released.
    """
    if hold.status == EXPIRED or hold.due(now):
        raise HoldExpired(expires_at=rfc3339(hold.expires_at))
    if hold.status != OPEN:
        raise HoldClosed(status=hold.status)


def as_of(hold: Hold, now: Instant) -> Hold:
    """The hold as it is at `now`: one whose time has come reads as expired before it is swept."""
    if not hold.due(now):
        return hold
    captures = hold.expiry_policy == CAPTURE_POLICY
    return replace(
        hold,
        status=EXPIRED,
        draws=(),
        captured_micros=hold.captured_micros + (hold.remaining_micros if captures else 0),
        released_micros=0 if captures else hold.remaining_micros,
    )


def _require_own(hold: Hold, once: Once) -> None:
    # What is set aside under a cap is given back under it; a hold cannot join a cap half-way.
    own = {scope.place for scope in hold.scopes}
    if any(cap.place not in own for cap in once.caps):
        raise Forbidden


def _draw_above(wallet: Wallet, hold: Hold, over_micros: int, now: Instant) -> tuple[Draw, ...]:
    available_micros = wallet.available_micros(now)
    if over_micros > available_micros + hold.overdraft_micros:
        raise InsufficientFunds(
            needed_micros=over_micros,
            available_micros=available_micros + hold.overdraft_micros,
            currency=hold.currency,
        )
    return overdraw(wallet, over_micros, now)


def _closed(
    hold: Hold, once: Once, *, status: str, captured_micros: int = 0, released_micros: int = 0
) -> Hold:
    return _changed(
        hold,
        once,
        status=status,
        draws=(),
        captured_micros=hold.captured_micros + captured_micros,
        captured_last_micros=captured_micros,
        released_micros=released_micros,
        closed_by=once.entry_id,
    )


def _changed(hold: Hold, once: Once, **changes: Any) -> Hold:
    return replace(hold, version=hold.version + 1, updated_at=once.now, **changes)
