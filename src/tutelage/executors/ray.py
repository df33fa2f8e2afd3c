"""A Ray cluster: an actor for each worker, placed by what the step asks for, and one actor that writes.

Restarting machines, placing actors, moving and spilling results is Ray's work. Results go from the worker's node to the
sink's; this process sees neither.
"""

import os
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tutelage import __version__
from tutelage.errors import BadInput
from tutelage.executors.base import Outcome, Shards, Sink, Step, settle
from tutelage.executors.dispatch import Died, Event, Made, Ready, Unwritten, Written, dispatch
from tutelage.executors.leases import Rules
from tutelage.executors.ray_cluster import Room, connect


@dataclass(frozen=True, kw_only=True)
class Ray:
    """Actors of a cluster."""

    address: str = ""
    """`auto` (the cluster that this machine belongs to), host:port or ray://host:port; empty: one is started here."""
    workers: int | None = None
    """None: as many as the cluster has room for at the start."""
    rules: Rules = field(default_factory=Rules)

    def __post_init__(self) -> None:
        if self.workers is not None and self.workers < 1:
            raise BadInput(f"workers is {self.workers}; give at least 1")

    def map(self, step: Step, shards: Shards, sink: Sink) -> Generator[Outcome]:
        """See `base.Executor`. Nothing that a worker needs may be on this machine alone, if there are others."""
        shards = iter(shards)
        first = next(shards, None)
        if first is None:
            return
        connect(self.address)
        room = Room.of(step.resources, self.workers)
        with RayPool(step, sink, room) as pool:
            yield from dispatch(pool, chain([first], shards), self.rules)

    def take_frames(self) -> None:
        """Daft's actors on the same cluster."""
        import daft

        connect(self.address)
        daft.set_runner_ray(noop_if_initialized=True)


class Worker:
    """An actor: a copy of the step."""

    def __init__(self, step: Step) -> None:
        self._step = step

    def begin(self, cores: int, where: Path, version: str) -> None:
        """Be ready for shards."""
        if version != __version__:
            raise BadInput(f"this node has tutelage {__version__}, the run {version}; install the same everywhere")
        if where.is_dir():
            os.chdir(where)  # so that relative paths mean what they mean to whoever started the run
        settle(cores)

    def do(self, shard: Any) -> tuple[bool, Any]:
        """A shard's result, after a word that it is there, which is small."""
        return True, self._step(shard)

    def live(self) -> None:
        """A sign of life; it has a thread of its own."""


class Writer:
    """An actor: the sink, opened when there is something to write."""

    def __init__(self, sink: Sink, where: Path) -> None:
        os.chdir(where)
        self._sink, self._opened = sink, ExitStack()
        self._write: Any = None

    def write(self, *results: Any) -> list[Any]:
        """Answers to results."""
        if self._write is None:
            self._write = self._opened.enter_context(self._sink())
        return list(self._write(results))

    def close(self) -> None:
        """Nothing more is to be written."""
        self._opened.close()


@dataclass
class _Actor:
    """A worker and its last signs of life."""

    handle: Any
    heard: float
    sign: Any = None
    pending: Any = None
    """What it is waited for to say, and of what kind that is."""
    ready: bool = False


@dataclass
class _Asked:
    """Answers waited for: what they are, by reference."""

    workers: dict[Any, int] = field(default_factory=dict)
    results: dict[int, Any] = field(default_factory=dict)
    writing: Any = None


class RayPool:
    """See `dispatch.Pool`. A context manager: on leaving, its actors are ended and the sink is closed."""

    def __init__(self, step: Step, sink: Sink, room: Room) -> None:
        import ray
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        self._ray: Any = ray
        self._errors: Any = ray.exceptions
        self.size = room.workers
        where = Path.cwd()
        here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
        worker = ray.remote(concurrency_groups={"signs": 1}, **room.options())(Worker)
        writer = ray.remote(num_cpus=0, scheduling_strategy=here)(Writer)
        step_there = ray.put(step)
        self._make_worker: Callable[[], Any] = lambda: worker.remote(step_there)
        self._make_writer: Callable[[], Any] = lambda: writer.remote(sink, where)
        self._told = (room.cpus, where, __version__)
        self._workers: dict[int, _Actor] = {}
        self._asked = _Asked()

    def __enter__(self) -> Self:
        self._writer = self._make_writer()
        for number in range(self.size):
            self._start(number)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for worker in self._workers.values():
            self._ray.kill(worker.handle)
        try:
            if kind is None:
                self._ray.get(self._writer.close.remote())
        finally:
            self._ray.kill(self._writer)

    def now(self) -> float:
        return time.monotonic()

    def give(self, worker: int, shard: Any) -> None:
        actor = self._workers[worker]
        done, result = actor.handle.do.options(num_returns=2).remote(shard)
        actor.heard, actor.sign = time.monotonic(), self._sign(actor)
        self._wait_for(worker, done)
        self._asked.results[worker] = result

    def heard(self, worker: int) -> float:
        actor = self._workers[worker]
        if self._ray.wait([actor.sign], timeout=0)[0]:
            actor.heard, actor.sign = time.monotonic(), self._sign(actor)
        return actor.heard

    def replace(self, worker: int) -> None:
        actor = self._workers[worker]
        self._asked.workers.pop(actor.pending, None)
        self._asked.results.pop(worker, None)
        self._ray.kill(actor.handle)
        self._start(worker)

    def write(self, results: Sequence[Any]) -> None:
        self._asked.writing = self._writer.write.remote(*results)

    def wait(self, until: float) -> list[Event]:
        waiting = [*self._asked.workers, *([self._asked.writing] if self._asked.writing else [])]
        left = max(0.0, until - time.monotonic())
        found, others = self._ray.wait(waiting, timeout=None if left == float("inf") else left)
        if found and others:
            found += self._ray.wait(others, num_returns=len(others), timeout=0)[0]
        return [self._written() if one == self._asked.writing else self._said(one) for one in found]

    def _said(self, reference: Any) -> Event:
        number = self._asked.workers.pop(reference)
        actor = self._workers[number]
        try:
            self._ray.get(reference)
        except self._errors.RayError as error:
            _raise_bad_input(error)
            self.replace(number)
            return Died(number, _last_line(error))
        if not actor.ready:
            actor.ready = True
            return Ready(number)
        return Made(number, self._asked.results.pop(number))

    def _written(self) -> Event:
        reference, self._asked.writing = self._asked.writing, None
        try:
            return Written(self._ray.get(reference))
        except self._errors.RayActorError as error:
            self._ray.kill(self._writer)
            self._writer = self._make_writer()
            return Unwritten(False, _last_line(error))
        except self._errors.RayTaskError as error:
            if not isinstance(error.cause, self._errors.ObjectLostError):
                raise error.cause from error
            return Unwritten(True, _last_line(error))

    def _start(self, number: int) -> None:
        actor = self._workers[number] = _Actor(self._make_worker(), time.monotonic())
        self._wait_for(number, actor.handle.begin.remote(*self._told))

    def _wait_for(self, number: int, reference: Any) -> None:
        self._workers[number].pending = reference
        self._asked.workers[reference] = number

    def _sign(self, actor: _Actor) -> Any:
        return actor.handle.live.options(concurrency_group="signs").remote()


def _raise_bad_input(error: Exception) -> None:
    """What the user can mend stops the run, wherever it was found."""
    for cause in (getattr(error, "cause", None), error):
        if isinstance(cause, BadInput):
            raise BadInput(str(cause)) from error


def _last_line(error: Exception) -> str:
    lines = [line for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {lines[-1].strip() if lines else ''}"
