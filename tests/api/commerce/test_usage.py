"""Work that was done: `POST usage` and `GET usage`."""

import pytest

from tests.api.world import CURSOR, ENTRY_ID, NOON_TEXT
from tests.http.events import ADMIN

USAGE = "/api/v1/billing/usage"


def use(world, **body):
    return world.ask("POST", USAGE, by=ADMIN, body={"user": "acme/alice", **body})


def wrong(world, **body):
    refusal = world.refused("POST", USAGE, by=ADMIN, body={"user": "acme/alice", **body})
    assert (refusal.status, refusal.code) == (422, "invalid_field")
    return refusal.param


def listed(world, **query):
    return world.get(USAGE, by=ADMIN, query={"user": "acme/alice", **query})


def test_usage_is_answered_with_the_charge(world):
    answer = use(world, amount=250)

    assert answer.status == 201
    assert answer.body == {
        "transactionId": ENTRY_ID,
        "user": "acme/alice",
        "amount": 250,
        "currency": "usd",
        "type": "withdraw",
    }
    assert world.cents() == (750, 0)


def test_whatever_else_is_told_of_the_work_is_kept_as_metadata(world):
    told = {
        "model": "large-4",
        "provider": "acme-ai",
        "promptTokens": 1200,
        "completionTokens": 0,
        "totalTokens": 1200,
        "requestId": "req-1",
        "premium": True,
        "stream": False,
        "status": "ok",
        "clientIp": "192.0.2.1",
    }

    charged = use(world, amount=250, **told).body

    assert listed(world) == {
        "user": "acme/alice",
        "count": 1,
        "usage": [
            {
                "transactionId": charged["transactionId"],
                "amount": 250,
                "currency": "usd",
                "notes": None,
                "metadata": told,
                "createdAt": NOON_TEXT,
            }
        ],
        "nextCursor": None,
    }


@pytest.mark.parametrize(
    "amount",
    [{"amount": 0}, {"amount": -1}, {"amount": -(10**30)}, {}, {"amountDecimal": "0"},
     {"amountDecimal": "-0.5"}],
    ids=["nothing", "less than nothing", "far less", "no amount", "exactly 0", "exactly less"],
)  # fmt: skip
def test_work_that_cost_nothing_is_skipped(world, amount):
    answer = use(world, **amount)

    assert answer.status == 200
    assert answer.body == {"user": "acme/alice", "amount": 0, "status": "skipped"}
    assert world.items() == []


@pytest.mark.parametrize(
    ("currency", "exact", "whole", "left"),
    [
        ("usd", "0.0001", 0, "99.9999"),
        ("usd", "0.0125", 0, "99.9875"),
        ("usd", "12.5", 12, "87.5"),
        ("jpy", "0.0001", 0, "99.9999"),
        ("jpy", "99.9999", 99, "0.0001"),
        ("kwd", "0.001", 0, "99.999"),
        ("kwd", "1.5", 1, "98.5"),
    ],
)
def test_an_exact_amount_is_charged_to_its_last_place(world, currency, exact, whole, left):
    world.deposit(100, currency=currency)
    world.use(1000)

    charged = use(world, amountDecimal=exact, currency=currency).body

    assert (charged["amount"], charged["amountDecimal"]) == (whole, exact)
    entry = world.get("/v1/billing/entries", query={"currency": currency})["data"][0]
    assert entry["balance_after_decimal"] == left


def test_a_thousandth_ten_thousand_times_is_ten(world):
    for _ in range(200):
        use(world, amountDecimal="0.05")

    assert world.cents() == (990, 0)
    assert listed(world, limit=1)["usage"][0]["amountDecimal"] == "0.05"


def test_an_exact_amount_that_is_whole_needs_no_decimals(world):
    charged = use(world, amountDecimal="12.0").body

    assert charged["amount"] == 12
    assert "amountDecimal" not in charged


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"amountDecimal": "0.00001"}, "amountDecimal"),
        ({"amountDecimal": "1.50000"}, "amountDecimal"),
        ({"amountDecimal": "0.0001", "currency": "kwd"}, "amountDecimal"),
        ({"amountDecimal": "1e2"}, "amountDecimal"),
        ({"amountDecimal": "١"}, "amountDecimal"),
        ({"amountDecimal": "NaN"}, "amountDecimal"),
        ({"amountDecimal": "1,5"}, "amountDecimal"),
        ({"amountDecimal": " 1"}, "amountDecimal"),
        ({"amountDecimal": "+1"}, "amountDecimal"),
        ({"amountDecimal": ""}, "amountDecimal"),
        ({"amountDecimal": "1", "amount": 1}, "amountDecimal"),
    ],
)
def test_an_exact_amount_is_a_plain_number_of_at_most_four_decimals(world, body, param):
    assert wrong(world, **body) == param


@pytest.mark.parametrize(
    ("amount", "overdrawn"), [(1250, False), (1251, True)], ids=["all there is", "a cent more"]
)
def test_usage_below_zero_is_charged_and_says_so(world, amount, overdrawn):
    world.deposit(250)

    charged = use(world, amount=amount)

    assert charged.status == 201
    assert charged.body.get("overdrawn", False) is overdrawn
    assert world.cents() == (1250 - amount, 0)


def test_held_money_is_not_there_for_usage(world):
    world.hold(1000)

    assert use(world, amount=1).body["overdrawn"] is True
    assert world.cents() == (999, 1000)


def test_usage_draws_credit_first_then_what_expires_then_plain_cash(world):
    world.deposit(300)
    world.deposit(200, expiresIn=1)

    use(world, amount=1250)

    lots = world.get("/v1/billing/entries")["data"][0]["lots"]
    assert [lot["amount"] for lot in lots] == [1000, 200, 50]
    assert lots[2]["id"] == "cash"


def test_the_first_usage_makes_the_account(world):
    use(world, user="acme/new", amount=1)

    transactions = world.get(
        "/api/v1/billing/transactions", by=ADMIN, query={"user": "acme/new", "currency": "usd"}
    )
    assert [each["amount"] for each in transactions["transactions"]] == [1, 1000]


@pytest.mark.parametrize(
    ("request_id", "is_key"),
    [("r" * 255, True), ("r" * 256, False), ("", False), ("a b", False), ("ü", False)],
)
def test_a_request_id_is_a_key_and_has_the_form_of_one(world, request_id, is_key):
    if is_key:
        assert use(world, amount=1, requestId=request_id).status == 201
        return

    refusal = world.refused(
        "POST", USAGE, by=ADMIN, body={"user": "acme/alice", "amount": 1, "requestId": request_id}
    )
    assert (refusal.status, refusal.code) == (422, "idempotency_key_invalid")


def test_a_request_id_is_the_reference_of_the_entry(world):
    charged = use(world, amount=1, requestId="req-1").body["transactionId"]

    assert world.get(f"/v1/billing/entries/{charged}")["reference"] == "req-1"


@pytest.mark.parametrize(
    "request_id",
    ["r" * 256, "r" * 240_000, "nul\0", "line\nfeed", ""],
    ids=["one too long", "as long as a body", "nul", "a line feed", "empty"],
)
def test_a_request_id_beside_the_header_has_the_same_form(world, request_id):
    body = {"user": "acme/alice", "amount": 1, "requestId": request_id}

    refusal = world.refused("POST", USAGE, by=ADMIN, body=body, key="k1")

    assert refusal.status == 422


def test_usage_of_one_currency_or_of_all_is_listed_newest_first(world):
    for number, currency in enumerate(["usd", "eur", "usd", "jpy"], start=1):
        use(world, amount=number, currency=currency)
        world.wait(seconds=1)
    world.deposit(7)

    everything = listed(world)
    dollars = listed(world, currency="USD")

    assert [(each["amount"], each["currency"]) for each in everything["usage"]] == [
        (4, "jpy"),
        (3, "usd"),
        (2, "eur"),
        (1, "usd"),
    ]
    assert [each["amount"] for each in dollars["usage"]] == [3, 1]
    assert (everything["count"], dollars["count"]) == (4, 2)


def test_a_page_of_usage_says_where_the_list_goes_on(world):
    use(world, amount=1)
    use(world, amount=2)

    first = listed(world, limit=1)

    assert first["nextCursor"] == CURSOR
    assert first["count"] == 1
    assert [each["amount"] for each in first["usage"]] == [2]


def test_nobodys_usage_is_an_empty_list(world):
    assert listed(world, user="acme/nobody") == {
        "user": "acme/nobody",
        "count": 0,
        "usage": [],
        "nextCursor": None,
    }
    assert world.items() == []
