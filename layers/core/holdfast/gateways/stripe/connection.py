"""The one door to Stripe: which key is used, what is sent, and what comes back from it.

The SDK takes a tenth of a start, and most environments never pay anything: it is loaded when the
first request goes out.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from holdfast.errors import InvariantBroken, NotFound, Refusal, Unavailable
from holdfast.gateways.stripe.reading import Fields, Misshapen

if TYPE_CHECKING:
    from holdfast.gateways.stripe.sdk import Sdk

ATTEMPT_SECONDS = 8
PAUSE_SECONDS = 0.25
CALL_SECONDS = 12
"""What a call may take with all its attempts: well below the twenty seconds of a function."""

FRESH_SECONDS = 300
RETRY_SECONDS = 30
"""How long a key that could not be read again serves on before that is tried once more."""

PAGE_LENGTH = 100
KEY_LENGTH_MAX = 200

_SECRET_KEY = re.compile(r"(sk|rk)_[A-Za-z0-9_]{1,250}")
_ID = re.compile(r"[A-Za-z0-9_]{1,255}")


class KeyRefused(Exception):
    """Stripe does not know our key: it may have been rotated."""


def customer_unknown() -> NotFound:
    """That there is no such customer: no caller ever names one, so somebody has to make another."""
    return NotFound(param="customer")


@dataclass(frozen=True, slots=True, kw_only=True)
class Meant:
    """What an operation makes of a refusal that has no code of its own.

    `missing` is raised where what it names does not exist, `refused` where Stripe will not do it;
    with `tells_state`, not where the state of the thing is why.
    """

    missing: Callable[[], NotFound]
    refused: Callable[[], Refusal] | None = None
    tells_state: bool = False


@dataclass(frozen=True, slots=True)
class Place:
    """A place of Stripe's: a noun, one thing of it, and a verb or what belongs to the thing."""

    noun: str
    thing: str | None = None
    verb: str | None = None

    @property
    def path(self) -> str:
        """The path of its address."""
        return "/".join(filter(None, ("/v1", self.noun, self.thing, self.verb)))

    def idempotency_key(self, key: str) -> str:
        """What makes the second delivery of a request to this place a no-op at Stripe, for a day.

        Our key with what is done, so that one payment's requests do not meet in one.
        """
        assert 0 < len(key) <= KEY_LENGTH_MAX
        verb = self.verb or ("update" if self.thing else "create")
        return f"{self.noun.replace('/', '.')}.{verb}:{key}"


class Connection:
    """Stripe under a key that may change."""

    def __init__(
        self,
        secret: Callable[[], str],
        *,
        api_base: str | None,
        clock: Callable[[], float],
        attempt_seconds: float,
        call_seconds: float,
        pause_seconds: float,
    ) -> None:
        """Ask `secret` for the key: at the first request, every five minutes, when it is refused.

        `clock` tells seconds; the wall clock goes on while the environment is frozen.
        """
        self._secret = secret
        self._api_base = api_base
        self._clock = clock
        self._attempt_seconds = attempt_seconds
        self._call_seconds = call_seconds
        self._pause_seconds = pause_seconds
        self._sdk: Sdk | None = None
        self._key: str | None = None
        self._ask_at = 0.0

    def get[R](
        self,
        place: Place,
        read: Callable[[object], R],
        params: Mapping[str, Any] | None = None,
        *,
        meant: Meant,
    ) -> R:
        """What is at a place.

        Raises:
            NotFound: `meant.missing`: nothing is.
            StripeUnavailable: Nobody answers.
            InvariantBroken: Stripe refuses our key, or answers what nobody can read.
        """
        return self._ask("get", place, read, params or {}, key=None, meant=meant)

    def post[R](
        self,
        place: Place,
        read: Callable[[object], R],
        params: Mapping[str, Any],
        *,
        key: str,
        meant: Meant,
    ) -> R:
        """What became of something that was done at a place, once for every `key`.

        Raises:
            Refusal: See `refusals`.
            StripeUnavailable: Nobody answers; it says whether it may have been done.
            KeyInUse: The same request is running.
            InvariantBroken: Stripe refuses our key or what we asked, or answers what nobody reads.
        """
        return self._ask("post", place, read, params, key=place.idempotency_key(key), meant=meant)

    def each[R](
        self,
        place: Place,
        read: Callable[[object], R],
        params: Mapping[str, Any],
        *,
        meant: Meant,
    ) -> Iterator[R]:
        """Everything of a list, newest first, fetched as it is asked for.

        Raises:
            NotFound: `meant.missing`: whose list it is does not exist.
            StripeUnavailable: Nobody answers.
            InvariantBroken: Stripe refuses our key, or answers what nobody can read.
        """

        def read_page(raw: object) -> tuple[list[R], str | None]:
            found = Fields(raw, "list")
            things = found.things("data")
            more = found.flag("has_more") and things
            return [read(thing) for thing in things], Fields(things[-1]).text(
                "id"
            ) if more else None

        after: str | None = None
        while True:
            asked = {**params, "limit": PAGE_LENGTH, "starting_after": after}
            page, last = self.get(place, read_page, asked, meant=meant)
            yield from page
            if last is None:
                return
            if last == after:
                raise InvariantBroken("Stripe's list does not go on")
            after = last

    def _ask[R](
        self,
        method: str,
        place: Place,
        read: Callable[[object], R],
        params: Mapping[str, Any],
        *,
        key: str | None,
        meant: Meant,
    ) -> R:
        if place.thing is not None and not _ID.fullmatch(place.thing):
            raise meant.missing()
        given = {name: value for name, value in params.items() if value is not None}
        try:
            return read(self._send(method, place.path, given, key=key, meant=meant))
        except Misshapen as broken:
            reason = str(broken)
        raise InvariantBroken(f"Stripe's answer cannot be read: {reason}")

    def _send(
        self, method: str, path: str, params: Mapping[str, Any], *, key: str | None, meant: Meant
    ) -> object:
        sdk, used = self._loaded(), self._current_key()
        try:
            return sdk.request(used, method, path, params, key=key, meant=meant)
        except KeyRefused:
            self._ask_at = 0.0
        renewed = self._current_key()
        if renewed != used:
            try:
                return sdk.request(renewed, method, path, params, key=key, meant=meant)
            except KeyRefused:
                self._ask_at = 0.0
        raise InvariantBroken("Stripe refuses our key")

    def _current_key(self) -> str:
        now = self._clock()
        if self._key is not None and now < self._ask_at:
            return self._key
        try:
            key = self._secret()
        except Unavailable:
            if self._key is None:
                raise
            self._ask_at = now + RETRY_SECONDS
            return self._key
        if not _SECRET_KEY.fullmatch(key):
            raise InvariantBroken("the secret key of Stripe is none")
        self._key, self._ask_at = key, now + FRESH_SECONDS
        return key

    def _loaded(self) -> "Sdk":
        if self._sdk is None:
            from holdfast.gateways.stripe.sdk import Sdk  # noqa: PLC0415

            self._sdk = Sdk(
                api_base=self._api_base,
                attempt_seconds=self._attempt_seconds,
                call_seconds=self._call_seconds,
                pause_seconds=self._pause_seconds,
            )
        return self._sdk


class Operations:
    """What is done at Stripe with things of one kind."""

    __slots__ = ("connection",)

    def __init__(self, connection: Connection) -> None:
        """Do it through this connection."""
        self.connection = connection
