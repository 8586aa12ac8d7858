"""What an operation is, what it is called with, and the lists that many of them answer."""

import re
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import islice, takewhile
from typing import Any

from local.stripe.errors import Object, no_such
from local.stripe.params import PAGE, Fields, expand, read
from local.stripe.world import World

_LIMIT_DEFAULT = 10


@dataclass(frozen=True, slots=True)
class Call:
    """One call of an operation: the ids in its path, its parameters as they were read."""

    world: World
    ids: tuple[str, ...]
    params: dict[str, Any]
    client_secret: str | None = None

    @property
    def id(self) -> str:
        return self.ids[0]


@dataclass(frozen=True, slots=True)
class Operation:
    """A method and a path, the parameters they take, and what is done.

    A publishable key may call an operation with `is_public`, for an object whose client secret it
    names.
    """

    method: str
    path: str
    run: Callable[[Call], Object]
    fields: Fields = field(default_factory=dict)
    required: tuple[str, ...] = ()
    is_public: bool = False

    def match(self, method: str, path: str) -> tuple[str, ...] | None:
        """The ids in a path, or None if it is not this operation's."""
        if method != self.method:
            return None
        found = re.fullmatch(re.sub(r"\{\w+\}", "([^/]+)", self.path), path)
        return None if found is None else found.groups()

    def read(self, raw: dict[str, Any]) -> dict[str, Any]:
        """The parameters.

        Raises:
            Refused: One is unknown, missing or wrong.
        """
        return read(raw, {"expand": expand, **self.fields}, self.required)


def list_of(
    path: str, kind: str, *, filters: Fields | None = None, required: tuple[str, ...] = ()
) -> Operation:
    """The list of all objects of a kind; each filter is a field that has to have the value."""
    filters = filters or {}

    def run(call: Call) -> Object:
        wanted = {name: call.params[name] for name in filters if name in call.params}
        require_named(call.world, wanted)
        items = (
            one
            for one in call.world.every(kind)
            if all(one.get(name) == value for name, value in wanted.items())
        )
        return page(call, items, kind=kind, url=path)

    return Operation("GET", path, run, {**PAGE, **filters}, required)


def require_named(world: World, wanted: dict[str, Any]) -> None:
    """A filter by an object that does not exist is a mistake, and not an empty list.

    Raises:
        Refused: There is no such object.
    """
    for name in ("customer", "payment_intent", "charge"):
        if name in wanted:
            world.find(name, wanted[name], param=name)


def page(call: Call, items: Iterable[Object], *, kind: str, url: str) -> Object:
    """A page of objects that come newest first.

    Raises:
        Refused: The cursor is no object's id.
    """
    params = call.params
    within = (one for one in items if _is_within(one.get("created", 0), params.get("created")))
    limit = params.get("limit", _LIMIT_DEFAULT)
    if "ending_before" in params:
        cursor = params["ending_before"]
        _require_cursor(call.world, cursor, kind, "ending_before")
        before = list(takewhile(lambda one: one["id"] != cursor, within))
        shown, has_more = before[-limit:], len(before) > limit
    else:
        if "starting_after" in params:
            cursor = params["starting_after"]
            _require_cursor(call.world, cursor, kind, "starting_after")
            # Taking up to the cursor takes the cursor as well: what is left comes after it.
            deque(takewhile(lambda one: one["id"] != cursor, within), maxlen=0)
        found = list(islice(within, limit + 1))
        shown, has_more = found[:limit], len(found) > limit
    return {"object": "list", "data": shown, "has_more": has_more, "url": url}


def _require_cursor(world: World, cursor: str, kind: str, param: str) -> None:
    # Lines of a checkout session are no objects of their own.
    if kind != "item" and world.get(kind, cursor) is None:
        raise no_such(kind, cursor, param=param)


def _is_within(created: int, bounds: dict[str, int] | None) -> bool:
    bounds = bounds or {}
    return (
        created > bounds.get("gt", -1)
        and created >= bounds.get("gte", 0)
        and created < bounds.get("lt", created + 1)
        and created <= bounds.get("lte", created)
    )


def retrieve(path: str, kind: str) -> Operation:
    """The operation that shows one object."""
    return Operation("GET", path, lambda call: call.world.find(kind, call.id, in_path=True))
