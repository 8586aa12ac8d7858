"""Stripe's test cards: what each is, and what happens when it is attached, charged or refunded.

The numbers are the published ones for tests. Nothing but brand, last four digits, expiry and a
fingerprint of a card is ever kept.
"""

import hashlib
import re
from dataclasses import dataclass
from enum import Enum
from typing import Any

from local.stripe.errors import Object, Refused, card_error

_FINGERPRINT_LENGTH = 16
_NOT_A_TEST_CARD = (
    "Your card was declined. Your request was in test mode, but used a non test (live) card. "
    "For a list of valid test cards, visit: https://stripe.com/docs/testing."
)


@dataclass(frozen=True, slots=True)
class Decline:
    """Why an issuer turns a payment down, in Stripe's words."""

    code: str
    message: str
    decline_code: str | None = None
    advice_code: str | None = "try_again_later"

    def problem(self) -> Object:
        """The error, without what it is about."""
        said = {
            "advice_code": self.advice_code,
            "code": self.code,
            "decline_code": self.decline_code,
            "message": self.message,
            "type": "card_error",
        }
        return {name: value for name, value in said.items() if value is not None}


class Asks(Enum):
    """When a card's issuer wants its holder to authenticate."""

    NEVER = "never"
    ALWAYS = "always"
    ON_SESSION = "on_session"
    UNLESS_SET_UP = "unless_set_up"


@dataclass(frozen=True, slots=True)
class Card:
    """A test card."""

    name: str
    number: str
    brand: str = "visa"
    funding: str = "credit"
    country: str = "US"
    decline: Decline | None = None
    attaches: bool = True
    asks: Asks = Asks.NEVER
    disputed_for: str | None = None
    is_inquiry: bool = False
    refunds: str = "succeeded"

    @property
    def fingerprint(self) -> str:
        """The same for each use of one number, and no way back to it."""
        digest = hashlib.sha256(b"simulated Stripe:" + self.number.encode()).hexdigest()
        return digest[:_FINGERPRINT_LENGTH]

    def needs_authentication(self, *, off_session: bool, is_set_up: bool) -> bool:
        match self.asks:
            case Asks.NEVER:
                return False
            case Asks.ALWAYS:
                return True
            case Asks.ON_SESSION:
                return not off_session
            case Asks.UNLESS_SET_UP:
                return not (off_session and is_set_up)


_DECLINED = "Your card was declined."
GENERIC = Decline("card_declined", _DECLINED, "generic_decline")
INSUFFICIENT = Decline("card_declined", "Your card has insufficient funds.", "insufficient_funds")
LOST = Decline("card_declined", _DECLINED, "lost_card", "do_not_try_again")
STOLEN = Decline("card_declined", _DECLINED, "stolen_card", "do_not_try_again")
FRAUDULENT = Decline("card_declined", _DECLINED, "fraudulent", "do_not_try_again")
TOO_OFTEN = Decline(
    "card_declined",
    "Your card was declined for making repeated attempts too frequently or exceeding its amount "
    "limit.",
    "card_velocity_exceeded",
)
EXPIRED = Decline("expired_card", "Your card has expired.", None, "confirm_card_data")
WRONG_CVC = Decline(
    "incorrect_cvc", "Your card's security code is incorrect.", None, "confirm_card_data"
)
PROCESSING = Decline(
    "processing_error",
    "An error occurred while processing your card. Try again in a little bit.",
)
UNAUTHENTICATED = Decline(
    "authentication_required",
    "Your card was declined. This transaction requires authentication.",
    "authentication_required",
    None,
)


def _refused(name: str, number: str, decline: Decline) -> Card:
    """A card that fails as soon as it is used, even by attaching it."""
    return Card(name, number, decline=decline, attaches=False)


_CARDS = [
    Card("visa", "4242424242424242"),
    Card("visa_debit", "4000056655665556", funding="debit"),
    Card("mastercard", "5555555555554444", brand="mastercard"),
    Card("mastercard_debit", "5200828282828210", brand="mastercard", funding="debit"),
    Card("mastercard_prepaid", "5105105105105100", brand="mastercard", funding="prepaid"),
    Card("amex", "378282246310005", brand="amex"),
    Card("discover", "6011111111111117", brand="discover"),
    Card("diners", "3056930009020004", brand="diners"),
    Card("jcb", "3566002020360505", brand="jcb"),
    Card("unionpay", "6200000000000005", brand="unionpay"),
    _refused("chargeDeclined", "4000000000000002", GENERIC),
    _refused("chargeDeclinedInsufficientFunds", "4000000000009995", INSUFFICIENT),
    _refused("chargeDeclinedLostCard", "4000000000009987", LOST),
    _refused("chargeDeclinedStolenCard", "4000000000009979", STOLEN),
    _refused("chargeDeclinedExpiredCard", "4000000000000069", EXPIRED),
    _refused("chargeDeclinedIncorrectCvc", "4000000000000127", WRONG_CVC),
    _refused("chargeDeclinedProcessingError", "4000000000000119", PROCESSING),
    _refused("chargeDeclinedVelocityLimitExceeded", "4000000000006975", TOO_OFTEN),
    _refused("chargeDeclinedFraudulent", "4100000000000019", FRAUDULENT),
    Card("chargeCustomerFail", "4000000000000341", decline=GENERIC),
    Card("authenticationRequired", "4000002760003184", country="DE", asks=Asks.ALWAYS),
    Card(
        "authenticationRequiredOnSetup",
        "4000002500003155",
        country="FR",
        asks=Asks.UNLESS_SET_UP,
    ),
    Card(
        "authenticationRequiredSetupForOffSession",
        "4000003800000446",
        country="GB",
        asks=Asks.ON_SESSION,
    ),
    Card(
        "authenticationRequiredChargeDeclinedInsufficientFunds",
        "4000008260003178",
        country="GB",
        asks=Asks.ALWAYS,
        decline=INSUFFICIENT,
    ),
    Card("threeDSecure2Required", "4000000000003220", country="IE", asks=Asks.ALWAYS),
    Card("threeDSecureRequired", "4000000000003063", asks=Asks.ALWAYS),
    Card(
        "threeDSecureRequiredChargeDeclined",
        "4000008400001629",
        asks=Asks.ALWAYS,
        decline=GENERIC,
    ),
    Card("threeDSecureOptional", "4000000000003055"),
    Card("createDispute", "4000000000000259", disputed_for="fraudulent"),
    Card(
        "createDisputeProductNotReceived", "4000000000002685", disputed_for="product_not_received"
    ),
    Card("createDisputeInquiry", "4000000000001976", disputed_for="fraudulent", is_inquiry=True),
    Card("refundFail", "4000000000005126", refunds="failed"),
    Card("pendingRefund", "4000000000007726", refunds="pending"),
]
BY_NAME = {card.name: card for card in _CARDS}
_BY_NUMBER = {card.number: card for card in _CARDS}


def of_test_id(test_id: str) -> Card | None:
    """The card of `pm_card_visa`, `tok_chargeDeclined` and their like, or None."""
    for prefix in ("pm_card_", "tok_"):
        if test_id.startswith(prefix):
            name = test_id.removeprefix(prefix)
            return BY_NAME.get(name) or BY_NAME.get(name.removeprefix("visa_"))
    return None


def of_number(typed: str) -> Card:
    """The card with a number as a person types it.

    Raises:
        Refused: It is no card number, or not one of a test card.
    """
    number = re.sub(r"[ -]", "", typed)
    if not (number.isascii() and number.isdigit() and _passes_luhn(number)):
        raise _typed_wrong("Your card number is incorrect.", "incorrect_number", "number")
    card = _BY_NUMBER.get(number)
    if card is None:
        raise card_error(
            Decline("card_declined", _NOT_A_TEST_CARD, "test_mode_live_card").problem(),
        )
    return card


def expiry(typed: str, *, month: int, year: int) -> tuple[int, int]:
    """Month and year of `12 / 34`, given the month and the year that it is.

    Raises:
        Refused: It is none, or over.
    """
    found = re.fullmatch(r"\s*(\d{1,2})\s*/\s*(?:20)?(\d{2})\s*", typed, re.ASCII)
    if found is None or not 1 <= int(found[1]) <= 12:
        message = "Your card's expiration month is invalid."
        raise _typed_wrong(message, "invalid_expiry_month", "exp_month")
    expires = (2000 + int(found[2]), int(found[1]))
    if expires < (year, month):
        message = "Your card's expiration year is invalid."
        raise _typed_wrong(message, "invalid_expiry_year", "exp_year")
    return expires[1], expires[0]


def security_code(typed: str, card: Card) -> None:
    """Check the code that is not kept.

    Raises:
        Refused: It has not as many digits as the brand's cards have.
    """
    wanted = 4 if card.brand == "amex" else 3
    if not (typed.isascii() and typed.isdigit() and len(typed) == wanted):
        message = "Your card's security code is invalid."
        raise _typed_wrong(message, "invalid_cvc", "cvc")


def _typed_wrong(message: str, code: str, param: str) -> Refused:
    return card_error({"message": message, "code": code, "param": param})


def _passes_luhn(number: str) -> bool:
    if not 12 <= len(number) <= 19:
        return False
    total = 0
    for place, digit in enumerate(reversed(number)):
        doubled = int(digit) * (1 + place % 2)
        total += doubled - 9 if doubled > 9 else doubled
    return total % 10 == 0


def shown(card: Card, *, exp_month: int, exp_year: int) -> Object:
    """A card as it stands in a payment method."""
    networks: dict[str, Any] = {"available": [card.brand], "preferred": None}
    return {
        "brand": card.brand,
        "checks": {
            "address_line1_check": None,
            "address_postal_code_check": None,
            "cvc_check": "pass",
        },
        "country": card.country,
        "display_brand": "american_express" if card.brand == "amex" else card.brand,
        "exp_month": exp_month,
        "exp_year": exp_year,
        "fingerprint": card.fingerprint,
        "funding": card.funding,
        "generated_from": None,
        "last4": card.number[-4:],
        "networks": networks,
        "regulated_status": "unregulated",
        "three_d_secure_usage": {"supported": True},
        "wallet": None,
    }
