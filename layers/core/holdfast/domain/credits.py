"""Credit that is granted: grants with terms of their own, the starter credit, and their end.

A grant is a lot of the wallet under the grant's id. One whose day has not come yet waits in the
wallet as a pending lot, which is no money; the first thing that happens to the wallet after that
day, or the schedule, opens it. Voiding takes what nobody has spent; what an open hold has pinned
stays spendable by that hold, and is gone when it comes back.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

from holdfast.domain import entries
from holdfast.domain.accounts import ID_LENGTH
from holdfast.domain.book import Book
from holdfast.domain.budgets import Budgets
from holdfast.domain.clock import Instant
from holdfast.domain.entries import Json
from holdfast.domain.ledger import Change, Journal, Move, Wallet, require_place
from holdfast.domain.lots import CASH, CREDIT, STARTER_TAG, Draw, Lot, Terms
from holdfast.domain.money import is_currency
from holdfast.domain.once import Once
from holdfast.domain.wallet import LOT_PREFIX, paid_in_lot, require_amount
from holdfast.errors import GrantNotFound, GrantVoided, InvalidField, StarterCreditGranted

GRANT_PREFIX = "grant_"
PRIORITY_MAX = 1_000
METERS_MAX = 20
LABELS_BYTES_MAX = 1_500
"""What a grant's tags and meters may be long, in UTF-8: 200 such lots still fit into one item."""

STARTER_CREDIT_MICROS = 5_000_000
STARTER_CURRENCY = "usd"
STARTER_LIFE = timedelta(days=30)

_ID = re.compile(r"grant_[0-9a-z]{10}([a-z2-7]{26})_([a-z]{3})")


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditGrant:
    """Credit that somebody was granted, as it was granted; what is left of it, the wallet knows."""

    id: str
    account_id: str
    user: str
    amount_micros: int
    currency: str
    effective_at: Instant
    created_at: Instant
    name: str = ""
    expires_at: Instant | None = None
    priority: int = 0
    meters: tuple[str, ...] = ()
    tags: str = ""
    voided_at: Instant | None = None
    version: int = 0

    @property
    def terms(self) -> Terms:
        """The terms of its lot."""
        return Terms(
            kind=CREDIT,
            granted_at=self.effective_at,
            expires_at=self.expires_at,
            priority=self.priority,
            tag=self.tags,
            meters=self.meters,
        )

    def left_micros(self, wallet: Wallet) -> int:
        """What nobody has spent of it, held or waiting for its day included."""
        lots = (*wallet.lots, *wallet.pending)
        return sum(lot.remaining_micros + lot.held_micros for lot in lots if lot.id == self.id)

    def active(self, wallet: Wallet, now: Instant) -> bool:
        """Whether any of it can be spent at `now`."""
        return any(
            lot.id == self.id and lot.remaining_micros > 0 and not lot.terms.expired(now)
            for lot in wallet.lots
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Starter:
    """That a person was given the starter credit, and by which entry."""

    account_id: str
    entry_id: str = ""
    version: int = 0


def new_id(once: Once, currency: str) -> str:
    """The id of the grant that a request makes, the same at every delivery."""
    return once.sortable_id(GRANT_PREFIX, currency, digest_length=ID_LENGTH)


def is_grant(lot_id: str) -> bool:
    """Whether a lot is a grant's."""
    return lot_id.startswith(GRANT_PREFIX)


def origin_of(grant_id: str) -> tuple[str, str]:
    """The id of the entry that gave a grant, which says whose it is; and the grant's currency.

    Raises:
        GrantNotFound: No grant has an id of that form.
    """
    match = _ID.fullmatch(grant_id)
    if match is None or not is_currency(match[2]):
        raise GrantNotFound
    return f"{entries.ENTRY_PREFIX}{match[1]}", match[2]


def grant(
    wallet: Wallet,
    given: CreditGrant,
    once: Once,
    budgets: Budgets = (),
    *,
    details: Mapping[str, Json] | None = None,
) -> Journal:
    """Credit given, now or on its day.

    Raises:
        InvalidField: It would expire before its day, or its tags and meters are too long.
        AmountTooLarge: The amount is out of bounds.
        TooManyLots: The wallet has 200 open and pending lots.
    """
    require_amount(given.amount_micros, wallet.currency)
    if given.expires_at is not None and given.expires_at <= max(given.effective_at, once.now):
        raise InvalidField("expires_in", "the grant would expire before it could be spent")
    if sum(len(label.encode()) + 1 for label in (given.tags, *given.meters)) > LABELS_BYTES_MAX:
        raise InvalidField("eligibility", f"tags and meters: {LABELS_BYTES_MAX} bytes at most")
    book = Book(once, wallet, budgets)
    draws = (Draw(given.id, given.amount_micros, given.terms),)
    if given.effective_at > once.now:
        require_place(len(book.wallet.lots) + len(book.wallet.pending) + 1)
        lot = Lot(id=given.id, terms=given.terms, remaining_micros=given.amount_micros)
        book.wallet = replace(book.wallet, pending=(*book.wallet.pending, lot))
        type_, move = entries.CREDIT_SCHEDULED, Move(())
    else:
        type_ = entries.CREDIT_GRANT
        move = Move(draws, available=+1, contra=entries.PROMOTIONS)
    book.post(
        type_,
        move,
        amount_micros=given.amount_micros,
        draws=draws,
        reference=given.id,
        details=details,
    )
    return book.close(Change(None, replace(given, version=1)))


def void(wallet: Wallet, given: CreditGrant, once: Once, budgets: Budgets = ()) -> Journal:
    """A grant ended: what nobody has spent of it is taken back.

    Raises:
        GrantVoided: It was voided before.
    """
    if given.voided_at is not None:
        raise GrantVoided
    book = Book(once, wallet, budgets)
    left = tuple(
        Draw(lot.id, lot.remaining_micros, lot.terms)
        for lot in book.wallet.lots
        if lot.id == given.id and lot.remaining_micros
    )
    pending = tuple(lot for lot in book.wallet.pending if lot.id != given.id)
    book.wallet = replace(book.wallet, pending=pending)
    book.post(
        entries.CREDIT_VOID,
        Move(left, available=-1, contra=entries.PROMOTIONS),
        amount_micros=sum(draw.amount_micros for draw in left),
        draws=left,
        reference=given.id,
    )
    book.wallet = _ended(book.wallet, given.id)
    voided = replace(given, voided_at=once.now, version=given.version + 1)
    return book.close(Change(given, voided))


def grant_starter(wallet: Wallet, starter: Starter, once: Once, budgets: Budgets = ()) -> Journal:
    """The starter credit: five dollars of cash that are gone in 30 days if nobody spends them.

    Raises:
        StarterCreditGranted: This person was given it before.
    """
    if starter.entry_id:
        raise StarterCreditGranted
    book = Book(once, wallet, budgets)
    terms = Terms(
        kind=CASH, granted_at=once.now, expires_at=once.now + STARTER_LIFE, tag=STARTER_TAG
    )
    lot_id = LOT_PREFIX + once.digest
    draws = paid_in_lot(book.wallet, lot_id, STARTER_CREDIT_MICROS, terms)
    entry = book.post(
        entries.STARTER_CREDIT,
        Move(draws, available=+1, contra=entries.PROMOTIONS),
        amount_micros=STARTER_CREDIT_MICROS,
        draws=draws,
        details={"tags": STARTER_TAG},
    )
    return book.close(Change(None, replace(starter, entry_id=entry.id, version=1)))


def _ended(wallet: Wallet, lot_id: str) -> Wallet:
    """The wallet in which whatever comes back to a lot from now on expires at once."""
    lots = tuple(
        replace(lot, terms=lot.terms.ended) if lot.id == lot_id else lot for lot in wallet.lots
    )
    return replace(wallet, lots=lots)
