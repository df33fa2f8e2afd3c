"""In how many of 64 bits copies and strangers differ: where the limit of `duplicates` and `leakage` comes from.

    python benchmarks/perceptual_hash.py --toys 400 --photos FOLDER

Copies are the same picture at half its size, compressed, cropped by so much of its sides, or mirrored. Strangers are
pairs of different pictures of the set.
"""

import io
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import numpy as np
import tyro
from PIL import Image, ImageOps

from tutelage.diffusion.pictures import decode
from tutelage.judges.fingerprints import bits_apart, perceptual_hash
from tutelage.toybox.render import render
from tutelage.toybox.sampling import HELD_OUT, scene_at, subject_at

LIMITS: Final = (0, 2, 4, 6, 10)
SIDE: Final = 512
"""Photographs are made no larger."""


def compressed(image: Image.Image, quality: int) -> Image.Image:
    """As a JPEG of this quality gives it back."""
    file = io.BytesIO()
    image.save(file, "JPEG", quality=quality)
    return decode(file.getvalue())


def halved(image: Image.Image) -> Image.Image:
    """At half its size."""
    return image.resize((image.width // 2, image.height // 2))


def cropped(image: Image.Image, share: float) -> Image.Image:
    """Without this share of its shorter side."""
    return ImageOps.crop(image, round(min(image.size) * share / 2))


COPIES: Final[dict[str, Callable[[Image.Image], Image.Image]]] = {
    "half the size": halved,
    "JPEG 50": lambda image: compressed(image, 50),
    "half the size, JPEG 30": lambda image: compressed(halved(image), 30),
    "cropped by 2 %": lambda image: cropped(image, 0.02),
    "cropped by 10 %": lambda image: cropped(image, 0.10),
    "mirrored": ImageOps.mirror,
}


def main(*, toys: int = 400, photos: Path | None = None) -> None:
    """Print a table for renders, and one for photographs.

    Args:
        toys: Renders of held-out toys, 128 pixels a side.
        photos: Folder of photographs, at any depth.
    """
    report("renders", [rendered(number) for number in range(toys)])
    if photos is not None:
        report("photographs", [read(path) for path in sorted(photos.rglob("*.jpg"))])


def rendered(number: int) -> Image.Image:
    """A scene of a held-out toy."""
    toy = subject_at(number, split=HELD_OUT, seed=0)
    return Image.fromarray(render(scene_at(toy, number, 0, split=HELD_OUT, seed=0), 128)[0])


def read(path: Path) -> Image.Image:
    """A photograph."""
    image = decode(path.read_bytes(), str(path))
    image.thumbnail((SIDE, SIDE))
    return image


def report(name: str, images: Sequence[Image.Image]) -> None:
    """Print a table for a set of pictures."""
    hashes = np.array([perceptual_hash(image) for image in images])
    print(f"{len(images)} {name}: share that differs in at most {', '.join(map(str, LIMITS))} bits")
    for how, copy in COPIES.items():
        copies = np.array([perceptual_hash(copy(image)) for image in images])
        print(f"  {how:24}", *(f"{share:8.4f}" for share in shares(np.bitwise_count(hashes ^ copies))))
    strangers = bits_apart(hashes, hashes)[np.triu_indices(len(hashes), 1)]
    print(
        f"  {'pairs of strangers':22}", *(f"{share:8.6f}" for share in shares(strangers)), f"(least {strangers.min()})"
    )


def shares(bits: np.ndarray) -> list[float]:
    """Of numbers of bits that are within each limit."""
    return [float((bits <= limit).mean()) for limit in LIMITS]


if __name__ == "__main__":
    tyro.cli(main)
