"""Prompt-to-Prompt (Hertz et al. 2022): a picture and its edit from one noise, the edit holding to the attention."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from PIL.Image import Image
from torch import Tensor

from tutelage.diffusion.sample import lane_width
from tutelage.diffusion.schedule import sampling_schedule
from tutelage.diffusion.text import TextConditions
from tutelage.editing.align import align, token_mask
from tutelage.editing.attention import Control, controlled
from tutelage.editing.denoise import Denoiser, denoise
from tutelage.editing.region import attended, kept_outside, mask_of
from tutelage.editing.settings import Drawing, PromptToPrompt, check_guidance

Untold = Callable[[int], TextConditions]
"""Number of the step → conditions (1) of guidance's other half."""


@dataclass(frozen=True, kw_only=True)
class Edit:
    """A picture and its edit, both to be drawn."""

    source: str
    """Prompt of the picture."""
    target: str
    """Prompt of the edit."""
    seed: int
    """Of the noise that both come from, in [0, 2**63)."""
    control: PromptToPrompt = field(default_factory=PromptToPrompt)
    guidance: float = 7.5
    """Up to 1: none."""
    mask: Image | None = None
    """White where the edit may differ; M ⊙ edit + (1 − M) ⊙ source at each step (mask-guided variant)."""

    def __post_init__(self) -> None:
        check_guidance(self.guidance)


def draw_edits(pipeline: Any, edits: Sequence[Edit], drawing: Drawing) -> Iterator[tuple[Image, Image]]:
    """Yield (source, edit) of each, in order; the pipeline is left as it was.

    A pair depends on its own `Edit` alone. With a scheduler that draws no noise, the source is what `sample` draws from
    that prompt and seed.

    Raises:
        BadInput: the model is neither Stable Diffusion nor SDXL, a word to blend or weigh is in no prompt, or the
            size or the scheduler does not fit.
    """
    denoiser = Denoiser.of(pipeline, drawing.size)
    width = lane_width(pipeline, drawing.batch)
    for first in range(0, len(edits), width):
        lane = edits[first : first + width]
        scheduler = sampling_schedule(drawing.scheduler, pipeline.scheduler)
        scheduler.set_timesteps(drawing.steps, device=pipeline.device)
        start = denoiser.noise([edit.seed for edit in lane]) * scheduler.init_noise_sigma
        pictures = denoiser.decode(edit_latents(denoiser, scheduler, start, lane))
        yield from zip(pictures[0::2], pictures[1::2], strict=True)


def edit_latents(
    denoiser: Denoiser, scheduler: Any, start: Tensor, edits: Sequence[Edit], untold: Untold | None = None
) -> Tensor:
    """Draw sources and edits from noise (B, C, h, w) → latents (2B, C, h, w): source, edit, source, edit, …

    Args:
        denoiser: whose UNet is held meanwhile.
        scheduler: its timesteps are set. One that draws noise draws the same for a source and its edit.
        start: at the noise of the first step.
        edits: B of them.
        untold: guidance's other half for each step, as from Null-text inversion; None: the model's own.
    """
    rows = 2 * len(edits)
    guided = any(edit.guidance > 1 for edit in edits)
    own = denoiser.untold(1)
    control, after = _control(denoiser, edits, guided), _after(denoiser, edits)

    def before(step: int) -> None:
        control.share = step / len(scheduler.timesteps)

    def nothing(step: int) -> TextConditions | None:
        return (untold(step) if untold else own).take([0] * rows) if guided else None

    with controlled(denoiser.pipeline.unet, control):
        return denoise(
            denoiser,
            scheduler,
            start.repeat_interleave(2, dim=0),
            denoiser.told([prompt for edit in edits for prompt in (edit.source, edit.target)]),
            nothing,
            torch.tensor([max(1.0, edit.guidance) for edit in edits]).repeat_interleave(2),
            seeds=[edit.seed for edit in edits for _ in range(2)],
            before=before,
            after=lambda step, latents: after(control, latents),
        )


def _control(denoiser: Denoiser, edits: Sequence[Edit], guided: bool) -> Control:
    tokenizer = denoiser.pipeline.tokenizer
    alignments = [align(tokenizer, edit.source, edit.target, edit.control.words) for edit in edits]
    weights = torch.stack([_weights(tokenizer, edit) for edit in edits]).to(denoiser.pipeline.device)
    height, width = denoiser.latent_size
    return Control.of([edit.control for edit in edits], alignments, weights, height * width, guided)


def _weights(tokenizer: Any, edit: Edit) -> Tensor:
    """(L,): factor of every token of the target."""
    weights = torch.ones(tokenizer.model_max_length)
    for word, factor in edit.control.weights:
        weights = torch.where(token_mask(tokenizer, edit.target, [word]).bool(), factor, weights)
    return weights


def _after(denoiser: Denoiser, edits: Sequence[Edit]) -> Callable[[Control, Tensor], Tensor]:
    """What is done after each step: the source stays where the edit is not allowed."""
    size, tokenizer = denoiser.latent_size, denoiser.pipeline.tokenizer
    given = torch.stack([torch.ones(1, *size) if one.mask is None else mask_of(one.mask, size) for one in edits])
    blends = [edit.control.blend for edit in edits]
    words = torch.stack([_looking(tokenizer, edit) for edit in edits])
    thresholds = [blend.threshold if blend else 0.0 for blend in blends]
    starts = [blend.start if blend else 2.0 for blend in blends]

    def after(control: Control, latents: Tensor) -> Tensor:
        region = given.to(latents)
        begun = torch.tensor([control.share >= start for start in starts], device=latents.device)
        if begun.any():
            looked = attended(control.maps, words, size, thresholds)
            region = torch.where(begun.view(-1, 1, 1, 1), region * looked, region)
        return latents if bool((region == 1).all()) else kept_outside(latents, region)

    return after


def _looking(tokenizer: Any, edit: Edit) -> Tensor:
    """(2, L): 1 at the words of source and target whose region is blended."""
    blend = edit.control.blend
    if blend is None:
        return torch.zeros(2, tokenizer.model_max_length)
    sides = ((edit.source, blend.source), (edit.target, blend.target))
    return torch.stack([token_mask(tokenizer, text, names) for text, names in sides])
