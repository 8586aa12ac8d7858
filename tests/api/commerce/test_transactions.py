"""What happened in a user's wallets: `GET transactions`."""

import pytest

from tests.api.world import BOB, CURSOR, ENTRY_ID, NOON_TEXT, account_of
from tests.http.events import ADMIN, ALICE

TRANSACTIONS = "/api/v1/billing/transactions"


def listed(world, *, by=ALICE, **query):
    return world.get(TRANSACTIONS, by=by, query={"user": "acme/alice", **query})


def story(world):
    """One of everything that can happen, each a second after the other."""
    world.deposit(500, notes="n", tags="topup")
    world.wait(seconds=1)
    world.deposit(60, tags="promo", expiresIn=1)
    world.wait(seconds=1)
    world.post(
        "/api/v1/billing/withdraw", body={"user": "alice", "amount": 50, "notes": "out"}
    )  # fmt: skip
    world.wait(seconds=1)
    used = world.use(30, model="m1")
    world.wait(seconds=1)
    refund = {"user": "alice", "amount": 10, "originalTransactionId": used["transactionId"]}
    world.post("/api/v1/billing/refund", by=ADMIN, body=refund)
    world.wait(seconds=1)
    hold = world.hold(300)["id"]
    world.wait(seconds=1)
    world.post(f"/v1/billing/holds/{hold}/extend", body={"amount": 5})
    world.wait(seconds=1)
    world.post(f"/v1/billing/holds/{hold}/capture", body={"amount": 100, "final": False})
    world.wait(seconds=1)
    world.post(f"/v1/billing/holds/{hold}/release", body={})


def test_everything_that_happened_is_listed_newest_first(world):
    story(world)

    found = listed(world, currency="usd")

    assert (found["user"], found["count"], found["nextCursor"]) == ("acme/alice", 10, None)
    assert [(each["type"], each["amount"]) for each in found["transactions"]] == [
        ("hold-removed", 205),
        ("withdraw", 100),
        ("hold", 5),
        ("hold", 300),
        ("deposit", 10),
        ("withdraw", 30),
        ("withdraw", 50),
        ("deposit", 60),
        ("deposit", 500),
        ("deposit", 1000),
    ]


@pytest.mark.parametrize(
    ("place", "shown"),
    [
        (3, {"type": "hold", "amount": 300, "createdAt": "2026-11-21T12:00:05.000Z"}),
        (
            4,
            {
                "type": "deposit",
                "amount": 10,
                "tags": "refund",
                "createdAt": "2026-11-21T12:00:04.000Z",
            },
        ),
        (
            5,
            {
                "type": "withdraw",
                "amount": 30,
                "tags": "api-usage",
                "metadata": {"model": "m1"},
                "createdAt": "2026-11-21T12:00:03.000Z",
            },
        ),
        (
            6,
            {
                "type": "withdraw",
                "amount": 50,
                "notes": "out",
                "createdAt": "2026-11-21T12:00:02.000Z",
            },
        ),
        (
            8,
            {
                "type": "deposit",
                "amount": 500,
                "tags": "topup",
                "notes": "n",
                "createdAt": NOON_TEXT,
            },
        ),
        (
            9,
            {
                "type": "deposit",
                "amount": 1000,
                "tags": "introductory",
                "createdAt": NOON_TEXT,
            },
        ),
    ],
    ids=["a hold", "a refund", "usage", "a withdrawal", "a deposit", "the introductory credit"],
)
def test_a_transaction_says_all_there_is_of_it(world, place, shown):
    story(world)

    assert listed(world, currency="usd")["transactions"][place] == {
        "id": ENTRY_ID,
        "currency": "usd",
        **shown,
    }


def test_a_deposit_that_expires_says_until_when_and_stays_listed(world):
    world.deposit(60, tags="promo", notes="n", expiresIn=1)
    world.wait(days=2)

    found = listed(world, currency="usd")["transactions"]

    assert found[1] == {
        "id": ENTRY_ID,
        "type": "deposit",
        "amount": 60,
        "currency": "usd",
        "tags": "promo",
        "notes": "n",
        "createdAt": NOON_TEXT,
        "expiresAt": "2026-11-22T12:00:00.000Z",
    }
    assert (found[0]["type"], found[0]["amount"]) == ("withdraw", 60)


def test_all_currencies_are_one_list_unless_one_is_asked_for(world):
    for amount, currency in enumerate(["usd", "eur", "jpy", "eur"], start=1):
        world.wait(seconds=1)
        world.deposit(amount, currency=currency)

    both = listed(world)
    euros = listed(world, currency="EUR")

    assert [(each["amount"], each["currency"]) for each in both["transactions"]] == [
        (4, "eur"),
        (3, "jpy"),
        (2, "eur"),
        (1, "usd"),
        (1000, "usd"),
    ]
    assert both["count"] == 5
    assert [each["amount"] for each in euros["transactions"]] == [4, 2]
    assert euros["count"] == 2


@pytest.mark.parametrize(
    ("query", "amounts"),
    [
        ({"limit": 2}, [5, 4]),
        ({"limit": 2, "offset": 1}, [4, 3]),
        ({"limit": 2, "offset": 5}, [1000]),
        ({"limit": 2, "offset": 6}, []),
        ({"limit": 2, "offset": 10_000}, []),
        ({"offset": 0}, [5, 4, 3, 2, 1, 1000]),
    ],
)
@pytest.mark.parametrize("currency", [{}, {"currency": "usd"}], ids=["all", "one"])
def test_a_page_may_begin_further_down(world, query, amounts, currency):
    for amount in range(1, 6):
        world.wait(seconds=1)
        world.deposit(amount)

    found = listed(world, **query, **currency)

    assert [each["amount"] for each in found["transactions"]] == amounts
    assert found["count"] == 6


def test_a_page_says_where_the_list_goes_on(world):
    world.deposit(1)

    assert listed(world, limit=1)["nextCursor"] == CURSOR
    assert listed(world, limit=2)["nextCursor"] is None


def test_an_amount_that_is_not_whole_is_floored_and_stands_beside_it_exactly(world):
    world.use("0.0125")

    found = listed(world)["transactions"][0]

    assert (found["amount"], found["amountDecimal"]) == (0, "0.0125")


@pytest.mark.parametrize("name", ["alice", " ACME/Alice ", account_of(ALICE)])
def test_users_see_their_own_however_they_write_it(world, name):
    world.deposit(5)

    assert listed(world, user=name)["count"] == 2


def test_an_admin_sees_the_transactions_of_its_org(world):
    world.deposit(5)

    assert listed(world, by=ADMIN)["count"] == 2
    assert listed(world, by=ADMIN, user=account_of(ALICE))["user"] == account_of(ALICE)


def test_somebody_elses_transactions_are_not_for_users(world):
    world.deposit(5)

    refusal = world.refused("GET", TRANSACTIONS, by=BOB, query={"user": "acme/alice"})

    assert refusal == (403, "forbidden", None, {})


def test_nobodys_transactions_are_an_empty_list_and_make_nobody(world):
    assert listed(world, by=ADMIN, user="acme/nobody") == {
        "user": "acme/nobody",
        "count": 0,
        "transactions": [],
        "nextCursor": None,
    }
    assert world.items() == []
