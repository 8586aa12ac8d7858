from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.domain.accounts import Tenant
from tests.domain.samples import once

ASKED = once("order-17")
VISIBLE = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=8)


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(replace(ASKED, key="order-18"), id="another key"),
        pytest.param(replace(ASKED, caller="bob"), id="another caller"),
        pytest.param(replace(ASKED, tenant=Tenant("acme", "test")), id="the other mode"),
        pytest.param(replace(ASKED, tenant=Tenant("acme2", "live")), id="another org"),
        pytest.param(replace(ASKED, caller="aliceorder", key="-17"), id="joined alike"),
    ],
)
def test_another_request_has_another_digest(other):
    assert other.digest != ASKED.digest
    assert other.entry_id != ASKED.entry_id


@pytest.mark.parametrize(
    "again",
    [
        pytest.param(replace(ASKED, now=ASKED.now + timedelta(days=400)), id="a year later"),
        pytest.param(replace(ASKED, fingerprint="0" * 64), id="with another body"),
    ],
)
def test_the_same_key_of_the_same_caller_is_the_same_request(again):
    assert again.digest == ASKED.digest
    assert again.entry_id == ASKED.entry_id


def test_what_a_request_makes_is_named_by_its_digest():
    assert ASKED.entry_id == f"ent_{ASKED.digest}"
    assert len(ASKED.digest) == 26


@given(one=st.tuples(VISIBLE, VISIBLE), other=st.tuples(VISIBLE, VISIBLE))
def test_two_requests_meet_only_if_caller_and_key_are_the_same(one, other):
    first, second = (replace(ASKED, caller=caller, key=key) for caller, key in (one, other))

    assert (first.digest == second.digest) == (one == other)
