"""Customers, and the cards on file with them."""

import pytest
import stripe

from tests.local.stripe.asking import ask, error_of


def test_a_customer_is_kept_and_found_by_its_address(v1):
    made = v1.customers.create(
        {
            "email": "ada@example.com",
            "name": "Ada",
            "address": {"country": "GB", "city": "London"},
            "metadata": {"account": "a1"},
        }
    )
    v1.customers.create({"email": "grace@example.com"})

    found = v1.customers.list({"email": "ada@example.com"}).data

    assert [one.id for one in found] == [made.id]
    assert made.id.startswith("cus_")
    assert found[0].metadata["account"] == "a1"
    assert found[0].address.city == "London"


def test_metadata_is_merged_and_an_empty_value_unsets_its_key(v1):
    made = v1.customers.create({"metadata": {"kept": "1", "gone": "2"}})

    changed = v1.customers.update(made.id, {"metadata": {"gone": "", "new": "3"}})

    assert changed.metadata.to_dict() == {"kept": "1", "new": "3"}
    assert v1.customers.update(made.id, {"metadata": ""}).metadata.to_dict() == {}


def test_an_update_tells_what_was_before(v1, customer: str):
    v1.customers.update(customer, {"name": "Ada", "phone": ""})

    event = v1.events.list().data[0]
    assert event.type == "customer.updated"
    assert event.data.object["name"] == "Ada"
    assert event.data.previous_attributes.to_dict() == {"name": None}


def test_an_update_that_changes_nothing_is_no_event(v1, customer: str):
    v1.customers.update(customer, {"email": "ada@example.com"})

    assert [event.type for event in v1.events.list().data] == ["customer.created"]


def test_a_deleted_customer_is_only_a_name(v1, customer: str):
    card = v1.payment_methods.attach("pm_card_visa", {"customer": customer})

    gone = v1.customers.delete(customer)

    assert gone.to_dict() == {"id": customer, "object": "customer", "deleted": True}
    assert v1.customers.retrieve(customer).deleted is True
    assert v1.customers.list().data == []
    assert v1.payment_methods.retrieve(card.id).customer is None
    with pytest.raises(stripe.InvalidRequestError) as refused:
        v1.customers.update(customer, {"name": "Ada"})
    assert refused.value.http_status == 404


def test_each_attaching_of_a_test_card_makes_another_payment_method(v1, customer: str):
    first, second = (
        v1.payment_methods.attach("pm_card_visa", {"customer": customer}) for _ in range(2)
    )
    other = v1.payment_methods.attach("pm_card_mastercard", {"customer": customer})

    assert len({first.id, second.id, other.id}) == 3
    assert first.card.fingerprint == second.card.fingerprint != other.card.fingerprint
    listed = v1.customers.payment_methods.list(customer).data
    assert [one.id for one in listed] == [other.id, second.id, first.id]
    assert [one.card.last4 for one in listed] == ["4444", "4242", "4242"]


@pytest.mark.parametrize(
    ("test_id", "brand", "last4"),
    [
        ("pm_card_visa", "visa", "4242"),
        ("pm_card_mastercard", "mastercard", "4444"),
        ("pm_card_amex", "amex", "0005"),
    ],
)
def test_a_card_is_known_by_its_brand_and_last_digits(
    v1, customer: str, test_id: str, brand: str, last4: str
):
    card = v1.payment_methods.attach(test_id, {"customer": customer}).card

    assert (card.brand, card.last4) == (brand, last4)


@pytest.mark.parametrize(
    ("test_id", "code", "decline_code"),
    [
        ("pm_card_chargeDeclined", "card_declined", "generic_decline"),
        ("pm_card_visa_chargeDeclined", "card_declined", "generic_decline"),
        ("pm_card_chargeDeclinedInsufficientFunds", "card_declined", "insufficient_funds"),
        ("pm_card_chargeDeclinedExpiredCard", "expired_card", None),
        ("pm_card_chargeDeclinedProcessingError", "processing_error", None),
    ],
)
def test_a_card_that_is_declined_cannot_be_attached(
    v1, customer: str, test_id: str, code: str, decline_code: str | None
):
    with pytest.raises(stripe.CardError) as refused:
        v1.payment_methods.attach(test_id, {"customer": customer})

    assert (refused.value.http_status, refused.value.code) == (402, code)
    assert getattr(error_of(refused), "decline_code", None) == decline_code
    assert v1.customers.payment_methods.list(customer).data == []


def test_a_token_becomes_a_payment_method_that_nobody_has(v1):
    made = v1.payment_methods.create({"type": "card", "card": {"token": "tok_amex"}})

    assert (made.customer, made.card.brand) == (None, "amex")


def test_a_number_is_not_taken_through_the_api(v1):
    typed = {"number": "4242424242424242", "exp_month": 12, "exp_year": 2034, "cvc": "123"}

    with pytest.raises(stripe.CardError, match="generally unsafe") as refused:
        v1.payment_methods.create({"type": "card", "card": typed})

    assert "4242" not in str(refused.value.http_body)


def test_a_card_on_file_can_be_updated(v1, customer: str):
    card = v1.payment_methods.attach("pm_card_visa", {"customer": customer})

    changed = v1.payment_methods.update(
        card.id, {"card": {"exp_month": 3, "exp_year": 2040}, "metadata": {"k": "v"}}
    )

    assert (changed.card.exp_month, changed.card.exp_year) == (3, 2040)
    assert changed.card.last4 == "4242"
    assert changed.metadata["k"] == "v"


def test_a_detached_card_is_used_up(v1, customer: str):
    card = v1.payment_methods.attach("pm_card_visa", {"customer": customer})
    v1.customers.update(customer, {"invoice_settings": {"default_payment_method": card.id}})

    detached = v1.payment_methods.detach(card.id)

    assert detached.customer is None
    assert v1.customers.payment_methods.list(customer).data == []
    assert v1.customers.retrieve(customer).invoice_settings.default_payment_method is None
    with pytest.raises(stripe.InvalidRequestError, match="may not be used again"):
        v1.payment_methods.attach(card.id, {"customer": customer})
    with pytest.raises(stripe.InvalidRequestError, match="not attached to a customer"):
        v1.payment_methods.detach(card.id)


def test_a_card_belongs_to_one_customer(v1, customer: str):
    other = v1.customers.create().id
    card = v1.payment_methods.attach("pm_card_visa", {"customer": customer})

    with pytest.raises(stripe.InvalidRequestError, match="already been attached"):
        v1.payment_methods.attach(card.id, {"customer": other})
    with pytest.raises(stripe.InvalidRequestError, match="must be attached"):
        v1.customers.update(other, {"invoice_settings": {"default_payment_method": card.id}})
    with pytest.raises(stripe.InvalidRequestError):
        v1.customers.payment_methods.retrieve(other, card.id)

    assert v1.customers.payment_methods.list(other).data == []
    assert v1.customers.payment_methods.retrieve(customer, card.id).id == card.id


def test_a_customer_is_made_with_a_card_that_is_charged_by_default(v1):
    made = v1.customers.create(
        {
            "payment_method": "pm_card_visa",
            "invoice_settings": {"default_payment_method": "pm_card_visa"},
        }
    )

    default = made.invoice_settings.default_payment_method
    assert [one.id for one in v1.customers.payment_methods.list(made.id).data] == [default]


def test_a_customer_whose_card_is_declined_is_not_made(v1, event_types):
    with pytest.raises(stripe.CardError):
        v1.customers.create({"payment_method": "pm_card_chargeDeclined"})

    assert v1.customers.list().data == []
    assert event_types() == []


def test_cards_of_nobody_in_particular_are_not_listed(server, v1, customer: str):
    v1.payment_methods.attach("pm_card_visa", {"customer": customer})

    assert v1.payment_methods.list().data == []
    assert len(v1.payment_methods.list({"customer": customer, "type": "card"}).data) == 1
    assert ask(server.address, "GET", "/v1/customers/cus_no/payment_methods").status == 404
