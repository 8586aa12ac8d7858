"""Bodies that are not what they should be: every one a 4xx, and nothing of it said back."""

import base64
import json

import pytest

from holdfast.errors import Unreadable
from holdfast.http.body import read_document
from tests.http.events import event
from tests.http.toy import api

HOLDS = "/v1/billing/holds"
KIB = 1024


def send(body, *, path=HOLDS, content_type="application/json", encoding=None, is_base64=False):
    headers = {} if content_type is None else {"content-type": content_type}
    if encoding is not None:
        headers["content-encoding"] = encoding
    sent = event("POST", path, headers=headers)
    sent.update(body=body, isBase64Encoded=is_base64)
    answer = api.handler(sent)
    return answer["statusCode"], json.loads(answer["body"])


def test_a_good_body_is_taken():
    assert send('{"amount": 5}')[0] == 201


def test_a_good_body_is_taken_in_base64():
    assert send(base64.b64encode(b'{"amount": 5}').decode(), is_base64=True)[0] == 201


@pytest.mark.parametrize(
    "body",
    [
        "",
        " ",
        "{",
        "}",
        "nonsense",
        "null",
        "true",
        "5",
        '"amount"',
        "[]",
        '[{"amount":5}]',
        '[{"amount":5},{"amount":6}]',
        '{"amount":5}{"amount":5}',
        '{"amount":5,}',
        "{'amount':5}",
        '{"amount":5,"amount":5}',
        '{"amount":5,"metadata":{"a":"1","a":"2"}}',
        '{"amount":NaN}',
        '{"amount":Infinity}',
        '{"amount":-Infinity}',
        '{"amount":1e400}',
        '{"amount":-1e400}',
        '{"amount":1e-400}',
        '{"amount":' + "9" * 41 + "}",
        '{"amount":' + "9" * 5000 + "}",
        '{"amount":0.' + "0" * 5000 + "1}",
        '{"reference":"\\ud800"}',
        '{"reference":"\\udc00\\ud800"}',
        '{"\\ud800":"x"}',
        '{"reference":"\ud800"}',
        "\ufeff" + '{"amount":5}',
        '{"amount":5}\x00',
        '{"reference":"\n"}',
        '{"a":' * 21 + "1" + "}" * 21,
        '{"a":' + "[" * 20 + "]" * 20 + "}",
        "[" * 100_000,
        '{"a":' * 50_000,
        "[" * 100_000 + "]" * 100_000,
    ],
    ids=lambda body: ascii(body)[:40],
)
def test_a_body_that_is_no_json_object_is_unreadable(body):
    status, answer = send(body)

    if body:
        assert (status, answer["error"]["code"]) == (400, "unreadable_body")
        assert answer["error"]["details"] == {}
    else:
        # No body at all is an object without fields: the missing one is named.
        assert (status, answer["error"]["param"]) == (422, "amount")


@pytest.mark.parametrize("body", [7, [], {}, True, b"{}"])
def test_a_body_that_is_not_even_text_is_unreadable(body):
    assert send(body)[0] == 400


@pytest.mark.parametrize(
    "body",
    [
        "{}",
        "%%%",
        "eyJ9=",
        "eyJhbW91bnQi!OiA1fQ==",
        "eyJhbW91bnQiOiA1fQ==\n",
        "é",
        "\ud800",
        base64.b64encode(b"\xff\xfe{}").decode(),
        base64.b64encode(b"\xef\xbb\xbf{}").decode(),
        base64.b64encode(b'{"reference":"\xed\xa0\x80"}').decode(),
        base64.b64encode(b'{"reference":"\xc0\xaf"}').decode(),
        base64.b64encode("{}".encode("utf-16")).decode(),
        base64.b64encode(b"[]").decode(),
    ],
)
def test_bad_base64_and_bad_utf8_are_unreadable(body):
    assert send(body, is_base64=True)[0] == 400


@pytest.mark.parametrize("depth", [19, 20])
def test_twenty_levels_are_read_and_then_unknown(depth):
    body = '{"a":' * depth + "1" + "}" * depth

    status, answer = send(body)

    assert (status, answer["error"]["code"]) == (422, "unknown_field")


@pytest.mark.parametrize(
    ("size", "status"),
    [(256 * KIB - 1, 422), (256 * KIB, 422), (256 * KIB + 1, 413), (6 * KIB * KIB, 413)],
)
@pytest.mark.parametrize("is_base64", [False, True])
def test_a_body_may_be_256_kib_long(size, status, is_base64):
    body = '{"reference":"' + "x" * (size - 16) + '"}'
    assert len(body) == size

    sent = base64.b64encode(body.encode()).decode() if is_base64 else body

    assert send(sent, is_base64=is_base64)[0] == status


def test_the_size_of_a_body_is_counted_in_bytes():
    body = '{"reference":"' + "é" * (128 * KIB) + '"}'

    assert send(body)[0] == 413


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        ("application/json", 201),
        ("Application/JSON; charset=UTF-8", 201),
        ('application/json;charset="utf-8"', 201),
        ("application/json; profile=x", 201),
        (None, 201),
        ("application/json; charset=latin-1", 415),
        ("application/jsonp", 415),
        ("application/json-patch+json", 415),
        ("application/x-www-form-urlencoded", 415),
        ("multipart/form-data; boundary=x", 415),
        ("multipart/form-data", 415),
        ("text/plain", 415),
        ("", 415),
        (";", 415),
    ],
)
def test_a_body_is_json_or_refused(content_type, status):
    assert send('{"amount":5}', content_type=content_type)[0] == status


@pytest.mark.parametrize(("encoding", "status"), [("identity", 201), ("gzip", 415), ("br", 415)])
def test_a_packed_body_is_refused(encoding, status):
    assert send('{"amount":5}', encoding=encoding)[0] == status


def test_without_a_body_its_type_is_no_matter():
    assert send("", content_type="text/plain")[0] == 422


def test_a_body_where_none_is_taken_is_refused():
    sent = event("POST", "/v1/billing/cycle/run-all", body={"all": True})

    answer = api.handler(sent)

    assert answer["statusCode"] == 422
    assert json.loads(answer["body"])["error"]["param"] == "all"


def test_a_body_that_comes_with_a_get_is_not_read():
    assert api.handler(event("GET", "/v1/billing/entries", body="["))["statusCode"] == 200


# --- Fields --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "param", "reason"),
    [
        ('{"amount":true}', "amount", "must be an integer"),
        ('{"amount":"5"}', "amount", "must be an integer"),
        ('{"amount":5.0}', "amount", "must be an integer"),
        ('{"amount":1e2}', "amount", "must be an integer"),
        ('{"amount":[5]}', "amount", "must be an integer"),
        ('{"amount":{"amount":5}}', "amount", "must be an integer"),
        ('{"amount":0}', "amount", "must be greater than 0"),
        ('{"amount":-1}', "amount", "must be greater than 0"),
        ('{"amount":null}', "amount", "required"),
        ("{}", "amount", "required"),
        ('{"amount":5,"amount_decimal":"5"}', "amount_decimal", "give this or amount, not both"),
        ('{"amount_decimal":"1.00001"}', "amount_decimal", "at most 4 decimals"),
        ('{"amount_decimal":"0"}', "amount_decimal", "must be greater than 0"),
        ('{"amount_decimal":"-1"}', "amount_decimal", "must be greater than 0"),
        ('{"amount_decimal":"1e2"}', "amount_decimal", "not a plain decimal number"),
        ('{"amount_decimal":"NaN"}', "amount_decimal", "not a plain decimal number"),
        ('{"amount_decimal":"1_0"}', "amount_decimal", "not a plain decimal number"),
        ('{"amount_decimal":"\\u0661"}', "amount_decimal", "not a plain decimal number"),
        ('{"amount_decimal":""}', "amount_decimal", "not a plain decimal number"),
        ('{"amount_decimal":1.5}', "amount_decimal", "must be a string"),
        ('{"amount_decimal":"' + "1" * 33 + '"}', "amount_decimal", "at most 32 characters"),
        ('{"amount":5,"currency":"usdx"}', "currency", "not an ISO 4217 currency code"),
        ('{"amount":5,"currency":"USD\\n"}', "currency", "not an ISO 4217 currency code"),
        ('{"amount":5,"currency":" usd"}', "currency", "not an ISO 4217 currency code"),
        ('{"amount":5,"currency":"xau"}', "currency", "not an ISO 4217 currency code"),
        ('{"amount":5,"currency":7}', "currency", "must be a string"),
        ('{"amount":5,"currency":null}', "currency", "must be a string"),
        ('{"amount":5,"reference":""}', "reference", "must not be empty"),
        ('{"amount":5,"reference":"a\\u0000b"}', "reference", "must not have control characters"),
        ('{"amount":5,"reference":"a\\u009fb"}', "reference", "must not have control characters"),
        ('{"amount":5,"reference":"' + "x" * 41 + '"}', "reference", "at most 40 characters"),
        ('{"amount":5,"expires_at":"tomorrow"}', "expires_at", "not a time of RFC 3339"),
        ('{"amount":5,"metadata":[]}', "metadata", "must be an object"),
        ('{"amount":5,"metadata":{"a":1}}', "metadata.a", "must be a string"),
        ('{"amount":5,"metadata":{"a":{"b":"c"}}}', "metadata.a", "must be a string"),
        ('{"amount":5,"balance":1}', "balance", None),
        ('{"amount":5,"account_id":"acct_1"}', "account_id", None),
        ('{"amount":5,"Amount":1}', "Amount", None),
        ('{"amount":5,"__proto__":{}}', "__proto__", None),
        ('{"amount":5,"<script>":1}', "body", None),
        ('{"amount":5,"":1}', "body", None),
        ('{"amount":5,"' + "x" * 65 + '":1}', "body", None),
        ('{"amount":5,"ref_4000000000000":1}', "body", None),
    ],
)  # fmt: skip
def test_the_wrong_field_is_named_and_its_value_is_not(body, param, reason):
    status, answer = send(body)

    assert status == 422
    assert answer["error"]["param"] == param
    if reason is None:
        assert answer["error"]["code"] == "unknown_field"
        assert answer["error"]["details"] == {}
    else:
        assert answer["error"]["code"] == "invalid_field"
        assert answer["error"]["details"]["reason"].startswith(reason)


@pytest.mark.parametrize("amount", [10**11, 10**11 + 1])
def test_one_operation_moves_ten_to_the_fifteen_micros_at_most(amount):
    status, answer = send(json.dumps({"amount": amount}))

    if amount == 10**11:
        assert status == 201
    else:
        assert (status, answer["error"]["code"]) == (422, "amount_too_large")
        assert answer["error"]["param"] == "amount"


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ('{"amount":true}', "amount"),
        ('{"amount":5,"lineItems":[{"name":"a"},{"name":7}]}', "lineItems.1.name"),
        ('{"amount":5,"lineItems":[{"nom":"a"}]}', "lineItems.0.name"),
        ('{"amount":5,"userId":7}', "userId"),
        ('{"amount":5,"userId":"a b"}', "userId"),
        ('{"amount":5,"user_id":"acme/alice"}', "user_id"),
        ('{"amount":5,"request_id":"r1"}', "request_id"),
    ],
)
def test_a_field_is_named_as_the_caller_spells_it(body, param):
    status, answer = send(body, path="/api/v1/billing/usage")

    assert (status, answer["error"]["param"]) == (422, param)


@pytest.mark.parametrize(
    ("amount", "answered"),
    [("25", "25.00"), ("25.5", "25.50"), ("0.01", "0.01"), ("1e2", "100.00")],
)
def test_decimals_go_in_and_out_without_a_float(amount, answered):
    sent = event("POST", "/api/agents/v1/wallet/fund", body=f'{{"amount":{amount}}}')

    answer = api.handler(sent)

    assert answer["statusCode"] == 200
    assert answer["body"].startswith(f'{{"data":{{"balance":{answered},"currency":"USD"}}')


@pytest.mark.parametrize(
    "amount",
    ['"25"', "true", "null", "0", "-1", "0.001", "0.1000000000000000055", "[]", "1000000000.01"],
)
def test_a_decimal_that_is_no_amount_is_refused(amount):
    status, answer = send(f'{{"amount":{amount}}}', path="/api/agents/v1/wallet/fund")

    assert status == 422
    assert answer["error"]["details"]["param"] == "amount"


@pytest.mark.parametrize(("currency", "amount", "status"), [("jpy", "5", 200), ("jpy", "5.5", 422),
                                                            ("kwd", "0.001", 200)])  # fmt: skip
def test_a_decimal_is_no_finer_than_the_minor_unit(currency, amount, status):
    body = f'{{"amount":{amount},"currency":"{currency}"}}'

    assert send(body, path="/api/agents/v1/wallet/fund")[0] == status


def test_an_exponent_beyond_all_numbers_is_unreadable():
    with pytest.raises(Unreadable):
        read_document('{"amount": 0e99999999999999999999}', is_base64=False, headers={})
