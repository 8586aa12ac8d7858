"""Payments over x402, as items: each stands under the id of its authorisation, and under no org.

An authorisation is good once, whoever presents it: two orgs that race for one meet at its key.
"""

from collections.abc import Mapping
from typing import Any

from holdfast.domain.accounts import Tenant
from holdfast.domain.x402_settlements import X402Settlement
from holdfast.store import keys
from holdfast.store.attributes import Plain
from holdfast.store.kinds import Kind, Place, flat, from_flat

_RENAMED = ("id", "tenant", "amount_micros", "version")


def _settlement(_: Tenant, settlement: X402Settlement) -> dict[str, Plain]:
    due = {}
    if settlement.due_at is not None:
        due = keys.due(settlement.tenant, settlement.account_id, settlement.id, settlement.due_at)
    return {
        **due,
        "tenant": settlement.tenant.segment,
        "amount": settlement.amount_micros,
        **flat(settlement, without=_RENAMED),
    }


def _to_settlement(plain: Mapping[str, Any], place: Place) -> X402Settlement:
    known = {"id": place.owner, "tenant": place.tenant, "amount_micros": plain["amount"]}
    found: X402Settlement = from_flat(plain, X402Settlement, **known)
    return found


KINDS = (
    Kind(
        type=X402Settlement,
        noun="X402",
        key=lambda _, settlement: keys.x402_settlement(settlement.id),
        plain=_settlement,
        record=_to_settlement,
    ),
)
