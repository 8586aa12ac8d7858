"""Who may import whom: the table of the architecture, held against the code."""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.architecture.source import FUNCTIONS, LAYER, Module, is_in, modules, planted


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What a package may import besides itself and the standard library."""

    ours: tuple[str, ...] = ()
    not_ours: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()
    not_standard: tuple[str, ...] = ()


# The domain takes time, ids and randomness as arguments, and knows no machine it runs on.
_IMPURE = (
    "asyncio concurrent ctypes glob http importlib io logging multiprocessing os pathlib platform "
    "random secrets select shutil signal socket sqlite3 ssl subprocess sys tempfile threading time "
    "urllib uuid"
)
_AWS_SDK = ("boto3", "botocore", "mypy_boto3_dynamodb", "mypy_boto3_events", "mypy_boto3_sqs")

RULES = {
    "holdfast": Rule(),
    # Tables that an operator may change; whoever decides with one is handed it.
    "holdfast.data": Rule(),
    "holdfast.errors": Rule(not_standard=tuple(_IMPURE.split())),
    "holdfast.domain": Rule(
        ours=("holdfast.errors",),
        packages=("dateutil.relativedelta", "iso4217"),
        not_standard=tuple(_IMPURE.split()),
    ),
    "holdfast.store": Rule(ours=("holdfast.domain", "holdfast.errors"), packages=_AWS_SDK),
    "holdfast.gateways": Rule(
        ours=("holdfast.domain", "holdfast.errors"), packages=(*_AWS_SDK, "stripe")
    ),
    # The audit holds what is stored against the rules: it reads items, and asks no table.
    "holdfast.audit": Rule(ours=("holdfast.domain", "holdfast.errors", "holdfast.store")),
    "holdfast.services": Rule(
        ours=(
            "holdfast.data",
            "holdfast.domain",
            "holdfast.errors",
            "holdfast.gateways",
            "holdfast.store",
        )
    ),
    "holdfast.http": Rule(
        ours=("holdfast.domain", "holdfast.errors", "holdfast.observability"),
        packages=("aws_lambda_powertools", "pydantic", "pydantic_core"),
    ),
    "holdfast.observability": Rule(
        ours=("holdfast.domain", "holdfast.errors"), packages=("aws_lambda_powertools",)
    ),
    "holdfast.runtime": Rule(
        ours=("holdfast",),
        not_ours=(
            "holdfast.http",
            "holdfast.providers",
            "holdfast.reconcile",
            "holdfast.services",
            "holdfast.verify",
        ),
        packages=("aws_lambda_powertools", *_AWS_SDK),
    ),
    # Only functions that are paid by card load it.
    "holdfast.providers": Rule(
        ours=("holdfast.gateways", "holdfast.runtime"), packages=("aws_lambda_powertools",)
    ),
    # The nightly check, by hand.
    "holdfast.reconcile": Rule(
        ours=(
            "holdfast.domain",
            "holdfast.errors",
            "holdfast.providers",
            "holdfast.runtime",
            "holdfast.services",
            "holdfast.store",
        )
    ),
    # Whoever checks an export has the export alone, and no reason to trust the store.
    "holdfast.verify": Rule(ours=("holdfast.domain", "holdfast.errors")),
}

_WITH_STRIPE = (
    "billing_cycle",
    "credits",
    "funding",
    "invoices",
    "payment_methods",
    "payments",
    "payouts",
    "stripe_webhook",
    "subscriptions",
)


_STRIPE = (
    "holdfast.gateways.stripe",
    "holdfast.providers",
    "holdfast.services.cards",
    "holdfast.services.payments",
    "holdfast.services.refunds",
)
_WITH_X402 = ("billing_cycle", "funding")
_X402 = ("holdfast.gateways.x402_facilitator", "holdfast.services.x402")


def function_rule(package: str) -> Rule:
    """A function may use the layer, its own package, and the framework."""
    stripe = () if package in _WITH_STRIPE else _STRIPE
    x402 = () if package in _WITH_X402 else _X402
    only_here = ("cryptography", "jwt") if package == "authorizer" else ()
    return Rule(
        ours=("holdfast",),
        not_ours=("holdfast.store.keys", *stripe, *x402),
        packages=("aws_lambda_powertools", "pydantic", "pydantic_core", *only_here),
    )


def rule_of(module: Module) -> tuple[str, Rule]:
    """The package a module belongs to, and the rule of that package."""
    package = module.name.split(".")[0]
    if package != "holdfast":
        return package, function_rule(package)
    package = ".".join(module.name.split(".")[:2])
    assert package in RULES, f"{module.where}: no import rule for this part of the layer"
    return package, RULES[package]


def wrong_imports(module: Module) -> list[str]:
    package, rule = rule_of(module)
    return [
        f"{module.where}:{line} imports {target}"
        for target, line in module.imports()
        if not _allowed(target, package, rule)
    ]


def _allowed(target: str, package: str, rule: Rule) -> bool:
    if package != "holdfast" and is_in(target, (package,)):
        return True
    if is_in(target, (*rule.not_ours, *rule.not_standard)):
        return False
    if target.split(".")[0] in sys.stdlib_module_names:
        return not is_in(target, ("importlib.import_module", "unittest"))
    return is_in(target, (*rule.ours, *rule.packages))


def test_the_house_is_built_as_drawn():
    layer = {
        module.name.split(".")[1]
        for module in modules("layers/core/holdfast")
        if module.name != "holdfast"
    }
    functions = {path.parent.name for path in FUNCTIONS.glob("*/app.py")}

    assert layer == {name.split(".")[1] for name in RULES if "." in name}
    assert functions >= {
        "authorizer",
        "billing_cycle",
        "holds",
        "ledger_stream",
        "overview",
        "wallet",
    }


def test_arrows_point_the_way_the_architecture_says():
    read = modules("layers/core/holdfast", "functions")

    assert len(read) > 20
    assert [wrong for module in read for wrong in wrong_imports(module)] == []


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("holdfast.domain.holds", "import boto3"),
        ("holdfast.domain.holds", "from uuid import uuid4"),
        ("holdfast.domain.holds", "import os.path"),
        ("holdfast.domain.holds", "from pydantic import BaseModel"),
        ("holdfast.domain.holds", "from holdfast.store import items"),
        ("holdfast.domain.holds", "from ..services import holds"),
        ("holdfast.domain.holds", "def later():\n    import time"),
        ("holdfast.errors", "from holdfast.domain import money"),
        ("holdfast.store.items", "from holdfast.http import fields"),
        ("holdfast.store.items", "import aws_lambda_powertools"),
        ("holdfast.gateways.bus", "from holdfast.services import holds"),
        ("holdfast.services.holds", "import boto3"),
        ("holdfast.services.holds", "from holdfast import http"),
        ("holdfast.services.holds", "import stripe"),
        ("holdfast.http.api", "from holdfast.store.ledger_store import LedgerStore"),
        ("holdfast.http.api", "import holdfast.services.holds"),
        ("holdfast.verify", "from holdfast.store.items import canonical"),
        ("holds.billing", "import boto3"),
        ("holds.billing", "from botocore.config import Config"),
        ("holds.billing", "from holdfast.store import keys"),
        ("holds.billing", "from holdfast.store.keys import hold"),
        ("holds.billing", "from wallet.billing import view"),
        ("holds.billing", "import jwt"),
        ("wallet.billing", "from holdfast.gateways.stripe import charge"),
        ("wallet.billing", "from holdfast.services import payments"),
        ("payments.billing", "from holdfast.services import x402"),
    ],
)
def test_a_wrong_arrow_is_found(name: str, text: str):
    assert len(wrong_imports(planted(name, text))) == 1


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("holdfast.domain.holds", "from holdfast.errors import HoldClosed"),
        ("holdfast.domain.holds", "from .money import micros\nfrom datetime import datetime"),
        ("holdfast.store.items", "from botocore.exceptions import ClientError"),
        ("holdfast.services.holds", "import uuid\nfrom holdfast.store import ledger_store"),
        ("holds.billing", "from holds.views import view\nfrom holdfast.services import holds"),
        ("authorizer.tokens", "import jwt"),
        ("payments.billing", "from holdfast.gateways.stripe import charge"),
        ("funding.x402", "from holdfast.services import x402"),
    ],
)
def test_a_right_arrow_is_let_through(name: str, text: str):
    assert wrong_imports(planted(name, text)) == []


def _loaded_by(*names: str) -> set[str]:
    """What is in memory after importing modules in an interpreter of their own."""
    script = "import sys\nfor name in sys.argv[1:]:\n    __import__(name)\nprint(*sys.modules)"
    run = subprocess.run(
        [sys.executable, "-c", script, *names],
        env={"PYTHONPATH": f"{LAYER}:{FUNCTIONS}", "OIDC_ISSUER": "", "OIDC_AUDIENCE": ""},
        capture_output=True,
        text=True,
        check=True,
    )
    return set(run.stdout.split())


def test_the_domain_loads_no_framework_by_any_detour():
    names = [module.name for module in modules("layers/core/holdfast/domain")]

    loaded = _loaded_by(*names)

    assert loaded >= set(names)
    assert not loaded & {"aws_lambda_powertools", "boto3", "botocore", "pydantic", "stripe"}


def test_the_verifier_loads_nothing_of_the_store_by_any_detour():
    loaded = _loaded_by("holdfast.verify")

    assert "holdfast.verify" in loaded
    assert [name for name in loaded if is_in(name, ("holdfast.store", "botocore"))] == []


@pytest.mark.parametrize("app", sorted(FUNCTIONS.glob("*/app.py")), ids=lambda app: app.parent.name)
def test_a_function_that_nobody_pays_loads_nothing_of_a_provider_by_any_detour(app: Path):
    package = app.parent.name

    loaded = _loaded_by(f"{package}.app")

    # The library is the largest of all: even where it is needed it comes with the first payment.
    assert not loaded & {"boto3", "requests", "stripe"}
    if package not in _WITH_STRIPE:
        assert [name for name in loaded if is_in(name, ("holdfast.gateways.stripe",))] == []
    if package not in (*_WITH_X402, *_WITH_STRIPE):
        assert "holdfast.gateways.x402_facilitator" not in loaded
