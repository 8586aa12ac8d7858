"""What changed a balance: `transactions` of a billing account, and of a workspace."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.audit import audit_items
from tests.api.scene import UNKNOWN
from tests.api.workspaces.spending import further_account, invited, linked, opened, spent_for
from tests.api.world import (
    BOB,
    CURSOR,
    ENTRY_ID,
    NOON_TEXT,
    OTHER_ADMIN,
    TEST_ALICE,
    World,
    account_of,
)
from tests.http.events import ADMIN, ALICE

MINE = account_of(ALICE)


def of_account(world, account=MINE, *, by=ALICE, **query):
    return world.get(f"/billing-accounts/{account}/transactions", by=by, query=query)


def of_workspace(world, workspace, *, by=ALICE, **query):
    return world.get(f"/workspaces/{workspace}/billing/transactions", by=by, query=query)


def amounts(listed):
    signs = {"credit": 1, "debit": -1}
    return [signs[each["type"]] * each["amountCents"] for each in listed["data"]]


def give(world, workspace, amount, **body):
    body = {"amountCents": amount, "reason": "sorry", **body}
    return world.post(f"/workspaces/{workspace}/billing/credits", by=ADMIN, body=body)


def test_a_transaction_says_all_there_is_of_it(world):
    deposit = world.deposit(2500, notes="thanks")["transactionId"]

    assert of_account(world) == {
        "billingAccountId": MINE,
        "data": [
            {
                "id": deposit,
                "billingAccountId": MINE,
                "type": "credit",
                "source": "deposit",
                "amountCents": 2500,
                "balanceAfterCents": 3500,
                "currency": "usd",
                "description": "thanks",
                "reference": None,
                "createdAt": NOON_TEXT,
            },
            {
                "id": ENTRY_ID,
                "billingAccountId": MINE,
                "type": "credit",
                "source": "intro",
                "amountCents": 1000,
                "balanceAfterCents": 1000,
                "currency": "usd",
                "description": None,
                "reference": None,
                "createdAt": NOON_TEXT,
            },
        ],
        "nextCursor": None,
    }


def test_a_transaction_of_a_workspace_names_it(world):
    workspace = opened(world, by=ALICE)
    spent_for(world, workspace, 70, reference="order 7")

    (told,) = of_workspace(world, workspace)["data"]

    assert told == {
        "id": ENTRY_ID,
        "billingAccountId": MINE,
        "workspaceId": workspace,
        "type": "debit",
        "source": "usage",
        "amountCents": 70,
        "balanceAfterCents": 930,
        "currency": "usd",
        "description": None,
        "reference": "order 7",
        "createdAt": NOON_TEXT,
    }
    assert of_account(world)["data"][0] == told


def test_a_list_of_a_workspace_says_whose_it_is(world):
    workspace = opened(world, by=ALICE)

    assert of_workspace(world, workspace) == {
        "workspaceId": workspace,
        "billingAccountId": MINE,
        "data": [],
        "nextCursor": None,
    }


def test_every_kind_of_entry_that_changes_a_balance_is_listed_under_its_word(world):
    workspace = opened(world, by=ALICE)
    world.deposit(60, expiresIn=1)
    world.deposit(50)
    world.post("/api/v1/billing/withdraw", body={"user": "alice", "amount": 50})
    used = world.use(100)["transactionId"]
    refund = {"user": "alice", "amount": 10, "originalTransactionId": used}
    world.post("/api/v1/billing/refund", by=ADMIN, body=refund)
    adjustment = {"customerId": "alice", "amount": -5, "description": "mistake"}
    world.post("/api/v1/billing/customer-balance/adjustments", by=ADMIN, body=adjustment)
    give(world, workspace, 7)
    hold = world.hold(300)["id"]
    world.post(f"/v1/billing/holds/{hold}/extend", body={"amount": 5})
    world.post(f"/v1/billing/holds/{hold}/capture", body={"amount": 4, "final": False})
    world.post(f"/v1/billing/holds/{hold}/release")
    world.hold(20, expires_in_seconds=60, expiry_policy="capture")
    world.wait(days=1)

    listed = of_account(world)

    told = [
        (each["source"], amount)
        for each, amount in zip(listed["data"], amounts(listed), strict=True)
    ]
    assert told == [
        ("usage", -20),
        ("expiry", -60),
        ("usage", -4),
        ("credits", 7),
        ("adjustment", -5),
        ("refund", 10),
        ("usage", -100),
        ("withdrawal", -50),
        ("deposit", 50),
        ("deposit", 60),
        ("intro", 1000),
    ]
    assert sum(amounts(listed)) == world.cents()[0]


def test_what_an_account_has_in_every_currency_is_one_list(world):
    world.deposit(500, currency="eur")
    world.wait(seconds=1)
    world.deposit(70, currency="jpy")
    world.wait(seconds=1)
    world.use("0.5", currency="eur")

    told = [
        (each["currency"], each["amountCents"], each["balanceAfterCents"])
        for each in of_account(world)["data"]
    ]

    assert told == [("eur", 0, 499), ("jpy", 70, 70), ("eur", 500, 500), ("usd", 1000, 1000)]
    newest = of_account(world)["data"][0]
    assert (newest["amountCentsDecimal"], newest["balanceAfterCentsDecimal"]) == ("0.5", "499.5")


def test_a_list_holds_what_is_asked_for(world):
    workspace = opened(world, by=ALICE)
    world.wait(seconds=1)
    world.deposit(500)
    world.wait(seconds=1)
    spent_for(world, workspace, 30)
    world.wait(seconds=1)
    world.use(7)

    assert amounts(of_account(world)) == [-7, -30, 500, 1000]
    assert amounts(of_account(world, type="debit")) == [-7, -30]
    assert amounts(of_account(world, type="credit")) == [500, 1000]
    assert amounts(of_account(world, workspaceId=workspace)) == [-30]
    assert amounts(of_account(world, workspaceId=workspace, type="credit")) == []
    since = {"from": "2026-11-21T12:00:01Z"}
    until = {"to": "2026-11-21T12:00:02Z"}
    assert amounts(of_account(world, **since)) == [-7, -30, 500]
    assert amounts(of_account(world, **until)) == [500, 1000]
    assert amounts(of_account(world, **since, **until)) == [500]
    assert amounts(of_workspace(world, workspace, **until)) == []
    assert amounts(of_workspace(world, workspace, **since, type="debit")) == [-30]


# --- What belongs to a workspace ------------------------------------------------------------------


def test_a_workspace_lists_what_was_done_for_it_alone(world):
    first, second = (opened(world, by=ALICE) for _ in range(2))
    spent_for(world, first, 10)
    spent_for(world, second, 20)
    give(world, first, 40)
    world.deposit(80)
    world.hold(5, scopes=[{"kind": "run", "id": first, "limit": 100}])

    assert amounts(of_workspace(world, first)) == [40, -10]
    assert amounts(of_workspace(world, second)) == [-20]
    assert amounts(of_account(world)) == [80, 40, -20, -10, 1000]


def test_what_was_done_for_two_workspaces_is_in_both_lists_under_each_name(world):
    first, second = (opened(world, by=ALICE) for _ in range(2))
    scopes = [{"kind": "workspace", "id": one, "limit": 100} for one in (first, second)]
    hold = world.hold(10, scopes=scopes)["id"]
    world.post(f"/v1/billing/holds/{hold}/capture", body={"amount": 10})

    for one in (first, second):
        assert of_workspace(world, one)["data"][0]["workspaceId"] == one
        assert of_account(world, workspaceId=one)["data"][0]["workspaceId"] == one
    assert of_account(world)["data"][0]["workspaceId"] == first


def test_a_workspace_lists_what_is_on_any_account_that_is_linked_to_it(world):
    workspace = opened(world, by=ALICE)
    give(world, workspace, 10)
    world.wait(seconds=1)
    euros = further_account(world, by=ALICE, currency="eur")
    linked(world, workspace, euros, by=ALICE, default=True)
    give(world, workspace, 20)
    world.wait(seconds=1)
    give(world, workspace, 40, currency="usd")
    world.wait(seconds=1)
    spent_for(world, workspace, 5)

    listed = of_workspace(world, workspace)

    told = [(each["billingAccountId"], each["currency"]) for each in listed["data"]]
    assert amounts(listed) == [-5, 40, 20, 10]
    assert told == [(MINE, "usd"), (euros, "usd"), (euros, "eur"), (MINE, "usd")]
    assert listed["billingAccountId"] == euros
    assert amounts(of_account(world, euros)) == [40, 20]


def test_whoever_names_anothers_workspace_comes_into_no_list_of_it(world):
    workspace = opened(world, by=ALICE)
    spent_for(world, workspace, 10, by=BOB)

    assert of_workspace(world, workspace)["data"] == []
    assert amounts(of_account(world, account_of(BOB), by=BOB, workspaceId=workspace)) == [-10]


# --- Pages ----------------------------------------------------------------------------------------


def test_fifty_are_shown_unless_more_are_asked_for(world):
    for _ in range(59):
        world.deposit(1)

    shown = of_account(world)
    assert len(shown["data"]) == 50
    assert shown["nextCursor"] == CURSOR
    assert len(of_account(world, limit=200)["data"]) == 60


def test_pages_over_twenty_accounts_in_two_currencies_make_up_the_list(world):
    workspace = opened(world, by=ALICE)
    ids: list[str] = []
    for number in range(20):
        if number:
            account = further_account(world, by=ALICE)
            linked(world, workspace, account, by=ALICE, default=True)
        for currency in ("usd", "eur"):
            world.wait(seconds=1)
            told = give(world, workspace, 1, currency=currency)
            ids.insert(0, told["transaction"]["id"])

    found = walked(lambda **query: of_workspace(world, workspace, **query), limit=3)

    assert [each["id"] for each in found] == ids


STEPS = ["deposit", "hold", "spend", "credits", "another account", "look"]


@settings(max_examples=40)
@given(
    steps=st.lists(st.sampled_from(STEPS), max_size=14),
    meanwhile=st.lists(st.sampled_from(STEPS[:4]), max_size=6),
    limit=st.integers(1, 4),
)
def test_what_arrives_meanwhile_moves_no_page(steps, meanwhile, limit):
    """Nothing twice, no gap, newest first; and all that was there when the reader began."""
    world = World()
    workspace = opened(world, by=ALICE)
    for step in ["credits", *steps]:
        take(world, workspace, step)
    left = list(meanwhile)

    def one_more():
        if left:
            take(world, workspace, left.pop())

    for read in (
        lambda **query: of_account(world, **query),
        lambda **query: of_workspace(world, workspace, **query),
    ):
        whole = read(limit=200)["data"]
        assert walked(read, limit=limit, meanwhile=one_more) == whole
        assert [each["createdAt"] for each in whole] == sorted(
            (each["createdAt"] for each in whole), reverse=True
        )
    assert audit_items(world.items()) == []


def walked(read, *, limit, meanwhile=lambda: None):
    """All pages of a list, one after the other, and what happens between them."""
    page = read(limit=limit)
    found = page["data"]
    while page["nextCursor"] is not None:
        meanwhile()
        page = read(limit=limit, cursor=page["nextCursor"])
        assert len(page["data"]) <= limit
        found += page["data"]
    return found


def take(world, workspace, step):
    world.wait(seconds=1)
    if step == "deposit":
        world.deposit(300, currency="eur")
    elif step == "hold":
        world.hold(1)
    elif step == "spend":
        spent_for(world, workspace, 2)
    elif step == "credits":
        give(world, workspace, 3)
    elif step == "another account":
        account = further_account(world, by=ALICE)
        linked(world, workspace, account, by=ALICE, default=True)


def test_a_cursor_of_one_workspace_is_none_of_another(world):
    first, second = (opened(world, by=ALICE) for _ in range(2))
    for one in (first, first, second, second):
        give(world, one, 1)
    cursor = of_workspace(world, first, limit=1)["nextCursor"]

    for path, query in (
        (f"/workspaces/{second}/billing/transactions", {}),
        (f"/workspaces/{first}/billing/transactions", {"type": "credit"}),
        (f"/billing-accounts/{MINE}/transactions", {}),
        (f"/billing-accounts/{MINE}/transactions", {"workspaceId": first}),
    ):
        refusal = world.refused("GET", path, query={**query, "cursor": cursor})
        assert refusal == (422, "invalid_cursor", "cursor", {})


# --- Who may look ---------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ["admin", "member", "viewer"])
def test_whoever_has_a_seat_may_look(world, role):
    workspace = opened(world, by=ALICE)
    invited(world, MINE, by=ALICE, user="acme/bob", role=role)

    assert amounts(of_account(world, by=BOB)) == [1000]
    assert amounts(of_workspace(world, workspace, by=BOB)) == []


@pytest.mark.parametrize(
    "by", [BOB, OTHER_ADMIN, TEST_ALICE], ids=lambda by: f"{by['user']} {by['mode']}"
)
def test_what_is_of_others_is_as_unknown_as_what_is_nobodys(world, by):
    workspace = opened(world, by=ALICE)

    for account in (MINE, UNKNOWN.account_id, "alice"):
        path = f"/billing-accounts/{account}/transactions"
        assert world.refused("GET", path, by=by) == (404, "account_not_found", None, {})
    for one in (workspace, UNKNOWN.workspace_id, "x"):
        path = f"/workspaces/{one}/billing/transactions"
        assert world.refused("GET", path, by=by) == (404, "workspace_not_found", None, {})


def test_an_admin_looks_at_all_that_is_of_its_org(world):
    workspace = opened(world, by=ALICE)
    give(world, workspace, 40)

    assert amounts(of_account(world, by=ADMIN)) == [40, 1000]
    assert amounts(of_workspace(world, workspace, by=ADMIN)) == [40]


@pytest.mark.parametrize(
    ("query", "param"),
    [
        ({"type": "refund"}, "type"),
        ({"type": "Credit"}, "type"),
        ({"from": "yesterday"}, "from"),
        ({"to": "2026-11-21"}, "to"),
        ({"limit": 0}, "limit"),
        ({"limit": 201}, "limit"),
    ],
)
def test_a_wrong_parameter_is_refused_by_name(world, query, param):
    workspace = opened(world, by=ALICE)

    for path in (
        f"/billing-accounts/{MINE}/transactions",
        f"/workspaces/{workspace}/billing/transactions",
    ):
        refusal = world.refused("GET", path, query=query)
        assert refusal[:3] == (422, "invalid_field", param)
