"""DiffEdit (Couairon et al. 2023): the region that two prompts disagree about is edited, the rest is the picture's."""

from dataclasses import dataclass

import torch
from PIL.Image import Image
from torch import Tensor

from tutelage.diffusion.disagreement import differing
from tutelage.diffusion.noise import keyed_seed
from tutelage.diffusion.sample import lane_width
from tutelage.editing.denoise import Denoiser, denoise
from tutelage.editing.inversion import ddim, inverse_path
from tutelage.editing.sdedit import covered, last_steps
from tutelage.editing.settings import DiffEdit


@dataclass(frozen=True)
class Disagreement:
    """An edited picture, and where it was edited."""

    picture: Image
    region: Tensor
    """(1, h, w) in {0, 1}, at the size of the latents."""


def diff_edit(
    denoiser: Denoiser, picture: Image, source: str, target: str, seed: int, settings: DiffEdit, batch: int = 4
) -> Disagreement:
    """Edit a picture towards a prompt, where the prompts disagree.

    Args:
        denoiser: of the model.
        picture: RGB.
        source: what the picture shows; empty: compare the target with no prompt, as the paper does too.
        target: what it is to show.
        seed: of the noises of the comparison, in [0, 2**63).
        settings: of both parts.
        batch: noises to look at at once; on a CPU it changes nothing.

    Raises:
        BadInput: the model cannot be inverted; see `inversion.invert`.
    """
    clean = denoiser.encode([picture])
    region = disputed(denoiser, clean, (source, target), seed, settings, batch)
    scheduler = ddim(denoiser.pipeline.scheduler, settings.steps, denoiser.pipeline.device)
    steps = last_steps(scheduler, settings.strength, settings.steps)
    path = inverse_path(denoiser, clean, "", settings.steps, len(steps))
    untold = denoiser.untold(1) if settings.guidance > 1 else None
    edited = denoise(
        denoiser,
        scheduler,
        path[:1],
        denoiser.told([target]),
        lambda _: untold,
        torch.tensor([settings.guidance]),
        after=lambda step, latents: torch.where(region[None] > 0, latents, path[step - steps.start + 1]),
        steps=steps,
    )
    [made] = denoiser.decode(edited)
    return Disagreement(made, region)


@torch.no_grad()
def disputed(
    denoiser: Denoiser, clean: Tensor, prompts: tuple[str, str], seed: int, settings: DiffEdit, batch: int = 4
) -> Tensor:
    """Where the UNet says different things of noisy latents under two prompts (step 1): (1, h, w) in {0, 1}.

    What is said is as good as noise here: at one noise level both differ by a factor alone.
    """
    scheduler = ddim(denoiser.pipeline.scheduler, settings.steps, denoiser.pipeline.device)
    step = min(last_steps(scheduler, settings.noise, settings.steps).start, settings.steps - 1)
    seeds = [keyed_seed(seed, number, "diffedit") for number in range(settings.noises)]
    width = lane_width(denoiser.pipeline, batch)
    total = torch.zeros(clean.shape[2:], device=clean.device)
    for first in range(0, len(seeds), width):
        lane = seeds[first : first + width]
        noisy = covered(denoiser, scheduler, clean.expand(len(lane), -1, -1, -1), lane, step)
        said = [
            denoiser.predict(noisy, scheduler.timesteps[step], denoiser.told([text] * len(lane)), None, torch.ones(1))
            for text in prompts
        ]
        total += (said[1] - said[0]).abs().mean(dim=1).sum(dim=0)
    return differing(total, settings.threshold).float()[None]
