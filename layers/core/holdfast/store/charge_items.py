"""Payments as items: found by their id, listed by account, and by the day they were settled on."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from holdfast.domain.accounts import Tenant
from holdfast.domain.payments import INTENT, ORDER, REFUND, Kind, Payment
from holdfast.store import keys
from holdfast.store.attributes import Plain
from holdfast.store.kinds import Kind as RecordKind
from holdfast.store.kinds import Place, flat, from_flat

TOPUPS = "topup"
LISTS: Mapping[Kind, str] = {INTENT: "intent", ORDER: "order", REFUND: "refund"}
"""The list that payments of a kind stand in; the others are all top-ups."""


_EMPTY = {each.name: each.default for each in fields(Payment)}


def list_of(kind: Kind) -> str:
    """The list that payments of that kind stand in."""
    return LISTS.get(kind, TOPUPS)


def _payment(tenant: Tenant, payment: Payment) -> dict[str, Plain]:
    index: dict[str, str] = {}
    if payment.due_at is not None:
        index = keys.due(tenant, payment.account_id, payment.id, payment.due_at)
    elif payment.settled_at is not None:
        index = keys.settled(tenant.mode, payment.settled_at, payment.id)
    told = flat(payment, without=("id", "tenant", "version", "details"))
    return {
        # Most payments are none of most things.
        **{name: value for name, value in told.items() if value or _EMPTY.get(name, value)},
        "gsi1pk": keys.payments(tenant, payment.account_id),
        "gsi1sk": keys.payment_place(list_of(payment.kind), payment.id),
        "details": dict(payment.details) or None,
        **index,
    }


def _to_payment(plain: Mapping[str, Any], place: Place) -> Payment:
    found: Payment = from_flat(plain, Payment, id=place.owner, tenant=place.tenant)
    return found


KINDS = (
    RecordKind(
        type=Payment,
        noun="PAYMENT",
        key=lambda tenant, payment: keys.payment(tenant, payment.id),
        plain=_payment,
        record=_to_payment,
    ),
)
