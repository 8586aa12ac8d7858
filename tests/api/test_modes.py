"""Live and test, and one org and the next: nothing of the one is ever there in the other."""

import pytest

from tests.api.scene import PUBLIC, READS, WRITES, request, scene, things_of
from tests.api.world import OTHER_ADMIN, TEST_ADMIN, TEST_ALICE, ZOE, account_of
from tests.http.events import ADMIN, ALICE

LISTS = [
    "/v1/billing/entries",
    "/v1/billing/holds",
    "/v1/billing/jobs",
]


@pytest.mark.parametrize("other", [TEST_ALICE, ZOE], ids=["test mode", "another org"])
def test_money_put_in_here_is_not_there(world, other):
    world.deposit(2500)
    world.hold(700)

    assert world.cents() == (3500, 700)
    assert world.cents(by=other) == (1000, 0)
    for path in LISTS[1:]:
        assert world.get(path, by=other)["data"] == []


def test_the_same_user_has_another_account_in_test_mode():
    accounts = {
        account_of(claims) for claims in (ALICE, TEST_ALICE, ZOE, {**ALICE, "org": "globex"})
    }

    assert len(accounts) == 4


def test_an_admin_in_test_mode_moves_test_money_alone(world):
    body = {"user": "acme/alice", "amount": 2500}

    world.post("/api/v1/billing/deposit", by=TEST_ADMIN, body=body)

    assert world.cents() == (1000, 0)
    assert world.cents(by=TEST_ALICE) == (3500, 0)
    balance = world.get("/api/v1/billing/balance", by=ADMIN, query={"user": "acme/alice"})
    assert balance["balance"] == 0


FOR_ADMINS = (
    "POST /workspaces/{workspace_id}/billing/credits",
    "POST /api/v1/billing/credit-grants/{grant_id}/void",
    "GET /api/v1/billing/setup-intents/{setup_id}",
    "POST /api/v1/billing/setup-intents/{setup_id}/confirm",
    "POST /api/v1/billing/setup-intents/{setup_id}/cancel",
    "GET /api/v1/billing/payment-intents/{intent_id}",
    "POST /api/v1/billing/payment-intents/{intent_id}/confirm",
    "POST /api/v1/billing/payment-intents/{intent_id}/capture",
    "POST /api/v1/billing/payment-intents/{intent_id}/cancel",
    "GET /api/v1/billing/refunds/{refund_id}",
)
ABOUT_ONE = [
    each
    for each in (*READS, *WRITES)
    if ("_id}" in each or each.endswith("hardware/hold")) and each not in (*FOR_ADMINS, *PUBLIC)
]


@pytest.mark.parametrize("operation", ABOUT_ONE)
@pytest.mark.parametrize(("name", "by"), [("alice", TEST_ALICE), ("twin", ALICE)])
def test_the_ids_of_one_mode_are_unknown_in_the_other(operation, name, by):
    world = scene()
    mark = world.mark()
    theirs, nobodys = things_of(name), things_of("zoe")

    answers = [request(operation, things).sent(world, by=by) for things in (theirs, nobodys)]

    assert answers[0].refusal.status == 404
    assert answers[0].text == answers[1].text
    assert world.written_since(mark) == []


@pytest.mark.parametrize("by", [TEST_ADMIN, OTHER_ADMIN], ids=["test mode", "another org"])
def test_an_account_id_of_another_tenant_names_nobody(world, by):
    world.deposit(2500)

    for operation in ("balance", "balance/all", "usage", "transactions"):
        query = {"user": account_of(ALICE)}
        refusal = world.ask("GET", f"/api/v1/billing/{operation}", by=by, query=query).refusal
        assert refusal == (404, "account_not_found", None, {})
    body = {"user": account_of(ALICE), "amount": 1}
    for operation in ("deposit", "withdraw", "usage"):
        refusal = world.ask("POST", f"/api/v1/billing/{operation}", by=by, body=body).refusal
        assert refusal == (404, "account_not_found", None, {})


def test_a_key_used_in_one_mode_is_new_in_the_other(world):
    body = {"user": "acme/alice", "amount": 2500}

    for by in (ADMIN, TEST_ADMIN):
        answer = world.ask("POST", "/api/v1/billing/deposit", by=by, body=body, key="k1")
        assert (answer.status, answer.replayed) == (201, False)


def test_no_item_of_one_tenant_names_another(world):
    for claims in (ALICE, TEST_ALICE, ZOE):
        world.hold(1, by=claims)

    for item in world.items():
        segments = {
            segment
            for segment in ("acme/live", "acme/test", "globex/live")
            if any(segment in value.get("S", "") for value in item.values())
        }
        assert len(segments) == 1, item
