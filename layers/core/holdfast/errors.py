"""Every refusal of the system: a stable code, a fixed message, and the facts that changed.

    Refusal
    |-- Unreadable              body that cannot be read as the JSON object it should be
    |-- Unauthenticated         no credential, or a bad one
    |-- PaymentRequired         money, a limit or a card stands in the way
    |   `-- InsufficientFunds
    |-- Forbidden               known caller, not allowed
    |-- NotFound                unknown, or somebody else's
    |   |-- AccountNotFound, EntryNotFound, HoldNotFound, JobNotFound, QuoteNotFound,
    |   `-- DeviceNotFound, TransactionNotFound, RouteNotFound
    |-- MethodNotAllowed
    |-- Conflict                the thing is in a state that does not allow this
    |   |-- HoldClosed, HoldExpired, HoldNotDue, JobHeld, QuoteUsed, ReleaseDiffers, DeviceOffline
    |   `-- KeyInUse
    |-- Gone                    it was there, and its time has passed
    |   `-- QuoteExpired
    |-- TooLarge
    |-- UnsupportedMediaType
    |-- InvalidRequest          a field is wrong; `param` names it
    |   |-- InvalidField, UnknownField, CardDataNotAllowed, InvalidCursor
    |   |-- IdempotencyKeyInvalid, IdempotencyKeyReused
    |   `-- HoldExceeded, AmountTooLarge, RefundExceeded, NotRefundable, TooManyLots
    |-- TooManyRequests
    |-- Unavailable             try again
    |   `-- Contention
    `-- BadGateway              somebody behind us is down

    InvariantBroken             not a refusal: ours, a 500, and it pages somebody

A refusal knows nothing of HTTP: `holdfast.http.errors` holds the only table of statuses. `code` is
public, lower_snake, never reused; `docs/errors.md` lists every code in order of precedence.
"""

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


class InsufficientFunds(PaymentRequired):
    code = "insufficient_funds"
    message = "Available balance is too low."

    def __init__(self, *, needed_micros: int, available_micros: int, currency: str) -> None:
        super().__init__(
            needed_micros=needed_micros, available_micros=available_micros, currency=currency
        )


class Forbidden(Refusal):
    code = "forbidden"
    message = "This caller may not do that."


class NotFound(Refusal):
    code = "not_found"
    message = "There is nothing here by that name."


class RouteNotFound(NotFound):
    code = "route_not_found"
    message = "There is no operation at this path."


class AccountNotFound(NotFound):
    code = "account_not_found"
    message = "There is no such account."


class EntryNotFound(NotFound):
    code = "entry_not_found"
    message = "There is no such entry."


class TransactionNotFound(NotFound):
    code = "transaction_not_found"
    message = "There is no such transaction."


class HoldNotFound(NotFound):
    code = "hold_not_found"
    message = "There is no such hold."


class JobNotFound(NotFound):
    code = "job_not_found"
    message = "There is no such job."


class QuoteNotFound(NotFound):
    code = "quote_not_found"
    message = "There is no such quote."


class DeviceNotFound(NotFound):
    code = "device_not_found"
    message = "There is no price for this device."


class MethodNotAllowed(Refusal):
    code = "method_not_allowed"
    message = "This path does not answer that method."


class Conflict(Refusal):
    code = "conflict"
    message = "The state of the thing does not allow this."


class HoldClosed(Conflict):
    code = "hold_closed"
    message = "The hold is closed."

    def __init__(self, *, status: str) -> None:
        super().__init__(status=status)


class HoldExpired(Conflict):
    code = "hold_expired"
    message = "The hold has expired."

    def __init__(self, *, expires_at: str) -> None:
        super().__init__(expires_at=expires_at)


class HoldNotDue(Conflict):
    code = "hold_not_due"
    message = "The hold's time has not come."

    def __init__(self, *, expires_at: str) -> None:
        super().__init__(expires_at=expires_at)


class ReleaseDiffers(Conflict):
    code = "release_differs"
    message = "The job was released before, with another amount."


class JobHeld(Conflict):
    code = "job_already_held"
    message = "The job has an active hold."


class QuoteUsed(Conflict):
    code = "quote_already_used"
    message = "The quote was used for another job."


class DeviceOffline(Conflict):
    code = "device_offline"
    message = "The device takes no jobs now."


class KeyInUse(Conflict):
    code = "idempotency_key_in_use"
    message = "A request with this idempotency key is running."

    def __init__(self, *, retry_after_seconds: int = 1) -> None:
        super().__init__(retry_after_seconds=retry_after_seconds)


class Gone(Refusal):
    code = "gone"
    message = "Its time has passed."


class QuoteExpired(Gone):
    code = "quote_expired"
    message = "The quote has expired."


class TooLarge(Refusal):
    code = "body_too_large"
    message = "The body is larger than 256 KiB."


class UnsupportedMediaType(Refusal):
    code = "unsupported_media_type"
    message = "The body must be application/json."


class InvalidRequest(Refusal):
    code = "invalid_request"
    message = "The request is not valid."


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


class AmountTooLarge(InvalidRequest):
    code = "amount_too_large"
    message = "The amount is beyond what one wallet or one operation can hold."


class HoldExceeded(InvalidRequest):
    code = "hold_exceeded"
    message = "The hold has less than that left."

    def __init__(self, *, asked_micros: int, remaining_micros: int, currency: str) -> None:
        super().__init__(
            param="amount",
            asked_micros=asked_micros,
            remaining_micros=remaining_micros,
            currency=currency,
        )


class RefundExceeded(InvalidRequest):
    code = "refund_exceeded"
    message = "Less than that is left to refund."

    def __init__(self, *, asked_micros: int, refundable_micros: int, currency: str) -> None:
        super().__init__(
            param="amount",
            asked_micros=asked_micros,
            refundable_micros=refundable_micros,
            currency=currency,
        )


class NotRefundable(InvalidRequest):
    code = "not_refundable"
    message = "Only a charge can be refunded."


class TooManyLots(InvalidRequest):
    code = "too_many_lots"
    message = "The wallet has as many open lots as a wallet can have."


class TooManyRequests(Refusal):
    code = "rate_limited"
    message = "Too many requests."


class Unavailable(Refusal):
    code = "unavailable"
    message = "Try again."

    def __init__(self, *, retry_after_seconds: int = 1) -> None:
        super().__init__(retry_after_seconds=retry_after_seconds)


class Contention(Unavailable):
    code = "contention"
    message = "Too many writers at once. Try again."


class BadGateway(Refusal):
    code = "bad_gateway"
    message = "A service behind this one is down."
