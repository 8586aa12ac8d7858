"""Events of the provider's as items: for ever, so that none has its effect twice."""

from collections.abc import Mapping
from typing import Any

from holdfast.domain.accounts import Tenant
from holdfast.domain.stripe_events import StripeEvent
from holdfast.store import keys
from holdfast.store.attributes import Plain
from holdfast.store.kinds import Kind, Place, flat, from_flat

_ORG = "stripe"


def _event(_: Tenant, event: StripeEvent) -> dict[str, Plain]:
    # Whose it is shows when it is looked into: until then it is the provider's own, in a mode.
    tenant = Tenant(_ORG, event.mode)
    return {"tenant": tenant.segment, **flat(event, without=("id", "mode", "version"))}


def _to_event(plain: Mapping[str, Any], place: Place) -> StripeEvent:
    found: StripeEvent = from_flat(
        plain, StripeEvent, id=place.owner, mode=place.tenant.mode, version=plain["version"]
    )
    return found


KINDS = (
    Kind(
        type=StripeEvent,
        noun="EVENT",
        key=lambda _, event: keys.stripe_event(event.id),
        plain=_event,
        record=_to_event,
    ),
)
