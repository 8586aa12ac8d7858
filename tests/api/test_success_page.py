"""The page on which whoever has paid lands: for everybody, and in no words but ours."""

import re
from base64 import b64encode
from hashlib import sha256

import pytest

from funding.success import POLICY
from tests.http.events import ALICE, event

PATH = "/checkout/success"
SESSION_ID = "cs_test_a1B2c3D4e5F6g7H8i9J0"
NOT_ONES = [
    "",
    "session_id=",
    "session_id=x",
    "session_id=pi_1",
    "session_id=cs_",
    "session_id=cs_test_a%20b",
    "session_id=cs_test_%3Cscript%3Ealert(1)%3C%2Fscript%3E",
    "session_id=%22%3E%3Cimg%20src=x%20onerror=alert(1)%3E",
    "session_id=cs_test_a%22%20autofocus%20onfocus=%22alert(1)",
    "session_id=call+0800+123456+to+pay",
    "session_id=cs_test_a%0A",
    "session_id=%00",
    "session_id=%FF",
    "session_id=cs_test_%C3%A9",
    "session_id=cs_a&session_id=cs_b",
    "session_id[]=cs_a",
    "Session_id=cs_a",
    "session_id=cs_" + "a" * 253,
    "session_id=cs_" + "a" * 100_000,
    "&".join(["a=1"] * 65),
    "\ud800",
    "outcome=paid",
]


def page(world, query="", *, method="GET", by=None, **more):
    asked = {**event(method, PATH, query=query, claims=by), **more}
    return world.deliver(asked, to="funding")


def hash_of(text):
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"


def test_whoever_has_paid_sees_the_id_of_the_session(world):
    answer = page(world, f"session_id={SESSION_ID}")

    assert answer.status == 200
    assert f'readonly spellcheck="false" autocomplete="off" value="{SESSION_ID}"' in answer.text
    assert answer.text.count(SESSION_ID) == 1
    assert '<meta name="viewport" content="width=device-width, initial-scale=1">' in answer.text


@pytest.mark.parametrize("length", [251, 252])
def test_a_long_id_is_shown_whole(world, length):
    session_id = "cs_" + "a" * length

    assert f'value="{session_id}"' in page(world, f"session_id={session_id}").text


@pytest.mark.parametrize("query", NOT_ONES, ids=range(len(NOT_ONES)))
def test_what_is_no_session_is_not_repeated_and_the_page_stays_calm(world, query):
    answer = page(world, query)

    assert answer.status == 400
    assert answer.text == page(world).text
    assert "No session id here" in answer.text
    assert "<script" not in answer.text


def test_whoever_turned_back_is_told_that_nothing_was_paid(world):
    answer = page(world, "outcome=canceled")

    assert answer.status == 200
    assert "Nothing was paid" in answer.text
    assert "<script" not in answer.text


@pytest.mark.parametrize("query", ["", f"session_id={SESSION_ID}", "outcome=canceled"])
def test_nothing_is_loaded_run_framed_or_told_that_is_not_the_pages_own(world, query):
    answer = page(world, query)

    headers = answer.headers
    assert headers["Content-Type"] == "text/html; charset=utf-8"
    assert headers["Content-Security-Policy"] == POLICY
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cache-Control"] == "private, no-store"
    for name in ("default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'"):
        assert name in POLICY
    for name in ("unsafe", "http", "*", "'self'"):
        assert name not in POLICY
    # Whatever stands in the page is what the policy names, and there are no other ways in.
    for tag in ("script", "style"):
        for text in re.findall(f"<{tag}>(.*?)</{tag}>", answer.text, re.DOTALL):
            assert hash_of(text) in POLICY
    assert not re.search(r"""\s(src|href|style|on\w+|action)\s*=""", answer.text)
    assert "://" not in answer.text


def test_everybody_may_read_it_and_nobody_is_asked_who_they_are(world):
    query = f"session_id={SESSION_ID}"
    told = {(answer.status, answer.text) for answer in (
        page(world, query),
        page(world, query, by=ALICE),
        page(world, query, by={"denied": "expired_token"}),
    )}  # fmt: skip

    assert len(told) == 1
    assert world.items() == []


def test_a_head_is_the_same_without_the_page(world):
    query = f"session_id={SESSION_ID}"

    answer = page(world, query, method="HEAD")

    assert (answer.status, answer.text) == (200, "")
    assert answer.headers == page(world, query).headers


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "", "TRACE"])
def test_nothing_can_be_sent_to_it(world, method):
    answer = page(world, f"session_id={SESSION_ID}", method=method, body="[")

    assert (answer.status, answer.headers["Allow"]) == (405, "GET, HEAD")
    assert SESSION_ID not in answer.text


@pytest.mark.parametrize("path", [f"{PATH}/", "/checkout", f"{PATH}/x", "/checkout//success"])
def test_other_paths_are_other_paths(world, path):
    answer = world.deliver(event("GET", path, claims=ALICE), to="funding")

    assert answer.refusal[:2] == (404, "route_not_found")


@pytest.mark.parametrize("query", [None, 5, ["session_id=cs_a"], {"session_id": "cs_a"}])
def test_an_event_of_any_shape_is_answered_with_a_page(world, query):
    answer = page(world, rawQueryString=query)

    assert (answer.status, answer.text) == (400, page(world).text)
