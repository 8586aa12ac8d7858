"""What the tests of faults hear of payments by card: paid, sent back, and taken back by a bank.

Stripe is at hand here, and says of everything what the step tells it to say: a step can be asked
for any number of times.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, cast

from holdfast.domain import payments as rules
from holdfast.domain.ledger import Change, Deed
from holdfast.domain.once import Once
from holdfast.domain.payments import TOPUP, Kind
from holdfast.errors import NotFound
from holdfast.gateways.stripe import Dispute, PaymentIntent, Refund, StripeGateway
from holdfast.services import disputes, observing, refunds
from holdfast.store.ledger_store import LedgerStore
from tests.faults.world import START, Step, World

LATER = timedelta(days=9)


@dataclass(frozen=True, slots=True)
class _Things:
    """Things of one kind at Stripe."""

    by_id: dict[str, Any]

    def retrieve(self, thing_id: str) -> Any:
        if thing_id not in self.by_id:
            raise NotFound
        return self.by_id[thing_id]


@dataclass(frozen=True, slots=True)
class _Stripe:
    payment_intents: _Things
    refunds: _Things
    disputes: _Things


def _stripe(world: World, of: str, *things: Any) -> Callable[[str], StripeGateway]:
    """Stripe as it is once the payment under the key `of` is paid, with these things besides."""
    intent = _intent(world, of)
    by_type: dict[type, dict[str, Any]] = {Refund: {}, Dispute: {}}
    for thing in things:
        by_type[type(thing)][thing.id] = thing
    there = _Stripe(
        _Things({intent.id: intent}), _Things(by_type[Refund]), _Things(by_type[Dispute])
    )
    return lambda mode: cast(StripeGateway, there)


def _intent(world: World, of: str) -> PaymentIntent:
    payment = world.answers[of]
    return PaymentIntent(
        id=_intent_id(of),
        status="succeeded",
        amount_micros=payment.amount_micros,
        amount_received_micros=payment.amount_micros,
        amount_capturable_micros=0,
        currency="usd",
        capture_method="automatic",
        client_secret=None,
        customer_id="cus_1",
        payment_method_id="pm_1",
        charge_id=f"ch_{of}",
        last_error=None,
        metadata={
            "payment_id": payment.id,
            "org": payment.tenant.org,
            "mode": payment.tenant.mode,
            "account_id": payment.account_id,
        },
        created=START,
        livemode=True,
    )


def _intent_id(of: str) -> str:
    return f"pi_{of.replace(' ', '_')}"


def begin(key: str, micros: int, *, kind: Kind = TOPUP, at: float = 0) -> Step:
    """A payment that was sent to Stripe, and of which nobody has heard since."""

    def ask(world: World, store: LedgerStore, once: Once) -> Any:
        payment = rules.begin(
            once,
            kind=kind,
            account_id=world.owner.account_id,
            amount_micros=micros,
            currency="usd",
            surface="agents",
        )
        return store.enact(lambda: Deed(payment, (Change(None, payment),)), [], once=once)

    return Step(key=key, ask=ask, at_seconds=at)


def paid(key: str, *, of: str, at: float = 0) -> Step:
    """Stripe says that the payment under the key `of` is paid."""

    def ask(world: World, store: LedgerStore, once: Once) -> Any:
        stripes = _stripe(world, of)
        heard = observing.fulfil(store, stripes, "live", _intent_id(of), now=once.now)
        return heard is not None and (heard.id, heard.status)

    return Step(key=key, ask=ask, at_seconds=at)


def refunded(key: str, micros: int, *, of: str, status: str = "succeeded", at: float = 0) -> Step:
    """Stripe says what became of a refund that somebody made there."""
    refund = Refund(
        id=f"re_{of.replace(' ', '_')}",
        status=status,
        amount_micros=micros,
        currency="usd",
        payment_intent_id=_intent_id(of),
        charge_id=f"ch_{of}",
        reason=None,
        failure_reason="unknown" if status == "failed" else None,
        balance_line_id="txn_1",
        metadata={},
        created=START,
    )

    def ask(world: World, store: LedgerStore, once: Once) -> Any:
        stripes = _stripe(world, of, refund)
        heard = refunds.take_in(store, stripes, "live", refund.id, now=once.now)
        return [(each.id, each.status) for each in heard or ()]

    return Step(key=key, ask=ask, at_seconds=at)


def disputed(key: str, status: str, micros: int, *, of: str, at: float = 0) -> Step:
    """Stripe says that the payment under the key `of` is disputed, and how that stands."""
    dispute = Dispute(
        id=f"du_{of.replace(' ', '_')}",
        status=status,
        reason="fraudulent",
        amount_micros=micros,
        currency="usd",
        payment_intent_id=_intent_id(of),
        charge_id=f"ch_{of}",
        evidence_due_at=START + LATER,
        created=START,
    )

    def ask(world: World, store: LedgerStore, once: Once) -> Any:
        stripes = _stripe(world, of, dispute)
        heard = disputes.take_in(store, stripes, "live", dispute.id, now=once.now)
        return heard and (heard.status, heard.frozen_micros, heard.taken_micros)

    return Step(key=key, ask=ask, at_seconds=at)
