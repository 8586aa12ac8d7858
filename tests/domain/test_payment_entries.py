"""What payments by card do to a wallet: credited, passed through, taken back, and given back."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.domain import payment_entries, payments
from holdfast.domain import wallet as wallets
from holdfast.domain.entries import Entry
from holdfast.domain.ledger import Journal, Wallet
from holdfast.domain.once import Once
from holdfast.domain.payment_states import observed
from holdfast.domain.payments import INTENT, REFUND, TOPUP, Kind, Observation, Payment
from holdfast.errors import InsufficientFunds, RefundExceeded
from tests.domain.samples import ACCOUNT_ID, HOUR, NOW, funds, once, wallet, wallet_after

LATER = NOW + HOUR


def begun(kind: Kind = TOPUP, micros: int = 500, key: str = "pay", **facts: Any) -> Payment:
    return payments.begin(
        once(key),
        kind=kind,
        account_id=ACCOUNT_ID,
        amount_micros=micros,
        currency="usd",
        surface="agents",
        **facts,
    )


def succeeded(payment: Payment, micros: int | None = None) -> Payment:
    """The payment with Stripe's word that its money came in, or went back."""
    told = Observation(
        status="succeeded",
        at=LATER,
        received_micros=payment.amount_micros if micros is None else micros,
        received_currency="usd",
        payment_intent_id="" if payment.kind == REFUND else f"pi_{payment.id}",
        charge_id="ch_1",
    )
    return observed(payment, told, now=LATER)


def failed(refund: Payment) -> Payment:
    """The refund with Stripe's word that the bank sent it back."""
    told = Observation(status="failed", at=LATER, failure_code="lost_or_stolen_card")
    return observed(refund, told, now=LATER)


def payment_after(journal: Journal, kind: Kind) -> Payment:
    """The one payment of that kind as the journal leaves it."""
    (after,) = (
        each.after
        for each in journal.changes
        if isinstance(each.after, Payment) and each.after.kind == kind
    )
    return after


def received(
    before: Wallet, kind: Kind = TOPUP, micros: int = 500, *, bonus: int = 0
) -> tuple[Journal, Payment]:
    """What a payment does that has come in, and the payment after it."""
    asked = begun(kind, micros, bonus_micros=bonus, plan_id="credits-10", workspace_id="ws_1")
    journal = payment_entries.receive(
        before, asked, succeeded(asked), once("in", now=LATER), bonus_micros=bonus
    )
    return journal, payment_after(journal, kind)


def refund_of(paid: Payment, micros: int, key: str = "back") -> Payment:
    return begun(REFUND, micros, key, refund_of=paid.id)


def back(before: Wallet, paid: Payment, micros: int, *, is_done: bool = False) -> Journal:
    """What a refund of so much does, as it begins."""
    asked = refund_of(paid, micros)
    return payment_entries.take_back(before, paid, asked, once("out", now=LATER), is_done=is_done)


def undone(before: Wallet, taken: Journal, kind: Kind = TOPUP) -> Journal:
    """What it does that the refund which a journal began has failed."""
    paid, refund = payment_after(taken, kind), payment_after(taken, REFUND)
    return payment_entries.give_back(
        before, paid, refund, failed(refund), once("undo", now=LATER), taken=taken.entry
    )


# --- Coming in ------------------------------------------------------------------------------------


def test_a_top_up_is_plain_cash():
    journal, paid = received(wallet(cash=7))

    assert funds(wallet_after(journal)) == {"cash": (507, 0)}
    entry = journal.entry
    assert (entry.type, entry.source, entry.amount_micros) == ("deposit", "stripe", 500)
    assert entry.postings == {"wallet": 500, "stripe_clearing": -500}
    assert entry.reference == paid.id
    assert entry.details == {
        "payment_id": paid.id,
        "payment_intent_id": f"pi_{paid.id}",
        "kind": "topup",
        "workspace": "ws_1",
        "plan_id": "credits-10",
    }
    assert (paid.entry_id, paid.status, paid.settled_at) == (entry.id, "succeeded", LATER)
    assert (paid.due_at, paid.refundable_micros) == (None, 500)


def test_a_purchase_passes_through_the_wallet_to_the_house():
    journal, paid = received(wallet(cash=7), INTENT)

    assert funds(wallet_after(journal)) == {"cash": (7, 0)}
    assert journal.entry.type == "card_purchase"
    assert journal.entry.postings == {"stripe_clearing": -500, "revenue": 500}
    assert paid.refundable_micros == 500


def test_a_bonus_is_credit_of_its_own_on_top():
    journal, paid = received(wallet(), bonus=50)

    lot_id = paid.entry_id.replace("ent_", "lot_")
    assert funds(wallet_after(journal)) == {lot_id: (50, 0), "cash": (500, 0)}
    assert journal.entry.postings == {
        "wallet": 500,
        "stripe_clearing": -500,
        "credit": 50,
        "promotions": -50,
    }
    assert journal.entry.amount_micros == 550


@pytest.mark.parametrize("closed", [False, True])
def test_money_that_has_come_in_is_taken_by_a_wallet_in_debt_and_by_a_closed_one(closed):
    before = replace(wallet(cash=-200), closed=closed)

    journal, _ = received(before)

    assert wallet_after(journal).cash_micros == 300


# --- Going back -----------------------------------------------------------------------------------


def test_what_goes_back_to_the_card_leaves_the_wallet_as_the_refund_begins():
    came, paid = received(wallet(cash=7))

    journal = back(wallet_after(came), paid, 200)

    assert funds(wallet_after(journal)) == {"cash": (307, 0)}
    entry = journal.entry
    assert (entry.type, entry.reference, entry.amount_micros) == ("card_refund", paid.id, 200)
    assert entry.postings == {"wallet": -200, "stripe_clearing": 200}
    refund, after = payment_after(journal, REFUND), payment_after(journal, TOPUP)
    assert (refund.entry_id, refund.status, refund.version) == (entry.id, "pending", 1)
    assert refund.due_at is not None
    assert entry.details["refund_id"] == refund.id
    assert (after.refunded_micros, after.refundable_micros) == (200, 300)


def test_what_goes_back_of_a_purchase_comes_from_the_house():
    came, paid = received(wallet(cash=7), INTENT)

    journal = back(wallet_after(came), paid, 200)

    assert funds(wallet_after(journal)) == {"cash": (7, 0)}
    assert journal.entry.postings == {"refunds": -200, "stripe_clearing": 200}


@pytest.mark.parametrize(
    ("kind", "cash", "micros", "fits"),
    [
        # Of a top-up: what is left of it, and what plain cash is there.
        (TOPUP, 500, 499, True),
        (TOPUP, 500, 500, True),
        (TOPUP, 900, 501, False),
        (TOPUP, 200, 199, True),
        (TOPUP, 200, 200, True),
        (TOPUP, 200, 201, False),
        (TOPUP, 0, 1, False),
        (TOPUP, -1, 1, False),
        # Of a purchase: what is left of it.
        (INTENT, -1, 499, True),
        (INTENT, 0, 500, True),
        (INTENT, 900, 501, False),
    ],
)
def test_never_more_goes_back_than_came_in_and_is_there(kind, cash, micros, fits):
    _, paid = received(wallet(), kind)
    before = wallet(cash=cash)

    if fits:
        after = wallet_after(back(before, paid, micros))
        assert after.cash_micros == (cash - micros if kind == TOPUP else cash)
        return
    left = 500 if kind == INTENT else min(500, max(0, cash))
    with pytest.raises(RefundExceeded) as refused:
        back(before, paid, micros)
    assert refused.value.details["refundable_micros"] == left


def test_what_is_held_is_not_there():
    _, paid = received(wallet())

    with pytest.raises(RefundExceeded):
        back(wallet(cash=100, cash_held=400), paid, 101)


@pytest.mark.parametrize(("kind", "left"), [(TOPUP, -400), (INTENT, 100)])
def test_what_has_gone_back_already_may_leave_a_debt(kind, left):
    _, paid = received(wallet(), kind)

    journal = back(wallet(cash=100), paid, 500, is_done=True)

    assert wallet_after(journal).cash_micros == left


@pytest.mark.parametrize(("micros", "share"), [(1, 1), (10, 1), (11, 2), (250, 25), (500, 50)])
def test_of_a_bonus_its_share_goes_too_rounded_up(micros, share):
    came, paid = received(wallet(), bonus=50)

    journal = back(wallet_after(came), paid, micros)

    after = wallet_after(journal)
    assert after.cash_micros == 500 - micros
    assert sum(lot.remaining_micros for lot in after.lots) == 50 - share
    assert journal.entry.postings == {
        "wallet": -micros,
        "stripe_clearing": micros,
        "credit": -share,
        "promotions": share,
    }


@pytest.mark.parametrize(("spent", "goes"), [(0, 25), (24, 25), (25, 25), (26, 24), (50, 0)])
def test_a_bonus_that_was_spent_is_asked_back_of_nobody(spent, goes):
    came, paid = received(wallet(), bonus=50)
    before = wallet_after(came)
    if spent:
        before = wallet_after(wallets.use(before, once("use", now=LATER), amount_micros=spent))

    journal = back(before, paid, 250)

    after = wallet_after(journal)
    assert after.cash_micros == 250
    assert sum(lot.remaining_micros for lot in after.lots) == 50 - spent - goes


# --- Sent back ------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [TOPUP, INTENT])
@pytest.mark.parametrize("bonus", [0, 50])
def test_what_did_not_get_to_the_card_is_where_it_was(kind, bonus):
    came, paid = received(wallet(cash=7), kind, bonus=0 if kind == INTENT else bonus)
    before = wallet_after(came)
    taken = back(before, paid, 200)

    journal = undone(wallet_after(taken), taken, kind)

    assert funds(wallet_after(journal)) == funds(before)
    assert journal.entry.type == "card_refund_failed"
    assert journal.entry.postings == {
        account: -micros for account, micros in taken.entry.postings.items()
    }
    assert payment_after(journal, kind).refunded_micros == 0
    refund = payment_after(journal, REFUND)
    assert (refund.undone_by, refund.due_at) == (journal.entry.id, None)


@pytest.mark.parametrize("closed", [False, True])
def test_what_did_not_get_to_the_card_pays_a_debt_and_comes_to_a_closed_wallet(closed):
    came, paid = received(wallet())
    taken = back(wallet_after(came), paid, 500)
    before = replace(wallet_after(taken), cash_micros=-300, closed=closed)

    assert wallet_after(undone(before, taken)).cash_micros == 200


def test_what_did_not_succeed_is_not_received():
    asked = begun()

    with pytest.raises(AssertionError):
        payment_entries.receive(wallet(), asked, asked, once("in"))


# --- Any sequence ---------------------------------------------------------------------------------


@dataclass
class Desk:
    """A wallet, its payments, and what Stripe has by its own count."""

    wallet: Wallet = field(default_factory=lambda: wallet(seq=0))
    paid: dict[str, Payment] = field(default_factory=dict)
    refunds: dict[str, tuple[Payment, Entry]] = field(default_factory=dict)
    entries: list[Entry] = field(default_factory=list)
    at_stripe: int = 0
    numbers: Iterator[int] = field(default_factory=count)

    def once(self) -> Once:
        return once(f"step {next(self.numbers)}", now=LATER)

    def keep(self, journal: Journal) -> None:
        self.entries.append(journal.entry)
        for change in journal.changes:
            match change.after:
                case Wallet() as after:
                    self.wallet = after
                case Payment(kind="refund") as refund:
                    taken = self.refunds.get(refund.id, (refund, journal.entry))[1]
                    self.refunds[refund.id] = (refund, taken)
                case Payment() as paid:
                    self.paid[paid.id] = paid

    def pay(self, kind: Kind, micros: int, bonus: int) -> None:
        asked = begun(kind, micros, f"pay {next(self.numbers)}", bonus_micros=bonus)
        bonus = 0 if kind == INTENT else bonus
        journal = payment_entries.receive(
            self.wallet, asked, succeeded(asked), self.once(), bonus_micros=bonus
        )
        self.at_stripe += micros
        self.keep(journal)

    def spend(self, micros: int) -> None:
        self.keep(wallets.use(self.wallet, self.once(), amount_micros=micros))

    def withdraw(self, micros: int) -> None:
        try:
            self.keep(wallets.withdraw(self.wallet, self.once(), amount_micros=micros))
        except InsufficientFunds:
            assert self.wallet.cash_micros < micros

    def refund(self, place: int, micros: int, *, is_done: bool) -> None:
        """A refund that is asked for here, or one that was made at Stripe: of what came in."""
        if not self.paid:
            return
        paid = list(self.paid.values())[place % len(self.paid)]
        if is_done and micros > paid.refundable_micros:
            return
        asked = refund_of(paid, micros, f"back {next(self.numbers)}")
        try:
            journal = payment_entries.take_back(
                self.wallet, paid, asked, self.once(), is_done=is_done
            )
        except RefundExceeded:
            is_short = paid.kind == TOPUP and micros > max(0, self.wallet.cash_micros)
            assert micros > paid.refundable_micros or is_short
            return
        self.at_stripe -= micros
        self.keep(journal)

    def send_back(self, place: int) -> None:
        sent = [each for each in self.refunds.values() if not each[0].undone_by]
        if not sent:
            return
        refund, taken = sent[place % len(sent)]
        journal = payment_entries.give_back(
            self.wallet,
            self.paid[refund.refund_of],
            refund,
            failed(refund),
            self.once(),
            taken=taken,
        )
        self.at_stripe += refund.amount_micros
        self.keep(journal)

    def assert_sound(self) -> None:
        assert all(sum(entry.postings.values()) == 0 for entry in self.entries)
        clearing = sum(entry.postings.get("stripe_clearing", 0) for entry in self.entries)
        assert -clearing == self.at_stripe >= 0
        mine = sum(
            entry.postings.get(name, 0) for entry in self.entries for name in ("wallet", "credit")
        )
        assert mine == self.wallet.posted_micros
        for paid in self.paid.values():
            live = [
                refund.amount_micros
                for refund, _ in self.refunds.values()
                if refund.refund_of == paid.id and not refund.undone_by
            ]
            assert sum(live) == paid.refunded_micros <= paid.received_micros


MICROS = st.integers(1, 40)
STEPS = st.one_of(
    st.tuples(st.just("pay"), st.sampled_from([TOPUP, INTENT]), MICROS, st.integers(0, 5)),
    st.tuples(st.just("spend"), MICROS),
    st.tuples(st.just("withdraw"), MICROS),
    st.tuples(st.just("refund"), st.integers(0, 9), MICROS, st.booleans()),
    st.tuples(st.just("send_back"), st.integers(0, 9)),
)


@given(st.lists(STEPS, max_size=25))
def test_whatever_happens_the_ledger_has_what_stripe_has_and_no_more_goes_back_than_came(steps):
    desk = Desk()
    for step in steps:
        match step:
            case ("pay", kind, micros, bonus):
                desk.pay(kind, micros, bonus)
            case ("spend", micros):
                desk.spend(micros)
            case ("withdraw", micros):
                desk.withdraw(micros)
            case ("refund", place, micros, is_done):
                desk.refund(place, micros, is_done=is_done)
            case ("send_back", place):
                desk.send_back(place)

        desk.assert_sound()
