"""Encoded pictures for the crawl, and every way a picture on the web goes wrong."""

import io
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageEnhance

from tutelage.toybox.render import render
from tutelage.toybox.sampling import random_scene
from tutelage.toybox.scene import Scene

NOT_IMAGES: Final = (
    b"",
    b"<!DOCTYPE html><html><head><title>404 Not Found</title></head><body>Not Found</body></html>",
    b"<svg xmlns='http://www.w3.org/2000/svg'><script>stop()</script></svg>",
    b"GIF89a",
)


@dataclass(frozen=True, kw_only=True)
class Picture:
    """Bytes as a server would send them, and the truth about them."""

    image: bytes
    """PNG or JPEG, unless `fault` says otherwise."""
    subject: int | None
    scene: Scene | None
    fault: str | None = None


def taken(number: int | None, scene: Scene, size: int, rng: np.random.Generator) -> Picture:
    """A clean picture of a scene; three in five are square, the others 4:3 or 3:4, the longer side `size` pixels."""
    short = size * 3 // 4
    shapes = ((size, size), (size, size), (size, size), (short, size), (size, short))
    rgb, _ = render(scene, shapes[rng.integers(len(shapes))])
    data = png(rgb) if rng.random() < 0.2 else jpeg(rgb, int(rng.integers(82, 96)))
    return Picture(image=data, subject=number, scene=scene)


def noise_picture(size: int, rng: np.random.Generator) -> Picture:
    """A picture without a toy: an empty place, or blots of random colour, coarse or fine."""
    if rng.random() < 0.5:
        return taken(None, replace(random_scene(rng, None).without_subject(), style="photo"), size, rng)
    cells = int(rng.choice((2, 6, 20, size)))
    blots = Image.fromarray(rng.integers(0, 256, (cells, cells, 3), dtype=np.uint8))
    smooth = blots.resize((size, size), Image.Resampling.BICUBIC)
    return Picture(image=jpeg(np.asarray(smooth), 88), subject=None, scene=None, fault="texture")


def retouched(shot: Picture, rng: np.random.Generator) -> Picture:
    """The same picture saved again at another quality, cropped by up to 6 %, or brighter or darker by 5 to 15 %."""
    ways: tuple[tuple[str, Callable[[Image.Image, np.random.Generator], Image.Image]], ...] = (
        ("saved again", lambda image, _: image),
        ("cropped", _cropped),
        ("brightened", _brightened),
    )
    name, change = ways[rng.integers(len(ways))]
    image = change(Image.open(io.BytesIO(shot.image)).convert("RGB"), rng)
    data = jpeg(np.asarray(image), int(rng.integers(60, 82)))
    return replace(shot, image=data, fault=f"near duplicate: {name}")


def odd_shape(shot: Picture, rng: np.random.Generator) -> Picture:
    """The picture as an icon of 6 to 24 pixels, or squeezed to a banner 12 to 20 times as long as high."""
    image = Image.open(io.BytesIO(shot.image)).convert("RGB")
    if rng.random() < 0.5:
        side = int(rng.integers(6, 25))
        return replace(shot, image=png(np.asarray(image.resize((side, side)))), fault="tiny")
    height = max(image.height // 8, 4)
    shape = (height * int(rng.integers(12, 21)), height)
    shape = shape if rng.random() < 0.6 else (shape[1], shape[0])
    return replace(shot, image=jpeg(np.asarray(image.resize(shape)), 85), fault="absurd shape")


def truncated(shot: Picture, rng: np.random.Generator) -> Picture:
    """The first 15 to 70 % of the bytes: a download that broke off."""
    kept = int(len(shot.image) * rng.uniform(0.15, 0.70))
    return replace(shot, image=shot.image[:kept], fault="truncated")


def junk_bytes(shot: Picture, rng: np.random.Generator) -> Picture:
    """Something that is no picture where one should be: nothing, an error page, random bytes."""
    at = int(rng.integers(len(NOT_IMAGES) + 1))
    data = NOT_IMAGES[at] if at < len(NOT_IMAGES) else rng.bytes(2048)
    return replace(shot, image=data, fault="not an image")


def png(rgb: NDArray[np.uint8]) -> bytes:
    """RGB (H, W, 3) as PNG."""
    return _encoded(rgb, "PNG", compress_level=1)


def jpeg(rgb: NDArray[np.uint8], quality: int) -> bytes:
    """RGB (H, W, 3) as JPEG of a quality in 1 to 95."""
    return _encoded(rgb, "JPEG", quality=quality)


def _encoded(rgb: NDArray[np.uint8], form: str, **options: int) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(rgb).save(buffer, form, **options)
    return buffer.getvalue()


def _cropped(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    left, top, right, bottom = (int(rng.integers(1, max(side * 6 // 100, 2) + 1)) for side in image.size * 2)
    return image.crop((left, top, image.width - right, image.height - bottom))


def _brightened(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    return ImageEnhance.Brightness(image).enhance(1 + float(rng.choice((-1, 1)) * rng.uniform(0.05, 0.15)))
