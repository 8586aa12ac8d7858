"""Lengths of time as the commerce surface writes them: `720h`, `1h30m`, `1.5h`."""

import re
from datetime import timedelta
from fractions import Fraction

from holdfast.errors import InvalidField

DAYS_MAX = 3_650
TEXT_LENGTH_MAX = 64

_MILLISECONDS = {
    "h": Fraction(3_600_000),
    "m": Fraction(60_000),
    "s": Fraction(1_000),
    "ms": Fraction(1),
    "us": Fraction(1, 1_000),
    "µs": Fraction(1, 1_000),
    "ns": Fraction(1, 1_000_000),
}
_PART = r"([0-9]+(?:\.[0-9]*)?|\.[0-9]+)(h|ms|m|s|us|µs|ns)"
_WHOLE = re.compile(rf"(?:{_PART})+")
_EACH = re.compile(_PART)


def duration(text: str, *, param: str) -> timedelta:
    """The length that `text` names, cut to whole milliseconds.

    >>> duration("1h30m", param="expires_in"), duration("1.5h", param="expires_in")
    (datetime.timedelta(seconds=5400), datetime.timedelta(seconds=5400))

    Raises:
        InvalidField: Not numbers with units from h to ns, nothing at all, or more than ten years.
    """
    if len(text) > TEXT_LENGTH_MAX or not _WHOLE.fullmatch(text):
        raise InvalidField(param, "not a duration such as 720h, 30m or 1.5h")
    parts = _EACH.findall(text)
    milliseconds = int(sum(Fraction(number) * _MILLISECONDS[unit] for number, unit in parts))
    if milliseconds < 1:
        raise InvalidField(param, "must be greater than 0")
    if milliseconds > DAYS_MAX * 86_400_000:
        raise InvalidField(param, f"at most {DAYS_MAX} days")
    return timedelta(milliseconds=milliseconds)
