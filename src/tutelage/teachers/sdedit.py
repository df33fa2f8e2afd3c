"""SDEdit (Meng et al. 2022), a baseline: a picture of the subject is covered with noise, and the base denoises it
towards the prompt.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from tutelage.errors import BadInput
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
        if not 0 < self.strength <= 1:
            raise BadInput(f"strength of SDEdit is {self.strength}; give a share above 0, at most 1")
        if int(self.strength * self.sampling.steps) < 1:
            raise BadInput(f"strength {self.strength} of {self.sampling.steps} steps is no step; give more of either")

    @property
    def at_once(self) -> int:
        """One subject after another."""
        return 1

    def teach(self, assignments: Sequence[Assignment]) -> Iterator[Triplet]:
        """Yield edited pictures of every assignment.

        Raises:
            BadInput: see `base.Teacher`.
        """
        from tutelage.teachers.drawing import jobs, triplets

        for group in by_cluster(assignments):
            with self._model.alone():
                starts = {one.id: self._start(one) for one in group}
                drawn = (pair for part in self._lanes(jobs(group, self.sampling, self.seed))
                         for pair in zip(part, self._edited(part, starts), strict=True))  # fmt: skip
                yield from triplets(drawn, self._model, self.name)

    def numbers_kept(self, prompts: int) -> int:
        """Nothing."""
        return 0

    def _start(self, assignment: Assignment) -> "Image":
        """The picture to start from, cut to the sides that are drawn."""
        from PIL import Image, ImageOps

        from tutelage.diffusion.pictures import decode
        from tutelage.diffusion.sample import picture_size
        from tutelage.teachers.closest import closest

        number = closest(self._model, assignment)
        data = assignment.cluster.references[number].picture.data
        height, width = picture_size(self._model.pipeline, self.sampling.size)
        picture = decode(data, f"cluster {assignment.cluster.id}, picture {number}")
        return ImageOps.fit(picture, (width, height), Image.Resampling.LANCZOS)

    def _lanes(self, every: "list[Job]") -> "Iterator[list[Job]]":
        from tutelage.diffusion.sample import lane_width

        width = lane_width(self._model.pipeline, self.sampling.batch)
        return (every[first : first + width] for first in range(0, len(every), width))

    def _edited(self, part: "Sequence[Job]", starts: "dict[str, Image]") -> "list[Image]":
        import torch

        from tutelage.diffusion.quiet import quiet_libraries

        with self._model.autocast(), quiet_libraries():
            made = self._editor(
                prompt=[job.assignment.text for job in part],
                image=[starts[job.assignment.id] for job in part],
                strength=self.strength,
                num_inference_steps=self.sampling.steps,
                guidance_scale=self.sampling.guidance,
                generator=[torch.Generator("cpu").manual_seed(job.noise) for job in part],
            )
        pictures: list[Image] = made.images
        return pictures

    @cached_property
    def _editor(self) -> Any:
        """Diffusers' image-to-image pipeline of the base's parts."""
        from tutelage.diffusion.quiet import quiet_libraries

        with quiet_libraries():
            from diffusers import AutoPipelineForImage2Image

            editor = AutoPipelineForImage2Image.from_pipe(self._model.pipeline)
        editor.set_progress_bar_config(disable=True)
        return editor

    @cached_property
    def _model(self) -> "Model":
        from tutelage.teachers.model import Model

        return Model.load(self.base, self.device, self.dtype, Training(), self.sampling)
