"""What a story is: some requests, and what they come to when nothing fails."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.faults.world import MAJOR, Step
from tests.simulator.values import Item

HOUR = 3600.0


def _state(noun: str, ended: str, word: str) -> Callable[[Item], str]:
    return lambda item: f"{word} {noun}" if ended in item else noun


def _several(count: int, one: str, more: str) -> str:
    return f"{count} {one if count == 1 else more}"


_PEOPLE: dict[str, Callable[[Item], str]] = {
    "ACCOUNT": _state("account", "closed_at", "closed"),
    "MEMBER": lambda item: "nobody" if "removed_at" in item else str(item["role"]["S"]),
    "WORKSPACE": lambda item: f"workspace of {len(item['links']['L'])}",
    "LINKED": _state("link", "unlinked_at", "past"),
    "KEY": _state("key", "revoked_at", "revoked"),
    "INFO": lambda item: "info",
    "STARTER": lambda item: "starter",
    "METHOD": lambda item: "card",
    "GRANT": _state("grant", "voided_at", "void"),
    "COUPON": lambda item: f"{item['redeemed']['N']} of a coupon",
    "REDEMPTION": lambda item: _several(int(item["uses"]["N"]), "use", "uses"),
    "GUESSES": lambda item: _several(len(item["misses"]["L"]), "guess", "guesses"),
    "PAYMENT": lambda item: f"{item['status']['S']} {item['kind']['S']}",
    "DISPUTE": lambda item: f"{item['status']['S']} dispute",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """What a story leaves behind, in micros: free and held money, and the types of all entries."""

    cash: int = 0
    cash_held: int = 0
    lots: tuple[int, ...] = ()
    lots_held: tuple[int, ...] = ()
    entries: str
    holds: str = ""
    currency: str = "usd"
    pending: tuple[int, ...] = ()
    budgets: str = ""
    """Kind, spent and held of each budget, in majors: `run 5/25`."""
    people: str = "account"
    """What is there that no money is in: accounts, seats, workspaces, keys."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """`steps` meet the faults, after `given` has happened without any."""

    name: str
    given: tuple[Step, ...] = ()
    steps: tuple[Step, ...]
    effect: Effect
    refused: dict[str, str] = field(default_factory=dict)
    """The keys of steps whose answer is a refusal, and its code."""


def effect_of(items: Sequence[Item], currency: str) -> Effect:
    """What the one account on a table has come to in one currency."""
    wallet: dict[str, Any] = {}
    entries: list[tuple[str, str]] = []
    holds: list[tuple[str, str]] = []
    budgets: list[str] = []
    people: list[str] = []
    for item in items:
        noun, _, name = item["sk"]["S"].partition("#")
        if noun == "WALLET" and name == currency:
            wallet = item
        # What stands in an entry's place for a request that moved no money is in no statement.
        if noun == "ENTRY" and item.get("gsi1pk", {"S": ""})["S"].endswith(f"#{currency}"):
            entries.append((item["gsi1sk"]["S"], item["type"]["S"]))
        if noun == "HOLD" and item["currency"]["S"] == currency:
            holds.append((name, item["status"]["S"]))
        if noun == "BUDGET":
            spent, held = _number(item, "spent") / MAJOR, _number(item, "held") / MAJOR
            budgets.append(f"{name.split('#')[0]} {spent:g}/{held:g}")
        if noun in _PEOPLE:
            people.append(_PEOPLE[noun](item))
    lots = [lot["M"] for lot in wallet.get("lots", {"L": []})["L"]]
    return Effect(
        cash=_number(wallet, "cash"),
        cash_held=_number(wallet, "cash_held"),
        lots=tuple(_number(lot, "left") for lot in lots),
        lots_held=tuple(_number(lot, "held") for lot in lots),
        pending=tuple(_number(lot["M"], "left") for lot in wallet.get("pending", {"L": []})["L"]),
        budgets=", ".join(sorted(budgets)),
        people=", ".join(sorted(people)),
        entries=" ".join(type_ for _, type_ in sorted(entries)),
        holds=" ".join(status for _, status in sorted(holds)),
        currency=currency,
    )


def _number(attributes: dict[str, Any], name: str) -> int:
    return int(attributes.get(name, {"N": "0"})["N"])
