"""The project's own Python, read and never imported."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LAYER = ROOT / "layers" / "core"
FUNCTIONS = ROOT / "functions"

# Where a dotted name begins; the rest of the project is named from the root.
_IMPORT_ROOTS = (LAYER, FUNCTIONS, ROOT)
_PROJECT = ("layers/core/holdfast", "functions", "local", "benchmarks", "tools", "tests")


@dataclass(frozen=True)
class Module:
    """One file: its dotted name as it is imported, and its text."""

    name: str
    path: Path
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text, filename=str(self.path))

    @property
    def is_package(self) -> bool:
        return self.path.name == "__init__.py"

    @property
    def where(self) -> str:
        return self.path.relative_to(ROOT).as_posix() if self.path.is_absolute() else self.path.name

    def imports(self) -> Iterator[tuple[str, int]]:
        """Every imported thing by its full dotted name, with the line.

        `from holdfast.store import keys` is `holdfast.store.keys`: a rule about a module holds
        however it is imported, under `if TYPE_CHECKING` and inside a function too.
        """
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    yield alias.name, node.lineno
            elif isinstance(node, ast.ImportFrom):
                origin = self._origin(node)
                for alias in node.names:
                    yield (origin if alias.name == "*" else f"{origin}.{alias.name}"), node.lineno

    def _origin(self, node: ast.ImportFrom) -> str:
        if not node.level:
            assert node.module is not None
            return node.module
        package = self.name.split(".") if self.is_package else self.name.split(".")[:-1]
        above = package[: len(package) - node.level + 1]
        return ".".join([*above, *([node.module] if node.module else [])])

    def functions(self) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
        for node in ast.walk(self.tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield node


def planted(name: str, text: str) -> Module:
    """A module that is in no file: what a rule must find."""
    return Module(name=name, path=Path("planted.py"), text=text)


def modules(*folders: str) -> list[Module]:
    """Every module under the folders, by default all of the project."""
    return [
        Module(name=_dotted(path), path=path, text=path.read_text(encoding="utf-8"))
        for folder in folders or _PROJECT
        for path in sorted((ROOT / folder).rglob("*.py"))
    ]


def _dotted(path: Path) -> str:
    for root in _IMPORT_ROOTS:
        if path.is_relative_to(root):
            parts = path.relative_to(root).with_suffix("").parts
            return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
    raise AssertionError(path)


def is_in(dotted: str, prefixes: tuple[str, ...]) -> bool:
    """Whether a dotted name is one of the prefixes or lies below it."""
    return any(dotted == prefix or dotted.startswith(prefix + ".") for prefix in prefixes)


def names_bound_in(module: Module) -> set[str]:
    """What the top of a module defines, assigns or imports."""
    names: set[str] = set()
    for node in module.tree.body:
        match node:
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                names.add(name)
            case ast.Assign(targets=targets):
                names |= {n.id for t in targets for n in ast.walk(t) if isinstance(n, ast.Name)}
            case ast.AnnAssign(target=ast.Name(id=name)):
                names.add(name)
            case ast.Import(names=aliases) | ast.ImportFrom(names=aliases):
                names |= {alias.asname or alias.name for alias in aliases}
    return names
