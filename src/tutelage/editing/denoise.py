"""A UNet of Stable Diffusion or SDXL, step by step: what editing needs to reach between the steps of a pipeline."""

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from PIL.Image import Image
from torch import Tensor

from tutelage.diffusion.latents import decode_latents, encode_pictures, resized
from tutelage.diffusion.noise import keyed_generator
from tutelage.diffusion.sample import picture_size
from tutelage.diffusion.text import TextConditions, encode_text
from tutelage.errors import BadInput

After = Callable[[int, Tensor], Tensor]
"""(number of the step, latents) → the latents to go on with."""


@dataclass(frozen=True)
class Denoiser:
    """A UNet with its text encoders and codec, at one size of picture; latents are float32 on its device."""

    pipeline: Any
    size: tuple[int, int]
    """Height and width in pixels."""

    @staticmethod
    def of(pipeline: Any, size: tuple[int, int] | None = None) -> "Denoiser":
        """Of a pipeline from `load_pipeline`; a size of None is what it was trained at.

        Raises:
            BadInput: it is neither Stable Diffusion nor SDXL for text to image, or the size does not fit it.
        """
        unet, vae = getattr(pipeline, "unet", None), getattr(pipeline, "vae", None)
        if unet is None or vae is None or unet.config.in_channels != vae.config.latent_channels:
            raise BadInput(f"{type(pipeline).__name__} is not Stable Diffusion or SDXL for text to image; give one")
        return Denoiser(pipeline, picture_size(pipeline, size))

    @property
    def latent_size(self) -> tuple[int, int]:
        """Height and width of the latents."""
        fold = self.pipeline.vae_scale_factor
        return self.size[0] // fold, self.size[1] // fold

    def noise(self, seeds: Sequence[int]) -> Tensor:
        """Unit noise (B, C, h, w), each row of its own seed, the same on every device."""
        shape = (1, self.pipeline.unet.config.in_channels, *self.latent_size)
        rows = [torch.randn(shape, generator=torch.Generator("cpu").manual_seed(seed)) for seed in seeds]
        return torch.cat(rows).to(self.pipeline.device)

    @torch.no_grad()
    def told(self, prompts: Sequence[str]) -> TextConditions:
        """What the UNet is told by prompts."""
        return encode_text(self.pipeline, prompts)

    @torch.no_grad()
    def untold(self, count: int) -> TextConditions:
        """What it is told where there is nothing to tell: the empty prompt, or zeros where the pipeline has it so."""
        empty = encode_text(self.pipeline, [""]).take([0] * count)
        if not self.pipeline.config.get("force_zeros_for_empty_prompt"):
            return empty
        pooled = None if empty.pooled is None else torch.zeros_like(empty.pooled)
        return replace(empty, hidden=torch.zeros_like(empty.hidden), pooled=pooled)

    def predict(
        self, latents: Tensor, t: Tensor, told: TextConditions, untold: TextConditions | None, guidance: Tensor
    ) -> Tensor:
        """What the UNet says (B, C, h, w) at timestep `t`, by its prediction type, under classifier-free guidance.

        `guidance` is (B,). Without `untold` there is none; with it the UNet sees untold rows first, then told ones.
        """
        liked = torch.full((len(latents),), LIKED)
        if untold is None:
            return self._ask(latents, t, told, liked)
        scores = torch.cat([torch.full_like(liked, DISLIKED), liked])
        without, under = self._ask(torch.cat([latents] * 2), t, _joined(untold, told), scores).chunk(2)
        return without + guidance.to(without).view(-1, 1, 1, 1) * (under - without)

    def encode(self, pictures: Sequence[Image]) -> Tensor:
        """Whole pictures at the denoiser's size → latents (B, C, h, w)."""
        return encode_pictures(self.pipeline.vae, [resized(picture, self.size) for picture in pictures])

    def decode(self, latents: Tensor) -> list[Image]:
        """Latents (B, C, h, w) → RGB pictures."""
        pictures = [decode_latents(self.pipeline.vae, row[None]) for row in latents]  # row by row: see `lane_width`
        made: list[Image] = self.pipeline.image_processor.postprocess(torch.cat(pictures), output_type="pil")
        return made

    def _ask(self, latents: Tensor, t: Tensor, told: TextConditions, scores: Tensor) -> Tensor:
        unet = self.pipeline.unet
        given = arguments(unet, told, self.size, scores)
        answer: Tensor = unet(latents.to(unet.dtype), t, return_dict=False, **given)[0].float()
        return answer


LIKED, DISLIKED = 6.0, 2.5
"""Aesthetic scores that SDXL's refiner is told with and without a prompt, as its own pipeline does."""


def arguments(unet: Any, told: TextConditions, size: tuple[int, int], scores: Tensor) -> dict[str, Any]:
    """Keyword arguments for the UNet; SDXL's refiner is told scores (B,) where its base is told the target's size."""
    given = told.arguments(size)
    if told.pooled is None:
        return given
    config, extra = unet.config, given["added_cond_kwargs"]
    numbers = (config.projection_class_embeddings_input_dim - told.pooled.shape[-1]) // config.addition_time_embed_dim
    ids = extra["time_ids"]
    if numbers == ids.shape[-1] - 1:
        extra["time_ids"] = torch.cat([ids[:, :4], scores.to(ids)[:, None]], dim=1)
    return given


@torch.no_grad()
def denoise(
    denoiser: Denoiser,
    scheduler: Any,
    latents: Tensor,
    told: TextConditions,
    untold: Callable[[int], TextConditions | None],
    guidance: Tensor,
    *,
    seeds: Sequence[int] = (),
    before: Callable[[int], None] = lambda _: None,
    after: After = lambda _, latents: latents,
    steps: range | None = None,
) -> Tensor:
    """Go through a scheduler's timesteps, all of them or those of `steps`.

    Args:
        denoiser: what is asked at each step.
        scheduler: its timesteps are set.
        latents: (B, C, h, w), at the noise of the first step.
        told: (B) conditions.
        untold: number of the step → conditions of guidance's other half, or None for no guidance.
        guidance: (B,).
        seeds: one a row, for schedulers that draw noise of their own at each step; it is not that of `noise`.
        before: is told the number of each step before the UNet is asked.
        after: may change what each step comes to.
        steps: numbers of the steps to do.
    """
    steps = range(len(scheduler.timesteps)) if steps is None else steps
    draws = seeds and "generator" in inspect.signature(scheduler.step).parameters
    options = {"generator": [keyed_generator(seed, steps.start, "steps") for seed in seeds]} if draws else {}
    if hasattr(scheduler, "set_begin_index"):
        scheduler.set_begin_index(steps.start)
    for step in steps:
        t = scheduler.timesteps[step]
        before(step)
        said = denoiser.predict(scheduler.scale_model_input(latents, t), t, told, untold(step), guidance)
        latents = after(step, scheduler.step(said, t, latents, return_dict=False, **options)[0])
    return latents


def _joined(first: TextConditions, second: TextConditions) -> TextConditions:
    pooled = None
    if first.pooled is not None and second.pooled is not None:
        pooled = torch.cat([first.pooled, second.pooled])
    return TextConditions(torch.cat([first.hidden, second.hidden]), pooled)
