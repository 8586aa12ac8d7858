"""What becomes of a payment by what Stripe says of it.

An observation is what Stripe said of the thing at some instant. Observations come late, twice and
in any order, from answers, events, pages and sweeps; the record becomes the same in every order:

* What is final at Stripe beats what is not, whenever it was seen.
* Of what is not final, the later observation beats the earlier one.

A decline is not final: Stripe lets the same intent be paid with another card, so `failed` becomes
`succeeded` where it does. Of a refund nothing but `pending` is not final, and a failure beats a
success: banks send back what they had taken.
"""

from dataclasses import replace
from datetime import timedelta

from holdfast.domain.clock import Instant, rfc3339
from holdfast.domain.payments import (
    CANCELED,
    CHECKOUT,
    FAILED,
    NOT_SENT,
    PENDING,
    REFUND,
    REQUIRES_ACTION,
    REQUIRES_CAPTURE,
    SUCCEEDED,
    SWEEP_AFTER,
    Observation,
    Payment,
    Status,
)
from holdfast.errors import HoldExceeded, InvariantBroken, PaymentState

_SWEEPS = (
    timedelta(minutes=2),
    timedelta(minutes=5),
    timedelta(minutes=15),
    timedelta(hours=1),
    timedelta(hours=6),
)

# What is not final follows time; of two at one instant the later in the row wins.
_ORDER: tuple[Status, ...] = (PENDING, FAILED, REQUIRES_ACTION, REQUIRES_CAPTURE)


def observed(payment: Payment, seen: Observation, *, now: Instant) -> Payment:
    """The payment with what Stripe said of it; the same one, if that is nothing new.

    Raises:
        InvariantBroken: It was said of another payment.
    """
    if payment.is_by_balance and seen.status == CANCELED:
        # What a card had been tried for is given up there before the wallet pays.
        return payment
    found = _named(payment, seen)
    if _weight(payment, seen) > _weight(payment, _known(payment)):
        found = replace(
            found,
            status=seen.status,
            # Of what is final it does not matter when it was seen.
            observed_at=None if seen.status in payment.finals else seen.at,
            received_micros=seen.received_micros,
            received_currency=seen.received_currency,
            charge_id=seen.charge_id,
            failure_code=seen.failure_code,
            decline_code=seen.decline_code,
        )
    if found == payment:
        return payment
    if replace(found, observed_at=payment.observed_at) == payment:
        # The same as before, only later: nobody has to look again for that any sooner.
        return replace(found, updated_at=now, version=payment.version + 1)
    return _written(found, now=now)


def opened(payment: Payment, session_id: str, url: str, *, now: Instant) -> Payment:
    """The payment with the page that it is made on; the same one, if it has it."""
    if payment.session_id:
        return payment
    return _written(replace(payment, session_id=session_id, session_url=url), now=now)


def fulfilled(payment: Payment, entry_id: str, *, now: Instant) -> Payment:
    """The payment whose money is in the ledger, by that entry; the same one, if it was.

    Raises:
        InvariantBroken: Its money is there by another entry, or did not come in.
    """
    assert entry_id
    if payment.entry_id == entry_id:
        return payment
    if payment.entry_id:
        raise InvariantBroken(f"{payment.id} would be in the ledger twice")
    if payment.kind == REFUND:
        return _written(replace(payment, entry_id=entry_id), now=now)
    if payment.status != SUCCEEDED:
        raise InvariantBroken(f"{payment.id} is {payment.status} and no money came in")
    return _written(replace(payment, entry_id=entry_id, settled_at=now), now=now)


def undone(payment: Payment, entry_id: str, *, now: Instant) -> Payment:
    """The refund that failed, and whose money is back in the wallet; the same one, if it was.

    Raises:
        InvariantBroken: It is back by another entry, or the refund did not fail.
    """
    assert entry_id
    if payment.undone_by == entry_id:
        return payment
    if payment.undone_by:
        raise InvariantBroken(f"{payment.id} would be undone twice")
    if not (payment.entry_id and payment.is_gone_wrong):
        raise InvariantBroken(f"{payment.id} is {payment.status} and nothing is to be undone")
    return _written(replace(payment, undone_by=entry_id), now=now)


def abandoned(payment: Payment, *, now: Instant) -> Payment:
    """The payment that Stripe knows nothing of, long after the last request was over.

    Should it be paid all the same, it is found by its own name, and credited.

    Raises:
        PaymentState: Stripe knows of it, or a request may still be on its way.
    """
    if payment.status == FAILED and payment.failure_code == NOT_SENT:
        return payment
    is_early = payment.due_at is None or now < payment.due_at
    if payment.status != PENDING or payment.reached_stripe or is_early:
        raise PaymentState(status=payment.status)
    return observed(payment, Observation(status=FAILED, at=now, failure_code=NOT_SENT), now=now)


def resent(payment: Payment, *, now: Instant) -> Payment:
    """The payment, about to be sent again: it is looked for once that request is over too.

    One that was given up waits again for what Stripe says: else nobody would look for it.
    """
    if payment.status != FAILED:
        return _written(payment, now=now)
    again = replace(payment, status=PENDING, observed_at=now, failure_code="", decline_code="")
    return _written(again, now=now)


def attempted(payment: Payment, payment_method_id: str, *, now: Instant) -> Payment:
    """The payment, about to be paid with that method.

    Raises:
        PaymentState: It is paid, was given up, or somebody is paying it right now.
    """
    waits = payment.attempts == 0 and payment.status == PENDING
    if not waits and payment.status != FAILED:
        raise PaymentState(status=payment.status)
    tried = replace(
        payment,
        status=PENDING,
        observed_at=now,
        failure_code="",
        decline_code="",
        payment_method_id=payment_method_id,
        attempts=payment.attempts + 1,
    )
    return _written(tried, now=now)


def capturing(payment: Payment, amount_micros: int | None, *, now: Instant) -> Payment:
    """The payment, about to be captured: so much of what a bank has set aside, or all of it.

    Raises:
        PaymentState: Nothing is set aside, or somebody is capturing it.
        HoldExceeded: More than was set aside.
    """
    if payment.status != REQUIRES_CAPTURE or payment.capture_micros:
        raise PaymentState(status=payment.status)
    asked_micros = payment.amount_micros if amount_micros is None else amount_micros
    if asked_micros > payment.amount_micros:
        raise HoldExceeded(
            asked_micros=asked_micros,
            remaining_micros=payment.amount_micros,
            currency=payment.currency,
        )
    return _written(replace(payment, capture_micros=asked_micros), now=now)


def refunded(payment: Payment, amount_micros: int, *, now: Instant) -> Payment:
    """The payment of which so much more is on its way back; less, where it comes back to us."""
    after = payment.refunded_micros + amount_micros
    assert after >= 0
    return replace(payment, refunded_micros=after, updated_at=now, version=payment.version + 1)


def swept(payment: Payment, *, now: Instant) -> Payment:
    """The payment that was looked at without anything new; each time the next look is later."""
    if payment.due_at is None:
        return payment
    wait = _SWEEPS[min(payment.sweeps, len(_SWEEPS) - 1)]
    return replace(
        payment,
        due_at=now + wait,
        sweeps=payment.sweeps + 1,
        updated_at=now,
        version=payment.version + 1,
    )


def _weight(payment: Payment, seen: Observation) -> tuple[int, str, int, tuple[str, ...], int]:
    """What makes one observation beat another: a total order, so that no order of them matters."""
    finals = payment.finals
    facts = (seen.received_currency, seen.charge_id, seen.failure_code, seen.decline_code)
    if seen.status in finals:
        return finals.index(seen.status) + 1, "", 0, facts, seen.received_micros
    return 0, rfc3339(seen.at), _ORDER.index(seen.status), facts, seen.received_micros


def _known(payment: Payment) -> Observation:
    return Observation(
        status=payment.status,
        at=payment.observed_at or payment.created_at,
        received_micros=payment.received_micros,
        received_currency=payment.received_currency,
        charge_id=payment.charge_id,
        failure_code=payment.failure_code,
        decline_code=payment.decline_code,
    )


def _named(payment: Payment, seen: Observation) -> Payment:
    """The payment with the names that Stripe gave to its things: even old news tell those."""
    names = {}
    for name in ("payment_intent_id", "session_id", "refund_id"):
        told, known = getattr(seen, name), getattr(payment, name)
        if told and known and told != known:
            raise InvariantBroken(f"{payment.id} is not what Stripe calls {told}")
        names[name] = known or told
    return replace(payment, **names)


def _is_settled(payment: Payment) -> bool:
    """Whether Stripe and the ledger say the same, and nothing is left to find out."""
    if payment.is_gone_wrong:
        return not payment.entry_id or bool(payment.undone_by)
    if payment.kind != REFUND and payment.status == SUCCEEDED:
        return bool(payment.entry_id)
    if payment.status == FAILED and payment.kind == CHECKOUT:
        # The page is still open, and whoever is there tries another card.
        return not payment.session_id
    return payment.final or payment.status == FAILED or not payment.attempts


def _written(payment: Payment, *, now: Instant) -> Payment:
    settled_at = payment.settled_at
    if payment.kind == REFUND and payment.status == SUCCEEDED:
        settled_at = settled_at or now
    return replace(
        payment,
        due_at=None if _is_settled(payment) else now + SWEEP_AFTER,
        sweeps=0,
        settled_at=settled_at,
        updated_at=now,
        version=payment.version + 1,
    )
