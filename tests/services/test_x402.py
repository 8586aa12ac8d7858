"""Payments over x402: presented twice, late, elsewhere, at once, and settled by who knows whom."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from holdfast.audit import audit_items
from holdfast.domain.accounts import Tenant, owner_of
from holdfast.domain.x402_settlements import (
    ATTEMPTS_MAX,
    FAILED,
    LEASE_SECONDS,
    PENDING,
    SETTLED,
    UNKNOWN,
)
from holdfast.errors import (
    FacilitatorUnavailable,
    PaymentNotAccepted,
    PaymentUsed,
    Refusal,
    Unavailable,
)
from holdfast.services.x402 import Paid
from tests.services.caller import TEST
from tests.services.till import LATER, Payer, payer
from tests.simulator.errors import ProcessKilled
from tests.simulator.faults import THROTTLED
from tests.simulator.scheduler import interleave

LEASE = timedelta(seconds=LEASE_SECONDS)
SECOND = timedelta(seconds=1)
SEEDS = range(25)


def told(work: Callable[[], Paid]) -> str:
    """What whoever pays reads in the answer."""
    try:
        paid = work()
    except Refusal as refusal:
        return refusal.code
    return paid.settlement.status


def assert_sound(payer: Payer, *, credited: list[int]) -> None:
    assert payer.deposits() == credited
    assert audit_items(payer.caller.stored()) == []


# --- Settled -------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", [1, 2])
def test_a_payment_that_settles_is_in_the_wallet(version):
    alice = payer()

    paid = alice.pay(alice.signed(700, version=version), 700)

    assert (paid.settlement.status, paid.settlement.transaction) == (SETTLED, f"0x{1:064x}")
    assert paid.entry is not None
    assert (paid.entry.amount_micros, paid.entry.balance_micros) == (7_000_000, 17_000_000)
    assert paid.entry.source == "x402"
    assert alice.caller.balance() == (1_700, 0)
    assert_sound(alice, credited=[700])


def test_a_settled_payment_is_answered_again_long_after_it_could_be_settled():
    alice = payer()
    document = alice.signed(validBefore=str(int(alice.caller.now.timestamp()) + 300))
    first = alice.pay(document)
    alice.caller.use(10)
    stored = alice.caller.stored()

    again = alice.elsewhere(by=timedelta(days=400)).pay(document)

    assert again == first
    assert alice.caller.stored() == stored
    assert alice.till.calls == ["verify", "settle"]


def test_either_version_of_a_payment_is_the_same_one():
    alice = payer()
    first = alice.pay(alice.signed(version=1, nonce="0x" + "22" * 32))

    assert alice.pay(alice.signed(version=2, nonce="0x" + "22" * 32)) == first
    assert_sound(alice, credited=[500])


def test_the_money_goes_to_the_account_that_was_paid_whatever_came_since():
    alice = payer(faults={1: "after"})
    document = alice.signed()
    alice.pay(document)
    bob = alice.elsewhere(by=LEASE, owner=owner_of(TEST, "acme/bob"))
    bob.caller.wallet()

    paid = bob.pay(document)

    assert paid.settlement.account_id == alice.caller.owner.account_id
    assert alice.caller.balance() == (1_500, 0)
    assert bob.caller.balance() == (1_000, 0)


# --- Presented for something else -----------------------------------------------------------------


@pytest.mark.parametrize("fault", [None, "after", "refused"])
def test_a_payment_is_good_for_one_workspace_and_one_amount(fault):
    alice = payer(faults={} if fault is None else {1: fault})
    document = alice.signed()
    alice.pay(document)
    stored = alice.caller.stored()

    elsewhere = replace(alice, workspace_id="ws_2")
    others = [
        partial(elsewhere.pay, document),
        partial(alice.pay, document, 501),
        partial(
            alice.elsewhere(owner=owner_of(Tenant("globex", "test"), "globex/zoe")).pay, document
        ),
    ]

    for other in others:
        with pytest.raises(PaymentUsed):
            other()
    assert alice.caller.stored() == stored


def test_what_was_used_is_told_before_what_is_over():
    alice = payer()
    document = alice.signed(validBefore=str(int(alice.caller.now.timestamp()) + 300))
    alice.pay(document)

    with pytest.raises(PaymentUsed):
        replace(alice.elsewhere(by=LATER), workspace_id="ws_2").pay(document)


# --- Not taken ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"validBefore": "1"}, "invalid_exact_evm_payload_authorization_valid_before"),
        ({"value": "1"}, "invalid_exact_evm_payload_authorization_value_mismatch"),
        ({"to": "0x" + "5" * 40}, "invalid_exact_evm_payload_recipient_mismatch"),
    ],
)
def test_what_is_no_payment_for_the_offer_is_shown_to_nobody(changed, reason):
    alice = payer()
    stored = alice.caller.stored()

    with pytest.raises(PaymentNotAccepted) as refused:
        alice.pay(alice.signed(**changed))

    assert refused.value.details == {"reason": reason}
    assert (alice.till.calls, alice.caller.stored()) == ([], stored)


def test_what_the_facilitator_does_not_take_is_not_stored():
    alice = payer(faults={0: "refused"})
    stored = alice.caller.stored()

    with pytest.raises(PaymentNotAccepted) as refused:
        alice.pay(alice.signed())

    assert refused.value.details == {"reason": "insufficient_funds"}
    assert (alice.till.calls, alice.caller.stored()) == (["verify"], stored)


def test_when_nobody_says_whether_it_would_be_settled_nothing_is_sent_and_it_can_be_again():
    alice = payer(faults={0: "before"})
    document, stored = alice.signed(), alice.caller.stored()
    with pytest.raises(FacilitatorUnavailable):
        alice.pay(document)
    assert alice.caller.stored() == stored

    assert alice.pay(document).settlement.status == SETTLED
    assert_sound(alice, credited=[500])


# --- Failed ---------------------------------------------------------------------------------------


def test_a_plain_no_to_the_only_attempt_is_told_once_it_is_stored():
    alice = payer(faults={1: "refused"})

    paid = alice.pay(alice.signed())

    assert (paid.settlement.status, paid.entry) == (FAILED, None)
    assert alice.kept() == [paid.settlement]
    assert alice.sweep(now=alice.caller.now + LATER) == 0
    assert_sound(alice, credited=[])


def test_a_payment_that_failed_may_be_presented_again_to_another_default_account():
    alice = payer(faults={1: "refused"})
    document = alice.signed()
    alice.pay(document)
    bob = alice.elsewhere(by=SECOND, owner=owner_of(TEST, "acme/bob"))
    bob.caller.wallet()

    paid = bob.pay(document)

    assert paid.settlement.status == SETTLED
    assert bob.caller.balance() == (1_500, 0)
    assert alice.caller.balance() == (1_000, 0)


def test_a_no_that_could_not_be_stored_is_not_told():
    alice = payer(faults={1: "refused"})
    document = alice.signed()

    def faults(number: int, method: str) -> Any:
        is_late = len(alice.till.calls) > 1
        return THROTTLED if is_late and method == "transact_write_items" else None

    alice.caller.simulator.faults = faults
    paid = alice.pay(document)
    alice.caller.simulator.faults = {}

    assert (paid.settlement.status, paid.settlement.attempts) == (PENDING, 1)
    alice.sweep_for(LATER)
    assert alice.elsewhere(by=LATER).pay(document).settlement.status == SETTLED
    assert_sound(alice, credited=[500])


# --- Nobody knows ---------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", ["before", "after", "pending"])
def test_an_outcome_that_nobody_knows_is_found_out_by_sending_the_same_again(fault):
    alice = payer(faults={1: fault})
    document = alice.signed()

    first = alice.pay(document)
    at_once = alice.elsewhere().pay(document)
    swept = alice.sweep(now=alice.caller.now + timedelta(seconds=15))

    assert (first.settlement.status, first.entry) == (UNKNOWN, None)
    assert at_once == first
    assert swept == 1
    assert alice.pay(document).settlement.status == SETTLED
    assert alice.till.calls == ["verify", "settle", "settle"]
    assert_sound(alice, credited=[500])


def test_whoever_presents_it_again_in_time_is_its_own_sweeper():
    alice = payer(faults={1: "after"})
    document = alice.signed()
    alice.pay(document)

    paid = alice.elsewhere(by=timedelta(seconds=15)).pay(document)

    assert paid.settlement.status == SETTLED
    assert_sound(alice, credited=[500])


def test_nothing_is_sent_before_its_time():
    alice = payer(faults={1: "killed_after"})
    document = alice.signed()
    with pytest.raises(ProcessKilled):
        alice.pay(document)

    early = alice.elsewhere(by=LEASE - timedelta(milliseconds=1))

    assert early.sweep() == 0
    assert early.pay(document).settlement.status == PENDING
    assert alice.till.calls == ["verify", "settle"]
    assert alice.elsewhere(by=LEASE).sweep() == 1
    assert_sound(alice, credited=[500])


def test_who_hears_only_that_the_nonce_was_used_says_neither_yes_nor_no():
    alice = payer(faults={1: "after"}, repeats=False)
    document = alice.signed()
    alice.pay(document)

    alice.sweep_for(LATER)

    (kept,) = alice.kept()
    assert (kept.status, kept.attempts, kept.due_at) == (UNKNOWN, ATTEMPTS_MAX, None)
    assert alice.elsewhere(by=LATER).pay(document) == Paid(kept)
    assert_sound(alice, credited=[])


def test_a_sweep_of_what_is_not_there_or_over_does_nothing():
    alice = payer()
    alice.pay(alice.signed())
    stored = alice.caller.stored()

    assert alice.sweep(now=alice.caller.now + LATER) == 0
    assert alice.caller.stored() == stored


def test_money_that_is_on_the_chain_is_credited_however_busy_the_wallet_is():
    alice = payer()
    document = alice.signed()
    busy = 0

    def faults(number: int, method: str) -> Any:
        nonlocal busy
        if len(alice.till.calls) < 2 or method != "transact_write_items" or busy == 10:
            return None
        busy += 1
        return THROTTLED

    alice.caller.simulator.faults = faults

    assert alice.pay(document).settlement.status == SETTLED
    assert_sound(alice, credited=[500])


def test_a_credit_that_could_not_be_written_is_by_the_sweeper():
    alice = payer()
    document = alice.signed()

    def faults(number: int, method: str) -> Any:
        is_late = len(alice.till.calls) > 1
        return THROTTLED if is_late and method == "transact_write_items" else None

    alice.caller.simulator.faults = faults
    with pytest.raises(Unavailable):
        alice.pay(document)
    alice.caller.simulator.faults = {}
    assert alice.deposits() == []

    assert alice.elsewhere(by=LEASE).sweep() == 1
    assert alice.pay(document).settlement.status == SETTLED
    assert_sound(alice, credited=[500])


# --- At once --------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("repeats", [True, False])
def test_twenty_deliveries_at_once_are_one_credit(seed, repeats):
    alice = payer(repeats=repeats)
    document = alice.signed()
    works = [partial(told, partial(alice.elsewhere().pay, document)) for _ in range(20)]

    run = interleave(works, seed=seed)

    answers = {each.result() for each in run.outcomes}
    assert answers <= {SETTLED, PENDING}
    assert SETTLED in answers
    assert alice.till.calls.count("settle") == 1
    assert alice.elsewhere().pay(document).settlement.status == SETTLED
    assert_sound(alice, credited=[500])


@pytest.mark.parametrize("seed", SEEDS)
def test_two_workspaces_that_race_for_one_payment_are_one_winner(seed):
    alice = payer()
    zoe = alice.elsewhere(owner=owner_of(Tenant("globex", "test"), "globex/zoe"))
    zoe.caller.wallet()
    # Of version 1: it does not say what it is to pay for.
    document = alice.signed(version=1)
    racers = [alice, replace(alice.elsewhere(), workspace_id="ws_2"), zoe]

    run = interleave([partial(told, partial(each.pay, document)) for each in racers], seed=seed)

    answers = sorted(str(each.result()) for each in run.outcomes)
    assert answers == ["payment_already_used", "payment_already_used", SETTLED]
    assert_sound(alice, credited=[500])


@pytest.mark.parametrize("seed", SEEDS)
def test_sweepers_and_the_payer_at_once_are_one_credit(seed):
    alice = payer(faults={1: "after"})
    document = alice.signed()
    alice.pay(document)
    late = [alice.elsewhere(by=LEASE) for _ in range(4)]
    works: list[Callable[[], object]] = [each.sweep for each in late[:2]]
    works += [partial(told, partial(each.pay, document)) for each in late[2:]]

    interleave(works, seed=seed)

    assert alice.elsewhere(by=LEASE).pay(document).settlement.status == SETTLED
    assert_sound(alice, credited=[500])


@pytest.mark.parametrize("seed", SEEDS)
def test_one_that_failed_begins_again_once(seed):
    alice = payer(faults={1: "refused"})
    document = alice.signed()
    alice.pay(document)
    works = [partial(told, partial(alice.elsewhere(by=SECOND).pay, document)) for _ in range(4)]

    run = interleave(works, seed=seed)

    assert {each.result() for each in run.outcomes} <= {SETTLED, PENDING}
    assert alice.till.calls.count("settle") == 2
    assert_sound(alice, credited=[500])
