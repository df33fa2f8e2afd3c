"""Answers of experts: for each subject a teacher trains one on the demonstrations, and it draws the prompts."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final

from tutelage.generators.networks import GUIDANCE, SINGLY, STEPS, base_hash
from tutelage.teachers import teacher
from tutelage.teachers.base import Teacher
from tutelage.teachers.settings import Lora, Sampling, Training
from tutelage.triplet import Assignment

if TYPE_CHECKING:  # as in `base`
    from PIL.Image import Image


@dataclass(frozen=True, kw_only=True)
class ExpertSettings:
    """How the experts of a bench are made."""

    training: Training
    """Of DreamBooth's experts."""
    word_training: Training
    """Of the words of Textual Inversion."""
    sampling: Sampling
    lora: Lora | None = None
    """Of DreamBooth's experts; none: all weights of the UNet."""
    vectors: int = 1
    """Of a word."""


TOYBOX: Final = ExpertSettings(
    training=Training(steps=100, batch=1, optimiser="adamw", lr=3e-4),
    word_training=Training(steps=200, batch=4, optimiser="adamw", lr=5e-3),
    sampling=Sampling(steps=STEPS, guidance=GUIDANCE, scheduler="DDIMScheduler"),
    vectors=4,
)
"""What suits toybox-sd and its 128 × 128 pictures."""


@dataclass(frozen=True, kw_only=True)
class Expert:
    """A teacher, asked for one sample of every question."""

    teacher: Teacher
    """It draws one sample at a time, whatever its settings say: what one takes is part of what is measured."""
    base: str | Path
    """What the teacher starts from: a shipped name, a folder or a Hub id."""
    timed: ClassVar[bool] = True

    @property
    def name(self) -> str:
        """The teacher's."""
        return self.teacher.name

    def made_from(self) -> str:
        """Hash of the base's folder."""
        return base_hash(self.base)

    def answer(self, questions: Sequence[Assignment]) -> "Iterator[Image]":
        """See `base.Generator`."""
        from tutelage.diffusion.pictures import decode

        teacher = _singly(self.teacher)
        for question, triplet in zip(questions, teacher.teach(questions), strict=True):
            assert triplet.id == f"{question.id}/0", f"{self.name} answers {triplet.id} to {question.id}"
            yield decode(triplet.target, triplet.id)


def expert(
    name: str,
    base: str | Path = "toybox-sd",
    settings: ExpertSettings = TOYBOX,
    *,
    seed: int = 0,
    device: str = "auto",
) -> Expert:
    """The expert of a registered teacher, `dreambooth` or `textual-inversion`.

    Raises:
        BadInput: there is no such teacher or base.
    """
    from tutelage.toybox.checkpoints import checkpoint

    own: dict[str, Any] = {"training": settings.training, "lora": settings.lora}
    if name == "textual-inversion":
        own = {"training": settings.word_training, "vectors": settings.vectors}
    made = teacher(name)(base=checkpoint(base), seed=seed, sampling=settings.sampling, device=device, **own)
    return Expert(teacher=made, base=base)


def _singly(teacher: Any) -> Teacher:
    made: Teacher = teacher
    if hasattr(teacher, "sampling"):
        made = replace(teacher, sampling=replace(teacher.sampling, samples=1, batch=SINGLY))
    return made
