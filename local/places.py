"""Where things stand: the working tree, and the folder a running stack keeps its own in."""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TEMPLATE = ROOT / "template.yaml"
FUNCTIONS = ROOT / "functions"
LAYERS = (ROOT / "layers" / "core",)

# The folder may be moved, so that a test has a stack of its own beside the one in use.
FOLDER_VARIABLE = "HOLDFAST_LOCAL"


@dataclass(frozen=True, slots=True)
class Places:
    """The files of one stack; everything in `folder` may be removed when it is not running."""

    folder: Path

    @classmethod
    def of_environment(cls) -> "Places":
        return cls(Path(os.environ.get(FOLDER_VARIABLE) or ROOT / ".local").resolve())

    def prepare(self) -> None:
        """Make the folders. Logs are those of one run; what a killed one left lying is removed."""
        for folder in (self.scratch, self.logs):
            shutil.rmtree(folder, ignore_errors=True)
        for folder in (self.state, self.scratch, self.logs):
            folder.mkdir(parents=True, exist_ok=True)

    @property
    def state(self) -> Path:
        """What a restart brings back."""
        return self.folder / "state"

    @property
    def scratch(self) -> Path:
        """Temporary files of the embedded AWS; emptied at each start."""
        return self.folder / "scratch"

    @property
    def logs(self) -> Path:
        return self.folder / "logs"

    @property
    def emulator_log(self) -> Path:
        return self.logs / "aws.log"

    @property
    def issuer_key(self) -> Path:
        return self.folder / "issuer.pem"

    @property
    def session(self) -> Path:
        """There while a stack runs, and only then."""
        return self.folder / "session.json"

    @property
    def emulator_address(self) -> Path:
        """Where the embedded AWS is, for those who want to look inside; there while it runs."""
        return self.folder / "aws-url"

    @property
    def lock(self) -> Path:
        return self.folder / "lock"
