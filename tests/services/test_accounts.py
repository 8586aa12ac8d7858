from functools import partial

import pytest

from holdfast.domain.accounts import Account, Owner, default_account_id, owner_of
from holdfast.errors import AccountNotFound, InsufficientFunds
from holdfast.services import wallet
from holdfast.services.accounts import system_once
from holdfast.services.refs import account_of
from tests.domain.samples import NOW
from tests.services.caller import CENT, INTRODUCTORY, LIVE, TEST, Ask, Caller, bob, by_id
from tests.simulator.scheduler import interleave

FIRST_CALLS: dict[str, Ask] = {
    "deposit": lambda alice: alice.deposit(500),
    "usage": lambda alice: alice.use(15),
    "hold": lambda alice: alice.place(10),
    "quote": lambda alice: alice.quote(),
    "look": lambda alice: alice.wallet(),
    "look at all": lambda alice: wallet.wallets(alice.store, alice.owner, now=NOW, own=True),
    "look at another currency": lambda alice: alice.wallet("eur"),
    "deposit of another currency": lambda alice: alice.deposit(500, currency="eur"),
}


@pytest.mark.parametrize("ask", FIRST_CALLS.values(), ids=FIRST_CALLS)
def test_the_first_call_makes_the_account_with_its_introductory_credit(ask):
    alice = Caller()

    ask(alice)

    account = alice.store.read(account_of(alice.owner))
    assert account == Account(
        tenant=LIVE,
        id=alice.owner.account_id,
        owner="acme/alice",
        name="acme/alice",
        created_at=NOW,
        version=1,
    )
    assert alice.entries()[0] == "introductory_credit"


@pytest.mark.parametrize("ask", FIRST_CALLS.values(), ids=FIRST_CALLS)
def test_the_account_is_made_once_whatever_comes_after(ask):
    alice = Caller()

    for _ in range(2):
        for each in (ask, *FIRST_CALLS.values()):
            each(alice.elsewhere())

    assert alice.entries().count("introductory_credit") == 1


def test_the_credit_can_be_spent_by_the_very_first_call():
    alice = Caller()

    alice.place(INTRODUCTORY)

    assert alice.balance() == (0, INTRODUCTORY)


def test_a_refusal_makes_no_account():
    alice = Caller()

    with pytest.raises(InsufficientFunds) as refused:
        alice.place(INTRODUCTORY + 1)
    with pytest.raises(InsufficientFunds):
        alice.withdraw(1)

    # It tells the balance that there would have been.
    assert refused.value.details["available_micros"] == INTRODUCTORY * CENT
    assert alice.stored() == []


def test_the_credit_is_in_one_currency_only():
    alice = Caller()

    alice.deposit(500, currency="eur")

    assert alice.wallet("eur").available_micros(NOW) == 500 * CENT
    assert alice.wallet("usd").available_micros(NOW) == INTRODUCTORY * CENT
    assert alice.entries("eur") == ["deposit"]


def test_each_user_and_each_mode_has_an_account_of_its_own():
    alice = Caller()
    others = [
        bob(alice),
        alice.elsewhere(owner=owner_of(TEST, "acme/alice")),
        alice.elsewhere(owner=owner_of(LIVE, "other/alice")),
    ]

    alice.deposit(500)
    for each in others:
        each.deposit(1)

    assert alice.balance() == (INTRODUCTORY + 500, 0)
    assert [each.balance() for each in others] == [(INTRODUCTORY + 1, 0)] * 3


@pytest.mark.parametrize("seed", range(5))
def test_twenty_first_looks_at_once_make_one_account(seed):
    alice = Caller()
    desks = [alice.elsewhere() for _ in range(20)]

    run = interleave([desk.wallet for desk in desks], seed=seed)

    found = [outcome.result() for outcome in run.outcomes]
    assert found == [alice.wallet()] * 20
    assert alice.balance() == (INTRODUCTORY, 0)
    assert alice.entries() == ["introductory_credit"]


@pytest.mark.parametrize("seed", range(5))
def test_twenty_first_writes_at_once_make_one_account(seed):
    alice = Caller()
    desks = [alice.elsewhere() for _ in range(20)]

    run = interleave([partial(desk.deposit, 1) for desk in desks], seed=seed)

    done = sum(outcome.error is None for outcome in run.outcomes)
    assert done >= 1
    assert alice.entries() == ["introductory_credit"] + ["deposit"] * done
    assert alice.balance() == (INTRODUCTORY + done, 0)


UNKNOWN = Owner(LIVE, default_account_id(LIVE, "acme/nobody"))
WRITES: dict[str, Ask] = {
    "deposit": lambda caller: caller.deposit(1),
    "withdraw": lambda caller: caller.withdraw(1),
    "usage": lambda caller: caller.use(1),
    "hold": lambda caller: caller.place(1),
    "quote": lambda caller: caller.quote(),
    "own look": lambda caller: caller.wallet(own=True),
    "look": lambda caller: caller.wallet(own=False),
    "look at all": lambda caller: wallet.wallets(caller.store, caller.owner, now=NOW, own=False),
}


@pytest.mark.parametrize("ask", WRITES.values(), ids=WRITES)
def test_an_account_cannot_be_made_by_naming_its_id(ask):
    nobody = Caller(owner=UNKNOWN)

    with pytest.raises(AccountNotFound):
        ask(nobody)

    assert nobody.stored() == []


@pytest.mark.parametrize("ask", WRITES.values(), ids=WRITES)
def test_an_account_that_is_there_can_be_named_by_its_id(ask):
    alice = Caller()
    alice.deposit(500)

    ask(alice.elsewhere(owner=by_id(alice.owner)))

    assert alice.entries().count("introductory_credit") == 1


def test_somebody_elses_look_makes_nothing():
    alice = Caller()

    found = alice.wallet(own=False)
    listed = wallet.wallets(alice.store, alice.owner, now=NOW, own=False)

    assert (found.seq, found.available_micros(NOW)) == (0, 0)
    assert listed == []
    assert alice.stored() == []


def test_a_request_of_the_system_has_a_key_that_no_caller_can_send():
    of_the_system = system_once(LIVE, "introduce acct_1", NOW)
    again = system_once(LIVE, "introduce acct_1", NOW)

    assert of_the_system == again
    # A key of a caller is visible ASCII: it has no blank.
    assert " " in of_the_system.key
    assert of_the_system.digest != system_once(LIVE, "introduce acct_2", NOW).digest
