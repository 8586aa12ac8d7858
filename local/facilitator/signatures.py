"""EIP-3009: what a payer signs to let a token move their money once, and who signed it."""

from collections.abc import Mapping
from typing import Any

from eth_account import Account
from eth_account.messages import SignableMessage, encode_typed_data

CHAINS = {"eip155:8453": 8453, "base": 8453, "eip155:84532": 84532, "base-sepolia": 84532}
"""The chains by either version's name for them."""

_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
"""How many points the curve has: for each signature there is one with the order less its half."""

_TYPES = {
    "TransferWithAuthorization": [
        {"name": "from", "type": "address"},
        {"name": "to", "type": "address"},
        {"name": "value", "type": "uint256"},
        {"name": "validAfter", "type": "uint256"},
        {"name": "validBefore", "type": "uint256"},
        {"name": "nonce", "type": "bytes32"},
    ]
}


def message_of(authorization: Mapping[str, str], required: Mapping[str, Any]) -> SignableMessage:
    """What is signed to fulfil a requirement with an authorisation.

    Raises:
        KeyError, TypeError, ValueError: One of the two is not what it should be.
    """
    return encode_typed_data(
        domain_data={
            "name": required["extra"]["name"],
            "version": required["extra"]["version"],
            "chainId": CHAINS[required["network"]],
            "verifyingContract": required["asset"],
        },
        message_types=_TYPES,
        message_data={
            "from": authorization["from"],
            "to": authorization["to"],
            "value": int(authorization["value"]),
            "validAfter": int(authorization["validAfter"]),
            "validBefore": int(authorization["validBefore"]),
            "nonce": bytes.fromhex(authorization["nonce"].removeprefix("0x")),
        },
    )


def sign(authorization: Mapping[str, str], required: Mapping[str, Any], private_key: str) -> str:
    """The signature of an authorisation: `0x` and 65 bytes in hexadecimal."""
    message = message_of(authorization, required)
    return f"0x{bytes(Account.sign_message(message, private_key).signature).hex()}"


def signer_of(
    authorization: Mapping[str, str], required: Mapping[str, Any], signature: str
) -> str | None:
    """The address that signed, or None when nobody can have signed so."""
    try:
        if not _is_canonical(bytes.fromhex(signature.removeprefix("0x"))):
            return None
        message = message_of(authorization, required)
        return str(Account.recover_message(message, signature=signature))
    except Exception:  # noqa: BLE001 - each layer below has errors of its own for bad bytes
        return None


def _is_canonical(raw: bytes) -> bool:
    """Whether it is the one spelling that the token takes of the four that a signature has."""
    return len(raw) == 65 and raw[64] in (27, 28) and int.from_bytes(raw[32:64]) <= _ORDER // 2
