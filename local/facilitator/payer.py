"""A client that pays: it takes an offer and signs what is asked for, in either version."""

import json
from base64 import b64decode, b64encode
from collections.abc import Mapping
from typing import Any

from eth_account import Account

from local.facilitator.signatures import sign

PRIVATE_KEY = f"0x{1:064x}"
"""The key of the example payer. It is the number one: everybody has it."""


def offer_in(header: str) -> Any:
    """The document in a `PAYMENT-REQUIRED` header."""
    return json.loads(b64decode(header, validate=True))


def payment_for(
    offer: Mapping[str, Any],
    *,
    nonce: bytes,
    now_seconds: int,
    private_key: str = PRIVATE_KEY,
) -> dict[str, Any]:
    """The payment for the first way to pay in an offer of either version.

    `nonce` is 32 bytes that were never used before.
    """
    required = offer["accepts"][0]
    amount = required["amount" if offer["x402Version"] == 2 else "maxAmountRequired"]
    authorization = {
        "from": Account.from_key(private_key).address,
        "to": required["payTo"],
        "value": amount,
        "validAfter": "0",
        "validBefore": str(now_seconds + required["maxTimeoutSeconds"]),
        "nonce": f"0x{nonce.hex()}",
    }
    payload = {
        "signature": sign(authorization, required, private_key),
        "authorization": authorization,
    }
    if offer["x402Version"] == 1:
        chosen = {"scheme": required["scheme"], "network": required["network"]}
        return {"x402Version": 1, **chosen, "payload": payload}
    chosen = {"resource": offer["resource"], "accepted": required}
    return {"x402Version": 2, **chosen, "payload": payload, "extensions": {}}


def header_of(payment: Mapping[str, Any]) -> str:
    """A payment as the value of a `PAYMENT-SIGNATURE` or `X-PAYMENT` header."""
    return b64encode(json.dumps(payment).encode()).decode()
