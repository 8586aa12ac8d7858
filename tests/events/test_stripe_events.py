"""What follows from Stripe's events: late, twice, in any order, by either way, it follows once."""

import json
import random
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from itertools import permutations
from typing import Any

import pytest

from holdfast.audit import audit_items
from holdfast.domain.disputes import Dispute
from holdfast.domain.payment_methods import PaymentMethod
from holdfast.domain.payments import Payment
from holdfast.errors import Refusal, StripeUnavailable
from holdfast.gateways.event_queue import event_in
from holdfast.services import cards, payments, stripe_events
from holdfast.store.ledger_store import LedgerStore
from local.stripe import checkout, paying
from local.stripe import disputes as disputes_there
from local.stripe import refunds as refunds_there
from tests.api.world import World
from tests.events.stripe_mail import CENT, Mail
from tests.faults.violations import violations
from tests.simulator.errors import ProcessKilled
from tests.simulator.faults import EVERY_FAULT
from tests.simulator.scheduler import interleave

INTRODUCED = ("introductory_credit", 1_000)
PAID = ("deposit", 500)


@pytest.fixture
def mail(monkeypatch: pytest.MonkeyPatch) -> Iterator[Mail]:
    there = Mail()
    there.stand_in(monkeypatch.setattr)
    yield there
    assert audit_items(there.world.items()) == []
    assert violations(there.world.items()) == []


# --- Every type -----------------------------------------------------------------------------------


def statuses(mail: Mail) -> list[str]:
    return sorted(payment.status for payment in mail.records(Payment))


def cards_on_file(mail: Mail) -> list[tuple[str, bool]]:
    return sorted((method.brand, method.active) for method in mail.records(PaymentMethod))


def paid(mail: Mail) -> Payment:
    """A top-up that is known to be paid."""
    begun = mail.intent()
    mail.bring(*mail.events("payment_intent.succeeded"))
    return mail.payment(begun)


def declined(mail: Mail) -> None:
    mail.intent("pm_card_chargeDeclined")


def challenged(mail: Mail) -> None:
    mail.intent("pm_card_threeDSecure2Required")


def canceled(mail: Mail) -> None:
    begun = mail.intent("pm_card_chargeDeclined")
    mail.gateway.payment_intents.cancel(begun.payment_intent_id, key="dashboard")


def held(mail: Mail) -> None:
    mail.intent(captures_by_hand=True)


def refunded(mail: Mail) -> None:
    mail.refund(paid(mail), 200)


def refund_failed(mail: Mail) -> None:
    begun = paid(mail)
    refund = mail.refund(begun, 200)
    mail.bring(*mail.events("refund.created"))
    refunds_there.fail(mail.counter, mail.counter.find("refund", refund.id), "unknown")


def disputed(mail: Mail) -> None:
    mail.dispute(paid(mail))


def dispute_ended(status: str) -> Callable[[Mail], None]:
    def happen(mail: Mail) -> None:
        dispute = mail.dispute(paid(mail))
        mail.bring(*mail.events("charge.dispute.created"))
        disputes_there.end(mail.counter, dispute, status)

    return happen


def page_paid(mail: Mail) -> None:
    mail.page()


def page_expired(mail: Mail) -> None:
    mail.page(number="")
    mail.world.wait(days=2)
    checkout.settle(mail.counter)


def attached(mail: Mail) -> None:
    mail.gateway.cards.attach("pm_card_amex", key="elsewhere", customer_id=mail.customer())


def detached(mail: Mail) -> None:
    attached(mail)
    mail.bring(*mail.events("payment_method.attached"))
    ((card, _),) = ((method.id, method.active) for method in mail.records(PaymentMethod))
    mail.gateway.cards.detach(card, key="elsewhere")


def set_up(mail: Mail) -> None:
    begun = mail.gateway.setup_intents.create(
        key="setup",
        customer_id=mail.customer(),
        payment_method_id="pm_card_visa",
        metadata=cards.whose(mail.alice),
    )
    mail.gateway.setup_intents.confirm(begun.id, key="browser")


HAPPENED: dict[str, tuple[Callable[[Mail], Any], Callable[[Mail], Any], Any]] = {
    "payment_intent.succeeded": (Mail.intent, Mail.entries, [INTRODUCED, PAID]),
    "payment_intent.payment_failed": (declined, statuses, ["failed"]),
    "payment_intent.canceled": (canceled, statuses, ["canceled"]),
    "payment_intent.requires_action": (challenged, statuses, ["requires_action"]),
    "payment_intent.amount_capturable_updated": (held, statuses, ["requires_capture"]),
    "checkout.session.completed": (page_paid, Mail.entries, [INTRODUCED, PAID]),
    "checkout.session.expired": (page_expired, statuses, ["canceled"]),
    "charge.refunded": (refunded, statuses, ["succeeded", "succeeded"]),
    "refund.created": (refunded, statuses, ["succeeded", "succeeded"]),
    "refund.failed": (refund_failed, statuses, ["failed", "succeeded"]),
    "refund.updated": (refund_failed, statuses, ["failed", "succeeded"]),
    "charge.refund.updated": (refund_failed, statuses, ["failed", "succeeded"]),
    "charge.dispute.created": (
        disputed,
        lambda mail: [dispute.stage for dispute in mail.records(Dispute)],
        ["open"],
    ),
    "charge.dispute.funds_withdrawn": (
        disputed,
        lambda mail: [dispute.stage for dispute in mail.records(Dispute)],
        ["open"],
    ),
    "charge.dispute.closed": (
        dispute_ended("lost"),
        lambda mail: [dispute.stage for dispute in mail.records(Dispute)],
        ["lost"],
    ),
    "charge.dispute.funds_reinstated": (
        dispute_ended("won"),
        lambda mail: [dispute.stage for dispute in mail.records(Dispute)],
        ["won"],
    ),
    "setup_intent.succeeded": (set_up, cards_on_file, [("visa", True)]),
    "payment_method.attached": (attached, cards_on_file, [("amex", True)]),
    "payment_method.detached": (detached, cards_on_file, [("amex", False)]),
}


@pytest.mark.parametrize("kind", HAPPENED)
def test_an_event_of_every_type_has_its_effect_once(mail, kind):
    happen, look, wanted = HAPPENED[kind]
    happen(mail)
    (event, *_) = mail.events(kind)

    mail.bring(event)

    assert look(mail) == wanted
    assert mail.noted()[event["id"]].outcome == "applied"
    once = sorted(map(str, mail.world.items()))
    mail.bring(event)
    mail.work([mail.by_bus(event)])
    assert sorted(map(str, mail.world.items())) == once


def test_every_type_that_is_looked_into_can_happen_here():
    never_here = {
        "checkout.session.async_payment_succeeded",
        "checkout.session.async_payment_failed",
        "payment_intent.processing",
        "charge.dispute.updated",
        "payment_method.updated",
        "payment_method.automatically_updated",
    }

    assert set(stripe_events.TYPES) == HAPPENED.keys() | never_here


@pytest.mark.parametrize(
    "kind",
    [
        "checkout.session.async_payment_succeeded",
        "checkout.session.async_payment_failed",
        "payment_intent.processing",
        "payment_intent.payment_failed",
    ],
)
def test_whatever_an_event_says_what_is_there_counts(mail, kind):
    """The name of an event is a hint: the payment was paid, and is credited."""
    mail.page()
    (told,) = mail.events("checkout.session.completed")
    if kind.startswith("payment_intent"):
        (told,) = mail.events("payment_intent.succeeded")

    mail.bring({**told, "type": kind})

    assert mail.entries() == [INTRODUCED, PAID]


@pytest.mark.parametrize(
    "kind",
    [
        "customer.subscription.created",
        "customer.subscription.deleted",
        "invoice.paid",
        "invoice.payment_failed",
        "customer.updated",
        "balance.available",
        "v2.core.something.new",
    ],
)
def test_what_nothing_follows_from_is_acknowledged(mail, kind):
    mail.bring(event(kind, {"object": "thing", "id": "thing_1"}))

    assert mail.outcomes() == [(kind, "acknowledged")]
    assert len(mail.world.items()) == 1


def event(kind: str, about: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "id": f"evt_{kind.replace('.', '_')}",
        "object": "event",
        "created": 1_795_262_400,
        "data": {"object": about},
        "livemode": True,
        "type": kind,
        **more,
    }


# --- Again, at once, and by both ways -------------------------------------------------------------


def test_an_event_that_comes_three_times_and_by_both_ways_credits_once(mail):
    mail.intent()
    (told,) = mail.events("payment_intent.succeeded")

    for _ in range(3):
        assert mail.knock(told) == 200
    assert mail.work() == []
    assert mail.work([mail.by_bus(told)] * 3) == []

    assert mail.entries() == [INTRODUCED, PAID]
    assert mail.knock(told) == 200
    assert mail.world.arrivals.messages.taken == []


def test_an_event_by_the_bus_is_as_one_by_the_door(monkeypatch):
    ways: dict[str, Callable[[Mail, Any], Any]] = {
        "door": lambda mail, told: mail.bring(told),
        "bus": lambda mail, told: mail.work([mail.by_bus(told)]),
    }
    left = {}
    for way, bring in ways.items():
        mail = Mail()
        mail.stand_in(monkeypatch.setattr)
        begun = mail.page()
        mail.refund(mail.payment(begun) if begun.payment_intent_id else paid_by(mail), 100)
        for told in mail.events():
            bring(mail, told)
        # Each writer names its own delivery of what it wrote.
        left[way] = sorted(str({**item, "delivery": ""}) for item in mail.world.items())

    assert left["bus"] == left["door"]


def paid_by(mail: Mail) -> Payment:
    """The page's payment, once its event has come."""
    mail.bring(*mail.events("checkout.session.completed"))
    (found,) = mail.records(Payment)
    assert isinstance(found, Payment)
    return found


@pytest.mark.parametrize("seed", range(10))
def test_sixteen_workers_at_once_credit_once(mail, seed):
    mail.intent()
    told = mail.events("payment_intent.succeeded", "charge.refunded")
    assert [mail.knock(one) for one in told * 8] == [200] * 8
    bodies = mail.world.arrivals.messages.emptied() * 2

    run = interleave([partial(taken, mail, body) for body in bodies], seed=seed)

    ends = {outcome.result() for outcome in run.outcomes}
    assert ends <= {"done", "contention", "unavailable"}
    assert mail.entries() == [INTRODUCED, PAID]
    for body in bodies:
        assert taken(mail, body) == "done"
    assert mail.entries() == [INTRODUCED, PAID]


def taken(mail: Mail, body: str) -> str:
    """A worker below the framework, in an environment of its own; how it ended."""
    client: Any = mail.world.simulator
    store = LedgerStore(client, "holdfast", pause=lambda seconds: None)
    try:
        heard = event_in(json.loads(body), mail.world.now)
        return stripe_events.take_in(store, mail.world.stripes, heard, now=mail.world.now).status
    except Refusal as refusal:
        return refusal.code


# --- Any order ------------------------------------------------------------------------------------


LIFE = (
    "payment_intent.succeeded",
    "charge.refunded",
    "refund.created",
    "charge.dispute.created",
    "charge.dispute.funds_withdrawn",
    "charge.dispute.closed",
)


def life(mail: Mail) -> list[dict[str, Any]]:
    """One payment, refunded in part, disputed for the rest, and lost: what Stripe tells of it."""
    begun = mail.intent()
    mail.refund(begun, 100)
    dispute = mail.dispute(begun)
    disputes_there.end(mail.counter, dispute, "lost")
    return mail.events(*LIFE)


def left(mail: Mail) -> Any:
    """What is left of it all: the wallet, and what became of each thing."""
    ends = [dispute.stage for dispute in mail.records(Dispute)]
    return mail.world.wallet(), statuses(mail), ends


def test_all_720_orders_of_a_life_end_in_one_state(monkeypatch, record_property):
    ends = set()
    first = Mail()
    first.stand_in(monkeypatch.setattr)
    told = life(first)
    before, provider = first.world.items(), first.world.provider.dumped()
    orders = list(permutations(range(len(LIFE))))
    for order in orders:
        mail = Mail(World(before, provider))
        mail.stand_in(monkeypatch.setattr)
        mail.work([mail.by_bus(told[place]) for place in order])
        mail.work([mail.by_bus(told[place]) for place in order[::-1]])
        ends.add(str(left(mail)))

    assert len(ends) == 1
    assert "lost" in ends.pop()
    record_property("figure", f"orders of the events of one life: {len(orders)}, one end")


@pytest.mark.parametrize("seed", range(40))
def test_news_that_come_while_it_happens_late_and_twice_end_in_that_state_too(mail, seed):
    """Each event is delivered one to three times, at any time after it was made."""
    chance = random.Random(seed)
    steps: list[Callable[[], Any]] = []
    begun = mail.intent()
    steps.append(lambda: mail.refund(begun, 100))
    steps.append(lambda: mail.dispute(begun))
    steps.append(
        lambda: disputes_there.end(mail.counter, next(mail.counter.every("dispute")), "lost")
    )
    waiting: list[dict[str, Any]] = []
    known = 0
    for step in [*steps, lambda: None]:
        told = mail.events()
        waiting += [one for one in told[known:] for _ in range(chance.randint(1, 3))]
        known = len(told)
        chance.shuffle(waiting)
        deliver_some(mail, waiting, chance.randint(0, len(waiting)))
        step()
    waiting += mail.events()[known:]
    deliver_some(mail, waiting, len(waiting))

    assert [dispute.stage for dispute in mail.records(Dispute)] == ["lost"]
    assert statuses(mail) == ["succeeded", "succeeded"]
    assert mail.world.cents() == (1_000, 0)


def deliver_some(mail: Mail, waiting: list[dict[str, Any]], number: int) -> None:
    for _ in range(number):
        told = waiting.pop()
        again = mail.work([mail.by_bus(told)])
        # What cannot be taken in yet comes again, as the queue would bring it.
        waiting.extend([told] * len(again))
        if again:
            waiting.insert(0, waiting.pop())


# --- What goes wrong ------------------------------------------------------------------------------


def test_whoever_dies_at_any_call_leaves_work_that_the_next_one_ends(monkeypatch, record_property):
    tried = 0
    for fault in EVERY_FAULT:
        number = 0
        while True:
            mail = Mail()
            mail.stand_in(monkeypatch.setattr)
            mail.intent()
            (told,) = mail.events("payment_intent.succeeded")
            assert mail.knock(told) == 200
            (body,) = mail.world.arrivals.messages.emptied()
            before = mail.world.simulator.call_count
            mail.world.simulator.faults = mail.world.simulator.from_now({number: fault})
            with suppress(ProcessKilled):
                taken(mail, body)
            if mail.world.simulator.call_count - before <= number:
                break
            mail.world.simulator.faults = {}
            assert mail.work([body]) == []
            assert mail.entries() == [INTRODUCED, PAID], (fault, number)
            assert [one.status for one in mail.noted().values()] == ["done"]
            assert audit_items(mail.world.items()) == []
            number += 1
            tried += 1
    record_property("figure", f"worker: {tried} crash points, one credit after each")
    assert tried > len(EVERY_FAULT) * 5


def test_while_stripe_does_not_answer_an_event_waits(mail):
    mail.intent()
    (told,) = mail.events("payment_intent.succeeded")
    mail.knock(told)
    stripes = mail.world.stripes

    def silent(mode: str) -> Any:
        raise StripeUnavailable(outcome_unknown=False)

    mail.world.stripes = silent
    (waiting,) = mail.work()
    assert [one.status for one in mail.noted().values()] == ["received"]

    mail.world.stripes = stripes

    assert mail.work([waiting]) == []
    assert mail.entries() == [INTRODUCED, PAID]


POISON = {
    "no JSON": "not json",
    "a list": "[]",
    "a number": "7",
    "null": "null",
    "an empty object": "{}",
    "half an event": '{"event": {"id": "evt_9"}}',
    "an event of numbers": json.dumps(
        {
            "event": dict.fromkeys(
                ("id", "mode", "type", "object_type", "object_id", "customer_id", "created_at"), 7
            )
        }
    ),
    "another bus": '{"detail-type": "invoice.paid", "source": "acme.orders", "detail": {}}',
    "a source that is a number": '{"detail-type": "x", "source": 7, "detail": {}}',
    "a bus without an event": (
        '{"detail-type": "x", "source": "aws.partner/stripe.com/x", "detail": {}}'
    ),
    "no detail": '{"detail-type": "x", "source": "aws.partner/stripe.com/x"}',
}


@pytest.mark.parametrize("poison", POISON.values(), ids=POISON)
def test_a_message_that_is_no_event_stops_nobody_else(mail, poison):
    mail.intent()
    mail.knock(mail.events("payment_intent.succeeded")[0])
    (good,) = mail.world.arrivals.messages.emptied()

    assert mail.work([poison, good, poison]) == [poison, poison]

    assert mail.entries() == [INTRODUCED, PAID]
    assert len(mail.noted()) == 1


@pytest.mark.parametrize(
    ("kind", "about"),
    [
        ("payment_intent.succeeded", {"object": "payment_intent", "id": "pi_gone"}),
        ("checkout.session.completed", {"object": "checkout.session", "id": "cs_gone"}),
        ("charge.refunded", {"object": "charge", "id": "ch_gone"}),
        ("refund.updated", {"object": "refund", "id": "re_gone"}),
        (
            "payment_method.attached",
            {"object": "payment_method", "id": "pm_gone", "customer": "cus_gone"},
        ),
    ],
)
def test_what_is_not_there_any_more_is_parked_and_counted(mail, capsys, kind, about):
    mail.bring(event(kind, about))

    assert mail.outcomes() == [(kind, "parked")]
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [one["StripeEventsParked"] for one in told if "StripeEventsParked" in one] == [[1]]


OTHERS: dict[str, dict[str, str]] = {
    "nothing": {},
    "another program's": {"order": "17"},
    "another mode's": {"org": "acme", "mode": "test", "account_id": "acct_" + "a" * 26},
    "another org's": {"org": "globex", "mode": "live", "account_id": "acct_" + "a" * 26},
    "no org's": {"org": "#", "mode": "live", "account_id": "acct_" + "a" * 26},
    "no account's": {"org": "acme", "mode": "live", "account_id": "acct_#"},
}


@pytest.mark.parametrize("metadata", OTHERS.values(), ids=OTHERS)
def test_what_this_installation_knows_nothing_of_changes_nothing(mail, metadata):
    customer = mail.gateway.customers.create(key="theirs", metadata=metadata)
    mail.gateway.cards.attach("pm_card_visa", key="theirs", customer_id=customer.id)
    intent = mail.gateway.payment_intents.create(
        key="theirs pay",
        amount_micros=500 * CENT,
        currency="usd",
        customer_id=customer.id,
        payment_method_id="pm_card_mastercard",
        confirm=True,
        metadata={**metadata, "payment_id": "pay_" + "a" * 26} if metadata else {},
    )
    charge = mail.counter.find("charge", intent.charge_id or "")
    disputes_there.open_dispute(mail.counter, charge)

    mail.bring(*mail.events("payment_intent.succeeded", "payment_method.attached"))
    mail.bring(*mail.events("charge.dispute.created"))

    assert {outcome for _, outcome in mail.outcomes()} <= {"foreign", "parked"}
    assert len(mail.world.items()) == 3


def test_another_installations_customer_with_our_names_is_not_ours(mail):
    """Two tables behind one account of Stripe's: the records say whose customer it is."""
    mail.customer()
    theirs = mail.gateway.customers.create(key="theirs", metadata=cards.whose(mail.alice))
    mail.gateway.cards.attach("pm_card_visa", key="theirs", customer_id=theirs.id)

    mail.bring(*mail.events("payment_method.attached"))

    assert mail.outcomes() == [("payment_method.attached", "foreign")]
    assert cards_on_file(mail) == []


def test_the_bus_brings_events_of_our_own_account_only(mail, capsys):
    mail.intent()
    (told,) = mail.events("payment_intent.succeeded")

    assert mail.work([mail.by_bus({**told, "account": "acct_9"})]) == []

    assert mail.noted() == {}
    assert "StripeEventsParked" in capsys.readouterr().out


def test_live_and_test_do_not_meet(mail):
    mail.intent()
    (told,) = mail.events("payment_intent.succeeded")

    assert mail.work([mail.by_bus({**told, "livemode": False})]) == []

    assert mail.outcomes() == [("payment_intent.succeeded", "parked")]
    assert mail.entries() == [INTRODUCED]


def test_nothing_of_a_card_or_a_secret_is_in_a_log(mail, capsys):
    mail.page(number="4242424242424242")
    mail.intent("pm_card_chargeDeclined")
    set_up(mail)
    for told in mail.events():
        mail.bring(told)
        mail.work([mail.by_bus(told), "4242424242424242"])

    captured = capsys.readouterr()
    everything = captured.out + captured.err + str(mail.world.items())
    assert "evt_" in everything
    for canary in ("4242424242424242", "_secret_", "whsec_", "sk_", "a@example.com"):
        assert canary not in everything


def test_a_payment_that_is_begun_while_its_event_comes_is_credited_once(mail):
    """The answer of Stripe and its event, whichever is first."""
    begun = mail.intent()
    (told,) = mail.events("payment_intent.succeeded")
    assert mail.knock(told) == 200
    (body,) = mail.world.arrivals.messages.emptied()

    run = interleave([partial(taken, mail, body), partial(looked_at, mail, begun)], seed=7)

    assert [outcome.result() for outcome in run.outcomes] == ["done", "succeeded"]
    assert mail.entries() == [INTRODUCED, PAID]


def looked_at(mail: Mail, begun: Payment) -> str:
    client: Any = mail.world.simulator
    store = LedgerStore(client, "holdfast", pause=lambda seconds: None)
    known = payments.payment(store, begun.tenant, begun.id)
    return payments.look(store, mail.world.stripes, known, now=mail.world.now).payment.status


def test_a_confirmation_by_the_cards_owner_is_heard_of(mail):
    begun = mail.intent("pm_card_threeDSecure2Required")
    mail.bring(*mail.events("payment_intent.requires_action"))
    assert mail.payment(begun).status == "requires_action"

    intent = mail.counter.find("payment_intent", begun.payment_intent_id)
    method = mail.counter.find("payment_method", intent["payment_method"])
    paying.charge(mail.counter, intent, method)
    mail.bring(*mail.events("payment_intent.succeeded"))

    assert mail.payment(begun).status == "succeeded"
    assert mail.entries() == [INTRODUCED, PAID]
