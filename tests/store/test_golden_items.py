"""What is stored today must be readable tomorrow.

`golden_items.json` is one item of each kind, as it stands in tables that are in use. Attributes may
be added here, with a new item beside the old one; none may be renamed, and none may change what it
means.
"""

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from holdfast.domain.accounts import Account
from holdfast.domain.holds import Hold, Job
from holdfast.domain.ledger import Record
from holdfast.domain.lots import CASH, CREDIT, Draw, Lot, Terms
from holdfast.domain.quotes import HeldJob, LineItem, Quote
from holdfast.domain.wallet import Refunded
from holdfast.store import items
from tests.domain.samples import ACCOUNT_ID, HOUR, NOW, TENANT, USAGE, once, wallet

GOLDEN = json.loads(Path(__file__).with_name("golden_items.json").read_text())

GIFT = Terms(kind=CREDIT, granted_at=NOW, expires_at=NOW + HOUR, priority=3, tag="welcome")
STARTER = Terms(kind=CASH, granted_at=NOW, expires_at=NOW + timedelta(days=30))
JOB = Job(job_id="job 1", quote_id="quote_1", provider="braket", device="iqm-garnet", shots=1000)
OPEN = Hold(
    id="hold_01m7y2epp07w4dskvjrqdkimu3_usd",
    account_id=ACCOUNT_ID,
    currency="usd",
    amount_micros=5_000_000,
    draws=(Draw("lot_gift", 1_000_000, GIFT), Draw(CASH, 3_000_000)),
    expires_at=NOW + HOUR,
    created_at=NOW,
    captured_micros=1_000_000,
    expiry_policy="capture",
    over_capture="overdraft",
    overdraft_micros=2_000_000,
    reference="order 17",
    metadata={"team": "größer"},
    updated_at=NOW,
    version=2,
)
CLOSED = replace(
    OPEN,
    draws=(),
    status="captured",
    captured_micros=4_000_000,
    captured_last_micros=3_000_000,
    released_micros=1_000_000,
    expiry_policy="release",
    over_capture="reject",
    overdraft_micros=0,
    metadata=None,
    job=JOB,
    closed_by="ent_aaaaaaaaaaaaaaaaaaaaaaaaaa",
    version=3,
)

RECORDS: dict[str, Record] = {
    "wallet": replace(
        wallet(
            Lot(id="lot_gift", terms=GIFT, remaining_micros=2_500_000, held_micros=1_000_000),
            Lot(id="lot_starter", terms=STARTER, remaining_micros=5_000_000),
            cash=-12_345,
            cash_held=3_000_000,
        ),
        credited_micros=17_500_000,
        credits_count=3,
        debits_count=4,
        hold_due_at=OPEN.expires_at,
        open_from=OPEN.id,
        updated_at=NOW,
    ),
    "wallet with nothing in it": wallet(),
    "hold": OPEN,
    "hold of a job": CLOSED,
    "account": Account(
        tenant=TENANT,
        id=ACCOUNT_ID,
        owner="acme/alice",
        name="acme/alice",
        created_at=NOW,
        version=1,
    ),
    "quote": Quote(
        id="quote_aaaaaaaaaaaaaaaaaaaaaaaaaa",
        account_id=ACCOUNT_ID,
        provider="braket",
        device="iqm-garnet",
        shots=1000,
        tasks=1,
        currency="usd",
        line_items=(
            LineItem(type="task", unit_micros=300_000, quantity=1),
            LineItem(type="shot", unit_micros=1_450, quantity=1000),
        ),
        available_micros=10_000_000,
        created_at=NOW,
        expires_at=NOW + timedelta(minutes=15),
        job_id="job 1",
        used_by="job 1",
        entry_id="ent_aaaaaaaaaaaaaaaaaaaaaaaaaa",
        version=2,
    ),
    "held job": HeldJob(job_id="job 1", account_id=ACCOUNT_ID, hold_id=OPEN.id, version=2),
    "refunded": Refunded(
        entry_id="ent_aaaaaaaaaaaaaaaaaaaaaaaaaa",
        account_id=ACCOUNT_ID,
        refunded_micros=12_345,
        version=2,
    ),
}
ENTRIES = {
    "entry": replace(USAGE, hash="a" * 64, fingerprint="f" * 64),
    "entry of a hold": replace(
        USAGE,
        type="capture",
        held_after_micros=0,
        details={},
        reference=None,
        balance_left_micros=0,
        hold=CLOSED,
        hold_id=CLOSED.id,
        hash="a" * 64,
    ),
}


@pytest.mark.parametrize("kind", RECORDS)
def test_a_record_that_is_stored_can_be_read(kind):
    assert items.to_record(GOLDEN[kind]) == RECORDS[kind]


@pytest.mark.parametrize("kind", ENTRIES)
def test_an_entry_that_is_stored_can_be_read(kind):
    assert items.to_entry(GOLDEN[kind]) == ENTRIES[kind]


@pytest.mark.parametrize("kind", RECORDS)
def test_a_record_is_stored_under_the_names_it_always_had(kind):
    assert items.to_item(TENANT, RECORDS[kind])[1] == GOLDEN[kind]


@pytest.mark.parametrize("kind", ENTRIES)
def test_an_entry_is_stored_under_the_names_it_always_had(kind):
    assert items.entry_to_item(ENTRIES[kind])[1] == GOLDEN[kind]


def test_a_receipt_is_stored_under_the_names_it_always_had():
    assert items.receipt_to_item(once())[1] == GOLDEN["receipt"]
    assert items.is_receipt(GOLDEN["receipt"])


def test_there_is_an_item_of_every_kind():
    assert GOLDEN.keys() == {*RECORDS, *ENTRIES, "receipt"}


def test_due_wallets_are_found_by_the_keys_that_are_stored():
    # The due index has only these.
    projected = {name: GOLDEN["wallet"][name] for name in ("pk", "sk", "gsi2pk", "gsi2sk")}

    assert items.due_wallet(projected) == (TENANT, ACCOUNT_ID, "usd")
