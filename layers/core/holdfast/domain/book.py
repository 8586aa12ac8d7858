"""A book is how a rule writes a journal: it moves money in one wallet and posts an entry for it.

It keeps what must always hold: postings add up to zero, sequence numbers have no gap, each entry
is chained to the one before, and lots whose time has come are expired before and after whatever
the rule does.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from holdfast.domain import entries
from holdfast.domain.accounts import short_digest
from holdfast.domain.entries import ENTRY_PREFIX, Entry, Json
from holdfast.domain.ledger import Change, Journal, Move, Wallet, postings_of, shifted
from holdfast.domain.lots import CASH, CREDIT, Draw, merged, total
from holdfast.domain.money import WALLET_MICROS_MAX
from holdfast.domain.once import Once
from holdfast.errors import AmountTooLarge

if TYPE_CHECKING:
    from holdfast.domain.holds import Hold

SYSTEM = "system"
API = "api"


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
        # One entry for all that expire together: a wallet has more lots than a transaction steps.
        expired = [
            Draw(lot.id, lot.remaining_micros, lot.terms)
            for lot in self.wallet.lots
            if lot.remaining_micros and lot.terms.expired(self.once.now)
        ]
        if not expired:
            return
        paid = tuple(draw for draw in expired if draw.kind == CASH)
        granted = tuple(draw for draw in expired if draw.kind == CREDIT)
        entry = self._append(
            _expiry_id(self.wallet),
            entries.LOT_EXPIRY,
            (
                Move(paid, available=-1, contra=entries.BREAKAGE),
                Move(granted, available=-1, contra=entries.PROMOTIONS),
            ),
            amount_micros=total(expired),
            draws=merged(expired),
            reference=expired[0].lot_id if len(expired) == 1 else None,
            source=SYSTEM,
            details={},
            hold=None,
            fingerprint="",
        )
        self.expiries.append(entry)

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
        )
        entry = replace(entry, hash=entries.chain_hash(entry))
        self.wallet = _counted(wallet, entry)
        return entry


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
    return tuple(book.expiries), Change(wallet, replace(after, version=wallet.version + 1))


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
