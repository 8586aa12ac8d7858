"""What a payment does to its wallet, once Stripe has said what became of it.

A top-up is a deposit: plain cash. A purchase goes through the wallet and stays with the house, so
that the statement has it. Whatever came in or went out at Stripe is written here, and never
refused: it has happened.
"""

from dataclasses import replace

from holdfast.domain import entries
from holdfast.domain.book import Book
from holdfast.domain.budgets import Budgets
from holdfast.domain.entries import ENTRY_PREFIX, Entry, Json
from holdfast.domain.ledger import Change, Journal, Move, Wallet
from holdfast.domain.lots import CASH, CREDIT, Draw, Terms, total
from holdfast.domain.once import Once
from holdfast.domain.payment_states import fulfilled, refunded, undone
from holdfast.domain.payments import INTENT, Payment
from holdfast.domain.wallet import LOT_PREFIX
from holdfast.errors import RefundExceeded

BONUS_TAG = "bonus"
STRIPE = "stripe"


def receive(
    wallet: Wallet, before: Payment, payment: Payment, once: Once, *, bonus_micros: int = 0
) -> Journal:
    """What came in for a payment: into the wallet, or for a purchase through it, to the house.

    `before` is the payment as it was read, `payment` as Stripe's word has made it. `bonus_micros`
    of credit is given on top.
    """
    assert payment.to_credit
    book = Book(once, wallet, is_done=True)
    cash = Draw(CASH, payment.received_micros)
    moves = [Move((cash,), available=+1, contra=entries.STRIPE_CLEARING)]
    draws = [cash]
    if payment.kind == INTENT:
        moves.append(Move((cash,), available=-1, contra=entries.REVENUE))
    elif bonus_micros:
        terms = Terms(kind=CREDIT, granted_at=once.now, tag=BONUS_TAG)
        bonus = Draw(LOT_PREFIX + once.digest, bonus_micros, terms)
        moves.append(Move((bonus,), available=+1, contra=entries.PROMOTIONS))
        draws.append(bonus)
    entry = book.post(
        entries.CARD_PURCHASE if payment.kind == INTENT else entries.DEPOSIT,
        *moves,
        amount_micros=total(draws),
        draws=tuple(draws),
        reference=payment.id,
        source=STRIPE,
        details=details_of(payment),
    )
    return book.close(Change(before, fulfilled(payment, entry.id, now=once.now)))


def take_back(
    wallet: Wallet,
    paid: Payment,
    refund: Payment,
    once: Once,
    budgets: Budgets = (),
    *,
    is_done: bool = False,
) -> Journal:
    """What goes back to the card, out of the plain cash of the wallet, or from the house.

    Of a bonus that came with a top-up its share goes too, so far as it was not spent. A refund that
    is done already may leave a debt; one that is asked for may not.

    Raises:
        RefundExceeded: Less than that is left of the payment, or of the cash.
    """
    if paid.kind == INTENT:
        # It takes nothing out of the wallet, so it counts in no budget.
        once, budgets = replace(once, caps=()), ()
    # What came to a closed wallet can still go back.
    book = Book(once, wallet, budgets, is_done=is_done or wallet.closed)
    cash = Draw(CASH, refund.amount_micros)
    moves = [Move((cash,), available=-1, contra=entries.STRIPE_CLEARING)]
    draws = [cash]
    refundable_micros = paid.refundable_micros
    if paid.kind == INTENT:
        moves.insert(0, Move((cash,), available=+1, contra=entries.REFUNDS))
    else:
        refundable_micros = min(refundable_micros, max(0, book.wallet.cash_micros))
        if bonus := _bonus_of(book.wallet, paid, refund.amount_micros):
            moves.append(Move((bonus,), available=-1, contra=entries.PROMOTIONS))
            draws.append(bonus)
    if refund.amount_micros > refundable_micros and not is_done:
        raise RefundExceeded(
            asked_micros=refund.amount_micros,
            refundable_micros=refundable_micros,
            currency=wallet.currency,
        )
    entry = book.post(
        entries.CARD_REFUND,
        *moves,
        amount_micros=total(draws),
        draws=tuple(draws),
        reference=paid.id,
        source=STRIPE,
        details=details_of(refund) | {"refund_id": refund.id},
    )
    return book.close(
        Change(None, replace(fulfilled(refund, entry.id, now=once.now), version=1)),
        Change(paid, refunded(paid, refund.amount_micros, now=once.now)),
    )


def give_back(
    wallet: Wallet,
    paid: Payment,
    before: Payment,
    refund: Payment,
    once: Once,
    *,
    taken: Entry,
) -> Journal:
    """What a refund took and did not get to the card: back where it came from."""
    assert refund.to_undo
    assert taken.id == refund.entry_id
    book = Book(once, wallet, is_done=True)
    cash = Draw(CASH, refund.amount_micros)
    moves = [Move((cash,), available=+1, contra=entries.STRIPE_CLEARING)]
    if paid.kind == INTENT:
        moves.append(Move((cash,), available=-1, contra=entries.REFUNDS))
    bonus = tuple(draw for draw in taken.draws if draw.terms is not None)
    if bonus and not _has_place(book.wallet, bonus):
        # The money comes back in any case, the house's gift only where there is room for it.
        bonus = ()
    if bonus:
        moves.append(Move(bonus, available=+1, contra=entries.PROMOTIONS))
    entry = book.post(
        entries.CARD_REFUND_FAILED,
        *moves,
        amount_micros=total((cash, *bonus)),
        draws=(cash, *bonus),
        reference=paid.id,
        source=STRIPE,
        details=details_of(refund) | {"refund_id": refund.id},
    )
    return book.close(
        Change(before, undone(refund, entry.id, now=once.now)),
        Change(paid, refunded(paid, -refund.amount_micros, now=once.now)),
    )


def details_of(payment: Payment) -> dict[str, Json]:
    """What an entry tells of its payment."""
    told = {
        "payment_id": payment.id,
        "payment_intent_id": payment.payment_intent_id,
        "kind": payment.kind,
        "workspace": payment.workspace_id,
        "plan_id": payment.plan_id,
        "coupon_code": payment.coupon_code,
    }
    return {name: text for name, text in told.items() if text}


def _has_place(wallet: Wallet, draws: tuple[Draw, ...]) -> bool:
    """Whether so much can go back to its lots: one that is gone needs a place."""
    gone = {draw.lot_id for draw in draws} - {lot.id for lot in wallet.lots}
    return len(gone) <= wallet.places_left


def _bonus_of(wallet: Wallet, paid: Payment, amount_micros: int) -> Draw | None:
    """What of the payment's bonus goes with so much of its money, rounded up."""
    lot_id = LOT_PREFIX + paid.entry_id.removeprefix(ENTRY_PREFIX)
    lots = [lot for lot in wallet.lots if lot.id == lot_id]
    if not lots:
        return None
    share_micros = -(-paid.bonus_micros * amount_micros // paid.received_micros)
    taken_micros = min(share_micros, lots[0].remaining_micros)
    return Draw(lots[0].id, taken_micros, lots[0].terms) if taken_micros else None
