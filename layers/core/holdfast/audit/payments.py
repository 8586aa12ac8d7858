"""The audit of payments: what came in from Stripe, what went back, and what is disputed."""

from collections import Counter, defaultdict
from collections.abc import Iterable

from holdfast.audit.books import Books, Found, Owned, held_delta, own_delta
from holdfast.domain import disputes, payments
from holdfast.domain import entries as words
from holdfast.domain.disputes import Dispute
from holdfast.domain.entries import Entry
from holdfast.domain.payment_entries import STRIPE
from holdfast.domain.payments import INTENT, REFUND, Payment

OF_DISPUTES = frozenset({words.DISPUTE_OPENED, words.DISPUTE_WON, words.DISPUTE_LOST})

type Name = tuple[str, str]
"""Tenant, and the id of a payment."""


def payments_credited_once(books: Books) -> Found:
    """A payment that succeeded has one entry of all that was received; any other has none."""
    came_in = _by_payment(books, (words.DEPOSIT, words.CARD_PURCHASE))
    for name, payment in books.payments.items():
        if payment.kind == REFUND:
            continue
        by_stripe = came_in[name]
        is_paid = payment.status == payments.SUCCEEDED
        if payment.is_by_balance:
            yield from _paid_from_wallet(books, payment)
        elif len(by_stripe) != is_paid:
            yield payment.id, f"{payment.status}, and credited {len(by_stripe)} times"
        if [entry.id for entry in by_stripe] != [payment.entry_id] * len(by_stripe):
            yield payment.id, f"names {payment.entry_id or 'no entry'} as what credited it"
        if payment.is_by_balance and by_stripe:
            yield payment.id, "was paid from the wallet, and credited"
        for entry in by_stripe:
            told = (-entry.postings.get(words.STRIPE_CLEARING, 0), entry.currency)
            if told != (payment.received_micros, payment.received_currency):
                yield payment.id, f"{told} were credited, {payment.received_micros} were received"
            if (entry.type == words.CARD_PURCHASE) != (payment.kind == INTENT):
                yield payment.id, f"is a {payment.kind}, and was credited as a {entry.type}"


def _paid_from_wallet(books: Books, payment: Payment) -> Found:
    owned = _owner(books, payment)
    entry = owned.entries.get(payment.entry_id) if owned else None
    took_micros = entry.postings.get(words.REVENUE, 0) if entry else 0
    if took_micros != payment.received_micros:
        yield payment.id, f"{took_micros} were taken for it, it received {payment.received_micros}"
    if (payment.status == payments.SUCCEEDED) != (entry is not None):
        yield payment.id, f"{payment.status}, and paid by {payment.entry_id or 'no entry'}"


def refunds_were_taken_once(books: Books) -> Found:
    """Each refund to a card was taken out once, and was put back once if it went wrong."""
    taken = _by_refund(books, words.CARD_REFUND)
    undone = _by_refund(books, words.CARD_REFUND_FAILED)
    for (segment, _), refund in books.payments.items():
        if refund.kind != REFUND:
            continue
        out, back = taken.pop((segment, refund.id), []), undone.pop((segment, refund.id), [])
        if refund.is_gone_wrong != bool(refund.undone_by):
            yield refund.id, f"is {refund.status}, and undone by {refund.undone_by or 'nothing'}"
        if [entry.id for entry in back] != [refund.undone_by] * bool(refund.undone_by):
            yield refund.id, f"was undone {len(back)} times, and names {refund.undone_by}"
        yield from _taken_once(refund, out)
        moved = [-entry.postings.get(words.STRIPE_CLEARING, 0) for entry in (*out, *back)]
        if moved != [-refund.amount_micros, refund.amount_micros][: len(moved)]:
            yield refund.id, f"is of {refund.amount_micros}, and moved {moved}"
    for _, refund_id in taken.keys() | undone.keys():
        yield refund_id, "entries of a refund that is not there"


def _taken_once(refund: Payment, out: list[Entry]) -> Found:
    if [entry.id for entry in out] not in ([refund.entry_id], []):
        yield refund.id, f"was taken {len(out)} times, and names {refund.entry_id}"
    # What goes to the wallet instead is an entry of the wallet's own.
    if not out and not refund.is_by_balance:
        yield refund.id, "was taken out of no wallet"


def refunds_of_payments_add_up(books: Books) -> Found:
    """What is on its way back of a payment is the sum of its refunds, and no more than came in."""
    going: Counter[Name] = Counter()
    for (segment, _), refund in books.payments.items():
        if refund.kind == REFUND and not refund.undone_by:
            going[segment, refund.refund_of] += refund.amount_micros
    for name in going.keys() | books.payments.keys():
        payment = books.payments.get(name)
        if payment is None or payment.kind == REFUND:
            if going[name]:
                yield name[1], "is refunded, and is no payment that is there"
            continue
        if payment.refunded_micros != going[name]:
            yield payment.id, f"{payment.refunded_micros} refunded, its refunds say {going[name]}"
        if payment.refunded_micros > payment.received_micros:
            yield payment.id, "more went back than came in"


def stripe_has_a_payment(books: Books) -> Found:
    """Every entry of Stripe's belongs to a payment of its account, and clears with Stripe."""
    for owned in books.accounts.values():
        for entry in owned.entries.values():
            at = f"{entry.account_id} {entry.currency} entry {entry.seq}"
            payment = books.payments.get((owned.segment, str(entry.reference)))
            if (words.STRIPE_CLEARING in entry.postings) and entry.source != STRIPE:
                yield at, f"clears with Stripe, and comes from {entry.source}"
            if entry.source != STRIPE:
                continue
            if payment is None or payment.account_id != entry.account_id:
                yield at, f"is of the payment {entry.reference}, which is not there"
            if entry.type in OF_DISPUTES:
                continue
            if entry.postings.get(words.STRIPE_CLEARING, 0) == 0:
                yield at, "comes from Stripe, and does not clear with it"


def disputes_stand(books: Books) -> Found:
    """What a dispute has frozen or taken is what its entries did, and never more than it may."""
    for place, owned in books.accounts.items():
        by_dispute: defaultdict[str, list[Entry]] = defaultdict(list)
        for entry in sorted(owned.entries.values(), key=lambda entry: (entry.currency, entry.seq)):
            if entry.type in OF_DISPUTES:
                by_dispute[str(entry.details.get("dispute_id"))].append(entry)
        for dispute_id in by_dispute.keys() - owned.disputes.keys():
            yield place, f"entries of {dispute_id}, which is not there"
        for dispute in owned.disputes.values():
            payment = books.payments.get((owned.segment, dispute.payment_id))
            found = (
                *_as_told(dispute, by_dispute[dispute.id]),
                *_within(dispute, payment),
            )
            yield from ((dispute.id, what) for what in found)


def _as_told(dispute: Dispute, told: list[Entry]) -> Iterable[str]:
    opened = [entry.id for entry in told if entry.type == words.DISPUTE_OPENED]
    closing = [entry for entry in told if entry.type != words.DISPUTE_OPENED]
    lost = [entry for entry in told if entry.type == words.DISPUTE_LOST]
    sums = (sum(map(held_delta, told)), -sum(map(own_delta, told)))
    if sums != (dispute.frozen_micros, dispute.taken_micros):
        frozen_and_taken = (dispute.frozen_micros, dispute.taken_micros)
        yield f"has frozen and taken {frozen_and_taken}, its entries say {sums}"
    if opened != [dispute.frozen_by] * bool(dispute.frozen_by) or opened != [
        entry.id for entry in told[: len(opened)]
    ]:
        yield f"was opened by {opened}, and names {dispute.frozen_by}"
    if (closing[-1].id if closing else "") != dispute.closed_by or len(lost) > 1:
        yield f"was closed by {[entry.id for entry in closing]}, and names {dispute.closed_by}"
    stages = [disputes.stage_of(str(entry.details.get("status"))) for entry in told]
    if stages[-1:] != [dispute.stage] or len(set(stages)) != len(stages):
        yield f"is {dispute.status}, its entries say {stages}"
    if any(entry.currency != dispute.currency for entry in told):
        yield "has entries in another currency"


def _within(dispute: Dispute, payment: Payment | None) -> Iterable[str]:
    is_open, is_lost = (dispute.stage == stage for stage in (disputes.OPEN, disputes.LOST))
    if not 0 <= dispute.frozen_micros <= (dispute.owed_micros if is_open else 0):
        yield f"is {dispute.status} with {dispute.frozen_micros} frozen"
    if dispute.taken_micros != (dispute.owed_micros if is_lost else 0):
        yield f"is {dispute.status}, and took {dispute.taken_micros} of {dispute.owed_micros}"
    if is_open != (dispute.closed_at is None):
        yield f"is {dispute.status}, closed at {dispute.closed_at}"
    if is_open != (dispute.due_at is not None):
        yield f"is {dispute.status}, due at {dispute.due_at}"
    if payment is None or payment.account_id != dispute.account_id or not payment.entry_id:
        yield f"is of the payment {dispute.payment_id}, which was not paid"
        return
    came_in_micros = 0 if payment.kind == INTENT else payment.received_micros
    if dispute.owed_micros != min(dispute.amount_micros, came_in_micros):
        yield f"{dispute.owed_micros} are owed of {dispute.amount_micros}"


def _by_payment(books: Books, types: tuple[str, ...]) -> defaultdict[Name, list[Entry]]:
    """The entries of these types that came from Stripe, by the payment that they name."""
    found: defaultdict[Name, list[Entry]] = defaultdict(list)
    for owned in books.accounts.values():
        for entry in owned.entries.values():
            if entry.source == STRIPE and entry.type in types:
                found[owned.segment, str(entry.reference)].append(entry)
    return found


def _by_refund(books: Books, type_: str) -> defaultdict[Name, list[Entry]]:
    found: defaultdict[Name, list[Entry]] = defaultdict(list)
    for (segment, _), some in _by_payment(books, (type_,)).items():
        for entry in some:
            found[segment, str(entry.details.get("refund_id"))].append(entry)
    return found


def _owner(books: Books, payment: Payment) -> Owned | None:
    return books.accounts.get(f"ORG#{payment.tenant.segment}#ACCT#{payment.account_id}")


CHECKS = (
    payments_credited_once,
    refunds_were_taken_once,
    refunds_of_payments_add_up,
    stripe_has_a_payment,
    disputes_stand,
)
