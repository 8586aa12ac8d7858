"""The verifier on the statement of somebody who pays by card, and whose bank takes it back."""

from functools import cache

import pytest

from holdfast.domain.entries import canonical_json, document
from holdfast.store import items
from holdfast.verify import verify
from tests.domain.samples import NOW
from tests.faults.by_card import pay_by_card
from tests.services.caller import Caller
from tests.verify.exports import forged, parsed

THROUGH = ("card_purchase", "card_refund", "card_refund_failed")


@cache
def statement() -> tuple[bytes, ...]:
    caller = Caller()
    pay_by_card(caller.store, caller.owner, now=NOW)
    found = [items.to_entry(item) for item in caller.stored() if items.is_entry(item)]
    found.sort(key=lambda entry: entry.seq)
    shown = ({**document(entry), "hash": entry.hash} for entry in found)
    return tuple(canonical_json(each) + b"\n" for each in shown)


def test_payments_refunds_and_disputes_verify():
    report = verify(statement())

    assert report.broken == ()
    assert {*THROUGH, "purchase", "dispute_opened", "dispute_won", "dispute_lost"} <= {
        entry["type"] for entry in parsed(statement())
    }


@pytest.mark.parametrize("type_", THROUGH)
def test_what_only_went_through_the_wallet_has_its_amount_all_the_same(type_):
    entry = next(
        entry
        for entry in parsed(statement())
        if entry["type"] == type_ and "wallet" not in {row["account"] for row in entry["postings"]}
    )

    def change(shown):
        shown["amount"] += 1
        shown["lots"][0]["amount"] += 1

    (first, *_) = verify(forged(statement(), entry["seq"], change)).broken

    assert first.what == "has an amount that its postings do not move"


def test_nothing_else_may_go_through_without_a_trace():
    entry = next(entry for entry in parsed(statement()) if entry["type"] == "card_purchase")

    def change(shown):
        shown["type"] = "deposit"

    (first, *_) = verify(forged(statement(), entry["seq"], change)).broken

    assert first.what == "has an amount that its postings do not move"
