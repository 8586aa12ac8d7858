"""Disputes: a card's holder wants the money of a charge back."""

from local.stripe import balance
from local.stripe.calls import Call, Operation, list_of, retrieve
from local.stripe.errors import Object, Refused
from local.stripe.money import DISPUTE_FEE
from local.stripe.params import Fields, fields, flag, merged, metadata, optional_text, text
from local.stripe.world import World

_ANSWER_SECONDS = 9 * 86_400
_OPEN = ("needs_response", "under_review")
_INQUIRIES = ("warning_needs_response", "warning_under_review")
_NETWORK_REASONS = {"fraudulent": "10.4", "product_not_received": "13.1"}
_EVIDENCE = [
    "access_activity_log", "billing_address", "cancellation_policy",
    "cancellation_policy_disclosure", "cancellation_rebuttal", "customer_communication",
    "customer_email_address", "customer_name", "customer_purchase_ip", "customer_signature",
    "duplicate_charge_documentation", "duplicate_charge_explanation", "duplicate_charge_id",
    "product_description", "receipt", "refund_policy", "refund_policy_disclosure",
    "refund_refusal_explanation", "service_date", "service_documentation", "shipping_address",
    "shipping_carrier", "shipping_date", "shipping_documentation", "shipping_tracking_number",
    "uncategorized_file", "uncategorized_text",
]  # fmt: skip


def open_dispute(
    world: World,
    charge: Object,
    *,
    reason: str = "fraudulent",
    amount: int | None = None,
    is_inquiry: bool = False,
) -> Object:
    """Dispute a charge; unless it is only an inquiry, the money and a fee are taken at once.

    Raises:
        Refused: The charge took no money, or is disputed already.
    """
    if not charge["captured"] or charge["disputed"]:
        raise Refused(f"Charge {charge['id']} cannot be disputed.", param="charge")
    disputed = charge["amount"] - charge["amount_refunded"] if amount is None else amount
    dispute = world.add(
        "dispute",
        "du",
        {
            "amount": disputed,
            "balance_transactions": [],
            "charge": charge["id"],
            "currency": charge["currency"],
            "enhanced_eligibility_types": [],
            "evidence": {
                **dict.fromkeys(_EVIDENCE),
                "enhanced_evidence": {},
            },
            "evidence_details": {
                "due_by": world.now() + _ANSWER_SECONDS,
                "enhanced_eligibility": {},
                "has_evidence": False,
                "past_due": False,
                "submission_count": 0,
            },
            "is_charge_refundable": is_inquiry,
            "metadata": {},
            "payment_intent": charge["payment_intent"],
            "payment_method_details": {
                "card": {
                    "brand": charge["payment_method_details"]["card"]["brand"],
                    "case_type": "inquiry" if is_inquiry else "chargeback",
                    "network_reason_code": _NETWORK_REASONS.get(reason, "10.4"),
                },
                "type": "card",
            },
            "reason": reason,
            "status": "warning_needs_response" if is_inquiry else "needs_response",
        },
    )
    charge["disputed"] = True
    charge["_is_refundable"] = is_inquiry
    world.emit("charge.dispute.created", dispute)
    if not is_inquiry:
        _enter(world, dispute, -disputed, "dispute", fee=DISPUTE_FEE)
        world.emit("charge.dispute.funds_withdrawn", dispute)
    return dispute


def _enter(world: World, dispute: Object, amount: int, category: str, *, fee: int = 0) -> None:
    entered = balance.note(
        world,
        "adjustment",
        amount=amount,
        code=dispute["currency"],
        source=dispute["id"],
        category=category,
        description=f"Chargeback {'withdrawal' if amount < 0 else 'reversal'} for "
        f"{dispute['charge']}",
        fee=fee,
        fee_description="Dispute fee",
    )
    dispute["balance_transactions"] = [*dispute["balance_transactions"], dict(entered)]


def end(world: World, dispute: Object, status: str) -> None:
    """Decide a dispute; what is won comes back, without the fee.

    Raises:
        Refused: It is decided already.
    """
    if dispute["status"] in _INQUIRIES:
        dispute["status"] = "warning_closed"
    elif dispute["status"] in _OPEN:
        dispute["status"] = status
    else:
        raise Refused(f"This dispute is already closed: it is {dispute['status']}.")
    dispute["is_charge_refundable"] = False
    if dispute["status"] == "won":
        _enter(world, dispute, dispute["amount"], "dispute_reversal")
        world.emit("charge.dispute.funds_reinstated", dispute)
    world.emit("charge.dispute.closed", dispute)


def _update(call: Call) -> Object:
    world, params = call.world, call.params
    dispute = world.find("dispute", call.id, in_path=True)
    if "evidence" in params and dispute["status"] not in (*_OPEN, *_INQUIRIES):
        raise Refused("This dispute is already closed.", param="evidence")
    before = {"evidence": dispute["evidence"]}
    if "metadata" in params:
        dispute["metadata"] = merged(dispute["metadata"], params["metadata"])
    if "evidence" in params:
        dispute["evidence"] = {**dispute["evidence"], **params["evidence"]}
        has_evidence = any(dispute["evidence"][name] for name in _EVIDENCE)
        dispute["evidence_details"]["has_evidence"] = has_evidence
    if "evidence" in params and params.get("submit", True):
        dispute["evidence_details"]["submission_count"] += 1
        is_inquiry = dispute["status"] in _INQUIRIES
        dispute["status"] = "warning_under_review" if is_inquiry else "under_review"
    world.emit("charge.dispute.updated", dispute, before=before)
    # The two words that decide a dispute in test mode.
    verdict = dispute["evidence"]["uncategorized_text"]
    if dispute["status"] == "under_review" and verdict in ("winning_evidence", "losing_evidence"):
        end(world, dispute, "won" if verdict == "winning_evidence" else "lost")
    return dispute


def _close(call: Call) -> Object:
    dispute = call.world.find("dispute", call.id, in_path=True)
    end(call.world, dispute, "lost")
    return dispute


_UPDATE: Fields = {
    "evidence": fields((), **dict.fromkeys(_EVIDENCE, optional_text)),
    "metadata": metadata,
    "submit": flag,
}
OPERATIONS = [
    list_of("/v1/disputes", "dispute", filters={"charge": text, "payment_intent": text}),
    retrieve("/v1/disputes/{id}", "dispute"),
    Operation("POST", "/v1/disputes/{id}", _update, _UPDATE),
    Operation("POST", "/v1/disputes/{id}/close", _close),
]
