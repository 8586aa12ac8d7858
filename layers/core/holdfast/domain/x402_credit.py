"""What a settled payment over x402 does to its wallet: plain cash comes in, once.

It is on the chain by then, so it is written whatever has become of the wallet meanwhile.
"""

from dataclasses import replace

from holdfast.domain import entries
from holdfast.domain.accounts import Account
from holdfast.domain.book import Book
from holdfast.domain.entries import Json
from holdfast.domain.ledger import Answered, Change, Decision, Move, Wallet
from holdfast.domain.lots import CASH, Draw
from holdfast.domain.once import Once
from holdfast.domain.x402_outcomes import Settled
from holdfast.domain.x402_settlements import SETTLED, X402Settlement, concluded
from holdfast.errors import InvariantBroken

X402 = "x402"
"""The source of the entry."""


def credit(
    settlement: X402Settlement, wallet: Wallet, account: Account, outcome: Settled, once: Once
) -> Decision:
    """The entry of a payment that is on the chain, and the settlement as settled by it.

    Settled before: nothing is written.
    """
    if settlement.status == SETTLED:
        return Answered(once.entry_id)
    after = concluded(settlement, outcome, once.now)
    if after.status != SETTLED:
        raise InvariantBroken(f"{settlement.id} is {after.status}, and not to be credited")
    book = Book(once, _opened(wallet, account), is_done=True)
    cash = (Draw(CASH, settlement.amount_micros),)
    book.post(
        entries.DEPOSIT,
        Move(cash, available=+1, contra=entries.X402_CLEARING),
        amount_micros=settlement.amount_micros,
        draws=cash,
        reference=settlement.id,
        source=X402,
        details=_details(after),
    )
    noticed = () if wallet.version else _noticed(account)
    return book.close(Change(settlement, after), *noticed)


def _opened(wallet: Wallet, account: Account) -> Wallet:
    """The wallet; a new one of an account that was closed meanwhile is closed too."""
    if wallet.version or account.closed_at is None:
        return wallet
    return replace(wallet, closed=True)


def _noticed(account: Account) -> tuple[Change, ...]:
    """The account written as it is: whoever is about to close it sees that it has one wallet more.

    One that is closed has nobody to tell.
    """
    if account.closed_at is not None:
        return ()
    return (Change(account, replace(account, version=account.version + 1)),)


def _details(settlement: X402Settlement) -> dict[str, Json]:
    assert settlement.transaction is not None
    return {
        "workspace": settlement.workspace_id,
        "user": settlement.user,
        "network": settlement.network,
        "payer": settlement.payer,
        "transaction": settlement.transaction,
    }
