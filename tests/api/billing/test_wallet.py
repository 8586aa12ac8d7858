"""What the caller has: `GET /v1/billing/wallet`."""

import pytest

from tests.api.world import BOB, HOLD_ID, NOON_TEXT, account_of
from tests.http.events import ADMIN, ALICE

WALLET = "/v1/billing/wallet"


def test_a_wallet_counts_credit_and_names_what_is_held(world):
    world.deposit(2500)
    hold = world.hold(700, expires_in_seconds=3600)
    world.use(200)

    assert world.wallet() == {
        "wallet_id": f"{account_of(ALICE)}:usd",
        "currency": "usd",
        "balance_cents": 3300,
        "held_cents": 700,
        "available_cents": 2600,
        "lifetime_credited_cents": 3500,
        "lifetime_spent_cents": 200,
        "updated_at": NOON_TEXT,
        "holds": [
            {
                "hold_id": hold["id"],
                "job_id": None,
                "amount_cents": 700,
                "status": "active",
                "expires_at": "2026-11-21T13:00:00.000Z",
            }
        ],
    }


def test_a_job_that_is_held_is_named(world):
    quote = world.quote()["quote_id"]
    world.post("/v1/billing/hardware/hold", body={"quote_id": quote, "job_id": "job-1"})

    (shown,) = world.wallet()["holds"]

    assert shown == {
        "hold_id": HOLD_ID,
        "job_id": "job-1",
        "amount_cents": 110,
        "status": "active",
        "expires_at": "2026-11-22T12:00:00.000Z",
    }


def test_a_currency_that_the_caller_never_had_has_zeros(world):
    assert world.wallet(currency="JPY") == {
        "wallet_id": f"{account_of(ALICE)}:jpy",
        "currency": "jpy",
        "balance_cents": 0,
        "held_cents": 0,
        "available_cents": 0,
        "lifetime_credited_cents": 0,
        "lifetime_spent_cents": 0,
        "updated_at": None,
        "holds": [],
    }


@pytest.mark.parametrize(("currency", "amount"), [("jpy", 500), ("kwd", 1234), ("usd", 7)])
def test_a_wallet_is_in_the_minor_units_of_its_currency(world, currency, amount):
    world.deposit(amount, currency=currency)

    introductory = 1000 if currency == "usd" else 0
    assert world.cents(currency=currency) == (amount + introductory, 0)


def test_the_holds_of_a_wallet_add_up_to_what_is_held(world):
    world.deposit(2500)
    world.deposit(900, currency="eur")
    world.hold(1)
    part = world.hold(300)["id"]
    world.post(f"/v1/billing/holds/{part}/capture", body={"amount": 120, "final": False})
    world.hold(900, currency="eur")
    world.hold(200, expires_in_seconds=60)
    for closing in ("release", "capture"):
        closed = world.hold(50)["id"]
        body = {"amount": 20} if closing == "capture" else {}
        world.post(f"/v1/billing/holds/{closed}/{closing}", body=body)
    world.wait(seconds=60)

    found = world.wallet()

    assert sorted(hold["amount_cents"] for hold in found["holds"]) == [1, 180]
    assert found["held_cents"] == 181
    assert found["balance_cents"] == 3500 - 120 - 20


def test_more_holds_than_a_page_has_still_add_up(world):
    for _ in range(105):
        world.hold(1)

    found = world.wallet()

    assert sum(hold["amount_cents"] for hold in found["holds"]) == found["held_cents"] == 105


def test_holds_come_newest_first(world):
    ids = []
    for _ in range(3):
        ids.append(world.hold(1)["id"])
        world.wait(seconds=1)

    assert [hold["hold_id"] for hold in world.wallet()["holds"]] == ids[::-1]


def test_a_hold_frees_its_money_at_its_time_without_any_schedule(world):
    world.hold(700, expires_in_seconds=60)

    world.wait(seconds=60, milliseconds=-1)
    assert world.cents() == (1000, 700)

    world.wait(milliseconds=1)
    assert world.cents() == (1000, 0)
    assert world.wallet()["holds"] == []


def test_a_hold_that_captures_at_its_time_has_taken_its_money(world):
    world.hold(700, expires_in_seconds=60, expiry_policy="capture")

    world.wait(seconds=60)

    assert world.cents() == (300, 0)
    assert world.wallet()["lifetime_spent_cents"] == 700


def test_what_expired_counts_as_gone(world):
    world.deposit(500, expiresIn=1)
    world.wait(days=1)

    found = world.wallet()

    assert (found["balance_cents"], found["lifetime_credited_cents"]) == (1000, 1500)
    assert found["lifetime_spent_cents"] == 500


def test_a_debt_is_shown(world):
    world.use(1200)

    found = world.wallet()

    assert (found["balance_cents"], found["available_cents"]) == (-200, -200)


def test_amounts_that_are_not_whole_are_floored_and_stand_beside_it_exactly(world):
    world.post("/v1/billing/holds", body={"amount_decimal": "0.5"})
    world.post("/v1/billing/holds", body={"amount_decimal": "100.25"})
    world.use("0.125")

    found = world.wallet()

    exact = {name: text for name, text in found.items() if name.endswith("_decimal")}
    assert exact == {
        "balance_cents_decimal": "999.875",
        "held_cents_decimal": "100.75",
        "available_cents_decimal": "899.125",
        "lifetime_spent_cents_decimal": "0.125",
    }
    assert found["balance_cents"] == 999
    assert found["available_cents"] == 899
    assert sorted(hold["amount_cents_decimal"] for hold in found["holds"]) == ["0.5", "100.25"]


def test_everybody_sees_their_own_wallet_alone(world):
    world.deposit(2500)

    assert world.cents(by=BOB) == (1000, 0)
    assert world.cents(by=ADMIN) == (1000, 0)
    assert world.wallet(by=BOB)["wallet_id"] == f"{account_of(BOB)}:usd"


def test_a_look_writes_nothing_once_the_account_is_there(world):
    world.wallet()
    mark = world.mark()

    world.wallet()
    world.wallet(currency="eur")

    assert world.written_since(mark) == []
