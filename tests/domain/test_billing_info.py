from dataclasses import asdict, replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.domain.billing_info import (
    EMAIL_LENGTH_MAX,
    FIELDS,
    LENGTH_MAX,
    BillingInfo,
    changed,
)
from holdfast.domain.countries import COUNTRIES
from holdfast.errors import InvalidField
from tests.domain.samples import ACCOUNT_ID, NOW, TENANT

LATER = NOW + timedelta(minutes=5)
NOTHING = BillingInfo(tenant=TENANT, account_id=ACCOUNT_ID)
TEXTS = {
    "name": "Größer & Söhne",
    "email": "billing@example.com",
    "tax_id": "DE123456789",
    "tax_id_type": "eu_vat",
    "address_line1": "Hauptstraße 1",
    "address_line2": "Hinterhaus",
    "address_city": "Köln",
    "address_state": "NRW",
    "address_postal_code": "50667",
    "address_country": "DE",
}
TOLD = changed(NOTHING, now=NOW, **TEXTS)
PLAIN = sorted(FIELDS - {"email", "tax_id", "tax_id_type", "address_country"})


def texts_of(info: BillingInfo) -> dict[str, str | None]:
    return {name: text for name, text in asdict(info).items() if name in FIELDS}


def refusal_of(info: BillingInfo, **texts: str | None) -> InvalidField:
    before = replace(info)
    with pytest.raises(InvalidField) as refused:
        changed(info, now=LATER, **texts)
    assert info == before
    return refused.value


def test_every_field_can_be_told():
    told = changed(NOTHING, now=NOW, **TEXTS)

    assert set(TEXTS) == FIELDS
    assert told == BillingInfo(
        tenant=TENANT, account_id=ACCOUNT_ID, updated_at=NOW, version=1, **TEXTS
    )


@pytest.mark.parametrize("name", sorted(FIELDS - {"tax_id", "tax_id_type"}))
def test_what_is_not_named_stays_as_it_was(name):
    cleared = changed(TOLD, now=LATER, **{name: None})

    assert texts_of(cleared) == {**TEXTS, name: None}
    assert (cleared.updated_at, cleared.version) == (LATER, 2)


@pytest.mark.parametrize("name", PLAIN)
def test_one_field_can_be_changed_alone(name):
    after = changed(TOLD, now=LATER, **{name: "new"})

    assert texts_of(after) == {**TEXTS, name: "new"}
    assert (after.updated_at, after.version) == (LATER, 2)


@pytest.mark.parametrize(
    "texts",
    [
        pytest.param({}, id="nothing named"),
        pytest.param(TEXTS, id="everything as it is"),
        pytest.param({"name": "  Größer  &  Söhne "}, id="the same but for blanks"),
        pytest.param({"address_country": "de"}, id="the same country in lower case"),
        pytest.param({"tax_id": "de 123 456 789"}, id="the same tax id, divided"),
        pytest.param({"tax_id_type": "eu_vat"}, id="the same type"),
    ],
)
def test_what_changes_nothing_gives_the_same_object_back(texts):
    assert changed(TOLD, now=LATER, **texts) is TOLD


@pytest.mark.parametrize("name", sorted(FIELDS))
@pytest.mark.parametrize("blank", [None, "", "  ", "\t\n"])
def test_clearing_what_was_never_told_changes_nothing(name, blank):
    assert changed(NOTHING, now=LATER, **{name: blank}) is NOTHING


@pytest.mark.parametrize("blank", ["", " ", "\u00a0", "\u3000", "\n"])
def test_a_text_of_blanks_clears_the_field(blank):
    assert changed(TOLD, now=LATER, name=blank).name is None


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("  Acme ", "Acme"),
        ("Acme\u00a0GmbH", "Acme GmbH"),
        ("東京都\u3000千代田区", "東京都 千代田区"),
        ("first\nsecond\tthird", "first second third"),
        # A joiner that Persian words are written with is no blank, and no control character.
        ("می\u200cخواهم", "می\u200cخواهم"),
    ],
)
def test_a_text_is_trimmed_and_its_blanks_are_single_spaces(text, kept):
    assert changed(NOTHING, now=NOW, name=text).name == kept


@pytest.mark.parametrize("name", PLAIN)
@pytest.mark.parametrize("length", [LENGTH_MAX - 1, LENGTH_MAX, LENGTH_MAX + 1])
def test_a_text_has_256_characters_and_no_more(name, length):
    text = "ö" * length

    if length <= LENGTH_MAX == 256:
        assert texts_of(changed(NOTHING, now=NOW, **{name: f" {text} "}))[name] == text
    else:
        refusal = refusal_of(NOTHING, **{name: text})

        assert (refusal.param, refusal.details) == (name, {"reason": "at most 256 characters"})


@pytest.mark.parametrize("name", sorted(FIELDS))
@pytest.mark.parametrize("character", ["\0", "\x07", "\x1b", "\x7f", "\x9f", "\ud800"])
def test_what_cannot_be_written_is_refused(name, character):
    refusal = refusal_of(TOLD, **{name: f"a{character}b"})

    assert (refusal.param, refusal.details) == (name, {"reason": "has control characters"})


@pytest.mark.parametrize(
    "email",
    [
        "a@b.co",
        "first.last+tag@sub.example.com",
        "Alice@Example.COM",
        "o'hara_%~-!#$&*=?^`{|}/@example.com",
        "jörg@müller.example",
        f"{'a' * 64}@example.com",
        pytest.param(f"a@{'b' * 248}.com", id="254 characters"),
    ],
)
def test_an_email_address_is_kept_as_it_is_written(email):
    assert len(email) <= EMAIL_LENGTH_MAX == 254
    assert changed(NOTHING, now=NOW, email=f" {email} ").email == email


@pytest.mark.parametrize(
    "email",
    [
        *("alice", "@", "alice@", "@example.com", "alice@example", "a@@example.com", "a@b@c.de"),
        *("a@.com", "a@b.", "a@b..com", ".a@b.com", "a.@b.com", "a..b@c.de", "a b@c.de"),
        *("a@b c.de", "a,b@c.de", "a@b.de,c@d.de", "<a@b.de>", "a@b.de;", '"a"@b.de', "a:b@c.de"),
        pytest.param(f"{'a' * 65}@example.com", id="65 characters before the sign"),
        pytest.param(f"a@{'b' * 249}.com", id="255 characters"),
    ],
)
def test_what_is_no_email_address_is_refused(email):
    assert refusal_of(TOLD, email=email).param == "email"


@pytest.mark.parametrize("country", sorted(COUNTRIES))
def test_a_country_is_one_of_iso_3166_in_any_case(country):
    assert changed(NOTHING, now=NOW, address_country=country).address_country == country
    assert changed(NOTHING, now=NOW, address_country=country.lower()).address_country == country


def test_there_are_249_countries():
    assert len(COUNTRIES) == 249
    assert all(len(country) == 2 for country in COUNTRIES)


@pytest.mark.parametrize(
    "country",
    [
        *("D", "DEU", "Germany", "UK", "EU", "EL", "XI", "XK", "XX", "AA", "ZZ", "12", "D E"),
        pytest.param("ß", id="a sharp s, which would be South Sudan"),
        pytest.param("ıt", id="a dotless i, which would be Italy"),
        pytest.param("ＤＥ", id="full-width letters"),
    ],
)
def test_what_is_no_country_is_refused(country):
    assert refusal_of(TOLD, address_country=country).param == "address_country"


def test_a_tax_id_is_told_with_its_type():
    told = changed(NOTHING, now=NOW, tax_id="de 123-456-789", tax_id_type="eu_vat")

    assert (told.tax_id, told.tax_id_type) == ("DE123456789", "eu_vat")


def test_another_tax_id_of_the_type_on_file_needs_no_type():
    after = changed(TOLD, now=LATER, tax_id="ATU12345678")

    assert (after.tax_id, after.tax_id_type) == ("ATU12345678", "eu_vat")


def test_a_tax_id_of_another_type_is_told_with_it():
    after = changed(TOLD, now=LATER, tax_id="12-3456789", tax_id_type="us_ein")

    assert (after.tax_id, after.tax_id_type) == ("123456789", "us_ein")


def test_another_type_that_the_tax_id_on_file_has_the_form_of_may_be_told_alone():
    before = changed(NOTHING, now=NOW, tax_id="12345678", tax_id_type="tw_vat")

    after = changed(before, now=LATER, tax_id_type="hk_br")

    assert (after.tax_id, after.tax_id_type) == ("12345678", "hk_br")


@pytest.mark.parametrize("blank", [None, "", " "])
@pytest.mark.parametrize("both", [True, False])
def test_clearing_the_tax_id_clears_its_type(blank, both):
    texts = {"tax_id": blank, "tax_id_type": blank} if both else {"tax_id": blank}

    after = changed(TOLD, now=LATER, **texts)

    assert texts_of(after) == {**TEXTS, "tax_id": None, "tax_id_type": None}
    assert after.version == 2


@pytest.mark.parametrize(
    ("info", "texts", "param", "reason"),
    [
        pytest.param(
            NOTHING,
            {"tax_id": "DE123456789"},
            "tax_id_type",
            "needed with a tax id",
            id="a tax id without a type",
        ),
        pytest.param(
            TOLD,
            {"tax_id": "DE123456789", "tax_id_type": None},
            "tax_id_type",
            "needed with a tax id",
            id="a tax id, its type cleared",
        ),
        pytest.param(
            TOLD,
            {"tax_id_type": None},
            "tax_id_type",
            "needed with a tax id",
            id="the type cleared, the tax id on file",
        ),
        pytest.param(
            NOTHING,
            {"tax_id_type": "eu_vat"},
            "tax_id_type",
            "a type without a tax id",
            id="a type without a tax id",
        ),
        pytest.param(
            TOLD,
            {"tax_id": None, "tax_id_type": "eu_vat"},
            "tax_id_type",
            "a type without a tax id",
            id="a type, its tax id cleared",
        ),
        pytest.param(
            TOLD,
            {"tax_id": "DE12345678"},
            "tax_id",
            "has not the form of eu_vat",
            id="not the form of the type on file",
        ),
        pytest.param(
            TOLD,
            {"tax_id": "DE123456789", "tax_id_type": "us_ein"},
            "tax_id",
            "has not the form of us_ein",
            id="not the form of the type beside it",
        ),
        pytest.param(
            TOLD,
            {"tax_id_type": "us_ein"},
            "tax_id_type",
            "the tax id on file has another form",
            id="a type that the tax id on file has not the form of",
        ),
        pytest.param(
            TOLD,
            {"tax_id": "DE123456789", "tax_id_type": "de_vat"},
            "tax_id_type",
            "not a type of tax id",
            id="no such type",
        ),
        pytest.param(
            TOLD,
            {"tax_id_type": "de_vat"},
            "tax_id_type",
            "not a type of tax id",
            id="no such type for the tax id on file",
        ),
    ],
)
def test_a_tax_id_and_its_type_go_together(info, texts, param, reason):
    refusal = refusal_of(info, **texts)

    assert (refusal.param, refusal.details) == (param, {"reason": reason})


def test_one_field_that_is_wrong_keeps_all_of_them_from_changing():
    refusal = refusal_of(TOLD, name="new", address_country="XX")

    assert refusal.param == "address_country"


@pytest.mark.parametrize("name", ["version", "tenant", "account_id", "updated_at", "vat"])
def test_a_field_that_no_caller_may_change_is_our_mistake(name):
    with pytest.raises(AssertionError):
        changed(TOLD, now=LATER, **{name: "x"})


# Texts that are right or wrong, often enough the same ones twice.
values: dict[str, st.SearchStrategy[str | None]] = {
    **{name: st.none() | st.sampled_from(["", " a ", "b"]) | st.text(max_size=5) for name in PLAIN},
    "email": st.sampled_from([None, "a@b.co", " c@d.de ", "nobody"]),
    "tax_id": st.sampled_from([None, "", "DE123456789", "de 123456789", "123456789"]),
    "tax_id_type": st.sampled_from([None, "", "eu_vat", "us_ein", "ge_vat", "none"]),
    "address_country": st.sampled_from([None, "de", "DE", "FR", "XX"]),
}
updates = st.fixed_dictionaries({}, optional=values)


def told_or_refused(info: BillingInfo, texts: dict[str, str | None]) -> BillingInfo | InvalidField:
    try:
        return changed(info, now=LATER, **texts)
    except InvalidField as refused:
        return refused


@given(st.lists(updates, max_size=6))
def test_whatever_was_told_stands_and_telling_it_again_is_nothing(todo):
    info = NOTHING
    for texts in todo:
        after = told_or_refused(info, texts)
        if isinstance(after, InvalidField):
            assert after.param in texts or (after.param == "tax_id_type" and "tax_id" in texts)
            continue
        unnamed = FIELDS - texts.keys() - {"tax_id_type"}
        assert {name: texts_of(after)[name] for name in unnamed} == {
            name: texts_of(info)[name] for name in unnamed
        }
        assert (after is info) == (texts_of(after) == texts_of(info))
        assert after.version == info.version + (after is not info)
        assert (after.tax_id is None) == (after.tax_id_type is None)
        assert changed(after, now=LATER, **texts) is after
        assert changed(after, now=LATER, **texts_of(after)) is after
        info = after
