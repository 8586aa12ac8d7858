"""Payments: paid, declined, authenticated, captured, cancelled."""

import pytest
import stripe

from local.stripe.knobs import Knobs
from tests.local.stripe.asking import CARD_ONLY, ask, error_of


def test_a_payment_leaves_a_charge_and_a_balance_transaction(v1, pay):
    paid = pay(
        metadata={"order": "o1"}, expand=["latest_charge.balance_transaction", "payment_method"]
    )

    charge = paid.latest_charge
    assert (paid.status, paid.amount_received, paid.amount_capturable) == ("succeeded", 1000, 0)
    assert (charge.paid, charge.captured, charge.amount_captured) == (True, True, 1000)
    assert charge.metadata["order"] == "o1"
    assert charge.payment_method_details.card.last4 == "4242"
    entered = charge.balance_transaction
    assert (entered.amount, entered.fee, entered.net, entered.type) == (1000, 59, 941, "charge")
    assert paid.payment_method.card.brand == "visa"


def test_a_payment_is_told_of_in_order(pay, event_types):
    pay()

    assert event_types() == [
        "payment_intent.created",
        "charge.succeeded",
        "payment_intent.succeeded",
    ]


@pytest.mark.parametrize(
    ("method", "code", "decline_code", "message"),
    [
        ("pm_card_chargeDeclined", "card_declined", "generic_decline", "Your card was declined."),
        (
            "pm_card_chargeDeclinedInsufficientFunds",
            "card_declined",
            "insufficient_funds",
            "Your card has insufficient funds.",
        ),
        ("pm_card_chargeDeclinedLostCard", "card_declined", "lost_card", "Your card was declined."),
        (
            "pm_card_chargeDeclinedStolenCard",
            "card_declined",
            "stolen_card",
            "Your card was declined.",
        ),
        ("pm_card_chargeDeclinedExpiredCard", "expired_card", None, "Your card has expired."),
        (
            "pm_card_chargeDeclinedIncorrectCvc",
            "incorrect_cvc",
            None,
            "Your card's security code is incorrect.",
        ),
        (
            "pm_card_chargeDeclinedProcessingError",
            "processing_error",
            None,
            "An error occurred while processing your card. Try again in a little bit.",
        ),
        (
            "pm_card_chargeCustomerFail",
            "card_declined",
            "generic_decline",
            "Your card was declined.",
        ),
    ],
)
def test_a_declined_payment_says_why(*, v1, pay, event_types, method, code, decline_code, message):
    with pytest.raises(stripe.CardError) as refused:
        pay(method)

    error = error_of(refused)
    assert (refused.value.http_status, error.type) == (402, "card_error")
    assert (error.code, error.message) == (code, message)
    assert getattr(error, "decline_code", None) == decline_code
    intent = v1.payment_intents.retrieve(error.payment_intent.id)
    assert intent.to_dict() == error.payment_intent.to_dict()
    assert (intent.status, intent.payment_method) == ("requires_payment_method", None)
    assert (intent.last_payment_error.code, intent.amount_received) == (code, 0)
    charge = v1.charges.retrieve(error.charge)
    assert (charge.status, charge.failure_code, charge.balance_transaction) == (
        "failed",
        code,
        None,
    )
    assert intent.latest_charge == charge.id
    assert event_types() == [
        "payment_intent.created",
        "charge.failed",
        "payment_intent.payment_failed",
    ]
    assert v1.balance_transactions.list().data == []


def test_a_declined_payment_can_be_paid_with_another_card(v1, pay):
    with pytest.raises(stripe.CardError) as refused:
        pay("pm_card_chargeDeclined")

    paid = v1.payment_intents.confirm(
        error_of(refused).payment_intent.id, {"payment_method": "pm_card_visa"}
    )

    assert (paid.status, paid.last_payment_error) == ("succeeded", None)
    assert len(v1.charges.list({"payment_intent": paid.id}).data) == 2


def test_a_card_that_was_attached_may_fail_when_it_is_charged(v1, pay, customer: str):
    card = v1.payment_methods.attach("pm_card_chargeCustomerFail", {"customer": customer})

    with pytest.raises(stripe.CardError):
        pay(card.id, customer=customer, off_session=True)

    assert v1.payment_methods.retrieve(card.id).customer == customer


@pytest.mark.parametrize(
    ("amount", "currency", "code"),
    [
        (49, "usd", "amount_too_small"),
        (29, "gbp", "amount_too_small"),
        (49, "jpy", "amount_too_small"),
        (100_000_000, "usd", "amount_too_large"),
    ],
)
def test_an_amount_beyond_the_limits_is_refused(
    v1, event_types, amount: int, currency: str, code: str
):
    with pytest.raises(stripe.InvalidRequestError) as refused:
        v1.payment_intents.create({"amount": amount, "currency": currency})

    assert (refused.value.code, refused.value.param) == (code, "amount")
    assert v1.payment_intents.list().data == []
    assert event_types() == []


@pytest.mark.parametrize(
    ("amount", "currency"),
    [(50, "usd"), (51, "usd"), (30, "gbp"), (50, "jpy"), (99_999_999, "usd")],
)
def test_an_amount_within_the_limits_is_taken(v1, amount: int, currency: str):
    intent = v1.payment_intents.create({"amount": amount, "currency": currency.upper()})

    assert (intent.amount, intent.currency) == (amount, currency)
    assert intent.status == "requires_payment_method"


def test_an_intent_goes_from_state_to_state(v1):
    made = v1.payment_intents.create(
        {"amount": 700, "currency": "usd", "automatic_payment_methods": CARD_ONLY}
    )
    chosen = v1.payment_intents.update(
        made.id, {"payment_method": "pm_card_visa", "amount": 800, "metadata": {"k": "v"}}
    )
    paid = v1.payment_intents.confirm(made.id)

    assert [made.status, chosen.status, paid.status] == [
        "requires_payment_method",
        "requires_confirmation",
        "succeeded",
    ]
    assert (paid.amount_received, paid.metadata["k"]) == (800, "v")


def test_what_may_redirect_needs_to_know_where_to_come_back(v1):
    asked = {
        "amount": 500,
        "currency": "usd",
        "payment_method": "pm_card_visa",
        "confirm": True,
    }

    with pytest.raises(stripe.InvalidRequestError, match="return_url") as refused:
        v1.payment_intents.create(asked)
    paid = v1.payment_intents.create({**asked, "return_url": "https://shop.example/back"})

    assert refused.value.param == "return_url"
    assert paid.status == "succeeded"
    assert len(v1.payment_intents.list().data) == 1


def test_the_parameter_of_former_versions_is_refused_by_its_own_code(v1):
    with pytest.raises(stripe.InvalidRequestError) as refused:
        v1.payment_intents.create(
            {"amount": 500, "currency": "usd", "payment_method_types": ["card"]}
        )

    assert refused.value.code == "payment_method_types_no_longer_supported"
    assert v1.payment_intents.list().data == []


def test_a_manual_payment_is_captured_in_part_and_the_rest_let_go(v1, pay):
    held = pay(capture_method="manual")
    assert (held.status, held.amount_capturable, held.amount_received) == (
        "requires_capture",
        1000,
        0,
    )
    assert v1.balance_transactions.list().data == []

    taken = v1.payment_intents.capture(held.id, {"amount_to_capture": 700})

    charge = v1.charges.retrieve(taken.latest_charge)
    assert (taken.status, taken.amount_received, taken.amount_capturable) == ("succeeded", 700, 0)
    assert (charge.captured, charge.amount_captured) == (True, 700)
    assert [one.amount for one in v1.balance_transactions.list().data] == [700]


@pytest.mark.parametrize(("amount", "is_taken"), [(999, True), (1000, True), (1001, False)])
def test_no_more_is_captured_than_was_authorised(v1, pay, amount: int, is_taken: bool):
    held = pay(capture_method="manual")

    if is_taken:
        assert v1.payment_intents.capture(held.id, {"amount_to_capture": amount}).status == (
            "succeeded"
        )
        return
    with pytest.raises(stripe.InvalidRequestError) as refused:
        v1.payment_intents.capture(held.id, {"amount_to_capture": amount})

    assert refused.value.code == "amount_too_large"
    assert v1.payment_intents.retrieve(held.id).status == "requires_capture"
    assert v1.balance_transactions.list().data == []


def test_a_cancelled_authorisation_goes_back_to_the_card(v1, pay, event_types):
    held = pay(capture_method="manual")

    gone = v1.payment_intents.cancel(held.id, {"cancellation_reason": "abandoned"})

    assert (gone.status, gone.cancellation_reason) == ("canceled", "abandoned")
    assert v1.charges.retrieve(gone.latest_charge).refunded is True
    assert v1.balance_transactions.list().data == []
    assert event_types()[-2:] == ["charge.refunded", "payment_intent.canceled"]


def test_an_authorisation_is_gone_after_a_week(v1, pay, knobs: Knobs):
    held = pay(capture_method="manual")

    knobs.advance(7 * 86_400 - 1)
    before = v1.payment_intents.retrieve(held.id).status
    knobs.advance(1)
    after = v1.payment_intents.retrieve(held.id)

    assert before == "requires_capture"
    assert (after.status, after.cancellation_reason) == ("canceled", "automatic")


@pytest.mark.parametrize("deed", ["confirm", "capture", "cancel"])
def test_a_payment_that_is_over_cannot_be_changed(v1, pay, deed: str):
    paid = pay()
    events = len(v1.events.list({"limit": 100}).data)

    with pytest.raises(stripe.InvalidRequestError) as refused:
        getattr(v1.payment_intents, deed)(paid.id)

    assert refused.value.http_status == 400
    assert refused.value.code == "payment_intent_unexpected_state"
    assert error_of(refused).payment_intent.to_dict() == paid.to_dict()
    assert len(v1.events.list({"limit": 100}).data) == events


def test_a_payment_that_is_over_has_its_amount(v1, pay):
    paid = pay()

    with pytest.raises(stripe.InvalidRequestError) as refused:
        v1.payment_intents.update(paid.id, {"amount": 900})
    noted = v1.payment_intents.update(paid.id, {"metadata": {"k": "v"}})

    assert refused.value.code == "payment_intent_unexpected_state"
    assert (noted.amount, noted.metadata["k"]) == (1000, "v")


def test_a_payment_cannot_use_somebody_elses_card(v1, pay, customer: str):
    card = v1.payment_methods.attach("pm_card_visa", {"customer": customer})
    other = v1.customers.create().id

    with pytest.raises(stripe.InvalidRequestError, match="must be attached"):
        pay(card.id, customer=other)
    with pytest.raises(stripe.InvalidRequestError, match="include the Customer"):
        pay(card.id)

    assert v1.payment_intents.list().data == []


def test_a_card_that_was_not_saved_pays_once(v1, pay):
    card = v1.payment_methods.create({"type": "card", "card": {"token": "tok_visa"}}).id
    pay(card)

    with pytest.raises(stripe.InvalidRequestError, match="may not be used again"):
        pay(card)

    assert len(v1.payment_intents.list().data) == 1


def test_a_card_can_be_saved_by_paying_with_it(v1, pay, customer: str):
    paid = pay("pm_card_visa", customer=customer, setup_future_usage="off_session")

    again = pay(paid.payment_method, customer=customer, off_session=True)

    assert v1.payment_methods.retrieve(paid.payment_method).customer == customer
    assert again.status == "succeeded"


def test_a_payment_without_its_customer_cannot_ask_them(v1, pay, customer: str):
    card = v1.payment_methods.attach("pm_card_authenticationRequired", {"customer": customer})

    with pytest.raises(stripe.CardError) as refused:
        pay(card.id, customer=customer, off_session=True)

    error = error_of(refused)
    assert (error.code, error.decline_code) == ("authentication_required",) * 2
    assert error.payment_intent.status == "requires_payment_method"
    assert error.payment_intent.last_payment_error.payment_method.id == card.id
    assert error.payment_intent.client_secret.startswith(error.payment_intent.id + "_secret_")


def test_a_payment_may_refuse_to_ask(v1, pay):
    with pytest.raises(stripe.CardError) as refused:
        pay("pm_card_threeDSecure2Required", error_on_requires_action=True)

    assert refused.value.code == "authentication_required"


@pytest.mark.parametrize(
    ("outcome", "status", "told"),
    [
        ("complete", "succeeded", "succeeded"),
        ("fail", "requires_payment_method", "failed"),
    ],
)
def test_the_bank_asks_and_the_customer_comes_back(
    *, server, v1, pay, outcome: str, status: str, told: str
):
    waiting = pay("pm_card_threeDSecure2Required", return_url="https://shop.example/back?a=1")
    page = waiting.next_action.redirect_to_url.url
    assert (waiting.status, waiting.latest_charge) == ("requires_action", None)

    asked = ask(server.address, "GET", page.removeprefix(server.address))
    answered = ask(
        server.address, "POST", page.removeprefix(server.address), form={"outcome": outcome}
    )

    assert (asked.status, "$10.00" in asked.text) == (200, True)
    assert answered.status == 303
    assert answered.headers["location"] == (
        f"https://shop.example/back?a=1&payment_intent={waiting.id}"
        f"&payment_intent_client_secret={waiting.client_secret}&redirect_status={told}"
    )
    intent = v1.payment_intents.retrieve(waiting.id)
    assert (intent.status, intent.next_action) == (status, None)


def test_without_a_place_to_come_back_to_the_page_says_goodbye(server, v1, pay):
    waiting = pay("pm_card_threeDSecure2Required")
    action = waiting.next_action

    done = ask(server.address, "POST", f"/3ds/{waiting.id}", form={"outcome": "complete"})
    again = ask(server.address, "POST", f"/3ds/{waiting.id}", form={"outcome": "fail"})

    assert action.type == "use_stripe_sdk"
    assert (done.status, "close this window" in done.text) == (200, True)
    assert "nothing to authenticate" in again.text
    assert v1.payment_intents.retrieve(waiting.id).status == "succeeded"


def test_a_failed_authentication_says_so(server, v1, pay, event_types):
    waiting = pay("pm_card_threeDSecure2Required")

    ask(server.address, "POST", f"/3ds/{waiting.id}", form={"outcome": "fail"})

    intent = v1.payment_intents.retrieve(waiting.id)
    assert intent.last_payment_error.code == "payment_intent_authentication_failure"
    assert event_types()[-2:] == [
        "payment_intent.requires_action",
        "payment_intent.payment_failed",
    ]
    assert v1.charges.list().data == []


def test_a_card_may_be_declined_after_its_holder_authenticated(server, v1, pay):
    waiting = pay("pm_card_authenticationRequiredChargeDeclinedInsufficientFunds")

    ask(server.address, "POST", f"/3ds/{waiting.id}", form={"outcome": "complete"})

    intent = v1.payment_intents.retrieve(waiting.id)
    assert intent.status == "requires_payment_method"
    assert intent.last_payment_error.decline_code == "insufficient_funds"


def test_a_publishable_key_confirms_what_it_has_the_secret_of(server, v1):
    made = v1.payment_intents.create(
        {"amount": 500, "currency": "usd", "automatic_payment_methods": CARD_ONLY}
    )

    def confirm(**form: str):
        target = f"/v1/payment_intents/{made.id}/confirm"
        return ask(server.address, "POST", target, form=form, key="pk_test_browser")

    without = confirm(payment_method="pm_card_visa")
    wrong = confirm(payment_method="pm_card_visa", client_secret="pi_1_secret_2")
    before = v1.payment_intents.retrieve(made.id).status
    right = confirm(payment_method="pm_card_visa", client_secret=str(made.client_secret))
    listed = ask(server.address, "GET", "/v1/payment_intents", key="pk_test_browser")

    assert [without.status, wrong.status, right.status, listed.status] == [400, 404, 200, 401]
    assert before == "requires_payment_method"
    assert listed.error["code"] == "secret_key_required"
    assert v1.payment_intents.retrieve(made.id).status == "succeeded"


def test_payments_are_found_by_their_metadata(v1, pay):
    wanted = pay(metadata={"op_id": "op-7"})
    pay(metadata={"op_id": "op-8"})

    found = v1.payment_intents.search(
        {"query": "metadata['op_id']:'op-7' AND status:'succeeded'"}
    ).data

    assert [one.id for one in found] == [wanted.id]
    with pytest.raises(stripe.InvalidRequestError):
        v1.payment_intents.search({"query": "metadata"})
