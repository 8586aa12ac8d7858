"""Examples in docstrings say what the code does."""

import doctest
import importlib

from tests.architecture.source import Module, modules


def _with_examples() -> list[Module]:
    return [module for module in modules("layers/core/holdfast") if ">>> " in module.text]


def test_every_example_in_a_docstring_is_true():
    shown = [importlib.import_module(module.name) for module in _with_examples()]
    results = {module.__name__: doctest.testmod(module) for module in shown}

    assert sum(result.attempted for result in results.values()) > 0
    assert {name: result.failed for name, result in results.items() if result.failed} == {}
