"""What is kept of an event of the provider's: that it came, and what became of it.

An event is a hint to fetch an object, never the state of one, so nothing that it says of the object
is kept. Its id is remembered for ever: however often it comes, what follows from it follows once.
"""

from dataclasses import dataclass, replace

from holdfast.domain.clock import Instant

RECEIVED = "received"
DONE = "done"

APPLIED = "applied"
"""What was fetched was taken into a record of ours."""
ACKNOWLEDGED = "acknowledged"
"""Nothing follows from it."""
FOREIGN = "foreign"
"""It is about something that this installation knows nothing of."""
PARKED = "parked"
"""What it is about is not where it should be: a person has to look."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StripeEvent:
    """One event: which it is, what it is about, and whether all that follows from it was done.

    `customer_id` is the customer whom the object belongs to, or belonged to before the event.
    """

    id: str
    mode: str
    type: str
    object_type: str
    object_id: str = ""
    customer_id: str = ""
    created_at: Instant
    received_at: Instant
    status: str = RECEIVED
    outcome: str = ""
    done_at: Instant | None = None
    version: int = 0


def done(event: StripeEvent, outcome: str, now: Instant) -> StripeEvent:
    """The event when all that follows from it was done; one that was done before stays as it is.

    >>> from datetime import UTC, datetime
    >>> now = datetime(2026, 11, 21, tzinfo=UTC)
    >>> event = StripeEvent(
    ...     id="evt_1", mode="live", type="invoice.paid", object_type="invoice",
    ...     created_at=now, received_at=now,
    ... )
    >>> done(event, ACKNOWLEDGED, now).status
    'done'
    """
    if event.status == DONE:
        return event
    return replace(event, status=DONE, outcome=outcome, done_at=now, version=event.version + 1)
