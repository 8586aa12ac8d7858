"""Payments through Stripe: a record that is written before Stripe is asked, and what it learns.

An observation is what Stripe said of the thing at some instant. Observations come late, twice and
in any order, from answers, events, pages and sweeps; the record becomes the same in every order:

* What is final at Stripe beats what is not, whenever it was seen.
* Of what is not final, the later observation beats the earlier one.

A decline is not final: Stripe lets the same intent be paid with another card, so `failed` becomes
`succeeded` where it does. Of a refund nothing but `pending` is not final, and a failure beats a
success: banks send back what they had taken.
"""

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Literal

from holdfast.domain import money
from holdfast.domain.accounts import ID_LENGTH, Tenant
from holdfast.domain.clock import Instant, rfc3339
from holdfast.domain.once import Once
from holdfast.errors import InvalidField, InvariantBroken, PaymentState

PAYMENT_PREFIX = "pay_"

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

NOT_SENT = "not_sent"
"""The failure of a payment that never reached Stripe."""

KEY_LIFE = timedelta(hours=23)
"""How long the same request under the same key surely has one effect at Stripe: it says a day."""

SWEEP_AFTER = timedelta(minutes=2)
_SWEEPS = (
    timedelta(minutes=2),
    timedelta(minutes=5),
    timedelta(minutes=15),
    timedelta(hours=1),
    timedelta(hours=6),
)

# A status that is none of these follows time; among them the later in the row wins. Money that
# came in is never denied, and money that did not go back is never taken for gone.
_FINAL: tuple[Status, ...] = (CANCELED, SUCCEEDED)
_FINAL_OF_REFUND: tuple[Status, ...] = (SUCCEEDED, CANCELED, FAILED)
_ORDER: tuple[Status, ...] = (PENDING, FAILED, REQUIRES_ACTION, REQUIRES_CAPTURE)


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
    """An attempt to move money through Stripe.

    `surface` is where it was asked for, `customer_id` and `payment_method_id` what it was asked
    with; `refund_of` is the payment that a refund gives back. `entry_id` is the entry that credited
    the wallet, or debited it for a refund; `undone_by` gave the money of a failed refund back to
    the wallet. `due_at` is when a sweeper looks at it, None when there is nothing left to find out.
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
    refund_id: str = ""
    refund_of: str = ""
    charge_id: str = ""
    failure_code: str = ""
    decline_code: str = ""
    entry_id: str = ""
    undone_by: str = ""
    due_at: Instant | None = None
    sweeps: int = 0
    version: int = 0

    @property
    def final(self) -> bool:
        """Whether Stripe can say nothing new of it."""
        return self.status in _finals(self)

    @property
    def differs(self) -> bool:
        """Whether something else came in than was asked for."""
        asked = (self.amount_micros, self.currency)
        return self.status == SUCCEEDED and (self.received_micros, self.received_currency) != asked

    @property
    def reached_stripe(self) -> bool:
        """Whether Stripe is known to have it."""
        return bool(self.payment_intent_id or self.session_id or self.refund_id)

    def may_repeat(self, now: Instant) -> bool:
        """Whether the same request under the same key is still sure to have one effect."""
        return now < self.created_at + KEY_LIFE


def new_id(once: Once, currency: str) -> str:
    """The id of the payment that a request makes, the same at every delivery."""
    return once.sortable_id(PAYMENT_PREFIX, currency, digest_length=ID_LENGTH)


def begin(
    once: Once,
    *,
    kind: Kind,
    account_id: str,
    amount_micros: int,
    currency: str,
    surface: str,
    customer_id: str = "",
    payment_method_id: str = "",
    refund_of: str = "",
) -> Payment:
    """The payment that a request makes, as it is written before Stripe is asked."""
    assert amount_micros > 0
    assert (kind == "refund") == bool(refund_of)
    return Payment(
        id=new_id(once, currency),
        kind=kind,
        tenant=once.tenant,
        account_id=account_id,
        amount_micros=amount_micros,
        currency=currency,
        surface=surface,
        created_at=once.now,
        updated_at=once.now,
        customer_id=customer_id,
        payment_method_id=payment_method_id,
        refund_of=refund_of,
        due_at=once.now + SWEEP_AFTER,
        version=1,
    )


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


def observed(payment: Payment, seen: Observation, *, now: Instant) -> Payment:
    """The payment with what Stripe said of it; the same one, if that is nothing new.

    Raises:
        InvariantBroken: It was said of another payment.
    """
    found = _named(payment, seen)
    if _weight(payment, seen) > _weight(payment, _known(payment)):
        found = replace(
            found,
            status=seen.status,
            # Of what is final it does not matter when it was seen.
            observed_at=None if seen.status in _finals(payment) else seen.at,
            received_micros=seen.received_micros,
            received_currency=seen.received_currency,
            charge_id=seen.charge_id,
            failure_code=seen.failure_code,
            decline_code=seen.decline_code,
        )
    if found == payment:
        return payment
    return _written(found, now=now)


def fulfilled(payment: Payment, entry_id: str, *, now: Instant) -> Payment:
    """The payment whose money is in the ledger, by that entry; the same one, if it was.

    Raises:
        InvariantBroken: Its money is there by another entry, or did not come in.
    """
    assert entry_id
    if payment.entry_id == entry_id:
        return payment
    if payment.entry_id:
        raise InvariantBroken(f"{payment.id} would be in the ledger twice")
    if payment.kind != "refund" and payment.status != SUCCEEDED:
        raise InvariantBroken(f"{payment.id} is {payment.status} and no money came in")
    return _written(replace(payment, entry_id=entry_id), now=now)


def undone(payment: Payment, entry_id: str, *, now: Instant) -> Payment:
    """The refund that failed, and whose money is back in the wallet; the same one, if it was.

    Raises:
        InvariantBroken: It is back by another entry, or the refund did not fail.
    """
    assert entry_id
    if payment.undone_by == entry_id:
        return payment
    if payment.undone_by:
        raise InvariantBroken(f"{payment.id} would be undone twice")
    if not (payment.entry_id and _is_to_undo(payment)):
        raise InvariantBroken(f"{payment.id} is {payment.status} and nothing is to be undone")
    return _written(replace(payment, undone_by=entry_id), now=now)


def abandoned(payment: Payment, *, now: Instant) -> Payment:
    """The payment that Stripe knows nothing of, and that is too old to be sent again.

    Raises:
        PaymentState: Stripe knows of it, or it can still be sent.
    """
    if payment.status == FAILED and payment.failure_code == NOT_SENT:
        return payment
    if payment.status != PENDING or payment.reached_stripe or payment.may_repeat(now):
        raise PaymentState(status=payment.status)
    return observed(payment, Observation(status=FAILED, at=now, failure_code=NOT_SENT), now=now)


def swept(payment: Payment, *, now: Instant) -> Payment:
    """The payment that was looked at without anything new; each time the next look is later."""
    if payment.due_at is None:
        return payment
    wait = _SWEEPS[min(payment.sweeps, len(_SWEEPS) - 1)]
    return replace(
        payment,
        due_at=now + wait,
        sweeps=payment.sweeps + 1,
        updated_at=now,
        version=payment.version + 1,
    )


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


def _finals(payment: Payment) -> tuple[Status, ...]:
    return _FINAL_OF_REFUND if payment.kind == "refund" else _FINAL


def _weight(payment: Payment, seen: Observation) -> tuple[int, str, int, tuple[str, ...], int]:
    """What makes one observation beat another: a total order, so that no order of them matters."""
    finals = _finals(payment)
    facts = (seen.received_currency, seen.charge_id, seen.failure_code, seen.decline_code)
    if seen.status in finals:
        return finals.index(seen.status) + 1, "", 0, facts, seen.received_micros
    return 0, rfc3339(seen.at), _ORDER.index(seen.status), facts, seen.received_micros


def _known(payment: Payment) -> Observation:
    return Observation(
        status=payment.status,
        at=payment.observed_at or payment.created_at,
        received_micros=payment.received_micros,
        received_currency=payment.received_currency,
        charge_id=payment.charge_id,
        failure_code=payment.failure_code,
        decline_code=payment.decline_code,
    )


def _named(payment: Payment, seen: Observation) -> Payment:
    """The payment with the names that Stripe gave to its things: even old news tell those."""
    names = {}
    for name in ("payment_intent_id", "session_id", "refund_id"):
        told, known = getattr(seen, name), getattr(payment, name)
        if told and known and told != known:
            raise InvariantBroken(f"{payment.id} is not what Stripe calls {told}")
        names[name] = known or told
    return replace(payment, **names)


def _is_to_undo(payment: Payment) -> bool:
    return payment.kind == "refund" and payment.status in (FAILED, CANCELED)


def _is_settled(payment: Payment) -> bool:
    """Whether Stripe and the ledger say the same, and nothing is left to find out."""
    if _is_to_undo(payment):
        return not payment.entry_id or bool(payment.undone_by)
    if payment.kind != "refund" and payment.status == SUCCEEDED:
        return bool(payment.entry_id)
    return payment.final or payment.status == FAILED


def _written(payment: Payment, *, now: Instant) -> Payment:
    return replace(
        payment,
        due_at=None if _is_settled(payment) else now + SWEEP_AFTER,
        sweeps=0,
        updated_at=now,
        version=payment.version + 1,
    )
