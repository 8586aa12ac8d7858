"""Use cases of cards that meet, that break in the middle, or that somebody else asks for."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import pytest

from holdfast.audit import audit_items
from holdfast.domain.accounts import Owner
from holdfast.domain.payment_methods import Customer, PaymentMethod
from holdfast.errors import AccountNotFound, Refusal, Unavailable
from holdfast.services import cards, setups
from holdfast.store import items
from local.stripe import payment_methods as at_stripe
from tests.api.provider import Provider
from tests.domain.samples import NOW
from tests.services.caller import Caller
from tests.simulator.faults import THROTTLED
from tests.simulator.scheduler import interleave

SEEDS = range(25)


@dataclass(slots=True)
class Desk:
    """A caller, and the provider that it saves cards with."""

    caller: Caller
    provider: Provider

    def elsewhere(self) -> "Desk":
        return Desk(self.caller.elsewhere(), self.provider)

    def save(self, card_id: str = "pm_card_visa", *, key: str | None = None) -> Any:
        return cards.save_card(
            self.caller.store,
            self.provider.gateway,
            self.caller.owner,
            card_id=card_id,
            make_default=True,
            once=self.caller.once(key, asked=card_id),
        )

    def remove(self, card_id: str, *, key: str | None = None) -> Any:
        return cards.remove_card(
            self.caller.store,
            self.provider.gateway,
            self.caller.owner,
            card_id=card_id,
            once=self.caller.once(key, asked=f"remove {card_id}"),
        )

    def look(self) -> Any:
        return cards.cards(self.caller.store, self.provider.gateway, self.caller.owner, now=NOW)

    def kept(self, kind: type) -> list[Any]:
        """The records of a kind."""
        found = [each for each in self.caller.stored() if each["sk"]["S"] != "ENTRY"]
        return [record for record in map(items.to_record, found) if isinstance(record, kind)]

    def at_stripe(self) -> list[str]:
        """The ids of the cards that Stripe keeps for its customers."""
        counter = self.provider.counter("live")
        return [
            method["id"]
            for customer in counter.every("customer")
            for method in at_stripe.of_customer(counter, customer["id"])
        ]


@pytest.fixture
def desk() -> Desk:
    return Desk(Caller(), Provider(clock=NOW.timestamp))


def told(work: Callable[[], Any]) -> str:
    try:
        work()
    except Refusal as refusal:
        return refusal.code
    return "done"


@pytest.mark.parametrize("seed", SEEDS)
def test_an_account_is_one_customer_however_many_requests_make_it_one(desk, seed):
    works = [each.look for each in (desk, desk.elsewhere())]
    works += [desk.elsewhere().save, desk.elsewhere().save]

    run = interleave([partial(told, work) for work in works], seed=seed)

    assert [each.value for each in run.outcomes] == ["done"] * 4
    assert len(desk.kept(Customer)) == len(list(desk.provider.counter("live").every("customer")))
    assert len(desk.kept(Customer)) == 1
    assert audit_items(desk.caller.stored()) == []


@pytest.mark.parametrize("seed", SEEDS)
def test_two_deliveries_of_one_request_save_one_card(desk, seed):
    desk.save("pm_card_amex")
    works = [desk.elsewhere(), desk.elsewhere(), desk.elsewhere()]

    deliveries = [partial(told, partial(each.save, key="k1")) for each in works[:2]]
    interleave([*deliveries, partial(told, works[2].look)], seed=seed)

    assert len(desk.kept(PaymentMethod)) == len(desk.at_stripe()) == 2
    again = desk.elsewhere().save(key="k1")
    assert (again.replayed, again.is_default) == (True, True)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_default_card_that_goes_while_another_comes_leaves_one_default(desk, seed):
    first = desk.save().method
    works = [desk.elsewhere(), desk.elsewhere()]

    interleave(
        [partial(told, partial(works[0].remove, first.id)), partial(told, works[1].save)],
        seed=seed,
    )

    (shown,) = desk.look()
    assert shown.is_default
    assert shown.method.id in desk.at_stripe()


def test_a_card_that_was_saved_there_and_not_written_here_is_by_the_next_delivery(desk):
    desk.save("pm_card_amex")
    broken = desk.caller.simulator
    broken.faults = lambda number, method: THROTTLED if method == "transact_write_items" else None
    with pytest.raises(Unavailable):
        desk.save(key="k1")
    broken.faults = lambda number, method: None
    assert (len(desk.kept(PaymentMethod)), len(desk.at_stripe())) == (1, 2)

    saved = desk.save(key="k1")

    assert (saved.is_new, saved.is_default, saved.replayed) == (True, True, False)
    assert len(desk.kept(PaymentMethod)) == len(desk.at_stripe()) == 2


OTHERS: dict[str, Callable[[Desk, Owner], Any]] = {
    "save": lambda desk, owner: cards.save_card(
        desk.caller.store,
        desk.provider.gateway,
        owner,
        card_id="pm_card_visa",
        make_default=True,
        once=desk.caller.once(),
    ),
    "look at all": lambda desk, owner: cards.cards(
        desk.caller.store, desk.provider.gateway, owner, now=NOW
    ),
    "look at one": lambda desk, owner: cards.card(desk.caller.store, owner, card_id="pm_1"),
    "choose": lambda desk, owner: cards.choose_card(
        desk.caller.store,
        desk.provider.gateway,
        owner,
        card_id="pm_1",
        once=desk.caller.once(),
    ),
    "describe": lambda desk, owner: cards.describe_card(
        desk.caller.store,
        owner,
        card_id="pm_1",
        billing_address=None,
        metadata={},
        once=desk.caller.once(),
    ),
    "remove": lambda desk, owner: cards.remove_card(
        desk.caller.store,
        desk.provider.gateway,
        owner,
        card_id="pm_1",
        once=desk.caller.once(),
    ),
    "begin": lambda desk, owner: setups.begin_setup(
        desk.caller.store,
        desk.provider.gateway,
        owner,
        usage="off_session",
        once=desk.caller.once(),
    ),
}


@pytest.mark.parametrize("ask", OTHERS.values(), ids=OTHERS)
def test_whoever_has_no_seat_in_an_account_is_told_that_there_is_none(desk, ask):
    desk.save()
    before, there = desk.caller.stored(), desk.at_stripe()
    owner = replace(desk.caller.owner, user=None, asker="acme/bob")

    with pytest.raises(AccountNotFound):
        ask(desk, owner)

    assert (desk.caller.stored(), desk.at_stripe()) == (before, there)
