"""SDEdit (Meng et al. 2022), a baseline: a picture of the subject is covered with noise, and the base denoises it
towards the prompt.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from tutelage.editing.settings import Drawing, check_strength
from tutelage.teachers.base import by_cluster
from tutelage.teachers.settings import Sampling, Training
from tutelage.triplet import Assignment, Triplet

if TYPE_CHECKING:  # PyTorch and diffusers take seconds to import
    from PIL.Image import Image

    from tutelage.teachers.drawing import Job
    from tutelage.teachers.model import Model


@dataclass(frozen=True, kw_only=True)
class SDEdit:
    """Nothing is trained, and nothing is kept. It starts from the picture whose caption is nearest to the prompt."""

    base: str | Path
    """Folder or Hub id of a Stable Diffusion or SDXL pipeline."""
    seed: int = 0
    """Of the run."""
    strength: float = 0.6
    """Noise to begin with, as a share of the noise levels: t₀ of the paper, which is content with .3 to .6. Diffusers
    has .8 for Stable Diffusion. With 1 nothing is left of the picture."""
    sampling: Sampling = field(default_factory=Sampling)
    """Of its steps the last share of `strength` is done."""
    device: str = "auto"
    dtype: str = "auto"
    """Number format to compute in: bf16 or fp32; auto is bf16 on CUDA and fp32 elsewhere."""
    name: ClassVar[str] = "sdedit"

    def __post_init__(self) -> None:
        check_strength("SDEdit", self.strength, self.sampling.steps)

    @property
    def at_once(self) -> int:
        """One subject after another."""
        return 1

    def teach(self, assignments: Sequence[Assignment]) -> Iterator[Triplet]:
        """Yield edited pictures of every assignment.

        Raises:
            BadInput: see `base.Teacher`.
        """
        from tutelage.teachers.drawing import triplets

        for group in by_cluster(assignments):
            with self._model.alone():
                yield from triplets(self._drawn(group), self._model, self.name)

    def numbers_kept(self, prompts: int) -> int:
        """Nothing."""
        return 0

    def _start(self, assignment: Assignment) -> "Image":
        """The picture to start from, cut to the sides that are drawn."""
        from PIL import Image, ImageOps

        from tutelage.diffusion.pictures import decode
        from tutelage.diffusion.sample import picture_size
        from tutelage.teachers.closest import closest

        number = closest(self._model.pipeline, assignment)
        data = assignment.cluster.references[number].picture.data
        height, width = picture_size(self._model.pipeline, self.sampling.size)
        picture = decode(data, f"cluster {assignment.cluster.id}, picture {number}")
        return ImageOps.fit(picture, (width, height), Image.Resampling.LANCZOS)

    def _drawn(self, group: Sequence[Assignment]) -> "Iterator[tuple[Job, Image]]":
        from tutelage.editing.sdedit import Redraw, redraw
        from tutelage.teachers.drawing import jobs

        how, starts = self.sampling, {one.id: self._start(one) for one in group}
        every = jobs(group, how, self.seed)
        asked = [Redraw(picture=starts[job.assignment.id], prompt=job.assignment.text, seed=job.noise) for job in every]
        drawing = Drawing(steps=how.steps, size=how.size, scheduler=how.scheduler, batch=how.batch)
        pictures = redraw(self._model.pipeline, asked, drawing, strength=self.strength, guidance=how.guidance)
        for job in every:
            with self._model.autocast():  # not around the loop: it would reach into whoever takes the pictures
                picture = next(pictures)
            yield job, picture

    @cached_property
    def _model(self) -> "Model":
        from tutelage.teachers.model import Model

        return Model.load(self.base, self.device, self.dtype, Training(), self.sampling)
