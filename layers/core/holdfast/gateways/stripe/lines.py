"""Stripe's lines of the balance, as lines that the ledger is held against."""

from collections.abc import Mapping
from dataclasses import replace

from holdfast.domain import reconciliation as words
from holdfast.domain.accounts import Tenant
from holdfast.domain.reconciliation import Line
from holdfast.errors import InvalidField
from holdfast.gateways.stripe.records import BalanceTransaction, Source

# Stripe has two words for what happens to cards and to whatever else pays. An adjustment is what
# reports call it: Stripe's own corrections are no part of any payment.
_TYPES = {
    "charge": words.CHARGE,
    "payment": words.CHARGE,
    "payment_failure_refund": words.CHARGE_FAILURE,
    "payment_reversal": words.CHARGE_FAILURE,
    "refund": words.REFUND_LINE,
    "payment_refund": words.REFUND_LINE,
    "refund_failure": words.REFUND_FAILURE,
    "dispute": words.DISPUTE,
    "dispute_reversal": words.DISPUTE_REVERSAL,
}
_NO_SOURCE = Source(id="", kind="")


def line_of(found: BalanceTransaction) -> Line:
    """A line of the balance, in the currency that the customer paid in."""
    source = found.source or _NO_SOURCE
    told = found.category if found.type == "adjustment" else found.type
    amount_micros, currency = found.amount_micros, found.currency
    if source.currency not in ("", currency):
        # It was settled in another currency than the card was charged in.
        currency = source.currency
        amount_micros = source.amount_micros if amount_micros > 0 else -source.amount_micros
    is_charge = source.kind == "charge"
    line = Line(
        id=found.id,
        type=_TYPES.get(told, told),
        amount_micros=amount_micros,
        currency=currency,
        fee_micros=found.fee_micros,
        fee_currency=found.currency,
        created=found.created,
        about=(source.payment_intent_id if is_charge else None) or source.id,
        began_at=source.created,
        payment_intent_id=source.payment_intent_id or "",
        customer_id=source.customer_id or "",
    )
    return named(line, source.metadata)


def named(line: Line, metadata: Mapping[str, str]) -> Line:
    """The line with the payment that this metadata names."""
    try:
        tenant = Tenant(metadata.get("org", ""), metadata.get("mode", ""))
    except InvalidField:
        return line
    return replace(
        line,
        tenant=tenant,
        payment_id=metadata.get("payment_id", ""),
        account_id=metadata.get("account_id", ""),
    )
