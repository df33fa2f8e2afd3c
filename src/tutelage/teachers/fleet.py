"""Several of SuTI's experts at once: low-rank adapters on one frozen base, trained in one batch.

A UNet that sees a picture or two is busy with everything but arithmetic. K experts that share its passes cost little
more than one; each keeps its own pictures, random numbers, gradient clipping and fate.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from tutelage.errors import BadInput
from tutelage.teachers.base import Diverged, by_cluster
from tutelage.teachers.settings import Lora, Sampling, Training
from tutelage.triplet import Assignment, Cluster, Triplet

if TYPE_CHECKING:  # PyTorch and diffusers take seconds to import
    from tutelage.teachers.lesson import Lesson
    from tutelage.teachers.model import Model


@dataclass(frozen=True, kw_only=True)
class Fleet:
    """One expert a cluster, `size` of them at a time."""

    base: str | Path
    """Folder or Hub id of a Stable Diffusion or SDXL pipeline."""
    seed: int = 0
    """Of the run."""
    size: int = 16
    """Experts trained at once. With another number pictures change by rounding."""
    training: Training = field(default_factory=lambda: Training(optimiser="adamw", lr=1e-3))
    """Of each expert; the optimiser is AdamW, which treats every weight by itself."""
    sampling: Sampling = field(default_factory=Sampling)
    lora: Lora = field(default_factory=Lora)
    device: str = "auto"
    dtype: str = "auto"
    """Number format to compute in: bf16 or fp32; auto is bf16 on CUDA and fp32 elsewhere."""
    name: ClassVar[str] = "fleet"

    def __post_init__(self) -> None:
        if self.size < 1:
            raise BadInput(f"size of a fleet is {self.size}; give at least 1")
        if self.training.optimiser != "adamw":
            raise BadInput(f"a fleet cannot be trained with {self.training.optimiser}, which mixes experts; give adamw")

    @property
    def at_once(self) -> int:
        """A whole fleet."""
        return self.size

    def teach(self, assignments: Sequence[Assignment]) -> Iterator[Triplet]:
        """Train experts fleet by fleet and yield their samples; an expert that diverged gives none.

        Raises:
            BadInput: see `base.Teacher`.
            Diverged: the only expert of a fleet diverged.
        """
        groups = by_cluster(assignments)
        for first in range(0, len(groups), self.size):
            with self._model.alone():
                yield from self._fleet(groups[first : first + self.size])

    def numbers_kept(self, prompts: int) -> int:
        """Adapters."""
        from tutelage.teachers.storage import trained_numbers

        return trained_numbers(self.base, self.lora)

    def _fleet(self, groups: Sequence[Sequence[Assignment]]) -> Iterator[Triplet]:
        from tutelage.teachers.drawing import draw_triplets
        from tutelage.teachers.fleet_training import train_fleet
        from tutelage.teachers.stacked_lora import stacked

        clusters = [group[0].cluster for group in groups]
        keys = [cluster.id for cluster in clusters]
        lessons = [self._lesson(cluster) for cluster in clusters]
        with stacked(self._model.pipeline.unet, self.lora, self.seed, keys) as stack:
            sound = train_fleet(self._model, lessons, stack, self.training, self.seed, keys)
            if sound == [False]:
                raise Diverged(f"the expert of cluster {keys[0]} diverged; give a lower lr than {self.training.lr:g}")
            for expert, group in enumerate(groups):
                if sound[expert]:
                    with stack.merged(expert):
                        texts = [assignment.text for assignment in group]
                        yield from draw_triplets(self._model, group, texts, self.sampling, self.seed, self.name)

    def _lesson(self, cluster: Cluster) -> "Lesson":
        from tutelage.teachers.lesson import Lesson, cluster_latents, told_always

        captions = [reference.caption or cluster.subject for reference in cluster.references]
        return Lesson(cluster_latents(self._model, cluster), told_always(self._model, captions))

    @cached_property
    def _model(self) -> "Model":
        from tutelage.teachers.model import Model

        return Model.load(self.base, self.device, self.dtype, self.training, self.sampling)
