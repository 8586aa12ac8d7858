"""What stands in the way of holds, quotes and jobs."""

from holdfast.errors.kinds import Conflict, Gone, InvalidRequest, NotFound


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


class QuoteExpired(Gone):
    code = "quote_expired"
    message = "The quote has expired."


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
