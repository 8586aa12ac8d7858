"""Settings, cards and breakers that the tests of auto-recharge start from. Amounts are majors."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from holdfast.domain.clock import Instant
from holdfast.domain.ledger import Deed, Record, Resolution, Wallet
from holdfast.domain.payment_methods import Customer, PaymentMethod
from holdfast.domain.payments import AUTO_RECHARGE, Payment
from holdfast.domain.recharge import AutoRecharge, configured
from holdfast.domain.recharge_attempts import THRESHOLD, Attempt, Breaker
from holdfast.domain.recharge_beginnings import begin
from tests.domain.samples import ACCOUNT_ID, NOW, TENANT, once, wallet

MAJOR = 1_000_000
DAY = timedelta(days=1)
NOBODY = Customer(account_id=ACCOUNT_ID, id="cus_1", default_method_id="pm_1", version=1)
UNTOLD = AutoRecharge(account_id=ACCOUNT_ID)
UNTOUCHED = Breaker(card="visa")


def card(name: str = "pm_1", fingerprint: str = "visa", *, removed: bool = False) -> PaymentMethod:
    return PaymentMethod(
        account_id=ACCOUNT_ID,
        id=name,
        brand="visa",
        last4="4242",
        exp_month=12,
        exp_year=2030,
        created_at=NOW,
        fingerprint=fingerprint,
        removed_at=NOW if removed else None,
        version=1,
    )


def having(majors: float) -> Wallet:
    """A wallet with so much plain cash."""
    return wallet(cash=round(majors * MAJOR))


def switched_on(threshold: int = 10, amount: int = 20, **caps: int) -> AutoRecharge:
    told: dict[str, Any] = {f"{name}_micros": majors * MAJOR for name, majors in caps.items()}
    settings, _ = configured(
        UNTOLD,
        having(0),
        threshold_micros=threshold * MAJOR,
        amount_micros=amount * MAJOR,
        **told,
    )
    return settings


def begun(
    settings: AutoRecharge,
    majors: float = 0,
    breaker: Breaker = UNTOUCHED,
    *,
    now: Instant = NOW,
    key: str = "attempt",
    asked: bool = False,
) -> Resolution:
    """What is written when a wallet with so much is met."""
    return begin(
        settings,
        having(majors),
        card(fingerprint=breaker.card),
        breaker,
        once(key, now=now),
        trigger=THRESHOLD,
        asked=asked,
    )


def written[T: Record](deed: Resolution, kind: type[T]) -> T:
    """The one record of a kind that a deed writes."""
    assert isinstance(deed, Deed)
    (found,) = [each.after for each in deed.changes if isinstance(each.after, kind)]
    return found


def in_flight(
    settings: AutoRecharge, breaker: Breaker = UNTOUCHED, **more: Any
) -> tuple[AutoRecharge, Attempt, Breaker]:
    """The three records once an attempt is about to be made."""
    deed = begun(settings, breaker=breaker, **more)
    return written(deed, AutoRecharge), written(deed, Attempt), written(deed, Breaker)


def payment(attempt: Attempt, status: str, **facts: Any) -> Payment:
    """The payment of an attempt, in a state; one that succeeded is credited, too."""
    known = Payment(
        id="pay_1",
        kind=AUTO_RECHARGE,
        tenant=TENANT,
        account_id=ACCOUNT_ID,
        amount_micros=attempt.amount_micros,
        currency="usd",
        surface="auto_recharge",
        created_at=attempt.created_at,
        updated_at=attempt.created_at,
        payment_intent_id="pi_1",
        version=2,
    )
    credited = {"entry_id": "ent_1", "settled_at": attempt.created_at}
    more = credited if status == "succeeded" else {}
    return replace(known, **{"status": status, **more, **facts})
