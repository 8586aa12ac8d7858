import json
from base64 import b64decode, b64encode
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from holdfast.domain import x402
from holdfast.domain.accounts import Tenant, short_digest
from holdfast.domain.x402_payments import DEPTH_MAX, HEADER_LENGTH_MAX, payment_in, read_payment
from holdfast.errors import (
    InvalidPayment,
    InvalidX402Version,
    PaymentNotAccepted,
    X402NotConfigured,
)
from tests.domain.samples import TENANT as LIVE_TENANT
from tests.domain.x402_samples import (
    NONCE,
    NOW,
    OFFER,
    PAY_TO,
    PAYER,
    SIGNATURE,
    TENANT,
    URL,
    header,
    paid,
)

VALUES: st.SearchStrategy[Any] = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["", "0x", "-1", "1e3", " 5", "٥", "exact", [], [1], {}, 10**400])
)
SIGNED = ("from", "to", "value", "validAfter", "validBefore", "nonce")


def encoded(text: str | bytes) -> str:
    return b64encode(text if isinstance(text, bytes) else text.encode()).decode()


def with_more(fields: str) -> str:
    """A good payment, and some more fields as they are written."""
    return f"{json.dumps(paid())[:-1]}, {fields}}}"


def refusal_of(document: dict[str, Any], *, offer: x402.Offer = OFFER, now: Any = NOW) -> str:
    with pytest.raises(PaymentNotAccepted) as refused:
        x402.require_match(read_payment(header(document)), offer, now)
    return str(refused.value.details["reason"])


def id_of(document: dict[str, Any]) -> str:
    return x402.settlement_id(OFFER.network, read_payment(header(document)).authorization)


# --- What is offered -----------------------------------------------------------------------------


def test_an_offer_of_version_two_is_spelled_as_the_protocol_says():
    assert x402.payment_required(OFFER, 2, "Payment required") == {
        "x402Version": 2,
        "error": "Payment required",
        "resource": {
            "url": URL,
            "description": "Wallet top-up",
            "mimeType": "application/json",
        },
        "accepts": [
            {
                "scheme": "exact",
                "network": "eip155:84532",
                "amount": "5000000",
                "asset": "0x036CbD53842c5426634e7929541eC2318f3dCF7e",
                "payTo": PAY_TO,
                "maxTimeoutSeconds": 300,
                "extra": {"name": "USDC", "version": "2"},
            }
        ],
        "extensions": {},
    }


def test_an_offer_of_version_one_is_spelled_as_the_protocol_says():
    assert x402.payment_required(OFFER, 1, "X-PAYMENT header is required") == {
        "x402Version": 1,
        "error": "X-PAYMENT header is required",
        "accepts": [
            {
                "scheme": "exact",
                "network": "base-sepolia",
                "maxAmountRequired": "5000000",
                "asset": "0x036CbD53842c5426634e7929541eC2318f3dCF7e",
                "payTo": PAY_TO,
                "resource": URL,
                "description": "Wallet top-up",
                "mimeType": "application/json",
                "outputSchema": None,
                "maxTimeoutSeconds": 300,
                "extra": {"name": "USDC", "version": "2"},
            }
        ],
    }


def test_play_money_is_never_offered_to_a_live_tenant():
    live = x402.offer_of(LIVE_TENANT, pay_to=PAY_TO, amount_micros=1, url=URL)

    assert (live.network.id, live.network.coin) == ("eip155:8453", "USD Coin")
    assert live.network.asset == "0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913"
    assert (OFFER.network.id, OFFER.network.coin) == ("eip155:84532", "USDC")


@pytest.mark.parametrize("pay_to", ["", "0x", PAY_TO[:-1], PAY_TO + "0", PAY_TO[2:], f"{PAY_TO}\n"])
def test_without_an_address_nothing_is_offered(pay_to):
    with pytest.raises(X402NotConfigured):
        x402.offer_of(TENANT, pay_to=pay_to, amount_micros=1, url=URL)


def test_an_offer_has_one_name_and_another_offer_another():
    name = x402.checkout_id(TENANT, "ws_1", OFFER)

    others = {
        x402.checkout_id(Tenant("acme", "live"), "ws_1", OFFER),
        x402.checkout_id(TENANT, "ws_2", OFFER),
        x402.checkout_id(TENANT, "ws_1", replace(OFFER, amount_micros=5_000_001)),
    }
    assert name == x402.checkout_id(TENANT, "ws_1", replace(OFFER))
    assert len(others | {name}) == 4


def test_what_goes_into_a_header_is_standard_base64_of_json():
    document = x402.payment_required(OFFER, 2, "Zahlung nötig")

    assert json.loads(b64decode(x402.encoded(document), validate=True)) == document
    assert x402.encoded(document).isascii()


# --- What is read --------------------------------------------------------------------------------


def test_the_published_payment_is_read():
    text = header(paid())
    assert len(text) < 1_200

    payment = read_payment(text)

    assert (payment.x402_version, payment.signature) == (2, SIGNATURE)
    assert payment.authorization.payer == PAYER.lower()
    assert payment.authorization.to == PAY_TO.lower()
    assert payment.authorization.value == 5_000_000
    assert payment.authorization.valid_after == 1_700_000_000
    assert payment.authorization.valid_before == 4_102_444_800
    assert payment.authorization.nonce == NONCE


@pytest.mark.parametrize("version", [1, 2])
def test_the_published_payment_settles_its_offer(version):
    payment = read_payment(header(paid(version)))

    x402.require_match(payment, OFFER, NOW)
    assert payment.x402_version == version


def test_a_request_without_a_payment_has_none():
    assert payment_in({"authorization": "Bearer x", "payment-response": "x"}) is None


@pytest.mark.parametrize("name", ["payment-signature", "PAYMENT-SIGNATURE", "X-Payment"])
def test_a_payment_is_found_whatever_the_case_of_its_header(name):
    payment = payment_in({name: f" {header(paid())} "})

    assert payment is not None
    assert payment.signature == SIGNATURE


def test_two_payments_at_once_are_refused():
    with pytest.raises(InvalidPayment) as refused:
        payment_in({"payment-signature": header(paid()), "x-payment": header(paid(1))})

    assert refused.value.details == {"reason": "more than one payment"}


@pytest.mark.parametrize("version", [0, 3, -1, True, 2.0, "2", None, [2], 10**300])
def test_a_version_that_is_not_spoken_is_refused(version):
    with pytest.raises(InvalidX402Version):
        read_payment(header({**paid(), "x402Version": version}))


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing"),
        pytest.param("e30", id="no padding"),
        pytest.param("e30=!", id="not the alphabet"),
        pytest.param("ééé=", id="not ASCII"),
        pytest.param(header(paid()).replace("=", "") + "-_==", id="another alphabet"),
        pytest.param(encoded(b"\xff\xfe"), id="not UTF-8"),
        pytest.param(encoded("[]"), id="a list"),
        pytest.param(encoded("null"), id="null"),
        pytest.param(encoded('{"x402Version": 2'), id="cut off"),
        pytest.param(encoded(with_more('"x": NaN')), id="not a number"),
        pytest.param(encoded(with_more('"x": 1, "x": 1')), id="a field twice"),
        pytest.param(encoded(with_more('"x": ' + "9" * 5_000)), id="5,000 digits"),
        pytest.param(encoded("[" * 7_000), id="7,000 levels"),
        pytest.param(encoded('{"a":' * 1_000 + "1" + "}" * 1_000), id="1,000 levels"),
        pytest.param(f"{header(paid())},{header(paid())}", id="two in one header"),
        pytest.param("A" * 4 * 100_000, id="too long"),
    ],
)
def test_what_cannot_be_read_is_refused(text):
    with pytest.raises(InvalidPayment):
        read_payment(text)


def test_more_fields_are_no_matter():
    assert read_payment(encoded(with_more('"x": 1.5e400, "y": 1'))).signature == SIGNATURE


def test_a_header_may_be_as_long_as_a_header_can_be():
    def padded(to: int) -> str:
        # Four characters hold three bytes.
        rest = to // 4 * 3 - len(json.dumps(paid() | {"x": ""}, separators=(",", ":")))
        return header(paid() | {"x": "y" * rest})

    assert len(padded(HEADER_LENGTH_MAX)) == HEADER_LENGTH_MAX
    assert read_payment(padded(HEADER_LENGTH_MAX)).signature == SIGNATURE
    assert len(padded(HEADER_LENGTH_MAX + 4)) == HEADER_LENGTH_MAX + 4
    with pytest.raises(InvalidPayment):
        read_payment(padded(HEADER_LENGTH_MAX + 4))


@pytest.mark.parametrize(("levels", "is_read"), [(DEPTH_MAX - 1, True), (DEPTH_MAX, False)])
def test_a_payment_has_few_levels(levels, is_read):
    extension: Any = 1
    for _ in range(levels):
        extension = [extension]
    text = header(paid() | {"extensions": extension})

    if is_read:
        assert read_payment(text).signature == SIGNATURE
    else:
        with pytest.raises(InvalidPayment):
            read_payment(text)


@pytest.mark.parametrize("field", SIGNED)
@pytest.mark.parametrize(
    "value", [None, 5_000_000, True, "", "0x", "-1", "+1", "1.0", "1e6", " 1", "1\n", "٥", "0x1"]
)
def test_a_field_of_another_form_is_refused(field, value):
    with pytest.raises(InvalidPayment):
        read_payment(header(paid(**{field: value})))


@pytest.mark.parametrize("field", ["value", "validAfter", "validBefore"])
@pytest.mark.parametrize("value", ["00", "05000000", str(2**256), "9" * 79])
def test_a_number_has_one_spelling_and_256_bits(field, value):
    with pytest.raises(InvalidPayment):
        read_payment(header(paid(**{field: value})))


def test_the_largest_number_is_a_number():
    payment = read_payment(header(paid(validBefore=str(2**256 - 1))))

    x402.require_match(payment, OFFER, NOW)
    assert payment.authorization.valid_before == 2**256 - 1


@pytest.mark.parametrize(
    ("length", "is_read"), [(64, False), (65, True), (66, True), (2_048, True), (2_049, False)]
)
def test_a_signature_has_65_bytes_or_is_that_of_a_contract(length, is_read):
    document = paid()
    document["payload"]["signature"] = "0x" + "ab" * length

    if is_read:
        assert len(read_payment(header(document)).signature) == 2 + 2 * length
    else:
        with pytest.raises(InvalidPayment):
            read_payment(header(document))


@pytest.mark.parametrize("field", ["payload", "accepted", "resource"])
@pytest.mark.parametrize("value", [None, 1, "x", [], [{}]])
def test_an_object_is_an_object(field, value):
    document = paid() | {field: value}
    if field == "resource" and value is None:
        assert read_payment(header(document)).resource_url is None
        return

    with pytest.raises(InvalidPayment):
        read_payment(header(document))


@given(
    st.recursive(VALUES, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)).map(
        lambda document: json.dumps(document).encode()
    )
    | st.binary(max_size=64)
)
@example(b'{"x402Version":2,"accepted":{},"payload":{"authorization":{}}}')
@example(b'{"x402Version":2,"accepted":{"scheme":"\\ud800"},"payload":{}}')
def test_whatever_comes_is_read_or_refused(raw):
    with pytest.raises((InvalidPayment, InvalidX402Version)):
        read_payment(encoded(raw))


@given(st.text())
def test_whatever_text_comes_is_refused(text):
    with pytest.raises((InvalidPayment, InvalidX402Version)):
        read_payment(text)


# --- What settles an offer -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seconds", "reason"),
    [(5, x402.VALID_BEFORE), (6, None), (7, None), (-1, x402.VALID_BEFORE), (0, x402.VALID_BEFORE)],
)
def test_an_authorization_must_be_good_for_six_seconds_more(seconds, reason):
    until = str(int(NOW.timestamp()) + seconds)
    document = paid(validBefore=until)

    if reason is None:
        x402.require_match(read_payment(header(document)), OFFER, NOW)
        assert refusal_of(document, now=NOW + timedelta(seconds=2)) == x402.VALID_BEFORE
    else:
        assert refusal_of(document) == reason


@pytest.mark.parametrize(("seconds", "is_good"), [(-1, True), (0, True), (1, False)])
def test_an_authorization_must_be_good_already(seconds, is_good):
    document = paid(validAfter=str(int(NOW.timestamp()) + seconds))

    if is_good:
        x402.require_match(read_payment(header(document)), OFFER, NOW)
        assert refusal_of(document, now=NOW - timedelta(seconds=2)) == x402.VALID_AFTER
    else:
        assert refusal_of(document) == x402.VALID_AFTER


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("value", ["4999999", "5000001", "0"])
def test_neither_less_nor_more_than_the_amount_settles_it(version, value):
    assert refusal_of(paid(version, value=value)) == x402.VALUE[version]


@pytest.mark.parametrize("version", [1, 2])
def test_a_payment_to_somebody_else_settles_nothing(version):
    assert refusal_of(paid(version, to=PAYER)) == x402.RECIPIENT


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("scheme", "upto", x402.UNSUPPORTED_SCHEME),
        ("scheme", None, x402.UNSUPPORTED_SCHEME),
        ("network", "base", x402.INVALID_NETWORK),
        ("network", "eip155:84532", x402.INVALID_NETWORK),
        ("network", 84532, x402.INVALID_NETWORK),
    ],
)
def test_version_one_names_scheme_and_network_itself(field, value, reason):
    assert refusal_of(paid(1) | {field: value}) == reason


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("scheme", "upto"),
        ("network", "eip155:8453"),
        ("network", "base-sepolia"),
        ("amount", "5000001"),
        ("amount", 5_000_000),
        ("asset", OFFER.network.asset.lower()),
        ("payTo", PAY_TO.lower()),
        ("maxTimeoutSeconds", 301),
        ("maxTimeoutSeconds", 300.0),
        ("maxTimeoutSeconds", "300"),
        ("extra", {"name": "USD Coin", "version": "2"}),
        ("extra", {"name": "USDC"}),
        ("extra", {"name": "USDC", "version": 2}),
        ("extra", None),
        ("extra", []),
    ],
)
def test_version_two_echoes_what_was_offered(field, value):
    document = paid()
    document["accepted"] = document["accepted"] | {field: value}

    assert refusal_of(document) == x402.NO_MATCH


@pytest.mark.parametrize("field", list(x402.requirements(OFFER, 2)))
def test_version_two_echoes_all_of_what_was_offered(field):
    document = paid()
    del document["accepted"][field]

    assert refusal_of(document) == x402.NO_MATCH


def test_what_a_client_adds_to_the_offer_is_let_through():
    document = paid()
    document["accepted"]["note"] = "mine"
    document["accepted"]["extra"] = document["accepted"]["extra"] | {"assetTransferMethod": "x"}

    payment = read_payment(header(document))

    x402.require_match(payment, OFFER, NOW)
    assert payment.accepted == document["accepted"]


@pytest.mark.parametrize("url", [f"{URL}/", URL.replace("ws_1", "ws_2"), "", 7])
def test_a_payment_for_another_resource_settles_nothing(url):
    document = paid()
    document["resource"] = {"url": url}

    assert refusal_of(document) == x402.NO_MATCH


@given(amount=st.integers(1, 10**12), other=st.integers(1, 10**12))
def test_a_payment_settles_an_offer_of_its_amount_alone(amount, other):
    offer, another = replace(OFFER, amount_micros=amount), replace(OFFER, amount_micros=other)
    payment = read_payment(header(paid(offer=offer, value=str(amount))))

    x402.require_match(payment, offer, NOW)
    if other != amount:
        with pytest.raises(PaymentNotAccepted):
            x402.require_match(payment, another, NOW)


@given(
    version=st.sampled_from([1, 2]),
    field=st.sampled_from(["to", "value", "validAfter", "validBefore"]),
    value=VALUES | st.integers(0, 2**256 - 1).map(str) | st.binary(min_size=20, max_size=20),
)
def test_no_value_but_the_right_one_is_taken(version, field, value):
    changed: Any = {field: f"0x{value.hex()}" if isinstance(value, bytes) else value}
    try:
        payment = read_payment(header(paid(version, **changed)))
        x402.require_match(payment, OFFER, NOW)
    except (InvalidPayment, PaymentNotAccepted):
        return

    signed = payment.authorization
    assert (signed.to, signed.value) == (PAY_TO.lower(), 5_000_000)
    assert signed.valid_after <= NOW.timestamp() <= signed.valid_before - x402.MARGIN_SECONDS


# --- What makes two payments one -----------------------------------------------------------------


def test_the_name_of_a_settlement_stays_what_it_was():
    """Another derivation would let every payment that was made be made again."""
    assert id_of(paid()) == "x402_" + short_digest(
        "x402",
        "eip155:84532",
        "0x036cbd53842c5426634e7929541ec2318f3dcf7e",
        PAYER.lower(),
        NONCE,
    )


SPELLINGS = st.sampled_from(
    [str.lower, str.upper, str.swapcase, lambda digits: digits],
)
PREFIXES = st.sampled_from(["0x", "0X", ""])


@given(st.data(), st.sampled_from([1, 2]), st.randoms(use_true_random=False))
def test_however_it_is_written_a_payment_is_the_same(data, version, random):
    signed: Any = {
        name: data.draw(PREFIXES) + data.draw(SPELLINGS)(value[2:])
        for name, value in (("from", PAYER), ("to", PAY_TO), ("nonce", NONCE))
    }
    document = paid(version, **signed)
    document["payload"]["signature"] = data.draw(PREFIXES) + data.draw(SPELLINGS)(SIGNATURE[2:])
    fields = list(document.items())
    random.shuffle(fields)
    inner = list(document["payload"]["authorization"].items())
    random.shuffle(inner)
    document["payload"]["authorization"] = dict(inner)
    spaces = data.draw(st.sampled_from([None, 1, 4]))

    written = encoded(json.dumps(dict(fields), indent=spaces))

    payment = read_payment(written)
    x402.require_match(payment, OFFER, NOW)
    assert x402.settlement_id(OFFER.network, payment.authorization) == id_of(paid())
    assert payment.authorization == read_payment(header(paid())).authorization
    assert payment.signature == SIGNATURE


@pytest.mark.parametrize(
    "other",
    [paid(nonce="0x" + "11" * 31 + "12"), paid(payer=PAY_TO)],
    ids=["another nonce", "another payer"],
)
def test_another_authorization_is_another_payment(other):
    assert id_of(other) != id_of(paid())


def test_another_network_is_another_payment():
    live = x402.offer_of(LIVE_TENANT, pay_to=PAY_TO, amount_micros=5_000_000, url=URL)
    signed = read_payment(header(paid())).authorization

    assert x402.settlement_id(live.network, signed) != id_of(paid())
