"""What Stripe tells, as values of our own: no object of the SDK leaves this package.

Of a card there is what a person knows it by, and Stripe's fingerprint of it. What a browser may
finish a payment or enter a portal with is left out of every representation.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from holdfast.domain.clock import Instant

GENERIC_DECLINE = "generic_decline"

# Whoever tries a card that is not theirs must not learn that its owner has noticed.
_NOT_TOLD = frozenset(
    {"fraudulent", "lost_card", "merchant_blacklist", "pickup_card", "stolen_card"}
)
_MESSAGES = {
    "authentication_required": "The owner of the card has to confirm the payment.",
    "card_velocity_exceeded": "The card has reached a limit.",
    "expired_card": "The card has expired.",
    "incorrect_cvc": "The security code of the card is wrong.",
    "insufficient_funds": "The card has not enough funds.",
    "processing_error": "The card could not be processed. Try again.",
}


def told_decline(code: str | None) -> str | None:
    """A decline code as the caller may see it."""
    return GENERIC_DECLINE if code in _NOT_TOLD else code


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why the last attempt to pay failed: Stripe's words for it, and a sentence of our own."""

    code: str | None
    decline_code: str | None

    @property
    def message(self) -> str:
        """A sentence that any caller may read."""
        for code in (self.decline_code, self.code):
            if code in _MESSAGES:
                return _MESSAGES[code]
        return "The card was declined."


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerRef:
    """A customer: whom cards are saved for."""

    id: str
    email: str | None
    name: str | None
    default_card_id: str | None
    metadata: Mapping[str, str]
    created: Instant
    livemode: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedCard:
    """A card by what it is known by, never its number."""

    id: str
    brand: str
    last4: str
    exp_month: int
    exp_year: int
    fingerprint: str | None
    customer_id: str | None
    created: Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class SetupIntent:
    """Saving a card: `succeeded` once the card may be charged."""

    id: str
    status: str
    usage: str
    client_secret: str | None = field(repr=False)
    customer_id: str | None
    payment_method_id: str | None
    last_error: Failure | None
    metadata: Mapping[str, str]
    created: Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentIntent:
    """A payment. `requires_action` asks the owner of the card to confirm: a state, no error."""

    id: str
    status: str
    amount_micros: int
    amount_received_micros: int
    amount_capturable_micros: int
    currency: str
    capture_method: str
    client_secret: str | None = field(repr=False)
    customer_id: str | None
    payment_method_id: str | None
    charge_id: str | None
    last_error: Failure | None
    metadata: Mapping[str, str]
    created: Instant
    livemode: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Refund:
    """Money on its way back: `pending`, `requires_action`, `succeeded`, `failed`, `canceled`.

    Without a line in the balance nothing went back: Stripe also calls that a refund which it never
    took, where less was captured than a bank had set aside.
    """

    id: str
    status: str
    amount_micros: int
    currency: str
    payment_intent_id: str | None
    charge_id: str | None
    reason: str | None
    failure_reason: str | None
    balance_line_id: str | None
    metadata: Mapping[str, str]
    created: Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckoutSession:
    """A page of Stripe's where a person pays or saves a card.

    `status` is `open`, `complete` or `expired`; a complete one may still wait for its money, which
    `payment_status` tells (`paid`, `unpaid`, `no_payment_required`).
    """

    id: str
    url: str | None = field(repr=False)
    mode: str
    status: str | None
    payment_status: str
    amount_total_micros: int | None
    currency: str | None
    payment_intent_id: str | None
    setup_intent_id: str | None
    customer_id: str | None
    metadata: Mapping[str, str]
    created: Instant
    expires_at: Instant
    livemode: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PortalSession:
    """A page of Stripe's where a person looks after their cards."""

    url: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispute:
    """A payment that the owner of the card takes back through their bank."""

    id: str
    status: str
    reason: str
    amount_micros: int
    currency: str
    payment_intent_id: str | None
    charge_id: str | None
    evidence_due_at: Instant | None
    created: Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """What a line of the balance is about, in the currency that the customer sees.

    `kind` is Stripe's word for it (`charge`, `refund`, `dispute`). Of a charge the amount is what
    was captured. Of anything that is no part of a payment there is only what it is.
    """

    id: str
    kind: str
    amount_micros: int = 0
    currency: str = ""
    payment_intent_id: str | None = None
    charge_id: str | None = None
    customer_id: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    created: Instant | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BalanceTransaction:
    """A line of the Stripe balance, in the currency that Stripe settles in. Signed.

    `category` is the type as reports know it: a dispute is an `adjustment` by its type.
    """

    id: str
    type: str
    category: str
    amount_micros: int
    fee_micros: int
    net_micros: int
    currency: str
    source: Source | None
    created: Instant
    available_on: Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """That something happened to an object: a hint to fetch it, never its state.

    `customer_id` is the customer whom the object belongs to, or belonged to before.
    """

    id: str
    type: str
    object_id: str | None
    object_type: str
    account_id: str | None
    created: Instant
    livemode: bool
    customer_id: str | None = None
