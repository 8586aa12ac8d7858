"""What goes wrong beside a payment, or is tried on purpose, and what becomes of the money."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from holdfast.audit import audit_items
from holdfast.domain import entries as words
from holdfast.domain import payment_entries
from holdfast.domain.accounts import Owner
from holdfast.domain.budgets import Scope
from holdfast.domain.clock import DAY
from holdfast.domain.ledger import Change
from holdfast.domain.lots import CREDIT, LOTS_MAX, Lot, Terms
from holdfast.domain.payments import (
    CANCELED,
    CHECKOUT,
    FAILED,
    NOT_SENT,
    PENDING,
    SUCCEEDED,
    Observation,
    Payment,
)
from holdfast.errors import (
    AccountClosed,
    BudgetExceeded,
    Forbidden,
    InvalidField,
    PaymentDeclined,
    PaymentMethodNotFound,
    PaymentNotFound,
    PaymentState,
    RefundExceeded,
    RefundRefused,
    StripeUnavailable,
)
from holdfast.services import accounts, beginnings, members, orders, payments, taking_in
from holdfast.services import wallet as wallets
from holdfast.services.refs import wallet_of
from tests.domain.samples import NOW
from tests.services.caller import CENT, LIVE
from tests.services.payer import Payer, payer


@pytest.fixture
def alice() -> Payer:
    return payer()


# --- Given up, and asked for again ----------------------------------------------------------------


def test_what_was_given_up_and_is_asked_for_again_is_looked_for_again(alice):
    alice.breaks("before", 0)
    with pytest.raises(StripeUnavailable):
        alice.shop.pay(2_000, "again")
    alice.breaks("before")
    alice.sweep()
    (given_up,) = [each for each in alice.kept() if each.failure_code == NOT_SENT]
    alice.breaks("after", 0)
    with pytest.raises(StripeUnavailable):
        alice.shop.pay(2_000, "again")
    alice.breaks("after")

    alice.sweep()

    assert alice.payment(given_up.id).status == SUCCEEDED
    assert alice.flaws() == []
    assert alice.caller.balance() == (8_000, 0)


def test_a_payment_of_a_customer_who_was_deleted_there_is_given_up(alice):
    alice.breaks("before", 0)
    with pytest.raises(StripeUnavailable):
        alice.shop.pay(2_000, "lost")
    alice.breaks("before")
    (customer,) = list(alice.shop.counter.every("customer"))
    alice.shop.counter.forget("customer", customer["id"])

    alice.sweep()

    (lost,) = [each for each in alice.kept() if each.amount_micros == 2_000 * CENT]
    assert (lost.status, lost.failure_code, lost.due_at) == (FAILED, NOT_SENT, None)


# --- Amounts --------------------------------------------------------------------------------------


def test_a_capture_that_no_card_can_be_charged_is_refused_before_it_begins(alice):
    made = alice.intent(micros=30_000_000, currency="kwd", captures_by_hand=True)
    alice.confirm(made, alice.on_file())
    before = alice.caller.stored()

    with pytest.raises(InvalidField) as refused:
        alice.capture(made, 1_001_000)

    assert refused.value.param == "amount"
    assert alice.caller.stored() == before
    assert alice.capture(made, 1_010_000) == 1_010_000


def test_a_refund_that_no_card_can_be_given_is_refused_before_it_begins(alice):
    made = alice.intent(micros=30_000_000, currency="kwd")
    alice.confirm(made, alice.on_file())
    before = alice.caller.stored()

    with pytest.raises(InvalidField) as refused:
        alice.refund(made, 1_000)

    assert refused.value.param == "amount"
    assert alice.caller.stored() == before
    assert alice.refund(made, 10_000).refund.status == SUCCEEDED
    assert alice.payment(made).refundable_micros == 29_990_000


@pytest.mark.parametrize(("currency", "micros"), [("jpy", 500_000_000), ("kwd", 1_010_000)])
def test_currencies_with_other_decimals_are_charged_and_given_back_whole(alice, currency, micros):
    made = alice.intent(micros=micros, currency=currency)

    alice.confirm(made, alice.on_file())
    alice.refund(made)

    paid = alice.payment(made)
    assert (paid.received_micros, paid.refunded_micros) == (micros, micros)
    assert alice.caller.wallet(currency).posted_micros == 0
    (there,) = alice.shop.counter.every("refund")
    assert there["amount"] == {"jpy": 500, "kwd": 1_010}[currency]


@pytest.mark.parametrize(
    ("received", "currency"), [(1_999, "usd"), (2_001, "usd"), (2_000, "eur"), (2_000, "jpy")]
)
def test_the_wallet_gets_what_came_in_and_not_what_was_asked_for(alice, received, currency):
    asked = alice.shop.pay_on_page(2_000)
    seen = Observation(
        status=SUCCEEDED,
        at=NOW,
        received_micros=received * CENT,
        received_currency=currency,
        payment_intent_id="pi_other",
    )

    taken = taking_in.take_in(alice.caller.store, LIVE, asked.id, seen, now=NOW)

    assert taken.payment.differs
    assert taken.entry is not None
    told = (taken.entry.type, taken.entry.currency, taken.entry.amount_micros)
    assert told == (words.DEPOSIT, currency, received * CENT)
    assert alice.payment(asked.id).refundable_micros == received * CENT


def test_what_came_in_twice_by_name_is_credited_once(alice):
    asked = alice.shop.pay_on_page(2_000)
    seen = Observation(
        status=SUCCEEDED,
        at=NOW,
        received_micros=2_000 * CENT,
        received_currency="usd",
        payment_intent_id="pi_first",
    )
    store = alice.caller.store

    first = taking_in.take_in(store, LIVE, asked.id, seen, now=NOW)
    again = taking_in.take_in(store, LIVE, asked.id, replace(seen, at=NOW + DAY), now=NOW + DAY)

    assert first.is_new
    assert not again.is_new
    assert alice.caller.balance() == (8_000, 0)


# --- The same purchase by card and by the wallet --------------------------------------------------


def test_what_the_wallet_pays_no_browser_can_pay_by_card_too(alice):
    made = alice.intent()
    with pytest.raises(PaymentDeclined):
        alice.confirm(made, alice.on_file("pm_card_chargeCustomerFail"))
    there = alice.payment(made).payment_intent_id

    alice.confirm(made, "balance")

    intents = alice.shop.stripes("live").payment_intents
    with pytest.raises(PaymentState):
        intents.confirm(there, key="a browser", payment_method_id="pm_card_visa")
    alice.hear()
    assert alice.payment(made).status == SUCCEEDED
    assert alice.flaws() == []


def test_what_a_browser_has_paid_the_wallet_does_not_pay_too(alice):
    made = alice.intent()
    with pytest.raises(PaymentDeclined):
        alice.confirm(made, alice.on_file("pm_card_chargeCustomerFail"))
    there = alice.payment(made).payment_intent_id
    intents = alice.shop.stripes("live").payment_intents
    intents.confirm(there, key="a browser", payment_method_id=alice.on_file())

    with pytest.raises(PaymentState):
        alice.confirm(made, "balance")

    assert alice.caller.entries()[-1] == words.CARD_PURCHASE
    assert alice.caller.balance() == (6_000, 0)
    assert alice.flaws() == []


def test_a_cancellation_there_leaves_alone_what_the_wallet_has_set_aside(alice):
    made = alice.intent(captures_by_hand=True)
    with pytest.raises(PaymentDeclined):
        alice.confirm(made, alice.on_file("pm_card_chargeCustomerFail"))
    alice.confirm(made, "balance")

    alice.hear()

    assert alice.capture(made, 200 * CENT) == 200 * CENT
    assert alice.caller.balance() == (5_800, 0)


def test_only_a_purchase_is_paid_from_the_wallet(alice):
    before = alice.caller.stored()

    with pytest.raises(PaymentMethodNotFound):
        orders.buy(
            alice.caller.store,
            alice.shop.stripes,
            alice.caller.owner,
            plan_id="credits-10",
            payment_method_id="balance",
            amount=None,
            surface="me",
            once=alice.caller.once(),
        )

    assert alice.caller.stored() == before


# --- Cards that go --------------------------------------------------------------------------------


def test_a_card_that_went_meanwhile_is_told_and_another_may_pay(alice):
    gone, other, made = alice.on_file(), alice.on_file("pm_card_mastercard"), alice.intent()
    alice.shop.stripes("live").cards.detach(gone, key="a page of Stripe's")
    once = alice.caller.once("gone")

    for _ in range(2):
        with pytest.raises(PaymentMethodNotFound):
            alice.confirm(made, gone, once)

    assert alice.confirm(made, other).payment.status == SUCCEEDED
    assert alice.flaws() == []


# --- Steps that meet somebody else's --------------------------------------------------------------


def test_what_was_canceled_there_is_not_told_to_be_captured(alice):
    made = alice.intent(captures_by_hand=True)
    alice.confirm(made, alice.on_file())
    intents = alice.shop.stripes("live").payment_intents
    intents.cancel(alice.payment(made).payment_intent_id, key="a dashboard")
    once = alice.caller.once("capture")

    for _ in range(2):
        with pytest.raises(PaymentState):
            alice.capture(made, once=once)

    assert alice.payment(made).status == CANCELED
    assert alice.flaws() == []


def test_a_second_capture_of_another_amount_is_refused_and_the_first_goes_on(alice):
    made = alice.intent(captures_by_hand=True)
    alice.confirm(made, alice.on_file())
    alice.breaks("before", 0)
    with pytest.raises(StripeUnavailable):
        alice.capture(made, 100 * CENT)
    alice.breaks("before")

    with pytest.raises(PaymentState):
        alice.capture(made, 200 * CENT)
    alice.sweep()

    assert alice.payment(made).received_micros == 100 * CENT
    assert alice.flaws() == []


def test_a_hold_that_somebody_extended_is_looked_at_again_when_it_is_over(alice):
    made = alice.intent(captures_by_hand=True)
    alice.confirm(made, "balance")
    alice.shop.wait(timedelta(days=6))
    alice.caller.extend(alice.payment(made).hold_id, expires_in=timedelta(days=5))
    alice.shop.wait(timedelta(days=2))

    alice.swept(made)

    waiting = alice.payment(made)
    assert waiting.status == "requires_capture"
    assert waiting.due_at == alice.caller.look_at(waiting.hold_id).expires_at
    alice.sweep(timedelta(days=4))
    assert alice.payment(made).status == CANCELED
    assert alice.caller.balance() == (6_000, 0)


# --- Refunds --------------------------------------------------------------------------------------


def test_a_refund_of_what_is_disputed_comes_back_from_stripe_and_loses_nothing(alice):
    paid = alice.shop.pay(2_000, "disputed")
    alice.shop.dispute(paid)
    before = alice.caller.balance()

    with pytest.raises(RefundRefused):
        alice.refund(paid.id)

    assert before == (6_000, 2_000)
    assert alice.caller.balance() == before
    assert alice.payment(paid.id).refunded_micros == 0
    assert alice.flaws() == []


def test_money_that_is_set_aside_is_not_given_back_to_a_card(alice):
    (paid,) = alice.kept()
    alice.caller.place(5_500)

    with pytest.raises(RefundExceeded):
        alice.refund(paid.id)

    assert alice.caller.balance() == (500, 5_500)


def test_a_refund_of_a_purchase_by_card_is_in_no_cap(alice):
    made = alice.intent()
    alice.confirm(made, alice.on_file())
    once = replace(alice.caller.once(), caps=(_cap(alice, 100),))

    alice.refund(made, once=once)

    assert alice.payment(made).refunded_micros == 300 * CENT
    assert alice.caller.balance() == (6_000, 0)
    assert alice.flaws() == []


@pytest.mark.parametrize(("cents", "is_allowed"), [(299, False), (300, True), (301, True)])
def test_a_purchase_from_the_wallet_is_in_its_payers_cap(alice, cents, is_allowed):
    made = alice.intent()
    once = replace(alice.caller.once(), caps=(_cap(alice, cents),))

    if is_allowed:
        assert alice.confirm(made, "balance", once).payment.status == SUCCEEDED
        return
    with pytest.raises(BudgetExceeded):
        alice.confirm(made, "balance", once)

    assert alice.payment(made).status == PENDING
    assert alice.caller.balance() == (6_000, 0)


def test_a_refund_that_fails_brings_the_cash_back_where_there_is_no_place_for_the_bonus():
    wallet, paid, refund, taken = _refunded_with_a_bonus()
    crowd = tuple(_lot(number) for number in range(LOTS_MAX))
    full = replace(wallet, lots=crowd)

    for there, lots, given in ((full, LOTS_MAX, 0), (replace(wallet, lots=crowd[1:]), LOTS_MAX, 1)):
        journal = payment_entries.give_back(
            there,
            paid,
            refund,
            replace(refund, status=FAILED),
            accounts.system_once(LIVE, "undo", NOW),
            taken=taken,
        )
        after: Any = journal.changes[0].after
        assert after.cash_micros == 700 * CENT
        assert len(after.lots) == lots
        assert journal.entry.amount_micros == (700 + 70 * given) * CENT


# --- Bonuses and places ---------------------------------------------------------------------------


@pytest.mark.parametrize(("lots", "bonus"), [(198, 500), (199, 500), (200, 0)])
def test_a_deposit_comes_in_also_where_there_is_no_place_for_the_bonus_of_an_order(lots, bonus):
    alice = payer()
    wallet = alice.caller.wallet()
    crowded = replace(
        wallet, lots=tuple(_lot(number) for number in range(lots)), version=wallet.version + 1
    )
    assert alice.caller.store.settle(LIVE, (), Change(wallet, crowded))

    paid = alice.shop.pay(2_000, bonus_micros=500 * CENT)

    after = alice.caller.wallet()
    assert paid.status == SUCCEEDED
    assert after.cash_micros - wallet.cash_micros == 2_000 * CENT
    assert len(after.lots) == lots + bool(bonus)
    assert sum(lot.remaining_micros for lot in after.lots[lots:]) == bonus * CENT


# --- Whose it is ----------------------------------------------------------------------------------


def test_money_that_comes_to_an_account_that_was_closed_before_it_had_any_is_kept_for_it(alice):
    owner = _another_account(alice)
    page = _page(alice, owner)
    once = alice.caller.once()
    accounts.close_account(alice.caller.store, owner, user="acme/alice", once=once)
    seen = Observation(
        status=SUCCEEDED,
        at=alice.shop.now,
        received_micros=page.amount_micros,
        received_currency="usd",
        payment_intent_id="pi_late",
    )

    taken = taking_in.take_in(alice.caller.store, LIVE, page.id, seen, now=alice.shop.now)

    assert taken.is_new
    found = alice.caller.store.read(wallet_of(owner, "usd"))
    assert (found.cash_micros, found.closed) == (page.amount_micros, True)
    assert audit_items(alice.caller.stored()) == []
    with pytest.raises(AccountClosed):
        wallets.use(
            alice.caller.store,
            owner,
            amount_micros=CENT,
            currency="usd",
            once=alice.caller.once(),
        )


def test_whoever_may_only_look_gives_no_order_back(alice):
    owner = _another_account(alice)
    members.add(
        alice.caller.store,
        replace(owner, asker="acme/alice"),
        user="acme/bob",
        role="viewer",
        email=None,
        once=alice.caller.once(),
    )
    looking = replace(owner, asker="acme/bob")
    before = alice.caller.stored()

    with pytest.raises(Forbidden):
        orders.refund(
            alice.caller.store,
            alice.shop.stripes,
            looking,
            "ord_1",
            once=alice.caller.once(),
        )

    assert alice.caller.stored() == before


@pytest.mark.parametrize(
    "wrong",
    [
        {"account_id": "acct_somebody"},
        {"org": "other"},
        {"mode": "test"},
        {"payment_id": "pay_unknown"},
        {"payment_id": "../PAYMENT"},
        {"org": "#"},
    ],
)
def test_what_bears_the_name_of_anothers_payment_is_none_of_ours(alice, wrong):
    (paid,) = alice.kept()
    metadata = {**beginnings.metadata_of(paid), **wrong}
    made = alice.shop.stripes("live").payment_intents.create(
        key="forged",
        amount_micros=100 * CENT,
        currency="usd",
        customer_id=paid.customer_id,
        payment_method_id=alice.on_file(),
        confirm=True,
        metadata=metadata,
    )
    before = alice.caller.stored()

    found = payments.fulfil(
        alice.caller.store, alice.shop.stripes, "live", made.id, now=alice.shop.now
    )

    assert found is None
    assert alice.caller.stored() == before


def test_a_page_of_somebody_elses_that_saves_a_card_is_none_of_ours(alice):
    (paid,) = alice.kept()
    page = alice.shop.stripes("live").checkout.create_setup(
        key="another program",
        customer_id=paid.customer_id,
        success_url="https://app.example.com/ok",
        cancel_url="https://app.example.com/no",
        metadata={"org": "acme", "mode": "live"},
    )
    before = alice.caller.stored()
    alice.shop.counter.find("checkout.session", page.id)["status"] = "complete"

    found = payments.fulfil(
        alice.caller.store, alice.shop.stripes, "live", page.id, now=alice.shop.now
    )

    assert found is None
    assert alice.caller.stored() == before


def test_a_test_payment_is_not_known_in_live_mode(alice):
    (paid,) = alice.kept()

    with pytest.raises(PaymentNotFound):
        payments.fulfil(
            alice.caller.store,
            alice.shop.stripes,
            "test",
            paid.payment_intent_id,
            now=alice.shop.now,
        )


def _cap(alice: Payer, cents: int) -> Scope:
    return Scope(
        kind="key",
        id="key_1",
        limit_micros=cents * CENT,
        window="total",
        currency="usd",
        account_id=alice.caller.owner.account_id,
    )


def _lot(number: int) -> Lot:
    terms = Terms(kind=CREDIT, granted_at=NOW)
    return Lot(id=f"lot_crowd{number}", terms=terms, remaining_micros=CENT)


def _refunded_with_a_bonus() -> tuple[Any, Payment, Payment, Any]:
    """A top-up with a bonus, of which 700 cents and 70 of the bonus are on their way back."""
    alice = payer()
    paid = alice.shop.pay(700, bonus_micros=70 * CENT)
    refund = alice.refund(paid.id).refund
    taken = alice.caller.store.entry(LIVE, refund.entry_id)
    wallet = replace(alice.caller.wallet(), cash_micros=0)
    return wallet, alice.payment(paid.id), alice.payment(refund.id), taken


def _another_account(alice: Payer) -> Owner:
    """An account of hers that is not her default one, and has no wallet yet."""
    once = alice.caller.once()
    opened = accounts.open_account(
        alice.caller.store, owner="acme/alice", name="lab", currency="usd", once=once
    )
    return Owner(LIVE, opened.record.id)


def _page(alice: Payer, owner: Owner) -> Payment:
    asked = payments.Asked(
        kind=CHECKOUT, amount_micros=2_000 * CENT, currency="usd", surface="workspaces"
    )
    return payments.open_page(
        alice.caller.store,
        alice.shop.stripes,
        owner,
        asked,
        title="Top-up",
        success_url="https://app.example.com/ok",
        cancel_url="https://app.example.com/no",
        once=alice.caller.once(),
    ).payment
