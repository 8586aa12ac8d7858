"""Each surface spells the same answer its own way."""

import json
from decimal import Decimal

import pytest

from holdfast.http.dialects import AGENTS, CAMEL, SNAKE, ZAP, dialect_of, to_json
from tests.http.events import event
from tests.http.toy import api

ID = "JKJaXmPLvHcESHA="


def got(path, **named):
    return json.loads(api.handler(event("GET", path, **named))["body"])


@pytest.mark.parametrize(
    ("path", "dialect"),
    [
        ("/v1/billing/wallet", SNAKE),
        ("/v1/me/wallet/orders", SNAKE),
        ("/v1/plans/", SNAKE),
        ("/v1", SNAKE),
        ("/v11/x", CAMEL),
        ("/api/v1/billing/balance", CAMEL),
        ("/api/v1/zap", ZAP),
        ("/api/v1/billing/zap", ZAP),
        ("/api/v1/zapped", CAMEL),
        ("/workspaces/w1/billing/balance", CAMEL),
        ("/billing-accounts/", CAMEL),
        ("/api/agents/v1/wallet/balance", AGENTS),
        ("/api/agents/v1", AGENTS),
        ("/api/agents/v10/wallet", CAMEL),
        ("", CAMEL),
    ],
)
def test_a_path_tells_the_dialect(path, dialect):
    assert dialect_of(path) is dialect


def test_an_error_in_snake():
    assert got("/v1/billing/failures/funds") == {
        "error": {
            "type": "payment_required",
            "code": "insufficient_funds",
            "message": "Available balance is too low.",
            "param": None,
            "details": {
                "needed": 3,
                "available": 1,
                "available_decimal": "1.5",
                "currency": "usd",
            },
            "request_id": ID,
        }
    }


def test_an_error_in_camel():
    assert got("/api/v1/billing/failures/funds")["error"]["details"] == {
        "needed": 3,
        "available": 1,
        "availableDecimal": "1.5",
        "currency": "usd",
    }
    assert got("/api/v1/billing/failures/contention")["error"]["details"] == {
        "retryAfterSeconds": 3
    }


def test_an_error_for_agents():
    answer = api.handler(event("GET", "/api/agents/v1/failures/exceeded"))

    assert answer["body"] == (
        '{"data":null,"error":{"code":"hold_exceeded",'
        '"message":"The hold has less than that left.",'
        '"details":{"asked":0.02,"remaining":0.01,"currency":"usd","param":"amount"}},'
        f'"meta":{{"request_id":"{ID}"}}}}'
    )


@pytest.mark.parametrize(
    ("path", "keys"),
    [
        ("/v1/billing/failures/bug", {"error"}),
        ("/api/v1/billing/failures/bug", {"error"}),
        ("/api/agents/v1/failures/bug", {"data", "error", "meta"}),
        ("/api/agents/v1/nowhere", {"data", "error", "meta"}),
    ],
)
def test_even_a_mistake_of_ours_is_told_in_the_dialect(path, keys):
    assert set(got(path)) == keys


def test_an_object_stands_bare_in_snake_and_camel():
    assert got("/v1/billing/entries/e1") == {"id": "e1", "limit": 0}
    assert set(got("/api/v1/billing/balance")) == {"user", "accountId", "now"}


def test_a_list_in_snake_says_whether_and_where_it_goes_on():
    listed = got("/v1/billing/entries")

    assert set(listed) == {"data", "has_more", "next_cursor"}
    assert listed["has_more"] is True

    following = got("/v1/billing/entries", query=f"cursor={listed['next_cursor']}")

    assert following["data"][0]["id"] == "1"


def test_a_list_in_camel_has_the_plural_of_what_it_lists():
    assert got("/api/v1/billing/transactions", query="offset=3") == {
        "transactions": [],
        "count": 3,
        "nextCursor": None,
    }


def test_a_list_for_agents_stands_in_the_envelope():
    answer = api.handler(event("GET", "/api/agents/v1/wallet/transactions"))

    assert answer["body"] == (
        '{"data":{"items":[{"id":50,"amount":-0.10}],"count":1,"total":12,'
        '"wallet":{"balance":75.50,"currency":"USD"}},'
        f'"error":null,"meta":{{"request_id":"{ID}"}}}}'
    )


def test_an_optional_fact_is_left_out_and_a_nullable_one_is_null():
    whole = api.handler(event("POST", "/v1/billing/holds", body={"amount": 5}))
    broken = api.handler(event("POST", "/v1/billing/holds", body={"amount_decimal": "1.25"}))

    assert "amount_decimal" not in json.loads(whole["body"])
    assert json.loads(whole["body"])["reference"] is None
    assert json.loads(broken["body"])["amount"] == 1
    assert json.loads(broken["body"])["amount_decimal"] == "1.25"


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (Decimal("25.00"), "25.00"),
        (Decimal("1E+2"), "100"),
        (Decimal("-0.10"), "-0.10"),
        (Decimal("99999999999999999999.99"), "99999999999999999999.99"),
        ([1, "a", None, True], '[1,"a",null,true]'),
        ({"a": {"b": ()}}, '{"a":{"b":[]}}'),
        ("é\n\"", '"é\\n\\""'),
        ("\u2028", '"\u2028"'),
    ],
)  # fmt: skip
def test_json_is_written_with_every_place_of_a_decimal(value, written):
    assert to_json(value) == written
    assert json.loads(to_json(value), parse_float=Decimal) is not None or value is None


@pytest.mark.parametrize("value", [0.1, [0.1], {"a": float("nan")}, Decimal("NaN")])
def test_a_float_is_a_bug(value):
    with pytest.raises(AssertionError):
        to_json(value)
