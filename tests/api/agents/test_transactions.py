"""What came in and went out: `GET wallet/transactions`."""

from decimal import Decimal

import pytest

from tests.api.world import BOB, ENTRY_ID, NOON_TEXT
from tests.http.events import ADMIN

TRANSACTIONS = "/api/agents/v1/wallet/transactions"


def listed(world, **query):
    return world.get(TRANSACTIONS, query=query)


def story(world):
    """One of everything that changes a balance, and holds, which do not."""
    world.deposit(500)
    world.deposit(60, expiresIn=1)
    world.post("/api/v1/billing/withdraw", body={"user": "alice", "amount": 50})
    used = world.use(1030)["transactionId"]
    refund = {"user": "alice", "amount": 10, "originalTransactionId": used}
    world.post("/api/v1/billing/refund", by=ADMIN, body=refund)
    hold = world.hold(300)["id"]
    world.post(f"/v1/billing/holds/{hold}/extend", body={"amount": 5})
    world.post(f"/v1/billing/holds/{hold}/capture", body={"amount": 5, "final": False})
    world.post(f"/v1/billing/holds/{hold}/release")
    world.hold(20, expires_in_seconds=60, expiry_policy="capture")
    world.wait(days=1)


def test_a_transaction_says_all_there_is_of_it(world):
    deposit = world.deposit(2500)["transactionId"]

    assert listed(world) == {
        "items": [
            {
                "id": 2,
                "source": "api",
                "transaction_id": deposit,
                "type": "credit",
                "amount": Decimal("25.00"),
                "status": "success",
                "usecase": "wallet_funding",
                "created_at": NOON_TEXT,
            },
            {
                "id": 1,
                "source": "introductory",
                "transaction_id": ENTRY_ID,
                "type": "credit",
                "amount": Decimal("10.00"),
                "status": "success",
                "usecase": "introductory_credit",
                "created_at": NOON_TEXT,
            },
        ],
        "count": 2,
        "total": 2,
        "wallet": {
            "balance": Decimal("35.00"),
            "currency": "USD",
            "total_credited": Decimal("35.00"),
            "amount_used": Decimal("0.00"),
        },
    }


def test_what_changed_the_balance_is_listed_newest_first(world):
    story(world)

    told = [(each["usecase"], each["type"], each["amount"]) for each in listed(world)["items"]]

    assert told == [
        ("usage", "debit", Decimal("0.20")),
        ("expiry", "debit", Decimal("0.15")),
        ("usage", "debit", Decimal("0.05")),
        ("refund", "credit", Decimal("0.10")),
        ("usage", "debit", Decimal("10.30")),
        ("withdrawal", "debit", Decimal("0.50")),
        ("wallet_funding", "credit", Decimal("0.60")),
        ("wallet_funding", "credit", Decimal("5.00")),
        ("introductory_credit", "credit", Decimal("10.00")),
    ]


@pytest.mark.parametrize(("kind", "count"), [("credit", 4), ("debit", 5), (None, 9)])
def test_one_direction_is_counted_and_listed_alone(world, kind, count):
    story(world)

    found = listed(world, **({"type": kind} if kind else {}))

    assert (found["count"], found["total"], len(found["items"])) == (count, count, count)
    assert kind is None or {each["type"] for each in found["items"]} == {kind}


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ({"limit": 2}, [6, 5]),
        ({"limit": 2, "offset": 1}, [5, 4]),
        ({"limit": 200, "offset": 4}, [2, 1]),
        ({"offset": 6}, []),
        ({"offset": 10_000}, []),
    ],
)
def test_a_page_counts_itself_and_tells_the_total(world, query, ids):
    for amount in range(1, 6):
        world.deposit(amount)

    found = listed(world, **query)

    assert [each["id"] for each in found["items"]] == ids
    assert (found["count"], found["total"]) == (len(ids), 6)


def test_fifty_are_shown_unless_more_are_asked_for(world):
    for _ in range(59):
        world.deposit(1)

    assert listed(world)["count"] == 50
    assert listed(world, limit=200)["count"] == 60


def test_holds_count_neither_on_the_page_nor_in_the_total(world):
    for _ in range(3):
        world.post(f"/v1/billing/holds/{world.hold(1)['id']}/release")

    found = listed(world, limit=1)

    assert (found["count"], found["total"]) == (1, 1)
    assert found["items"][0]["id"] == 1


def test_a_deposit_is_found_behind_any_number_of_charges(world):
    world.wallet()
    for _ in range(2001):
        world.use(1)

    found = listed(world, type="credit")

    assert (found["total"], found["count"]) == (1, 1)


@pytest.mark.parametrize("used", [0, "0.0001", "0.5", "99.99", "1200.5"])
def test_what_came_in_less_what_was_used_is_the_balance(world, used):
    story(world)
    world.use(used)

    told = listed(world)["wallet"]

    assert told["total_credited"] - told["amount_used"] == told["balance"]
    assert told["total_credited"] == Decimal("15.70")


@pytest.mark.parametrize(
    ("currency", "amount", "written"), [("jpy", 500, "500"), ("kwd", 1234, "1.234")]
)
def test_amounts_have_the_places_of_their_currency(world, currency, amount, written):
    world.deposit(amount, currency=currency)

    answer = world.ask("GET", TRANSACTIONS, query={"currency": currency})

    assert f'"amount":{written},' in answer.text
    assert f'"total_credited":{written},"amount_used":' in answer.text


def test_everybody_sees_their_own(world):
    world.deposit(2500)

    assert world.get(TRANSACTIONS, by=BOB)["total"] == 1


@pytest.mark.parametrize(
    ("query", "param"),
    [
        ({"type": "refund"}, "type"),
        ({"type": "Credit"}, "type"),
        ({"type": ""}, "type"),
        ({"limit": 0}, "limit"),
        ({"limit": 201}, "limit"),
        ({"limit": "5.0"}, "limit"),
        ({"limit": "١"}, "limit"),
        ({"offset": -1}, "offset"),
        ({"offset": 10_001}, "offset"),
        ({"currency": "usd\n"}, "currency"),
    ],
)
def test_a_wrong_parameter_is_refused_by_name_in_the_envelope(world, query, param):
    world.wallet()

    refusal = world.refused("GET", TRANSACTIONS, query=query)

    assert (refusal.status, refusal.code, refusal.param) == (422, "invalid_field", param)
