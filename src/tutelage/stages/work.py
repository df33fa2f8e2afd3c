"""One shard at a time: taught and judged, here or in other processes."""

import multiprocessing
import os
import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from typing import Any, Final

from tutelage.judges.panel import Panel
from tutelage.stages.neighbours import neighbour
from tutelage.teachers.base import Diverged, Teacher
from tutelage.triplet import Assignment, Triplet, Verdict

AHEAD: Final = 2
"""Shards waiting for each worker."""
Shard = tuple[int, Sequence[Assignment]]
"""Its number, and the assignments of several subjects."""


@dataclass(frozen=True)
class Made:
    """What became of a shard."""

    shard: int
    assignments: int
    triplets: Sequence[Triplet]
    verdicts: Sequence[Verdict]
    diverged: int
    """Subjects of which there is no triplet."""
    seconds: float

    def row(self) -> dict[str, Any]:
        """Its line in the ledger."""
        rejected = {verdict.triplet for verdict in self.verdicts if not verdict.keep}
        counts = {"triplets": len(self.triplets), "kept": sum(one.id not in rejected for one in self.triplets)}
        told = {"shard": self.shard, "assignments": self.assignments, **counts, "diverged": self.diverged}
        return {**told, "seconds": self.seconds, "time": time.time()}


@dataclass(frozen=True)
class Work:
    """A teacher, or none, and the judges of what it makes."""

    teacher: Teacher | None
    panel: Panel

    def __call__(self, shard: Shard) -> Made:
        """Teach and judge."""
        number, assignments = shard
        started = time.monotonic()
        triplets = self._taught(assignments)
        verdicts = self.panel.judge(triplets)
        diverged = len({one.cluster.id for one in assignments} - {triplet.cluster for triplet in triplets})
        return Made(number, len(assignments), triplets, verdicts, diverged, time.monotonic() - started)

    def _taught(self, assignments: Sequence[Assignment]) -> list[Triplet]:
        """Nothing of an expert that diverged."""
        if self.teacher is None:
            return [neighbour(assignment) for assignment in assignments]
        try:
            return list(self.teacher.teach(assignments))
        except Diverged:
            return []


def in_order(work: Work, shards: Iterable[Shard], workers: int) -> Iterator[Made]:
    """Yield what is made of the shards, in their order whoever is done first; few of them are in memory at a time."""
    if workers == 1:
        yield from map(work, shards)
        return
    spawn = multiprocessing.get_context("spawn")  # not forked: PyTorch's threads would be copied as they are
    waiting: deque[Future[Made]] = deque()
    with ProcessPoolExecutor(workers, mp_context=spawn, initializer=_begin, initargs=(work, workers)) as pool:
        try:
            for shard in shards:
                waiting.append(pool.submit(_do, shard))
                if len(waiting) > AHEAD * workers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()


_work: Work | None = None
"""Of this process, if it is a worker: networks are loaded once."""


def _begin(work: Work, workers: int) -> None:
    import torch

    global _work
    _work = work
    threading.Thread(target=_end_with_parent, daemon=True).start()
    torch.set_num_threads(max(1, (os.cpu_count() or 1) // workers))


def _end_with_parent() -> None:
    """A run that is killed cannot stop its workers, so they look after it."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


def _do(shard: Shard) -> Made:
    assert _work is not None
    return _work(shard)
