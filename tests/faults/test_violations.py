"""The checker of these tests finds what is wrong: numbers, words and items tampered with."""

import copy
from collections.abc import Iterator
from typing import Any

import pytest

from tests.faults import credit, people
from tests.faults import world as ask
from tests.faults.by_card import pay_by_card
from tests.faults.violations import violations
from tests.faults.world import MAJOR, START, World
from tests.simulator.values import Item

_STORY = (
    ask.deposit("fund", 100 * MAJOR),
    ask.deposit("expiring", 5 * MAJOR, expires_in_seconds=7200),
    ask.use("work", 12 * MAJOR),
    ask.refund("back", 7 * MAJOR, of="work"),
    ask.place_hold("open", 30 * MAJOR),
    ask.capture("part", 4 * MAJOR, of="open"),
    ask.extend("more", 2 * MAJOR, of="open"),
    ask.place_hold("closed", 5 * MAJOR),
    ask.release("released", of="closed"),
    ask.quote("quote"),
    ask.hold_quoted("job", of="quote"),
    credit.grant("gift", 20 * MAJOR, priority=3, meters=("tokens",)),
    credit.use_on("tokens", 4 * MAJOR, meter="tokens"),
    credit.grant("to end", 5 * MAJOR, priority=2),
    ask.place_hold("limited", 7 * MAJOR, scopes=(credit.scope("run", "r1", 9 * MAJOR),)),
    ask.capture("of limited", 1 * MAJOR, of="limited"),
    credit.void("end", of="to end"),
    credit.grant("to come", 6 * MAJOR, on_seconds=9000, priority=4),
    credit.save_card(),
    credit.starter("start"),
    credit.adjust("right", -2 * MAJOR),
    people.open_account("lab"),
    people.open_account("old"),
    people.close_account("close", of="old"),
    people.open_workspace("space"),
    people.link("link", of="lab", to="space"),
    people.add_member("seat", of="lab"),
    people.issue_key("key"),
    people.tell("tell", name="Alice"),
)
NOUNS = frozenset(
    "ACCOUNT BUDGET CUSTOMER DISPUTE GRANT HOLD INFO JOB KEY LINKED MEMBER METHOD PAYMENT QUOTE "
    "REFUNDED STARTER WALLET WORKSPACE".split()
)
# What no entry repeats, and so nothing can be held against: times, guards, terms, and the pictures
# of holds that entries keep for their answers.
_FREE = frozenset(
    {"version", "captured_last", "released", "hold", "line_items", "available", "answer"}
)
_FREE_OF = {
    "QUOTE": frozenset({"shots", "tasks"}),
    "HOLD": frozenset({"job"}),
    "KEY": frozenset({"cap"}),
    "METHOD": frozenset({"exp_month", "exp_year"}),
    # Stripe may have taken in another amount than it was asked for.
    "PAYMENT": frozenset({"amount_micros", "attempts", "sweeps"}),
}


def _world() -> World:
    world = World()
    world.run(_STORY)
    pay_by_card(world.store(), world.owner, now=START)
    return world


ITEMS = _world().items()


def _noun(item: Item) -> str:
    return str(item["sk"]["S"].partition("#")[0])


def _numbers(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if isinstance(value, dict):
        for name, inner in value.items():
            if name == "N":
                yield path
            else:
                yield from _numbers(inner, (*path, name))
    if isinstance(value, list):
        for place, inner in enumerate(value):
            yield from _numbers(inner, (*path, place))


def _at(item: Item, path: tuple[Any, ...]) -> Any:
    found: Any = item
    for name in path:
        found = found[name]
    return found


TAMPERINGS = [
    pytest.param(number, path, id=f"{_noun(item)} {number} {'.'.join(map(str, path))}")
    for number, item in enumerate(ITEMS)
    for path in _numbers(item)
    if not _FREE.union(_FREE_OF.get(_noun(item), ())).intersection(path)
]


def test_a_sound_ledger_has_none():
    assert violations(ITEMS) == []
    assert {_noun(item) for item in ITEMS} == {"ENTRY", *NOUNS}


@pytest.mark.parametrize(("number", "path"), TAMPERINGS)
def test_a_number_that_is_one_too_many_is_found(number, path):
    items = copy.deepcopy(ITEMS)
    value = _at(items[number], path)

    value["N"] = str(int(value["N"]) + 1)

    assert violations(items)


@pytest.mark.parametrize("name", ["type", "prev", "hash", "source", "reference", "created_at"])
def test_a_word_that_was_changed_in_an_entry_is_found(name):
    changed = 0
    for number, item in enumerate(ITEMS):
        if name in item and "gsi1sk" in item and _noun(item) == "ENTRY":
            items = copy.deepcopy(ITEMS)
            items[number][name] = {"S": f"not {item[name]['S']}"}

            assert violations(items), item["type"]
            changed += 1
    assert changed


@pytest.mark.parametrize("noun", ["ENTRY", *sorted(NOUNS - {"CUSTOMER", "INFO", "KEY", "METHOD"})])
def test_an_item_that_is_missing_is_found(noun):
    for number, item in enumerate(ITEMS):
        if _noun(item) == noun and (noun != "ENTRY" or "gsi1sk" in item):
            assert violations([*ITEMS[:number], *ITEMS[number + 1 :]])


@pytest.mark.parametrize(
    ("noun", "name", "value"),
    [
        ("GRANT", "voided_at", {"S": "2026-11-22T00:00:00.000Z"}),
        ("STARTER", "entry_id", {"S": "ent_" + "a" * 26}),
        ("MEMBER", "role", {"S": "owner"}),
        ("MEMBER", "user", {"S": "acme/alice"}),
        ("LINKED", "unlinked_at", {"S": "2026-11-22T00:00:00.000Z"}),
        ("BUDGET", "period", {"S": "2026-11"}),
        ("WALLET", "closed", {"BOOL": True}),
        ("ACCOUNT", "closed_at", {"S": "2026-11-22T00:00:00.000Z"}),
        ("PAYMENT", "status", {"S": "pending"}),
        ("PAYMENT", "account_id", {"S": "acct_" + "a" * 26}),
        ("PAYMENT", "entry_id", {"S": "ent_" + "a" * 26}),
        ("PAYMENT", "refund_of", {"S": "pay_1"}),
        ("PAYMENT", "undone_by", {"S": "ent_" + "a" * 26}),
        ("PAYMENT", "gsi1sk", {"S": "topup#pay_1"}),
        ("PAYMENT", "gsi2sk", {"S": "pay_1"}),
        ("DISPUTE", "payment_id", {"S": "pay_1"}),
        ("DISPUTE", "payment_intent_id", {"S": "pi_1"}),
        ("DISPUTE", "currency", {"S": "eur"}),
        ("DISPUTE", "frozen_by", {"S": "ent_" + "a" * 26}),
        ("DISPUTE", "closed_by", {"S": "ent_" + "a" * 26}),
        ("DISPUTE", "closed_at", {"S": "2026-11-22T00:00:00.000Z"}),
        ("DISPUTE", "due_at", {"S": "2026-11-22T00:00:00.000Z"}),
        ("DISPUTE", "gsi2sk", {"S": "du_1"}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_word_that_was_changed_in_a_record_is_found(noun, name, value):
    changed = 0
    for number, item in enumerate(ITEMS):
        # What is ended already may end at another time, and only a refund is of something.
        passed_by = name in item and name.endswith("_at")
        passed_by |= name in ("refund_of", "undone_by") and "refund_of" not in item
        if _noun(item) == noun and not passed_by:
            items = copy.deepcopy(ITEMS)
            items[number][name] = value
            changed += 1

            assert violations(items)
    assert changed


@pytest.mark.parametrize(
    ("status", "became"),
    [
        ("under_review", "lost"),
        ("under_review", "won"),
        ("lost", "won"),
        ("lost", "warning_closed"),
        ("won", "lost"),
        ("won", "needs_response"),
        ("warning_closed", "lost"),
    ],
)
def test_a_dispute_in_another_stage_than_its_entries_is_found(status, became):
    changed = 0
    for number, item in enumerate(ITEMS):
        if _noun(item) == "DISPUTE" and item["status"]["S"] == status and _is_owed(item):
            items = copy.deepcopy(ITEMS)
            items[number]["status"]["S"] = became
            changed += 1

            assert violations(items)
    assert changed


def _is_owed(item: Item) -> bool:
    return bool(item["owed_micros"]["N"] != "0")


def test_a_refund_of_another_amount_is_found():
    changed = 0
    for number, item in enumerate(ITEMS):
        if "refund_of" in item:
            items = copy.deepcopy(ITEMS)
            items[number]["amount_micros"]["N"] += "0"
            changed += 1

            assert violations(items)
    assert changed == 5


def test_a_payment_that_was_credited_twice_is_found():
    items = copy.deepcopy(ITEMS)
    first, second, *_ = [item for item in items if _is_deposit(item)]

    second["details"]["M"]["payment_id"] = first["details"]["M"]["payment_id"]

    assert any("credited 2 times" in found for found in violations(items))


def _is_deposit(item: Item) -> bool:
    return bool(item.get("type") == {"S": "deposit"} and item["source"] == {"S": "stripe"})


def test_a_default_account_that_is_not_linked_is_found():
    items = copy.deepcopy(ITEMS)
    (workspace,) = [item for item in items if _noun(item) == "WORKSPACE"]
    workspace["default_account_id"] = {"S": "acct_" + "a" * 26}

    assert violations(items)


def test_a_wallet_that_is_due_too_late_is_found():
    items = copy.deepcopy(ITEMS)
    (wallet,) = [item for item in items if _noun(item) == "WALLET"]

    wallet["gsi2sk"]["S"] = wallet["gsi2sk"]["S"].replace("2026", "2027")

    assert violations(items)


def test_a_hold_that_closed_twice_is_found():
    items = copy.deepcopy(ITEMS)
    (released,) = [item for item in items if item.get("type") == {"S": "release"}]
    (hold,) = [item for item in items if item.get("status") == {"S": "released"}]

    hold["status"] = {"S": "expired"}

    assert violations(items)
    assert released["hold"]["M"]["status"] == {"S": "released"}
