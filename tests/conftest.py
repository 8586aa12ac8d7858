"""What holds for every test: no account within reach, Hypothesis profiles, printed figures.

Import paths stand in `pyproject.toml` (`pythonpath`); fixtures stand beside the tests that use
them.
"""

import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, Phase, settings

# Without these a test that forgets its endpoint would find the developer's own credentials.
os.environ.pop("AWS_PROFILE", None)
os.environ.update(
    AWS_ACCESS_KEY_ID="testing",
    AWS_SECRET_ACCESS_KEY="testing",
    AWS_SESSION_TOKEN="testing",
    AWS_DEFAULT_REGION="us-east-1",
    AWS_EC2_METADATA_DISABLED="true",
)

# A deadline measures the machine, not the code; a busy machine is no finding.
settings.register_profile(
    "dev",
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
settings.register_profile("ci", settings.get_profile("dev"), database=None)
# Shrinking a failure of a long run can take longer than the run: report it, shrink it in `dev`.
settings.register_profile(
    "soak",
    settings.get_profile("ci"),
    max_examples=20_000,
    stateful_step_count=50,
    phases=[Phase.explicit, Phase.generate],
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci" if "CI" in os.environ else "dev"))


def _figures(reporter: pytest.TerminalReporter) -> Iterator[str]:
    for outcome in ("passed", "failed"):
        for report in reporter.stats.get(outcome, []):
            for name, value in getattr(report, "user_properties", ()):
                if name == "figure":
                    yield str(value)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what tests recorded by `record_property("figure", "served 12 / total 239")`.

    A test's own output is swallowed when it passes, and always in a worker process.
    """
    figures = sorted(set(_figures(terminalreporter)))
    if figures:
        terminalreporter.section("figures")
        for figure in figures:
            terminalreporter.line(figure)
