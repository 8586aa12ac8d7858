"""`make openapi` writes the descriptions; `make check` asks whether they are up to date."""

import argparse
import sys

from tools.api_description import examples
from tools.api_description.document import documents
from tools.api_description.models import NameTwice
from tools.api_description.served import ROOT, NotOnTheList
from tools.api_description.writing import pretty

FOLDER = ROOT / "docs" / "openapi"
_AGAIN = "Run make openapi, look at the difference, and commit it."


def texts() -> dict[str, str]:
    """The description of each surface as it has to be in its file, by the file's name."""
    made = documents(examples.read())
    return {f"{surface}.json": pretty(document) + "\n" for surface, document in made.items()}


def differences(wanted: dict[str, str]) -> list[str]:
    """What is wrong with the files, one sentence each."""
    there = {path.name for path in FOLDER.glob("*.json")} - {examples.PLACE.name}
    told = [f"docs/openapi/{name} describes nothing that is served" for name in there - set(wanted)]
    for name, text in wanted.items():
        if name not in there:
            told.append(f"docs/openapi/{name} is missing")
        elif (FOLDER / name).read_text(encoding="utf-8") != text:
            told.append(f"docs/openapi/{name} is not what the routes say")
    return sorted(told)


def main() -> int:
    """Write the descriptions, or with `--check` only say what would change; the exit status."""
    asked = argparse.ArgumentParser(prog="python -m tools.api_description")
    asked.add_argument("--check", action="store_true", help="write nothing")
    arguments = asked.parse_args()
    try:
        wanted = texts()
    except (NameTwice, NotOnTheList) as wrong:
        print(wrong, file=sys.stderr)
        return 1
    if arguments.check:
        found = differences(wanted)
        print("\n".join([*found, _AGAIN] if found else ["The descriptions are up to date."]))
        return 1 if found else 0
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, text in wanted.items():
        (FOLDER / name).write_text(text, encoding="utf-8")
    for path in FOLDER.glob("*.json"):
        if path.name not in wanted and path != examples.PLACE:
            path.unlink()
    print(f"Written: {', '.join(wanted)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
