"""How the SDK's requests travel: `http.client`, kept open, within the time that a caller has.

The SDK would take `requests`, or `urllib` without any time-out. What matters most is lost in
both: whether a request that failed may have done its work all the same.
"""

import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any, override
from urllib.parse import urlsplit

import stripe

CONNECT_SECONDS = 1
IDLE_SECONDS = 20
"""How long a connection may rest: an environment that was frozen longer finds it closed."""

BODY_BYTES_MAX = 4 * 2**20

_IN_CONFLICT = 409
_BROKEN = 500


@dataclass(slots=True)
class Call:
    """One call of the SDK, with its attempts.

    `lost` says that an attempt went out and nobody can tell what became of it; `rivalled`, that
    another request of the same key was still running.
    """

    ends_at: float
    lost: bool = False
    rivalled: bool = False


class Transport(stripe.HTTPClient):
    """The SDK's HTTP client: one connection a thread."""

    name = "http.client"

    def __init__(
        self, *, attempt_seconds: float, call_seconds: float, pause_seconds: float
    ) -> None:
        """Give an attempt and a call so much time, and wait so long before the second attempt."""
        super().__init__()
        self._pause_seconds = pause_seconds
        self._attempt_seconds = attempt_seconds
        self._call_seconds = call_seconds
        self._context: ssl.SSLContext | None = None

    @property
    def last_call(self) -> Call:
        """This thread's last call."""
        call: Call = self._thread_local.call
        return call

    @override
    def request_with_retries(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        post_data: Any = None,
        max_network_retries: int | None = None,
        *,
        _usage: list[str] | None = None,
    ) -> tuple[Any, int, Mapping[str, str]]:
        """The answer to a request, after as many attempts as there is time for."""
        self._thread_local.call = Call(time.monotonic() + self._call_seconds)
        return super().request_with_retries(
            method, url, headers, post_data, max_network_retries, _usage=_usage
        )

    @override
    def request(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None,
        post_data: Any = None,
        *,
        _usage: list[str] | None = None,
    ) -> tuple[Any, int, Mapping[str, str]]:
        """One attempt."""
        call = self.last_call
        left = call.ends_at - time.monotonic()
        if left <= 0:
            raise _failed("No time is left.", again=False)
        connection = self._connected(url, min(CONNECT_SECONDS, left))
        parts = urlsplit(url)
        target = f"{parts.path}?{parts.query}" if parts.query else parts.path
        try:
            assert connection.sock is not None
            connection.sock.settimeout(min(self._attempt_seconds, left))
            connection.request(method.upper(), target, post_data, dict(headers or {}))
            response = connection.getresponse()
            body = response.read(BODY_BYTES_MAX + 1)
        except (OSError, HTTPException):
            self._hang_up()
            call.lost = True
            raise _failed("No answer.", again=True) from None
        if len(body) > BODY_BYTES_MAX:
            self._hang_up()
            call.lost = True
            raise _failed("An endless answer.", again=False)
        self._thread_local.used_at = time.time()
        call.lost = call.lost or response.status >= _BROKEN
        call.rivalled = call.rivalled or response.status == _IN_CONFLICT
        told = {name.lower(): value for name, value in response.getheaders()}
        return body, response.status, told

    @override
    def _sleep_time_seconds(self, num_retries: int) -> float:
        # Shorter than the SDK's: the usual reason is a connection that was closed while it rested.
        return self._add_jitter_time(self._pause_seconds * 2 ** (num_retries - 1))

    @override
    def close(self) -> None:
        """Close this thread's connection."""
        self._hang_up()

    def _connected(self, url: str, timeout: float) -> HTTPConnection:
        """The open connection, or a new one. Nothing is sent before there is one."""
        place = urlsplit(url)
        here = self._thread_local.__dict__
        fresh = time.time() - here.get("used_at", 0) < IDLE_SECONDS
        connection: HTTPConnection | None = here.get("connection")
        if connection and connection.sock and fresh and here["place"] == place.netloc:
            return connection
        self._hang_up()
        assert place.hostname is not None
        if place.scheme == "https":
            self._context = self._context or ssl.create_default_context(
                # The SDK brings the few roots that Stripe's certificates come from.
                cafile=stripe.ca_bundle_path
            )
            connection = HTTPSConnection(
                place.hostname, place.port, timeout=timeout, context=self._context
            )
        else:
            connection = HTTPConnection(place.hostname, place.port, timeout=timeout)
        try:
            connection.connect()
        except OSError:
            connection.close()
            raise _failed("No connection.", again=True) from None
        here["connection"], here["place"] = connection, place.netloc
        return connection

    def _hang_up(self) -> None:
        connection: HTTPConnection | None = self._thread_local.__dict__.pop("connection", None)
        if connection is not None:
            connection.close()


def _failed(reason: str, *, again: bool) -> stripe.APIConnectionError:
    return stripe.APIConnectionError(reason, should_retry=again)  # type: ignore[no-untyped-call]
