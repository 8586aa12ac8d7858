from datetime import timedelta

import pytest

from holdfast.domain.accounts import owner_of
from holdfast.errors import (
    AmountTooLarge,
    InsufficientFunds,
    InvalidField,
    NotRefundable,
    RefundExceeded,
    TransactionNotFound,
)
from holdfast.services import wallet
from tests.domain.samples import NOW
from tests.services.caller import (
    CENT,
    HOUR,
    INTRODUCTORY,
    MILLISECOND,
    TEST,
    Caller,
    bob,
    later,
)

DAY = timedelta(days=1)
TOO_MUCH = 10**15 // CENT + 1


def rich(cents: int = 500) -> Caller:
    """Alice with her introductory credit and some plain cash."""
    alice = Caller()
    alice.deposit(cents)
    return alice


def test_a_deposit_can_be_spent_at_once():
    alice = rich()

    committed = alice.deposit(250, details={"notes": "top-up"})

    assert alice.balance() == (INTRODUCTORY + 750, 0)
    assert committed.entry.details == {"notes": "top-up"}
    assert committed.entry.balance_after_micros == (INTRODUCTORY + 750) * CENT


@pytest.mark.parametrize(
    ("since_expiry", "available"),
    [(-MILLISECOND, 750), (timedelta(0), 500), (MILLISECOND, 500), (DAY, 500)],
    ids=["a moment before", "at the instant", "a moment after", "a day after"],
)
def test_a_deposit_with_an_expiry_is_gone_by_then(since_expiry, available):
    alice = rich()
    alice.deposit(250, expires_in=DAY)

    assert later(alice, DAY + since_expiry).balance() == (INTRODUCTORY + available, 0)


def test_a_look_writes_down_what_has_expired():
    alice = rich()
    alice.deposit(250, expires_in=DAY)

    tomorrow = later(alice, DAY)
    found = tomorrow.wallet()

    assert found.posted_micros == (INTRODUCTORY + 500) * CENT
    assert alice.entries()[-1] == "lot_expiry"
    before = alice.stored()
    assert tomorrow.wallet() == found
    assert alice.stored() == before


@pytest.mark.parametrize(("cents", "claim"), [(499, True), (500, True), (501, False)])
def test_only_plain_cash_can_be_withdrawn(cents, claim):
    alice = rich(500)
    before = alice.stored()

    if claim:
        alice.withdraw(cents)
        assert alice.balance() == (INTRODUCTORY + 500 - cents, 0)
    else:
        with pytest.raises(InsufficientFunds) as refused:
            alice.withdraw(cents)
        assert refused.value.details["available_micros"] == 500 * CENT
        assert alice.stored() == before


@pytest.mark.parametrize("cents", [1, INTRODUCTORY + 500, INTRODUCTORY + 501, 10_000])
def test_usage_is_charged_in_full_even_below_zero(cents):
    alice = rich(500)

    committed = alice.use(cents, reference="job 7", details={"model": "m"})

    assert alice.balance() == (INTRODUCTORY + 500 - cents, 0)
    assert committed.entry.amount_micros == cents * CENT
    assert (committed.entry.reference, committed.entry.details) == ("job 7", {"model": "m"})


@pytest.mark.parametrize(
    "ask",
    [
        lambda alice: alice.deposit(TOO_MUCH),
        lambda alice: alice.withdraw(TOO_MUCH),
        lambda alice: alice.use(TOO_MUCH),
        lambda alice: alice.refund(alice.use(1).entry.id, TOO_MUCH),
        lambda alice: alice.place(TOO_MUCH),
        lambda alice: alice.capture(alice.hold(1), TOO_MUCH),
        lambda alice: alice.extend(alice.hold(1), cents=TOO_MUCH),
    ],
    ids=["deposit", "withdraw", "usage", "refund", "hold", "capture", "extension"],
)
def test_no_operation_moves_more_than_a_thousand_million(ask):
    alice = rich()
    alice.use(1)
    alice.hold(1)
    balance = alice.balance()

    with pytest.raises(AmountTooLarge):
        ask(alice)

    available, held = alice.balance()
    assert sum(balance) - (available + held) in (0, 1)


def test_a_refund_goes_back_to_the_lots_it_came_from():
    alice = rich(500)
    charge = alice.use(1_200).entry

    refund = alice.refund(charge.id, 1_200).entry

    assert alice.balance() == (INTRODUCTORY + 500, 0)
    assert refund.draws == charge.draws
    # The credit is credit again: it cannot be withdrawn.
    with pytest.raises(InsufficientFunds):
        alice.withdraw(501)


def test_parts_of_a_refund_end_at_the_charge():
    alice = rich(500)
    charge = alice.use(300).entry

    alice.refund(charge.id, 100)
    alice.elsewhere().refund(charge.id, 199)
    before = alice.stored()
    with pytest.raises(RefundExceeded) as refused:
        alice.refund(charge.id, 2)

    assert refused.value.details["refundable_micros"] == CENT
    assert alice.stored() == before
    alice.refund(charge.id, 1)
    assert alice.balance() == (INTRODUCTORY + 500, 0)


@pytest.mark.parametrize(
    ("ask", "refusal"),
    [
        (lambda alice: alice.refund("ent_never", 1), TransactionNotFound),
        (lambda alice: bob(alice).refund(charge_of(alice), 1), TransactionNotFound),
        (lambda alice: in_test_mode(alice).refund(charge_of(alice), 1), TransactionNotFound),
        (lambda alice: alice.refund(charge_of(alice), 1, currency="eur"), InvalidField),
        (lambda alice: alice.refund(deposit_of(alice), 1), NotRefundable),
        (lambda alice: alice.refund(charge_of(alice), 301), RefundExceeded),
    ],
    ids=["unknown", "another's", "another mode's", "another currency", "no charge", "too much"],
)
def test_what_cannot_be_refunded(ask, refusal):
    alice = rich(500)
    alice.use(300, "charge")
    alice.deposit(5, "deposit")
    for each in (bob(alice), in_test_mode(alice)):
        each.deposit(5)
    alice.deposit(5, currency="eur")
    before = alice.stored()

    with pytest.raises(refusal):
        ask(alice)

    assert alice.stored() == before


def charge_of(alice: Caller) -> str:
    return alice.once("charge").entry_id


def deposit_of(alice: Caller) -> str:
    return alice.once("deposit").entry_id


def in_test_mode(alice: Caller) -> Caller:
    return alice.elsewhere(owner=owner_of(TEST, "acme/alice"))


def test_a_refund_of_what_has_expired_since_expires_with_it():
    alice = rich(500)
    alice.use(INTRODUCTORY)
    alice.deposit(250, expires_in=DAY)
    charge = alice.use(250).entry

    tomorrow = later(alice, DAY)
    tomorrow.refund(charge.id, 250)

    assert tomorrow.balance() == (500, 0)
    assert alice.entries()[-2:] == ["refund", "lot_expiry"]


def test_all_wallets_of_an_account_are_listed_by_currency():
    alice = rich(500)
    alice.deposit(7, currency="jpy")
    alice.deposit(5, currency="eur", expires_in=DAY)

    today = wallet.wallets(alice.store, alice.owner, now=NOW, own=True)
    tomorrow = wallet.wallets(alice.store, alice.owner, now=NOW + DAY, own=True)

    assert [each.currency for each in today] == ["eur", "jpy", "usd"]
    assert [each.posted_micros for each in today] == [5 * CENT, 7 * CENT, 1_500 * CENT]
    assert [each.posted_micros for each in tomorrow] == [0, 7 * CENT, 1_500 * CENT]


@pytest.mark.parametrize(
    ("since_expiry", "claim"),
    [(-MILLISECOND, False), (timedelta(0), True), (MILLISECOND, True)],
    ids=["a moment before", "at the instant", "a moment after"],
)
def test_what_an_expired_hold_had_is_there_at_the_next_request(since_expiry, claim):
    # No schedule has run: the request itself looks at the clock.
    alice = rich(500)
    alice.hold(INTRODUCTORY + 500)
    then = later(alice, HOUR + since_expiry)
    before = alice.stored()

    if claim:
        then.place(INTRODUCTORY + 500)
        assert then.balance() == (0, INTRODUCTORY + 500)
    else:
        with pytest.raises(InsufficientFunds):
            then.place(INTRODUCTORY + 500)
        assert alice.stored() == before


def test_usage_takes_what_an_expired_hold_had_before_it_makes_a_debt():
    alice = rich(500)
    alice.hold(INTRODUCTORY)

    charge = later(alice, HOUR).use(600).entry

    # Credit first, as if the hold had never been.
    assert [(draw.kind, draw.amount_micros) for draw in charge.draws] == [("credit", 600 * CENT)]


def test_a_look_gives_back_what_an_expired_hold_had():
    alice = rich(500)
    alice.hold(300)
    alice.hold(200, expires_in=2 * HOUR)

    assert alice.balance() == (INTRODUCTORY, 500)
    assert later(alice, HOUR).balance() == (INTRODUCTORY + 300, 200)
    assert later(alice, 2 * HOUR).balance() == (INTRODUCTORY + 500, 0)
