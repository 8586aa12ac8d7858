"""The wallet, and the journal: a decision that has not happened yet, to be written whole or not.

`Book` is how a rule writes a journal: it moves money between the lots of one wallet and posts an
entry for it. It keeps what must always hold: postings add up to zero, sequence numbers have no
gap, each entry is chained to the one before, and lots whose time has come are expired before and
after whatever the rule does.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Protocol

from holdfast.domain import entries
from holdfast.domain.accounts import Tenant, short_digest
from holdfast.domain.clock import Instant
from holdfast.domain.entries import ENTRY_PREFIX, GENESIS, Entry, Json
from holdfast.domain.lots import CASH, LOTS_MAX, Draw, Lot, first, total, usable
from holdfast.domain.money import WALLET_MICROS_MAX
from holdfast.domain.once import Once
from holdfast.errors import AmountTooLarge, InsufficientFunds, InvariantBroken, TooManyLots

if TYPE_CHECKING:
    from holdfast.domain.holds import Hold

SYSTEM = "system"
API = "api"


class Record(Protocol):
    """Anything that is stored under a guard: `version` is 0 until it has been written."""

    @property
    def version(self) -> int: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Wallet:
    """An account's money in one currency.

    `cash_micros` is plain cash that can be spent; it goes below zero only for work that was
    already done. `credited_micros` is all that ever came in. `hold_due_at` is no later than the
    earliest expiry among the open holds, `open_from` no later than the oldest of their ids: both
    may lag behind (earlier than true), never run ahead.
    """

    tenant: Tenant
    account_id: str
    currency: str
    seq: int = 0
    head: str = GENESIS
    cash_micros: int = 0
    cash_held_micros: int = 0
    lots: tuple[Lot, ...] = ()
    credited_micros: int = 0
    credits_count: int = 0
    debits_count: int = 0
    hold_due_at: Instant | None = None
    open_from: str | None = None
    updated_at: Instant | None = None

    @property
    def version(self) -> int:
        """The guard of a wallet is its sequence number."""
        return self.seq

    @property
    def due_at(self) -> Instant | None:
        """The earliest instant at which a hold or a lot of this wallet may have to expire."""
        instants = [lot.terms.expires_at for lot in self.lots if lot.remaining_micros > 0]
        return min((at for at in (*instants, self.hold_due_at) if at is not None), default=None)

    @property
    def held_micros(self) -> int:
        """What open holds have set aside."""
        return self.cash_held_micros + sum(lot.held_micros for lot in self.lots)

    @property
    def posted_micros(self) -> int:
        """The fold of all postings: what can be spent, what is held, what waits to expire."""
        return self.cash_micros + self.held_micros + sum(lot.remaining_micros for lot in self.lots)

    def available_micros(self, now: Instant) -> int:
        """What can be spent at `now`. Negative for work that was done without the money."""
        return self.cash_micros + sum(lot.remaining_micros for lot in usable(self.lots, now))

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
    """What to write. `entry` answers the request; `others` are expiries that came along."""

    entry: Entry
    others: tuple[Entry, ...]
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class Answered:
    """Nothing to write: the entry of this id gave the answer when the thing was done."""

    entry_id: str


type Decision = Journal | Answered


@dataclass(frozen=True, slots=True)
class Move:
    """The same amounts taken from (-1) or given to (+1) what can be spent, or what is held."""

    draws: tuple[Draw, ...]
    available: int = 0
    held: int = 0


def draw(wallet: Wallet, amount_micros: int, now: Instant) -> tuple[Draw, ...]:
    """`amount_micros` from the wallet's money, in the order of drawing.

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


def overdraw(wallet: Wallet, amount_micros: int, now: Instant) -> tuple[Draw, ...]:
    """As `draw`, for work that was already done: what is missing comes from plain cash."""
    assert amount_micros >= 0
    lots = usable(wallet.lots, now)
    sources = [Draw(lot.id, lot.remaining_micros, lot.terms) for lot in lots]
    taken = first(sources, min(amount_micros, total(sources)))
    rest_micros = amount_micros - total(taken)
    return (*taken, Draw(CASH, rest_micros)) if rest_micros else taken


def shifted(wallet: Wallet, move: Move) -> Wallet:
    """The wallet after the move. A lot that is gone opens again; one with nothing in it closes.

    Raises:
        TooManyLots: The move would open lot number 201.
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
    if len(open_lots) > max(LOTS_MAX, len(wallet.lots)):
        raise TooManyLots(open_lots_max=LOTS_MAX)
    return replace(
        wallet, cash_micros=cash_micros, cash_held_micros=cash_held_micros, lots=open_lots
    )


def postings_of(moves: Iterable[Move], contra: str | None) -> dict[str, int]:
    """What the moves mean in double entry; the rest, so that all add up to zero, on `contra`."""
    postings: Counter[str] = Counter()
    for move in moves:
        for taken in move.draws:
            free = entries.WALLET if taken.kind == CASH else entries.CREDIT
            held = entries.HELD if taken.kind == CASH else entries.HELD_CREDIT
            postings[free] += move.available * taken.amount_micros
            postings[held] += move.held * taken.amount_micros
    rest_micros = -postings.total()
    if contra is None and rest_micros:
        raise InvariantBroken("postings do not add up to zero")
    if contra is not None:
        postings[contra] += rest_micros
    return {account: micros for account, micros in postings.items() if micros}


@dataclass(slots=True)
class Book:
    """The wallet's page of the ledger while one decision writes on it."""

    once: Once
    before: Wallet
    wallet: Wallet = field(init=False)
    entry: Entry | None = field(default=None, init=False)
    expiries: list[Entry] = field(default_factory=list, init=False)

    def __post_init__(self) -> None:
        self.wallet = self.before
        self._expire_lots()

    def post(
        self,
        type_: str,
        *moves: Move,
        amount_micros: int,
        contra: str | None = None,
        draws: tuple[Draw, ...] = (),
        reference: str | None = None,
        source: str = API,
        details: Mapping[str, Json] | None = None,
        hold: "Hold | None" = None,
    ) -> Entry:
        """Move the money and write the entry that answers the request.

        Raises:
            AmountTooLarge: The wallet would hold more than a wallet can.
            TooManyLots: The wallet would have more open lots than a wallet can.
        """
        assert self.entry is None, "one entry an operation"
        self.entry = self._append(
            f"{ENTRY_PREFIX}{self.once.digest}",
            type_,
            moves,
            amount_micros=amount_micros,
            contra=contra,
            draws=draws,
            reference=reference,
            source=source,
            details=details or {},
            hold=hold,
            fingerprint=self.once.fingerprint,
        )
        return self.entry

    def close(self, *changes: Change) -> Journal:
        """The journal: the entries, the wallet, and whatever else changes with them."""
        assert self.entry is not None, "nothing was posted"
        self._expire_lots()
        wallet = Change(self.before if self.before.seq else None, self.wallet)
        return Journal(self.entry, tuple(self.expiries), (wallet, *changes))

    def note_hold(self, hold: "Hold") -> None:
        """Remember that this hold is open: when the next one expires, and which is the oldest."""
        due = self.wallet.hold_due_at
        oldest = self.wallet.open_from
        self.wallet = replace(
            self.wallet,
            hold_due_at=hold.expires_at if due is None else min(due, hold.expires_at),
            open_from=hold.id if oldest is None else min(oldest, hold.id),
        )

    def _expire_lots(self) -> None:
        for lot in self.wallet.lots:
            if lot.remaining_micros and lot.terms.expired(self.once.now):
                spent = (Draw(lot.id, lot.remaining_micros, lot.terms),)
                self.expiries.append(
                    self._append(
                        _expiry_id(self.wallet),
                        entries.LOT_EXPIRY,
                        (Move(spent, available=-1),),
                        amount_micros=lot.remaining_micros,
                        contra=entries.BREAKAGE if is_cash(lot) else entries.PROMOTIONS,
                        draws=spent,
                        reference=lot.id,
                        source=SYSTEM,
                        details={"tag": lot.terms.tag} if lot.terms.tag else {},
                        hold=None,
                        fingerprint="",
                    )
                )

    def _append(
        self,
        entry_id: str,
        type_: str,
        moves: tuple[Move, ...],
        *,
        amount_micros: int,
        contra: str | None,
        draws: tuple[Draw, ...],
        reference: str | None,
        source: str,
        details: Mapping[str, Json],
        hold: "Hold | None",
        fingerprint: str,
    ) -> Entry:
        wallet = self.wallet
        for move in moves:
            wallet = shifted(wallet, move)
        if abs(wallet.posted_micros) > WALLET_MICROS_MAX:
            raise AmountTooLarge(wallet_micros_max=WALLET_MICROS_MAX, currency=wallet.currency)
        entry = Entry(
            id=entry_id,
            tenant=wallet.tenant,
            account_id=wallet.account_id,
            currency=wallet.currency,
            seq=wallet.seq + 1,
            type=type_,
            amount_micros=amount_micros,
            balance_after_micros=wallet.posted_micros,
            held_after_micros=wallet.held_micros,
            postings=postings_of(moves, contra),
            draws=draws,
            reference=reference,
            source=source,
            details=details,
            hold_id=hold.id if hold else None,
            created_at=self.once.now,
            prev=wallet.head,
            fingerprint=fingerprint,
            hold=hold,
        )
        entry = replace(entry, hash=entries.chain_hash(entry))
        self.wallet = _counted(wallet, entry)
        return entry


def settled(
    wallet: Wallet, open_holds: Iterable["Hold"], once: Once
) -> tuple[tuple[Entry, ...], Change]:
    """What time alone does to a wallet: its expired lots go, and what is due next is known again.

    `open_holds` are all the holds of this wallet that are open now.
    """
    book = Book(once, wallet)
    mine = [hold for hold in open_holds if hold.currency == wallet.currency]
    after = replace(
        book.wallet,
        hold_due_at=min((hold.expires_at for hold in mine), default=None),
        open_from=min((hold.id for hold in mine), default=None),
    )
    return tuple(book.expiries), Change(wallet, after)


def _counted(wallet: Wallet, entry: Entry) -> Wallet:
    delta_micros = entry.balance_delta_micros
    return replace(
        wallet,
        seq=entry.seq,
        head=entry.hash,
        credited_micros=wallet.credited_micros + max(delta_micros, 0),
        credits_count=wallet.credits_count + (delta_micros > 0),
        debits_count=wallet.debits_count + (delta_micros < 0),
        updated_at=entry.created_at,
    )


def _expiry_id(wallet: Wallet) -> str:
    # One wallet has one entry of each number, so the number makes the id the same on every try.
    place = (wallet.account_id, wallet.currency, str(wallet.seq + 1))
    return ENTRY_PREFIX + short_digest("expiry", wallet.tenant.segment, *place)
