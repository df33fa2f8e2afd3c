"""SDEdit (Meng et al. 2022): a picture is covered with noise in part, and denoised towards a prompt."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from PIL.Image import Image
from torch import Tensor

from tutelage.diffusion.sample import lane_width
from tutelage.diffusion.schedule import sampling_schedule
from tutelage.editing.denoise import Denoiser, denoise
from tutelage.editing.settings import Drawing, check_guidance, check_strength


@dataclass(frozen=True, kw_only=True)
class Redraw:
    """A picture to be drawn anew."""

    picture: Image
    """RGB, whole; it is brought to the size that is drawn."""
    prompt: str
    seed: int
    """Of the noise, in [0, 2**63)."""


def redraw(
    pipeline: Any, redraws: Sequence[Redraw], drawing: Drawing, *, strength: float, guidance: float = 7.5
) -> Iterator[Image]:
    """Yield each picture drawn anew, in order; each depends on its own `Redraw` alone.

    Args:
        pipeline: from `load_pipeline`.
        redraws: what to draw.
        drawing: of its steps the last share of `strength` is done.
        strength: noise to begin with, as a share of the noise levels: t₀ of the paper; 1 leaves nothing of the picture.
        guidance: classifier-free guidance scale; up to 1 means none.

    Raises:
        BadInput: the model is neither Stable Diffusion nor SDXL, a number is out of range, or the size or the scheduler
            does not fit.
    """
    check_guidance(guidance)
    check_strength("SDEdit", strength, drawing.steps)
    denoiser = Denoiser.of(pipeline, drawing.size)
    width = lane_width(pipeline, drawing.batch)
    for first in range(0, len(redraws), width):
        lane = redraws[first : first + width]
        scheduler = sampling_schedule(drawing.scheduler, pipeline.scheduler)
        scheduler.set_timesteps(drawing.steps, device=pipeline.device)
        steps = last_steps(scheduler, strength, drawing.steps)
        clean = denoiser.encode([one.picture for one in lane])
        noisy = covered(denoiser, scheduler, clean, [one.seed for one in lane], steps.start)
        yield from denoiser.decode(towards(denoiser, scheduler, noisy, lane, guidance, steps))


def covered(denoiser: Denoiser, scheduler: Any, clean: Tensor, seeds: Sequence[int], step: int) -> Tensor:
    """Clean latents (B, C, h, w) at the noise of a scheduler's step, each row with the noise of its seed."""
    if hasattr(scheduler, "set_begin_index"):
        scheduler.set_begin_index(step)
    noisy: Tensor = scheduler.add_noise(clean, denoiser.noise(seeds), scheduler.timesteps[step].repeat(len(clean)))
    return noisy


def towards(
    denoiser: Denoiser, scheduler: Any, latents: Tensor, redraws: Sequence[Redraw], guidance: float, steps: range
) -> Tensor:
    """Denoise latents (B, C, h, w) towards their prompts through some steps of a scheduler."""
    untold = denoiser.untold(len(redraws)) if guidance > 1 else None
    return denoise(
        denoiser,
        scheduler,
        latents,
        denoiser.told([one.prompt for one in redraws]),
        lambda _: untold,
        torch.full((len(redraws),), guidance),
        seeds=[one.seed for one in redraws],
        steps=steps,
    )


def last_steps(scheduler: Any, share: float, asked: int) -> range:
    """The last share of the steps that were asked of a scheduler, which may have several timesteps a step."""
    skipped = asked - int(share * asked)
    return range(skipped * scheduler.order, len(scheduler.timesteps))
