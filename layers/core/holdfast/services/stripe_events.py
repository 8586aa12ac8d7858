"""What follows from an event of the provider's: the object is fetched and taken in.

An event is a hint. It may come late, twice or never, and before another that happened earlier: what
is fetched is what counts, and whoever takes it in has no use for older news than its own.
"""

from collections.abc import Callable, Mapping

from holdfast.domain.accounts import Owner, Tenant, is_account_id
from holdfast.domain.clock import Instant
from holdfast.domain.payment_methods import Customer
from holdfast.domain.stripe_events import (
    ACKNOWLEDGED,
    APPLIED,
    DONE,
    FOREIGN,
    PARKED,
    StripeEvent,
    done,
)
from holdfast.errors import InvalidField, NotFound
from holdfast.services import disputes, payments, refunds
from holdfast.services.cards import Stripes, cards
from holdfast.services.refs import customer_of
from holdfast.store import event_log
from holdfast.store.ledger_store import LedgerStore

type Work = Callable[[LedgerStore, Stripes, StripeEvent, Instant], object]
"""Takes in what an event is about. None: this installation knows nothing of it."""


def take_in(
    store: LedgerStore, stripes: Stripes, event: StripeEvent, *, now: Instant
) -> StripeEvent:
    """The event, done with: what follows from it has followed, now or at an earlier delivery.

    Raises:
        Contention: It was being noted by others all the while.
        Unavailable: The table does not answer.
        StripeUnavailable: The provider does not answer.
        Exception: It cannot be taken in, and has to come again.
    """
    noted = event_log.note(store, event, attempts_max=event_log.ATTEMPTS_MAX)
    if noted.status == DONE:
        return noted
    after = done(noted, _outcome(store, stripes, noted, now), now)
    event_log.finish(store, after)
    return after


def _outcome(store: LedgerStore, stripes: Stripes, event: StripeEvent, now: Instant) -> str:
    work = _WORK.get(event.type)
    if work is None:
        return ACKNOWLEDGED
    try:
        found = work(store, stripes, event, now)
    except NotFound:
        # It was there when the event was made: nobody will find it by trying again.
        return PARKED
    return FOREIGN if found is None else APPLIED


def _payment(
    store: LedgerStore, stripes: Stripes, event: StripeEvent, now: Instant
) -> object | None:
    return payments.fulfil(store, stripes, event.mode, event.object_id, now=now)


def _refund(
    store: LedgerStore, stripes: Stripes, event: StripeEvent, now: Instant
) -> object | None:
    return refunds.take_in(store, stripes, event.mode, event.object_id, now=now)


def _dispute(
    store: LedgerStore, stripes: Stripes, event: StripeEvent, now: Instant
) -> object | None:
    return disputes.take_in(store, stripes, event.mode, event.object_id, now=now)


def _cards(store: LedgerStore, stripes: Stripes, event: StripeEvent, now: Instant) -> object | None:
    """Look at the cards of whoever the event is about. A customer's metadata say who that is."""
    if not event.customer_id:
        return None
    customer = stripes(event.mode).customers.retrieve(event.customer_id)
    owner = _owner(customer.metadata, event.mode)
    if owner is None:
        return None
    payer: Customer = store.read(customer_of(owner))
    # Another installation may share the provider's account with this one.
    return cards(store, stripes, owner, now=now) if payer.id == customer.id else None


def _owner(metadata: Mapping[str, str], mode: str) -> Owner | None:
    account_id = metadata.get("account_id", "")
    if metadata.get("mode") != mode or not is_account_id(account_id):
        return None
    try:
        return Owner(Tenant(metadata.get("org", ""), mode), account_id)
    except InvalidField:
        return None


# What is not here is acknowledged: subscriptions and invoices, and whatever else an endpoint is
# told because somebody ticked it.
_WORK: Mapping[str, Work] = {
    "checkout.session.completed": _payment,
    "checkout.session.async_payment_succeeded": _payment,
    "checkout.session.async_payment_failed": _payment,
    "checkout.session.expired": _payment,
    "payment_intent.succeeded": _payment,
    "payment_intent.payment_failed": _payment,
    "payment_intent.canceled": _payment,
    "payment_intent.processing": _payment,
    "payment_intent.requires_action": _payment,
    "payment_intent.amount_capturable_updated": _payment,
    "charge.refunded": _refund,
    "charge.refund.updated": _refund,
    "refund.created": _refund,
    "refund.updated": _refund,
    "refund.failed": _refund,
    "charge.dispute.created": _dispute,
    "charge.dispute.updated": _dispute,
    "charge.dispute.closed": _dispute,
    "charge.dispute.funds_withdrawn": _dispute,
    "charge.dispute.funds_reinstated": _dispute,
    "setup_intent.succeeded": _cards,
    "payment_method.attached": _cards,
    "payment_method.detached": _cards,
    "payment_method.updated": _cards,
    "payment_method.automatically_updated": _cards,
}

TYPES = frozenset(_WORK)
"""What an endpoint has to be told of."""
