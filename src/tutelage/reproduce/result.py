"""What came of an experiment: figures, claims, and all that is needed to repeat it, as JSON."""

import shlex
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from tutelage import __version__
from tutelage.benches.base import Row
from tutelage.benches.hardware import hardware
from tutelage.report.again import flags_of
from tutelage.reproduce.claims import Said
from tutelage.reproduce.edit_settings import EditExperiment
from tutelage.reproduce.paper import Figures
from tutelage.reproduce.settings import Experiment
from tutelage.run import plain
from tutelage.triplet import SKILLS


@dataclass(frozen=True, kw_only=True)
class Line:
    """Pictures that stand beside each other."""

    skill: str
    text: str
    pictures: Mapping[str, bytes]
    """Whose → the file."""


@dataclass(frozen=True, kw_only=True)
class Result:
    """One experiment, done."""

    name: str
    """As in the command: `table1`."""
    title: str
    about: str
    """What was compared, and at which budget."""
    metrics: Sequence[str]
    """That the tables show; `rows` have more."""
    rows: Sequence[Row]
    said: Sequence[Said]
    paper: Figures
    students: Mapping[str, Mapping[str, int]]
    """Student → the triplets and steps that it was made of."""
    experiment: Experiment | EditExperiment
    folder: Path
    """Of the pictures."""
    axis: Mapping[str, float]
    """Generator → where it stands on a line, such as its number of demonstrations; empty: there is no line."""
    groups: Sequence[str] = SKILLS
    """By which figures are given too, as `metric: group`."""
    figures: str = ""
    """What the tables say; empty: what those of subjects do."""
    lines: Sequence[Line] = ()
    """Pictures to show; none: those of the subjects in the folder."""

    def plain(self) -> dict[str, Any]:
        """As JSON can hold it, with the command, the commit and the hardware."""
        told = {"experiment": self.name, "title": self.title, "about": self.about}
        told |= {"command": command(self.name, self.experiment), "commit": commit(), "tutelage": __version__}
        claims = [{**plain(one.claim), **_figure(one), "verdict": one.verdict} for one in self.said]
        measured = {"students": plain(self.students), "rows": plain(list(self.rows)), "claims": claims}
        return {**told, "hardware": hardware(), **measured, "paper": plain(self.paper)}


def command(name: str, experiment: Experiment | EditExperiment) -> str:
    """What repeats an experiment."""
    default = plain(type(experiment)())
    return shlex.join(["tutelage", "reproduce", name, *flags_of(default, plain(experiment))])


def commit() -> str:
    """The commit of tutelage's checkout, with a `+` where files were changed since; empty if there is no checkout."""
    git, here = shutil.which("git"), Path(__file__).parent
    if git is None:
        return ""
    asked = (["rev-parse", "HEAD"], ["status", "--porcelain", "--untracked-files=no"])
    said = [subprocess.run([git, "-C", here, *words], capture_output=True, text=True) for words in asked]  # noqa: S603
    if any(one.returncode for one in said):
        return ""
    return said[0].stdout.strip() + ("+" if said[1].stdout.strip() else "")


def _figure(one: Said) -> dict[str, Any]:
    return {field.name: getattr(one, field.name) for field in fields(one) if field.name != "claim"}
