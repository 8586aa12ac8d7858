from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.domain import holds
from holdfast.domain import wallet as rules
from holdfast.domain.accounts import Tenant
from holdfast.domain.entries import Entry
from holdfast.domain.ledger import Wallet
from holdfast.domain.lots import CASH
from holdfast.domain.money import AMOUNT_MICROS_MAX
from holdfast.domain.wallet import Refunded
from holdfast.errors import (
    AmountTooLarge,
    InvalidField,
    NotRefundable,
    RefundExceeded,
    TooManyLots,
    TransactionNotFound,
)
from tests.domain import strategies as some
from tests.domain.samples import (
    ACCOUNT_ID,
    HOUR,
    NOW,
    cash_lot,
    credit,
    funds,
    hold,
    hold_after,
    once,
    taken,
    wallet,
    wallet_after,
    written,
)

SOON = NOW + HOUR
FULL = wallet(credit("gift", 100, until=SOON), cash_lot("starter", 50, until=SOON), cash=20)


def charge(amount: int, *, before: Wallet = FULL) -> tuple[Wallet, Entry]:
    journal = rules.use(before, once("charge"), amount_micros=amount)
    return wallet_after(journal), journal.entry


def nothing_of(original: Entry) -> Refunded:
    return Refunded(entry_id=original.id, account_id=original.account_id)


@pytest.mark.parametrize(
    ("charged", "given_back", "draws"),
    [
        (100, 1, [("gift", 1)]),
        (100, 100, [("gift", 100)]),
        (130, 100, [("gift", 100)]),
        (130, 130, [("gift", 100), ("starter", 30)]),
        (170, 170, [("gift", 100), ("starter", 50), (CASH, 20)]),
        (200, 200, [("gift", 100), ("starter", 50), (CASH, 50)]),
    ],
    ids=["one", "all", "the first part", "of two lots", "of three", "below zero"],
)
def test_a_refund_goes_back_to_the_lots_it_came_from(charged, given_back, draws):
    after_charge, original = charge(charged)

    journal = rules.refund(
        after_charge, nothing_of(original), once(), original=original, amount_micros=given_back
    )

    assert journal.entry.type == "refund"
    assert journal.entry.reference == original.id
    assert taken(journal.entry.draws) == draws
    assert journal.entry.postings["refunds"] == -given_back
    assert wallet_after(journal).available_micros(NOW) == 170 - charged + given_back


def test_a_charge_that_was_given_back_whole_left_no_trace_in_the_lots():
    after_charge, original = charge(200)

    journal = rules.refund(
        after_charge, nothing_of(original), once(), original=original, amount_micros=200
    )

    assert funds(wallet_after(journal)) == funds(FULL)


@given(data=st.data(), before=some.wallets(some.later_expiries, cash_min=-500), amount=some.amounts)
def test_parts_of_a_refund_add_up_to_the_charge_and_no_further(data, before, amount):
    current, original = charge(amount, before=before)
    refunded = nothing_of(original)
    number = 0
    while refunded.refunded_micros < amount:
        part = data.draw(st.integers(1, amount - refunded.refunded_micros))
        number += 1
        journal = rules.refund(
            current, refunded, once(f"part {number}"), original=original, amount_micros=part
        )
        current = wallet_after(journal)
        (refunded,) = (c.after for c in journal.changes if isinstance(c.after, Refunded))

    assert refunded.version == number
    assert funds(current) == funds(before)
    with pytest.raises(RefundExceeded) as refused:
        rules.refund(current, refunded, once(), original=original, amount_micros=1)
    assert refused.value.details["refundable_micros"] == 0


@pytest.mark.parametrize(
    ("refunded", "asked", "left"),
    [(0, 131, 130), (1, 130, 129), (129, 2, 1), (130, 1, 0)],
    ids=["more than the charge", "more than is left", "one more", "nothing is left"],
)
def test_more_than_is_left_of_a_charge_is_refused(refunded, asked, left):
    after_charge, original = charge(130)
    so_far = replace(nothing_of(original), refunded_micros=refunded, version=1)

    with pytest.raises(RefundExceeded) as refused:
        rules.refund(after_charge, so_far, once(), original=original, amount_micros=asked)
    in_full = rules.refund(
        after_charge,
        replace(so_far, refunded_micros=0),
        once(),
        original=original,
        amount_micros=130,
    )

    assert refused.value.details == {
        "asked_micros": asked,
        "refundable_micros": left,
        "currency": "usd",
    }
    assert in_full.entry.amount_micros == 130


def test_what_is_left_of_a_charge_is_guarded_by_its_own_record():
    after_charge, original = charge(130)
    so_far = replace(nothing_of(original), refunded_micros=30, version=4)

    first = rules.refund(
        after_charge, nothing_of(original), once(), original=original, amount_micros=30
    )
    later = rules.refund(after_charge, so_far, once(), original=original, amount_micros=30)

    assert [change.read_version for change in first.changes] == [after_charge.version, 0]
    assert [change.read_version for change in later.changes] == [after_charge.version, 4]
    assert first.changes[1].after == Refunded(
        entry_id=original.id, account_id=ACCOUNT_ID, refunded_micros=30, version=1
    )


def test_what_goes_back_to_an_expired_lot_expires_with_it():
    after_charge, original = charge(130)
    now = SOON

    journal = rules.refund(
        after_charge, nothing_of(original), once(now=now), original=original, amount_micros=130
    )

    assert journal.entry.balance_after_micros == 150
    assert [entry.type for entry in journal.others] == ["lot_expiry", "lot_expiry"]
    # The unspent 20 of the starter credit before the refund, the 130 that came back after it.
    assert [entry.amount_micros for entry in journal.others] == [20, 130]
    assert funds(wallet_after(journal)) == {CASH: (20, 0)}


def test_a_lot_that_was_used_up_needs_room_to_open_again():
    many = wallet(
        *(credit(f"lot_{number}", 1, priority=1) for number in range(199)), credit("x", 9)
    )
    after_charge, original = charge(9, before=many)
    refilled = rules.deposit(after_charge, once("d"), amount_micros=5, expires_at=SOON)

    with pytest.raises(TooManyLots):
        rules.refund(
            wallet_after(refilled), nothing_of(original), once(), original=original, amount_micros=9
        )


def captured(amount: int) -> tuple[Wallet, Entry]:
    placed = holds.place_hold(FULL, hold(120), once("hold"))
    journal = written(
        holds.capture_hold(
            wallet_after(placed), hold_after(placed), once("c"), amount_micros=amount, final=True
        )
    )
    return wallet_after(journal), journal.entry


def expired(policy: str) -> tuple[Wallet, Entry]:
    placed = holds.place_hold(FULL, hold(120, expiry_policy=policy), once("hold"))
    after = once("e", now=hold_after(placed).expires_at)
    journal = written(holds.expire_hold(wallet_after(placed), hold_after(placed), after))
    return wallet_after(journal), journal.entry


@pytest.mark.parametrize(
    ("after_charge", "original", "most"),
    [
        pytest.param(*charge(30), 30, id="usage"),
        pytest.param(*captured(110), 110, id="a capture"),
        pytest.param(*expired("capture"), 120, id="a hold that was captured at its expiry"),
    ],
)
def test_a_charge_can_be_refunded(after_charge, original, most):
    refunded = nothing_of(original)

    whole = rules.refund(after_charge, refunded, once(), original=original, amount_micros=most)
    with pytest.raises(RefundExceeded):
        rules.refund(after_charge, refunded, once(), original=original, amount_micros=most + 1)

    assert whole.entry.amount_micros == most


DEPOSITED = rules.deposit(FULL, once("d"), amount_micros=30)
WITHDRAWN = rules.withdraw(FULL, once("w"), amount_micros=20)
HELD = holds.place_hold(FULL, hold(120), once("hold"))
GIVEN_BACK = written(holds.release_hold(wallet_after(HELD), hold_after(HELD), once("r")))
CHARGED, USAGE = charge(30)
REFUND = rules.refund(CHARGED, nothing_of(USAGE), once("f"), original=USAGE, amount_micros=30)


@pytest.mark.parametrize(
    "original",
    [
        pytest.param(DEPOSITED.entry, id="a deposit"),
        pytest.param(WITHDRAWN.entry, id="a withdrawal"),
        pytest.param(HELD.entry, id="a hold"),
        pytest.param(GIVEN_BACK.entry, id="a release"),
        pytest.param(REFUND.entry, id="a refund"),
        pytest.param(expired("release")[1], id="a hold that was given back at its expiry"),
        pytest.param(rules.introduce(wallet(seq=0), once("i")).entry, id="the introductory credit"),
    ],
)
def test_only_a_charge_can_be_refunded(original):
    with pytest.raises(NotRefundable) as refused:
        rules.refund(FULL, nothing_of(original), once(), original=original, amount_micros=1)

    assert refused.value.details == {"type": original.type}


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(replace(FULL, account_id=f"acct_{'b' * 26}"), id="another account"),
        pytest.param(replace(FULL, tenant=Tenant("other", "live")), id="another org"),
        pytest.param(replace(FULL, tenant=Tenant("acme", "test")), id="the other mode"),
    ],
)
def test_a_charge_of_somebody_else_is_unknown(other):
    with pytest.raises(TransactionNotFound):
        rules.refund(other, nothing_of(USAGE), once(), original=USAGE, amount_micros=1)


def test_a_charge_is_refunded_in_its_own_currency():
    with pytest.raises(InvalidField) as refused:
        rules.refund(
            replace(FULL, currency="eur"),
            nothing_of(USAGE),
            once(),
            original=USAGE,
            amount_micros=1,
        )

    assert refused.value.param == "currency"


def test_a_refund_moves_at_most_what_an_operation_can():
    rich = wallet(cash=2 * AMOUNT_MICROS_MAX)
    after_charge, original = charge(AMOUNT_MICROS_MAX, before=rich)
    refunded = nothing_of(original)

    whole = rules.refund(
        after_charge, refunded, once(), original=original, amount_micros=AMOUNT_MICROS_MAX
    )
    with pytest.raises(AmountTooLarge):
        rules.refund(
            after_charge, refunded, once(), original=original, amount_micros=AMOUNT_MICROS_MAX + 1
        )

    assert whole.entry.amount_micros == AMOUNT_MICROS_MAX
