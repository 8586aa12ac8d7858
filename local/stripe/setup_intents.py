"""Setup intents: a card is saved for later, and its holder agrees to that once."""

from typing import Any

from local.stripe.calls import Call, Operation, list_of
from local.stripe.cards import Decline
from local.stripe.errors import Object, Refused, card_error, invalid, no_such
from local.stripe.params import (
    Fields,
    address_of_web,
    choice,
    fields,
    flag,
    merged,
    metadata,
    no_longer,
    optional_text,
    rows,
    text,
)
from local.stripe.paying import NEEDS_RETURN_URL, next_action
from local.stripe.payment_methods import card_of, require_usable, resolve, tie
from local.stripe.world import World, public

_CANCELABLE = ("requires_payment_method", "requires_confirmation", "requires_action")
_FAILED_AUTHENTICATION = (
    "The provided PaymentMethod has failed authentication. You can provide payment_method_data or "
    "a new PaymentMethod to attempt to fulfill this SetupIntent again."
)


def new_setup(world: World, **given: Any) -> Object:
    """A setup intent that nobody has confirmed."""
    intent = world.add(
        "setup_intent",
        "seti",
        {
            "allowed_payment_method_types": None,
            "application": None,
            "automatic_payment_methods": None,
            "cancellation_reason": None,
            "client_secret": None,
            "customer": None,
            "description": None,
            "flow_directions": None,
            "last_setup_error": None,
            "latest_attempt": None,
            "mandate": None,
            "metadata": {},
            "next_action": None,
            "on_behalf_of": None,
            "payment_method": None,
            "payment_method_configuration_details": None,
            "payment_method_options": {
                "card": {
                    "mandate_options": None,
                    "network": None,
                    "request_three_d_secure": "automatic",
                }
            },
            "payment_method_types": ["card"],
            "single_use_mandate": None,
            "status": "requires_payment_method",
            "usage": "off_session",
            "_session": None,
            **given,
        },
    )
    intent["client_secret"] = f"{intent['id']}_secret_{world.secret(25)}"
    world.emit("setup_intent.created", intent)
    return intent


def _wrong_state(intent: Object, message: str) -> Refused:
    return Refused(message, code="setup_intent_unexpected_state", setup_intent=public(intent))


def confirm(world: World, intent: Object, *, return_url: str | None = None) -> None:
    """Ask the issuer whether the card may be charged later.

    Raises:
        Refused: The intent is over, has no payment method, or the card is declined.
    """
    if intent["status"] not in _CANCELABLE:
        raise _wrong_state(
            intent,
            f"You cannot confirm this SetupIntent because it has a status of {intent['status']}. "
            f"Only a SetupIntent with one of the following statuses may be confirmed: "
            f"{', '.join(_CANCELABLE)}.",
        )
    if intent["payment_method"] is None:
        raise _wrong_state(
            intent,
            "You cannot confirm this SetupIntent because it's missing a payment method. Update "
            "the SetupIntent with a payment method and then confirm it again.",
        )
    method = world.find("payment_method", intent["payment_method"])
    if (intent["automatic_payment_methods"] or {}).get("allow_redirects") == "always" and (
        return_url is None
    ):
        raise Refused(NEEDS_RETURN_URL.format("SetupIntent"), param="return_url")
    card = card_of(method)
    if not card.attaches and card.decline is not None:
        raise _decline(world, intent, method, card.decline)
    if card.needs_authentication(off_session=False, is_set_up=False):
        intent.update(
            status="requires_action",
            next_action=next_action(world, intent, return_url),
            last_setup_error=None,
        )
        world.emit("setup_intent.requires_action", intent)
        return
    succeed(world, intent)


def succeed(world: World, intent: Object) -> None:
    """The card is saved: for its customer, if there is one."""
    method = world.find("payment_method", intent["payment_method"])
    method["_is_set_up"] = intent["usage"] == "off_session"
    if intent["customer"] is not None:
        tie(world, method, intent["customer"])
    intent.update(status="succeeded", next_action=None, last_setup_error=None)
    world.emit("setup_intent.succeeded", intent)


def _decline(world: World, intent: Object, method: Object, why: Decline) -> Refused:
    problem = why.problem()
    _fail(world, intent, problem, method)
    return card_error(problem, setup_intent=public(intent), payment_method=public(method))


def fail_authentication(world: World, intent: Object) -> None:
    """The holder of the card did not authenticate: another card is needed."""
    problem = {
        "code": "setup_intent_authentication_failure",
        "message": _FAILED_AUTHENTICATION,
        "type": "invalid_request_error",
    }
    method = world.find("payment_method", intent["payment_method"])
    _fail(world, intent, problem, method)


def _fail(world: World, intent: Object, problem: Object, method: Object) -> None:
    intent.update(
        status="requires_payment_method",
        payment_method=None,
        next_action=None,
        last_setup_error={**problem, "payment_method": public(method)},
    )
    world.emit("setup_intent.setup_failed", intent)


def cancel(world: World, intent: Object, reason: str | None) -> None:
    """Give a setup up.

    Raises:
        Refused: It has succeeded, or was cancelled already.
    """
    if intent["status"] not in _CANCELABLE:
        raise _wrong_state(
            intent,
            f"You cannot cancel this SetupIntent because it has a status of {intent['status']}. "
            "Only a SetupIntent with one of the following statuses may be canceled: "
            f"{', '.join(_CANCELABLE)}.",
        )
    intent.update(status="canceled", cancellation_reason=reason, next_action=None)
    world.emit("setup_intent.canceled", intent)


def _create(call: Call) -> Object:
    world, params = call.world, dict(call.params)
    must_confirm = params.pop("confirm", False)
    return_url = params.pop("return_url", None)
    if return_url is not None and not must_confirm:
        raise invalid(
            "You cannot provide `return_url` without setting `confirm` to `true`.", "return_url"
        )
    if "customer" in params:
        world.find("customer", params["customer"], param="customer")
    method_id = params.pop("payment_method", None)
    method = None if method_id is None else resolve(world, method_id)
    if method is not None:
        require_usable(world, method, params.get("customer"))
    if "allowed_payment_method_types" not in params:
        automatic = params.get("automatic_payment_methods", {"enabled": True})
        params["automatic_payment_methods"] = (
            {"allow_redirects": "always", **automatic} if automatic["enabled"] else None
        )
    params["metadata"] = merged({}, params.get("metadata"))
    redirects = (params.get("automatic_payment_methods") or {}).get("allow_redirects")
    if must_confirm and redirects == "always" and return_url is None:
        raise invalid(NEEDS_RETURN_URL.format("SetupIntent"), "return_url")
    intent = new_setup(world, **params)
    if method is not None:
        intent.update(payment_method=method["id"], status="requires_confirmation")
    if must_confirm:
        confirm(world, intent, return_url=return_url)
    return intent


def _found(call: Call) -> Object:
    intent = call.world.find("setup_intent", call.id, in_path=True)
    if call.client_secret is not None and call.client_secret != intent["client_secret"]:
        raise no_such("setup_intent", call.id, in_path=True)
    return intent


def _confirm(call: Call) -> Object:
    world, intent = call.world, _found(call)
    method_id = call.params.get("payment_method")
    if method_id is not None and intent["status"] in _CANCELABLE:
        method = resolve(world, method_id)
        require_usable(world, method, intent["customer"])
        intent.update(payment_method=method["id"], status="requires_confirmation")
    confirm(world, intent, return_url=call.params.get("return_url"))
    return intent


def _update(call: Call) -> Object:
    intent, params = _found(call), dict(call.params)
    if "metadata" in params:
        params["metadata"] = merged(intent["metadata"], params["metadata"])
    intent.update(params)
    return intent


def _cancel(call: Call) -> Object:
    intent = _found(call)
    cancel(call.world, intent, call.params.get("cancellation_reason"))
    return intent


_CREATE: Fields = {
    "automatic_payment_methods": fields(
        ("enabled",), enabled=flag, allow_redirects=choice("always", "never")
    ),
    "confirm": flag,
    "customer": text,
    "description": optional_text,
    "metadata": metadata,
    "payment_method": text,
    "allowed_payment_method_types": rows(choice("card")),
    "payment_method_types": no_longer,
    "return_url": address_of_web,
    "usage": choice("off_session", "on_session"),
}
_CONFIRM: Fields = {
    "client_secret": text,
    "payment_method": text,
    "return_url": address_of_web,
    "use_stripe_sdk": flag,
}
_REASON = choice("abandoned", "duplicate", "requested_by_customer")
_PATH = "/v1/setup_intents"
OPERATIONS = [
    Operation("POST", _PATH, _create, _CREATE),
    list_of(_PATH, "setup_intent", filters={"customer": text, "payment_method": text}),
    Operation("GET", f"{_PATH}/{{id}}", _found, {"client_secret": text}, is_public=True),
    Operation(
        "POST", f"{_PATH}/{{id}}", _update, {"description": optional_text, "metadata": metadata}
    ),
    Operation("POST", f"{_PATH}/{{id}}/confirm", _confirm, _CONFIRM, is_public=True),
    Operation("POST", f"{_PATH}/{{id}}/cancel", _cancel, {"cancellation_reason": _REASON}),
]
