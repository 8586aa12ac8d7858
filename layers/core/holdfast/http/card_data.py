"""Card numbers stay out: a body that brings one is refused whole, unread and unlogged.

Some names can mean nothing but card data and are refused whatever they hold. Any other field is
refused when it holds a card number: 13 to 19 digits that begin as an issuer's numbers do and pass
the Luhn check. Luhn alone would refuse every tenth order number. In what people write (a
`number`, a `description`, metadata) the digits may stand in groups; elsewhere only in one row, as
ids have groups of their own. Numbers of ours are never that long without a letter.
"""

import re
import unicodedata
from collections.abc import Iterator
from typing import Any

from holdfast.errors import CardDataNotAllowed

_NAMES = frozenset(
    "cardcode cardcvc cardcvv cardnum cardnumber cardno cardpan cardsecuritycode cardverification "
    "cardverificationcode cardverificationvalue ccno ccnum ccnumber creditcard creditcardnumber "
    "csc cvc cvc2 cvccode cvn cvv cvv2 cvvcode debitcardnumber fullpan magstripe pan pannumber "
    "paymentcardnumber primaryaccountnumber securitycode track1 track2 trackdata".split()
)
_NAMES_IN_CARD = frozenset("number no num code verification".split())
_NAMES_OF_CARDS = frozenset("card creditcard debitcard paymentcard".split())
_SUSPECTS = re.compile(
    "card|number|pan|credit|debit|description|note|memo|comment|message|name|text|reason"
)
_NO_SUSPECTS = re.compile("phone|fax")
"""A telephone number is as long as a card number, and every tenth passes Luhn."""
_FREE = "metadata"
"""The fields in here have names that anybody makes up."""

_GROUPED = re.compile(r"[0-9]+(?:[\s._/\u2010-\u2015-]{1,3}[0-9]+)*")
_GROUP = re.compile("[0-9]+")
_ROW = re.compile("(?<![0-9])[0-9]{13,19}(?![0-9])")
_NO_PHONE = re.compile(r"(?<![0-9])(?:(?<!\+)[0-9]{14,15}|[0-9]{16,19})(?![0-9])")
"""What no telephone number looks like: 15 digits at most, with a plus in front of so many."""
_LOOKED_AT_MAX = 4096
"""Characters; no field of ours takes as many, so nothing that is kept goes unseen."""
_ISSUERS = tuple(
    (re.compile(prefix), lengths)
    for prefix, lengths in (
        ("4", (13, 16, 19)),
        ("5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720", (16,)),
        ("3[47]", (15,)),
        ("30[0-5]|3095|3[689]", range(14, 20)),
        ("352[89]|35[3-8]|6011|64[4-9]|65|62|81", range(16, 20)),
        ("50|5[6-9]|6[0-9]", range(13, 20)),
    )
)
_NOT_ALPHANUMERIC = re.compile(r"[^a-z0-9]")


def refuse_card_data(fields: dict[str, Any]) -> None:
    """Let a body pass that brings no card data.

    Raises:
        CardDataNotAllowed: It does; neither the field nor its value is repeated.
    """
    for parent, name, value in _fields(fields, ""):
        if name in _NAMES or (parent in _NAMES_OF_CARDS and name in _NAMES_IN_CARD):
            raise CardDataNotAllowed
        if (_is_suspect(name) or parent == _FREE) and _holds_card_number(value):
            raise CardDataNotAllowed
        if isinstance(value, str) and _has_in_a_row(name, value):
            raise CardDataNotAllowed
        if len(name) >= 13 and _holds_card_number(name):
            raise CardDataNotAllowed


def is_card_number(digits: str) -> bool:
    """Whether 13 to 19 ASCII digits are a card number by issuer and check digit.

    >>> is_card_number("4242424242424242"), is_card_number("4242424242424241")
    (True, False)
    """
    if not any(len(digits) in lengths and issuer.match(digits) for issuer, lengths in _ISSUERS):
        return False
    total = 0
    for place, digit in enumerate(reversed(digits)):
        doubled = int(digit) * (1 + place % 2)
        total += doubled - 9 if doubled > 9 else doubled
    return total % 10 == 0


def _fields(value: object, name: str) -> Iterator[tuple[str, str, object]]:
    """Every field at every depth: the name around it, its own name, and its value."""
    if isinstance(value, list):
        for item in value:
            if isinstance(item, dict | list):
                yield from _fields(item, name)
            else:
                yield name, name, item
    elif isinstance(value, dict):
        for key, item in value.items():
            own = _plain(key)
            yield name, own, item
            yield from _fields(item, own)


def _plain(name: str) -> str:
    # Full-width letters and every way of joining words are one name: Card-Number, card[number].
    ascii_name = name if name.isascii() else unicodedata.normalize("NFKC", name)
    return _NOT_ALPHANUMERIC.sub("", ascii_name.casefold())


def _is_suspect(name: str) -> bool:
    return bool(_SUSPECTS.search(name)) and not _NO_SUSPECTS.search(name)


def _holds_card_number(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | str):
        return False
    text = unicodedata.normalize("NFKC", str(value)[:_LOOKED_AT_MAX])
    return any(
        is_card_number(number)
        for grouped in _GROUPED.findall(text)
        for number in _numbers(_GROUP.findall(grouped))
    )


def _has_in_a_row(name: str, text: str) -> bool:
    rows = _NO_PHONE if _NO_SUSPECTS.search(name) else _ROW
    shown = unicodedata.normalize("NFKC", text[:_LOOKED_AT_MAX])
    return any(is_card_number(row) for row in rows.findall(shown))


def _numbers(groups: list[str]) -> Iterator[str]:
    """What neighbouring groups of digits spell together, as long as a card number can be.

    Any of them can be the number: an expiry date may stand behind it, a count in front.
    """
    for start in range(len(groups)):
        number = ""
        for group in groups[start:]:
            number += group
            if len(number) > 19:
                break
            yield number
