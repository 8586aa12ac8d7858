"""x402: what is offered over HTTP 402, and whether a payment is one for it.

An offer is spelled in both versions of the protocol: version 2 travels in headers, version 1 in the
body of the 402. `holdfast.domain.x402_payments` is what a client answers with, and
`holdfast.domain.x402_settlements` what becomes of that.

Nothing here proves a signature: the facilitator does. What a client may get wrong besides is
refused here, before anybody is asked.
"""

import json
import re
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass

from holdfast.domain.accounts import Tenant, short_digest
from holdfast.domain.clock import Instant
from holdfast.domain.entries import Json
from holdfast.domain.x402_payments import V1, V2, Authorization, Payment
from holdfast.errors import PaymentNotAccepted, X402NotConfigured

SCHEME = "exact"
CURRENCY = "usd"

PAYMENT_REQUIRED = "PAYMENT-REQUIRED"
RESPONSE_HEADERS = {V1: "X-PAYMENT-RESPONSE", V2: "PAYMENT-RESPONSE"}

TIMEOUT_SECONDS = 300
"""How long a client is told that its authorisation has to be good for."""
MARGIN_SECONDS = 6
"""How long an authorisation must still be good for: settling takes a few blocks."""

# The words of the protocol for what is wrong with a payment.
NO_MATCH = "No matching payment requirements"
UNSUPPORTED_SCHEME = "unsupported_scheme"
INVALID_NETWORK = "invalid_network"
RECIPIENT = "invalid_exact_evm_payload_recipient_mismatch"
VALUE = {
    V1: "invalid_exact_evm_payload_authorization_value",
    V2: "invalid_exact_evm_payload_authorization_value_mismatch",
}
VALID_BEFORE = "invalid_exact_evm_payload_authorization_valid_before"
VALID_AFTER = "invalid_exact_evm_payload_authorization_valid_after"

_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """A chain, and the token on it that is a dollar: USDC, with six decimals.

    `mode` is that of the tenants who are paid there: play money never becomes a live balance.
    `coin` and `coin_version` are part of what is signed.
    """

    id: str
    name: str
    mode: str
    asset: str
    coin: str
    coin_version: str = "2"


NETWORKS = {
    network.id: network
    for network in (
        Network(
            id="eip155:8453",
            name="base",
            mode="live",
            asset="0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913",
            coin="USD Coin",
        ),
        Network(
            id="eip155:84532",
            name="base-sepolia",
            mode="test",
            asset="0x036CbD53842c5426634e7929541eC2318f3dCF7e",
            coin="USDC",
        ),
    )
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """What has to be paid, where, for what. The same request gets the same offer at any time."""

    network: Network
    pay_to: str
    amount_micros: int
    url: str
    description: str = "Wallet top-up"

    @property
    def amount(self) -> str:
        """The amount as the chain counts it: a micro of a dollar is the least there is of USDC."""
        return str(self.amount_micros)


def offer_of(tenant: Tenant, *, pay_to: str, amount_micros: int, url: str) -> Offer:
    """The offer to pay an amount of dollars to the installation's address, on the tenant's network.

    Raises:
        X402NotConfigured: The installation has no address there.
    """
    if not _ADDRESS.fullmatch(pay_to):
        raise X402NotConfigured
    assert amount_micros > 0
    network = next(each for each in NETWORKS.values() if each.mode == tenant.mode)
    return Offer(network=network, pay_to=pay_to, amount_micros=amount_micros, url=url)


def checkout_id(tenant: Tenant, workspace_id: str, offer: Offer) -> str:
    """The id of what is offered: the same in the offer as in the answer to its payments."""
    return "cx402_" + short_digest("x402-offer", tenant.segment, workspace_id, offer.amount)


# --- What is offered -----------------------------------------------------------------------------


def requirements(offer: Offer, x402_version: int) -> dict[str, Json]:
    """The one way to pay an offer, as a version of the protocol spells it."""
    network = offer.network
    spelled: dict[str, Json] = {
        "scheme": SCHEME,
        "network": network.id,
        "amount": offer.amount,
        "asset": network.asset,
        "payTo": offer.pay_to,
        "maxTimeoutSeconds": TIMEOUT_SECONDS,
        "extra": {"name": network.coin, "version": network.coin_version},
    }
    if x402_version == V1:
        del spelled["amount"]
        spelled |= {
            "network": network.name,
            "maxAmountRequired": offer.amount,
            "resource": offer.url,
            "description": offer.description,
            "mimeType": "application/json",
            "outputSchema": None,
        }
    return spelled


def payment_required(offer: Offer, x402_version: int, error: str) -> dict[str, Json]:
    """The document of a 402: version 2 goes into a header, version 1 into the body."""
    shown: dict[str, Json] = {
        "x402Version": x402_version,
        "error": error,
        "accepts": [requirements(offer, x402_version)],
    }
    return shown if x402_version == V1 else {**shown, "resource": resource(offer), "extensions": {}}


def resource(offer: Offer) -> dict[str, Json]:
    """What is paid for, as version 2 tells it."""
    return {"url": offer.url, "description": offer.description, "mimeType": "application/json"}


def encoded(document: Mapping[str, Json]) -> str:
    """A document as a header's value.

    >>> encoded({"success": True})
    'eyJzdWNjZXNzIjp0cnVlfQ=='
    """
    return b64encode(json.dumps(document, separators=(",", ":")).encode()).decode()


# --- What is paid for it -------------------------------------------------------------------------


def require_match(payment: Payment, offer: Offer, now: Instant) -> None:
    """Refuse a payment that cannot settle the offer at `now`. More than was asked for is no match.

    Raises:
        PaymentNotAccepted: `reason` says, in the protocol's words, what is wrong first.
    """
    reason = _mismatch(payment, offer) or _out_of_time(payment.authorization, now)
    if reason is not None:
        raise PaymentNotAccepted(reason=reason)


def settlement_id(network: Network, authorization: Authorization) -> str:
    """The id of all that an authorisation can ever do, however it is written down.

    A token takes each nonce of a payer once, so this is unique over all tenants, versions of the
    protocol and offers; two requests with one id can never both be paid.
    """
    parts = (network.id, network.asset.lower(), authorization.payer, authorization.nonce)
    return "x402_" + short_digest("x402", *parts)


def _mismatch(payment: Payment, offer: Offer) -> str | None:
    version, signed = payment.x402_version, payment.authorization
    if payment.accepted is not None and not _echoes(payment.accepted, requirements(offer, V2)):
        return NO_MATCH
    if payment.resource_url is not None and payment.resource_url != offer.url:
        return NO_MATCH
    if payment.scheme != SCHEME:
        return UNSUPPORTED_SCHEME
    if payment.network != (offer.network.name if version == V1 else offer.network.id):
        return INVALID_NETWORK
    if signed.to != offer.pay_to.lower():
        return RECIPIENT
    return None if signed.value == offer.amount_micros else VALUE[version]


def _out_of_time(signed: Authorization, now: Instant) -> str | None:
    now_seconds = int(now.timestamp())
    if signed.valid_before < now_seconds + MARGIN_SECONDS:
        return VALID_BEFORE
    return VALID_AFTER if signed.valid_after > now_seconds else None


def _echoes(given: object, offered: object) -> bool:
    """Whether everything that was offered came back as it was; objects may have grown."""
    # True is not 1 here, nor is 300.0 what was offered as 300.
    if type(given) is not type(offered):
        return False
    if isinstance(given, dict) and isinstance(offered, dict):
        return all(_echoes(given.get(name), wanted) for name, wanted in offered.items())
    return given == offered
