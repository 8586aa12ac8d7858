"""Currencies, the least and the most that is charged, fees, and amounts as messages say them."""

from local.stripe.errors import invalid

AMOUNT_MAX = 99_999_999

_ZERO_DECIMAL = frozenset("bif clp djf gnf jpy kmf krw mga pyg rwf ugx vnd vuv xaf xof xpf".split())
_THREE_DECIMAL = frozenset("bhd jod kwd omr tnd".split())
# The least that is charged, in the currency's smallest unit.
_MINIMUMS = {
    "usd": 50, "aed": 200, "aud": 50, "brl": 50, "cad": 50, "chf": 50, "czk": 1500, "dkk": 250,
    "eur": 50, "gbp": 30, "hkd": 400, "huf": 17500, "inr": 50, "jpy": 50, "mxn": 1000, "myr": 200,
    "nok": 300, "nzd": 50, "pln": 200, "ron": 200, "sek": 300, "sgd": 50, "thb": 1000,
    "bhd": 500, "isk": 6000, "jod": 500, "krw": 700, "kwd": 500, "omr": 500, "tnd": 1500,
    "ils": 200, "php": 3000, "idr": 800000, "try": 2000, "twd": 1600, "uah": 2000, "zar": 900,
}  # fmt: skip
_SIGNS = {"usd": "$", "eur": "€", "gbp": "£", "jpy": "¥"}
_FEE_BPS = 290
_FEE_FIXED = 30
DISPUTE_FEE = 1500


def currency(raw: object, name: str) -> str:
    """A currency that is charged here, in lower case."""
    code = raw.lower() if isinstance(raw, str) else ""
    if code not in _MINIMUMS:
        listed = ", ".join(sorted(_MINIMUMS))
        raise invalid(
            f"Invalid currency: {raw}. Stripe currently supports these currencies: {listed}", name
        )
    return code


def spelled(amount: int, code: str) -> str:
    """`$10.00` or `10.00 kwd`: an amount of smallest units in a currency's own."""
    digits = 0 if code in _ZERO_DECIMAL else 3 if code in _THREE_DECIMAL else 2
    whole, part = divmod(abs(amount), 10**digits)
    number = f"{whole:,}" + (f".{part:0{digits}d}" if digits else "")
    sign = "-" if amount < 0 else ""
    if code in _SIGNS:
        return f"{sign}{_SIGNS[code]}{number}"
    return f"{sign}{number} {code}"


def require_chargeable(amount: int, code: str, *, what: str = "Amount") -> None:
    """Check that an amount may be charged.

    Raises:
        Refused: It is below the currency's minimum, or above what is charged at all.
    """
    if amount < _MINIMUMS[code]:
        least = spelled(_MINIMUMS[code], code).removesuffix(f" {code}")
        raise invalid(f"{what} must be at least {least} {code}", "amount", "amount_too_small")
    if amount > AMOUNT_MAX:
        most = spelled(AMOUNT_MAX, code)
        raise invalid(f"{what} must be no more than {most}", "amount", "amount_too_large")


def fee_half_up(amount: int) -> int:
    """What Stripe keeps of a charge: 2.9 % and 30 smallest units, rounded half up."""
    return (amount * _FEE_BPS + 5_000) // 10_000 + _FEE_FIXED
