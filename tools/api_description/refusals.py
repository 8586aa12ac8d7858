"""What an operation can refuse: read from its source, and from all that it calls.

A refusal that is named anywhere on the way counts, whatever the condition it stands under, but not
where it is caught. Calls are followed by name: through modules, into functions, and into methods of
the project's own classes by the method's name. So a description may name a refusal too many. It
names none too few as long as refusals are raised by their class, which is how this project does it.
"""

import ast
import re
import sys
import textwrap
from collections.abc import Callable, Iterator
from functools import cache
from inspect import getclosurevars, getdoc, getsource, unwrap
from types import FunctionType, ModuleType
from typing import Any

from holdfast import errors
from holdfast.errors import (
    AccountNotFound,
    Contention,
    FacilitatorUnavailable,
    HoldNotDue,
    IdempotencyKeyReused,
    KeyInUse,
    PaymentUsed,
    Refusal,
    Unavailable,
)
from holdfast.gateways.stripe import checkout, customers, intents, settled
from holdfast.gateways.x402_facilitator import X402Facilitator
from holdfast.http.errors import STATUS
from holdfast.http.principal import owner_named
from holdfast.services import accounts, expiry, x402
from holdfast.store.ledger_store import LedgerStore
from tools.api_description.served import PACKAGES

type Refusals = frozenset[type[Refusal]]

_NOTHING: Refusals = frozenset()
_BUSY: Refusals = frozenset({Contention, Unavailable})

# What the system does for a caller on the way has rules that the caller does not meet.
_SEEN_FROM_OUTSIDE: dict[Callable[..., Any], Refusals] = {
    accounts.ensure: _BUSY | {AccountNotFound},
    expiry.sweep: _BUSY,
    LedgerStore.change: _BUSY | {IdempotencyKeyReused, KeyInUse},
    LedgerStore.enact: _BUSY | {IdempotencyKeyReused, KeyInUse},
    x402.pay: _BUSY | {FacilitatorUnavailable, KeyInUse, PaymentUsed},
}
_PROVIDER: dict[str, type] = {
    "cards": customers.Cards,
    "checkout": checkout.Checkout,
    "customers": customers.Customers,
    "facilitator": X402Facilitator,
    "payment_intents": intents.PaymentIntents,
    "portal": customers.Portal,
    "refunds": settled.Refunds,
    "setup_intents": intents.SetupIntents,
}
_RAISED = re.compile(r"^ +([A-Z]\w+(?:, [A-Z]\w+)*):", re.MULTILINE)
_NEVER_SHOWN: Refusals = frozenset({HoldNotDue})
_OURS = "holdfast"
_WITH_METHODS = ("holdfast.domain.", "holdfast.store.", "holdfast.http.credential")


def status_of(refusal: type[Refusal]) -> int | None:
    """The status of a refusal; None for one that never leaves the services."""
    found = next((STATUS[base] for base in refusal.__mro__ if base in STATUS), None)
    return None if found is None else found.value


def refusals_of(route: Callable[..., Any], *dependencies: Callable[..., Any]) -> Refusals:
    """Every refusal that a route can end in, or what is resolved before it is called."""
    found = frozenset().union(*(_of(function) for function in (route, *dependencies)))
    if _names_nobody(route):
        # The caller's own account is made when it is missing.
        found -= {AccountNotFound}
    return frozenset(refusal for refusal in found if status_of(refusal)) - _NEVER_SHOWN


_known: dict[FunctionType, Refusals] = {}


def _of(function: Any) -> Refusals:
    plain = unwrap(function) if callable(function) else None
    if not isinstance(plain, FunctionType) or not _is_ours(plain.__module__):
        return _NOTHING
    if plain in _SEEN_FROM_OUTSIDE:
        return _SEEN_FROM_OUTSIDE[plain]
    if plain not in _known:
        # A function that comes back to itself adds nothing the second time.
        _known[plain] = _NOTHING
        _known[plain] = frozenset(_Reading(plain).refusals())
    return _known[plain]


class _Reading:
    """The source of one function, and what its names mean."""

    def __init__(self, function: FunctionType) -> None:
        (definition,) = ast.parse(textwrap.dedent(getsource(function))).body
        assert isinstance(definition, ast.FunctionDef), function
        self._definition = definition
        variables = getclosurevars(function)
        self._names = {**function.__globals__, **variables.nonlocals}
        self._locals = set(_bound_in(definition))

    def refusals(self) -> Iterator[type[Refusal]]:
        yield from self._in_all(self._definition.body)

    def names_others(self) -> bool:
        """Whether the function asks whom a request names."""
        asked = [
            node
            for node in ast.walk(self._definition)
            if isinstance(node, ast.Call) and self._meaning(node.func) is owner_named
        ]
        return not asked or not all(map(_is_about_nobody, asked))

    def _in_all(self, nodes: list[Any]) -> Iterator[type[Refusal]]:
        for node in nodes:
            yield from self._in(node)

    def _in(self, node: ast.AST) -> Iterator[type[Refusal]]:
        match node:
            case ast.Try():
                yield from self._in_try(node)
            case ast.FunctionDef():
                yield from self._in_all(node.body)
            case ast.AnnAssign():
                yield from self._in_all([node.value] if node.value else [])
            case ast.Call(func=ast.Name(id="isinstance" | "issubclass")):
                yield from self._in(node.args[0])
            case ast.Call() if self._meaning(node.func) is owner_named and _is_about_nobody(node):
                pass
            case ast.Call(func=ast.Attribute() as called):
                yield from self._named(called, is_called=True)
                yield from self._in_all([*node.args, *node.keywords])
            case ast.Attribute() | ast.Name():
                yield from self._named(node)
            case _:
                yield from self._in_all(list(ast.iter_child_nodes(node)))

    def _in_try(self, node: ast.Try) -> Iterator[type[Refusal]]:
        left = set(self._in_all(node.body))
        for handler in node.handlers:
            caught = () if handler.type is None else self._kinds(handler.type)
            raised_again = any(
                isinstance(inner, ast.Raise) and inner.exc is None for inner in ast.walk(handler)
            )
            if not raised_again:
                left = {one for one in left if not issubclass(one, caught)}
            yield from self._in_all(handler.body)
        yield from left
        yield from self._in_all([*node.orelse, *node.finalbody])

    def _kinds(self, node: ast.expr) -> tuple[type, ...]:
        nodes = node.elts if isinstance(node, ast.Tuple) else [node]
        return tuple(kind for each in nodes if isinstance(kind := self._meaning(each), type))

    def _named(
        self, node: ast.Attribute | ast.Name, *, is_called: bool = False
    ) -> Iterator[type[Refusal]]:
        meaning = self._meaning(node)
        if isinstance(meaning, type):
            if issubclass(meaning, Refusal):
                yield meaning
            elif _is_ours(meaning.__module__):
                yield from _of(vars(meaning).get("__post_init__"))
        elif meaning is not None:
            yield from _of(meaning)
        elif isinstance(node, ast.Attribute):
            yield from self._in(node.value)
            for method in _members(FunctionType if is_called else property).get(node.attr, ()):
                yield from _of(method)
            yield from _of_provider(node)

    def _meaning(self, node: ast.AST) -> Any:
        """What a name stands for; None for what is only known when it runs."""
        match node:
            case ast.Name(id=name) if name not in self._locals:
                return self._names.get(name)
            case ast.Attribute(value=value, attr=name):
                owner = self._meaning(value)
                return vars(owner).get(name) if isinstance(owner, ModuleType) else None
        return None


def _of_provider(node: ast.Attribute) -> Iterator[type[Refusal]]:
    """What `gateway.cards.attach` refuses: the gateway's methods say it, completely."""
    match node:
        case ast.Attribute(value=ast.Attribute(attr=noun) | ast.Name(id=noun), attr=verb) if (
            noun in _PROVIDER
        ):
            said = getdoc(getattr(_PROVIDER[noun], verb, None)) or ""
            for names in _RAISED.findall(said.partition("Raises:")[2]):
                for name in names.split(", "):
                    kind = getattr(errors, name, None)
                    if isinstance(kind, type) and issubclass(kind, Refusal):
                        yield kind


def _names_nobody(route: Callable[..., Any]) -> bool:
    plain = unwrap(route)
    return isinstance(plain, FunctionType) and not _Reading(plain).names_others()


def _is_about_nobody(call: ast.Call) -> bool:
    match call.args:
        case [_, ast.Constant(value=None)]:
            return True
    return False


def _bound_in(definition: ast.FunctionDef) -> Iterator[str]:
    for node in ast.walk(definition):
        match node:
            case ast.arg(arg=name) | ast.Name(id=name, ctx=ast.Store()):
                yield name
            case ast.FunctionDef(name=name) if node is not definition:
                yield name


@cache
def _members(kind: type) -> dict[str, list[FunctionType]]:
    """The methods, or the properties, of the project's own classes, by name."""
    found: dict[str, list[FunctionType]] = {}
    for module in [each for name, each in sys.modules.items() if name.startswith(_WITH_METHODS)]:
        for owner in vars(module).values():
            if isinstance(owner, type) and owner.__module__ == module.__name__:
                for name, value in vars(owner).items():
                    if isinstance(value, kind) and not name.startswith("__"):
                        member: Any = value.fget if isinstance(value, property) else value
                        found.setdefault(name, []).append(member)
    return found


def _is_ours(module: str) -> bool:
    return module.partition(".")[0] in (_OURS, *PACKAGES)
