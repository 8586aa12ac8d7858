"""JSON as it is written into files and onto pages."""

import json
from collections.abc import Mapping
from decimal import Decimal


def pretty(value: object, indent: str = "") -> str:
    """JSON to read, in which a `Decimal` is a number with all its places.

    >>> print(pretty({"amount": Decimal("25.00"), "lots": []}))
    {
      "amount": 25.00,
      "lots": []
    }
    """
    deeper = indent + "  "
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, Mapping) and value:
        members = (f"{json.dumps(name)}: {pretty(each, deeper)}" for name, each in value.items())
        return "{\n" + ",\n".join(deeper + one for one in members) + f"\n{indent}}}"
    if isinstance(value, list | tuple) and value:
        return "[\n" + ",\n".join(deeper + pretty(each, deeper) for each in value) + f"\n{indent}]"
    return json.dumps(value, ensure_ascii=False)
