"""A grant whose day has come opens once, whoever notices first; one that was voided stays gone."""

from collections.abc import Callable
from typing import Any

import pytest

from holdfast import audit
from holdfast.domain.credits import CreditGrant
from holdfast.domain.ledger import Wallet
from holdfast.errors import InsufficientFunds, InvalidField, TransactionNotFound
from holdfast.services import credits as credit
from holdfast.services import expiry
from holdfast.services.credits import GrantTerms
from tests.domain.samples import HOUR, MILLISECOND, NOW
from tests.services.caller import CENT, INTRODUCTORY, LIVE, Caller, bob, later
from tests.simulator.scheduler import all_orders, interleave

type Ask = Callable[[Caller], Any]


def give(alice: Caller, cents: int, **terms: Any) -> CreditGrant:
    given, _ = credit.grant(
        alice.store,
        alice.owner,
        amount_micros=cents * CENT,
        currency="usd",
        terms=GrantTerms(name="gift", **terms),
        once=alice.once(),
    )
    return given


def void(alice: Caller, given: CreditGrant, key: str | None = None) -> Any:
    return credit.void(alice.store, LIVE, grant_id=given.id, once=alice.once(key))


def left(alice: Caller, given: CreditGrant) -> int:
    """Cents that nobody has spent of a grant, as its list says."""
    page = credit.grants(alice.store, alice.owner, before=None, limit=100, now=alice.now, own=False)
    (found,) = (each for each in page.grants if each.grant.id == given.id)
    return found.left_micros // CENT


def scheduled() -> Caller:
    """Alice with fifty cents that are hers in an hour, seen from that moment."""
    alice = Caller()
    alice.wallet()
    give(alice, 50, effective_at=NOW + HOUR)
    return later(alice, HOUR)


def sweep(alice: Caller) -> Any:
    return expiry.sweep(alice.store, alice.owner, "usd", now=alice.now)


LOOKS: dict[str, Ask] = {
    "a read": lambda alice: alice.wallet(),
    "a debit": lambda alice: alice.use(1),
    "a hold": lambda alice: alice.hold(1),
    "a sweep": sweep,
    "a list": lambda alice: credit.grants(
        alice.store, alice.owner, before=None, limit=9, now=alice.now, own=True
    ),
}


@pytest.mark.parametrize("look", LOOKS.values(), ids=LOOKS)
def test_whoever_comes_first_on_its_day_opens_it_and_nobody_opens_it_again(look):
    alice = scheduled()

    look(alice)
    for again in LOOKS.values():
        again(alice.elsewhere())

    wallet: Wallet = alice.wallet()
    assert alice.entries().count("credit_grant") == 1
    assert wallet.pending == ()
    spent = alice.entries().count("usage") + alice.entries().count("hold")
    assert wallet.available_micros(alice.now) == (INTRODUCTORY + 50 - spent) * CENT


@pytest.mark.parametrize("look", LOOKS.values(), ids=LOOKS)
def test_nobody_opens_it_a_moment_too_soon(look):
    alice = scheduled()
    early = alice.elsewhere(now=alice.now - MILLISECOND)

    look(early)

    assert "credit_grant" not in early.entries()
    assert len(early.wallet().pending) == 1


def _elsewhere(ask: Ask) -> Ask:
    return lambda alice: ask(alice.elsewhere())


@pytest.mark.parametrize("look", ["a read", "a debit", "a sweep"])
@pytest.mark.parametrize("other", ["a read", "a debit", "a sweep"])
def test_two_who_come_at_once_open_it_once_in_every_order_of_their_calls(look, other):
    pair = (_elsewhere(LOOKS[look]), _elsewhere(LOOKS[other]))

    for alice, run in all_orders(scheduled, *pair):
        for outcome in run.outcomes:
            outcome.result()
        assert alice.entries().count("credit_grant") == 1, run.order
        assert alice.wallet().pending == ()


@pytest.mark.parametrize("seed", range(20))
def test_a_crowd_on_its_day_opens_it_once(seed):
    alice = scheduled()
    works = [lambda look=look: _elsewhere(look)(alice) for _ in range(4) for look in LOOKS.values()]

    run = interleave(works, seed=seed)

    assert [outcome.error for outcome in run.outcomes] == [None] * 20
    assert alice.entries().count("credit_grant") == 1


def test_a_grant_that_is_voided_before_its_day_is_never_opened():
    alice = Caller()
    alice.wallet()
    given = give(alice, 50, effective_at=NOW + HOUR)

    void(alice, given)
    tomorrow = later(alice, HOUR)
    sweep(tomorrow)

    assert tomorrow.balance() == (INTRODUCTORY, 0)
    assert tomorrow.entries() == ["introductory_credit", "credit_scheduled", "credit_void"]
    assert left(tomorrow, given) == 0


def spent_by_alice() -> tuple[Caller, CreditGrant, str]:
    """An environment that remembers a grant as it was before anybody voided it, and a charge."""
    alice = Caller()
    alice.wallet()
    given = give(alice, 50, priority=0, expires_in=9 * HOUR)
    return alice, given, alice.use(50).entry.id


def test_a_refund_does_not_bring_back_what_was_voided_elsewhere_meanwhile():
    alice, given, charge_id = spent_by_alice()
    void(alice.elsewhere(), given)

    # This environment has never heard of the void.
    alice.refund(charge_id, 50)

    assert left(alice.elsewhere(), given) == 0
    assert alice.elsewhere().balance() == (INTRODUCTORY, 0)


def test_a_charge_of_somebody_else_that_drew_a_grant_is_unknown():
    alice, _, charge_id = spent_by_alice()
    stranger = bob(alice)
    stranger.wallet()
    before = alice.stored()

    with pytest.raises(TransactionNotFound):
        stranger.refund(charge_id, 50)

    assert alice.stored() == before


def test_a_charge_that_drew_a_grant_in_another_currency_is_refused():
    alice, _, charge_id = spent_by_alice()
    alice.deposit(1, currency="eur")
    before = alice.stored()

    with pytest.raises(InvalidField) as refused:
        alice.refund(charge_id, 50, currency="eur")

    assert refused.value.param == "currency"
    assert alice.stored() == before


def test_a_refund_and_a_void_at_once_never_leave_credit_that_was_taken_back():
    def prepare() -> tuple[Caller, CreditGrant, str]:
        return spent_by_alice()

    for (alice, given, _), run in all_orders(
        prepare,
        lambda world: world[0].elsewhere().refund(world[2], 50),
        lambda world: void(world[0].elsewhere(), world[1], "void"),
    ):
        for outcome in run.outcomes:
            outcome.result()
        assert left(alice.elsewhere(), given) == 0, run.order
        assert alice.elsewhere().balance() == (INTRODUCTORY, 0)


def test_a_hold_and_a_void_at_once_share_the_grant_between_them():
    def prepare() -> tuple[Caller, CreditGrant]:
        alice = Caller()
        alice.wallet()
        return alice, give(alice, 50, expires_in=9 * HOUR)

    for (alice, given), run in all_orders(
        prepare,
        lambda world: world[0].elsewhere().hold(20),
        lambda world: void(world[0].elsewhere(), world[1], "void"),
    ):
        hold_id = str(run.outcomes[0].result())
        run.outcomes[1].result()
        later_on = alice.elsewhere()
        # The hold has it all the same, if it came first; nobody else has any of it.
        assert left(later_on, given) in (0, 20), run.order
        later_on.release(hold_id)
        assert left(later_on, given) == 0
        assert later_on.balance() == (INTRODUCTORY, 0)


def test_credit_in_one_currency_pays_nothing_in_another():
    alice = Caller()
    alice.wallet()
    terms = GrantTerms(name="gift")
    credit.grant(
        alice.store,
        alice.owner,
        amount_micros=50 * CENT,
        currency="eur",
        terms=terms,
        once=alice.once(),
    )
    before = alice.stored()

    with pytest.raises(InsufficientFunds):
        alice.hold(INTRODUCTORY + 1)
    assert alice.stored() == before
    with pytest.raises(InsufficientFunds):
        alice.place(51, currency="eur")
    assert alice.stored() == before
    alice.place(50, currency="eur")

    assert alice.balance() == (INTRODUCTORY, 0)
    assert alice.wallet("eur").held_micros == 50 * CENT


@pytest.mark.parametrize("look", LOOKS.values(), ids=LOOKS)
def test_the_books_are_sound_whoever_opened_it(look):
    alice = scheduled()
    look(alice)

    assert audit.audit_items(alice.stored()) == []
