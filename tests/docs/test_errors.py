"""`docs/errors.md` is complete: every refusal with its status, and nothing that is none."""

import re
from collections.abc import Iterator
from pathlib import Path

from holdfast import errors
from holdfast.errors import Refusal
from holdfast.http.errors import INTERNAL, failure_of

PAGE = Path(__file__).resolve().parents[2] / "docs" / "errors.md"
ROW = re.compile(r"^\| (\d{3}) \| `([a-z0-9_]+)` \|", re.MULTILINE)


def refusals(kind: type[Refusal]) -> Iterator[type[Refusal]]:
    for each in kind.__subclasses__():
        if each.__module__.startswith(f"{errors.__name__}."):
            yield each
            yield from refusals(each)


def status_of(kind: type[Refusal]) -> int:
    refusal = kind.__new__(kind)
    Refusal.__init__(refusal)
    return failure_of(refusal).status.value


def test_the_page_lists_every_code_with_its_status():
    listed = {code: int(status) for status, code in ROW.findall(PAGE.read_text())}
    known = {kind.code: status_of(kind) for kind in refusals(Refusal)}

    assert listed == {**known, INTERNAL.code: INTERNAL.status.value}


def test_no_two_refusals_share_a_code():
    codes = [kind.code for kind in refusals(Refusal)]

    assert len(codes) == len(set(codes))


def test_the_tree_that_opens_the_module_names_every_refusal():
    drawn = set(re.findall(r"\b[A-Z][A-Za-z0-9]+\b", errors.__doc__ or ""))

    missing = {kind.__name__ for kind in refusals(Refusal)} - drawn
    assert missing == set()
