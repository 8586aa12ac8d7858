"""Disputes: what is heard of one in any order, any number of times, leaves one wallet."""

from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import permutations, product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.domain import disputes as rules
from holdfast.domain import entries, payment_entries, payment_states, payments
from holdfast.domain import wallet as wallet_rules
from holdfast.domain.disputes import Dispute, Sighting
from holdfast.domain.entries import Entry
from holdfast.domain.ledger import Answered, Decision, Wallet, draw
from holdfast.domain.payments import INTENT, Observation, Payment
from holdfast.errors import InsufficientFunds
from tests.domain.samples import (
    ACCOUNT_ID,
    HOUR,
    NOW,
    answered,
    cash_lot,
    credit,
    funds,
    once,
    wallet,
    wallet_after,
    written,
)

PAID = 100
OPEN = ("warning_needs_response", "warning_under_review", "needs_response", "under_review")
DROPPED = ("warning_closed", "prevented")
LOST = ("lost", "appeal_needs_response", "appeal_under_review")
MINUTE = timedelta(minutes=1)


def seen(
    status: str, minutes: int = 1, /, *, amount: int = PAID, currency: str = "usd"
) -> Sighting:
    """What Stripe said so many minutes after the dispute was opened."""
    return Sighting(
        id="du_1",
        status=status,
        at=NOW + minutes * MINUTE,
        amount_micros=amount,
        currency=currency,
        reason="fraudulent",
        charge_id="ch_1",
        opened_at=NOW,
        evidence_due_at=NOW + timedelta(days=9),
    )


def begun(kind: payments.Kind = "topup", *, amount: int = PAID, **facts: Any) -> Payment:
    """A payment of which Stripe says that it was paid."""
    asked = payments.begin(
        once(f"pay by {kind}"),
        kind=kind,
        account_id=ACCOUNT_ID,
        amount_micros=amount,
        currency="usd",
        surface="agents",
        **facts,
    )
    told = Observation(
        status="succeeded",
        at=NOW,
        received_micros=amount,
        received_currency="usd",
        payment_intent_id="pi_1",
    )
    return payment_states.observed(asked, told, now=NOW)


@dataclass
class Books:
    """A wallet with one payment, and what becomes of both."""

    wallet: Wallet = field(default_factory=wallet)
    kind: payments.Kind = "topup"
    paid: Entry | None = None
    payment: Payment = field(init=False)
    dispute: Dispute | None = None
    types: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.payment = begun(self.kind)

    def write(self, decision: Decision) -> None:
        journal = written(decision)
        self.wallet = wallet_after(journal)
        for change in journal.changes:
            match change.after:
                case Payment(kind="refund"):
                    pass
                case Payment() as payment:
                    self.payment = payment
                case Dispute() as dispute:
                    assert change.before is self.dispute
                    self.dispute = dispute
        self.types.append(journal.entry.type)

    def pay(self) -> None:
        """What came in, once."""
        if self.paid is None:
            after = self.payment
            before = replace(after, version=after.version - 1)
            decision = payment_entries.receive(self.wallet, before, after, once("stripe pi_1"))
            self.write(decision)
            self.paid = decision.entry

    def refund(self, micros: int) -> None:
        """What somebody sent back at Stripe, once, whatever is left here."""
        if entries.CARD_REFUND not in self.types:
            self.pay()
            sent = begun("refund", amount=micros, refund_of=self.payment.id)
            decision = payment_entries.take_back(
                self.wallet, self.payment, sent, once("refund"), is_done=True
            )
            self.write(decision)

    def hear(self, told: Sighting) -> Decision | None:
        """A sighting, as the use case takes it in; what the wallet was told, if it was."""
        self.pay()
        assert self.paid is not None
        if self.dispute and not rules.is_further(told, self.dispute):
            self.dispute = rules.noted(self.dispute, told)
            return None
        decision = self.decide(told)
        self.write(decision)
        return decision

    def decide(self, told: Sighting) -> Decision:
        assert self.paid is not None
        return rules.take_in(
            self.wallet,
            self.dispute,
            once(f"dispute {rules.stage_of(told.status)}", now=NOW + HOUR),
            seen=told,
            payment=self.payment,
            paid=self.paid,
        )

    @property
    def cash(self) -> tuple[int, int]:
        """Plain cash that can be spent, and that is held."""
        return self.wallet.cash_micros, self.wallet.cash_held_micros

    @property
    def found(self) -> Dispute:
        assert self.dispute is not None
        return self.dispute


def paid(*, cash: int = 0, spent: int = 0, kind: payments.Kind = "topup") -> Books:
    """Books in which the payment came in, and some was spent since."""
    books = Books(wallet(cash=cash), kind)
    books.pay()
    if spent:
        books.write(wallet_rules.use(books.wallet, once("spend"), amount_micros=spent))
    return books


# --- What each stage does ------------------------------------------------------------------------


@pytest.mark.parametrize("status", [*OPEN, "a state that nobody knows"])
@pytest.mark.parametrize(
    ("spent", "amount", "frozen"),
    [
        (0, 99, 99),
        (0, 100, 100),
        (0, 101, 100),
        (30, 70, 70),
        (30, 71, 70),
        (99, 100, 1),
        (100, 100, 0),
        (101, 100, 0),
    ],
    ids=str,
)
def test_what_is_disputed_is_frozen_as_far_as_it_is_there(status, spent, amount, frozen):
    books = paid(spent=spent)

    books.hear(seen(status, amount=amount))

    assert books.cash == (PAID - spent - frozen, frozen)
    assert (books.found.stage, books.found.frozen_micros) == ("open", frozen)
    assert books.found.owed_micros == min(amount, PAID)
    assert (books.found.closed_by, books.found.closed_at) == ("", None)


def test_no_more_is_frozen_than_the_payment_brought_whatever_else_is_there():
    books = paid(cash=500)

    books.hear(seen("needs_response", amount=130))

    assert books.cash == (500, 100)


def test_lots_are_not_frozen():
    books = Books(wallet(credit("gift", 50), cash_lot("expiring", 50, until=NOW + 9 * HOUR)))
    books.pay()
    books.write(wallet_rules.use(books.wallet, once("spend"), amount_micros=190))

    books.hear(seen("needs_response"))

    assert funds(books.wallet) == {"cash": (0, 10)}


def test_what_is_frozen_cannot_be_spent():
    books = paid(cash=5)
    books.hear(seen("needs_response"))

    with pytest.raises(InsufficientFunds) as refused:
        wallet_rules.withdraw(books.wallet, once(), amount_micros=6)

    assert refused.value.details["available_micros"] == 5
    assert (
        wallet_after(wallet_rules.withdraw(books.wallet, once(), amount_micros=5)).cash_micros == 0
    )


@pytest.mark.parametrize("status", [*DROPPED, "won"])
@pytest.mark.parametrize("spent", [0, 60, 100, 130])
def test_what_was_frozen_is_free_again_when_it_is_over(status, spent):
    books = paid(spent=spent)
    books.hear(seen("needs_response"))

    books.hear(seen(status, 2))

    assert books.cash == (PAID - spent, 0)
    assert (books.found.frozen_micros, books.found.taken_micros) == (0, 0)
    assert books.types[-2:] == ["dispute_opened", "dispute_won"]
    assert books.found.closed_at == NOW + HOUR


@pytest.mark.parametrize("status", LOST)
@pytest.mark.parametrize("spent", [0, 1, 60, 100, 130])
@pytest.mark.parametrize("amount", [1, 40, 99, 100, 101])
@pytest.mark.parametrize("is_heard_before", [True, False])
def test_what_is_lost_is_taken_and_what_was_spent_is_owed(
    *, status, spent, amount, is_heard_before
):
    books = paid(spent=spent)
    if is_heard_before:
        books.hear(seen("needs_response", amount=amount))

    books.hear(seen(status, 2, amount=amount))

    taken = min(amount, PAID)
    assert books.cash == (PAID - spent - taken, 0)
    assert (books.found.frozen_micros, books.found.taken_micros) == (0, taken)
    assert books.types[-1] == "dispute_lost"


def test_the_next_money_that_comes_in_pays_what_is_owed_first():
    books = paid(spent=100)
    books.hear(seen("lost"))

    books.write(wallet_rules.deposit(books.wallet, once("more"), amount_micros=130))

    assert books.cash == (30, 0)


def test_a_debt_counts_against_all_that_can_be_spent():
    books = paid(spent=100)
    books.hear(seen("lost"))
    books.wallet = replace(books.wallet, lots=(credit("gift", 120),))

    with pytest.raises(InsufficientFunds) as refused:
        draw(books.wallet, 21, NOW)

    assert refused.value.details["available_micros"] == 20


def test_a_loss_of_another_amount_than_was_frozen_frees_the_rest():
    books = paid()
    books.hear(seen("needs_response", amount=80))

    books.hear(seen("lost", 2, amount=30))

    assert books.cash == (70, 0)
    assert books.found.taken_micros == 30


def test_what_comes_back_on_appeal_is_given_back():
    books = paid(spent=30)
    books.hear(seen("needs_response"))
    books.hear(seen("lost", 2))

    books.hear(seen("won", 3))

    assert books.cash == (70, 0)
    assert (books.found.stage, books.found.taken_micros) == ("won", 0)


def test_an_inquiry_that_was_closed_may_still_be_lost():
    books = paid()
    for minutes, status in enumerate(["warning_needs_response", "warning_closed", "lost"]):
        books.hear(seen(status, minutes))

    assert books.cash == (0, 0)
    assert books.types[-3:] == ["dispute_opened", "dispute_won", "dispute_lost"]


@pytest.mark.parametrize("status", ["needs_response", "warning_closed", "lost", "won"])
def test_a_purchase_never_was_in_the_wallet_and_nothing_of_it_is_frozen_or_taken(status):
    books = paid(cash=40, kind=INTENT)

    books.hear(seen(status))

    assert books.cash == (40, 0)
    assert (books.found.amount_micros, books.found.owed_micros) == (PAID, 0)
    assert books.types[-1].startswith("dispute_")


def test_a_dispute_in_the_currency_of_the_bank_is_of_all_that_came_in():
    books = paid()

    books.hear(seen("lost", amount=7, currency="eur"))

    assert (books.found.amount_micros, books.found.currency) == (PAID, "usd")
    assert books.cash == (0, 0)


@pytest.mark.parametrize("status", ["needs_response", "lost", "won"])
def test_a_closed_wallet_takes_it_too(status):
    books = paid(spent=100)
    books.wallet = replace(books.wallet, closed=True)

    books.hear(seen(status))

    assert books.cash == (-PAID if status == "lost" else 0, 0)
    assert books.wallet.closed


# --- When it is looked at again ------------------------------------------------------------------


@pytest.mark.parametrize("status", [*OPEN, "a state that nobody knows"])
@pytest.mark.parametrize(("milliseconds", "is_due"), [(-1, False), (0, True), (1, True)])
def test_an_open_one_is_due_a_day_after_it_was_last_looked_at(status, milliseconds, is_due):
    books = paid()
    books.hear(seen("needs_response", 1))
    books.hear(seen(status, 5))

    looked_at = NOW + 5 * MINUTE
    moment = looked_at + timedelta(days=1, milliseconds=milliseconds)
    assert rules.is_due(books.found, moment) == is_due


@pytest.mark.parametrize("status", [*DROPPED, *LOST, "won"])
@pytest.mark.parametrize("is_heard_before", [True, False])
def test_one_that_is_over_is_never_due(*, status, is_heard_before):
    books = paid()
    if is_heard_before:
        books.hear(seen("needs_response"))

    books.hear(seen(status, 2))
    books.hear(seen(status, 3))

    assert books.found.due_at is None
    assert not rules.is_due(books.found, NOW + timedelta(days=9_999))


def test_one_that_is_put_off_is_due_a_day_later_and_nothing_else_of_it_is_changed():
    books = paid()
    books.hear(seen("needs_response"))
    known = books.found
    now = NOW + timedelta(days=3)

    after = rules.put_off(known, now)

    assert after.due_at == now + timedelta(days=1)
    assert after.version == known.version + 1
    assert replace(after, due_at=known.due_at, version=known.version) == known


# --- What the entries say ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("told", "type_", "amount", "postings"),
    [
        (["needs_response"], "dispute_opened", 60, {"wallet": -60, "held": 60}),
        (["needs_response", "won"], "dispute_won", 60, {"wallet": 60, "held": -60}),
        (["warning_needs_response", "prevented"], "dispute_won", 60, {"wallet": 60, "held": -60}),
        (
            ["needs_response", "lost"],
            "dispute_lost",
            100,
            {"wallet": -40, "held": -60, "disputes": 100},
        ),
        (["lost"], "dispute_lost", 100, {"wallet": -100, "disputes": 100}),
        (["lost", "won"], "dispute_won", 100, {"wallet": 100, "disputes": -100}),
        (["won"], "dispute_won", 0, {}),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_an_entry_says_what_it_moved_and_for_which_payment(told, type_, amount, postings):
    books = paid(spent=40)
    decisions = [books.hear(seen(status, at)) for at, status in enumerate(told, start=1)]

    entry = written(decisions[-1]).entry  # type: ignore[arg-type]

    assert (entry.type, entry.amount_micros, entry.postings) == (type_, amount, postings)
    assert (entry.reference, entry.source) == (books.payment.id, "stripe")
    assert entry.details["dispute_id"] == "du_1"
    assert entry.details["payment_intent_id"] == "pi_1"
    assert entry.details["status"] == told[-1]
    assert books.found.version == len(told)
    closed_by = "" if told == ["needs_response"] else entry.id
    assert books.found.closed_by == closed_by


def test_the_entry_tells_the_disputed_amount_in_minor_units():
    books = paid()

    decision = books.hear(seen("needs_response", amount=12_340_000))

    assert written(decision).entry.details["disputed"] == 1234  # type: ignore[arg-type]


def test_what_is_known_already_is_answered_by_the_entry_that_told_it():
    books = paid()
    opened = written(books.hear(seen("needs_response"))).entry.id  # type: ignore[arg-type]
    assert answered(books.decide(seen("under_review", 2))) == opened

    lost = written(books.hear(seen("lost", 3))).entry.id  # type: ignore[arg-type]

    for status in (*OPEN, *DROPPED, *LOST):
        assert answered(books.decide(seen(status, 9))) == lost


# --- Sightings in any order ----------------------------------------------------------------------


def test_newer_news_of_the_same_stage_are_noted_and_move_nothing():
    books = paid()
    books.hear(seen("needs_response", 1))
    before = books.wallet

    books.hear(seen("under_review", 3))
    books.hear(seen("needs_response", 2))

    assert books.wallet is before
    assert (books.found.status, books.found.observed_at) == ("under_review", NOW + 3 * MINUTE)
    assert books.found.version == 2


def test_the_same_news_again_are_none():
    books = paid()
    books.hear(seen("needs_response"))
    known = books.found

    assert rules.noted(known, seen("needs_response")) is known
    assert rules.noted(known, seen("lost", 5)) is known


LIVES = {
    "lost": ("pay", "refund", "needs_response", "under_review", "lost"),
    "won": ("pay", "refund", "needs_response", "under_review", "won"),
    "closed": ("pay", "refund", "warning_needs_response", "warning_under_review", "warning_closed"),
    "back on appeal": ("refund", "needs_response", "lost", "appeal_under_review", "won"),
    "lost on appeal": ("refund", "needs_response", "lost", "appeal_under_review"),
}


def told(life: str, order: tuple[str, ...], *, spent: int, refunded: int = 30) -> Books:
    """The books after these were heard in this order; each sighting is as old as its place in the
    dispute's own life."""
    books = Books()
    books.pay()
    books.write(wallet_rules.use(books.wallet, once("spend"), amount_micros=spent))
    for event in order:
        match event:
            case "pay":
                books.pay()
            case "refund":
                books.refund(refunded)
            case status:
                books.hear(seen(status, LIVES[life].index(status)))
    return books


def end(books: Books) -> tuple[Any, ...]:
    """What all orders have to come to."""
    found = replace(books.found, version=0, frozen_by="", closed_by="", closed_at=None)
    return books.cash, books.wallet.posted_micros, found, books.payment.refunded_micros


@pytest.mark.parametrize("spent", [1, 50, 70, 100])
@pytest.mark.parametrize("life", LIVES)
def test_every_order_of_a_life_ends_the_same(life, spent):
    expected = end(told(life, LIVES[life], spent=spent))

    for order in permutations(LIVES[life]):
        books = told(life, order, spent=spent)

        assert end(books) == expected, order
        assert books.wallet.cash_held_micros == 0
    lost = PAID if LIVES[life][-1].startswith(("lost", "appeal")) else 0
    assert expected[0] == (PAID - spent - 30 - lost, 0)


@given(
    life=st.sampled_from(sorted(LIVES)),
    spent=st.integers(1, 130),
    refunded=st.integers(1, 100),
    chance=st.randoms(use_true_random=False),
    data=st.data(),
)
def test_every_order_of_every_delivery_ends_the_same(life, spent, refunded, chance, data):
    events = LIVES[life]
    copies = data.draw(st.lists(st.integers(1, 3), min_size=len(events), max_size=len(events)))
    order = [event for event, times in zip(events, copies, strict=True) for _ in range(times)]
    chance.shuffle(order)

    books = told(life, tuple(order), spent=spent, refunded=refunded)

    expected = told(life, events, spent=spent, refunded=refunded)
    assert end(books) == end(expected)
    assert sum(type_ == "deposit" for type_ in books.types) == 1
    for stage in ("dispute_opened", "dispute_lost"):
        assert books.types.count(stage) <= 1


@given(
    cash=st.integers(0, 300),
    spent=st.integers(1, 400),
    amount=st.integers(1, 150),
    order=st.permutations(["needs_response", "under_review", "warning_closed", "lost", "won"]),
    length=st.integers(1, 5),
)
def test_never_more_is_held_than_is_owed_and_nothing_once_it_is_over(
    *, cash, spent, amount, order, length
):
    books = paid(cash=cash, spent=spent)
    before = books.wallet.posted_micros

    for minutes, status in enumerate(order[:length]):
        books.hear(seen(status, minutes, amount=amount))

        found = books.found
        assert books.wallet.cash_held_micros == found.frozen_micros <= found.owed_micros
        assert books.wallet.posted_micros == before - found.taken_micros
        assert found.stage == "open" or not found.frozen_micros
        assert found.taken_micros == (found.owed_micros if found.stage == "lost" else 0)


def test_stages_are_told_apart():
    stages = {status: rules.stage_of(status) for status in (*OPEN, *DROPPED, *LOST, "won")}

    assert stages == {
        **dict.fromkeys(OPEN, "open"),
        **dict.fromkeys(DROPPED, "dropped"),
        **dict.fromkeys(LOST, "lost"),
        "won": "won",
    }


@pytest.mark.parametrize(("first", "second"), [*product((*OPEN, *DROPPED, *LOST, "won"), repeat=2)])
def test_a_stage_is_only_left_for_one_further_down(first, second):
    books = paid()
    books.hear(seen(first))
    order = ["open", "dropped", "lost", "won"]

    is_further = rules.is_further(seen(second, 2), books.found)

    assert is_further == (order.index(rules.stage_of(second)) > order.index(books.found.stage))
    assert isinstance(books.decide(seen(second, 2)), Answered) == (not is_further)
