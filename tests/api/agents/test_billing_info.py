"""What stands on invoices beside the amounts: `GET` and `PUT /api/agents/v1/billing/info`."""

import pytest

from tests.api.world import BOB, TEST_ALICE

INFO = "/api/agents/v1/billing/info"
FIELDS = (
    "name email tax_id tax_id_type address_line1 address_line2 address_city address_state "
    "address_postal_code address_country"
).split()


def told(**known):
    return {name: known.get(name) for name in FIELDS}


def put(world, body, **asked):
    return world.ask("PUT", INFO, body=body, **asked)


def test_nothing_is_told_at_first(world):
    assert world.get(INFO) == told()
    assert world.cents() == (1000, 0)


def test_what_is_told_is_answered_whole_as_it_is_kept(world):
    answer = put(
        world,
        {
            "name": "  Acme   Inc. ",
            "email": "billing@example.com",
            "tax_id": "de 123 456 789",
            "tax_id_type": "eu_vat",
            "address_line1": "1 Main St",
            "address_city": "Berlin",
            "address_postal_code": "10115",
            "address_country": "de",
        },
    )

    known = told(
        name="Acme Inc.",
        email="billing@example.com",
        tax_id="DE123456789",
        tax_id_type="eu_vat",
        address_line1="1 Main St",
        address_city="Berlin",
        address_postal_code="10115",
        address_country="DE",
    )
    assert answer.status == 200
    assert answer.data == known
    assert world.get(INFO) == known


def test_a_field_that_is_not_named_stays_and_null_clears_one(world):
    put(world, {"name": "Acme", "email": "a@example.com", "address_city": "Berlin"})

    answer = put(world, {"email": None, "address_city": "Hamburg"})

    assert answer.data == told(name="Acme", address_city="Hamburg")


def test_clearing_a_tax_id_clears_its_type(world):
    put(world, {"tax_id": "DE123456789", "tax_id_type": "eu_vat"})

    assert put(world, {"tax_id": None}).data == told()


@pytest.mark.parametrize("body", [{}, {"name": "Acme"}, {"email": None}], ids=str)
def test_what_changes_nothing_writes_nothing(world, body):
    put(world, {"name": "Acme"})
    world.wait(seconds=1)
    mark = world.mark()

    answer = put(world, body)

    assert answer.data == told(name="Acme")
    assert world.written_since(mark) == []


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"email": "nobody"}, "email"),
        ({"address_country": "XX"}, "address_country"),
        ({"address_country": "DEU"}, "address_country"),
        ({"tax_id": "DE123456789"}, "tax_id_type"),
        ({"tax_id_type": "eu_vat"}, "tax_id_type"),
        ({"tax_id": "DE1", "tax_id_type": "eu_vat"}, "tax_id"),
        ({"tax_id": "DE123456789", "tax_id_type": "xx_vat"}, "tax_id_type"),
        ({"name": "x" * 257}, "name"),
        ({"name": 1}, "name"),
        ({"name": "Acme", "address_line1": "a\0b"}, "address_line1"),
    ],
)
def test_what_is_wrong_is_refused_by_name_and_nothing_is_kept(world, body, param):
    refusal = world.refused("PUT", INFO, body=body)

    assert refusal[:3] == (422, "invalid_field", param)
    assert world.items() == []


@pytest.mark.parametrize("length", [255, 256])
def test_a_text_has_256_characters_at_most(world, length):
    assert put(world, {"name": "x" * length}).data["name"] == "x" * length


def test_a_second_delivery_is_told_what_the_first_was(world):
    first = put(world, {"name": "Acme"}, key="k1")
    put(world, {"name": "Globex"})

    again = put(world, {"name": "Acme"}, key="k1")

    assert again.replayed
    assert again.body["data"] == first.data
    assert again.body["meta"]["idempotency_replay"] is True
    assert world.get(INFO) == told(name="Globex")


def test_what_another_environment_wrote_is_not_forgotten(world):
    put(world, {"name": "Acme"})
    here = world.store
    world.start_anew()
    put(world, {"name": "Globex"})

    world.store = here
    put(world, {"name": "Acme"})

    assert world.get(INFO) == told(name="Acme")


@pytest.mark.parametrize("by", [BOB, TEST_ALICE], ids=["another user", "test mode"])
def test_everybody_has_info_of_their_own(world, by):
    put(world, {"name": "Acme"})

    assert world.get(INFO, by=by) == told()
