"""Use cases of disputes: what Stripe says of one, taken into the wallet that its payment went to.

Nobody asks for a dispute, so nothing of it is refused: not by a closed account, nor by a wallet in
which the money is no more.
"""

from holdfast.domain import disputes as rules
from holdfast.domain.budgets import Budgets
from holdfast.domain.clock import Instant
from holdfast.domain.disputes import Dispute, Sighting
from holdfast.domain.due import Due
from holdfast.domain.entries import Entry
from holdfast.domain.ledger import Change, Decision, Wallet
from holdfast.domain.payments import Payment
from holdfast.errors import Contention, NotFound, Unavailable
from holdfast.gateways.stripe import Dispute as StripeDispute
from holdfast.services import observing
from holdfast.services.accounts import system_once
from holdfast.services.cards import Stripes
from holdfast.services.changes import change
from holdfast.services.refs import Owner, dispute_of
from holdfast.store.ledger_store import LedgerStore

ATTEMPTS_MAX = 6


def take_in(
    store: LedgerStore, stripes: Stripes, mode: str, dispute_id: str, *, now: Instant
) -> Dispute | None:
    """A dispute as Stripe has it now, and the wallet as that leaves it; None if it is not ours.

    The payment is credited first, if it was not yet: there is nothing to freeze before.

    Raises:
        StripeUnavailable: Nobody answers.
        Unavailable: Stripe does not know yet that the payment was paid.
        Contention: Others wrote it all the while. What Stripe said can be said again.
    """
    try:
        found = stripes(mode).disputes.retrieve(dispute_id)
        if found.payment_intent_id is None:
            return None
        payment = observing.fulfil(store, stripes, mode, found.payment_intent_id, now=now)
    except NotFound:
        return None
    if payment is None:
        return None
    if not payment.entry_id:
        raise Unavailable()
    return _taken_in(store, payment, _sighting(found, now), now=now)


def sweep(store: LedgerStore, stripes: Stripes, due: Due, *, now: Instant) -> None:
    """Look at an open dispute of which nothing was heard for a day.

    What is not at Stripe any more, or not ours there, is looked at again in a day. After a failure
    it is still due.

    Raises:
        StripeUnavailable: Nobody answers.
        Unavailable: Stripe does not know any more that the payment was paid.
        Contention: Others wrote it all the while.
    """
    known: Dispute | None = store.read(dispute_of(Owner(due.tenant, due.account_id), due.name))
    if known is None or not rules.is_due(known, now):
        return
    if take_in(store, stripes, due.tenant.mode, due.name, now=now) is None:
        # Whoever wrote it meanwhile has looked at it.
        store.settle(due.tenant, (), Change(known, rules.put_off(known, now)))


def _taken_in(store: LedgerStore, payment: Payment, seen: Sighting, *, now: Instant) -> Dispute:
    ref = dispute_of(_owner(payment), seen.id)
    paid = store.entry(payment.tenant, payment.entry_id)
    for _ in range(ATTEMPTS_MAX):
        known: Dispute | None = store.read(ref)
        if known is None or rules.is_further(seen, known):
            _tell_wallet(store, payment, paid, seen, now=now)
            continue
        after = rules.noted(known, seen)
        if after is known or store.settle(payment.tenant, (), Change(known, after)):
            return after
    raise Contention()


def _tell_wallet(
    store: LedgerStore, payment: Payment, paid: Entry, seen: Sighting, *, now: Instant
) -> None:
    # A stage is entered once at most, so its name makes the key.
    stage = rules.stage_of(seen.status)
    once = system_once(payment.tenant, f"dispute {seen.id} {stage}", now)

    def decide(wallet: Wallet, budgets: Budgets, known: Dispute | None) -> Decision:
        return rules.take_in(wallet, known, once, seen=seen, payment=payment, paid=paid)

    owner = _owner(payment)
    change(store, owner, paid.currency, decide, dispute_of(owner, seen.id), once=once)


def _owner(payment: Payment) -> Owner:
    return Owner(payment.tenant, payment.account_id)


def _sighting(found: StripeDispute, at: Instant) -> Sighting:
    return Sighting(
        id=found.id,
        status=found.status,
        at=at,
        amount_micros=found.amount_micros,
        currency=found.currency,
        reason=found.reason,
        charge_id=found.charge_id or "",
        opened_at=found.created,
        evidence_due_at=found.evidence_due_at,
    )
