"""Shards → workers → sink, for any pool of workers."""

from collections import Counter, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from tutelage.executors.base import Hopeless, Outcome, Shards
from tutelage.executors.leases import Leases, Rules, Task

IN_A_ROW: Final = 3
"""Shards that fail one after another, or times that a worker dies before it is ready, until a run stops."""


@dataclass(frozen=True)
class Ready:
    """A worker can be given a shard."""

    worker: int


@dataclass(frozen=True)
class Made:
    """A worker has the result of its shard, and can be given another one."""

    worker: int
    result: Any


@dataclass(frozen=True)
class Died:
    """A worker is no more, and another one takes its place, to be ready soon."""

    worker: int
    reason: str


@dataclass(frozen=True)
class Written:
    """The sink's answers to the results it was given."""

    answers: Sequence[Any]


@dataclass(frozen=True)
class Unwritten:
    """The sink is no more, and another one takes its place; or results were lost on their way to it."""

    lost: bool
    reason: str


Event = Ready | Made | Died | Written | Unwritten


class Pool(Protocol):
    """Workers with the numbers from 0 to `size`, and a sink. Nothing but `wait` takes time."""

    size: int

    def now(self) -> float:
        """Seconds, from whenever."""
        ...

    def give(self, worker: int, shard: Any) -> None:
        """Give a shard to a worker that is ready."""
        ...

    def heard(self, worker: int) -> float:
        """When a worker was last known to be alive."""
        ...

    def replace(self, worker: int) -> None:
        """End a worker, and start another one in its place."""
        ...

    def write(self, results: Sequence[Any]) -> None:
        """Give results to the sink, which has written all it was given before."""
        ...

    def wait(self, until: float) -> list[Event]:
        """Wait until then, or until there are events.

        Raises:
            BadInput: what the step or the sink raised.
        """
        ...


def dispatch(pool: Pool, shards: Shards, rules: Rules) -> Iterator[Outcome]:
    """Yield the outcomes of shards in their order.

    The sink is given all that is ready when it has written what it had, so many small results make few writes.

    Raises:
        BadInput: what the step or the sink raised.
        Hopeless: nothing gets done.
    """
    at_work = _Dispatch(pool, Leases(shards, pool.size, rules))
    while not at_work.leases.finished:
        yield from at_work.next_outcomes()
        at_work.give()
        at_work.hear()
    yield from at_work.next_outcomes()


class _Dispatch:
    def __init__(self, pool: Pool, leases: Leases) -> None:
        self.pool, self.leases = pool, leases
        self._idle: deque[int] = deque()
        self._unborn: Counter[int] = Counter()
        self._writing = 0
        self._outcomes: deque[Outcome] = deque()

    def give(self) -> None:
        """Work for whoever is idle."""
        while self._idle and (task := self.leases.take(self._idle[0], self.pool.now())):
            self.pool.give(self._idle.popleft(), task.shard)

    def next_outcomes(self) -> Iterator[Outcome]:
        """What was written or has failed; then the sink gets what comes next."""
        while self._outcomes:
            yield self._outcomes.popleft()
        if self._writing:
            return
        while failed := self.leases.given_up():
            yield failed
        if several := self.leases.ready():
            self._writing = len(several)
            self.pool.write([task.result for task in several])

    def hear(self) -> None:
        """Wait for news, and for leases to expire."""
        if self.leases.finished:  # `give` found that there was no more
            return
        for event in self.pool.wait(self.leases.wakes(bool(self._idle))):
            self._take_in(event)
        for worker in self.leases.expired(self.pool.now(), self.pool.heard):
            self.pool.replace(worker)
            self._died(worker, f"a worker was not heard of for {self.leases.rules.silence:g} s")

    def _take_in(self, event: Event) -> None:
        match event:
            case Ready(worker):
                self._unborn[worker] = 0
                self._idle.append(worker)
            case Made(worker, result):
                self.leases.made(worker, result, self.pool.now())
                self._idle.append(worker)
            case Died(worker, reason):
                self._died(worker, reason)
            case Written(answers):
                done = self.leases.written(self._writing)
                self._outcomes.extend(_written(task, answer) for task, answer in zip(done, answers, strict=True))
                self._writing = 0
            case Unwritten(lost, reason):
                if lost:
                    self.leases.unmade(self._writing, reason)
                self._writing = 0

    def _died(self, worker: int, reason: str) -> None:
        self.leases.lost(worker, reason)
        if worker in self._idle:
            self._idle.remove(worker)
        self._unborn[worker] += 1
        if self._unborn[worker] > IN_A_ROW:
            raise Hopeless(f"a worker dies before it is ready, again and again: {reason}")
        if self.leases.failures >= IN_A_ROW:
            raise Hopeless(f"shard after shard fails; the last one: {reason}")


def _written(task: Task, answer: Any) -> Outcome:
    return Outcome(number=task.number, answer=answer, tries=task.tries)
