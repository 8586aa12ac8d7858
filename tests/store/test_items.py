from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.domain.due import WALLET, Due
from holdfast.domain.entries import chain_hash
from holdfast.domain.holds import Hold, capture_hold, place_hold
from holdfast.domain.ledger import Wallet
from holdfast.store import items
from holdfast.store.items import Receipt
from tests.domain.samples import TENANT, USAGE, credit, hold, once, wallet
from tests.simulator.client import Simulator
from tests.store import records

TABLE = "holdfast"


def stored(item):
    """The item as the table gives it back, which also says whether the table would take it."""
    simulator = Simulator()
    simulator.put_item(TableName=TABLE, Item=item)
    key = {name: item[name] for name in ("pk", "sk")}
    return simulator.get_item(TableName=TABLE, Key=key, ConsistentRead=True)["Item"]


@settings(max_examples=40)
@pytest.mark.parametrize("kind", records.KINDS.values(), ids=records.KINDS)
@given(data=st.data())
def test_a_record_comes_back_as_it_was_stored(kind, data):
    record = data.draw(kind)
    tenant = getattr(record, "tenant", None) or data.draw(records.tenants)

    key, item = items.to_item(tenant, record)

    assert items.to_record(stored(item)) == record
    assert item["version"] == {"N": str(record.version)}
    assert (item["pk"], item["sk"]) == ({"S": key.pk}, {"S": key.sk})


@settings(max_examples=60)
@given(entry=records.entries())
def test_an_entry_comes_back_as_it_was_stored(entry):
    key, item = items.entry_to_item(entry)

    found = items.to_entry(stored(item))

    assert found == entry
    assert chain_hash(found) == chain_hash(entry)
    assert items.is_entry(item)
    assert not items.is_receipt(item)
    assert (item["pk"], item["sk"]) == ({"S": key.pk}, {"S": key.sk})


def test_the_entry_that_places_a_hold_says_its_draws_once():
    before = wallet(credit("lot_1", 40), credit("lot_2", 30), cash=100)
    entry = place_hold(before, hold(100), once("hold")).entry

    _, item = items.entry_to_item(entry)

    found = items.to_entry(stored(item))
    assert "draws" not in item["hold"]["M"]
    assert found == entry
    assert found.hold is not None
    assert [draw.amount_micros for draw in found.hold.draws] == [40, 30, 30]


def test_a_capture_that_takes_what_it_leaves_keeps_both_apart():
    before = wallet(cash=100)
    placed = place_hold(before, hold(100), once("hold"))
    after, held = (change.after for change in placed.changes)
    assert isinstance(after, Wallet)
    assert isinstance(held, Hold)
    entry = capture_hold(after, held, once("capture"), amount_micros=50, final=False).entry

    _, item = items.entry_to_item(entry)

    found = items.to_entry(stored(item))
    assert found == entry
    assert found.hold is not None
    assert found.hold.remaining_micros == 50


def test_a_receipt_stands_where_the_entry_of_its_request_would():
    item = items.receipt_to_item(once("order 17"), Receipt("f" * 64, "first", wallet(cash=5)))

    assert item["pk"]["S"] == f"ENTRY#acme/live#{once('order 17').entry_id}"
    assert items.is_receipt(item)
    assert not items.is_entry(item)


@settings(max_examples=40)
@pytest.mark.parametrize("kind", records.KINDS.values(), ids=records.KINDS)
@given(data=st.data())
def test_a_receipt_keeps_the_record_that_was_the_answer_whatever_its_kind(kind, data):
    answer = data.draw(kind)
    tenant = getattr(answer, "tenant", None) or data.draw(records.tenants)
    asked = replace(once(), tenant=tenant)
    receipt = Receipt("f" * 64, "first", answer)

    assert items.to_receipt(stored(items.receipt_to_item(asked, receipt))) == receipt


@pytest.mark.parametrize(
    "item",
    [
        items.to_item(TENANT, wallet())[1],
        items.to_item(TENANT, hold(5))[1],
    ],
    ids=["a wallet", "a hold"],
)
def test_a_record_is_neither_an_entry_nor_a_receipt(item):
    assert not items.is_entry(item)
    assert not items.is_receipt(item)


def test_only_a_wallet_in_which_something_may_expire_is_in_the_due_index():
    _, never = items.to_item(TENANT, wallet(credit("gift", 1)))
    _, some_day = items.to_item(TENANT, wallet(credit("gift", 1, until=once().now)))

    assert not {"gsi2pk", "gsi2sk"} & never.keys()
    assert some_day["gsi2sk"]["S"].startswith("2026-11-21T03:30:00.000Z#acme/live#")
    assert items.to_due(some_day) == Due(WALLET, TENANT, wallet().account_id, "usd")


def test_every_kind_of_record_has_its_random_ones():
    kinds = items.kinds()

    assert len(records.KINDS) == len(kinds) == len({kind.type for kind in kinds})


def test_only_the_hold_of_a_job_is_in_the_list_of_jobs():
    _, plain = items.to_item(TENANT, hold(5))

    assert "gsi1pk" not in plain


def test_an_entry_is_in_the_statement_under_its_number():
    _, item = items.entry_to_item(USAGE)

    assert item["gsi1pk"]["S"] == f"STMT#acme/live#{USAGE.account_id}#usd"
    assert item["gsi1sk"]["S"] == "0000000000000012"


def test_what_is_no_record_of_ours_is_our_mistake():
    _, item = items.to_item(TENANT, wallet())
    entry: Any = USAGE

    with pytest.raises(KeyError):
        items.to_item(TENANT, entry)
    with pytest.raises(KeyError):
        items.to_record({**item, "sk": {"S": "THING#1"}})
