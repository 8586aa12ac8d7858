"""The simulator against another engine: the same random calls, and every answer compared.

    python -m tests.simulator.differential --calls 20000 --seed 1

prints how many calls were made, how many answers differed for a reason that is listed in
`differences.py`, and every other difference. AWS's documentation decides who is right.
"""

import argparse
import sys
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from botocore.exceptions import ClientError, ParamValidationError

from tests.simulator import engines
from tests.simulator.capacity import WRITE_UNIT_BYTES
from tests.simulator.client import Simulator
from tests.simulator.differences import Answer, Difference, listed
from tests.simulator.requests_at_random import Request, Requests
from tests.simulator.tables import ledger_table
from tests.simulator.wrong_requests import makers

# Of a hundred requests, so many are wrong on purpose.
WRONG_PERCENT = 12
SHOWN = 20
# An item so little below a whole KB may be above it for an engine that weighs numbers finer.
CLOSE_BYTES = 24


@dataclass(slots=True)
class Report:
    calls: int = 0
    answers: Counter[str] = field(default_factory=Counter)
    listed: Counter[str] = field(default_factory=Counter)
    differences: list[Difference] = field(default_factory=list)

    def __str__(self) -> str:
        lines = [f"{self.calls} calls, answers: {dict(self.answers.most_common())}"]
        lines += [f"  listed: {count:6} x {reason}" for reason, count in self.listed.most_common()]
        lines.append(f"differences outside the list: {len(self.differences)}")
        kinds = Counter(difference.kind for difference in self.differences)
        lines += [f"  {count:6} x {kind}" for kind, count in kinds.most_common()]
        lines += [str(difference) for difference in self.differences[:SHOWN]]
        return "\n".join(lines)


def answer_of(client: Any, method: str, params: dict[str, Any]) -> Answer:
    """Make a call and tell what came of it."""
    try:
        response = getattr(client, method)(**params)
    except ParamValidationError:
        return Answer(error="ParamValidationError")
    except ClientError as error:
        return _refusal(error)
    response.pop("ResponseMetadata")
    response.pop("ItemCollectionMetrics", None)
    units = _units(response.pop("ConsumedCapacity", None))
    if method == "batch_get_item":
        response["Responses"] = {
            table: sorted((_plain(item) for item in items), key=repr)
            for table, items in response["Responses"].items()
        }
    return Answer(content=_plain(response), units=units)


def _refusal(error: ClientError) -> Answer:
    response: Any = error.response
    reasons = tuple(
        (reason["Code"], _plain(reason.get("Item")))
        for reason in response.get("CancellationReasons", ())
    )
    return Answer(response["Error"]["Code"], reasons, _plain(response.get("Item")))


def _plain(content: Any) -> Any:
    """The same, with sets in order."""
    if isinstance(content, dict):
        return {
            name: sorted(value) if name in {"SS", "NS", "BS"} else _plain(value)
            for name, value in content.items()
        }
    if isinstance(content, list):
        return [_plain(each) for each in content]
    return content


def _units(consumed: Any) -> Any:
    """Totals by table, and by index where the engine tells them."""
    if consumed is None:
        return None
    tables = consumed if isinstance(consumed, list) else [consumed]
    return {
        table["TableName"]: (
            table["CapacityUnits"],
            {
                name: part["CapacityUnits"]
                for name, part in table.get("GlobalSecondaryIndexes", {}).items()
            },
        )
        for table in tables
    }


class Differential:
    """A simulator and an engine side by side, with a table of the same name in each."""

    def __init__(self, engine: Any, *, seed: int, name: str) -> None:
        """`name` is the engine's, in the list of differences."""
        self.table = f"differential-{name}-{seed}-{time.time_ns()}"
        self.engine = engine
        self.simulator = Simulator([ledger_table(self.table)])
        engine.create_table(**ledger_table(self.table))
        self.requests = Requests(seed, self.table)
        self.name = name
        # An engine that makes units up has nothing to compare.
        self.compares_units = True
        self.wrong_percent = WRONG_PERCENT
        self.report = Report()

    def run(self, calls: int) -> Report:
        """Make so many calls, then compare all that is stored."""
        for number in range(calls):
            wrong, request = self._draw()
            self.compare(request, wrong)
            if number % 200 == 199:
                self.simulator.forget()
        self.compare_contents()
        return self.report

    def _draw(self) -> tuple[str | None, Request]:
        random = self.requests.random
        if random.randrange(100) >= self.wrong_percent:
            return None, self.requests.draw()
        ways = makers()
        # Large requests are slow to send, and each like the other.
        rare = {"transaction_too_large", "item_too_large", "transaction_refused"}
        wrong = random.choice(sorted(ways.keys() - rare) * 4 + sorted(rare))
        return wrong, ways[wrong](self.requests)

    def compare(self, request: Request, wrong: str | None = None) -> None:
        """Make one call of both, and note how their answers differ."""
        method, params = request
        sizes = self._sizes(params)
        ours = answer_of(self.simulator, method, params)
        theirs = answer_of(self.engine, method, params)
        if not self.compares_units:
            ours, theirs = replace(ours, units=None), replace(theirs, units=None)
        self.report.calls += 1
        self.report.answers[ours.error or "ok"] += 1
        if ours.error is None and ours.content is not None:
            self.requests.note_answer(method, params, ours.content)
        if ours == theirs:
            return
        sizes += self._sizes(params)
        is_close = any(-size % WRITE_UNIT_BYTES < CLOSE_BYTES for size in sizes)
        self._note(Difference(method, params, ours, theirs, wrong, is_close))
        if ours.error != theirs.error:
            self._heal(params)

    def _sizes(self, params: Mapping[str, Any]) -> list[int]:
        """Bytes of the items that a request may write to, as they are now."""
        table = self.simulator.tables[self.table]
        stored = [table.get(table.keys.place(key)) for key in _keys_written(params)]
        return [each.size_bytes for each in stored if each is not None]

    def _note(self, difference: Difference) -> None:
        reason = listed(difference, engine=self.name)
        if reason is None:
            self.report.differences.append(difference)
        else:
            self.report.listed[reason] += 1

    def _heal(self, params: Mapping[str, Any]) -> None:
        """Give the engine what the simulator holds, so that one difference does not make many."""
        for key in _keys_written(params):
            answer = self.simulator.get_item(TableName=self.table, Key=key, ConsistentRead=True)
            if "Item" in answer:
                self.engine.put_item(TableName=self.table, Item=answer["Item"])
            else:
                self.engine.delete_item(TableName=self.table, Key=key)

    def compare_contents(self) -> None:
        """Compare every item of the two tables."""
        theirs = {_place(item): _plain(item) for item in _items(self.engine, self.table)}
        ours = {_place(item): _plain(item) for item in self.simulator.items(self.table)}
        for place in ours.keys() | theirs.keys():
            here, there = Answer(content=ours.get(place)), Answer(content=theirs.get(place))
            if here != there:
                self._note(Difference("contents", {"place": place}, here, there, None))


def _items(engine: Any, table: str) -> list[Any]:
    if isinstance(engine, Simulator):
        return engine.items(table)
    pages = engine.get_paginator("scan").paginate(TableName=table, ConsistentRead=True)
    return [item for page in pages for item in page["Items"]]


def _place(item: Mapping[str, Any]) -> str:
    return repr((item.get("pk"), item.get("sk")))


def _keys_written(params: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The keys that a request may have written to, if they are keys at all."""
    parts = [params]
    for member in params.get("TransactItems", ()):
        parts.extend(part for part in member.values() if isinstance(part, dict))
    keys = []
    for part in parts:
        source = part.get("Item") or part.get("Key")
        if isinstance(source, dict) and {"pk", "sk"} <= source.keys():
            key = {name: source[name] for name in ("pk", "sk")}
            if all(isinstance(value, dict) and value.get("S") for value in key.values()):
                keys.append(key)
    return [key for key in keys if len(key["pk"]["S"]) <= 2048 and len(key["sk"]["S"]) <= 1024]


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="The simulator against ministack.")
    parser.add_argument("--calls", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    began = time.monotonic()
    with engines.ministack(environment={"SERVICES": "dynamodb"}) as url:
        engine = engines.client("dynamodb", url)
        differential = Differential(engine, seed=options.seed, name="ministack")
        report = differential.run(options.calls)
    seconds = time.monotonic() - began
    sys.stdout.write(f"seed {options.seed}, ministack, {seconds:.0f} s\n{report}\n")
    return 1 if report.differences else 0


if __name__ == "__main__":
    sys.exit(main())
