"""Searching: `metadata['order']:'42' AND status:'succeeded'`, as far as equality goes."""

import re

from local.stripe.calls import Call, Operation
from local.stripe.errors import Object, invalid
from local.stripe.params import Fields, integer, text

_CLAUSE = re.compile(r"""(\w+)(?:\[["']([^"']+)["']\])?\s*:\s*(?:["']([^"']*)["']|(\d+))""")
_LIMIT_DEFAULT = 10


def _search(kind: str, path: str) -> Operation:
    def run(call: Call) -> Object:
        wanted = [_clause(part) for part in re.split(r"\s+AND\s+", call.params["query"].strip())]
        found = [
            one
            for one in call.world.every(kind)
            if all(_value(one, name, key) == value for name, key, value in wanted)
        ]
        start = int(call.params.get("page", "0"))
        end = start + call.params.get("limit", _LIMIT_DEFAULT)
        has_more = end < len(found)
        return {
            "object": "search_result",
            "data": found[start:end],
            "has_more": has_more,
            "next_page": str(end) if has_more else None,
            "url": path,
        }

    return Operation("GET", path, run, _FIELDS, ("query",))


def _clause(part: str) -> tuple[str, str | None, str]:
    found = _CLAUSE.fullmatch(part.strip())
    if found is None:
        raise invalid(f"We were unable to parse your search query: {part}", "query")
    name, key, quoted, number = found.groups()
    return name, key, quoted if quoted is not None else number


def _value(one: Object, name: str, key: str | None) -> str | None:
    value = one.get(name)
    if key is not None:
        value = (value or {}).get(key)
    return None if value is None else str(value)


def _page(raw: object, name: str) -> str:
    if not (isinstance(raw, str) and re.fullmatch(r"[0-9]{1,9}", raw)):
        raise invalid("Invalid page", name)
    return raw


_FIELDS: Fields = {"query": text, "limit": integer(1, 100), "page": _page}
OPERATIONS = [
    _search("customer", "/v1/customers/search"),
    _search("payment_intent", "/v1/payment_intents/search"),
    _search("charge", "/v1/charges/search"),
]
