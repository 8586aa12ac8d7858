"""Auto-recharge on the billing surface: what was tried, if it would work, and what is wrong."""

from typing import Annotated, Literal

from aws_lambda_powertools.event_handler import Request
from aws_lambda_powertools.event_handler.depends import Depends

from holdfast.domain.recharge import BELOW
from holdfast.domain.recharge_attempts import Attempt
from holdfast.domain.recovery import Recovery
from holdfast.errors import IdempotencyKeyInvalid, InvalidCursor, InvalidField
from holdfast.http.cursors import decode_cursor, encode_cursor
from holdfast.http.fields import Body, Limit, Timestamp
from holdfast.http.incoming import incoming_of
from holdfast.http.principal import Caller, owner_named
from holdfast.http.routing import Router
from holdfast.http.views import Answer, Page, View, minor, page
from holdfast.http.writes import HEADER, Now, Write
from holdfast.providers import Stripe
from holdfast.runtime import Store
from holdfast.services import auto_recharge
from holdfast.services.auto_recharge import Status

router = Router()

AttemptStatus = Literal["pending", "succeeded", "failed", "requires_action", "skipped"]


class TryAutoRecharge(Body):
    dry_run: bool = True
    simulate: Literal["success", "card_declined", "requires_action"] | None = None


class AttemptView(View):
    attempt_id: str
    trigger: str
    status: str
    currency: str
    amount_cents: int
    balance_before_cents: int
    balance_after_cents: int | None
    reason: str
    payment_method_id: str | None
    payment_intent_id: str | None
    failure_code: str | None
    decline_code: str | None
    created_at: Timestamp


class TriedView(View):
    """`would_trigger` is about the wallet as it is; `attempt` is what was written down."""

    would_trigger: bool
    reason: str
    threshold_cents: int
    available_cents: int
    amount_cents: int
    payment_method_id: str | None
    attempt: AttemptView


class LastFailureView(View):
    code: str | None
    decline_code: str | None
    at: Timestamp


class RequiredActionView(View):
    type: str
    client_secret: str | None


class RecoveryView(View):
    state: str
    reason: str | None
    failed_attempts: int
    last_failure: LastFailureView | None
    next_retry_at: Timestamp | None
    blocked_actions: list[str]
    required_action: RequiredActionView | None


def has_key(request: Request) -> bool:
    """Whether the request names an idempotency key."""
    return HEADER in incoming_of(request).call.headers


HasKey = Annotated[bool, Depends(has_key)]


@router.get("/v1/billing/auto-recharge/attempts")
def list_attempts(
    caller: Caller,
    store: Store,
    status: AttemptStatus | None = None,
    limit: Annotated[int, Limit(100)] = 20,
    cursor: str | None = None,
) -> Page[AttemptView]:
    """The times that the caller's wallet was recharged by itself, or was to be, newest first."""
    owner = owner_named(caller, None)
    scope = f"attempts {owner.account_id} {status}"
    before = None if cursor is None else _place(decode_cursor(scope, cursor))
    found, next_id = auto_recharge.attempts(store, owner, status=status, before=before, limit=limit)
    next_cursor = None if next_id is None else encode_cursor(scope, next_id)
    return page([_attempt(each) for each in found], next_cursor)


@router.post("/v1/billing/auto-recharge/test")
def try_auto_recharge(
    body: TryAutoRecharge,
    caller: Caller,
    has_key: HasKey,
    once: Write,
    store: Store,
    stripes: Stripe,
) -> Answer[TriedView]:
    """See what auto-recharge would do. Only `dry_run: false`, under a key, charges anything."""
    owner = owner_named(caller, None)
    if body.dry_run:
        tried, replayed = auto_recharge.rehearse(store, owner, simulated=body.simulate, once=once)
        return Answer(_tried(tried), replayed=replayed)
    if body.simulate is not None:
        raise InvalidField("simulate", "only with dry_run")
    if not has_key:
        raise IdempotencyKeyInvalid
    tried, replayed = auto_recharge.try_out(store, stripes, owner, once=once)
    return Answer(_tried(tried), replayed=replayed)


@router.get("/v1/billing/recovery-status")
def read_recovery_status(caller: Caller, now: Now, store: Store, stripes: Stripe) -> RecoveryView:
    """Whether the caller's payments fail, and what gets the caller out of that."""
    found = auto_recharge.recovery_status(store, stripes, owner_named(caller, None), now=now)
    return _recovery(found)


def _place(position: str) -> str:
    if not position.startswith("att_") or "#" in position:
        raise InvalidCursor
    return position


def _attempt(attempt: Attempt) -> AttemptView:
    currency = attempt.currency
    after = attempt.balance_after_micros
    return AttemptView(
        attempt_id=attempt.id,
        trigger=attempt.trigger,
        status=attempt.status,
        currency=currency,
        amount_cents=minor(attempt.amount_micros, currency),
        balance_before_cents=minor(attempt.balance_before_micros, currency),
        balance_after_cents=None if after is None else minor(after, currency),
        reason=attempt.reason,
        payment_method_id=attempt.method_id or None,
        payment_intent_id=attempt.payment_intent_id or None,
        failure_code=attempt.failure_code or None,
        decline_code=attempt.decline_code or None,
        created_at=attempt.created_at,
    )


def _tried(attempt: Attempt) -> TriedView:
    currency = attempt.currency
    return TriedView(
        would_trigger=attempt.reason == BELOW,
        reason=attempt.reason,
        threshold_cents=minor(attempt.threshold_micros, currency),
        available_cents=minor(attempt.available_micros, currency),
        amount_cents=minor(attempt.amount_micros, currency),
        payment_method_id=attempt.method_id or None,
        attempt=_attempt(attempt),
    )


def _recovery(found: Status) -> RecoveryView:
    recovery: Recovery = found.recovery
    action = recovery.required_action
    return RecoveryView(
        state=recovery.state,
        reason=recovery.reason,
        failed_attempts=recovery.failed_attempts,
        last_failure=_failure(recovery),
        next_retry_at=recovery.next_retry_at,
        blocked_actions=list(recovery.blocked_actions),
        required_action=None
        if action is None
        else RequiredActionView(type=action, client_secret=found.client_secret),
    )


def _failure(recovery: Recovery) -> LastFailureView | None:
    if recovery.failed_at is None:
        return None
    return LastFailureView(
        code=recovery.failure_code, decline_code=recovery.decline_code, at=recovery.failed_at
    )
