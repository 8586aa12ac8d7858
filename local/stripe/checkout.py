"""Checkout sessions: a page where a person pays, or saves a card."""

from typing import Any

from local.stripe import customers, money
from local.stripe.calls import Call, Operation, list_of, page, retrieve
from local.stripe.errors import Object, Refused, invalid, missing
from local.stripe.params import (
    PAGE,
    Fields,
    address_of_web,
    choice,
    fields,
    integer,
    merged,
    metadata,
    rows,
    text,
    timestamp,
)
from local.stripe.payment_methods import tie
from local.stripe.setup_intents import cancel, new_setup
from local.stripe.world import World

_SHORTEST_SECONDS = 30 * 60
_LONGEST_SECONDS = 86_400

_PRODUCT = fields(
    ("name",), name=text, description=text, metadata=metadata, images=rows(text), tax_code=text
)
_LINE = fields(
    ("price_data",),
    price_data=fields(
        ("currency", "unit_amount", "product_data"),
        currency=money.currency,
        unit_amount=integer(0),
        product_data=_PRODUCT,
    ),
    quantity=integer(1),
)
_CREATE: Fields = {
    "cancel_url": address_of_web,
    "client_reference_id": text,
    "currency": money.currency,
    "customer": text,
    "customer_creation": choice("always", "if_required"),
    "customer_email": text,
    "expires_at": timestamp,
    "line_items": rows(_LINE),
    "metadata": metadata,
    "mode": choice("payment", "setup", "subscription"),
    "payment_intent_data": fields(
        capture_method=choice("automatic", "automatic_async", "manual"),
        description=text,
        metadata=metadata,
        receipt_email=text,
        setup_future_usage=choice("off_session", "on_session"),
        statement_descriptor=text,
        statement_descriptor_suffix=text,
        transfer_group=text,
    ),
    "allowed_payment_method_types": rows(choice("card")),
    "setup_intent_data": fields(description=text, metadata=metadata),
    "submit_type": choice("auto", "book", "donate", "pay"),
    "success_url": address_of_web,
    "ui_mode": choice("hosted_page"),
}


def _create(call: Call) -> Object:
    world, params = call.world, call.params
    mode = params.get("mode", "payment")
    _require_sound(call, mode)
    lines = [_line(world, one) for one in params.get("line_items", [])]
    total = sum(line["amount_total"] for line in lines)
    code: str = lines[0]["currency"] if lines else params.get("currency", "")
    if mode == "payment":
        money.require_chargeable(
            total, code, what="The Checkout Session's total amount due must add up to"
        )
    session = world.add(
        "checkout.session",
        f"cs_{world.mode}",
        {
            **_plain(params),
            "amount_subtotal": total if mode == "payment" else None,
            "amount_total": total if mode == "payment" else None,
            "currency": code or None,
            "customer_creation": params.get("customer_creation", "if_required")
            if mode == "payment" and "customer" not in params
            else None,
            "expires_at": params.get("expires_at", world.now() + _LONGEST_SECONDS),
            "metadata": merged({}, params.get("metadata")),
            "mode": mode,
            "payment_status": "unpaid" if mode == "payment" else "no_payment_required",
            "total_details": {"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0}
            if mode == "payment"
            else None,
            "_lines": lines,
            "_intent": params.get("payment_intent_data", {}),
        },
    )
    session["url"] = f"{world.address}/c/pay/{session['id']}"
    if mode == "setup":
        _prepare_setup(world, session, params.get("setup_intent_data", {}))
    return session


def _require_sound(call: Call, mode: str) -> None:
    """Check what depends on more than one parameter.

    Raises:
        Refused: They do not fit together.
    """
    world, params = call.world, call.params
    if mode == "subscription":
        raise invalid("The simulator has no subscriptions.", "mode")
    if "success_url" not in params:
        raise missing("success_url")
    if "customer" in params:
        world.find("customer", params["customer"], param="customer")
        if "customer_email" in params:
            raise invalid(
                "You may only specify one of these parameters: customer, customer_email.",
                "customer",
            )
    if mode == "payment" and not params.get("line_items"):
        raise missing("line_items")
    if mode == "setup":
        if params.get("line_items"):
            raise invalid("You can not pass `line_items` in `setup` mode.", "line_items")
        if "currency" not in params and "allowed_payment_method_types" not in params:
            raise missing("currency")
    if len({one["price_data"]["currency"] for one in params.get("line_items", [])}) > 1:
        raise invalid("All line items must have the same currency.", "line_items")
    if "expires_at" in params:
        _require_lifetime(params["expires_at"] - world.now())


def _require_lifetime(seconds: int) -> None:
    """Check how long a session is to be open.

    Raises:
        Refused: For less than half an hour, or more than a day.
    """
    if seconds < _SHORTEST_SECONDS:
        raise invalid(
            "The `expires_at` timestamp must be at least 30 minutes from Checkout Session "
            "creation.",
            "expires_at",
        )
    if seconds > _LONGEST_SECONDS:
        raise invalid(
            "The `expires_at` timestamp must be less than 24 hours from Checkout Session creation.",
            "expires_at",
        )


def _plain(params: dict[str, Any]) -> Object:
    return {
        "adaptive_pricing": {"enabled": False},
        "after_expiration": None,
        "allow_promotion_codes": None,
        "allowed_payment_method_types": params.get("allowed_payment_method_types"),
        "automatic_tax": {"enabled": False, "liability": None, "provider": None, "status": None},
        "billing_address_collection": None,
        "cancel_url": params.get("cancel_url"),
        "client_reference_id": params.get("client_reference_id"),
        "client_secret": None,
        "consent": None,
        "consent_collection": None,
        "custom_fields": [],
        "custom_text": {
            "after_submit": None,
            "shipping_address": None,
            "submit": None,
            "terms_of_service_acceptance": None,
        },
        "customer": params.get("customer"),
        "customer_details": None,
        "customer_email": params.get("customer_email"),
        "discounts": [],
        "invoice": None,
        "invoice_creation": None,
        "locale": None,
        "payment_intent": None,
        "payment_link": None,
        "payment_method_collection": "always",
        "payment_method_configuration_details": None,
        "payment_method_options": {"card": {"request_three_d_secure": "automatic"}},
        "payment_method_types": ["card"],
        "phone_number_collection": {"enabled": False},
        "recovered_from": None,
        "setup_intent": None,
        "shipping_address_collection": None,
        "shipping_cost": None,
        "shipping_options": [],
        "status": "open",
        "submit_type": params.get("submit_type"),
        "subscription": None,
        "success_url": params["success_url"],
        "ui_mode": "hosted_page",
        "wallet_options": None,
    }


def _line(world: World, given: Object) -> Object:
    price, quantity = given["price_data"], given.get("quantity", 1)
    amount = price["unit_amount"] * quantity
    return {
        "id": world.new_id("li"),
        "object": "item",
        "amount_discount": 0,
        "amount_subtotal": amount,
        "amount_tax": 0,
        "amount_total": amount,
        "currency": price["currency"],
        "description": price["product_data"]["name"],
        "metadata": {},
        "price": {
            "id": world.new_id("price"),
            "object": "price",
            "active": False,
            "billing_scheme": "per_unit",
            "created": world.now(),
            "currency": price["currency"],
            "livemode": world.is_live,
            "metadata": {},
            "product": world.new_id("prod"),
            "type": "one_time",
            "unit_amount": price["unit_amount"],
            "unit_amount_decimal": str(price["unit_amount"]),
        },
        "quantity": quantity,
    }


def _prepare_setup(world: World, session: Object, given: Object) -> None:
    intent = new_setup(
        world,
        customer=session["customer"],
        description=given.get("description"),
        metadata=merged({}, given.get("metadata")),
        _session=session["id"],
    )
    session["setup_intent"] = intent["id"]


def require_open(session: Object, message: str) -> None:
    """Check that a session can still be used.

    Raises:
        Refused: It is complete, or has expired.
    """
    if session["status"] != "open":
        raise Refused(message)


def complete(world: World, session: Object, method: Object) -> None:
    """The person has paid, or saved the card: the session is over, and its event goes out."""
    intent = world.get("payment_intent", session["payment_intent"])
    billing = method["billing_details"]
    known = world.get("customer", session["customer"]) or {}
    if session["customer_creation"] == "always" and session["customer"] is None:
        customer = _customer_of(world, billing)
        session["customer"] = customer["id"]
        if intent is not None and intent["setup_future_usage"] is not None:
            tie(world, method, customer["id"])
    is_paid = intent is None or intent["status"] == "succeeded"
    session.update(
        status="complete",
        url=None,
        customer_details={
            "address": billing["address"],
            "business_name": None,
            "email": billing["email"] or session["customer_email"] or known.get("email"),
            "individual_name": None,
            "name": billing["name"],
            "phone": billing["phone"],
            "tax_exempt": "none",
            "tax_ids": [],
        },
    )
    if intent is not None:
        session["payment_status"] = "paid" if is_paid else "unpaid"
    world.emit("checkout.session.completed", session)


def _customer_of(world: World, billing: Object) -> Object:
    customer = customers.make(world, email=billing["email"], name=billing["name"])
    world.emit("customer.created", customer)
    return customer


def expire(world: World, session: Object) -> None:
    """Close a session that nobody completed.

    Raises:
        Refused: It is complete, or has expired already.
    """
    require_open(
        session,
        f'Only Checkout Sessions with a status in ["open"] can be expired. This Checkout '
        f"Session has a status of {session['status']}.",
    )
    session.update(status="expired", url=None)
    setup = world.get("setup_intent", session["setup_intent"])
    if setup is not None:
        cancel(world, setup, None)
    world.emit("checkout.session.expired", session)


def settle(world: World) -> None:
    """Sessions end at their time."""
    for session in list(world.every("checkout.session")):
        if session["status"] == "open" and session["expires_at"] <= world.now():
            expire(world, session)


def _expire(call: Call) -> Object:
    session = call.world.find("checkout.session", call.id, in_path=True)
    expire(call.world, session)
    return session


def _update(call: Call) -> Object:
    session = call.world.find("checkout.session", call.id, in_path=True)
    session["metadata"] = merged(session["metadata"], call.params.get("metadata"))
    return session


def _lines(call: Call) -> Object:
    session = call.world.find("checkout.session", call.id, in_path=True)
    return page(call, session["_lines"], kind="item", url=f"{_PATH}/{call.id}/line_items")


_PATH = "/v1/checkout/sessions"
OPERATIONS = [
    Operation("POST", _PATH, _create, _CREATE),
    list_of(
        _PATH,
        "checkout.session",
        filters={
            "customer": text,
            "payment_intent": text,
            "status": choice("complete", "expired", "open"),
        },
    ),
    retrieve(f"{_PATH}/{{id}}", "checkout.session"),
    Operation("POST", f"{_PATH}/{{id}}", _update, {"metadata": metadata}),
    Operation("POST", f"{_PATH}/{{id}}/expire", _expire),
    Operation("GET", f"{_PATH}/{{id}}/line_items", _lines, PAGE),
]
