"""R18: a job on a Ray cluster of this machine against the same job in processes of this machine.

    python benchmarks/executors.py
    python benchmarks/executors.py --shards 12 --repeats 2      # an impression

A shard is a fixed amount of arithmetic in one core, and its result as large as that of a fleet of experts. Executors
take turns; each repeat gives one ratio of speeds. R18 counts from the first shard that is written to the last; below it
the start of the workers counts as well. The cluster is there before the first turn: its start is once for a run, and a
row of its own. The last rows are how long the driver is at it for a shard that takes no time at all, which
`tutelage plan` is told as `--cluster.handling`. All of it takes about three minutes on two cores.
"""

import hashlib
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import tyro

from tutelage.benches.ratios import ratio_row, ratios, report
from tutelage.errors import BadInput
from tutelage.executors.base import Executor, Resources, Write
from tutelage.executors.local import Local
from tutelage.executors.ray import Ray
from tutelage.executors.ray_cluster import connect


@dataclass(frozen=True, kw_only=True)
class Arithmetic:
    """A step of so many rounds, with a result of so many bytes."""

    rounds: int
    size: int
    resources: Resources = field(default_factory=Resources)

    def __call__(self, shard: int) -> bytes:
        if self.rounds:
            hashlib.pbkdf2_hmac("sha256", b"", b"", self.rounds)
        return bytes(self.size)


class Forgetting:
    """A sink that keeps nothing."""

    @contextmanager
    def __call__(self) -> Iterator[Write]:
        def write(results: Sequence[bytes]) -> list[int]:
            return [len(result) for result in results]

        yield write


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What is measured."""

    shards: int = 20
    """Of a job."""
    seconds: float = 1.0
    """About as long a shard takes."""
    size: int = 3_000_000
    """Bytes of its result."""
    workers: int = 2
    """Of each executor."""
    repeats: int = 5
    """Alternating repeats; at least 5 for a figure."""
    empty: int = 300
    """Shards that take no time."""
    json: Path | None = None
    """File to write the rows to."""


def main(settings: Settings) -> None:
    """Measure and print.

    Raises:
        BadInput: Ray is not installed.
    """
    started = time.perf_counter()
    connect("")
    cluster = time.perf_counter() - started
    ways: dict[str, Executor] = {"local": Local(workers=settings.workers), "ray": Ray(workers=settings.workers)}
    step = Arithmetic(rounds=round(settings.seconds * 100_000 / timed(100_000)), size=settings.size)
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
    for _ in range(settings.repeats):
        for name, executor in ways.items():
            times[name].append(took(executor, step, settings.shards))
    (whole, after), (whole_ray, after_ray) = (zip(*times[name], strict=True) for name in ways)
    rows = [
        ratio_row("R18", ratios(after, after_ray)),
        ratio_row("R18, with the start of workers", ratios(whole, whole_ray)),
        ratio_row("a Ray cluster starts", [cluster], "seconds"),
    ]
    for name, executor in ways.items():
        alone = took(executor, Arithmetic(rounds=0, size=0), settings.empty)[1] / (settings.empty - 1)
        rows.append(ratio_row(f"{name}: a shard that takes no time", [1000 * alone], "ms"))
    report(rows, settings.json)


def timed(rounds: int) -> float:
    """Seconds of so many rounds."""
    started = time.perf_counter()
    Arithmetic(rounds=rounds, size=0)(0)
    return time.perf_counter() - started


def took(executor: Executor, step: Arithmetic, shards: int) -> tuple[float, float]:
    """Seconds from the start, and from the first shard that is written, to the last."""
    started, first = time.perf_counter(), 0.0
    for outcome in executor.map(step, ((number, number) for number in range(shards)), Forgetting()):
        assert outcome.answer == step.size, outcome.failed
        first = first or time.perf_counter()
    return time.perf_counter() - started, time.perf_counter() - first


if __name__ == "__main__":
    try:
        main(tyro.cli(Settings))
    except BadInput as error:
        sys.exit(f"benchmarks: {error}")
