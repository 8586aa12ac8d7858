"""Business events: what others want to know of an entry once it is committed.

An event carries the id and the number of its entry: it may arrive twice, and out of order. Lines
of usage are not events: publishing one costs as much as writing it.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from holdfast.domain import entries
from holdfast.domain.entries import Entry, Json, document

SOURCE = "holdfast"

NAMES = {
    entries.INTRODUCTORY_CREDIT: "wallet.credited",
    entries.DEPOSIT: "wallet.credited",
    entries.STARTER_CREDIT: "wallet.credited",
    entries.ADJUSTMENT: "wallet.adjusted",
    entries.CREDIT_GRANT: "credit.granted",
    entries.CREDIT_VOID: "credit.voided",
    entries.COUPON_CREDIT: "coupon.redeemed",
    entries.REFUND: "wallet.refunded",
    entries.PURCHASE: "payment.succeeded",
    entries.CARD_PURCHASE: "payment.succeeded",
    entries.CARD_REFUND: "payment.refunded",
    entries.CARD_REFUND_FAILED: "payment.refund_failed",
    entries.WITHDRAWAL: "wallet.withdrawn",
    entries.DISPUTE_OPENED: "dispute.opened",
    entries.DISPUTE_WON: "dispute.won",
    entries.DISPUTE_LOST: "dispute.lost",
    entries.HOLD_EXPIRY: "hold.expired",
    entries.LOT_EXPIRY: "lot.expired",
}
LOW_BALANCE = "wallet.low_balance"
OVERDRAWN = "wallet.overdrawn"


@dataclass(frozen=True, slots=True)
class Event:
    """One fact for the bus. The same entry always gives the same events."""

    name: str
    detail: dict[str, Json]


def events_of(entry: Entry, *, low_balance_micros: int) -> Iterator[Event]:
    """The events of an entry: what it was, and whether it took the balance below a threshold.

    `low_balance_micros` is what the owner can spend below which the balance counts as low.
    """
    if name := NAMES.get(entry.type):
        yield _event(name, entry)
    spendable = (entries.WALLET, entries.CREDIT)
    delta_micros = sum(entry.postings.get(account, 0) for account in spendable)
    after_micros = entry.balance_after_micros - entry.held_after_micros
    before_micros = after_micros - delta_micros
    for threshold_micros, name in ((low_balance_micros, LOW_BALANCE), (0, OVERDRAWN)):
        if after_micros < threshold_micros <= before_micros:
            yield _event(name, entry)


def _event(name: str, entry: Entry) -> Event:
    detail: dict[str, Json] = {
        "id": entry.id,
        "org": entry.tenant.org,
        "mode": entry.tenant.mode,
        "account_id": entry.account_id,
        "seq": entry.seq,
        "entry": {**document(entry), "hash": entry.hash},
    }
    return Event(name, detail)
