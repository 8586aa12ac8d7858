"""A book is how a rule writes a journal: it moves money in one wallet and posts an entry for it.

It keeps what must always hold: postings add up to zero, sequence numbers have no gap, each entry
is chained to the one before, lots whose day has come are opened and lots whose time has passed
expired before and after whatever the rule does, and no money leaves or is set aside without being
counted in every budget that it falls under.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from holdfast.domain import entries
from holdfast.domain.accounts import short_digest
from holdfast.domain.budgets import Budget, Budgets, Scope, require_room
from holdfast.domain.entries import ENTRY_PREFIX, Entry, Json
from holdfast.domain.ledger import Change, Journal, Move, Wallet, postings_of, shifted
from holdfast.domain.lots import Draw, Lot, merged, total
from holdfast.domain.money import WALLET_MICROS_MAX
from holdfast.domain.once import Once
from holdfast.errors import AccountClosed, AmountTooLarge, InvariantBroken

if TYPE_CHECKING:
    from holdfast.domain.holds import Hold

SYSTEM = "system"
API = "api"


@dataclass(slots=True)
class Book:
    """The wallet's page of the ledger while one decision writes on it.

    `is_done` is for what has happened outside already, where money came or went: nobody is left to
    refuse it to, so a closed wallet takes it too, and one that is full.
    """

    once: Once
    before: Wallet
    budgets: Budgets = ()
    held_for: "Hold | None" = None
    is_done: bool = False
    wallet: Wallet = field(init=False)
    entry: Entry | None = field(default=None, init=False)
    by_time: list[Entry] = field(default_factory=list, init=False)
    counted: list[Change] = field(default_factory=list, init=False)

    def __post_init__(self) -> None:
        if self.before.closed and not self.is_done:
            raise AccountClosed
        self.wallet = self.before
        self._open_lots()
        self._expire_lots()

    def allow(self, *, held_delta: int = 0, spent_delta: int = 0) -> None:
        """Refuse what would pass a budget, before the wallet is asked for the money.

        Raises:
            BudgetExceeded: It would.
        """
        self._counted_in_budgets(held_delta, spent_delta)

    def post(
        self,
        type_: str,
        *moves: Move,
        amount_micros: int,
        draws: tuple[Draw, ...] = (),
        reference: str | None = None,
        source: str = API,
        details: Mapping[str, Json] | None = None,
        hold: "Hold | None" = None,
    ) -> Entry:
        """Move the money, count it in every budget, and write the entry that answers the request.

        Raises:
            AmountTooLarge: The wallet would hold more than a wallet can.
            TooManyLots: The wallet would have more open lots than a wallet can.
            BudgetExceeded: It would pass a budget.
        """
        assert self.entry is None, "one entry an operation"
        held_delta = sum(move.held * total(move.draws) for move in moves)
        spent_delta = sum(_outflow(move) for move in moves)
        self.counted = self._counted_in_budgets(held_delta, spent_delta)
        self.entry = self._append(
            self.once.entry_id,
            type_,
            moves,
            amount_micros=amount_micros,
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
        # What was given back to a lot whose time has passed expires with it, at once.
        self._expire_lots()
        if self.wallet.posted_micros != self.entry.balance_after_micros:
            self.entry = replace(self.entry, balance_left_micros=self.wallet.posted_micros)
        after = replace(self.wallet, version=self.before.version + 1)
        wallet = Change(self.before if self.before.version else None, after)
        return Journal(self.entry, tuple(self.by_time), (wallet, *changes, *self.counted))

    def note_hold(self, hold: "Hold") -> None:
        """Remember that this hold is open: when the next one expires, and which is the oldest."""
        due = self.wallet.hold_due_at
        oldest = self.wallet.open_from
        self.wallet = replace(
            self.wallet,
            hold_due_at=hold.expires_at if due is None else min(due, hold.expires_at),
            open_from=hold.id if oldest is None else min(oldest, hold.id),
        )

    def _counted_in_budgets(self, held_delta: int, spent_delta: int) -> list[Change]:
        scopes = scopes_of(self.held_for, self.once)
        if len(scopes) != len(self.budgets):
            raise InvariantBroken("a rule was not given the budgets that it counts in")
        own = {scope.place for scope in self.held_for.scopes} if self.held_for else set()
        changes: list[Change] = []
        for scope, budget in zip(scopes, self.budgets, strict=True):
            # A cap that the hold was not placed under counts what is taken out of the hold in full.
            held = held_delta if scope.place in own else 0
            changes += self._counted(scope, budget, held, spent_delta)
        return changes

    def _counted(self, scope: Scope, budget: Budget, held: int, spent: int) -> list[Change]:
        now = self.once.now
        require_room(scope, budget, held + spent, currency=self.wallet.currency, now=now)
        if held == 0 and spent == 0:
            return []
        after = budget.moved(held_delta=held, spent_delta=spent, now=now)
        return [Change(budget if budget.version else None, after)]

    def _open_lots(self) -> None:
        due = [lot for lot in self.wallet.pending if lot.terms.granted_at <= self.once.now]
        if not due:
            return
        rest = tuple(lot for lot in self.wallet.pending if lot not in due)
        self.wallet = replace(self.wallet, pending=rest)
        self._note(
            "opening",
            entries.CREDIT_GRANT,
            (Move(_all_of(due), available=+1, contra=entries.PROMOTIONS),),
            draws=_all_of(due),
        )

    def _expire_lots(self) -> None:
        # One entry for all that expire together: a wallet has more lots than a transaction steps.
        expired = _all_of(
            lot
            for lot in self.wallet.lots
            if lot.remaining_micros and lot.terms.expired(self.once.now)
        )
        if not expired:
            return
        given = tuple(draw for draw in expired if draw.terms and draw.terms.was_given)
        paid = tuple(draw for draw in expired if draw not in given)
        self._note(
            "expiry",
            entries.LOT_EXPIRY,
            (
                Move(paid, available=-1, contra=entries.BREAKAGE),
                Move(given, available=-1, contra=entries.PROMOTIONS),
            ),
            draws=expired,
        )

    def _note(
        self, label: str, type_: str, moves: tuple[Move, ...], *, draws: tuple[Draw, ...]
    ) -> None:
        """An entry for what time alone did."""
        entry = self._append(
            _id_by_number(label, self.wallet),
            type_,
            moves,
            amount_micros=total(draws),
            draws=merged(draws),
            reference=draws[0].lot_id if len(draws) == 1 else None,
            source=SYSTEM,
            details={},
            hold=None,
            fingerprint="",
        )
        self.by_time.append(entry)

    def _append(
        self,
        entry_id: str,
        type_: str,
        moves: tuple[Move, ...],
        *,
        amount_micros: int,
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
        # What time does is not refused: pending money was counted when it was promised.
        too_large = abs(wallet.posted_micros) + wallet.beyond_micros > WALLET_MICROS_MAX
        if too_large and source != SYSTEM and not self.is_done:
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
            postings=postings_of(moves),
            draws=draws,
            reference=reference,
            source=source,
            details=details,
            hold_id=hold.id if hold else None,
            created_at=self.once.now,
            prev=wallet.head,
            fingerprint=fingerprint,
            hold=hold,
            cash_after_micros=wallet.cash_posted_micros,
        )
        entry = replace(entry, hash=entries.chain_hash(entry))
        self.wallet = _recorded(wallet, entry)
        return entry


def scopes_of(hold: "Hold | None", once: Once) -> tuple[Scope, ...]:
    """The scopes that an operation counts in: those of its hold, and the caps of its caller."""
    own = hold.scopes if hold else ()
    known = {scope.place for scope in own}
    return (*own, *(cap for cap in once.caps if cap.place not in known))


def settled(
    wallet: Wallet, open_holds: Iterable["Hold"], once: Once
) -> tuple[tuple[Entry, ...], Change | None]:
    """What time alone does to a wallet: its expired lots go, and what is due next is known again.

    `open_holds` are all the holds of this wallet that are open now. Nothing done: no change.
    """
    book = Book(once, wallet)
    mine = [hold for hold in open_holds if hold.currency == wallet.currency]
    after = replace(
        book.wallet,
        hold_due_at=min((hold.expires_at for hold in mine), default=None),
        open_from=min((hold.id for hold in mine), default=None),
    )
    if after == wallet:
        return (), None
    return tuple(book.by_time), Change(wallet, replace(after, version=wallet.version + 1))


def _outflow(move: Move) -> int:
    """What the move spends of the customer's, in micros: credit that is taken back is not spent."""
    if move.contra is None or move.contra == entries.PROMOTIONS:
        return 0
    return max(0, -(move.available + move.held) * total(move.draws))


def _all_of(lots: Iterable[Lot]) -> tuple[Draw, ...]:
    return tuple(Draw(lot.id, lot.remaining_micros, lot.terms) for lot in lots)


def _recorded(wallet: Wallet, entry: Entry) -> Wallet:
    delta_micros = entry.balance_delta_micros
    charged_micros = entry.postings.get(entries.REVENUE, 0) + entry.postings.get(entries.REFUNDS, 0)
    return replace(
        wallet,
        seq=entry.seq,
        head=entry.hash,
        credited_micros=wallet.credited_micros + max(delta_micros, 0),
        charged_micros=wallet.charged_micros + charged_micros,
        credits_count=wallet.credits_count + (delta_micros > 0),
        debits_count=wallet.debits_count + (delta_micros < 0),
        updated_at=entry.created_at,
    )


def _id_by_number(label: str, wallet: Wallet) -> str:
    # One wallet has one entry of each number, so the number makes the id the same on every try.
    place = (wallet.account_id, wallet.currency, str(wallet.seq + 1))
    return ENTRY_PREFIX + short_digest(label, wallet.tenant.segment, *place)
