"""Prompt-to-Prompt at a size and with a scheduler of a specialist's own."""

from collections.abc import Sequence
from typing import Any

import torch
from PIL.Image import Image

from tutelage.diffusion.schedule import sampling_schedule
from tutelage.editing.denoise import Denoiser, denoise
from tutelage.editing.prompt_to_prompt import Edit, edit_latents
from tutelage.teachers.specialists.settings import Drawing


def draw_pairs(denoiser: Denoiser, edits: Sequence[Edit], drawing: Drawing) -> list[tuple[Image, Image]]:
    """(Source, edit) of each."""
    scheduler = _scheduler(denoiser, drawing)
    start = denoiser.noise([edit.seed for edit in edits]) * scheduler.init_noise_sigma
    pictures = denoiser.decode(edit_latents(denoiser, scheduler, start, edits))
    return list(zip(pictures[0::2], pictures[1::2], strict=True))


@torch.no_grad()
def draw_sources(denoiser: Denoiser, edits: Sequence[Edit], drawing: Drawing) -> list[Image]:
    """The sources alone, as `draw_pairs` draws them but for rounding."""
    scheduler = _scheduler(denoiser, drawing)
    untold = denoiser.untold(len(edits)) if drawing.guidance > 1 else None
    latents = denoise(
        denoiser,
        scheduler,
        denoiser.noise([edit.seed for edit in edits]) * scheduler.init_noise_sigma,
        denoiser.told([edit.source for edit in edits]),
        lambda _: untold,
        torch.tensor([max(1.0, edit.guidance) for edit in edits]),
        seeds=[edit.seed for edit in edits],
    )
    return denoiser.decode(latents)


def _scheduler(denoiser: Denoiser, drawing: Drawing) -> Any:
    scheduler = sampling_schedule(drawing.scheduler, denoiser.pipeline.scheduler)
    scheduler.set_timesteps(drawing.steps, device=denoiser.pipeline.device)
    return scheduler
