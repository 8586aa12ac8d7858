"""The shapes of what callers send: strict, closed, and refused by name.

Bodies say shape only. A rule that needs to know anything besides the field itself (the balance,
the owner, the currency's exponent) is not a shape.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any
from urllib.parse import unquote

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    model_validator,
)
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError
from pydantic_core.core_schema import (
    CoreSchema,
    int_schema,
    no_info_after_validator_function,
    no_info_before_validator_function,
)

from holdfast.domain import money
from holdfast.domain.clock import instant, rfc3339
from holdfast.errors import (
    AmountTooLarge,
    IdempotencyKeyInvalid,
    InvalidField,
    InvalidRequest,
    NotFound,
)

METADATA_KEYS_MAX = 20
METADATA_KEY_LENGTH_MAX = 40
METADATA_VALUE_LENGTH_MAX = 200
CURRENCY_DEFAULT = "usd"


class Body(BaseModel):
    """What a snake_case surface is sent: JSON types as they are, unknown fields refused."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, defer_build=True)

    @model_validator(mode="before")
    @classmethod
    def _object(cls, value: object) -> object:
        # The framework lets attributes stand for fields, and a number has attributes too.
        if not isinstance(value, dict):
            raise wrong("must be an object")
        return value


class CamelBody(Body):
    """The same in camelCase; fields are declared in snake_case."""

    model_config = ConfigDict(alias_generator=to_camel)


def wrong(reason: str) -> PydanticCustomError:
    """What a validator raises: the field is known where it is raised, the reason is ours."""
    return PydanticCustomError("wrong_field", "not valid", {"reason": reason})


def _rule[T](check: Callable[[T], T]) -> Callable[[T], T]:
    """A rule of the domain as a validator: the same reason, under the caller's name."""

    def checked(value: T) -> T:
        try:
            return check(value)
        except InvalidField as refused:
            raise wrong(str(refused.details["reason"])) from None

    return checked


@dataclass(frozen=True, slots=True)
class Told:
    """What a validator checks, in the words of JSON Schema: it cannot say so itself."""

    schema: Mapping[str, Any]

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: Any) -> dict[str, Any]:
        return {**handler(core), **self.schema}


# --- Text -----------------------------------------------------------------------------------------

_LINE = r"^[^\u0000-\u001f\u007f-\u009f]*$"
_LINES = r"^[^\u0000-\u0008\u000b-\u001f\u007f-\u009f]*$"
_KEY = re.compile(r"[!-~]{1,255}")
_IDENTIFIER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:~@+=-]{0,127}")


@dataclass(frozen=True, slots=True)
class _Text:
    length_max: int
    lines: bool

    def __call__(self, text: str) -> str:
        if not text:
            raise wrong("must not be empty")
        if len(text) > self.length_max:
            raise wrong(f"at most {self.length_max} characters")
        printable = text.replace("\n", "").replace("\t", "") if self.lines else text
        if any(character < " " or "\x7f" <= character <= "\x9f" for character in printable):
            raise wrong("must not have control characters")
        return text

    @property
    def schema(self) -> dict[str, Any]:
        """The same in the words of JSON Schema."""
        pattern = _LINES if self.lines else _LINE
        return {"minLength": 1, "maxLength": self.length_max, "pattern": pattern}

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> CoreSchema:
        return no_info_after_validator_function(self, handler(source))

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: Any) -> dict[str, Any]:
        return {**handler(core), **self.schema}


def text(length_max: int, *, lines: bool = False) -> _Text:
    """`Annotated[str, text(200)]`: 1 to 200 characters, none of them a control character.

    With `lines`, line feeds and tabs are let through.
    """
    return _Text(length_max, lines)


def _identifier(value: str) -> str:
    if not _IDENTIFIER.fullmatch(value):
        raise wrong("1 to 128 characters of A-Z a-z 0-9 . _ : ~ @ + = -")
    return value


def _path_id(value: object) -> object:
    # What no id can look like is answered as an unknown id is.
    if not isinstance(value, str) or not _IDENTIFIER.fullmatch(unquote(value)):
        raise NotFound
    return unquote(value)


_IS_IDENTIFIER = Told(
    {
        "pattern": f"^{_IDENTIFIER.pattern}$",
        "description": "1 to 128 letters, digits and . _ : ~ @ + = -, a letter or digit first.",
    }
)

Identifier = Annotated[str, AfterValidator(_identifier), _IS_IDENTIFIER]
"""An id that the caller made up or was given."""
PathId = Annotated[str, BeforeValidator(_path_id), _IS_IDENTIFIER]
"""An id in a path: one that cannot be an id is a 404."""


def request_key(value: str) -> str:
    """An idempotency key as it may be, wherever it is given.

    Raises:
        IdempotencyKeyInvalid: Not 1 to 255 visible ASCII characters.
    """
    if not _KEY.fullmatch(value):
        raise IdempotencyKeyInvalid
    return value


_IS_KEY = Told(
    {"pattern": f"^{_KEY.pattern}$", "description": "1 to 255 visible ASCII characters."}
)

RequestKey = Annotated[str, AfterValidator(request_key), _IS_KEY]
"""An idempotency key in a body."""


def _metadata(value: dict[str, str]) -> dict[str, str]:
    if len(value) > METADATA_KEYS_MAX:
        raise wrong(f"at most {METADATA_KEYS_MAX} keys")
    for check, texts in ((_METADATA_KEY, value.keys()), (_METADATA_VALUE, value.values())):
        for one in texts:
            check(one)
    return value


_METADATA_KEY = _Text(METADATA_KEY_LENGTH_MAX, lines=False)
_METADATA_VALUE = _Text(METADATA_VALUE_LENGTH_MAX, lines=False)

_IS_METADATA = Told(
    {
        "maxProperties": METADATA_KEYS_MAX,
        "propertyNames": _METADATA_KEY.schema,
        "additionalProperties": {"type": "string", **_METADATA_VALUE.schema},
    }
)

Metadata = Annotated[dict[str, str], AfterValidator(_metadata), _IS_METADATA]
"""Up to 20 of the caller's own keys, with text of up to 200 characters each."""


# --- Money ----------------------------------------------------------------------------------------


def _currency(value: str) -> str:
    # The domain trims; here "USD\n" is not a currency.
    if not re.fullmatch(r"[A-Za-z]{3}", value):
        raise wrong("not an ISO 4217 currency code")
    return money.currency_code(value)


def _number(value: object) -> Decimal:
    if isinstance(value, Decimal):
        return value
    if isinstance(value, bool) or not isinstance(value, int):
        raise wrong("must be a number")
    return Decimal(value)


_IS_CURRENCY = Told(
    {"pattern": "^[A-Za-z]{3}$", "description": "A currency code of ISO 4217, in any case."}
)
_IS_DECIMAL = Told(
    {
        "pattern": "^-?([0-9]+[.]?[0-9]{0,4}|[.][0-9]{1,4})$",
        "description": "Minor units with at most four decimals.",
    }
)

CurrencyCode = Annotated[str, AfterValidator(_rule(_currency)), _IS_CURRENCY]
"""Lower-case, whatever the caller wrote."""
MinorAmount = Annotated[int, Field(gt=0)]
"""Whole minor units. `amount_micros` looks at the upper bound: it depends on the currency."""
DecimalAmount = Annotated[str, Field(max_length=32), _IS_DECIMAL]
"""Minor units in a string with at most four decimals."""
MajorAmount = Annotated[Decimal, BeforeValidator(_number), Field(gt=0)]
"""A JSON number of major units, never a string (surface `agents`)."""


def amount_micros(
    amount: int | None,
    amount_decimal: str | None,
    currency: str,
    *,
    param: str = "amount",
    zero: bool = False,
) -> int:
    """Micros of an amount given in minor units or as a decimal string, exactly one of both.

    Raises:
        InvalidField: Both or neither, not above zero (below zero with `zero`), or too fine.
        AmountTooLarge: More than one operation moves.
    """
    decimal_param = f"{param}_decimal"
    if amount is not None and amount_decimal is not None:
        raise InvalidField(decimal_param, f"give this or {param}, not both")
    if amount is not None:
        return _bounded(money.from_minor(amount, currency), param=param, zero=zero)
    if amount_decimal is None:
        raise InvalidField(param, "required")
    micros = money.from_decimal(amount_decimal, currency, param=decimal_param)
    return _bounded(micros, param=decimal_param, zero=zero)


def major_micros(amount: Decimal, currency: str, *, param: str = "amount") -> int:
    """Micros of a decimal number of major units.

    Raises:
        InvalidField: Not above zero, or finer than the currency's minor unit.
        AmountTooLarge: More than one operation moves.
    """
    return _bounded(money.from_major(amount, currency, param=param), param=param, zero=False)


@contextmanager
def amount_is(param: str) -> Iterator[None]:
    """Name the field that the caller sent where a rule says `amount`."""
    try:
        yield
    except InvalidRequest as refusal:
        if refusal.param == "amount":
            refusal.param = param
        raise


def _bounded(micros: int, *, param: str, zero: bool) -> int:
    if micros < 0 or (micros == 0 and not zero):
        raise InvalidField(param, "must be at least 0" if zero else "must be greater than 0")
    if micros > money.AMOUNT_MICROS_MAX:
        raise AmountTooLarge(param=param)
    return micros


# --- Numbers and times in a query or a body -------------------------------------------------------

_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]{0,17})")
_TIMESTAMP = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?"
    r"(?:[Zz]|[+-][0-9]{2}:[0-9]{2})"
)


def _query_integer(value: object) -> object:
    # int() takes "1_0", " 5 " and the digits of every script.
    if isinstance(value, str):
        if not _INTEGER.fullmatch(value):
            raise wrong("must be an integer")
        return int(value)
    return value


@dataclass(frozen=True, slots=True)
class Whole:
    """`Annotated[int, Whole(0, 200)]`: an integer of a query, which arrives as text."""

    least: int
    most: int

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> CoreSchema:
        return no_info_before_validator_function(
            _query_integer, int_schema(ge=self.least, le=self.most, strict=True)
        )


def Limit(most: int) -> Whole:  # noqa: N802 - it stands where a type's constraint stands
    """`limit: Annotated[int, Limit(100)] = 20`: how many of a list on one page."""
    return Whole(1, most)


OFFSET_MAX = 10_000
Offset = Annotated[int, Whole(0, OFFSET_MAX)]
"""How many of a list to pass over; deeper ones are read by cursor."""


def _timestamp(value: object) -> object:
    if not isinstance(value, str):
        return value
    if not _TIMESTAMP.fullmatch(value):
        raise wrong("not a time of RFC 3339, such as 2026-11-21T03:30:00Z")
    try:
        return instant(datetime.fromisoformat(value.upper()).astimezone(UTC))
    except (ValueError, OverflowError):
        raise wrong("not a time of RFC 3339, such as 2026-11-21T03:30:00Z") from None


Timestamp = Annotated[
    datetime,
    BeforeValidator(_timestamp),
    PlainSerializer(rfc3339, return_type=str),
    Told({"format": "date-time"}),
]
"""RFC 3339 both ways: read with any offset, written in UTC with `Z`."""
