"""What the tests of x402 start from: the offer of the published vector, and what pays it.

The payer's private key is the number one. The signature is not checked here.
"""

from datetime import UTC, datetime
from typing import Any

from holdfast.domain import x402
from holdfast.domain.accounts import Tenant
from holdfast.domain.x402_payments import read_payment
from holdfast.domain.x402_settlements import X402Settlement, presented

TENANT = Tenant("acme", "test")
NOW = datetime(2026, 11, 21, 3, 30, tzinfo=UTC)
PAY_TO = "0x209693Bc6afc0C5328bA36FaF03C514EF312287C"
PAYER = "0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf"
NONCE = "0x" + "11" * 32
SIGNATURE = (
    "0x65ca29b4b3e515908bbea4549263766e098e5d858cd8db63214f281a8f22bd29"
    "0abcb364c376b5e979fcef966ab98137bf3fcb4e2661c6d77f4c5b8eae1b21bd1c"
)
URL = "https://api.example.com/workspaces/ws_1/billing/checkout/x402"
TRANSACTION = "0x" + "ab" * 32
OFFER = x402.offer_of(TENANT, pay_to=PAY_TO, amount_micros=5_000_000, url=URL)


def authorization(*, payer: str = PAYER, **changed: Any) -> dict[str, Any]:
    """The authorisation of the vector, with some fields as they should not be."""
    signed = {
        "from": payer,
        "to": PAY_TO,
        "value": "5000000",
        "validAfter": "1700000000",
        "validBefore": "4102444800",
        "nonce": NONCE,
    }
    return signed | changed


def paid(version: int = 2, *, offer: x402.Offer = OFFER, **changed: Any) -> dict[str, Any]:
    """A payment as a client writes it; `changed` is what differs in its authorisation."""
    payload = {"signature": SIGNATURE, "authorization": authorization(**changed)}
    if version == 1:
        chosen: Any = {"scheme": "exact", "network": offer.network.name}
        return {"x402Version": 1, **chosen, "payload": payload}
    chosen = {"resource": x402.resource(offer), "accepted": x402.requirements(offer, 2)}
    return {"x402Version": 2, **chosen, "payload": payload, "extensions": {}}


def header(document: dict[str, Any]) -> str:
    return x402.encoded(document)


def settlement(document: dict[str, Any] | None = None, **changed: Any) -> X402Settlement:
    """What becomes of a payment that was presented at NOW for a workspace."""
    named: dict[str, Any] = {
        "tenant": TENANT,
        "workspace_id": "ws_1",
        "account_id": "acct_1",
        "user": "acme/alice",
        "now": NOW,
    }
    payment = read_payment(header(paid() if document is None else document))
    return presented(payment, changed.pop("offer", OFFER), **(named | changed))
