"""Sizes, names and habits that hold for every file."""

import ast
import re
from collections.abc import Callable, Iterator

import pytest

from tests.architecture.source import FUNCTIONS, ROOT, Module, is_in, modules, planted

LINE_MAX = 100
FUNCTION_MAX = 70
MODULE_MAX = 400
APP_STATEMENTS_MAX = 2

_READ = {".py", ".yaml", ".yml", ".toml", ".json", ".md", ".in", ""}
# Spelled in halves: this file is read as well.
# Three X in quotes are a currency code.
_UNFINISHED = re.compile(r"\b(TO" r"DO|FIX" r"ME|(?<!\")XX" r"X|HA" r"CK)\b")
_SAYS_NOTHING = re.compile(r"^(utils?|helpers?|common|base)$")

_CHECKING = ("raises", "warns", "fail", "run_state_machine_as_test")

_MONEY = ("layers/core/holdfast/domain", "functions/holds", "functions/wallet")
# A table of cases may be long; what runs may not.
_SIZED = ("layers/core/holdfast", "functions", "local", "benchmarks", "tools")


def long_lines(module: Module) -> Iterator[str]:
    for number, line in enumerate(module.text.splitlines(), start=1):
        if len(line) > LINE_MAX:
            yield f"{module.where}:{number} has {len(line)} columns"


def long_functions(module: Module) -> Iterator[str]:
    for function in module.functions():
        assert function.end_lineno is not None
        lines = function.end_lineno - function.lineno + 1
        if lines > FUNCTION_MAX:
            yield f"{module.where}:{function.lineno} {function.name} has {lines} lines"


def long_modules(module: Module) -> Iterator[str]:
    lines = len(module.text.splitlines())
    if lines > MODULE_MAX:
        yield f"{module.where} has {lines} lines"


def floats(module: Module) -> Iterator[str]:
    """Float literals, and any mention of the type: an amount is an int of micros."""
    for node in ast.walk(module.tree):
        match node:
            case ast.Constant(value=float()) | ast.Name(id="float"):
                yield f"{module.where}:{node.lineno} is a float"


def clocks(module: Module) -> Iterator[str]:
    """Calls that ask what time it is: a rule is told."""
    for node in ast.walk(module.tree):
        match node:
            case ast.Call(func=ast.Attribute(attr="now" | "utcnow" | "today" as name)):
                yield f"{module.where}:{node.lineno} calls {name}()"


def mocks(module: Module) -> Iterator[str]:
    """Patching: a dependency comes in as an argument."""
    for target, line in module.imports():
        if is_in(target, ("unittest.mock", "mock", "pytest_mock")):
            yield f"{module.where}:{line} imports {target}"


def passes_by(module: Module) -> Iterator[str]:
    """Tests that are left out or may fail."""
    for node in ast.walk(module.tree):
        match node:
            case ast.Attribute(attr="skip" | "skipif" | "xfail" | "importorskip" as name):
                yield f"{module.where}:{node.lineno} uses {name}"


def idle_tests(module: Module) -> Iterator[str]:
    """A test without an assertion, an expected refusal or a call named `assert_…`."""
    for function in module.functions():
        if not function.name.startswith("test_"):
            continue
        if not any(_checks(node) for node in ast.walk(function)):
            yield f"{module.where}:{function.lineno} {function.name} asserts nothing"


def _checks(node: ast.AST) -> bool:
    match node:
        case ast.Assert():
            return True
        case ast.Call(func=ast.Attribute(attr=name) | ast.Name(id=name)):
            return name in _CHECKING or name.lstrip("_").startswith(
                ("assert_", "check_", "expect_")
            )
    return False


def statements_beyond(module: Module) -> Iterator[str]:
    """An app mounts routers and names its handlers; whatever else it does belongs elsewhere."""
    body = [
        node
        for node in module.tree.body
        if not isinstance(node, ast.Import | ast.ImportFrom)
        and not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))
    ]
    if len(body) > APP_STATEMENTS_MAX:
        yield f"{module.where} has {len(body)} statements"


def _found(rule: Callable[[Module], Iterator[str]], *folders: str) -> list[str]:
    read = modules(*folders)
    assert read
    return [finding for module in read for finding in rule(module)]


def _names_in(parts: tuple[str, ...]) -> Iterator[str]:
    return (part for part in parts if _SAYS_NOTHING.match(part.split(".")[0]))


@pytest.mark.parametrize(
    ("rule", "folders"),
    [
        pytest.param(long_lines, (), id="a long line"),
        pytest.param(long_functions, (), id="a long function"),
        pytest.param(long_modules, _SIZED, id="too many lines"),
        pytest.param(floats, _MONEY, id="a float near money"),
        pytest.param(clocks, ("layers/core/holdfast/domain",), id="a clock in the domain"),
        pytest.param(mocks, (), id="a mock"),
        pytest.param(passes_by, ("tests",), id="a test left out"),
        pytest.param(idle_tests, ("tests",), id="a test that checks nothing"),
    ],
)
def test_no_file_has(rule: Callable[[Module], Iterator[str]], folders: tuple[str, ...]):
    assert _found(rule, *folders) == []


def test_an_app_is_two_statements():
    apps = [module for module in modules("functions") if module.path.name == "app.py"]

    assert len(apps) >= 6
    assert [finding for app in apps for finding in statements_beyond(app)] == []


def test_every_function_package_has_an_app():
    packages = {path.parent for path in FUNCTIONS.glob("*/*.py")}

    assert packages
    assert [package.name for package in packages if not (package / "app.py").is_file()] == []


def _files() -> Iterator[tuple[str, ...]]:
    for folder, inner, files in ROOT.walk():
        inner[:] = [name for name in inner if not _is_made(name)]
        for name in files:
            yield (*folder.relative_to(ROOT).parts, name)


def _is_made(folder: str) -> bool:
    """Environments, caches and builds: what is in `.gitignore`, and nobody wrote."""
    return folder in ("__pycache__", "build") or (folder.startswith(".") and folder != ".ci")


def test_every_name_says_what_is_in_it():
    assert ["/".join(parts) for parts in _files() if any(_names_in(parts))] == []


def test_nothing_is_left_for_later():
    left = [
        f"{'/'.join(parts)}:{number}"
        for parts in _files()
        if (path := ROOT.joinpath(*parts)).suffix in _READ
        for number, line in enumerate(path.read_text("utf-8", errors="replace").splitlines(), 1)
        if _UNFINISHED.search(line)
    ]

    assert left == []


_LONG = "\n".join(["def long():", *["    x = 1"] * FUNCTION_MAX])
_NOT_LONG = _LONG.rpartition("\n")[0]


@pytest.mark.parametrize(
    ("rule", "text", "count"),
    [
        (long_lines, "#" * 100, 0),
        (long_lines, "#" * 101, 1),
        (long_functions, _NOT_LONG, 0),
        (long_functions, _LONG, 1),
        (long_functions, "class A:\n" + _LONG.replace("\n", "\n  ").replace("def", "  def"), 1),
        (long_modules, "x = 1\n" * MODULE_MAX, 0),
        (long_modules, "x = 1\n" * (MODULE_MAX + 1), 1),
        (floats, "x = 1\ny = 10**6", 0),
        (floats, "x = 0.5", 1),
        (floats, "x = float('1')", 1),
        (floats, "def f(x: float): ...", 1),
        (clocks, "def f(now): return now", 0),
        (clocks, "datetime.now(UTC)", 1),
        (clocks, "datetime.datetime.utcnow()", 1),
        (mocks, "from unittest.mock import patch", 1),
        (mocks, "from unittest import mock", 1),
        (mocks, "from unittest import TestCase", 0),
        (passes_by, "@pytest.mark.skip\ndef test_x(): ...", 1),
        (passes_by, "pytest.skip('later')", 1),
        (idle_tests, "def test_x():\n    x()", 1),
        (idle_tests, "def test_x():\n    assert x()", 0),
        (idle_tests, "def test_x():\n    with pytest.raises(E):\n        x()", 0),
        (statements_beyond, '"""Doc."""\nimport a\nb = a.b()\nhandler = b.c', 0),
        (statements_beyond, "import a\nb = a.b()\nc = b.c()\nhandler = c", 1),
    ],
)
def test_a_rule_finds_what_it_is_for(
    rule: Callable[[Module], Iterator[str]], text: str, count: int
):
    assert len(list(rule(planted("planted", text)))) == count


@pytest.mark.parametrize(
    ("path", "found"),
    [("domain/utils.py", True), ("common/money.py", True), ("domain/database.py", False)],
)
def test_a_name_that_says_nothing_is_found(path: str, found: bool):
    assert any(_names_in(tuple(path.split("/")))) is found


@pytest.mark.parametrize(("text", "found"), [("TO" + "DO later", True), ("methodology", False)])
def test_a_word_for_unfinished_work_is_found(text: str, found: bool):
    assert (_UNFINISHED.search(text) is not None) is found
