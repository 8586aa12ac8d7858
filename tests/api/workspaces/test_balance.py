"""What an account has, and what a workspace's account has: their `balance`."""

import pytest

from tests.api.scene import UNKNOWN
from tests.api.workspaces.spending import further_account, invited, linked, opened
from tests.api.world import BOB, NOON_TEXT, OTHER_ADMIN, TEST_ALICE, ZOE, Refusal, account_of
from tests.http.events import ADMIN, ALICE

MINE = account_of(ALICE)
NO_ACCOUNT = Refusal(404, "account_not_found", None, {})
NO_WORKSPACE = Refusal(404, "workspace_not_found", None, {})


def of_account(account):
    return f"/billing-accounts/{account}/balance"


def of_workspace(workspace):
    return f"/workspaces/{workspace}/billing/balance"


def test_an_account_tells_what_it_has_credit_included(world):
    world.deposit(2500)
    world.hold(700)

    assert world.get(of_account(MINE)) == {
        "billingAccountId": MINE,
        "balanceCents": 3500,
        "heldCents": 700,
        "availableCents": 2800,
        "currency": "usd",
        "updatedAt": NOON_TEXT,
    }


def test_a_workspace_tells_what_its_default_account_has(world):
    workspace = opened(world, by=ALICE)
    world.deposit(2500)

    assert world.get(of_workspace(workspace)) == {
        "workspaceId": workspace,
        "billingAccountId": MINE,
        "balanceCents": 3500,
        "heldCents": 0,
        "availableCents": 3500,
        "currency": "usd",
        "updatedAt": NOON_TEXT,
    }


def test_the_first_look_at_ones_own_account_makes_it(world):
    assert world.get(of_account(MINE))["balanceCents"] == 1000


def test_an_amount_that_is_not_whole_is_floored_and_stands_beside_it_exactly(world):
    world.use("0.25")

    told = world.get(of_account(MINE))

    assert (told["balanceCents"], told["balanceCentsDecimal"]) == (999, "999.75")
    assert (told["availableCents"], told["availableCentsDecimal"]) == (999, "999.75")
    assert "heldCentsDecimal" not in told


def test_a_debt_is_shown(world):
    world.use(1200)

    assert world.get(of_account(MINE))["availableCents"] == -200


def test_an_account_is_shown_in_its_own_currency_unless_another_is_named(world):
    euros = further_account(world, by=ALICE, currency="eur")
    world.deposit(700, user=euros, currency="eur")
    world.deposit(90, user=euros)

    assert world.get(of_account(euros))["balanceCents"] == 700
    assert world.get(of_account(euros))["currency"] == "eur"
    assert world.get(of_account(euros), query={"currency": "USD"})["balanceCents"] == 90
    untouched = world.get(of_account(euros), query={"currency": "jpy"})
    assert untouched == {
        "billingAccountId": euros,
        "balanceCents": 0,
        "heldCents": 0,
        "availableCents": 0,
        "currency": "jpy",
        "updatedAt": None,
    }


def test_a_workspace_follows_its_default_account(world):
    workspace = opened(world, by=ALICE)
    euros = further_account(world, by=ALICE, currency="eur")
    world.deposit(700, user=euros, currency="eur")
    linked(world, workspace, euros, by=ALICE)
    assert world.get(of_workspace(workspace))["billingAccountId"] == MINE

    linked(world, workspace, euros, by=ALICE, default=True)

    told = world.get(of_workspace(workspace))
    assert (told["billingAccountId"], told["balanceCents"]) == (euros, 700)
    assert told["currency"] == "eur"


def test_a_hold_frees_its_money_at_its_time(world):
    world.hold(700, expires_in_seconds=60)
    world.wait(seconds=60)

    assert world.get(of_account(MINE))["availableCents"] == 1000


@pytest.mark.parametrize("role", ["admin", "member", "viewer"])
def test_whoever_has_a_seat_may_look(world, role):
    workspace = opened(world, by=ALICE)
    for path in (of_account(MINE), of_workspace(workspace)):
        assert world.refused("GET", path, by=BOB).status == 404

    invited(world, MINE, by=ALICE, user="acme/bob", role=role)

    assert world.get(of_account(MINE), by=BOB)["balanceCents"] == 1000
    assert world.get(of_workspace(workspace), by=BOB)["balanceCents"] == 1000


@pytest.mark.parametrize(
    "by", [BOB, ZOE, OTHER_ADMIN, TEST_ALICE], ids=lambda by: f"{by['user']} {by['mode']}"
)
def test_an_account_or_workspace_of_others_is_as_unknown_as_none(world, by):
    workspace = opened(world, by=ALICE)

    for account in (MINE, UNKNOWN.account_id):
        assert world.refused("GET", of_account(account), by=by) == NO_ACCOUNT
    for one in (workspace, UNKNOWN.workspace_id):
        assert world.refused("GET", of_workspace(one), by=by) == NO_WORKSPACE


def test_an_admin_looks_at_all_that_is_of_its_org(world):
    workspace = opened(world, by=ALICE)

    assert world.get(of_account(MINE), by=ADMIN)["balanceCents"] == 1000
    assert world.get(of_workspace(workspace), by=ADMIN)["balanceCents"] == 1000
    assert world.refused("GET", of_account(account_of(BOB)), by=ADMIN) == NO_ACCOUNT


def test_a_users_name_stands_for_no_account_in_a_path(world):
    world.wallet()

    for name in ("alice", "acme%2Falice", "x", "acct_", MINE.upper(), MINE + "a", "..", "%00"):
        assert world.refused("GET", of_account(name)).status == 404


def test_a_currency_that_does_not_exist_is_refused_by_name(world):
    world.wallet()

    refusal = world.refused("GET", of_account(MINE), query={"currency": "xau"})

    assert refusal[:3] == (422, "invalid_field", "currency")
