"""Exports to check: real ones, written by the ledger, and forged ones."""

import json
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from hashlib import sha256
from typing import Any

from tests.property.requests import Request
from tests.property.traffic import Traffic
from tests.property.world import World

type Shown = dict[str, Any]

ALICE = ("acme/live", "acme/alice")
HOUR = 3_600_000


def canonical(shown: Shown) -> bytes:
    """What `jq -cS` prints, but for the newline."""
    return json.dumps(shown, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def parsed(lines: Iterable[bytes]) -> list[Shown]:
    """The entries of an export, in the order of their numbers."""
    return sorted((json.loads(line) for line in lines), key=lambda entry: entry["seq"])


def spelled(entries: Iterable[Shown]) -> list[bytes]:
    """An export of these entries, as they are."""
    return [canonical(entry) + b"\n" for entry in entries]


def chained(entries: Iterable[Shown], *, prev: str = "0" * 64) -> list[Shown]:
    """The entries with hashes that fit, whatever they say: what a forger would make of them."""
    done = []
    for entry in entries:
        unhashed = {name: value for name, value in entry.items() if name != "hash"}
        unhashed["prev"] = prev
        prev = sha256(canonical(unhashed)).hexdigest()
        done.append({**unhashed, "hash": prev})
    return done


def forged(lines: Iterable[bytes], seq: int, change: Callable[[Shown], object]) -> list[bytes]:
    """The export with entry `seq` changed and the chain mended behind it."""
    entries = parsed(lines)
    change(entries[seq - 1])
    return spelled(chained(entries))


def _story(*requests: tuple[str, Shown]) -> World:
    world = World(environments=1)
    for number, (op, args) in enumerate(requests):
        world.do(Request(op, *ALICE, f"k{number}", "usd", args))
        world.now += 1_000
    return world


@cache
def small() -> tuple[bytes, ...]:
    """A wallet of three entries, newest first: held money, decimals, text that JSON escapes."""
    details = {"notes": 'Zoë "\\\x7f€', "n": 7}
    world = _story(
        ("deposit", {"amount": 50_000_000, "details": details}),
        ("hold", {"amount": 12_345_678, "expires": HOUR, "reference": "order\t4711"}),
    )
    return tuple(reversed(spelled(parsed(world.export()))))


@cache
def long() -> tuple[bytes, ...]:
    """A wallet with every type of entry, newest first."""
    world = _story(
        ("use", {"amount": 20_000_000}),
        ("grant", {"amount": 4_000_000, "meters": ("tokens",)}),
        ("grant", {"amount": 2_500_000, "delay": HOUR, "priority": 3}),
        ("save_card", {}),
        ("starter", {}),
        ("adjust", {"amount": 123_456, "down": True}),
        ("use", {"amount": 3_000_001, "meter": "tokens"}),
        ("deposit", {"amount": 90_000_000, "expires": 2 * HOUR}),
        ("deposit", {"amount": 5_000_000}),
        ("withdraw", {"amount": 1_000_000}),
        ("hold", {"amount": 30_000_000, "expires": HOUR, "policy": "capture"}),
        ("hold", {"amount": 31_111_111, "expires": HOUR}),
    )
    first, second = world.model.holds
    charge = world.charges[0][0]
    more: list[tuple[str, str, Shown]] = [
        ("l1", "capture", {"hold": second, "amount": 5, "final": False}),
        ("l2", "extend", {"hold": second, "amount": 2, "expires": HOUR}),
        ("l3", "release", {"hold": second}),
        ("l4", "refund", {"charge": charge, "amount": 12_000_000}),
        ("l4a", "void", {"grant": next(iter(world.model.grants))}),
    ]
    for key, op, args in more:
        world.do(Request(op, *ALICE, key, "usd", args))
    world.now += 3 * HOUR
    world.do(Request("tick", *ALICE, "l5"))
    assert world.model.holds[first]["status"] == "expired"
    return tuple(reversed(spelled(parsed(world.export()))))


@cache
def many_wallets() -> tuple[bytes, ...]:
    """Several users, tenants and currencies in one file, in no order."""
    world = World(environments=2)
    Traffic(world, "export").run(400)
    return tuple(world.export())


def types(lines: Sequence[bytes]) -> set[str]:
    """The types of entry in an export."""
    return {entry["type"] for entry in parsed(lines)}
