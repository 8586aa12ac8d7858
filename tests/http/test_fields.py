"""The shapes of fields, at their limits."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated

import pytest
from pydantic import BaseModel, ValidationError

from holdfast.errors import AmountTooLarge, InvalidField
from holdfast.http.fields import (
    Body,
    CurrencyCode,
    Identifier,
    Metadata,
    Timestamp,
    Whole,
    amount_micros,
    major_micros,
    text,
)
from holdfast.http.views import CamelView, Maybe, View, major, minor, minor_decimal


class Fields(Body):
    word: Annotated[str, text(3)] = "a"
    lines: Annotated[str, text(9, lines=True)] = "a"
    name: Identifier = "a"
    currency: CurrencyCode = "usd"
    metadata: Metadata | None = None
    at: Timestamp = datetime(2026, 1, 1, tzinfo=UTC)
    whole: Annotated[int, Whole(-5, 5)] = 0


def is_taken(**fields):
    try:
        Fields.model_validate(fields)
    except ValidationError:
        return False
    return True


@pytest.mark.parametrize(
    ("fields", "taken"),
    [
        ({"word": "abc"}, True),
        ({"word": "abcd"}, False),
        ({"word": ""}, False),
        ({"word": "éé\u00a0"}, True),
        ({"word": "a\n"}, False),
        ({"word": "a\x1f"}, False),
        ({"word": "a\x7f"}, False),
        ({"word": "a\x80"}, False),
        ({"lines": "a\nb\tc"}, True),
        ({"lines": "a\rb"}, False),
        ({"lines": "a\0b"}, False),
        ({"name": "x" * 128}, True),
        ({"name": "x" * 129}, False),
        ({"name": "-x"}, False),
        ({"name": "job#1"}, False),
        ({"name": "a/b"}, False),
        ({"name": "a\n"}, False),
        ({"currency": "EUR"}, True),
        ({"currency": "eu"}, False),
        ({"currency": "ｅｕｒ"}, False),
        ({"metadata": {str(key): "v" for key in range(20)}}, True),
        ({"metadata": {str(key): "v" for key in range(21)}}, False),
        ({"metadata": {"k" * 40: "v" * 200}}, True),
        ({"metadata": {"k" * 41: "v"}}, False),
        ({"metadata": {"k": "v" * 201}}, False),
        ({"metadata": {"": "v"}}, False),
        ({"metadata": {"k": ""}}, False),
        ({"metadata": {"k\n": "v"}}, False),
        ({"metadata": {"k": "v\0"}}, False),
        ({"whole": "5"}, True),
        ({"whole": "-5"}, True),
        ({"whole": "6"}, False),
        ({"whole": "-0"}, True),
        ({"whole": 5}, True),
        ({"whole": True}, False),
        ({"whole": 5.0}, False),
        ({"unknown": 1}, False),
    ],
    ids=lambda value: ascii(value)[:40],
)
def test_a_field_at_its_limits(fields, taken):
    assert is_taken(**fields) is taken


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("2026-11-21T03:30:00Z", datetime(2026, 11, 21, 3, 30, tzinfo=UTC)),
        ("2026-11-21t03:30:00z", datetime(2026, 11, 21, 3, 30, tzinfo=UTC)),
        ("2026-11-21T03:30:00.1259Z", datetime(2026, 11, 21, 3, 30, 0, 125_000, tzinfo=UTC)),
        ("2026-11-21T03:30:00+14:00", datetime(2026, 11, 20, 13, 30, tzinfo=UTC)),
        ("2024-02-29T00:00:00Z", datetime(2024, 2, 29, tzinfo=UTC)),
    ],
)
def test_a_time_is_read_with_its_offset(written, read):
    assert Fields.model_validate({"at": written}).at == read


@pytest.mark.parametrize(
    "written",
    [
        "",
        "2026-11-21",
        "2026-11-21 03:30:00Z",
        "2026-11-21T03:30Z",
        "2026-11-21T03:30:00",
        "2026-11-21T03:30:00Z\n",
        "2026-11-21T03:30:60Z",
        "2026-11-21T24:00:00Z",
        "2026-02-29T00:00:00Z",
        "2026-13-01T00:00:00Z",
        "0000-01-01T00:00:00Z",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
        "2026-11-21T03:30:00+24:00",
        "２０２６-11-21T03:30:00Z",
        "2026-W47-6T03:30:00Z",
        1795234357,
        1795234357.5,
        None,
        True,
    ],
)
def test_what_is_not_quite_a_time_is_refused(written):
    assert not is_taken(at=written)


@pytest.mark.parametrize("moment", [datetime(2026, 11, 21, 3, 30, 0, 125_000, tzinfo=UTC)])
def test_a_time_is_written_in_utc_with_three_places(moment):
    assert '"at":"2026-11-21T03:30:00.125Z"' in Fields(at=moment).model_dump_json()


@pytest.mark.parametrize(
    ("amount", "decimal", "currency", "micros"),
    [
        (1, None, "usd", 10_000),
        (1, None, "jpy", 1_000_000),
        (1, None, "kwd", 1_000),
        (None, "0.0001", "usd", 1),
        (None, "1.5", "usd", 15_000),
        (None, "100000000000", "usd", 10**15),
    ],
)
def test_an_amount_is_given_one_way_or_the_other(amount, decimal, currency, micros):
    assert amount_micros(amount, decimal, currency) == micros


@pytest.mark.parametrize(
    ("amount", "decimal", "refusal", "param"),
    [
        (None, None, InvalidField, "price"),
        (1, "1", InvalidField, "price_decimal"),
        (0, None, InvalidField, "price"),
        (-1, None, InvalidField, "price"),
        (None, "0", InvalidField, "price_decimal"),
        (None, "-0.0001", InvalidField, "price_decimal"),
        (10**11 + 1, None, AmountTooLarge, "price"),
        (None, "100000000000.0001", AmountTooLarge, "price_decimal"),
        (10**40, None, AmountTooLarge, "price"),
    ],
)
def test_an_amount_is_refused_under_its_own_name(amount, decimal, refusal, param):
    with pytest.raises(refusal) as refused:
        amount_micros(amount, decimal, "usd", param="price")

    assert refused.value.param == param


def test_zero_is_an_amount_where_it_is_said_to_be():
    assert amount_micros(0, None, "usd", zero=True) == 0
    with pytest.raises(InvalidField):
        amount_micros(-1, None, "usd", zero=True)


@pytest.mark.parametrize(
    ("amount", "micros"), [("0.01", 10_000), ("25", 25_000_000), ("1000000000", 10**15)]
)
def test_major_units_become_micros(amount, micros):
    assert major_micros(Decimal(amount), "usd") == micros


@pytest.mark.parametrize(
    ("amount", "refusal"),
    [("0", InvalidField), ("-1", InvalidField), ("0.001", InvalidField),
     ("1000000000.01", AmountTooLarge), ("1E+39", AmountTooLarge)],
)  # fmt: skip
def test_major_units_have_their_limits(amount, refusal):
    with pytest.raises(refusal):
        major_micros(Decimal(amount), "usd")


class Amounts(CamelView):
    left_over: Maybe[str]
    next_due: str | None


def test_a_view_is_declared_in_snake_and_answered_in_camel():
    assert Amounts(left_over=None, next_due=None).model_dump_json(by_alias=True) == (
        '{"nextDue":null}'
    )
    assert Amounts(left_over="1", next_due="2").model_dump_json(by_alias=True) == (
        '{"leftOver":"1","nextDue":"2"}'
    )


@pytest.mark.parametrize("model", [View, CamelView, Body])
def test_views_and_bodies_are_strict_closed_and_frozen(model: type[BaseModel]):
    config = model.model_config

    assert (config["strict"], config["extra"], config["frozen"]) == (True, "forbid", True)


@pytest.mark.parametrize(
    ("micros", "whole", "exact", "major_units"),
    [(15_000, 1, "1.5", "0.01"), (20_000, 2, None, "0.02"), (-1, -1, "-0.0001", "-0.01")],
)
def test_money_is_floored_and_the_rest_told_beside_it(micros, whole, exact, major_units):
    assert minor(micros, "usd") == whole
    assert minor_decimal(micros, "usd") == exact
    assert major(micros, "usd") == Decimal(major_units)
