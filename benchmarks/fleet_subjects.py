"""What the benchmarks of fleets share: their settings, and subjects to train experts of."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

from tutelage.benches.subjects.toys import toy_clusters
from tutelage.diffusion.sample import picture_size
from tutelage.teachers.fleet_training import Done, FleetTraining, Task
from tutelage.teachers.lesson import Lesson, subject_lesson
from tutelage.teachers.model import Model
from tutelage.teachers.settings import Lora, Sampling, Training
from tutelage.teachers.stacked_lora import Stack, stacked
from tutelage.toybox.checkpoints import checkpoint
from tutelage.triplet import Cluster


@dataclass(frozen=True, kw_only=True)
class Experts:
    """Which experts are trained; the subjects are held-out toys in five pictures each."""

    base: str = "toybox-sd"
    """A shipped checkpoint, a folder in diffusers' layout (see random_base.py), or a Hub id."""
    experts: int = 16
    """Trained at once."""
    steps: int = 80
    rank: int = 4
    convolutions: bool = False
    """Adapters on the residual blocks' convolutions too."""
    lr: float = 5e-3
    dtype: Literal["fp32", "bf16"] = "bf16"
    device: str = "auto"
    repeats: int = 5
    """Turns of each way; at least 5 for a figure."""
    json: Path | None = None
    """File to write the rows to."""

    @property
    def folder(self) -> Path:
        """Of the base."""
        return Path(checkpoint(self.base))

    @property
    def lora(self) -> Lora:
        return Lora(rank=self.rank, convolutions=self.convolutions)

    def training(self, batch: int = 1, steps: int = 0) -> Training:
        return Training(steps=steps or self.steps, batch=batch, optimiser="adamw", lr=self.lr)

    @cached_property
    def model(self) -> Model:
        """The base as fleets have it, frozen."""
        return Model.load(self.folder, self.device, self.dtype, self.training(), Sampling(), frozen=True)

    @cached_property
    def clusters(self) -> list[Cluster]:
        return toy_clusters(self.experts, size=max(picture_size(self.model.pipeline, None)))

    @cached_property
    def lessons(self) -> list[Lesson]:
        """Of each cluster, encoded once."""
        return [subject_lesson(self.model, cluster) for cluster in self.clusters]

    def train(self, which: range, lora: Lora, training: Training) -> None:
        """Train these experts in one batch, and forget them."""
        with self.trained(which, lora, training):
            pass

    @contextmanager
    def trained(self, which: range, lora: Lora, training: Training) -> Iterator[tuple[Stack, list[Done]]]:
        """These experts, trained in one batch, in their slots."""
        tasks = [Task(self.clusters[at].id, lambda at=at: [self.lessons[at]]) for at in which]
        with stacked(self.model.pipeline.unet, lora, len(tasks), self.model.precision) as stack:
            done = list(FleetTraining(self.model, stack, training, 0).run(tasks))
            assert all(one.sound for one in done), "an expert diverged; give a lower --lr"
            yield stack, done
