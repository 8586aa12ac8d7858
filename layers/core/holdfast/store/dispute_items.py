"""Disputes as items: beside the wallet of the account whose payment is disputed."""

from collections.abc import Mapping
from typing import Any

from holdfast.domain.accounts import Tenant
from holdfast.domain.disputes import Dispute
from holdfast.store import keys
from holdfast.store.attributes import Plain
from holdfast.store.kinds import Kind, Place, flat, from_flat


def _dispute(tenant: Tenant, dispute: Dispute) -> dict[str, Plain]:
    due = {}
    if dispute.due_at is not None:
        due = keys.due(tenant, dispute.account_id, dispute.id, dispute.due_at)
    return {**due, **flat(dispute, without=("account_id", "id", "version"))}


def _to_dispute(plain: Mapping[str, Any], place: Place) -> Dispute:
    found: Dispute = from_flat(plain, Dispute, account_id=place.owner, id=place.name)
    return found


KINDS = (
    Kind(
        type=Dispute,
        noun="DISPUTE",
        key=lambda tenant, dispute: keys.dispute(tenant, dispute.account_id, dispute.id),
        plain=_dispute,
        record=_to_dispute,
    ),
)
