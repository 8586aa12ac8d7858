import re
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.domain.tax_ids import FORMS, MEMBER_STATES, normalised
from holdfast.errors import InvalidField

# Type, the shortest there is, the longest, and one with a wrong letter (or none) in its place.
CASES = [
    ("eu_vat", "ATU12345678", "ATU12345678", "ATX12345678"),
    ("eu_vat", "BE0123456789", "BE1123456789", "BE2123456789"),
    ("eu_vat", "BG123456789", "BG1234567890", "BG12345678A"),
    ("eu_vat", "CY12345678Z", "CY12345678Z", "CY123456789"),
    ("eu_vat", "CZ12345678", "CZ1234567890", "CZ1234567A"),
    ("eu_vat", "DE123456789", "DE123456789", "DE12345678A"),
    ("eu_vat", "DK12345678", "DK12345678", "DK1234567A"),
    ("eu_vat", "EE123456789", "EE123456789", "EE12345678A"),
    ("eu_vat", "EL123456789", "EL123456789", "GR123456789"),
    ("eu_vat", "ESA1234567Z", "ESA12345678", "ES123456789"),
    ("eu_vat", "FI12345678", "FI12345678", "FI1234567A"),
    ("eu_vat", "FR12123456789", "FRAB123456789", "FRAO123456789"),
    ("eu_vat", "HR12345678912", "HR12345678912", "HR1234567891A"),
    ("eu_vat", "HU12345678", "HU12345678", "HU1234567A"),
    ("eu_vat", "IE1234567T", "IE1234567AB", "IE1234567?"),
    ("eu_vat", "IT12345678912", "IT12345678912", "IT1234567891A"),
    ("eu_vat", "LT123456789", "LT123456789123", "LT12345678A"),
    ("eu_vat", "LU12345678", "LU12345678", "LU1234567A"),
    ("eu_vat", "LV12345678912", "LV12345678912", "LV1234567891A"),
    ("eu_vat", "MT12345678", "MT12345678", "MT1234567A"),
    ("eu_vat", "NL123456789B12", "NL123456789B12", "NL123456789C12"),
    ("eu_vat", "PL1234567890", "PL1234567890", "PL123456789A"),
    ("eu_vat", "PT123456789", "PT123456789", "PT12345678A"),
    ("eu_vat", "RO12", "RO1234567890", "RO1A"),
    ("eu_vat", "SE123456789101", "SE123456789101", "SE12345678910A"),
    ("eu_vat", "SI12345678", "SI12345678", "SI1234567A"),
    ("eu_vat", "SK1234567891", "SK1234567891", "SK123456789A"),
    ("eu_vat", "XIGD123", "XI123456789123", "XIGB123"),
    ("ae_trn", "123456789012345", "123456789012345", "12345678901234A"),
    ("ar_cuit", "12345678901", "12345678901", "1234567890A"),
    ("au_abn", "12345678912", "12345678912", "1234567891A"),
    ("au_arn", "123456789123", "123456789123", "12345678912A"),
    ("bg_uic", "123456789", "123456789", "12345678A"),
    ("bh_vat", "123456789012345", "123456789012345", "12345678901234A"),
    ("br_cnpj", "01234456543210", "12ABC34501DE35", "0123445654321A"),
    ("br_cpf", "12345678987", "12345678987", "1234567898A"),
    ("ca_bn", "123456789", "123456789", "12345678A"),
    ("ca_gst_hst", "123456789RT0002", "123456789RT0002", "123456789RC0002"),
    ("ca_qst", "1234567890TQ1234", "1234567890TQ1234", "1234567890TA1234"),
    ("ch_uid", "CHE123456789", "CHE123456789", "CHF123456789"),
    ("ch_vat", "CHE123456789TVA", "CHE123456789MWST", "CHE123456789VAT"),
    ("cl_tin", "1234567K", "12345678K", "12345678L"),
    ("cn_tin", "91350211M000100Y43", "91350211M000100Y43", "91350211O000100Y43"),
    ("co_nit", "123456789", "1234567890", "12345678A"),
    ("ec_ruc", "1234567890001", "1234567890001", "123456789000A"),
    ("eg_tin", "123456789", "123456789", "12345678A"),
    ("es_cif", "A12345678", "12345678Z", "AB2345678"),
    ("eu_oss_vat", "EU123456789", "EU123456789", "EA123456789"),
    ("gb_vat", "GBHA599", "GB123456789123", "GBHB599"),
    ("ge_vat", "123456789", "123456789", "12345678A"),
    ("hk_br", "12345678", "12345678", "1234567A"),
    ("hr_oib", "12345678912", "12345678912", "1234567891A"),
    ("hu_tin", "12345678123", "12345678123", "1234567812A"),
    ("id_npwp", "012345678901200", "0123456789012000", "01234567890120A"),
    ("il_vat", "000012345", "000012345", "00001234A"),
    ("in_gst", "12ABCDE3456FGZH", "12ABCDE3456F1Z5", "12ABCDE34567GZH"),
    ("is_vat", "12345", "123456", "1234A"),
    ("jp_cn", "1234567891234", "1234567891234", "123456789123A"),
    ("jp_trn", "T1234567891234", "T1234567891234", "S1234567891234"),
    ("ke_pin", "P000111111A", "A000111111Z", "B000111111A"),
    ("kr_brn", "1234567890", "1234567890", "123456789A"),
    ("kz_bin", "123456789012", "123456789012", "12345678901A"),
    ("li_uid", "CHE123456789", "CHE123456789", "LIE123456789"),
    ("mx_rfc", "ABC010203AB9", "GODE561231GR8", "AÉC010203AB9"),
    ("no_vat", "123456789MVA", "123456789MVA", "123456789VAT"),
    ("nz_gst", "12345678", "123456789", "1234567A"),
    ("pe_ruc", "12345678901", "12345678901", "1234567890A"),
    ("pl_nip", "1234567890", "1234567890", "123456789A"),
    ("rs_pib", "123456789", "123456789", "12345678A"),
    ("ru_inn", "1234567891", "123456789123", "123456789A"),
    ("sa_vat", "123456789012345", "123456789012345", "12345678901234A"),
    ("sg_gst", "M12345678X", "199012345A", "M1A345678X"),
    ("si_tin", "12345678", "12345678", "1234567A"),
    ("th_vat", "1234567891234", "1234567891234", "123456789123A"),
    ("tr_tin", "1234567890", "1234567890", "123456789A"),
    ("tw_vat", "12345678", "12345678", "1234567A"),
    ("us_ein", "123456789", "123456789", "12345678A"),
    ("uy_ruc", "123456789012", "123456789012", "12345678901A"),
    ("za_vat", "4123456789", "4123456789", "5123456789"),
]
GOOD = [(type_, text) for type_, shortest, longest, _ in CASES for text in (shortest, longest)]
by_case = pytest.mark.parametrize(("type_", "shortest", "longest", "wrong"), CASES)


def refusal_of(type_: str, text: str) -> InvalidField:
    with pytest.raises(InvalidField) as refused:
        normalised(type_, text)
    return refused.value


@by_case
def test_what_has_the_form_of_its_type_stays_as_it_is(type_, shortest, longest, wrong):
    assert normalised(type_, shortest) == shortest
    assert normalised(type_, longest) == longest


@by_case
def test_what_is_too_short_too_long_or_misspelled_is_refused(type_, shortest, longest, wrong):
    refusals = [refusal_of(type_, text) for text in (shortest[:-1], f"{longest}0", wrong, "")]

    assert {refusal.param for refusal in refusals} == {"tax_id"}
    assert {refusal.details["reason"] for refusal in refusals} == {f"has not the form of {type_}"}


def test_every_type_and_every_member_state_has_a_case():
    prefixes = {shortest[:2] for type_, shortest, _, _ in CASES if type_ == "eu_vat"}

    assert {type_ for type_, *_ in CASES} == set(FORMS)
    assert prefixes == set(MEMBER_STATES)
    # The 27 members, and Northern Ireland.
    assert len(prefixes) == 28


@pytest.mark.parametrize(
    ("type_", "text"),
    [
        ("eu_vat", "IE1Z34567T"),
        ("eu_vat", "IE1+34567T"),
        ("eu_vat", "IE1*34567T"),
        ("eu_vat", "ES12345678Z"),
        ("eu_vat", "ESX1234567L"),
        ("eu_vat", "FR1A123456789"),
        ("eu_vat", "XIHA599"),
        ("gb_vat", "GB123456789"),
        ("gb_vat", "GBGD499"),
        ("gb_vat", "GBHA500"),
        ("ch_vat", "CHE123456789IVA"),
        ("ch_vat", "CHE123456789TPV"),
        ("mx_rfc", "A&Ñ010203AB9"),
        ("sg_gst", "MR1234567X"),
    ],
)
def test_a_form_may_have_several_shapes(type_, text):
    assert normalised(type_, text) == text


@pytest.mark.parametrize(
    ("type_", "text"),
    [
        pytest.param("eu_vat", "LT1234567890", id="between nine and twelve digits"),
        pytest.param("ru_inn", "12345678901", id="between ten and twelve digits"),
        pytest.param("gb_vat", "GB1234567890", id="between nine and twelve digits in Britain"),
        pytest.param("gb_vat", "GBGD500", id="a department of the health authorities' range"),
        pytest.param("gb_vat", "GBHA499", id="a health authority of the departments' range"),
        pytest.param("gb_vat", "XI123456789", id="Northern Ireland in Great Britain"),
        pytest.param("gb_vat", "123456789", id="no prefix"),
        pytest.param("eu_vat", "GB123456789", id="Great Britain in the union"),
        pytest.param("eu_vat", "123456789", id="no prefix in the union"),
        pytest.param("eu_vat", "DE", id="a prefix alone"),
        pytest.param("ch_vat", "CHE123456789", id="a Swiss number that says nothing of VAT"),
    ],
)
def test_what_lies_between_two_shapes_is_refused(type_, text):
    assert refusal_of(type_, text).param == "tax_id"


@pytest.mark.parametrize(
    ("type_", "text", "tax_id"),
    [
        ("us_ein", "12-3456789", "123456789"),
        ("ch_vat", "CHE-123.456.789 MWST", "CHE123456789MWST"),
        ("br_cnpj", "01.234.456/5432-10", "01234456543210"),
        ("br_cnpj", "12.abc.345/01de-35", "12ABC34501DE35"),
        ("kr_brn", "123-45-67890", "1234567890"),
        ("cl_tin", "12.345.678-k", "12345678K"),
        ("id_npwp", "01.234.567.8-901.200", "012345678901200"),
        ("no_vat", "123 456 789 mva", "123456789MVA"),
        ("eu_vat", " fr ab 123 456 789 ", "FRAB123456789"),
        ("mx_rfc", "peña-561231-gr8", "PEÑA561231GR8"),
    ],
)
def test_dividing_signs_are_dropped_and_letters_raised(type_, text, tax_id):
    assert normalised(type_, text) == tax_id


@pytest.mark.parametrize(
    ("type_", "text"),
    [
        pytest.param("eu_vat", "DE12345678９", id="a full-width digit"),
        pytest.param("eu_vat", "DE12345678٩", id="an Arabic digit"),
        pytest.param("eu_vat", "EßA1234567Z", id="a sharp s, which is two letters when raised"),
        pytest.param("eu_vat", "ıT12345678912", id="a dotless i, which is an I when raised"),
        pytest.param("cl_tin", "12345678\u212a", id="a Kelvin sign"),
        pytest.param("eu_vat", "DE123456789\n", id="a line feed at the end"),
        pytest.param("eu_vat", "DE123456789\0", id="a NUL at the end"),
        pytest.param("eu_vat", "DE123_456_789", id="a sign that divides nothing"),
    ],
)
def test_signs_that_only_look_alike_are_refused(type_, text):
    assert refusal_of(type_, text).param == "tax_id"


@pytest.mark.parametrize("type_", ["", "EU_VAT", "eu_vat ", "de_vat", "unknown", "eu_vat\n"])
def test_a_type_that_there_is_not_is_refused_by_its_own_name(type_):
    refusal = refusal_of(type_, "DE123456789")

    assert refusal.param == "tax_id_type"
    assert refusal.details == {"reason": "not a type of tax id"}


types = st.sampled_from(sorted(FORMS))


@given(st.data())
def test_whatever_has_the_form_stays_as_it_is(data):
    type_ = data.draw(types)
    text = data.draw(st.from_regex(re.compile(FORMS[type_], re.ASCII), fullmatch=True))

    assert normalised(type_, text) == text


@given(case=st.sampled_from(GOOD), data=st.data())
def test_however_it_is_divided_and_raised_it_is_the_same_tax_id(case, data):
    type_, tax_id = case
    divided = "".join(
        data.draw(st.sampled_from(["", " ", "-", ".", "/", ". "]))
        + data.draw(st.sampled_from([letter, letter.lower()]))
        for letter in tax_id
    )

    assert normalised(type_, divided) == tax_id


@given(type_=types, text=st.text(max_size=20))
def test_no_text_makes_a_tax_id_with_other_signs_than_it_may_have(type_, text):
    tax_id = ""
    with suppress(InvalidField):
        tax_id = normalised(type_, text)

    assert set(tax_id) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZÑ0123456789&+*")
