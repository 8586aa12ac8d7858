"""Money that goes back, because one gives it back or because it is taken back."""

import pytest
import stripe

from local.stripe.knobs import Knobs


def test_a_refund_is_part_of_its_charge(v1, pay, event_types):
    paid = pay()

    refund = v1.refunds.create(
        {
            "payment_intent": paid.id,
            "amount": 400,
            "reason": "requested_by_customer",
            "metadata": {"entry": "e1"},
            "expand": ["balance_transaction"],
        }
    )

    charge = v1.charges.retrieve(paid.latest_charge, {"expand": ["refunds"]})
    assert (refund.status, refund.amount, refund.charge) == ("succeeded", 400, charge.id)
    assert refund.metadata["entry"] == "e1"
    assert (charge.amount_refunded, charge.refunded) == (400, False)
    assert [one.id for one in charge.refunds.data] == [refund.id]
    entered = refund.balance_transaction
    assert (entered.amount, entered.fee, entered.type) == (-400, 0, "refund")
    assert entered.source == refund.id
    assert event_types()[-2:] == ["charge.refunded", "refund.created"]


@pytest.mark.parametrize(("amount", "is_done"), [(599, True), (600, True), (601, False)])
def test_no_more_is_refunded_than_was_paid(v1, pay, amount: int, is_done: bool):
    paid = pay()
    v1.refunds.create({"payment_intent": paid.id, "amount": 400})

    if is_done:
        v1.refunds.create({"payment_intent": paid.id, "amount": amount})
    else:
        with pytest.raises(stripe.InvalidRequestError, match=r"\$6\.01.*\$6\.00") as refused:
            v1.refunds.create({"payment_intent": paid.id, "amount": amount})
        assert refused.value.param == "amount"

    refunded = sum(one.amount for one in v1.refunds.list({"payment_intent": paid.id}).data)
    assert refunded == 400 + (amount if is_done else 0)
    assert v1.charges.retrieve(paid.latest_charge).amount_refunded == refunded


def test_a_refund_without_an_amount_is_of_all_that_is_left(v1, pay):
    paid = pay()
    v1.refunds.create({"charge": paid.latest_charge, "amount": 1})

    assert v1.refunds.create({"charge": paid.latest_charge}).amount == 999
    assert v1.charges.retrieve(paid.latest_charge).refunded is True
    with pytest.raises(stripe.InvalidRequestError) as refused:
        v1.refunds.create({"charge": paid.latest_charge})
    assert refused.value.code == "charge_already_refunded"
    assert len(v1.refunds.list().data) == 2


def test_what_was_captured_in_part_is_refunded_up_to_that_part(v1, pay):
    held = pay(capture_method="manual")
    v1.payment_intents.capture(held.id, {"amount_to_capture": 700})

    with pytest.raises(stripe.InvalidRequestError):
        v1.refunds.create({"payment_intent": held.id, "amount": 701})
    assert v1.refunds.create({"payment_intent": held.id}).amount == 700


@pytest.mark.parametrize("capture_method", ["automatic", "manual"])
def test_what_was_not_paid_cannot_be_refunded(v1, pay, capture_method: str):
    if capture_method == "manual":
        intent = pay(capture_method="manual")
    else:
        intent = v1.payment_intents.create({"amount": 500, "currency": "usd"})

    with pytest.raises(stripe.InvalidRequestError):
        v1.refunds.create({"payment_intent": intent.id})

    assert v1.refunds.list().data == []


def test_a_refund_may_fail_later(v1, pay, knobs: Knobs, event_types):
    paid = pay("pm_card_refundFail")
    refund = v1.refunds.create({"payment_intent": paid.id})

    knobs.advance(60)

    failed = v1.refunds.retrieve(refund.id)
    assert refund.status == "succeeded"
    assert (failed.status, failed.failure_reason) == ("failed", "expired_or_canceled_card")
    assert v1.charges.retrieve(paid.latest_charge).amount_refunded == 0
    assert sum(one.amount for one in v1.balance_transactions.list().data) == 1000
    assert event_types()[-3:] == ["refund.updated", "charge.refund.updated", "refund.failed"]


def test_a_refund_may_be_pending_at_first(v1, pay, knobs: Knobs):
    refund = v1.refunds.create({"payment_intent": pay("pm_card_pendingRefund").id})

    knobs.advance(60)

    assert refund.status == "pending"
    assert v1.refunds.retrieve(refund.id).status == "succeeded"


def test_any_refund_can_be_made_to_fail(v1, pay, knobs: Knobs):
    refund = v1.refunds.create({"payment_intent": pay().id})

    knobs.fail_refund(refund.id, reason="lost_or_stolen_card")

    assert v1.refunds.retrieve(refund.id).failure_reason == "lost_or_stolen_card"


def test_a_disputed_payment_is_taken_back_with_a_fee(v1, pay, event_types):
    paid = pay("pm_card_createDispute")

    (dispute,) = v1.disputes.list({"payment_intent": paid.id}).data
    assert (dispute.status, dispute.reason, dispute.amount) == (
        "needs_response",
        "fraudulent",
        1000,
    )
    (taken,) = dispute.balance_transactions
    assert (taken.amount, taken.fee, taken.net) == (-1000, 1500, -2500)
    assert (taken.type, taken.reporting_category) == ("adjustment", "dispute")
    assert v1.charges.retrieve(paid.latest_charge).disputed is True
    assert event_types()[-2:] == ["charge.dispute.created", "charge.dispute.funds_withdrawn"]
    with pytest.raises(stripe.InvalidRequestError) as refused:
        v1.refunds.create({"payment_intent": paid.id})
    assert refused.value.code == "charge_disputed"


@pytest.mark.parametrize(
    ("evidence", "status", "balance"),
    [("winning_evidence", "won", 1000 - 59 - 1500), ("losing_evidence", "lost", -59 - 1500)],
)
def test_evidence_decides_a_dispute(
    *, v1, pay, event_types, evidence: str, status: str, balance: int
):
    pay("pm_card_createDispute")
    (dispute,) = v1.disputes.list().data

    v1.disputes.update(dispute.id, {"evidence": {"customer_name": "Ada"}, "submit": False})
    assert v1.disputes.retrieve(dispute.id).status == "needs_response"
    ended = v1.disputes.update(dispute.id, {"evidence": {"uncategorized_text": evidence}})

    assert (ended.status, ended.evidence.customer_name) == (status, "Ada")
    assert event_types()[-1] == "charge.dispute.closed"
    assert sum(one.net for one in v1.balance_transactions.list().data) == balance


def test_any_charge_can_be_disputed_once(v1, pay, knobs: Knobs):
    paid = pay()

    opened = knobs.dispute(paid.latest_charge, reason="product_not_received", amount=300)
    knobs.close_dispute(opened["id"], "won")

    dispute = v1.disputes.retrieve(opened["id"])
    assert (dispute.status, dispute.reason, dispute.amount) == ("won", "product_not_received", 300)
    with pytest.raises(OSError, match="400"):
        knobs.dispute(paid.latest_charge)
    with pytest.raises(stripe.InvalidRequestError):
        v1.disputes.close(dispute.id)
    assert len(v1.disputes.list().data) == 1


def test_who_only_inquires_takes_nothing(v1, pay):
    paid = pay("pm_card_createDisputeInquiry")

    (dispute,) = v1.disputes.list().data
    assert (dispute.status, dispute.balance_transactions) == ("warning_needs_response", [])
    assert v1.refunds.create({"payment_intent": paid.id}).status == "succeeded"
    assert v1.disputes.close(dispute.id).status == "warning_closed"


def test_the_balance_is_the_sum_of_its_transactions(v1, pay, knobs: Knobs, clock):
    pay()
    knobs.advance(2 * 86_400)
    pay()

    balance = v1.balance.retrieve()
    assert [(one.currency, one.amount) for one in balance.available] == [("usd", 941)]
    assert [(one.currency, one.amount) for one in balance.pending] == [("usd", 941)]


def test_balance_transactions_are_listed_by_time_and_kind(v1, pay, knobs: Knobs, clock):
    start = int(clock.now)
    for _ in range(5):
        paid = pay()
        knobs.advance(10)
    v1.refunds.create({"payment_intent": paid.id})

    within = v1.balance_transactions.list({"created": {"gte": start + 10, "lt": start + 30}}).data
    every = list(v1.balance_transactions.list({"limit": 2}).auto_paging_iter())
    of_charge = v1.balance_transactions.list({"source": paid.latest_charge}).data

    assert [one.created - start for one in within] == [20, 10]
    assert (len(every), len({one.id for one in every})) == (6, 6)
    assert [one.type for one in every] == ["refund", *["charge"] * 5]
    assert [one.type for one in of_charge] == ["charge"]
