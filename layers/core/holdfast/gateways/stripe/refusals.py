"""What Stripe's refusals mean here.

Nothing of Stripe's own words goes on but codes, the names of parameters and the id of the request:
its messages repeat what was sent.
"""

import re
from dataclasses import dataclass

import stripe

from holdfast.errors import (
    AuthenticationRequired,
    InvalidField,
    InvariantBroken,
    KeyInUse,
    PaymentDeclined,
    PaymentMethodNotFound,
    PaymentState,
    Refusal,
    StripeUnavailable,
)
from holdfast.gateways.stripe.connection import KeyRefused, Meant, customer_unknown
from holdfast.gateways.stripe.reading import Fields, Misshapen
from holdfast.gateways.stripe.records import told_decline

_CONFIRMATION = "authentication_required"
_FIELDS = {
    "amount_too_large": ("amount", "more than a payment can be"),
    "amount_too_small": ("amount", "less than a payment can be"),
    "email_invalid": ("email", "not an e-mail address"),
    "url_invalid": ("url", "not an address that can be returned to"),
}
_WRONG_STATE = frozenset(
    {
        "capture_charge_authorization_expired",
        "charge_expired_for_capture",
        "intent_invalid_state",
        "payment_intent_unexpected_state",
        "setup_intent_unexpected_state",
    }
)
_WORD = re.compile(r"[\w.\[\]-]{1,100}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Doubt:
    """What is not known of a call that failed: nothing of one that only reads."""

    writes: bool
    lost: bool
    rivalled: bool


def refusal_of(
    error: stripe.StripeError, meant: Meant, doubt: Doubt
) -> Refusal | InvariantBroken | KeyRefused:
    """The refusal to raise.

    Raises:
        Misshapen: The error is not what an error of Stripe's is.
    """
    match error:
        case stripe.APIConnectionError() | stripe.RateLimitError():
            unknown = doubt.writes and (doubt.lost or doubt.rivalled)
            return StripeUnavailable(outcome_unknown=unknown)
        case stripe.CardError():
            return _declined(error)
        case stripe.AuthenticationError():
            return KeyRefused()
        case stripe.InvalidRequestError():
            return _invalid(error, meant)
        case stripe.APIError(http_status=409) if not doubt.lost:
            # Or somebody is at the thing itself: then nothing was done.
            locked = _told(error).maybe_text("code") == "lock_timeout"
            return StripeUnavailable(outcome_unknown=False) if locked else KeyInUse()
        case stripe.APIError():
            # It broke on the way, or what came back is no answer of Stripe's.
            return StripeUnavailable(outcome_unknown=doubt.writes)
    return InvariantBroken(_report(error))


def _declined(error: stripe.StripeError) -> Refusal:
    told = _told(error)
    intent = told.part("payment_intent")
    intent_id = intent.maybe_text("id") if intent else None
    code, decline_code = told.maybe_text("code"), told.maybe_text("decline_code")
    if _CONFIRMATION in (code, decline_code):
        secret = intent.maybe_text("client_secret") if intent else None
        return AuthenticationRequired(payment_intent_id=intent_id, client_secret=secret)
    return PaymentDeclined(
        decline_code=told_decline(decline_code or code), payment_intent_id=intent_id
    )


def _invalid(error: stripe.InvalidRequestError, meant: Meant) -> Refusal | InvariantBroken:
    code, param = error.code or "", error.param or ""
    if code in _FIELDS:
        return InvalidField(*_FIELDS[code])
    if code in _WRONG_STATE and (meant.refused is None or meant.tells_state):
        return PaymentState(status=_state(error))
    if code.startswith("parameter_"):
        return InvariantBroken(_report(error))
    if param.endswith(("payment_method", "payment_method]")):
        return PaymentMethodNotFound()
    if code == "resource_missing":
        return customer_unknown() if param == "customer" else meant.missing()
    return meant.refused() if meant.refused else InvariantBroken(_report(error))


def _state(error: stripe.StripeError) -> str:
    told = _told(error)
    intent = told.part("payment_intent") or told.part("setup_intent")
    return (intent.maybe_text("status") if intent else None) or "unknown"


def _told(error: stripe.StripeError) -> Fields:
    body = error.json_body
    found = body.get("error") if isinstance(body, dict) else None
    if found is None:
        raise Misshapen("an error without an error")
    return Fields(found)


def _report(error: stripe.StripeError) -> str:
    """What may be logged: no message, and of each word only what looks like one."""
    body = error.json_body
    found = body.get("error") if isinstance(body, dict) else None
    told = found if isinstance(found, dict) else {}
    words = {name: str(told.get(name)) for name in ("type", "code", "param") if told.get(name)}
    words["request"] = str(error.request_id)
    shown = (f"{name} {text}" for name, text in words.items() if _WORD.fullmatch(text))
    return ", ".join([f"Stripe refused what we asked: {error.http_status}", *shown])
