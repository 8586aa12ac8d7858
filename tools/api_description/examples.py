"""One good request for each operation, with the answer it really got.

`tests/openapi/recording.py` makes them; what tests run and what is described are the same file.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from tools.api_description.served import ROOT
from tools.api_description.writing import pretty

PLACE = ROOT / "docs" / "openapi" / "examples.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A request and its answer. Bodies are None where there is none."""

    by: str
    """Whose request it is: `user`, `admin`, `platform`, or `anybody` where no caller is asked."""
    path: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    status: int
    answer: Any = None


type Examples = Mapping[str, Example]
"""By the name of the operation: `GET /v1/billing/wallet`."""


def read(place: Path = PLACE) -> dict[str, Example]:
    """The examples as they were recorded last; none where none ever were."""
    if not place.exists():
        return {}
    told = json.loads(place.read_text(encoding="utf-8"), parse_float=Decimal)
    return {name: Example(**parts) for name, parts in told.items()}


def write(examples: Examples, place: Path = PLACE) -> None:
    """Keep the examples for the next description."""
    told = {name: asdict(example) for name, example in sorted(examples.items())}
    place.write_text(pretty(told) + "\n", encoding="utf-8")
