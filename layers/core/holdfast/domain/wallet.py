"""Putting money into a wallet, taking it out, charging for work, and giving a charge back."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from holdfast.domain import entries
from holdfast.domain.accounts import INTRODUCTORY_CREDIT_MICROS
from holdfast.domain.book import Book
from holdfast.domain.budgets import Budgets
from holdfast.domain.clock import Instant
from holdfast.domain.entries import Entry, Json
from holdfast.domain.ledger import Change, Journal, Move, Wallet, overdraw
from holdfast.domain.lots import CASH, CREDIT, Draw, Terms, after, first, total
from holdfast.domain.money import AMOUNT_MICROS_MAX
from holdfast.domain.once import Once
from holdfast.errors import (
    AmountTooLarge,
    InsufficientFunds,
    InvalidField,
    NotRefundable,
    RefundExceeded,
    TransactionNotFound,
)

LOT_PREFIX = "lot_"
INTRODUCTORY_TAG = "introductory"
CHARGES = frozenset({entries.USAGE, entries.PURCHASE, entries.CAPTURE, entries.HOLD_EXPIRY})
"""The types of entry that can be refunded, if they took money."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refunded:
    """How much of one charge has been given back so far."""

    entry_id: str
    account_id: str
    refunded_micros: int = 0
    version: int = 0


def introduce(wallet: Wallet, once: Once) -> Journal:
    """The first entry of a user's default account: the introductory credit."""
    assert wallet.seq == 0
    book = Book(once, wallet)
    terms = Terms(kind=CREDIT, granted_at=once.now, tag=INTRODUCTORY_TAG)
    lot = (Draw(LOT_PREFIX + once.digest, INTRODUCTORY_CREDIT_MICROS, terms),)
    book.post(
        entries.INTRODUCTORY_CREDIT,
        Move(lot, available=+1, contra=entries.PROMOTIONS),
        amount_micros=INTRODUCTORY_CREDIT_MICROS,
        draws=lot,
        source="introductory",
        details={"tags": INTRODUCTORY_TAG},
    )
    return book.close()


def deposit(
    wallet: Wallet,
    once: Once,
    budgets: Budgets = (),
    *,
    amount_micros: int,
    expires_at: Instant | None = None,
    details: Mapping[str, Json] | None = None,
) -> Journal:
    """Cash paid in; with `expires_at`, as a lot that is gone by then if nobody spends it.

    Raises:
        AmountTooLarge: The amount is out of bounds.
        TooManyLots: The wallet has 200 open lots.
    """
    require_amount(amount_micros, wallet.currency)
    book = Book(once, wallet, budgets)
    if expires_at is None:
        draws: tuple[Draw, ...] = (Draw(CASH, amount_micros),)
    else:
        terms = Terms(kind=CASH, granted_at=once.now, expires_at=expires_at)
        draws = paid_in_lot(book.wallet, LOT_PREFIX + once.digest, amount_micros, terms)
    book.post(
        entries.DEPOSIT,
        Move(draws, available=+1, contra=entries.DEPOSITS),
        amount_micros=amount_micros,
        draws=draws,
        details=details,
    )
    return book.close()


def withdraw(
    wallet: Wallet,
    once: Once,
    budgets: Budgets = (),
    *,
    amount_micros: int,
    details: Mapping[str, Json] | None = None,
) -> Journal:
    """Plain paid-in cash taken out. Credit, and cash with an expiry, cannot be withdrawn.

    Raises:
        AmountTooLarge: The amount is out of bounds.
        BudgetExceeded: It would pass the cap of the caller's key.
        InsufficientFunds: There is less plain cash than that.
    """
    require_amount(amount_micros, wallet.currency)
    book = Book(once, wallet, budgets)
    book.allow(spent_delta=amount_micros)
    if amount_micros > book.wallet.cash_micros:
        raise InsufficientFunds(
            needed_micros=amount_micros,
            available_micros=max(0, book.wallet.cash_micros),
            currency=wallet.currency,
        )
    draws = (Draw(CASH, amount_micros),)
    book.post(
        entries.WITHDRAWAL,
        Move(draws, available=-1, contra=entries.WITHDRAWALS),
        amount_micros=amount_micros,
        draws=draws,
        details=details,
    )
    return book.close()


def use(
    wallet: Wallet,
    once: Once,
    budgets: Budgets = (),
    *,
    amount_micros: int,
    meter: str | None = None,
    reference: str | None = None,
    details: Mapping[str, Json] | None = None,
) -> Journal:
    """A charge for work that was already done, even below zero; the balance shows it.

    What `meter` measured is paid from the credit that is restricted to it, too.

    Raises:
        AmountTooLarge: The amount is out of bounds.
        BudgetExceeded: It would pass the cap of the caller's key.
    """
    require_amount(amount_micros, wallet.currency)
    book = Book(once, wallet, budgets)
    draws = overdraw(book.wallet, amount_micros, once.now, meter)
    book.post(
        entries.USAGE,
        Move(draws, available=-1, contra=entries.REVENUE),
        amount_micros=amount_micros,
        draws=draws,
        reference=reference,
        details=details,
    )
    return book.close()


def refund(
    wallet: Wallet,
    refunded: Refunded,
    once: Once,
    budgets: Budgets = (),
    *,
    original: Entry,
    amount_micros: int,
    voided: Collection[str] = (),
    details: Mapping[str, Json] | None = None,
) -> Journal:
    """Part or all of a charge given back, to the lots it came from, in the order of drawing.

    What belongs to a lot that has expired since, or that is one of `voided`, goes back there too,
    and so expires with it. A budget that the charge was counted in gets nothing back.

    Raises:
        TransactionNotFound: The charge is another account's.
        NotRefundable: The entry is no charge.
        RefundExceeded: Less than that is left of the charge.
        AmountTooLarge: The amount is out of bounds.
    """
    require_amount(amount_micros, wallet.currency)
    if original.account_id != wallet.account_id or original.tenant != wallet.tenant:
        raise TransactionNotFound()
    if original.currency != wallet.currency:
        raise InvalidField("currency", "not the currency of the original transaction")
    charged_micros = original.postings.get(entries.REVENUE, 0)
    if original.type not in CHARGES or charged_micros <= 0:
        raise NotRefundable(type=original.type)
    refundable_micros = charged_micros - refunded.refunded_micros
    if amount_micros > refundable_micros:
        raise RefundExceeded(
            asked_micros=amount_micros,
            refundable_micros=refundable_micros,
            currency=wallet.currency,
        )
    assert total(original.draws) == charged_micros
    book = Book(once, wallet, budgets)
    back = first(after(original.draws, refunded.refunded_micros), amount_micros)
    draws = tuple(_ended(draw) if draw.lot_id in voided else draw for draw in back)
    book.post(
        entries.REFUND,
        Move(draws, available=+1, contra=entries.REFUNDS),
        amount_micros=amount_micros,
        draws=draws,
        reference=original.id,
        details=details,
    )
    done = replace(
        refunded,
        refunded_micros=refunded.refunded_micros + amount_micros,
        version=refunded.version + 1,
    )
    return book.close(Change(refunded if refunded.version else None, done))


def adjust(
    wallet: Wallet,
    once: Once,
    budgets: Budgets = (),
    *,
    delta_micros: int,
    details: Mapping[str, Json] | None = None,
) -> Journal:
    """Plain cash put right by hand: up, or down, below zero if need be.

    Raises:
        AmountTooLarge: The amount is out of bounds.
        BudgetExceeded: What is taken would pass the cap of the caller's key.
    """
    amount_micros = abs(delta_micros)
    require_amount(amount_micros, wallet.currency)
    book = Book(once, wallet, budgets)
    draws = (Draw(CASH, amount_micros),)
    book.post(
        entries.ADJUSTMENT,
        Move(draws, available=1 if delta_micros > 0 else -1, contra=entries.ADJUSTMENTS),
        amount_micros=amount_micros,
        draws=draws,
        details=details,
    )
    return book.close()


def paid_in_lot(wallet: Wallet, lot_id: str, amount_micros: int, terms: Terms) -> tuple[Draw, ...]:
    """Cash with an expiry as it goes into a wallet: what plain cash is short of comes first.

    It would be wrong to let it expire beside a debt.
    """
    debt_micros = min(amount_micros, max(0, -wallet.cash_micros))
    parts = (Draw(CASH, debt_micros), Draw(lot_id, amount_micros - debt_micros, terms))
    return tuple(part for part in parts if part.amount_micros)


def require_amount(amount_micros: int, currency: str) -> None:
    """Refuse what no operation may move.

    Raises:
        AmountTooLarge: More than 10^15 micros.
    """
    assert amount_micros > 0
    if amount_micros > AMOUNT_MICROS_MAX:
        raise AmountTooLarge(param="amount", amount_micros_max=AMOUNT_MICROS_MAX, currency=currency)


def _ended(draw: Draw) -> Draw:
    """The draw, from a lot that was voided."""
    return draw if draw.terms is None else replace(draw, terms=draw.terms.ended)
