"""Condition and filter expressions: compiled once, asked about many items.

A compiled expression is a chain of closures over `(item, names, values)`. Values are in normal
form (`values.py`), so equality is equality of dictionaries.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from tests.simulator import grammar
from tests.simulator.errors import invalid
from tests.simulator.grammar import Between, Both, Call, Compare, Constant, Either, Not, Within
from tests.simulator.values import Item, Value, kind_of, ordered

type Names = Mapping[str, str]
type Values = Mapping[str, Value]
type Test = Callable[[Item, Names, Values], bool]
type Reader = Callable[[Item, Names, Values], Value | None]

_ORDERED_KINDS = frozenset({"S", "N", "B"})
_PREFIXED_KINDS = frozenset({"S", "B"})


@dataclass(frozen=True, slots=True)
class Program:
    """An expression ready to be asked, and what it needs from the request."""

    slot: str
    tree: grammar.Tree
    test: Test
    names: frozenset[str]
    constants: frozenset[str]
    # (operator, placeholder, kinds the operator takes)
    typed: tuple[tuple[str, str, frozenset[str]], ...]
    # (lower bound, upper bound) of each BETWEEN over two placeholders
    bounds: tuple[tuple[str, str], ...]
    paths: tuple[grammar.Path, ...]

    def attributes(self, names: Names) -> list[str]:
        """The attributes that the expression looks at, in the order of the text."""
        firsts = [str(path.parts[0]) for path in self.paths]
        return [names[first] if first.startswith("#") else first for first in firsts]

    def check_operands(self, values: Values) -> None:
        """Refuse a value that its operator cannot take: known before any item is looked at.

        Raises:
            ServiceError: A value has the wrong kind, or the bounds of a BETWEEN are reversed.
        """
        for operator, name, kinds in self.typed:
            kind = kind_of(values[name])
            if kind not in kinds:
                raise invalid(
                    f"Invalid {self.slot}: Incorrect operand type for operator or function; "
                    f"operator or function: {operator}, operand type: {kind}"
                )
        for low, high in self.bounds:
            if kind_of(values[low]) != kind_of(values[high]):
                raise invalid(
                    f"Invalid {self.slot}: The BETWEEN operator requires same data type for lower "
                    "and upper bounds"
                )
            if ordered(values[low]) > ordered(values[high]):
                raise invalid(
                    f"Invalid {self.slot}: The BETWEEN operator requires upper bound to be "
                    "greater than or equal to lower bound"
                )


@lru_cache(maxsize=4096)
def program_of(text: str, slot: str) -> Program:
    """The program of an expression; `slot` is the parameter it came in.

    Raises:
        ServiceError: The text is not an expression.
    """
    tree = grammar.ConditionParser(text, slot=slot).parse()
    nodes = list(_walk(tree))
    paths = [node for node in nodes if isinstance(node, grammar.Path)]
    return Program(
        slot=slot,
        tree=tree,
        test=_compiled(tree),
        names=names_in(paths),
        constants=frozenset(node.name for node in nodes if isinstance(node, Constant)),
        typed=tuple(_typed_operands(nodes)),
        bounds=tuple(
            (node.low.name, node.high.name)
            for node in nodes
            if isinstance(node, Between)
            and isinstance(node.low, Constant)
            and isinstance(node.high, Constant)
        ),
        paths=tuple(paths),
    )


def names_in(paths: list[grammar.Path]) -> frozenset[str]:
    """The `#placeholders` of some paths."""
    return frozenset(
        part
        for path in paths
        for part in path.parts
        if isinstance(part, str) and part.startswith("#")
    )


def _walk(node: Any) -> Iterator[Any]:
    """The node and everything under it, in the order of the text."""
    yield node
    match node:
        case Both(left, right) | Either(left, right) | Compare(_, left, right):
            yield from _walk(left)
            yield from _walk(right)
        case Not(tree) | grammar.Size(tree):
            yield from _walk(tree)
        case Between(operand, low, high):
            for part in (operand, low, high):
                yield from _walk(part)
        case Within(operand, choices):
            for part in (operand, *choices):
                yield from _walk(part)
        case Call(_, path, argument):
            yield from _walk(path)
            if argument is not None:
                yield from _walk(argument)


def _typed_operands(nodes: list[Any]) -> Iterator[tuple[str, str, frozenset[str]]]:
    for node in nodes:
        match node:
            case Compare("<" | "<=" | ">" | ">=" as operator, left, right):
                for operand in (left, right):
                    if isinstance(operand, Constant):
                        yield operator, operand.name, _ORDERED_KINDS
            case Between(operand, low, high):
                for part in (operand, low, high):
                    if isinstance(part, Constant):
                        yield "BETWEEN", part.name, _ORDERED_KINDS
            case Call("begins_with", _, Constant(name)):
                yield "begins_with", name, _PREFIXED_KINDS
            case Call("attribute_type", _, Constant(name)):
                yield "attribute_type", name, frozenset({"S"})


def _compiled(tree: grammar.Tree) -> Test:
    match tree:
        case Both(left, right):
            first, second = _compiled(left), _compiled(right)
            return lambda *where: first(*where) and second(*where)
        case Either(left, right):
            first, second = _compiled(left), _compiled(right)
            return lambda *where: first(*where) or second(*where)
        case Not(inner):
            test = _compiled(inner)
            return lambda *where: not test(*where)
        case Compare(operator, left, right):
            return _comparison(operator, _reader(left), _reader(right))
        case Between(operand, low, high):
            at_least = _comparison(">=", _reader(operand), _reader(low))
            at_most = _comparison("<=", _reader(operand), _reader(high))
            return lambda *where: at_least(*where) and at_most(*where)
        case Within(operand, choices):
            tests = [_comparison("=", _reader(operand), _reader(choice)) for choice in choices]
            return lambda *where: any(test(*where) for test in tests)
        case Call(function, path, argument):
            other = None if argument is None else _reader(argument)
            return _call(function, path_reader(path), other)


def _comparison(operator: str, left: Reader, right: Reader) -> Test:
    """A missing attribute equals nothing, differs from everything and has no place in an order."""

    def equal(item: Item, names: Names, values: Values) -> bool:
        value = left(item, names, values)
        return value is not None and value == right(item, names, values)

    def different(item: Item, names: Names, values: Values) -> bool:
        return not equal(item, names, values)

    def in_order(item: Item, names: Names, values: Values) -> bool:
        one, other = left(item, names, values), right(item, names, values)
        if one is None or other is None or kind_of(one) != kind_of(other):
            return False
        if kind_of(one) not in _ORDERED_KINDS:
            return False
        return bool(_ORDER[operator](ordered(one), ordered(other)))

    return {"=": equal, "<>": different}.get(operator, in_order)


_ORDER: dict[str, Callable[[Any, Any], Any]] = {
    "<": lambda one, other: one < other,
    "<=": lambda one, other: one <= other,
    ">": lambda one, other: one > other,
    ">=": lambda one, other: one >= other,
}


def _call(function: str, subject: Reader, argument: Reader | None) -> Test:
    if argument is None:
        if function == "attribute_exists":
            return lambda *where: subject(*where) is not None
        return lambda *where: subject(*where) is None
    test = {"attribute_type": _has_type, "begins_with": _begins, "contains": _contains}[function]

    def call(item: Item, names: Names, values: Values) -> bool:
        value, other = subject(item, names, values), argument(item, names, values)
        return value is not None and other is not None and test(value, other)

    return call


def _has_type(value: Value, wanted: Value) -> bool:
    return kind_of(value) == wanted.get("S")


def _begins(value: Value, prefix: Value) -> bool:
    kind = kind_of(prefix)
    return kind in _PREFIXED_KINDS and kind in value and value[kind].startswith(prefix[kind])


def _contains(value: Value, part: Value) -> bool:
    """A substring, or a member of a set, or an element of a list."""
    kind = kind_of(part)
    if kind in _PREFIXED_KINDS and kind in value:
        return part[kind] in value[kind]
    if kind + "S" in value:
        return part[kind] in value[kind + "S"]
    return "L" in value and part in value["L"]


def _reader(operand: grammar.Operand) -> Reader:
    match operand:
        case Constant(name):
            return lambda item, names, values: values[name]
        case grammar.Size(path):
            measured = path_reader(path)

            def size(item: Item, names: Names, values: Values) -> Value | None:
                value = measured(item, names, values)
                return None if value is None else _length(value)

            return size
        case grammar.Path():
            return path_reader(operand)


def _length(value: Value) -> Value | None:
    """What `size()` says: UTF-16 units of a string, bytes, members, elements; else nothing."""
    for kind, content in value.items():
        if kind == "S":
            return {"N": str(len(content.encode("utf-16-le")) // 2)}
        if kind in {"N", "BOOL", "NULL"}:
            return None
        return {"N": str(len(content))}
    return None


def path_reader(path: grammar.Path) -> Reader:
    """Reads what a path leads to; None if it leads nowhere."""
    first, rest = path.parts[0], path.parts[1:]
    if rest:
        return lambda item, names, values: _reached(item, path.parts, names)
    assert isinstance(first, str)
    if first.startswith("#"):
        return lambda item, names, values: item.get(names[first])
    return lambda item, names, values: item.get(first)


def _reached(item: Item, parts: tuple[str | int, ...], names: Names) -> Value | None:
    value: Value | None = {"M": item}
    for part in parts:
        if value is None:
            return None
        if isinstance(part, int):
            elements = value.get("L", [])
            value = elements[part] if part < len(elements) else None
        else:
            value = value.get("M", {}).get(names[part] if part.startswith("#") else part)
    return value
