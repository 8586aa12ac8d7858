"""Auto-recharge by the table's stream: low wallets are recharged, and a dead card is left alone."""

import random
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given, seed, settings
from hypothesis import strategies as st

from billing_cycle.app import sweep, tick
from funding.recharge import recharge_wallets
from holdfast import providers
from holdfast.domain.recharge import AutoRecharge
from holdfast.domain.recharge_attempts import ATTEMPTS_MAX, Attempt, Breaker
from holdfast.errors import StripeUnavailable
from holdfast.store import items
from tests.api.cards import attach
from tests.api.world import World
from tests.events.rig import Rig

NOTHING: dict[str, list[Any]] = {"batchItemFailures": []}
DEAD = "pm_card_chargeCustomerFail"


@pytest.fixture
def rig(monkeypatch: pytest.MonkeyPatch, rig: Rig) -> Rig:
    monkeypatch.setattr(providers, "stripe", rig.world.stripes)
    return rig


def switched_on(world: World, card_id: str = "pm_card_visa", **more: object) -> None:
    """Alice with a card, whose wallet is recharged by 20.00 when it has less than 10.00."""
    attach(world, card_id)
    funding = {"amount": 20, "threshold": 10, **more}
    assert world.ask("PUT", "/api/agents/v1/wallet/auto-funding", body=funding).status == 200


def deliver(records: list[Any]) -> None:
    assert recharge_wallets({"Records": records}, None) == NOTHING


def ticked(rig: Rig) -> None:
    """What the schedule does in its minute."""
    tick({}, None)
    for body in rig.queue.taken:
        message = {"messageId": "m", "body": body, "eventSource": "aws:sqs"}
        assert sweep({"Records": [message]}, None) == NOTHING
    rig.queue.taken.clear()


def kept[T](rig: Rig, kind: type[T]) -> list[T]:
    found = [each for each in rig.world.items() if each["sk"]["S"] != "ENTRY"]
    return [record for record in map(items.to_record, found) if isinstance(record, kind)]


def charged(rig: Rig) -> list[int]:
    """The cents of every payment that the provider was asked for."""
    intents = rig.world.provider.counter("live").every("payment_intent")
    return [intent["amount"] for intent in intents]


def test_usage_that_takes_a_wallet_below_the_threshold_has_it_recharged(rig):
    switched_on(rig.world)
    mark = rig.world.mark()
    rig.world.use(1)

    deliver(rig.records(mark))

    assert charged(rig) == [2_000]
    assert rig.world.cents() == (2_999, 0)


@pytest.mark.parametrize("used", [0, 1])
def test_the_image_that_switching_it_on_leaves_is_looked_at_too(rig, used):
    if used:
        rig.world.use(used)
    switched_on(rig.world)

    deliver(rig.records())

    assert len(charged(rig)) == used


def test_a_hold_takes_from_what_can_be_spent_and_so_has_it_recharged(rig):
    switched_on(rig.world)
    rig.world.hold(400)

    deliver(rig.records())

    assert charged(rig) == [2_000]
    assert rig.world.cents() == (3_000, 400)


@pytest.mark.parametrize(
    "happen",
    [
        lambda world: world.deposit(10),
        lambda world: world.quote(),
        lambda world: world.use(900),
        lambda world: world.hold(900),
    ],
    ids=["a deposit", "a quote", "usage", "a hold"],
)
def test_of_a_wallet_that_is_not_recharged_every_image_is_passed_over(rig, happen):
    happen(rig.world)
    before = rig.world.items()

    deliver(rig.records())

    assert rig.world.items() == before
    assert charged(rig) == []


def test_an_item_that_goes_is_passed_over(rig):
    switched_on(rig.world)
    (record, *_) = deepcopy(rig.records())
    record["dynamodb"].pop("NewImage")

    deliver([record])

    assert charged(rig) == []


def test_a_record_that_cannot_be_read_comes_again_and_the_others_are_done(rig):
    switched_on(rig.world)
    rig.world.use(1)
    records = deepcopy(rig.records())
    place = next(n for n, each in enumerate(records) if "RECHARGE" in str(each["dynamodb"]["Keys"]))
    records[place]["dynamodb"]["NewImage"] = {"sk": {"S": "WALLET#usd"}}

    answer = recharge_wallets({"Records": records}, None)

    number = records[place]["dynamodb"]["SequenceNumber"]
    assert answer == {"batchItemFailures": [{"itemIdentifier": number}]}
    assert charged(rig) == [2_000]


@seed(20261121)
@settings(max_examples=40)
@given(chance=st.randoms(use_true_random=False))
def test_records_in_any_order_and_any_number_of_times_come_to_one_charge(chance):
    rig = Rig()
    with pytest.MonkeyPatch.context() as patch:
        rig.stand_in(patch.setattr)
        patch.setattr(providers, "stripe", rig.world.stripes)
        switched_on(rig.world)
        rig.world.use(300)
        rig.world.use(150)
        for _ in range(4):
            seen = rig.records()
            some = [*seen, *chance.choices(seen, k=len(seen))]
            chance.shuffle(some)
            deliver(some)

    assert charged(rig) == [2_000]
    assert [each.status for each in kept(rig, Attempt)] == ["succeeded"]


def test_a_payment_that_an_event_finds_paid_ends_its_attempt_at_once(rig):
    switched_on(rig.world)
    rig.world.use(1)
    (settings_record,) = kept(rig, AutoRecharge)
    lost = _losing_answers(rig.world)
    deliver(rig.records())
    lost()
    (pending,) = kept(rig, AutoRecharge)
    assert pending.attempt_id
    assert settings_record.attempt_id == ""

    rig.world.wait(minutes=2)
    mark = rig.world.mark()
    ticked(rig)
    deliver(rig.records(mark))

    (after,) = kept(rig, AutoRecharge)
    assert (after.attempt_id, after.next_at) == ("", None)
    assert [each.status for each in kept(rig, Attempt)] == ["succeeded"]
    assert charged(rig) == [2_000]


def _losing_answers(world: World) -> Callable[[], None]:
    """From now on the answers to charges get lost; what is returned ends that."""
    intents = world.stripes("live").payment_intents
    create = intents.create

    def lost(**asked: Any) -> Any:
        create(**asked)
        raise StripeUnavailable(outcome_unknown=True)

    intents.create = lost  # type: ignore[method-assign]

    def found() -> None:
        intents.create = create  # type: ignore[method-assign]

    return found


def test_a_dead_card_is_charged_four_times_in_thirty_days_however_often_the_wallet_is_met(
    rig, record_property
):
    chance = random.Random(20261121)
    switched_on(rig.world, DEAD)
    deliveries, mark = 0, 0

    for _ in range(30 * 24):
        rig.world.use(chance.randint(1, 200))
        if chance.random() < 0.1:
            rig.world.deposit(chance.randint(1, 50))
        new = rig.records(mark)
        mark = rig.world.mark()
        # Twice, out of order, and some old ones among them.
        stream = rig.world.simulator.stream
        old = [stream[chance.randrange(len(stream))] for _ in range(3)]
        some = [*new, *new, *old]
        chance.shuffle(some)
        deliver(some)
        deliveries += len(some)
        ticked(rig)
        rig.world.wait(hours=1)

    assert len(charged(rig)) == ATTEMPTS_MAX == 4
    (breaker,) = kept(rig, Breaker)
    assert breaker.is_off
    assert [each.status for each in kept(rig, Attempt)] == ["failed"] * 4
    assert deliveries > 5_000
    status = rig.world.get("/v1/billing/recovery-status")
    assert (status["state"], status["failed_attempts"]) == ("blocked", 4)
    record_property(
        "figure", f"a dead card: {len(charged(rig))} charges in {deliveries:,} deliveries"
    )


def test_thirty_days_of_use_with_a_good_card_are_charged_as_they_go(rig):
    chance = random.Random(20261122)
    switched_on(rig.world, amount=50)
    mark = 0
    used = 0

    for _ in range(30 * 8):
        cents = chance.randint(1, 100)
        used += cents
        rig.world.use(cents)
        new = rig.records(mark)
        mark = rig.world.mark()
        deliver([*new, *reversed(new)])
        ticked(rig)
        rig.world.wait(hours=3)
        assert rig.world.cents()[0] >= 1_000

    assert rig.world.cents()[0] == 1_000 - used + sum(charged(rig))
    assert set(charged(rig)) == {5_000}
