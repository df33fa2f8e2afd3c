"""Pictures on disk, named after what they answer, as many as there are.

DIR/backpack/03-1.png       subject `backpack`, prompt 3 from 0, picture 1 of it
DIR/backpack/3_1.jpg        the same, as DreamBench++'s own tools name it

A folder for each subject keeps folders small: of half a million pictures of 5 000 subjects none holds more than a
hundred. The ending may be .png, .jpg, .jpeg or .webp. A folder is listed once, when its first picture is looked for,
whatever else there is; pictures that are not there yet are missing, and found when the same command runs again.
"""

import os
import re
from functools import cached_property
from pathlib import Path
from typing import Final

from tutelage.errors import BadInput

ENDINGS: Final = ("png", "jpg", "jpeg", "webp")
PLUS: Final = re.compile(r"(\d+)_(\d+)")
"""A name by DreamBench++'s tools: prompt and picture."""


def shelf_name(item: str) -> str:
    """The file that a generator's answer is written to.

    >>> shelf_name("backpack/03-1")
    'backpack/03-1.png'
    """
    return f"{item}.png"


class Shelf:
    """A folder of answers."""

    def __init__(self, folder: Path) -> None:
        """
        Args:
            folder: holds a folder for each subject.

        Raises:
            BadInput: it is no folder.
        """
        if not folder.is_dir():
            raise BadInput(f"{folder} is not a folder; give one with a folder of pictures for each subject")
        self.folder = folder

    def find(self, item: str) -> Path | None:
        """The file that answers an item; None if there is none.

        Raises:
            BadInput: there are two.
        """
        subject, _, name = item.rpartition("/")
        if subject not in self._listed:
            self._listed[subject] = _listing(self.folder / subject)
        found = self._listed[subject].get(name, [])
        if len(found) > 1:
            raise BadInput(f"{self.folder / subject} holds {' and '.join(sorted(found))}; keep one of them")
        return self.folder / subject / found[0] if found else None

    @cached_property
    def _listed(self) -> dict[str, dict[str, list[str]]]:
        """Subject → name without ending → files."""
        return {}


def _listing(folder: Path) -> dict[str, list[str]]:
    files: dict[str, list[str]] = {}
    if not folder.is_dir():
        return files
    with os.scandir(folder) as entries:
        for entry in entries:
            stem, dot, ending = entry.name.rpartition(".")
            if dot and ending.lower() in ENDINGS and not stem.startswith("."):
                files.setdefault(_usual(stem), []).append(entry.name)
    return files


def _usual(stem: str) -> str:
    """A name as ours are.

    >>> _usual("3_1")
    '03-1'
    """
    found = PLUS.fullmatch(stem)
    return f"{int(found[1]):02d}-{int(found[2])}" if found else stem
