"""What is stored today must be readable tomorrow.

`golden_items.json` is one item of each kind, as it stands in tables that are in use. Attributes may
be added here, with a new item beside the old one; none may be renamed, and none may change what it
means.
"""

import json
from pathlib import Path

import pytest

from holdfast.domain.due import WALLET, Due
from holdfast.store import items
from tests.domain.samples import ACCOUNT_ID, TENANT
from tests.store.golden import ENTRIES, RECEIPT, RECEIPT_OF, RECORDS

GOLDEN = json.loads(Path(__file__).with_name("golden_items.json").read_text())


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
    assert items.receipt_to_item(RECEIPT_OF, RECEIPT) == GOLDEN["receipt"]
    assert items.is_receipt(GOLDEN["receipt"])


def test_a_receipt_that_is_stored_can_be_read():
    assert items.to_receipt(GOLDEN["receipt"]) == RECEIPT


def test_there_is_an_item_of_every_kind():
    assert GOLDEN.keys() == {*RECORDS, *ENTRIES, "receipt"}
    assert {type(record) for record in RECORDS.values()} == {kind.type for kind in items.kinds()}


def test_due_wallets_are_found_by_the_keys_that_are_stored():
    # The due index has only these.
    projected = {name: GOLDEN["wallet"][name] for name in ("pk", "sk", "gsi2pk", "gsi2sk")}

    assert items.to_due(projected) == Due(WALLET, TENANT, ACCOUNT_ID, "usd")
