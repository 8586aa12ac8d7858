"""Refusals as Stripe words them: a status, a type, a code, and what the error is about."""

from http import HTTPStatus
from typing import Any

type Object = dict[str, Any]

_DOCUMENTATION = "https://stripe.com/docs/error-codes/"


class Refused(Exception):
    """A request that is answered with an error.

    `is_stored` says whether an idempotency key remembers it: what fails before the operation
    begins is not remembered, so the same key may be used again for the corrected request.
    """

    def __init__(
        self,
        message: str,
        *,
        status: HTTPStatus = HTTPStatus.BAD_REQUEST,
        kind: str = "invalid_request_error",
        code: str | None = None,
        param: str | None = None,
        is_stored: bool = True,
        should_retry: bool | None = None,
        **facts: Any,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.is_stored = is_stored
        self.should_retry = should_retry
        self.error: Object = {"message": message, "type": kind}
        if code is not None:
            self.error["code"] = code
            self.error["doc_url"] = _DOCUMENTATION + code.replace("_", "-")
        if param is not None:
            self.error["param"] = param
        self.error.update(facts)


def invalid(message: str, param: str | None, code: str | None = None) -> Refused:
    """A parameter that Stripe does not accept; no operation began."""
    return Refused(message, code=code, param=param, is_stored=False)


def missing(param: str) -> Refused:
    return invalid(f"Missing required param: {param}.", param, "parameter_missing")


def unknown(params: list[str]) -> Refused:
    plural = "s" if len(params) > 1 else ""
    message = f"Received unknown parameter{plural}: {', '.join(params)}"
    return invalid(message, params[0], "parameter_unknown")


def no_such(kind: str, object_id: str, *, param: str = "id", in_path: bool = False) -> Refused:
    """Nothing has this id: 404 for the object that the path names, 400 for one in a parameter."""
    return Refused(
        f"No such {kind}: '{object_id}'",
        status=HTTPStatus.NOT_FOUND if in_path else HTTPStatus.BAD_REQUEST,
        code="resource_missing",
        param=param,
    )


def unauthorized(message: str, **facts: Any) -> Refused:
    return Refused(message, status=HTTPStatus.UNAUTHORIZED, is_stored=False, **facts)


def card_error(problem: Object, **facts: Any) -> Refused:
    """A payment that the card's issuer, or Stripe for it, turned down."""
    named = {name: value for name, value in problem.items() if name not in ("message", "type")}
    return Refused(
        problem["message"],
        status=HTTPStatus.PAYMENT_REQUIRED,
        kind="card_error",
        **{name: value for name, value in named.items() if name != "doc_url"},
        **facts,
    )
