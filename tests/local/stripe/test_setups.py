"""Saving a card for later."""

import pytest
import stripe

from tests.local.stripe.asking import CARD_ONLY, ask, error_of


@pytest.fixture
def save(v1, customer: str):
    """A setup that is confirmed at once."""

    def saved(method: str):
        return v1.setup_intents.create(
            {
                "customer": customer,
                "payment_method": method,
                "usage": "off_session",
                "confirm": True,
                "automatic_payment_methods": CARD_ONLY,
            }
        )

    return saved


def test_a_saved_card_is_its_customers(v1, save, customer: str, event_types):
    saved = save("pm_card_visa")

    assert (saved.status, saved.usage) == ("succeeded", "off_session")
    cards = v1.customers.payment_methods.list(customer).data
    assert [one.id for one in cards] == [saved.payment_method]
    assert event_types()[1:] == [
        "setup_intent.created",
        "payment_method.attached",
        "setup_intent.succeeded",
    ]


def test_a_setup_waits_for_its_card(v1, customer: str):
    made = v1.setup_intents.create({"customer": customer})
    saved = v1.setup_intents.confirm(
        made.id, {"payment_method": "pm_card_visa", "return_url": "https://shop.example/"}
    )

    assert (made.status, made.usage) == ("requires_payment_method", "off_session")
    assert made.client_secret.startswith(f"{made.id}_secret_")
    assert saved.status == "succeeded"


def test_a_declined_card_is_not_saved(v1, save, customer: str, event_types):
    with pytest.raises(stripe.CardError) as refused:
        save("pm_card_chargeDeclined")

    error = error_of(refused)
    assert (error.code, error.decline_code) == ("card_declined", "generic_decline")
    assert error.setup_intent.status == "requires_payment_method"
    assert error.setup_intent.last_setup_error.code == "card_declined"
    assert v1.customers.payment_methods.list(customer).data == []
    assert event_types()[-1] == "setup_intent.setup_failed"


@pytest.mark.parametrize(
    ("card", "status", "asks_again"),
    [
        ("pm_card_authenticationRequiredOnSetup", "requires_action", False),
        ("pm_card_authenticationRequired", "requires_action", True),
        ("pm_card_authenticationRequiredSetupForOffSession", "requires_action", False),
        ("pm_card_visa", "succeeded", False),
    ],
)
def test_who_authenticates_once_may_be_charged_later(
    *,
    server,
    v1,
    save,
    pay,
    customer: str,
    card: str,
    status: str,
    asks_again: bool,
):
    setup = save(card)
    if status == "requires_action":
        ask(server.address, "POST", f"/3ds/{setup.id}", form={"outcome": "complete"})
    method = v1.setup_intents.retrieve(setup.id).payment_method

    if asks_again:
        with pytest.raises(stripe.CardError) as refused:
            pay(method, customer=customer, off_session=True)
        assert refused.value.code == "authentication_required"
    else:
        assert pay(method, customer=customer, off_session=True).status == "succeeded"
    assert setup.status == status


def test_a_card_that_was_only_attached_asks(v1, pay, customer: str):
    card = v1.payment_methods.attach(
        "pm_card_authenticationRequiredOnSetup", {"customer": customer}
    )

    with pytest.raises(stripe.CardError) as refused:
        pay(card.id, customer=customer, off_session=True)

    assert refused.value.code == "authentication_required"


def test_who_does_not_authenticate_saves_nothing(server, v1, save, customer: str):
    setup = save("pm_card_threeDSecure2Required")

    ask(server.address, "POST", f"/3ds/{setup.id}", form={"outcome": "fail"})

    failed = v1.setup_intents.retrieve(setup.id)
    assert failed.status == "requires_payment_method"
    assert failed.last_setup_error.code == "setup_intent_authentication_failure"
    assert v1.customers.payment_methods.list(customer).data == []


def test_a_setup_can_be_given_up_once(v1, customer: str):
    made = v1.setup_intents.create({"customer": customer})

    gone = v1.setup_intents.cancel(made.id, {"cancellation_reason": "abandoned"})

    assert (gone.status, gone.cancellation_reason) == ("canceled", "abandoned")
    for deed in ("cancel", "confirm"):
        with pytest.raises(stripe.InvalidRequestError) as refused:
            getattr(v1.setup_intents, deed)(made.id)
        assert refused.value.code == "setup_intent_unexpected_state"


def test_a_setup_that_may_redirect_is_not_begun_without_a_way_back(v1, customer: str):
    with pytest.raises(stripe.InvalidRequestError, match="return_url"):
        v1.setup_intents.create(
            {"customer": customer, "payment_method": "pm_card_visa", "confirm": True}
        )

    assert v1.setup_intents.list().data == []
