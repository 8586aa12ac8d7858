"""Hardware jobs on the billing surface: quote, hold what was quoted, release with what it cost."""

from http import HTTPStatus
from typing import Annotated, Literal

from pydantic import Field

from holdfast.domain import money
from holdfast.domain.holds import Hold
from holdfast.domain.quotes import Quote, job_status
from holdfast.errors import InvalidField
from holdfast.http.cursors import decode_cursor, encode_cursor
from holdfast.http.fields import (
    Body,
    Identifier,
    Limit,
    PathId,
    RequestKey,
    Timestamp,
    amount_is,
    amount_micros,
    text,
)
from holdfast.http.principal import Caller, owner_named
from holdfast.http.routing import Router
from holdfast.http.views import Answer, Maybe, Page, View, amounts, minor, minor_decimal, page
from holdfast.http.writes import KeyedWrite, Now
from holdfast.runtime import Store
from holdfast.services import quotes
from holdfast.store.ledger_store import Committed

router = Router()

JobStatus = Literal["active", "released", "captured", "partially_captured", "expired"]


class Circuit(Body):
    qubits: Annotated[int, Field(ge=1, le=100_000)] | None = None
    depth: Annotated[int, Field(ge=1, le=100_000_000)] | None = None


class AskQuote(Body):
    provider: Annotated[str, text(64)]
    device: Annotated[str, text(200)]
    shots: Annotated[int, Field(ge=1, le=10_000_000)]
    tasks: Annotated[int, Field(ge=1, le=100_000)] = 1
    circuit: Circuit | None = None
    job_id: Identifier | None = None
    idempotency_key: RequestKey | None = None


class HoldJob(Body):
    quote_id: Identifier
    job_id: Identifier | None = None
    idempotency_key: RequestKey | None = None


class ReleaseJob(Body):
    reason: Literal["completed", "cancelled", "failed"] | None = None
    capture_cents: Annotated[int, Field(ge=0)] | None = None
    actual_cents: Annotated[int, Field(ge=0)] | None = None
    idempotency_key: RequestKey | None = None


class LineItemView(View):
    type: str
    unit_price: str
    quantity: int
    amount: str


class FundsView(View):
    available_cents: int
    available_cents_decimal: Maybe[str] = None
    sufficient: bool
    shortfall_cents: int
    shortfall_cents_decimal: Maybe[str] = None


class JobWalletView(View):
    balance_cents: int
    balance_cents_decimal: Maybe[str] = None
    held_cents: int
    held_cents_decimal: Maybe[str] = None
    available_cents: int
    available_cents_decimal: Maybe[str] = None


class QuoteView(View):
    quote_id: str
    job_id: str | None
    provider: str
    device: str
    shots: int
    tasks: int
    currency: str
    line_items: list[LineItemView]
    subtotal_cents: int
    subtotal_cents_decimal: Maybe[str]
    total_cents: int
    hold_required: bool
    hold_amount_cents: int
    wallet: FundsView
    execution_guaranteed: bool
    expires_at: Timestamp
    created_at: Timestamp


class JobHoldView(View):
    hold_id: str
    job_id: str
    quote_id: str
    status: str
    amount_cents: int
    currency: str
    expires_at: Timestamp
    wallet: JobWalletView


class ReleasedView(View):
    job_id: str
    hold_id: str
    status: str
    captured_cents: int
    captured_cents_decimal: Maybe[str] = None
    released_cents: int
    released_cents_decimal: Maybe[str] = None
    wallet: JobWalletView


class JobView(View):
    job_id: str
    hold_id: str
    provider: str
    device: str
    shots: int
    status: str
    quote_id: str
    quoted_cents: int
    held_cents: int
    held_cents_decimal: Maybe[str] = None
    charged_cents: int
    charged_cents_decimal: Maybe[str] = None
    released_cents: int
    released_cents_decimal: Maybe[str] = None
    created_at: Timestamp
    updated_at: Timestamp


@router.post("/v1/billing/hardware/quote", status_code=HTTPStatus.CREATED)
def quote_job(body: AskQuote, caller: Caller, keyed: KeyedWrite, store: Store) -> Answer[QuoteView]:
    """Price a job. Moves no money, and promises no execution."""
    quoted = quotes.quote_job(
        store,
        owner_named(caller, None),
        provider=body.provider,
        device=body.device,
        shots=body.shots,
        tasks=body.tasks,
        job_id=body.job_id,
        once=keyed(body.idempotency_key),
    )
    return Answer(_quote(quoted.record), replayed=quoted.replayed)


@router.post("/v1/billing/hardware/hold", status_code=HTTPStatus.CREATED)
def hold_job(body: HoldJob, caller: Caller, keyed: KeyedWrite, store: Store) -> Answer[JobHoldView]:
    """Set a quoted amount aside for a job. The same job and quote again: the same hold, 200."""
    once = keyed(body.idempotency_key)
    held = quotes.hold_quoted(
        store, owner_named(caller, None), quote_id=body.quote_id, job_id=body.job_id, once=once
    )
    placed_now = held.replayed or held.entry.id.endswith(once.digest)
    status = HTTPStatus.CREATED if placed_now else HTTPStatus.OK
    return Answer(_held(held), replayed=held.replayed, status=status)


@router.post("/v1/billing/hardware/hold/{job_id}/release")
def release_job(
    job_id: PathId, body: ReleaseJob, caller: Caller, keyed: KeyedWrite, store: Store
) -> Answer[ReleasedView]:
    """Charge what a job really cost, and give back the rest of its hold."""
    if body.capture_cents is not None and body.actual_cents is not None:
        raise InvalidField("actual_cents", "give this or capture_cents, not both")
    param = "capture_cents" if body.actual_cents is None else "actual_cents"
    cents = body.capture_cents if body.actual_cents is None else body.actual_cents
    with amount_is(param):
        released = quotes.release_job(
            store,
            owner_named(caller, None),
            job_id=job_id,
            capture_micros=amount_micros(cents or 0, None, "usd", zero=True),
            reason=body.reason,
            once=keyed(body.idempotency_key),
        )
    return Answer(_released(released), replayed=released.replayed)


@router.get("/v1/billing/jobs")
def list_jobs(
    caller: Caller,
    now: Now,
    store: Store,
    status: JobStatus | None = None,
    limit: Annotated[int, Limit(100)] = 20,
    cursor: str | None = None,
) -> Page[JobView]:
    """The caller's hardware jobs as billing sees them, newest first."""
    owner = owner_named(caller, None)
    scope = f"jobs {owner.account_id} {status}"
    before = None if cursor is None else decode_cursor(scope, cursor)
    found = quotes.jobs(store, owner, status=status, before=before, limit=limit, now=now)
    next_cursor = None if found.next_id is None else encode_cursor(scope, found.next_id)
    return page([_job(hold) for hold in found.holds], next_cursor)


def _quote(quote: Quote) -> QuoteView:
    currency = quote.currency
    return QuoteView(
        quote_id=quote.id,
        job_id=quote.job_id,
        provider=quote.provider,
        device=quote.device,
        shots=quote.shots,
        tasks=quote.tasks,
        currency=currency,
        line_items=[
            LineItemView(
                type=line.type,
                unit_price=money.minor_decimal(line.unit_micros, currency),
                quantity=line.quantity,
                amount=money.minor_decimal(line.amount_micros, currency),
            )
            for line in quote.line_items
        ],
        **amounts(currency, subtotal_cents=quote.subtotal_micros),
        total_cents=minor(quote.total_micros, currency),
        hold_required=True,
        hold_amount_cents=minor(quote.total_micros, currency),
        wallet=FundsView(
            **amounts(currency, available_cents=quote.available_micros),
            sufficient=quote.shortfall_micros == 0,
            shortfall_cents=money.minor_ceil(quote.shortfall_micros, currency),
            shortfall_cents_decimal=minor_decimal(quote.shortfall_micros, currency),
        ),
        execution_guaranteed=False,
        expires_at=quote.expires_at,
        created_at=quote.created_at,
    )


def _held(committed: Committed) -> JobHoldView:
    hold = committed.entry.hold
    assert hold is not None
    assert hold.job is not None
    return JobHoldView(
        hold_id=hold.id,
        job_id=hold.job.job_id,
        quote_id=hold.job.quote_id,
        status=job_status(hold),
        amount_cents=minor(hold.amount_micros, hold.currency),
        currency=hold.currency,
        expires_at=hold.expires_at,
        wallet=_wallet(committed),
    )


def _released(committed: Committed) -> ReleasedView:
    hold = committed.entry.hold
    assert hold is not None
    assert hold.job is not None
    return ReleasedView(
        job_id=hold.job.job_id,
        hold_id=hold.id,
        status=job_status(hold),
        **amounts(
            hold.currency,
            captured_cents=hold.captured_micros,
            released_cents=hold.released_micros,
        ),
        wallet=_wallet(committed),
    )


def _wallet(committed: Committed) -> JobWalletView:
    entry = committed.entry
    return JobWalletView(
        **amounts(
            entry.currency,
            balance_cents=entry.balance_micros,
            held_cents=entry.held_after_micros,
            available_cents=entry.available_micros,
        )
    )


def _job(hold: Hold) -> JobView:
    assert hold.job is not None
    currency = hold.currency
    return JobView(
        job_id=hold.job.job_id,
        hold_id=hold.id,
        provider=hold.job.provider,
        device=hold.job.device,
        shots=hold.job.shots,
        status=job_status(hold),
        quote_id=hold.job.quote_id,
        quoted_cents=minor(hold.amount_micros, currency),
        **amounts(
            currency,
            held_cents=hold.remaining_micros,
            charged_cents=hold.captured_micros,
            released_cents=hold.released_micros,
        ),
        created_at=hold.created_at,
        updated_at=hold.updated_at or hold.created_at,
    )
