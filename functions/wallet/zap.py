"""The wallet by remote procedure call: one envelope in, one out; results are the REST bodies.

    {"id": "7", "method": "billing.getBalance", "params": {"user": "acme/alice"}}
    {"id": "7", "result": {...}}  or  {"id": "7", "error": {"code": -32602, "message": ..., ...}}

An envelope that is none is a 400; whatever becomes of a call is told in a 200.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, Any, cast

from aws_lambda_powertools.event_handler.openapi.exceptions import RequestValidationError
from pydantic import Field, ValidationError

from holdfast.domain.clock import Instant
from holdfast.domain.once import Once
from holdfast.errors import InvalidField, InvalidRequest, Refusal, Unreadable
from holdfast.http.dialects import CAMEL
from holdfast.http.errors import failure_of, refusal_of
from holdfast.http.fields import CamelBody, CurrencyCode
from holdfast.http.incoming import WholeBody
from holdfast.http.principal import Admin, Principal
from holdfast.http.routing import Router
from holdfast.http.views import Answer, CamelView, Maybe
from holdfast.http.writes import KeyedWrite, Now
from holdfast.runtime import Store
from holdfast.store.ledger_store import LedgerStore
from wallet import commerce
from wallet.commerce import Deposit, Usage, User
from wallet.commerce_views import (
    BalancesView,
    BalanceView,
    RecordedView,
    TransactionView,
    UsageListView,
)

router = Router()

NO_CALL = -32600
NO_METHOD = -32601
WRONG_PARAMS = -32602
REFUSED = -32000

ENVELOPE = frozenset({"id", "method", "params"})


class BalanceParams(CamelBody):
    user: User
    currency: CurrencyCode = "usd"


class BalancesParams(CamelBody):
    user: User


class UsageParams(CamelBody):
    user: User
    currency: CurrencyCode | None = None
    limit: Annotated[int, Field(ge=1, le=100)] = 100
    cursor: str | None = None


class ZapDataView(CamelView):
    """Why a call was refused, as the REST route would have said it."""

    code: str
    param: Maybe[str] = None
    details: dict[str, Any]


class ZapErrorView(CamelView):
    code: int
    message: str
    data: Maybe[ZapDataView] = None


class ZapView(CamelView):
    id: str | None
    result: Maybe[BalanceView | BalancesView | UsageListView | RecordedView | TransactionView] = (
        None
    )
    error: Maybe[ZapErrorView] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """Who calls, when, and where to: what a REST route would have asked for by its signature."""

    caller: Principal
    now: Instant
    keyed: Callable[[str | None], Once]
    store: LedgerStore


def _get_balance(line: Line, params: BalanceParams) -> BalanceView:
    return commerce.read_balance(line.caller, line.now, line.store, params.user, params.currency)


def _get_balances(line: Line, params: BalancesParams) -> BalancesView:
    return commerce.read_balances(line.caller, line.now, line.store, params.user)


def _get_usage(line: Line, params: UsageParams) -> UsageListView:
    return commerce.list_usage(
        line.caller,
        line.now,
        line.store,
        params.user,
        params.currency,
        params.limit,
        params.cursor,
    )


def _record_usage(line: Line, params: Usage) -> Answer[RecordedView]:
    return commerce.record_usage(params, line.caller, line.keyed, line.store)


def _deposit(line: Line, params: Deposit) -> Answer[TransactionView]:
    return commerce.deposit(params, line.caller, line.keyed(None), line.store)


@dataclass(frozen=True, slots=True)
class Method:
    """What a method takes, and what it does."""

    params: type[CamelBody]
    call: Callable[[Line, Any], Any]


METHODS: Mapping[str, Method] = {
    "billing.getBalance": Method(BalanceParams, _get_balance),
    "billing.getBalanceAll": Method(BalancesParams, _get_balances),
    "billing.getUsage": Method(UsageParams, _get_usage),
    "billing.recordUsage": Method(Usage, _record_usage),
    "billing.deposit": Method(Deposit, _deposit),
}


@router.post("/api/v1/billing/zap")
def call_billing(
    envelope: WholeBody, caller: Admin, now: Now, keyed: KeyedWrite, store: Store
) -> Answer[ZapView]:
    """Call a method: getBalance, getBalanceAll, getUsage, recordUsage or deposit of `billing`."""
    return _answered(envelope, Line(caller=caller, now=now, keyed=keyed, store=store))


@router.post("/api/v1/zap")
def call(
    envelope: WholeBody, caller: Admin, now: Now, keyed: KeyedWrite, store: Store
) -> Answer[ZapView]:
    """Call a method of `billing`, at the shorter path."""
    return _answered(envelope, Line(caller=caller, now=now, keyed=keyed, store=store))


def _answered(envelope: dict[str, Any], line: Line) -> Answer[ZapView]:
    call_id = envelope.get("id")
    if not isinstance(call_id, str):
        raise Unreadable
    name = envelope.get("method")
    if not isinstance(name, str) or not name or not envelope.keys() <= ENVELOPE:
        failed = ZapErrorView(code=NO_CALL, message="The envelope is not that of a call.")
        return Answer(ZapView(id=call_id, error=failed), status=HTTPStatus.BAD_REQUEST)
    method = METHODS.get(name)
    if method is None:
        failed = ZapErrorView(code=NO_METHOD, message="There is no such method.")
        return Answer(ZapView(id=call_id, error=failed))
    try:
        done = method.call(line, _params(method, envelope))
    except Refusal as refusal:
        return Answer(ZapView(id=call_id, error=_error(refusal)))
    if not isinstance(done, Answer):
        return Answer(ZapView(id=call_id, result=done))
    return Answer(ZapView(id=call_id, result=done.view), replayed=done.replayed)


def _params(method: Method, envelope: dict[str, Any]) -> CamelBody:
    params = envelope.get("params")
    if not isinstance(params, dict):
        raise InvalidField("params", "must be an object")
    try:
        return method.params.model_validate(params)
    except ValidationError as invalid:
        # The framework tells where a field is from the body on.
        told = [{**one, "loc": ("body", *one["loc"])} for one in invalid.errors()]
        raise cast(Refusal, refusal_of(RequestValidationError(told))) from None


def _error(refusal: Refusal) -> ZapErrorView:
    failure = failure_of(refusal)
    param = CAMEL.param(failure)
    wrong = isinstance(refusal, InvalidRequest) and param is not None
    return ZapErrorView(
        code=WRONG_PARAMS if wrong else REFUSED,
        message=failure.message,
        data=ZapDataView(code=failure.code, param=param, details=CAMEL.details(failure)),
    )
