"""The events of the provider's that came: noted once, and once more when they are done with.

Each of the two is one call of the table, unless its writer can wait and is told to try again.
"""

from dataclasses import replace

from holdfast.domain.accounts import Tenant
from holdfast.domain.stripe_events import DONE, StripeEvent
from holdfast.errors import Contention, InvariantBroken, Unavailable
from holdfast.store import items
from holdfast.store.ledger_store import LedgerStore
from holdfast.store.transaction import Outcome, Result, Transaction

ATTEMPTS_MAX = 6
PAUSE_SECONDS = 0.05


def note(store: LedgerStore, event: StripeEvent, *, attempts_max: int = 1) -> StripeEvent:
    """The event as it stands in the table from now on: this one, or what was noted of it before.

    Raises:
        Contention: The same event is being noted, or done with, right now.
        Unavailable: The table does not answer; it may have been noted.
    """
    event = replace(event, version=1)
    result = _put(store, event, read_version=0, attempts_max=attempts_max)
    match result.outcome:
        case Outcome.APPLIED:
            return event
        case Outcome.CONDITION_FAILED:
            return _standing(result)
        case Outcome.CONFLICT:
            raise Contention()
    raise Unavailable()


def finish(store: LedgerStore, done: StripeEvent) -> None:
    """Write that the event is done with, unless somebody else did.

    Raises:
        Unavailable: The table does not answer; it may have been written.
    """
    result = _put(store, done, read_version=done.version - 1, attempts_max=ATTEMPTS_MAX)
    if result.outcome is Outcome.APPLIED:
        return
    if result.outcome is not Outcome.CONDITION_FAILED:
        raise Unavailable()
    if _standing(result).status != DONE:
        raise InvariantBroken("an event of the provider's changed while it was looked into")


def _put(store: LedgerStore, event: StripeEvent, *, read_version: int, attempts_max: int) -> Result:
    # Two deliveries of one event are the same bytes, and the second has to be told that it is one.
    transaction = Transaction(store.table, delivery=store.delivery())
    _, item = items.to_item(Tenant("stripe", event.mode), event)
    transaction.put(item, read_version=read_version)
    result = transaction.commit(store.client)
    for attempt in range(1, attempts_max):
        if result.outcome in (Outcome.APPLIED, Outcome.CONDITION_FAILED):
            break
        store.pause(store.jitter() * PAUSE_SECONDS * attempt)
        result = transaction.commit(store.client)
    return result


def _standing(result: Result) -> StripeEvent:
    item = result.failed[0]
    found = None if item is None else items.to_record(item)
    assert isinstance(found, StripeEvent)
    return found
