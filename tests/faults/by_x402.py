"""All that can become of payments over x402, for tables that have to hold some of everything."""

from holdfast.domain import x402
from holdfast.domain.accounts import Owner
from holdfast.domain.clock import Instant
from holdfast.domain.x402_payments import read_payment
from holdfast.domain.x402_settlements import FAILED, SETTLED, UNKNOWN
from holdfast.services import x402 as payments
from holdfast.services.x402 import Checkout
from holdfast.store.ledger_store import LedgerStore
from tests.domain.x402_samples import PAY_TO, URL, header, paid
from tests.services.till import Fault, Till

OUTCOMES: tuple[tuple[Fault | None, str], ...] = (
    (None, SETTLED),
    ("refused", FAILED),
    ("before", UNKNOWN),
    ("pending", UNKNOWN),
)


def pay_by_x402(store: LedgerStore, owner: Owner, *, now: Instant) -> None:
    """A payment that was settled, one that failed, and some of which nobody knows."""
    till = Till()
    offer = x402.offer_of(owner.tenant, pay_to=PAY_TO, amount_micros=5_000_000, url=URL)
    checkout = Checkout(
        tenant=owner.tenant,
        user=owner.user or "",
        workspace_id="ws_1",
        account_id=owner.account_id,
        offer=offer,
    )
    for number, (fault, status) in enumerate(OUTCOMES):
        till.faults = {} if fault is None else {2 * number + 1: fault}
        payment = read_payment(header(paid(offer=offer, nonce=f"0x{number:064x}")))
        done = payments.pay(store, till, checkout, payment, now=now)
        assert done.settlement.status == status
