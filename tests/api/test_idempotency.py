"""A request that is delivered again has one effect, and one answer."""

import json
from dataclasses import replace
from typing import Any

import pytest

from tests.api.scene import (
    BRINGS_KEY,
    CHECKOUTS,
    KEPT,
    PEOPLE,
    UNKNOWN,
    opened,
    request,
    scene,
    things_of,
)
from tests.api.world import BOB, DONE, OTHER_ADMIN, TEST_ALICE, Refusal
from tests.http.events import ADMIN, ALICE

REUSED = Refusal(422, "idempotency_key_reused", None, {})
OWN = things_of("root")

CHANGED: dict[str, dict[str, Any]] = {
    "POST /api/v1/billing/deposit": {"amount": 11},
    "POST /api/v1/billing/withdraw": {"user": "acme/bob"},
    "POST /api/v1/billing/usage": {"currency": "eur"},
    "POST /api/v1/billing/refund": {"notes": "sorry"},
    "POST /v1/billing/holds": {"amount": 11},
    "POST /v1/billing/holds/{hold_id}/capture": {"final": False},
    "POST /v1/billing/holds/{hold_id}/extend": {"expires_in_seconds": 60},
    "POST /v1/billing/hardware/quote": {"shots": 11},
    "POST /v1/billing/hardware/hold": {"job_id": "job-other"},
    "POST /v1/billing/hardware/hold/{job_id}/release": {"reason": "failed"},
    "POST /workspaces/{workspace_id}/billing/credits": {"reason": "thanks"},
    "POST /api/v1/billing/customer-balance/adjustments": {"amount": -10},
    "POST /api/agents/v1/wallet/withdraw": {"amount": 11},
    "POST /workspaces": {"name": "other"},
    "POST /workspaces/{workspace_id}/billing/accounts": {"setDefault": True},
    "POST /workspaces/{workspace_id}/billing/accounts/link": {"setDefault": True},
    "POST /api/v1/billing/accounts": {"currency": "eur"},
    "POST /api/v1/billing/accounts/{account_id}/members": {"role": "viewer"},
    "PATCH /api/v1/billing/accounts/{account_id}/members/{member_id}": {"role": "viewer"},
    "PUT /api/agents/v1/billing/info": {"name": None},
    "POST /v1/me/api-keys": {"scopes": ["wallet:read", "admin"]},
    "POST /api/v1/billing/credit-grants": {"priority": 1},
    "POST /api/v1/billing/credit": {"user": "acme/bob"},
    "POST /v1/billing/stripe/setup-intent": {"usage": "on_session"},
    "POST /api/agents/v1/billing/payment-methods": {"make_default": False},
    "POST /api/v1/billing/payment-methods": {"providerRef": "pm_card_jcb"},
    "PATCH /api/v1/billing/payment-methods/{method_id}": {"metadata": {}},
    "POST /api/v1/billing/customers/{customer_id}/default-payment-method": {
        "paymentMethodId": OWN.method_id
    },
    "POST /api/v1/billing/setup-intents": {"usage": "on_session"},
    "POST /api/v1/billing/setup-intents/{setup_id}/confirm": {"paymentMethodId": "pm_card_jcb"},
    "POST /api/v1/billing/setup-intents/{setup_id}/cancel": {"cancellationReason": "duplicate"},
    "POST /v1/billing/coupons": {"amount": 11},
    "PATCH /v1/billing/coupons/{code}": {"active": True},
    "POST /api/agents/v1/wallet/coupons/redeem": {"coupon_code": OWN.coupon_code},
    "POST /api/agents/v1/wallet/fund": {"amount": 11},
    "POST /api/agents/v1/billing/payment-link": {"amount": 11},
    "POST /api/v1/billing/topup": {"amountCents": 1001},
    "POST /api/v1/billing/topup/token": {"sourceId": "pm_card_amex"},
    "POST /workspaces/{workspace_id}/billing/checkout": {"amountCents": 501},
    "POST /v1/billing/stripe/payment-intent": {"confirm": False},
    "POST /v1/billing/stripe/checkout-session": {"currency": "eur"},
    "POST /v1/me/wallet/orders": {"plan_id": "credits-50"},
    "PUT /api/agents/v1/wallet/auto-funding": {"charge_threshold": 11},
    "POST /v1/billing/auto-recharge/test": {"simulate": "card_declined"},
    "POST /api/v1/billing/payment-intents": {"captureMethod": "manual"},
    "POST /api/v1/billing/payment-intents/{intent_id}/confirm": {"paymentMethodId": "balance"},
    "POST /api/v1/billing/payment-intents/{intent_id}/capture": {"amountToCapture": 1},
    "POST /api/v1/billing/payment-intents/{intent_id}/cancel": {"cancellationReason": "sorry"},
    "POST /api/v1/billing/refunds": {"reason": "duplicate"},
}
"""The same request, asking for a little something else. A release of a hold has nothing to ask."""


@pytest.fixture
def ledger():
    return scene()


def _request(operation):
    return request(operation, OWN)


def unmarked(answer):
    """An answer's text without the mark of a replay, which the agents surface has in the body."""
    return answer.text.replace(',"idempotency_replay":true', "")


@pytest.mark.parametrize(
    ("operation", "days"),
    [(each, 0) for each in KEPT] + [(each, 400) for each in KEPT if each not in CHECKOUTS],
)
def test_a_replay_is_the_first_answer_byte_for_byte(ledger, operation, days):
    asked = _request(operation)
    first = asked.sent(ledger, by=ADMIN, key="k1")
    ledger.start_anew()
    ledger.wait(days=days)
    # What time alone does is done.
    ledger.wallet(by=ADMIN)
    mark = ledger.mark()

    again = asked.sent(ledger, by=ADMIN, key="k1")

    assert first.status in DONE
    assert (again.status, unmarked(again)) == (first.status, first.text)
    assert not first.replayed
    assert again.replayed
    assert ledger.written_since(mark) == []


@pytest.mark.parametrize("operation", [each for each in KEPT if each not in BRINGS_KEY])
def test_a_request_without_a_key_is_a_new_one_every_time(ledger, operation):
    answers = [_request(operation).sent(ledger, by=ADMIN) for _ in range(2)]

    assert not any(answer.replayed for answer in answers)


@pytest.mark.parametrize(("operation", "change"), CHANGED.items(), ids=CHANGED)
def test_a_key_is_good_for_one_body(ledger, operation, change):
    asked = _request(operation)
    asked.sent(ledger, by=ADMIN, key="k1")
    mark = ledger.mark()

    other = asked.sent(ledger, by=ADMIN, key="k1", body={**asked.body, **change})

    assert other.refusal == REUSED
    assert ledger.written_since(mark) == []


@pytest.mark.parametrize("first", KEPT)
def test_a_key_is_good_for_one_path(ledger, first):
    _request(first).sent(ledger, by=ADMIN, key="k1")
    mark = ledger.mark()

    for operation in KEPT:
        if operation != first:
            assert _request(operation).sent(ledger, by=ADMIN, key="k1").refusal == REUSED
    assert ledger.written_since(mark) == []


@pytest.mark.parametrize("operation", [each for each in KEPT if "{" in each])
def test_a_key_is_good_for_one_thing(ledger, operation):
    """The same operation on another of the caller's own things is another request."""
    asked = _request(operation)
    asked.sent(ledger, by=ADMIN, key="k1")
    if "job_id" in operation:
        quote = {"quote_id": OWN.quote_id, "job_id": "job-2"}
        ledger.post("/v1/billing/hardware/hold", by=ADMIN, body=quote)
        path = asked.path.replace(OWN.job_id, "job-2")
    elif "workspace_id" in operation:
        path = asked.path.replace(OWN.workspace_id, opened(ledger, by=ADMIN))
    elif "hold_id" in operation:
        path = asked.path.replace(OWN.hold_id, ledger.hold(50, by=ADMIN)["id"])
    else:
        path = request(operation, replace(UNKNOWN, account_id=OWN.linked_id)).path

    other = ledger.ask(asked.method, path, by=ADMIN, body=asked.body, key="k1")

    assert other.refusal == REUSED


@pytest.mark.parametrize("operation", KEPT)
def test_a_used_key_is_told_before_whatever_else_is_wrong(ledger, operation):
    """Order of precedence: shape, replay, existence and ownership, state, limits, money."""
    ledger.hold(1, by=ADMIN)
    ledger.ask("POST", "/v1/billing/holds", by=ADMIN, body={"amount": 1}, key="k1")
    unknown = request(operation, UNKNOWN)
    body = dict(unknown.body)
    if "device" in body:
        body["device"] = "nobodys"
    for name in {"user", "userId", "customerId"} & set(body):
        body[name] = UNKNOWN.account_id
    if operation == "POST /v1/billing/holds":
        body["amount"] = 10**9

    assert unknown.sent(ledger, by=ADMIN, key="k1", body=body).refusal == REUSED


def reordered(body):
    """The same object, written by somebody else: keys turned round, spread out and escaped."""
    backwards = dict(reversed(body.items()))
    return "\n " + json.dumps(backwards, indent=3).replace('"user"', r'"\u0075ser"') + "\t"


@pytest.mark.parametrize("operation", KEPT)
def test_neither_the_order_of_keys_nor_white_space_makes_another_request(ledger, operation):
    asked = _request(operation)
    first = asked.sent(ledger, by=ADMIN, key="k1")

    again = asked.sent(ledger, by=ADMIN, key="k1", body=reordered(asked.body))

    assert (again.status, unmarked(again), again.replayed) == (first.status, first.text, True)


@pytest.mark.parametrize("operation", KEPT)
@pytest.mark.parametrize(
    ("key", "is_good"),
    [("k", True), ("!~" * 127 + "x", True), ("x" * 256, False), ("", False), (" ", False),
     ("a b", False), ("k\n", False), ("k\0", False), ("ключ", False), ("k\x7f", False)],
    ids=["one", "255", "256", "none", "a space", "a space within", "a line", "nul", "no ascii",
         "delete"],
)  # fmt: skip
def test_a_key_is_up_to_255_visible_ascii_characters(ledger, operation, key, is_good):
    mark = ledger.mark()

    answer = _request(operation).sent(ledger, by=ADMIN, key=key)

    if is_good:
        assert answer.status in DONE
        return
    assert answer.refusal == (422, "idempotency_key_invalid", None, {})
    assert ledger.written_since(mark) == []


def test_a_header_is_read_however_it_is_spelled(ledger):
    for name in ("Idempotency-Key", "IDEMPOTENCY-KEY", "idempotency-key"):
        answer = _request(KEPT[0]).sent(ledger, by=ADMIN, headers={name: "k1"})

    assert answer.replayed


# --- A refusal does not use a key up --------------------------------------------------------------


def test_a_hold_that_was_too_large_can_be_placed_with_the_same_key_once_there_is_money(world):
    world.wallet()
    asked: dict[str, Any] = {"body": {"amount": 1500}, "key": "k1"}
    assert world.refused("POST", "/v1/billing/holds", **asked).status == 402

    world.deposit(500)

    answer = world.ask("POST", "/v1/billing/holds", **asked)
    assert (answer.status, answer.replayed) == (201, False)


def test_a_body_that_was_wrong_can_be_sent_right_with_the_same_key(world):
    wrong = {"user": "acme/alice", "amount": 0}
    refusal = world.refused("POST", "/api/v1/billing/deposit", by=ADMIN, body=wrong, key="k1")
    assert refusal.status == 422

    right = world.ask(
        "POST", "/api/v1/billing/deposit", by=ADMIN, body={**wrong, "amount": 1}, key="k1"
    )
    assert right.status == 201


def test_what_was_unknown_forbidden_or_in_the_wrong_state_can_be_asked_again(world):
    hold = world.hold(100)["id"]
    tried: list[tuple[str, dict[str, Any], int]] = [
        ("/v1/billing/holds/" + UNKNOWN.hold_id + "/release", {"body": {}}, 404),
        ("/api/v1/billing/deposit", {"body": {"user": "bob", "amount": 1}}, 403),
        (f"/v1/billing/holds/{hold}/capture", {"body": {"amount": 101}}, 422),
        ("/v1/billing/nowhere", {"body": {}}, 404),
    ]
    for path, asked, status in tried:
        assert world.refused("POST", path, key="k1", **asked).status == status

    assert world.ask("POST", f"/v1/billing/holds/{hold}/release", key="k1").status == 200


# --- Whose key ------------------------------------------------------------------------------------


@pytest.mark.parametrize("other", [BOB, ADMIN, TEST_ALICE, OTHER_ADMIN], ids=lambda by: by["user"])
def test_the_same_key_of_another_caller_is_another_request(world, other):
    body = {"amount": 100}
    mine = world.ask("POST", "/v1/billing/holds", by=ALICE, body=body, key="k1")

    theirs = world.ask("POST", "/v1/billing/holds", by=other, body=body, key="k1")

    assert (mine.status, theirs.status, theirs.replayed) == (201, 201, False)
    assert mine.body["id"] != theirs.body["id"]
    assert world.cents(by=other) == (1000, 100)


def test_the_same_subject_in_another_org_is_another_caller(world):
    twin = {**ALICE, "org": "globex", "user": "globex/alice"}
    body = {"amount": 100}

    answers = [
        world.ask("POST", "/v1/billing/holds", by=by, body=body, key="k1") for by in (ALICE, twin)
    ]

    assert [answer.replayed for answer in answers] == [False, False]


def test_two_admins_may_use_one_key_for_one_user(world):
    second = {**ADMIN, "subject": "user-second", "user": "acme/second"}
    body = {"user": "acme/alice", "amount": 100}

    for by in (ADMIN, second):
        world.post("/api/v1/billing/deposit", by=by, body=body, key="k1")

    assert world.cents() == (1200, 0)


# --- Keys in the body -----------------------------------------------------------------------------

IN_BODY = {
    "POST /api/v1/billing/usage": "requestId",
    "POST /v1/billing/hardware/quote": "idempotency_key",
    "POST /v1/billing/hardware/hold": "idempotency_key",
    "POST /v1/billing/hardware/hold/{job_id}/release": "idempotency_key",
    "POST /workspaces/{workspace_id}/billing/credits": "idempotencyKey",
    "POST /v1/me/wallet/orders": "idempotency_key",
}


@pytest.mark.parametrize(("operation", "name"), IN_BODY.items(), ids=IN_BODY)
def test_a_body_may_bring_the_key(ledger, operation, name):
    asked = _request(operation)
    body = {**asked.body, name: "k1"}
    first = asked.sent(ledger, by=ADMIN, body=body)
    mark = ledger.mark()
    ledger.wait(seconds=1)

    again = asked.sent(ledger, by=ADMIN, body=body)
    other = asked.sent(ledger, by=ADMIN, body={**body, **CHANGED[operation]})

    assert (again.status, again.text, again.replayed) == (first.status, first.text, True)
    assert other.refusal == REUSED
    assert ledger.written_since(mark) == []


@pytest.mark.parametrize(("operation", "name"), IN_BODY.items(), ids=IN_BODY)
@pytest.mark.parametrize("key", ["", "x" * 256, "a b", "ü", "k\n"])
def test_a_key_in_the_body_has_the_form_of_one(ledger, operation, name, key):
    asked = _request(operation)
    mark = ledger.mark()

    answer = asked.sent(ledger, by=ADMIN, body={**asked.body, name: key})

    assert answer.refusal[:2] == (422, "idempotency_key_invalid")
    assert ledger.written_since(mark) == []


def test_a_key_in_the_body_is_one_with_the_same_key_in_the_header(ledger):
    asked = _request("POST /api/v1/billing/usage")
    body = {**asked.body, "requestId": "k1"}
    first = asked.sent(ledger, by=ADMIN, body=body)

    again = asked.sent(ledger, by=ADMIN, body=body, key="k1")

    assert (again.text, again.replayed) == (first.text, True)


def test_the_header_goes_before_the_body(ledger):
    asked = _request("POST /api/v1/billing/usage")
    body = {**asked.body, "requestId": "same"}

    answers = [asked.sent(ledger, by=ADMIN, body=body, key=key) for key in ("k1", "k2", "k1")]

    assert [answer.replayed for answer in answers] == [False, False, True]
    other = asked.sent(ledger, by=ADMIN, body={**body, "requestId": "other"}, key="k1")
    assert other.refusal == REUSED


def test_a_read_asks_for_no_key(ledger):
    path = "/v1/billing/wallet"
    _request(KEPT[0]).sent(ledger, by=ADMIN, key="k1")

    answers = [ledger.ask("GET", path, by=PEOPLE["root"], key=key) for key in ("k1", "", "x" * 300)]

    assert [(answer.status, answer.replayed) for answer in answers] == [(200, False)] * 3
