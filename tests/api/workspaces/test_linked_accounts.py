"""Workspaces and the accounts that they spend from: open, link, choose the default, unlink."""

import pytest

from tests.api.workspaces.places import (
    ACCOUNT_ID,
    ACCOUNTS,
    WORKSPACE_ID,
    member_of,
    open_account,
    open_workspace,
)
from tests.api.world import BOB, NOON_TEXT, TEST_ALICE, ZOE, Refusal, account_of
from tests.http.events import ADMIN, ALICE

MINE = account_of(ALICE)
CAROL = {**ALICE, "subject": "user-carol", "user": "acme/carol"}
NOT_FOUND = Refusal(404, "workspace_not_found", None, {})


def accounts_at(workspace_id):
    return f"/workspaces/{workspace_id}/billing/accounts"


def linked(world, workspace_id, *, by=ALICE):
    """The linked accounts by id, in their order: is it the default?"""
    found = world.get(accounts_at(workspace_id), by=by)
    assert found["nextCursor"] is None
    return {each["id"]: each["isDefault"] for each in found["data"]}


def link(world, workspace_id, account_id, *, by=ALICE, key=None, **body):
    body = {"billingAccountId": account_id, **body}
    return world.ask("POST", f"{accounts_at(workspace_id)}/link", by=by, body=body, key=key)


def make_default(world, workspace_id, account_id, *, by=ALICE, key=None):
    return world.ask("POST", f"{accounts_at(workspace_id)}/{account_id}/default", by=by, key=key)


def unlink(world, workspace_id, account_id, *, by=ALICE, key=None):
    return world.ask("DELETE", f"{accounts_at(workspace_id)}/{account_id}", by=by, key=key)


# --- Opening --------------------------------------------------------------------------------------


def test_a_workspace_spends_from_its_makers_default_account(world):
    answer = world.ask("POST", "/workspaces", body={"name": "lab"})

    assert answer.status == 201
    assert answer.body == {
        "id": WORKSPACE_ID,
        "name": "lab",
        "ownerUserId": "acme/alice",
        "defaultBillingAccountId": MINE,
        "createdAt": NOON_TEXT,
    }
    assert linked(world, answer.body["id"]) == {MINE: True}
    assert world.cents() == (1000, 0)


def test_a_workspace_may_be_bound_to_another_account_of_its_maker(world):
    other = open_account(world)

    workspace = open_workspace(world, billingAccountId=other)

    assert linked(world, workspace) == {other: True}


def test_a_workspace_has_a_name_even_if_nobody_gave_it_one(world):
    assert world.post("/workspaces")["name"] == "Workspace"


@pytest.mark.parametrize("by", [ALICE, ADMIN], ids=["a user", "an admin"])
def test_nobody_binds_a_workspace_to_somebody_elses_money(world, by):
    theirs = open_account(world, by=BOB)
    world.wallet(by=by)

    for account_id in (theirs, account_of(BOB), "acct_" + "a" * 26, "bob"):
        body = {"billingAccountId": account_id}
        refusal = world.refused("POST", "/workspaces", by=by, body=body)
        assert refusal == (404, "account_not_found", None, {})


def test_a_closed_account_cannot_be_bound_or_linked(world):
    other, workspace = open_account(world), open_workspace(world)
    assert world.ask("DELETE", f"/api/v1/billing/accounts/{other}").status == 204
    mark = world.mark()

    refused = [
        world.ask("POST", "/workspaces", body={"billingAccountId": other}),
        link(world, workspace, other),
    ]

    assert [each.refusal for each in refused] == [(409, "account_closed", None, {})] * 2
    assert world.written_since(mark) == []


# --- A new account --------------------------------------------------------------------------------


def test_a_new_account_is_linked_at_once_and_empty(world):
    workspace = open_workspace(world)

    body = {"name": "travel", "currency": "EUR"}
    answer = world.ask("POST", accounts_at(workspace), body=body)

    assert answer.status == 201
    assert answer.body == {
        "id": ACCOUNT_ID,
        "name": "travel",
        "ownerUserId": "acme/alice",
        "currency": "eur",
        "isDefault": False,
        "linkedAt": NOON_TEXT,
    }
    opened = answer.body["id"]
    assert linked(world, workspace) == {MINE: True, opened: False}
    assert world.get(f"{ACCOUNTS}/{opened}")["balanceCents"] == 0


def test_a_new_account_may_be_the_default_at_once(world):
    workspace = open_workspace(world)

    opened = world.post(accounts_at(workspace), body={"setDefault": True})

    assert (opened["name"], opened["isDefault"]) == ("Billing account", True)
    assert linked(world, workspace) == {MINE: False, opened["id"]: True}


def test_a_workspace_has_20_linked_accounts_at_most(world):
    workspace, spare = open_workspace(world), open_account(world)
    for _ in range(18):
        world.post(accounts_at(workspace))
    last = world.post(accounts_at(workspace))["id"]
    mark = world.mark()

    refused = [world.ask("POST", accounts_at(workspace)), link(world, workspace, spare)]

    told = (422, "too_many_linked_accounts", None, {"linkedAccountsMax": 20})
    assert [each.refusal for each in refused] == [told] * 2
    assert world.written_since(mark) == []
    assert unlink(world, workspace, last).status == 204
    assert link(world, workspace, spare).status == 201


# --- Linking --------------------------------------------------------------------------------------


def test_an_account_is_linked_once_and_again_is_the_same(world):
    workspace, other = open_workspace(world), open_account(world, name="other")

    first = link(world, workspace, other)
    world.wait(seconds=1)
    mark = world.mark()
    again = link(world, workspace, other)

    assert (first.status, again.status) == (201, 200)
    assert first.body == again.body
    assert first.body == {
        "id": other,
        "name": "other",
        "ownerUserId": "acme/alice",
        "currency": "usd",
        "isDefault": False,
        "linkedAt": NOON_TEXT,
    }
    assert world.written_since(mark) == []
    assert linked(world, workspace) == {MINE: True, other: False}


@pytest.mark.parametrize("before", [False, True], ids=["a new link", "an old link"])
def test_a_link_may_become_the_default(world, before):
    workspace, other = open_workspace(world), open_account(world)
    if before:
        link(world, workspace, other)

    answer = link(world, workspace, other, setDefault=True, key="k1")
    again = link(world, workspace, other, setDefault=True, key="k1")

    assert answer.status == (200 if before else 201)
    assert answer.body["isDefault"] is True
    assert (again.status, again.text, again.replayed) == (answer.status, answer.text, True)
    assert linked(world, workspace) == {MINE: False, other: True}


def test_an_account_may_be_linked_to_several_workspaces(world):
    other = open_account(world)
    workspaces = sorted(open_workspace(world) for _ in range(3))

    assert [link(world, each, other).status for each in workspaces] == [201] * 3

    shown = world.get(f"{ACCOUNTS}/{other}")["linkedWorkspaces"]
    assert shown == [{"workspaceId": each, "isDefault": False} for each in workspaces]


# --- The default, and unlinking -------------------------------------------------------------------


def test_the_default_moves_to_a_linked_account_and_again_is_the_same(world):
    workspace, other = open_workspace(world), open_account(world)
    link(world, workspace, other)
    world.wait(seconds=1)

    first = make_default(world, workspace, other)
    mark = world.mark()
    again = make_default(world, workspace, other)

    assert first.status == again.status == 200
    assert first.text == again.text
    assert (first.body["isDefault"], first.body["linkedAt"]) == (True, NOON_TEXT)
    assert world.written_since(mark) == []
    assert linked(world, workspace) == {MINE: False, other: True}


@pytest.mark.parametrize("account_id", [account_of(BOB), "acct_" + "a" * 26, "x"])
def test_what_is_not_linked_can_be_neither_default_nor_unlinked(world, account_id):
    workspace = open_workspace(world)
    mark = world.mark()

    refused = [make_default(world, workspace, account_id), unlink(world, workspace, account_id)]

    assert [each.refusal for each in refused] == [(404, "account_not_linked", None, {})] * 2
    assert world.written_since(mark) == []


def test_an_account_that_was_unlinked_keeps_its_money(world):
    workspace, other = open_workspace(world), open_account(world)
    link(world, workspace, other)
    world.deposit(500, user=other)

    answer = unlink(world, workspace, other)

    assert (answer.status, answer.text) == (204, "")
    assert linked(world, workspace) == {MINE: True}
    shown = world.get(f"{ACCOUNTS}/{other}")
    assert (shown["balanceCents"], shown["linkedWorkspaces"]) == (500, [])
    assert unlink(world, workspace, other).refusal.code == "account_not_linked"


def test_an_account_that_was_unlinked_can_be_linked_again(world):
    workspace, other = open_workspace(world), open_account(world)
    link(world, workspace, other)
    unlink(world, workspace, other)
    world.wait(seconds=1)

    answer = link(world, workspace, other)

    assert (answer.status, answer.body["linkedAt"]) == (201, "2026-11-21T12:00:01.000Z")


def test_the_default_account_stays_linked(world):
    workspace = open_workspace(world)
    mark = world.mark()

    refusal = unlink(world, workspace, MINE).refusal

    assert refusal == (409, "account_is_default", None, {})
    assert world.written_since(mark) == []


def test_the_first_account_can_go_once_another_is_the_default(world):
    workspace, other = open_workspace(world), open_account(world)
    link(world, workspace, other, setDefault=True)

    assert unlink(world, workspace, other).refusal.code == "account_is_default"
    assert unlink(world, workspace, MINE).status == 204
    assert linked(world, workspace) == {other: True}


def test_whichever_of_default_and_unlink_comes_first_decides(world):
    workspace, other = open_workspace(world), open_account(world)
    link(world, workspace, other)
    # Two environments: this one remembers the workspace as it was.
    here = world.store
    world.start_anew()
    there = world.store

    assert unlink(world, workspace, other).status == 204
    world.store = here
    assert make_default(world, workspace, other).refusal.code == "account_not_linked"
    assert link(world, workspace, other, setDefault=True).status == 201
    world.store = there
    assert unlink(world, workspace, other).refusal.code == "account_is_default"
    assert linked(world, workspace) == {MINE: False, other: True}


def test_what_an_environment_remembers_is_not_taken_for_what_is(world):
    workspace, other = open_workspace(world), open_account(world)
    link(world, workspace, other, setDefault=True)
    here = world.store
    world.start_anew()
    make_default(world, workspace, MINE)

    world.store = here
    answers = [make_default(world, workspace, other), link(world, workspace, MINE)]

    assert [each.body["isDefault"] for each in answers] == [True, False]
    assert linked(world, workspace) == {MINE: False, other: True}


# --- Who may --------------------------------------------------------------------------------------


@pytest.fixture
def shared(world):
    """A workspace of Alice's, with another account of hers, and what else may be asked of it."""
    workspace, other = open_workspace(world), open_account(world)
    link(world, workspace, other)
    for by in (BOB, CAROL, ADMIN, ZOE):
        world.wallet(by=by)
    return workspace, other


def asked(world, shared, by):
    """Every write to the workspace, as refused or done."""
    workspace, other = shared
    return [
        world.ask("POST", accounts_at(workspace), by=by),
        make_default(world, workspace, MINE, by=by),
        unlink(world, workspace, other, by=by),
    ]


@pytest.mark.parametrize("by", [CAROL, ZOE, TEST_ALICE], ids=lambda by: by["user"] + by["mode"])
def test_a_stranger_finds_no_workspace(world, shared, by):
    mark = world.mark()

    answers = asked(world, shared, by)

    assert [each.refusal for each in answers] == [NOT_FOUND] * 3
    assert link(world, shared[0], shared[1], by=by).refusal == NOT_FOUND
    assert world.refused("GET", accounts_at(shared[0]), by=by) == NOT_FOUND
    assert world.written_since(mark) == []


@pytest.mark.parametrize("role", ["viewer", "member"])
def test_members_of_the_default_account_look_and_change_nothing(world, shared, role):
    member_of(world, MINE, BOB, role)
    mark = world.mark()

    assert linked(world, shared[0], by=BOB) == {MINE: True, shared[1]: False}

    answers = asked(world, shared, BOB)
    assert [each.refusal for each in answers] == [(403, "forbidden", None, {})] * 3
    assert world.written_since(mark) == []


@pytest.mark.parametrize("by", [BOB, ADMIN], ids=["the account's admin", "the org's admin"])
def test_admins_manage_the_workspace(world, shared, by):
    member_of(world, MINE, BOB, "admin")

    answers = asked(world, shared, by)

    assert [each.status for each in answers] == [201, 200, 204]
    assert answers[0].body["ownerUserId"] == by["user"]


@pytest.mark.parametrize("by", [BOB, ADMIN], ids=["the account's admin", "the org's admin"])
def test_admins_link_their_own_accounts_and_nobody_elses(world, shared, by):
    member_of(world, MINE, BOB, "admin")
    own, alices = open_account(world, by=by), open_account(world)

    refusal = link(world, shared[0], alices, by=by).refusal

    assert refusal == (404, "account_not_found", None, {})
    assert link(world, shared[0], own, by=by).status == 201


def test_the_maker_of_a_workspace_keeps_it_whoevers_money_it_spends(world, shared):
    member_of(world, MINE, BOB, "admin")
    theirs = open_account(world, by=BOB)
    link(world, shared[0], theirs, by=BOB, setDefault=True)

    assert linked(world, shared[0])[theirs] is True
    assert make_default(world, shared[0], MINE).status == 200


def test_what_was_done_is_answered_again_to_who_may_not_any_more(world, shared):
    member = member_of(world, MINE, BOB, "admin")
    first = make_default(world, *shared, by=BOB, key="k1")
    world.ask("DELETE", f"/api/v1/billing/accounts/{MINE}/members/{member}")
    world.start_anew()

    again = make_default(world, *shared, by=BOB, key="k1")

    assert (again.status, again.text, again.replayed) == (200, first.text, True)
    assert make_default(world, *shared, by=BOB).refusal == NOT_FOUND


def test_accounts_that_are_managed_elsewhere_are_not_opened_here(world, shared):
    world.accounts_are_ours = False

    refusal = world.ask("POST", accounts_at(shared[0]))

    assert refusal.status == 501
    assert refusal.body["error"]["code"] == "managed_elsewhere"
    assert world.ask("POST", "/workspaces").status == 201
    assert make_default(world, *shared).status == 200
