"""SuTI's expert: the base, fine-tuned on one subject's pictures and captions (Eq. 4). With a rare token and prior
preservation it is DreamBooth (Ruiz et al. 2022), the baseline.
"""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from tutelage.teachers.base import by_cluster, by_rare_token
from tutelage.teachers.settings import Lora, Prior, Sampling, Training
from tutelage.triplet import Assignment, Cluster, Triplet

if TYPE_CHECKING:  # PyTorch and diffusers take seconds to import
    from tutelage.teachers.lesson import Lesson
    from tutelage.teachers.model import Model
    from tutelage.teachers.prior import ClassLessons


@dataclass(frozen=True, kw_only=True)
class DreamBooth:
    """One expert a cluster, started from the base each time."""

    base: str | Path
    """Folder or Hub id of a Stable Diffusion or SDXL pipeline."""
    seed: int = 0
    """Of the run."""
    training: Training = field(default_factory=Training)
    sampling: Sampling = field(default_factory=Sampling)
    lora: Lora | None = None
    """Train adapters; None: all weights of the UNet."""
    rare_token: str = ""
    """DreamBooth's name for the subject, such as `sks`: captions become "a sks <subject>", and prompts say it before
    the subject. Empty, as in SuTI: captions and prompts stay as they are."""
    prior: Prior | None = None
    """None, as in SuTI: no prior preservation."""
    device: str = "auto"
    dtype: str = "auto"
    """Number format to compute in: bf16 or fp32; auto is bf16 on CUDA and fp32 elsewhere."""
    name: ClassVar[str] = "dreambooth"

    @property
    def at_once(self) -> int:
        """One expert after another."""
        return 1

    def teach(self, assignments: Sequence[Assignment]) -> Iterator[Triplet]:
        """Train an expert for each cluster, yield its samples, and go back to the base.

        Raises:
            BadInput: see `base.Teacher`.
            Diverged: an expert diverged.
        """
        groups = [(group, [by_rare_token(one, self.rare_token) for one in group]) for group in by_cluster(assignments)]
        for group, texts in groups:
            with self._model.alone():
                yield from self._expert(group, texts)

    def _expert(self, group: Sequence[Assignment], texts: Sequence[str]) -> Iterator[Triplet]:
        from tutelage.teachers.drawing import draw_triplets
        from tutelage.teachers.training import train

        cluster = group[0].cluster
        lessons = self._lessons(cluster)
        with self._tuned(cluster) as parameters:
            train(self._model, lessons, parameters, self.training, self.seed, cluster.id)
            yield from draw_triplets(self._model, group, texts, self.sampling, self.seed, self.name)

    def _tuned(self, cluster: Cluster) -> AbstractContextManager[list[Any]]:
        from tutelage.teachers.tuning import tuned

        model = self._model
        return tuned(model.pipeline.unet, {} if self.lora else model.base, self.lora, self.seed, cluster.id)

    def numbers_kept(self, prompts: int) -> int:
        """Adapters, or a whole UNet."""
        from tutelage.teachers.storage import trained_numbers

        return trained_numbers(self.base, self.lora)

    def _lessons(self, cluster: Cluster) -> "list[Lesson]":
        from tutelage.teachers.lesson import subject_lesson

        lesson = subject_lesson(self._model, cluster, self.rare_token)
        return [lesson] if self._classes is None else [lesson, self._classes.of(cluster.subject)]

    @cached_property
    def _model(self) -> "Model":
        from tutelage.teachers.model import Model

        return Model.load(self.base, self.device, self.dtype, self.training, self.sampling)

    @cached_property
    def _classes(self) -> "ClassLessons | None":
        from tutelage.teachers.prior import ClassLessons

        return None if self.prior is None else ClassLessons(self._model, self.prior, self.sampling, self.seed)
