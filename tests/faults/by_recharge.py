"""A wallet that is recharged by itself, for tables that have to hold some of everything."""

from typing import Any

from holdfast.domain.accounts import Tenant, owner_of
from holdfast.domain.clock import Instant
from holdfast.domain.once import Once
from holdfast.domain.recharge_attempts import FAILED, PENDING, SUCCEEDED
from holdfast.errors import StripeUnavailable
from holdfast.services import auto_recharge, cards
from holdfast.store.ledger_store import LedgerStore
from tests.api.provider import Provider

MAJOR = 1_000_000
DEAD = "pm_card_chargeCustomerFail"


def recharge_by_itself(store: LedgerStore, tenant: Tenant, *, now: Instant) -> None:
    """Somebody's attempt that went well, one that failed, and one of which nobody knows yet."""
    owner = owner_of(tenant, f"{tenant.org}/rita")
    provider = Provider(clock=now.timestamp)
    # Its ids are its own: what it charges is no other provider's payment.
    provider.counter(tenant.mode).seed = "by itself"
    store_and = (store, provider.gateway, owner)

    def once(key: str) -> Once:
        return Once(
            tenant=owner.tenant,
            caller=owner.user or "",
            key=f"by itself {key}",
            fingerprint=key,
            now=now,
        )

    for number, (card_id, status) in enumerate(
        [("pm_card_visa", SUCCEEDED), (DEAD, FAILED), ("pm_card_mastercard", PENDING)]
    ):
        key = f"save {number}"
        cards.save_card(*store_and, card_id=card_id, make_default=True, once=once(key))
        auto_recharge.configure(
            store, owner, threshold_micros=MAJOR, amount_micros=5 * MAJOR, once=once(f"on {number}")
        )
        intents: Any = provider.gateway(owner.tenant.mode).payment_intents
        if status == PENDING:
            intents.create = _down
        attempt, _ = auto_recharge.try_out(*store_and, once=once(f"try {number}"))
        assert attempt.status == status


def _down(**asked: object) -> None:
    raise StripeUnavailable(outcome_unknown=True)
