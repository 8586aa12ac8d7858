"""The audit of payments over x402: what is on the chain is in one wallet, once."""

from collections import defaultdict

from holdfast.audit.books import Books, Found
from holdfast.domain import entries as words
from holdfast.domain.entries import Entry
from holdfast.domain.x402_credit import X402
from holdfast.domain.x402_settlements import FAILED, PENDING, SETTLED, X402Settlement


def x402_payments_credited_once(books: Books) -> Found:
    """A payment that was settled has one entry, of all of it; any other has none."""
    came_in = _by_settlement(books)
    for settlement in _settlements(books):
        by_x402 = came_in.pop(settlement.id, [])
        if len(by_x402) != (settlement.status == SETTLED):
            yield settlement.id, f"is {settlement.status}, and was credited {len(by_x402)} times"
        for entry in by_x402:
            told = (entry.tenant, entry.account_id, entry.currency, entry.amount_micros)
            asked = (settlement.tenant, settlement.account_id, settlement.currency)
            if told != (*asked, settlement.amount_micros) or entry.type != words.DEPOSIT:
                yield settlement.id, f"is for {asked}, its entry for {told}"
            if entry.details.get("transaction") != settlement.transaction:
                yield settlement.id, "its entry names another transaction"
    for settlement_id in came_in:
        yield settlement_id, "has an entry, and is not there"


def x402_payments_end_as_they_must(books: Books) -> Found:
    """What is over has an end and nothing due; what was settled has its transaction."""
    for settlement in _settlements(books):
        is_over = settlement.status in (SETTLED, FAILED)
        if is_over != (settlement.concluded_at is not None):
            yield settlement.id, f"is {settlement.status}, concluded at {settlement.concluded_at}"
        if is_over and settlement.due_at is not None:
            yield settlement.id, f"is {settlement.status}, and due"
        if settlement.status == PENDING and settlement.due_at is None:
            yield settlement.id, "is pending, and nobody looks for it"
        if settlement.status == SETTLED and settlement.transaction is None:
            yield settlement.id, "was settled by no transaction"
        if settlement.offer.network.mode != settlement.tenant.mode:
            yield settlement.id, f"of {settlement.tenant.segment} was paid on {settlement.network}"


def x402_has_a_payment(books: Books) -> Found:
    """Every entry of x402's clears with it, and no other does."""
    for owned in books.accounts.values():
        for entry in owned.entries.values():
            clears_micros = -entry.postings.get(words.X402_CLEARING, 0)
            if clears_micros != (entry.amount_micros if entry.source == X402 else 0):
                at = f"{entry.account_id} {entry.currency} entry {entry.seq}"
                yield at, f"comes from {entry.source}, and clears {clears_micros} with x402"


def _settlements(books: Books) -> list[X402Settlement]:
    return [each for each in books.records.values() if isinstance(each, X402Settlement)]


def _by_settlement(books: Books) -> defaultdict[str, list[Entry]]:
    found: defaultdict[str, list[Entry]] = defaultdict(list)
    for owned in books.accounts.values():
        for entry in owned.entries.values():
            if entry.source == X402:
                found[str(entry.reference)].append(entry)
    return found


CHECKS = (
    x402_payments_credited_once,
    x402_payments_end_as_they_must,
    x402_has_a_payment,
)
