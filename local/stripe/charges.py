"""Charges: each attempt to take money from a card, and what became of it."""

from local.stripe import balance
from local.stripe.calls import Call, Operation, list_of, retrieve
from local.stripe.cards import Decline
from local.stripe.errors import Object
from local.stripe.money import fee_half_up
from local.stripe.params import merged, metadata, optional_text, text
from local.stripe.payment_methods import card_of
from local.stripe.world import World


def attempt(world: World, intent: Object, method: Object, *, decline: Decline | None) -> Object:
    """A charge for an intent: declined, authorised, or captured at once."""
    is_captured = decline is None and intent["capture_method"] != "manual"
    charge = world.add(
        "charge",
        "ch",
        {
            **_of_intent(intent, method),
            **_how_it_ended(decline),
            "amount": intent["amount"],
            "amount_captured": intent["amount"] if is_captured else 0,
            "captured": is_captured,
            "payment_method_details": _details(method, intent, decline),
        },
    )
    if is_captured:
        _enter(world, charge)
    world.emit("charge.succeeded" if decline is None else "charge.failed", charge)
    return charge


def _of_intent(intent: Object, method: Object) -> Object:
    return {
        "amount_refunded": 0,
        "application": None,
        "application_fee": None,
        "application_fee_amount": None,
        "balance_transaction": None,
        "billing_details": method["billing_details"],
        "calculated_statement_descriptor": "HOLDFAST",
        "currency": intent["currency"],
        "customer": intent["customer"],
        "description": intent["description"],
        "disputed": False,
        "failure_balance_transaction": None,
        "fraud_details": {},
        "metadata": dict(intent["metadata"]),
        "on_behalf_of": None,
        "payment_intent": intent["id"],
        "payment_method": method["id"],
        "radar_options": {},
        "receipt_email": intent["receipt_email"],
        "receipt_number": None,
        "receipt_url": None,
        "refunded": False,
        "review": None,
        "shipping": None,
        "source": None,
        "source_transfer": None,
        "statement_descriptor": intent["statement_descriptor"],
        "statement_descriptor_suffix": intent["statement_descriptor_suffix"],
        "transfer_data": None,
        "transfer_group": None,
    }


def _how_it_ended(decline: Decline | None) -> Object:
    is_paid = decline is None
    reason = None if decline is None else decline.decline_code or decline.code
    return {
        "failure_code": None if decline is None else decline.code,
        "failure_message": None if decline is None else decline.message,
        "outcome": {
            "advice_code": None if decline is None else decline.advice_code,
            "network_advice_code": None,
            "network_decline_code": None,
            "network_status": "approved_by_network" if is_paid else "declined_by_network",
            "reason": reason,
            "risk_level": "normal",
            "risk_score": 20,
            "seller_message": "Payment complete."
            if is_paid
            else "The bank returned the decline code `" + str(reason) + "`.",
            "type": "authorized" if is_paid else "issuer_declined",
        },
        "paid": is_paid,
        "status": "succeeded" if is_paid else "failed",
    }


def _details(method: Object, intent: Object, decline: Decline | None) -> Object:
    card = method["card"]
    shown = {
        name: card[name]
        for name in (
            "brand", "checks", "country", "exp_month", "exp_year", "fingerprint", "funding",
            "last4", "wallet",
        )
    }  # fmt: skip
    authorized = intent["amount"] if decline is None else None
    secure = {"result": "authenticated", "version": "2.2.0"} if intent["_authenticated"] else None
    return {
        "card": {
            "amount_authorized": authorized,
            **shown,
            "network": card["brand"],
            "three_d_secure": secure,
        },
        "type": "card",
    }


def _enter(world: World, charge: Object) -> None:
    """Put what was captured into the balance."""
    amount = charge["amount_captured"]
    entered = balance.note(
        world,
        "charge",
        amount=amount,
        code=charge["currency"],
        source=charge["id"],
        description=charge["description"],
        fee=fee_half_up(amount),
    )
    charge["balance_transaction"] = entered["id"]


def capture(world: World, charge: Object, amount: int) -> None:
    """Take part or all of what was authorised; the rest goes back to the card at once."""
    charge["captured"] = True
    charge["amount_captured"] = amount
    charge["amount_refunded"] = charge["amount"] - amount
    _enter(world, charge)
    world.emit("charge.captured", charge)


def void(world: World, charge: Object) -> None:
    """Let go of an authorisation; it shows as refunded though nothing was taken."""
    charge["amount_refunded"] = charge["amount"]
    charge["refunded"] = True
    world.emit("charge.refunded", charge)


def unrefunded(charge: Object) -> int:
    """What can still be refunded of a charge, in the currency's smallest unit."""
    left = charge["amount"] - charge["amount_refunded"]
    assert isinstance(left, int)
    return left if charge["captured"] else 0


def disputes_at_once(world: World, charge: Object) -> tuple[str, bool] | None:
    """What the holder of a test card complains of, and whether they only inquire; or None."""
    method = world.get("payment_method", charge["payment_method"])
    card = None if method is None else card_of(method)
    if card is None or card.disputed_for is None:
        return None
    return card.disputed_for, card.is_inquiry


def _update(call: Call) -> Object:
    charge = call.world.find("charge", call.id, in_path=True)
    change = dict(call.params)
    if "metadata" in change:
        change["metadata"] = merged(charge["metadata"], change["metadata"])
    call.world.change(charge, "charge.updated", **change)
    return charge


OPERATIONS = [
    list_of("/v1/charges", "charge", filters={"customer": text, "payment_intent": text}),
    retrieve("/v1/charges/{id}", "charge"),
    Operation(
        "POST",
        "/v1/charges/{id}",
        _update,
        {"description": optional_text, "metadata": metadata, "receipt_email": optional_text},
    ),
]
