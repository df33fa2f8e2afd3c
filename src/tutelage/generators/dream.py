"""Answers of Dream-SuTI (SuTI, §5.3): a student that is trained a little more on each subject before it draws it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final

from tutelage.errors import BadInput
from tutelage.generators.base import BYTES
from tutelage.generators.networks import GUIDANCE, SINGLY, STEPS, noise, student_hash
from tutelage.run import FREE
from tutelage.students.guidance import INTERVAL
from tutelage.teachers.settings import Training
from tutelage.triplet import Assignment, Cluster, Provenance, Triplet

if TYPE_CHECKING:  # as in `base`
    from PIL.Image import Image

    from tutelage.students.suti import Suti

TUNING: Final = Training(steps=60, batch=4, optimiser="adamw", lr=1e-4)
"""What suits toybox-suti."""


@dataclass(frozen=True, kw_only=True)
class DreamSuti:
    """One of a subject's pictures is the reference, another one, by its caption, the target; both are drawn anew at
    every step. One demonstration is then enough to draw from.
    """

    model: str | Path
    """A student: a shipped name, a folder or a Hub id."""
    training: Training = TUNING
    """The paper has 500 steps. A step never sees a picture twice, so its batch has as many as the subject at most."""
    seed: int = 0
    steps: int = STEPS
    text: float = GUIDANCE
    """Guidance towards the text; see `students.guidance.TwoWeights`."""
    references: float = GUIDANCE
    """Guidance towards the demonstration."""
    interval: tuple[float, float] = INTERVAL
    """Guidance from this share of the time to that one, as a student's."""
    shown: int = 1
    """Demonstrations, the first ones, that pictures are drawn from."""
    name: str = "dream-suti"
    device: str = field(default="auto", metadata=FREE)
    timed: ClassVar[bool] = True

    def made_from(self) -> str:
        """Hash of the folder."""
        return student_hash(self.model)

    def bytes_kept(self, prompts: int) -> int | None:
        """The whole student."""
        from tutelage.subject import load_student

        student, _ = load_student(self.model, "cpu")
        return BYTES * sum(parameter.numel() for parameter in student.network.parameters())

    def answer(self, questions: Sequence[Assignment]) -> "Iterator[Image]":
        """See `base.Generator`.

        Raises:
            BadInput: a subject has one picture only; see also `base.Generator`.
        """
        from tutelage.subject import load_student

        for question in questions:
            if len(question.cluster.references) < 2:
                raise BadInput(f"{self.name} learns from one picture to another; give two demonstrations or more")
        student, _ = load_student(self.model, self.device, "fp32")
        from tutelage.teachers.model import plain_attention
        from tutelage.teachers.tuning import all_weights, kept

        plain_attention(student.pipeline)
        base = kept(student.network)
        for _, group in groupby(questions, key=lambda one: one.cluster.id):
            asked = list(group)
            with all_weights(student.network, base) as parameters:
                self._tune(student, asked[0].cluster, parameters)
                yield from self._drawn(student, asked)

    def _tune(self, student: "Suti", cluster: Cluster, parameters: Sequence[Any]) -> None:
        """Eq. 5 on one subject; which pictures, noise and times follow from (seed, subject, step)."""
        from torch import nn

        from tutelage.stages.batches import picks
        from tutelage.students.examples import Encoder, make_batch
        from tutelage.students.settings import SutiTraining
        from tutelage.teachers.training import make_optimiser

        encoder, how = Encoder(student.pipeline), self.training
        examples = [encoder.example(triplet) for triplet in _pairs(cluster)]
        count, told = min(how.batch, len(examples)), SutiTraining(demonstrations=1, references_drop=0.0)
        optimiser = make_optimiser(parameters, how)
        for step in range(how.steps):
            chosen = [examples[at] for at in picks(len(examples), count, step, self.seed)]
            error = student.loss(make_batch(chosen, told, seed=self.seed, step=step).to(student.pipeline.device))
            error.backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(parameters, how.clip)
            optimiser.step()
            optimiser.zero_grad(set_to_none=True)

    def _drawn(self, student: "Suti", asked: Sequence[Assignment]) -> "Iterator[Image]":
        from tutelage.students.base import Request
        from tutelage.students.guidance import TwoWeights, within

        requests = [
            Request(text=one.text, references=one.cluster.references[: self.shown], seed=noise(self.seed, one))
            for one in asked
        ]
        guidance = within(self.interval, TwoWeights(text=self.text, references=self.references))
        yield from chain.from_iterable(student.generate(requests, steps=self.steps, guidance=guidance, batch=SINGLY))


def _pairs(cluster: Cluster) -> list[Triplet]:
    """Each picture as a target of its caption, the others as its references."""
    from tutelage.diffusion.pictures import decode, png

    return [
        Triplet(
            id=f"{cluster.id}/{at}",
            target=png(decode(one.picture.data, f"a demonstration of {cluster.id}")),
            text=one.caption or cluster.subject,
            references=cluster.references[:at] + cluster.references[at + 1 :],
            subject=cluster.subject,
            skill="caption",
            cluster=cluster.id,
            provenance=Provenance(teacher="neighbour", base="", seed=0),
        )
        for at, one in enumerate(cluster.references)
    ]
