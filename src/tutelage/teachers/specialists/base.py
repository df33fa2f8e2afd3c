"""What all specialists share: assignments → pictures at their buckets, masks, jobs; what was drawn → triplets."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Final

from tutelage.errors import BadInput
from tutelage.segmentation.masks import Masks
from tutelage.teachers.base import by_cluster
from tutelage.teachers.specialists.settings import Drawing
from tutelage.triplet import Assignment, Order, Provenance, Triplet

if TYPE_CHECKING:  # PyTorch and diffusers take seconds to import
    import numpy as np
    from numpy.typing import NDArray
    from PIL.Image import Image

    from tutelage.teachers.specialists.canvas import Drawn, Job
    from tutelage.teachers.specialists.model import Base

WIDEST: Final = 0.5
"""Share of the shorter side that a dilation may reach at most."""


@dataclass(frozen=True, kw_only=True)
class Specialist(ABC):
    """Edits pictures by one task. It sees an assignment's first picture, its caption and its order."""

    base: str | Path
    """Folder or Hub id of a Stable Diffusion or SDXL pipeline."""
    seed: int = 0
    """Of the run."""
    drawing: Drawing = field(default_factory=Drawing)
    masks: Masks = field(default_factory=Masks)
    """Who finds what a phrase names."""
    dilation: float = 0.03
    """How far the mask's boundary is moved outwards, as a share of the picture's shorter side."""
    feather: float = 0.015
    """Width of the seam inside the mask, as a share of the shorter side. Outside of it the picture is the source's,
    byte for byte."""
    device: str = "auto"
    dtype: str = "auto"
    """Number format to compute in: bf16, fp16 or fp32; auto is bf16 on CUDA and fp32 elsewhere."""
    name: ClassVar[str]
    """The task, which stands in the provenance of its triplets."""

    def __post_init__(self) -> None:
        if not (abs(self.dilation) <= WIDEST and 0 <= self.feather <= WIDEST):
            raise BadInput(f"{self.name}: dilation {self.dilation}, feather {self.feather}; give shares up to {WIDEST}")

    @property
    def at_once(self) -> int:
        """As many as are drawn at once."""
        return max(1, self.drawing.batch // self.drawing.samples)

    def numbers_kept(self, prompts: int) -> int:
        """Nothing is trained, and nothing is kept."""
        return 0

    def teach(self, assignments: Sequence[Assignment]) -> Iterator[Triplet]:
        """Yield what was made of every assignment; see `base.Teacher`.

        An assignment whose phrase is not in its picture, or covers nearly all of it, gives nothing.

        Raises:
            BadInput: see `base.Teacher`; also when an assignment has no order, or its picture no caption.
        """
        for made in self.sets(assignments):
            yield from made

    def sets(self, assignments: Sequence[Assignment]) -> Iterator[list[Triplet]]:
        """Yield the triplets of each assignment, clusters in the order in which they come first.

        Raises:
            BadInput: see `teach`.
        """
        every = [one for group in by_cluster(assignments) for one in group]
        for one in every:
            order_of(one)
        if not every:
            return
        from tutelage.diffusion.sample import lane_width

        width = lane_width(self.model.pipeline, self.drawing.batch)
        together = max(1, width // self.drawing.samples)
        for first in range(0, len(every), together):
            yield from self._together(every[first : first + together], width)

    @abstractmethod
    def drawn(self, lane: "Sequence[Job]") -> "list[Drawn]":
        """Draw jobs of one size of picture; each depends on itself alone. Those that cannot be are left out."""

    def triplet(self, drawn: "Drawn") -> Triplet:
        """What was drawn, as source, instruction and target."""
        from tutelage.diffusion.pictures import png
        from tutelage.teachers.specialists.canvas import as_reference, mask_file

        one, number, noise = drawn.job.assignment, drawn.job.number, drawn.job.noise
        source = one.cluster.references[0]
        return Triplet(
            id=f"{one.id}/{number}",
            target=png(drawn.target),
            text=one.text,
            references=(as_reference(source, drawn.source, source.caption),),
            subject=one.cluster.subject,
            skill=one.skill,
            cluster=one.cluster.id,
            provenance=Provenance(teacher=self.name, base=self.weights, seed=noise),
            caption=order_of(one).caption,
            wordings=order_of(one).wordings,
            mask=mask_file(drawn.job.mask),
        )

    @abstractmethod
    def jobs(self, assignment: Assignment) -> "list[Job]":
        """The samples of an assignment to be drawn; none if what its phrase names is not there."""

    def samples(self, assignment: Assignment, source: "Image", mask: "NDArray[np.bool_] | None" = None) -> "list[Job]":
        """Jobs with a source, at its bucket, and a mask."""
        from tutelage.diffusion.noise import keyed_seed
        from tutelage.teachers.specialists.canvas import Job

        numbers = range(self.drawing.samples)
        return [Job(assignment, n, keyed_seed(self.seed, assignment.id, n, "sample"), source, mask) for n in numbers]

    def found(self, picture: "Image", phrase: str) -> "NDArray[np.bool_] | None":
        """The mask (H, W) of what a phrase names, its boundary dilated; None if it is not there.

        Raises:
            BadInput: see `Masks.of`.
        """
        from tutelage.diffusion.regions import dilated

        mask = self.masks.of(picture, phrase, self.device)
        return None if mask is None else dilated(mask, self.dilation)

    @property
    def model(self) -> "Base":
        """The base, loaded once in a process whoever asks for it."""
        from tutelage.teachers.specialists.model import load_base

        return load_base(str(self.base), self.device, self.dtype)

    @property
    def weights(self) -> str:
        """Hash of all that draws, for provenance."""
        return self.model.weights

    def _together(self, some: Sequence[Assignment], width: int) -> Iterator[list[Triplet]]:
        from tutelage.teachers.specialists.canvas import lanes

        jobs = {one.id: self.jobs(one) for one in some}
        made: dict[str, list[Triplet]] = {name: [] for name in jobs}
        for lane in lanes([job for several in jobs.values() for job in several], width):
            for drawn in self.drawn(lane):
                made[drawn.job.assignment.id].append(self.triplet(drawn))
        yield from ([*sorted(made[one.id], key=lambda triplet: triplet.id)] for one in some)


def order_of(assignment: Assignment) -> Order:
    """What is to be done.

    Raises:
        BadInput: the assignment does not say, or its picture has no caption.
    """
    if assignment.order is None:
        raise BadInput(f"assignment {assignment.id} has no order; specialists need one (see mining.edit_orders)")
    if not assignment.cluster.references[0].caption:
        raise BadInput(f"cluster {assignment.cluster.id}: its picture has no caption; give a captioner")
    return assignment.order
