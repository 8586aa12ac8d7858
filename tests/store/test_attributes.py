import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.store.attributes import decode, encode

TEXT = st.text(st.characters(codec="utf-8"))
SCALARS = st.none() | st.booleans() | st.integers(-(10**37), 10**37) | TEXT
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(TEXT.filter(bool), inner, max_size=3)
    ),
    max_leaves=8,
)
NAMES = st.text(st.characters(codec="ascii", categories=["Ll"]), min_size=1)


@pytest.mark.parametrize(
    ("value", "attribute"),
    [
        ("x", {"S": "x"}),
        ("", {"S": ""}),
        (0, {"N": "0"}),
        (-17, {"N": "-17"}),
        (10**37, {"N": "1" + "0" * 37}),
        (True, {"BOOL": True}),
        (False, {"BOOL": False}),
        ([1, "a", None], {"L": [{"N": "1"}, {"S": "a"}, {"NULL": True}]}),
        ((1, 2), {"L": [{"N": "1"}, {"N": "2"}]}),
        ({"a": {"b": True}}, {"M": {"a": {"M": {"b": {"BOOL": True}}}}}),
        ({}, {"M": {}}),
        ([], {"L": []}),
    ],
)
def test_a_plain_value_is_an_attribute(value, attribute):
    assert encode({"name": value}) == {"name": attribute}


def test_what_is_not_there_is_not_stored():
    assert encode({"there": 1, "absent": None}) == {"there": {"N": "1"}}


@given(values=st.dictionaries(NAMES, VALUES, max_size=4))
def test_values_come_back_as_they_went_in(values):
    there = {name: value for name, value in values.items() if value is not None}

    assert decode(encode(values)) == there


@given(values=st.dictionaries(NAMES, VALUES, max_size=4))
def test_a_flag_stays_a_flag_and_a_number_a_number(values):
    decoded = decode(encode(values))

    # 1 == True in Python, not in a ledger.
    assert repr(decoded) == repr({name: v for name, v in values.items() if v is not None})


@pytest.mark.parametrize("attribute", [{"B": b"x"}, {"SS": ["a"]}, {"NS": ["1"]}])
def test_an_attribute_that_we_never_write_is_our_mistake(attribute):
    with pytest.raises(TypeError):
        decode({"name": attribute})


def test_a_number_that_is_not_whole_is_no_number_of_ours():
    with pytest.raises(ValueError, match="invalid literal"):
        decode({"name": {"N": "1.5"}})
