"""What Stripe told, as something that a payment can take in."""

from holdfast.domain.clock import Instant
from holdfast.domain.payments import (
    FAILED,
    SUCCEEDED,
    Observation,
    status_of_intent,
    status_of_refund,
    status_of_session,
)
from holdfast.errors import AuthenticationRequired, PaymentDeclined
from holdfast.gateways.stripe.records import CheckoutSession, PaymentIntent, Refund


def of_intent(intent: PaymentIntent, at: Instant) -> Observation:
    """What an intent was at the instant when it was asked for."""
    status = status_of_intent(intent.status, failed=intent.last_error is not None)
    error = intent.last_error if status == FAILED else None
    return Observation(
        status=status,
        at=at,
        received_micros=intent.amount_received_micros,
        received_currency=intent.currency if intent.amount_received_micros else "",
        charge_id=intent.charge_id or "",
        failure_code=(error.code if error else None) or "",
        decline_code=(error.decline_code if error else None) or "",
        payment_intent_id=intent.id,
    )


def of_session(session: CheckoutSession, at: Instant) -> Observation:
    """What a session was at the instant when it was asked for."""
    status = status_of_session(session.status, session.payment_status)
    paid = status == SUCCEEDED and session.amount_total_micros
    return Observation(
        status=status,
        at=at,
        received_micros=session.amount_total_micros or 0 if paid else 0,
        received_currency=session.currency or "" if paid else "",
        payment_intent_id=session.payment_intent_id or "",
        session_id=session.id,
    )


def of_refund(refund: Refund, at: Instant) -> Observation:
    """What a refund was at the instant when it was asked for."""
    status = status_of_refund(refund.status)
    return Observation(
        status=status,
        at=at,
        received_micros=refund.amount_micros if status == SUCCEEDED else 0,
        received_currency=refund.currency if status == SUCCEEDED else "",
        charge_id=refund.charge_id or "",
        failure_code=refund.failure_reason or "",
        refund_id=refund.id,
    )


def of_decline(declined: PaymentDeclined | AuthenticationRequired, at: Instant) -> Observation:
    """What a refusal told of the payment that was refused."""
    unconfirmed = isinstance(declined, AuthenticationRequired)
    return Observation(
        status=FAILED,
        at=at,
        failure_code=declined.code if unconfirmed else "card_declined",
        decline_code=str(declined.details.get("decline_code") or ""),
        payment_intent_id=str(declined.details.get("payment_intent_id") or ""),
    )
