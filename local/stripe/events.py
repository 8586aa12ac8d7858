"""Events: what happened, as it was told to webhooks."""

from local.stripe.calls import Call, Operation, page, retrieve
from local.stripe.errors import Object
from local.stripe.params import PAGE, Fields, rows, text


def _list(call: Call) -> Object:
    params = call.params
    wanted = [params["type"]] if "type" in params else params.get("types")
    found = (
        event
        for event in call.world.every("event")
        if wanted is None or any(matches(pattern, event["type"]) for pattern in wanted)
    )
    return page(call, found, kind="event", url="/v1/events")


def matches(pattern: str, kind: str) -> bool:
    """Whether `charge.*` or `charge.refunded` names a type."""
    if pattern.endswith("*"):
        return kind.startswith(pattern.removesuffix("*"))
    return kind == pattern


_LIST: Fields = {**PAGE, "type": text, "types": rows(text)}
OPERATIONS = [
    Operation("GET", "/v1/events", _list, _LIST),
    retrieve("/v1/events/{id}", "event"),
]
