"""What raters said: a log for each, and every rating on the disk before the next picture is shown.

ratings/suti/anna/log.jsonl     a line a rating; of two for one picture the later counts
ratings/suti/anna.tsv           the same as `tutelage agreement` reads it, written on request
"""

import math
import re
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from filelock import FileLock, Timeout

from tutelage.benches.agreement.ratings import IMAGENHUB, SUFFIX, SUTI, Protocol, Ratings, write_ratings
from tutelage.errors import BadInput
from tutelage.run import LOG, append_log, read_log

RATINGS: Final = "ratings"
"""Folder of a run."""
PROTOCOLS: Final = {"suti": SUTI, "imagenhub": IMAGENHUB}
"""Name of the folder, and of the task → what raters are asked."""
NAME: Final = re.compile(r"[\w-][\w.-]{0,39}")
PATIENCE: Final = 10.0
"""Seconds to wait for another studio over the same run."""

Key = tuple[str, str]
"""Question and model."""
Values = tuple[float, ...]
Stamp = tuple[tuple[str, int], ...]
"""Raters, and how long their logs are."""


class Store:
    """The ratings of one run by one protocol."""

    def __init__(self, run: Path, task: str) -> None:
        self.protocol: Protocol = PROTOCOLS[task]
        self.folder = run / RATINGS / task
        self._guard = threading.Lock()

    def add(self, rater: str, key: Key, values: Sequence[float]) -> None:
        """Keep a rating; it is on the disk when this returns.

        Raises:
            BadInput: the name is none, a value is none of the protocol's, or the folder cannot be written.
        """
        given = tuple(map(float, values))
        if len(given) != len(self.protocol.aspects) or not set(given) <= set(self.protocol.levels):
            raise BadInput(f"{list(given)} is no rating by {self.protocol.name}'s protocol")
        folder = self.folder / checked(rater)
        row = {"question": key[0], "model": key[1], "values": given}
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with self._guard, FileLock(folder / ".lock", timeout=PATIENCE):
                append_log(folder, row, durable=True)
        except Timeout as error:
            raise BadInput("another studio is writing ratings of that name; use another name") from error
        except OSError as error:
            raise BadInput(f"the rating could not be kept ({error.strerror}); it does not count") from error

    def of(self, rater: str) -> dict[Key, Values]:
        """What a rater said, in the order in which it was said for the last time.

        Raises:
            BadInput: a line of the log is no rating.
        """
        said: dict[Key, Values] = {}
        for row in read_log(self.folder / checked(rater)):
            key, values = self._rating(row, rater)
            said.pop(key, None)
            said[key] = values
        return said

    def raters(self) -> list[str]:
        """Who rated something."""
        logs = self.folder.glob(f"*/{LOG}") if self.folder.is_dir() else ()
        return sorted(log.parent.name for log in logs)

    def stamp(self) -> Stamp:
        """Another one whenever something was said since."""
        return tuple((rater, (self.folder / rater / LOG).stat().st_size) for rater in self.raters())

    def ratings(self) -> Ratings | None:
        """All that was said, as benches know it; None if nothing was."""
        said = {rater: found for rater in self.raters() if (found := self.of(rater))}
        if not said:
            return None
        keys = [key for found in said.values() for key in found]
        items = tuple(sorted({question for question, _ in keys}))
        models = tuple(sorted({model for _, model in keys}))
        absent = (math.nan,) * len(self.protocol.aspects)
        values = [[[found.get((i, m), absent) for i in items] for m in models] for found in said.values()]
        return Ratings(
            task=self.folder.name,
            protocol=self.protocol,
            raters=tuple(said),
            models=models,
            items=items,
            values=np.asarray(values, np.float64),
        )

    def export(self) -> list[Path]:
        """Write a TSV file for each rater, for `tutelage agreement`.

        Raises:
            BadInput: nothing was rated, or the folder cannot be written.
        """
        ratings = self.ratings()
        if ratings is None:
            raise BadInput("nothing was rated yet")
        paths = [self.folder / f"{rater}{SUFFIX}" for rater in ratings.raters]
        try:
            for path, rater in zip(paths, ratings.raters, strict=True):
                write_ratings(path, ratings, rater)
        except OSError as error:
            raise BadInput(f"the ratings cannot be written ({error.strerror})") from error
        return paths

    def _rating(self, row: dict[str, Any], rater: str) -> tuple[Key, Values]:
        try:
            values = tuple(float(value) for value in row["values"])
            if len(values) == len(self.protocol.aspects):
                return (str(row["question"]), str(row["model"])), values
        except (KeyError, TypeError, ValueError) as error:
            raise BadInput(f"{self.folder / rater}: a line is no rating ({error!r}); remove it") from error
        raise BadInput(f"{self.folder / rater}: a line has {len(values)} values; remove it")


def checked(rater: str) -> str:
    """A rater's name, which is also the name of a file.

    Raises:
        BadInput: it is none.
    """
    if not NAME.fullmatch(rater) or rater.startswith("."):
        raise BadInput("give a name of letters, digits, - and _, at most 40, such as anna")
    return rater
