"""Accounts with members: `/api/v1/billing/accounts`."""

import pytest

from tests.api.test_paging import forged
from tests.api.workspaces.places import (
    ACCOUNT_ID,
    MEMBERS,
    member_of,
    names_of,
    open_account,
    open_workspace,
)
from tests.api.world import BOB, NOON_TEXT, OTHER_ADMIN, ZOE, Like, Refusal, account_of
from tests.http.events import ADMIN, ALICE

ACCOUNTS = "/api/v1/billing/accounts"
MINE = account_of(ALICE)
MEMBER_ID = Like(r"mem_[a-z2-7]{26}")
CAROL = {**ALICE, "subject": "user-carol", "user": "acme/carol"}
NO_ACCOUNT = Refusal(404, "account_not_found", None, {})
FORBIDDEN = Refusal(403, "forbidden", None, {})


def accounts(world, *, by=ALICE):
    found = world.get(ACCOUNTS, by=by)
    assert found["count"] == len(found["accounts"])
    assert found["nextCursor"] is None
    return found["accounts"]


def members(world, account_id=MINE, *, by=ALICE):
    """Who is what to an account."""
    found = world.get(MEMBERS.format(account_id), by=by)
    assert found["count"] == len(found["members"])
    assert found["nextCursor"] is None
    return {each["userId"]: each["role"] for each in found["members"]}


def add(world, user, *, account_id=MINE, by=ALICE, key=None, **body):
    body = {"userId": user, **body}
    return world.ask("POST", MEMBERS.format(account_id), by=by, body=body, key=key)


def change(world, member, role, *, account_id=MINE, by=ALICE, key=None):
    path = f"{MEMBERS.format(account_id)}/{member}"
    return world.ask("PATCH", path, by=by, body={"role": role}, key=key)


def remove(world, member, *, account_id=MINE, by=ALICE, key=None):
    return world.ask("DELETE", f"{MEMBERS.format(account_id)}/{member}", by=by, key=key)


def close(world, account_id, *, by=ALICE, key=None):
    return world.ask("DELETE", f"{ACCOUNTS}/{account_id}", by=by, key=key)


# --- Accounts -------------------------------------------------------------------------------------


def test_a_first_look_shows_the_default_account(world):
    assert accounts(world) == [
        {
            "id": MINE,
            "name": "acme/alice",
            "orgId": "acme",
            "orgName": "acme",
            "currency": "usd",
            "createdAt": NOON_TEXT,
            "role": "owner",
            "status": "active",
        }
    ]
    assert world.cents() == (1000, 0)


def test_an_account_is_opened_with_nothing_in_it(world):
    answer = world.ask("POST", ACCOUNTS, body={"name": "travel", "currency": "EUR"})

    assert answer.status == 201
    assert answer.body == {
        "id": ACCOUNT_ID,
        "name": "travel",
        "orgId": "acme",
        "orgName": "acme",
        "currency": "eur",
        "createdAt": NOON_TEXT,
        "role": "owner",
        "status": "active",
    }
    assert [each["id"] for each in accounts(world)] == [MINE, answer.body["id"]]


def test_further_accounts_bring_no_further_credit(world):
    opened = [open_account(world) for _ in range(3)]

    for account_id in opened:
        assert world.get(f"/billing-accounts/{account_id}")["balanceCents"] == 0
    assert world.cents() == (1000, 0)


@pytest.mark.parametrize("limit", [1, 2, 3, 100])
def test_pages_make_up_the_list_of_all_seats(world, limit):
    own = [open_account(world) for _ in range(3)]
    shared = [open_account(world, by=BOB) for _ in range(3)]
    for account_id in [*shared, account_of(BOB)]:
        world.wallet(by=BOB)
        member_of(world, account_id, ALICE, "viewer", by=BOB)

    found = names_of(world, ACCOUNTS, "accounts", "id", limit=limit)

    assert found == [MINE, *sorted([*own, *shared, account_of(BOB)])]


@pytest.mark.parametrize(
    "position", ["", "~", "acct_", "acct_zzz", account_of(BOB), "#", "x" * 500]
)
def test_a_forged_place_shows_nothing_of_others(world, position):
    own = {MINE, *(open_account(world) for _ in range(2))}
    open_account(world, by=BOB)
    cursor = world.get(ACCOUNTS, query={"limit": 1})["nextCursor"]

    answer = world.ask("GET", ACCOUNTS, query={"cursor": forged(cursor, position)})

    if answer.status == 200:
        assert {each["id"] for each in answer.body["accounts"]} <= own
    else:
        assert answer.refusal == (422, "invalid_cursor", "cursor", {})


# --- Closing --------------------------------------------------------------------------------------


def test_an_empty_account_is_closed_for_good(world):
    account_id = open_account(world)

    answers = [close(world, account_id, key=key) for key in ("k1", "k1", None)]

    assert [(each.status, each.text) for each in answers] == [(204, "")] * 3
    assert [each.replayed for each in answers] == [False, True, False]
    assert [each["status"] for each in accounts(world)] == ["active", "closed"]
    assert world.get("/billing-accounts")["data"][1]["status"] == "closed"


def test_nothing_more_is_put_into_a_closed_account(world):
    account_id = open_account(world)
    close(world, account_id)

    body = {"user": account_id, "amount": 1}
    refusal = world.refused("POST", "/api/v1/billing/deposit", by=ADMIN, body=body)

    assert refusal == (409, "account_closed", None, {})


def test_an_account_with_money_in_it_stays_open_until_it_is_empty(world):
    account_id = open_account(world)
    world.deposit(500, user=account_id)
    mark = world.mark()

    refusal = close(world, account_id).refusal

    assert refusal == (409, "account_in_use", None, {"reason": "balance"})
    assert world.written_since(mark) == []
    world.post("/api/v1/billing/withdraw", body={"user": account_id, "amount": 500})
    assert close(world, account_id).status == 204


def test_an_account_that_a_workspace_is_linked_to_stays_open(world):
    account_id = open_account(world)
    workspace = open_workspace(world, billingAccountId=account_id)

    assert close(world, account_id).refusal == (
        409, "account_in_use", None, {"reason": "linked_workspace"},
    )  # fmt: skip

    link = f"/workspaces/{workspace}/billing/accounts"
    world.post(link, body={"setDefault": True})
    assert world.ask("DELETE", f"{link}/{account_id}").status == 204
    assert close(world, account_id).status == 204


def test_a_default_account_is_never_closed(world):
    world.wallet()

    assert world.refused("DELETE", f"{ACCOUNTS}/{MINE}") == (
        409, "account_in_use", None, {"reason": "default_account"},
    )  # fmt: skip


@pytest.mark.parametrize("role", ["admin", "member", "viewer"])
def test_nobody_but_the_owner_closes_an_account(world, role):
    account_id = open_account(world)
    member_of(world, account_id, BOB, role)
    mark = world.mark()

    assert close(world, account_id, by=BOB).refusal == FORBIDDEN
    for by in (CAROL, ADMIN, ZOE, OTHER_ADMIN):
        assert close(world, account_id, by=by).refusal == NO_ACCOUNT
    assert world.written_since(mark) == []


# --- Members --------------------------------------------------------------------------------------


def test_an_account_has_its_owner_as_the_first_member(world):
    found = world.get(MEMBERS.format(MINE))

    assert found == {
        "members": [
            {
                "id": MEMBER_ID,
                "userId": "acme/alice",
                "email": None,
                "role": "owner",
                "addedAt": NOON_TEXT,
            }
        ],
        "count": 1,
        "nextCursor": None,
    }


def test_a_member_is_added_under_the_name_that_everybody_uses(world):
    world.wallet()
    world.wait(seconds=1)

    answer = add(world, " ACME/Bob ", role="viewer", email="bob@example.com")

    assert answer.status == 201
    assert answer.body == {
        "id": MEMBER_ID,
        "userId": "acme/bob",
        "email": "bob@example.com",
        "role": "viewer",
        "addedAt": "2026-11-21T12:00:01.000Z",
    }
    assert members(world) == {"acme/alice": "owner", "acme/bob": "viewer"}
    assert accounts(world, by=BOB)[1]["role"] == "viewer"


def test_a_member_spends_unless_it_is_said_otherwise(world):
    world.wallet()

    assert add(world, "bob").body["role"] == "member"


@pytest.mark.parametrize("by", [ALICE, ADMIN], ids=["the owner", "the org's admin"])
def test_a_user_is_added_once(world, by):
    world.wallet()
    add(world, "bob")
    mark = world.mark()

    refused = [add(world, user, by=by).refusal for user in ("bob", "acme/bob", "alice")]

    assert refused == [(409, "member_exists", None, {})] * 3
    assert world.written_since(mark) == []


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"userId": "globex/zoe"}, (404, "account_not_found", None)),
        ({"userId": ""}, (422, "invalid_field", "userId")),
        ({"userId": "a b"}, (422, "invalid_field", "userId")),
        ({"userId": "bob", "role": "boss"}, (422, "invalid_field", "role")),
        ({"userId": "bob", "role": "owner"}, (409, "owner_stays", None)),
        ({"userId": "bob", "email": "nobody"}, (422, "invalid_field", "email")),
        ({"userId": "bob", "email": "a@b@c"}, (422, "invalid_field", "email")),
    ],
)
def test_who_cannot_be_a_member_is_refused(world, body, told):
    world.wallet()

    refusal = world.refused("POST", MEMBERS.format(MINE), body=body)

    assert refusal[:3] == told


def test_an_account_has_a_hundred_members_at_most(world):
    world.wallet()
    for number in range(99):
        assert add(world, f"user-{number}").status == 201
    last = add(world, "last").body["id"]
    mark = world.mark()

    assert add(world, "bob").refusal == (422, "too_many_members", None, {"membersMax": 100})
    assert world.written_since(mark) == []
    assert len(members(world)) == 101
    remove(world, last)
    assert add(world, "bob").status == 201


def test_a_member_changes_its_role_and_again_is_the_same(world):
    world.wallet()
    bob = member_of(world, MINE, BOB, "viewer")

    answer = change(world, bob, "admin")
    mark = world.mark()
    again = change(world, bob, "admin")

    assert (answer.status, answer.body["role"]) == (200, "admin")
    assert (again.status, again.text) == (200, answer.text)
    assert world.written_since(mark) == []
    assert members(world) == {"acme/alice": "owner", "acme/bob": "admin"}


def test_a_role_that_was_given_back_is_given_back(world):
    world.wallet()
    bob = member_of(world, MINE, BOB, "viewer")
    change(world, bob, "admin")
    here = world.store
    world.start_anew()
    change(world, bob, "viewer")

    world.store = here
    change(world, bob, "admin")

    assert members(world)["acme/bob"] == "admin"


def test_a_member_that_was_removed_is_one_no_more_and_can_come_back(world):
    world.wallet()
    bob = member_of(world, MINE, BOB, "admin")

    assert (remove(world, bob).status, remove(world, bob).refusal[:2]) == (
        204, (404, "member_not_found"),
    )  # fmt: skip
    assert members(world) == {"acme/alice": "owner"}
    assert [each["id"] for each in accounts(world, by=BOB)] == [account_of(BOB)]
    assert change(world, bob, "viewer").refusal.code == "member_not_found"

    back = add(world, "bob", role="viewer")
    assert (back.status, back.body["id"]) == (201, bob)


def test_the_owner_stays_the_owner(world):
    world.wallet()
    bob = member_of(world, MINE, BOB, "admin")
    alice = world.get(MEMBERS.format(MINE))["members"][0]["id"]
    mark = world.mark()

    refused = [
        change(world, alice, "viewer", by=BOB),
        remove(world, alice, by=BOB),
        remove(world, alice),
        change(world, bob, "owner"),
    ]

    assert [each.refusal for each in refused] == [(409, "owner_stays", None, {})] * 4
    assert change(world, alice, "owner").body["role"] == "owner"
    assert world.written_since(mark) == []


@pytest.mark.parametrize("member", ["mem_" + "a" * 26, "x", "acme"])
def test_a_member_that_nobody_is_is_unknown(world, member):
    world.wallet()
    mark = world.mark()

    answers = [change(world, member, "viewer"), remove(world, member)]

    assert [each.refusal for each in answers] == [(404, "member_not_found", None, {})] * 2
    assert world.written_since(mark) == []


def test_members_leave_by_themselves(world):
    world.wallet()
    bob, carol = member_of(world, MINE, BOB, "viewer"), member_of(world, MINE, CAROL, "viewer")

    assert remove(world, carol, by=BOB).refusal == FORBIDDEN
    assert remove(world, bob, by=BOB).status == 204
    assert members(world) == {"acme/alice": "owner", "acme/carol": "viewer"}


# --- What a role is good for ----------------------------------------------------------------------


def spend(world, by, amount=100):
    body = {"user": MINE, "amount": amount}
    return world.ask("POST", "/api/v1/billing/withdraw", by=by, body=body)


def manage(world, by):
    return [
        add(world, "carol", by=by),
        change(world, "mem_" + "a" * 26, "viewer", by=by),
        remove(world, "mem_" + "a" * 26, by=by),
    ]


@pytest.mark.parametrize(
    ("role", "spends", "manages"),
    [("viewer", False, False), ("member", True, False), ("admin", True, True)],
)
def test_a_role_says_who_looks_who_spends_and_who_manages(world, role, spends, manages):
    world.deposit(2500)
    member_of(world, MINE, BOB, role)
    mark = world.mark()

    listed = world.get("/api/v1/billing/transactions", by=BOB, query={"user": MINE})
    assert listed["count"] == 2
    assert members(world, by=BOB)["acme/bob"] == role
    assert world.written_since(mark) == []

    assert spend(world, BOB).status == (201 if spends else 403)
    statuses = [each.status for each in manage(world, BOB)]
    assert statuses == ([201, 404, 404] if manages else [403, 403, 403])
    if not spends:
        assert world.written_since(mark) == []


@pytest.mark.parametrize("by", [CAROL, ZOE, OTHER_ADMIN], ids=lambda by: by["user"])
def test_to_a_stranger_there_is_no_such_account(world, by):
    world.deposit(2500)
    mark = world.mark()

    assert [each.refusal for each in manage(world, by)] == [NO_ACCOUNT] * 3
    assert spend(world, by).refusal == NO_ACCOUNT
    assert world.refused("GET", MEMBERS.format(MINE), by=by) == NO_ACCOUNT
    query = {"user": MINE}
    refusal = world.refused("GET", "/api/v1/billing/transactions", by=by, query=query)
    assert refusal == NO_ACCOUNT
    assert world.written_since(mark) == []


def test_the_orgs_admin_manages_every_account_of_the_org(world):
    world.wallet()

    statuses = [each.status for each in manage(world, ADMIN)]

    assert statuses == [201, 404, 404]
    assert members(world, by=ADMIN) == {"acme/alice": "owner", "acme/carol": "member"}


def test_a_role_that_was_taken_away_is_good_for_nothing_at_once(world):
    world.deposit(2500)
    bob = member_of(world, MINE, BOB)
    assert spend(world, BOB).status == 201

    change(world, bob, "viewer")
    assert spend(world, BOB).refusal == FORBIDDEN
    remove(world, bob)
    assert spend(world, BOB).refusal == NO_ACCOUNT


@pytest.mark.parametrize("again", ["the same request", "another one"])
def test_what_was_done_is_answered_again_to_who_may_not_any_more(world, again):
    world.wallet()
    bob = member_of(world, MINE, BOB, "admin")
    first = add(world, "carol", by=BOB, key="k1")
    change(world, bob, "viewer")

    role = "member" if again == "the same request" else "viewer"
    answer = add(world, "carol", by=BOB, key="k1", **({} if role == "member" else {"role": role}))

    if role == "member":
        assert (answer.status, answer.text, answer.replayed) == (201, first.text, True)
    else:
        assert answer.refusal == (422, "idempotency_key_reused", None, {})


# --- Accounts that are managed elsewhere ----------------------------------------------------------


def test_where_accounts_are_managed_elsewhere_they_are_only_read_here(world):
    world.wallet()
    bob = member_of(world, MINE, BOB)
    other = open_account(world)
    world.accounts_are_ours = False
    mark = world.mark()

    answers = [
        world.ask("POST", ACCOUNTS, body={"name": "travel"}),
        close(world, other),
        add(world, "carol"),
        change(world, bob, "viewer"),
        remove(world, bob),
    ]

    assert [each.status for each in answers] == [501] * 5
    assert {each.body["error"]["code"] for each in answers} == {"managed_elsewhere"}
    assert world.written_since(mark) == []
    assert members(world) == {"acme/alice": "owner", "acme/bob": "member"}
    assert len(accounts(world)) == 2
