"""The key and the fingerprint of a write."""

import json

import pytest

from tests.http.events import ADMIN, ALICE, event
from tests.http.toy import api

HOLDS = "/v1/billing/holds"
USAGE = "/api/v1/billing/usage"


def place(body, *, key="k1", method="POST", path=HOLDS, **named):
    headers = {} if key is None else {"idempotency-key": key}
    answer = api.handler(event(method, path, body=body, headers=headers, **named))
    return answer["statusCode"], json.loads(answer["body"])


def fingerprint(body, **named):
    return place(body, **named)[1]["fingerprint"]


def use(body, headers=None):
    answer = api.handler(event("POST", USAGE, body={"amount": 5, **body}, headers=headers))
    return answer["statusCode"], json.loads(answer["body"])


def test_the_same_key_of_the_same_caller_is_the_same_write():
    assert place({"amount": 5})[1] == place({"amount": 5})[1]


@pytest.mark.parametrize(
    "claims",
    [
        {**ALICE, "subject": "user-bob", "user": "acme/bob"},
        {**ALICE, "mode": "test"},
        {**ALICE, "org": "other", "user": "other/alice"},
        ADMIN,
    ],
)
def test_the_same_key_of_another_caller_is_another_write(claims):
    assert place({"amount": 5})[1]["id"] != place({"amount": 5}, claims=claims)[1]["id"]


def test_without_a_key_every_write_is_another():
    assert place({"amount": 5}, key=None)[1]["id"] != place({"amount": 5}, key=None)[1]["id"]


@pytest.mark.parametrize("key", ["k", "!", "~", "a,b", "x" * 255, "%20", "🔑".encode().hex()])
def test_a_key_has_1_to_255_visible_characters(key):
    assert place({"amount": 5}, key=key)[0] == 201


@pytest.mark.parametrize("key", ["", " ", "a b", "a\tb", "x" * 256, "é", "\x7f", "a\0b", "\ud800"])
def test_another_key_is_refused(key):
    status, answer = place({"amount": 5}, key=key)

    assert (status, answer["error"]["code"]) == (422, "idempotency_key_invalid")


@pytest.mark.parametrize(
    "written",
    [
        '{"amount":5,"reference":"a","metadata":{"x":"1","y":"2"}}',
        '{"reference":"a","metadata":{"y":"2","x":"1"},"amount":5}',
        ' {\n"amount" : 5 , "reference":"\\u0061", "metadata":{"x":"1","y":"2"} }\t',
    ],
)
def test_order_and_white_space_do_not_make_another_request(written):
    same = {"amount": 5, "reference": "a", "metadata": {"x": "1", "y": "2"}}

    assert fingerprint(written) == fingerprint(same)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"amount": 5}, {"amount": 6}),
        ({"amount": 5}, {"amount": 5, "reference": "a"}),
        ({"amount": 5}, {"amount_decimal": "5"}),
        ({"amount": 5, "reference": None}, {"amount": 5}),
        ({"amount": 5, "reference": "a"}, {"amount": 5, "reference": "A"}),
    ],
)
def test_another_body_makes_another_request(one, other):
    assert fingerprint(one) != fingerprint(other)


def test_method_and_path_belong_to_the_request():
    asked = [
        fingerprint({"amount": 5}),
        fingerprint({"amount": 5}, method="PUT"),
        fingerprint({"amount": 5}, method="PUT", path=f"{HOLDS}/h1"),
        fingerprint({"amount": 5}, method="PUT", path=f"{HOLDS}/h2"),
    ]

    assert len(set(asked)) == 4


def test_the_query_belongs_to_the_request_in_any_order():
    plain = fingerprint({"amount": 5})
    asked = fingerprint({"amount": 5}, query="a=1&b=2")

    assert plain != asked
    assert fingerprint({"amount": 5}, query="b=2&a=1") == asked
    assert fingerprint({"amount": 5}, query="a=1&b=3") != asked


def test_a_key_does_not_belong_to_the_request():
    assert fingerprint({"amount": 5}, key="k1") == fingerprint({"amount": 5}, key="k2")


def test_a_key_in_the_body_counts_when_the_header_has_none():
    once = use({"requestId": "r1"})[1]["transactionId"]

    assert use({"requestId": "r1"})[1]["transactionId"] == once
    assert use({"requestId": "r2"})[1]["transactionId"] != once
    assert use({"requestId": "r2"}, {"idempotency-key": "r1"})[1]["transactionId"] == once
    assert use({})[1]["transactionId"] != use({})[1]["transactionId"]


def test_a_bad_key_in_the_body_is_refused_too():
    status, answer = use({"requestId": "a b"})

    assert (status, answer["error"]["code"]) == (422, "idempotency_key_invalid")


def test_a_replay_says_so_and_is_the_first_answer_to_the_byte():
    sent = event("POST", HOLDS, body={"amount": 5}, headers={"idempotency-key": "seen"})

    first, second = api.handler(sent), api.handler(sent)

    assert second["headers"]["Idempotent-Replayed"] == "true"
    assert first["body"] == second["body"]


def test_a_first_answer_does_not_say_replayed():
    sent = event("POST", HOLDS, body={"amount": 5}, headers={"idempotency-key": "k1"})

    assert "Idempotent-Replayed" not in api.handler(sent)["headers"]


@pytest.mark.parametrize(("key", "meta"), [("seen", {"idempotency_replay": True}), ("k1", {})])
def test_agents_find_the_replay_in_the_envelope(key, meta):
    path = "/api/agents/v1/wallet/fund"
    sent = event("POST", path, body={"amount": 5}, headers={"Idempotency-Key": key})

    assert json.loads(api.handler(sent)["body"])["meta"] == {
        "request_id": "JKJaXmPLvHcESHA=",
        **meta,
    }
