"""How an attempt to recharge begins: counted first, then made; or why it is not.

As long as something is in the way that is written down once, however often the wallet is met: a
wallet that is used a thousand times a day would otherwise leave a thousand attempts that were none.
"""

from dataclasses import replace

from holdfast.domain import recharge_attempts as attempts
from holdfast.domain.clock import Instant
from holdfast.domain.ledger import Change, Deed, Resolution, Unchanged, Wallet
from holdfast.domain.once import Once
from holdfast.domain.payment_methods import PaymentMethod
from holdfast.domain.recharge import (
    ABOVE,
    IN_FLIGHT,
    LOOK_AFTER,
    OFF,
    AutoRecharge,
    Verdict,
    counted,
    verdict,
    written,
)
from holdfast.domain.recharge_attempts import (
    ATTEMPT_PREFIX,
    Attempt,
    AttemptStatus,
    Breaker,
    Trigger,
    card_name,
)


def begin(
    settings: AutoRecharge,
    wallet: Wallet,
    card: PaymentMethod | None,
    breaker: Breaker | None,
    once: Once,
    *,
    trigger: Trigger,
    disputed: bool = False,
    asked: bool = False,
) -> Resolution:
    """An attempt to be made now, or one that is skipped for a reason that is new.

    `asked`: somebody wants it, whatever is left in the wallet, and is told why it is not made.
    """
    found = verdict(settings, wallet, card, breaker, now=once.now, disputed=disputed, asked=asked)
    if found.charges:
        assert breaker is not None
        attempt = attempted(settings, wallet, card, found, once, trigger=trigger)
        after = _in_flight(settings, attempt)
        changes = (
            Change(None, attempt),
            _change(settings, after),
            _change(breaker, attempts.counted(breaker, once.now)),
        )
        return Deed(attempt, changes)
    held = held_back(settings, found, card, now=once.now)
    written_down = (_change(settings, held),) if held is not settings else ()
    if asked or (written_down and found.reason not in (OFF, ABOVE)):
        skipped = attempted(
            settings, wallet, card, found, once, trigger=trigger, status=attempts.SKIPPED
        )
        return Deed(skipped, (Change(None, skipped), *written_down))
    return Deed(held, written_down) if written_down else Unchanged(settings)


def attempted(
    settings: AutoRecharge,
    wallet: Wallet,
    card: PaymentMethod | None,
    found: Verdict,
    once: Once,
    *,
    trigger: Trigger,
    status: AttemptStatus = attempts.PENDING,
) -> Attempt:
    """The attempt that a request makes, or does not make, as it is written first."""
    return Attempt(
        account_id=settings.account_id,
        id=once.sortable_id(ATTEMPT_PREFIX, settings.currency),
        trigger=trigger,
        status=status,
        currency=settings.currency,
        amount_micros=found.amount_micros,
        threshold_micros=settings.threshold_micros,
        available_micros=wallet.available_micros(once.now),
        balance_before_micros=wallet.balance_micros(once.now),
        reason=found.reason,
        method_id="" if card is None else card.id,
        card="" if card is None else card_name(card),
        created_at=once.now,
        updated_at=once.now,
        version=1,
    )


def held_back(
    settings: AutoRecharge, found: Verdict, card: PaymentMethod | None, *, now: Instant
) -> AutoRecharge:
    """The settings that know why nothing is charged; the same ones, if there is nothing new."""
    assert not found.charges
    if found.reason == IN_FLIGHT:
        return settings
    if found.reason in (OFF, ABOVE):
        is_due = settings.next_at is not None and settings.next_at <= now
        told = replace(settings, next_at=None, held_by="") if is_due else settings
    else:
        name = "" if card is None else card_name(card)
        told = replace(settings, held_by=found.reason, next_at=found.until, card=name)
    return written(settings, told)


def _in_flight(settings: AutoRecharge, attempt: Attempt) -> AutoRecharge:
    now = attempt.created_at
    told = replace(
        counted(settings, attempt.amount_micros, now=now),
        attempt_id=attempt.id,
        card=attempt.card,
        held_by="",
        next_at=now + LOOK_AFTER,
    )
    return written(settings, told)


def _change(before: AutoRecharge | Breaker, after: AutoRecharge | Breaker) -> Change:
    return Change(before if before.version else None, after)
