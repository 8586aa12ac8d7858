"""A customer's cash, put right by hand: `customer-balance`, `balance-transactions`."""

import pytest

from tests.api.world import BOB, CURSOR, ENTRY_ID, NOON_TEXT, OTHER_ADMIN, account_of
from tests.http.events import ADMIN, ALICE

BALANCE = "/api/v1/billing/customer-balance"
ADJUSTMENTS = "/api/v1/billing/customer-balance/adjustments"
TRANSACTIONS = "/api/v1/billing/balance-transactions"
WRONG_NAMES = ["", " ", "acme/", "a b", "acme/alice/x", "x" * 201]


def balance(world, customer="acme/alice", **query):
    return world.get(BALANCE, by=ADMIN, query={"customerId": customer, **query})


def adjust(world, amount, *, by=ADMIN, customer="acme/alice", key=None, **body):
    body = {"customerId": customer, "amount": amount, **body}
    return world.ask("POST", ADJUSTMENTS, by=by, body=body, key=key)


def listed(world, customer="acme/alice", **query):
    return world.get(TRANSACTIONS, by=ADMIN, query={"customerId": customer, **query})


# --- The balance ----------------------------------------------------------------------------------


def test_a_customers_balance_is_cash_and_no_credit(world):
    world.deposit(2500)
    world.deposit(60, expiresIn=1)

    assert balance(world) == {"customerId": "acme/alice", "currency": "usd", "balance": 2560}


def test_held_cash_is_still_the_customers(world):
    world.deposit(2500)
    world.hold(1700)

    assert balance(world)["balance"] == 2500


def test_a_balance_is_in_one_currency(world):
    world.deposit(500, currency="jpy")

    assert balance(world, currency="JPY") == {
        "customerId": "acme/alice",
        "currency": "jpy",
        "balance": 500,
    }
    assert balance(world)["balance"] == 0


def test_an_exact_balance_stands_beside_the_floor(world):
    world.use("1000.25")

    told = balance(world)

    assert (told["balance"], told["balanceDecimal"]) == (-1, "-0.25")


def test_a_customer_that_nobody_knows_has_nothing_and_is_not_made(world):
    assert balance(world)["balance"] == 0
    assert world.items() == []


def test_a_customer_may_be_named_by_account(world):
    world.deposit(2500)

    told = balance(world, account_of(ALICE))

    assert told == {"customerId": account_of(ALICE), "currency": "usd", "balance": 2500}


# --- Adjustments ----------------------------------------------------------------------------------


def test_an_adjustment_up_is_answered_with_the_transaction(world):
    world.deposit(100)

    answer = adjust(world, 700, description="counted\ntwice")

    assert answer.status == 200
    assert answer.body == {
        "id": ENTRY_ID,
        "customerId": "acme/alice",
        "amount": 700,
        "currency": "usd",
        "type": "adjustment",
        "endingBalance": 800,
        "created": NOON_TEXT,
        "description": "counted\ntwice",
    }
    assert world.cents() == (1800, 0)


def test_an_adjustment_down_takes_cash_below_zero_if_need_be(world):
    world.deposit(100)

    told = adjust(world, -700).body

    assert told == {
        "id": ENTRY_ID,
        "customerId": "acme/alice",
        "amount": -700,
        "currency": "usd",
        "type": "adjustment",
        "endingBalance": -600,
        "created": NOON_TEXT,
    }
    assert balance(world)["balance"] == -600
    # The credit is still there, and pays for the debt on all other surfaces.
    assert world.cents() == (400, 0)


@pytest.mark.parametrize("amount", [-1, 1])
def test_the_smallest_adjustment_is_one(world, amount):
    assert adjust(world, amount).body["endingBalance"] == amount


def test_an_adjustment_of_nothing_is_refused(world):
    body = {"customerId": "acme/alice", "amount": 0}

    refusal = world.refused("POST", ADJUSTMENTS, by=ADMIN, body=body)

    assert refusal == (422, "invalid_field", "amount", {"reason": "must not be 0"})


@pytest.mark.parametrize(("currency", "most"), [("usd", 10**11), ("jpy", 10**9), ("kwd", 10**12)])
@pytest.mark.parametrize("sign", [1, -1])
def test_an_adjustment_moves_no_more_than_an_operation_can(world, currency, most, sign):
    body = {"customerId": "alice", "amount": sign * (most + 1), "currency": currency}

    assert world.refused("POST", ADJUSTMENTS, by=ADMIN, body=body) == (
        422,
        "amount_too_large",
        "amount",
        {},
    )
    assert adjust(world, sign * most, currency=currency).body["endingBalance"] == sign * most


def test_what_was_adjusted_can_be_withdrawn_and_spent(world):
    adjust(world, 700)

    world.post("/api/v1/billing/withdraw", body={"user": "alice", "amount": 700})

    assert balance(world)["balance"] == 0


def test_adjustments_add_up(world):
    endings = [adjust(world, amount).body["endingBalance"] for amount in (700, -200, -600, 50)]

    assert endings == [700, 500, -100, -50]


def test_an_ending_balance_counts_all_cash_and_tells_what_is_not_whole(world):
    world.deposit(60, expiresIn=1)
    world.deposit(100)
    world.use("1000.5")

    told = adjust(world, 10).body

    assert (told["endingBalance"], told["endingBalanceDecimal"]) == (169, "169.5")


def test_an_adjustment_of_a_new_customer_makes_the_account(world):
    adjust(world, 50, customer=" ACME/Alice ")

    assert world.cents() == (1050, 0)


def test_a_second_delivery_adjusts_nothing_and_is_answered_the_same(world):
    first = adjust(world, -700, key="k1")
    adjust(world, 50)
    world.start_anew()
    mark = world.mark()

    again = adjust(world, -700, key="k1")

    assert (again.status, again.text, again.replayed) == (200, first.text, True)
    assert world.written_since(mark) == []
    assert adjust(world, 700, key="k1").refusal[:2] == (422, "idempotency_key_reused")


# --- Transactions ---------------------------------------------------------------------------------


def test_everything_that_changed_cash_is_listed_newest_first(world):
    world.deposit(500, notes="thanks")
    world.deposit(60, expiresIn=1)
    world.post("/api/v1/billing/withdraw", body={"user": "alice", "amount": 50})
    used = world.use(1030)["transactionId"]
    refund = {"user": "alice", "amount": 1010, "originalTransactionId": used}
    world.post("/api/v1/billing/refund", by=ADMIN, body=refund)
    adjust(world, -5, description="mistake")
    hold = world.hold(1100)["id"]
    world.post(f"/v1/billing/holds/{hold}/capture", body={"amount": 1045})
    world.hold(20, expires_in_seconds=60, expiry_policy="capture")
    world.wait(days=1)
    world.wallet()

    shown = listed(world)

    told = [
        (each["type"], each["amount"], each["endingBalance"])
        for each in shown["balanceTransactions"]
    ]
    assert told == [
        ("usage", -20, 420),
        ("usage", -45, 440),
        ("adjustment", -5, 485),
        ("refund", 10, 490),
        ("usage", -30, 480),
        ("withdrawal", -50, 510),
        ("deposit", 60, 560),
        ("deposit", 500, 500),
    ]
    assert shown["count"] == len(told)
    assert sum(amount for _, amount, _ in told) == balance(world)["balance"]


def test_a_transaction_says_all_there_is_of_it(world):
    deposit = world.deposit(500, notes="thanks")["transactionId"]

    assert listed(world) == {
        "balanceTransactions": [
            {
                "id": deposit,
                "customerId": "acme/alice",
                "amount": 500,
                "currency": "usd",
                "type": "deposit",
                "endingBalance": 500,
                "created": NOON_TEXT,
                "description": "thanks",
            }
        ],
        "count": 1,
        "nextCursor": None,
    }


def test_an_adjustment_is_listed_as_it_was_answered(world):
    told = adjust(world, -700, description="mistake").body

    assert listed(world)["balanceTransactions"] == [told]


def test_what_was_paid_with_credit_alone_is_no_transaction_of_cash(world):
    world.use(400)
    world.hold(600)

    assert listed(world)["balanceTransactions"] == []


def test_currencies_are_one_list_or_one_each(world):
    adjust(world, 10)
    world.wait(seconds=1)
    adjust(world, 20, currency="eur")

    def amounts(**query):
        return [each["amount"] for each in listed(world, **query)["balanceTransactions"]]

    assert amounts() == [20, 10]
    assert amounts(currency="usd") == [10]
    assert amounts(currency="jpy") == []


def test_a_page_counts_itself_and_says_where_the_list_goes_on(world):
    for amount in (1, 2, 3):
        adjust(world, amount)

    page = listed(world, limit=2)

    assert (page["count"], page["nextCursor"]) == (2, CURSOR)
    rest = listed(world, limit=2, cursor=page["nextCursor"])
    assert [each["amount"] for each in rest["balanceTransactions"]] == [1]
    assert rest["nextCursor"] is None


def test_without_a_name_it_is_the_callers_own(world):
    adjust(world, 10, customer="acme/root")
    adjust(world, 20)

    shown = world.get(TRANSACTIONS, by=ADMIN)["balanceTransactions"]

    assert [(each["customerId"], each["amount"]) for each in shown] == [("acme/root", 10)]


# --- Who ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path", "asked"),
    [
        ("GET", BALANCE, {"query": {"customerId": "acme/alice"}}),
        ("GET", TRANSACTIONS, {"query": {"customerId": "acme/alice"}}),
        ("GET", TRANSACTIONS, {}),
        ("POST", ADJUSTMENTS, {"body": {"customerId": "acme/alice", "amount": 10}}),
    ],
)
def test_nobody_but_an_admin_of_the_org_may(world, method, path, asked):
    for by in (ALICE, BOB):
        assert world.refused(method, path, by=by, **asked) == (403, "forbidden", None, {})
    if asked:
        refusal = world.refused(method, path, by=OTHER_ADMIN, **asked)
        assert refusal == (404, "account_not_found", None, {})


@pytest.mark.parametrize("name", WRONG_NAMES)
def test_a_name_that_can_be_nobodys_is_refused_as_the_customer(world, name):
    for method, path, asked in (
        ("GET", BALANCE, {"query": {"customerId": name}}),
        ("GET", TRANSACTIONS, {"query": {"customerId": name}}),
        ("POST", ADJUSTMENTS, {"body": {"customerId": name, "amount": 1}}),
    ):
        refusal = world.refused(method, path, by=ADMIN, **asked)
        assert refusal.status in (404, 422)
        assert refusal.status == 404 or refusal.param == "customerId"


def test_a_customer_has_to_be_named(world):
    for method, path, asked in (
        ("GET", BALANCE, {}),
        ("POST", ADJUSTMENTS, {"body": {"amount": 1}}),
    ):
        refusal = world.refused(method, path, by=ADMIN, **asked)
        assert refusal == (422, "invalid_field", "customerId", {"reason": "required"})
