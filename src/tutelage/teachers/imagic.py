"""Imagic (Kawar et al. 2023), a baseline: one picture, one prompt, one expert.

A. From the prompt's embedding e_tgt, an embedding e_opt is learnt that describes the picture; the network stays as it
   is.
B. The network is fine-tuned on the picture and e_opt, until the two give the picture back.
C. The fine-tuned network draws from what lies between them (Eq. 3): e = η · e_tgt + (1 − η) · e_opt.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final

from tutelage.errors import BadInput
from tutelage.teachers.base import by_cluster
from tutelage.teachers.settings import Lora, Sampling, Training
from tutelage.triplet import Assignment, Triplet

if TYPE_CHECKING:  # PyTorch and diffusers take seconds to import
    from torch import Tensor

    from tutelage.diffusion.text import TextConditions
    from tutelage.teachers.lesson import Lesson
    from tutelage.teachers.model import Model

EMBEDDING: Final = Training(steps=500, batch=1, optimiser="adamw", lr=1e-3)
"""As diffusers' example has it; the paper has 100 steps of Adam for Imagen."""
TRAINING: Final = Training(steps=1000, batch=1, optimiser="adamw", lr=2e-6)
"""As diffusers' example has it; the paper has 1500 steps for Imagen."""


@dataclass(frozen=True, kw_only=True)
class Imagic:
    """One expert for each prompt, of the picture whose caption is nearest to it; the others are not looked at."""

    base: str | Path
    """Folder or Hub id of a Stable Diffusion or SDXL pipeline."""
    seed: int = 0
    """Of the run."""
    embedding: Training = EMBEDDING
    """Of e_opt: few steps, so that it stays near e_tgt."""
    training: Training = TRAINING
    """Of the network."""
    eta: float = 0.7
    """η: 0 gives the picture back, 1 is the prompt. The paper finds .6 to .8 to be best for most pictures."""
    sampling: Sampling = field(default_factory=Sampling)
    lora: Lora | None = None
    """Train adapters; None: all weights of the UNet, as in the paper."""
    device: str = "auto"
    dtype: str = "auto"
    """Number format to compute in: bf16 or fp32; auto is bf16 on CUDA and fp32 elsewhere."""
    name: ClassVar[str] = "imagic"

    def __post_init__(self) -> None:
        if not 0 <= self.eta <= 1:
            raise BadInput(f"eta of Imagic is {self.eta}; give a share from 0 (the picture) to 1 (the prompt)")

    @property
    def at_once(self) -> int:
        """One expert after another."""
        return 1

    def teach(self, assignments: Sequence[Assignment]) -> Iterator[Triplet]:
        """Train an expert for each assignment, yield its samples, and go back to the base.

        Raises:
            BadInput: see `base.Teacher`.
            Diverged: an expert diverged.
        """
        for group in by_cluster(assignments):
            with self._model.alone():
                for assignment in group:
                    yield from self._expert(assignment)

    def numbers_kept(self, prompts: int) -> int:
        """For every prompt a network, or its adapters, and an embedding."""
        from tutelage.teachers.storage import told_numbers, trained_numbers

        return prompts * (trained_numbers(self.base, self.lora) + told_numbers(self.base))

    def _expert(self, assignment: Assignment) -> Iterator[Triplet]:
        from tutelage.teachers.drawing import draw_triplets
        from tutelage.teachers.training import train
        from tutelage.teachers.tuning import tuned

        model, key = self._model, assignment.id
        picture, target = self._picture(assignment), self._target(assignment.text)
        found = self._described(picture, target, key)
        base = {} if self.lora else model.base
        with tuned(model.pipeline.unet, base, self.lora, self.seed, key) as parameters:
            train(model, [_lesson(picture, found)], parameters, self.training, self.seed, key)
            between = _between(target, found, self.eta)
            yield from draw_triplets(model, [assignment], [between], self.sampling, self.seed, self.name)

    def _described(self, picture: "Tensor", target: "TextConditions", key: str) -> "TextConditions":
        """Step A: e_opt."""
        from torch import nn

        from tutelage.diffusion.text import TextConditions
        from tutelage.teachers.training import train

        hidden = nn.Parameter(target.hidden.clone())
        pooled = None if target.pooled is None else nn.Parameter(target.pooled.clone())
        parameters = [hidden] if pooled is None else [hidden, pooled]
        learnt = TextConditions(hidden, pooled)
        train(self._model, [_lesson(picture, learnt)], parameters, self.embedding, self.seed, f"{key}/embedding")
        return TextConditions(hidden.detach(), None if pooled is None else pooled.detach())

    def _picture(self, assignment: Assignment) -> "Tensor":
        """Latents (C, h, w) of the closest picture."""
        from tutelage.teachers.closest import closest
        from tutelage.teachers.lesson import cluster_latents

        return cluster_latents(self._model, assignment.cluster)[closest(self._model.pipeline, assignment)]

    def _target(self, text: str) -> "TextConditions":
        """e_tgt."""
        import torch

        from tutelage.diffusion.text import encode_text

        with torch.no_grad():
            return encode_text(self._model.pipeline, [text])

    @cached_property
    def _model(self) -> "Model":
        from tutelage.teachers.model import Model

        return Model.load(self.base, self.device, self.dtype, self.training, self.sampling)


def _lesson(picture: "Tensor", words: "TextConditions") -> "Lesson":
    """One picture, and one embedding that describes it."""
    from tutelage.teachers.lesson import Lesson

    def told(which: Sequence[int], _: Any) -> "TextConditions":
        return words.take([0] * len(which))

    return Lesson([picture], told)


def _between(target: "TextConditions", found: "TextConditions", eta: float) -> "TextConditions":
    """Eq. 3."""
    from tutelage.diffusion.text import TextConditions

    hidden = eta * target.hidden + (1 - eta) * found.hidden
    if target.pooled is None or found.pooled is None:
        return TextConditions(hidden)
    return TextConditions(hidden, eta * target.pooled + (1 - eta) * found.pooled)
