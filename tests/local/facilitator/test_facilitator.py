"""The facilitator of the laptop, asked as the platform asks it."""

import asyncio
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.domain import x402
from holdfast.domain.x402_settlements import request_of
from local.facilitator.app import Facilitator
from local.facilitator.chain import Chain, Knobs
from local.facilitator.payer import header_of, offer_in, payment_for
from tests.domain.x402_samples import NOW, OFFER, PAY_TO, PAYER, SIGNATURE, paid, settlement
from tests.local.asking import Reply, ask, asked

SECONDS = int(NOW.timestamp())
GOOD: Any = request_of(settlement())
GOOD_V1: Any = request_of(settlement(paid(1)))
NONCE_USED = "invalid_exact_evm_nonce_already_used"


def facilitator(**knobs: Any) -> Facilitator:
    return Facilitator(knobs=Knobs(**knobs), clock=NOW.timestamp)


def post(application: Facilitator, path: str, request: Any) -> Any:
    reply: Reply = ask(application, "POST", path, parts=[json.dumps(request).encode()])
    assert reply.status == 200
    return reply.document


def changed(request: Any, path: tuple[str, ...], value: Any) -> Any:
    """The request with one field changed."""
    after = json.loads(json.dumps(request))
    *way, name = path
    inner = after
    for step in way:
        inner = inner[step]
    inner[name] = value
    return after


@pytest.mark.parametrize("request_", [GOOD, GOOD_V1], ids=["version 2", "version 1"])
def test_a_signed_payment_is_verified_and_settled_once(request_):
    application = facilitator()

    verdict = post(application, "/verify", request_)
    first, second = (post(application, "/settle", request_) for _ in range(2))

    assert verdict == {"isValid": True, "payer": PAYER.lower()}
    assert first == second
    assert first["success"] is True
    assert first["network"] == request_["paymentRequirements"]["network"]
    assert ask(application, "GET", "/transfers").document == [first]


def test_both_versions_of_a_payment_move_the_same_money():
    application = facilitator()

    first, second = post(application, "/settle", GOOD), post(application, "/settle", GOOD_V1)

    assert first["transaction"] == second["transaction"]
    assert len(application.chain.transfers) == 1


def test_a_nonce_that_was_used_is_not_verified_again():
    application = facilitator()
    post(application, "/settle", GOOD)

    assert post(application, "/verify", GOOD)["invalidReason"] == NONCE_USED


PAYLOAD = ("paymentPayload", "payload")
REQUIRED = ("paymentRequirements",)


@pytest.mark.parametrize(
    ("path", "value", "reason"),
    [
        (("x402Version",), 3, "invalid_payload"),
        (("paymentPayload", "x402Version"), 1, "invalid_x402_version"),
        ((*REQUIRED, "scheme"), "upto", "unsupported_scheme"),
        ((*REQUIRED, "network"), "eip155:1", "invalid_network"),
        ((*REQUIRED, "network"), "eip155:8453", "network_mismatch"),
        ((*REQUIRED, "extra"), {}, "missing_eip712_domain"),
        ((*REQUIRED, "payTo"), PAYER, "invalid_exact_evm_payload_recipient_mismatch"),
        (
            (*REQUIRED, "amount"),
            "5000001",
            "invalid_exact_evm_payload_authorization_value_mismatch",
        ),
        (
            (*PAYLOAD, "authorization", "validBefore"),
            str(SECONDS + 5),
            "invalid_exact_evm_payload_authorization_valid_before",
        ),
        (
            (*PAYLOAD, "authorization", "validAfter"),
            str(SECONDS + 1),
            "invalid_exact_evm_payload_authorization_valid_after",
        ),
        ((*PAYLOAD, "authorization", "from"), PAY_TO, "invalid_exact_evm_payload_signature"),
        ((*PAYLOAD, "signature"), "0x" + "00" * 65, "invalid_exact_evm_payload_signature"),
        ((*PAYLOAD, "authorization"), None, "invalid_payload"),
        (("paymentPayload",), [], "invalid_payload"),
    ],
)
def test_what_is_wrong_is_said_and_moves_nothing(path, value, reason):
    application = facilitator()
    request = changed(GOOD, path, value)

    verdict = post(application, "/verify", request)
    settled = post(application, "/settle", request)

    assert (verdict["isValid"], verdict["invalidReason"]) == (False, reason)
    assert (settled["success"], settled["errorReason"]) == (False, reason)
    assert settled["transaction"] == ""
    assert application.chain.transfers == {}


FIELDS = [
    *(
        (*PAYLOAD, "authorization", name)
        for name in GOOD["paymentPayload"]["payload"]["authorization"]
    ),
    (*PAYLOAD, "signature"),
    *(("paymentPayload", "accepted", name) for name in ("scheme", "network")),
    *((*REQUIRED, name) for name in ("scheme", "network", "amount", "asset", "payTo", "extra")),
]


@given(
    path=st.sampled_from(FIELDS),
    value=st.none()
    | st.integers(0, 2**256 - 1).map(str)
    | st.binary(min_size=20, max_size=20).map(lambda raw: f"0x{raw.hex()}")
    | st.binary(min_size=32, max_size=32).map(lambda raw: f"0x{raw.hex()}")
    | st.binary(min_size=65, max_size=65).map(lambda raw: f"0x{raw.hex()}")
    | st.sampled_from([{}, [], "", "exact ", "eip155:8453", {"name": "USDC", "version": "1"}]),
)
def test_whatever_is_tampered_with_nothing_moves(path, value):
    chain = Chain()

    answer = chain.settle(changed(GOOD, path, value), now_seconds=SECONDS)

    assert answer["success"] is False
    assert chain.transfers == {}


@pytest.mark.parametrize("request_", [None, [], {}, 7, "x", {"x402Version": 2}], ids=repr)
def test_what_is_no_request_is_no_payment(request_):
    application = facilitator()

    assert post(application, "/verify", request_)["isValid"] is False
    assert post(application, "/settle", request_)["success"] is False


def test_a_forged_signature_is_not_told_what_the_right_one_did():
    application = facilitator()
    post(application, "/settle", GOOD)
    forged = changed(GOOD, (*PAYLOAD, "signature"), "0x" + "00" * 65)

    assert post(application, "/settle", forged)["success"] is False


def test_it_can_be_told_to_refuse():
    application = facilitator(verify_fails="insufficient_funds", settle_fails="invalid_network")

    assert post(application, "/verify", GOOD) == {
        "isValid": False,
        "invalidReason": "insufficient_funds",
    }
    assert post(application, "/settle", GOOD)["errorReason"] == "invalid_network"
    assert application.chain.transfers == {}


def test_it_can_be_told_to_say_nothing_after_it_has_settled():
    application = facilitator(settle_hangs_seconds=60.0)

    async def story() -> bool:
        body = json.dumps(GOOD).encode()
        try:
            async with asyncio.timeout(0.2):
                await asked(application, "POST", "/settle", parts=[body])
        except TimeoutError:
            return True
        return False

    assert asyncio.run(story())
    assert len(application.chain.transfers) == 1
    assert post(application, "/settle", GOOD)["success"] is True


def test_it_can_be_told_to_deny_what_it_has_settled():
    application = facilitator(settled_again=NONCE_USED)
    post(application, "/settle", GOOD)

    again = post(application, "/settle", GOOD)

    assert (again["success"], again["errorReason"]) == (False, NONCE_USED)
    assert len(application.chain.transfers) == 1


def test_its_knobs_are_set_over_http():
    application = facilitator()

    reply = ask(application, "PUT", "/knobs", parts=[b'{"settle_fails": "insufficient_funds"}'])

    assert reply.status == 200
    assert application.knobs == Knobs(settle_fails="insufficient_funds")


def test_it_says_what_it_supports_and_nothing_else_is_there():
    application = facilitator()

    kinds = ask(application, "GET", "/supported").document["kinds"]

    assert {"x402Version": 2, "scheme": "exact", "network": "eip155:84532"} in kinds
    assert len(kinds) == 4
    assert ask(application, "GET", "/verify").status == 404


@pytest.mark.parametrize("version", [1, 2])
def test_the_payer_signs_what_the_platform_offers(version):
    header = x402.encoded(x402.payment_required(OFFER, version, "Payment required"))

    payment = payment_for(offer_in(header), nonce=b"\x07" * 32, now_seconds=SECONDS)

    presented = settlement(payment)
    assert presented.x402_version == version
    assert offer_in(header_of(payment)) == payment
    assert post(facilitator(), "/settle", request_of(presented))["success"] is True
    assert presented.signature != SIGNATURE
