"""Credit for a workspace: `POST /workspaces/{id}/billing/credits`."""

import pytest

from tests.api.keyed import keyed
from tests.api.scene import UNKNOWN
from tests.api.workspaces.spending import further_account, invited, linked, opened
from tests.api.world import ENTRY_ID, NOON_TEXT, OTHER_ADMIN, TEST_ADMIN, Like, account_of
from tests.http.events import ADMIN, ALICE

MINE = account_of(ALICE)
GRANT_ID = Like(r"grant_[0-9a-z]{36}_[a-z]{3}")
SORRY = {"amountCents": 500, "reason": "sorry for\nthe trouble"}


def path_of(workspace):
    return f"/workspaces/{workspace}/billing/credits"


def add(world, workspace, *, by=ADMIN, key=None, **body):
    return world.ask("POST", path_of(workspace), by=by, body={**SORRY, **body}, key=key)


def refused(world, workspace, *, by=ADMIN, **body):
    return world.refused("POST", path_of(workspace), by=by, body={**SORRY, **body})


def test_credit_goes_to_the_workspaces_default_account(world):
    workspace = opened(world, by=ALICE)
    world.hold(300)

    answer = add(world, workspace)

    assert answer.status == 201
    assert answer.body == {
        "transaction": {
            "id": ENTRY_ID,
            "billingAccountId": MINE,
            "workspaceId": workspace,
            "type": "credit",
            "source": "credits",
            "amountCents": 500,
            "balanceAfterCents": 1500,
            "currency": "usd",
            "description": "sorry for\nthe trouble",
            "reference": GRANT_ID,
            "createdAt": NOON_TEXT,
        },
        "billingAccountId": MINE,
        "workspaceId": workspace,
        "balanceCents": 1500,
        "heldCents": 300,
        "availableCents": 1200,
        "currency": "usd",
    }
    assert world.cents() == (1500, 300)


def test_what_was_added_is_credit_and_no_cash(world):
    add(world, opened(world, by=ALICE))

    query = {"user": "acme/alice"}
    assert world.get("/api/v1/billing/balance", by=ADMIN, query=query)["balance"] == 0
    assert (
        world.refused("POST", "/api/v1/billing/withdraw", body={"user": "alice", "amount": 1}).code
        == "insufficient_funds"
    )


def test_credit_is_in_the_accounts_own_currency_unless_another_is_named(world):
    workspace = opened(world, by=ALICE)
    euros = further_account(world, by=ALICE, currency="eur")
    linked(world, workspace, euros, by=ALICE, default=True)

    own = add(world, workspace).body
    other = add(world, workspace, currency="JPY").body

    assert (own["billingAccountId"], own["currency"], own["balanceCents"]) == (euros, "eur", 500)
    assert (other["billingAccountId"], other["currency"]) == (euros, "jpy")
    assert other["balanceCents"] == 500
    assert world.cents() == (1000, 0)


@pytest.mark.parametrize("by", [ALICE, {**ALICE, "roles": '["reseller","member"]'}])
def test_nobody_but_an_admin_prints_money(world, by):
    workspace = opened(world, by=ALICE)

    assert refused(world, workspace, by=by) == (403, "forbidden", None, {})


def test_a_manager_of_the_account_is_no_admin_of_the_org(world):
    workspace = opened(world, by=ALICE)
    manager = {**ALICE, "subject": "user-bob", "user": "acme/bob"}
    invited(world, MINE, by=ALICE, user="acme/bob", role="admin")

    assert refused(world, workspace, by=manager) == (403, "forbidden", None, {})


@pytest.mark.parametrize("by", [OTHER_ADMIN, TEST_ADMIN], ids=["another org", "test mode"])
def test_a_workspace_elsewhere_is_as_unknown_as_none(world, by):
    workspace = opened(world, by=ALICE)

    for one in (workspace, UNKNOWN.workspace_id, "x"):
        assert refused(world, one, by=by) == (404, "workspace_not_found", None, {})


# --- Deliveries -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["header", "body"])
def test_a_second_delivery_adds_nothing_and_is_answered_the_same(world, name):
    workspace = opened(world, by=ALICE)
    asked = {"key": "k1"} if name == "header" else {"idempotencyKey": "k1"}
    first = add(world, workspace, **asked)
    world.use(100)
    world.start_anew()
    mark = world.mark()

    again = add(world, workspace, **asked)

    assert (again.status, again.text, again.replayed) == (201, first.text, True)
    assert world.written_since(mark) == []


def test_a_second_delivery_goes_where_the_first_one_went(world):
    workspace = opened(world, by=ALICE)
    first = add(world, workspace, key="k1")
    more = further_account(world, by=ALICE)
    linked(world, workspace, more, by=ALICE, default=True)
    world.start_anew()

    again = add(world, workspace, key="k1")

    assert (again.text, again.replayed) == (first.text, True)
    assert world.get(f"/billing-accounts/{more}/balance")["balanceCents"] == 0
    assert add(world, workspace, key="k2").body["billingAccountId"] == more


def test_a_key_is_good_for_one_workspace(world):
    first, second = (opened(world, by=ALICE) for _ in range(2))
    add(world, first, key="k1")
    mark = world.mark()

    other = add(world, second, key="k1")

    assert other.refusal == (422, "idempotency_key_reused", None, {})
    assert world.written_since(mark) == []


# --- Shape and limits -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"amountCents": 0}, "amountCents"),
        ({"amountCents": -1}, "amountCents"),
        ({"amountCents": "500"}, "amountCents"),
        ({"reason": ""}, "reason"),
        ({"reason": None}, "reason"),
        ({"reason": "x" * 501}, "reason"),
        ({"reason": "a\0b"}, "reason"),
        ({"currency": "xau"}, "currency"),
    ],
)
def test_what_is_not_well_described_is_refused_by_name(world, body, param):
    refusal = refused(world, opened(world, by=ALICE), **body)

    assert refusal[:3] == (422, "invalid_field", param)


@pytest.mark.parametrize("field", ["amountCents", "reason"])
def test_an_amount_and_a_reason_have_to_be_given(world, field):
    body = {name: value for name, value in SORRY.items() if name != field}

    refusal = world.refused("POST", path_of(opened(world, by=ALICE)), by=ADMIN, body=body)

    assert refusal[:3] == (422, "invalid_field", field)


def test_a_reason_may_be_as_long_as_a_note(world):
    assert add(world, opened(world, by=ALICE), reason="x" * 500).status == 201


@pytest.mark.parametrize(("currency", "most"), [("usd", 10**11), ("jpy", 10**9), ("kwd", 10**12)])
def test_no_more_is_given_at_once_than_an_operation_moves(world, currency, most):
    workspace = opened(world, by=ALICE)

    refusal = refused(world, workspace, amountCents=most + 1, currency=currency)

    assert refusal == (422, "amount_too_large", "amountCents", {})
    assert add(world, workspace, amountCents=most, currency=currency).status == 201


def test_an_admins_key_gives_what_its_cap_does_not_count(world):
    workspace = opened(world, by=ALICE)

    answer = add(world, workspace, by=keyed(ADMIN, "wallet:write", "admin", cap=1))

    assert answer.status == 201
