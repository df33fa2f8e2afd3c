"""Pictures → latents, each at its own aspect ratio: nothing is cut off, and nothing is padded."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor


def fitted_size(size: tuple[int, int], native: tuple[int, int], cell: int) -> tuple[int, int]:
    """The (height, width) in pixels at which a model should see a picture of `size` = (height, width).

    Both sides are multiples of `cell`, and there are at most as many pixels as in `native` and, where cells are small
    enough, at least half as many. Of these sizes it is the one nearest in aspect ratio, and then the largest.
    """
    budget, aspect = native[0] * native[1] // cell**2, size[0] / size[1]
    fits = [(h, w) for h in range(1, budget + 1) for w in _widths(h, aspect, budget)]
    large = [(h, w) for h, w in fits if 2 * h * w >= budget]
    h, w = min(large, key=lambda s: (abs(math.log(s[0] / s[1] / aspect)), -s[0] * s[1]))
    return h * cell, w * cell


def _widths(height: int, aspect: float, budget: int) -> set[int]:
    """The two widths in cells, within the budget, that are nearest to a height's; the budget's own if both are out."""
    ideal = height / aspect
    return {min(max(1, width), budget // height) for width in (math.floor(ideal), math.ceil(ideal))}


def resized(picture: Image.Image, size: tuple[int, int]) -> Image.Image:
    """The whole picture at `size` = (height, width)."""
    return picture.resize((size[1], size[0]), Image.Resampling.LANCZOS)


def signed(pictures: Sequence[Image.Image]) -> Tensor:
    """RGB pictures of one size → (B, 3, H, W) in [-1, 1]."""
    stacked = np.stack([np.asarray(picture.convert("RGB")) for picture in pictures])
    return torch.from_numpy(stacked).permute(0, 3, 1, 2).float() / 127.5 - 1


@torch.no_grad()
def encode_pictures(vae: Any, pictures: Sequence[Image.Image]) -> Tensor:
    """RGB pictures of one size → latents (B, C, h, w) as the denoiser knows them, in float32 on the codec's device.

    Of an `AutoencoderKL` it is the mode of the posterior, shifted and scaled as its config says; what an
    `AutoencoderTiny` gives is scaled alone.
    """
    latents = posterior_mode(vae, pictures)
    mean, spread = (_channels(vae.config.get(name)) for name in ("latents_mean", "latents_std"))
    if mean is not None and spread is not None:
        latents = (latents - mean.to(vae.device)) / spread.to(vae.device)
    scaled: Tensor = (latents - (vae.config.get("shift_factor") or 0.0)) * vae.config.scaling_factor
    return scaled


@torch.no_grad()
def decode_latents(vae: Any, latents: Tensor) -> Tensor:
    """Latents (B, C, h, w) as the denoiser knows them → pictures (B, 3, H, W) around [-1, 1], float32: the way back."""
    raw = latents.to(vae.device) / vae.config.scaling_factor + (vae.config.get("shift_factor") or 0.0)
    mean, spread = (_channels(vae.config.get(name)) for name in ("latents_mean", "latents_std"))
    if mean is not None and spread is not None:
        raw = raw * spread.to(vae.device) + mean.to(vae.device)
    pictures: Tensor = vae.decode(raw.to(vae.dtype), return_dict=False)[0].float()
    return pictures


@torch.no_grad()
def posterior_mode(vae: Any, pictures: Sequence[Image.Image]) -> Tensor:
    """RGB pictures of one size → latents (B, C, h, w) as the codec gives them, neither shifted nor scaled, float32."""
    encoded = vae.encode(signed(pictures).to(vae.device, vae.dtype))
    latents: Tensor = encoded.latents if hasattr(encoded, "latents") else encoded.latent_dist.mode()
    return latents.float()


def _channels(values: Sequence[float] | None) -> Tensor | None:
    """Per-channel numbers of a config → (1, C, 1, 1)."""
    return None if values is None else torch.tensor(values).view(1, -1, 1, 1)
