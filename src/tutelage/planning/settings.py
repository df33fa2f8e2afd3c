"""What a plan can be told."""

import dataclasses
import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import tyro

from tutelage.errors import BadInput

SIZES: Final = (10_000, 500_000, 2_000_000)
SHARES: Final = ("silent", "straggling", "scaling")
POSITIVE: Final = ("workers", "cores", "learners", "speed", "slowness", "life", "driver_life")


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """Machines, what they cost, and how often they break."""

    workers: int = 8
    """Workers that teach and judge; each is what a worker of the measured run was."""
    speed: float = 1.0
    """Times as fast as one of those."""
    price: float = 0.0
    """Of a worker for an hour, in any currency."""
    cores: int = 64
    """Cores that mine, each as fast as one that mined the measured run."""
    core_price: float = 0.0
    """Of a core for an hour."""
    learners: int = 8
    """Workers that train the student together, each as fast as the one that trained the measured one, times `speed`."""
    scaling: float = 0.9
    """Share of that speed that is left when they wait for each other."""
    start: float = 60.0
    """Seconds until a worker has loaded its networks."""
    life: float = 24.0
    """Mean hours until a worker is preempted; inf: it never is."""
    absence: float = 600.0
    """Seconds until there is another one."""
    silent: float = 0.1
    """Share of the preempted that nobody is told of, which are missed when their lease expires."""
    straggling: float = 0.01
    """Share of shards that meet a slow worker."""
    slowness: float = 5.0
    """Times as long as those take."""
    driver_life: float = 168.0
    """Mean hours until the driver dies; inf: it never does."""
    driver_absence: float = 300.0
    """Seconds until it is started again."""
    handling: float = 0.005
    """Seconds of the driver for each thing that it hears of a worker; `benchmarks/executors.py` measures it."""

    def __post_init__(self) -> None:
        for name in (each.name for each in dataclasses.fields(self)):
            value, greatest = getattr(self, name), 1.0 if name in SHARES else math.inf
            least = "more than 0" if name in POSITIVE else "at least 0"
            if math.isnan(value) or value > greatest or value < 0 or (not value and name in POSITIVE):
                raise BadInput(f"--cluster.{name.replace('_', '-')} is {value}; give a number of {least}"
                               + (" and at most 1" if name in SHARES else ""))  # fmt: skip
        if not self.scaling:
            raise BadInput("--cluster.scaling is 0.0; give a share above 0")


@dataclass(frozen=True, kw_only=True)
class Planning:
    """Which run was measured, and what is asked."""

    run: tyro.conf.Positional[Path]
    """Directory of a run that has mined and taught, and best of all learned, on machines like those of the cluster."""
    subjects: tuple[int, ...] = SIZES
    """How many subjects to teach."""
    steps: int | None = None
    """Of the student; None: as many as the measured run's."""
    cluster: Cluster = field(default_factory=Cluster)
    seed: int = 0
    """Of who is preempted when, and which shards are slow."""
    json: Path | None = None
    """A file for the figures."""

    def __post_init__(self) -> None:
        for name, values in (("subjects", self.subjects), ("steps", (1 if self.steps is None else self.steps,))):
            if not values or min(values) < 1:
                raise BadInput(f"--{name} is {' '.join(map(str, values)) or 'empty'}; give at least 1")
