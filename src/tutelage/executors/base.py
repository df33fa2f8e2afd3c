"""What a step asks for, and what an executor promises."""

import os
import sys
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol

Shards = Iterable[tuple[int, Any]]
"""Rising numbers and what belongs to them; it is read as there is room, so it may be long."""
Write = Callable[[Sequence[Any]], Sequence[Any]]
"""Results of shards in their order → a small answer to each."""
Sink = Callable[[], AbstractContextManager[Write]]
"""Opens what results are written to, in the one process that writes. Can be pickled, as a step can.

A result may come twice, after a kill: writing it again must change nothing.
"""


@dataclass(frozen=True, kw_only=True)
class Resources:
    """What one worker of a step occupies."""

    cpus: int = 1
    """Cores at least."""
    gpus: float | None = 0.0
    """Accelerators; None: one, where there are any."""
    memory: int = 0
    """Bytes, which a cluster sets aside; 0: it is not known."""

    @classmethod
    def on(cls, device: str) -> "Resources":
        """Of a worker with networks on that device: an accelerator, none, or with `auto` one where there are any."""
        return cls(gpus=None if device == "auto" else float(device.startswith("cuda")))


class Step(Protocol):
    """A shard → its result, which depends on nothing else. Each worker has a copy, kept while shards come."""

    @property
    def resources(self) -> Resources:
        """Of one worker."""
        ...

    def __call__(self, shard: Any, /) -> Any:
        """Do one shard.

        Raises:
            BadInput: no worker could do it; all stop. Any other exception costs this worker, and another one tries.
        """
        ...


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of a shard."""

    number: int
    answer: Any = None
    """Of the sink; None for a shard that failed."""
    tries: int = 1
    """Workers that it took."""
    failed: str = ""
    """Why no worker could do it."""


class Executor(Protocol):
    """Somewhere to run a step."""

    def map(self, step: Step, shards: Shards, sink: Sink) -> Generator[Outcome]:
        """Yield the outcomes of all shards in their order, each when it is written; closed before, it ends all work.

        Few shards are in memory at a time: no more are read while results wait to be written.

        Raises:
            BadInput: what the step or the sink raised, or there is nowhere to run.
            Hopeless: shard after shard failed.
        """
        ...

    def take_frames(self) -> None:
        """Have Daft compute its frames here as well, from now on.

        Raises:
            BadInput: there is nowhere to run.
        """
        ...


class Hopeless(RuntimeError):
    """Nothing gets done: shards fail one after another, or workers die before they are ready."""


def cores_each(least: int, there: int, workers: int) -> int:
    """Cores of each of so many workers on a machine: all are used, and every executor comes to the same number, on
    which rounding depends."""
    return max(least, there // workers)


def settle(cores: int) -> None:
    """Have the networks of this process, which may not have imported PyTorch yet, use so many cores."""
    os.environ["OMP_NUM_THREADS"] = str(cores)
    if "torch" in sys.modules:
        import torch

        torch.set_num_threads(cores)


def cores_here() -> int:
    """Cores of this machine."""
    return os.cpu_count() or 1
