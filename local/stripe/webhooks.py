"""Webhooks: events, signed and posted to one address, as late and as often as they are told to."""

import asyncio
import contextlib
import copy
import hashlib
import hmac
import http.client
import json
import random
from collections import deque
from dataclasses import asdict, dataclass, field
from typing import Any
from urllib.parse import urlsplit

from local.stripe.errors import Object
from local.stripe.events import matches
from local.stripe.world import World, public

ORDERS = ("made", "reversed", "shuffled")
_RETRY_AFTER_SECONDS = (1, 3, 10, 30, 120, 600, 3600)
_PATIENCE_SECONDS = 20
_LOG_LENGTH = 1_000


@dataclass(slots=True, kw_only=True)
class Settings:
    """How events are delivered. `drop` is how many of the next events are lost."""

    url: str | None = None
    secrets: list[str] = field(default_factory=list)
    enabled_events: list[str] = field(default_factory=lambda: ["*"])
    paused: bool = False
    delay_seconds: float = 0
    copies: int = 1
    drop: int = 0
    order: str = "made"
    at_once: int = 1

    def __post_init__(self) -> None:
        if self.order not in ORDERS:
            raise ValueError(f"An order is one of {', '.join(ORDERS)}; not {self.order}")
        numbers: list[object] = [self.delay_seconds, self.copies, self.drop, self.at_once]
        for number in numbers:
            if not isinstance(number, int | float) or number < 0:
                raise ValueError(f"A number is wanted, not {number}")


@dataclass(slots=True, kw_only=True)
class _Delivery:
    event_id: str
    due: float
    attempt: int = 0


def signature(secrets: list[str], *, timestamp: int, body: bytes) -> str:
    """The `Stripe-Signature` header: a time, and one signature for each secret.

    In test mode there is one more, of a scheme that proves nothing and must not be accepted.
    """
    signed = f"{timestamp}.".encode() + body
    signatures = [
        "v1=" + hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest() for secret in secrets
    ]
    return ",".join([f"t={timestamp}", *signatures, "v0=" + hashlib.sha256(signed).hexdigest()])


class Webhooks:
    """The events that wait to be delivered, and the one place they go to."""

    def __init__(self, world: World, settings: Settings) -> None:
        self.settings = settings
        self.log: deque[Object] = deque(maxlen=_LOG_LENGTH)
        self._world = world
        self._waiting: list[_Delivery] = []
        self._woken = asyncio.Event()
        self._delivering = asyncio.Lock()
        self._chance = random.Random(world.seed)
        world.on_event = self._take

    def change(self, told: dict[str, Any]) -> None:
        """Change settings.

        Raises:
            TypeError, ValueError: There is no such setting.
        """
        self.settings = Settings(**{**asdict(self.settings), **told})
        self._woken.set()

    def shown(self) -> Object:
        secrets = ["whsec_…" for _ in self.settings.secrets]
        return {
            **asdict(self.settings),
            "secrets": secrets,
            "pending": [delivery.event_id for delivery in self._waiting],
            "log": list(self.log),
        }

    def dump(self) -> list[str]:
        return [delivery.event_id for delivery in self._waiting]

    def load(self, waiting: list[str]) -> None:
        self._waiting = [_Delivery(event_id=event_id, due=0) for event_id in waiting]

    def forget(self) -> None:
        self._waiting.clear()
        self.log.clear()

    def _take(self, event: Object) -> None:
        settings = self.settings
        wanted = any(matches(pattern, event["type"]) for pattern in settings.enabled_events)
        if settings.url is None or not wanted:
            return
        if settings.drop > 0:
            settings.drop -= 1
            self.log.append(_entry(event, 0, "dropped"))
            return
        self._queue(event)

    def _queue(self, event: Object) -> None:
        event["pending_webhooks"] = 1
        due = asyncio.get_running_loop().time() + self.settings.delay_seconds
        for _ in range(self.settings.copies):
            self._waiting.append(_Delivery(event_id=event["id"], due=due))
        self._woken.set()

    def resend(self, event: Object) -> None:
        """Deliver an event again, as one does from Stripe's own pages."""
        self._queue(event)

    async def run(self) -> None:
        """Deliver what is due, for ever."""
        loop = asyncio.get_running_loop()
        while True:
            self._woken.clear()
            batch = [] if self.settings.paused else self._due(loop.time())
            if batch:
                await self._deliver(batch)
                continue
            dues = [] if self.settings.paused else [one.due for one in self._waiting]
            timeout = max(0.0, min(dues) - loop.time()) if dues else None
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(timeout):
                    await self._woken.wait()

    async def flush(self) -> Object:
        """Deliver everything that waits, now, paused or not; how it went."""
        async with self._delivering:
            before = len(self.log)
        await self._deliver(self._due(float("inf")))
        news = list(self.log)[before:]
        delivered = sum(1 for entry in news if entry["outcome"] == "delivered")
        return {"delivered": delivered, "failed": len(news) - delivered}

    def _due(self, now: float) -> list[_Delivery]:
        due = [one for one in self._waiting if one.due <= now]
        self._waiting = [one for one in self._waiting if one.due > now]
        if self.settings.order == "reversed":
            due.reverse()
        if self.settings.order == "shuffled":
            self._chance.shuffle(due)
        return due

    async def _deliver(self, batch: list[_Delivery]) -> None:
        size = max(1, self.settings.at_once)
        left = list(batch)
        async with self._delivering:
            try:
                while left:
                    await asyncio.gather(*(self._send(one) for one in left[:size]))
                    del left[:size]
            finally:
                # Cut short by the end of the server: they are delivered after its next start.
                self._waiting = left + self._waiting

    async def _send(self, delivery: _Delivery) -> None:
        event = self._world.get("event", delivery.event_id)
        url = self.settings.url
        if event is None or url is None:
            return
        delivery.attempt += 1
        body = json.dumps(copy.deepcopy(public(event)), indent=2).encode()
        timestamp = self._world.now()
        signed = signature(self.settings.secrets, timestamp=timestamp, body=body)
        status = await asyncio.to_thread(_post, url, body, signed)
        is_delivered = status is not None and 200 <= status < 300
        self.log.append(
            _entry(event, delivery.attempt, "delivered" if is_delivered else "failed", status)
        )
        if is_delivered:
            event["pending_webhooks"] = 0
        elif delivery.attempt <= len(_RETRY_AFTER_SECONDS):
            wait = _RETRY_AFTER_SECONDS[delivery.attempt - 1]
            delivery.due = asyncio.get_running_loop().time() + wait
            self._waiting.append(delivery)


def _entry(event: Object, attempt: int, outcome: str, status: int | None = None) -> Object:
    return {
        "event": event["id"],
        "type": event["type"],
        "attempt": attempt,
        "outcome": outcome,
        "status": status,
    }


def _post(url: str, body: bytes, signed: str) -> int | None:
    """The status of the answer, or None if there was none; a redirect is not followed."""
    parts = urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.netloc, timeout=_PATIENCE_SECONDS)
    try:
        connection.request(
            "POST",
            parts.path + (f"?{parts.query}" if parts.query else "") or "/",
            body,
            {
                "Accept": "*/*; q=0.5, application/xml",
                "Cache-Control": "no-cache",
                "Content-Type": "application/json; charset=utf-8",
                "Stripe-Signature": signed,
                "User-Agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
            },
        )
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()
