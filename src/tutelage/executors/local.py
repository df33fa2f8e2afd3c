"""This machine: the step in processes of its own, the sink in a thread of this one."""

import multiprocessing
import os
import signal
import threading
import time
import traceback
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from itertools import chain
from multiprocessing.connection import Connection, wait
from types import TracebackType
from typing import Any, Final, Self

from tutelage.errors import BadInput
from tutelage.executors.base import Outcome, Resources, Shards, Sink, Step, Write, cores_each, cores_here, settle
from tutelage.executors.dispatch import Died, Event, Made, Ready, Written, dispatch
from tutelage.executors.leases import Rules

BEAT: Final = 2.0
"""Seconds between signs of life."""
PATIENCE: Final = 5.0
"""Seconds in which a worker that was dismissed must end."""
DEVICES: Final = "CUDA_VISIBLE_DEVICES"


@dataclass(frozen=True, kw_only=True)
class Local:
    """Processes that end with this one. A single worker is this process itself, and what it raises is raised."""

    workers: int = 1
    rules: Rules = field(default_factory=Rules)

    def __post_init__(self) -> None:
        if self.workers < 1:
            raise BadInput(f"workers is {self.workers}; give at least 1")

    def map(self, step: Step, shards: Shards, sink: Sink) -> Generator[Outcome]:
        """See `base.Executor`."""
        shards = iter(shards)
        first = next(shards, None)
        if first is None:
            return
        shards = chain([first], shards)
        if self.workers == 1:
            yield from _here(step, shards, sink)
            return
        with LocalPool(step, sink, self.workers) as pool:
            yield from dispatch(pool, shards, self.rules)

    def take_frames(self) -> None:
        """Daft's own runner, which uses all cores, is the default."""


def _here(step: Step, shards: Shards, sink: Sink) -> Iterator[Outcome]:
    with sink() as write:
        for number, shard in shards:
            [answer] = write([step(shard)])
            yield Outcome(number=number, answer=answer)


@dataclass
class _Worker:
    """A process and how to talk to it."""

    process: Any
    pipe: Connection
    beat: Any
    """When it was last alive, in memory that both processes see."""
    ready: bool = False


class LocalPool:
    """See `dispatch.Pool`. A context manager: on leaving, its processes are ended and the sink is closed."""

    def __init__(self, step: Step, sink: Sink, size: int) -> None:
        self.size = size
        self._step, self._sink = step, sink
        self._spawn = multiprocessing.get_context("spawn")  # not forked: PyTorch's threads would be copied as they are
        self._devices = devices_of(step.resources, size)
        self._workers: dict[int, _Worker] = {}
        self._writing: Future[Sequence[Any]] | None = None

    def __enter__(self) -> Self:
        with ExitStack() as opened:
            self._write: Write = opened.enter_context(self._sink())
            self._thread = opened.enter_context(ThreadPoolExecutor(1))
            self._bell, self._rings = self._spawn.Pipe(duplex=False)
            opened.callback(self._end)
            for worker in range(self.size):
                self._start(worker)
            self._opened = opened.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self._dismiss()
        self._opened.__exit__(kind, error, trace)

    def now(self) -> float:
        return time.monotonic()

    def give(self, worker: int, shard: Any) -> None:
        try:
            self._workers[worker].pipe.send(shard)
        except OSError:
            return  # it has died, which `wait` will see

    def heard(self, worker: int) -> float:
        return float(self._workers[worker].beat.value)

    def replace(self, worker: int) -> None:
        self._stop(self._workers[worker])
        self._start(worker)

    def write(self, results: Sequence[Any]) -> None:
        self._writing = self._thread.submit(self._write, results)
        self._writing.add_done_callback(lambda _: self._rings.send(None))

    def wait(self, until: float) -> list[Event]:
        left = max(0.0, until - time.monotonic())
        pipes = {one.pipe: number for number, one in self._workers.items()}
        found = wait([self._bell, *pipes], None if left == float("inf") else left)
        return [self._written() if pipe is self._bell else self._said(pipes[pipe]) for pipe in found]  # type: ignore[index]

    def _written(self) -> Event:
        self._bell.recv()
        assert self._writing is not None
        return Written(self._writing.result())

    def _said(self, number: int) -> Event:
        worker = self._workers[number]
        try:
            what, said = worker.pipe.recv()
        except (EOFError, OSError):
            worker.process.join()
            what, said = "died", f"a worker ended with status {worker.process.exitcode}"
        if what == "wrong":
            raise BadInput(said)
        if what == "died":
            self.replace(number)
            return Died(number, said)
        return Ready(number) if what == "ready" else Made(number, said)

    def _start(self, number: int) -> None:
        ours, theirs = self._spawn.Pipe()
        beat = self._spawn.Value("d", time.monotonic(), lock=False)
        cores = cores_each(self._step.resources.cpus, cores_here(), self.size)
        given = (self._step, theirs, beat, cores, self._devices[number])
        process = self._spawn.Process(target=_serve, args=given, daemon=True)
        with _deaf():
            process.start()
        theirs.close()  # the worker has the only other end, so the pipe breaks when it dies
        self._workers[number] = _Worker(process, ours, beat)

    def _stop(self, worker: _Worker) -> None:
        worker.process.kill()
        worker.process.join()
        worker.pipe.close()

    def _dismiss(self) -> None:
        """Let workers with nothing left to do end by themselves: what is killed gives back no semaphore."""
        for worker in self._workers.values():
            worker.pipe.close()
        for worker in self._workers.values():
            worker.process.join(PATIENCE)

    def _end(self) -> None:
        for worker in self._workers.values():
            worker.process.kill()
        for worker in self._workers.values():
            self._stop(worker)


def devices_of(resources: Resources, workers: int) -> list[str | None]:
    """Which accelerator each worker sees, by turns; None: as this process does."""
    if resources.gpus == 0:
        return [None] * workers
    import torch

    seen = (
        os.environ.get(DEVICES, "").split(",") if DEVICES in os.environ else map(str, range(torch.cuda.device_count()))
    )
    there = [name for name in seen if name]
    return [there[number % len(there)] if there else None for number in range(workers)]


@contextmanager
def _deaf() -> Iterator[None]:
    """What is started meanwhile does not hear Ctrl-C, not even before its first line."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _serve(step: Step, pipe: Connection, beat: Any, cores: int, device: str | None) -> None:
    """A worker's life: shards come in, results go out."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for whoever started this, who then ends it
    if device is not None:
        os.environ[DEVICES] = device
    threading.Thread(target=_end_with_parent, daemon=True).start()
    threading.Thread(target=_live, args=(beat,), daemon=True).start()
    settle(cores)
    said: tuple[str, Any] = ("ready", None)
    with suppress(EOFError, BrokenPipeError, ConnectionResetError):  # dismissed
        while said[0] in ("ready", "made"):
            pipe.send(said)
            said = _done(step, pipe.recv())
        pipe.send(said)


def _done(step: Step, shard: Any) -> tuple[str, Any]:
    try:
        return "made", step(shard)
    except BadInput as error:
        return "wrong", str(error)
    except Exception:  # noqa: BLE001  # whatever it is, someone else tries, and this process may be the worse for it
        return "died", traceback.format_exc()


def _live(beat: Any) -> None:
    while True:
        beat.value = time.monotonic()
        time.sleep(BEAT)


def _end_with_parent() -> None:
    """A run that is killed cannot stop its workers, so they look after it."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)
