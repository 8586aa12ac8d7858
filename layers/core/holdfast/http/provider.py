"""What whoever speaks with the payment provider is told of it: its key, and ways back from it."""

from collections.abc import Mapping, Sequence
from typing import Annotated
from urllib.parse import urlsplit

from holdfast.domain import money
from holdfast.domain.payments import require_between
from holdfast.errors import InvalidField, NotServed, Unavailable
from holdfast.http.fields import amount_micros, text

PUBLISHABLE_PREFIX = "pk_"
KEY_RETRY_SECONDS = 60
URL_LENGTH_MAX = 2_000

TOPUP_MIN = 50
TOPUP_MAX = 1_000_000
"""Of any currency, in its minor units. What cards cannot be charged is refused besides."""

SUCCESS_PATH = "/checkout/success"
"""The page of our own on which a person lands who paid, and who has no other place to go."""

Url = Annotated[str, text(URL_LENGTH_MAX)]


def publishable_key(keys: Mapping[str, str], mode: str) -> str:
    """The key that a browser speaks to the provider with, in this mode.

    Raises:
        Unavailable: There is none, or what is there is another kind of key: that one stays inside.
    """
    key = keys.get(mode, "")
    if not key.startswith(PUBLISHABLE_PREFIX):
        raise Unavailable(retry_after_seconds=KEY_RETRY_SECONDS)
    return key


def return_url(allowed: Sequence[str], asked: str | None, *, param: str) -> str:
    """Where a person comes back to from a page of the provider's; by default, the first place.

    Raises:
        NotServed: This installation knows no place to come back to.
        InvalidField: Not an address of one of the places that are allowed.
    """
    if not allowed:
        raise NotServed()
    if asked is None:
        return allowed[0]
    if _origin(asked) not in {_origin(each) for each in allowed}:
        raise InvalidField(param, "not an address of an origin that is allowed here")
    return asked


def topup_micros(cents: int, currency: str, *, param: str) -> int:
    """Micros of a top-up that is told in minor units.

    Raises:
        InvalidField: Less or more than what is charged for a top-up.
        AmountTooLarge: More than one operation moves.
    """
    micros = amount_micros(cents, None, currency, param=param)
    require_between(
        micros,
        currency,
        minimum_micros=money.from_minor(TOPUP_MIN, currency),
        maximum_micros=money.from_minor(TOPUP_MAX, currency),
        param=param,
    )
    return micros


def success_page(public_url: str, **told: str) -> str:
    """The address of our own page, with what it is told in its query, letter for letter.

    Raises:
        NotServed: This installation does not know where it is to be found.
    """
    if not public_url:
        raise NotServed()
    query = "&".join(f"{name}={value}" for name, value in told.items())
    return f"{public_url}{SUCCESS_PATH}?{query}"


def _origin(url: str) -> tuple[str, str, int | None] | None:
    """Scheme, host and port; None for what browsers and we might read differently."""
    if not url.isascii() or not url.isprintable() or "\\" in url or " " in url:
        return None
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return None
    is_safe = parts.scheme == "https" or (parts.scheme, host) == ("http", "127.0.0.1")
    if not is_safe or not host or "@" in parts.netloc:
        return None
    return parts.scheme, host, port
