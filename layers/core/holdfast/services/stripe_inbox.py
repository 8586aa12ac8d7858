"""Deliveries of the provider's events: let in by their signature, noted, queued, and answered.

Nobody is asked anything before the signature fits, and after it one call of the table and one of
the queue are made: what follows from an event is done by whoever takes it from the queue.
"""

from dataclasses import dataclass
from typing import Protocol

from holdfast.domain.clock import Instant
from holdfast.domain.stripe_events import DONE, StripeEvent
from holdfast.errors import Contention, InvalidSignature, Unreadable
from holdfast.gateways.endpoint_secrets import ByMode
from holdfast.gateways.stripe import Event, verified
from holdfast.store import event_log
from holdfast.store.ledger_store import LedgerStore

QUEUED = "queued"
KNOWN = "known"
IGNORED = "ignored"

_ID_LENGTH_MAX = 255
_MODES = {True: "live", False: "test"}


class Queue(Protocol):
    """Where events wait to be looked into."""

    def send(self, event: StripeEvent) -> None: ...


@dataclass(frozen=True, slots=True)
class Delivered:
    """An event that came, and what was done with it."""

    event: StripeEvent
    outcome: str


def receive(
    store: LedgerStore,
    queue: Queue,
    secrets: ByMode,
    *,
    raw: bytes,
    signature: str,
    now: Instant,
) -> Delivered:
    """Note and queue the event in a body that came; one that is done with is neither.

    One that was noted and is not done with is queued again: whoever noted it may not have come to
    queue it. Nothing is done for an event of the other mode than the secret that it came under, or
    of another account than ours.

    Raises:
        TooLarge: No event is that long.
        InvalidSignature: Not signed under a secret of ours, changed on the way, too old or too new.
        Unreadable: Signed, and no event.
        Unavailable: It could not be noted or queued: it has to be delivered again.
    """
    found, modes = _let_in(raw, signature, secrets, now)
    event = noted_as(found, now)
    if found.account_id is not None or event.mode not in modes:
        return Delivered(event, IGNORED)
    try:
        if event_log.note(store, event).status == DONE:
            return Delivered(event, KNOWN)
    except Contention:
        # Another delivery of it is being noted this instant, or it is being done with. To queue it
        # once more is harmless; to send the provider away would have it come in an hour.
        pass
    queue.send(event)
    return Delivered(event, QUEUED)


def noted_as(found: Event, now: Instant) -> StripeEvent:
    """The event as it is noted.

    Raises:
        Unreadable: Its id could imitate another key.
    """
    if not _is_word(found.id):
        raise Unreadable()
    return StripeEvent(
        id=found.id,
        mode=_MODES[found.livemode],
        type=found.type,
        object_type=found.object_type,
        object_id=found.object_id or "",
        customer_id=found.customer_id or "",
        created_at=found.created,
        received_at=now,
    )


def _let_in(
    raw: bytes, signature: str, secrets: ByMode, now: Instant
) -> tuple[Event, frozenset[str]]:
    """The event, and the modes whose secret it was signed under."""
    found: Event | None = None
    modes = set()
    for mode, some in secrets.items():
        try:
            found = verified(raw, signature, some, now)
        except InvalidSignature:
            continue
        modes.add(mode)
    if found is None:
        raise InvalidSignature()
    return found, frozenset(modes)


def _is_word(text: str) -> bool:
    return len(text) <= _ID_LENGTH_MAX and text.isascii() and text.replace("_", "").isalnum()
