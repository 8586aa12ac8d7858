"""How wallets are recharged, as items: the settings, the attempts, and the breakers of cards."""

from collections.abc import Mapping
from typing import Any

from holdfast.domain.accounts import Tenant
from holdfast.domain.recharge import AutoRecharge
from holdfast.domain.recharge_attempts import Attempt, Breaker
from holdfast.store import keys
from holdfast.store.attributes import Plain
from holdfast.store.kinds import Kind, Place, flat, from_flat


def _recharge(tenant: Tenant, settings: AutoRecharge) -> dict[str, Plain]:
    place = (tenant, settings.account_id, settings.currency)
    due = keys.due(*place, settings.next_at) if settings.next_at else {}
    return {**due, **flat(settings, without=("account_id", "version"))}


def _to_recharge(plain: Mapping[str, Any], place: Place) -> AutoRecharge:
    found: AutoRecharge = from_flat(plain, AutoRecharge, account_id=place.owner)
    return found


def _attempt(_: Tenant, attempt: Attempt) -> dict[str, Plain]:
    return flat(attempt, without=("account_id", "id", "version"))


def _to_attempt(plain: Mapping[str, Any], place: Place) -> Attempt:
    found: Attempt = from_flat(plain, Attempt, account_id=place.owner, id=place.name)
    return found


def _breaker(_: Tenant, breaker: Breaker) -> dict[str, Plain]:
    return flat(breaker, without=("card", "version"))


def _to_breaker(plain: Mapping[str, Any], place: Place) -> Breaker:
    found: Breaker = from_flat(plain, Breaker, card=place.owner)
    return found


KINDS = (
    Kind(
        type=AutoRecharge,
        noun="RECHARGE",
        key=lambda tenant, settings: keys.recharge(tenant, settings.account_id),
        plain=_recharge,
        record=_to_recharge,
    ),
    Kind(
        type=Attempt,
        noun="ATTEMPT",
        key=lambda tenant, attempt: keys.attempt(tenant, attempt.account_id, attempt.id),
        plain=_attempt,
        record=_to_attempt,
    ),
    Kind(
        type=Breaker,
        noun="BREAKER",
        key=lambda tenant, breaker: keys.breaker(tenant, breaker.card),
        plain=_breaker,
        record=_to_breaker,
    ),
)
