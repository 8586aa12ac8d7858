"""The wallet, what moves money in it, and the journal: a decision that has not happened yet.

A journal is written whole or not at all. `holdfast.domain.book` is how a rule writes one.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Protocol

from holdfast.domain import entries
from holdfast.domain.accounts import Tenant
from holdfast.domain.clock import Instant
from holdfast.domain.entries import GENESIS, Entry
from holdfast.domain.lots import CASH, LOTS_MAX, Draw, Lot, first, total, usable
from holdfast.errors import InsufficientFunds, InvariantBroken, TooManyLots


class Record(Protocol):
    """Anything that is stored under a guard: `version` is 0 until it has been written."""

    @property
    def version(self) -> int: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Wallet:
    """An account's money in one currency.

    `version` counts every write, `seq` the entries: a sweep that finds nothing to post moves the
    one and not the other. `cash_micros` is plain cash that can be spent; it goes below zero only
    for work that was already done. `pending` are lots whose day has not come: no money yet.
    `credited_micros` is all that ever came in, `charged_micros` all that was charged and not given
    back.

    `hold_due_at` is no later than the earliest expiry among the open holds, `open_from` no later
    than the oldest of their ids: both may lag behind (earlier than true), never run ahead.

    `recharge_below_micros` is there while the wallet is recharged by itself: with less to spend
    than that, somebody looks whether to.
    """

    tenant: Tenant
    account_id: str
    currency: str
    version: int = 0
    seq: int = 0
    head: str = GENESIS
    cash_micros: int = 0
    cash_held_micros: int = 0
    lots: tuple[Lot, ...] = ()
    pending: tuple[Lot, ...] = ()
    credited_micros: int = 0
    charged_micros: int = 0
    credits_count: int = 0
    debits_count: int = 0
    hold_due_at: Instant | None = None
    open_from: str | None = None
    updated_at: Instant | None = None
    closed: bool = False
    recharge_below_micros: int | None = None

    @property
    def due_at(self) -> Instant | None:
        """The earliest instant at which time alone may have to change this wallet.

        A hold or a lot expires then, or the day of a pending lot comes.
        """
        instants = [lot.terms.expires_at for lot in self.lots if lot.remaining_micros > 0]
        instants += [lot.terms.granted_at for lot in self.pending]
        return min((at for at in (*instants, self.hold_due_at) if at is not None), default=None)

    @property
    def held_micros(self) -> int:
        """What open holds have set aside, and open disputes have frozen."""
        return self.cash_held_micros + sum(lot.held_micros for lot in self.lots)

    @property
    def posted_micros(self) -> int:
        """The fold of all postings: what can be spent, what is held, what waits to expire.

        What is restricted to some meters is no part of it.
        """
        free_micros = sum(lot.remaining_micros for lot in self.lots if not lot.terms.meters)
        return self.cash_micros + self.held_micros + free_micros

    @property
    def cash_posted_micros(self) -> int:
        """What of `posted_micros` is cash, plain or in lots."""
        lots_micros = sum(lot.remaining_micros for lot in self.lots if is_cash(lot))
        return self.cash_micros + self.cash_only_held_micros + lots_micros

    @property
    def places_left(self) -> int:
        """How many more lots can be opened: pending ones have their place already."""
        return LOTS_MAX - len(self.lots) - len(self.pending)

    @property
    def beyond_micros(self) -> int:
        """What is no part of `posted_micros`: restricted to some meters, or pending."""
        restricted = sum(lot.remaining_micros for lot in self.lots if lot.terms.meters)
        return restricted + sum(lot.remaining_micros for lot in self.pending)

    def available_micros(self, now: Instant, meter: str | None = None) -> int:
        """What can be spent at `now` on a meter, or on anything.

        Negative for work that was done without the money.
        """
        lots = usable(self._open_at(now), now, meter)
        return self.cash_micros + sum(lot.remaining_micros for lot in lots)

    def _open_at(self, now: Instant) -> tuple[Lot, ...]:
        come = tuple(lot for lot in self.pending if lot.terms.granted_at <= now)
        return (*self.lots, *come)

    def balance_micros(self, now: Instant) -> int:
        """Cash plus usable credit, held money included."""
        return self.available_micros(now) + self.held_micros

    def cash_balance_micros(self, now: Instant) -> int:
        """What was paid in and is still there, held cash included; no granted credit."""
        return self.cash_available_micros(now) + self.cash_only_held_micros

    def cash_available_micros(self, now: Instant) -> int:
        """Cash that can be spent at `now`, plain or in lots."""
        lots = usable(self.lots, now)
        return self.cash_micros + sum(lot.remaining_micros for lot in lots if is_cash(lot))

    @property
    def cash_only_held_micros(self) -> int:
        """What open holds have set aside of cash, plain or in lots."""
        return self.cash_held_micros + sum(lot.held_micros for lot in self.lots if is_cash(lot))


def is_cash(lot: Lot) -> bool:
    """Whether the lot was paid for (with an expiry), and not granted."""
    return lot.terms.kind == CASH


@dataclass(frozen=True, slots=True)
class Change:
    """A record as it was read, or None where there was none; and as it shall be."""

    before: Record | None
    after: Record

    @property
    def read_version(self) -> int:
        """The version that must still be there when this is written; 0 for not there."""
        return 0 if self.before is None else self.before.version


@dataclass(frozen=True, slots=True)
class Journal:
    """What to write. `entry` answers the request; `others` are what time did meanwhile.

    `relied_on` are records that stay as they are, and that have to be so still when this is
    written: what was read and is neither changed nor named here is not compared.
    """

    entry: Entry
    others: tuple[Entry, ...]
    changes: tuple[Change, ...]
    relied_on: tuple[Record, ...] = ()

    def beside(self, *changes: Change) -> "Journal":
        """The journal with more that changes in the same transaction."""
        return replace(self, changes=(*self.changes, *changes))


@dataclass(frozen=True, slots=True)
class Answered:
    """Nothing to write: the entry of this id gave the answer when the thing was done."""

    entry_id: str


type Decision = Journal | Answered


@dataclass(frozen=True, slots=True)
class Deed:
    """What to write where no money moves. `answer` is the record that the request is about.

    `relied_on` is as in a journal.
    """

    answer: Record
    changes: tuple[Change, ...]
    relied_on: tuple[Record, ...] = ()


@dataclass(frozen=True, slots=True)
class Unchanged:
    """Nothing to write: the record is as the request wants it."""

    answer: Record


type Resolution = Deed | Unchanged
"""What a rule says that moves no money."""


@dataclass(frozen=True, slots=True)
class Move:
    """The same amounts taken from (-1) or given to (+1) what can be spent, or what is held.

    `contra` is the house's account that the money comes from or goes to. Money that only changes
    between free and held stays with the customer, and has none.
    """

    draws: tuple[Draw, ...]
    available: int = 0
    held: int = 0
    contra: str | None = None


def draw(wallet: Wallet, amount_micros: int, now: Instant) -> tuple[Draw, ...]:
    """`amount_micros` from the money that can be spent on anything, in the order of drawing.

    Raises:
        InsufficientFunds: Less than that can be spent at `now`.
    """
    available_micros = wallet.available_micros(now)
    if amount_micros > available_micros:
        raise InsufficientFunds(
            needed_micros=amount_micros,
            available_micros=available_micros,
            currency=wallet.currency,
        )
    return overdraw(wallet, amount_micros, now)


def overdraw(
    wallet: Wallet, amount_micros: int, now: Instant, meter: str | None = None
) -> tuple[Draw, ...]:
    """As `draw`, for work that was already done: what is missing comes from plain cash.

    A meter's work is paid from the lots that are restricted to it, too.
    """
    assert amount_micros >= 0
    lots = usable(wallet.lots, now, meter)
    sources = [Draw(lot.id, lot.remaining_micros, lot.terms) for lot in lots]
    taken = first(sources, min(amount_micros, total(sources)))
    rest_micros = amount_micros - total(taken)
    return (*taken, Draw(CASH, rest_micros)) if rest_micros else taken


def shifted(wallet: Wallet, move: Move) -> Wallet:
    """The wallet after the move. A lot that is gone opens again; one with nothing in it closes.

    Raises:
        TooManyLots: The move would open lot number 201, pending ones counted.
    """
    cash_micros, cash_held_micros = wallet.cash_micros, wallet.cash_held_micros
    lots = {lot.id: lot for lot in wallet.lots}
    for taken in move.draws:
        delta_available = move.available * taken.amount_micros
        delta_held = move.held * taken.amount_micros
        if taken.terms is None:
            cash_micros += delta_available
            cash_held_micros += delta_held
            continue
        lot = lots.get(taken.lot_id) or Lot(id=taken.lot_id, terms=taken.terms, remaining_micros=0)
        lot = replace(
            lot,
            remaining_micros=lot.remaining_micros + delta_available,
            held_micros=lot.held_micros + delta_held,
        )
        if lot.remaining_micros < 0 or lot.held_micros < 0:
            raise InvariantBroken(f"lot {lot.id} would go below zero")
        lots[lot.id] = lot
    if cash_held_micros < 0:
        raise InvariantBroken("held cash would go below zero")
    open_lots = tuple(lot for lot in lots.values() if lot.remaining_micros or lot.held_micros)
    if len(open_lots) > len(wallet.lots):
        require_place(len(open_lots) + len(wallet.pending))
    return replace(
        wallet, cash_micros=cash_micros, cash_held_micros=cash_held_micros, lots=open_lots
    )


def postings_of(moves: Iterable[Move]) -> dict[str, int]:
    """What the moves mean in double entry. They add up to zero."""
    postings: Counter[str] = Counter()
    for move in moves:
        for taken in move.draws:
            free, held = _ledger_accounts(taken)
            postings[free] += move.available * taken.amount_micros
            postings[held] += move.held * taken.amount_micros
        if move.contra is not None:
            postings[move.contra] -= (move.available + move.held) * total(move.draws)
    if postings.total():
        raise InvariantBroken("postings do not add up to zero")
    return {account: micros for account, micros in postings.items() if micros}


def require_place(lots: int) -> None:
    """Refuse the lot that would be one too many.

    Raises:
        TooManyLots: There would be more open and pending lots than a wallet can have.
    """
    if lots > LOTS_MAX:
        raise TooManyLots(open_lots_max=LOTS_MAX)


def _ledger_accounts(taken: Draw) -> tuple[str, str]:
    """Where a source's money stands while it is free, and while it is held."""
    if taken.terms is None or taken.kind == CASH:
        return entries.WALLET, entries.HELD
    free = entries.RESTRICTED_CREDIT if taken.terms.meters else entries.CREDIT
    return free, entries.HELD_CREDIT
