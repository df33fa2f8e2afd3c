"""Pictures to edit: at their bucket, with a mask, and pasted back outside of it."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from tutelage.diffusion.latents import resized
from tutelage.diffusion.pictures import decode, png
from tutelage.teachers.specialists.model import Base
from tutelage.triplet import Assignment, Picture, Reference


class Job(NamedTuple):
    """A picture to be edited."""

    assignment: Assignment
    number: int
    """Of the sample."""
    noise: int
    """Seed, keyed by (seed of the run, id, number)."""
    source: Image.Image
    """RGB, at its bucket."""
    mask: NDArray[np.bool_] | None
    """(H, W) of the source: where it may change; None: everywhere."""


class Drawn(NamedTuple):
    """A picture and its edit, of one size."""

    job: Job
    source: Image.Image
    target: Image.Image


def bucketed(assignment: Assignment, model: Base) -> Image.Image:
    """The assignment's first picture, whole, at the size of its bucket.

    Raises:
        BadInput: it cannot be read.
    """
    data = assignment.cluster.references[0].picture.data
    picture = decode(data, f"cluster {assignment.cluster.id}, picture 0")
    size = model.size_for(*picture.size)
    return picture if (picture.height, picture.width) == size else resized(picture, size)


def lanes(jobs: Sequence[Job], width: int) -> Iterator[list[Job]]:
    """Jobs of one size of picture, at most `width` at a time; sizes in the order in which they come first."""
    first: dict[tuple[int, int], int] = {}
    for number, job in enumerate(jobs):
        first.setdefault(job.source.size, number)
    for _, group in groupby(sorted(jobs, key=lambda job: first[job.source.size]), key=lambda job: job.source.size):
        some = list(group)
        yield from (some[start : start + width] for start in range(0, len(some), width))


def pasted(source: Image.Image, made: Image.Image, mask: NDArray[np.bool_] | None, feather: float) -> Image.Image:
    """`made` inside a mask (H, W) and `source` outside of it, byte for byte.

    Inside, the one goes over into the other within a seam of `feather`, a share of the shorter side.
    """
    if mask is None:
        return made
    depth = ndimage.distance_transform_edt(mask) if not mask.all() else np.full(mask.shape, np.inf)
    share = np.clip(depth / max(feather * min(mask.shape), 1.0), 0, 1)[..., None]
    mixed = share * np.asarray(made, np.float64) + (1 - share) * np.asarray(source, np.float64)
    return Image.fromarray(np.rint(mixed).astype(np.uint8))


def as_reference(found: Reference, picture: Image.Image, caption: str) -> Reference:
    """A picture that stands in for one that was found, with its origin; its very bytes where they show the same.

    What was drawn from a caption keeps the origin too: it derives from what was found there.
    """
    origin = found.picture
    seen = decode(origin.data)
    same = seen.size == picture.size and seen.tobytes() == picture.tobytes()
    data = origin.data if same else png(picture)
    told = {"url": origin.url, "page": origin.page, "alt": origin.alt, "licence": origin.licence}
    return Reference(picture=Picture(data=data, **told), caption=caption)


def mask_file(mask: NDArray[np.bool_] | None) -> bytes:
    """PNG of a mask, white where it is set; empty if there is none."""
    return b"" if mask is None else png(Image.fromarray(mask))
