"""Answers that a network draws at once: a student, which looks at the demonstrations, and its base, which does not."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final

from tutelage.run import FREE
from tutelage.students.guidance import INTERVAL
from tutelage.triplet import Assignment

if TYPE_CHECKING:  # as in `base`
    from PIL.Image import Image

STEPS: Final = 24
GUIDANCE: Final = 3.0
"""Defaults of `tutelage generate`."""
SINGLY: Final = 1
"""Pictures at a time: what one takes is part of what is measured."""


@dataclass(frozen=True, kw_only=True)
class Student:
    """SuTI's apprentice."""

    model: str | Path
    """A shipped name, a folder or a Hub id."""
    seed: int = 0
    steps: int = STEPS
    text: float = GUIDANCE
    """Guidance towards the text; see `students.guidance.TwoWeights`."""
    references: float = GUIDANCE
    """Guidance towards the demonstrations."""
    interleaved: bool = False
    """At each step towards the text or towards the demonstrations, as Re-Imagen draws."""
    interval: tuple[float, float] = INTERVAL
    """Guidance from this share of the time to that one, noise alone being 1; see `students.guidance.Within`."""
    dtype: str = "auto"
    """fp32, bf16 or fp16; auto is bf16 on CUDA and fp32 elsewhere."""
    name: str = "student"
    device: str = field(default="auto", metadata=FREE)
    timed: ClassVar[bool] = True

    def made_from(self) -> str:
        """Hash of the folder."""
        return student_hash(self.model)

    def bytes_kept(self, prompts: int) -> int | None:
        """Nothing."""
        return 0

    def answer(self, questions: Sequence[Assignment]) -> "Iterator[Image]":
        """See `base.Generator`."""
        from tutelage.students.base import Request
        from tutelage.students.guidance import Interleaved, TwoWeights, within
        from tutelage.subject import load_student

        student, _ = load_student(self.model, self.device, self.dtype)
        requests = [
            Request(text=one.text, references=one.cluster.references, seed=noise(self.seed, one)) for one in questions
        ]
        kind = Interleaved if self.interleaved else TwoWeights
        guidance = within(self.interval, kind(text=self.text, references=self.references))
        yield from chain.from_iterable(student.generate(requests, steps=self.steps, guidance=guidance, batch=SINGLY))


@dataclass(frozen=True, kw_only=True)
class Base:
    """A text-to-image model that is told the prompt alone."""

    model: str | Path = "toybox-sd"
    """A shipped name, a folder or a Hub id."""
    seed: int = 0
    steps: int = STEPS
    guidance: float = GUIDANCE
    name: str = "base"
    device: str = field(default="auto", metadata=FREE)
    timed: ClassVar[bool] = True

    def made_from(self) -> str:
        """Hash of the folder."""
        return base_hash(self.model)

    def bytes_kept(self, prompts: int) -> int | None:
        """Nothing."""
        return 0

    def answer(self, questions: Sequence[Assignment]) -> "Iterator[Image]":
        """See `base.Generator`."""
        from tutelage.diffusion.load import load_pipeline
        from tutelage.diffusion.sample import sample
        from tutelage.toybox.checkpoints import checkpoint

        pipeline = load_pipeline(checkpoint(self.model), self.device)
        texts, seeds = [one.text for one in questions], [noise(self.seed, one) for one in questions]
        options: dict[str, Any] = {"steps": self.steps, "guidance": self.guidance, "batch": SINGLY, "progress": False}
        yield from chain.from_iterable(sample(pipeline, texts, seeds, **options))


def student_hash(model: str | Path) -> str:
    """Hash of the folder of a student.

    Raises:
        BadInput: there is no such student.
    """
    from tutelage.diffusion.load import weights_hash
    from tutelage.students.folder import student_folder
    from tutelage.toybox.checkpoints import checkpoint

    return weights_hash(student_folder(checkpoint(model)))


def base_hash(model: str | Path) -> str:
    """Hash of the folder of a text-to-image model.

    Raises:
        BadInput: there is no such model.
    """
    from tutelage.diffusion.load import local_folder, weights_hash
    from tutelage.toybox.checkpoints import checkpoint

    return weights_hash(local_folder(checkpoint(model)))


def noise(seed: int, question: Assignment) -> int:
    """The seed of the noise of an answer: by (seed, question)."""
    from tutelage.diffusion.noise import keyed_seed

    return keyed_seed(seed, question.id, "answer")
