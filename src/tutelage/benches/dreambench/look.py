"""Networks that look at pictures, with the preprocessing that DreamBench's figures are made of.

DINO: the shorter side to 256 pixels, the middle 224 × 224 (for a network of another size, in the same proportion).
CLIP: the shorter side to 224, the middle 224 × 224. Both bicubic, on 8 bits, then the checkpoint's own mean and
deviation, which are ImageNet's for DINO and CLIP's for CLIP. This is not what the image processors of such checkpoints
do by themselves: DINO's squashes a picture to 224 × 224.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from tutelage.benches.dreambench.networks import CLIP, PUBLISHED
from tutelage.diffusion.features import ClipFeatures, PictureFeatures, picture_features
from tutelage.errors import BadInput

MARGIN: Final = 256 / 224
"""Shorter side before the crop over side after it, of networks that are no CLIP."""

Floats = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class Crop:
    """An image processor: the shorter side to `resize` pixels, the middle `side` × `side`, normalised."""

    resize: int
    side: int
    mean: tuple[float, ...]
    deviation: tuple[float, ...]

    def __call__(self, images: Sequence[Image.Image], return_tensors: str = "pt") -> dict[str, torch.Tensor]:
        """RGB pictures → `pixel_values` (B, 3, side, side)."""
        pixels = np.stack([np.asarray(self.cropped(image), np.float32) / 255 for image in images])
        normal = (pixels - np.asarray(self.mean, np.float32)) / np.asarray(self.deviation, np.float32)
        return {"pixel_values": torch.from_numpy(normal.transpose(0, 3, 1, 2).copy())}

    def cropped(self, image: Image.Image) -> Image.Image:
        """The middle (side × side)."""
        scale = self.resize / min(image.size)
        width, height = (self.resize if n == min(image.size) else int(n * scale) for n in image.size)
        sized = image.resize((width, height), Image.Resampling.BICUBIC)
        left, top = round((width - self.side) / 2), round((height - self.side) / 2)
        return sized.crop((left, top, left + self.side, top + self.side))


@dataclass(frozen=True, kw_only=True)
class Look:
    """A network that pictures are compared with."""

    name: str
    """What its figures are called, such as `DINO` or `CLIP-I`."""
    features: PictureFeatures
    text_name: str = ""
    """What its figures beside texts are called; empty if it does not read."""

    @cached_property
    def key(self) -> str:
        """What its numbers depend on: weights and preprocessing."""
        return digest(self.features.weights, self.features.processor)

    def pictures(self, images: Sequence[Image.Image]) -> Floats:
        """Unit features (N, D); on a CPU one at a time, so that they do not depend on what else is looked at."""
        batch = 1 if self.features.device.type == "cpu" else 64
        return np.asarray(self.features.pictures(images, batch).numpy())

    def texts(self, sentences: Sequence[str]) -> Floats:
        """Unit features (N, D) of texts; for networks that read."""
        assert isinstance(self.features, ClipFeatures), f"{self.name} does not read"
        return np.asarray(self.features.texts(sentences, 1 if self.features.device.type == "cpu" else 256).numpy())


def digest(*parts: object) -> str:
    """16 hex digits that say whether anything of `parts`, by their words, is another."""
    return hashlib.sha256(repr([str(part) for part in parts]).encode()).hexdigest()[:16]


def looks(dino: Path | str, clip: Path | str, also: Sequence[Path | str] = (), device: str = "auto") -> list[Look]:
    """The networks of a bench: one for pictures, a CLIP for pictures and texts, and more for pictures.

    Raises:
        BadInput: one cannot be loaded, `clip` is none, or two figures would have one name.
    """
    made = [_look(dino, "DINO", device), _look(clip, "CLIP", device), *(_look(one, "", device) for one in also)]
    if not made[1].text_name:
        raise BadInput(f"{clip} does not read; give a CLIP, such as {CLIP}")
    names = [one.name for one in made]
    if twice := [name for at, name in enumerate(names) if name in names[:at]]:
        raise BadInput(f"two networks would both be called '{twice[0]}'; name each once")
    return made


def _look(network: Path | str, role: str, device: str) -> Look:
    features = picture_features(network, device)
    reads = isinstance(features, ClipFeatures)
    cropped = replace(features, processor=crop_of(features, reads=reads))
    what = role or ("CLIP" if reads else "likeness")
    label = "" if PUBLISHED.get(str(network)) == what else f" ({features.folder.name})"
    if not reads:
        return Look(name=f"{what}{label}", features=cropped)
    return Look(name=f"{what}-I{label}", features=cropped, text_name=f"{what}-T{label}")


def crop_of(features: PictureFeatures, *, reads: bool) -> Crop:
    """The stated preprocessing, for a network's own size, mean and deviation.

    Raises:
        BadInput: the network does not say its size.
    """
    side = _side(features)
    mean, deviation = (tuple(getattr(features.processor, name)) for name in ("image_mean", "image_std"))
    return Crop(resize=side if reads else round(side * MARGIN), side=side, mean=mean, deviation=deviation)


def _side(features: PictureFeatures) -> int:
    """Pixels a side of what the network is fed, as its image processor says, or else its config."""
    for said in (getattr(features.processor, "crop_size", None), getattr(features.processor, "size", None)):
        for name in ("height", "shortest_edge"):
            if said is not None and said.get(name):
                return int(said.get(name))
    side = getattr(features.network.config, "image_size", None)
    if not isinstance(side, int):
        raise BadInput(f"{features.folder} does not say the size of its pictures; give a ViT, a DINO or a CLIP")
    return side
