"""An export whose hashes were mended after a lie: the lie itself is found, and where it is told."""

import pytest

from holdfast.verify import Unusable, verify
from tests.verify.exports import chained, forged, long, many_wallets, parsed, small, spelled

HOLD = 3
"""The number of the entry with the hold in the small export."""


def _shift(name, delta):
    def change(entry):
        entry[name] += delta

    return change


def _put(name, value):
    def change(entry):
        entry[name] = value

    return change


def _drop(name):
    def change(entry):
        del entry[name]

    return change


def _row(name, place, **values):
    def change(entry):
        entry[name][place] |= values

    return change


FORGERIES = {
    "no field is missing": (_drop("source"), "has no source"),
    "no field is added": (_put("note", ""), "has a field that no entry has: note"),
    "an id has its form": (_put("id", "ent_1"), "has a id of the wrong form"),
    "an account has its form": (_put("account_id", "alice"), "has a account_id of the wrong form"),
    "a type is a word": (_put("type", "Hold"), "has a type of the wrong form"),
    "a currency has three letters": (_put("currency", "USD"), "has a currency of the wrong form"),
    "an instant is UTC": (
        _put("created_at", "2026-01-01T00:00:00.000+01:00"),
        "has a created_at of the wrong form",
    ),
    "a hold has its form": (_put("hold_id", "hold_1"), "has a hold_id of the wrong form"),
    "text is text": (_put("reference", 7), "has a reference that is not text"),
    "a source is text": (_put("source", None), "has a source that is not text"),
    "a number is a number": (_put("seq", True), "has a seq that is not a number from 1 on"),
    "numbers start at one": (_put("seq", 0), "has a seq that is not a number from 1 on"),
    "details are an object": (_put("details", []), "has details that are not an object"),
    "an amount is whole": (_put("amount", "12"), "has amount that is not a whole number"),
    "true is no amount": (_put("amount", True), "has amount that is not a whole number"),
    "decimals are text": (
        _put("amount_decimal", 1234),
        "has a amount_decimal that is not text",
    ),
    "decimals are not whole": (
        _put("held_after_decimal", "1234.0"),
        "has held_after_decimal that is not a number with decimals",
    ),
    "decimals have no zeros at the end": (
        _put("amount_decimal", "1234.56780"),
        "has amount_decimal that is not a number with decimals",
    ),
    "decimals have no zeros in front": (
        _put("amount_decimal", "01234.5678"),
        "has amount_decimal that is not a number with decimals",
    ),
    "both amounts agree": (
        _put("amount_decimal", "1235.5678"),
        "has amount and amount_decimal that differ",
    ),
    "postings are a list": (_put("postings", {}), "has postings that are not a list of account"),
    "postings have two fields": (
        _row("postings", 0, note=""),
        "has postings that are not a list of account",
    ),
    "postings are in order": (
        lambda entry: entry["postings"].reverse(),
        "has postings out of order, or two on one ledger account",
    ),
    "a ledger account is posted once": (
        lambda entry: entry["postings"].insert(0, entry["postings"][0]),
        "has postings out of order, or two on one ledger account",
    ),
    "a ledger account is a word": (
        _row("postings", 0, account="Credit"),
        "has a posting that posts nothing",
    ),
    "a posting posts": (
        lambda entry: entry["postings"].append({"account": "zero", "amount": 0}),
        "has a posting that posts nothing",
    ),
    "postings add up": (
        lambda entry: entry["postings"].append({"account": "zero", "amount": 1}),
        "has postings that do not add up to zero",
    ),
    "lots are not empty": (
        lambda entry: entry["lots"].append({"id": "cash", "amount": 0}),
        "has a lot with nothing in it",
    ),
    "lots add up": (_row("lots", 0, amount=999), "has lots that do not add up to its amount"),
    "the balance is the fold": (
        _shift("balance_after", 1),
        "says another balance than the postings up to it add up to",
    ),
    "what is held is the fold": (
        _shift("held_after", 1),
        "has held_after and held_after_decimal that differ",
    ),
}


@pytest.mark.parametrize(("change", "what"), FORGERIES.values(), ids=FORGERIES)
def test_a_lie_is_found(change, what):
    (first, *_) = verify(forged(small(), HOLD, change)).broken

    assert first.what.startswith(what)
    assert first.line == HOLD


def test_the_forger_s_own_hand_goes_unseen():
    """What the other tests here rely on: mended hashes alone are no finding."""
    assert verify(forged(small(), HOLD, _put("reference", "another order"))).broken == ()


def test_a_held_balance_that_is_wrong_and_agrees_with_itself_is_found():
    def change(entry):
        entry |= {"held_after": 1235, "held_after_decimal": "1235.5678"}

    (first, *_) = verify(forged(small(), HOLD, change)).broken

    assert first.what == "says another balance than the postings up to it add up to"


def test_an_amount_that_the_postings_do_not_move_is_found():
    def change(entry):
        entry["amount"] = 6_000
        entry["lots"] = [{"id": "cash", "amount": 6_000}]

    (first, *_) = verify(forged(small(), 2, change)).broken

    assert first.what == "has an amount that its postings do not move"
    assert first.seq == 2


def test_more_taken_out_of_a_lot_than_is_in_it_is_found():
    """The introductory credit is 1000; the entry says that all 2000 of its usage came from it."""
    usage = next(entry for entry in parsed(long()) if entry["type"] == "usage")

    def change(entry):
        entry["lots"] = [{"id": usage["lots"][0]["id"], "amount": 2_000}]

    (first, *_) = verify(forged(long(), usage["seq"], change)).broken

    assert usage["lots"][0]["amount"] == 1_000
    assert first.what == "takes more out of a lot than is in it"
    assert first.seq == usage["seq"]


def test_plain_cash_may_go_below_zero():
    usage = next(entry for entry in parsed(long()) if entry["type"] == "usage")

    assert usage["lots"][1] == {"id": "cash", "amount": 1_000}
    assert usage["balance_after"] == -1_000
    assert verify(long()).broken == ()


def _of_type(type_):
    return next(entry for entry in parsed(long()) if entry["type"] == type_)


@pytest.mark.parametrize(
    ("told", "claimed"),
    [("credit_scheduled", "credit_grant"), ("credit_grant", "credit_scheduled")],
    ids=["credit to come that is said to have come", "credit that came, said to be to come"],
)
def test_credit_that_is_to_come_moves_nothing_and_nothing_else_may(told, claimed):
    entry = _of_type(told)

    (first, *_) = verify(forged(long(), entry["seq"], _put("type", claimed))).broken

    assert first.what == "has an amount that its postings do not move"
    assert first.seq == entry["seq"]


def test_credit_that_is_to_come_still_names_its_lot():
    entry = _of_type("credit_scheduled")

    (first, *_) = verify(forged(long(), entry["seq"], _put("lots", []))).broken

    assert first.what == "has lots that do not add up to its amount"


def test_credit_for_some_meters_is_no_part_of_the_balance():
    entry = _of_type("credit_grant")

    (first, *_) = verify(
        forged(long(), entry["seq"], _shift("balance_after", entry["amount"]))
    ).broken

    assert [row["account"] for row in entry["postings"]] == ["promotions", "restricted_credit"]
    assert first.what == "says another balance than the postings up to it add up to"
    assert first.seq == entry["seq"]


def test_credit_for_some_meters_is_not_drawn_below_what_came_into_it():
    """Of 400 cents 300 and a bit were spent; the forger lets the void take all of it back."""
    entry = _of_type("credit_void")

    def change(shown):
        shown |= {"amount": 400, "lots": [{"id": shown["lots"][0]["id"], "amount": 400}]}
        shown["postings"] = [
            {"account": "promotions", "amount": 400},
            {"account": "restricted_credit", "amount": -400},
        ]
        del shown["amount_decimal"]

    (first, *_) = verify(forged(long(), entry["seq"], change)).broken

    assert first.what == "takes more out of a lot than is in it"
    assert first.seq == entry["seq"]


def test_the_first_of_several_is_named_by_its_number_and_not_by_its_line():
    lines = list(long())
    for place in (2, 7):
        lines[place] = lines[place].replace(b'"source":"', b'"source":"x')

    broken = verify(lines).broken

    assert [each.line for each in broken] == [8, 3]


def test_a_wallet_that_was_swapped_for_another_is_found():
    ours, theirs = parsed(long()), parsed(small())
    ours[2] = {**theirs[2], "seq": 3}

    (first, *_) = verify(spelled(ours)).broken

    assert first.line == 3


def test_an_export_from_the_middle_needs_what_was_before():
    entries = parsed(long())
    rest = spelled(entries[5:])
    before = entries[4]["hash"]

    assert verify(rest, from_seq=6, prev=before, head=entries[-1]["hash"]).broken == ()
    (unknown, *_) = verify(rest, from_seq=6).broken
    assert unknown.what == "is not chained to the one before it"
    (early, *_) = verify(rest, from_seq=5, prev=before).broken
    assert early.what == "stands where number 5 should: it is missing"


def test_a_balance_is_folded_from_the_first_line_of_a_partial_export_on():
    entries = parsed(long())
    before = entries[4]["hash"]
    entries[7]["balance_after"] += 1

    rest = spelled(chained(entries[5:], prev=before))
    (first, *_) = verify(rest, from_seq=6, prev=before).broken

    assert first.seq == 8


@pytest.mark.parametrize("options", [{"head": "0" * 64}, {"from_seq": 2}], ids=str)
def test_what_can_mean_one_wallet_only_is_not_asked_of_several(options):
    with pytest.raises(Unusable, match="wallets are in it"):
        verify(many_wallets(), **options)


def test_a_new_wallet_has_no_entries_and_the_first_head():
    with pytest.raises(Unusable, match="no entries"):
        verify([], head="0" * 64)


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"\xff\xfe",
        b"[]",
        b"7",
        b"null",
        b'{"a":1.5}',
        b'{"a":NaN}',
        b'{"a":1e400}',
        b'{"a":"\\ud800"}',
        b'{"a":' + b"9" * 5_000 + b"}",
        b"[" * 100_000,
        b'{"a":1,"a":1}',
        b'{"a":1}\r',
        b'{"data":[],"has_more":false,"next_cursor":null}',
    ],
    ids=lambda line: repr(line[:20]),
)
def test_a_line_that_is_no_entry_is_broken_and_no_more_than_that(line):
    lines = [*long()[:3], line + b"\n", *long()[3:]]

    (broken,) = verify(lines).broken

    assert (broken.line, broken.seq) == (4, None)


def test_delete_may_be_spelled_as_jq_spells_it():
    """jq writes U+007F as an escape. Both spellings are one JSON, and have one hash."""
    lines = [line.replace(b"\x7f", b"\\u007f") for line in small()]

    assert lines != list(small())
    assert verify(lines).broken == ()
