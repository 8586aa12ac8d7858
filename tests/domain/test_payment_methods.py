from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.domain.payment_methods import (
    Customer,
    PaymentMethod,
    described,
    in_order,
    made_default,
    removed,
    saved,
)
from holdfast.errors import PaymentMethodNotFound
from tests.domain.samples import ACCOUNT_ID, NOW

LATER = NOW + timedelta(minutes=5)
NOBODY = Customer(account_id=ACCOUNT_ID, id="cus_1", version=1)
ADDRESS = {"city": "Köln", "country": "DE"}


def card(name: str = "pm_1", *, minutes: int = 0) -> PaymentMethod:
    return PaymentMethod(
        account_id=ACCOUNT_ID,
        id=name,
        brand="visa",
        last4="4242",
        exp_month=12,
        exp_year=2030,
        created_at=NOW + timedelta(minutes=minutes),
        version=1,
    )


def paying_with(method: PaymentMethod) -> Customer:
    return made_default(NOBODY, method)


GONE = removed(NOBODY, card(), [], NOW)[0]


# --- Saving --------------------------------------------------------------------------------------


@pytest.mark.parametrize("make_default", [True, False])
def test_the_first_card_is_the_default_one_whatever_is_said(make_default):
    method, customer = saved(NOBODY, None, card(), make_default=make_default)

    assert method == card()
    assert (customer.default_method_id, customer.version) == ("pm_1", 2)


def test_a_second_card_is_the_default_one_only_if_that_is_said():
    customer = paying_with(card())

    kept = saved(customer, None, card("pm_2"), make_default=False)[1]
    changed = saved(customer, None, card("pm_2"), make_default=True)[1]

    assert kept is customer
    assert (changed.default_method_id, changed.version) == ("pm_2", customer.version + 1)


def test_a_card_that_is_on_file_stays_as_it_is():
    known = replace(card(), metadata={"team": "lab"}, version=7)

    method, customer = saved(paying_with(known), known, card(), make_default=True)

    assert method is known
    assert customer.default_method_id == "pm_1"


def test_a_card_that_was_removed_is_written_over():
    method = saved(NOBODY, GONE, card(), make_default=False)[0]

    assert method == replace(card(), version=GONE.version + 1)
    assert method.active


# --- The default one ------------------------------------------------------------------------------


def test_the_default_one_stays_the_same_object_when_it_is_chosen_again():
    customer = paying_with(card())

    assert made_default(customer, card()) is customer


def test_a_removed_card_is_never_the_default_one():
    with pytest.raises(PaymentMethodNotFound):
        made_default(NOBODY, GONE)
    with pytest.raises(PaymentMethodNotFound):
        described(GONE, billing_address=None, metadata={})
    with pytest.raises(PaymentMethodNotFound):
        removed(NOBODY, GONE, [], LATER)


def test_where_the_default_one_goes_the_newest_other_one_is():
    cards = [card(), card("pm_2", minutes=2), card("pm_3", minutes=1), replace(GONE, id="pm_4")]

    gone, customer = removed(paying_with(cards[0]), cards[0], cards, LATER)

    assert (gone.removed_at, gone.version, gone.active) == (LATER, 2, False)
    assert customer.default_method_id == "pm_2"


def test_where_the_last_one_goes_there_is_no_default_one():
    customer = removed(paying_with(card()), card(), [card()], LATER)[1]

    assert customer.default_method_id == ""


def test_where_another_one_goes_the_default_one_stays():
    customer = paying_with(card())

    assert removed(customer, card("pm_2"), [card(), card("pm_2")], LATER)[1] is customer


# --- What is said of it ---------------------------------------------------------------------------


def test_what_is_said_is_replaced_and_what_is_not_said_stays():
    told = described(card(), billing_address=ADDRESS, metadata={"team": "lab"})

    again = described(told, billing_address=None, metadata={"cost": "1"})

    assert (told.billing_address, told.metadata, told.version) == (ADDRESS, {"team": "lab"}, 2)
    assert (again.billing_address, again.metadata, again.version) == (ADDRESS, {"cost": "1"}, 3)


def test_saying_the_same_again_changes_nothing():
    told = described(card(), billing_address=ADDRESS, metadata={})

    assert described(told, billing_address=dict(ADDRESS), metadata=None) is told


# --- Order ----------------------------------------------------------------------------------------


def test_the_default_one_stands_first_and_then_the_newest():
    cards = [card(f"pm_{minute}", minutes=minute) for minute in range(4)]

    ordered = in_order(paying_with(cards[1]), [*cards, GONE])

    assert [each.id for each in ordered] == ["pm_1", "pm_3", "pm_2", "pm_0"]


def test_of_cards_of_one_instant_the_order_is_always_the_same():
    cards = [card(name) for name in ("pm_b", "pm_a", "pm_c")]

    ordered = in_order(NOBODY, cards)

    assert [each.id for each in ordered] == ["pm_c", "pm_b", "pm_a"]
    assert in_order(NOBODY, reversed(cards)) == ordered


@given(st.lists(st.tuples(st.sampled_from(["save", "default", "remove"]), st.integers(0, 3))))
def test_as_long_as_a_card_is_on_file_one_of_them_is_the_default_one(steps):
    customer, cards = NOBODY, dict[str, PaymentMethod]()
    for number, (step, which) in enumerate(steps):
        name = f"pm_{which}"
        known = cards.get(name)
        if step == "save":
            told = card(name, minutes=number)
            cards[name], customer = saved(customer, known, told, make_default=bool(number % 2))
        elif known is not None and known.active and step == "default":
            customer = made_default(customer, known)
        elif known is not None and known.active:
            cards[name], customer = removed(customer, known, cards.values(), LATER)

    active = {name for name, each in cards.items() if each.active}
    assert (customer.default_method_id in active) is bool(active)
    assert bool(customer.default_method_id) is bool(active)
