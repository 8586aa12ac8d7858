"""Where pages are looked at in a browser; a laptop without one does without these tests."""

import os

from tests.browser import chromium

IS_THERE = chromium.found() is not None or bool(os.environ.get("CI"))
collect_ignore_glob = [] if IS_THERE else ["test_*.py"]


def pytest_report_header() -> str:
    return f"browser: {chromium.found() or 'none: no page is looked at'}"
