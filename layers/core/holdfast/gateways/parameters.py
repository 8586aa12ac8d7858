"""Texts of the Parameter Store that somebody else put there: keys of providers, encrypted."""

from collections.abc import Callable
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from holdfast.errors import Unavailable


class Parameter:
    """One text by the name of its parameter. Whoever asks remembers it as long as they like."""

    def __init__(self, client_factory: Callable[[], Any], name: str) -> None:
        """Read `name`. The client is made at the first look: its model is one of the largest."""
        self._client_factory = client_factory
        self._name = name
        self._client: Any = None

    def value(self) -> str:
        """The text as it is now.

        Raises:
            Unavailable: It cannot be had: nobody answers, or nobody put it there yet.
        """
        try:
            self._client = self._client or self._client_factory()
            answer = self._client.get_parameter(Name=self._name, WithDecryption=True)
        except (BotoCoreError, ClientError) as error:
            raise Unavailable() from error
        return str(answer["Parameter"]["Value"])
