"""Codes of coupons as callers write them, in any case."""

from typing import Annotated
from urllib.parse import unquote

from pydantic import AfterValidator, BeforeValidator

from holdfast.domain.coupons import code_of
from holdfast.errors import InvalidField, NotFound
from holdfast.http.fields import Told, wrong


def _code(value: str) -> str:
    try:
        return code_of(value)
    except InvalidField as refused:
        raise wrong(str(refused.details["reason"])) from None


def _path_code(value: object) -> object:
    # What no code can look like is answered as an unknown one is. White space makes another path.
    text = unquote(str(value))
    try:
        code = code_of(text)
    except InvalidField:
        raise NotFound from None
    if len(code) != len(text):
        raise NotFound
    return code


_IS_CODE = Told(
    {
        "pattern": "^[A-Za-z0-9][A-Za-z0-9_-]{5,39}$",
        "description": "6 to 40 letters, digits, - and _, a letter or digit first, in any case.",
    }
)

CouponCode = Annotated[str, AfterValidator(_code), _IS_CODE]
"""In capitals, whatever the caller wrote."""
PathCode = Annotated[str, BeforeValidator(_path_code), _IS_CODE]
"""A code in a path: one that cannot be a code is a 404."""
