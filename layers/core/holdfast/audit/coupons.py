"""The audit of coupons: what was redeemed is counted once for all, and once for each account."""

from collections import Counter
from collections.abc import Iterator

from holdfast.audit.books import Books, Found
from holdfast.domain import entries as words
from holdfast.domain.coupons import MISSES_MAX, Coupon, Guesses, Redemption
from holdfast.domain.lots import CREDIT
from holdfast.domain.payments import CANCELED, FAILED, Payment
from holdfast.store.keys import Key

type Place = tuple[str, str]
"""Tenant and code."""


def coupons_add_up(books: Books) -> Found:
    """A coupon counts what all accounts have used of it together, and none has passed a limit."""
    uses: Counter[Place] = Counter()
    found = {
        (_segment(key), record.code): record
        for key, record in books.records.items()
        if isinstance(record, Coupon)
    }
    for segment, used in _redemptions(books):
        uses[segment, used.code] += used.uses
        coupon = found.get((segment, used.code))
        if coupon is None:
            yield used.code, f"was redeemed by {used.account_id}, and is not there"
        elif not 0 <= used.uses <= coupon.per_user:
            yield used.code, f"was redeemed {used.uses} times by {used.account_id}"
    for place, coupon in found.items():
        if coupon.redeemed != uses[place]:
            yield coupon.code, f"counts {coupon.redeemed}, the accounts {uses[place]}"
        if coupon.max_redemptions is not None and coupon.redeemed > coupon.max_redemptions:
            yield coupon.code, f"was redeemed {coupon.redeemed} times"


def uses_gave_something(books: Books) -> Found:
    """Each use of a coupon is an entry that gave its credit, or hangs on a payment under way."""
    given: Counter[tuple[str, str, str]] = Counter()
    for owned in books.accounts.values():
        for entry in owned.entries.values():
            if entry.type == words.COUPON_CREDIT:
                given[owned.segment, entry.account_id, str(entry.reference)] += 1
            elif entry.type == words.DEPOSIT and any(draw.kind == CREDIT for draw in entry.draws):
                code = str(entry.details.get("coupon_code"))
                given[owned.segment, entry.account_id, code] += 1
    for segment, used in _redemptions(books):
        gave = given.pop((segment, used.account_id, used.code), 0)
        if used.uses != gave + bool(used.reserved_for):
            yield used.code, f"was used {used.uses} times by {used.account_id}, and gave {gave}"
        if used.reserved_for and not _waits(books.payments.get((segment, used.reserved_for)), used):
            yield used.code, f"is reserved for {used.reserved_for}, which is not under way with it"
    for _, account_id, code in given:
        yield code, f"gave credit to {account_id}, who has not redeemed it"


def guesses_are_few(books: Books) -> Found:
    """No account has tried more codes than it may."""
    for record in books.records.values():
        if isinstance(record, Guesses) and len(record.misses) > MISSES_MAX:
            yield record.account_id, f"has tried {len(record.misses)} codes"


def _waits(payment: Payment | None, used: Redemption) -> bool:
    return (
        payment is not None
        and (payment.account_id, payment.coupon_code) == (used.account_id, used.code)
        and not payment.entry_id
        and payment.status not in (FAILED, CANCELED)
    )


def _redemptions(books: Books) -> Iterator[tuple[str, Redemption]]:
    for key, record in books.records.items():
        if isinstance(record, Redemption):
            yield _segment(key), record


def _segment(key: Key) -> str:
    return key.pk.split("#")[1]


CHECKS = (coupons_add_up, uses_gave_something, guesses_are_few)
