from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.domain import x402, x402_settlements
from holdfast.domain.accounts import Tenant
from holdfast.domain.ledger import Deed, Resolution, Unchanged
from holdfast.domain.x402_outcomes import UNREADABLE, NoWord, Outcome, Refused, Settled, Verdict
from holdfast.domain.x402_payments import read_payment
from holdfast.domain.x402_settlements import (
    ATTEMPTS_MAX,
    FAILED,
    LEASE_SECONDS,
    PENDING,
    SETTLED,
    UNKNOWN,
    X402Settlement,
    attempted,
    begin,
    concluded,
    disproved,
    is_due,
    require_same,
    require_valid,
    response_of,
)
from holdfast.errors import InvariantBroken, PaymentNotAccepted, PaymentState, PaymentUsed
from tests.domain.x402_samples import (
    NONCE,
    NOW,
    OFFER,
    PAY_TO,
    PAYER,
    SIGNATURE,
    TENANT,
    TRANSACTION,
    header,
    paid,
    settlement,
)

DONE = Settled(TRANSACTION, "eip155:84532", PAYER, "5000000")
NO_MONEY = Refused("insufficient_funds")
SILENCE = NoWord("no_answer")
LATER = NOW + timedelta(seconds=LEASE_SECONDS)
OVER = NOW + timedelta(seconds=300)
SHORT = str(int(OVER.timestamp()))
OPEN_REFUSALS = [
    Refused("settlement_pending"),
    Refused("settlement_pending", TRANSACTION),
    Refused("invalid_exact_evm_nonce_already_used"),
    Refused("invalid_transaction_state", TRANSACTION),
    Refused("transaction_failed"),
    Refused("unexpected_settle_error"),
    Refused("something_new"),
    Refused(UNREADABLE),
    Refused("insufficient_funds", TRANSACTION),
]
DEFINITE_REFUSALS = [
    NO_MONEY,
    Refused("invalid_exact_evm_insufficient_balance"),
    Refused("invalid_exact_evm_payload_signature"),
    Refused("invalid_exact_evm_payload_authorization_valid_before"),
    Refused("invalid_network"),
    Refused("unsupported_scheme"),
]


def stored(resolution: Resolution) -> X402Settlement:
    """What is to be written, and nothing else is."""
    assert isinstance(resolution, Deed)
    (change,) = resolution.changes
    assert change.after is resolution.answer
    assert isinstance(change.after, X402Settlement)
    assert change.after.version == change.read_version + 1
    return change.after


def same(there: X402Settlement, document: dict[str, Any], **changed: Any) -> None:
    named: dict[str, Any] = {
        "tenant": TENANT,
        "workspace_id": "ws_1",
        "amount_micros": 5_000_000,
    }
    require_same(there, read_payment(header(document)), **(named | changed))


# --- How it begins -------------------------------------------------------------------------------


def test_what_is_presented_has_all_that_is_needed_to_settle_it():
    asked = settlement()

    assert asked.id == x402.settlement_id(OFFER.network, read_payment(header(paid())).authorization)
    assert (asked.tenant, asked.workspace_id, asked.account_id) == (TENANT, "ws_1", "acct_1")
    assert (asked.amount_micros, asked.currency, asked.offer) == (5_000_000, "usd", OFFER)
    assert (asked.status, asked.attempts, asked.version) == (PENDING, 1, 1)
    assert (asked.payer, asked.nonce, asked.signature) == (PAYER.lower(), NONCE, SIGNATURE)
    assert (asked.transaction, asked.reason, asked.concluded_at) == (None, None, None)


def test_what_does_not_settle_the_offer_is_never_presented():
    with pytest.raises(PaymentNotAccepted):
        settlement(paid(value="4999999"))


def test_numbers_beyond_a_table_are_kept_as_text():
    asked = settlement(paid(validBefore=str(2**256 - 1)))

    assert asked.valid_before == str(2**256 - 1)


@pytest.mark.parametrize("version", [1, 2])
def test_a_facilitator_is_asked_with_what_we_read_and_require(version):
    document = paid(version)
    document["extensions"] = {"note": "of the client's"}
    document["payload"]["authorization"]["from"] = PAYER.lower()

    request = x402_settlements.request_of(settlement(document))

    required = x402.requirements(OFFER, version)
    wanted = paid(version)
    wanted.pop("extensions", None)
    wanted["payload"]["authorization"]["from"] = PAYER.lower()
    assert request == {
        "x402Version": version,
        "paymentPayload": wanted,
        "paymentRequirements": required,
    }


def test_a_facilitator_is_asked_the_same_every_time():
    asked = settlement()
    moved = replace(OFFER, pay_to=PAYER)

    again = attempted(concluded(asked, SILENCE, NOW), LATER)

    assert x402_settlements.request_of(again) == x402_settlements.request_of(asked)
    assert moved.pay_to not in str(x402_settlements.request_of(again))


@pytest.mark.parametrize("payer", [None, PAYER, PAYER.lower()])
def test_a_payment_that_the_facilitator_takes_goes_on(payer):
    asked = settlement()

    require_valid(asked, Verdict(is_valid=True, payer=payer))

    assert asked.status == PENDING


@pytest.mark.parametrize(
    ("verdict", "reason"),
    [
        (Verdict(is_valid=False, reason="insufficient_funds"), "insufficient_funds"),
        (Verdict(is_valid=False), "invalid_payload"),
        (Verdict(is_valid=True, payer=PAY_TO), "invalid_payload"),
    ],
)
def test_a_payment_that_the_facilitator_does_not_take_is_refused(verdict, reason):
    with pytest.raises(PaymentNotAccepted) as refused:
        require_valid(settlement(), verdict)

    assert refused.value.details == {"reason": reason}


def test_a_new_payment_is_stored_before_anything_is_settled():
    asked = settlement()

    assert stored(begin(None, asked)) == asked


@pytest.mark.parametrize("status", [PENDING, UNKNOWN, SETTLED])
@pytest.mark.parametrize("again", [paid(1), paid(2)], ids=["version 1", "version 2"])
def test_a_second_presentation_finds_the_first(status, again):
    there = replace(settlement(), status=status, version=4)

    same(there, again)
    resolution = begin(there, settlement(again, account_id="acct_2"))

    assert resolution == Unchanged(there)


def test_a_settled_payment_is_known_long_after_it_could_be_settled():
    there = concluded(settlement(paid(validBefore=SHORT)), DONE, NOW)

    same(there, paid(validBefore=SHORT))

    assert there.status == SETTLED


@pytest.mark.parametrize("status", [PENDING, UNKNOWN, SETTLED, FAILED])
@pytest.mark.parametrize(
    "changed",
    [{"tenant": Tenant("other", "test")}, {"workspace_id": "ws_2"}, {"amount_micros": 5_000_001}],
    ids=str,
)
def test_one_payment_pays_for_one_thing(status, changed):
    there = replace(settlement(), status=status)

    with pytest.raises(PaymentUsed):
        same(there, paid(), **changed)


@pytest.mark.parametrize(
    "signed",
    [{"value": "5000001"}, {"to": PAYER}, {"validAfter": "1"}, {"validBefore": SHORT}],
    ids=str,
)
def test_another_authorization_with_the_nonce_is_another_payment(signed):
    with pytest.raises(PaymentUsed):
        same(settlement(), paid(**signed))


@pytest.mark.parametrize("status", [PENDING, UNKNOWN, SETTLED, FAILED])
def test_two_that_begin_at_once_are_one_or_one_is_refused(status):
    there = replace(settlement(), status=status)

    for other in (
        settlement(workspace_id="ws_2"),
        settlement(tenant=Tenant("other", "test")),
        settlement(paid(validAfter="0")),
    ):
        with pytest.raises(PaymentUsed):
            begin(there, other)


def test_a_payment_that_failed_may_be_tried_again():
    there = concluded(settlement(), NO_MONEY, NOW)

    again = stored(begin(there, settlement(account_id="acct_2", now=LATER)))

    assert (again.status, again.attempts, again.version) == (PENDING, 1, there.version + 1)
    assert (again.account_id, again.reason, again.concluded_at) == ("acct_2", None, None)


# --- How it ends ---------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [PENDING, UNKNOWN])
@pytest.mark.parametrize(
    "outcome",
    [
        DONE,
        Settled(TRANSACTION, "base-sepolia"),
        Settled(TRANSACTION.upper().replace("0X", "0x"), "eip155:84532", PAYER.lower()),
    ],
)
def test_a_payment_on_the_chain_is_settled(status, outcome):
    there = replace(settlement(), status=status, attempts=3, reason="no_answer")

    after = concluded(there, outcome, LATER)

    assert (after.status, after.transaction) == (SETTLED, outcome.transaction)
    assert (after.reason, after.concluded_at, after.due_at) == (None, LATER, None)
    assert after.version == there.version + 1


@pytest.mark.parametrize(
    "outcome",
    [
        replace(DONE, network="eip155:8453"),
        replace(DONE, network="base"),
        replace(DONE, payer=PAY_TO),
        replace(DONE, amount="5000001"),
        replace(DONE, amount="05000000"),
        replace(DONE, transaction="0x"),
        replace(DONE, transaction="0x" + "a" * 63),
    ],
)
def test_a_settlement_of_something_else_credits_nobody_and_keeps_its_transaction(outcome):
    after = concluded(settlement(), outcome, NOW)

    assert (after.status, after.reason) == (UNKNOWN, "settlement_mismatch")
    assert after.transaction == outcome.transaction
    assert after.concluded_at is None


@pytest.mark.parametrize("outcome", DEFINITE_REFUSALS, ids=repr)
def test_a_refusal_at_the_only_attempt_is_one(outcome):
    after = concluded(settlement(), outcome, NOW)

    assert (after.status, after.reason, after.transaction) == (FAILED, outcome.reason, None)
    assert (after.due_at, after.concluded_at) == (None, NOW)


@pytest.mark.parametrize("outcome", [SILENCE, *OPEN_REFUSALS], ids=repr)
def test_what_leaves_it_open_is_no_refusal(outcome):
    after = concluded(settlement(), outcome, NOW)

    assert (after.status, after.reason, after.concluded_at) == (UNKNOWN, outcome.reason, None)
    assert after.due_at == NOW + timedelta(seconds=15)


@pytest.mark.parametrize("outcome", [*DEFINITE_REFUSALS, *OPEN_REFUSALS], ids=repr)
@pytest.mark.parametrize("cut_off", [True, False])
def test_no_refusal_is_one_after_an_attempt_whose_outcome_nobody_knows(cut_off, outcome):
    first = settlement() if cut_off else concluded(settlement(), SILENCE, NOW)

    after = concluded(attempted(first, LATER), outcome, LATER)

    assert (after.status, after.attempts) == (UNKNOWN, 2)


def test_the_transaction_is_never_forgotten():
    first = concluded(settlement(), Refused("settlement_pending", TRANSACTION), NOW)

    after = concluded(attempted(first, LATER), SILENCE, LATER)

    assert after.transaction == TRANSACTION


@pytest.mark.parametrize("status", [SETTLED, FAILED])
@pytest.mark.parametrize("outcome", [DONE, NO_MONEY, SILENCE], ids=repr)
def test_what_is_over_stays_as_it_is(status, outcome):
    there = replace(settlement(), status=status)

    assert concluded(there, outcome, LATER) is there


def test_an_attempt_that_took_too_long_still_settles():
    late = attempted(settlement(), LATER)

    assert concluded(late, DONE, LATER).status == SETTLED


# --- When it is tried again ----------------------------------------------------------------------


def test_an_attempt_is_left_alone_for_as_long_as_it_may_take():
    asked = settlement()

    assert not is_due(asked, LATER - timedelta(milliseconds=1))
    assert is_due(asked, LATER)
    assert attempted(asked, LATER).due_at == LATER + timedelta(seconds=LEASE_SECONDS)


def test_it_is_tried_later_each_time_and_at_least_once_an_hour():
    there, waits = settlement(), []
    now = NOW
    while True:
        there = concluded(there, SILENCE, now)
        if there.due_at is None:
            break
        waits.append((there.due_at - now).total_seconds())
        now = there.due_at
        there = attempted(there, now)

    assert waits[:4] == [15, 30, 60, 120]
    assert set(waits[8:]) == {3_600}
    assert len(waits) == ATTEMPTS_MAX - 1
    assert (there.status, there.attempts) == (UNKNOWN, ATTEMPTS_MAX)


@pytest.mark.parametrize(("seconds", "goes_on"), [(-1, True), (0, False), (1, False)])
def test_an_authorization_that_is_over_is_tried_no_more(seconds, goes_on):
    first = concluded(settlement(paid(validBefore=SHORT)), SILENCE, NOW)
    at = OVER + timedelta(seconds=seconds)

    after = concluded(attempted(first, at), SILENCE, at)

    assert (after.due_at is not None) is goes_on
    assert after.status == UNKNOWN


def test_an_authorization_without_an_end_is_tried_for_a_day_and_parked():
    endless = replace(settlement(paid(validBefore=str(2**256 - 1))), attempts=ATTEMPTS_MAX)

    after = concluded(endless, SILENCE, NOW)

    assert (after.status, after.due_at) == (UNKNOWN, None)


def test_what_never_was_is_failed_once_it_cannot_be_any_more():
    there = concluded(settlement(paid(validBefore=SHORT)), SILENCE, NOW)
    with pytest.raises(PaymentState):
        disproved(there, OVER - timedelta(milliseconds=1))

    after = disproved(there, OVER)

    assert (after.status, after.reason) == (FAILED, x402.VALID_BEFORE)
    assert (after.due_at, after.concluded_at) == (None, OVER)


@pytest.mark.parametrize("status", [PENDING, SETTLED, FAILED])
def test_only_what_is_unknown_can_be_disproved(status):
    there = replace(settlement(paid(validBefore=SHORT)), status=status)

    with pytest.raises(PaymentState) as refused:
        disproved(there, OVER)

    assert refused.value.details == {"status": status}


# --- What the payer is told ----------------------------------------------------------------------


@pytest.mark.parametrize(("version", "network"), [(1, "base-sepolia"), (2, "eip155:84532")])
def test_the_payer_is_told_the_transaction(version, network):
    after = concluded(settlement(paid(version)), DONE, NOW)

    assert response_of(after) == {
        "success": True,
        "transaction": TRANSACTION,
        "network": network,
        "payer": PAYER.lower(),
    }


def test_the_payer_is_told_why_it_failed():
    assert response_of(concluded(settlement(), NO_MONEY, NOW)) == {
        "success": False,
        "transaction": "",
        "network": "eip155:84532",
        "payer": PAYER.lower(),
        "errorReason": "insufficient_funds",
    }


@pytest.mark.parametrize("status", [PENDING, UNKNOWN])
def test_nobody_is_told_what_nobody_knows(status):
    with pytest.raises(InvariantBroken):
        response_of(replace(settlement(), status=status))


OUTCOMES: st.SearchStrategy[Outcome] = st.sampled_from(
    [DONE, SILENCE, replace(DONE, payer=PAY_TO), *OPEN_REFUSALS, *DEFINITE_REFUSALS]
)


@given(
    st.lists(st.tuples(OUTCOMES, st.booleans(), st.integers(0, 400)), max_size=12),
    st.sampled_from([SHORT, "4102444800"]),
)
def test_whatever_happens_it_ends_as_the_drawing_says(steps, until):
    """A chain that says yes at some attempt is never contradicted, and failed means never sent."""
    there, now = settlement(paid(validBefore=until)), NOW
    for outcome, is_cut_off, seconds in steps:
        before = there
        there = before if is_cut_off else concluded(before, outcome, now)
        if before.status in (SETTLED, FAILED):
            assert there is before
        if there.status == SETTLED and before.status != SETTLED:
            assert outcome == DONE
        if there.status == FAILED and before.status != FAILED:
            assert (before.status, before.attempts) == (PENDING, 1)
            assert outcome in DEFINITE_REFUSALS
        assert there.due_at is None or there.due_at > now or is_cut_off
        now += timedelta(seconds=seconds)
        if is_due(there, now):
            there = attempted(there, now)
