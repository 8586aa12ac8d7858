"""The shapes of what is answered."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from holdfast.domain import money


class View(BaseModel):
    """An answer in snake_case. A view that does not fit its own model is a 500, not a lie."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, defer_build=True)


class CamelView(View):
    """The same in camelCase; fields are declared and given in snake_case."""

    model_config = ConfigDict(alias_generator=to_camel, validate_by_name=True)


def _is_none(value: object) -> bool:
    return value is None


_T = TypeVar("_T")
Maybe = Annotated[_T | None, Field(exclude_if=_is_none)]
"""`reference: Maybe[str]` is left out when it is None; `reference: str | None` says null."""


@dataclass(frozen=True, slots=True)
class Answer[V: View | None]:
    """A view with what HTTP says around it.

    `replayed` says that the request was made before and this is its first answer again; `status`
    replaces the one that the route declares. `headers` are for what every answer has not.
    """

    view: V
    replayed: bool = False
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


class Page[V: View](View):
    """A page of a list on the snake surfaces."""

    data: list[V]
    has_more: bool
    next_cursor: str | None


class Items[V: View](View):
    """A page of a list on the agents surface: `count` on this page, `total` in all."""

    items: list[V]
    count: int
    total: int


def page[V: View](views: Iterable[V], next_cursor: str | None) -> Page[V]:
    """A page, and where the list goes on, if it does."""
    return Page(data=list(views), has_more=next_cursor is not None, next_cursor=next_cursor)


def minor(amount_micros: int, currency: str) -> int:
    """Whole minor units, floored: never promise more than there is."""
    return money.minor_floor(amount_micros, currency)


def minor_decimal(amount_micros: int, currency: str) -> str | None:
    """The exact minor units when they are not whole, for a `Maybe[str]` beside the integer."""
    if money.is_whole_minor(amount_micros, currency):
        return None
    return money.minor_decimal(amount_micros, currency)


def amounts(currency: str, **micros: int) -> dict[str, Any]:
    """The fields of amounts for a view that declares each as `name: int` and `name_decimal`.

    >>> amounts("usd", balance=15_000, held=20_000)
    {'balance': 1, 'balance_decimal': '1.5', 'held': 2, 'held_decimal': None}
    """
    fields: dict[str, Any] = {}
    for name, amount_micros in micros.items():
        fields[name] = minor(amount_micros, currency)
        fields[f"{name}_decimal"] = minor_decimal(amount_micros, currency)
    return fields


def major(amount_micros: int, currency: str) -> Decimal:
    """Major units with the currency's decimals, floored (surface `agents`)."""
    return money.major_decimal(amount_micros, currency)
