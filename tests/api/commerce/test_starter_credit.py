"""Five dollars to start with: `POST /api/v1/billing/credit`."""

import pytest

from tests.api.workspaces.places import member_of, open_account
from tests.api.world import BOB, ENTRY_ID, ZOE, Refusal, account_of
from tests.http.events import ADMIN, ALICE

CREDIT = "/api/v1/billing/credit"
MINE = account_of(ALICE)
NEEDED = Refusal(403, "payment_method_needed", None, {})
GRANTED = Refusal(409, "starter_credit_granted", None, {})


def start(world, *, user="acme/alice", by=ALICE, key=None):
    return world.ask("POST", CREDIT, by=by, body={"user": user}, key=key)


def test_whoever_has_a_card_on_file_starts_with_five_dollars_of_cash(world):
    world.save_card()

    answer = start(world)

    assert answer.status == 201
    assert answer.body == {
        "transactionId": ENTRY_ID,
        "user": "acme/alice",
        "amount": 500,
        "currency": "usd",
        "type": "deposit",
        "tags": "starter-credit",
        "expiresAt": "2026-12-21T12:00:00.000Z",
    }
    assert world.cents() == (1500, 0)
    shown = world.get("/api/v1/billing/balance", by=ADMIN, query={"user": "alice"})
    assert shown["balance"] == 500


def test_without_a_card_there_is_no_starter_credit(world):
    refusal = world.refused("POST", CREDIT, body={"user": "acme/alice"})

    assert refusal == NEEDED
    assert world.items() == []
    world.save_card()
    assert start(world).status == 201


def test_it_is_given_once_in_a_lifetime(world):
    world.save_card()
    first = start(world, key="k1")
    world.wait(days=31)
    assert world.cents() == (1000, 0)
    mark = world.mark()

    assert start(world).refusal == GRANTED
    assert start(world, by=ADMIN).refusal == GRANTED
    again = start(world, key="k1")

    assert (again.status, again.text, again.replayed) == (201, first.text, True)
    assert world.written_since(mark) == []


def test_it_is_a_persons_and_not_an_accounts(world):
    world.save_card()
    other = open_account(world)
    start(world)
    mark = world.mark()

    assert start(world, user=other).refusal == GRANTED
    assert world.written_since(mark) == []


def test_named_by_another_account_it_goes_to_the_persons_default_one(world):
    world.save_card()
    other = open_account(world)

    answer = start(world, user=other)

    assert (answer.status, answer.body["user"]) == (201, other)
    assert world.cents() == (1500, 0)
    assert world.get(f"/billing-accounts/{other}")["balanceCents"] == 0


def test_it_is_spent_and_never_withdrawn(world):
    world.save_card()
    start(world)

    body = {"user": "acme/alice", "amount": 1}
    assert world.refused("POST", "/api/v1/billing/withdraw", body=body).code == "insufficient_funds"
    world.use(1400)
    assert world.cents() == (100, 0)


@pytest.mark.parametrize(
    ("debt", "expires"), [(499, True), (500, False), (501, False)], ids=["less", "all", "more"]
)
def test_it_pays_a_debt_first_and_only_the_rest_expires(world, debt, expires):
    world.use(1000 + debt)
    world.save_card()

    answer = start(world)

    assert ("expiresAt" in answer.body) is expires
    assert world.cents() == (500 - debt, 0)
    world.wait(days=30)
    assert world.cents() == (min(0, 500 - debt), 0)


def test_an_admin_starts_a_user_off_whose_card_is_on_file(world):
    world.wallet()
    assert start(world, by=ADMIN).refusal == NEEDED
    world.save_card()

    assert start(world, by=ADMIN, user=MINE).body["user"] == MINE
    assert world.cents() == (1500, 0)
    assert world.cents(by=ADMIN) == (1000, 0)


@pytest.mark.parametrize(
    ("by", "user", "told"),
    [
        (BOB, "alice", (403, "forbidden")),
        (BOB, MINE, (404, "account_not_found")),
        (ZOE, "acme/alice", (404, "account_not_found")),
        (ADMIN, "globex/zoe", (404, "account_not_found")),
        (ADMIN, "acct_" + "a" * 26, (404, "account_not_found")),
    ],
)
def test_nobody_starts_another_off(world, by, user, told):
    world.save_card()
    world.wallet()

    assert world.refused("POST", CREDIT, by=by, body={"user": user})[:2] == told


@pytest.mark.parametrize(("role", "status"), [("viewer", 403), ("member", 201), ("admin", 201)])
def test_a_member_who_may_spend_may_ask_for_the_owner(world, role, status):
    world.save_card()
    world.wallet()
    member_of(world, MINE, BOB, role)

    assert start(world, by=BOB, user=MINE).status == status
    assert world.cents() == ((1500, 0) if status == 201 else (1000, 0))


def test_one_user_has_it_apart_from_the_other(world):
    for by in (ALICE, BOB):
        world.save_card(by=by)
        assert start(world, by=by, user=by["user"]).status == 201
        assert world.cents(by=by) == (1500, 0)
