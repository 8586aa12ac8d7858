"""Objects as answers show them, with what the caller asked to have expanded."""

import copy
from typing import Any

from local.stripe.errors import Object, invalid
from local.stripe.world import World, public

_DEPTH_MAX = 4
_KINDS = {
    "balance_transaction": "balance_transaction",
    "charge": "charge",
    "customer": "customer",
    "default_payment_method": "payment_method",
    "failure_balance_transaction": "balance_transaction",
    "latest_charge": "charge",
    "payment_intent": "payment_intent",
    "payment_method": "payment_method",
    "setup_intent": "setup_intent",
}
_KINDS_OF_SOURCE = {"ch": "charge", "re": "refund", "du": "dispute"}


def rendered(world: World, answer: Object, expand: list[str]) -> Object:
    """A copy of an object or a list, each path of `expand` followed.

    Raises:
        Refused: A path leads to nothing that can be expanded.
    """
    shown = _copied(answer)
    for path in expand:
        steps = path.split(".")
        if len(steps) - (steps[0] == "data") > _DEPTH_MAX:
            message = "You cannot expand more than 4 levels of a property"
            raise invalid(f"{message} ({path}).", "expand")
        _expand(world, shown, steps, path)
    return shown


def _copied(answer: Object) -> Object:
    shown = public(answer)
    if shown.get("object") in ("list", "search_result"):
        shown["data"] = [public(one) for one in shown["data"]]
    return copy.deepcopy(shown)


def _expand(world: World, whole: Object, steps: list[str], path: str) -> None:
    name, *rest = steps
    value = whole.get(name)
    if value is None:
        value = whole[name] = _included(world, whole, name, path)
    elif isinstance(value, str):
        value = whole[name] = _looked_up(world, name, value, path)
    if rest:
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, dict):
                _expand(world, one, rest, path)
    elif not isinstance(value, dict | list | None):
        raise _cannot(path)


def _looked_up(world: World, name: str, object_id: str, path: str) -> Object:
    kind = _KINDS.get(name)
    if name == "source":
        kind = _KINDS_OF_SOURCE.get(object_id.partition("_")[0])
    if kind is None:
        raise _cannot(path)
    found = world.get(kind, object_id) or world.get(f"deleted_{kind}", object_id)
    return {"id": object_id, "deleted": True} if found is None else _copied(found)


def _included(world: World, whole: Object, name: str, path: str) -> Any:
    """What is shown only when it is asked for; or nothing, where nothing is there to expand."""
    if (whole.get("object"), name) == ("charge", "refunds"):
        of_charge = [one for one in world.every("refund") if one["charge"] == whole["id"]]
        return _list(of_charge, f"/v1/charges/{whole['id']}/refunds")
    if (whole.get("object"), name) == ("checkout.session", "line_items"):
        lines = world.find("checkout.session", whole["id"])["_lines"]
        return _list(lines, f"/v1/checkout/sessions/{whole['id']}/line_items")
    if name not in whole:
        raise _cannot(path)
    return None


def _list(items: list[Object], url: str) -> Object:
    return _copied({"object": "list", "data": items, "has_more": False, "url": url})


def _cannot(path: str) -> Exception:
    return invalid(f"This property cannot be expanded ({path}).", "expand")
