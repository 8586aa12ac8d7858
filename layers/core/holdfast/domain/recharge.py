"""Auto-recharge: a wallet with less to spend than a threshold is filled from a card on file.

One attempt at a time: the settings name the one that is in flight. What it charges closes the whole
shortfall: the amount that was agreed on, or as much more as brings the wallet up to the threshold.
Two caps, of the UTC day and the UTC month, bound what is charged without anybody there: where they
leave less than the shortfall, that much is charged; where they leave less than the amount that was
agreed on, nothing is until the window is over.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from holdfast.domain import money
from holdfast.domain.budgets import DAY, MONTH, period_of
from holdfast.domain.clock import DAY as A_DAY
from holdfast.domain.clock import Instant
from holdfast.domain.disputes import LOST, OPEN, Dispute
from holdfast.domain.ledger import Wallet
from holdfast.domain.payment_methods import Customer, PaymentMethod, in_order
from holdfast.domain.payments import require_between
from holdfast.domain.recharge_attempts import (
    Breaker,
    card_name,
)
from holdfast.errors import AccountClosed, PaymentMethodInUse

CURRENCY = "usd"
"""What wallets are recharged in."""

THRESHOLD_MIN_MICROS = 1_000_000
AMOUNT_MIN_MICROS = 5_000_000
AMOUNT_MAX_MICROS = 10_000_000_000
"""The most that may be agreed on, and that a threshold may be: ten thousand major units."""
DAILY_CAP_CHARGES = 4
MONTHLY_CAP_CHARGES = 20
"""The caps where nobody names any: so many times the amount."""

LOOK_AFTER = timedelta(minutes=5)
"""When an attempt that nobody heard of is looked after: long after its request was over."""

BELOW = "below_threshold"
ASKED = "asked_for"
ABOVE = "above_threshold"
OFF = "disabled"
IN_FLIGHT = "in_flight"
NO_CARD = "no_payment_method"
DISPUTED = "disputed"
AUTHENTICATION = "authentication_required"
BACKING_OFF = "backing_off"
BLOCKED = "card_blocked"
DAILY_CAP = "daily_cap"
MONTHLY_CAP = "monthly_cap"


@dataclass(frozen=True, slots=True, kw_only=True)
class AutoRecharge:
    """How a wallet is recharged, and how that goes.

    Without a `method_id` it is charged to the default card. `day_micros` and `month_micros` are
    what was charged, or is being charged, in the windows `day` and `month`. `attempt_id` is the one
    in flight; `held_by` is why nothing is charged though it should be, with `card`. `next_at` is
    when it is looked at again, None when only something new can change it. `failures` are those
    since the last success, the last of them `failed_id`. `paid_at` is when somebody last paid by
    card, and not this.
    """

    account_id: str
    currency: str = CURRENCY
    enabled: bool = False
    threshold_micros: int = 0
    amount_micros: int = 0
    daily_cap_micros: int = 0
    monthly_cap_micros: int = 0
    method_id: str = ""
    day: str = ""
    day_micros: int = 0
    month: str = ""
    month_micros: int = 0
    attempt_id: str = ""
    card: str = ""
    held_by: str = ""
    next_at: Instant | None = None
    failures: int = 0
    failed_id: str = ""
    failure_code: str = ""
    decline_code: str = ""
    failed_at: Instant | None = None
    paid_at: Instant | None = None
    version: int = 0


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a wallet is to be recharged: why, or why not, and by how much it is or would be.

    `until` is when what stands in the way is over by itself.
    """

    reason: str
    amount_micros: int = 0
    until: Instant | None = None

    @property
    def charges(self) -> bool:
        """Whether there is something to do."""
        return self.reason in (BELOW, ASKED)


def configured(
    settings: AutoRecharge,
    wallet: Wallet,
    *,
    threshold_micros: int,
    amount_micros: int,
    method_id: str = "",
    daily_cap_micros: int | None = None,
    monthly_cap_micros: int | None = None,
) -> tuple[AutoRecharge, Wallet]:
    """The settings switched on, and the wallet marked; each the same object if nothing changes.

    What was charged stays counted, and a breaker stays as it is: it is the card's.

    Raises:
        AccountClosed: The account is closed.
        InvalidField: The threshold, the amount or a cap is out of bounds.
    """
    if wallet.closed:
        raise AccountClosed()
    _require_bounds(threshold_micros, amount_micros, settings.currency)
    daily = DAILY_CAP_CHARGES * amount_micros if daily_cap_micros is None else daily_cap_micros
    monthly = (
        MONTHLY_CAP_CHARGES * amount_micros if monthly_cap_micros is None else monthly_cap_micros
    )
    _require_caps(amount_micros, daily, monthly, settings.currency)
    told = replace(
        settings,
        enabled=True,
        threshold_micros=threshold_micros,
        amount_micros=amount_micros,
        daily_cap_micros=daily,
        monthly_cap_micros=monthly,
        method_id=method_id,
    )
    if not told.attempt_id:
        told = replace(told, held_by="", next_at=None)
    return written(settings, told), marked(wallet, threshold_micros)


def disabled(settings: AutoRecharge, wallet: Wallet) -> tuple[AutoRecharge, Wallet]:
    """The settings switched off; an attempt in flight is still followed to its end."""
    told = replace(settings, enabled=False)
    if not told.attempt_id:
        told = replace(told, held_by="", next_at=None)
    return written(settings, told), marked(wallet, None)


def marked(wallet: Wallet, below_micros: int | None) -> Wallet:
    """The wallet that is looked at when there is less to spend in it; the same one, if it was."""
    if wallet.recharge_below_micros == below_micros:
        return wallet
    return replace(wallet, recharge_below_micros=below_micros, version=wallet.version + 1)


def card_to_charge(
    settings: AutoRecharge, customer: Customer, known: Iterable[PaymentMethod]
) -> PaymentMethod | None:
    """The card that is charged; None where it is gone, or there is none."""
    on_file = in_order(customer, known)
    if not settings.method_id:
        return next(iter(on_file), None)
    return next((each for each in on_file if each.id == settings.method_id), None)


def require_spare(
    settings: AutoRecharge, customer: Customer, known: Sequence[PaymentMethod], card_id: str
) -> None:
    """Nothing, if there is a card to charge without this one too, or nothing is charged.

    Raises:
        PaymentMethodInUse: It is the one that is charged, and no other takes its place.
    """
    others = [each for each in known if each.id != card_id]
    if not settings.enabled or card_to_charge(settings, customer, others) is not None:
        return
    if card_to_charge(settings, customer, known) is not None:
        raise PaymentMethodInUse()


def is_disputed(settings: AutoRecharge, disputes: Iterable[Dispute]) -> bool:
    """Whether the account may not be charged by itself, because a payment of it was taken back.

    So it is while a dispute is open, and once one was lost, until somebody pays by card again: the
    card may be stolen, and what a dispute takes out of the wallet is no reason to charge it.
    """
    for dispute in disputes:
        lost_at = dispute.closed_at or dispute.observed_at
        is_old = settings.paid_at is not None and settings.paid_at > lost_at
        if dispute.stage == OPEN or (dispute.stage == LOST and not is_old):
            return True
    return False


def verdict(
    settings: AutoRecharge,
    wallet: Wallet,
    card: PaymentMethod | None,
    breaker: Breaker | None,
    *,
    now: Instant,
    disputed: bool = False,
    asked: bool = False,
) -> Verdict:
    """Whether to recharge the wallet. `asked`: somebody wants to, whatever is left in it.

    `disputed` says that a payment of the account is, or was to its end.
    """
    if not settings.enabled or wallet.closed:
        return Verdict(OFF)
    missing_micros = settings.threshold_micros - wallet.available_micros(now)
    whole = money.minor_unit_micros(settings.currency)
    shortfall_micros = money.minor_ceil(missing_micros, settings.currency) * whole
    wanted_micros = max(settings.amount_micros, shortfall_micros)
    if settings.attempt_id:
        return Verdict(IN_FLIGHT, wanted_micros)
    if missing_micros <= 0 and not asked:
        return Verdict(ABOVE, wanted_micros)
    if card is None or breaker is None:
        return Verdict(NO_CARD, wanted_micros)
    if disputed:
        return Verdict(DISPUTED, wanted_micros)
    if settings.held_by == AUTHENTICATION and settings.card == card_name(card):
        return Verdict(AUTHENTICATION, wanted_micros)
    if breaker.is_off:
        return Verdict(BLOCKED, wanted_micros)
    if breaker.next_at is not None and now < breaker.next_at:
        return Verdict(BACKING_OFF, wanted_micros, breaker.next_at)
    return _within_caps(settings, wanted_micros, BELOW if missing_micros > 0 else ASKED, now)


def looked_after(settings: AutoRecharge, *, now: Instant) -> AutoRecharge:
    """The settings whose attempt is still in flight: the next look is later."""
    return replace(settings, next_at=now + LOOK_AFTER, version=settings.version + 1)


def charged_micros(settings: AutoRecharge, window: str, now: Instant) -> int:
    """What was charged in the window of `now`: that of a day, or of a month."""
    # Clocks of two environments may stand on two sides of midnight: time does not go back.
    if window == DAY:
        return settings.day_micros if settings.day >= period_of(DAY, now) else 0
    return settings.month_micros if settings.month >= period_of(MONTH, now) else 0


def counted(settings: AutoRecharge, amount_micros: int, *, now: Instant) -> AutoRecharge:
    """The settings by whose caps so much more was charged, or less. Its version is as it was."""
    return replace(
        settings,
        day=max(settings.day, period_of(DAY, now)),
        day_micros=charged_micros(settings, DAY, now) + amount_micros,
        month=max(settings.month, period_of(MONTH, now)),
        month_micros=charged_micros(settings, MONTH, now) + amount_micros,
    )


def written(before: AutoRecharge, after: AutoRecharge) -> AutoRecharge:
    """The settings as they are written; the same ones, if nothing changed in them."""
    return before if after == before else replace(after, version=before.version + 1)


def _within_caps(settings: AutoRecharge, wanted_micros: int, reason: str, now: Instant) -> Verdict:
    daily = settings.daily_cap_micros - charged_micros(settings, DAY, now)
    monthly = settings.monthly_cap_micros - charged_micros(settings, MONTH, now)
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    if monthly < settings.amount_micros:
        next_month = (midnight.replace(day=1) + 32 * A_DAY).replace(day=1)
        return Verdict(MONTHLY_CAP, wanted_micros, next_month)
    if daily < settings.amount_micros:
        return Verdict(DAILY_CAP, wanted_micros, midnight + A_DAY)
    return Verdict(reason, min(wanted_micros, daily, monthly))


def _require_bounds(threshold_micros: int, amount_micros: int, currency: str) -> None:
    for param, micros, least in (
        ("amount", amount_micros, AMOUNT_MIN_MICROS),
        ("threshold", threshold_micros, THRESHOLD_MIN_MICROS),
    ):
        require_between(
            micros,
            currency,
            minimum_micros=least,
            maximum_micros=AMOUNT_MAX_MICROS,
            param=param,
        )


def _require_caps(amount: int, daily: int, monthly: int, currency: str) -> None:
    most = MONTHLY_CAP_CHARGES * AMOUNT_MAX_MICROS
    for param, micros, least in (("daily_cap", daily, amount), ("monthly_cap", monthly, daily)):
        require_between(micros, currency, minimum_micros=least, maximum_micros=most, param=param)
