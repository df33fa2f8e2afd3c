"""One shard: taught and judged by one worker, so that what waits between the two is never more than a shard."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from tutelage.corpus.writer import Committer
from tutelage.executors.base import Resources, Write
from tutelage.judges.panel import Panel
from tutelage.stages.neighbours import neighbour
from tutelage.teachers.base import Diverged, Teacher
from tutelage.teachers.fleet import Fleet
from tutelage.triplet import Assignment, Triplet, Verdict

PATIENCE: Final = 60.0
"""Seconds that a writer waits for one before it, which was killed and may take a moment to be gone."""


@dataclass(frozen=True)
class Made:
    """What became of a shard."""

    assignments: int
    triplets: Sequence[Triplet]
    verdicts: Sequence[Verdict]
    diverged: Sequence[str]
    """Subjects of which there is no triplet, by their ids."""
    again: Sequence[str]
    """Subjects whose experts diverged once."""
    seconds: float

    def row(self) -> dict[str, Any]:
        """Its line in the ledger."""
        rejected = {verdict.triplet for verdict in self.verdicts if not verdict.keep}
        counts = {"triplets": len(self.triplets), "kept": sum(one.id not in rejected for one in self.triplets)}
        told = {"assignments": self.assignments, **counts, "diverged": len(self.diverged)}
        lost = {name: list(ids) for name, ids in (("lost", self.diverged), ("again", self.again)) if ids}
        return {**told, **lost, "seconds": self.seconds, "time": time.time()}


@dataclass(frozen=True)
class Work:
    """A teacher, or none, and the judges of what it makes: a step of an executor."""

    teacher: Teacher | None
    panel: Panel
    resources: Resources = field(default_factory=Resources)

    def __call__(self, assignments: Sequence[Assignment]) -> Made:
        """Teach and judge."""
        started = time.monotonic()
        triplets = self._taught(assignments)
        verdicts = self.panel.judge(triplets)
        diverged = sorted({one.cluster.id for one in assignments} - {triplet.cluster for triplet in triplets})
        seconds = time.monotonic() - started
        return Made(len(assignments), triplets, verdicts, diverged, self._again(), seconds)

    def _again(self) -> list[str]:
        fates = self.teacher.fates if isinstance(self.teacher, Fleet) else []
        return [fate.cluster for fate in fates if fate.sound and fate.tries > 1]

    def _taught(self, assignments: Sequence[Assignment]) -> list[Triplet]:
        """Nothing of an expert that diverged."""
        if self.teacher is None:
            return [neighbour(assignment) for assignment in assignments]
        try:
            return list(self.teacher.teach(assignments))
        except Diverged:
            return []


@dataclass(frozen=True)
class Committing:
    """A corpus to write to: an executor's sink. Several shards are one commit."""

    path: Path

    @contextmanager
    def __call__(self) -> Iterator[Write]:
        """Be the one that writes; a shard's answer is its line in the ledger.

        Raises:
            BadInput: the folder holds something else, or another process writes to it.
        """
        with Committer(self.path, patience=PATIENCE) as committer:

            def write(several: Sequence[Made]) -> list[dict[str, Any]]:
                for made in several:
                    committer.append(made.triplets, made.verdicts)
                committer.flush()
                return [made.row() for made in several]

            yield write
