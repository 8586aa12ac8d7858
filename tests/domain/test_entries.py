import json
from dataclasses import replace
from hashlib import sha256

import pytest

from holdfast.domain.accounts import Tenant
from holdfast.domain.entries import Json, canonical_json, chain_hash, document
from tests.domain.samples import ACCOUNT_ID, HOUR, NOW, USAGE, hold


def test_an_entry_is_read_in_minor_units_with_what_is_not_whole_beside_them():
    assert document(USAGE) == {
        "id": "ent_aaaaaaaaaaaaaaaaaaaaaaaaaa",
        "account_id": ACCOUNT_ID,
        "seq": 12,
        "type": "usage",
        "amount": 1,
        "amount_decimal": "1.2345",
        "currency": "usd",
        # Floored, below zero too: never more than there is.
        "balance_after": -1,
        "balance_after_decimal": "-0.2345",
        "held_after": 2,
        "postings": [
            {"account": "credit", "amount": -1},
            {"account": "revenue", "amount": 1, "amount_decimal": "1.2345"},
            {"account": "wallet", "amount": -1, "amount_decimal": "-0.2345"},
        ],
        "lots": [
            {"id": "lot_a", "amount": 1},
            {"id": "cash", "amount": 0, "amount_decimal": "0.2345"},
        ],
        "reference": "job 7",
        "source": "api",
        "details": {"model": "größer", "tokens": 17},
        "created_at": "2026-11-21T03:30:00.000Z",
        "prev": "0" * 64,
    }


def test_only_an_entry_of_a_hold_names_one():
    assert "hold_id" not in document(USAGE)
    assert document(replace(USAGE, hold_id="hold_x"))["hold_id"] == "hold_x"


def test_what_is_hashed_is_sorted_compact_json_in_utf_8():
    shown: dict[str, Json] = {"b": 1, "a": [True, None, {"ä": "\u2028"}]}

    assert canonical_json(shown) == '{"a":[true,null,{"ä":"\u2028"}],"b":1}'.encode()


def test_a_hash_can_be_checked_with_a_json_parser_and_sha_256():
    received = json.dumps(document(USAGE), indent=2, ensure_ascii=True)

    parsed = json.loads(received)
    text = json.dumps(parsed, sort_keys=True, separators=(",", ":"), ensure_ascii=False)

    assert sha256(text.encode()).hexdigest() == chain_hash(USAGE)


def test_the_hash_of_an_entry_never_changes():
    # Chains that customers have exported are checked against it.
    expected = "a4aa2a059b81f576ec938bde0c3962b593b912e7450d9dbe1e6cd0e529e7d520"

    assert chain_hash(USAGE) == expected


@pytest.mark.parametrize(
    "change",
    [
        {"id": "ent_baaaaaaaaaaaaaaaaaaaaaaaaa"},
        {"account_id": f"acct_{'b' * 26}"},
        {"currency": "eur"},
        {"seq": 13},
        {"type": "capture"},
        {"amount_micros": 12_346},
        {"balance_after_micros": -2_344},
        {"held_after_micros": 20_001},
        {"postings": {"wallet": -2_344, "credit": -10_001, "revenue": 12_345}},
        {"draws": USAGE.draws[:1]},
        {"draws": (USAGE.draws[1], USAGE.draws[0])},
        {"reference": None},
        {"source": "system"},
        {"details": {"model": "größer", "tokens": 18}},
        {"hold_id": "hold_x"},
        {"created_at": NOW + HOUR},
        {"prev": "1" * 64},
    ],
    ids=lambda change: next(iter(change)),
)
def test_nothing_in_an_entry_can_change_without_its_hash(change):
    assert chain_hash(replace(USAGE, **change)) != chain_hash(USAGE)


@pytest.mark.parametrize(
    "change",
    [
        {"hash": "a" * 64},
        {"balance_left_micros": 5},
        {"fingerprint": "b" * 64},
        {"hold": hold(5)},
        {"tenant": Tenant("other", "live")},
    ],
    ids=lambda change: next(iter(change)),
)
def test_what_a_customer_does_not_read_is_not_hashed(change):
    assert chain_hash(replace(USAGE, **change)) == chain_hash(USAGE)


@pytest.mark.parametrize(
    ("postings", "delta"),
    [
        ({"wallet": 5, "deposits": -5}, 5),
        ({"wallet": -2, "credit": -3, "revenue": 5}, -5),
        ({"wallet": -5, "held": 5}, 0),
        ({"credit": -5, "held_credit": 5}, 0),
        ({"held": -5, "held_credit": -3, "wallet": 2, "revenue": 6}, -6),
        ({}, 0),
    ],
)
def test_the_balance_moves_by_what_the_customers_accounts_add_up_to(postings, delta):
    assert replace(USAGE, postings=postings).balance_delta_micros == delta


@pytest.mark.parametrize(
    ("left", "balance", "available"),
    [(None, -2_345, -22_345), (-9_000, -9_000, -29_000), (0, 0, -20_000)],
    ids=["nothing expired with it", "something expired with it", "all that was left expired"],
)
def test_an_answer_shows_what_is_left_and_of_that_what_is_not_held(left, balance, available):
    done = replace(USAGE, balance_left_micros=left)

    assert done.balance_micros == balance
    assert done.available_micros == available
