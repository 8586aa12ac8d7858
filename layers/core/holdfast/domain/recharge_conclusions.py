"""What becomes of an attempt to recharge, by the payment that it made.

News of a payment come late, twice and in any order, and a decline is not the end of it: whoever
confirms it later pays it after all. So a success is final here and nothing else is.
"""

from dataclasses import dataclass, replace

from holdfast.domain import payments
from holdfast.domain import recharge_attempts as attempts
from holdfast.domain.budgets import DAY, MONTH, period_of
from holdfast.domain.clock import Instant
from holdfast.domain.payments import Payment
from holdfast.domain.recharge import (
    AUTHENTICATION,
    BACKING_OFF,
    BLOCKED,
    AutoRecharge,
    counted,
    written,
)
from holdfast.domain.recharge_attempts import Attempt, AttemptStatus, Breaker

CANCELED = "canceled"


@dataclass(frozen=True, slots=True)
class Conclusion:
    """The records as they are once an attempt is over; those that nothing changed in are the same.

    `is_new` says whether anything did.
    """

    attempt: Attempt
    settings: AutoRecharge
    breaker: Breaker
    is_new: bool = True


def concluded(
    settings: AutoRecharge,
    attempt: Attempt,
    breaker: Breaker,
    payment: Payment,
    *,
    balance_after_micros: int | None,
    now: Instant,
    refused: str = "",
) -> Conclusion:
    """What a payment's state makes of its attempt. `balance_after_micros`: once it is credited.

    `refused` is why the provider would not hear of it, if it said so: that is a failure, too.

    Money that has come in counts when it is in the wallet: before that, the wallet is as low as it
    was, and another attempt would be one too many.
    """
    status = _status_of(payment)
    if status in (attempts.PENDING, attempt.status) or attempt.status == attempts.SUCCEEDED:
        return Conclusion(attempt, settings, breaker, is_new=False)
    failed = status != attempts.SUCCEEDED
    after = replace(
        attempt,
        status=status,
        balance_after_micros=balance_after_micros,
        payment_id=payment.id,
        payment_intent_id=payment.payment_intent_id,
        failure_code=(refused or _failure_code(payment)) if failed else "",
        decline_code=payment.decline_code if failed else "",
        updated_at=now,
        version=attempt.version + 1,
    )
    if not failed:
        paid_at = paid(payment)
        known = _well(settings, paid_at, attempt.id)
        breaker = attempts.cleared(breaker, paid_at)
    elif settings.attempt_id == attempt.id:
        if payment.failure_code == payments.NOT_SENT and not refused:
            breaker = attempts.taken_back(breaker, now)
        known = _failed(settings, after, breaker, now)
    else:
        known = settings
    known = _recounted(known, attempt, after, now)
    return Conclusion(after, written(settings, known), breaker)


def given_up(
    settings: AutoRecharge, attempt: Attempt, breaker: Breaker, *, now: Instant
) -> Conclusion:
    """An attempt that never came to a payment, and will not: nobody was asked for anything."""
    if settings.attempt_id != attempt.id or attempt.status != attempts.PENDING:
        return Conclusion(attempt, settings, breaker, is_new=False)
    after = replace(
        attempt,
        status=attempts.SKIPPED,
        failure_code=payments.NOT_SENT,
        updated_at=now,
        version=attempt.version + 1,
    )
    breaker = attempts.taken_back(breaker, now)
    known = _recounted(_over(settings, BACKING_OFF, breaker.next_at), attempt, after, now)
    return Conclusion(after, written(settings, known), breaker)


def recovered(settings: AutoRecharge, payment: Payment) -> AutoRecharge:
    """The settings of an account that was paid by card in another way; the same, if all was well.

    What stood in the way before is over; an attempt in flight still is one.
    """
    paid_at = paid(payment)
    told = _well(settings, paid_at)
    if settings.enabled and (settings.paid_at is None or settings.paid_at < paid_at):
        told = replace(told, paid_at=paid_at)
    return written(settings, told)


def paid(payment: Payment) -> Instant:
    """When a payment that went well did. Old news of it say nothing of what failed since."""
    return payment.settled_at or payment.updated_at


def _well(settings: AutoRecharge, paid_at: Instant, attempt_id: str = "") -> AutoRecharge:
    well = settings
    if settings.attempt_id and settings.attempt_id == attempt_id:
        well = replace(well, attempt_id="", held_by="", next_at=None)
    is_old = settings.failed_at is not None and settings.failed_at > paid_at
    if is_old and settings.failed_id != attempt_id:
        return well
    well = replace(well, failures=0, failed_id="", failure_code="", decline_code="", failed_at=None)
    return well if well.attempt_id else replace(well, held_by="", next_at=None)


def _failed(
    settings: AutoRecharge, attempt: Attempt, breaker: Breaker, now: Instant
) -> AutoRecharge:
    told = replace(
        settings,
        failures=settings.failures + 1,
        failed_id=attempt.id,
        failure_code=attempt.failure_code,
        decline_code=attempt.decline_code,
        failed_at=now,
    )
    if attempt.status == attempts.REQUIRES_ACTION:
        # The bank asks for a person: asking it once more without one gains nothing, and the person
        # may still confirm this one.
        return _over(told, AUTHENTICATION, None)
    if breaker.is_off:
        return _over(told, BLOCKED, None)
    return _over(told, BACKING_OFF, breaker.next_at)


def _over(settings: AutoRecharge, held_by: str, next_at: Instant | None) -> AutoRecharge:
    on = settings.enabled
    return replace(
        settings,
        attempt_id="",
        held_by=held_by if on else "",
        next_at=next_at if on else None,
    )


def _recounted(
    settings: AutoRecharge, before: Attempt, after: Attempt, now: Instant
) -> AutoRecharge:
    """The settings with the attempt counted against the caps if it charges, and not if not."""
    if before.counts == after.counts:
        return settings
    if after.counts:
        return counted(settings, after.amount_micros, now=now)
    since = after.created_at
    in_day = settings.day == period_of(DAY, since)
    in_month = settings.month == period_of(MONTH, since)
    return replace(
        settings,
        day_micros=settings.day_micros - after.amount_micros * in_day,
        month_micros=settings.month_micros - after.amount_micros * in_month,
    )


def _status_of(payment: Payment) -> AttemptStatus:
    match payment.status:
        case payments.SUCCEEDED:
            return attempts.SUCCEEDED if payment.entry_id else attempts.PENDING
        case payments.REQUIRES_ACTION:
            return attempts.REQUIRES_ACTION
        case payments.FAILED if payment.failure_code == AUTHENTICATION:
            return attempts.REQUIRES_ACTION
        case payments.FAILED | payments.CANCELED:
            return attempts.FAILED
    return attempts.PENDING


def _failure_code(payment: Payment) -> str:
    return payment.failure_code or (CANCELED if payment.status == payments.CANCELED else "")
