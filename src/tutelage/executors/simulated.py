"""Workers that only take time: what a run on machines that nobody has yet would do, by the code that would run it.

Time is simulated: `wait` goes to the next thing that happens.
"""

import heapq
import math
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from tutelage.executors.base import Outcome, Shards, Sink, Step, Write
from tutelage.executors.dispatch import Died, Event, Made, Ready, Written, dispatch
from tutelage.executors.leases import Rules

NOBODY: Final = 0
"""Whose life the sink's answers do not depend on."""


class DriverGone(Exception):
    """The process that hands out shards is no more; whoever started it starts it again."""


@dataclass(frozen=True, kw_only=True)
class World:
    """How long things take, and how often they break. Times are in seconds."""

    workers: int
    shard: float
    """Of one worker for one shard, most often."""
    spread: float = 0.05
    """Standard deviation of the logarithm of that time."""
    straggling: float = 0.0
    """Share of shards that meet a slow worker."""
    slowness: float = 5.0
    """Times as long as those take."""
    start: float = 0.0
    """Until a worker has loaded its networks."""
    life: float = math.inf
    """Mean time until a worker is preempted."""
    absence: float = 0.0
    """Until there is a machine for another one."""
    silent: float = 0.0
    """Share of the preempted that nobody is told of: they are not heard of any more. Starting workers are watched by
    whoever starts them."""
    commit: float = 0.0
    """Of each write."""
    written: float = 0.0
    """Of each shard that is written."""
    handling: float = 0.0
    """Of the driver for each thing that it hears."""
    driver_life: float = math.inf
    """Mean time until the driver dies."""
    seed: int = 0


@dataclass
class Spent:
    """Seconds of all workers together."""

    working: float = 0.0
    """On shards, whatever became of them."""
    useful: float = 0.0
    """On shards that were written."""
    writing: float = 0.0
    """Of the sink."""
    handling: float = 0.0
    """Of the driver."""
    deaths: int = 0


@dataclass
class _Worker:
    life: int = 0
    """Which one of this number it is."""
    ready: bool = False
    since: float | None = None
    """When it began its shard."""
    silent: float | None = None
    """When it was heard of last."""


class SimulatedPool:
    """See `dispatch.Pool`; `wait` raises DriverGone when the driver dies."""

    def __init__(
        self,
        world: World,
        step: Callable[[Any], Any] = lambda shard: shard,
        write: Write = list,
        *,
        clock: float = 0.0,
        start: int = 0,
    ) -> None:
        """From `clock` on; `start` says the how manyth driver this is, whose luck is its own."""
        self.size = world.workers
        self.world, self.spent = world, Spent()
        self._step, self._write = step, write
        self._clock, self._serial = clock, 0
        self._random = np.random.default_rng([world.seed, start])
        self._gone = clock + self._lasts(world.driver_life)
        self._coming: list[tuple[float, int, int, Event]] = []
        self._unwritten = 0.0
        self._workers = [_Worker() for _ in range(world.workers)]
        for number in range(world.workers):
            self._start(number, 0.0)

    def now(self) -> float:
        return self._clock

    def give(self, worker: int, shard: Any) -> None:
        one, seconds = self._workers[worker], self._seconds()
        one.since = self._clock
        if one.silent is None:
            self._at(self._clock + seconds, Made(worker, (self._step(shard), seconds)), one.life)

    def heard(self, worker: int) -> float:
        silent = self._workers[worker].silent
        return self._clock if silent is None else silent

    def replace(self, worker: int) -> None:
        self._stop(worker)
        self._start(worker, self.world.absence)

    def write(self, results: Sequence[Any]) -> None:
        seconds = self.world.commit + self.world.written * len(results)
        self.spent.writing += seconds
        self._unwritten = sum(taken for _, taken in results)
        answers = self._write([result for result, _ in results])
        self._at(self._clock + seconds, Written(answers), NOBODY)

    def wait(self, until: float) -> list[Event]:
        while self._coming and self._coming[0][0] <= until:
            at, _, life, event = heapq.heappop(self._coming)
            if life == NOBODY or self._happens(event, life):
                self._pass(at)
                return self._noticed(event)
        assert math.isfinite(until), "nothing will ever happen again"
        self._pass(until)
        return []

    def end(self) -> None:
        """Stop all workers where they are."""
        for number in range(self.size):
            self._rest(number)

    def _pass(self, until: float) -> None:
        if until >= self._gone:
            self._clock = max(self._clock, self._gone)
            raise DriverGone
        self._clock = max(self._clock, until) + self.world.handling
        self.spent.handling += self.world.handling

    def _happens(self, event: Event, life: int) -> bool:
        assert isinstance(event, Ready | Made | Died)
        one = self._workers[event.worker]
        return one.life == life and one.silent is None

    def _noticed(self, event: Event) -> list[Event]:
        if isinstance(event, Written):
            self.spent.useful += self._unwritten
        if isinstance(event, Ready):
            self._workers[event.worker].ready = True
        if isinstance(event, Made):
            self._rest(event.worker)
        if isinstance(event, Died):
            if self._workers[event.worker].ready and self._random.random() < self.world.silent:
                self._workers[event.worker].silent = self._clock
                return []
            self.replace(event.worker)
        return [event]

    def _start(self, number: int, after: float) -> None:
        one = self._workers[number] = _Worker(life=self._workers[number].life + 1)
        there = self._clock + after
        self._at(there + self.world.start, Ready(number), one.life)
        if math.isfinite(self.world.life):
            self._at(there + self._lasts(self.world.life), Died(number, "it was preempted"), one.life)

    def _stop(self, number: int) -> None:
        self.spent.deaths += 1
        self._rest(number)

    def _rest(self, number: int) -> None:
        one = self._workers[number]
        if one.since is not None:
            self.spent.working += self._clock - one.since
        one.since = None

    def _lasts(self, mean: float) -> float:
        return float(self._random.exponential(mean)) if math.isfinite(mean) else math.inf

    def _seconds(self) -> float:
        slow = self.world.slowness if self._random.random() < self.world.straggling else 1.0
        return float(self.world.shard * slow * np.exp(self.world.spread * self._random.standard_normal()))

    def _at(self, when: float, event: Event, life: int) -> None:
        self._serial += 1
        heapq.heappush(self._coming, (when, self._serial, life, event))


@dataclass(kw_only=True)
class Simulated:
    """See `base.Executor`. Time goes on from one `map` to the next, as it does for a driver that is started again."""

    world: World
    rules: Rules = field(default_factory=Rules)
    clock: float = 0.0
    starts: int = 0
    spent: list[Spent] = field(default_factory=list)
    """Of each start."""

    def map(self, step: Step, shards: Shards, sink: Sink) -> Generator[Outcome]:
        """Raises DriverGone when the driver dies; call it again."""
        with sink() as write:
            pool = SimulatedPool(self.world, step, write, clock=self.clock, start=self.starts)
            try:
                yield from dispatch(pool, shards, self.rules)
            finally:
                pool.end()
                self.clock, self.starts = pool.now(), self.starts + 1
                self.spent.append(pool.spent)

    def take_frames(self) -> None:
        """Daft's frames are not simulated."""
