"""Attempts to recharge a wallet, and the breaker that ends them when a card is dead.

The breaker belongs to the card and not to an account: the same card is known by its fingerprint,
whoever saved it. An attempt is counted before the provider is asked, so that one which breaks in
the middle, or whose answer is lost, is counted too; a success counts all of them off.
"""

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Literal

from holdfast.domain.clock import Instant
from holdfast.domain.payment_methods import PaymentMethod

ATTEMPT_PREFIX = "att_"

type Trigger = Literal["threshold", "test", "manual"]
type AttemptStatus = Literal["pending", "succeeded", "failed", "requires_action", "skipped"]

THRESHOLD: Trigger = "threshold"
TEST: Trigger = "test"

PENDING: AttemptStatus = "pending"
SUCCEEDED: AttemptStatus = "succeeded"
FAILED: AttemptStatus = "failed"
REQUIRES_ACTION: AttemptStatus = "requires_action"
SKIPPED: AttemptStatus = "skipped"

WAITS = (timedelta(hours=1), timedelta(hours=6), timedelta(hours=24))
"""How long a card is left alone after the first attempt without a success, the second, the third.

After one more it is left alone for good.
"""
ATTEMPTS_MAX = len(WAITS) + 1
SOON = timedelta(minutes=5)
"""How long after an attempt that never got to the provider."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One time that a wallet was to be recharged: what came of it, or why it was not even tried.

    `reason` is why it was tried, or skipped. `card` is what the breaker knows the card by. A test
    that charges nothing is an attempt without a payment.
    """

    account_id: str
    id: str
    trigger: Trigger
    currency: str
    amount_micros: int
    threshold_micros: int
    available_micros: int
    balance_before_micros: int
    reason: str
    created_at: Instant
    updated_at: Instant
    status: AttemptStatus = PENDING
    balance_after_micros: int | None = None
    method_id: str = ""
    card: str = ""
    payment_id: str = ""
    payment_intent_id: str = ""
    failure_code: str = ""
    decline_code: str = ""
    version: int = 0

    @property
    def counts(self) -> bool:
        """Whether its amount counts against the caps: it was charged, or may be."""
        return self.status in (PENDING, SUCCEEDED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Breaker:
    """How often a card was charged by itself since that last went well, and when it may be again.

    `attempted_at` is when the last attempt was counted. `next_at` is None where the card may be
    charged at once; and where it may never be, which `is_off` tells.
    """

    card: str
    attempts: int = 0
    attempted_at: Instant | None = None
    next_at: Instant | None = None
    version: int = 0

    @property
    def is_off(self) -> bool:
        """Whether the card is left alone until somebody pays with it."""
        return self.attempts >= ATTEMPTS_MAX


def card_name(method: PaymentMethod) -> str:
    """What a breaker knows a card by: its fingerprint; its id, where the provider tells none."""
    return method.fingerprint or method.id


def counted(breaker: Breaker, now: Instant) -> Breaker:
    """The breaker with one more attempt, which is about to be made."""
    assert not breaker.is_off
    waits = breaker.attempts < len(WAITS)
    return replace(
        breaker,
        attempts=breaker.attempts + 1,
        attempted_at=now,
        next_at=now + WAITS[breaker.attempts] if waits else None,
        version=breaker.version + 1,
    )


def taken_back(breaker: Breaker, now: Instant) -> Breaker:
    """The breaker without its last attempt, which never got to the provider.

    That says nothing of the card; but whoever does not answer is not asked again at once either.
    """
    return replace(
        breaker,
        attempts=max(breaker.attempts - 1, 0),
        next_at=now + SOON,
        version=breaker.version + 1,
    )


def cleared(breaker: Breaker, paid_at: Instant) -> Breaker:
    """The breaker of a card that was charged well; the same one, if nothing was counted before."""
    is_news = breaker.attempted_at is None or breaker.attempted_at <= paid_at
    if not is_news or (breaker.attempts == 0 and breaker.next_at is None):
        return breaker
    return replace(breaker, attempts=0, next_at=None, version=breaker.version + 1)
