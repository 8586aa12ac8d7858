"""Amounts as Stripe counts them: in a currency's smallest unit, which is not always ISO 4217's.

Stripe counts MGA in whole ariary though the norm knows a fifth, and ISK and UGX in hundredths
though they have none. Of three decimals it takes the last one only as zero.
"""

from holdfast.domain import money
from holdfast.errors import AmountTooLarge, InvalidField

STRIPE_AMOUNT_MAX = 99_999_999
"""The most that one payment moves, in the currency's smallest unit."""

_UNIT_MICROS = {"mga": 1_000_000, "isk": 10_000, "ugx": 10_000}
_WHOLE_UNITS = {"isk": 100, "ugx": 100}
_LAST_DIGIT_ZERO = 10
_THREE_DECIMALS_MICROS = 1_000


def to_stripe(amount_micros: int, currency: str, *, param: str = "amount") -> int:
    """The amount in Stripe's units. Exact.

    >>> to_stripe(1_500_000, "usd"), to_stripe(500_000_000, "jpy"), to_stripe(5_000_000, "isk")
    (150, 500, 500)

    Raises:
        InvalidField: It is finer than what Stripe takes in this currency.
        AmountTooLarge: It is more than one payment can move.
    """
    assert amount_micros > 0
    unit_micros = _unit_micros(currency)
    units, rest = divmod(amount_micros, unit_micros)
    step = _WHOLE_UNITS.get(currency, 1)
    if unit_micros == _THREE_DECIMALS_MICROS:
        step = _LAST_DIGIT_ZERO
    if rest or units % step:
        raise InvalidField(param, "finer than what cards are charged in this currency")
    if units > STRIPE_AMOUNT_MAX:
        raise AmountTooLarge(
            param=param, amount_micros_max=STRIPE_AMOUNT_MAX * unit_micros, currency=currency
        )
    return units


def from_stripe(units: int, currency: str) -> int:
    """Micros of an amount that Stripe told. Exact.

    >>> from_stripe(150, "usd"), from_stripe(500, "isk"), from_stripe(-3, "kwd")
    (1500000, 5000000, -3000)
    """
    return units * _unit_micros(currency)


def _unit_micros(currency: str) -> int:
    return _UNIT_MICROS.get(currency) or money.minor_unit_micros(currency)
