"""What a refusal is in HTTP: the only table of statuses, and what stands around it.

Status and `type` of an error are those of the first of its classes that is in the table, so a new
refusal needs no line here.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from aws_lambda_powertools.event_handler.openapi.exceptions import RequestValidationError

from holdfast.errors import (
    BadGateway,
    Conflict,
    Fact,
    Forbidden,
    Gone,
    InvalidField,
    InvalidRequest,
    KeyInUse,
    MethodNotAllowed,
    NotFound,
    NotServed,
    PaymentRequired,
    Refusal,
    TooLarge,
    TooManyRequests,
    Unauthenticated,
    Unavailable,
    UnknownField,
    Unreadable,
    UnsupportedMediaType,
)

STATUS: dict[type[Refusal], HTTPStatus] = {
    Unreadable: HTTPStatus.BAD_REQUEST,
    Unauthenticated: HTTPStatus.UNAUTHORIZED,
    PaymentRequired: HTTPStatus.PAYMENT_REQUIRED,
    Forbidden: HTTPStatus.FORBIDDEN,
    NotFound: HTTPStatus.NOT_FOUND,
    MethodNotAllowed: HTTPStatus.METHOD_NOT_ALLOWED,
    Conflict: HTTPStatus.CONFLICT,
    Gone: HTTPStatus.GONE,
    TooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    UnsupportedMediaType: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    InvalidRequest: HTTPStatus.UNPROCESSABLE_ENTITY,
    TooManyRequests: HTTPStatus.TOO_MANY_REQUESTS,
    NotServed: HTTPStatus.NOT_IMPLEMENTED,
    BadGateway: HTTPStatus.BAD_GATEWAY,
    Unavailable: HTTPStatus.SERVICE_UNAVAILABLE,
}

RETRY_AFTER_SECONDS = 1
_RETRIED = (KeyInUse, TooManyRequests, Unavailable)
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,63}")
_LONG_NUMBER = re.compile(r"[0-9]{9,}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """An error answer before a dialect spells it."""

    status: HTTPStatus
    type: str
    code: str
    message: str
    param: str | None = None
    details: dict[str, Fact] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)


INTERNAL = Failure(
    status=HTTPStatus.INTERNAL_SERVER_ERROR,
    type="internal",
    code="internal_error",
    message="Something went wrong on our side.",
)
"""All that a caller learns of a mistake of ours; the log has the rest under the request id."""


class Verbatim(str):
    """The name of a field as the caller spelled it: dialects leave it alone."""

    __slots__ = ()


def failure_of(refusal: Refusal) -> Failure:
    """The answer to a request that was refused."""
    family = _family(type(refusal))
    return Failure(
        status=STATUS[family],
        type=family.code,
        code=refusal.code,
        message=refusal.message,
        param=refusal.param,
        details=refusal.details,
        headers=dict(_headers(refusal)),
    )


def refusal_of(error: Exception) -> Refusal | None:
    """The refusal in what came out of a route, or None when the mistake is ours."""
    if isinstance(error, Refusal):
        return error
    return _wrong_field(error.errors()) if isinstance(error, RequestValidationError) else None


def _family(refused: type[Refusal]) -> type[Refusal]:
    for base in refused.__mro__:
        if base in STATUS:
            return base
    raise AssertionError(f"{refused.__name__} has no status")


def _headers(refusal: Refusal) -> Iterator[tuple[str, str]]:
    seconds = refusal.details.get("retry_after_seconds")
    if seconds is not None or isinstance(refusal, _RETRIED):
        yield "Retry-After", str(RETRY_AFTER_SECONDS if seconds is None else seconds)
    allowed = refusal.details.get("allowed")
    if isinstance(refusal, MethodNotAllowed) and isinstance(allowed, list):
        yield "Allow", ", ".join(allowed)
    if isinstance(refusal, Unauthenticated):
        yield "WWW-Authenticate", "Bearer"


def _wrong_field(errors: Sequence[Any]) -> Refusal:
    """The first thing that is wrong, told without a word of what the caller sent."""
    first = errors[0]
    _, *path = first["loc"]
    if first["type"] == "extra_forbidden":
        return UnknownField(param=_spelled(path))
    return InvalidField(_spelled(path), _reason(first))


def named(name: str) -> Verbatim:
    """The name of a field, if a name is all that it is."""
    return _spelled([name])


def _spelled(path: Sequence[str | int]) -> Verbatim:
    """`items.0.price`, as far as every step is a name: a caller may put anything into a key."""
    steps: list[str] = []
    for step in path:
        text = str(step)
        if isinstance(step, str) and (not _NAME.fullmatch(text) or _LONG_NUMBER.search(text)):
            break
        steps.append(text)
    return Verbatim(".".join(steps) or "body")


def _reason(error: dict[str, Any]) -> str:
    """What is wrong, in words of ours: the framework's own may repeat what was sent."""
    kind: str = error["type"]
    limits: dict[str, Any] = error.get("ctx") or {}
    return _REASONS.get(kind, "not valid").format_map(limits)


_REASONS = {
    "missing": "required",
    "wrong_field": "{reason}",
    "bool_type": "must be true or false",
    "dict_type": "must be an object",
    "greater_than": "must be greater than {gt}",
    "greater_than_equal": "must be at least {ge}",
    "int_type": "must be an integer",
    "less_than": "must be less than {lt}",
    "less_than_equal": "must be at most {le}",
    "list_type": "must be a list",
    "literal_error": "must be one of {expected}",
    "model_type": "must be an object",
    "string_pattern_mismatch": "does not have the form it must have",
    "string_too_long": "at most {max_length} characters",
    "string_too_short": "at least {min_length} characters",
    "string_type": "must be a string",
    "too_long": "at most {max_length} of them",
    "too_short": "at least {min_length} of them",
}
