"""What a line of Stripe's balance is for the ledger: its type, its currency, and whose it is."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from holdfast.domain.accounts import Tenant
from holdfast.gateways.stripe import BalanceTransaction, Source
from holdfast.gateways.stripe.lines import line_of, named

AT = datetime(2026, 11, 20, 12, tzinfo=UTC)
USD_5 = 5_000_000
METADATA = {"payment_id": "pay_1", "org": "acme", "mode": "live", "account_id": "acct_1"}
CHARGE = Source(
    id="ch_1",
    kind="charge",
    amount_micros=USD_5,
    currency="usd",
    payment_intent_id="pi_1",
    charge_id="ch_1",
    customer_id="cus_1",
    metadata=METADATA,
    created=AT,
)
REFUND = replace(CHARGE, id="re_1", kind="refund", customer_id=None)
TOLD = BalanceTransaction(
    id="txn_1",
    type="charge",
    category="charge",
    amount_micros=USD_5,
    fee_micros=450_000,
    net_micros=4_550_000,
    currency="usd",
    source=CHARGE,
    created=AT,
    available_on=AT,
)


@pytest.mark.parametrize(
    ("type_", "category", "word"),
    [
        ("charge", "charge", "charge"),
        ("payment", "charge", "charge"),
        ("refund", "refund", "refund"),
        ("payment_refund", "refund", "refund"),
        ("refund_failure", "refund_failure", "refund_failure"),
        ("payment_failure_refund", "charge_failure", "charge_failure"),
        ("payment_reversal", "charge_failure", "charge_failure"),
        ("adjustment", "dispute", "dispute"),
        ("adjustment", "dispute_reversal", "dispute_reversal"),
        ("adjustment", "other_adjustment", "other_adjustment"),
        ("payout", "payout", "payout"),
        ("something_new", "something_else", "something_new"),
    ],
)
def test_a_line_has_one_word_for_what_it_is(type_, category, word):
    assert line_of(replace(TOLD, type=type_, category=category)).type == word


def test_a_charge_is_known_by_its_intent_and_everything_else_by_itself():
    lines = [line_of(replace(TOLD, source=source)) for source in (CHARGE, REFUND)]

    assert [line.about for line in lines] == ["pi_1", "re_1"]
    assert line_of(replace(TOLD, source=replace(CHARGE, payment_intent_id=None))).about == "ch_1"


def test_a_line_bears_what_we_wrote_beside_it():
    line = line_of(TOLD)

    assert (line.payment_id, line.tenant, line.account_id) == (
        "pay_1",
        Tenant("acme", "live"),
        "acct_1",
    )
    assert (line.customer_id, line.payment_intent_id) == ("cus_1", "pi_1")
    assert (line.created, line.began_at, line.fee_micros) == (AT, AT, 450_000)


@pytest.mark.parametrize(
    "metadata",
    [{}, {"org": "acme"}, {**METADATA, "org": "My Shop"}, {**METADATA, "mode": "sandbox"}],
    ids=["none", "no mode", "no org of ours", "no mode of ours"],
)
def test_what_names_no_tenant_of_ours_names_nothing(metadata):
    line = line_of(replace(TOLD, source=replace(CHARGE, metadata=metadata)))

    assert (line.payment_id, line.tenant, line.account_id) == ("", None, "")
    assert named(line, METADATA).payment_id == "pay_1"


@pytest.mark.parametrize(
    ("source", "settled_micros", "amount_micros"),
    [(CHARGE, 5_400_000, USD_5), (REFUND, -5_400_000, -USD_5)],
    ids=["came in", "went out"],
)
def test_what_is_settled_in_another_currency_counts_in_that_of_the_card(
    source, settled_micros, amount_micros
):
    told = replace(TOLD, amount_micros=settled_micros, currency="eur", source=source)

    line = line_of(told)

    assert (line.amount_micros, line.currency) == (amount_micros, "usd")
    assert (line.fee_micros, line.fee_currency) == (450_000, "eur")


def test_in_its_own_currency_a_line_counts_what_the_balance_says():
    line = line_of(replace(TOLD, amount_micros=USD_5 + 10_000))

    assert line.amount_micros == USD_5 + 10_000


def test_a_line_about_nothing_counts_what_it_says():
    line = line_of(replace(TOLD, type="stripe_fee", source=None, amount_micros=-10_000))

    assert (line.amount_micros, line.currency, line.about) == (-10_000, "usd", "")
    assert line.began_at is None
