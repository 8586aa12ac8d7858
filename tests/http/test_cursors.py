"""A cursor is good for the list that gave it out, and for nothing else."""

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.errors import InvalidCursor
from holdfast.http.cursors import decode_cursor, encode_cursor
from tests.http.events import ALICE, event
from tests.http.toy import api

ENTRIES = "/v1/billing/entries"


@given(st.text(), st.text("0123456789abcXYZ -~#", min_size=1, max_size=100))
def test_a_cursor_leads_back_to_its_place(scope, position):
    assert decode_cursor(scope, encode_cursor(scope, position)) == position


@given(st.text(), st.text())
def test_a_cursor_of_another_list_is_refused(scope, other):
    cursor = encode_cursor(scope, "42")

    if scope != other:
        with pytest.raises(InvalidCursor):
            decode_cursor(other, cursor)


@given(st.text() | st.binary().map(lambda raw: base64.urlsafe_b64encode(raw).decode()))
def test_anything_else_is_refused(cursor):
    with pytest.raises(InvalidCursor):
        decode_cursor("entries", cursor)


def packed(value):
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "cursor",
    [
        packed([]),
        packed({}),
        packed(None),
        packed("ab"),
        packed(["ab"]),
        packed([None, "1"]),
        packed([["x"], ["y"]]),
        "x" * 6145,
        "[" * 1000,
        encode_cursor("entries", "42") + "=",
        encode_cursor("entries", "42") + "A",
        encode_cursor("entries", "42") + "\n",
        encode_cursor("entries", "\ud800"),
        encode_cursor("entries", "é"),
        encode_cursor("entries", "a\0b"),
        encode_cursor("entries", ""),
        encode_cursor("entries", "x" * 4097),
    ],
)
def test_a_cursor_is_taken_to_the_letter(cursor):
    with pytest.raises(InvalidCursor):
        decode_cursor("entries", cursor)


def test_a_cursor_of_another_account_is_a_422():
    answer = json.loads(api.handler(event("GET", ENTRIES))["body"])
    bob = {**ALICE, "subject": "user-bob", "user": "acme/bob"}

    used = api.handler(event("GET", ENTRIES, query=f"cursor={answer['next_cursor']}", claims=bob))

    assert used["statusCode"] == 422
    assert json.loads(used["body"])["error"]["code"] == "invalid_cursor"
    assert json.loads(used["body"])["error"]["param"] == "cursor"
