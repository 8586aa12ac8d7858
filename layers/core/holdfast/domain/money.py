"""Money is a signed integer of micros: 1,000,000 micros are one major unit of the currency.

A micro is fine enough for every ISO 4217 exponent and for prices of a thousandth of a cent. What
callers send and read is in minor units (cents of USD, whole yen, fils of KWD): the conversions
are here, and each says in its name how it rounds.
"""

from decimal import Decimal, InvalidOperation
from fractions import Fraction
from functools import cache

from iso4217 import Currency as IsoCurrency

from holdfast.errors import InvalidField

MICROS_PER_MAJOR = 1_000_000
AMOUNT_MICROS_MAX = 10**15
"""The most one operation moves: a thousand million major units."""
WALLET_MICROS_MAX = 10**17
"""The most one wallet holds, either side of zero: far inside DynamoDB's 38 digits."""
ADJUSTED_MAX = 40
"""The power of ten of the first digit, either way, beyond which a number is no amount."""
DECIMAL_PLACES_MAX = 4
"""Decimals of a minor unit that callers may send: a ten-thousandth of a cent."""


def currency_code(text: str) -> str:
    """The lower-case ISO 4217 code that `text` names.

    Raises:
        InvalidField: `text` is not the code of a currency with a minor unit.
    """
    code = text.strip().lower()
    if not text.isascii() or not is_currency(code):
        raise InvalidField("currency", "not an ISO 4217 currency code")
    return code


def is_currency(code: str) -> bool:
    """Whether this is the lower-case code of a currency with a minor unit."""
    return code in _exponents()


def minor_unit_micros(currency: str) -> int:
    """Micros in one minor unit: 10,000 for usd (cents), 1,000,000 for jpy, 1,000 for kwd."""
    return int(MICROS_PER_MAJOR // 10 ** _exponents()[currency])


def from_minor(amount: int, currency: str) -> int:
    """Micros of a whole number of minor units. Exact.

    >>> from_minor(1_50, "usd")
    1500000
    """
    return amount * minor_unit_micros(currency)


def from_decimal(text: str, currency: str, *, param: str = "amount_decimal") -> int:
    """Micros of a decimal string of minor units with at most four decimals. Exact.

    >>> from_decimal("0.0125", "usd")
    125

    Raises:
        InvalidField: Not a plain decimal number, or finer than a micro or four decimals.
    """
    number = _plain_decimal(text, param=param)
    exponent = number.as_tuple().exponent
    if isinstance(exponent, int) and exponent < -DECIMAL_PLACES_MAX:
        raise InvalidField(param, f"at most {DECIMAL_PLACES_MAX} decimals")
    return _exact(number, minor_unit_micros(currency), param=param)


def from_major(number: Decimal, currency: str, *, param: str = "amount") -> int:
    """Micros of a decimal number of major units that is not finer than the minor unit. Exact.

    Raises:
        InvalidField: Finer than the currency's minor unit.
    """
    micros = _exact(number, MICROS_PER_MAJOR, param=param)
    if micros % minor_unit_micros(currency):
        raise InvalidField(param, "finer than the minor unit of the currency")
    return micros


def minor_floor(amount_micros: int, currency: str) -> int:
    """Whole minor units, rounded down (towards minus infinity): never promise more than there is.

    >>> minor_floor(19_999, "usd"), minor_floor(-1, "usd")
    (1, -1)
    """
    return amount_micros // minor_unit_micros(currency)


def minor_ceil(amount_micros: int, currency: str) -> int:
    """Whole minor units, rounded up: what a price must reserve.

    >>> minor_ceil(10_001, "usd")
    2
    """
    return -(-amount_micros // minor_unit_micros(currency))


def is_whole_minor(amount_micros: int, currency: str) -> bool:
    """Whether the amount is a whole number of minor units."""
    return amount_micros % minor_unit_micros(currency) == 0


def minor_decimal(amount_micros: int, currency: str) -> str:
    """The exact amount in minor units, as a decimal string without trailing zeros.

    >>> minor_decimal(125, "usd"), minor_decimal(-15_000, "usd"), minor_decimal(20_000, "usd")
    ('0.0125', '-1.5', '2')
    """
    return _shortest(amount_micros, minor_unit_micros(currency))


def major_decimal(amount_micros: int, currency: str) -> Decimal:
    """The amount in major units, floored to the minor unit, with the currency's decimals.

    >>> major_decimal(25_000_000, "usd")
    Decimal('25.00')
    """
    exponent = _exponents()[currency]
    return Decimal(minor_floor(amount_micros, currency)).scaleb(-exponent)


def _shortest(numerator: int, denominator: int) -> str:
    sign = "-" if numerator < 0 else ""
    whole, rest = divmod(abs(numerator), denominator)
    if not rest:
        return f"{sign}{whole}"
    digits = len(str(denominator)) - 1
    return f"{sign}{whole}.{rest:0{digits}d}".rstrip("0")


def _plain_decimal(text: str, *, param: str) -> Decimal:
    # Decimal() takes "1e5", "NaN", "1_000" and full-width digits; money does not.
    digits = text.removeprefix("-").replace(".", "", 1)
    if not (digits.isascii() and digits.isdigit() and len(text) <= 32):
        raise InvalidField(param, "not a plain decimal number")
    try:
        return Decimal(text)
    except InvalidOperation as broken:
        raise InvalidField(param, "not a plain decimal number") from broken


def _exact(number: Decimal, factor: int, *, param: str) -> int:
    if not number.is_finite() or abs(number.adjusted()) > ADJUSTED_MAX:
        raise InvalidField(param, "not an amount of money")
    product = Fraction(number) * factor
    if product.denominator != 1:
        raise InvalidField(param, "finer than a millionth of the major unit")
    return product.numerator


@cache
def _exponents() -> dict[str, int]:
    # Codes without a minor unit (gold, testing codes) have no exponent and are not money here.
    return {
        currency.code.lower(): currency.exponent
        for currency in IsoCurrency
        if currency.exponent is not None
    }
