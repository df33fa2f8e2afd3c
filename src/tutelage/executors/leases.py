"""Who works on which shard: leases that expire, shards that are tried again, and outcomes in order.

Nothing here waits or knows a process: time is an argument, so that a simulation (`simulated`) drives the same code.
"""

import heapq
import math
from bisect import insort
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import islice
from statistics import median
from typing import Any, Final

from tutelage.executors.base import Outcome, Shards

RECENT: Final = 64
"""Shards whose times say how long one takes."""
KNOWN: Final = 3
"""As many must be done before that is said."""
FIRST: Final = 32
"""Shards, from the first that is not written, that a second worker may try: all others wait for these."""


@dataclass(frozen=True, kw_only=True)
class Rules:
    """When a shard is given to someone else, and when it is given up."""

    tries: int = 5
    """Workers that a shard may cost."""
    ahead: int = 6
    """Shards for each worker that are under way or wait to be written."""
    silence: float = 60.0
    """Seconds after which a worker that was not heard of is given up."""
    late: float = 3.0
    """Times the usual: a shard that takes longer is given to an idle worker too, and the first result counts."""


@dataclass
class Task:
    """A shard that is not written yet."""

    number: int
    shard: Any
    tries: int = 0
    holders: dict[int, float] = field(default_factory=dict)
    """Worker → when it began."""
    result: Any = None
    made: bool = False
    failed: str = ""


class Leases:
    """The tasks from the first that is not written to the last that was read."""

    def __init__(self, shards: Shards, workers: int, rules: Rules) -> None:
        self.rules = rules
        self.failures = 0
        """Shards that failed since one was made."""
        self._shards = iter(shards)
        self._room = workers * rules.ahead
        self._ended = False
        self._tasks: deque[Task] = deque()
        self._again: list[Task] = []
        self._held: dict[int, Task] = {}
        self._expiries: list[tuple[float, int, float]] = []
        self._seconds: deque[float] = deque(maxlen=RECENT)
        self._usual: float | None = math.inf

    @property
    def finished(self) -> bool:
        """Whether all there was is written or failed."""
        return self._ended and not self._tasks

    def take(self, worker: int, now: float) -> Task | None:
        """Lease a task to a worker, or nothing: then no other idle worker would get any either."""
        task = self._again.pop(0) if self._again else self._new() or self._late(now)
        if task is None:
            return None
        task.tries += 1
        task.holders[worker] = now
        self._held[worker] = task
        heapq.heappush(self._expiries, (now + self.rules.silence, worker, now))
        return task

    def made(self, worker: int, result: Any, now: float) -> bool:
        """A worker has a result; whether it is the first one of its task."""
        task = self._held.pop(worker)
        self._seconds.append(now - task.holders.pop(worker))
        self._usual = None
        if task.made or task.failed:
            return False
        task.made, task.result, self.failures = True, result, 0
        return True

    def lost(self, worker: int, reason: str) -> None:
        """A worker is no more; if it had a task that nobody else is at, that is tried again or has failed."""
        task = self._held.pop(worker, None)
        if task is None:
            return
        del task.holders[worker]
        if not (task.made or task.failed or task.holders):
            self._retry(task, reason)

    def unmade(self, count: int, reason: str) -> None:
        """The results of the first so many tasks were lost before they were written."""
        for task in reversed(list(islice(self._tasks, count))):
            task.made, task.result = False, None
            if not task.holders:
                self._retry(task, reason)

    def expired(self, now: float, heard: Callable[[int], float]) -> list[int]:
        """Workers with a lease that were not heard of for too long; `heard` says when a worker last was."""
        silent = []
        while self._expiries and self._expiries[0][0] <= now:
            _, worker, since = heapq.heappop(self._expiries)
            task = self._held.get(worker)
            if task is None or task.holders[worker] != since:
                continue
            until = heard(worker) + self.rules.silence
            if until <= now:
                silent.append(worker)
            else:
                heapq.heappush(self._expiries, (until, worker, since))
        return silent

    def wakes(self, idle: bool) -> float:
        """When something may expire or, if somebody is idle, be late."""
        first = self._expiries[0][0] if self._expiries else math.inf
        return min([first, *(late for late, _ in self._slow())]) if idle else first

    def ready(self) -> list[Task]:
        """Tasks with results that come next, in their order."""
        several = []
        for task in self._tasks:
            if not task.made:
                break
            several.append(task)
        return several

    def written(self, count: int) -> list[Task]:
        """The first so many tasks are written."""
        return [self._tasks.popleft() for _ in range(count)]

    def given_up(self) -> Outcome | None:
        """The first task, if it has failed and is next."""
        if not (self._tasks and self._tasks[0].failed):
            return None
        task = self._tasks.popleft()
        return Outcome(number=task.number, tries=task.tries, failed=task.failed)

    def _new(self) -> Task | None:
        if self._ended or len(self._tasks) >= self._room:
            return None
        found = next(self._shards, None)
        if found is None:
            self._ended = True
            return None
        self._tasks.append(Task(*found))
        return self._tasks[-1]

    def _late(self, now: float) -> Task | None:
        return next((task for late, task in self._slow() if late <= now), None)

    def _slow(self) -> list[tuple[float, Task]]:
        """When each of the first tasks that one worker is at will be late."""
        if self._usual is None:
            self._usual = median(self._seconds) if len(self._seconds) >= KNOWN else math.inf
        most = self.rules.late * self._usual
        first = (task for task in islice(self._tasks, FIRST) if len(task.holders) == 1 and not task.made)
        return [(since + most, task) for task in first for since in task.holders.values()]

    def _retry(self, task: Task, reason: str) -> None:
        if task.tries < self.rules.tries:
            insort(self._again, task, key=lambda one: one.number)
        else:
            task.failed = reason
            self.failures += 1
