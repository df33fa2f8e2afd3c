"""Random networks' inputs, and demonstrations of nobody."""

import io
from typing import Any

import torch
from PIL import Image
from torch import nn

from tutelage.diffusion.text import TextConditions
from tutelage.students.base import References
from tutelage.students.suti import Suti
from tutelage.triplet import Picture, Reference

EVERY_LEVEL = {"sd": (0, 1), "sdxl": (0, 1), "sd15": (0, 1, 2, 3), "toybox": (0, 1)}


def sd15_unet() -> Any:
    from diffusers import UNet2DConditionModel

    return UNet2DConditionModel(
        sample_size=16,
        block_out_channels=(16, 32, 32, 48),
        layers_per_block=2,
        down_block_types=("CrossAttnDownBlock2D",) * 3 + ("DownBlock2D",),
        up_block_types=("UpBlock2D",) + ("CrossAttnUpBlock2D",) * 3,
        cross_attention_dim=32,
        attention_head_dim=2,
        norm_num_groups=8,
    )


def wake(suti: Suti) -> Suti:
    torch.manual_seed(3)
    for layer in suti.network.attention.layers.values():
        nn.init.normal_(layer.to_out.weight, std=0.3)
    return suti


def told(suti: Suti, rows: int, seed: int = 0) -> TextConditions:
    """Random texts of a base's shape."""
    random = torch.Generator().manual_seed(seed)
    unet = suti.pipeline.unet
    hidden = torch.randn(
        rows, suti.pipeline.tokenizer.model_max_length, unet.config.cross_attention_dim, generator=random
    )
    second = getattr(suti.pipeline, "text_encoder_2", None)
    return TextConditions(hidden, second and hidden.mean(1)[:, : second.config.projection_dim])


def shown(suti: Suti, present: list[list[int]], seed: int = 0) -> References:
    """Random demonstrations."""
    there = torch.tensor(present, dtype=torch.bool)
    config = suti.pipeline.unet.config
    latents = torch.randn(*there.shape, config.in_channels, 16, 16, generator=torch.Generator().manual_seed(seed))
    return References(latents=latents, captions=told(suti, there.numel(), seed + 1), present=there)


def noisy(suti: Suti, rows: int, seed: int = 0) -> torch.Tensor:
    random = torch.Generator().manual_seed(seed + 100)
    return torch.randn(rows, suti.pipeline.unet.config.in_channels, 16, 16, generator=random)


def photo(seed: int, size: tuple[int, int] = (32, 32)) -> Image.Image:
    """A (width, height) picture of noise."""
    data = torch.randint(256, (size[1], size[0], 3), generator=torch.Generator().manual_seed(seed), dtype=torch.uint8)
    return Image.fromarray(data.numpy())


def png(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def demonstrations(count: int, first: int = 0) -> tuple[Reference, ...]:
    captions = ("a red bear toy", "a bear toy in the snow", "a bear toy, front view")
    pictures = (Picture(data=png(photo(first + i, (32, 32 + 8 * (i % 2))))) for i in range(count))
    return tuple(Reference(picture=p, caption=captions[i % 3]) for i, p in enumerate(pictures))
