"""The audit of auto-recharge: which wallets are marked for it, and what its attempts charged."""

from collections import defaultdict

from holdfast.audit.books import Books, Found
from holdfast.domain import recharge_attempts as attempts
from holdfast.domain.ledger import Wallet
from holdfast.domain.payments import AUTO_RECHARGE
from holdfast.domain.recharge import AutoRecharge
from holdfast.domain.recharge_attempts import Attempt, Breaker


def marked_wallets_are_recharged(books: Books) -> Found:
    """A wallet is marked with the threshold of its account's settings, while they are on."""
    marks = {
        (key.pk, record.currency): record.recharge_below_micros
        for key, record in books.records.items()
        if isinstance(record, Wallet) and record.recharge_below_micros is not None
    }
    for key, record in books.records.items():
        if isinstance(record, AutoRecharge):
            marked = marks.pop((key.pk, record.currency), None)
            wanted = record.threshold_micros if record.enabled else None
            if marked != wanted:
                yield record.account_id, f"is marked with {marked}, its settings say {wanted}"
    for (place, _), marked in marks.items():
        yield place, f"is marked with {marked} and has no settings"


def attempts_are_followed(books: Books) -> Found:
    """An attempt that is pending is the one in flight, which somebody will look after."""
    pending: defaultdict[str, set[str]] = defaultdict(set)
    settings: dict[str, AutoRecharge] = {}
    for key, record in books.records.items():
        if isinstance(record, Attempt) and record.status == attempts.PENDING:
            pending[key.pk].add(record.id)
        elif isinstance(record, AutoRecharge):
            settings[key.pk] = record
        elif isinstance(record, Breaker) and not 0 <= record.attempts <= attempts.ATTEMPTS_MAX:
            yield record.card, f"was charged {record.attempts} times"
    for place, known in settings.items():
        in_flight = {known.attempt_id} - {""}
        if pending.pop(place, set()) != in_flight:
            yield known.account_id, f"in flight is {known.attempt_id or 'nothing'}, not what is"
        if in_flight and known.next_at is None:
            yield known.account_id, f"nobody will look after {known.attempt_id}"
    yield from ((place, "has an attempt in flight and no settings") for place in pending)


def attempts_have_one_payment(books: Books) -> Found:
    """A payment of auto-recharge is of one attempt, which says what came of it."""
    found = {
        (key.pk, record.id): record
        for key, record in books.records.items()
        if isinstance(record, Attempt)
    }
    paid: dict[str, str] = {}
    for (segment, _), payment in books.payments.items():
        if payment.kind != AUTO_RECHARGE:
            continue
        name = str(payment.details.get("attempt_id"))
        attempt = found.get((f"ORG#{segment}#ACCT#{payment.account_id}", name))
        if attempt is None or attempt.amount_micros != payment.amount_micros:
            yield payment.id, f"is of {name}, which is none or of another amount"
        elif attempt.payment_id not in ("", payment.id) or name in paid:
            yield payment.id, f"is of {name}, which is paid by {attempt.payment_id or paid[name]}"
        paid[name] = payment.id
    for attempt in found.values():
        if attempt.payment_id and paid.get(attempt.id) != attempt.payment_id:
            yield attempt.id, f"is paid by {attempt.payment_id}, which is none of it"


CHECKS = (marked_wallets_are_recharged, attempts_are_followed, attempts_have_one_payment)
