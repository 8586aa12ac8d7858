"""Whoever has to do with one payment comes at once, between any two calls of the others.

Whoever wins, in the end Stripe and the wallets have the same money, and what was paid is paid once.
"""

from collections.abc import Callable
from copy import copy
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any, override

import pytest

from holdfast.domain.payments import CANCELED, SUCCEEDED
from holdfast.errors import PaymentDeclined, Refusal
from holdfast.gateways.stripe.transport import Transport
from holdfast.services import payments
from tests.services.caller import CENT
from tests.services.payer import Payer, payer
from tests.simulator.scheduler import interleave, yield_point

SEEDS = range(25)
LATER = timedelta(minutes=3)


class Stopping(Transport):
    """Stripe's door, at which somebody else may come first: before it is asked, and after."""

    def __init__(self, door: Transport) -> None:
        super().__init__(attempt_seconds=1, call_seconds=1, pause_seconds=0)
        self.door = door

    @override
    def request(self, method: str, url: str, *told: Any, **more: Any) -> Any:
        yield_point(f"ask {url}")
        answer = self.door.request(method, url, *told, **more)
        yield_point(f"hear {url}")
        return answer


@dataclass(slots=True)
class Meeting:
    """A payer, and those who come at once, each from an environment of its own."""

    payer: Payer = field(default_factory=payer)
    works: list[Callable[[], object]] = field(default_factory=list)

    def __post_init__(self) -> None:
        door = self.payer.shop.doors["live"]
        door.door = Stopping(door.door)

    def also(self, work: Callable[[Payer], object], *, by: timedelta = timedelta()) -> None:
        """Somebody else comes, whose clock is so much ahead."""
        shop = copy(self.payer.shop)
        shop.caller = shop.caller.elsewhere(now=shop.now + by)
        self.works.append(partial(work, Payer(shop)))

    def run(self, seed: int) -> list[str]:
        """How each has ended, in a word."""
        ends = [outcome.error for outcome in interleave(self.works, seed=seed).outcomes]
        for error in ends:
            if error is not None and not isinstance(error, Refusal):
                raise error
        return [error.code if isinstance(error, Refusal) else "done" for error in ends]

    def afterwards(self) -> list[object]:
        """What is wrong once Stripe has told everything, and the sweeper has come."""
        self.payer.hear()
        self.payer.sweep()
        open_ones = [each.id for each in self.payer.kept() if each.due_at is not None]
        return [*self.payer.flaws(), *open_ones]


def sweep(payer: Payer) -> None:
    for each in payer.kept():
        payer.swept(each.id)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_charge_that_is_delivered_twice_while_it_is_told_of_and_swept(seed):
    meeting = Meeting()
    meeting.also(lambda payer: payer.shop.pay(2_000, "once"))
    meeting.also(lambda payer: payer.shop.pay(2_000, "once"))
    meeting.also(Payer.hear)
    meeting.also(sweep, by=LATER)

    ends = meeting.run(seed)

    assert set(ends) <= {"done", "idempotency_key_in_use", "contention", "service_unavailable"}
    assert meeting.afterwards() == []
    assert meeting.payer.caller.balance() == (8_000, 0)
    assert len(list(meeting.payer.shop.counter.every("payment_intent"))) == 2


@pytest.mark.parametrize("seed", SEEDS)
def test_a_decline_that_is_delivered_twice_while_it_is_told_of(seed):
    meeting = Meeting()
    for _ in range(2):
        meeting.also(declined)
    meeting.also(Payer.hear)

    ends = meeting.run(seed)

    assert set(ends) <= {"payment_declined", "idempotency_key_in_use", "contention", "done"}
    assert ends[:2] != ["done", "done"]
    assert meeting.afterwards() == []
    assert meeting.payer.caller.balance() == (6_000, 0)


def declined(payer: Payer) -> None:
    payer.shop.card_id = "pm_card_chargeDeclined"
    payer.shop.pay(2_000, "declined")


@pytest.mark.parametrize("seed", SEEDS)
def test_a_page_that_is_paid_while_everybody_looks_at_it(seed):
    meeting = Meeting()
    page = meeting.payer.shop.pay_on_page(1_500)

    def look(payer: Payer) -> None:
        payments.session_of(
            payer.caller.store,
            payer.shop.stripes,
            payer.caller.owner,
            page.session_id,
            now=payer.shop.now,
        )

    meeting.also(look)
    meeting.also(look)
    meeting.also(Payer.hear)
    meeting.also(sweep, by=timedelta(days=9))

    meeting.run(seed)

    assert meeting.afterwards() == []
    assert meeting.payer.caller.balance() == (7_500, 0)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_refund_and_a_dispute_of_one_payment(seed):
    meeting = Meeting()
    shop = meeting.payer.shop
    paid = shop.pay(2_000)
    dispute = shop.dispute(paid, tell=False)
    meeting.also(lambda payer: payer.refund(paid.id))
    meeting.also(lambda payer: payer.shop.hear_of(dispute))
    meeting.also(lambda payer: payer.shop.hear_of(dispute))

    ends = meeting.run(seed)
    shop.hear_of(dispute)

    assert ends[0] in ("refund_refused", "contention")
    assert meeting.afterwards() == []
    assert meeting.payer.caller.balance() == (6_000, 2_000)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_refund_while_its_money_is_spent(seed):
    meeting = Meeting()
    (paid,) = meeting.payer.kept()
    meeting.also(lambda payer: payer.refund(paid.id))
    meeting.also(lambda payer: payer.caller.withdraw(1_500))
    meeting.also(lambda payer: payer.caller.place(1_500))

    ends = meeting.run(seed)

    available, held = meeting.payer.caller.balance()
    assert available >= 0
    took = 5_000 * (ends[0] == "done") + 1_500 * (ends[1] == "done") + held
    assert available == 6_000 - took
    assert meeting.afterwards() == []


@pytest.mark.parametrize("seed", SEEDS)
def test_two_refunds_of_all_of_it(seed):
    meeting = Meeting()
    (paid,) = meeting.payer.kept()
    for _ in range(2):
        meeting.also(lambda payer: payer.refund(paid.id))
    meeting.also(Payer.hear)

    ends = meeting.run(seed)

    assert sorted(ends[:2]) in (["done", "refund_exceeded"], ["contention", "done"])
    assert meeting.afterwards() == []
    assert meeting.payer.caller.balance() == (1_000, 0)


@pytest.mark.parametrize("seed", SEEDS)
def test_one_refund_that_is_delivered_twice_while_it_is_swept_and_told_of(seed):
    meeting = Meeting()
    (paid,) = meeting.payer.kept()
    for _ in range(2):
        meeting.also(lambda payer: payer.refund(paid.id, 700 * CENT, payer.caller.once("back")))
    meeting.also(sweep, by=LATER)
    meeting.also(Payer.hear)

    meeting.run(seed)

    assert meeting.afterwards() == []
    assert meeting.payer.payment(paid.id).refunded_micros == 700 * CENT
    assert meeting.payer.caller.balance() == (5_300, 0)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("method", ["card", "balance"])
def test_a_partial_capture_and_a_cancellation(method, seed):
    meeting = Meeting()
    made = meeting.payer.intent(captures_by_hand=True)
    meeting.payer.confirm(made, meeting.payer.on_file() if method == "card" else "balance")
    meeting.also(lambda payer: payer.capture(made, 200 * CENT))
    meeting.also(lambda payer: payer.cancel(made))
    meeting.also(Payer.hear)

    ends = meeting.run(seed)

    known = meeting.payer.payment(made)
    assert "done" in ends[:2]
    assert ends[:2].count("done") == 1
    assert known.status == (SUCCEEDED if ends[0] == "done" else CANCELED)
    assert known.received_micros == (200 * CENT if ends[0] == "done" else 0)
    assert meeting.afterwards() == []
    spent = 200 if ends[0] == "done" and method == "balance" else 0
    assert meeting.payer.caller.balance() == (6_000 - spent, 0)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("method", ["card", "balance"])
def test_two_captures_of_different_amounts(method, seed):
    meeting = Meeting()
    made = meeting.payer.intent(captures_by_hand=True)
    meeting.payer.confirm(made, meeting.payer.on_file() if method == "card" else "balance")
    for cents in (100, 200):
        meeting.also(partial(Payer.capture, payment_id=made, micros=cents * CENT))
    meeting.also(sweep, by=LATER)

    ends = meeting.run(seed)

    assert ends[:2].count("done") == 1
    taken = (100, 200)[ends.index("done")]
    assert meeting.payer.payment(made).received_micros == taken * CENT
    assert meeting.afterwards() == []


@pytest.mark.parametrize("seed", SEEDS)
def test_what_was_declined_is_paid_by_card_and_by_the_wallet_at_once(seed):
    meeting = Meeting()
    made = meeting.payer.intent()
    with pytest.raises(PaymentDeclined):
        meeting.payer.confirm(made, meeting.payer.on_file("pm_card_chargeCustomerFail"))
    card = meeting.payer.on_file()
    meeting.also(lambda payer: payer.confirm(made, card))
    meeting.also(lambda payer: payer.confirm(made, "balance"))
    meeting.also(Payer.hear)

    meeting.run(seed)

    assert meeting.afterwards() == []
    known = meeting.payer.payment(made)
    by_balance = known.is_by_balance and known.status == SUCCEEDED
    assert meeting.payer.caller.balance() == (6_000 - 300 * by_balance, 0)
    there = meeting.payer.shop.counter.every("payment_intent")
    paid_there = sum(each["amount_received"] for each in there)
    assert paid_there == 5_000 + 300 * (known.status == SUCCEEDED and not by_balance)


@pytest.mark.parametrize("seed", SEEDS)
def test_two_confirmations_while_one_is_told_of_and_swept(seed):
    meeting = Meeting()
    made, cards = meeting.payer.intent(), [meeting.payer.on_file(), "balance"]
    for method in cards:
        meeting.also(partial(Payer.confirm, payment_id=made, method=method))
    meeting.also(Payer.hear)
    meeting.also(sweep, by=LATER)

    meeting.run(seed)

    assert meeting.afterwards() == []
    known = meeting.payer.payment(made)
    assert known.status in (SUCCEEDED, "failed")


@pytest.mark.parametrize("seed", SEEDS)
def test_a_refund_that_the_bank_sends_back_while_another_is_asked_for(seed):
    meeting = Meeting()
    (paid,) = meeting.payer.kept()
    first = meeting.payer.refund(paid.id, 3_000 * CENT).refund
    meeting.payer.shop.send_back(first, tell=False)
    meeting.also(lambda payer: payer.refund(paid.id, 2_000 * CENT))
    meeting.also(Payer.hear)
    meeting.also(Payer.hear)

    ends = meeting.run(seed)

    assert ends[0] in ("done", "contention")
    assert meeting.afterwards() == []
    given = 2_000 * (ends[0] == "done")
    assert meeting.payer.payment(paid.id).refunded_micros == given * CENT
    assert meeting.payer.caller.balance() == (6_000 - given, 0)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_client_who_is_so_slow_that_its_payment_is_given_up_meanwhile(seed):
    meeting = Meeting()
    meeting.also(lambda payer: payer.shop.pay(2_000, "slow"))
    meeting.also(sweep, by=LATER)
    meeting.also(lambda payer: payer.shop.pay(2_000, "slow"), by=2 * LATER)
    meeting.also(sweep, by=3 * LATER)

    meeting.run(seed)

    assert meeting.afterwards() == []
    assert meeting.payer.caller.balance() == (8_000, 0)
