"""What is said once of every kind of record: its noun, its key, and how it is written and read."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from holdfast.domain.accounts import Tenant
from holdfast.domain.clock import Instant, from_rfc3339, rfc3339
from holdfast.domain.ledger import Record
from holdfast.store.attributes import Plain
from holdfast.store.keys import Key


@dataclass(frozen=True, slots=True)
class Place:
    """What an item's key says of its record.

    `owner` is the id in the partition key: the account's, the workspace's, or the key's own.
    """

    tenant: Tenant
    owner: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of record. `noun` is what the sort keys of its items begin with."""

    type: type[Any]
    noun: str
    key: Callable[[Tenant, Any], Key]
    plain: Callable[[Tenant, Any], dict[str, Plain]]
    record: Callable[[Mapping[str, Any], Place], Record]


def place_of(plain: Mapping[str, Any]) -> Place:
    """What the key of a plain item says."""
    name = plain["sk"].partition("#")[2]
    match plain["pk"].split("#"):
        case ["ORG", segment, _, owner]:
            return Place(to_tenant(segment), owner, name)
        case [_, owner]:
            # The key does not say whose it is; the item does.
            return Place(to_tenant(plain["tenant"]), owner, name)
        case _:
            raise TypeError(f"no record at {plain['sk']}")


def to_tenant(segment: str) -> Tenant:
    """The tenant that a key spells as `segment`."""
    org, _, mode = segment.partition("/")
    return Tenant(org, mode)


def time(moment: Instant | None) -> str | None:
    """The attribute of an instant that may be unknown."""
    return None if moment is None else rfc3339(moment)


def to_time(text: str | None) -> Instant | None:
    """The instant of `time`'s attribute."""
    return None if text is None else from_rfc3339(text)


def flat(record: Any, *, without: tuple[str, ...]) -> dict[str, Plain]:
    """The attributes of a record of texts, numbers, flags, instants and lists of text.

    They are called as the fields are; what the key says, or another attribute, is left out, and so
    is what is empty.
    """
    plain: dict[str, Plain] = {}
    for field in fields(record):
        value = getattr(record, field.name)
        is_empty = value is None or (value in ("", ()) and value == field.default)
        if field.name in without or is_empty:
            continue
        plain[field.name] = rfc3339(value) if isinstance(value, datetime) else value
    return plain


def from_flat(plain: Mapping[str, Any], type_: type[Any], **known: Any) -> Any:
    """The record of `flat`'s attributes; `known` are the fields that they leave out."""
    values: dict[str, Any] = dict(known)
    for field in fields(type_):
        if field.name in values or field.name not in plain:
            continue
        value = plain[field.name]
        if field.name.endswith("_at"):
            value = from_rfc3339(value)
        values[field.name] = tuple(value) if isinstance(value, list) else value
    return type_(**values)
