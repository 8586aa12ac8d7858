"""Customers."""

from typing import Any

from local.stripe.calls import Call, Operation, list_of
from local.stripe.errors import Object, Refused
from local.stripe.params import (
    Fields,
    address,
    choice,
    fields,
    merged,
    metadata,
    optional_text,
    or_unset,
    rows,
    text,
)
from local.stripe.payment_methods import attach, of_customer
from local.stripe.world import World

_NAMED: Fields = {
    "address": address,
    "description": optional_text,
    "email": optional_text,
    "metadata": metadata,
    "name": optional_text,
    "phone": optional_text,
    "preferred_locales": rows(text),
    "shipping": or_unset(fields(address=address, name=text, phone=optional_text)),
    "tax_exempt": choice("exempt", "none", "reverse"),
    "invoice_settings": fields(default_payment_method=optional_text),
}
_NO_DEFAULT: Object = {
    "custom_fields": None,
    "default_payment_method": None,
    "footer": None,
    "rendering_options": None,
}


def make(world: World, **given: Any) -> Object:
    """A new customer, whom nobody was told of yet."""
    return world.add(
        "customer",
        "cus",
        {
            "address": None,
            "balance": 0,
            "currency": None,
            "default_source": None,
            "delinquent": False,
            "description": None,
            "discount": None,
            "email": None,
            "invoice_prefix": world.secret(8).upper(),
            "invoice_settings": dict(_NO_DEFAULT),
            "metadata": {},
            "name": None,
            "next_invoice_sequence": 1,
            "phone": None,
            "preferred_locales": [],
            "shipping": None,
            "tax_exempt": "none",
            "test_clock": None,
            **given,
        },
    )


def _create(call: Call) -> Object:
    world, params = call.world, dict(call.params)
    settings = params.pop("invoice_settings", {})
    method_id = params.pop("payment_method", None)
    params["metadata"] = merged({}, params.get("metadata"))
    customer = make(world, **params)
    try:
        if method_id is not None:
            method_id = attach(world, method_id, customer["id"])["id"]
        _choose_default(world, customer, settings, method_id)
    except Refused:
        world.forget("customer", customer["id"])
        raise
    world.emit("customer.created", customer)
    return customer


def _choose_default(
    world: World, customer: Object, settings: dict[str, Any], attached: str | None = None
) -> None:
    if "default_payment_method" not in settings:
        return
    wanted = settings["default_payment_method"]
    if wanted is not None and wanted.startswith("pm_card_"):
        wanted = attached
    customer["invoice_settings"] = _settings(world, customer, wanted)


def _settings(world: World, customer: Object, method_id: str | None) -> Object:
    """The invoice settings with another default payment method.

    Raises:
        Refused: The payment method is not the customer's.
    """
    if method_id is not None:
        require_method_of(world, customer["id"], method_id)
    return {**customer["invoice_settings"], "default_payment_method": method_id}


def require_method_of(world: World, customer_id: str, method_id: str) -> None:
    """Check that a payment method is attached to a customer.

    Raises:
        Refused: It is not.
    """
    method = world.get("payment_method", method_id)
    if method is None or method["customer"] != customer_id:
        raise Refused(
            f"The customer does not have a payment method with the ID {method_id}. The payment "
            "method must be attached to the customer.",
            code="resource_missing",
            param="invoice_settings[default_payment_method]",
        )


def _retrieve(call: Call) -> Object:
    deleted = call.world.get("deleted_customer", call.id)
    if deleted is not None:
        return deleted
    return call.world.find("customer", call.id, in_path=True)


def _update(call: Call) -> Object:
    customer = call.world.find("customer", call.id, in_path=True)
    change = dict(call.params)
    if "metadata" in change:
        change["metadata"] = merged(customer["metadata"], change["metadata"])
    if "invoice_settings" in change:
        chosen = change["invoice_settings"].get("default_payment_method")
        change["invoice_settings"] = _settings(call.world, customer, chosen)
    call.world.change(customer, "customer.updated", **change)
    return customer


def set_default(world: World, customer: Object, method_id: str | None) -> None:
    """Make a payment method the one that is charged by default."""
    settings = _settings(world, customer, method_id)
    world.change(customer, "customer.updated", invoice_settings=settings)


def _delete(call: Call) -> Object:
    customer = call.world.find("customer", call.id, in_path=True)
    for method in of_customer(call.world, customer["id"]):
        call.world.change(method, None, customer=None, _is_spent=True)
    call.world.forget("customer", customer["id"])
    call.world.emit("customer.deleted", customer)
    gone = {"id": customer["id"], "object": "customer", "deleted": True}
    return call.world.keep("deleted_customer", gone)


OPERATIONS = [
    Operation("POST", "/v1/customers", _create, {**_NAMED, "payment_method": text}),
    Operation("GET", "/v1/customers/{id}", _retrieve),
    Operation("POST", "/v1/customers/{id}", _update, _NAMED),
    Operation("DELETE", "/v1/customers/{id}", _delete),
    list_of("/v1/customers", "customer", filters={"email": text}),
]
