"""What is scored, and what came of it."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from tutelage.errors import BadInput, did_you_mean
from tutelage.viescore.tasks import RUBRICS, Task

Side = Literal["SC", "PQ"]
SIDES: Final[tuple[Side, ...]] = ("SC", "PQ")


@dataclass(frozen=True, kw_only=True)
class Item:
    """One picture to score.

    Raises:
        BadInput: there is no such task, or it takes another number of pictures.
    """

    id: str
    task: Task
    prompt: str
    """The text or the instruction that it was made from."""
    pictures: tuple[bytes, ...]
    """Files, as `tasks.RUBRICS` shows them: a source before its edit, and last the one that is judged."""

    def __post_init__(self) -> None:
        if self.task not in RUBRICS:
            raise BadInput(f"no task '{self.task}'.{did_you_mean(self.task, RUBRICS)} There are {', '.join(RUBRICS)}")
        wanted = RUBRICS[self.task].shows
        if len(self.pictures) != len(wanted):
            raise BadInput(
                f"item '{self.id}' has {len(self.pictures)} pictures; {self.task} takes {len(wanted)}: "
                f"{', then '.join(wanted)}"
            )


@dataclass(frozen=True, kw_only=True)
class Half:
    """SC or PQ of one item."""

    scores: Mapping[str, int] = field(default_factory=dict)
    """Sub-score → 0 to 10; empty if it is missing."""
    reasoning: str = ""
    """The judge's, in its own words."""
    missing: str = ""
    """Why there is no score; empty if there is one."""
    causes: tuple[str, ...] = ()
    """One word for each try that gave no score: refused, stalled, …"""
    later: bool = False
    """The judge was not heard at all (server down, budget spent), so asking again may give a score."""

    @property
    def value(self) -> float | None:
        """The least of the sub-scores; None if missing."""
        return float(min(self.scores.values())) if self.scores else None


@dataclass(frozen=True, kw_only=True)
class Scored:
    """An item's scores, each 0 to 10 or missing."""

    item: str
    task: Task
    sc: Half
    pq: Half
    judge: str
    """Which model."""
    prompt: str
    """Hash of the words it was asked with, examples included."""

    @property
    def overall(self) -> float | None:
        """O = √(SC · PQ); None if either is missing."""
        sc, pq = self.sc.value, self.pq.value
        return None if sc is None or pq is None else math.sqrt(sc * pq)

    @property
    def halves(self) -> dict[Side, Half]:
        """SC and PQ by name."""
        return {"SC": self.sc, "PQ": self.pq}

    @property
    def missing(self) -> str:
        """Why there is no O; empty if there is one."""
        return "; ".join(f"{side} {half.missing}" for side, half in self.halves.items() if half.missing)
