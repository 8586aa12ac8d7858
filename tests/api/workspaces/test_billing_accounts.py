"""The accounts of a user: `GET /billing-accounts`, and one of them."""

import pytest

from tests.api.workspaces.places import (
    ACCOUNTS,
    member_of,
    names_of,
    open_account,
    open_workspace,
)
from tests.api.world import BOB, NOON_TEXT, ZOE, account_of
from tests.http.events import ADMIN, ALICE

MINE = account_of(ALICE)


def details(world, account_id=MINE, *, by=ALICE):
    return world.get(f"{ACCOUNTS}/{account_id}", by=by)


def test_a_first_look_shows_the_default_account_with_its_introductory_credit(world):
    assert world.get(ACCOUNTS) == {
        "data": [
            {
                "id": MINE,
                "name": "acme/alice",
                "ownerUserId": "acme/alice",
                "isDefault": True,
                "currency": "usd",
                "balanceCents": 1000,
                "status": "active",
                "createdAt": NOON_TEXT,
            }
        ],
        "nextCursor": None,
    }


def test_another_account_stands_behind_the_default_one_in_its_own_currency(world):
    other = open_account(world, name="trip", currency="jpy")
    world.deposit(500, user=other, currency="jpy")
    world.deposit(70, user=other)

    default, shown = world.get(ACCOUNTS)["data"]

    assert default["id"] == MINE
    assert (shown["id"], shown["isDefault"], shown["balanceCents"]) == (other, False, 500)
    assert (shown["name"], shown["currency"]) == ("trip", "jpy")


def test_a_balance_that_is_not_whole_is_floored_and_stands_beside_it_exactly(world):
    world.use("0.5")

    (shown,) = world.get(ACCOUNTS)["data"]

    assert (shown["balanceCents"], shown["balanceCentsDecimal"]) == (999, "999.5")


def test_a_balance_in_the_list_knows_what_time_has_done(world):
    world.deposit(500, expiresIn=1)
    world.hold(300, expires_in_seconds=60, expiry_policy="capture")

    world.wait(days=1)

    assert world.get(ACCOUNTS)["data"][0]["balanceCents"] == 700
    assert details(world)["balanceCents"] == 700


def test_accounts_of_others_are_not_in_the_list_of_what_one_owns(world):
    shared = open_account(world, by=BOB)
    member_of(world, shared, ALICE, "admin", by=BOB)

    assert [each["id"] for each in world.get(ACCOUNTS)["data"]] == [MINE]


@pytest.mark.parametrize("limit", [1, 2, 3, 100])
def test_pages_make_up_the_list_with_the_default_account_first(world, limit):
    opened = [open_account(world, name=f"number {number}") for number in range(6)]
    for number in range(4):
        member_of(world, open_account(world, by=BOB, name=f"bob's {number}"), ALICE, by=BOB)

    found = names_of(world, ACCOUNTS, "data", "id", limit=limit)

    assert found == [MINE, *sorted(opened)]


def test_a_cursor_is_good_for_its_own_list_and_its_own_user(world):
    for by in (ALICE, BOB):
        open_account(world, by=by)
    cursor = world.get(ACCOUNTS, query={"limit": 1})["nextCursor"]

    for path, by in ((ACCOUNTS, BOB), ("/api/v1/billing/accounts", ALICE)):
        refusal = world.refused("GET", path, by=by, query={"cursor": cursor})
        assert refusal == (422, "invalid_cursor", "cursor", {})


def test_an_account_shows_its_life_its_free_credit_and_its_workspaces(world):
    world.deposit(2500)
    world.use(1200)
    first, second = open_workspace(world), open_workspace(world)
    other = open_account(world)
    body = {"billingAccountId": other, "setDefault": True}
    world.post(f"/workspaces/{second}/billing/accounts/link", body=body)

    shown = details(world)

    default = {first: True, second: False}
    assert shown == {
        "id": MINE,
        "name": "acme/alice",
        "ownerUserId": "acme/alice",
        "isDefault": True,
        "currency": "usd",
        "balanceCents": 2300,
        "status": "active",
        "createdAt": NOON_TEXT,
        "lifetimeChargedCents": 1200,
        "lifetimeCreditedCents": 3500,
        "freeTier": {"granted": True, "grantedCents": 1000, "remainingCents": 0},
        "linkedWorkspaces": [
            {"workspaceId": each, "isDefault": default[each]} for each in sorted(default)
        ],
        "stripeCustomerId": None,
    }


def test_what_a_hold_has_pinned_of_the_free_credit_is_still_there(world):
    world.hold(300)
    world.use("100.5")

    assert details(world)["freeTier"] == {
        "granted": True,
        "grantedCents": 1000,
        "remainingCents": 899,
        "remainingCentsDecimal": "899.5",
    }


def test_an_account_that_is_not_the_default_one_got_no_free_credit(world):
    shown = details(world, open_account(world))

    assert shown["freeTier"] == {"granted": False, "grantedCents": 0, "remainingCents": 0}
    assert (shown["balanceCents"], shown["linkedWorkspaces"]) == (0, [])


def test_a_refund_lowers_what_was_charged(world):
    usage = world.use(400)["transactionId"]
    body = {"user": "acme/alice", "amount": 150, "originalTransactionId": usage}
    world.post("/api/v1/billing/refund", by=ADMIN, body=body)

    assert details(world)["lifetimeChargedCents"] == 250


def test_more_workspaces_than_are_read_at_once_are_all_shown(world):
    opened = [open_workspace(world) for _ in range(101)]

    shown = details(world)["linkedWorkspaces"]

    assert [each["workspaceId"] for each in shown] == sorted(opened)


@pytest.mark.parametrize("role", ["admin", "member", "viewer"])
def test_members_may_look_at_an_account_and_its_workspaces_money(world, role):
    world.wallet()
    member_of(world, MINE, BOB, role)

    assert details(world, by=BOB)["balanceCents"] == 1000


@pytest.mark.parametrize("account_id", [MINE, "acct_" + "a" * 26, "alice", "acct_x", "acme"])
def test_an_account_without_a_seat_in_it_is_as_unknown_as_none(world, account_id):
    world.wallet()
    world.wallet(by=BOB)

    refusal = world.refused("GET", f"{ACCOUNTS}/{account_id}", by=BOB)

    assert refusal == (404, "account_not_found", None, {})


def test_a_removed_member_sees_the_account_no_more(world):
    world.wallet()
    member = member_of(world, MINE, BOB)
    path = f"/api/v1/billing/accounts/{MINE}/members/{member}"
    assert world.ask("DELETE", path).status == 204

    assert world.refused("GET", f"{ACCOUNTS}/{MINE}", by=BOB).code == "account_not_found"


def test_an_admin_of_another_org_sees_nothing(world):
    world.wallet()
    by = {**ZOE, "roles": '["admin"]'}

    assert world.refused("GET", f"{ACCOUNTS}/{MINE}", by=by).code == "account_not_found"
