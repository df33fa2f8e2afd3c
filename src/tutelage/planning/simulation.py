"""A run's teaching and learning, second by second, on machines that break.

Teaching is driven by what drives every run: ledger, leases and dispatch; only workers, sink and clock are simulated.
"""

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, suppress
from dataclasses import dataclass, field, replace
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import numpy as np

from tutelage.errors import BadInput
from tutelage.executors.base import Hopeless, Resources, Write
from tutelage.executors.simulated import DriverGone, Simulated, World
from tutelage.planning.rates import Rates
from tutelage.planning.settings import Cluster
from tutelage.stages.ledger import Ledger

HOUR: Final = 3600.0
SAVED: Final = 120.0
"""Seconds after which a student's state is saved; see `training.loop.fit`."""
STARTS: Final = 10_000
"""Of a driver, or of the learners, until a plan is given up."""


@dataclass(frozen=True, kw_only=True)
class Taught:
    """What teaching took, and who was busy: shares of the time, of all workers for theirs."""

    seconds: float
    workers: float
    """Share of their time that they worked on shards."""
    writer: float
    driver: float
    deaths: int
    """Of workers."""
    starts: int
    """Of the driver."""
    again: float
    """Seconds of workers for what was not written: lost with a worker or the driver, or done twice."""

    @property
    def limit(self) -> str:
        """Who is busiest."""
        shares = {"workers": self.workers, "writer": self.writer, "driver": self.driver}
        return max(shares, key=lambda name: shares[name])


@dataclass
class _Sink:
    """Counts what is written."""

    times: dict[int, int] = field(default_factory=dict)

    @contextmanager
    def __call__(self) -> Iterator[Write]:
        def write(shards: Sequence[int]) -> list[dict[str, Any]]:
            for shard in shards:
                self.times[shard] = self.times.get(shard, 0) + 1
            return [{} for _ in shards]

        yield write


class _Nothing:
    """A step that takes no time: the pool says how long it took."""

    resources = Resources()

    def __call__(self, shard: int, /) -> int:
        return shard


def world_of(rates: Rates, cluster: Cluster, seed: int) -> World:
    """The workers of a cluster, as fast as measured."""
    return World(
        workers=cluster.workers,
        shard=rates.shard / cluster.speed,
        spread=rates.spread,
        straggling=cluster.straggling,
        slowness=cluster.slowness,
        start=cluster.start,
        life=cluster.life * HOUR,
        absence=cluster.absence,
        silent=cluster.silent,
        commit=rates.commit,
        written=rates.written,
        handling=cluster.handling,
        driver_life=cluster.driver_life * HOUR,
        seed=seed,
    )


def unbroken(cluster: Cluster) -> Cluster:
    """The same machines, if none of them ever died."""
    return replace(cluster, life=math.inf, driver_life=math.inf)


def teaching(rates: Rates, cluster: Cluster, subjects: int, seed: int) -> Taught:
    """Teach so many subjects.

    Raises:
        BadInput: machines break so often that it would never end.
    """
    shards = math.ceil(subjects / rates.subjects)
    placed, sink = Simulated(world=world_of(rates, cluster, seed)), _Sink()
    with TemporaryDirectory(prefix="tutelage-") as folder, redirect_stderr(StringIO()):
        while len(done := _started(Path(folder), shards, placed, sink)) < shards:
            placed.clock += cluster.driver_absence
            if placed.starts >= STARTS:
                raise BadInput(_too_often(f"after {STARTS:,} starts {len(done):,} of {shards:,} shards are done"))
    assert len(sink.times) == shards
    return _taught(placed, cluster.workers)


def _started(folder: Path, shards: int, placed: Simulated, sink: _Sink) -> dict[int, Any]:
    """One life of the driver; the shards that are done at its end, as it would read them at the next."""
    ledger = Ledger(folder, {})
    with suppress(DriverGone):
        try:
            for _ in ledger.work_through(((number, number) for number in range(shards)), placed, _Nothing(), sink):
                pass
        except Hopeless as error:
            raise BadInput(_too_often(str(error))) from error
    return ledger.done


def _taught(placed: Simulated, workers: int) -> Taught:
    spent, seconds = placed.spent, placed.clock
    working, useful, writing, handling = (
        sum(getattr(one, name) for one in spent) for name in ("working", "useful", "writing", "handling")
    )
    return Taught(
        seconds=seconds,
        workers=working / (workers * seconds),
        writer=writing / seconds,
        driver=handling / seconds,
        deaths=sum(one.deaths for one in spent),
        starts=placed.starts,
        again=working - useful,
    )


def learning(rates: Rates, cluster: Cluster, steps: int, seed: int) -> float:
    """Seconds to train a student for so many steps. If one learner dies, all go on from what was saved.

    Raises:
        BadInput: they die so often that nothing is ever saved.
    """
    assert rates.step is not None
    left = steps * rates.step / (cluster.learners * cluster.speed * cluster.scaling)
    random, clock = np.random.default_rng([seed, 1]), cluster.start
    for _ in range(STARTS):
        alive = random.exponential(cluster.life * HOUR / cluster.learners) if math.isfinite(cluster.life) else math.inf
        if left <= alive:
            return clock + left
        left -= alive - alive % SAVED
        clock += alive + cluster.absence + cluster.start
    raise BadInput(_too_often(f"after {STARTS:,} starts {left / HOUR:,.0f} hours of learning are left"))


def _too_often(said: str) -> str:
    return f"machines break too often ({said}); give a longer --cluster.life or --cluster.driver-life"
