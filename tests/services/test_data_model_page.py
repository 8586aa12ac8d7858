"""`docs/reference/data-model.md` is what the code does: keys, examples, sizes and units."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from holdfast.domain.accounts import Tenant
from holdfast.domain.entries import chain_hash
from holdfast.store import items, keys
from holdfast.store.attributes import Attributes, encode
from tests.services.caller import HOUR, LIVE, Caller, bob
from tests.simulator.capacity import item_size

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "data-model.md"
TEXT = PAGE.read_text()
T = Tenant("org", "live")

KEYS = {
    "account": keys.account(T, "acct_1"),
    "wallet": keys.wallet(T, "acct_1", "usd"),
    "hold": keys.hold(T, "acct_1", "hold id"),
    "quote": keys.quote(T, "acct_1", "quote id"),
    "held job": keys.held_job(T, "acct_1", "job id"),
    "refunded": keys.refunded(T, "acct_1", "entry id"),
    "entry": keys.entry(T, "entry id"),
    "receipt": keys.entry(T, "entry id"),
}


def test_the_page_lists_every_key_as_it_is_spelled():
    listed = re.findall(
        r"^\| ([a-z ]+) \| `((?:ORG|ENTRY)[^`]+)` \| `([^`]+)` \|", TEXT, re.MULTILINE
    )

    assert [(name, pk, sk) for name, pk, sk in listed] == [
        (name, _short(key.pk), _short(key.sk)) for name, key in KEYS.items()
    ]


def _short(spelled: str) -> str:
    return spelled.replace("org/live", "t").replace("acct_1", "a").replace("usd", "c")


def examples() -> list[tuple[str, Attributes]]:
    """Each example with the heading that it stands under."""
    found: list[tuple[str, Attributes]] = []
    heading = ""
    for part in re.split(r"^(### .+)$", TEXT, flags=re.MULTILINE):
        if part.startswith("### "):
            heading = part
        bodies = re.findall(r"```json\n(.+?)```", part, re.DOTALL)
        found += [(heading, encode(json.loads(body))) for body in bodies]
    return found


def test_there_is_an_example_of_every_entity():
    nouns = {item["sk"]["S"].split("#")[0] for _, item in examples()}

    assert nouns == {key.sk.split("#")[0] for key in KEYS.values()}
    assert any(items.is_receipt(item) for _, item in examples())


@pytest.mark.parametrize(("heading", "item"), examples())
def test_an_example_is_an_item_that_the_code_reads_and_writes(heading, item):
    if items.is_entry(item):
        entry = items.to_entry(item)
        assert items.entry_to_item(entry)[1] == item
        assert chain_hash(entry) == entry.hash
    elif not items.is_receipt(item):
        assert items.to_item(LIVE, items.to_record(item))[1] == item


@pytest.mark.parametrize(("heading", "item"), examples())
def test_the_sizes_are_counted(heading, item):
    assert item_size(item) in [int(number) for number in re.findall(r"\d+", heading)]


def funded() -> Caller:
    """Alice with money and a hold that is due before all that comes after."""
    alice = Caller()
    alice.deposit(50_000)
    alice.hold(1, expires_in=HOUR / 60)
    return alice


def on_a_hold(ask: Callable[[Caller, str], Any]) -> Callable[[Caller], Callable[[], Any]]:
    def prepared(alice: Caller) -> Callable[[], Any]:
        hold_id = alice.hold(100)
        return lambda: ask(alice, hold_id)

    return prepared


def refund(alice: Caller) -> Callable[[], Any]:
    charge = alice.use(60).entry
    return lambda: alice.refund(charge.id, 30)


def quoted_hold(alice: Caller) -> Callable[[], Any]:
    quoted = alice.quote()
    return lambda: alice.hold_quoted(quoted.id, job_id="job-1")


def release_job(alice: Caller) -> Callable[[], Any]:
    quoted_hold(alice)()
    return lambda: alice.release_job("job-1", 10)


OPERATIONS: dict[str, Callable[[Caller], Callable[[], Any]]] = {
    "deposit": lambda alice: lambda: alice.deposit(5),
    "withdrawal": lambda alice: lambda: alice.withdraw(5),
    "usage": lambda alice: lambda: alice.use(5),
    "refund": refund,
    "hold": lambda alice: lambda: alice.hold(5),
    "extension": on_a_hold(lambda alice, hold_id: alice.extend(hold_id, cents=5)),
    "capture": on_a_hold(lambda alice, hold_id: alice.capture(hold_id, 5)),
    "release": on_a_hold(lambda alice, hold_id: alice.release(hold_id)),
    "quote": lambda alice: alice.quote,
    "quoted hold": quoted_hold,
    "job's release": release_job,
    "first sight of a user": lambda alice: bob(alice).wallet,
}


ROWS = re.findall(
    r"^\| ([a-z' ]+) \| ([a-z, ]*) ?\| ([a-z, ]*) ?\| (\d+) \+ (\d+) \|$", TEXT, re.MULTILINE
)


def test_the_page_lists_every_operation():
    assert [row[0] for row in ROWS] == list(OPERATIONS)


@pytest.mark.parametrize(("name", "new", "unchanged", "units", "index_units"), ROWS)
def test_an_operation_is_one_transaction_of_what_the_page_says(
    name, new, unchanged, units, index_units
):
    alice = funded()
    ask = OPERATIONS[name](alice)
    first = len(alice.simulator.calls)

    with alice.simulator.measure() as used:
        ask()

    writes = [c for c in alice.simulator.calls[first:] if c.method == "transact_write_items"]
    assert len(writes) == 1
    assert (used.write_units, used.index_write_units) == (int(units), int(index_units))
    assert _written(writes[0].params, "attribute_not_exists") == _words(new)
    assert _written(writes[0].params, "version =") == _words(unchanged)


def _words(cell: str) -> list[str]:
    return sorted(word.strip() for word in cell.split(",") if word.strip())


NOUNS = {
    "ACCOUNT": "account",
    "WALLET": "wallet",
    "HOLD": "hold",
    "QUOTE": "quote",
    "JOB": "held job",
    "REFUNDED": "refunded",
}


def _written(params: dict[str, Any], condition: str) -> list[str]:
    """What the steps under a condition write."""
    found = []
    for step in params["TransactItems"]:
        item = step["Put"]["Item"]
        if condition in step["Put"]["ConditionExpression"]:
            noun = NOUNS.get(item["sk"]["S"].split("#")[0])
            found.append(noun or ("receipt" if items.is_receipt(item) else "entry"))
    return sorted(found)
