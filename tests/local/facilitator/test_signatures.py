"""The published vector, and that no field can be changed after it was signed."""

from typing import Any

import pytest
from eth_account import Account
from eth_account.messages import _hash_eip191_message
from hypothesis import given
from hypothesis import strategies as st

from local.facilitator.payer import PRIVATE_KEY
from local.facilitator.signatures import message_of, sign, signer_of
from tests.domain.x402_samples import OFFER, PAYER, SIGNATURE, authorization

REQUIRED: Any = {
    "network": "eip155:84532",
    "asset": "0x036CbD53842c5426634e7929541eC2318f3dCF7e",
    "extra": {"name": "USDC", "version": "2"},
}
LIVE: Any = {
    "network": "eip155:8453",
    "asset": "0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913",
    "extra": {"name": "USD Coin", "version": "2"},
}


def test_the_published_digest_is_what_is_signed():
    message = message_of(authorization(), REQUIRED)

    assert message.version == b"\x01"
    assert message.header.hex() == (
        "71f17a3b2ff373b803d70a5a07c046c1a2bc8e89c09ef722fcb047abe94c9818"
    )
    assert _hash_eip191_message(message).hex().removeprefix("0x") == (
        "e859042b218da7475061eb0efff02954c1f1e5515269a2ffb938bdc4aba099a1"
    )


def test_the_published_domain_of_the_live_network_is_what_is_signed():
    assert message_of(authorization(), LIVE).header.hex() == (
        "02fa7265e7c5d81118673727957699e4d68f74cd74b7db77da710fe8a2c7834f"
    )


def test_the_published_signature_is_made_and_recognized():
    assert Account.from_key(PRIVATE_KEY).address == PAYER
    assert sign(authorization(), REQUIRED, PRIVATE_KEY) == SIGNATURE
    assert signer_of(authorization(), REQUIRED, SIGNATURE) == PAYER


@pytest.mark.parametrize(
    "required",
    [
        LIVE,
        REQUIRED | {"network": "base"},
        REQUIRED | {"asset": PAYER},
        REQUIRED | {"extra": {"name": "USD Coin", "version": "2"}},
        REQUIRED | {"extra": {"name": "USDC", "version": "1"}},
    ],
)
def test_a_signature_is_for_one_token_on_one_chain(required):
    assert signer_of(authorization(), required, SIGNATURE) != PAYER


@pytest.mark.parametrize(
    "changed",
    [
        {"payer": OFFER.pay_to},
        {"to": PAYER},
        {"value": "5000001"},
        {"validAfter": "1700000001"},
        {"validBefore": "4102444801"},
        {"nonce": "0x" + "11" * 31 + "10"},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_a_signature_is_for_one_authorization(changed):
    signed = authorization(**changed)

    assert signer_of(signed, REQUIRED, SIGNATURE) != signed["from"]


@given(st.integers(0, 64), st.integers(1, 255))
def test_no_byte_of_a_signature_can_be_changed(place, change):
    raw = bytearray.fromhex(SIGNATURE[2:])
    raw[place] ^= change

    assert signer_of(authorization(), REQUIRED, f"0x{raw.hex()}") != PAYER


def test_a_signature_has_one_spelling():
    """The other three are as good to the mathematics, and the token takes none of them."""
    order = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
    raw = bytes.fromhex(SIGNATURE[2:])
    mirrored = raw[:32] + (order - int.from_bytes(raw[32:64])).to_bytes(32) + bytes([55 - raw[64]])

    for spelled in (raw[:64] + bytes([raw[64] - 27]), mirrored, raw + b"\0"):
        assert signer_of(authorization(), REQUIRED, f"0x{spelled.hex()}") is None


@pytest.mark.parametrize("signature", ["", "0x", "0x00", "0x" + "00" * 65, "zz", None, 7])
def test_nobody_signed_what_is_no_signature(signature):
    assert signer_of(authorization(), REQUIRED, signature) is None
