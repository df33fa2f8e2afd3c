"""Specialists that inpaint a region of a real picture."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tutelage.teachers.specialists.base import Specialist, order_of
from tutelage.triplet import Assignment

if TYPE_CHECKING:
    from tutelage.teachers.specialists.canvas import Drawn, Job


@dataclass(frozen=True, kw_only=True)
class Filling(Specialist):
    """Inpaints what the order's phrase masks, towards its fill."""

    branch: str | Path = ""
    """Folder or Hub id of a network that sees what is around the mask, a ControlNet for inpainting or a BrushNet: which
    of them, its config says; empty: none."""

    def jobs(self, assignment: Assignment) -> "list[Job]":
        from tutelage.teachers.specialists.canvas import bucketed

        source = bucketed(assignment, self.model)
        mask = self.found(source, order_of(assignment).phrase)
        return [] if mask is None else self.samples(assignment, source, mask)

    def drawn(self, lane: "Sequence[Job]") -> "list[Drawn]":
        from tutelage.teachers.specialists.canvas import Drawn, pasted
        from tutelage.teachers.specialists.inpainting import Fill, inpaint

        fills = []
        for job in lane:
            assert job.mask is not None
            order = order_of(job.assignment)
            fills.append(Fill(job.source, job.mask, order.fill or order.caption, job.noise))
        made = inpaint(self.model.pipeline, fills, self.drawing, self._branch())
        return [
            Drawn(job, job.source, pasted(job.source, picture, job.mask, self.feather))
            for job, picture in zip(lane, made, strict=True)
        ]

    @property
    def weights(self) -> str:
        from tutelage.teachers.specialists.branches import branch_hash

        return f"{self.model.weights}+{branch_hash(str(self.branch))}" if self.branch else self.model.weights

    def _branch(self) -> Any:
        if not self.branch:
            return None
        from tutelage.teachers.specialists.branches import load_branch

        unet = self.model.pipeline.unet
        return load_branch(str(self.branch), unet.device, unet.dtype)
