"""Orders and pages whose requests meet: bought, credited and given back once, whoever is faster."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from holdfast.audit import audit_items
from holdfast.domain.payments import Payment
from holdfast.errors import Contention, KeyInUse, Refusal
from holdfast.services import cards, orders, payments, topups
from holdfast.services.orders import Order
from tests.services.caller import CENT, Caller
from tests.services.shop import Shop, shop
from tests.simulator.scheduler import interleave

SEEDS = range(25)
CONFIRMS = 12
BUSY = (KeyInUse.code, Contention.code)
"""What a delivery is told while another one is at it."""


@pytest.fixture
def counter() -> Shop:
    """A shop whose customer has a card on file."""
    there = shop()
    there.card_id = _saved(there, "pm_card_visa")
    return there


def _saved(there: Shop, card_id: str) -> str:
    caller = there.caller
    saved = cards.save_card(
        caller.store,
        there.stripes,
        caller.owner,
        card_id=card_id,
        make_default=True,
        once=caller.once(),
    )
    return saved.method.id


def buy(there: Shop, key: str = "k1", *, by: Caller | None = None) -> Payment:
    caller = by or there.caller
    return orders.buy(
        caller.store,
        there.stripes,
        caller.owner,
        plan_id="credits-10",
        payment_method_id=there.card_id,
        amount=None,
        surface="me",
        once=caller.once(key, asked="buy"),
    ).payment


def give_back(there: Shop, order_id: str, key: str | None = None, *, by: Caller | None = None):
    caller = by or there.caller
    once = caller.once(key, asked=f"give back {order_id}")
    return orders.refund(caller.store, there.stripes, caller.owner, order_id, once=once)


def listed(there: Shop) -> list[Order]:
    caller = there.caller
    return orders.orders(
        caller.store,
        caller.owner,
        field="created_at",
        descending=True,
        after=None,
        limit=100,
        now=there.now,
    ).orders


def at_stripe(there: Shop, kind: str) -> list[int]:
    return [each["amount"] for each in there.counter.every(kind)]


def told(work: Callable[[], Any]) -> str:
    try:
        work()
    except Refusal as refusal:
        return refusal.code
    return "done"


@pytest.mark.parametrize("seed", SEEDS)
def test_deliveries_of_one_order_that_meet_are_one_charge(counter, seed):
    works = [partial(told, partial(buy, counter, by=counter.caller.elsewhere())) for _ in range(3)]

    run = interleave(works, seed=seed)

    assert {each.value for each in run.outcomes} <= {"done", *BUSY}
    assert buy(counter).status == "succeeded"
    assert (at_stripe(counter, "charge"), counter.caller.balance()) == ([1000], (2000, 0))
    assert len(listed(counter)) == 1
    assert audit_items(counter.caller.stored()) == []


@pytest.mark.parametrize("seed", SEEDS)
def test_of_two_who_give_an_order_back_one_does(counter, seed):
    order_id = buy(counter).id
    works = [
        partial(told, partial(give_back, counter, order_id, by=counter.caller.elsewhere()))
        for _ in range(3)
    ]

    run = interleave(works, seed=seed)

    outcomes = sorted(str(each.value) for each in run.outcomes)
    assert outcomes == ["done", "order_not_refundable", "order_not_refundable"]
    assert (at_stripe(counter, "refund"), counter.caller.balance()) == ([1000], (1000, 0))
    assert audit_items(counter.caller.stored()) == []


@pytest.mark.parametrize("seed", SEEDS)
def test_an_order_that_is_given_back_while_its_money_is_spent_is_one_or_the_other(counter, seed):
    order_id = buy(counter).id
    spender = counter.caller.elsewhere()
    works = [
        partial(told, partial(give_back, counter, order_id, by=counter.caller.elsewhere())),
        partial(told, partial(spender.place, 1500)),
    ]

    outcomes = [each.value for each in interleave(works, seed=seed).outcomes]

    if outcomes[0] == "done":
        assert outcomes[1] == "insufficient_funds"
        assert (at_stripe(counter, "refund"), counter.caller.balance()) == ([1000], (1000, 0))
    else:
        assert outcomes == ["order_not_refundable", "done"]
        assert (at_stripe(counter, "refund"), counter.caller.balance()) == ([], (500, 1500))
    assert audit_items(counter.caller.stored()) == []


@pytest.mark.parametrize("seed", SEEDS)
def test_confirms_of_one_page_that_meet_are_one_credit(counter, seed):
    page = counter.pay_on_page(2500)
    session_id = counter.kept(page).session_id

    def confirm(caller: Caller) -> str:
        _, outcome = payments.session_of(
            caller.store, counter.stripes, caller.owner, session_id, now=counter.now
        )
        assert outcome is not None
        assert outcome.entry is not None
        return "new" if outcome.is_new else "known"

    works = [partial(confirm, counter.caller.elsewhere()) for _ in range(CONFIRMS)]
    run = interleave(works, seed=seed)

    outcomes = [str(each.value) for each in run.outcomes]
    assert sorted(outcomes) == ["known"] * (CONFIRMS - 1) + ["new"]
    assert counter.caller.balance() == (3500, 0)
    assert audit_items(counter.caller.stored()) == []


@pytest.mark.parametrize("seed", SEEDS)
def test_a_poll_a_confirm_and_an_event_that_meet_are_one_credit(counter, seed):
    page = counter.pay_on_page(2500)
    session_id = counter.kept(page).session_id
    intent_id = counter.counter.find("checkout.session", session_id)["payment_intent"]
    one, two, three = (counter.caller.elsewhere() for _ in range(3))
    works = [
        lambda: topups.intent(one.store, counter.stripes, one.owner, intent_id, now=counter.now),
        lambda: payments.session_of(
            two.store, counter.stripes, two.owner, session_id, now=counter.now
        ),
        lambda: payments.fulfil(three.store, counter.stripes, "live", intent_id, now=counter.now),
    ]

    run = interleave([partial(told, work) for work in works], seed=seed)

    assert [each.value for each in run.outcomes] == ["done"] * 3
    assert counter.caller.balance() == (3500, 0)
    assert audit_items(counter.caller.stored()) == []


@pytest.mark.parametrize("fault", ["before", "after"])
@pytest.mark.parametrize("call", range(4))
def test_an_order_that_stripe_did_not_answer_is_bought_once_by_the_next_delivery(
    counter, call, fault
):
    door = counter.doors["live"]
    door.plan, door.calls = {call: fault}, 0
    first = told(partial(buy, counter))
    door.plan = {}

    assert first in ("done", "stripe_unavailable")
    assert buy(counter).status == "succeeded"
    assert (at_stripe(counter, "charge"), counter.caller.balance()) == ([1000], (2000, 0))


def test_an_order_that_nobody_asks_for_again_is_found_by_the_sweeper(counter):
    door = counter.doors["live"]
    door.plan, door.calls = {0: "after"}, 0
    assert told(partial(buy, counter)) == "stripe_unavailable"
    door.plan = {}
    (lost,) = listed(counter)
    assert (lost.payment.status, counter.caller.balance()) == ("pending", (1000, 0))

    counter.wait(timedelta(minutes=3))
    payments.sweep(
        counter.caller.store,
        counter.stripes,
        counter.caller.owner.tenant,
        lost.payment.id,
        now=counter.now,
    )

    (found,) = listed(counter)
    assert (found.payment.status, found.is_refundable) == ("succeeded", True)
    assert counter.caller.balance() == (2000, 0)


def test_a_plan_is_charged_in_its_own_currency(counter):
    paid = buy(counter)

    assert (paid.received_micros, paid.received_currency) == (1000 * CENT, "usd")


def test_a_refund_that_the_bank_sends_back_leaves_the_order_as_it_was(counter):
    order_id = buy(counter).id
    refund = give_back(counter, order_id).refund

    counter.send_back(refund)

    (found,) = listed(counter)
    assert (found.payment.refunded_micros, found.is_refundable) == (0, True)
    assert counter.caller.balance() == (2000, 0)
