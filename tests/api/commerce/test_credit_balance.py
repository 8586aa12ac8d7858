"""What is left of all credit: `credit-balance` and its breakdown."""

import pytest

from tests.api.world import BOB, OTHER_ADMIN, account_of
from tests.http.events import ADMIN, ALICE

BALANCE = "/api/v1/billing/credit-balance"
BREAKDOWN = f"{BALANCE}/breakdown"


def give(world, amount, **body):
    body = {"userId": "acme/alice", "amountCents": amount, **body}
    return world.post("/api/v1/billing/credit-grants", by=ADMIN, body=body)


def balance(world, *, user="acme/alice", by=ALICE):
    return world.get(BALANCE, by=by, query={"userId": user})


def breakdown(world, *, user="acme/alice", by=ALICE, **query):
    return world.get(BREAKDOWN, by=by, query={"userId": user, **query})


def test_a_new_user_has_the_introductory_credit(world):
    assert balance(world) == {
        "userId": "acme/alice",
        "balances": [{"currency": "usd", "available": 1000}],
    }
    total = {"breakdown": {"introductory": {"cents": 1000}}, "total": {"cents": 1000}}
    assert breakdown(world) == {
        "userId": "acme/alice",
        "currency": "usd",
        **total,
        "currencies": {"usd": total},
    }


def test_cash_is_no_credit(world):
    world.deposit(2500)
    world.deposit(400, expiresIn=1)
    world.use(1000)

    assert balance(world)["balances"] == []
    shown = breakdown(world)
    assert (shown["breakdown"], shown["total"], shown["currencies"]) == ({}, {"cents": 0}, {})


def test_currencies_stand_beside_each_other_in_their_order(world):
    give(world, 300, currency="jpy")
    give(world, 200, currency="eur")
    give(world, 100)

    assert balance(world)["balances"] == [
        {"currency": "eur", "available": 200},
        {"currency": "jpy", "available": 300},
        {"currency": "usd", "available": 1100},
    ]


@pytest.mark.parametrize(
    ("query", "currency", "cents"),
    [({}, "usd", 1100), ({"currency": "EUR"}, "eur", 200), ({"currency": "jpy"}, "jpy", 0)],
)
def test_different_currencies_are_never_added_up(world, query, currency, cents):
    give(world, 200, currency="eur")
    give(world, 100)

    shown = breakdown(world, **query)

    assert (shown["currency"], shown["total"]) == (currency, {"cents": cents})
    totals = {code: each["total"]["cents"] for code, each in shown["currencies"].items()}
    assert totals == {"eur": 200, "usd": 1100}


def test_a_tag_has_one_line_with_its_first_expiry(world):
    give(world, 100, tags="trial", priority=1, expiresIn="48h")
    give(world, 200, tags="trial", priority=1, expiresIn="24h")
    give(world, 300, tags="trial", priority=1)
    give(world, 50, priority=1)
    world.use("1000.5")

    assert breakdown(world)["breakdown"] == {
        "other": {"cents": 50},
        "trial": {
            "cents": 599,
            "centsDecimal": "599.5",
            "expiresAt": "2026-11-22T12:00:00.000Z",
        },
    }
    assert breakdown(world)["total"] == {"cents": 649, "centsDecimal": "649.5"}
    assert balance(world)["balances"] == [
        {"currency": "usd", "available": 649, "availableDecimal": "649.5"}
    ]


def test_credit_for_some_meters_counts_as_credit(world):
    give(world, 100, eligibility=["gpu"], tags="gpu")

    assert balance(world)["balances"] == [{"currency": "usd", "available": 1100}]
    assert breakdown(world)["breakdown"]["gpu"] == {"cents": 100}


def test_what_is_held_expired_voided_or_still_to_come_is_not_available(world):
    world.hold(1000)
    give(world, 100, expiresIn="1h")
    give(world, 200, effectiveAt="2026-11-23T00:00:00Z")
    voided = give(world, 400)["id"]
    world.post(f"/api/v1/billing/credit-grants/{voided}/void", by=ADMIN)
    assert balance(world)["balances"] == [{"currency": "usd", "available": 100}]

    world.wait(hours=1)

    assert balance(world)["balances"] == []


@pytest.mark.parametrize("path", [BALANCE, BREAKDOWN])
def test_whose_credit_it_is_decides_who_sees_it(world, path):
    give(world, 100)
    mine = account_of(ALICE)

    for user in ("alice", mine):
        for by in (ALICE, ADMIN):
            shown = world.get(path, by=by, query={"userId": user})
            assert shown["userId"] == ("acme/alice" if user == "alice" or by == ALICE else mine)
    for by, user, told in (
        (BOB, "alice", (403, "forbidden", None)),
        (BOB, mine, (404, "account_not_found", None)),
        (OTHER_ADMIN, mine, (404, "account_not_found", None)),
        (ALICE, "a b", (422, "invalid_field", "userId")),
    ):
        assert world.refused("GET", path, by=by, query={"userId": user})[:3] == told


def test_an_admins_look_at_an_unknown_user_shows_nothing_and_makes_nothing(world):
    assert balance(world, user="nobody", by=ADMIN)["balances"] == []
    assert breakdown(world, user="nobody", by=ADMIN)["currencies"] == {}
    assert world.items() == []
