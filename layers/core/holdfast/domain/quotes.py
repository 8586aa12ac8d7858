"""Hardware quotes: what a job would cost, frozen for a quarter of an hour, and the hold for it.

A quote moves no money and does not fail for lack of it. It is no promise that the job will run.
"""

from dataclasses import dataclass, replace
from datetime import timedelta

from holdfast.domain import holds, money
from holdfast.domain.budgets import Budgets
from holdfast.domain.clock import Instant, rfc3339
from holdfast.domain.holds import Hold, Job
from holdfast.domain.ledger import Answered, Change, Decision, Journal, Wallet
from holdfast.domain.once import Once
from holdfast.errors import (
    AmountTooLarge,
    DeviceOffline,
    HoldExceeded,
    JobHeld,
    QuoteExpired,
    QuoteUsed,
    ReleaseDiffers,
)

QUOTE_LIFE = timedelta(minutes=15)
HOLD_LIFE = timedelta(hours=24)


@dataclass(frozen=True, slots=True, kw_only=True)
class DevicePrice:
    """What a device charges, in micros of a currency: per task, and per shot of each task."""

    provider: str
    device: str
    currency: str
    per_task_micros: int
    per_shot_micros: int
    online: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class LineItem:
    """One line of a quote: `quantity` times `unit_micros`."""

    type: str
    unit_micros: int
    quantity: int

    @property
    def amount_micros(self) -> int:
        """Unit price times quantity, exact."""
        return self.unit_micros * self.quantity


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """A price that holds until `expires_at`, for one job.

    `available_micros` is what the caller could spend when it was given, `entry_id` the entry that
    placed the hold for it.
    """

    id: str
    account_id: str
    provider: str
    device: str
    shots: int
    tasks: int
    currency: str
    line_items: tuple[LineItem, ...]
    available_micros: int
    created_at: Instant
    expires_at: Instant
    job_id: str | None = None
    used_by: str | None = None
    entry_id: str | None = None
    version: int = 0

    @property
    def subtotal_micros(self) -> int:
        """The sum of the lines, exact."""
        return sum(line.amount_micros for line in self.line_items)

    @property
    def total_micros(self) -> int:
        """The subtotal, rounded up to a minor unit: what a hold for the job sets aside."""
        unit_micros = money.minor_unit_micros(self.currency)
        return money.minor_ceil(self.subtotal_micros, self.currency) * unit_micros

    @property
    def shortfall_micros(self) -> int:
        """What the caller was short of for a hold of the total."""
        return max(0, self.total_micros - self.available_micros)


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldJob:
    """Which hold a job has, or had last."""

    job_id: str
    account_id: str
    hold_id: str
    version: int = 0


def quote_id(once: Once) -> str:
    """The id of the quote that a request makes, the same at every delivery."""
    return f"quote_{once.digest}"


def quote_job(
    price: DevicePrice, wallet: Wallet, once: Once, *, shots: int, tasks: int, job_id: str | None
) -> Quote:
    """The price of `tasks` tasks of `shots` shots each, frozen at `once.now`.

    Raises:
        DeviceOffline: The device takes no jobs.
        AmountTooLarge: The price is more than one operation can move.
    """
    if not price.online:
        raise DeviceOffline(device=price.device)
    quote = Quote(
        id=quote_id(once),
        account_id=wallet.account_id,
        provider=price.provider,
        device=price.device,
        shots=shots,
        tasks=tasks,
        currency=price.currency,
        line_items=(
            LineItem(type="task", unit_micros=price.per_task_micros, quantity=tasks),
            LineItem(type="shot", unit_micros=price.per_shot_micros, quantity=tasks * shots),
        ),
        available_micros=wallet.available_micros(once.now),
        created_at=once.now,
        expires_at=once.now + QUOTE_LIFE,
        job_id=job_id,
        version=1,
    )
    if quote.total_micros > money.AMOUNT_MICROS_MAX:
        raise AmountTooLarge(
            param="shots", amount_micros_max=money.AMOUNT_MICROS_MAX, currency=price.currency
        )
    return quote


def hold_quoted(
    wallet: Wallet,
    quote: Quote,
    held: HeldJob | None,
    prior: Hold | None,
    once: Once,
    *,
    job_id: str,
    hold_id: str,
    budgets: Budgets = (),
) -> Decision:
    """Set the quoted total aside for the job. The same job and quote again: the first answer.

    `held` is what is known of the job, `prior` the hold it names.

    Raises:
        QuoteUsed: The quote served another job.
        JobHeld: The job has an open hold, placed for another quote.
        QuoteExpired: The quote's time has passed.
        BudgetExceeded: The total would pass the cap of the caller's key.
        InsufficientFunds: Less than the total can be spent.
    """
    if quote.entry_id is not None:
        if quote.used_by != job_id:
            raise QuoteUsed(job_id=quote.used_by)
        return Answered(quote.entry_id)
    if held is not None and (prior is None or holds.as_of(prior, once.now).status == holds.OPEN):
        raise JobHeld(hold_id=held.hold_id)
    if quote.expires_at <= once.now:
        raise QuoteExpired(expires_at=rfc3339(quote.expires_at))
    hold = Hold(
        id=hold_id,
        account_id=wallet.account_id,
        currency=quote.currency,
        amount_micros=quote.total_micros,
        draws=(),
        expires_at=once.now + HOLD_LIFE,
        created_at=once.now,
        reference=job_id,
        scopes=once.caps,
        job=Job(
            job_id=job_id,
            quote_id=quote.id,
            provider=quote.provider,
            device=quote.device,
            shots=quote.shots,
        ),
    )
    journal = holds.place_hold(wallet, hold, once, budgets)
    used = replace(quote, used_by=job_id, entry_id=journal.entry.id, version=quote.version + 1)
    now_held = HeldJob(
        job_id=job_id,
        account_id=wallet.account_id,
        hold_id=hold_id,
        version=held.version + 1 if held else 1,
    )
    more = (Change(quote, used), Change(held, now_held))
    return Journal(journal.entry, journal.others, (*journal.changes, *more))


def job_status(hold: Hold) -> str:
    """How a job's hold is called on the hardware surface.

    `active`, `released`, `captured` (all of it), `partially_captured` or `expired`.
    """
    if hold.status == holds.OPEN:
        return "active"
    if hold.status != holds.CAPTURED:
        return hold.status
    return "captured" if hold.captured_micros >= hold.amount_micros else "partially_captured"


def release_job(
    wallet: Wallet,
    hold: Hold,
    once: Once,
    budgets: Budgets = (),
    *,
    capture_micros: int,
    reason: str | None,
) -> Decision:
    """Charge what the job really cost, and give the rest back. The same amount again: the same.

    Raises:
        ReleaseDiffers: The job was released before with another amount.
        HoldExceeded: The hold has less than that left.
    """
    if hold.status == holds.EXPIRED:
        assert hold.closed_by is not None
        return Answered(hold.closed_by)
    if hold.status != holds.OPEN:
        if hold.captured_last_micros != capture_micros:
            raise ReleaseDiffers(captured_micros=hold.captured_last_micros, currency=hold.currency)
        assert hold.closed_by is not None
        return Answered(hold.closed_by)
    if hold.due(once.now):
        return holds.expire_hold(wallet, hold, once, budgets)
    if capture_micros == 0:
        details = {"reason": reason} if reason else None
        return holds.release_hold(wallet, hold, once, budgets, details=details)
    if capture_micros > hold.remaining_micros:
        raise HoldExceeded(
            asked_micros=capture_micros,
            remaining_micros=hold.remaining_micros,
            currency=hold.currency,
        )
    return holds.capture_hold(wallet, hold, once, budgets, amount_micros=capture_micros, final=True)
