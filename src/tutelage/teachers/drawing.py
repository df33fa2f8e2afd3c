"""An expert at work: texts → triplets."""

from collections.abc import Iterator, Sequence

from PIL.Image import Image

from tutelage.diffusion.noise import keyed_seed
from tutelage.diffusion.pictures import png
from tutelage.diffusion.sample import sample
from tutelage.teachers.model import Model
from tutelage.teachers.settings import Sampling
from tutelage.triplet import Assignment, Provenance, Triplet


def draw_triplets(
    model: Model, assignments: Sequence[Assignment], texts: Sequence[str], sampling: Sampling, seed: int, teacher: str
) -> Iterator[Triplet]:
    """Yield the samples of every assignment, drawn from its text of `texts`; noise is keyed by (seed, id, number)."""
    jobs = [(one, text, n) for one, text in zip(assignments, texts, strict=True) for n in range(sampling.samples)]
    seeds = [keyed_seed(seed, assignment.id, n, "sample") for assignment, _, n in jobs]
    pictures = draw(model, [text for _, text, _ in jobs], seeds, sampling)
    for (assignment, _, n), noise, picture in zip(jobs, seeds, pictures, strict=True):
        yield Triplet(
            id=f"{assignment.id}/{n}",
            target=png(picture),
            text=assignment.text,
            references=assignment.cluster.references,
            subject=assignment.cluster.subject,
            skill=assignment.skill,
            cluster=assignment.cluster.id,
            provenance=Provenance(teacher=teacher, base=model.weights, seed=noise),
        )


def draw(model: Model, texts: Sequence[str], seeds: Sequence[int], sampling: Sampling) -> Iterator[Image]:
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
