"""Card data stays out, however it is written down; and what only looks like it comes in."""

import json

import pytest

from holdfast.errors import CardDataNotAllowed
from holdfast.http.card_data import is_card_number, refuse_card_data
from tests.http.events import event
from tests.http.toy import api

VISA = "4242424242424242"
SECRET = "cvc-of-alice"


def is_refused(fields):
    try:
        refuse_card_data(fields)
    except CardDataNotAllowed:
        return True
    return False


@pytest.mark.parametrize(
    "name",
    ["card_number", "cardNumber", "Card-Number", "CARDNUMBER", "card[number]", "cc_number", "pan",
     "PAN", "cvc", "CVV", "cvv2", "security_code", "ｃｖｃ", "ＰＡＮ", "c.v.c", "track1",
     "primary_account_number", "credit card", "4242424242424242", "4242-4242-4242-4242"],
)  # fmt: skip
@pytest.mark.parametrize("value", ["", "123", 123, None, [], {}, VISA])
def test_a_field_named_like_card_data_is_refused_whatever_it_holds(name, value):
    assert is_refused({name: value})


@pytest.mark.parametrize(
    "fields",
    [
        {"card": {"number": "1"}},
        {"card": {"cvc": "123"}},
        {"card": [{"number": "1"}]},
        {"payment": {"source": {"cvv": "123"}}},
        {"metadata": {"cvc": "123"}},
        {"items": [{"note": "a"}, {"pan": "b"}]},
    ],
)
def test_card_data_is_found_at_every_depth(fields):
    assert is_refused(fields)


@pytest.mark.parametrize(
    "written",
    [
        VISA,
        4242424242424242,
        "4242 4242 4242 4242",
        "4242-4242-4242-4242",
        "4242.4242.4242.4242",
        "4242 - 4242 - 4242 - 4242",
        "4242\u20134242\u20134242\u20134242",
        "4242\u00a04242\u00a04242\u00a04242",
        "４２４２４２４２４２４２４２４２",
        "card 4242424242424242 please",
        "x4242424242424242y",
        "4242424242424242 12/29",
        "2 x 4242 4242 4242 4242, 12/29 123",
        "378282246310005",
        "3782 822463 10005",
        "5555555555554444",
        "2223003122003222",
        "6011111111111117",
        "30569309025904",
        "3530111333300000",
        "6200000000000005",
        "4000000000000000006",
    ],
)
@pytest.mark.parametrize("name", ["number", "card", "description", "note", "cardHolder"])
def test_a_card_number_is_found_in_fields_that_may_hold_one(name, written):
    assert is_refused({name: written})


@pytest.mark.parametrize(
    "fields",
    [
        {"order_id": VISA},
        {"requestId": f"acme/{VISA}"},
        {"user": f"x{VISA}y"},
        {"ids": [VISA]},
        {"reference": "４２４２４２４２４２４２４２４２"},
        {"metadata": {"x": VISA}},
        {"metadata": {"x": "4242 4242 4242 4242"}},
        {"phone_number": VISA},
        {"phone_number": f"+{VISA}"},
        {"phone_number": "378282246310005"},
    ],
)
def test_a_card_number_in_one_row_is_found_whatever_the_field_is_called(fields):
    assert is_refused(fields)


def test_a_card_number_is_found_in_a_list():
    assert is_refused({"notes": ["a", VISA]})


@pytest.mark.parametrize(
    "fields",
    [
        {"amount": 5, "currency": "usd", "reference": "order 7"},
        {"card": {"brand": "visa", "last4": "4242", "expMonth": 12, "expYear": 2030}},
        {"description": "4242424242424241"},
        {"description": "paid 4242 today"},
        {"number": "1234567890123456"},
        {"number": 1795234357434},
        {"number": True},
        {"number": None},
        {"number": "00000000-0000-4000-8000-000000000000"},
        {"order_id": "4242424242424241"},
        {"order_id": "4242-4242-4242-4242"},
        {"requestId": f"9{VISA}999"},
        {"amount": int(VISA)},
        {"phone_number": "+4915112345678"},
        {"phone_number": "+378282246310005"},
        {"payment_id": "pay_01m7y2epp0qsuhhjf67dqh7mrsba3fsrkbmx_usd"},
        {"metadata": {"at": "2026-11-21T03:30:00.000Z", "trace": "1795234357434"}},
        {"company": "Pan Am"},
        {"description": "2026-11-21 03:30:00.125"},
        {"description": "4" * 20},
        {},
    ],
)
def test_what_only_looks_like_it_is_let_through(fields):
    assert not is_refused(fields)


def test_looking_takes_no_time_even_in_a_field_made_to_be_slow(benchmark_ms):
    spaced = {"description": " ".join("4" * 120_000)}

    assert benchmark_ms(lambda: refuse_card_data(spaced)) < 500


@pytest.fixture
def benchmark_ms():
    from time import process_time

    def measure(action):
        started = process_time()
        action()
        return (process_time() - started) * 1000

    return measure


@pytest.mark.parametrize(
    ("digits", "is_one"),
    [
        ("4242424242424242", True),
        ("424242424242424", False),
        ("4242424242424240", False),
        ("9242424242424242", False),
        ("", False),
        ("4", False),
        ("4" * 20, False),
    ],
)
def test_a_card_number_has_an_issuer_a_length_and_a_check_digit(digits, is_one):
    assert is_card_number(digits) is is_one


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/billing/holds", {"amount": 5, "card_number": VISA}),
        ("/v1/billing/holds", {"amount": 5, "metadata": {"cvc": SECRET}}),
        ("/v1/billing/holds", {"amount": "wrong", "pan": VISA}),
        ("/api/v1/billing/usage", {"amount": 5, "cardNumber": VISA}),
        ("/api/agents/v1/wallet/fund", {"amount": 5, "cvv": SECRET}),
        ("/v1/billing/cycle/run-all", {"cvv": SECRET}),
    ],
)
def test_the_api_refuses_card_data_and_repeats_nothing_of_it(path, body, capsys):
    answer = api.handler(event("POST", path, body=body))

    assert answer["statusCode"] == 422
    assert json.loads(answer["body"])["error"]["code"] == "card_data_not_allowed"
    told = capsys.readouterr()
    for told_to in (answer["body"], told.out, told.err):
        assert VISA not in told_to
        assert SECRET not in told_to
