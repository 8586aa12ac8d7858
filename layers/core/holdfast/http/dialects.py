"""How each family of surfaces spells the same answer. A dialect is spelling: it holds no rule.

| dialect | surfaces              | names      | envelope            | money               |
|---------|-----------------------|------------|---------------------|---------------------|
| snake   | /v1/billing, /v1/me   | snake_case | none                | integer minor units |
| camel   | everything else       | camelCase  | none                | integer minor units |
| agents  | /api/agents/v1        | snake_case | data, error, meta   | decimal major units |
| zap     | /api/v1[/billing]/zap | camelCase  | id, result or error | integer minor units |
"""

import json
import re
from collections.abc import Iterator
from decimal import Decimal

from pydantic import BaseModel

from holdfast.domain import money
from holdfast.errors import Fact, Unreadable
from holdfast.http.errors import Failure, Verbatim

type Spelled = Fact | Decimal

_MICROS = "_micros"
ZAP_UNREADABLE = -32700


class Dialect:
    """Names as they are inside, money in integer minor units, no envelope."""

    name = "snake"

    def spell(self, name: str) -> str:
        """A name of ours as this dialect writes it."""
        return name

    def body(self, view: BaseModel) -> str:
        """The JSON text of an answer."""
        return view.model_dump_json(by_alias=True)

    def sealed(self, body: str, *, request_id: str, replayed: bool) -> str:
        """The text of an answer in its envelope."""
        return body

    def error(self, failure: Failure, *, request_id: str) -> str:
        """The text of an error in its envelope."""
        return to_json(
            {
                "error": {
                    "type": failure.type,
                    "code": failure.code,
                    "message": failure.message,
                    "param": self.param(failure),
                    "details": self.details(failure),
                    "request_id": request_id,
                }
            }
        )

    def param(self, failure: Failure) -> str | None:
        """The field that is wrong, as the caller knows it."""
        if failure.param is None or isinstance(failure.param, Verbatim):
            return failure.param
        return self.spell(failure.param)

    def details(self, failure: Failure) -> dict[str, Spelled]:
        """The facts of an error, names and amounts spelled."""
        currency = failure.details.get("currency")
        spelled: dict[str, Spelled] = {}
        for name, fact in failure.details.items():
            if name.endswith(_MICROS) and isinstance(fact, int) and isinstance(currency, str):
                spelled.update(self._amount(name.removesuffix(_MICROS), fact, currency))
            else:
                spelled[self.spell(name)] = fact
        return spelled

    def _amount(self, name: str, micros: int, currency: str) -> Iterator[tuple[str, Spelled]]:
        yield self.spell(name), money.minor_floor(micros, currency)
        if not money.is_whole_minor(micros, currency):
            yield self.spell(f"{name}_decimal"), money.minor_decimal(micros, currency)


class CamelDialect(Dialect):
    """Names in camelCase."""

    name = "camel"

    def spell(self, name: str) -> str:
        return _UNDERSCORE.sub(lambda match: match[1].upper(), name)


class AgentsDialect(Dialect):
    """Everything in one envelope, money as decimal numbers of major units."""

    name = "agents"

    def body(self, view: BaseModel) -> str:
        return to_json(view.model_dump(by_alias=True))

    def sealed(self, body: str, *, request_id: str, replayed: bool) -> str:
        # The answer is text already: a replay is to be the same to the byte.
        meta: dict[str, object] = {"request_id": request_id}
        if replayed:
            meta["idempotency_replay"] = True
        return f'{{"data":{body},"error":null,"meta":{to_json(meta)}}}'

    def error(self, failure: Failure, *, request_id: str) -> str:
        details = self.details(failure)
        if failure.param is not None:
            details["param"] = self.param(failure)
        return to_json(
            {
                "data": None,
                "error": {"code": failure.code, "message": failure.message, "details": details},
                "meta": {"request_id": request_id},
            }
        )

    def _amount(self, name: str, micros: int, currency: str) -> Iterator[tuple[str, Spelled]]:
        yield name, money.major_decimal(micros, currency)


class RepeatingDialect(AgentsDialect):
    """The envelope, and the same few fields again beside it: for readers of either."""

    def sealed(self, body: str, *, request_id: str, replayed: bool) -> str:
        sealed = super().sealed(body, request_id=request_id, replayed=replayed)
        return f"{sealed[:-1]},{body[1:]}"


class ZapDialect(CamelDialect):
    """A remote procedure call: what cannot be read is answered in the call's own words."""

    name = "zap"

    def error(self, failure: Failure, *, request_id: str) -> str:
        if failure.code != Unreadable.code:
            return super().error(failure, request_id=request_id)
        error = {"code": ZAP_UNREADABLE, "message": failure.message}
        return to_json({"id": None, "error": error})


SNAKE = Dialect()
CAMEL = CamelDialect()
AGENTS = AgentsDialect()
REPEATING = RepeatingDialect()
ZAP = ZapDialect()

_SURFACES = (
    ("/api/agents/v1/billing/stripe-config", REPEATING),
    ("/api/agents/v1/billing/payment-link", REPEATING),
    ("/api/agents/v1", AGENTS),
    ("/v1", SNAKE),
    ("/api/v1/zap", ZAP),
    ("/api/v1/billing/zap", ZAP),
)
_UNDERSCORE = re.compile(r"_([a-z0-9])")


def dialect_of(path: str) -> Dialect:
    """The dialect of a path, known or unknown."""
    for prefix, dialect in _SURFACES:
        if path == prefix or path.startswith(f"{prefix}/"):
            return dialect
    return CAMEL


def to_json(value: object) -> str:
    """JSON text in which a `Decimal` is a number with all its places: 25.00 stays 25.00.

    The standard encoder can write a Decimal only as a string or, through float, as 25.0.

    >>> to_json({"balance": Decimal("25.00"), "currency": "USD"})
    '{"balance":25.00,"currency":"USD"}'
    """
    if isinstance(value, Decimal):
        assert value.is_finite()
        return format(value, "f")
    if isinstance(value, dict):
        members = (f"{_scalar(str(key))}:{to_json(item)}" for key, item in value.items())
        return f"{{{','.join(members)}}}"
    if isinstance(value, list | tuple):
        return f"[{','.join(map(to_json, value))}]"
    assert not isinstance(value, float), "no amount passes through a float"
    return _scalar(value)


_ENCODER = json.JSONEncoder(ensure_ascii=False)


def _scalar(value: object) -> str:
    return _ENCODER.encode(value)
