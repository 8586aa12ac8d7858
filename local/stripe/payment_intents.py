"""Payment intents: the operations on them."""

from typing import Any

from local.stripe import money, paying
from local.stripe.calls import Call, Operation, list_of
from local.stripe.errors import Object, Refused, invalid, no_such
from local.stripe.params import (
    Fields,
    address_of_web,
    choice,
    fields,
    flag,
    integer,
    merged,
    metadata,
    no_longer,
    optional_text,
    or_unset,
    rows,
    text,
)
from local.stripe.payment_methods import require_usable, resolve
from local.stripe.world import World

_USAGE = choice("off_session", "on_session")
_AUTOMATIC = fields(("enabled",), enabled=flag, allow_redirects=choice("always", "never"))
_OF_INTENT: Fields = {
    "amount": integer(0),
    "currency": money.currency,
    "capture_method": choice("automatic", "automatic_async", "manual"),
    "customer": text,
    "description": optional_text,
    "metadata": metadata,
    "payment_method": text,
    "allowed_payment_method_types": rows(choice("card")),
    "payment_method_types": no_longer,
    "receipt_email": optional_text,
    "setup_future_usage": or_unset(_USAGE),
    "statement_descriptor": optional_text,
    "statement_descriptor_suffix": optional_text,
    "transfer_group": optional_text,
}
_OF_CONFIRMATION: Fields = {
    "error_on_requires_action": flag,
    "off_session": lambda raw, name: raw in ("one_off", "recurring") or flag(raw, name),
    "return_url": address_of_web,
    "use_stripe_sdk": flag,
}
_CREATE: Fields = {
    **_OF_INTENT,
    **_OF_CONFIRMATION,
    "automatic_payment_methods": _AUTOMATIC,
    "confirm": flag,
    "confirmation_method": choice("automatic", "manual"),
}
_CONFIRM: Fields = {
    **_OF_CONFIRMATION,
    "client_secret": text,
    "payment_method": text,
    "receipt_email": optional_text,
    "setup_future_usage": _USAGE,
}


def _create(call: Call) -> Object:
    world, params = call.world, dict(call.params)
    must_confirm = params.pop("confirm", False)
    confirming = _confirming(params)
    if confirming and not must_confirm:
        name = next(iter(confirming))
        raise invalid(f"You cannot provide `{name}` without setting `confirm` to `true`.", name)
    money.require_chargeable(params["amount"], params["currency"])
    method_id = params.pop("payment_method", None)
    method = _method(world, params.get("customer"), method_id)
    if must_confirm and method is None:
        raise Refused(
            "You cannot confirm this PaymentIntent because it's missing a payment method. You can "
            "either update the PaymentIntent with a payment method and then confirm it again, or "
            "confirm it again directly with a payment method or ConfirmationToken.",
            code="payment_intent_unexpected_state",
        )
    accepted = _accepted(params)
    if must_confirm:
        _require_return_url(accepted, confirming)
    intent = paying.new_intent(
        world,
        **{**params, **accepted, "metadata": merged({}, params.get("metadata"))},
        **({} if method is None else _chosen(method)),
    )
    if must_confirm:
        paying.confirm(world, intent, **_how(confirming))
    return intent


def _chosen(method: Object) -> Object:
    return {"payment_method": method["id"], "status": "requires_confirmation"}


def _accepted(params: dict[str, Any]) -> Object:
    """Which payment methods an intent takes: those that are named, or what the account accepts."""
    automatic = params.get("automatic_payment_methods")
    if "allowed_payment_method_types" in params:
        if automatic is not None:
            raise invalid(
                "You may only specify one of these parameters: allowed_payment_method_types, "
                "automatic_payment_methods.",
                "allowed_payment_method_types",
            )
        return {"automatic_payment_methods": None}
    if automatic is None or automatic["enabled"]:
        redirects = (automatic or {}).get("allow_redirects", "always")
        return {"automatic_payment_methods": {"allow_redirects": redirects, "enabled": True}}
    return {"automatic_payment_methods": None}


def _require_return_url(accepted: Object, confirming: dict[str, Any]) -> None:
    automatic = accepted.get("automatic_payment_methods") or {}
    if automatic.get("allow_redirects") == "always" and "return_url" not in confirming:
        raise invalid(paying.NEEDS_RETURN_URL.format("PaymentIntent"), "return_url")


def _confirming(params: dict[str, Any]) -> dict[str, Any]:
    """The parameters that are about confirming, taken out of the others."""
    return {name: params.pop(name) for name in _OF_CONFIRMATION if name in params}


def _how(confirming: dict[str, Any]) -> dict[str, Any]:
    return {
        "off_session": confirming.get("off_session", False),
        "refuses_action": confirming.get("error_on_requires_action", False),
        "return_url": confirming.get("return_url"),
    }


def _method(world: World, customer_id: str | None, method_id: str | None) -> Object | None:
    """The payment method that is named, once it is clear that the customer may use it."""
    if customer_id is not None:
        world.find("customer", customer_id, param="customer")
    if method_id is None:
        return None
    method = resolve(world, method_id)
    require_usable(world, method, customer_id)
    return method


def _found(call: Call) -> Object:
    """The intent of the path; whoever has only its client secret has to name it rightly."""
    intent = call.world.find("payment_intent", call.id, in_path=True)
    if call.client_secret is not None and call.client_secret != intent["client_secret"]:
        raise no_such("payment_intent", call.id, in_path=True)
    return intent


def _update(call: Call) -> Object:
    world, intent, params = call.world, _found(call), dict(call.params)
    if intent["status"] not in paying.CONFIRMABLE:
        allowed = {"description", "metadata", "receipt_email", "transfer_group"}
        if not set(params) <= allowed:
            name = min(set(params) - allowed)
            raise paying.wrong_state(
                intent,
                f"This PaymentIntent's {name} could not be updated because it has a status of "
                f"{intent['status']}. You may only update the {name} of a PaymentIntent with one "
                f"of the following statuses: {', '.join(paying.CONFIRMABLE)}.",
            )
    changed = {**intent, **params}
    money.require_chargeable(changed["amount"], changed["currency"])
    method = _method(
        world, params.get("customer", intent["customer"]), params.pop("payment_method", None)
    )
    if "metadata" in params:
        params["metadata"] = merged(intent["metadata"], params["metadata"])
    intent.update(params)
    if method is not None:
        paying.choose(world, intent, method)
    return intent


def _confirm(call: Call) -> Object:
    world, intent, params = call.world, _found(call), dict(call.params)
    params.pop("client_secret", None)
    confirming = _confirming(params)
    method_id = params.pop("payment_method", None)
    if method_id is not None and intent["status"] in paying.CONFIRMABLE:
        paying.choose(world, intent, resolve(world, method_id))
    paying.require_confirmable(intent)
    intent.update(params)
    paying.confirm(world, intent, **_how(confirming))
    return intent


def _capture(call: Call) -> Object:
    intent = _found(call)
    paying.capture(call.world, intent, call.params.get("amount_to_capture"))
    if "metadata" in call.params:
        intent["metadata"] = merged(intent["metadata"], call.params["metadata"])
    return intent


def _cancel(call: Call) -> Object:
    intent = _found(call)
    paying.cancel(call.world, intent, call.params.get("cancellation_reason"))
    return intent


_PATH = "/v1/payment_intents"
_REASON = choice("abandoned", "duplicate", "fraudulent", "requested_by_customer")
OPERATIONS = [
    Operation("POST", _PATH, _create, _CREATE, ("amount", "currency")),
    list_of(_PATH, "payment_intent", filters={"customer": text}),
    Operation("GET", f"{_PATH}/{{id}}", _found, {"client_secret": text}, is_public=True),
    Operation("POST", f"{_PATH}/{{id}}", _update, _OF_INTENT),
    Operation("POST", f"{_PATH}/{{id}}/confirm", _confirm, _CONFIRM, is_public=True),
    Operation(
        "POST",
        f"{_PATH}/{{id}}/capture",
        _capture,
        {
            "amount_to_capture": integer(1),
            "metadata": metadata,
        },
    ),
    Operation("POST", f"{_PATH}/{{id}}/cancel", _cancel, {"cancellation_reason": _REASON}),
]
