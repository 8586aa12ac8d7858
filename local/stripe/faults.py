"""What goes wrong next, as a test or a curious person has told it to."""

from dataclasses import asdict, dataclass
from fnmatch import fnmatchcase
from http import HTTPStatus
from typing import Any

from local.stripe.errors import Object, Refused

KINDS = ("answer", "close", "delay", "error", "hang", "reset")
_WORDS = {
    429: (
        "rate_limit",
        "Request rate limit exceeded. Learn more about rate limits here "
        "https://stripe.com/docs/rate-limits.",
    ),
    409: (
        "lock_timeout",
        "This object cannot be accessed right now because another API request or Stripe process "
        "is currently accessing it. If you see this error intermittently, retry the request.",
    ),
}
_HANG_SECONDS = 60


@dataclass(slots=True, kw_only=True)
class Fault:
    """Something that happens to the next calls whose method and path fit.

    `error` answers with `status`; `answer` with `status` and `body` as they stand; `delay` waits
    `seconds` and then does as asked; `hang` waits as long and then closes the connection; `close`
    and `reset` end it at once. With `is_done` the call is carried out first, and its answer is
    lost. `skip` lets that many fitting calls pass before.
    """

    kind: str
    method: str = "*"
    path: str = "*"
    times: int = 1
    skip: int = 0
    is_done: bool = False
    seconds: float = _HANG_SECONDS
    status: int = 500
    code: str | None = None
    body: str = ""
    should_retry: bool | None = None

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"A fault is one of {', '.join(KINDS)}; not {self.kind}")
        numbers: list[object] = [self.times, self.skip, self.seconds, HTTPStatus(self.status)]
        for number in numbers:
            if not isinstance(number, int | float) or number < 0:
                raise ValueError(f"A number is wanted, not {number}")

    def refusal(self) -> Refused:
        """The error that Stripe would answer with."""
        code, message = _WORDS.get(self.status, (None, "An unknown error occurred"))
        kind = "invalid_request_error" if code else "api_error"
        return Refused(
            message,
            status=HTTPStatus(self.status),
            kind=kind,
            code=self.code or code,
            is_stored=False,
            should_retry=self.should_retry,
        )


class Faults:
    """The faults that wait for their call."""

    def __init__(self) -> None:
        self._waiting: list[Fault] = []

    def add(self, told: dict[str, Any]) -> None:
        """Take a fault from a control request.

        Raises:
            TypeError, ValueError: It is none.
        """
        self._waiting.append(Fault(**told))

    def clear(self) -> None:
        self._waiting.clear()

    def take(self, method: str, path: str) -> Fault | None:
        """The fault for a call, or None; each is used up."""
        for fault in self._waiting:
            if not (fnmatchcase(method, fault.method) and fnmatchcase(path, fault.path)):
                continue
            if fault.skip > 0:
                fault.skip -= 1
                continue
            fault.times -= 1
            if fault.times <= 0:
                self._waiting.remove(fault)
            return fault
        return None

    def shown(self) -> list[Object]:
        return [asdict(fault) for fault in self._waiting]
