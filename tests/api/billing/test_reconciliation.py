"""The report of a day, as the platform reads it."""

from typing import Any

import pytest

from holdfast.domain.accounts import Tenant
from holdfast.domain.payments import TOPUP
from holdfast.services import payments, reconciliation
from holdfast.services.accounts import system_once
from holdfast.services.payments import Asked
from holdfast.services.refs import owner_of
from tests.api.world import NOON_TEXT, Like, Refusal, World
from tests.http.events import ADMIN, ALICE, PLATFORM

PATH = "/v1/billing/reconciliation"
CENT = 10_000
TEST_PLATFORM = {**PLATFORM, "mode": "test"}
UNKNOWN = Refusal(404, "not_found", "day", {})


def pay(world: World, cents: int, *, mode: str = "live") -> Any:
    """A top-up by card."""
    tenant = Tenant("acme", mode)
    asked = Asked(
        kind=TOPUP,
        amount_micros=cents * CENT,
        currency="usd",
        surface="billing",
        payment_method_id="pm_card_visa",
        is_saved=False,
        off_session=True,
    )
    once = system_once(tenant, f"pay {cents}", world.now)
    owner = owner_of(tenant, "acme/alice")
    return payments.charge(world.store, world.stripes, owner, asked, once=once).payment


def reconciled(world: World, *, mode: str = "live") -> None:
    reconciliation.reconcile(world.store, world.stripes, mode, NOON_TEXT[:10], now=world.now)


def line_of(world: World, payment: Any) -> Any:
    every = world.provider.counter("live").every("balance_transaction")
    return next(line for line in every if line["source"] == payment.charge_id)


def test_a_day_without_a_difference_is_told_in_full(world):
    pay(world, 500)
    world.wait(days=1)
    reconciled(world)

    assert world.get(PATH, by=PLATFORM) == {
        "mode": "live",
        "day": "2026-11-21",
        "final": True,
        "created_at": "2026-11-22T12:00:00.000Z",
        "lines": 1,
        "payments": 1,
        "in_flight": 0,
        "differences_total": 0,
        "differences_open": 0,
        "differences_healed": 0,
        "differences_by_kind": {},
        "totals": [
            {
                "currency": "usd",
                "type": "charge",
                "lines": 1,
                "stripe_amount": 500,
                "ledger_amount": 500,
                "difference": 0,
                "fees": 45,
                "in_flight": 0,
            }
        ],
        "differences": [],
    }


def test_a_cent_is_told_with_all_that_it_is_about(world):
    paid = pay(world, 500)
    line = line_of(world, paid)
    line["amount"] -= 1
    world.wait(days=1)
    reconciled(world)

    shown = world.get(PATH, by=PLATFORM)

    assert shown["differences"] == [
        {
            "kind": "amount",
            "type": "charge",
            "currency": "usd",
            "amount": -1,
            "stripe_amount": 499,
            "ledger_amount": 500,
            "because": None,
            "org": "acme",
            "account_id": paid.account_id,
            "payment_id": paid.id,
            "entry_id": paid.entry_id,
            "line_id": line["id"],
            "stripe_id": paid.payment_intent_id,
            "healed": False,
            "at": NOON_TEXT,
        }
    ]
    assert (shown["differences_total"], shown["differences_open"]) == (1, 1)
    assert shown["differences_by_kind"] == {"amount": 1}
    assert shown["totals"][0]["difference"] == -1


def test_what_is_finer_than_a_cent_is_told_exactly(world):
    paid = pay(world, 500)
    world.use("0.5")
    wallet = next(item for item in world.items() if item["sk"]["S"] == "WALLET#usd")
    more = {"N": str(int(wallet["cash"]["N"]) + 1_250)}
    world.simulator.put_item(TableName="holdfast", Item={**wallet, "cash": more})
    world.start_anew()
    world.wait(days=1)
    reconciled(world)

    (found,) = world.get(PATH, by=PLATFORM)["differences"]

    assert (found["type"], found["because"]) == ("wallet", "balance")
    assert (found["amount"], found["amount_decimal"]) == (-1, "-0.125")
    assert found["ledger_amount_decimal"] == Like(r"\d+\.625")
    assert found["account_id"] == paid.account_id
    assert found["payment_id"] is None
    # The ledger that is looked at after each test is the true one.
    world.simulator.put_item(TableName="holdfast", Item=wallet)


def test_each_mode_has_reports_of_its_own(world):
    pay(world, 500)
    pay(world, 700, mode="test")
    world.wait(days=1)
    for mode in ("live", "test"):
        reconciled(world, mode=mode)

    shown = [world.get(PATH, by=by) for by in (PLATFORM, TEST_PLATFORM)]

    assert [(each["mode"], each["totals"][0]["stripe_amount"]) for each in shown] == [
        ("live", 500),
        ("test", 700),
    ]


def test_a_day_can_be_named(world):
    reconciled(world)
    world.wait(days=3)
    reconciliation.reconcile(world.store, world.stripes, "live", "2026-11-23", now=world.now)

    assert world.get(PATH, by=PLATFORM)["day"] == "2026-11-23"
    assert world.get(PATH, by=PLATFORM, query={"day": "2026-11-21"})["day"] == "2026-11-21"
    assert world.refused("GET", PATH, by=PLATFORM, query={"day": "2026-11-22"}) == UNKNOWN


def test_there_is_nothing_where_no_report_was_made(world):
    assert world.refused("GET", PATH, by=PLATFORM) == UNKNOWN


@pytest.mark.parametrize(
    "day", ["", "today", "2026-11-31", "2026-1-1", "20261121", "2026-11-21T00:00:00Z", "²026-11-21"]
)
def test_what_is_no_day_is_refused_by_name(world, day):
    refusal = world.refused("GET", PATH, by=PLATFORM, query={"day": day})

    assert (refusal.status, refusal.param) == (422, "day")


@pytest.mark.parametrize("by", [ALICE, ADMIN], ids=["a user", "an admin"])
def test_it_is_for_the_platform_alone(world, by):
    reconciled(world)

    assert world.refused("GET", PATH, by=by).code == "forbidden"
