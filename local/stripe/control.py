"""The control endpoint: faults, webhooks, the clock, and what banks and cardholders do.

For programs on this machine only: it answers JSON to requests that name 127.0.0.1, and takes
changes as JSON, which no page of another site can send.
"""

import json
import re
from collections import deque
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any

from local.stripe import disputes, refunds
from local.stripe.errors import Object, Refused
from local.stripe.faults import Faults
from local.stripe.webhooks import Webhooks
from local.stripe.wire import Answer, Request
from local.stripe.world import World, public

_HOSTS = ("127.0.0.1", "localhost")
_REQUESTS_KEPT = 1_000


class Control:
    """Answers requests to `/_control`."""

    def __init__(
        self, world: World, faults: Faults, webhooks: Webhooks, settle: Callable[[], None]
    ) -> None:
        self._world = world
        self._faults = faults
        self._webhooks = webhooks
        self._settle = settle
        self.requests: deque[Object] = deque(maxlen=_REQUESTS_KEPT)
        self._routes: list[tuple[str, str, Callable[..., Awaitable[Object]]]] = [
            ("GET", "faults", self._shown_faults),
            ("POST", "faults", self._add_fault),
            ("DELETE", "faults", self._clear_faults),
            ("GET", "webhooks", self._shown_webhooks),
            ("POST", "webhooks", self._change_webhooks),
            ("POST", "webhooks/flush", self._flush),
            ("POST", "webhooks/resend", self._resend),
            ("POST", "clock", self._advance),
            ("POST", r"charges/(\w+)/dispute", self._dispute),
            ("POST", r"disputes/(\w+)/close", self._close_dispute),
            ("POST", r"refunds/(\w+)/fail", self._fail_refund),
            ("GET", "requests", self._shown_requests),
            ("POST", "reset", self._reset),
        ]

    async def answer(self, request: Request) -> Answer:
        """One request, to its answer."""
        if request.host not in _HOSTS:
            return _answer(HTTPStatus.FORBIDDEN, {"message": "Only from this machine."})
        told: dict[str, Any] = {}
        if request.method == "POST":
            if request.headers.get("content-type") != "application/json":
                return _answer(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, {"message": "Send JSON."})
            try:
                told = json.loads(request.body or b"{}")
            except ValueError:
                return _answer(HTTPStatus.BAD_REQUEST, {"message": "This is not JSON."})
        for method, pattern, run in self._routes:
            found = re.fullmatch(f"/_control/{pattern}", request.path)
            if found is None or method != request.method:
                continue
            try:
                return _answer(HTTPStatus.OK, await run(*found.groups(), told))
            except (KeyError, TypeError, ValueError) as error:
                return _answer(HTTPStatus.BAD_REQUEST, {"message": str(error)})
            except Refused as refused:
                return _answer(refused.status, {"error": refused.error})
        return _answer(HTTPStatus.NOT_FOUND, {"message": "There is no such control."})

    async def _shown_faults(self, told: Object) -> Object:
        return {"faults": self._faults.shown()}

    async def _add_fault(self, told: Object) -> Object:
        self._faults.add(told)
        return {"faults": self._faults.shown()}

    async def _clear_faults(self, told: Object) -> Object:
        self._faults.clear()
        return {"faults": []}

    async def _shown_webhooks(self, told: Object) -> Object:
        return self._webhooks.shown()

    async def _change_webhooks(self, told: Object) -> Object:
        self._webhooks.change(told)
        return self._webhooks.shown()

    async def _flush(self, told: Object) -> Object:
        return await self._webhooks.flush()

    async def _resend(self, told: Object) -> Object:
        event = self._world.find("event", told["event"])
        self._webhooks.resend(event)
        return {"event": event["id"]}

    async def _advance(self, told: Object) -> Object:
        self._world.advance(int(told["advance_seconds"]))
        self._settle()
        return {"now": self._world.now()}

    async def _dispute(self, charge_id: str, told: Object) -> Object:
        charge = self._world.find("charge", charge_id)
        return public(disputes.open_dispute(self._world, charge, **told))

    async def _close_dispute(self, dispute_id: str, told: Object) -> Object:
        dispute = self._world.find("dispute", dispute_id)
        if told["status"] not in ("won", "lost"):
            raise ValueError("A dispute is won or lost.")
        disputes.end(self._world, dispute, told["status"])
        return public(dispute)

    async def _fail_refund(self, refund_id: str, told: Object) -> Object:
        refund = self._world.find("refund", refund_id)
        refunds.fail(self._world, refund, told.get("reason", "unknown"))
        return public(refund)

    async def _shown_requests(self, told: Object) -> Object:
        return {"requests": list(self.requests)}

    async def _reset(self, told: Object) -> Object:
        self._world.clear()
        self._faults.clear()
        self._webhooks.forget()
        self.requests.clear()
        return {}


def _answer(status: HTTPStatus, body: Object) -> Answer:
    return Answer(status, json.dumps(body).encode(), {"content-type": "application/json"})
