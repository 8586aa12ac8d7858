"""The wallet that every request finds, and a client that does no work."""

from datetime import UTC, datetime, timedelta
from typing import Any

from benchmarks.stand.events import ADMIN
from holdfast.domain.accounts import Tenant, owner_of
from holdfast.domain.ledger import Wallet
from holdfast.domain.lots import CREDIT, Lot, Terms
from holdfast.domain.wallet import LOT_PREFIX
from holdfast.store.attributes import Attributes
from holdfast.store.items import to_item

PLENTY_MICROS = 10**14


def wallet_item() -> Attributes:
    """A wallet with cash, an open lot of credit and an open hold: an everyday one."""
    now = datetime.now(UTC).replace(microsecond=0)
    owner = owner_of(Tenant(ADMIN["org"], ADMIN["mode"]), ADMIN["user"])
    terms = Terms(kind=CREDIT, granted_at=now, tag="introductory")
    wallet = Wallet(
        tenant=owner.tenant,
        account_id=owner.account_id,
        currency="usd",
        version=9,
        seq=7,
        head="5" * 64,
        cash_micros=PLENTY_MICROS,
        cash_held_micros=1_000_000,
        lots=(Lot(id=LOT_PREFIX + "a" * 26, terms=terms, remaining_micros=PLENTY_MICROS),),
        credited_micros=2 * PLENTY_MICROS + 1_000_000,
        credits_count=2,
        debits_count=4,
        hold_due_at=now + timedelta(days=1),
        open_from="hold_" + "0" * 26 + "_usd",
        updated_at=now,
    )
    return to_item(owner.tenant, wallet)[1]


class NoClient:
    """In the place of boto3: it takes every call, and does nothing for it."""

    def __init__(self) -> None:
        self.answer = {"Item": wallet_item()}

    def get_item(self, **_: object) -> dict[str, Any]:
        return self.answer

    def transact_write_items(self, **_: object) -> dict[str, Any]:
        return {}
