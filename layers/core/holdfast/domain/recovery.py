"""Whether an account is in a state of failed payments, and what gets it out of that."""

from dataclasses import dataclass
from typing import Literal

from holdfast.domain import recharge
from holdfast.domain.clock import Instant
from holdfast.domain.ledger import Wallet
from holdfast.domain.recharge import AutoRecharge, Verdict

type State = Literal["none", "action_required", "retrying", "blocked"]
type Action = Literal["update_payment_method", "complete_authentication", "add_funds"]

NONE: State = "none"
ACTION_REQUIRED: State = "action_required"
RETRYING: State = "retrying"
BLOCKED: State = "blocked"

UPDATE_PAYMENT_METHOD: Action = "update_payment_method"
COMPLETE_AUTHENTICATION: Action = "complete_authentication"
ADD_FUNDS: Action = "add_funds"

NEGATIVE_BALANCE = "negative_balance"
AUTO_RECHARGE_FAILED = "auto_recharge_failed"

_OF_DEBT = ("hold", "withdrawal")
_OF_RECHARGE = "auto_recharge"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovery:
    """The state, what brought it about, what cannot be done in it, and the action that ends it.

    `failed_id` is the attempt that failed last, if one did since the last success.
    """

    state: State = NONE
    reason: str | None = None
    failed_attempts: int = 0
    failed_id: str = ""
    failure_code: str | None = None
    decline_code: str | None = None
    failed_at: Instant | None = None
    next_retry_at: Instant | None = None
    blocked_actions: tuple[str, ...] = ()
    required_action: Action | None = None


def recovery(settings: AutoRecharge, wallet: Wallet, found: Verdict, *, now: Instant) -> Recovery:
    """The state of an account. `found` is whether its wallet would be recharged if it had to be.

    What only waits for a cap's window is no failure: nothing is wrong with how the account pays.
    """
    state, reason, action = _of_recharge(settings, found)
    in_debt = wallet.available_micros(now) < 0
    if in_debt and state == NONE:
        state, reason, action = ACTION_REQUIRED, NEGATIVE_BALANCE, ADD_FUNDS
    blocked = _OF_DEBT if in_debt else ()
    if found.reason in _STATES:
        blocked = (_OF_RECHARGE, *blocked)
    return Recovery(
        state=state,
        reason=reason,
        failed_attempts=settings.failures,
        failed_id=settings.failed_id,
        failure_code=settings.failure_code or None,
        decline_code=settings.decline_code or None,
        failed_at=settings.failed_at,
        next_retry_at=found.until if state == RETRYING else None,
        blocked_actions=blocked,
        required_action=action,
    )


_STATES: dict[str, tuple[State, Action]] = {
    recharge.NO_CARD: (BLOCKED, UPDATE_PAYMENT_METHOD),
    recharge.BLOCKED: (BLOCKED, UPDATE_PAYMENT_METHOD),
    recharge.DISPUTED: (BLOCKED, ADD_FUNDS),
    recharge.BACKING_OFF: (RETRYING, UPDATE_PAYMENT_METHOD),
    recharge.AUTHENTICATION: (ACTION_REQUIRED, COMPLETE_AUTHENTICATION),
}


def _of_recharge(settings: AutoRecharge, found: Verdict) -> tuple[State, str | None, Action | None]:
    if found.reason not in _STATES:
        return NONE, None, None
    state, action = _STATES[found.reason]
    if found.reason in (recharge.NO_CARD, recharge.DISPUTED, recharge.AUTHENTICATION):
        return state, found.reason, action
    return state, settings.failure_code or AUTO_RECHARGE_FAILED, action
