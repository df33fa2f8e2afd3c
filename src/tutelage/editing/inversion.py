"""A real picture → the noise that it would be drawn from: DDIM inversion, and null-text inversion on top of it."""

import math
from dataclasses import dataclass, replace
from typing import Any

import torch
from PIL.Image import Image
from torch import Tensor, nn
from torch.nn import functional as F

from tutelage.diffusion.schedule import sampling_schedule
from tutelage.diffusion.text import TextConditions
from tutelage.editing.denoise import Denoiser, denoise
from tutelage.editing.prompt_to_prompt import Edit, edit_latents
from tutelage.editing.settings import NullText
from tutelage.errors import BadInput

DDIM, INVERSE = "DDIMScheduler", "DDIMInverseScheduler"


@dataclass(frozen=True)
class Inverted:
    """A picture as a model's own drawing."""

    path: Tensor
    """(T + 1, C, h, w): latents from the noise of the first of T steps of DDIM to the picture's own."""
    prompt: str
    """What it was inverted with."""
    untold: tuple[TextConditions, ...] = ()
    """Guidance's other half for each step, learnt so that guidance leads back to the picture; empty: the model's."""

    @property
    def start(self) -> Tensor:
        """(1, C, h, w), to draw from."""
        return self.path[:1]

    @property
    def steps(self) -> int:
        """Of DDIM."""
        return len(self.path) - 1


def invert(denoiser: Denoiser, picture: Image, prompt: str, steps: int = 50) -> Inverted:
    """DDIM inversion (Song et al. 2021; Dhariwal & Nichol 2021): the steps of DDIM backwards, without guidance.

    Each step takes what the UNet says of the latents before it for what it would say of those after it, so that what is
    drawn from the noise is near the picture, and the nearer the more steps there are.

    Raises:
        BadInput: the model predicts pictures, or its noise levels are not those of DDIM.
    """
    return Inverted(inverse_path(denoiser, denoiser.encode([picture]), prompt, steps, steps), prompt)


def inverse_path(denoiser: Denoiser, clean: Tensor, prompt: str, steps: int, count: int) -> Tensor:
    """Where `count` of the steps of DDIM, backwards from clean latents (1, C, h, w), come to: (count + 1, C, h, w).

    The noisiest comes first, and `clean` last.

    Raises:
        BadInput: see `invert`.
    """
    inverse = ddim(denoiser.pipeline.scheduler, steps, denoiser.pipeline.device, INVERSE)
    path, told = [clean], denoiser.told([prompt])

    def remembered(_: int, latents: Tensor) -> Tensor:
        path.append(latents)
        return latents

    denoise(denoiser, inverse, clean, told, lambda _: None, torch.ones(1), after=remembered, steps=range(count))
    return torch.cat(path[::-1])


def null_text(denoiser: Denoiser, inverted: Inverted, settings: NullText) -> Inverted:
    """Null-text inversion (Mokady et al. 2023, Algorithm 1): learn what stands for "nothing" at each step.

    From the first step on, the embedding of the empty prompt is moved until a guided step from where the last one came
    to comes to where the inversion was; each step starts from the one before it.
    """
    scheduler = ddim(denoiser.pipeline.scheduler, inverted.steps, denoiser.pipeline.device)
    told, nothing = denoiser.told([inverted.prompt]), denoiser.untold(1)
    latents, learnt = inverted.start, []
    for step, t in enumerate(scheduler.timesteps):
        pivot = inverted.path[step + 1 : step + 2]
        goal = _Goal(denoiser, scheduler, latents, t, told, pivot, settings)
        nothing = goal.learn(nothing, step, inverted.steps)
        learnt.append(nothing)
        with torch.no_grad():
            latents = goal.step(nothing)
    return replace(inverted, untold=tuple(learnt))


def draw_inverted(denoiser: Denoiser, inverted: Inverted, edit: Edit) -> tuple[Image, Image]:
    """(The picture as the inversion has it, its edit): Prompt-to-Prompt on a picture that the model did not draw.

    The edit's source should be the prompt of the inversion; its seed is not used.
    """
    scheduler = ddim(denoiser.pipeline.scheduler, inverted.steps, denoiser.pipeline.device)
    learnt = inverted.untold
    latents = edit_latents(denoiser, scheduler, inverted.start, [edit], learnt.__getitem__ if learnt else None)
    source, target = denoiser.decode(latents)
    return source, target


def ddim(trained: Any, steps: int, device: Any, name: str = DDIM) -> Any:
    """DDIM, or its inverse, with its timesteps set; both have the same.

    Raises:
        BadInput: the model predicts pictures, or its noise levels are not those of DDIM.
    """
    if trained.config.get("prediction_type") == "sample":
        raise BadInput("a model that predicts pictures cannot be inverted: they do not tell the noise at its lowest")
    spacing = trained.config.get("timestep_spacing")
    even = {"set_alpha_to_one": False, "timestep_spacing": "leading", "steps_offset": 1}  # as Stable Diffusion has it
    scheduler = sampling_schedule(name, trained, **({} if spacing in ("leading", "trailing") else even))
    if not 1 <= steps <= scheduler.config.num_train_timesteps:
        raise BadInput(f"steps of an inversion is {steps}; give 1 to {scheduler.config.num_train_timesteps}")
    scheduler.set_timesteps(steps, device=device)
    return scheduler


@dataclass(frozen=True)
class _Goal:
    """A guided step of DDIM that is to come to a pivot."""

    denoiser: Denoiser
    scheduler: Any
    latents: Tensor
    t: Tensor
    told: TextConditions
    pivot: Tensor
    settings: NullText

    def learn(self, nothing: TextConditions, number: int, steps: int) -> TextConditions:
        """The embedding that comes near enough, or the nearest that so many tries come to."""
        hidden = nn.Parameter(nothing.hidden.clone())
        optimiser = torch.optim.Adam([hidden], lr=self.settings.lr * (1 - number / (2 * steps)))
        enough, least, best = self.settings.enough * (1 + 2 * number), math.inf, nothing
        for tried in range(self.settings.tries + 1):
            error = F.mse_loss(self.step(replace(nothing, hidden=hidden)), self.pivot)
            if error.item() < least:
                least, best = error.item(), replace(nothing, hidden=hidden.detach().clone())
            if least <= enough or tried == self.settings.tries:
                break
            [hidden.grad] = torch.autograd.grad(error, [hidden])
            optimiser.step()
        return best

    def step(self, nothing: TextConditions) -> Tensor:
        """Latents (1, C, h, w) that the step comes to."""
        scale = torch.tensor([self.settings.guidance])
        said = self.denoiser.predict(self.latents, self.t, self.told, nothing, scale)
        came: Tensor = self.scheduler.step(said, self.t, self.latents, return_dict=False)[0]
        return came
