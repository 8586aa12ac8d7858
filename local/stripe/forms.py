"""Form-encoded bodies with brackets, as Stripe reads them: hashes, arrays, empty values.

Whether `a[0]` is the first of an array or a key of a hash is for the parameter to say: an array is
a hash here, with its places as names.
"""

from typing import Any
from urllib.parse import parse_qsl

from local.stripe.errors import invalid

_DEPTH_MAX = 10


def decoded(encoded: str) -> dict[str, Any]:
    """The tree that `a[b]=1&c[]=2&c[]=3&d[0][e]=4` says; leaves are text.

    Raises:
        Refused: A name has unbalanced brackets, or is a value in one place and a hash in another.
    """
    tree: dict[str, Any] = {}
    for name, value in parse_qsl(encoded, keep_blank_values=True, errors="strict"):
        _put(tree, _steps(name), value, name=name)
    return tree


def _steps(name: str) -> list[str]:
    """`a[b][]` as `a`, `b`, and nothing for the next place of an array."""
    head, bracket, rest = name.partition("[")
    if not head or "]" in head:
        raise invalid(f"Invalid parameter name: {name}", name)
    if not bracket:
        return [head]
    if not rest.endswith("]"):
        raise invalid(f"Invalid parameter name: {name}", name)
    steps = [head, *rest[:-1].split("][")]
    if len(steps) > _DEPTH_MAX or any("[" in step or "]" in step for step in steps):
        raise invalid(f"Invalid parameter name: {name}", name)
    return steps


def _put(tree: dict[str, Any], steps: list[str], value: str, *, name: str) -> None:
    *way, last = steps
    for step in way:
        tree = tree.setdefault(step or str(len(tree)), {})
        if not isinstance(tree, dict):
            raise invalid(f"Invalid parameter name: {name}", name)
    tree[last or str(len(tree))] = value
