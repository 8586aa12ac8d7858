"""Disputes from Stripe to the wallet: in every order, at once, by halves, and of whatever money."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import permutations
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.audit import audit_items
from holdfast.domain.disputes import Dispute
from holdfast.domain.payments import Payment
from holdfast.errors import InsufficientFunds, StripeUnavailable, Unavailable
from holdfast.gateways.stripe import StripeGateway
from holdfast.services import accounts, disputes, observing, payments, refunds, wallet
from holdfast.services.beginnings import Asked
from holdfast.services.refs import Owner
from holdfast.store import items
from local.stripe import disputes as banks
from local.stripe import refunds as at_banks
from local.stripe.errors import Object
from tests.api.provider import Provider
from tests.domain.samples import NOW
from tests.faults.violations import violations
from tests.services.caller import CENT, HOUR, INTRODUCTORY, Caller
from tests.simulator.faults import AFTER, BEFORE
from tests.simulator.scheduler import interleave

PAID = 2_000
SEEDS = range(25)
EVENTS = ("payment", "refund", "created", "updated", "closed")


@dataclass(slots=True)
class Desk:
    """A caller who pays by card, and the provider whose banks take it back."""

    caller: Caller = field(default_factory=Caller)
    provider: Provider = field(default_factory=lambda: Provider(clock=NOW.timestamp))

    def elsewhere(self) -> "Desk":
        return Desk(self.caller.elsewhere(), self.provider)

    @property
    def counter(self) -> Any:
        return self.provider.counter("live")

    def pay(self, cents: int = PAID, *, kind: Any = "topup", key: str = "pay") -> Payment:
        asked = Asked(
            kind=kind,
            amount_micros=cents * CENT,
            currency="usd",
            surface="agents",
            payment_method_id="pm_card_visa",
            is_saved=False,
        )
        caller = self.caller
        return payments.charge(
            caller.store, self.provider.gateway, caller.owner, asked, once=caller.once(key)
        ).payment

    def charged_there(self, cents: int = PAID) -> str:
        """A payment that was begun here and paid there, and of which nobody has heard since."""
        caller = self.caller
        asked = Asked(kind="topup", amount_micros=cents * CENT, currency="usd", surface="agents")
        begun = payments.open_intent(
            caller.store, self.provider.gateway, caller.owner, asked, once=caller.once("open")
        ).payment
        self.provider.gateway("live").payment_intents.confirm(
            begun.payment_intent_id, key="confirm", payment_method_id="pm_card_visa"
        )
        return begun.payment_intent_id

    def charge(self, intent_id: str) -> Object:
        intent = self.counter.find("payment_intent", intent_id)
        found: Object = self.counter.find("charge", intent["latest_charge"])
        return found

    def open(self, intent_id: str, **facts: Any) -> str:
        """The bank takes it back; what the dispute is called."""
        return str(banks.open_dispute(self.counter, self.charge(intent_id), **facts)["id"])

    def set(self, dispute_id: str, status: str) -> None:
        """The dispute in another state."""
        dispute = self.counter.find("dispute", dispute_id)
        dispute["status"] = status

    def hear(self, dispute_id: str, mode: str = "live") -> Dispute | None:
        return disputes.take_in(
            self.caller.store, self.provider.gateway, mode, dispute_id, now=self.caller.now
        )

    def hear_refund(self, refund_id: str) -> None:
        caller = self.caller
        refunds.take_in(caller.store, self.provider.gateway, "live", refund_id, now=caller.now)

    def hear_payment(self, intent_id: str) -> None:
        caller = self.caller
        observing.fulfil(caller.store, self.provider.gateway, "live", intent_id, now=caller.now)

    def refund_there(self, intent_id: str, cents: int) -> str:
        """What somebody gives back at Stripe, without us."""
        made = self.provider.gateway("live").refunds.create(
            key="there",
            payment_intent_id=intent_id,
            currency="usd",
            amount_micros=cents * CENT,
            metadata={},
        )
        return made.id

    def cash(self) -> tuple[int, int]:
        """Cents of plain cash that can be spent, and that are held."""
        found = self.caller.wallet(own=False)
        return found.cash_micros // CENT, found.cash_held_micros // CENT

    def kept(self) -> Dispute:
        """The one dispute that is stored."""
        found = [each for each in self.caller.stored() if each["sk"]["S"].startswith("DISPUTE#")]
        (dispute,) = map(items.to_record, found)
        assert isinstance(dispute, Dispute)
        return dispute

    def is_sound(self) -> bool:
        """Whether both audits have nothing to say."""
        stored = self.caller.stored()
        assert violations(stored) == []
        assert audit_items(stored) == []
        return True


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_a_dispute_freezes_its_payment_and_a_loss_takes_it(desk):
    paid = desk.pay()
    dispute_id = desk.open(paid.payment_intent_id)

    opened = desk.hear(dispute_id)
    assert opened is not None
    assert (opened.payment_id, opened.frozen_micros) == (paid.id, PAID * CENT)
    assert desk.cash() == (0, PAID)

    banks.end(desk.counter, desk.counter.find("dispute", dispute_id), "lost")
    lost = desk.hear(dispute_id)

    assert lost is not None
    assert (lost.status, lost.taken_micros) == ("lost", PAID * CENT)
    assert desk.cash() == (0, 0)
    assert desk.caller.entries()[-3:] == ["deposit", "dispute_opened", "dispute_lost"]
    assert desk.is_sound()


def test_what_was_frozen_is_back_when_the_dispute_is_won(desk):
    dispute_id = desk.open(desk.pay().payment_intent_id, amount=300)
    desk.hear(dispute_id)
    assert desk.cash() == (PAID - 300, 300)

    banks.end(desk.counter, desk.counter.find("dispute", dispute_id), "won")
    desk.hear(dispute_id)

    assert desk.cash() == (PAID, 0)
    assert desk.is_sound()


def test_what_was_spent_is_owed_and_the_next_money_pays_it_first(desk):
    dispute_id = desk.open(desk.pay().payment_intent_id)
    desk.caller.use(INTRODUCTORY + 1_500)
    desk.hear(dispute_id)
    assert desk.cash() == (0, 500)
    banks.end(desk.counter, desk.counter.find("dispute", dispute_id), "lost")

    desk.hear(dispute_id)

    assert desk.cash() == (-1_500, 0)
    with pytest.raises(InsufficientFunds):
        desk.caller.hold(1)
    desk.caller.deposit(1_600)
    assert desk.caller.balance() == (100, 0)
    assert desk.is_sound()


def test_an_inquiry_freezes_too_and_may_come_to_nothing(desk):
    dispute_id = desk.open(desk.pay().payment_intent_id, is_inquiry=True)

    assert desk.hear(dispute_id).status == "warning_needs_response"
    assert desk.cash() == (0, PAID)

    banks.end(desk.counter, desk.counter.find("dispute", dispute_id), "lost")
    assert desk.hear(dispute_id).status == "warning_closed"
    assert desk.cash() == (PAID, 0)
    assert desk.is_sound()


def test_a_dispute_of_what_nobody_has_heard_of_yet_is_of_money_that_is_credited_first(desk):
    intent_id = desk.charged_there()
    assert desk.cash() == (0, 0)

    desk.hear(desk.open(intent_id))

    assert desk.cash() == (0, PAID)
    assert desk.caller.entries()[-2:] == ["deposit", "dispute_opened"]
    assert desk.is_sound()


@pytest.mark.parametrize("status", ["needs_response", "lost", "won"])
def test_of_a_purchase_nothing_is_frozen_or_taken(desk, status):
    desk.caller.deposit(500)
    dispute_id = desk.open(desk.pay(kind="intent").payment_intent_id)
    desk.set(dispute_id, status)

    heard = desk.hear(dispute_id)

    assert (heard.owed_micros, heard.amount_micros) == (0, PAID * CENT)
    assert desk.cash() == (500, 0)
    assert desk.is_sound()


def test_news_that_move_nothing_are_kept_and_leave_no_entry(desk):
    dispute_id = desk.open(desk.pay().payment_intent_id)
    desk.hear(dispute_id)
    desk.set(dispute_id, "under_review")
    desk.caller.now += HOUR
    entries = desk.caller.entries()

    heard = desk.hear(dispute_id)

    assert (heard.status, heard.version) == ("under_review", 2)
    assert desk.kept() == heard
    assert desk.caller.entries() == entries


def test_a_sweep_does_not_forget_what_is_frozen(desk):
    desk.pay()
    desk.caller.hold(100, expires_in=HOUR)
    desk.hear(desk.open(desk.pay(key="second").payment_intent_id))

    desk.caller.now += 2 * HOUR
    desk.caller.wallet()

    assert desk.cash() == (PAID, PAID)
    assert desk.is_sound()


def test_what_is_lost_after_the_account_was_closed_is_owed_there(desk):
    caller = desk.caller
    opened = accounts.open_account(
        caller.store, owner="acme/alice", name="Lab", currency="usd", once=caller.once()
    ).record
    owner = Owner(caller.owner.tenant, opened.id)
    caller.owner = owner
    intent_id = desk.pay().payment_intent_id
    wallet.withdraw(
        caller.store, owner, amount_micros=PAID * CENT, currency="usd", once=caller.once()
    )
    accounts.close_account(caller.store, owner, user="acme/alice", once=caller.once())
    dispute_id = desk.open(intent_id)
    desk.hear(dispute_id)
    banks.end(desk.counter, desk.counter.find("dispute", dispute_id), "lost")

    desk.hear(dispute_id)

    assert desk.cash() == (-PAID, 0)
    assert desk.is_sound()


@pytest.mark.parametrize("mode", ["live", "test"])
def test_a_dispute_that_is_not_there_is_nobodys(desk, mode):
    dispute_id = desk.open(desk.pay().payment_intent_id)
    before = desk.caller.stored()

    assert desk.hear("du_unknown", mode) is None
    assert mode == "live" or desk.hear(dispute_id, mode) is None

    assert desk.caller.stored() == before


def test_a_dispute_of_somebody_elses_payment_is_not_ours(desk):
    intent_id = desk.pay().payment_intent_id
    dispute_id = desk.open(intent_id)
    desk.counter.find("payment_intent", intent_id)["metadata"] = {"order": "17"}
    before = desk.caller.stored()

    assert desk.hear(dispute_id) is None

    assert desk.caller.stored() == before


def test_a_dispute_of_a_charge_without_an_intent_is_not_ours(desk):
    dispute_id = desk.open(desk.pay().payment_intent_id)
    desk.counter.find("dispute", dispute_id)["payment_intent"] = None
    before = desk.caller.stored()

    assert desk.hear(dispute_id) is None

    assert desk.caller.stored() == before


def test_a_dispute_waits_for_stripe_to_know_that_it_was_paid(desk):
    intent_id = desk.charged_there()
    dispute_id = desk.open(intent_id)
    intent = desk.counter.find("payment_intent", intent_id)
    intent["status"], paid = "processing", intent["status"]

    with pytest.raises(Unavailable):
        desk.hear(dispute_id)
    assert desk.cash() == (0, 0)

    intent["status"] = paid
    desk.hear(dispute_id)
    assert desk.cash() == (0, PAID)


@pytest.mark.parametrize("silent", ["disputes", "payment_intents"])
def test_when_stripe_does_not_answer_nothing_is_written_and_the_next_news_is_taken_in(desk, silent):
    dispute_id = desk.open(desk.charged_there())
    before = desk.caller.stored()
    there = desk.provider.gateway("live")

    with pytest.raises(StripeUnavailable):
        disputes.take_in(
            desk.caller.store,
            lambda mode: cast(StripeGateway, _Silent(there, silent)),
            "live",
            dispute_id,
            now=desk.caller.now,
        )

    assert desk.caller.stored() == before
    desk.hear(dispute_id)
    assert desk.cash() == (0, PAID)


@dataclass(frozen=True, slots=True)
class _Silent:
    """Stripe, but for one thing that it does not answer about."""

    there: Any
    silent: str

    @property
    def disputes(self) -> Any:
        return self if self.silent == "disputes" else self.there.disputes

    @property
    def payment_intents(self) -> Any:
        return self if self.silent == "payment_intents" else self.there.payment_intents

    def retrieve(self, thing_id: str) -> Any:
        raise StripeUnavailable(outcome_unknown=False)


# --- Every order, any number of times ------------------------------------------------------------


@dataclass(slots=True)
class Life:
    """One payment, a refund of part of it, and a dispute; each event told when it comes."""

    desk: Desk
    intent_id: str
    refund_id: str
    dispute_id: str

    def deliver(self, event: str) -> None:
        match event:
            case "payment":
                self.desk.hear_payment(self.intent_id)
            case "refund":
                self.desk.hear_refund(self.refund_id)
            case _:
                self.desk.hear(self.dispute_id)

    @property
    def end(self) -> tuple[Any, ...]:
        kept = self.desk.kept()
        found = replace(kept, version=0, frozen_by="", closed_by="", observed_at=NOW)
        return self.desk.cash(), self.desk.caller.balance(), found


def life(status: str, *, spent: int, refunded: int = 300) -> Life:
    """The state of things at Stripe when all has happened, and nobody here has heard of it."""
    desk = Desk()
    desk.caller.wallet()
    desk.caller.use(spent)
    intent_id = desk.charged_there()
    refund_id = desk.refund_there(intent_id, refunded)
    dispute_id = desk.open(intent_id, is_inquiry=status.startswith("warning"))
    return Life(desk, intent_id, refund_id, dispute_id)


def told(status: str, order: tuple[str, ...], *, spent: int, when_over: int) -> Life:
    """The life with its events told in this order; the dispute is over after so many of them."""
    told_of = life(status, spent=spent)
    for number, event in enumerate(order):
        if number == when_over:
            told_of.desk.set(told_of.dispute_id, status)
        told_of.deliver(event)
    told_of.desk.set(told_of.dispute_id, status)
    told_of.deliver("closed")
    return told_of


@pytest.mark.parametrize("status", ["lost", "won", "warning_closed"])
@pytest.mark.parametrize("spent", [1, INTRODUCTORY + 1_200])
def test_every_order_of_the_events_of_one_payment_ends_the_same(status, spent):
    expected = told(status, EVENTS, spent=spent, when_over=4).end
    disputed = PAID - 300 if status == "lost" else 0
    assert expected[0] == (PAID - 300 - disputed - max(0, spent - INTRODUCTORY), 0)

    for order in permutations(EVENTS):
        done = told(status, order, spent=spent, when_over=order.index("closed"))

        assert done.end == expected, order
        assert done.desk.caller.entries().count("deposit") == 1
        assert done.desk.caller.entries().count("card_refund") == 1
    assert done.desk.is_sound()


@settings(max_examples=60, deadline=None)
@given(
    status=st.sampled_from(["lost", "won", "warning_closed"]),
    spent=st.integers(1, INTRODUCTORY + PAID),
    copies=st.lists(st.integers(1, 3), min_size=len(EVENTS), max_size=len(EVENTS)),
    chance=st.randoms(use_true_random=False),
    when_over=st.integers(0, 15),
)
def test_every_order_of_every_delivery_ends_the_same(*, status, spent, copies, chance, when_over):
    order = [event for event, times in zip(EVENTS, copies, strict=True) for _ in range(times)]
    chance.shuffle(order)

    done = told(status, tuple(order), spent=spent, when_over=when_over)

    assert done.end == told(status, EVENTS, spent=spent, when_over=4).end
    types = done.desk.caller.entries()
    assert [types.count(each) for each in ("deposit", "card_refund")] == [1, 1]
    assert types.count("dispute_opened") + types.count("dispute_lost") <= 2
    assert done.desk.is_sound()


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("status", ["lost", "won"])
def test_all_events_at_once_end_the_same(status, seed):
    expected = told(status, EVENTS, spent=1_500, when_over=0).end
    at_once = life(status, spent=1_500)
    at_once.desk.set(at_once.dispute_id, status)
    works = [replace(at_once, desk=at_once.desk.elsewhere()) for _ in EVENTS]

    interleave(
        [
            partial(_tried, partial(work.deliver, event))
            for work, event in zip(works, EVENTS, strict=True)
        ],
        seed=seed,
    )

    for event in EVENTS:
        at_once.deliver(event)
    assert at_once.end == expected
    assert at_once.desk.is_sound()


def _tried(work: Callable[[], None]) -> None:
    with suppress(Unavailable):
        work()


@pytest.mark.parametrize("fault", [BEFORE, AFTER], ids=str)
@pytest.mark.parametrize("status", ["needs_response", "lost", "won"])
def test_whatever_call_fails_the_next_delivery_ends_the_same(status, fault):
    expected, calls = _calls_of(status)
    for number in range(calls):
        told_of = life(status, spent=1_500)
        told_of.desk.set(told_of.dispute_id, status)
        simulator = told_of.desk.caller.simulator
        first = simulator.call_count
        simulator.faults = {first + number: fault}

        _tried(partial(told_of.deliver, "closed"))
        simulator.faults = {}
        told_of.deliver("closed")
        told_of.deliver("refund")

        assert told_of.end == expected, number
        assert told_of.desk.is_sound()


def _calls_of(status: str) -> tuple[tuple[Any, ...], int]:
    told_of = life(status, spent=1_500)
    told_of.desk.set(told_of.dispute_id, status)
    simulator = told_of.desk.caller.simulator
    before = simulator.call_count
    told_of.deliver("closed")
    calls = simulator.call_count - before
    told_of.deliver("refund")
    return told_of.end, calls


def test_a_bank_that_sends_the_refund_back_meanwhile_changes_nothing_of_the_dispute(desk):
    intent_id = desk.pay().payment_intent_id
    refund_id = desk.refund_there(intent_id, 300)
    desk.hear_refund(refund_id)
    dispute_id = desk.open(intent_id)
    desk.hear(dispute_id)
    assert desk.cash() == (0, PAID - 300)

    at_banks.fail(desk.counter, desk.counter.find("refund", refund_id), "lost_or_stolen_card")
    desk.hear_refund(refund_id)
    desk.set(dispute_id, "lost")
    desk.hear(dispute_id)

    assert desk.cash() == (300, 0)
    assert desk.is_sound()
