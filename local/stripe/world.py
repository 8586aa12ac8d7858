"""Everything that the simulated Stripe knows: objects, events, a clock, and how ids are made."""

import copy
import hashlib
import secrets
import time
from collections.abc import Callable, Iterator
from typing import Any

from local.stripe.errors import Object, no_such

API_VERSION = "2026-10-28.endive"

_LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
KEY_SECONDS = 86_400
_EVENTS_KEPT_SECONDS = 30 * 86_400


class World:
    """The state, and the few ways to change it.

    Objects are as Stripe shows them; a name that begins with an underscore is the simulator's own
    and is shown to nobody. All of it is JSON: `dump` and `load` are a restart.
    """

    def __init__(
        self,
        *,
        seed: str | None = None,
        clock: Callable[[], float] = time.time,
        mode: str = "test",
    ) -> None:
        self.seed = seed or secrets.token_hex(16)
        self.mode = mode
        self.address = ""
        self.on_event: Callable[[Object], None] = lambda event: None
        # Of the request that is being answered: its id and its idempotency key.
        self.request: tuple[str | None, str | None] = (None, None)
        # What each idempotency key was answered.
        self.answers: dict[str, Object] = {}
        self._clock = clock
        self._advanced_seconds = 0
        self._made = 0
        self._objects: dict[str, dict[str, Object]] = {}

    @property
    def is_live(self) -> bool:
        return self.mode == "live"

    def now(self) -> int:
        """The simulated time, in seconds."""
        return int(self._clock()) + self._advanced_seconds

    def advance(self, seconds: int) -> None:
        self._advanced_seconds += seconds

    def secret(self, length: int) -> str:
        """Letters and digits that no other call gives; the same ones again for the same seed."""
        self._made += 1
        digest = hashlib.sha512(f"{self.seed}:{self._made}".encode()).digest()
        return "".join(_LETTERS[byte % len(_LETTERS)] for byte in digest[:length])

    def new_id(self, prefix: str) -> str:
        return f"{prefix}_{self.secret(24)}"

    def add(self, kind: str, prefix: str, fields: Object) -> Object:
        """A new object, with an id, the time and the words that all objects carry."""
        fresh: Object = {
            "id": self.new_id(prefix),
            "object": kind,
            "created": self.now(),
            "livemode": self.is_live,
            **fields,
        }
        return self.keep(kind, fresh)

    def keep(self, kind: str, fresh: Object) -> Object:
        self._objects.setdefault(kind, {})[fresh["id"]] = fresh
        return fresh

    def forget(self, kind: str, object_id: str) -> None:
        del self._objects[kind][object_id]

    def get(self, kind: str, object_id: str | None) -> Object | None:
        return self._objects.get(kind, {}).get(object_id or "")

    def find(
        self, kind: str, object_id: str, *, param: str = "id", in_path: bool = False
    ) -> Object:
        """The object with this id.

        Raises:
            Refused: There is none.
        """
        found = self.get(kind, object_id)
        if found is None:
            raise no_such(WORDS.get(kind, kind), object_id, param=param, in_path=in_path)
        return found

    def every(self, kind: str) -> Iterator[Object]:
        """All objects of a kind, newest first."""
        return reversed(self._objects.get(kind, {}).values())

    def emit(self, kind: str, about: Object, *, before: Object | None = None) -> Object:
        """Note that something happened to an object, and tell whoever listens.

        `before` has the former values of what changed.
        """
        data: Object = {"object": copy.deepcopy(public(about))}
        if before is not None:
            data["previous_attributes"] = copy.deepcopy(before)
        request_id, key = self.request
        event = self.add(
            "event",
            "evt",
            {
                "api_version": API_VERSION,
                "data": data,
                "pending_webhooks": 0,
                "request": {"id": request_id, "idempotency_key": key},
                "type": kind,
            },
        )
        self.on_event(event)
        return event

    def change(self, about: Object, kind: str | None, **fields: Any) -> None:
        """Change an object; if anything is different afterwards, the event says what was before."""
        before = {
            name: about.get(name) for name, value in fields.items() if about.get(name) != value
        }
        about.update(fields)
        shown = {name: value for name, value in before.items() if not name.startswith("_")}
        if kind is not None and shown:
            self.emit(kind, about, before=shown)

    def forget_old(self) -> None:
        """Events are listed for thirty days, and keys remembered for one."""
        for key in [k for k, one in self.answers.items() if one["at"] + KEY_SECONDS <= self.now()]:
            del self.answers[key]
        oldest = self.now() - _EVENTS_KEPT_SECONDS
        events = self._objects.get("event", {})
        for event_id in [name for name, event in events.items() if event["created"] < oldest]:
            del events[event_id]

    def dump(self) -> Object:
        return {
            "seed": self.seed,
            "made": self._made,
            "advanced_seconds": self._advanced_seconds,
            "answers": self.answers,
            "objects": self._objects,
        }

    def load(self, dumped: Object) -> None:
        self.seed = dumped["seed"]
        self._made = dumped["made"]
        self._advanced_seconds = dumped["advanced_seconds"]
        self.answers = dumped["answers"]
        self._objects = dumped["objects"]

    def clear(self) -> None:
        """Forget every object; ids go on, so that none is given twice."""
        self._objects.clear()
        self.answers.clear()
        self._advanced_seconds = 0


# What messages call a kind whose name is not the word for it.
WORDS = {
    "payment_method": "PaymentMethod",
    "balance_transaction": "balance transaction",
    "billing_portal.session": "billing portal session",
}


def public(whole: Object) -> Object:
    """An object as callers see it."""
    return {name: value for name, value in whole.items() if not name.startswith("_")}
