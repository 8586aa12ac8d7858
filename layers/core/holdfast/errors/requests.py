"""What is wrong with a request before anything is looked up."""

from holdfast.errors.kinds import Conflict, InvalidRequest, NotFound, Unavailable


class RouteNotFound(NotFound):
    code = "route_not_found"
    message = "There is no operation at this path."


class KeyInUse(Conflict):
    code = "idempotency_key_in_use"
    message = "A request with this idempotency key is running."

    def __init__(self, *, retry_after_seconds: int = 1) -> None:
        super().__init__(retry_after_seconds=retry_after_seconds)


class InvalidField(InvalidRequest):
    """One field is wrong: `param` names it, `details.reason` says what is wrong with it."""

    code = "invalid_field"
    message = "A field is not valid."

    def __init__(self, param: str, reason: str) -> None:
        super().__init__(param=param, reason=reason)


class UnknownField(InvalidRequest):
    code = "unknown_field"
    message = "The request has a field that this operation does not take."


class CardDataNotAllowed(InvalidRequest):
    code = "card_data_not_allowed"
    message = "Card numbers are not accepted here."


class InvalidCursor(InvalidRequest):
    code = "invalid_cursor"
    message = "The cursor is not one that was given out for this list."

    def __init__(self) -> None:
        super().__init__(param="cursor")


class IdempotencyKeyInvalid(InvalidRequest):
    code = "idempotency_key_invalid"
    message = "An idempotency key has 1 to 255 visible ASCII characters."


class IdempotencyKeyReused(InvalidRequest):
    code = "idempotency_key_reused"
    message = "This idempotency key was used for another request."


class Contention(Unavailable):
    code = "contention"
    message = "Too many writers at once. Try again."
