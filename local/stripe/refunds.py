"""Refunds: part or all of a charge, back to its card."""

from local.stripe import balance
from local.stripe.calls import Call, Operation, list_of, retrieve
from local.stripe.charges import unrefunded
from local.stripe.errors import Object, Refused, invalid
from local.stripe.money import spelled
from local.stripe.params import Fields, choice, integer, merged, metadata, text
from local.stripe.payment_methods import card_of
from local.stripe.world import World

_FAILS_AFTER_SECONDS = 60


def _create(call: Call) -> Object:
    world, params = call.world, call.params
    charge = _charge(world, params.get("charge"), params.get("payment_intent"))
    left = unrefunded(charge)
    if left == 0 or charge["refunded"]:
        raise Refused(
            f"Charge {charge['id']} has already been refunded.", code="charge_already_refunded"
        )
    if charge["disputed"] and not charge.get("_is_refundable", False):
        raise Refused(
            f"Charge {charge['id']} has been charged back; cannot issue a refund.",
            code="charge_disputed",
        )
    amount = params.get("amount", left)
    if amount > left:
        code = charge["currency"]
        raise Refused(
            f"Refund amount ({spelled(amount, code)}) is greater than unrefunded amount on charge "
            f"({spelled(left, code)})",
            param="amount",
        )
    return _refund(world, charge, amount, params)


def _charge(world: World, charge_id: str | None, intent_id: str | None) -> Object:
    """The charge that is named, or the one that paid the intent.

    Raises:
        Refused: Neither is named or both are, there is no such thing, or nothing was paid.
    """
    if charge_id is None and intent_id is None:
        raise invalid(
            "One of the following params should be provided for this request: payment_intent or "
            "charge.",
            None,
        )
    if intent_id is None:
        assert charge_id is not None
        charge = world.find("charge", charge_id, param="charge")
        if not (charge["paid"] and charge["captured"]):
            raise Refused(f"Charge {charge['id']} cannot be refunded.", param="charge")
        return charge
    intent = world.find("payment_intent", intent_id, param="payment_intent")
    charge = world.get("charge", intent["latest_charge"]) or {}
    if charge_id is not None and charge.get("id") != charge_id:
        raise invalid("The charge does not belong to the payment_intent.", "charge")
    if not (charge.get("paid") and charge.get("captured")):
        raise Refused(
            f"This PaymentIntent ({intent_id}) does not have a successful charge to refund.",
            code="payment_intent_unexpected_state",
            param="payment_intent",
        )
    return charge


def _refund(world: World, charge: Object, amount: int, params: Object) -> Object:
    method = world.find("payment_method", charge["payment_method"])
    fate = card_of(method).refunds
    entered = balance.note(
        world,
        "refund",
        amount=-amount,
        code=charge["currency"],
        source="",
        description=f"REFUND FOR CHARGE ({charge['description']})"
        if charge["description"]
        else "REFUND FOR CHARGE",
    )
    refund = world.add(
        "refund",
        "re",
        {
            "amount": amount,
            "balance_transaction": entered["id"],
            "charge": charge["id"],
            "currency": charge["currency"],
            "destination_details": {
                "card": {
                    "reference_status": "pending",
                    "reference_type": "acquirer_reference_number",
                    "type": "refund",
                },
                "type": "card",
            },
            "metadata": merged({}, params.get("metadata")),
            "payment_intent": charge["payment_intent"],
            "reason": params.get("reason"),
            "receipt_number": None,
            "source_transfer_reversal": None,
            "status": "pending" if fate == "pending" else "succeeded",
            "transfer_reversal": None,
            "_settles": fate if fate != "succeeded" else None,
            "_settles_at": world.now() + _FAILS_AFTER_SECONDS,
        },
    )
    del refund["livemode"]
    entered["source"] = refund["id"]
    charge["amount_refunded"] += amount
    charge["refunded"] = unrefunded(charge) == 0
    world.emit("charge.refunded", charge)
    world.emit("refund.created", refund)
    return refund


def uncaptured(world: World, charge: Object, amount: int) -> None:
    """The refund that Stripe makes of what was authorised and not captured: no money moves."""
    refund = world.add(
        "refund",
        "re",
        {
            "amount": amount,
            "balance_transaction": None,
            "charge": charge["id"],
            "currency": charge["currency"],
            "metadata": {},
            "payment_intent": charge["payment_intent"],
            "reason": None,
            "receipt_number": None,
            "source_transfer_reversal": None,
            "status": "succeeded",
            "transfer_reversal": None,
            "_settles": None,
            "_settles_at": None,
        },
    )
    del refund["livemode"]
    world.emit("charge.refunded", charge)
    world.emit("refund.created", refund)


def fail(world: World, refund: Object, reason: str) -> None:
    """A refund that the bank sends back: its amount is on the balance again.

    Raises:
        Refused: It has failed or was cancelled already.
    """
    if refund["status"] not in ("pending", "succeeded"):
        raise Refused(f"Refund {refund['id']} has a status of {refund['status']}.")
    charge = world.find("charge", refund["charge"])
    entered = balance.note(
        world,
        "refund_failure",
        amount=refund["amount"],
        code=refund["currency"],
        source=refund["id"],
        description="REFUND FAILURE",
    )
    before = {"status": refund["status"]}
    refund.update(
        status="failed",
        failure_reason=reason,
        failure_balance_transaction=entered["id"],
        _settles=None,
    )
    charge["amount_refunded"] -= refund["amount"]
    charge["refunded"] = False
    _tell(world, refund, before)
    world.emit("refund.failed", refund)


def _tell(world: World, refund: Object, before: Object) -> None:
    """A refund that changes is told of twice: under its own name, and its charge's."""
    world.emit("refund.updated", refund, before=before)
    world.emit("charge.refund.updated", refund, before=before)


def settle(world: World) -> None:
    """Refunds of the test cards for it succeed late, or fail late."""
    for refund in list(world.every("refund")):
        if refund["_settles"] is None or refund["_settles_at"] > world.now():
            continue
        if refund["_settles"] == "failed":
            fail(world, refund, "expired_or_canceled_card")
        else:
            refund.update(status="succeeded", _settles=None)
            _tell(world, refund, {"status": "pending"})


def _update(call: Call) -> Object:
    refund = call.world.find("refund", call.id, in_path=True)
    if "metadata" in call.params:
        before = {"metadata": refund["metadata"]}
        refund["metadata"] = merged(refund["metadata"], call.params["metadata"])
        _tell(call.world, refund, before)
    return refund


_CREATE: Fields = {
    "amount": integer(1),
    "charge": text,
    "metadata": metadata,
    "payment_intent": text,
    "reason": choice("duplicate", "fraudulent", "requested_by_customer"),
}
OPERATIONS = [
    Operation("POST", "/v1/refunds", _create, _CREATE),
    list_of("/v1/refunds", "refund", filters={"charge": text, "payment_intent": text}),
    retrieve("/v1/refunds/{id}", "refund"),
    Operation("POST", "/v1/refunds/{id}", _update, {"metadata": metadata}),
]
