"""An expert at work: texts → triplets."""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from PIL.Image import Image

from tutelage.diffusion.noise import keyed_seed
from tutelage.diffusion.pictures import png
from tutelage.diffusion.sample import Prompt, sample
from tutelage.teachers.model import Model
from tutelage.teachers.settings import Sampling
from tutelage.triplet import Assignment, Provenance, Triplet


class Job(NamedTuple):
    """A picture to be drawn."""

    assignment: Assignment
    number: int
    """Of the sample."""
    noise: int
    """Seed, keyed by (seed of the run, id, number)."""


def jobs(assignments: Sequence[Assignment], sampling: Sampling, seed: int) -> list[Job]:
    """Every sample of every assignment."""
    numbers = range(sampling.samples)
    return [Job(one, n, keyed_seed(seed, one.id, n, "sample")) for one in assignments for n in numbers]


def triplets(drawn: Iterable[tuple[Job, Image]], model: Model, teacher: str) -> Iterator[Triplet]:
    """Yield what was drawn as triplets."""
    for (assignment, number, noise), picture in drawn:
        yield Triplet(
            id=f"{assignment.id}/{number}",
            target=png(picture),
            text=assignment.text,
            references=assignment.cluster.references,
            subject=assignment.cluster.subject,
            skill=assignment.skill,
            cluster=assignment.cluster.id,
            provenance=Provenance(teacher=teacher, base=model.weights, seed=noise),
        )


def draw_triplets(
    model: Model,
    assignments: Sequence[Assignment],
    texts: Sequence[Prompt],
    sampling: Sampling,
    seed: int,
    teacher: str,
) -> Iterator[Triplet]:
    """Yield the samples of every assignment, drawn from its text of `texts`."""
    made = jobs(assignments, sampling, seed)
    said = [text for text in texts for _ in range(sampling.samples)]
    pictures = draw(model, said, [job.noise for job in made], sampling)
    yield from triplets(zip(made, pictures, strict=True), model, teacher)


def draw(model: Model, texts: Sequence[Prompt], seeds: Sequence[int], sampling: Sampling) -> Iterator[Image]:
    """Yield a picture for each text and seed."""
    batches = sample(
        model.pipeline,
        texts,
        seeds,
        steps=sampling.steps,
        guidance=sampling.guidance,
        size=sampling.size,
        batch=sampling.batch,
        progress=False,
    )
    while True:
        with model.autocast():  # not around the loop: it would reach into whoever takes the pictures
            batch = next(batches, None)
        if batch is None:
            return
        yield from batch
