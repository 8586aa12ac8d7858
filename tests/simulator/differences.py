"""Where the engines are known to differ from the simulator, and why the simulator is right.

A rule applies to as little as possible: what it names, and nothing that merely looks like it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from tests.simulator.values import normal_number

REFUSALS = ("ValidationException", "TransactionCanceledException")


@dataclass(frozen=True, slots=True)
class Answer:
    """What a caller saw, fit for comparing: without metadata and without an order of sets."""

    error: str | None = None
    # (code, item) of each cancellation reason
    reasons: tuple[Any, ...] = ()
    content: Any = None
    # By table: units in all, and units by index.
    units: Any = None


@dataclass(frozen=True, slots=True)
class Difference:
    """One call that two engines answered differently; `wrong` names what was wrong with it."""

    method: str
    params: Mapping[str, Any]
    ours: Answer
    theirs: Answer
    wrong: str | None
    # Whether an item that was written is a few bytes short of another write unit.
    is_close: bool = False

    def __str__(self) -> str:
        lines = [f"{self.method} {self.wrong or ''}", f"  {self.params}"]
        lines += [f"  simulator: {self.ours}", f"  engine:    {self.theirs}"]
        return "\n".join(line[:1200] for line in lines)

    @property
    def kind(self) -> str:
        here, there = self.ours.error, self.theirs.error
        return f"{self.method} {self.wrong or ''}: {here} here, {there} there"

    def says(self, *texts: str) -> bool:
        """Whether one of the texts stands in the request."""
        request = repr(self.params)
        return any(text in request for text in texts)

    @property
    def only_in_units(self) -> bool:
        ours, theirs = self.ours, self.theirs
        return (ours.error, ours.content) == (theirs.error, theirs.content)

    @property
    def is_let_through(self) -> bool:
        """The simulator finds the request wrong in itself; the engine did not, and went on."""
        codes = {code for code, _ in self.ours.reasons}
        is_refused = self.ours.error == "ValidationException" or "ValidationError" in codes
        their_codes = {code for code, _ in self.theirs.reasons}
        return (
            is_refused
            and self.theirs.error != "ValidationException"
            and "ValidationError" not in their_codes
        )


class Rule(NamedTuple):
    engine: str
    reason: str
    applies: Callable[[Difference], bool]


def _has_odd_number(content: Any) -> bool:
    """Whether a number in the request is not spelled as it will be stored."""
    if isinstance(content, Mapping):
        number = content.get("N")
        if isinstance(number, str) and normal_number(number) != number:
            return True
        return any(_has_odd_number(value) for value in content.values())
    return isinstance(content, list) and any(_has_odd_number(value) for value in content)


def _normal_numbers(content: Any) -> Any:
    if isinstance(content, dict):
        return {
            name: normal_number(value) if name == "N" else _normal_numbers(value)
            for name, value in content.items()
        }
    return [_normal_numbers(each) for each in content] if isinstance(content, list) else content


def _without_cursor(content: Any) -> Any:
    return {name: value for name, value in content.items() if name != "LastEvaluatedKey"}


def _units(answer: Answer) -> list[float]:
    return [total for total, _ in (answer.units or {}).values()]


MINISTACK = (
    Rule(
        "ministack",
        "weighs a number by pairs of digits about the point, and a sign; documented: about so much",
        lambda it: it.is_close and it.only_in_units and _units(it.ours) < _units(it.theirs),
    ),
    Rule(
        "ministack",
        "bills every read like one of up to 4 KB; documented: for each started 4 KB",
        lambda it: (
            it.method in {"query", "get_item", "transact_get_items"}
            and it.only_in_units
            and _units(it.ours) > _units(it.theirs)
        ),
    ),
    Rule(
        "ministack",
        "names indexes in the capacity of TransactGetItems, which reads tables only",
        lambda it: it.method == "transact_get_items" and it.only_in_units,
    ),
    Rule(
        "ministack",
        "filters a query of gsi2 by attributes that a KEYS_ONLY index does not have",
        lambda it: (
            it.params.get("IndexName") == "gsi2"
            and "FilterExpression" in it.params
            and it.ours.error is it.theirs.error is None
            and it.ours.content["ScannedCount"] == it.theirs.content["ScannedCount"]
        ),
    ),
    Rule(
        "ministack",
        "UPDATED_OLD of attributes that were not there: an empty map; the documents do not say",
        lambda it: it.theirs.content == {"Attributes": {}} and it.ours.content == {},
    ),
    Rule(
        "ministack",
        "takes a key within a transaction that does not fit the schema of the table",
        lambda it: (
            it.method.startswith("transact")
            and it.is_let_through
            and it.wrong in {"key_incomplete", "key_with_more", "key_of_another_kind", "empty_key"}
        ),
    ),
    Rule(
        "ministack",
        "asks conditions with operands of a kind that the operator does not take",
        lambda it: it.wrong == "operand_of_another_kind" and it.is_let_through,
    ),
    Rule(
        "ministack",
        "reads past an unknown function or character in a condition",
        lambda it: it.is_let_through and it.says("no_such_function", "seq ! pk"),
    ),
    Rule(
        "ministack",
        "reads past errors in an update expression, or takes a string for a number",
        lambda it: (
            it.wrong == "update_refused"
            and it.is_let_through
            and it.says(
                "'seq = :a'", "SET seq = :a,", "SET seq = :a SET note", "SET seq :a", "= note - :a"
            )
        ),
    ),
    Rule(
        "ministack",
        "lets a transaction update a key attribute",
        lambda it: (
            it.method == "transact_write_items"
            and it.is_let_through
            and it.says("SET pk = :a", "SET sk = :a", "REMOVE sk")
        ),
    ),
    Rule(
        "ministack",
        "gives an error in the text of an update as a reason of the transaction",
        lambda it: (
            it.method == "transact_write_items"
            and it.ours.error == "ValidationException"
            and it.says("SET status = :a", "ADD seq :a")
        ),
    ),
    Rule(
        "ministack",
        "takes OR, <> and contains() in a key condition",
        lambda it: (
            it.wrong == "query_refused"
            and it.is_let_through
            and it.says("OR sk", "sk <> :a", "contains(sk")
        ),
    ),
    Rule(
        "ministack",
        "filters by key attributes, and projects what the index does not have or nothing at all",
        lambda it: (
            it.wrong == "query_option_refused"
            and it.is_let_through
            and it.says(
                "'attribute_exists(gsi2sk)'", "'ALL_ATTRIBUTES'", "Expression': 'note'", "'pk,'"
            )
        ),
    ),
    Rule(
        "ministack",
        "calls begins_with() wrong where the attribute of the item is a number; it is false",
        lambda it: (
            it.theirs.error == "ValidationException"
            and it.ours.error != "ValidationException"
            and it.says("begins_with(note, :s)")
        ),
    ),
    Rule(
        "ministack",
        "says that the size() of a number is 0; documented for what has a length only",
        lambda it: it.says("'size(note) > :n'") and it.says("':n': {'N': '-1"),
    ),
    Rule(
        "ministack",
        "takes the first of two actions in one member of a transaction",
        lambda it: it.wrong == "transaction_refused" and it.is_let_through and it.says("}, 'De"),
    ),
    Rule(
        "ministack",
        "refuses the same request again as another one if it spells a number as 1.50",
        lambda it: (
            it.ours.error is None
            and it.theirs.error == "IdempotentParameterMismatchException"
            and _has_odd_number(it.params)
        ),
    ),
)
MOTO = (
    Rule(
        "moto",
        "keeps a number as it was spelled",
        lambda it: (
            it.ours.error is it.theirs.error is None
            and it.ours.content == _normal_numbers(it.theirs.content)
        ),
    ),
    Rule(
        "moto",
        "ends a page that its limit ended without a LastEvaluatedKey if nothing follows",
        lambda it: (
            it.method == "query"
            and it.ours.error is it.theirs.error is None
            and "LastEvaluatedKey" not in it.theirs.content
            and _without_cursor(it.ours.content) == _normal_numbers(it.theirs.content)
        ),
    ),
    Rule(
        "moto",
        "fails a transaction as a whole for an update that one of its items does not take",
        lambda it: (
            it.theirs.error == "ValidationException"
            and "ValidationError" in {code for code, _ in it.ours.reasons}
        ),
    ),
)
RULES = (*MINISTACK, *MOTO)


def listed(difference: Difference, *, engine: str) -> str | None:
    """The reason for a difference, if it is one that is known."""
    return next(
        (rule.reason for rule in RULES if rule.engine == engine and rule.applies(difference)), None
    )
