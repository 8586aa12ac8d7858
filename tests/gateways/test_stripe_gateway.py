"""What is done at Stripe and what comes back of it, against the simulated one."""

import json
import logging
import subprocess
import sys
import time
from dataclasses import fields
from datetime import UTC, datetime, timedelta

import pytest
import stripe

from holdfast.domain import payments
from holdfast.errors import (
    AmountTooLarge,
    AuthenticationRequired,
    InvalidField,
    InvariantBroken,
    NotFound,
    PaymentDeclined,
    PaymentMethodNotFound,
    PaymentNotFound,
    PaymentState,
    RefundRefused,
    StripeUnavailable,
    Unavailable,
)
from holdfast.gateways.stripe import PaymentIntent, SavedCard, StripeGateway, observations
from holdfast.gateways.stripe.amounts import STRIPE_AMOUNT_MAX, from_stripe, to_stripe
from holdfast.gateways.stripe.connection import CALL_SECONDS
from holdfast.gateways.stripe.sdk import API_VERSION
from tests.architecture.source import LAYER
from tests.gateways.stripe_sites import EPOCH, MARK, SECRET, SITES, URLS, USD_5, Desk, intent, scene

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
FUNCTION_SECONDS = 20
IDLE = SITES["customers.retrieve"]
# Nothing of a card but this is known to us.
OF_A_CARD = {"brand", "last4", "exp_month", "exp_year", "fingerprint"}


@pytest.fixture
def shop(desk):
    """A customer with a card, and nothing else."""
    return scene(desk, IDLE)


def pay(shop, card_id: str, *, key: str = "pay_1", off_session: bool = True) -> PaymentIntent:
    made: PaymentIntent = shop.gateway.payment_intents.create(
        key=key,
        amount_micros=USD_5,
        currency="usd",
        customer_id=shop.customer_id,
        payment_method_id=card_id,
        confirm=True,
        off_session=off_session,
        metadata=MARK,
    )
    return made


def attached(shop, name: str) -> str:
    card: SavedCard = shop.gateway.cards.attach(name, key=name, customer_id=shop.customer_id)
    return card.id


# --- Customers and cards -------------------------------------------------------------------------


def test_a_customer_is_what_was_told_of_them(shop):
    found = shop.gateway.customers.retrieve(shop.customer_id)

    assert (found.name, found.email, found.default_card_id) == ("Alice", None, None)
    assert (found.metadata, found.livemode) == ({"account": "a"}, False)


def test_what_is_told_is_written_over_and_what_is_emptied_is_gone(shop):
    customers = shop.gateway.customers
    customers.update(shop.customer_id, key="1", email="alice@example.com")
    customers.update(shop.customer_id, key="2", name="Alice B")

    found = customers.update(shop.customer_id, key="3", email="")

    assert (found.name, found.email) == ("Alice B", None)


def test_a_customer_that_nobody_made_or_that_is_gone_is_told_by_name(shop):
    with pytest.raises(NotFound) as unknown:
        shop.gateway.customers.retrieve("cus_nobody")
    assert unknown.value.param == "customer"

    with pytest.raises(NotFound) as refused:
        shop.gateway.payment_intents.create(
            key="pay_1", amount_micros=USD_5, currency="usd", customer_id="cus_nobody", metadata={}
        )

    assert refused.value.param == "customer"
    assert shop.desk.listed("payment_intents") == []


def test_of_a_card_there_is_what_a_person_knows_it_by(shop):
    card = shop.gateway.cards.retrieve(shop.card_id)

    assert (card.brand, card.last4, card.customer_id) == ("visa", "4242", shop.customer_id)
    assert {field.name for field in fields(card)} == OF_A_CARD | {"id", "customer_id", "created"}


def test_one_number_has_one_fingerprint_and_another_another(shop):
    same = shop.gateway.cards.attach("pm_card_visa", key="again", customer_id=shop.customer_id)
    other = shop.gateway.cards.attach("pm_card_amex", key="amex", customer_id=shop.customer_id)

    first = shop.gateway.cards.retrieve(shop.card_id)
    assert same.id != first.id
    assert same.fingerprint == first.fingerprint != other.fingerprint


def test_a_card_that_is_attached_already_stays_so(shop):
    again = shop.gateway.cards.attach(shop.card_id, key="again", customer_id=shop.customer_id)

    assert again == shop.gateway.cards.retrieve(shop.card_id)
    assert [card.id for card in shop.gateway.cards.on_file(shop.customer_id)] == [shop.card_id]


def test_another_customers_card_is_not_found(shop):
    other = shop.gateway.customers.create(key="other", metadata={})

    with pytest.raises(PaymentMethodNotFound):
        shop.gateway.cards.attach(shop.card_id, key="steal", customer_id=other.id)
    with pytest.raises(PaymentMethodNotFound):
        shop.gateway.cards.set_default(shop.card_id, key="steal", customer_id=other.id)
    with pytest.raises(PaymentMethodNotFound):
        shop.gateway.payment_intents.create(
            key="pay_1",
            amount_micros=USD_5,
            currency="usd",
            customer_id=other.id,
            payment_method_id=shop.card_id,
            confirm=True,
            metadata={},
        )

    assert shop.gateway.cards.on_file(other.id) == []
    assert shop.gateway.cards.retrieve(shop.card_id).customer_id == shop.customer_id
    assert shop.desk.listed("charges") == []


def test_a_card_is_detached_once_and_never_used_again(shop):
    gone = shop.gateway.cards.detach(shop.card_id, key="1")
    again = shop.gateway.cards.detach(shop.card_id, key="2")

    assert again == gone
    assert gone.customer_id is None
    with pytest.raises(PaymentMethodNotFound):
        shop.gateway.cards.attach(shop.card_id, key="3", customer_id=shop.customer_id)


def test_the_default_card_is_the_one_that_was_chosen_last(shop):
    other = attached(shop, "pm_card_mastercard")
    shop.gateway.cards.set_default(shop.card_id, key="1", customer_id=shop.customer_id)

    found = shop.gateway.cards.set_default(other, key="2", customer_id=shop.customer_id)

    assert found.default_card_id == other


def test_a_card_that_its_bank_refuses_is_not_saved(shop):
    with pytest.raises(PaymentDeclined) as refused:
        attached(shop, "pm_card_chargeDeclinedExpiredCard")

    assert refused.value.details == {"decline_code": "expired_card", "payment_intent_id": None}
    assert len(shop.gateway.cards.on_file(shop.customer_id)) == 1


def test_a_list_goes_over_its_pages(shop):
    for number in range(120):
        shop.gateway.cards.attach("pm_card_visa", key=str(number), customer_id=shop.customer_id)

    found = shop.gateway.cards.on_file(shop.customer_id)

    assert len({card.id for card in found}) == 121
    assert found[-1].id == shop.card_id


def test_a_page_for_cards_is_opened_for_the_customer(shop):
    page = shop.gateway.portal.create(
        key="1", customer_id=shop.customer_id, return_url="https://app.example.com/"
    )

    assert page.url.startswith("http")
    assert page.url not in repr(page)


# --- Setup intents -------------------------------------------------------------------------------


def test_a_card_is_saved_by_an_intent(shop):
    made = shop.gateway.setup_intents.create(
        key="set_1", customer_id=shop.customer_id, metadata=MARK
    )
    assert (made.status, made.usage) == ("requires_payment_method", "off_session")
    assert made.client_secret is not None
    assert made.client_secret not in repr(made)

    done = shop.gateway.setup_intents.confirm(
        made.id, key="set_1", payment_method_id="pm_card_visa"
    )

    assert done.status == "succeeded"
    assert done.payment_method_id in {
        card.id for card in shop.gateway.cards.on_file(shop.customer_id)
    }


def test_a_setup_that_asks_for_the_cards_owner_is_a_state_and_no_error(shop):
    made = shop.gateway.setup_intents.create(
        key="set_1", customer_id=shop.customer_id, metadata=MARK
    )

    tried = shop.gateway.setup_intents.confirm(
        made.id, key="set_1", payment_method_id="pm_card_authenticationRequired"
    )

    assert tried.status == "requires_action"


def test_a_setup_that_is_done_is_not_given_up(shop):
    made = shop.gateway.setup_intents.create(
        key="set_1", customer_id=shop.customer_id, metadata=MARK
    )
    shop.gateway.setup_intents.confirm(made.id, key="1", payment_method_id="pm_card_visa")

    with pytest.raises(PaymentState) as refused:
        shop.gateway.setup_intents.cancel(made.id, key="2")

    assert refused.value.details == {"status": "succeeded"}
    assert shop.gateway.setup_intents.retrieve(made.id).status == "succeeded"


# --- Payments ------------------------------------------------------------------------------------


def test_a_payment_by_a_saved_card_is_paid_at_once(shop):
    paid = pay(shop, shop.card_id)

    assert (paid.status, paid.currency, paid.metadata) == ("succeeded", "usd", MARK)
    assert (paid.amount_micros, paid.amount_received_micros) == (USD_5, USD_5)
    assert (paid.customer_id, paid.payment_method_id) == (shop.customer_id, shop.card_id)
    assert paid.charge_id is not None
    assert paid.last_error is None
    assert paid.client_secret is not None
    assert paid.client_secret not in repr(paid)
    seen = observations.of_intent(paid, NOW)
    assert (seen.status, seen.received_micros, seen.received_currency) == (
        "succeeded",
        USD_5,
        "usd",
    )
    assert (seen.payment_intent_id, seen.charge_id) == (paid.id, paid.charge_id)


DECLINES = {
    "chargeCustomerFail": "generic_decline",
    "chargeDeclined": "generic_decline",
    "chargeDeclinedExpiredCard": "expired_card",
    "chargeDeclinedFraudulent": "generic_decline",
    "chargeDeclinedIncorrectCvc": "incorrect_cvc",
    "chargeDeclinedInsufficientFunds": "insufficient_funds",
    "chargeDeclinedLostCard": "generic_decline",
    "chargeDeclinedProcessingError": "processing_error",
    "chargeDeclinedStolenCard": "generic_decline",
    "chargeDeclinedVelocityLimitExceeded": "card_velocity_exceeded",
}


@pytest.mark.parametrize(("name", "decline_code"), DECLINES.items(), ids=DECLINES)
def test_a_decline_says_why_unless_it_would_warn_a_thief(name, decline_code, shop):
    with pytest.raises(PaymentDeclined) as refused:
        shop.gateway.payment_intents.create(
            key="pay_1",
            amount_micros=USD_5,
            currency="usd",
            customer_id=shop.customer_id,
            payment_method_id=f"pm_card_{name}",
            confirm=True,
            off_session=True,
            metadata=MARK,
        )

    intent_id = str(refused.value.details["payment_intent_id"])
    assert refused.value.details["decline_code"] == decline_code
    found = shop.gateway.payment_intents.retrieve(intent_id)
    assert (found.status, found.amount_received_micros) == ("requires_payment_method", 0)
    assert found.last_error is not None
    assert decline_code in (found.last_error.decline_code, found.last_error.code)
    assert found.last_error.message.endswith(".")
    seen = observations.of_intent(found, NOW)
    told = observations.of_decline(refused.value, NOW)
    assert seen.status == told.status == payments.FAILED
    assert seen.payment_intent_id == told.payment_intent_id == intent_id


def test_a_declined_payment_is_paid_with_another_card(shop):
    with pytest.raises(PaymentDeclined) as refused:
        pay(shop, attached(shop, "pm_card_chargeCustomerFail"))
    intent_id = str(refused.value.details["payment_intent_id"])

    paid = shop.gateway.payment_intents.confirm(
        intent_id, key="pay_1.2", payment_method_id=shop.card_id
    )

    assert (paid.id, paid.status) == (intent_id, "succeeded")


def test_a_payment_that_asks_for_the_cards_owner_is_a_state_where_they_are(shop):
    card_id = attached(shop, "pm_card_authenticationRequired")

    tried = pay(shop, card_id, off_session=False)

    assert tried.status == "requires_action"
    assert observations.of_intent(tried, NOW).status == payments.REQUIRES_ACTION


def test_a_payment_that_asks_for_the_cards_owner_is_over_where_they_are_not(shop):
    card_id = attached(shop, "pm_card_authenticationRequired")

    with pytest.raises(AuthenticationRequired) as refused:
        pay(shop, card_id)

    intent_id = str(refused.value.details["payment_intent_id"])
    found = shop.gateway.payment_intents.retrieve(intent_id)
    assert refused.value.details["client_secret"] == found.client_secret
    assert (found.status, found.amount_received_micros) == ("requires_payment_method", 0)
    told = observations.of_decline(refused.value, NOW)
    assert (told.failure_code, told.payment_intent_id) == ("authentication_required", intent_id)


@pytest.mark.parametrize(
    ("taken_micros", "received_micros"), [(None, USD_5), (USD_5, USD_5), (1_230_000, 1_230_000)]
)
def test_what_was_set_aside_is_taken_in_whole_or_in_part(taken_micros, received_micros, shop):
    intent(shop, manual=True)
    intent_id = shop.things["intent"]
    set_aside = shop.gateway.payment_intents.retrieve(intent_id)
    assert (set_aside.status, set_aside.amount_capturable_micros) == ("requires_capture", USD_5)

    taken = shop.gateway.payment_intents.capture(
        intent_id, key="c", currency="usd", amount_micros=taken_micros
    )

    assert (taken.status, taken.amount_received_micros) == ("succeeded", received_micros)
    assert taken.amount_capturable_micros == 0


def test_no_more_is_taken_than_was_set_aside(shop):
    intent(shop, manual=True)

    with pytest.raises(InvalidField) as refused:
        shop.gateway.payment_intents.capture(
            shop.things["intent"], key="c", currency="usd", amount_micros=USD_5 + 10_000
        )

    assert refused.value.param == "amount"
    found = shop.gateway.payment_intents.retrieve(shop.things["intent"])
    assert (found.status, found.amount_received_micros) == ("requires_capture", 0)


@pytest.mark.parametrize("act", ["confirm", "cancel"])
def test_what_is_paid_is_paid(act, shop):
    intent(shop, paid=True)

    with pytest.raises(PaymentState) as refused:
        getattr(shop.gateway.payment_intents, act)(shop.things["intent"], key="later")

    assert refused.value.details == {"status": "succeeded"}
    assert len(shop.desk.listed("charges", customer=shop.customer_id)) == 1


def test_a_payment_is_found_by_what_we_wrote_beside_it(shop):
    made = pay(shop, shop.card_id)
    find = shop.gateway.payment_intents.find

    assert find(customer_id=shop.customer_id, metadata=MARK, since=EPOCH) == made
    assert find(customer_id=shop.customer_id, metadata={"payment_id": "x"}, since=EPOCH) is None
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    assert find(customer_id=shop.customer_id, metadata=MARK, since=tomorrow) is None


@pytest.mark.parametrize(
    ("micros", "currency", "error"),
    [
        (490_000, "usd", InvalidField),
        (5_001, "usd", InvalidField),
        (1_000_000 * 1_000_000, "usd", AmountTooLarge),
    ],
    ids=["less than cards are charged", "finer than a cent", "more than one payment"],
)
def test_an_amount_that_no_card_is_charged_is_refused(micros, currency, error, shop):
    with pytest.raises(error) as refused:
        shop.gateway.payment_intents.create(
            key="pay_1",
            amount_micros=micros,
            currency=currency,
            customer_id=shop.customer_id,
            metadata={},
        )

    assert refused.value.param == "amount"
    assert shop.desk.listed("payment_intents") == []


@pytest.mark.parametrize(
    ("micros", "currency", "units"),
    [
        (1_500_000, "usd", 150),
        (500_000_000, "jpy", 500),
        (5_120_000, "kwd", 5_120),
        (5_000_000, "isk", 500),
        (7_000_000, "ugx", 700),
        (3_000_000, "mga", 3),
        (999_999_990_000, "usd", STRIPE_AMOUNT_MAX),
    ],
)
def test_amounts_are_counted_as_stripe_counts_them(micros, currency, units):
    assert to_stripe(micros, currency) == units
    assert from_stripe(units, currency) == micros


@pytest.mark.parametrize(
    ("micros", "currency"),
    [
        (1, "usd"),
        (500_000, "jpy"),
        (5_124_000, "kwd"),
        (5_120_500, "kwd"),
        (5_500_000, "isk"),
        (7_010_000, "ugx"),
        (3_200_000, "mga"),
    ],
)
def test_an_amount_finer_than_stripe_takes_is_never_rounded(micros, currency):
    with pytest.raises(InvalidField):
        to_stripe(micros, currency)


def test_one_unit_beyond_the_most_that_stripe_takes_is_refused_with_the_most():
    with pytest.raises(AmountTooLarge) as refused:
        to_stripe(999_999_990_000 + 10_000, "usd")

    assert refused.value.details["amount_micros_max"] == 999_999_990_000


# --- Refunds, disputes, the balance --------------------------------------------------------------


def test_a_payment_goes_back_in_parts_and_never_beyond(shop):
    intent(shop, paid=True)
    paid_by = shop.things["intent"]

    def back(key: str, micros: int | None):
        return shop.gateway.refunds.create(
            key=key,
            payment_intent_id=paid_by,
            currency="usd",
            amount_micros=micros,
            reason="requested_by_customer",
            metadata={"payment_id": key},
        )

    first = back("pay_2", 2_000_000)
    assert (first.status, first.amount_micros, first.payment_intent_id) == (
        "succeeded",
        2_000_000,
        paid_by,
    )
    with pytest.raises(RefundRefused):
        back("pay_3", 3_010_000)
    rest = back("pay_4", None)
    assert rest.amount_micros == 3_000_000
    with pytest.raises(RefundRefused):
        back("pay_5", 10_000)

    refunds = shop.gateway.refunds
    assert refunds.find(payment_intent_id=paid_by, metadata={"payment_id": "pay_2"}) == first
    assert refunds.find(payment_intent_id=paid_by, metadata={"payment_id": "pay_3"}) is None
    assert observations.of_refund(first, NOW).received_micros == 2_000_000


def test_a_refund_may_fail_after_it_succeeded(shop):
    pay(shop, shop.card_id)
    paid = shop.gateway.payment_intents.find(
        customer_id=shop.customer_id, metadata=MARK, since=EPOCH
    )
    refund = shop.gateway.refunds.create(
        key="pay_2", payment_intent_id=paid.id, currency="usd", metadata=MARK
    )
    shop.desk.control("POST", f"refunds/{refund.id}/fail", reason="lost_or_stolen_card")

    found = shop.gateway.refunds.retrieve(refund.id)

    assert (found.status, found.failure_reason) == ("failed", "lost_or_stolen_card")
    seen = observations.of_refund(found, NOW)
    assert (seen.status, seen.received_micros, seen.refund_id) == ("failed", 0, refund.id)


def test_what_is_not_paid_is_not_refunded(shop):
    intent(shop)

    with pytest.raises(RefundRefused):
        shop.gateway.refunds.create(
            key="pay_2", payment_intent_id=shop.things["intent"], currency="usd", metadata={}
        )

    assert shop.desk.listed("refunds") == []


def test_a_refund_of_what_does_not_exist_is_not_found(shop):
    with pytest.raises(PaymentNotFound):
        shop.gateway.refunds.create(
            key="pay_2", payment_intent_id="pi_none", currency="usd", metadata={}
        )

    assert shop.desk.listed("refunds") == []


def test_a_dispute_tells_what_it_is_about_and_until_when_to_answer(shop):
    paid = pay(shop, shop.card_id)
    opened = shop.desk.control("POST", f"charges/{paid.charge_id}/dispute")

    found = shop.gateway.disputes.retrieve(opened["id"])

    assert (found.payment_intent_id, found.charge_id) == (paid.id, paid.charge_id)
    assert (found.amount_micros, found.currency, found.status) == (
        USD_5,
        "usd",
        "needs_response",
    )
    assert found.evidence_due_at is not None
    assert found.evidence_due_at > found.created


def test_the_balance_tells_what_came_in_and_what_it_cost_since_an_instant(shop):
    paid = pay(shop, shop.card_id)
    since = paid.created

    lines = list(shop.gateway.balance.since(since))

    assert [line.source.id for line in lines] == [paid.charge_id]
    assert lines[0].amount_micros == USD_5
    assert lines[0].net_micros == lines[0].amount_micros - lines[0].fee_micros
    assert list(shop.gateway.balance.since(since + timedelta(days=1))) == []


@pytest.mark.parametrize(("seconds", "there"), [(0, 0), (1, 1)], ids=["its own", "the next"])
def test_the_balance_tells_nothing_of_the_second_where_it_is_to_end(shop, seconds, there):
    paid = pay(shop, shop.card_id)
    (line,) = shop.gateway.balance.since(paid.created)
    until = line.created + timedelta(seconds=seconds, milliseconds=999)

    lines = list(shop.gateway.balance.since(line.created, until=until))

    assert len(lines) == there


def test_a_line_of_the_balance_leads_to_the_payment(shop):
    paid = pay(shop, shop.card_id)
    back = shop.gateway.refunds.create(
        key="pay_2",
        payment_intent_id=paid.id,
        currency="usd",
        amount_micros=2_000_000,
        metadata={"payment_id": "pay_2"},
    )
    disputed = shop.desk.control("POST", f"charges/{paid.charge_id}/dispute")

    lines = {line.source.kind: line for line in shop.gateway.balance.since(paid.created)}

    assert lines.keys() == {"charge", "refund", "dispute"}
    assert {kind: line.category for kind, line in lines.items()} == {kind: kind for kind in lines}
    assert {kind: line.source.id for kind, line in lines.items()} == {
        "charge": paid.charge_id,
        "refund": back.id,
        "dispute": disputed["id"],
    }
    assert {line.source.payment_intent_id for line in lines.values()} == {paid.id}
    assert {line.source.charge_id for line in lines.values()} == {paid.charge_id}
    assert lines["charge"].source.metadata == paid.metadata
    assert lines["charge"].source.customer_id == shop.customer_id
    assert lines["refund"].source.metadata == {"payment_id": "pay_2"}
    assert (lines["refund"].amount_micros, lines["refund"].source.amount_micros) == (
        -2_000_000,
        2_000_000,
    )
    assert (lines["dispute"].amount_micros, lines["dispute"].fee_micros) == (-3_000_000, 15_000_000)


def test_a_line_of_a_part_that_was_captured_is_of_that_part(shop):
    authorised = intent(shop, manual=True)
    shop.gateway.payment_intents.capture(
        authorised.id, key="pay_1", currency="usd", amount_micros=3_000_000
    )

    (line,) = shop.gateway.balance.since(authorised.created)

    assert (line.amount_micros, line.source.amount_micros, line.source.currency) == (
        3_000_000,
        3_000_000,
        "usd",
    )


def test_the_lines_about_one_thing_are_its_own(shop):
    paid = pay(shop, shop.card_id)
    other = pay(shop, shop.card_id, key="pay_3")

    (line,) = shop.gateway.balance.about(other.charge_id)

    assert (line.source.id, line.source.payment_intent_id) == (other.charge_id, other.id)
    assert paid.charge_id != other.charge_id
    assert list(shop.gateway.balance.about("ch_0")) == []


@pytest.mark.parametrize(
    ("source", "kind"),
    [(None, None), ({"id": "po_1", "object": "payout"}, "payout"), ("po_1", "")],
    ids=["nothing", "a payout", "a name"],
)
def test_a_line_that_is_about_no_payment_says_so(shop, source, kind):
    line = {
        "id": "txn_1",
        "object": "balance_transaction",
        "type": "payout",
        "reporting_category": "payout",
        "amount": -500,
        "fee": 0,
        "net": -500,
        "currency": "usd",
        "source": source,
        "created": 1_790_000_000,
        "available_on": 1_790_000_000,
    }
    told = json.dumps({"object": "list", "data": [line], "has_more": False})
    shop.desk.fails(kind="answer", status=200, body=told)

    (read,) = shop.gateway.balance.since(EPOCH)

    assert read.amount_micros == -USD_5
    assert (read.source and read.source.kind) == kind
    assert (read.source and read.source.payment_intent_id) is None


# --- Checkout ------------------------------------------------------------------------------------


def test_a_page_to_pay_on_says_what_and_until_when(shop):
    ends = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=1)

    made = shop.gateway.checkout.create_payment(
        key="pay_1",
        amount_micros=USD_5,
        currency="usd",
        title="Wallet",
        customer_id=shop.customer_id,
        expires_at=ends,
        save_card=True,
        metadata=MARK,
        **URLS,
    )

    assert (made.mode, made.status, made.payment_status) == ("payment", "open", "unpaid")
    assert (made.amount_total_micros, made.currency) == (USD_5, "usd")
    assert (made.customer_id, made.metadata, made.expires_at) == (shop.customer_id, MARK, ends)
    assert made.url is not None
    assert made.url not in repr(made)
    assert observations.of_session(made, NOW).status == payments.PENDING


def test_a_page_to_save_a_card_on_has_no_amount(shop):
    made = shop.gateway.checkout.create_setup(
        key="set_1", customer_id=shop.customer_id, metadata=MARK, **URLS
    )

    assert (made.mode, made.amount_total_micros) == ("setup", None)
    assert made.setup_intent_id is not None


def test_a_page_is_closed_once(shop):
    SITES["checkout.expire"].setting(shop)
    session_id = shop.things["session"]

    closed = shop.gateway.checkout.expire(session_id, key="1")
    again = shop.gateway.checkout.expire(session_id, key="2")

    assert closed.status == again.status == "expired"
    assert observations.of_session(closed, NOW).status == payments.CANCELED


def test_a_page_that_was_paid_on_is_not_closed(shop):
    SITES["checkout.expire"].setting(shop)
    session = shop.gateway.checkout.retrieve(shop.things["session"])
    shop.desk.pays(session.url, shop.card_id)

    found = shop.gateway.checkout.expire(session.id, key="1")

    assert (found.status, found.payment_status) == ("complete", "paid")
    seen = observations.of_session(found, NOW)
    assert (seen.status, seen.received_micros, seen.received_currency) == (
        "succeeded",
        USD_5,
        "usd",
    )
    assert seen.payment_intent_id == found.payment_intent_id is not None
    paid = shop.gateway.payment_intents.retrieve(found.payment_intent_id)
    assert paid.metadata == MARK


# --- The key -------------------------------------------------------------------------------------


class Keys:
    """A secret that may be changed, and what it is asked for."""

    def __init__(self, *keys: str) -> None:
        self.keys = list(keys)
        self.asked = 0
        self.now = 1_000_000.0
        self.silent = False

    def __call__(self) -> str:
        self.asked += 1
        if self.silent:
            raise Unavailable
        return self.keys.pop(0) if len(self.keys) > 1 else self.keys[0]

    def gateway(self, desk: Desk) -> StripeGateway:
        return StripeGateway(self, api_base=desk.address, clock=lambda: self.now, pause_seconds=0)


def test_the_key_is_read_at_the_first_request_and_every_five_minutes(desk):
    keys = Keys(SECRET)
    gateway = keys.gateway(desk)
    assert keys.asked == 0

    for number in range(3):
        gateway.customers.create(key=str(number), metadata={})
    keys.now += 299.999
    gateway.customers.create(key="3", metadata={})
    assert keys.asked == 1

    keys.now += 0.001
    gateway.customers.create(key="4", metadata={})
    assert keys.asked == 2


def test_a_key_that_was_rotated_is_read_again_and_the_request_made_once(desk):
    keys = Keys("sk_test_former", SECRET)
    gateway = keys.gateway(desk)

    made = gateway.customers.create(key="1", metadata={})

    assert keys.asked == 2
    assert [found["id"] for found in desk.listed("customers")] == [made.id]


@pytest.mark.parametrize("keys", [["sk_test_former"], ["sk_test_former", "sk_test_other"]])
def test_a_key_that_stripe_refuses_twice_is_ours_to_mend_and_not_told(keys, desk):
    with pytest.raises(InvariantBroken) as broken:
        Keys(*keys).gateway(desk).customers.create(key="1", metadata={})

    assert str(broken.value) == "Stripe refuses our key"
    assert broken.value.__cause__ is None
    assert desk.listed("customers") == []


def test_a_refused_key_is_read_anew_at_the_next_request(desk):
    keys = Keys("sk_test_former")
    gateway = keys.gateway(desk)
    with pytest.raises(InvariantBroken):
        gateway.customers.create(key="1", metadata={})

    keys.keys = [SECRET]

    assert gateway.customers.create(key="1", metadata={}).id


@pytest.mark.parametrize(
    "key", ["", "pk_test_123", "sk_test_ü", "sk_test_1\r\nX-Header: 1", " sk_test_1", "sk_"]
)
def test_what_is_no_secret_key_is_not_sent(key, desk):
    with pytest.raises(InvariantBroken) as broken:
        Keys(key).gateway(desk).customers.create(key="1", metadata={})

    assert str(broken.value) == "the secret key of Stripe is none"
    assert desk.control("GET", "requests")["requests"] == []


def test_a_known_key_serves_on_while_nobody_tells_another(desk):
    keys = Keys(SECRET)
    gateway = keys.gateway(desk)
    gateway.customers.create(key="1", metadata={})
    keys.silent = True
    keys.now += 300

    assert gateway.customers.create(key="2", metadata={}).id
    assert gateway.customers.create(key="3", metadata={}).id
    assert keys.asked == 2
    keys.now += 30
    assert gateway.customers.create(key="4", metadata={}).id
    assert keys.asked == 3


def test_without_any_key_somebody_has_to_try_again(desk):
    keys = Keys(SECRET)
    keys.silent = True

    with pytest.raises(Unavailable):
        keys.gateway(desk).customers.create(key="1", metadata={})

    assert desk.control("GET", "requests")["requests"] == []


@pytest.mark.parametrize(("length", "fits"), [(1, True), (200, True), (201, False), (0, False)])
def test_a_key_of_ours_fits_into_stripes(length, fits, desk):
    if fits:
        assert desk.gateway.customers.create(key="k" * length, metadata={}).id
    else:
        with pytest.raises(AssertionError):
            desk.gateway.customers.create(key="k" * length, metadata={})

    assert len(desk.listed("customers")) == fits


# --- Time, quiet, cost ---------------------------------------------------------------------------


def test_a_call_ends_within_its_time_whatever_becomes_of_its_attempts(desk):
    desk.fails(kind="hang", times=3)
    gateway = StripeGateway(
        lambda: SECRET,
        api_base=desk.address,
        attempt_seconds=0.4,
        call_seconds=0.6,
        pause_seconds=0.01,
    )
    began = time.monotonic()

    with pytest.raises(StripeUnavailable):
        gateway.customers.create(key="1", metadata={})

    assert 0.55 < time.monotonic() - began < 2
    assert CALL_SECONDS < FUNCTION_SECONDS / 1.5


def test_nothing_that_is_sent_or_comes_back_is_written_to_a_log(shop, caplog, capfd):
    caplog.set_level(0)

    pay(shop, shop.card_id)
    with pytest.raises(PaymentDeclined):
        pay(shop, attached(shop, "pm_card_chargeCustomerFail"), key="pay_2")

    told = caplog.text + "".join(capfd.readouterr())
    assert "stripe" not in {record.name.split(".")[0] for record in caplog.records}
    for secret in (SECRET, "4242", shop.customer_id, "_secret_"):
        assert secret not in told
    assert logging.getLogger("stripe").level == logging.CRITICAL
    assert stripe.enable_telemetry is False


def test_the_version_of_the_api_is_the_one_that_the_sdk_was_made_for():
    assert stripe.api_version == API_VERSION


def test_a_gateway_that_nobody_asks_anything_loads_no_sdk():
    script = (
        "import sys\n"
        "from holdfast.gateways.stripe import StripeGateway, verified\n"
        "from holdfast.gateways.stripe import observations\n"
        "StripeGateway(lambda: 'sk_test_1')\n"
        "print(*sys.modules)"
    )
    run = subprocess.run(
        [sys.executable, "-c", script],
        env={"PYTHONPATH": str(LAYER)},
        capture_output=True,
        text=True,
        check=True,
    )

    loaded = set(run.stdout.split())
    assert "holdfast.gateways.stripe.gateway" in loaded
    assert not loaded & {"stripe", "requests", "urllib3", "http.client", "ssl"}
