"""How a payment goes: confirmed, authenticated, charged, declined, captured, cancelled."""

from typing import Any

from local.stripe import charges, disputes, refunds
from local.stripe.cards import UNAUTHENTICATED, Decline
from local.stripe.errors import Object, Refused, card_error
from local.stripe.payment_methods import card_of, require_usable, tie
from local.stripe.world import World, public

AUTHORIZED_SECONDS = 7 * 86_400
CANCELABLE = (
    "requires_payment_method",
    "requires_capture",
    "requires_confirmation",
    "requires_action",
    "processing",
)
CONFIRMABLE = ("requires_payment_method", "requires_confirmation", "requires_action")
_FAILED_AUTHENTICATION = (
    "The provided PaymentMethod has failed authentication. You can provide payment_method_data or "
    "a new PaymentMethod to attempt to fulfill this PaymentIntent again."
)
NEEDS_RETURN_URL = (
    "This {} is configured to accept payment methods enabled in your Dashboard. Because some of "
    "these payment methods might redirect your customer off of your page, you must provide a "
    "`return_url`. If you don't want to accept redirect-based payment methods, set "
    "`automatic_payment_methods[enabled]` to `true` and "
    "`automatic_payment_methods[allow_redirects]` to `never` when creating Setup Intents and "
    "Payment Intents."
)


def new_intent(world: World, *, amount: int, currency: str, **given: Any) -> Object:
    """A payment intent that nobody has confirmed."""
    intent = world.add(
        "payment_intent",
        "pi",
        {
            "allowed_payment_method_types": None,
            "amount": amount,
            "amount_capturable": 0,
            "amount_details": {"tip": {}},
            "amount_received": 0,
            "application": None,
            "application_fee_amount": None,
            "automatic_payment_methods": None,
            "canceled_at": None,
            "cancellation_reason": None,
            "capture_method": "automatic_async",
            "client_secret": None,
            "confirmation_method": "automatic",
            "currency": currency,
            "customer": None,
            "description": None,
            "last_payment_error": None,
            "latest_charge": None,
            "metadata": {},
            "next_action": None,
            "on_behalf_of": None,
            "payment_method": None,
            "payment_method_configuration_details": None,
            "payment_method_options": {"card": {"request_three_d_secure": "automatic"}},
            "payment_method_types": ["card"],
            "processing": None,
            "receipt_email": None,
            "review": None,
            "setup_future_usage": None,
            "shipping": None,
            "source": None,
            "statement_descriptor": None,
            "statement_descriptor_suffix": None,
            "status": "requires_payment_method",
            "transfer_data": None,
            "transfer_group": None,
            "_authenticated": False,
            "_session": None,
            **given,
        },
    )
    intent["client_secret"] = f"{intent['id']}_secret_{world.secret(25)}"
    world.emit("payment_intent.created", intent)
    return intent


def wrong_state(intent: Object, message: str) -> Refused:
    return Refused(message, code="payment_intent_unexpected_state", payment_intent=public(intent))


def choose(world: World, intent: Object, method: Object) -> None:
    """Give an intent the payment method that it will be paid with.

    Raises:
        Refused: The payment method is not for this intent's customer.
    """
    require_usable(world, method, intent["customer"])
    intent["payment_method"] = method["id"]
    if intent["status"] == "requires_payment_method":
        intent["status"] = "requires_confirmation"


def require_confirmable(intent: Object) -> None:
    """Check that an intent can be confirmed.

    Raises:
        Refused: It is paid, cancelled or waits for its capture, or has no payment method.
    """
    status = intent["status"]
    if status == "succeeded":
        raise wrong_state(
            intent,
            "You cannot confirm this PaymentIntent because it has already succeeded after being "
            "previously confirmed.",
        )
    if status not in CONFIRMABLE:
        raise wrong_state(
            intent,
            f"You cannot confirm this PaymentIntent because it has a status of {status}. Only a "
            f"PaymentIntent with one of the following statuses may be confirmed: "
            f"{', '.join(CONFIRMABLE)}.",
        )
    if intent["payment_method"] is None:
        raise wrong_state(
            intent,
            "You cannot confirm this PaymentIntent because it's missing a payment method. You can "
            "either update the PaymentIntent with a payment method and then confirm it again, or "
            "confirm it again directly with a payment method or ConfirmationToken.",
        )


def confirm(
    world: World,
    intent: Object,
    *,
    off_session: bool = False,
    refuses_action: bool = False,
    return_url: str | None = None,
) -> None:
    """Try to take the money: the intent succeeds, waits for its capture or for its customer.

    Raises:
        Refused: It cannot be confirmed now, or the payment was declined.
    """
    require_confirmable(intent)
    method = world.find("payment_method", intent["payment_method"])
    require_usable(world, method, intent["customer"])
    if (intent["automatic_payment_methods"] or {}).get("allow_redirects") == "always" and (
        return_url is None
    ):
        raise Refused(NEEDS_RETURN_URL.format("PaymentIntent"), param="return_url")
    card = card_of(method)
    intent["_authenticated"] = False
    if card.needs_authentication(off_session=off_session, is_set_up=method["_is_set_up"]):
        if off_session or refuses_action:
            raise decline(world, intent, method, UNAUTHENTICATED)
        intent.update(
            status="requires_action",
            next_action=next_action(world, intent, return_url),
            last_payment_error=None,
        )
        world.emit("payment_intent.requires_action", intent)
        return
    charge(world, intent, method)


def next_action(world: World, intent: Object, return_url: str | None) -> Object:
    """Where the card's holder authenticates."""
    page = f"{world.address}/3ds/{intent['id']}"
    if return_url is None:
        return {
            "type": "use_stripe_sdk",
            "use_stripe_sdk": {"type": "three_d_secure_redirect", "stripe_js": page},
        }
    return {
        "type": "redirect_to_url",
        "redirect_to_url": {"return_url": return_url, "url": page},
    }


def charge(world: World, intent: Object, method: Object) -> None:
    """Charge the card, which asks for nothing more.

    Raises:
        Refused: It was declined.
    """
    card = card_of(method)
    if card.decline is not None:
        raise decline(world, intent, method, card.decline)
    made = charges.attempt(world, intent, method, decline=None)
    intent.update(latest_charge=made["id"], last_payment_error=None, next_action=None)
    if made["captured"]:
        intent.update(status="succeeded", amount_received=made["amount_captured"])
        world.emit("payment_intent.succeeded", intent)
    else:
        intent.update(status="requires_capture", amount_capturable=intent["amount"])
        intent["_capture_before"] = world.now() + AUTHORIZED_SECONDS
        world.emit("payment_intent.amount_capturable_updated", intent)
    _remember(world, intent, method)
    complaint = charges.disputes_at_once(world, made)
    if complaint is not None and made["captured"]:
        disputes.open_dispute(world, made, reason=complaint[0], is_inquiry=complaint[1])


def _remember(world: World, intent: Object, method: Object) -> None:
    """Keep the payment method for later payments, or never use it again."""
    if intent["customer"] is not None and intent["setup_future_usage"] is not None:
        tie(world, method, intent["customer"])
        method["_is_set_up"] = intent["setup_future_usage"] == "off_session"
    elif method["customer"] is None:
        method["_is_spent"] = True


def decline(world: World, intent: Object, method: Object, why: Decline) -> Refused:
    """Note a payment that was turned down; the error to raise."""
    made = charges.attempt(world, intent, method, decline=why)
    problem = why.problem()
    _fail(world, intent, {**problem, "charge": made["id"]}, method, charge_id=made["id"])
    return card_error(
        problem, charge=made["id"], payment_intent=public(intent), payment_method=public(method)
    )


def fail_authentication(world: World, intent: Object) -> None:
    """The holder of the card did not authenticate: another card is needed."""
    method = world.find("payment_method", intent["payment_method"])
    problem = {
        "code": "payment_intent_authentication_failure",
        "message": _FAILED_AUTHENTICATION,
        "type": "invalid_request_error",
    }
    _fail(world, intent, problem, method, charge_id=intent["latest_charge"])


def _fail(
    world: World, intent: Object, problem: Object, method: Object, *, charge_id: str | None
) -> None:
    intent.update(
        status="requires_payment_method",
        payment_method=None,
        next_action=None,
        latest_charge=charge_id,
        last_payment_error={**problem, "payment_method": public(method)},
    )
    world.emit("payment_intent.payment_failed", intent)


def capture(world: World, intent: Object, amount: int | None) -> None:
    """Take what was authorised, or less and let go of the rest.

    Raises:
        Refused: Nothing waits to be captured, or less than `amount` does.
    """
    if intent["status"] != "requires_capture":
        raise wrong_state(
            intent,
            "This PaymentIntent could not be captured because it has a status of "
            f"{intent['status']}. Only a PaymentIntent with one of the following statuses may be "
            "captured: requires_capture.",
        )
    amount = intent["amount_capturable"] if amount is None else amount
    if amount > intent["amount_capturable"]:
        raise Refused(
            "The payment could not be captured because the requested capture amount is greater "
            "than the amount you can capture for this charge.",
            code="amount_too_large",
            param="amount_to_capture",
        )
    charge = world.find("charge", intent["latest_charge"])
    charges.capture(world, charge, amount)
    intent.update(status="succeeded", amount_capturable=0, amount_received=amount)
    if amount < charge["amount"]:
        refunds.uncaptured(world, charge, charge["amount"] - amount)
    world.emit("payment_intent.succeeded", intent)
    complaint = charges.disputes_at_once(world, charge)
    if complaint is not None:
        disputes.open_dispute(world, charge, reason=complaint[0], is_inquiry=complaint[1])


def cancel(world: World, intent: Object, reason: str | None) -> None:
    """Give an intent up; what was authorised goes back to the card.

    Raises:
        Refused: It is paid, or cancelled already.
    """
    if intent["status"] not in CANCELABLE:
        raise wrong_state(
            intent,
            f"You cannot cancel this PaymentIntent because it has a status of {intent['status']}. "
            "Only a PaymentIntent with one of the following statuses may be canceled: "
            f"{', '.join(CANCELABLE)}.",
        )
    if intent["status"] == "requires_capture":
        charges.void(world, world.find("charge", intent["latest_charge"]))
    intent.update(
        status="canceled",
        amount_capturable=0,
        canceled_at=world.now(),
        cancellation_reason=reason,
        next_action=None,
    )
    world.emit("payment_intent.canceled", intent)


def settle(world: World) -> None:
    """An authorisation that nobody captured for a week is gone."""
    for intent in list(world.every("payment_intent")):
        if intent["status"] == "requires_capture" and intent["_capture_before"] <= world.now():
            cancel(world, intent, "automatic")
