"""What a studio is opened on."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tutelage.edit import EDITOR
from tutelage.run import CONFIG

MODEL: Final = "model"
"""A run's folder of its finished student, when there is one."""
RUNS: Final = "runs"
"""Where runs are looked for if none is given, in the folder one is in."""


@dataclass(frozen=True, kw_only=True)
class Studio:
    """The run and the models of one studio."""

    run: Path | None = None
    """The run directory; without one there is no corpus and nothing to rate."""
    student: str | Path
    """Who draws subjects: a shipped name, a folder or a Hub id."""
    base: str | Path
    """Who draws from the words alone."""
    editors: tuple[str | Path, ...] = (EDITOR,)
    """Shipped names, folders or Hub ids of students that edit, at least one."""
    device: str = "auto"
    dtype: str = "auto"

    @property
    def corpus(self) -> Path | None:
        """The run's corpus, if it has one by now."""
        path = self.run / "corpus" if self.run else None
        return path if path and (path / "corpus.json").exists() else None

    @property
    def bench(self) -> Path | None:
        """The run's bench, if it has asked its questions by now."""
        path = self.run / "bench" if self.run else None
        return path if path and (path / "questions.jsonl").exists() else None

    def runs(self) -> dict[str, Path]:
        """Runs by name: this one, and those beside it or in `runs`."""
        beside = self.run.resolve().parent if self.run else Path(RUNS)
        found = sorted(path.parent for path in beside.glob(f"*/{CONFIG}"))
        mine = {self.run.resolve().name: self.run} if self.run else {}
        return mine | {path.name: path for path in found if path.name not in mine}


def named(model: str | Path) -> str:
    """A model as pages and pictures call it: a folder by its last two names, so that none tells where it is.

    >>> named(Path("/home/somebody/runs/suti/model"))
    'suti/model'
    """
    parts = [part for part in Path(model).parts if part not in ("/", ".", "..")]
    return "/".join(parts[-2:])
