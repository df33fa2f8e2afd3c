"""Specialists that draw a picture and its edit from one noise, by Prompt-to-Prompt."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from tutelage.editing.settings import NullText, PromptToPrompt
from tutelage.teachers.specialists.base import Specialist, order_of
from tutelage.triplet import Assignment

if TYPE_CHECKING:
    from PIL.Image import Image

    from tutelage.editing.denoise import Denoiser
    from tutelage.editing.prompt_to_prompt import Edit
    from tutelage.teachers.specialists.canvas import Drawn, Job


@dataclass(frozen=True, kw_only=True)
class Twins(Specialist):
    """Draws from the source's caption and the order's; where the order names a phrase, the edit is held to its mask."""

    control: PromptToPrompt = field(default_factory=PromptToPrompt)
    """How much the edit holds to the source's attention."""
    source: Literal["drawn", "found"] = "drawn"
    """Draw the source from its caption too, or invert the picture that was found."""
    inversion: NullText | None = field(default_factory=NullText)
    """Of a picture that was found; None: DDIM inversion alone. Its guidance is the drawing's."""

    def jobs(self, assignment: Assignment) -> "list[Job]":
        """The mask is found later, in the picture that is drawn."""
        from tutelage.teachers.specialists.canvas import bucketed

        return self.samples(assignment, bucketed(assignment, self.model))

    def drawn(self, lane: "Sequence[Job]") -> "list[Drawn]":
        from tutelage.editing.denoise import Denoiser

        denoiser = Denoiser.of(self.model.pipeline, (lane[0].source.height, lane[0].source.width))
        if self.source == "found":
            return [drawn for job in lane for drawn in self._inverted(denoiser, job)]
        return self._both(denoiser, lane)

    def _both(self, denoiser: "Denoiser", lane: "Sequence[Job]") -> "list[Drawn]":
        from tutelage.teachers.specialists.canvas import Drawn
        from tutelage.teachers.specialists.pairing import draw_pairs, draw_sources

        edits = [self._edit(job) for job in lane]
        masked = any(order_of(job.assignment).phrase for job in lane)
        jobs = list(lane)
        if masked:
            jobs = self._masked(jobs, draw_sources(denoiser, edits, self.drawing))
            edits = [self._edit(job) for job in jobs]
        pairs = draw_pairs(denoiser, edits, self.drawing) if edits else []
        return [
            Drawn(job, source, self._pasted(job, source, target))
            for job, (source, target) in zip(jobs, pairs, strict=True)
        ]

    def _inverted(self, denoiser: "Denoiser", job: "Job") -> "list[Drawn]":
        """The source is the picture itself, not what the inversion makes of it."""
        from dataclasses import replace

        from tutelage.editing.inversion import draw_inverted, invert, null_text
        from tutelage.teachers.specialists.canvas import Drawn

        jobs = self._masked([job], [job.source]) if order_of(job.assignment).phrase else [job]
        made = []
        for one in jobs:
            edit = self._edit(one)
            found = invert(denoiser, one.source, edit.source, self.drawing.steps)
            if self.inversion is not None and edit.guidance > 1:
                found = null_text(denoiser, found, replace(self.inversion, guidance=edit.guidance))
            _, target = draw_inverted(denoiser, found, edit)
            made.append(Drawn(one, one.source, self._pasted(one, one.source, target)))
        return made

    def _masked(self, jobs: "Sequence[Job]", pictures: "Sequence[Image]") -> "list[Job]":
        """Jobs with the mask of their phrase in their own pictures; those in which it is not are left out."""
        kept = []
        for job, picture in zip(jobs, pictures, strict=True):
            phrase = order_of(job.assignment).phrase
            mask = self.found(picture, phrase) if phrase else None
            if mask is not None or not phrase:
                kept.append(job._replace(mask=mask))
        return kept

    def _pasted(self, job: "Job", source: "Image", target: "Image") -> "Image":
        from tutelage.teachers.specialists.canvas import pasted

        return pasted(source, target, job.mask, self.feather)

    def _edit(self, job: "Job") -> "Edit":
        from PIL import Image

        from tutelage.editing.prompt_to_prompt import Edit

        told: dict[str, Any] = {} if job.mask is None else {"mask": Image.fromarray(job.mask)}
        return Edit(
            source=job.assignment.cluster.references[0].caption,
            target=order_of(job.assignment).caption,
            seed=job.noise,
            control=self.control,
            guidance=self.drawing.guidance,
            **told,
        )
