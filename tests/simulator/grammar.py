"""The grammar of condition, filter and key condition expressions: text in, tree out.

Developer Guide, "Condition and filter expressions, operators, and functions". Only the parameter's
name (`slot`) and the text decide what comes out, so trees are kept and used again.
"""

import re
from dataclasses import dataclass
from typing import NamedTuple

from tests.simulator.errors import ServiceError, invalid
from tests.simulator.reserved_words import RESERVED_WORDS

EXPRESSION_BYTES_MAX = 4096
CHOICES_MAX = 100
COMPARATORS = frozenset({"=", "<>", "<", "<=", ">", ">="})
KEYWORDS = frozenset({"AND", "OR", "NOT", "BETWEEN", "IN"})

_TOKEN = re.compile(
    r"\s*(?:(?P<symbol><>|<=|>=|[=<>(),.\[\]+-])"
    r"|(?P<placeholder>[#:][A-Za-z0-9_]+)"
    r"|(?P<word>[A-Za-z_][A-Za-z0-9_]*)"
    r"|(?P<number>[0-9]+)"
    r"|(?P<other>\S))"
)


class Token(NamedTuple):
    kind: str
    text: str


END = Token("end", "<EOF>")


@dataclass(frozen=True, slots=True)
class Path:
    """An attribute or a part of one; `#names` are resolved when the tree is used."""

    parts: tuple[str | int, ...]

    def __str__(self) -> str:
        return ".".join(str(part) for part in self.parts)


@dataclass(frozen=True, slots=True)
class Constant:
    """A `:value` placeholder."""

    name: str


@dataclass(frozen=True, slots=True)
class Size:
    path: Path


type Operand = Path | Constant | Size


@dataclass(frozen=True, slots=True)
class Compare:
    operator: str
    left: Operand
    right: Operand


@dataclass(frozen=True, slots=True)
class Between:
    operand: Operand
    low: Operand
    high: Operand


@dataclass(frozen=True, slots=True)
class Within:
    operand: Operand
    choices: tuple[Operand, ...]


@dataclass(frozen=True, slots=True)
class Call:
    function: str
    path: Path
    argument: Operand | None


@dataclass(frozen=True, slots=True)
class Both:
    left: "Tree"
    right: "Tree"


@dataclass(frozen=True, slots=True)
class Either:
    left: "Tree"
    right: "Tree"


@dataclass(frozen=True, slots=True)
class Not:
    tree: "Tree"


type Tree = Compare | Between | Within | Call | Both | Either | Not

# Functions that are true or false, and whether they take a second argument.
FUNCTIONS = {
    "attribute_exists": False,
    "attribute_not_exists": False,
    "attribute_type": True,
    "begins_with": True,
    "contains": True,
}


def tokens_of(text: str, *, slot: str) -> list[Token]:
    """The tokens of an expression.

    Raises:
        ServiceError: It is empty, too long, or has a character no token begins with.
    """
    if not text.strip():
        raise invalid(f"Invalid {slot}: The expression can not be empty;")
    if len(text.encode()) > EXPRESSION_BYTES_MAX:
        raise invalid(
            f"Invalid {slot}: Expression size has exceeded the maximum allowed size; "
            f"expression size: {len(text.encode())}"
        )
    tokens = []
    for match in _TOKEN.finditer(text.rstrip()):
        kind = match.lastgroup or "other"
        token = Token(kind, match.group(kind))
        if kind == "other":
            raise invalid(f'Invalid {slot}: Syntax error; token: "{token.text}", near: "{text}"')
        tokens.append(token)
    return tokens


class Cursor:
    """Walks over tokens; what conditions and update expressions have in common."""

    def __init__(self, text: str, *, slot: str) -> None:
        self.slot = slot
        self.tokens = tokens_of(text, slot=slot)
        self.position = 0

    def peek(self, ahead: int = 0) -> Token:
        place = self.position + ahead
        return self.tokens[place] if place < len(self.tokens) else END

    def take(self) -> Token:
        token = self.peek()
        self.position += 1
        return token

    def expect(self, text: str) -> None:
        if self.peek().text != text:
            raise self.error()
        self.take()

    def accept(self, text: str) -> bool:
        if self.peek().text == text and self.peek().kind == "symbol":
            self.take()
            return True
        return False

    def keyword(self) -> str | None:
        token = self.peek()
        word = token.text.upper()
        return word if token.kind == "word" and word in KEYWORDS else None

    def accept_keyword(self, word: str) -> bool:
        if self.keyword() == word:
            self.take()
            return True
        return False

    def error(self) -> ServiceError:
        near = self.tokens[max(0, self.position - 1) : self.position + 2]
        return invalid(
            f'Invalid {self.slot}: Syntax error; token: "{self.peek().text}", '
            f'near: "{" ".join(token.text for token in near)}"'
        )

    def path(self) -> Path:
        parts: list[str | int] = [self._name()]
        while True:
            if self.accept("."):
                parts.append(self._name())
            elif self.accept("["):
                if self.peek().kind != "number":
                    raise self.error()
                parts.append(int(self.take().text))
                self.expect("]")
            else:
                return Path(tuple(parts))

    def _name(self) -> str:
        token = self.peek()
        if token.kind == "placeholder" and token.text.startswith("#"):
            return self.take().text
        if token.kind != "word" or token.text.upper() in KEYWORDS:
            raise self.error()
        if token.text.upper() in RESERVED_WORDS:
            raise invalid(
                f"Invalid {self.slot}: Attribute name is a reserved keyword; "
                f"reserved keyword: {token.text}"
            )
        return self.take().text

    def constant(self) -> Constant:
        token = self.peek()
        if token.kind != "placeholder" or not token.text.startswith(":"):
            raise self.error()
        return Constant(self.take().text)


class ConditionParser(Cursor):
    """Recursive descent; precedence as documented: NOT before AND before OR."""

    def parse(self) -> Tree:
        """The tree of the whole expression.

        Raises:
            ServiceError: The text is not an expression.
        """
        self._enclosed: Tree | None = None
        tree = self._either()
        if self.peek() is not END:
            raise self.error()
        return tree

    def _either(self) -> Tree:
        tree = self._both()
        while self.accept_keyword("OR"):
            tree = Either(tree, self._both())
        return tree

    def _both(self) -> Tree:
        tree = self._negated()
        while self.accept_keyword("AND"):
            tree = Both(tree, self._negated())
        return tree

    def _negated(self) -> Tree:
        if self.accept_keyword("NOT"):
            return Not(self._negated())
        return self._test()

    def _test(self) -> Tree:
        if self.accept("("):
            tree = self._either()
            self.expect(")")
            if tree is self._enclosed:
                raise invalid(f"Invalid {self.slot}: The expression has redundant parentheses;")
            self._enclosed = tree
            return tree
        if self._at_function() and self.peek().text != "size":
            return self._call()
        operand = self._operand()
        if self.peek().text in COMPARATORS:
            return Compare(self.take().text, operand, self._operand())
        if self.accept_keyword("BETWEEN"):
            low = self._operand()
            if not self.accept_keyword("AND"):
                raise self.error()
            return Between(operand, low, self._operand())
        if self.accept_keyword("IN"):
            return Within(operand, self._choices())
        raise self.error()

    def _choices(self) -> tuple[Operand, ...]:
        self.expect("(")
        choices = [self._operand()]
        while self.accept(","):
            choices.append(self._operand())
        self.expect(")")
        if len(choices) > CHOICES_MAX:
            raise invalid(
                f"Invalid {self.slot}: The IN operator is provided with too many operands; "
                f"number of operands: {len(choices)}"
            )
        return tuple(choices)

    def _at_function(self) -> bool:
        return self.peek().kind == "word" and self.peek(1).text == "("

    def _call(self) -> Call:
        function = self.take().text
        if function not in FUNCTIONS:
            raise invalid(f"Invalid {self.slot}: Invalid function name; function: {function}")
        self.expect("(")
        path = self.path()
        argument: Operand | None = None
        if FUNCTIONS[function]:
            self.expect(",")
            argument = self._operand()
        self.expect(")")
        return Call(function, path, argument)

    def _operand(self) -> Operand:
        if self.peek().text.startswith(":"):
            return self.constant()
        if self._at_function() and self.peek().text == "size":
            self.take()
            self.expect("(")
            path = self.path()
            self.expect(")")
            return Size(path)
        return self.path()
