"""Decimals that callers send are taken exactly, and what cannot be is refused."""

from fractions import Fraction

import pytest

from holdfast.domain.money import from_decimal, minor_ceil, minor_floor, minor_unit_micros
from holdfast.errors import InvalidField


@pytest.mark.parametrize("currency", ["usd", "jpy", "kwd"])
def test_every_decimal_is_exact_or_refused(currency):
    unit_micros = minor_unit_micros(currency)
    exact = refused = 0
    for whole in (0, 1, 10**8):
        for rest in range(10_000):
            micros = Fraction(whole * 10_000 + rest, 10_000) * unit_micros
            try:
                taken = from_decimal(f"{whole}.{rest:04d}", currency)
            except InvalidField:
                assert micros.denominator != 1
                refused += 1
            else:
                assert taken == micros
                exact += 1
    assert exact >= 3_000
    assert (refused == 0) == (unit_micros % 10_000 == 0)


@pytest.mark.parametrize("micros", [0, 1, 9_999, 10_000, 10_001, 10**15 - 1, 10**17 + 1])
def test_a_floor_and_a_ceiling_enclose_the_amount(micros):
    for amount in (micros, -micros):
        floor, ceiling = minor_floor(amount, "usd"), minor_ceil(amount, "usd")

        assert floor * 10_000 <= amount <= ceiling * 10_000
        assert ceiling - floor == (1 if amount % 10_000 else 0)
