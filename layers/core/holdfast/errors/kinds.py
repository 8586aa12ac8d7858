"""The families of refusals: each has one status in HTTP, and says nothing of it."""

from typing import ClassVar

type Fact = str | int | bool | list[str] | None


class InvariantBroken(Exception):
    """Something that only we can get wrong is wrong. Never shown to a caller."""


class Refusal(Exception):
    """The caller cannot have what was asked for, and nothing was written.

    Facts whose name ends in `_micros` are money; the surface renders them in its own dialect, in
    the currency under `currency`.
    """

    code: ClassVar[str] = "refused"
    message: ClassVar[str] = "The request was refused."
    param: str | None = None

    def __init__(self, *, param: str | None = None, **details: Fact) -> None:
        super().__init__(self.message)
        self.param = param
        self.details: dict[str, Fact] = details


class Unreadable(Refusal):
    code = "unreadable_body"
    message = "The body is not a JSON object."


class Unauthenticated(Refusal):
    code = "unauthenticated"
    message = "A valid credential is needed."


class PaymentRequired(Refusal):
    code = "payment_required"
    message = "Payment is required."


class Forbidden(Refusal):
    code = "forbidden"
    message = "This caller may not do that."


class NotFound(Refusal):
    code = "not_found"
    message = "There is nothing here by that name."


class MethodNotAllowed(Refusal):
    code = "method_not_allowed"
    message = "This path does not answer that method."


class Conflict(Refusal):
    code = "conflict"
    message = "The state of the thing does not allow this."


class Gone(Refusal):
    code = "gone"
    message = "Its time has passed."


class TooLarge(Refusal):
    code = "body_too_large"
    message = "The body is larger than 256 KiB."


class UnsupportedMediaType(Refusal):
    code = "unsupported_media_type"
    message = "The body must be application/json."


class InvalidRequest(Refusal):
    code = "invalid_request"
    message = "The request is not valid."


class TooManyRequests(Refusal):
    code = "rate_limited"
    message = "Too many requests."


class Unavailable(Refusal):
    code = "unavailable"
    message = "Try again."

    def __init__(self, *, retry_after_seconds: int = 1) -> None:
        super().__init__(retry_after_seconds=retry_after_seconds)


class BadGateway(Refusal):
    code = "bad_gateway"
    message = "A service behind this one is down."


class NotServed(Refusal):
    code = "not_served"
    message = "This installation does not do that."
