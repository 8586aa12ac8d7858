"""The secrets by which deliveries of the provider's events are known, from the Parameter Store.

Each mode has one, and while it is being changed the one before it too: the parameter of the same
name with `-previous` at its end. Whoever changes them needs no deployment.
"""

import re
import time
from collections.abc import Callable, Mapping
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from holdfast.errors import Unavailable

FRESH_SECONDS = 300
RETRY_SECONDS = 30
"""How long secrets that could not be read again serve on before that is tried once more."""
SETUP_SECONDS = 60
"""When to come again where nobody put a secret yet."""
PREVIOUS = "-previous"

_SECRET = re.compile(r"whsec_[!-~]{8,250}")

type ByMode = Mapping[str, tuple[str, ...]]


class EndpointSecrets:
    """The secrets of the endpoints in both modes, as this environment knows them."""

    def __init__(
        self,
        client_factory: Callable[[], Any],
        names: Mapping[str, str],
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Take the secret of each mode from the parameter that `names` has for it.

        The client is made at the first look: its model is one of the largest. `clock` tells
        seconds; the wall clock goes on while the environment is frozen between two requests.
        """
        self._client_factory = client_factory
        self._names = {mode: name for mode, name in names.items() if name}
        self._clock = clock
        self._client: Any = None
        self._by_mode: ByMode = {}
        self._ask_at = 0.0

    def by_mode(self) -> ByMode:
        """One or two secrets for each mode that has any, as they were within five minutes.

        Raises:
            Unavailable: There is none at all, or nobody answers: without one nobody is let in.
        """
        now = self._clock()
        if now >= self._ask_at:
            try:
                self._by_mode = self._read()
                self._ask_at = now + FRESH_SECONDS
            except (BotoCoreError, ClientError) as error:
                if not self._by_mode:
                    raise Unavailable() from error
                self._ask_at = now + RETRY_SECONDS
        if not self._by_mode:
            self._ask_at = min(self._ask_at, now + RETRY_SECONDS)
            raise Unavailable(retry_after_seconds=SETUP_SECONDS)
        return self._by_mode

    def _read(self) -> ByMode:
        if not self._names:
            return {}
        self._client = self._client or self._client_factory()
        wanted = [name + end for name in self._names.values() for end in ("", PREVIOUS)]
        answer = self._client.get_parameters(Names=wanted, WithDecryption=True)
        # What is absent is not named in the answer. What is no secret of the provider's is none:
        # a word that somebody wrote there for the time being must not open the door.
        found = {each["Name"]: str(each["Value"]).strip() for each in answer["Parameters"]}
        told: dict[str, tuple[str, ...]] = {}
        for mode, name in self._names.items():
            both = (found.get(name, ""), found.get(name + PREVIOUS, ""))
            if secrets := tuple(one for one in both if _SECRET.fullmatch(one)):
                told[mode] = secrets
        return told
