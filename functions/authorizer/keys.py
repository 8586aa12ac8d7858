"""The issuer's public keys: inline, or fetched and remembered.

A key that is not known yet may be a new one, so an unknown id is looked up again; at most once a
minute, or strangers could make us call the issuer as often as they like.
"""

import json
from collections.abc import Callable
from http.client import HTTPException
from typing import Any
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from jwt import PyJWK
from jwt.exceptions import PyJWTError

from authorizer.denied import KEYS_UNAVAILABLE, NOT_CONFIGURED, UNKNOWN_KEY, Denied

FRESH_SECONDS = 600
REFETCH_SECONDS = 60
STALE_SECONDS = 3600
"""How long keys serve on while the issuer does not answer."""
TIMEOUT_SECONDS = 3
DOCUMENT_BYTES_MAX = 256 * 1024
RSA_BITS_MIN = 2048

KEY_TYPES = {"RS256": "RSA", "ES256": "EC"}
"""The algorithms that are accepted, all asymmetric, and the type of key that each needs."""

type Fetch = Callable[[str], bytes]
type Clock = Callable[[], float]


class Keys:
    """Keys by id."""

    def __init__(self, *, inline: str, url: str, fetch: Fetch, clock: Clock) -> None:
        """Take keys from `inline`, a JWKS in JSON; without it, from `url`.

        `clock` tells seconds. The wall clock will do, and unlike others it goes on while the
        environment is frozen between two requests.
        """
        self._inline = inline
        self._url = url
        self._fetch = fetch
        self._clock = clock
        self._keys: dict[str, PyJWK] = {}
        self._read_at: float | None = None
        self._tried_at: float | None = None

    def key(self, kid: str) -> PyJWK:
        """The key that a token names.

        Raises:
            Denied: There is none, nobody configured any, or the issuer cannot be asked.
        """
        now = self._clock()
        if kid not in self._keys or self._age(self._read_at, now) > FRESH_SECONDS:
            self._refresh(now)
        if kid in self._keys and self._age(self._read_at, now) <= STALE_SECONDS:
            return self._keys[kid]
        raise Denied(UNKNOWN_KEY if self._is_fresh(now) else KEYS_UNAVAILABLE)

    def _is_fresh(self, now: float) -> bool:
        return self._age(self._read_at, now) <= FRESH_SECONDS

    def _refresh(self, now: float) -> None:
        if self._age(self._tried_at, now) < REFETCH_SECONDS:
            return
        if not self._inline and not self._url:
            raise Denied(NOT_CONFIGURED)
        self._tried_at = now
        try:
            document = self._inline or self._fetch(self._url)
            self._keys = parse(document)
            self._read_at = now
        except (HTTPException, OSError, ValueError):
            # Keys of a while ago are better than none: rotation is announced by adding keys.
            return

    @staticmethod
    def _age(moment: float | None, now: float) -> float:
        return float("inf") if moment is None else now - moment


def parse(document: str | bytes) -> dict[str, PyJWK]:
    """The usable keys of a JWKS by id; others (for encryption, of other types) are passed over.

    Raises:
        ValueError: Not a JWKS.
    """
    parsed = json.loads(document)
    listed = parsed.get("keys") if isinstance(parsed, dict) else None
    if not isinstance(listed, list):
        raise ValueError("not a JWKS")
    keys: dict[str, PyJWK] = {}
    for item in listed:
        key = _usable(item) if isinstance(item, dict) else None
        if key is not None:
            keys.setdefault(str(item["kid"]), key)
    return keys


def _usable(item: dict[str, Any]) -> PyJWK | None:
    algorithm = next((name for name, kind in KEY_TYPES.items() if kind == item.get("kty")), None)
    if algorithm is None or not isinstance(item.get("kid"), str):
        return None
    if item.get("use", "sig") != "sig" or item.get("alg", algorithm) != algorithm:
        return None
    if algorithm == "ES256" and item.get("crv") != "P-256":
        return None
    try:
        key = PyJWK.from_dict(_public(item), algorithm=algorithm)
    except (PyJWTError, ValueError, TypeError):
        return None
    if algorithm == "RS256" and key.key.key_size < RSA_BITS_MIN:
        return None
    return key


def _public(item: dict[str, Any]) -> dict[str, Any]:
    # With the private half in it, the document would make a key that signs.
    return {name: item[name] for name in ("kty", "kid", "n", "e", "crv", "x", "y") if name in item}


class _NoRedirects(HTTPRedirectHandler):
    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


_OPENER = build_opener(_NoRedirects())


def fetch(url: str) -> bytes:
    """The document at an https or `data:` address.

    Raises:
        OSError: It cannot be had in time.
        ValueError: The address is of another kind, or the document is too large.
    """
    if urlsplit(url).scheme not in ("https", "data"):
        raise ValueError("keys come over https")
    request = Request(url, headers={"accept": "application/json"})  # noqa: S310 - checked above
    with _OPENER.open(request, timeout=TIMEOUT_SECONDS) as answer:
        document: bytes = answer.read(DOCUMENT_BYTES_MAX + 1)
    if len(document) > DOCUMENT_BYTES_MAX:
        raise ValueError("too large for a JWKS")
    return document
