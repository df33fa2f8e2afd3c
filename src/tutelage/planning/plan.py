"""Rates and a cluster → the steps of runs of several sizes, what failures cost, and who is busiest."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from tutelage.planning.rates import Rates
from tutelage.planning.settings import Cluster
from tutelage.planning.simulation import HOUR, Taught, learning, teaching, unbroken

TIMES: Final = (1, 4, 16, 64, 256)
"""As many workers as there are, and more."""
EACH: Final = 40
"""Shards for each worker, in a look at who is busiest."""
MOST: Final = 16_384
"""Workers that are looked at."""


@dataclass(frozen=True, kw_only=True)
class Step:
    """A step of a run."""

    subjects: int
    name: str
    seconds: float
    money: float
    bytes: float
    limit: str
    """What would have to be faster for the step to be faster."""


@dataclass(frozen=True, kw_only=True)
class Recovery:
    """What deaths cost: a run's teaching and learning, against the same on machines that never die."""

    subjects: int
    deaths: int
    """Of workers that teach."""
    restarts: int
    """Of the driver."""
    again: float
    """Seconds of workers on shards that were lost, or done twice."""
    seconds: float
    money: float


@dataclass(frozen=True, kw_only=True)
class Busy:
    """Teaching by so many workers."""

    workers: int
    subjects_per_hour: float
    taught: Taught


def steps_of(rates: Rates, cluster: Cluster, subjects: int, taught: Taught, learnt: float) -> list[Step]:
    """The steps of a run, one after the other."""
    pages = subjects / rates.share
    mined, worker = pages * rates.page / cluster.cores, cluster.price / HOUR
    step = _Steps(subjects)
    return [
        step("mine", mined, mined * cluster.cores * cluster.core_price / HOUR, pages * rates.page_bytes, "cores"),
        step("imagine", subjects * rates.imagined, subjects * rates.imagined * worker, 0.0, "one process"),
        step("teach", taught.seconds, taught.seconds * cluster.workers * worker, subjects * rates.corpus_bytes,
             taught.limit),
        step("learn", learnt, learnt * cluster.learners * worker, rates.student_bytes, "learners"),
    ]  # fmt: skip


@dataclass(frozen=True)
class _Steps:
    subjects: int

    def __call__(self, name: str, seconds: float, money: float, size: float, limit: str) -> Step:
        return Step(subjects=self.subjects, name=name, seconds=seconds, money=money, bytes=size, limit=limit)


def planned(rates: Rates, cluster: Cluster, subjects: int, steps: int, seed: int) -> tuple[list[Step], Recovery]:
    """A run of so many subjects, and a student of so many steps; none if none was measured.

    Raises:
        BadInput: machines break so often that it would never end.
    """
    taught, safe = (teaching(rates, machines, subjects, seed) for machines in (cluster, unbroken(cluster)))
    learnt = safely = 0.0
    if rates.step is not None:
        learnt, safely = (learning(rates, machines, steps, seed) for machines in (cluster, unbroken(cluster)))
    teachers, learners = cluster.workers * (taught.seconds - safe.seconds), cluster.learners * (learnt - safely)
    recovery = Recovery(
        subjects=subjects,
        deaths=taught.deaths - safe.deaths,
        restarts=taught.starts - 1,
        again=taught.again - safe.again,
        seconds=taught.seconds - safe.seconds + learnt - safely,
        money=(teachers + learners) * cluster.price / HOUR,
    )
    return steps_of(rates, cluster, subjects, taught, learnt), recovery


def busiest(rates: Rates, cluster: Cluster, seed: int) -> Iterator[Busy]:
    """Who is busiest in teaching as workers are added."""
    for times in TIMES:
        workers = min(MOST, cluster.workers * times)
        subjects = math.ceil(workers * EACH * rates.subjects)
        taught = teaching(rates, unbroken(replace(cluster, workers=workers)), subjects, seed)
        yield Busy(workers=workers, subjects_per_hour=subjects / taught.seconds * HOUR, taught=taught)
        if workers == MOST:
            return
