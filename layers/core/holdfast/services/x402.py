"""Use cases of payments over x402: take one in, and find out what became of it.

    look -> check -> would it be settled? -> begin -> settle -> credit

It is looked for first: what was settled is answered with what it did, however often and however
late it is presented. It is stored before anybody is asked to settle it, so that a crash leaves a
record that is due. That it failed is told only once it is stored as failed: until then somebody may
send it again, and a payer who signs a second one in between pays twice.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from holdfast.domain import x402
from holdfast.domain import x402_settlements as rules
from holdfast.domain.accounts import Account, Tenant
from holdfast.domain.clock import Instant
from holdfast.domain.entries import Entry, Json
from holdfast.domain.ledger import Change, Decision, Deed, Resolution, Wallet
from holdfast.domain.once import Once
from holdfast.domain.x402_credit import credit
from holdfast.domain.x402_outcomes import Outcome, Settled, Verdict
from holdfast.domain.x402_payments import Payment
from holdfast.domain.x402_settlements import FAILED, SETTLED, X402Settlement
from holdfast.errors import (
    Contention,
    FacilitatorUnavailable,
    KeyInUse,
    PaymentNotAccepted,
    Unavailable,
)
from holdfast.services.accounts import system_once
from holdfast.services.refs import Owner, account_of, wallet_of, x402_of
from holdfast.store.ledger_store import LedgerStore

WRITES_MAX = 6
CREDITS_MAX = 3


class Facilitator(Protocol):
    """Who proves a payment and brings it to the chain."""

    def verify(self, request: Mapping[str, Json]) -> Verdict:
        """Whether it would settle what is asked for."""

    def settle(self, request: Mapping[str, Json]) -> Outcome:
        """What became of a payment. The same may be asked again at any time."""


type Facilitators = Callable[[str], Facilitator]
"""Facilitators by mode: play money is settled elsewhere than money."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkout:
    """What is to be paid, by whom, and the account that it goes to if it is paid now."""

    tenant: Tenant
    user: str
    workspace_id: str
    account_id: str
    offer: x402.Offer

    @property
    def id(self) -> str:
        """The same for the same offer, whoever asks, and to whichever account it goes."""
        return x402.checkout_id(self.tenant, self.workspace_id, self.offer)


@dataclass(frozen=True, slots=True)
class Paid:
    """A payment as it is by now, and the entry of its money once it is in the ledger."""

    settlement: X402Settlement
    entry: Entry | None = None


def pay(
    store: LedgerStore,
    facilitator: Facilitator,
    checkout: Checkout,
    payment: Payment,
    *,
    now: Instant,
) -> Paid:
    """What became of a payment: settled, failed, or nobody knows yet.

    Raises:
        PaymentUsed: It was presented before, for something else.
        PaymentNotAccepted: It is not one for the offer. Nothing of it is stored or sent.
        FacilitatorUnavailable: Nobody says whether it would be settled. Nothing is stored or sent.
        Contention, KeyInUse, Unavailable: It may be on its way: to be presented again.
    """
    there = _known(store, checkout, payment)
    if there is not None and there.status != FAILED:
        return _gone_on(store, facilitator, there, now)
    try:
        asked = _checked(facilitator, checkout, payment, now)
    except (PaymentNotAccepted, FacilitatorUnavailable):
        # Another delivery may have gone on meanwhile, and be the reason that this one is refused.
        meanwhile = _known(store, checkout, payment)
        if meanwhile is None or meanwhile.status == FAILED:
            raise
        return _as_it_is(store, meanwhile)
    if _begun(store, asked, there):
        return _settled(store, facilitator, asked, now)
    meanwhile = _known(store, checkout, payment)
    assert meanwhile is not None, "who began it has stored it"
    return _as_it_is(store, meanwhile)


def sweep(
    store: LedgerStore, facilitators: Facilitators, settlement_id: str, *, now: Instant
) -> None:
    """Send a payment again of which nobody knows what became, if it is due."""
    there: X402Settlement | None = store.read(x402_of(settlement_id))
    if there is not None:
        _gone_on(store, facilitators(there.tenant.mode), there, now)


def _known(store: LedgerStore, checkout: Checkout, payment: Payment) -> X402Settlement | None:
    """What is stored of the payment, if anything is.

    Raises:
        PaymentUsed: It was presented for something else.
    """
    place = x402.settlement_id(checkout.offer.network, payment.authorization)
    there: X402Settlement | None = store.read(x402_of(place))
    if there is not None:
        rules.require_same(
            there,
            payment,
            tenant=checkout.tenant,
            workspace_id=checkout.workspace_id,
            amount_micros=checkout.offer.amount_micros,
        )
    return there


def _checked(
    facilitator: Facilitator, checkout: Checkout, payment: Payment, now: Instant
) -> X402Settlement:
    """The payment, to be begun.

    Raises:
        PaymentNotAccepted: It is not one for the offer, or the facilitator does not take it.
        FacilitatorUnavailable: The facilitator does not say.
    """
    asked = rules.presented(
        payment,
        checkout.offer,
        tenant=checkout.tenant,
        workspace_id=checkout.workspace_id,
        account_id=checkout.account_id,
        user=checkout.user,
        now=now,
    )
    rules.require_valid(asked, facilitator.verify(rules.request_of(asked)))
    return asked


def _begun(store: LedgerStore, asked: X402Settlement, known: X402Settlement | None) -> bool:
    """Whether this very call has stored the payment: then it, and nobody else, settles it now."""
    decided: Resolution | None = None

    def decide(there: X402Settlement | None) -> Resolution:
        nonlocal decided
        decided = rules.begin(there, asked)
        return decided

    # One that failed may begin again: each beginning is a request of its own.
    version = 0 if known is None else known.version
    once = system_once(asked.tenant, f"begin {asked.id} {version}", asked.created_at)
    done = store.enact(decide, [x402_of(asked.id)], once=once)
    return isinstance(decided, Deed) and not done.replayed


def _gone_on(
    store: LedgerStore, facilitator: Facilitator, there: X402Settlement, now: Instant
) -> Paid:
    """The payment as it is by now, after one more attempt if one is due."""
    if not rules.is_due(there, now):
        return _as_it_is(store, there)
    again = rules.attempted(there, now)
    if store.settle(there.tenant, (), Change(there, again)):
        return _settled(store, facilitator, again, now)
    # Somebody else is at it, or nobody knows: then its time comes again.
    return _as_it_is(store, store.read(x402_of(there.id)))


def _settled(
    store: LedgerStore, facilitator: Facilitator, there: X402Settlement, now: Instant
) -> Paid:
    """The payment after one attempt to settle it, which is stored already."""
    return _concluded(store, there.id, facilitator.settle(rules.request_of(there)), now)


def _concluded(store: LedgerStore, settlement_id: str, outcome: Outcome, now: Instant) -> Paid:
    for _ in range(WRITES_MAX):
        there: X402Settlement = store.read(x402_of(settlement_id))
        after = rules.concluded(there, outcome, now)
        if after is there:
            break
        if after.status == SETTLED and isinstance(outcome, Settled):
            return _credited(store, there, outcome, now)
        if store.settle(there.tenant, (), Change(there, after)):
            return Paid(after)
    return _as_it_is(store, there)


def _credited(
    store: LedgerStore, settlement: X402Settlement, outcome: Settled, now: Instant
) -> Paid:
    """The payment as settled, and its money in the ledger, in one transaction.

    The facilitator was plain now; asked again, it may say no more than that the nonce was used.
    So this insists longer than other writes do.
    """
    once = _once_of(settlement, now)
    owner = Owner(settlement.tenant, settlement.account_id)

    def decide(there: X402Settlement, wallet: Wallet, account: Account) -> Decision:
        return credit(there, wallet, account, outcome, once)

    refs = [x402_of(settlement.id), wallet_of(owner, settlement.currency), account_of(owner)]
    for attempt in range(1, CREDITS_MAX + 1):
        try:
            done = store.change(decide, refs, once=once)
        except (Contention, KeyInUse, Unavailable):
            if attempt == CREDITS_MAX:
                raise
        else:
            return Paid(store.read(x402_of(settlement.id)), done.entry)
    raise AssertionError("unreachable")


def _as_it_is(store: LedgerStore, there: X402Settlement) -> Paid:
    if there.status != SETTLED:
        return Paid(there)
    once = _once_of(there, there.created_at)
    return Paid(there, store.entry(there.tenant, once.entry_id))


def _once_of(settlement: X402Settlement, now: Instant) -> Once:
    """The request that the money makes: one, whoever brings it and however often."""
    return system_once(settlement.tenant, f"x402 {settlement.id}", now)
