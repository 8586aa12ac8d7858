"""The secret of the house: 32 bytes that nobody chose, in the Parameter Store, encrypted.

It is made by the first who needs one, and never changed here: what was derived from it is worth
nothing under another.
"""

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from secrets import token_hex
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from holdfast.errors import InvariantBroken, Unavailable

SECRET_BYTES = 32
FRESH_SECONDS = 300
RETRY_SECONDS = 30
"""How long a value that could not be read again serves on before that is tried once more."""

_HEX = re.compile(r"[0-9a-f]{64}")
_ABSENT = "ParameterNotFound"
_THERE = "ParameterAlreadyExists"
_BUSY = frozenset({"RequestLimitExceeded", "ThrottlingException", "TooManyUpdates"})


class NotMade(Exception):
    """There is no secret, so nothing was ever derived from one."""


class Secrets:
    """One secret by the name of its parameter, as this environment knows it."""

    def __init__(
        self,
        client_factory: Callable[[], Any],
        name: str,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Take the secret from the parameter `name`.

        The client is made when the secret is first asked for: its model is one of the largest, and
        most environments never see an API key. `clock` tells seconds; the wall clock goes on while
        the environment is frozen between two requests.
        """
        self._client_factory = client_factory
        self._name = name
        self._clock = clock
        self._client: Any = None
        self._value: bytes | None = None
        self._ask_at = 0.0

    def value(self, *, make: bool = False) -> bytes:
        """The secret: what was read within five minutes, or longer ago if nobody answers now.

        With `make` one that is absent is made. Of several who make it at once, the first does.

        Raises:
            NotMade: It is absent, and not to be made.
            Unavailable: Nobody answers, and this environment has never read it.
        """
        now = self._clock()
        if self._value is not None and now < self._ask_at:
            return self._value
        try:
            with _answering():
                text = self._read() or (self._make() if make else None)
        except (ClientError, Unavailable):
            if self._value is None:
                raise
            self._ask_at = now + RETRY_SECONDS
            return self._value
        if text is None:
            raise NotMade
        self._value = _bytes(text)
        self._ask_at = now + FRESH_SECONDS
        return self._value

    def _read(self) -> str | None:
        try:
            answer = self._connected().get_parameter(Name=self._name, WithDecryption=True)
        except ClientError as error:
            if _code(error) == _ABSENT:
                return None
            raise
        return str(answer["Parameter"]["Value"])

    def _make(self) -> str:
        text = token_hex(SECRET_BYTES)
        try:
            self._connected().put_parameter(
                Name=self._name, Value=text, Type="SecureString", Overwrite=False
            )
        except ClientError as error:
            if _code(error) != _THERE:
                raise
            # Somebody was faster, or our own first attempt was: what is there is the secret.
            there = self._read()
            if there is None:
                raise Unavailable() from error
            return there
        return text

    def _connected(self) -> Any:
        self._client = self._client or self._client_factory()
        return self._client


def _bytes(text: str) -> bytes:
    # A short secret would be a weak one, so one that somebody wrote by hand is not taken.
    if not _HEX.fullmatch(text):
        raise InvariantBroken("the secret of the house is not 32 bytes in hexadecimal")
    return bytes.fromhex(text)


def _code(error: ClientError) -> str:
    return str(error.response["Error"]["Code"])


@contextmanager
def _answering() -> Iterator[None]:
    """Say "try again" where the store did not answer; what it answers for good is a mistake."""
    try:
        yield
    except BotoCoreError as error:
        raise Unavailable() from error
    except ClientError as error:
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        if _code(error) in _BUSY or status >= 500:
            raise Unavailable() from error
        raise
