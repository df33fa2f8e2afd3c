"""R18: a job on a Ray cluster of this machine against the same job in processes of this machine.

    python benchmarks/executors.py
    python benchmarks/executors.py --shards 12 --repeats 2

A shard is a fixed amount of arithmetic in one core, and its result as large as that of a fleet of experts. Executors
take turns; each repeat gives one ratio of speeds, from the first shard that is written to the last, and one that counts
the start of the workers as well. Printed are their median, least and greatest, and how long the driver is at it for a
shard that takes no time at all, which `tutelage plan` is told as `--cluster.handling`.
"""

import hashlib
import os
import platform
import statistics
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import tyro

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


def main(
    shards: int = 40, seconds: float = 1.0, size: int = 3_000_000, workers: int = 2, repeats: int = 5, empty: int = 300
) -> None:
    """Measure and print.

    Args:
        shards: Of a job.
        seconds: About as long a shard takes.
        size: Bytes of its result.
        workers: Of each executor.
        repeats: Alternating repeats; at least 5 for a figure.
        empty: Shards that take no time.
    """
    connect("")
    rounds = round(seconds * 100_000 / timed(100_000))
    ways: dict[str, Executor] = {"local": Local(workers=workers), "ray": Ray(workers=workers)}
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
    for _ in range(repeats):
        for name, executor in ways.items():
            times[name].append(took(executor, Arithmetic(rounds=rounds, size=size), shards))
    print(f"{platform.machine()}, {os.cpu_count()} cores, {workers} workers, {shards} shards of {seconds:g} s")
    report("R18 ray ÷ local (aim ≥ 0.95)", [a[1] / b[1] for a, b in zip(times["local"], times["ray"], strict=True)])
    report("R18 with starting", [a[0] / b[0] for a, b in zip(times["local"], times["ray"], strict=True)])
    for name, executor in ways.items():
        alone = took(executor, Arithmetic(rounds=0, size=0), empty)[1] / (empty - 1)
        print(f"{name}: {1000 * alone:.1f} ms a shard that takes no time")


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


def report(what: str, ratios: list[float]) -> None:
    """Median, least and greatest."""
    print(f"{what}: {statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})")


if __name__ == "__main__":
    tyro.cli(main)
