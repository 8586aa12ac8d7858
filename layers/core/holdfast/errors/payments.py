"""What stands in the way of paying by card: declines, challenges, and a provider that is down."""

from holdfast.errors.kinds import (
    BadGateway,
    Conflict,
    Gone,
    NotFound,
    NotServed,
    PaymentRequired,
    Unavailable,
    Unreadable,
)


class PaymentDeclined(PaymentRequired):
    """The card was declined; `decline_code` is the provider's word for why."""

    code = "payment_declined"
    message = "The payment was declined."

    def __init__(self, *, decline_code: str | None, payment_intent_id: str | None) -> None:
        super().__init__(decline_code=decline_code, payment_intent_id=payment_intent_id)


class AuthenticationRequired(PaymentRequired):
    """The card's owner has to confirm, and nobody is there to do it."""

    code = "authentication_required"
    message = "The owner of the card has to confirm the payment."

    def __init__(self, *, payment_intent_id: str | None, client_secret: str | None) -> None:
        super().__init__(payment_intent_id=payment_intent_id, client_secret=client_secret)


class PaymentMethodNotFound(NotFound):
    code = "payment_method_not_found"
    message = "There is no such payment method."


class PaymentNotFound(NotFound):
    code = "payment_not_found"
    message = "There is no such payment."


class PlanNotFound(NotFound):
    code = "plan_not_found"
    message = "There is no such plan."


class NoPaymentMethod(Conflict):
    code = "no_payment_method"
    message = "A card has to be saved first."


class PaymentMethodInUse(Conflict):
    code = "payment_method_in_use"
    message = "The wallet is recharged from this card. Save another one, or switch that off first."


class AutoRechargeOff(Conflict):
    code = "auto_recharge_off"
    message = "Auto-recharge is not switched on."


class PaymentState(Conflict):
    code = "payment_state"
    message = "The payment is in a state that does not allow this."

    def __init__(self, *, status: str) -> None:
        super().__init__(status=status)


class RefundRefused(Conflict):
    code = "refund_refused"
    message = "The provider does not refund this payment."


class SessionExpired(Gone):
    code = "session_expired"
    message = "The session has expired."


class OrderNotRefundable(Conflict):
    """An order that is not paid, was given back, is too old, or whose money was spent."""

    code = "order_not_refundable"
    message = "The order cannot be refunded."


class SubscriptionsNotEnabled(Conflict):
    code = "subscriptions_not_enabled"
    message = "Plans that are paid again and again cannot be bought here yet."


class StripeUnavailable(BadGateway):
    """The provider did not answer; `outcome_unknown`: it may have acted all the same."""

    code = "stripe_unavailable"
    message = "The payment provider does not answer. Try again."

    def __init__(self, *, outcome_unknown: bool) -> None:
        super().__init__(outcome_unknown=outcome_unknown)


class TokenizedElsewhere(Unavailable):
    """Card numbers are not taken; asking again soon gains nothing."""

    code = "card_tokenized_elsewhere"
    message = (
        "Card numbers go to Stripe, not here: use Stripe.js, or a setup intent's client secret."
    )

    def __init__(self) -> None:
        super().__init__(retry_after_seconds=86_400)
        self.details["tokenize_with"] = "stripe.js"


class InvalidPayment(Unreadable):
    code = "invalid_payload"
    message = "The payment header cannot be read."

    def __init__(self, reason: str) -> None:
        super().__init__(reason=reason)


class InvalidSignature(Unreadable):
    code = "invalid_signature"
    message = "The signature does not fit the body."


class InvalidX402Version(Unreadable):
    code = "invalid_x402_version"
    message = "Payments are read in versions 1 and 2 of x402."


class PaymentNotAccepted(PaymentRequired):
    """A signed payment that is not for the offer; `reason` is x402's word for why."""

    code = "payment_not_accepted"
    message = "The payment is not one for this offer."

    def __init__(self, *, reason: str) -> None:
        super().__init__(reason=reason)


class PaymentUsed(Conflict):
    code = "payment_already_used"
    message = "The signed payment was used for something else."


class FacilitatorUnavailable(BadGateway):
    code = "facilitator_unavailable"
    message = "The payment facilitator does not answer. Nothing was paid; try again."


class X402NotConfigured(NotServed):
    code = "x402_not_configured"
    message = "This installation takes no payments by x402."
