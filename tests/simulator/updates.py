"""Update expressions: SET, REMOVE and ADD of whole attributes.

Smaller than the service's on purpose: paths into documents, `list_append` and DELETE are refused
with `NotImplementedError`, never silently misread.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain

from tests.simulator import grammar
from tests.simulator.conditions import Names, Values, names_in
from tests.simulator.errors import ServiceError, invalid
from tests.simulator.grammar import Constant, Cursor, Path
from tests.simulator.values import Item, Value, exact_sum, kind_of, numeric

CLAUSES = ("SET", "REMOVE", "ADD", "DELETE")
_SLOT = "UpdateExpression"
_WRONG_KIND = "An operand in the update expression has an incorrect data type"
_MISSING = "The provided expression refers to an attribute that does not exist in the item"


@dataclass(frozen=True, slots=True)
class IfNotExists:
    path: Path
    default: Path | Constant


type Term = Path | Constant | IfNotExists


@dataclass(frozen=True, slots=True)
class Assignment:
    """`target = first`, or `target = first + second`, or `target = first - second`."""

    target: Path
    first: Term
    operator: str | None
    second: Term | None


@dataclass(frozen=True, slots=True)
class Update:
    """An update expression in parts, and what it needs from the request."""

    assignments: tuple[Assignment, ...]
    removals: tuple[Path, ...]
    additions: tuple[tuple[Path, Constant], ...]
    names: frozenset[str]
    constants: frozenset[str]

    def targets(self, names: Names) -> list[str]:
        """The attributes that the update writes, in the order of the text."""
        paths = chain(
            (assignment.target for assignment in self.assignments),
            self.removals,
            (path for path, _ in self.additions),
        )
        return [_attribute(path, names) for path in paths]

    def apply(self, item: Item, names: Names, values: Values) -> Item:
        """The item after the update; every right side reads the item before it.

        Raises:
            ServiceError: An operand is missing or of the wrong kind.
        """
        after = dict(item)
        for assignment in self.assignments:
            value = _term(assignment.first, item, names, values)
            if assignment.operator and assignment.second is not None:
                other = _term(assignment.second, item, names, values)
                value = _sum(value, other, minus=assignment.operator == "-")
            after[_attribute(assignment.target, names)] = value
        for path in self.removals:
            after.pop(_attribute(path, names), None)
        for path, constant in self.additions:
            name = _attribute(path, names)
            after[name] = _added(item.get(name), values[constant.name])
        return after


@lru_cache(maxsize=1024)
def update_of(text: str) -> Update:
    """The parts of an update expression.

    Raises:
        ServiceError: The text is not an update expression.
    """
    return _Parser(text, slot=_SLOT).parse()


class _Parser(Cursor):
    def parse(self) -> Update:
        self._paths: list[Path] = []
        self._constants: set[str] = set()
        assignments: list[Assignment] = []
        removals: list[Path] = []
        additions: list[tuple[Path, Constant]] = []
        seen: set[str] = set()
        readers: dict[str, Callable[[], None]] = {
            "SET": lambda: assignments.append(self._assignment()),
            "REMOVE": lambda: removals.append(self._target()),
            "ADD": lambda: additions.append((self._target(), self._constant())),
        }
        while self.peek() is not grammar.END:
            clause = self.peek().text.upper()
            if clause not in CLAUSES:
                raise self.error()
            if clause in seen:
                raise invalid(
                    f'Invalid {_SLOT}: The "{clause}" section can only be used once in an update '
                    "expression;"
                )
            if clause not in readers:
                raise NotImplementedError(f"the simulator does not know the {clause} clause")
            seen.add(clause)
            self.take()
            readers[clause]()
            while self.accept(","):
                readers[clause]()
        return Update(
            assignments=tuple(assignments),
            removals=tuple(removals),
            additions=tuple(additions),
            names=names_in(self._paths),
            constants=frozenset(self._constants),
        )

    def _path(self) -> Path:
        path = self.path()
        if len(path.parts) > 1:
            raise NotImplementedError("the simulator updates whole attributes only")
        self._paths.append(path)
        return path

    _target = _path

    def _constant(self) -> Constant:
        constant = self.constant()
        self._constants.add(constant.name)
        return constant

    def _assignment(self) -> Assignment:
        target = self._target()
        self.expect("=")
        first = self._term()
        if self.peek().text in {"+", "-"}:
            return Assignment(target, first, self.take().text, self._term())
        return Assignment(target, first, None, None)

    def _term(self) -> Term:
        if self.peek().text.startswith(":"):
            return self._constant()
        if self.peek(1).text != "(":
            return self._path()
        if self.peek().text != "if_not_exists":
            raise NotImplementedError(f"the simulator does not know {self.peek().text}()")
        self.take()
        self.expect("(")
        path = self._path()
        self.expect(",")
        default = self._constant() if self.peek().text.startswith(":") else self._path()
        self.expect(")")
        return IfNotExists(path, default)


def _attribute(path: Path, names: Names) -> str:
    (name,) = path.parts
    assert isinstance(name, str)
    return names[name] if name.startswith("#") else name


def _term(term: Term, item: Item, names: Names, values: Values) -> Value:
    match term:
        case Constant(name):
            return values[name]
        case IfNotExists(path, default):
            value = item.get(_attribute(path, names))
            return _term(default, item, names, values) if value is None else value
        case Path():
            value = item.get(_attribute(term, names))
            if value is None:
                raise invalid(_MISSING)
            return value


def _sum(one: Value, other: Value, *, minus: bool) -> Value:
    if "N" not in one or "N" not in other:
        raise invalid(_WRONG_KIND)
    return {"N": exact_sum(one["N"], other["N"], minus=minus)}


def _added(value: Value | None, amount: Value) -> Value:
    """`ADD`: a number to a number, members to a set, or the amount itself to nothing."""
    kind = kind_of(amount)
    if kind not in {"N", "SS", "NS", "BS"}:
        raise invalid(
            f"Invalid {_SLOT}: Incorrect operand type for operator or function; "
            f"operator: ADD, operand type: {kind}"
        )
    if value is None:
        return amount
    if kind_of(value) != kind:
        raise invalid(_WRONG_KIND)
    if kind == "N":
        return _sum(value, amount, minus=False)
    members = set(value[kind]) | set(amount[kind])
    return {kind: sorted(members, key=numeric) if kind == "NS" else sorted(members)}


def is_static(error: ServiceError) -> bool:
    """Whether the request itself is wrong, whatever the update met in the item."""
    return error.message.startswith(("Invalid ", "One or more parameter values are not valid"))
