"""What the bench of an editing run left in its folder: questions, a folder of pictures for each editor, and figures."""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tutelage.benches.base import Row
from tutelage.errors import BadInput
from tutelage.report.bench import QUESTIONS, ROWS, read_rows
from tutelage.report.wording import title

EDITS: Final = "edits"
"""Folder of a run."""
SOURCE, SPECIALIST, TRUTH, CURVE, CORPUS, TAUGHT = "source", "specialist", "truth", "curve", "corpus", "taught"
EDITORS: Final = {
    SPECIALIST: "Specialist",
    "specialist, after the judges": "Specialist, after the judges",
    "student": "Student",
}
"""Names in the order in which they stand beside each other; others come after them."""
POINT: Final = re.compile(r"CLIP (?P<what>image|direction) similarity.*: image guidance (?P<image>[\d.]+)$")


@dataclass(frozen=True, kw_only=True)
class Asked:
    """An edit that was asked for."""

    id: str
    task: str
    instruction: str


@dataclass(frozen=True, kw_only=True)
class Point:
    """What an editor does at one image guidance."""

    guidance: float
    direction: float
    image: float
    """Mean similarities of CLIP."""
    direction_std: float | None
    image_std: float | None
    """Over runs; None: there was one."""


@dataclass(frozen=True, kw_only=True)
class Edits:
    """What was asked, made and measured."""

    folder: Path
    asked: tuple[Asked, ...]
    editors: tuple[str, ...]
    """Folders with answers, specialists first."""
    pictures: frozenset[str]
    """Files, within the folder."""
    rows: tuple[Row, ...]

    def picture(self, who: str, asked: Asked) -> str | None:
        """The file of an answer, a source or the truth; None if it is not there."""
        name = f"{who}/{asked.id}.png"
        return name if name in self.pictures else None

    def curve(self, editor: str) -> list[Point]:
        """Its points, by rising image guidance."""
        found: dict[float, dict[str, float]] = {}
        for row in self.rows:
            if row.row == editor and row.value is not None and (point := POINT.match(row.metric)):
                name = point["what"] + ("-std" if ", std over runs" in row.metric else "")
                found.setdefault(float(point["image"]), {})[name] = row.value
        return [
            Point(
                guidance=guidance,
                direction=told["direction"],
                image=told["image"],
                direction_std=told.get("direction-std"),
                image_std=told.get("image-std"),
            )
            for guidance, told in sorted(found.items())
            if {"direction", "image"} <= told.keys()
        ]


def read_edits(folder: Path) -> Edits | None:
    """Read a bench's folder; None if it has neither questions nor figures.

    Raises:
        BadInput: a file in it is not what its name says; the message names the line or row.
    """
    asked, rows = tuple(_asked(folder / QUESTIONS)), read_rows(folder / ROWS)
    if not asked and not rows:
        return None
    pictures = frozenset(path.relative_to(folder).as_posix() for path in folder.rglob("*.png"))
    pictures = frozenset(name for name in pictures if not name.startswith(f"{CURVE}/"))
    names = {name.partition("/")[0] for name in pictures} - {SOURCE, TRUTH, CORPUS, TAUGHT}
    return Edits(folder=folder, asked=asked, editors=tuple(in_order(names)), pictures=pictures, rows=rows)


def in_order(names: Iterable[str]) -> list[str]:
    """Editors in the order in which they stand beside each other."""
    known = list(EDITORS)
    return sorted(names, key=lambda name: (known.index(name) if name in known else len(known), name))


def editor_name(name: str) -> str:
    """An editor as people call it."""
    return EDITORS.get(name, title(name))


def _asked(path: Path) -> Iterable[Asked]:
    if not path.exists():
        return
    lines = path.read_text(encoding="utf-8", errors="replace").split("\n")
    for at, line in enumerate(lines, start=1):
        if line.strip():
            yield _question(line, f"{path}, line {at}")


def _question(line: str, where: str) -> Asked:
    try:
        row = json.loads(line)
        return Asked(id=str(row["id"]), task=str(row["groups"][0]), instruction=str(row["instruction"]))
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise BadInput(f"{where}: no edit that was asked for ({error!r}); run the bench again") from error
