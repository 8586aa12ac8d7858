"""Billing info: what stands on an account's invoices beside the amounts. All of it is optional."""

import re
from dataclasses import dataclass, fields, replace
from typing import Any
from unicodedata import category

from holdfast.domain import tax_ids
from holdfast.domain.accounts import Tenant
from holdfast.domain.clock import Instant
from holdfast.domain.countries import COUNTRIES
from holdfast.errors import InvalidField

LENGTH_MAX = 256
"""How many characters a text has at most."""

EMAIL_LENGTH_MAX = 254
"""How many characters an email address has at most: mail cannot be sent to a longer one."""

_WORD = r"[^@\s.<>(),;:\"\\]+"
_EMAIL = re.compile(rf"(?=[^@]{{1,64}}@){_WORD}(\.{_WORD})*@{_WORD}(\.{_WORD})+")

# Control characters, and halves of characters, which no text can be stored with.
_UNWRITABLE = frozenset({"Cc", "Cs"})


@dataclass(frozen=True, slots=True, kw_only=True)
class BillingInfo:
    """Name, address and tax id as they stand on an account's invoices. None is not told."""

    tenant: Tenant
    account_id: str
    name: str | None = None
    email: str | None = None
    tax_id: str | None = None
    tax_id_type: str | None = None
    address_line1: str | None = None
    address_line2: str | None = None
    address_city: str | None = None
    address_state: str | None = None
    address_postal_code: str | None = None
    address_country: str | None = None
    updated_at: Instant | None = None
    version: int = 0


FIELDS = frozenset(field.name for field in fields(BillingInfo)) - {
    "tenant",
    "account_id",
    "updated_at",
    "version",
}
"""What a caller may change."""


def changed(info: BillingInfo, *, now: Instant, **texts: str | None) -> BillingInfo:
    """The info with the named fields changed; the same object if that changes nothing.

    A field that is not named stays; None, or a text of blanks, clears it. Texts are trimmed, and
    blanks inside become single spaces; a country is upper-cased, a tax id is written as
    `tax_ids.normalised` writes it. Clearing the tax id clears its type.

    Raises:
        InvalidField: A text is too long or has control characters, an email address is none, a
            country is not in ISO 3166-1, a tax id has no type, a type has no tax id, there is no
            such type, or the tax id has not its form.
    """
    assert texts.keys() <= FIELDS
    cleaned: dict[str, Any] = {name: _text(name, text) for name, text in texts.items()}
    if "tax_id" in cleaned and cleaned["tax_id"] is None:
        cleaned.setdefault("tax_id_type", None)
    after = replace(info, **cleaned)
    if cleaned.keys() & {"tax_id", "tax_id_type"}:
        after = replace(after, tax_id=_tax_id(after, named="tax_id" in cleaned))
    if after == info:
        return info
    return replace(after, updated_at=now, version=info.version + 1)


def _text(name: str, text: str | None) -> str | None:
    text = " ".join((text or "").split())
    if not text:
        return None
    if len(text) > LENGTH_MAX:
        raise InvalidField(name, f"at most {LENGTH_MAX} characters")
    if any(category(character) in _UNWRITABLE for character in text):
        raise InvalidField(name, "has control characters")
    if name == "email":
        _require_email(text)
    return _country(text) if name == "address_country" else text


def _require_email(text: str) -> None:
    if len(text) > EMAIL_LENGTH_MAX or not _EMAIL.fullmatch(text):
        raise InvalidField("email", "not an address that mail can be sent to")


def _country(text: str) -> str:
    # Some letters of other scripts become ASCII ones when upper-cased: ß is SS, South Sudan.
    if not text.isascii() or text.upper() not in COUNTRIES:
        raise InvalidField("address_country", "not a country of ISO 3166-1 (two letters)")
    return text.upper()


def _tax_id(info: BillingInfo, *, named: bool) -> str | None:
    """The tax id in the form of its type. A refusal names the field that the caller sent."""
    if info.tax_id is None:
        if info.tax_id_type is not None:
            raise InvalidField("tax_id_type", "a type without a tax id")
        return None
    if info.tax_id_type is None:
        raise InvalidField("tax_id_type", "needed with a tax id")
    try:
        return tax_ids.normalised(info.tax_id_type, info.tax_id)
    except InvalidField as refused:
        if named or refused.param != "tax_id":
            raise
        raise InvalidField("tax_id_type", "the tax id on file has another form") from None
