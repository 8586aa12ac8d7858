"""The statement and its chain: `GET entries`, `GET entries/{id}`, `GET ledger/head`."""

import json
from decimal import Decimal
from hashlib import sha256

import pytest

from holdfast.verify import verify
from tests.api.world import BOB, ENTRY_ID, HASH, LOT_ID, NOON_TEXT, account_of
from tests.http.events import ADMIN, ALICE

ENTRIES = "/v1/billing/entries"
HEAD = "/v1/billing/ledger/head"
GENESIS = "0" * 64


def entries(world, **query):
    return world.get(ENTRIES, query=query)["data"]


def canonical(shown):
    return json.dumps(shown, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def busy(world):
    """A wallet in which everything has happened."""
    world.deposit(500, tags="topup", notes="ünïcode")
    world.deposit(400, expiresIn=1)
    world.post("/api/v1/billing/withdraw", body={"user": "alice", "amount": 50})
    used = world.use("1030.5", model="m1", premium=True)["transactionId"]
    refund = {"user": "alice", "amount": 10, "originalTransactionId": used}
    world.post("/api/v1/billing/refund", by=ADMIN, body=refund)
    hold = world.hold(300, reference="r-1")["id"]
    world.post(f"/v1/billing/holds/{hold}/extend", body={"amount": 5})
    world.post(f"/v1/billing/holds/{hold}/capture", body={"amount": 100, "final": False})
    world.post(f"/v1/billing/holds/{hold}/release", body={})
    world.hold(20, expires_in_seconds=60)
    world.wait(days=1)
    world.wallet()
    world.use(10_000)


def test_an_entry_says_all_there_is_of_it(world):
    deposit = world.deposit(2500, tags="topup", notes="n")["transactionId"]

    newest, oldest = entries(world)

    assert newest == {
        "id": deposit,
        "account_id": account_of(ALICE),
        "seq": 2,
        "type": "deposit",
        "amount": 2500,
        "currency": "usd",
        "balance_after": 3500,
        "held_after": 0,
        "postings": [
            {"account": "deposits", "amount": -2500},
            {"account": "wallet", "amount": 2500},
        ],
        "lots": [{"id": "cash", "amount": 2500}],
        "reference": None,
        "source": "api",
        "details": {"tags": "topup", "notes": "n"},
        "created_at": NOON_TEXT,
        "prev": oldest["hash"],
        "hash": HASH,
    }
    assert oldest == {
        "id": ENTRY_ID,
        "account_id": account_of(ALICE),
        "seq": 1,
        "type": "introductory_credit",
        "amount": 1000,
        "currency": "usd",
        "balance_after": 1000,
        "held_after": 0,
        "postings": [
            {"account": "credit", "amount": 1000},
            {"account": "promotions", "amount": -1000},
        ],
        "lots": [{"id": LOT_ID, "amount": 1000}],
        "reference": None,
        "source": "introductory",
        "details": {"tags": "introductory"},
        "created_at": NOON_TEXT,
        "prev": GENESIS,
        "hash": HASH,
    }


def test_the_entry_of_a_hold_names_it(world):
    hold = world.hold(300, reference="r-1")

    newest, oldest = entries(world)

    assert newest == {
        "id": ENTRY_ID,
        "account_id": account_of(ALICE),
        "seq": 2,
        "type": "hold",
        "amount": 300,
        "currency": "usd",
        "balance_after": 1000,
        "held_after": 300,
        "postings": [
            {"account": "credit", "amount": -300},
            {"account": "held_credit", "amount": 300},
        ],
        "lots": [{"id": oldest["lots"][0]["id"], "amount": 300}],
        "reference": "r-1",
        "source": "api",
        "details": {},
        "hold_id": hold["id"],
        "created_at": NOON_TEXT,
        "prev": oldest["hash"],
        "hash": HASH,
    }


def test_amounts_that_are_not_whole_stand_beside_it_exactly(world):
    world.deposit(1)
    world.use("1000.25")

    shown = entries(world)[0]

    assert (shown["amount"], shown["amount_decimal"]) == (1000, "1000.25")
    assert (shown["balance_after"], shown["balance_after_decimal"]) == (0, "0.75")
    assert "held_after_decimal" not in shown
    assert shown["postings"] == [
        {"account": "credit", "amount": -1000},
        {"account": "revenue", "amount": 1000, "amount_decimal": "1000.25"},
        {"account": "wallet", "amount": -1, "amount_decimal": "-0.25"},
    ]
    assert shown["lots"][1] == {"id": "cash", "amount": 0, "amount_decimal": "0.25"}


def test_a_statement_tells_everything_that_happened(world):
    busy(world)

    assert [entry["type"] for entry in entries(world, limit=100)][::-1] == [
        "introductory_credit",
        "deposit",
        "deposit",
        "withdrawal",
        "usage",
        "refund",
        "hold",
        "extension",
        "capture",
        "release",
        "hold",
        "lot_expiry",
        "hold_expiry",
        "lot_expiry",
        "usage",
    ]


def test_the_postings_of_every_entry_add_up_to_nothing(world):
    busy(world)

    for entry in entries(world, limit=100):
        exact = [
            Decimal(posting.get("amount_decimal", posting["amount"]))
            for posting in entry["postings"]
        ]
        assert sum(exact) == 0, entry


def test_every_entry_is_chained_to_the_one_before_and_the_head_is_the_last(world):
    busy(world)

    told = entries(world, limit=100)[::-1]

    assert [entry["seq"] for entry in told] == list(range(1, 16))
    assert [entry["prev"] for entry in told] == [GENESIS, *(entry["hash"] for entry in told[:-1])]
    for entry in told:
        hashed = {name: value for name, value in entry.items() if name != "hash"}
        assert sha256(canonical(hashed)).hexdigest() == entry["hash"]
    assert world.get(HEAD) == {
        "account_id": account_of(ALICE),
        "currency": "usd",
        "seq": 15,
        "head": told[-1]["hash"],
    }


def pages(world, limit):
    page = world.get(ENTRIES, query={"limit": limit})
    yield page["data"]
    while page["has_more"]:
        page = world.get(ENTRIES, query={"limit": limit, "cursor": page["next_cursor"]})
        yield page["data"]


def test_what_is_read_page_by_page_verifies_offline(world):
    busy(world)
    lines = [canonical(entry) for page in pages(world, 4) for entry in page]

    report = verify(lines, head=world.get(HEAD)["head"])

    assert (report.entries, report.broken) == (15, ())


def test_a_wallet_that_is_empty_has_no_head_yet(world):
    assert world.get(HEAD, query={"currency": "EUR"}) == {
        "account_id": account_of(ALICE),
        "currency": "eur",
        "seq": 0,
        "head": GENESIS,
    }
    assert world.get(ENTRIES, query={"currency": "eur"}) == {
        "data": [],
        "has_more": False,
        "next_cursor": None,
    }


def test_each_entry_can_be_read_by_its_id(world):
    busy(world)

    for entry in entries(world, limit=100):
        assert world.get(f"{ENTRIES}/{entry['id']}") == entry


def test_an_entry_of_somebody_else_is_as_unknown_as_none(world):
    theirs = world.deposit(2500, user="acme/alice")["transactionId"]
    world.wallet(by=BOB)

    for by in (BOB, ADMIN):
        world.wallet(by=by)
        foreign = world.refused("GET", f"{ENTRIES}/{theirs}", by=by)
        unknown = world.refused("GET", f"{ENTRIES}/ent_{'a' * 26}", by=by)
        assert foreign == unknown == (404, "entry_not_found", None, {})


@pytest.mark.parametrize("name", ["x", "acct_1", "..", "a%23b", "ent_%00", "%2e%2e", "x" * 200])
def test_what_can_be_no_id_is_unknown(world, name):
    refusal = world.refused("GET", f"{ENTRIES}/{name}")

    assert refusal.status == 404


def test_a_quote_is_no_entry_though_its_key_is_used_up(world):
    quote = world.quote()["quote_id"]

    refusal = world.refused("GET", f"{ENTRIES}/{quote.replace('quote_', 'ent_')}")

    assert refusal.code == "entry_not_found"


@pytest.mark.parametrize(
    ("query", "amounts"),
    [
        ({"from": "2026-11-21T12:00:02Z"}, [3, 2]),
        ({"from": "2026-11-21T12:00:02.001Z"}, [3]),
        ({"to": "2026-11-21T12:00:02Z"}, [1, 1000]),
        ({"to": "2026-11-21T12:00:02.001Z"}, [2, 1, 1000]),
        ({"from": "2026-11-21T12:00:01Z", "to": "2026-11-21T12:00:03Z"}, [2, 1]),
        ({"from": "2026-11-21T14:00:01+02:00", "to": "2026-11-21T12:00:02z"}, [1]),
        ({"from": "2026-11-21T12:00:02Z", "to": "2026-11-21T12:00:02Z"}, []),
        ({"from": "2026-11-21T12:00:03Z", "to": "2026-11-21T12:00:01Z"}, []),
        ({"from": "0001-01-01T00:00:00Z"}, [3, 2, 1, 1000]),
        ({"from": "9999-12-31T23:59:59Z"}, []),
        ({"to": "0001-01-01T00:00:00Z"}, []),
    ],
)
def test_a_statement_may_begin_and_end_at_an_instant(world, query, amounts):
    world.wallet()
    for amount in (1, 2, 3):
        world.wait(seconds=1)
        world.deposit(amount)

    assert [entry["amount"] for entry in entries(world, **query)] == amounts


@pytest.mark.parametrize("name", ["from", "to"])
@pytest.mark.parametrize(
    "text",
    ["", "yesterday", "2026-11-21", "2026-11-21T12:00:00", "2026-02-30T12:00:00Z", "1763726400",
     "2026-11-21 12:00:00Z", "2026-11-21T25:00:00Z", "0001-01-01T00:00:00+14:00", "null"],
)  # fmt: skip
def test_an_instant_is_written_as_rfc_3339_says(world, name, text):
    world.wallet()

    refusal = world.refused("GET", ENTRIES, query={name: text})

    assert (refusal.status, refusal.code, refusal.param) == (422, "invalid_field", name)
