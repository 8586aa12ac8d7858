"""Random requests for the differential test: the calls of a ledger, and every way to get one wrong.

All from one seed. Keys come from a small pool, so that conditions meet what earlier calls left.
"""

import random
from collections.abc import Callable
from typing import Any

type Request = tuple[str, dict[str, Any]]

PARTITIONS = ("ORG#a/live#ACCT#1", "ORG#a/live#ACCT#2", "ORG#b/test#ACCT#1", "ENTRY#a/live#ä€😀")
SORTS = ("ENTRY", "HOLD#01", "HOLD#02", "HOLD#1", "JOB#é", "QUOTE#7", "WALLET#eur", "WALLET#usd")
STATEMENTS = ("STMT#1", "STMT#2")
SHARDS = ("DUE#00", "DUE#01")
TEXTS = ("", "a", "ab", "abc", "b", "zoë", "😀", "HOLD")
NUMBERS = ("0", "1", "2", "3", "10", "-1", "-10", "123456789")
ODD_NUMBERS = (
    "1.50", "007", "-0.0", "1e3", "+5", ".5", "5.", "12E-3", "-1.10", "1E125", "1E-130",
    "12345678901234567890123456789012345678", "0.00000000000000000000000000000000000001",
)  # fmt: skip
CONDITIONS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("attribute_not_exists(pk)", ()),
    ("attribute_exists(pk)", ()),
    ("attribute_exists(#seq) AND #seq = :n", ("n",)),
    ("#seq = :n", ("n",)),
    ("#seq <> :n", ("n",)),
    ("#seq < :n OR #seq > :m", ("n", "m")),
    ("#seq >= :n AND NOT #seq >= :m", ("n", "m")),
    ("#seq <= :n", ("n",)),
    ("#seq BETWEEN :lo AND :hi", ("lo", "hi")),
    ("#seq IN (:n, :m)", ("n", "m")),
    ("NOT (#seq = :n)", ("n",)),
    ("begins_with(note, :s)", ("s",)),
    ("contains(note, :s)", ("s",)),
    ("contains(tags, :s)", ("s",)),
    ("size(note) > :n", ("n",)),
    ("size(lots) = :n", ("n",)),
    ("attribute_type(note, :kind)", ("kind",)),
    ("note = :s", ("s",)),
    ("note < :s AND attribute_exists(flag)", ("s",)),
    ("lots[0].remaining = :n", ("n",)),
    ("flag = :t", ("t",)),
    ("(attribute_not_exists(#seq) OR #seq < :n) AND attribute_exists(pk)", ("n",)),
    ("meta.#seq = :n or #seq = :n", ("n",)),
)
NAMES = {"#seq": "seq"}


class Requests:
    """Draws requests; `seen` holds the last transactions, to be sent again."""

    def __init__(self, seed: int, table: str) -> None:
        self.random = random.Random(seed)
        self.table = table
        self.seen: list[dict[str, Any]] = []
        self.cursors: list[dict[str, Any]] = []
        self.conditions = CONDITIONS
        self.kinds: list[tuple[Callable[[], Request], int]] = [
            (self.put, 22),
            (self.transact, 26),
            (self.repeat, 6),
            (self.query, 16),
            (self.next_page, 4),
            (self.get, 7),
            (self.batch_get, 4),
            (self.transact_get, 4),
            (self.delete, 4),
            (self.update, 7),
        ]

    def draw(self) -> Request:
        """A good request, on the whole: what it meets may still refuse it."""
        kinds, weights = zip(*self.kinds, strict=True)
        make: Callable[[], Request] = self.random.choices(kinds, weights)[0]
        return make()

    # Parts

    def key(self) -> dict[str, Any]:
        return {
            "pk": {"S": self.random.choice(PARTITIONS)},
            "sk": {"S": self.random.choice(SORTS)},
        }

    def number(self) -> dict[str, str]:
        return {"N": self.random.choice(NUMBERS)}

    def text(self) -> dict[str, str]:
        return {"S": self.random.choice(TEXTS)}

    def value(self, depth: int = 0) -> dict[str, Any]:
        pick = self.random.randrange(10 if depth < 3 else 6)
        choose = self.random.choice
        match pick:
            case 0 | 1:
                return self.text()
            case 2:
                return self.number()
            case 3:
                return {"N": choose(ODD_NUMBERS)}
            case 4:
                return choose([{"BOOL": True}, {"BOOL": False}, {"NULL": True}])
            case 5:
                return {"B": choose([b"", b"\x00\xff", b"abc"])}
            case 6:
                return {"SS": self.random.sample(("a", "b", "zoë", "x y"), 2)}
            case 7:
                return {"NS": self.random.sample(("1", "2", "30", "-4"), 3)}
            case 8:
                return {"L": [self.value(depth + 1) for _ in range(self.random.randrange(3))]}
        return {"M": {name: self.value(depth + 1) for name in ("x", "ÿ")[: choose((0, 1, 2))]}}

    def item(self) -> dict[str, Any]:
        item = self.key()
        chance = self.random.random
        if chance() < 0.8:
            item["seq"] = self.number()
        if chance() < 0.5:
            item["note"] = self.number() if chance() < 0.1 else self.text()
        if chance() < 0.3:
            item["lots"] = {"L": [{"M": {"remaining": self.number()}}]}
        if chance() < 0.3:
            item["tags"] = {"SS": ["a", "ab"]}
        if chance() < 0.3:
            item["flag"] = {"BOOL": chance() < 0.5}
        if chance() < 0.2:
            item["meta"] = {"M": {"seq": self.number()}}
        if chance() < 0.3:
            item["any"] = self.value()
        if chance() < 0.04:
            item["filler"] = {"S": "x" * self.random.choice((880, 900, 950, 1024, 1900, 5000))}
        if chance() < 0.5:
            item["gsi1pk"] = {"S": self.random.choice(STATEMENTS)}
        if chance() < 0.5:
            item["gsi1sk"] = {"S": f"{self.random.randrange(6):03d}"}
        if chance() < 0.3:
            item["gsi2pk"] = {"S": self.random.choice(SHARDS)}
            item["gsi2sk"] = {"S": f"2025-01-0{self.random.randrange(1, 5)}"}
        return item

    def condition(self, probability: float) -> dict[str, Any]:
        if self.random.random() > probability:
            return {}
        text, wanted = self.random.choice(self.conditions)
        low, high = sorted((self.number(), self.number()), key=lambda value: int(value["N"]))
        possible = {
            "n": self.number(),
            "m": self.number(),
            "lo": low,
            "hi": high,
            "s": {"S": self.random.choice(("a", "b", "ab"))},
            "t": {"BOOL": True},
            "kind": {"S": self.random.choice(("S", "N"))},
        }
        params: dict[str, Any] = {"ConditionExpression": text}
        if wanted:
            params["ExpressionAttributeValues"] = {":" + name: possible[name] for name in wanted}
        if "#seq" in text:
            params["ExpressionAttributeNames"] = dict(NAMES)
        if self.random.random() < 0.7:
            params["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD"
        return params

    def capacity(self) -> dict[str, str]:
        mode = self.random.choice((None, "TOTAL", "INDEXES", "INDEXES"))
        return {} if mode is None else {"ReturnConsumedCapacity": mode}

    # Writes

    def put(self) -> Request:
        params = {"TableName": self.table, "Item": self.item(), **self.condition(0.6)}
        if self.random.random() < 0.3:
            params["ReturnValues"] = "ALL_OLD"
        return "put_item", {**params, **self.capacity()}

    def delete(self) -> Request:
        params = {"TableName": self.table, "Key": self.key(), **self.condition(0.5)}
        if self.random.random() < 0.3:
            params["ReturnValues"] = "ALL_OLD"
        return "delete_item", {**params, **self.capacity()}

    def changes(self) -> dict[str, Any]:
        text, values = self.random.choice(
            (
                ("SET seq = :u", {":u": self.number()}),
                ("SET seq = if_not_exists(seq, :u) + :u, note = :w", {":u": self.number()}),
                ("SET gsi1sk = :w REMOVE gsi2pk", {}),
                ("REMOVE note, seq", {}),
                ("ADD note :u", {":u": {"N": "1"}}),
                ("ADD seq :u", {":u": {"N": "1"}}),
                ("SET rest = seq - :u", {":u": {"N": "1"}}),
                ("SET #seq = :u ADD tags :z", {":u": self.number(), ":z": {"SS": ["zz"]}}),
            )
        )
        if ":w" in text:
            values = {**values, ":w": {"S": "w"}}
        params = self.condition(0.4)
        merged = {**params.get("ExpressionAttributeValues", {}), **values}
        if "#seq" in text:
            params["ExpressionAttributeNames"] = dict(NAMES)
        if merged:
            params["ExpressionAttributeValues"] = merged
        return {**params, "UpdateExpression": text}

    def update(self) -> Request:
        params = {"TableName": self.table, "Key": self.key(), **self.changes()}
        modes = ("NONE", "ALL_OLD", "ALL_NEW", "UPDATED_OLD", "UPDATED_NEW")
        params["ReturnValues"] = self.random.choice(modes)
        return "update_item", {**params, **self.capacity()}

    def step(self) -> dict[str, Any]:
        pick = self.random.random()
        if pick < 0.65:
            put = {"TableName": self.table, "Item": self.item(), **self.condition(0.7)}
            return {"Put": put}
        keyed = {"TableName": self.table, "Key": self.key()}
        if pick < 0.75:
            return {"Delete": {**keyed, **self.condition(0.5)}}
        if pick < 0.9:
            return {"ConditionCheck": {**keyed, **self.condition(1.0)}}
        return {"Update": {**keyed, **self.changes()}}

    def step_elsewhere(self) -> dict[str, Any]:
        """A step that holds and stays out of the way of any other."""
        key = {"pk": {"S": "elsewhere"}, "sk": {"S": "0"}}
        check = {"ConditionExpression": "attribute_not_exists(nothing)"}
        return {"ConditionCheck": {"TableName": self.table, "Key": key, **check}}

    def transact(self) -> Request:
        steps = [self.step() for _ in range(self.random.choice((1, 2, 2, 3, 3, 4)))]
        params: dict[str, Any] = {"TransactItems": steps, **self.capacity()}
        if self.random.random() < 0.6:
            params["ClientRequestToken"] = f"token-{self.random.getrandbits(64)}"
            self.seen = [*self.seen[-20:], params]
        return "transact_write_items", params

    def repeat(self) -> Request:
        """An earlier transaction again: as it was, or with its token and other parameters."""
        if not self.seen:
            return self.transact()
        params = self.random.choice(self.seen)
        if self.random.random() < 0.7:
            return "transact_write_items", params
        return "transact_write_items", {**params, "TransactItems": [self.step()]}

    # Reads

    def get(self) -> Request:
        params: dict[str, Any] = {"TableName": self.table, "Key": self.key(), **self.capacity()}
        if self.random.random() < 0.5:
            params["ConsistentRead"] = True
        if self.random.random() < 0.2:
            params["ProjectionExpression"] = "pk, #seq, note"
            params["ExpressionAttributeNames"] = dict(NAMES)
        return "get_item", params

    def distinct_keys(self) -> list[dict[str, Any]]:
        keys = {(key["pk"]["S"], key["sk"]["S"]): key for key in (self.key() for _ in range(5))}
        return list(keys.values())

    def batch_get(self) -> Request:
        part: dict[str, Any] = {"Keys": self.distinct_keys()}
        if self.random.random() < 0.5:
            part["ConsistentRead"] = True
        return "batch_get_item", {"RequestItems": {self.table: part}}

    def transact_get(self) -> Request:
        gets = [{"Get": {"TableName": self.table, "Key": key}} for key in self.distinct_keys()]
        return "transact_get_items", {"TransactItems": gets, **self.capacity()}

    def query(self) -> Request:
        index = self.random.choice((None, None, "gsi1", "gsi2"))
        names = {None: ("pk", "sk"), "gsi1": ("gsi1pk", "gsi1sk"), "gsi2": ("gsi2pk", "gsi2sk")}
        pools = {
            "pk": PARTITIONS,
            "gsi1pk": STATEMENTS,
            "gsi2pk": SHARDS,
            "sk": SORTS,
            "gsi1sk": ("000", "003", "w"),
            "gsi2sk": ("2025-01-02", "2025-01-04"),
        }
        first, second = names[index]
        values: dict[str, Any] = {":p": {"S": self.random.choice(pools[first])}}
        low, high = sorted(self.random.choices(pools[second], k=2))
        condition, more = self.random.choice(
            (
                ("", {}),
                ("", {}),
                (f" AND {second} = :a", {":a": {"S": low}}),
                (f" AND {second} < :a", {":a": {"S": high}}),
                (f" AND {second} <= :a", {":a": {"S": high}}),
                (f" AND {second} > :a", {":a": {"S": low}}),
                (f" AND {second} >= :a", {":a": {"S": low}}),
                (f" AND {second} BETWEEN :a AND :b", {":a": {"S": low}, ":b": {"S": high}}),
                (f" AND begins_with({second}, :a)", {":a": {"S": low[:3]}}),
            )
        )
        params: dict[str, Any] = {
            "TableName": self.table,
            "KeyConditionExpression": f"{first} = :p{condition}",
            "ExpressionAttributeValues": {**values, **more},
            **self.capacity(),
        }
        if index:
            params["IndexName"] = index
        elif self.random.random() < 0.5:
            params["ConsistentRead"] = True
        self._refine(params)
        return "query", params

    def _refine(self, params: dict[str, Any]) -> None:
        chance = self.random.random
        if chance() < 0.5:
            params["ScanIndexForward"] = chance() < 0.5
        if chance() < 0.5:
            params["Limit"] = self.random.randrange(1, 5)
        if chance() < 0.3:
            params["FilterExpression"] = "attribute_exists(seq) AND seq > :f"
            params["ExpressionAttributeValues"][":f"] = {"N": "1"}
        if chance() < 0.15:
            params["Select"] = "COUNT"
        elif chance() < 0.15:
            params["ProjectionExpression"] = "pk, sk"

    def next_page(self) -> Request:
        """The page after one that was cut."""
        if not self.cursors:
            return self.query()
        return "query", self.cursors.pop(self.random.randrange(len(self.cursors)))

    def note_answer(self, method: str, params: dict[str, Any], answer: dict[str, Any]) -> None:
        """Remember where a page ended."""
        if method == "query" and "LastEvaluatedKey" in answer:
            following = {**params, "ExclusiveStartKey": answer["LastEvaluatedKey"]}
            self.cursors = [*self.cursors[-20:], following]
