"""Billing portal sessions: a page where a person looks after the cards on file."""

from local.stripe.calls import Call, Operation
from local.stripe.errors import Object
from local.stripe.params import Fields, address_of_web, text


def _create(call: Call) -> Object:
    world, params = call.world, call.params
    world.find("customer", params["customer"], param="customer")
    session = world.add(
        "billing_portal.session",
        "bps",
        {
            "after_expiration": None,
            "configuration": "bpc_simulated",
            "customer": params["customer"],
            "flow": None,
            "locale": params.get("locale"),
            "on_behalf_of": None,
            "return_url": params.get("return_url"),
        },
    )
    session["url"] = f"{world.address}/p/session/{session['id']}"
    world.emit("billing_portal.session.created", session)
    return session


_CREATE: Fields = {"customer": text, "return_url": address_of_web, "locale": text}
OPERATIONS = [
    Operation("POST", "/v1/billing_portal/sessions", _create, _CREATE, ("customer",)),
]
