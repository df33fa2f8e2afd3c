"""Trains `toybox-reader`: every attribute of a picture at once, by a small ResNet with one label per value."""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F
from transformers import ResNetConfig, ResNetForImageClassification

from tutelage.diffusion.device import pick_device
from tutelage.toybox.scene import ATTRIBUTES
from tutelage.training.clip import attributes, pixels
from tutelage.training.loop import fit
from tutelage.training.renders import Renders
from tutelage.training.settings import Schedule


def build_reader() -> ResNetForImageClassification:
    """A fresh reader whose labels read "attribute=value", in the order of `ATTRIBUTES`."""
    return build_classifier([f"{attribute}={value}" for attribute, values in ATTRIBUTES.items() for value in values])


def build_classifier(names: list[str]) -> ResNetForImageClassification:
    """A fresh network with these labels."""
    config = ResNetConfig(
        embedding_size=32,
        hidden_sizes=[48, 96, 160, 192],
        depths=[1, 2, 2, 1],
        layer_type="basic",
        id2label=dict(enumerate(names)),
        label2id={name: index for index, name in enumerate(names)},
    )
    return ResNetForImageClassification(config)


def enlarged(pictures: Tensor, side: int) -> Tensor:
    """Pictures (B, 3, H, W) at `side` pixels, as the image processor enlarges them."""
    large: Tensor = F.interpolate(pictures, size=(side, side), mode="bilinear", align_corners=False)
    return large.contiguous(memory_format=torch.channels_last)


def grouped(logits: Tensor) -> dict[str, Tensor]:
    """Logits (B, all values) → attribute → logits (B, its values)."""
    parts = torch.split(logits, [len(values) for values in ATTRIBUTES.values()], dim=-1)
    return dict(zip(ATTRIBUTES, parts, strict=True))


def train_reader(
    renders: Renders, schedule: Schedule, side: int, out: Path, device: str, bf16: bool
) -> ResNetForImageClassification:
    """Train (or finish training) a reader in `out`.

    It looks at pictures enlarged to `side` pixels: its first layers halve them twice, and mouths are small. Pictures
    get a little noise and shift, so that the reader does not live off the renderer's exact pixels.
    """
    where = pick_device(device)
    model = build_reader().to(where, memory_format=torch.channels_last).train()

    def loss(step: int, rng: np.random.Generator) -> Tensor:
        picks = rng.integers(len(renders), size=schedule.batch)
        clean = torch.roll(pixels(renders, picks), tuple(int(s) for s in rng.integers(-3, 4, 2)), (2, 3))
        noisy = clean + torch.randn_like(clean) * float(rng.uniform(0, 0.12))
        with torch.autocast(where.type, torch.bfloat16, enabled=bf16):
            large = enlarged(noisy.to(where), side)
            logits = model(pixel_values=large).logits
        return attributes(grouped(logits.float()), [renders.scenes[index] for index in picks])

    fit(model, loss, schedule, out)
    return model.eval()
