"""Turning the control endpoint's knobs from a program."""

import json
import urllib.request
from typing import Any


class Knobs:
    """What a simulated Stripe is told through its control endpoint, by its address."""

    def __init__(self, address: str) -> None:
        self._address = address

    def fault(self, kind: str, **told: Any) -> Any:
        """Let something go wrong; `faults.Fault` says what there is."""
        return self._post("faults", kind=kind, **told)

    def webhooks(self, **settings: Any) -> Any:
        """Change how events are delivered; `webhooks.Settings` says what there is."""
        return self._post("webhooks", **settings)

    def deliveries(self) -> Any:
        """The settings, what waits to be delivered, and how each delivery went."""
        return self._asked("GET", "webhooks")

    def flush(self) -> Any:
        """Deliver all events that wait, paused or not; how many arrived, and how many did not."""
        return self._post("webhooks/flush")

    def resend(self, event_id: str) -> Any:
        return self._post("webhooks/resend", event=event_id)

    def advance(self, seconds: int) -> Any:
        """Let simulated time pass."""
        return self._post("clock", advance_seconds=seconds)

    def dispute(self, charge_id: str, **told: Any) -> Any:
        """Dispute a charge: `reason`, `amount`, `is_inquiry`."""
        return self._post(f"charges/{charge_id}/dispute", **told)

    def close_dispute(self, dispute_id: str, status: str) -> Any:
        return self._post(f"disputes/{dispute_id}/close", status=status)

    def fail_refund(self, refund_id: str, **told: Any) -> Any:
        return self._post(f"refunds/{refund_id}/fail", **told)

    def requests(self) -> Any:
        """The calls of the API so far: method, path, idempotency key, fault and status."""
        return self._asked("GET", "requests")["requests"]

    def reset(self) -> Any:
        """Forget everything."""
        return self._post("reset")

    def _post(self, name: str, **told: Any) -> Any:
        return self._asked("POST", name, json.dumps(told).encode())

    def _asked(self, method: str, name: str, body: bytes | None = None) -> Any:
        request = urllib.request.Request(
            f"{self._address}/_control/{name}",
            body,
            {"Content-Type": "application/json"},
            method=method,
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)
