"""What an environment remembers spares it a read; no answer may rest on it."""

import pytest

from holdfast.domain.accounts import Tenant
from holdfast.domain.ledger import Decision, Wallet
from holdfast.errors import HoldClosed, InsufficientFunds
from holdfast.store import keys
from holdfast.store.ledger_store import KNOWN_MAX, Ref
from tests.domain.samples import TENANT, once
from tests.simulator.faults import AFTER, CONFLICT
from tests.store.ledger import (
    START_MICROS,
    Environment,
    another,
    assert_sound,
    at_each,
    depositing,
    entries_of,
    opened,
    wallet_of,
    withdrawing,
)


def reads(environment: Environment, amount: int, key: str) -> float:
    with environment.simulator.measure() as used:
        environment.deposit(amount, key)
    return used.read_units


def test_who_wrote_the_wallet_last_writes_it_again_without_a_read():
    here = opened()

    assert reads(here, 5, "a") == 0
    assert reads(another(here), 5, "b") == 1


def test_a_refusal_never_rests_on_memory():
    here = opened()
    another(here).deposit(50, "b")

    committed = here.withdraw(START_MICROS + 50, "a")

    assert committed.entry.balance_after_micros == 0
    assert_sound(here.simulator)


def test_money_that_is_only_remembered_cannot_be_spent():
    here = opened()
    another(here).withdraw(START_MICROS, "b")
    before = here.simulator.items()

    with pytest.raises(InsufficientFunds) as refused:
        here.withdraw(1, "a")

    assert refused.value.details["available_micros"] == 0
    assert here.simulator.items() == before


def test_a_refusal_tells_the_balance_that_is_there():
    here = opened()
    another(here).deposit(50, "b")

    with pytest.raises(InsufficientFunds) as refused:
        here.withdraw(START_MICROS + 51, "a")

    assert refused.value.details["available_micros"] == START_MICROS + 50


@pytest.mark.parametrize("final", [False, True])
def test_a_hold_that_another_environment_placed_can_be_captured(final):
    # The remembered wallet has nothing held; the hold that is read has.
    here = opened()
    placed = another(here).place(60, "hold")

    committed = here.capture(placed, 25, "a", final=final)

    assert committed.entry.balance_after_micros == START_MICROS - 25
    assert wallet_of(here.simulator).held_micros == (0 if final else 35)
    assert_sound(here.simulator)


def test_a_hold_that_another_environment_closed_is_closed():
    here = opened()
    placed = here.place(60, "hold")
    another(here).capture(placed, 25, "b", final=True)
    before = here.simulator.items()

    with pytest.raises(HoldClosed):
        here.capture(placed, 1, "a")

    assert here.simulator.items() == before


def test_what_was_remembered_is_forgotten_when_it_was_wrong():
    here = opened()
    another(here).deposit(50, "b")
    here.deposit(5, "a")

    assert reads(here, 5, "c") == 0
    assert wallet_of(here.simulator).cash_micros == START_MICROS + 60


def raced(here: Environment, key: str) -> None:
    """A write that loses its race, and is refused on what it finds."""
    there = another(here)

    def decide(wallet: Wallet) -> Decision:
        if wallet.cash_micros == START_MICROS:
            there.withdraw(30, "b")
        return withdrawing(71, once(key))(wallet)

    with pytest.raises(InsufficientFunds):
        here.change(decide, once(key))


def test_a_record_that_lost_its_race_is_forgotten():
    here = opened()
    raced(here, "a")

    with here.simulator.measure() as used:
        here.deposit(5, "c")

    assert used.methods == ["get_item", "transact_write_items"]


@pytest.mark.parametrize("fault", [AFTER, CONFLICT])
def test_what_became_of_a_write_is_not_remembered_unless_it_is_known(fault):
    here = opened()
    here.simulator.faults = at_each("transact_write_items", fault)

    here.deposit(5, "a")
    here.deposit(5, "b")

    assert wallet_of(here.simulator).cash_micros == START_MICROS + 10
    assert len(entries_of(here.simulator)) == 3
    assert_sound(here.simulator)


def test_reading_for_an_answer_never_comes_from_memory():
    here = opened()
    another(here).deposit(50, "b")
    (ref,) = (Ref(key, _unused) for key in here.store._known)

    found = here.store.read(ref)

    assert found == wallet_of(here.simulator)


def _unused() -> Wallet:
    raise AssertionError


def fill(environment: Environment, number: int, key: str) -> float:
    """Deposit into wallet number `number`; what it cost to read it."""
    account_id = f"acct_{number}"

    def new() -> Wallet:
        return Wallet(tenant=TENANT, account_id=account_id, currency="usd")

    ref = Ref(keys.wallet(TENANT, account_id, "usd"), new)
    asked = once(f"{key} {number}")
    with environment.simulator.measure() as used:
        environment.store.change(depositing(5, asked), [ref], once=asked)
    return used.read_units


def test_memory_is_bounded_and_keeps_what_was_written_last():
    here = Environment(opened().simulator)
    for number in range(KNOWN_MAX):
        fill(here, number, "first")
    # Written again, number 0 is no longer the one that was written longest ago.
    assert fill(here, 0, "again") == 0

    fill(here, KNOWN_MAX, "one more")

    assert fill(here, 0, "at last") == 0
    assert fill(here, 2, "at last") == 0
    assert fill(here, 1, "at last") == 1


def test_memory_knows_tenants_apart():
    here = opened()
    test_mode = Tenant("acme", "test")
    (known,) = here.store._known.values()
    assert isinstance(known, Wallet)
    key = keys.wallet(test_mode, known.account_id, "usd")
    empty = Wallet(tenant=test_mode, account_id=known.account_id, currency="usd")
    ref = Ref(key, lambda: empty)

    found = here.store.load([ref]).records[0]

    assert found.seq == 0
