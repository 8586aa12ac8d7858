"""The checker of these tests finds what is wrong: numbers, words and items tampered with."""

import copy
from collections.abc import Iterator
from typing import Any

import pytest

from tests.faults import world as ask
from tests.faults.violations import violations
from tests.faults.world import MAJOR, World
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
)
# What no entry repeats, and so nothing can be held against: times, guards, terms, and the pictures
# of holds that entries keep for their answers.
_FREE = frozenset({"version", "captured_last", "released", "hold", "line_items", "available"})
_FREE_OF = {"QUOTE": frozenset({"shots", "tasks"}), "HOLD": frozenset({"job"})}


def _world() -> World:
    world = World()
    world.run(_STORY)
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
    assert {_noun(item) for item in ITEMS} == {
        "ACCOUNT",
        "ENTRY",
        "HOLD",
        "JOB",
        "QUOTE",
        "REFUNDED",
        "WALLET",
    }


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


@pytest.mark.parametrize("noun", ["ACCOUNT", "ENTRY", "HOLD", "REFUNDED", "WALLET", "QUOTE"])
def test_an_item_that_is_missing_is_found(noun):
    for number, item in enumerate(ITEMS):
        if _noun(item) == noun and (noun != "ENTRY" or "gsi1sk" in item):
            assert violations([*ITEMS[:number], *ITEMS[number + 1 :]])


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
