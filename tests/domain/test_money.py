from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from iso4217 import Currency

from holdfast.domain import money
from holdfast.errors import InvalidField

CURRENCIES = sorted(each.code.lower() for each in Currency if each.exponent is not None)
MICROS = st.integers(-money.WALLET_MICROS_MAX, money.WALLET_MICROS_MAX)
ANY_CURRENCY = st.sampled_from(CURRENCIES)
# One currency for each exponent that ISO 4217 has.
MINOR_UNITS = [("jpy", 0, 1_000_000), ("usd", 2, 10_000), ("kwd", 3, 1_000), ("clf", 4, 100)]


@pytest.mark.parametrize(("currency", "exponent", "micros"), MINOR_UNITS)
def test_a_minor_unit_has_as_many_micros_as_the_exponent_says(currency, exponent, micros):
    assert money.minor_unit_micros(currency) == micros
    assert money.minor_unit_micros(currency) * 10**exponent == money.MICROS_PER_MAJOR


def test_every_exponent_of_iso_4217_is_in_the_table():
    exponents = {each.exponent for each in Currency if each.exponent is not None}

    assert exponents == {exponent for _, exponent, _ in MINOR_UNITS}


@pytest.mark.parametrize("currency", CURRENCIES)
def test_minor_units_come_back_as_they_went_in(currency):
    amounts = [-101, -1, 0, 1, 99, 10**11]

    micros = [money.from_minor(amount, currency) for amount in amounts]

    assert all(money.is_whole_minor(each, currency) for each in micros)
    assert [money.minor_floor(each, currency) for each in micros] == amounts
    assert [money.minor_ceil(each, currency) for each in micros] == amounts
    assert [int(money.minor_decimal(each, currency)) for each in micros] == amounts
    shown = [money.major_decimal(each, currency) for each in micros]
    assert [money.from_major(each, currency) for each in shown] == micros


def test_a_currency_is_known_by_its_code_in_either_case():
    assert [money.currency_code(currency) for currency in CURRENCIES] == CURRENCIES
    assert [money.currency_code(f" {each.upper()} ") for each in CURRENCIES] == CURRENCIES
    assert all(money.is_currency(currency) for currency in CURRENCIES)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing"),
        pytest.param("us", id="too short"),
        pytest.param("usdx", id="too long"),
        pytest.param("btc", id="not in ISO 4217"),
        pytest.param("dem", id="withdrawn"),
        pytest.param("xau", id="gold has no minor unit"),
        pytest.param("xts", id="for testing"),
        pytest.param("xxx", id="no currency"),
        pytest.param("ｕｓｄ", id="full-width"),
        pytest.param("u s d", id="spaced"),
        pytest.param("usd,eur", id="two"),
    ],
)
def test_what_is_no_currency_is_refused_by_name(text):
    with pytest.raises(InvalidField) as refused:
        money.currency_code(text)

    assert refused.value.param == "currency"


@pytest.mark.parametrize(
    ("text", "currency", "micros"),
    [
        ("1", "usd", 10_000),
        ("0", "usd", 0),
        ("-0", "usd", 0),
        ("0.0001", "usd", 1),
        ("12.5", "usd", 125_000),
        ("-12.5", "usd", -125_000),
        ("1.5000", "usd", 15_000),
        ("0.0001", "jpy", 100),
        ("0.001", "kwd", 1),
        ("0.01", "clf", 1),
        # Beyond 28 digits, where Python's own decimals begin to round.
        ("9" * 32, "usd", (10**32 - 1) * 10_000),
        (f"{'9' * 27}.9999", "usd", 10**31 - 1),
    ],
)
def test_a_decimal_string_is_read_exactly(text, currency, micros):
    assert money.from_decimal(text, currency) == micros


@pytest.mark.parametrize(
    ("text", "currency"),
    [
        pytest.param("0.00001", "usd", id="five decimals"),
        pytest.param("1.00000", "usd", id="five decimals, all zero"),
        pytest.param("0.0001", "kwd", id="finer than a micro of kwd"),
        pytest.param("0.001", "clf", id="finer than a micro of clf"),
        pytest.param("9" * 33, "usd", id="33 characters"),
        *(
            pytest.param(text, "usd", id=ascii(text))
            for text in (
                *("", "-", ".", "-.", "--1", "1-", "+1", " 1", "1 ", "1\n", "1.2.3", "1,5"),
                *("NaN", "nan", "sNaN", "Infinity", "-inf", "1e5", "1E5", "1e-2", "0x10"),
                *("1_000", "１２", "٣", "²", "½", "1\u00a0000", "1.-5", "true", "null"),
            )
        ),
    ],
)
def test_what_is_no_plain_decimal_is_refused_under_the_callers_name(text, currency):
    with pytest.raises(InvalidField) as refused:
        money.from_decimal(text, currency, param="unit_price")

    assert refused.value.param == "unit_price"


@given(micros=MICROS, currency=st.sampled_from(["usd", "eur", "kwd", "clf"]))
def test_what_we_write_as_a_decimal_we_read_back(micros, currency):
    assert money.from_decimal(money.minor_decimal(micros, currency), currency) == micros


@given(micros=MICROS, currency=ANY_CURRENCY)
def test_a_decimal_in_minor_units_is_exact_and_has_no_superfluous_zeros(micros, currency):
    text = money.minor_decimal(micros, currency)

    assert Decimal(text) * money.minor_unit_micros(currency) == micros
    assert "." not in text or text[-1] not in "0."
    assert set(text) <= set("-.0123456789")


@pytest.mark.parametrize(
    ("number", "currency", "micros"),
    [
        ("25.00", "usd", 25_000_000),
        ("25", "usd", 25_000_000),
        ("0.01", "usd", 10_000),
        ("0.010", "usd", 10_000),
        ("1E+2", "usd", 100_000_000),
        ("1", "jpy", 1_000_000),
        ("0.001", "kwd", 1_000),
        ("0.0001", "clf", 100),
    ],
)
def test_major_units_are_read_exactly(number, currency, micros):
    assert money.from_major(Decimal(number), currency) == micros


@pytest.mark.parametrize(
    ("number", "currency"),
    [
        pytest.param("0.009", "usd", id="a tenth of a cent"),
        pytest.param("0.001", "usd", id="a millicent"),
        pytest.param("0.1", "jpy", id="a tenth of a yen"),
        pytest.param("0.0001", "kwd", id="a tenth of a fils"),
        pytest.param("0.00001", "clf", id="a tenth of the finest minor unit"),
        pytest.param("1e-30", "usd", id="finer than a micro"),
        pytest.param(f"1.{'0' * 70}1", "usd", id="finer than any digit that is looked at"),
        pytest.param("NaN", "usd", id="no number"),
        pytest.param("Infinity", "usd", id="no end"),
    ],
)
def test_major_units_finer_than_the_minor_unit_are_refused(number, currency):
    with pytest.raises(InvalidField) as refused:
        money.from_major(Decimal(number), currency)

    assert refused.value.param == "amount"


@pytest.mark.parametrize(
    ("micros", "floor", "ceil"),
    [
        (-20_001, -3, -2),
        (-20_000, -2, -2),
        (-19_999, -2, -1),
        (-10_001, -2, -1),
        (-10_000, -1, -1),
        (-9_999, -1, 0),
        (-1, -1, 0),
        (0, 0, 0),
        (1, 0, 1),
        (9_999, 0, 1),
        (10_000, 1, 1),
        (10_001, 1, 2),
    ],
)
def test_floor_goes_down_and_ceil_goes_up_on_either_side_of_zero(micros, floor, ceil):
    assert money.minor_floor(micros, "usd") == floor
    assert money.minor_ceil(micros, "usd") == ceil
    assert money.is_whole_minor(micros, "usd") == (floor == ceil)


@given(micros=MICROS, currency=ANY_CURRENCY)
def test_an_amount_lies_between_its_floor_and_its_ceil(micros, currency):
    unit_micros = money.minor_unit_micros(currency)
    floor, ceil = money.minor_floor(micros, currency), money.minor_ceil(micros, currency)

    assert floor * unit_micros <= micros <= ceil * unit_micros
    assert ceil - floor == (0 if money.is_whole_minor(micros, currency) else 1)
    assert money.minor_floor(-micros, currency) == -ceil


@pytest.mark.parametrize(
    ("micros", "currency", "shown"),
    [
        (25_000_000, "usd", "25.00"),
        (25_009_999, "usd", "25.00"),
        (-1, "usd", "-0.01"),
        (0, "usd", "0.00"),
        (7_000_000, "jpy", "7"),
        (7_999_999, "jpy", "7"),
        (1_500, "kwd", "0.001"),
        (150, "clf", "0.0001"),
        (money.WALLET_MICROS_MAX, "usd", "100000000000.00"),
        (money.WALLET_MICROS_MAX, "clf", "100000000000.0000"),
    ],
)
def test_major_units_are_floored_and_show_the_currencys_decimals(micros, currency, shown):
    assert str(money.major_decimal(micros, currency)) == shown
