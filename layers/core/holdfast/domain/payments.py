"""Payments through Stripe: a record that is written before Stripe is asked, and what it is told.

What becomes of it is in `payment_states`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Literal

from holdfast.domain import money
from holdfast.domain.accounts import ID_LENGTH, Tenant
from holdfast.domain.clock import Instant
from holdfast.domain.entries import Json
from holdfast.domain.once import Once
from holdfast.errors import InvalidField

type Kind = Literal["topup", "checkout", "order", "auto_recharge", "intent", "refund"]
type Status = Literal[
    "pending", "requires_action", "requires_capture", "succeeded", "failed", "canceled"
]

PENDING: Status = "pending"
REQUIRES_ACTION: Status = "requires_action"
REQUIRES_CAPTURE: Status = "requires_capture"
SUCCEEDED: Status = "succeeded"
FAILED: Status = "failed"
CANCELED: Status = "canceled"

TOPUP: Kind = "topup"
CHECKOUT: Kind = "checkout"
ORDER: Kind = "order"
AUTO_RECHARGE: Kind = "auto_recharge"
INTENT: Kind = "intent"
REFUND: Kind = "refund"

BALANCE = "balance"
"""The payment method that is the wallet itself."""

NOT_SENT = "not_sent"
"""The failure of a payment that never reached Stripe."""

KEY_LIFE = timedelta(hours=23)
"""How long the same request under the same key surely has one effect at Stripe: it says a day."""

SWEEP_AFTER = timedelta(minutes=2)
"""When a payment without an answer is looked for: long after its request was over."""
GIVEN_UP_AFTER = timedelta(days=8)
"""When a payment that nobody went on with is canceled; a bank keeps money aside for seven days."""

_PREFIXES: Mapping[Kind, str] = {ORDER: "ord_", REFUND: "ref_"}
# What is final follows no time; of two of them the later in the row wins. Money that came in is
# never denied, and money that did not go back is never taken for gone.
_FINAL: tuple[Status, ...] = (CANCELED, SUCCEEDED)
_FINAL_OF_REFUND: tuple[Status, ...] = (SUCCEEDED, CANCELED, FAILED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """What Stripe said at `at`: of the state, and of what it calls the things of the payment.

    `received_micros` is what came in, of `received_currency`, or what went back.
    """

    status: Status
    at: Instant
    received_micros: int = 0
    received_currency: str = ""
    charge_id: str = ""
    failure_code: str = ""
    decline_code: str = ""
    payment_intent_id: str = ""
    session_id: str = ""
    refund_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    """An attempt to move money through Stripe, or to pay from the wallet (`BALANCE`).

    `surface` is where it was asked for, `customer_id` and `payment_method_id` what it was asked
    with; `refund_of` is the payment that a refund gives back. `entry_id` is the entry that credited
    the wallet, or debited it for a refund; `undone_by` gave the money of a failed refund back to
    the wallet. `due_at` is when a sweeper looks at it, None when there is nothing left to find out.
    `attempts` counts how often somebody went to pay: 0 waits to be confirmed. `bonus_micros` is
    what the house gives on top once the money is there, `refunded_micros` what is on its way back
    of it, or was given back. `capture_micros` is what somebody asked to take of what a bank has
    set aside. `settled_at` is when it came to the ledger, or back out of it.
    """

    id: str
    kind: Kind
    tenant: Tenant
    account_id: str
    amount_micros: int
    currency: str
    surface: str
    created_at: Instant
    updated_at: Instant
    status: Status = PENDING
    observed_at: Instant | None = None
    received_micros: int = 0
    received_currency: str = ""
    customer_id: str = ""
    payment_method_id: str = ""
    payment_intent_id: str = ""
    session_id: str = ""
    session_url: str = field(default="", repr=False)
    refund_id: str = ""
    refund_of: str = ""
    charge_id: str = ""
    failure_code: str = ""
    decline_code: str = ""
    entry_id: str = ""
    undone_by: str = ""
    due_at: Instant | None = None
    sweeps: int = 0
    attempts: int = 1
    off_session: bool = False
    save_card: bool = False
    captures_by_hand: bool = False
    capture_micros: int = 0
    plan_id: str = ""
    workspace_id: str = ""
    coupon_code: str = ""
    bonus_micros: int = 0
    refunded_micros: int = 0
    hold_id: str = ""
    details: Mapping[str, Json] = field(default_factory=dict, hash=False)
    settled_at: Instant | None = None
    version: int = 0

    @property
    def finals(self) -> tuple[Status, ...]:
        """The states that nothing follows, the weightiest last."""
        return _FINAL_OF_REFUND if self.kind == REFUND else _FINAL

    @property
    def is_gone_wrong(self) -> bool:
        """Whether it is a refund whose money did not get to the card."""
        return self.kind == REFUND and self.status in (FAILED, CANCELED)

    @property
    def final(self) -> bool:
        """Whether Stripe can say nothing new of it."""
        return self.status in self.finals

    @property
    def differs(self) -> bool:
        """Whether something else came in than was asked for."""
        asked = (self.amount_micros, self.currency)
        return self.status == SUCCEEDED and (self.received_micros, self.received_currency) != asked

    @property
    def reached_stripe(self) -> bool:
        """Whether Stripe is known to have it."""
        return bool(self.payment_intent_id or self.session_id or self.refund_id)

    @property
    def to_credit(self) -> bool:
        """Whether its money has come in and is not in the ledger yet."""
        return self.kind != REFUND and self.status == SUCCEEDED and not self.entry_id

    @property
    def to_undo(self) -> bool:
        """Whether it is a refund that did not happen, and whose money is out of the ledger."""
        return self.is_gone_wrong and bool(self.entry_id) and not self.undone_by

    @property
    def is_by_balance(self) -> bool:
        """Whether the wallet pays it."""
        return self.payment_method_id == BALANCE

    @property
    def refundable_micros(self) -> int:
        """What of it is not on its way back yet."""
        return self.received_micros - self.refunded_micros if self.entry_id else 0

    def may_repeat(self, now: Instant) -> bool:
        """Whether the same request under the same key is still sure to have one effect."""
        return now < self.created_at + KEY_LIFE


def new_id(once: Once, kind: Kind, currency: str) -> str:
    """The id of the payment that a request makes, the same at every delivery."""
    prefix = _PREFIXES.get(kind, "pay_")
    return once.sortable_id(prefix, currency, digest_length=ID_LENGTH)


def begin(
    once: Once,
    *,
    kind: Kind,
    account_id: str,
    amount_micros: int,
    currency: str,
    surface: str,
    is_sent: bool = True,
    **facts: Any,
) -> Payment:
    """The payment that a request makes, as it is written before Stripe is asked.

    `facts` are whatever else is known of it. One that is not `is_sent` waits to be confirmed.
    """
    assert amount_micros > 0
    payment = Payment(
        id=new_id(once, kind, currency),
        kind=kind,
        tenant=once.tenant,
        account_id=account_id,
        amount_micros=amount_micros,
        currency=currency,
        surface=surface,
        created_at=once.now,
        updated_at=once.now,
        attempts=int(is_sent),
        due_at=once.now + SWEEP_AFTER if is_sent else None,
        version=1,
        **facts,
    )
    assert (kind == REFUND) == bool(payment.refund_of)
    return payment


def require_between(
    amount_micros: int,
    currency: str,
    *,
    minimum_micros: int,
    maximum_micros: int,
    param: str = "amount",
) -> None:
    """Nothing, if the amount is within the limits of the surface, both included.

    Raises:
        InvalidField: It is not.
    """
    if amount_micros < minimum_micros:
        least = money.major_decimal(minimum_micros, currency)
        raise InvalidField(param, f"at least {least} {currency}")
    if amount_micros > maximum_micros:
        most = money.major_decimal(maximum_micros, currency)
        raise InvalidField(param, f"at most {most} {currency}")


def status_of_intent(status: str, *, failed: bool) -> Status:
    """Our word for the state of a payment intent; `failed` says that an attempt was declined."""
    match status:
        case "succeeded" | "canceled" | "requires_action" | "requires_capture":
            return status
        case "requires_payment_method" if failed:
            return FAILED
    return PENDING


def status_of_session(status: str | None, payment_status: str) -> Status:
    """Our word for the state of a checkout session."""
    if status == "complete" and payment_status != "unpaid":
        return SUCCEEDED
    return CANCELED if status == "expired" else PENDING


def status_of_refund(status: str) -> Status:
    """Our word for the state of a refund."""
    match status:
        case "succeeded" | "failed" | "canceled":
            return status
    return PENDING
