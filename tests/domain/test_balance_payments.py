"""Purchases that the wallet pays: at once, or set aside first and captured by hand."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.domain import balance_payments as rules
from holdfast.domain import holds, payments
from holdfast.domain.budgets import Budget, Scope
from holdfast.domain.holds import Hold
from holdfast.domain.ledger import Journal, Wallet
from holdfast.domain.money import AMOUNT_MICROS_MAX
from holdfast.domain.payments import FAILED, INTENT, SUCCEEDED, Payment, Status
from holdfast.errors import (
    AccountClosed,
    AmountTooLarge,
    BudgetExceeded,
    HoldClosed,
    HoldExceeded,
    HoldExpired,
    InsufficientFunds,
    PaymentState,
)
from tests.domain.samples import (
    ACCOUNT_ID,
    HOUR,
    MILLISECOND,
    NOW,
    credit,
    funds,
    hold_after,
    once,
    taken,
    wallet,
    wallet_after,
    written,
)

WEEK = timedelta(days=7)
LATER = NOW + HOUR
PAY = once("pay", now=LATER)
TAKE = once("take", now=LATER + HOUR)
NAMED: dict[str, Any] = {
    "account_id": ACCOUNT_ID,
    "kind": "key",
    "id": "key_1",
    "currency": "usd",
    "window": "total",
}
CAP = Scope(**NAMED, limit_micros=499)
UNSPENT = Budget(**NAMED)
EVERY_STATUS: list[Status] = [
    "pending",
    "requires_action",
    "requires_capture",
    "succeeded",
    "failed",
    "canceled",
]


def purchase(micros: int = 500, **facts: object) -> Payment:
    """A purchase that waits to be confirmed."""
    begun = payments.begin(
        once("begin"),
        kind=INTENT,
        account_id=ACCOUNT_ID,
        amount_micros=micros,
        currency="usd",
        surface="commerce",
        is_sent=False,
    )
    return replace(begun, **facts)  # type: ignore[arg-type]


def paid(journal: Journal) -> Payment:
    """The payment as the journal leaves it."""
    (after,) = (each.after for each in journal.changes if isinstance(each.after, Payment))
    return after


def put_aside(before: Wallet, micros: int = 500) -> tuple[Wallet, Payment, Hold]:
    """The wallet, the payment and its hold, once so much is set aside."""
    payment = purchase(micros, captures_by_hand=True)
    hold = rules.hold_for(payment, PAY, LATER + WEEK)
    journal = rules.set_aside(before, payment, hold, PAY)
    return wallet_after(journal), paid(journal), hold_after(journal)


# --- At once --------------------------------------------------------------------------------------


def test_the_wallet_pays_with_credit_first_and_then_with_cash():
    before = wallet(credit("lot_a", 200), cash=900)

    journal = rules.pay(before, purchase(), PAY)

    assert funds(wallet_after(journal)) == {"cash": (600, 0)}
    entry = journal.entry
    assert (entry.type, entry.amount_micros) == ("purchase", 500)
    assert entry.postings == {"credit": -200, "wallet": -300, "revenue": 500}
    assert taken(entry.draws) == [("lot_a", 200), ("cash", 300)]
    assert entry.details == {"payment_id": entry.reference, "kind": "intent"}


def test_a_payment_from_the_wallet_is_over_as_it_is_written():
    journal = rules.pay(wallet(cash=500), purchase(), PAY)

    after = paid(journal)
    assert (after.status, after.payment_method_id) == ("succeeded", "balance")
    assert (after.received_micros, after.received_currency) == (500, "usd")
    assert (after.entry_id, after.refundable_micros) == (PAY.entry_id, 500)
    assert (after.due_at, after.attempts, after.hold_id) == (None, 1, "")


@pytest.mark.parametrize(("cash", "is_there"), [(499, False), (500, True), (501, True)])
@pytest.mark.parametrize("by_hand", [False, True])
def test_the_wallet_pays_what_it_has(cash, is_there, by_hand):
    def pays():
        if by_hand:
            return put_aside(wallet(cash=cash))
        return rules.pay(wallet(cash=cash), purchase(), PAY)

    if is_there:
        pays()
        return
    with pytest.raises(InsufficientFunds):
        pays()


def test_what_is_held_is_not_spent():
    with pytest.raises(InsufficientFunds):
        rules.pay(wallet(cash=499, cash_held=1000), purchase(), PAY)


def test_a_closed_wallet_pays_nothing():
    with pytest.raises(AccountClosed):
        rules.pay(replace(wallet(cash=500), closed=True), purchase(), PAY)


def test_no_more_is_paid_than_an_operation_moves():
    most = wallet(cash=AMOUNT_MICROS_MAX + 1)

    rules.pay(most, purchase(AMOUNT_MICROS_MAX), PAY)
    with pytest.raises(AmountTooLarge):
        rules.pay(most, purchase(AMOUNT_MICROS_MAX + 1), PAY)


@pytest.mark.parametrize(("limit", "fits"), [(499, False), (500, True), (501, True)])
@pytest.mark.parametrize("by_hand", [False, True])
def test_a_key_pays_up_to_its_cap(limit, fits, by_hand):
    capped = replace(PAY, caps=(replace(CAP, limit_micros=limit),))
    budgets = (UNSPENT,)
    payment = purchase(captures_by_hand=by_hand)

    def pays():
        if by_hand:
            hold = rules.hold_for(payment, capped, LATER + WEEK)
            return rules.set_aside(wallet(cash=900), payment, hold, capped, budgets)
        return rules.pay(wallet(cash=900), payment, capped, budgets)

    if fits:
        pays()
        return
    with pytest.raises(BudgetExceeded):
        pays()


def test_a_cap_is_told_before_the_money_is_looked_at():
    capped = replace(PAY, caps=(CAP,))

    with pytest.raises(BudgetExceeded):
        rules.pay(wallet(cash=1), purchase(), capped, (UNSPENT,))


@pytest.mark.parametrize("status", EVERY_STATUS)
@pytest.mark.parametrize("attempts", [0, 1])
def test_only_what_waits_or_was_declined_is_paid(status, attempts):
    payment = purchase(status=status, attempts=attempts)
    waits = (status, attempts) == ("pending", 0) or status == FAILED

    if waits:
        after = paid(rules.pay(wallet(cash=500), payment, PAY))
        assert (after.status, after.attempts) == (SUCCEEDED, attempts + 1)
        return
    with pytest.raises(PaymentState) as refused:
        rules.pay(wallet(cash=500), payment, PAY)
    assert refused.value.details["status"] == status
    hold = rules.hold_for(payment, PAY, LATER + WEEK)
    with pytest.raises(PaymentState):
        rules.set_aside(wallet(cash=500), payment, hold, PAY)


# --- Set aside ------------------------------------------------------------------------------------


def test_what_is_set_aside_is_held_and_nobody_has_it_yet():
    after, payment, hold = put_aside(wallet(credit("lot_a", 200), cash=900))

    assert funds(after) == {"lot_a": (0, 200), "cash": (600, 300)}
    assert (payment.status, payment.hold_id, payment.received_micros) == (
        "requires_capture",
        hold.id,
        0,
    )
    assert (payment.entry_id, payment.refundable_micros) == ("", 0)
    assert (hold.reference, hold.amount_micros) == (payment.id, 500)
    # Somebody looks when it is over.
    assert payment.due_at == hold.expires_at == LATER + WEEK


@pytest.mark.parametrize("micros", [1, 200, 499, 500])
def test_of_a_part_that_is_taken_the_rest_goes_back_to_its_lots(micros):
    before, payment, hold = put_aside(wallet(credit("lot_a", 200), cash=900))

    journal = rules.capture(before, payment, hold, TAKE, amount_micros=micros)

    after, done = wallet_after(journal), paid(journal)
    of_credit = min(micros, 200)
    left = {"lot_a": (200 - of_credit, 0), "cash": (900 - micros + of_credit, 0)}
    assert funds(after) == {
        name: each for name, each in left.items() if name == "cash" or any(each)
    }
    assert journal.entry.postings["revenue"] == micros
    assert (done.status, done.received_micros, done.refundable_micros) == (
        "succeeded",
        micros,
        micros,
    )
    assert (done.entry_id, done.due_at) == (TAKE.entry_id, None)
    assert hold_after(journal).status == "captured"


def test_more_than_was_set_aside_is_not_taken():
    before, payment, hold = put_aside(wallet(cash=900))

    with pytest.raises(HoldExceeded):
        rules.capture(before, payment, hold, TAKE, amount_micros=501)


@pytest.mark.parametrize(("early", "fits"), [(MILLISECOND, True), (0 * MILLISECOND, False)])
def test_what_was_set_aside_can_be_taken_until_the_hold_is_over(early, fits):
    before, payment, hold = put_aside(wallet(cash=900))
    late = once("late", now=hold.expires_at - early)

    if fits:
        rules.capture(before, payment, hold, late, amount_micros=500)
        return
    with pytest.raises(HoldExpired):
        rules.capture(before, payment, hold, late, amount_micros=500)


def test_what_is_given_up_goes_back():
    start = wallet(credit("lot_a", 200), cash=900)
    before, payment, hold = put_aside(start)

    journal = written(rules.release(before, payment, hold, TAKE))

    assert funds(wallet_after(journal)) == funds(start)
    assert (paid(journal).status, paid(journal).due_at) == ("canceled", None)
    assert hold_after(journal).status == "released"


@pytest.mark.parametrize("status", [each for each in EVERY_STATUS if each != "requires_capture"])
def test_only_what_is_set_aside_is_taken_or_given_back(status):
    before, payment, hold = put_aside(wallet(cash=900))
    payment = replace(payment, status=status)

    with pytest.raises(PaymentState):
        rules.capture(before, payment, hold, TAKE, amount_micros=500)
    with pytest.raises(PaymentState):
        rules.release(before, payment, hold, TAKE)


@pytest.mark.parametrize("how", ["capture", "release"])
def test_a_hold_that_its_owner_closed_is_closed(how):
    before, payment, hold = put_aside(wallet(cash=900))
    closing = once("close", now=LATER)
    closed = (
        holds.capture_hold(before, hold, closing, amount_micros=100, final=True)
        if how == "capture"
        else written(holds.release_hold(before, hold, closing))
    )

    with pytest.raises(HoldClosed):
        rules.capture(wallet_after(closed), payment, hold_after(closed), TAKE, amount_micros=100)


# --- Given up, and followed -----------------------------------------------------------------------


@pytest.mark.parametrize("status", EVERY_STATUS)
def test_whatever_is_not_paid_can_be_given_up(status):
    payment = purchase(status=status, due_at=LATER)

    if status == SUCCEEDED:
        with pytest.raises(PaymentState):
            rules.canceled(payment, now=LATER)
        return
    after = rules.canceled(payment, now=LATER)
    assert (after.status, after.due_at, after.updated_at) == ("canceled", None, LATER)
    assert after.version == payment.version + 1


def test_a_payment_follows_its_hold():
    before, payment, hold = put_aside(wallet(cash=900))
    closing = once("close", now=LATER)
    part = hold_after(holds.capture_hold(before, hold, closing, amount_micros=100, final=True))
    gone = hold_after(holds.release_hold(before, hold, closing))

    assert rules.followed(payment, hold, now=LATER) is payment
    assert rules.followed(payment, gone, now=LATER).status == "canceled"
    after = rules.followed(payment, part, now=LATER)
    assert (after.status, after.received_micros) == ("succeeded", 100)
    assert (after.entry_id, after.due_at) == (closing.entry_id, None)
    # What is over is over, whatever the hold says.
    for done in (after, rules.canceled(payment, now=LATER)):
        assert rules.followed(done, gone, now=LATER) is done


# --- Any purchase ---------------------------------------------------------------------------------


@given(
    st.integers(0, 300),
    st.integers(0, 300),
    st.integers(1, 400),
    st.integers(1, 500),
    st.sampled_from(["at once", "captured", "given up"]),
)
def test_what_leaves_the_wallet_is_what_the_house_has(free, cash, asked, part, how):
    start = wallet(*([credit("lot_a", free)] if free else []), cash=cash)
    if asked > free + cash:
        with pytest.raises(InsufficientFunds):
            rules.pay(start, purchase(asked), PAY)
        return

    journals, received = _bought(start, asked, part, how)

    after = wallet_after(journals[-1])
    revenue = sum(each.entry.postings.get("revenue", 0) for each in journals)
    assert all(sum(each.entry.postings.values()) == 0 for each in journals)
    assert received == revenue == start.posted_micros - after.posted_micros
    assert received == {"at once": asked, "captured": min(part, asked), "given up": 0}[how]
    assert after.held_micros == 0


def _bought(start: Wallet, asked: int, part: int, how: str) -> tuple[list[Journal], int]:
    """A purchase in as many steps as it takes, and what the house has of it."""
    if how == "at once":
        done = rules.pay(start, purchase(asked), PAY)
        return [done], paid(done).received_micros
    payment = purchase(asked, captures_by_hand=True)
    hold = rules.hold_for(payment, PAY, LATER + WEEK)
    aside = rules.set_aside(start, payment, hold, PAY)
    held, payment, hold = wallet_after(aside), paid(aside), hold_after(aside)
    if how == "given up":
        done = written(rules.release(held, payment, hold, TAKE))
    else:
        done = rules.capture(held, payment, hold, TAKE, amount_micros=min(part, asked))
    return [aside, done], paid(done).received_micros
